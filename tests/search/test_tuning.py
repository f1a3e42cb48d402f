"""The search: what it learns from, what it gives up, how it ends, and what it says."""

import math
import threading

import optuna
import pytest
from tuning_examples import (
    BASE,
    BEST_RATE,
    SPACE,
    all_trials,
    make_run,
    score_of,
    train_at_once,
)

import recipe
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal
from recipe.search import tune
from recipe.search.space import Range, SearchSpace
from recipe.search.summary import epoch_of, outcome_of, reason_of
from recipe.search.worker import Outcome


@pytest.fixture(scope="module")
def digits():
    return recipe.prepare(recipe.hold_out(recipe.load("mnist", source="sample", rows=100)))


@pytest.fixture
def at_once(monkeypatch):
    """Trainings take no time; their score depends on the learning rate alone."""
    monkeypatch.setattr("recipe.search.loop.train_trial", train_at_once)


def keep_by_hand(prepared, rates, **changes):
    for rate in rates:
        run = make_run(BASE.replace(learning_rate=rate), data=prepared.data_key, **changes)
        default_journal().record(run, origin="notebook")


def test_tune_trains_trials_and_finds_the_best(digits):
    space = SearchSpace(base=BASE, learning_rate=(1e-6, 1e-2))
    told, epochs = [], []
    found = tune(digits, space, 4, on_trial=told.append, on_epoch=lambda number, report: epochs.append(number))
    assert [entry.number for entry in told] == [0, 1, 2, 3]
    assert epochs == sorted([0, 1, 2, 3] * BASE.epochs)
    assert found.new == found.trials == tuple(told)
    assert found.counts == {"complete": 4}
    assert found.score == max(entry.score for entry in told)
    assert found.stopped is None
    # The same training outside of the search comes to the same score.
    again = recipe.train(found.best.spec, digits, journal=None)
    assert again.score == pytest.approx(found.score, abs=1e-6)
    assert again.history["val_data_loss"] == pytest.approx(found.best.history["val_data_loss"], rel=1e-5)
    # And the journal holds them, to be found by whoever trains the same.
    kept = default_journal().entries(origin="search")
    assert [entry.spec for entry in kept] == [entry.spec for entry in told]
    assert default_journal().find(found.best.spec, digits) is not None


def test_tune_takes_a_name_a_dataset_a_split_and_what_is_prepared(at_once):
    dataset = recipe.load("mnist", source="sample", rows=100)
    split = recipe.hold_out(dataset)
    for data in (dataset, split, recipe.prepare(split)):
        tune(data, SPACE, 1)
    found = tune("mnist", SPACE, 1, source="sample", rows=100)
    assert len(found.trials) == 4  # all the same data, so one study
    assert found.val_samples == 16


def test_tune_starts_from_the_runs_by_hand(at_once, digits):
    rates = [BEST_RATE, 0.02, 0.05, 1e-5, 1e-4, 1e-3, 0.5, 3.0, 1e-6, 5e-5, 2e-6, 2e-3, 0.01, 0.1, 2e-5, 8.0]
    keep_by_hand(digits, rates)
    found = tune(digits, SPACE, 10)
    assert found.best_by_hand.score == score_of(BASE.replace(learning_rate=BEST_RATE))
    assert len(found.trials) == 26
    assert "The study holds 16 other runs, 16 made by hand" in " ".join(found.sentences)
    knowing = [abs(math.log10(entry.spec.learning_rate / BEST_RATE)) for entry in found.new]
    alone = tune(digits, SPACE, 6, storage="memory")  # the first ones, drawn at random over seven powers of ten
    guessing = [abs(math.log10((entry.spec.learning_rate or 1e-3) / BEST_RATE)) for entry in alone.new]
    # A random draw lies within a power of ten of the best rate in two of seven cases.
    assert sum(distance < 1 for distance in knowing) >= 7
    assert sum(distance < 1 for distance in guessing) <= 3


