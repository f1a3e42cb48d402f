"""Step 1: load the data that a problem is made of, with the test set sealed away."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from recipe.data.fingerprint import fingerprint
from recipe.data.layouts import RawData
from recipe.data.reviews import Reviews
from recipe.data.sources import take
from recipe.problems import HOUSING_CAP, HOUSING_FEATURES, IMDB_WORDS, Problem, find_problem

KERAS_SPLIT_SEED = 113  # keras.datasets.california_housing shuffles with RandomState(113)
KERAS_TEST_SPLIT = 0.2  # and keeps this fraction for the test
CLOSED_LOOPS = (0, 6, 8, 9)  # the digits written with a closed loop; a 4 is counted as open, as most hands write it

Samples = np.ndarray | Reviews


class SealedTest:
    """The test set, closed until the end: it is looked at once, and every look is counted.

    Attributes
    ----------
    looks : how often it was opened
    """

    def __init__(self, x: Samples, y: np.ndarray) -> None:
        self.__contents = (x, y)
        self.__looks = self.__noted = 0

    @property
    def looks(self) -> int:
        """How often the test set was opened."""
        return self.__looks

    @property
    def noted(self) -> int:
        """How many of the looks a journal knows."""
        return self.__noted

    @property
    def fingerprint(self) -> str:
        """Sixteen digits that stand for what is in it, found without a look at it."""
        x, y = self.__contents
        return fingerprint("test set", [*((x.tokens, x.offsets) if isinstance(x, Reviews) else (x,)), y])

    def __len__(self) -> int:
        return len(self.__contents[1])

    def __repr__(self) -> str:
        return f"SealedTest({len(self):,} samples, sealed, looks={self.looks})"

    def open(self) -> tuple[Samples, np.ndarray]:
        """Break the seal and return (x, y); `recipe.evaluate_once` is the place to do it."""
        self.__looks += 1
        return self.__contents

    def note_looks(self) -> int:
        """Take all looks as known to a journal, and return how many of them are news to it."""
        news, self.__noted = self.__looks - self.__noted, self.__looks
        return news


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Training data, a sealed test set, and where both are from.

    Attributes
    ----------
    problem : with the input shape (and the number of words) that this data has
    x_train : images uint8 (n, height, width); districts float32 (n, features); or `Reviews`
    y_train : labels uint8 (n,) or (n, labels); dollars float32 (n,); a fraction in [0, 1] float32 (n,); or float32
        (n, 2), dollars and tens of thousands of dollars
    test : the sealed test set, in the same form
    source : ``"local"``, ``"download"`` or ``"sample"``
    provenance : what the data is, whence, its licence; a sample says that it is one
    reason : why this source was taken
    pixel_max : the largest pixel value, 255.0 or 16.0; 0.0 where there are no pixels
    feature_names : names of the columns of `x_train`; empty for images and reviews
    vocabulary : the word of each rank, ``""`` for 0; empty where there are no words
    reachable_error : the error that the best possible model makes, in the problem's unit (as a fraction of wrong
        answers for labels), known for simulated samples; else None
    """

    problem: Problem
    x_train: Samples
    y_train: np.ndarray
    test: SealedTest
    source: str
    provenance: str
    reason: str
    pixel_max: float = 0.0
    feature_names: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    reachable_error: float | None = None

    def __repr__(self) -> str:
        return (
            f"Dataset({self.problem.name!r}, source={self.source!r}, {len(self.y_train):,} to train on, {self.test!r})"
        )


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
    >>> digits.problem.input_shape, digits.pixel_max
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
        pixel_max=raw.pixel_max,
        feature_names=HOUSING_FEATURES[: x_train.shape[1]] if problem.base == "housing" else (),
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
        return dataclasses.replace(problem, words=words, input_shape=(words,))
    return dataclasses.replace(problem, input_shape=x_train.shape[1:])


def _reachable_error(name: str, raw: RawData) -> float | None:
    """Return a sample's reachable error in the unit of this problem, where the process tells it."""
    if raw.reachable_error is None or name == "housing_vector":  # the income is simulated without a stated error
        return None
    return raw.reachable_error * (100_000.0 / HOUSING_CAP if name == "housing_fraction" else 1.0)
