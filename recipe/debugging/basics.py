"""Step 8: what every check stands on: why one cannot be made, how its outcome is said, what a problem looks like."""

from __future__ import annotations

import warnings

import numpy as np

from recipe.core.checks import Check, Status
from recipe.core.problem import ProblemType


class NotApplicable(Exception):
    """A check cannot be made here; the message says why."""


def quiet() -> warnings.catch_warnings:
    """Return a context in which Keras does not warn of losses that fit no output: a check says it, with a way out."""
    return warnings.catch_warnings(action="ignore", category=SyntaxWarning)


def guess_kind(y: np.ndarray, outputs: int, loss: str) -> ProblemType:
    """Say what type of problem targets belong to.

    Examples
    --------
    >>> guess_kind(np.array([0, 3, 1]), outputs=4, loss="sparse_categorical_crossentropy").name
    'MULTICLASS'
    >>> guess_kind(np.array([0.2, 3.1]), outputs=1, loss="mean_squared_error").name
    'REGRESSION'
    """
    whole = y.dtype.kind in "bui" or bool(np.isfinite(y).all() and (y == np.round(y)).all())
    columns = y.shape[-1] if y.ndim > 1 else 1
    if columns > 1:
        if not whole or not np.isin(y, (0, 1)).all():
            return ProblemType.REGRESSION
        return ProblemType.MULTICLASS if (y.sum(axis=-1) == 1).all() else ProblemType.MULTILABEL
    few = len(np.unique(y[:5_000])) <= 2
    if whole and outputs > 1:
        return ProblemType.MULTICLASS
    if whole and (few or "binary" in loss):
        return ProblemType.BINARY
    return ProblemType.REGRESSION


def name_of(loss: object) -> str:
    """Return a loss's name as Keras writes it in full: "mse" and MeanSquaredError() are "mean_squared_error"."""
    import keras

    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    name = getattr(loss, "__name__", "") or type(loss).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def count_bad(values: np.ndarray) -> int:
    """Return how many numbers are not finite."""
    return 0 if values.dtype.kind in "bui" else int((~np.isfinite(values)).sum())


def judge(name: str, ok: bool, *, found: str, expected: str, cause: str, value: float | None = None) -> Check:
    """Return a check that passed or failed; the cause is kept where it failed."""
    status = Status.PASSED if ok else Status.FAILED
    return Check(name=name, status=status, found=found, expected=expected, cause="" if ok else cause, value=value)
