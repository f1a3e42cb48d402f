"""The search: what it learns from, what it gives up, how it ends, and what it says."""

from __future__ import annotations

import itertools
import math
import signal
import threading
from dataclasses import replace

import numpy as np
import optuna
import pytest
from tuning_examples import BASE, BEST_RATE, SPACE, make_run

import recipe
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal
from recipe.search.space import Range, SearchSpace
from recipe.search.tuning import tune


@pytest.fixture(scope="module")
def digits():
    return recipe.hold_out(recipe.load("mnist", source="sample", rows=100))


@pytest.fixture(scope="module")
def prepared(digits):
    """The same, as the search prepares it."""
    return recipe.prepare(digits)


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=125)


@pytest.fixture
def instant(monkeypatch):
    """Nothing is trained: the run of a trial is made from its spec, as the function says that is handed over."""

    def train_by(make=lambda spec, problem: make_run(spec, data="", problem=problem)):
        monkeypatch.setattr(
            "recipe.search.tuning.cross_validate", lambda spec, parts, **_: [make(spec, parts[0].problem.name)]
        )

    train_by()
    return train_by


def keep_by_hand(prepared, rates, **changes):
    for rate in rates:
        run = make_run(BASE.replace(learning_rate=rate), data=prepared.data_key, **changes)
        default_journal().record(run)


def distances(runs):
    return [abs(math.log10((run.spec.learning_rate or 1e-3) / BEST_RATE)) for run in runs]


# What it trains, and what it knows.


def test_tune_trains_trials_and_finds_the_best(digits, prepared):
    told, space = [], SearchSpace(base=BASE, learning_rate=(1e-6, 1e-2))
    found = tune(digits, space, 4, on_trial=told.append)
    assert found.new == found.trials == tuple(told)
    assert ([run.state for run in found.new], found.stopped) == (["complete"] * 4, None)
    assert found.best.score == max(run.score for run in told) == found.study.best_value
    # The same training outside of the search comes to the same score.
    again = recipe.train(found.best.spec, prepared, journal=None)
    assert again.score == pytest.approx(found.best.score, abs=1e-6)
    assert again.history["val_data_loss"] == pytest.approx(found.best.history["val_data_loss"], rel=1e-5)
    kept = [run.spec for run in default_journal().runs() if run.origin == "search"]
    assert kept == [run.spec for run in told]


def test_tune_starts_from_the_runs_by_hand(digits, prepared, instant):
    rates = [BEST_RATE, 0.02, 0.05, 1e-5, 1e-4, 1e-3, 0.5, 3.0, 1e-6, 5e-5, 2e-6, 2e-3, 0.01, 0.1, 2e-5, 8.0]
    keep_by_hand(prepared, rates)
    found = tune(digits, SPACE, 10)
    assert (len(found.trials), len(found.study.trials)) == (26, 26)
    assert "The search knew 16 runs of the journal on this data, 16 made by hand." in found.sentences
    alone = tune(digits, SPACE, 6, journal=None)  # drawn at random over seven powers of ten
    # A random draw lies within a power of ten of the best rate in two of seven cases.
    assert sum(distance < 1 for distance in distances(found.new)) >= 7
    assert sum(distance < 1 for distance in distances(alone.new)) <= 3


def test_tune_goes_on_where_an_earlier_search_ended(digits, instant):
    first, second = (tune(digits, SPACE, 3) for _ in range(2))
    assert len(second.trials) == 6
    rates = {run.spec.learning_rate for run in (*first.new, *second.new)}
    assert len(rates) == 6  # the same seed draws nothing twice
    alone, again = ([run.spec for run in tune(digits, SPACE, 3, journal=None).new] for _ in range(2))
    assert alone == again


def test_tune_learns_from_an_embedding_network_by_hand(instant):
    split = recipe.hold_out(recipe.load("imdb", source="sample", rows=200))
    embedding = ModelSpec(architecture="embedding", hidden_units=(8, 8), epochs=3)
    prepared = recipe.prepare(split, encoding="sequence")
    default_journal().record(make_run(embedding, data=prepared.data_key, problem="imdb", score=0.99))
    space = SearchSpace(base=BASE, architecture=("mlp", "embedding"), layers=(2,), learning_rate=Range(1e-4, 1e-1))
    found = tune(split, space, 3)
    assert found.best.spec == embedding
    assert found.study.best_trial.params["architecture"] == "embedding"


