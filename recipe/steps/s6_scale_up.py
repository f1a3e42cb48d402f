"""Step 6: is the model too small, or does it learn the training set by heart? From three errors, or from the curves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recipe.steps.s6_histories import HistoryDiagnosis, Verdict, diagnose_history

__all__ = ["ErrorDiagnosis", "HistoryDiagnosis", "Verdict", "diagnose_errors", "diagnose_history"]

TOLERANCE = 0.02  # error below which a part is not worth working on: two points of a hundred
LARGE = 5  # times the tolerance: a part of that size is worth working on, whatever the other part
SHARE = 0.25  # of the error that could be avoided: in between, a part counts if it is this much of the whole
_ROUNDING = 1e-9  # 0.11 - 0.01 is not quite 0.1 in floating point


@dataclass(frozen=True, kw_only=True)
class ErrorDiagnosis:
    """The parts that a validation error is made of, and which of them is worth working on.

    Attributes
    ----------
    train_error, validation_error, reachable_error : as given
    bias, variance : ``"low"`` or ``"high"``
    tolerance : the error that is not worth working on
    """

    train_error: float
    validation_error: float
    reachable_error: float
    bias: str
    variance: str
    tolerance: float = TOLERANCE

    @property
    def avoidable_bias(self) -> float:
        """Training error above the reachable one; below 0 where the model does better than can be hoped for."""
        return self.train_error - self.reachable_error

    @property
    def variance_gap(self) -> float:
        """Validation error above the training error; below 0 where validation is the easier part."""
        return self.validation_error - self.train_error

    @property
    def sentence(self) -> str:
        """The diagnosis in words, with its numbers."""
        high = [f"high {name}" for name in ("bias", "variance") if getattr(self, name) == "high"]
        verdict = " and ".join(high).capitalize() or "Neither bias nor variance is high"
        below = " (training does better than the reachable error: by heart)" if self.avoidable_bias < -1e-9 else ""
        train, validation = show_percent(self.train_error), show_percent(self.validation_error)
        bias, gap = _show_side(self.avoidable_bias), _show_side(self.variance_gap)
        return (
            f"{verdict}: training error {train}, {bias} the reachable {show_percent(self.reachable_error)}{below}; "
            f"validation error {validation}, {gap} training."
        )


def diagnose_errors(
    train_error: float,
    validation_error: float,
    reachable_error: float = 0.0,
    *,
    tolerance: float = TOLERANCE,
) -> ErrorDiagnosis:
    """Split a validation error into what the model cannot fit (bias) and what it does not carry over (variance).

    *Avoidable bias* is the training error above the reachable one; the *variance gap* is the validation error above
    the training error. Either part is

    - low if it is below the tolerance of two points (0.02),
    - high if it is at least five times that (0.10), however large the other is,
    - in between high if it is at least a quarter of both together: whoever has one hour works on the larger part.

    The gap is low, too, where the validation error is within the tolerance of the reachable error: a model that has
    learned the noise of its training set by heart and still does as well as can be done has nothing to gain.

    Parameters
    ----------
    train_error, validation_error : float, 0 or more
        Shares of wrong answers, or errors relative to the baseline's for quantities (`recipe.core.measures.Measure.error`
        gives both), measured alike: after training, without dropout.
    reachable_error : float, 0 or more
        What people reach, or the known noise of the labels, on the same scale.
    tolerance : float above 0
        Smaller for problems where the tenths of a point count.

    Raises
    ------
    TypeError, ValueError
        If an error is not a number, not finite or below 0.

    References
    ----------
    A. Ng, Machine Learning Yearning, 2018, chapters 20 to 24: bias, variance and the avoidable part of the bias. The
    chapters compare the parts by eye; the thresholds are chosen here so that the verdicts on its examples follow.

    Examples
    --------
    >>> diagnosis = diagnose_errors(0.15, 0.30)
    >>> diagnosis.bias, diagnosis.variance
    ('high', 'high')
    >>> diagnose_errors(0.15, 0.30, reachable_error=0.15).bias
    'low'
    """
    train_error = _check_error("train_error", train_error)
    validation_error = _check_error("validation_error", validation_error)
    reachable_error = _check_error("reachable_error", reachable_error)
    if _check_error("tolerance", tolerance) == 0:
        raise ValueError("With a tolerance of 0 every difference is high. Received: tolerance=0. Give one above 0.")
    bias, gap = train_error - reachable_error, validation_error - train_error
    avoidable = max(bias, 0.0) + max(gap, 0.0)
    is_within_reach = validation_error - reachable_error < tolerance - _ROUNDING
    return ErrorDiagnosis(
        train_error=train_error,
        validation_error=validation_error,
        reachable_error=reachable_error,
        bias=_judge(bias, avoidable, tolerance),
        variance="low" if is_within_reach else _judge(gap, avoidable, tolerance),
        tolerance=float(tolerance),
    )


def _judge(part: float, avoidable: float, tolerance: float) -> str:
    """Return "low" or "high" for one of the two parts that the avoidable error is made of."""
    part += _ROUNDING
    is_high = part >= LARGE * tolerance or (part >= tolerance and part >= SHARE * avoidable)
    return "high" if is_high else "low"


def _check_error(name: str, value: float) -> float:
    """Return the value as a float, or say what is wrong with it."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"An error is a number. Received: {name}={value!r}. Give a share such as 0.05.") from None
    if not 0 <= number < math.inf:
        raise ValueError(
            f"An error is finite and never below 0. Received: {name}={number}. Give a share of wrong answers such as "
            "0.05, or an error divided by the baseline's; a network that diverged has none."
        )
    return number


def show_percent(error: float) -> str:
    """Write an error as a percentage with two digits that count: 0.0015 -> 0.15 %."""
    percent = 100 * error
    return f"{percent:.0f} %" if abs(percent) >= 9.95 else f"{percent:.2g} %" if abs(percent) > 1e-7 else "0 %"


def show_points(difference: float) -> str:
    """Write a difference of two errors in percentage points: 0.10 -> 10 points."""
    number = show_percent(abs(difference)).removesuffix(" %")
    return f"{number} point" if number == "1" else f"{number} points"


def _show_side(difference: float) -> str:
    if abs(difference) <= _ROUNDING:
        return "the same as"
    return f"{show_points(difference)} {'above' if difference > 0 else 'below'}"
