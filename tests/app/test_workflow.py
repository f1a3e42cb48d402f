"""The whole workflow on the samples, with networks that train in a moment; every number is computed again elsewhere."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, mean_absolute_error

from recipe.app.late_steps import FinalStep, ScaleStep, TuneStep
from recipe.app.steps import BaselineStep, ProtocolStep, Step, describe_spec, show_score
from recipe.app.trials import Progress, find_best
from recipe.app.workflow import RecipeResult, StepFinished, StepStarted, run_recipe
from recipe.core.run import mean_history
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.steps.s6_plan import Plan, make_plan

ROWS = {"mnist": 1_400, "imdb": 1_400, "housing": 200}
SPECS = {
    "mnist": ModelSpec(batch_size=64, hidden_units=(64,)),
    "imdb": ModelSpec(batch_size=64, hidden_units=(16, 16)),
    "housing": ModelSpec(batch_size=16, hidden_units=(32,), optimizer="adam"),
}


def _plan(name: str, seed: int = 0) -> Plan:
    base = SPECS[find_problem(name).base].replace(seed=seed)
    ladder = (base.replace(epochs=4), base.replace(epochs=20))
    return Plan(small=base.replace(hidden_units=(8,), epochs=8), ladder=ladder, trials=1)


def _run(name: str, **options: object) -> RecipeResult:
    rows = ROWS[find_problem(name).base]
    return run_recipe(name, source="sample", **({"rows": rows, "plan": _plan(name)} | options))


@pytest.fixture(scope="module")
def results() -> dict[str, RecipeResult]:
    """One run of each base problem, with the events that it told."""
    return {}


def _once(results: dict, name: str) -> tuple[RecipeResult, list]:
    """Run a problem the first time that a test of this module wants it."""
    if name not in results:
        events: list = []
        results[name] = _run(name, on_event=events.append), events
    return results[name]


QUICK = ("mnist", "imdb", "housing", "mnist_five")  # and the other derived problems repeat


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in PROBLEMS]
)
def test_run_recipe_walks_all_seven_steps_and_looks_once(results, name):
    result, _ = _once(results, name)
    assert [step.number for step in result.steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert (result.stopped, result.stopped_in) == (None, None)
    assert result.dataset.test.looks == 1
    assert result.problem.name == name
    assert all(text.endswith((".", "?", ")")) for step in result.steps for text in step.sentences)
    names = [line.name for line in result.lines]
    assert names in (
        ["baseline", "small model", "big model", "regularized", "final model"],
        ["baseline", "small model", "big model", "final model"],
    )


def test_run_recipe_tells_steps_and_every_epoch_in_order(results):
    result, events = _once(results, "mnist")
    started = [event.number for event in events if isinstance(event, StepStarted)]
    finished = [event.step for event in events if isinstance(event, StepFinished)]
    assert started == [1, 2, 3, 4, 5, 6, 7, 8]
    assert tuple(finished) == result.steps
    small = [event for event in events if isinstance(event, Progress) and event.name == "small model"]
    assert [event.done for event in small] == list(range(1, 9))
    assert {event.total for event in small} == {8}
    assert [event.logs["val_accuracy"] for event in small] == result.trials[0].history["val_accuracy"]


def test_run_recipe_progress_counts_the_epochs_of_all_folds(results):
    _, events = _once(results, "housing")
    small = [event for event in events if isinstance(event, Progress) and event.name == "small model"]
    assert [event.done for event in small] == list(range(1, 33))
    assert {(event.parts, event.total) for event in small} == {(4, 32)}


def test_run_recipe_test_accuracy_is_what_plain_keras_and_scikit_learn_find(results):
    result, _ = _once(results, "mnist")
    last = result.find(FinalStep)
    x, y = result.dataset.test.open()
    classes = last.final.model.predict(x.astype("float32") / 16, verbose=0).argmax(axis=1)
    assert last.result.score == pytest.approx(accuracy_score(y, classes))


def test_run_recipe_test_error_is_what_plain_keras_and_scikit_learn_find(results):
    result, _ = _once(results, "housing")
    last, x_train = result.find(FinalStep), result.dataset.x_train.astype(np.float64)
    x, y = result.dataset.test.open()
    x = ((x - x_train.mean(axis=0)) / x_train.std(axis=0)).astype("float32")
    outputs = last.final.model.predict(x, verbose=0)[:, 0]
    assert last.result.score == pytest.approx(mean_absolute_error(y / 100_000, outputs), rel=1e-4)


def test_run_recipe_baseline_of_a_hold_out_is_scikit_learns(results):
    result, _ = _once(results, "mnist")
    (split,) = result.find(ProtocolStep).splits
    dummy = DummyClassifier(strategy="most_frequent").fit(split.x_train[:, 0], split.y_train)
    assert result.find(BaselineStep).baseline.value == pytest.approx(dummy.score(split.x_val[:, 0], split.y_val))


def test_run_recipe_baseline_of_folds_is_scikit_learns_over_all_of_them(results):
    result, _ = _once(results, "housing")
    splits = result.find(ProtocolStep).splits
    errors = []
    for split in splits:
        guess = DummyRegressor(strategy="median").fit(split.x_train, split.y_train).predict(split.x_val)
        errors.append(np.abs(split.y_val - guess) / 100_000)
    assert len(splits) == 4
    assert result.find(BaselineStep).baseline.value == pytest.approx(np.concatenate(errors).mean(), rel=1e-5)


@pytest.mark.parametrize("name", ["mnist", "housing"])
def test_run_recipe_power_judges_the_very_score_that_the_small_model_has(results, name):
    first = _once(results, name)[0].find(BaselineStep)
    assert first.power.model == pytest.approx(first.small.score, rel=1e-4)
    assert first.power.beats_baseline is (name == "mnist")  # 8 epochs are too few for the houses


def test_run_recipe_chooses_by_validation_and_trains_for_the_epochs_it_found(results):
    result, _ = _once(results, "imdb")
    tune, last = result.find(TuneStep), result.find(FinalStep)
    best = max(tune.best.score, *(trial.score for trial in result.trials if trial.step == 7))
    assert tune.best.score == best
    assert last.final.epochs == tune.best.epoch + 1
    assert last.final.samples == len(result.dataset.y_train)
    assert last.result.validation_score == tune.best.score


def test_run_recipe_scales_up_until_it_overfits(results):
    result, _ = _once(results, "imdb")
    scale = result.find(ScaleStep)
    last = scale.trials[-1]
    assert str(last.diagnosis.verdict) == "overfitting"
    assert scale.overfitting_epoch == last.diagnosis.overfitting_epoch + 1
    assert f"from epoch {scale.overfitting_epoch} on" in scale.sentences[-1]


def test_run_recipe_tries_a_change_of_the_advice_with_its_reason(results):
    result, _ = _once(results, "imdb")
    (trial,) = result.find(TuneStep).trials
    assert trial.spec != result.find(ScaleStep).best.spec
    assert trial.why in " ".join(result.find(TuneStep).sentences)


def test_run_recipe_same_seed_gives_the_same_numbers_and_another_seed_others():
    runs = [_run("housing", seed=seed, plan=_plan("housing", seed)) for seed in (3, 3, 4)]
    first, second, other = ([line.score for line in run.lines] for run in runs)
    assert first == second
    assert first != other


def test_run_recipe_stopped_in_a_training_keeps_what_was_done():
    stop = threading.Event()

    def stop_in_step_6(event: object) -> None:
        if isinstance(event, Progress) and event.step == 6 and event.epoch == 1:
            stop.set()

    result = _run("housing", on_event=stop_in_step_6, stop=stop)
    assert (result.stopped, result.stopped_in) == ("asked", 6)
    assert [step.number for step in result.steps] == [1, 2, 3, 4, 5]
    assert [(trial.name, trial.epochs) for trial in result.trials] == [("small model", 8), ("big model", 2)]
    assert [line.name for line in result.lines] == ["baseline", "small model"]
    assert result.dataset.test.looks == 0


def test_run_recipe_stopped_in_the_final_training_leaves_the_test_set_sealed():
    stop = threading.Event()
    plan = Plan(small=_plan("housing").small, ladder=_plan("housing").ladder[:1], trials=0)

    def stop_in_the_end(event: object) -> None:
        if isinstance(event, Progress) and event.step == 8:
            stop.set()

    result = _run("housing", on_event=stop_in_the_end, stop=stop, plan=plan)
    assert (result.stopped, result.stopped_in) == ("asked", 8)
    assert result.dataset.test.looks == 0


def test_run_recipe_stopped_before_it_began_has_no_step():
    stop = threading.Event()
    stop.set()
    result = _run("housing", stop=stop)
    assert (result.stopped, result.stopped_in, result.steps, result.dataset) == ("asked", 1, (), None)


def test_run_recipe_keyboard_interrupt_between_trainings_keeps_the_steps():
    def interrupt(event: object) -> None:
        if isinstance(event, StepStarted) and event.number == 5:
            raise KeyboardInterrupt

    result = _run("housing", on_event=interrupt)
    assert (result.stopped, result.stopped_in) == ("interrupted", 5)
    assert [step.number for step in result.steps] == [1, 2, 3, 4]


def test_run_recipe_refuses_an_unknown_problem():
    with pytest.raises(ValueError, match=r"no problem of that name. Received: name='minst'"):
        run_recipe("minst")


def test_run_recipe_refuses_more_rows_than_there_are_to_share_out():
    with pytest.raises(ValueError, match=r"Received: rows=3\."):
        run_recipe("housing", source="sample", rows=3)


def test_run_recipe_goes_on_after_a_model_that_diverged():
    wild = ModelSpec(optimizer="sgd", learning_rate=1e5, batch_size=16, epochs=4)
    plan = Plan(small=_plan("housing").small, ladder=(wild,), trials=1)
    result = _run("housing", plan=plan)
    assert str(result.trials[1].diagnosis.verdict) == "diverged"
    assert result.find(TuneStep).best.name != "big model"
    assert np.isfinite(result.find(FinalStep).result.score)


def test_find_best_is_the_first_of_equals_in_the_measures_direction(results):
    housing, imdb = (_once(results, name)[0].trials for name in ("housing", "imdb"))
    assert find_best(housing).score == min(trial.score for trial in housing)
    assert find_best(imdb).score == max(trial.score for trial in imdb)
    assert find_best((imdb[0], imdb[0], imdb[0])) is imdb[0]


@pytest.mark.parametrize("name", list(PROBLEMS))
@pytest.mark.parametrize("samples", [200, 1_500, 48_000])
def test_make_plan_climbs_to_more_units_or_more_epochs(name, samples):
    plan = make_plan(find_problem(name), samples, seed=7)
    steps = [(sum(spec.hidden_units), spec.epochs) for spec in (plan.small, *plan.ladder)]
    assert all(new > old for old, new in itertools.pairwise(steps))
    assert {spec.seed for spec in (plan.small, *plan.ladder)} == {7}


def test_mean_history_stops_with_the_shortest():
    assert mean_history([{"a": [1.0, 3.0]}, {"a": [3.0, 5.0, 9.0]}]) == {"a": [2.0, 4.0]}


def test_describe_spec_names_what_is_not_at_its_default():
    spec = ModelSpec(architecture="linear", l2=0.01, optimizer="sgd", learning_rate=0.1)
    assert describe_spec(spec) == "linear, l2 0.01, sgd at 0.1, batches of 128"


def test_show_score_has_name_and_unit():
    assert show_score(find_problem("housing"), 0.30123) == "mean absolute error 0.3012 hundred thousand dollars"
    assert show_score(find_problem("mnist"), 0.98) == "accuracy 0.98"


def test_step_has_its_title_and_question():
    step = Step(number=5, sentences=())
    assert (step.title, step.question) == ("Beat a baseline", "Can anything be learned at all?")