def test_tune_leaves_final_trainings_and_other_data_alone(digits, prepared, instant):
    default_journal().record(make_run(BASE, data=prepared.data_key, score=1.0, final=True))
    default_journal().record(make_run(BASE, data="other", score=1.0))
    found = tune(digits, SPACE, 1)
    assert len(found.trials) == len(found.study.trials) == 1


def test_tune_without_a_space_takes_the_usual_one_and_without_a_journal_keeps_nothing(instant):
    reviews = recipe.load("imdb", source="sample", rows=100)
    found = tune(reviews, trials=1, journal=None)
    assert "architecture" in found.study.trials[0].params
    assert default_journal().runs() == []


# By K-fold.


def test_tune_by_folds_scores_the_mean_over_them(houses):
    space = SearchSpace(base=BASE.replace(epochs=4, batch_size=16), learning_rate=(0.001, 0.01))
    folds = recipe.k_fold(houses, folds=4)
    found = tune(folds, space, 2)
    assert [run.val_samples for run in found.new] == [100, 100]
    assert {run.protocol for run in found.new} == {"mean over 4 runs, such as fold 1 of 4, repetition 1"}
    for run, trial in zip(found.new, found.study.trials, strict=True):
        again = recipe.cross_validate(run.spec, folds, journal=None)
        assert run.scores == pytest.approx([one.score for one in again], rel=1e-5)
        mean = np.mean([one.history["val_mae"] for one in again], axis=0)
        assert run.history["val_mae"] == pytest.approx(mean, rel=1e-5)
        assert run.score == run.history["val_mae"][run.best_epoch]
        assert list(trial.intermediate_values.values()) == pytest.approx(run.history["val_mae"])
    assert all(one.model is None for run in found.new for one in run.members)
    # The same folds are the same data; hold-out is another measurement.
    assert len(tune(recipe.k_fold(houses, folds=4), space, 1).trials) == 3
    assert len(tune(houses, space, 1).trials) == 1


# What it gives up, and how it ends.


def test_tune_gives_up_what_is_worse_than_the_others(digits, prepared):
    base = BASE.replace(epochs=12)
    for seed in range(5):
        default_journal().record(make_run(base.replace(seed=seed), data=prepared.data_key, score=0.9))
    hopeless = SearchSpace(base=base, learning_rate=(1e-9, 1e-8))
    found = tune(digits, hopeless, 1)
    (given_up,) = found.new
    assert (given_up.state, given_up.stopped) == ("pruned", "pruned")
    assert 2 <= given_up.epochs < base.epochs
    assert found.study.trials[-1].state.name == "PRUNED"
    assert found.best.origin != "search"
    assert "1 given up early" in found.sentences[0]
    assert tune(digits, hopeless, 1, pruning=False).new[0].state == "complete"


def test_tune_gives_up_what_diverges():
    spec = BASE.replace(optimizer="sgd", learning_rate=1000.0, hidden_units=(8, 8, 8), epochs=10)
    dollars = recipe.hold_out(recipe.load("housing", source="sample", rows=200))
    found = tune(dollars, SearchSpace(base=spec), 2)
    assert [(run.state, run.note) for run in found.new] == [("pruned", "diverged")] * 2
    assert found.new[0].epochs < spec.epochs  # it does not go on with weights that are no numbers
    with pytest.raises(ValueError, match=r"No trial came to its end.*Received: 2 trials. Their notes say why"):
        _ = found.best
    assert found.sentences[-1] == "No trial came to its end, so there is no best one."


