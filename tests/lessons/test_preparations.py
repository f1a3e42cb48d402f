"""Ways to prepare, compared on the same splits with the same seeds."""

import math
import re
import threading

import numpy as np
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import HOUSING_RATIOS, find_problem
from recipe.lessons.s4_prepare.preparations import (
    PreparationScores,
    compare_preparations,
    summarise_inputs,
    try_preparation,
)
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate

SPEC = ModelSpec(hidden_units=(8,), epochs=2, batch_size=32)


def make_scores(problem, *scores):
    return PreparationScores(
        problem=find_problem(problem), names=("a", "b"), scores=np.array(scores, float), runs=((), ())
    )


def test_compare_preparations_equals_training_each_way_by_hand():
    splits = k_fold(load("housing", source="sample", rows=100), folds=3)
    compared = compare_preparations(SPEC, splits, {"plain": {}, "ratios": {"ratios": HOUSING_RATIOS}})
    by_hand = cross_validate(SPEC, splits)
    np.testing.assert_allclose(compared.scores[0], [run.score for run in by_hand])
    with_ratios = cross_validate(SPEC, [prepare(split, ratios=HOUSING_RATIOS) for split in splits])
    np.testing.assert_allclose(compared.scores[1], [run.score for run in with_ratios])
    assert compared.means == pytest.approx({"plain": compared.scores[0].mean(), "ratios": compared.scores[1].mean()})


def test_compare_preparations_takes_what_the_architecture_reads():
    splits = k_fold(load("imdb", source="sample", rows=60), folds=2)
    spec = SPEC.replace(architecture="embedding")
    compared = compare_preparations(spec, splits, {"in order": {}})
    assert compared.scores.shape == (1, 2)


def test_difference_is_paired_and_positive_where_the_way_is_better():
    lower_is_better = make_scores("housing", [0.3, 0.5, 0.4], [0.2, 0.4, 0.4])
    difference = lower_is_better.difference("b", "a")
    assert difference.gain == pytest.approx(0.2 / 3)
    assert difference.standard_error == pytest.approx(np.std([0.1, 0.1, 0.0], ddof=1) / math.sqrt(3))
    assert (difference.wins, difference.splits, difference.is_clear) == (2, 3, False)
    higher_is_better = make_scores("imdb", [0.8, 0.7], [0.9, 0.81])
    assert higher_is_better.difference("a", "b").gain == pytest.approx(-0.105)
    assert higher_is_better.difference("a", "b").is_clear
    assert make_scores("imdb", [0.8], [0.9]).difference("b", "a").standard_error == math.inf


def test_difference_refuses_a_way_that_was_not_compared():
    with pytest.raises(ValueError, match=re.escape("There is no such way. Received: 'c'. It was one of 'a', 'b'.")):
        make_scores("imdb", [0.8], [0.9]).difference("a", "c")


def test_compare_preparations_refuses_to_compare_nothing():
    splits = k_fold(load("housing", source="sample", rows=40), folds=2)
    with pytest.raises(ValueError, match=r"There is nothing to compare. Received: 0 ways, 2 splits."):
        compare_preparations(SPEC, splits, {})
    with pytest.raises(ValueError, match=r"Received: 1 ways, 0 splits."):
        compare_preparations(SPEC, [], {"plain": {}})


def test_compare_preparations_gives_no_scores_when_it_was_stopped():
    stop, told = threading.Event(), []

    def on_epoch(way, report):
        told.append(way)
        stop.set()

    splits = k_fold(load("housing", source="sample", rows=60), folds=2)
    with pytest.raises(InterruptedError, match="stopped at 'first'"):
        compare_preparations(SPEC.replace(epochs=50), splits, {"first": {}, "second": {}}, on_epoch=on_epoch, stop=stop)
    assert set(told) == {"first"}


def test_try_preparation_keeps_the_validation_part_whatever_the_rows():
    dataset, seen = load("housing", source="sample", rows=400), []
    for rows in (20, 100, None):
        trial = try_preparation(dataset, SPEC, rows=rows, on_epoch=lambda partial, told: seen.append(partial))
        assert trial.samples == (240 if rows is None else rows, 80)
        assert trial.score == trial.history["val_mae"][-1]
        assert [len(partial.history["val_mae"]) for partial in seen[-2:]] == [1, 2]
    assert trial.name == "normalize"
    assert [name for name, *_ in trial.inputs] == list(dataset.problem.feature_names)


def test_try_preparation_stops_when_asked_and_keeps_what_there_is():
    stop = threading.Event()
    trial = try_preparation(
        load("housing", source="sample", rows=100),
        SPEC.replace(epochs=500),
        name="stopped",
        on_epoch=lambda partial, told: stop.set(),
        stop=stop,
    )
    assert (trial.name, len(trial.history["val_mae"])) == ("stopped", 1)


@pytest.mark.parametrize("rows", [1, 61])
def test_try_preparation_refuses_more_rows_than_there_are(rows):
    message = f"There are 80 samples, and validation has 20 of them. Received: rows={rows}. Ask for 2 to 60"
    with pytest.raises(ValueError, match=message):
        try_preparation(load("housing", source="sample", rows=100), SPEC, rows=rows)


def test_summarise_inputs_tells_what_the_network_reads():
    digits = prepare(hold_out(load("mnist", source="sample", rows=100)))
    ((name, low, middle, high),) = summarise_inputs(digits)
    assert (name, low, high) == ("pixels", 0.0, 1.0)
    assert 0 <= middle <= 1
    reviews = prepare(hold_out(load("imdb", source="sample", rows=40)))
    assert summarise_inputs(reviews) == (("words that occur", 1.0, 1.0, 1.0),)
    table = prepare(hold_out(load("housing", source="sample", rows=200)), ratios=HOUSING_RATIOS)
    rows = summarise_inputs(table)
    assert len(rows) == 11
    assert all(-4 < low < middle < high < 6 for _, low, middle, high in rows)
