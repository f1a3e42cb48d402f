"""Step 4: is this data fit for a network? What cannot be used is refused, what is odd is noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.problem import Problem
from recipe.core.reviews import Reviews


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something about the data that should be known, but stops nobody.

    Attributes
    ----------
    kind : ``"outside_range"``, ``"filled"``, ``"scaled_twice"``, ``"no_known_word"`` or ``"leak"``
    text : one sentence, with the numbers
    feature : the column it is about, empty where it is about whole samples
    count : how many values or samples it is about
    """

    kind: str
    text: str
    feature: str = ""
    count: int = 0

    def __str__(self) -> str:
        return self.text


def check_samples(x: np.ndarray | Reviews, problem: Problem) -> None:
    """Refuse samples of another kind or shape than the problem's.

    Raises
    ------
    TypeError
        If reviews are given where there are none, or something else than reviews where there are, or no numbers.
    ValueError
        If a sample has another shape.
    """
    if problem.num_words:
        if not isinstance(x, Reviews):
            raise TypeError(
                f"The samples of {problem.name} are texts. Received: x, {type(x).__name__}. "
                "Give Reviews, such as those of load or read_texts."
            )
        return
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "buif":
        found = f"an array of {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(
            f"The samples of {problem.name} are numbers in a NumPy array. Received: x, {found}. "
            "Make them by np.asarray(x, dtype=float)."
        )
    if x.shape[1:] != problem.input_shape:
        raise ValueError(
            f"A sample of {problem.name} has the shape {problem.input_shape}. Received: x of shape "
            f"{x.shape}. Give an array of shape (n, {', '.join(map(str, problem.input_shape))})."
        )


def check_targets(y: np.ndarray, problem: Problem, part: str) -> None:
    """Refuse targets that are not finite, and labels that are no class.

    Raises
    ------
    ValueError
        With the number of bad targets, and the part that they are in.
    """
    if bad := int((~np.isfinite(y)).sum()):
        raise ValueError(
            f"{bad} targets of the {part} part are not finite. Received: {problem.name}, y of shape {y.shape}. "
            "Drop these samples: a target cannot be guessed."
        )
    classes = max(problem.outputs, 2) if y.ndim == 1 else 2
    if problem.type.is_classification and len(y) and not (y.min() >= 0 and y.max() < classes):
        raise ValueError(
            f"The labels of {problem.name} run from 0 to {classes - 1}. Received: y from {y.min()} to {y.max()} in "
            f"the {part} part. Number the classes from 0."
        )


def check_pixels(x: np.ndarray, problem: Problem) -> None:
    """Refuse pixels below 0, above white, or not finite.

    Raises
    ------
    ValueError
        With the range that was found.
    """
    pixel_max = problem.pixel_max
    if (x.dtype == np.uint8 and pixel_max >= 255) or not x.size:
        return
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= pixel_max):  # false for NaN, too
        raise ValueError(
            f"A pixel of {problem.name} lies between 0 and {pixel_max:g}. Received: x from {low:g} to {high:g}. "
            "Bring the images to this range first."
        )


def check_finite(x: np.ndarray, problem: Problem, names: Sequence[str], *, part: str, allow_nan: bool) -> None:
    """Refuse values of a table that are missing (where nothing fills them) or infinite.

    Raises
    ------
    ValueError
        With the number of values and the columns that they are in.
    """
    bad = np.isinf(x) if allow_nan else ~np.isfinite(x)
    if count := int(bad.sum()):
        raise ValueError(
            f"{count} values of the {part} are not finite. Received: {problem.name}, x of shape {x.shape}, columns "
            f"{_list_columns(bad.any(axis=0), names)}. Drop these samples"
            + ("." if allow_nan else ', or fill missing values by prepare(split, missing="median").')
        )


def check_columns(x: np.ndarray, problem: Problem, names: Sequence[str]) -> None:
    """Refuse columns that never change: they tell nothing, and their spread of 0 cannot be divided by.

    Raises
    ------
    ValueError
        With the columns.
    """
    constant = np.ptp(x, axis=0) == 0
    if constant.any():
        raise ValueError(
            f"{int(constant.sum())} features are the same in every training sample, so they tell nothing and cannot "
            f"be normalised. Received: {problem.name}, columns {_list_columns(constant, names)}. Drop them."
        )


def note_outside(x: np.ndarray, low: Sequence[float], high: Sequence[float], names: Sequence[str]) -> list[Note]:
    """Note the columns whose values lie outside the range of the training part.

    Parameters
    ----------
    x : float array of shape (n, features)
    low, high : lowest and highest training value of each column
    """
    outside = (x < np.asarray(low)) | (x > np.asarray(high))
    notes = []
    for column in np.flatnonzero(outside.any(axis=0)).tolist():
        values, count = x[outside[:, column], column], int(outside[:, column].sum())
        middle = (low[column] + high[column]) / 2
        farthest = values[np.argmax(np.abs(values - middle))]
        text = (
            f"{names[column]}: {count:,} of {len(x):,} values lie outside {low[column]:,.7g} to {high[column]:,.7g}, "
            f"the range of the training part (the farthest: {farthest:,.7g})."
        )
        notes.append(Note(kind="outside_range", text=text, feature=names[column], count=count))
    return notes


def note_images(x: np.ndarray, pixel_max: float) -> list[Note]:
    """Note images that seem to be scaled already, and would be scaled a second time."""
    if not x.size or x.max() > 1 or pixel_max <= 1:
        return []
    text = f"No pixel is above {x.max():g} where {pixel_max:g} is white: these images seem to be scaled already."
    return [Note(kind="scaled_twice", text=text, count=len(x))]


def note_reviews(x: Reviews, words: int) -> list[Note]:
    """Note texts without a word that the network knows."""
    known = np.concatenate([[0], np.cumsum((x.tokens < words) & (x.tokens > 0))])
    empty = int((np.diff(known[x.offsets]) == 0).sum())
    if not empty:
        return []
    text = f"{empty:,} of {len(x):,} texts have none of the {words:,} most frequent words: all that is left is zeros."
    return [Note(kind="no_known_word", text=text, count=empty)]


def _list_columns(mask: np.ndarray, names: Sequence[str]) -> str:
    """Return the numbers of the columns, with their names where they have some."""
    return ", ".join(f"{column} ({names[column]})" if names else str(column) for column in np.flatnonzero(mask))
