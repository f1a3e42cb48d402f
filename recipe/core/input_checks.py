"""The door of the steps: what they cannot use is refused here, with the way out; what is odd about data is noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.core.reviews import Reviews

# Where each of the nouns comes from, by the name of its class.
SOURCES = {
    "Problem": "the problem of a dataset, dataset.problem",
    "Dataset": "what load returns",
    "Split": "what hold_out(dataset) returns",
    "Prepared": "what prepare(split) returns",
    "ModelSpec": "a ModelSpec",
    "Run": "what train returns",
    "FinalModel": "what train_final returns",
}


def expect(value: object, wanted: type, fact: str) -> None:
    """Refuse what is not the noun that a step takes.

    Parameters
    ----------
    wanted : the class of the noun, such as `Split`
    fact : what the step does with it, a sentence

    Raises
    ------
    TypeError
        With the sentence, what was received, and where to get what is wanted.

    Examples
    --------
    >>> from recipe.core.dataset import Split
    >>> expect("mnist", Split, "What is prepared is a split.")
    Traceback (most recent call last):
    TypeError: What is prepared is a split. Received: a str. Give what hold_out(dataset) returns.
    """
    if isinstance(value, wanted):
        return
    received, way = f"a {type(value).__name__}", f"Give {SOURCES[wanted.__name__]}."
    if isinstance(value, list | tuple) and value:
        received = f"a {type(value).__name__} of {len(value)}, the first a {type(value[0]).__name__}"
        if wanted.__name__ == "Split":
            way = "k_fold returns several splits: prepare each one, or pass them to cross_validate."
    raise TypeError(f"{fact} Received: {received}. {way}")


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something about the data that should be known, but stops nobody.

    Attributes
    ----------
    kind : ``"outside_range"``, ``"filled"``, ``"unknown_category"``, ``"scaled_twice"``, ``"no_known_word"`` or
        ``"leak"``; of data of one's own also ``"read"``, ``"left_out"``, ``"identifier"`` and ``"target_copy"``
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


def check_inputs(
    x: np.ndarray | Reviews, problem: Problem, *, part: str = "input", allow_missing: bool = False
) -> None:
    """Refuse raw inputs of another kind, shape or range than the problem's.

    Parameters
    ----------
    part : what they are, for the error
    allow_missing : whether a table's missing values, NaN, will be filled

    Raises
    ------
    TypeError
        If reviews are given where there are none, or something else than reviews where there are, or no numbers.
    ValueError
        If a sample has another shape, a value is missing or infinite, or a pixel is out of its range.
    """
    if problem.kind == "text":
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
    if problem.kind == "image":
        _check_pixels(x, problem)
    else:
        _check_finite(x, problem, part, allow_missing)


def _check_pixels(x: np.ndarray, problem: Problem) -> None:
    if (x.dtype == np.uint8 and problem.pixel_max >= 255) or not x.size:
        return
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= problem.pixel_max):  # false for NaN, too
        raise ValueError(
            f"A pixel of {problem.name} lies between 0 and {problem.pixel_max:g}. Received: x from {low:g} to "
            f"{high:g}. Bring the images to this range first."
        )


def _check_finite(x: np.ndarray, problem: Problem, part: str, allow_missing: bool) -> None:
    bad = np.isinf(x) if allow_missing else ~np.isfinite(x)
    if bad.any():
        raise ValueError(
            f"{int(bad.sum())} values of the {part} are not finite. Received: {problem.name}, x of shape {x.shape}, "
            f"columns {list_columns(bad.any(axis=0), problem.column_names)}. Drop these samples"
            + ("." if allow_missing else ', or fill missing values by prepare(split, missing="median").')
        )


def list_columns(mask: np.ndarray, names: Sequence[str]) -> str:
    """Return the numbers and names of the columns that a mask of shape (columns,) marks."""
    return ", ".join(f"{column} ({names[column]})" for column in np.flatnonzero(mask))


def check_targets(y: np.ndarray, problem: Problem, part: str = "given") -> np.ndarray:
    """Return targets in the form that every step reads: (n,), or (n, outputs) where a sample has several.

    Parameters
    ----------
    part : which targets they are, for the error

    Raises
    ------
    TypeError, ValueError
        If there are none, they are neither numbers nor names of classes, their shape is not the problem's, one is not
        finite, or a label is no class.
    """
    y = problem.read_targets(y)
    if y.dtype.kind not in "buif":
        raise TypeError(
            f"Targets are numbers, or names of classes ({', '.join(problem.output_names)}). Received: the {part} "
            f"targets of {problem.name}, {y.dtype}. Turn them into one of the two."
        )
    columns = 1 if problem.type is ProblemType.MULTICLASS else problem.outputs
    if not y.ndim or not y.size or y.shape[1:] != (() if columns == 1 else (columns,)):
        raise ValueError(
            f"The targets of {problem.name} have the shape (n, {columns}){' or (n,)' if columns == 1 else ''}, n above "
            f"0. Received: the {part} targets of shape {y.shape}. Pass the labels as they were loaded, not one-hot."
        )
    if bad := int((~np.isfinite(y)).sum()):
        raise ValueError(
            f"{bad} of the {part} targets are not finite. Received: {problem.name}, y of shape {y.shape}. "
            "Drop these samples: a target cannot be guessed."
        )
    classes = problem.outputs if problem.type is ProblemType.MULTICLASS else 2
    if problem.type.is_classification and not np.isin(y, np.arange(classes)).all():
        raise ValueError(
            f"The labels of {problem.name} run from 0 to {classes - 1}. Received: the {part} targets, from {y.min()} "
            f"to {y.max()}. Number the classes from 0."
        )
    return y


def note_outside(x: np.ndarray, low: Sequence[float], high: Sequence[float], names: Sequence[str]) -> list[Note]:
    """Note the columns of a table (n, columns) whose values lie outside the range of the training part, low to high."""
    outside = (x < np.asarray(low)) | (x > np.asarray(high))

    def tell(column: int) -> str:
        values = x[outside[:, column], column]
        farthest = values[np.argmax(np.abs(values - (low[column] + high[column]) / 2))]
        limits = f"{low[column]:,.7g} to {high[column]:,.7g}, the range of the training part"
        return f"values lie outside {limits} (the farthest: {farthest:,.7g})."

    return _note_columns("outside_range", outside, names, tell)


def note_filled(x: np.ndarray, median: Sequence[float], names: Sequence[str]) -> list[Note]:
    """Note the columns in which missing values are filled with the training median."""
    tell = "values were missing, the training median {:,.7g} is there.".format
    return _note_columns("filled", np.isnan(x), names, lambda column: tell(median[column]))


def note_unknown(x: np.ndarray, columns: Sequence[int], names: Sequence[str]) -> list[Note]:
    """Note the categories of a table that are none of those that are known: all their columns become 0."""
    unknown = (x < 0) & np.isin(np.arange(x.shape[1]), columns)
    return _note_columns(
        "unknown_category", unknown, names, lambda _: "categories are unknown, so that all their columns are 0."
    )


def _note_columns(kind: str, found: np.ndarray, names: Sequence[str], tell: Callable[[int], str]) -> list[Note]:
    """Make a note for each column in which something was found, a mask of shape (n, columns)."""
    return [
        Note(
            kind=kind,
            text=f"{names[column]}: {count:,} of {len(found):,} {tell(column)}",
            feature=names[column],
            count=count,
        )
        for column, count in enumerate(found.sum(axis=0).tolist())
        if count
    ]


def note_images(x: np.ndarray, pixel_max: float) -> list[Note]:
    """Note images that seem to be scaled already, and would be scaled a second time."""
    if not x.size or x.max() > 1 or pixel_max <= 1:
        return []
    text = f"No pixel is above {x.max():g} where {pixel_max:g} is white: these images seem to be scaled already."
    return [Note(kind="scaled_twice", text=text, count=len(x))]


def note_reviews(x: Reviews, num_words: int) -> list[Note]:
    """Note texts without a word that the network knows."""
    known = np.concatenate([[0], np.cumsum((x.tokens < num_words) & (x.tokens > 0))])
    empty = int((np.diff(known[x.offsets]) == 0).sum())
    if not empty:
        return []
    text = f"{empty:,} of {len(x):,} texts have none of the {num_words:,} most frequent words: all left is zeros."
    return [Note(kind="no_known_word", text=text, count=empty)]
