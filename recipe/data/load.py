"""Step 1: load the data that a problem is made of, with the test set sealed away."""

from __future__ import annotations

import dataclasses

import numpy as np

from recipe.core.dataset import Dataset, Samples, SealedTest
from recipe.core.problem import Problem
from recipe.core.reviews import Reviews
from recipe.data.layouts import RawData
from recipe.data.problems import CLOSED_LOOPS, HOUSING_CAP, IMDB_WORDS, find_problem
from recipe.data.sources import take

KERAS_SPLIT_SEED = 113  # keras.datasets.california_housing shuffles with RandomState(113)
KERAS_TEST_SPLIT = 0.2  # and keeps this fraction for the test


def load(name: str, source: str = "auto", rows: int | None = None, seed: int = 0) -> Dataset:
    """Load the data of a problem.

    Parameters
    ----------
    name : a name in `recipe.PROBLEMS`, such as ``"mnist"``
    source : ``"local"`` (files on this machine), ``"download"`` (Keras's files, or ``$RECIPE_MIRROR``), ``"sample"``
        (the embedded stand-in), or ``"auto"``: the first of the three that has the data. ``$RECIPE_SOURCE`` stands in
        for ``"auto"``
    rows : samples in all, training and test set together in the whole dataset's proportion; None: everything. Of
        images and reviews a random subset is drawn; of housing the first rows are taken, as Keras does: 600 rows are
        its ``version="small"``. A sample that has fewer is taken whole
    seed : of the random subset

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no such problem or source, the dataset has fewer rows, or a file is damaged.
    OSError
        If a source that was asked for by name cannot be had.

    Examples
    --------
    >>> digits = load("mnist", source="sample", rows=500)
    >>> digits
    Dataset('mnist', source='sample', 400 to train on, SealedTest(100 samples, sealed, looks=0))
    >>> digits.problem.input_shape, digits.problem.pixel_max
    ((8, 8), 16.0)
    """
    problem = find_problem(name)
    raw, taken, reason = take(problem.base, source)
    total = _total_rows(raw)
    if rows is not None and rows > total and taken == "sample":
        reason, rows = f"{reason} It has {total:,} of the {rows:,} rows asked for.", None
    rows = _checked_rows(rows, total)
    parts = {"mnist": _mnist_parts, "imdb": _imdb_parts, "housing": _housing_parts}[problem.base](raw, rows, seed)
    (x_train, y_train), (x_test, y_test) = (derive(problem.name, x, y) for x, y in parts)
    return Dataset(
        problem=_fit_problem(problem, x_train, raw),
        x_train=x_train,
        y_train=y_train,
        test=SealedTest(x_test, y_test),
        source=taken,
        provenance=raw.provenance,
        reason=reason,
        vocabulary=raw.vocabulary,
        reachable_error=_reachable_error(problem.name, raw),
    )


def _total_rows(raw: RawData) -> int:
    """Return how many samples there are, training and test set together."""
    targets = ("y", "y_train", "y_test", "train_labels", "test_labels")
    return sum(len(raw.arrays[key]) for key in targets if key in raw.arrays)


def _checked_rows(rows: int | None, total: int) -> int | None:
    if rows is None or rows == total:
        return None
    if not 10 <= rows <= total:
        raise ValueError(
            f"The dataset has {total:,} samples, and fewer than 10 cannot be shared out. "
            f"Received: rows={rows}. Ask for 10 to {total}, or None for all."
        )
    return rows


def _choose(train: int, test: int, rows: int | None, seed: int) -> tuple[np.ndarray | slice, np.ndarray | slice]:
    """Draw row numbers of the training and of the test part, without replacement, in their proportion."""
    if rows is None:
        return slice(None), slice(None)
    rng = np.random.default_rng(seed)
    train_rows = min(max(round(rows * train / (train + test)), 1), rows - 1)
    return rng.choice(train, train_rows, replace=False), rng.choice(test, rows - train_rows, replace=False)


def _mnist_parts(raw: RawData, rows: int | None, seed: int) -> list[tuple[Samples, np.ndarray]]:
    a = raw.arrays
    train, test = _choose(len(a["y_train"]), len(a["y_test"]), rows, seed)
    return [(a["x_train"][train], a["y_train"][train]), (a["x_test"][test], a["y_test"][test])]


def _imdb_parts(raw: RawData, rows: int | None, seed: int) -> list[tuple[Samples, np.ndarray]]:
    a = raw.arrays
    chosen = _choose(len(a["train_labels"]), len(a["test_labels"]), rows, seed)
    parts = []
    for part, which in zip(("train", "test"), chosen, strict=True):
        reviews = Reviews(tokens=a[f"{part}_tokens"], offsets=a[f"{part}_offsets"].astype(np.int64))
        parts.append((reviews if rows is None else reviews[which], a[f"{part}_labels"][which]))
    return parts


def _housing_parts(raw: RawData, rows: int | None, seed: int) -> list[tuple[Samples, np.ndarray]]:
    """Take the first rows, shuffle and cut them exactly as `keras.datasets.california_housing` does."""
    x, y = raw.arrays["x"][:rows], raw.arrays["y"][:rows]
    order = np.arange(len(x))
    np.random.RandomState(KERAS_SPLIT_SEED).shuffle(order)
    cut = int(len(x) * (1 - KERAS_TEST_SPLIT))
    return [(x[part], y[part]) for part in (order[:cut], order[cut:])]


def derive(name: str, x: Samples, y: np.ndarray) -> tuple[Samples, np.ndarray]:
    """Turn a dataset's own inputs and targets into those of one of its problems."""
    if name == "mnist_five":
        return x, (y == 5).astype(np.uint8)
    if name == "mnist_multilabel":
        return x, np.column_stack([y % 2 == 0, y > 4, np.isin(y, CLOSED_LOOPS)]).astype(np.uint8)
    if name == "housing_fraction":
        return x, (y / HOUSING_CAP).astype(np.float32)
    if name == "housing_vector":
        return np.ascontiguousarray(x[:, :-1]), np.column_stack([y, x[:, -1]])  # the income is the last column
    return x, y


def _fit_problem(problem: Problem, x_train: Samples, raw: RawData) -> Problem:
    if isinstance(x_train, Reviews):
        words = min(len(raw.vocabulary), IMDB_WORDS)
        return dataclasses.replace(problem, num_words=words, input_shape=(words,))
    return dataclasses.replace(problem, input_shape=x_train.shape[1:], pixel_max=raw.pixel_max)


def _reachable_error(name: str, raw: RawData) -> float | None:
    """Return a sample's reachable error in the unit of this problem, where the process tells it."""
    if raw.reachable_error is None or name == "housing_vector":  # the income is simulated without a stated error
        return None
    return raw.reachable_error * (100_000.0 / HOUSING_CAP if name == "housing_fraction" else 1.0)
