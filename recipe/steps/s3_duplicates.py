"""Step 3: samples that stand more than once. One on each side of a split is an answer that is known beforehand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from recipe.core.reviews import Reviews

Samples = np.ndarray | Reviews


@dataclass(frozen=True, kw_only=True, eq=False)
class Duplicates:
    """Samples that stand in both parts of a split.

    Attributes
    ----------
    pairs : int (n, 2), row in the first part and row in the second of every pair of twins
    in_second : how many samples of the second part have a twin in the first
    size : samples in the second part
    conflicts : pairs whose targets differ; None where no targets were given
    """

    pairs: np.ndarray = field(repr=False)
    in_second: int
    size: int
    conflicts: int | None = None

    @property
    def share(self) -> float:
        """The share of the second part that has a twin in the first."""
        return self.in_second / self.size

    @property
    def sentence(self) -> str:
        """The count in words."""
        text = f"{self.in_second:,} of {self.size:,} samples ({self.share:.2%}) have a twin in the other part"
        return text + ("." if self.conflicts is None else f"; {self.conflicts:,} pairs have different targets.")


def find_duplicates(
    a: Samples, b: Samples, *, y_a: np.ndarray | None = None, y_b: np.ndarray | None = None
) -> Duplicates:
    """Find the samples of one part that stand in the other too, equal in every number.

    Hand in some columns to find samples that share those, such as districts at one place: ``find_duplicates(x_train[:,
    :2], x_val[:, :2])``. For twins within one array there is `group_equal`.

    Raises
    ------
    ValueError
        If the two parts are of different shapes, or only one of them has targets.

    Examples
    --------
    >>> find_duplicates(np.array([[1, 2], [3, 4]]), np.array([[3, 4], [5, 6]])).sentence
    '1 of 2 samples (50.00%) have a twin in the other part.'
    """
    check_shapes(a, b, y_a, y_b)
    if not len(b):
        raise ValueError("There is nothing to compare with. Received: b, empty. Give both parts of a split.")
    keys = group_equal(a, b)
    first, second = keys[: len(a)], keys[len(a) :]
    rows_of: dict[int, list[int]] = {}
    for row, key in enumerate(first.tolist()):
        rows_of.setdefault(key, []).append(row)
    pairs = np.array([(i, j) for j, key in enumerate(second.tolist()) for i in rows_of.get(key, ())], int)
    pairs = pairs.reshape(-1, 2)
    conflicts = None
    if y_a is not None:
        differ = np.asarray(y_a)[pairs[:, 0]] != np.asarray(y_b)[pairs[:, 1]]
        conflicts = int(differ.any(axis=tuple(range(1, differ.ndim))).sum())
    return Duplicates(pairs=pairs, in_second=len(np.unique(pairs[:, 1])), size=len(b), conflicts=conflicts)


def group_equal(*parts: Samples) -> np.ndarray:
    """Number the samples so that equal ones have the same number: groups to split by.

    Returns
    -------
    np.ndarray of int, of the length of all parts together

    Examples
    --------
    >>> group_equal(np.array([[7, 7], [1, 2], [7, 7]])).tolist()
    [0, 1, 0]
    """
    numbers: dict[bytes, int] = {}
    rows = itertools.chain.from_iterable(_rows_as_bytes(part) for part in parts)
    return np.array([numbers.setdefault(row, len(numbers)) for row in rows], int)


def _rows_as_bytes(x: Samples) -> list[bytes]:
    if isinstance(x, Reviews):
        return [x[row].tobytes() for row in range(len(x))]
    table = np.ascontiguousarray(np.asarray(x).reshape(len(x), -1))
    if table.dtype.kind == "f":
        table = table + 0.0  # -0.0 equals 0.0, and has other bytes
    return [row.tobytes() for row in table]


def check_shapes(a: Samples, b: Samples, y_a: np.ndarray | None, y_b: np.ndarray | None) -> None:
    """Refuse parts that cannot be compared: other columns, or targets that do not belong to the inputs."""
    shapes = ["reviews" if isinstance(x, Reviews) else np.shape(x)[1:] for x in (a, b)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"Only samples of one shape can be compared. Received: {shapes[0]} and {shapes[1]}. Give the same columns."
        )
    if (y_a is None) != (y_b is None):
        raise ValueError("Only one part came with its targets. Received: y_a or y_b alone. Give both, or none.")
    for x, y in ((a, y_a), (b, y_b)):
        if y is not None and len(x) != len(y):
            raise ValueError(
                f"There are {len(y)} targets for {len(x)} samples. Received: y of that length. Give one each."
            )
