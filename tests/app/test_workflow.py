"""The whole workflow on the samples, with networks that train in a moment; every number is computed again elsewhere."""

from __future__ import annotations

import itertools
import signal

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error

import recipe
from recipe.app.workflow import RecipeResult, Step, run_recipe
from recipe.core.run import EpochReport
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.search.plan import Plan, make_plan

ROWS = {"image": 1_300, "text": 300, "table": 200}
SPECS = {
    "image": ModelSpec(batch_size=64, hidden_units=(64,)),
    "text": ModelSpec(batch_size=32, hidden_units=(8,), learning_rate=0.01),
    "table": ModelSpec(batch_size=16, hidden_units=(32,), optimizer="adam"),
}
NAMES = ["baseline", "rival", "small model", "big model", "regularized", "final model"]


def _plan(name: str, trials: int = 1) -> Plan:
    base = SPECS[find_problem(name).kind]
    small = base.replace(hidden_units=(8,), epochs=8)
    return Plan(small=small, ladder=(base.replace(epochs=4), base.replace(epochs=20)), trials=trials)


def _run(name: str, **options: object) -> RecipeResult:
    return run_recipe(name, source="sample", **({"rows": ROWS[find_problem(name).kind], "plan": _plan(name)} | options))


def _find(result: RecipeResult, step: int) -> list:
    return [trial for trial in result.trials if trial.step == step]


@pytest.fixture(scope="module")
def results(no_journal: None) -> dict[str, tuple[RecipeResult, list]]:
    """One run of each problem, with the events that it told, made when a test first wants it."""

    class Results(dict):
        def __missing__(self, name: str) -> tuple[RecipeResult, list]:
            events: list = []
            self[name] = _run(name, on_event=events.append), events
            return self[name]

    return Results()


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * ("_" in name)) for name in PROBLEMS])
def test_run_recipe_walks_all_seven_steps_and_looks_once(results, name):
    result, _ = results[name]
    assert [step.number for step in result.steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert result.stopped_in is None
    assert result.dataset.test.looks == 1
    assert result.problem.name == name
    assert all(text.endswith((".", "?", ")")) for step in result.steps for text in step.sentences)
    assert list(result.to_frame().index) == NAMES


def _reports(events: list, step: int) -> list[EpochReport]:
    """The epochs that were told between the beginning of a step and its end."""
    begin, end = (number for number, event in enumerate(events) if isinstance(event, Step) and event.number == step)
    return events[begin + 1 : end]


def test_run_recipe_tells_steps_and_every_epoch_of_all_folds_in_order(results):
    folds = _reports(results["housing"][1], 5)
    assert sorted((report.epoch, report.member) for report in folds) == [(e, m) for e in range(8) for m in range(4)]
    result, events = results["mnist"]
    steps = [event for event in events if isinstance(event, Step)]
    assert [step.number for step in steps if not step.sentences] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [step for step in steps if step.sentences] == result.steps
    small = _reports(events, 5)
    assert [(report.epoch, report.epochs) for report in small] == [(epoch, 8) for epoch in range(8)]
    assert [report.logs["val_accuracy"] for report in small] == result.trials[0].run.history["val_accuracy"]


def test_run_recipe_test_scores_are_what_plain_keras_and_scikit_learn_find(results):
    digits, houses = results["mnist"][0], results["housing"][0]
    x, y = digits.dataset.test.open()
    classes = digits.final.model.predict(x.astype("float32") / 16, verbose=0).argmax(axis=1)
    assert digits.test.score == pytest.approx(accuracy_score(y, classes))
    x_train, (x, y) = houses.dataset.x_train.astype(np.float64), houses.dataset.test.open()
    x = ((x - x_train.mean(axis=0)) / x_train.std(axis=0)).astype("float32")
    outputs = houses.final.model.predict(x, verbose=0)[:, 0]
    assert houses.test.score == pytest.approx(mean_absolute_error(y / 100_000, outputs), rel=1e-4)


def test_run_recipe_tests_the_weights_that_the_score_of_the_small_model_is_of(results):
    digits, houses = results["mnist"][0], results["housing"][0]
    assert digits.power.model == pytest.approx(digits.trials[0].run.score, rel=1e-4)
    # Each fold has the weights of its own best epoch, and the score is of the best epoch of the mean.
    assert houses.power.model == pytest.approx(np.mean(houses.trials[0].run.scores), rel=1e-4)
    assert (digits.power.beats_baseline, houses.power.beats_baseline) == (True, False)


def test_run_recipe_scales_up_until_it_overfits_and_tries_a_change_with_its_reason(results):
    result, _ = results["imdb"]
    bigger, (changed,) = _find(result, 6), _find(result, 7)
    assert bigger[-1].diagnosis.verdict == "overfitting"
    assert result.overfitting_epoch == bigger[-1].diagnosis.overfitting_epoch + 1
    assert f"From epoch {result.overfitting_epoch} on" in result.steps[5].sentences[-1]
    assert changed.run.spec not in [trial.run.spec for trial in bigger]
    assert changed.why in " ".join(result.steps[6].sentences)


def test_run_recipe_chooses_by_validation_and_trains_for_the_epochs_it_found(results):
    result, _ = results["mnist"]
    assert result.best.run.score == max(result.best.run.score, *(trial.run.score for trial in _find(result, 7)))
    assert result.final.run.epochs == result.best.run.best_epoch + 1
    assert result.final.run.train_samples == len(result.dataset.y_train)
    assert result.test.validation_score == result.best.run.score


def test_run_recipe_takes_a_dataset_with_the_same_numbers_for_the_same_seed(results):
    again = run_recipe(recipe.load("housing", source="sample", rows=200), plan=_plan("housing"))
    assert again.to_frame().equals(results["housing"][0].to_frame())
    assert not _run("housing", seed=4).to_frame()["score"].equals(again.to_frame()["score"])


@pytest.mark.parametrize(
    ("step", "trials", "names"),
    [(6, [("small model", 8), ("big model", 2)], ["baseline", "rival", "small model"]), (8, None, NAMES[:4])],
)
def test_run_recipe_interrupted_in_a_training_keeps_what_was_done(step, trials, names):
    begun = []

    def interrupt(event: Step | EpochReport) -> None:
        if isinstance(event, Step):
            begun.append(event.number)
        elif begun[-1] == step and (event.epoch, event.member) == (1 if step == 6 else 0, 0):
            signal.raise_signal(signal.SIGINT)

    result = _run("housing", on_event=interrupt, plan=_plan("housing", trials=0))
    assert result.stopped_in == step
    assert [bool(one.sentences) for one in result.steps] == [True] * (step - 1) + [False]
    assert trials is None or [(trial.name, trial.run.epochs) for trial in result.trials] == trials
    assert list(result.to_frame().index) == names
    assert (result.test, result.dataset.test.looks) == (None, 0)


@pytest.mark.parametrize("name", list(PROBLEMS))
@pytest.mark.parametrize("samples", [200, 1_500, 48_000])
def test_make_plan_climbs_to_more_units_or_more_epochs(name, samples):
    plan = make_plan(find_problem(name), samples, seed=7)
    steps = [(sum(spec.hidden_units), spec.epochs) for spec in (plan.small, *plan.ladder)]
    assert all(new > old for old, new in itertools.pairwise(steps))
    assert {spec.seed for spec in (plan.small, *plan.ladder)} == {7}