def test_tune_keeps_a_failed_trial_with_its_reason(digits, prepared, instant):
    numbers = itertools.count()

    def fail_twice(spec, problem):
        if next(numbers) in (0, 2):
            raise MemoryError("out\nof memory")
        return make_run(spec, data="", problem=problem)

    instant(fail_twice)
    found = tune(digits, SPACE, 4)
    assert [run.state for run in found.new] == ["failed", "complete"] * 2
    notes = ["MemoryError: out of memory", "", "MemoryError: out of memory", ""]
    assert [run.note for run in found.new] == [run.note for run in default_journal().runs()] == notes
    assert all(run.spec.learning_rate and run.data == prepared.data_key for run in found.new)  # what failed is known
    assert found.sentences[0].endswith("2 failed, 2 trained to the end.")


def test_tune_passes_on_what_a_callback_raises_and_keeps_what_was_trained(digits):
    def complain(*_):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        tune(digits, SPACE, 3, on_trial=complain)
    assert [run.state for run in default_journal().runs()] == ["complete"]


def test_ctrl_c_stops_a_search_within_an_epoch(digits, prepared):
    keep_by_hand(prepared, [BEST_RATE])
    threading.Timer(1.0, lambda: signal.raise_signal(signal.SIGINT)).start()
    found = tune(digits, SearchSpace(base=BASE.replace(epochs=100_000)), 5)
    assert (found.stopped, [run.state for run in found.new]) == ("interrupted", ["pruned"])
    assert 0 < found.new[0].epochs < 100_000
    assert "Ctrl-C ended it early." in found.sentences
    assert found.best.origin == "script"


# What it says.


def test_best_score_is_of_the_chosen_epoch(digits, instant):
    losses = [0.9, 0.5, 0.6, 0.7]

    def overfit(spec, problem):
        run = make_run(spec, data="", problem=problem)
        return replace(run, history=run.history | {"val_data_loss": losses, "val_accuracy": [0.1, 0.8, 0.7, 0.9]})

    instant(overfit)
    found = tune(digits, SearchSpace(base=BASE.replace(epochs=4, patience=3)), 1)
    assert found.best.score == 0.8


def test_tuning_says_what_it_gained_over_the_best_by_hand(digits, prepared, instant):
    keep_by_hand(prepared, [1e-6, 1e-5])
    found = tune(digits, SearchSpace(base=BASE, learning_rate=(BEST_RATE,)), 1)
    assert found.sentences[1:] == (
        "The search knew 2 runs of the journal on this data, 2 made by hand.",
        f"The best, made by the search, has accuracy 0.9 at epoch 3: {found.best.spec.describe()}.",
        "The best by hand has 0.5523: the search gained 0.35.",
        "It was chosen among 3 by the same 16 validation samples, so its score flatters it: luck alone moves one such "
        "score by 0.075. Only the test set can say how good it is.",
    )


def test_tuning_takes_the_smallest_error_where_lower_is_better(instant):
    errors = iter([0.5, 0.2, 0.9])
    instant(lambda spec, problem: make_run(spec, data="", problem=problem, score=next(errors)))
    dataset = recipe.load("housing", source="sample", rows=100)
    found = tune(dataset, SPACE, 3, journal=None)
    assert found.best.score == pytest.approx(0.2)
    assert found.study.direction is optuna.study.StudyDirection.MINIMIZE
    assert found.study.best_value == found.best.score
    assert list(found.to_frame()["score"]) == pytest.approx([0.2, 0.5, 0.9])


# What it refuses.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trials": 0}, r"nothing to search. Received: trials=0"),
        ({"space": SearchSpace(architecture=("embedding",))}, r"An embedding network needs words"),
        ({"space": SearchSpace(architecture=("convnet",), layers=Range(1, 5))}, r"too small for 5"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_tune_refuses_what_cannot_work_before_it_begins(arguments, message, digits):
    with pytest.raises(ValueError, match=message):
        tune(digits, **{"space": SPACE, "trials": 1} | arguments)
    assert default_journal().runs() == []


def test_tune_refuses_what_is_no_data(houses):
    mixed = [recipe.hold_out(houses), recipe.prepare(recipe.hold_out(houses))]
    for wrong, said in (([], "empty list"), (mixed, "Split, Prepared")):
        with pytest.raises(TypeError, match=f"Received: data, a {said}."):
            tune(wrong, SPACE, 1)
