"""Training data and a sealed test set, and a split of the training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.core.input_checks import Note
from recipe.core.problem import Problem
from recipe.core.reviews import Reviews

Samples = np.ndarray | Reviews


class SealedTest:
    """The test set, closed until the end: it is looked at once, and every look is counted."""

    def __init__(self, x: Samples, y: np.ndarray) -> None:
        self.__contents = (x, y)
        self.__looks = 0

    @property
    def looks(self) -> int:
        """How often the test set was opened."""
        return self.__looks

    @property
    def fingerprint(self) -> str:
        """Digits that stand for what is in it, found without a look at it."""
        import joblib

        return joblib.hash(self.__contents)

    def __len__(self) -> int:
        return len(self.__contents[1])

    def __repr__(self) -> str:
        return f"SealedTest({len(self):,} samples, sealed, looks={self.looks})"

    def open(self) -> tuple[Samples, np.ndarray]:
        """Break the seal and return (x, y); `recipe.evaluate_once` is the place to do it."""
        self.__looks += 1
        return self.__contents


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
    vocabulary : the word of each rank, ``""`` for 0; empty where there are no words
    notes : what was taken, left out and looks odd in data of one's own, before anything is trained
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
    vocabulary: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    reachable_error: float | None = None

    def __repr__(self) -> str:
        return (
            f"Dataset({self.problem.name!r}, source={self.source!r}, {len(self.y_train):,} to train on, {self.test!r})"
        )

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"- {note}" for note in self.notes)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Training and validation part of a dataset, raw, as they were loaded.

    Attributes
    ----------
    x_train, x_val : images uint8 (n, height, width), tables float32 (n, features), or reviews
    y_train, y_val : labels or quantities, raw, (n,) or (n, outputs)
    protocol : what made this split, for people to read
    vocabulary : the word of each rank, as the dataset has it; empty where there are no words
    """

    problem: Problem
    source: str
    x_train: Samples
    y_train: np.ndarray
    x_val: Samples
    y_val: np.ndarray
    protocol: str
    vocabulary: tuple[str, ...] = ()