def test_tune_learns_from_an_embedding_network_by_hand(at_once):
    split = recipe.hold_out(recipe.load("imdb", source="sample", rows=200))
    embedding = ModelSpec(architecture="embedding", hidden_units=(8, 8), epochs=3)
    prepared = recipe.prepare(split, encoding="sequence")
    default_journal().record(make_run(embedding, data=prepared.data_key, problem="imdb", score=0.99))
    space = SearchSpace(base=BASE, architecture=("mlp", "embedding"), layers=(2,), learning_rate=Range(1e-4, 1e-1))
    found = tune(split, space, 6)
    assert found.best.spec == embedding
    by_kind = {entry.spec.architecture: entry.data for entry in found.trials}
    assert by_kind["embedding"] == prepared.data_key != by_kind["mlp"]
    # A run of either kind is found again where it belongs.
    assert len(default_journal().entries(data=prepared.data_key)) == sum(
        entry.spec.architecture == "embedding" for entry in found.trials
    )


def test_tune_ignores_final_trainings(at_once, digits):
    run = make_run(BASE, data=digits.data_key, score=1.0)
    default_journal().record(run, final=True)
    found = tune(digits, SPACE, 1)
    assert len(found.trials) == 1
    assert found.best_by_hand is None


def test_tune_gives_up_what_is_worse_than_the_others():
    split = recipe.hold_out(recipe.load("mnist", source="sample", rows=300))
    base = ModelSpec(hidden_units=(16,), epochs=12, batch_size=16)
    prepared = recipe.prepare(split)
    for seed in range(5):
        recipe.train(base.replace(seed=seed), prepared)
    hopeless = SearchSpace(base=base, learning_rate=(1e-9, 1e-8))
    found = tune(split, hopeless, 1)
    (given_up,) = found.new
    assert (given_up.state, outcome_of(given_up), given_up.stopped) == ("pruned", "pruned", "asked")
    assert 2 <= given_up.epochs < base.epochs
    assert len(given_up.history["val_accuracy"]) == given_up.epochs
    assert found.best.origin != "search"
    assert "1 trial in" in found.sentences[0]
    assert "1 given up early" in found.sentences[0]
    assert tune(split, hopeless, 1, pruning=False).new[0].state == "complete"


def test_tune_counts_a_divergence_apart():
    spec = BASE.replace(optimizer="sgd", learning_rate=1000.0, hidden_units=(8, 8, 8), epochs=10)
    dollars = recipe.hold_out(recipe.load("housing", source="sample", rows=200))
    found = tune(dollars, SearchSpace(base=spec), 2)
    assert found.counts == {"diverged": 2}
    assert all(math.isnan(entry.score) for entry in found.new)
    assert found.new[0].epochs < spec.epochs  # it does not go on with weights that are no numbers
    with pytest.raises(ValueError, match=r"No trial came to its end.*2 trials. Most of them: diverged. Search on"):
        _ = found.best
    assert found.sentences[-1] == "No trial came to its end, so there is no best one."
    assert found.to_rows()[0]["score"] is None


def test_tune_keeps_a_failed_trial_with_its_reason(monkeypatch, digits):
    def fail_twice(job, on_epoch=None):
        if job.trial_id in failing:
            raise MemoryError("out\nof memory")
        return train_at_once(job)

    failing = [0, 2]
    monkeypatch.setattr("recipe.search.loop.train_trial", fail_twice)
    found = tune(digits, SPACE, 4, storage="memory")
    assert found.counts == {"failed": 2, "complete": 2}
    assert [reason_of(entry) for entry in found.new] == [
        "MemoryError: out of memory",
        "",
        "MemoryError: out of memory",
        "",
    ]
    assert all(entry.spec.learning_rate for entry in found.new)  # what failed is known
    assert found.sentences[0].endswith("2 trained to the end, 2 failed.")


def test_tune_passes_on_what_a_callback_raises_and_leaves_nothing_running(digits):
    def complain(*_):
        raise LookupError("mine")

    for callback in ("on_epoch", "on_trial"):
        with pytest.raises(LookupError, match="mine"):
            tune(digits, SPACE, 3, **{callback: complain})
    trials = all_trials(default_journal())
    assert [trial.state.name for trial in trials] == ["FAIL", "COMPLETE"]
    assert trials[0].user_attrs["run"]["extra"]["reason"] == "on_epoch raised an error"


