"""The door of the steps: what they cannot use is refused here, with the way out; what is odd about data is noted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.core.reviews import Reviews

# Where each of the nouns comes from, by the name of its class.
SOURCES = {
    "Problem": "the problem of a dataset, dataset.problem",
    "Dataset": "what load returns",
    "Split": "what hold_out(dataset) returns, or one by one what k_fold(dataset) does",
    "Prepared": "what prepare(split) returns",
    "ModelSpec": "a ModelSpec",
    "Run": "what train returns",
    "FinalModel": "what train_final returns",
}
NUMBERS = "buif"  # the kinds of dtype that are numbers


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
    >>> from recipe.core.dataset import Dataset
    >>> expect("mnist", Dataset, "What is cut is a dataset.")
    Traceback (most recent call last):
    TypeError: What is cut is a dataset. Received: a str. Give what load returns.
    """
    if not isinstance(value, wanted):
        raise TypeError(f"{fact} Received: a {type(value).__name__}. Give {SOURCES[wanted.__name__]}.")


def expect_choice(name: str, value: object, choices: Iterable[object], fact: str) -> None:
    """Refuse a value that is none of the choices, by a ValueError: the fact, a sentence, then the choices."""
    if value not in choices:
        raise ValueError(f"{fact} Received: {name}={value!r}. Choose from {', '.join(map(str, choices))}.")


class Note(NamedTuple):
    """Something about data of one's own that should be known, but stops nobody."""

    text: str  # one sentence, with the numbers and the column that it is about
    is_warning: bool = False  # whether it is likely to spoil the project, so that it is also given as a warning

    def __str__(self) -> str:
        return self.text


def check_inputs(x: np.ndarray | Reviews, problem: Problem) -> None:
    """Refuse raw inputs of another kind, shape or range than the problem's; gaps in tables of one's own are filled.

    Raises
    ------
    TypeError
        If reviews are given where there are none, or something else than reviews where there are, or no numbers.
    ValueError
        If a sample has another shape, a value is missing or infinite, or a pixel is out of its range.
    """
    is_text, is_array = problem.kind == "text", isinstance(x, np.ndarray)
    if not (isinstance(x, Reviews) if is_text else is_array and x.dtype.kind in NUMBERS):
        wanted = "texts, as Reviews" if is_text else "numbers in a NumPy array"
        found = f"an array of {x.dtype}" if is_array else type(x).__name__
        raise TypeError(f"The samples of {problem.name} are {wanted}. Received: x, {found}. Give such as load returns.")
    if is_text:
        return
    received = f"Received: {problem.name}, x of shape {x.shape}"
    if x.shape[1:] != problem.input_shape:
        raise ValueError(f"A sample has the shape {problem.input_shape}. {received}. Give as many numbers a sample.")
    if problem.kind == "image":
        if x.size and not (x.min() >= 0 and x.max() <= problem.pixel_max):  # false for NaN, too
            raise ValueError(
                f"A pixel lies between 0 and {problem.pixel_max:g}. {received}, from {x.min():g} to {x.max():g}. "
                "Bring the images to this range first."
            )
        return
    bad = np.isinf(x) if problem.origin else ~np.isfinite(x)
    if bad.any():
        raise ValueError(
            f"{int(bad.sum())} values are not finite. {received}, columns "
            f"{list_columns(bad.any(axis=0), problem.column_names)}. Drop these samples, or put numbers there first."
        )


def list_columns(mask: np.ndarray, names: Sequence[str]) -> str:
    """Return the numbers and names of the columns that a mask of shape (columns,) marks."""
    return ", ".join(f"{column} ({names[column]})" for column in np.flatnonzero(mask))


def check_targets(y: np.ndarray, problem: Problem) -> np.ndarray:
    """Return targets in the form that every step reads: (n,), or (n, outputs) where a sample has several.

    One column becomes (n,), and labels become whole numbers, which a CSV file with a gap reads as floats.

    Raises
    ------
    TypeError, ValueError
        If there are none, they are no numbers, their shape is not the problem's, one is not finite, or a label is no
        class.
    """
    y = np.asarray(y)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    received = f"Received: {problem.name}, y of shape {y.shape}"
    if y.dtype.kind not in NUMBERS:
        raise TypeError(
            f"Targets are numbers. {received}, {y.dtype}. Number the classes from 0, in the order of "
            "problem.output_names."
        )
    columns = 1 if problem.type is ProblemType.MULTICLASS else problem.outputs
    if not y.ndim or not y.size or y.shape[1:] != (() if columns == 1 else (columns,)):
        wanted = "(n,) or (n, 1)" if columns == 1 else f"(n, {columns})"
        raise ValueError(
            f"Targets have the shape {wanted}, n above 0. {received}. Pass the labels as they were loaded, not one-hot."
        )
    if bad := int((~np.isfinite(y)).sum()):
        raise ValueError(f"{bad} targets are not finite. {received}. Drop these samples: a target cannot be guessed.")
    classes = problem.outputs if problem.type is ProblemType.MULTICLASS else 2
    if problem.type.is_classification and not np.isin(y, np.arange(classes)).all():
        raise ValueError(
            f"Labels run from 0 to {classes - 1}. {received}, from {y.min()} to {y.max()}. Number the classes from 0."
        )
    return y.astype(np.int32) if problem.type.is_classification and y.dtype.kind in "bf" else y
