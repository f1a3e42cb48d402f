"""What a press of Train does: look up, train, diagnose, advise; held against `train` and hand-made histories."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.s6_scale_up import Verdict, diagnose_errors, diagnose_history
from recipe.steps.training import train
from recipe.ui.experiment import RemainingTime, run_experiment, show_seconds
from recipe.ui.experiment.guesses import Answer, Guess, count_right
from recipe.ui.experiment.outcome import Experiment, Unfinished

SPEC = ModelSpec(hidden_units=(8,), batch_size=32, epochs=3)
OVERFITTING = {
    "data_loss": [0.6, 0.4, 0.3, 0.2, 0.1, 0.05],
    "val_data_loss": [0.6, 0.4, 0.35, 0.45, 0.6, 0.8],
    "accuracy": [0.7, 0.8, 0.9, 0.95, 0.99, 1.0],
    "val_accuracy": [0.7, 0.8, 0.85, 0.84, 0.82, 0.8],
}


@pytest.fixture(scope="module")
def digits() -> Prepared:
    return prepare(hold_out(load("mnist", source="sample", rows=200)))


@pytest.fixture(scope="module")
def houses() -> Prepared:
    return prepare(hold_out(load("housing", source="sample", rows=200)))


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal.log")


def _made(prepared, *histories, spec=SPEC, **changes):
    """An experiment whose histories are known."""
    outcomes = tuple(Unfinished(seed=seed, history=history) for seed, history in enumerate(histories))
    return Experiment(spec=spec, prepared=prepared, outcomes=outcomes, baseline=0.1, **changes)


def test_run_experiment_comes_to_what_train_does(digits):
    experiment = run_experiment(SPEC, digits, journal=None)
    run = train(SPEC, digits, journal=None)
    assert experiment.history == run.history
    assert (experiment.score, experiment.seeds) == (run.score, (0,))
    assert experiment.train_score == run.history["accuracy"][-1]
    assert experiment.baseline.value == compute_baseline(digits.problem, digits.y_train, digits.y_val).value
    assert not experiment.from_journal
    assert not experiment.is_running
    weights = zip(experiment.model.get_weights(), run.model.get_weights(), strict=True)
    assert all(np.array_equal(one, other) for one, other in weights)


def test_run_experiment_takes_a_known_run_from_the_journal(digits, journal):
    first = run_experiment(SPEC, digits, journal=journal)
    second = run_experiment(SPEC, digits, journal=journal)
    assert (first.from_journal, second.from_journal) == (False, True)
    assert [outcome.model for outcome in second.outcomes] == [None]
    assert (second.model, second.runs) == (None, ())
    np.testing.assert_allclose(second.history["val_data_loss"], first.history["val_data_loss"], rtol=1e-6)
    assert second.history_diagnosis.verdict == first.history_diagnosis.verdict
    assert [piece.title for piece in second.advice] == [piece.title for piece in first.advice]
    assert len(journal.runs()) == 1


@pytest.mark.parametrize("changed", ["seed", "spec", "data", "reuse"])
def test_run_experiment_trains_where_the_journal_has_another_run(digits, journal, changed):
    run_experiment(SPEC, digits, journal=journal)
    spec = SPEC.replace(**{"seed": {"seed": 1}, "spec": {"epochs": 4}}.get(changed, {}))
    other = prepare(hold_out(load("mnist", source="sample", rows=200, seed=1))) if changed == "data" else digits
    experiment = run_experiment(spec, other, journal=journal, reuse=changed != "reuse")
    assert not experiment.from_journal
    assert len(journal.runs()) == 2


def test_run_experiment_takes_the_default_journal(digits):
    run_experiment(SPEC, digits)
    assert run_experiment(SPEC, digits).from_journal


def test_run_experiment_trains_only_the_seeds_that_the_journal_lacks(digits, journal):
    run_experiment(SPEC, digits, seeds=(1,), journal=journal)
    experiment = run_experiment(SPEC, digits, seeds=(0, 1, 2), journal=journal)
    assert experiment.seeds == (0, 1, 2)
    assert [outcome.model is None for outcome in experiment.outcomes] == [False, True, False]
    assert [run.seed for run in experiment.runs] == [0, 2]
    np.testing.assert_allclose(experiment.score, np.mean(experiment.scores))
    losses = [history["val_data_loss"] for history in experiment.histories]
    np.testing.assert_allclose(experiment.history["val_data_loss"], np.mean(losses, axis=0))
    assert "on average over 3 seeds" in experiment.sentence


def test_stopped_experiment_keeps_whole_epochs_and_is_not_taken_again(digits, journal):
    stop = threading.Event()
    spec = SPEC.replace(epochs=50)
    partial = run_experiment(spec, digits, journal=journal, stop=stop, on_progress=lambda *told: stop.set())
    whole = run_experiment(spec.replace(epochs=1), digits, journal=None)
    assert partial.stopped == "asked"
    assert partial.history == whole.history
    assert not run_experiment(spec, digits, journal=journal).from_journal


def test_on_progress_is_told_the_epochs_so_far(digits):
    told = []
    experiment = run_experiment(SPEC, digits, seeds=(0, 1), journal=None, on_progress=lambda *one: told.append(one))
    assert all(partial.is_running for partial, _ in told)
    assert [len(partial.histories) for partial, _ in told] == [1, 2, 2, 2, 2, 2]  # the two train side by side
    assert [len(partial.history["loss"]) for partial, _ in told] == [1, 1, 1, 2, 2, 3]
    assert told[-1][0].history == experiment.history
    assert told[0][1] == "Network 1 of 2, epoch 1 of 3"
    assert told[-1][1] == "Network 2 of 2, epoch 3 of 3, under 1 s left"


def test_remaining_time_leaves_the_first_epochs_out():
    times = iter([0.0, 10.0, 12.0, 14.0, 24.0])
    clock = RemainingTime(6, clock=lambda: next(times))
    assert clock.tell(is_first_epoch=True) is None
    assert clock.tell(is_first_epoch=False) == 2.0 * 4
    assert clock.tell(is_first_epoch=False) == 2.0 * 3
    assert clock.tell(is_first_epoch=True) == 2.0 * 2


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "under 1 s"), (12.3, "12 s"), (125.0, "2 min 5 s")])
def test_show_seconds(seconds, text):
    assert show_seconds(seconds) == text


def test_message_says_at_most_where_training_may_stop_early(digits):
    told = []
    spec = SPEC.replace(patience=2)
    run_experiment(spec, digits, journal=None, on_progress=lambda partial, message: told.append(message))
    assert told[-1] == "Epoch 3 of 3, at most under 1 s left"


def test_experiment_diagnoses_curves_and_errors(digits):
    experiment = _made(digits, OVERFITTING)
    assert experiment.history_diagnosis == diagnose_history(OVERFITTING, baseline=0.1, measure="accuracy")
    assert experiment.history_diagnosis.overfitting_epoch == 3
    assert experiment.error_diagnosis == diagnose_errors(0.0, 1 - 0.8)
    assert experiment.advice[0].title == "stop after epoch 3"
    assert experiment.sentence.startswith(
        "Validation accuracy 0.8, training 1: better than the baseline's 0.1. Overfitting since epoch 4: best in epoch"
    )
    assert "High variance: training error 0 %" in experiment.sentence


def test_experiment_with_patience_is_judged_at_the_best_epoch(digits):
    experiment = _made(digits, OVERFITTING, spec=SPEC.replace(patience=3))
    assert (experiment.score, experiment.train_score) == (0.85, 0.9)


def test_with_reachable_diagnoses_the_same_outcomes_anew(digits):
    history = OVERFITTING | {"accuracy": [0.8] * 6, "val_accuracy": [0.79] * 6}
    experiment = _made(digits, history)
    assert experiment.error_diagnosis.bias == "high"
    other = experiment.with_reachable(0.2)
    assert (other.error_diagnosis.bias, other.error_diagnosis.reachable_error) == ("low", 0.2)
    assert other.outcomes is experiment.outcomes
    assert [piece.title for piece in other.advice] != [piece.title for piece in experiment.advice]
    with pytest.raises(ValueError, match=r"never below 0. Received: reachable_error=-0.1."):
        experiment.with_reachable(-0.1)


def test_error_of_a_quantity_is_a_part_of_the_baselines(houses):
    history = {key.replace("accuracy", "mae"): values for key, values in OVERFITTING.items()}
    experiment = _made(houses, history | {"mae": [0.05] * 6, "val_mae": [0.08] * 6})
    assert experiment.error_diagnosis.train_error == pytest.approx(0.5)
    assert experiment.error_diagnosis.validation_error == pytest.approx(0.8)
    assert experiment.beats_baseline
    assert "Validation mean absolute error 0.08 hundred thousand dollars, training 0.05: better" in experiment.sentence


@pytest.mark.parametrize(("score", "is_better"), [(0.1 + 1e-8, False), (0.1001, True), (math.nan, False)])
def test_experiment_beats_a_baseline_by_more_than_rounding(digits, score, is_better):
    experiment = _made(digits, OVERFITTING | {"val_accuracy": [score] * 6})
    assert experiment.beats_baseline is is_better


def test_diverged_experiment_has_curves_to_judge_but_no_errors(houses):
    spec = ModelSpec(hidden_units=(8,), optimizer="sgd", learning_rate=100.0, epochs=3)
    experiment = run_experiment(spec, houses, journal=None)
    assert not math.isfinite(experiment.score)
    assert experiment.history_diagnosis.verdict is Verdict.DIVERGED
    assert experiment.error_diagnosis is None
    assert experiment.sentences[0] == "There is no score: the loss is not finite."
    assert experiment.advice[0].title.startswith("lower the learning rate")
    assert not experiment.beats_baseline


def test_journal_that_cannot_be_read_costs_a_warning_and_no_run(digits, tmp_path):
    broken = Journal(tmp_path / "journal.log")
    broken.find = broken.record = lambda *args, **more: 1 / 0
    with pytest.warns(RuntimeWarning) as told:
        experiment = run_experiment(SPEC, digits, journal=broken)
    assert "cannot be read, so nothing is taken from it. ZeroDivisionError" in str(told[0].message)
    assert len(experiment.runs) == 1


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_run_experiment_refuses_seeds_that_are_none_or_twice_the_same(digits, seeds):
    with pytest.raises(ValueError, match=r"needs a seed of its own. Received: seeds="):
        run_experiment(SPEC, digits, seeds=seeds)


def test_run_experiment_refuses_an_architecture_that_does_not_suit(houses):
    with pytest.raises(ValueError, match=r"A convnet needs images"):
        run_experiment(SPEC.replace(architecture="convnet"), houses, journal=None)


@pytest.mark.parametrize(
    ("guess", "last", "right"),
    [
        (Guess(overfits=True, better=True), 0.7, [True, True]),
        (Guess(overfits=False, better=False), 0.7, [False, False]),
        (Guess(better=False), 0.9, [True]),
        (Guess(overfits=True, better=True), None, [True]),  # there is no last run
        (Guess(better=False), 0.8, [True]),  # the same score is not better
        (Guess(better=True), math.nan, [True]),  # any score is better than none
        (Guess(), 0.7, []),
    ],
)
def test_guess_is_held_against_what_came(digits, guess, last, right):
    answers = guess.judge(_made(digits, OVERFITTING), last)
    assert [answer.is_right for answer in answers] == right


def test_guess_of_an_error_is_better_where_it_is_smaller(houses):
    history = {key.replace("accuracy", "mae"): values for key, values in OVERFITTING.items()}
    (answer,) = Guess(better=True).judge(_made(houses, history), 0.9)
    assert answer.sentence == "Better than the last run's 0.9? You guessed better, and it is better: right."


def test_count_right_counts():
    answers = [Answer(question="?", guessed="a", came=came) for came in "ab"]
    assert count_right(answers) == "1 of 2 guesses right"