def test_tune_stops_within_an_epoch(digits):
    stop, epochs = threading.Event(), []

    def stop_in_the_second(number, report):
        epochs.append((number, report.epoch))
        if epochs[-1] == (1, 4):
            stop.set()

    space = SearchSpace(base=BASE.replace(epochs=10), learning_rate=Range(1e-4, 1e-3))
    found = tune(digits, space, 5, stop=stop, on_epoch=stop_in_the_second)
    assert epochs[-1] == (1, 4)
    assert found.stopped == "asked"
    assert [outcome_of(entry) for entry in found.new] == ["complete", "stopped"]
    assert found.new[1].epochs == 5
    assert "It was stopped early." in found.sentences
    assert found.best == found.new[0]


def test_tune_ends_when_its_time_is_up(digits):
    found = tune(digits, SearchSpace(base=BASE.replace(epochs=100_000)), 5, seconds=1.0, storage="memory")
    assert (found.stopped, found.counts) == ("time", {"stopped": 1})
    assert found.seconds < 60


def test_tune_ends_cleanly_on_ctrl_c(digits):
    import signal

    def interrupt(number, report):
        if (number, report.epoch) == (1, 2):
            signal.raise_signal(signal.SIGINT)

    found = tune(digits, SearchSpace(base=BASE.replace(epochs=10)), 5, on_epoch=interrupt, storage="memory")
    assert found.stopped == "interrupted"
    assert [outcome_of(entry) for entry in found.new] == ["complete", "stopped"]
    assert found.new[1].epochs == 3


def test_tune_is_the_same_again_from_the_same_start(at_once, digits):
    rates = [[entry.spec for entry in tune(digits, SPACE, 9, storage="memory", seed=seed).new] for seed in (0, 0, 1)]
    assert rates[0] == rates[1] != rates[2]


def test_best_spec_trains_for_the_epochs_that_the_score_is_of(monkeypatch, digits):
    def stop_early(job, on_epoch=None):
        return Outcome(run=make_run(job.spec, data=job.data_key, stopped="early"))

    monkeypatch.setattr("recipe.search.loop.train_trial", stop_early)
    found = tune(digits, SearchSpace(base=BASE.replace(epochs=9, patience=2)), 1, storage="memory")
    assert epoch_of(found.best) == 1
    assert (found.best_spec.epochs, found.best_spec.patience) == (2, None)
    found = tune(digits, SearchSpace(base=BASE.replace(epochs=9)), 1, storage="memory")
    assert found.best_spec.epochs == 9


def test_tuning_says_what_it_gained_over_the_best_by_hand(at_once, digits):
    keep_by_hand(digits, [1e-6, 1e-5])
    found = tune(digits, SearchSpace(base=BASE, learning_rate=(BEST_RATE,)), 1)
    assert found.gain_over_hand == pytest.approx(score_of(found.best.spec) - score_of(BASE.replace(learning_rate=1e-5)))
    assert found.sentences[1:] == (
        "The study holds 2 other runs, 2 made by hand: the search knew them.",
        "The best, made by the search, has accuracy 0.9 at epoch 3: h=8&lr=0.03&b=32&e=3.",
        "The best by hand has 0.5523: the search gained 0.35.",
        "It was chosen among 3 by the same 16 validation samples, so its score flatters it: luck alone moves one such "
        "score by 0.075. Only the test set can say how good it is.",
    )
    assert [row["score"] for row in found.to_rows()] == sorted((row["score"] for row in found.to_rows()), reverse=True)


def test_tuning_takes_the_smallest_error_where_lower_is_better(monkeypatch):
    errors = iter([0.5, 0.2, 0.9])

    def train(job, on_epoch=None):
        return Outcome(run=make_run(job.spec, data=job.data_key, problem="housing", score=next(errors)))

    monkeypatch.setattr("recipe.search.loop.train_trial", train)
    dataset = recipe.load("housing", source="sample", rows=100)
    found = tune(dataset, SPACE, 3, storage="memory")
    assert found.score == pytest.approx(0.2)
    assert found.study.direction is optuna.study.StudyDirection.MINIMIZE
    assert found.study.best_value == found.score
    assert [row["score"] for row in found.to_rows()] == pytest.approx([0.2, 0.5, 0.9])
