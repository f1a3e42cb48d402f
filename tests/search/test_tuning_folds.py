"""A search that judges its trials by K-fold: every trial is trained on all folds, and its score is their mean."""

import numpy as np
import pytest
from tuning_examples import BASE, all_trials, make_run

import recipe
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal
from recipe.search import tune
from recipe.search.space import Range, SearchSpace
from recipe.search.summary import outcome_of
from recipe.search.worker import mean_run

SPACE = SearchSpace(base=BASE.replace(epochs=4, batch_size=16), learning_rate=(0.001, 0.01))


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=125)


@pytest.fixture(scope="module")
def folds(houses):
    return recipe.k_fold(houses, folds=4)


def test_tune_by_folds_scores_the_mean_over_them(houses, folds):
    told = []
    found = tune(houses, SPACE, 2, folds=4, on_epoch=lambda number, report: told.append((number, report.member)))
    assert found.val_samples == len(houses.y_train) == 100
    assert found.protocol == "mean over 4 splits, such as fold 1 of 4, repetition 1"
    assert sorted(told) == sorted((trial, fold) for trial in range(2) for fold in range(4) for _ in range(4))
    for entry in found.new:
        runs = recipe.cross_validate(entry.spec, folds, journal=None)
        assert entry.score == pytest.approx(np.mean([run.score for run in runs]), rel=1e-5)
        for name in ("data_loss", "val_data_loss", "val_mae"):
            assert entry.history[name] == pytest.approx(np.mean([run.history[name] for run in runs], axis=0), rel=1e-5)
    reported = [trial.intermediate_values for trial in all_trials(default_journal())]
    assert [list(values.values()) for values in reported] == [pytest.approx(e.history["val_mae"]) for e in found.new]
    assert "by the same 100 validation samples" in " ".join(found.sentences)


def test_tune_by_folds_is_one_study_however_the_folds_are_given(houses, folds):
    tune(houses, SPACE, 1, folds=4)
    tune(folds, SPACE, 1)
    found = tune([recipe.prepare(fold) for fold in folds], SPACE, 1)
    assert len(found.trials) == 3
    assert len(tune(houses, SPACE, 1).trials) == 1  # hold-out is another measurement, and another study
    assert tune(recipe.k_fold(houses, folds=2, repeats=2), SPACE, 1).val_samples == 100


def test_tune_by_folds_trains_larger_networks_in_turn():
    digits = recipe.load("mnist", source="sample", rows=90)
    base = ModelSpec(architecture="convnet", hidden_units=(4,), batch_size=16, epochs=2)
    found = tune(digits, SearchSpace(base=base), 1, folds=2, storage="memory")
    runs = recipe.cross_validate(base, recipe.k_fold(digits, folds=2), journal=None)
    assert found.score == pytest.approx(np.mean([run.score for run in runs]), rel=1e-5)
    assert found.new[0].epochs == 2


def test_tune_by_folds_gives_up_what_is_worse_than_the_others(houses):
    good = tune(houses, SearchSpace(base=BASE.replace(epochs=12), learning_rate=Range(0.003, 0.01)), 5, folds=3)
    assert good.counts == {"complete": 5}
    bad = SearchSpace(base=BASE.replace(epochs=12), learning_rate=(1e-6,))
    found = tune(houses, bad, 1, folds=3)
    assert outcome_of(found.new[0]) == "pruned"
    assert 2 <= found.new[0].epochs < 12


@pytest.mark.slow
def test_tune_by_folds_works_on_processes():
    space = SearchSpace(base=SPACE.base)
    far = tune(
        "housing", space, 1, source="sample", rows=125, folds=4, executor="processes", workers=1, storage="memory"
    )
    near = tune("housing", space, 1, source="sample", rows=125, folds=4, storage="memory")
    assert far.counts == near.counts == {"complete": 1}
    assert far.score == pytest.approx(near.score, rel=1e-4)


def test_mean_run_is_as_long_as_the_shortest_and_has_one_best_epoch():
    spec = BASE.replace(epochs=5, patience=2)
    losses = ([1.0, 0.5, 0.9, 0.9], [1.0, 0.9, 0.6, 0.7, 0.8])
    runs = [
        make_run(
            spec, data="", stopped=stopped, history={"val_data_loss": curve, "val_accuracy": curve}, best_epoch=best
        )
        for curve, stopped, best in zip(losses, ("early", None), (1, 2), strict=True)
    ]
    mean = mean_run(runs)
    assert mean.history["val_data_loss"] == pytest.approx([1.0, 0.7, 0.75, 0.8])
    assert (mean.epochs, mean.best_epoch, mean.stopped) == (4, 1, "early")
    assert mean.score == pytest.approx(0.7)


def test_tune_refuses_folds_of_what_is_cut_and_splits_that_do_not_belong_together(houses, folds):
    with pytest.raises(ValueError, match=r"This is cut into parts already\. Received: folds=3"):
        tune(folds, SPACE, 1, folds=3)
    with pytest.raises(ValueError, match=r"folds must be between 2 and that\. Received: folds=1"):
        tune(houses, SPACE, 1, folds=1)
    other = recipe.hold_out(recipe.load("housing_fraction", source="sample", rows=125))
    with pytest.raises(ValueError, match="splits are of different problems"):
        tune([folds[0], other], SPACE, 1)
    for wrong, said in (([], "empty list"), ([folds[0], recipe.prepare(folds[1])], "Split, Prepared"), (3, "int")):
        with pytest.raises(TypeError, match=f"Received: problem, a {said}."):
            tune(wrong, SPACE, 1)
