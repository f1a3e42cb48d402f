"""The table of runs: rows for people, sorted, pinned and compared; on entries made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.ui.experiment.run_table import (
    COLUMNS,
    compare_runs,
    describe_network,
    describe_optimizer,
    describe_regularization,
    sentence_of,
    sort_runs,
    to_rows,
)


def _run(number: int = 0, score: float = 0.9, *, epochs: int = 5, best: int = 3, problem: str = "mnist", **more) -> Run:
    """A run of a given score, on the training part 0.05 better, at a given best epoch."""
    problem = find_problem(problem)
    measure, losses = problem.measure, [1.0 if epoch != best else 0.5 for epoch in range(epochs)]
    history = {f"val_{measure}": [score] * epochs, measure: [0.95] * epochs, "val_data_loss": losses}
    values = {"number": number, "spec": ModelSpec(), "origin": "panel", "time": "2026-01-01T10:00:00+00:00"}
    return Run(problem=problem, source="sample", protocol="", history=history, seconds=1.26, **values | more)


ENTRIES = (
    _run(),
    _run(1, 0.8, epochs=20, time="2026-01-01T11:00:00+00:00", spec=ModelSpec(hidden_units=(8,))),
    _run(2, math.nan, epochs=9, time="2026-01-02T10:00:00+00:00"),
    _run(3, 0.95, epochs=2, time="2026-01-03T10:00:00+00:00", stopped="asked"),
)


def test_to_rows_writes_for_people():
    rows = to_rows(ENTRIES)
    assert [row["run"] for row in rows] == [1, 2, 3, 4]
    assert rows[0] == {
        "run": 1,
        "pinned": False,
        "validation": 0.9,
        "training": 0.95,
        "network": "dense 64 relu",
        "regularization": "none",
        "optimizer": "rmsprop, batch 128",
        "epochs": 5,
        "end": "whole",
        "best epoch": 4,
        "seed": 0,
        "seconds": 1.3,
        "from": "panel",
        "time": "2026-01-01 10:00",
    }
    assert rows[3]["end"] == "stopped"


@pytest.mark.parametrize(
    ("by", "descending", "order"),
    [
        ("time", True, [4, 3, 2, 1]),
        ("time", False, [1, 2, 3, 4]),
        ("validation", True, [4, 1, 2, 3]),  # no score stands last,
        ("validation", False, [2, 1, 4, 3]),  # either way
        ("epochs", True, [2, 3, 1, 4]),
        ("network", False, [1, 3, 4, 2]),
    ],
)
def test_sort_runs_by_any_column(by, descending, order):
    assert sort_runs(ENTRIES, by, descending=descending) == order


@pytest.mark.parametrize("by", COLUMNS)
def test_sort_runs_keeps_every_run(by):
    assert sorted(sort_runs(ENTRIES, by)) == [1, 2, 3, 4]


def test_sort_runs_puts_pinned_runs_first():
    entries = (ENTRIES[0], replace(ENTRIES[1], pinned=True), *ENTRIES[2:])
    assert sort_runs(entries, "validation") == [2, 4, 1, 3]


def test_sort_runs_refuses_an_unknown_column():
    with pytest.raises(ValueError, match=r"no such column. Received: by='size'. Choose from validation, training,"):
        sort_runs(ENTRIES, "size")


def test_compare_runs_says_what_differs():
    rows = compare_runs(ENTRIES[0], ENTRIES[1])
    assert rows[0] == {"what": "hidden_units", "first": [64], "second": [8]}
    assert rows[1] == {"what": "validation accuracy", "first": 0.9, "second": 0.8}
    assert [row["what"] for row in rows[2:]] == ["training accuracy", "epochs trained", "seconds"]


def test_compare_runs_refuses_another_problem():
    with pytest.raises(ValueError, match=r"different problems cannot be compared. Received: mnist and imdb."):
        compare_runs(_run(), _run(problem="imdb"))


@pytest.mark.parametrize(
    ("measure", "scores", "sentence"),
    [
        ("accuracy", (0.9, 0.8), "The first is better: its validation accuracy is 0.1 above that of the second."),
        ("accuracy", (0.8, 0.9), "The second is better: its validation accuracy is 0.1 above that of the first."),
        ("mae", (0.5, 0.3), "The second is better: its validation mean absolute error is 0.2 below that of the first."),
        ("mae", (0.3, 0.3), "Both have a validation mean absolute error of 0.3."),
        ("mae", (0.3, math.nan), "One of them has no score: its loss is not finite."),
    ],
)
def test_sentence_of_says_which_is_better(measure, scores, sentence):
    problem = "mnist" if measure == "accuracy" else "housing"
    first, second = (_run(score=score, problem=problem) for score in scores)
    assert sentence_of(first, second) == sentence


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ModelSpec(architecture="linear"), ("linear", "none", "rmsprop, batch 128")),
        (
            ModelSpec(architecture="convnet", hidden_units=(8, 16), dropout=0.5, l2=0.001, patience=3),
            ("convnet 8-16 relu", "dropout 0.5, L2 0.001, patience 3", "rmsprop, batch 128"),
        ),
        (
            ModelSpec(activation="tanh", l1=1e-5, optimizer="sgd", learning_rate=0.1, batch_size=1),
            ("dense 64 tanh", "L1 1e-05", "sgd 0.1, batch 1"),
        ),
    ],
)
def test_spec_in_words(spec, words):
    assert (describe_network(spec), describe_regularization(spec), describe_optimizer(spec)) == words
