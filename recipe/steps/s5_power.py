"""Step 5: is a model better than a baseline beyond chance, and how many validation samples does it take to tell?

Both are judged on the same validation samples, so the test is paired: what counts is where they differ. Comparing the
two scores as if they came from separate samples would waste that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.measures import MEASURES, Measure, check_outputs
from recipe.core.problem import Problem
from recipe.steps.s5_resampling import resampled_gains

if TYPE_CHECKING:
    from recipe.steps.s5_baseline import Baseline

LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class StatisticalPower:
    """Whether a model beats a baseline beyond chance, judged on the validation samples.

    Attributes
    ----------
    measure : the name of the measure of success
    model, baseline : the measure of either
    difference : how much better the model is, in the measure's unit; below 0 where it is worse
    interval : from the 5th to the 95th percentile of the difference over resampled validation sets; its lower end is
        the one-sided 95 % bound
    p_value : chance of a difference at least as large if the model were no better than the baseline (one-sided)
    test : which test that is from
    samples : number of validation samples
    samples_needed : from how many validation samples on the same difference would just have been significant; None
        where the model is not better, so that no number helps
    level : confidence that is asked for
    """

    measure: str
    model: float
    baseline: float
    difference: float
    interval: tuple[float, float]
    p_value: float
    test: str
    samples: int
    samples_needed: int | None
    level: float = LEVEL

    @property
    def confidence(self) -> float:
        """One minus the p-value."""
        return 1.0 - self.p_value

    @property
    def beats_baseline(self) -> bool:
        """Whether the confidence reaches the level."""
        return self.p_value <= round(1.0 - self.level, 12)

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        numbers = f"{MEASURES[self.measure].title} {self.model:.3g} against {self.baseline:.3g}"
        tested = f"({self.test}, {self.samples} validation samples)"
        if self.beats_baseline:
            return (
                f"The model beats the baseline: {numbers}, with a confidence of {_percent(self.confidence)} {tested}; "
                f"{self.samples_needed} samples would have been enough."
            )
        if self.samples_needed is None:
            return f"The model does not beat the baseline: {numbers} {tested}."
        return (
            f"That the model beats the baseline may be chance: {numbers}, with a confidence of only "
            f"{_percent(self.confidence)} {tested}; it would take about {self.samples_needed} samples to tell."
        )


def statistical_power(
    problem: Problem,
    y_val: np.ndarray,
    outputs: np.ndarray,
    baseline: Baseline,
    *,
    resamples: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> StatisticalPower:
    """Test whether a model beats a baseline on the validation samples.

    Where each sample is right or wrong (accuracy with one answer a sample) the test is McNemar's in its exact form:
    samples that both get right, or both wrong, tell nothing; if neither were better, the rest would fall to either
    side like a fair coin, so the wins of the model are held against a binomial distribution. Every other measure is
    tested by a paired bootstrap: validation sets are drawn with replacement from the one there is, and the p-value is
    the share of them on which the model is not better. (It is never put below 1 / 2^n: n samples cannot tell more.)

    `samples_needed` assumes that the rates seen here stay as they are. Exact test: the smallest number of samples whose
    wins and losses, in these proportions, are significant. Bootstrap: the number at which the spread of the difference,
    which shrinks with the root of the number of samples, fits 1.645 times into it. A set of that size tells in about
    one case out of two; plan for more.

    Parameters
    ----------
    y_val : np.ndarray of shape (n,) or (n, outputs)
    outputs : np.ndarray of shape (n, outputs), the model's raw outputs; one that is not finite beats nothing
    baseline : Baseline
        With its own outputs on the same samples, in the same order.
    resamples : validation sets to draw
    seed : fixes the draw
    level : confidence to ask for

    Raises
    ------
    ValueError
        If the shapes do not fit, the samples are not the baseline's, or a number is out of range.

    References
    ----------
    Q. McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12, 1947.
    B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 16.
    """
    _check_numbers(resamples, level)
    measure = MEASURES[baseline.measure]
    value = measure.compute(problem, y_val, outputs)
    y_val, outputs = check_outputs(problem, y_val, outputs)
    if len(baseline.outputs) != len(outputs):
        raise ValueError(
            f"The baseline was judged on {len(baseline.outputs)} samples and the model on {len(outputs)}. Received: "
            f"outputs of shape {outputs.shape}. Compare both on the same validation part."
        )
    # The baseline's value is taken on these very targets, whatever it was computed on.
    reference = measure.compute(problem, y_val, baseline.outputs)
    common = {"measure": measure.name, "model": value, "baseline": reference, "samples": len(y_val), "level": level}
    if math.isnan(value):
        nowhere = {"difference": math.nan, "interval": (math.nan, math.nan), "p_value": 1.0}
        return StatisticalPower(**common, **nowhere, test="none: the outputs are not finite", samples_needed=None)
    gains = resampled_gains(problem, measure, y_val, (outputs, baseline.outputs), resamples, seed)
    low, high = np.quantile(gains, [1 - level, level]).tolist()
    gain = measure.gain(value, reference)
    wins, losses = count_wins(problem, measure, y_val, outputs, baseline.outputs)
    if wins is None:
        test = f"paired bootstrap of {resamples} resamples"
        p_value = max((1 + int((gains <= 0).sum())) / (resamples + 1), 0.5 ** len(y_val))
        needed = _needed_by_spread(gain, float(gains.std()), len(y_val), level)
    else:
        test = "exact McNemar test"
        p_value = sign_test(wins, losses)
        needed = _needed_by_sign_test(wins, losses, len(y_val), level)
    if needed is not None:  # the two ways to the same question must not contradict each other at the margin
        needed = min(needed, len(y_val)) if p_value <= round(1 - level, 12) else max(needed, len(y_val) + 1)
    return StatisticalPower(
        **common, difference=gain, interval=(low, high), p_value=p_value, test=test, samples_needed=needed
    )


def sign_test(wins: int, losses: int) -> float:
    """Return the chance of so many wins or more among wins and losses if each is as likely (one-sided, exact).

    Examples
    --------
    >>> sign_test(5, 0)
    0.03125
    >>> sign_test(0, 0)
    1.0
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue) if wins + losses else 1.0


def _check_numbers(resamples: int, level: float) -> None:
    if not 0.5 <= level < 1:
        raise ValueError(f"A confidence lies in [0.5, 1). Received: level={level}. The usual one is 0.95.")
    if resamples < math.ceil(1 / (1 - level)):
        raise ValueError(
            f"{resamples} resamples cannot show a confidence of {level:g}. Received: resamples={resamples}. "
            "Take 1000 or more."
        )


def count_wins(
    problem: Problem, measure: Measure, y_val: np.ndarray, outputs: np.ndarray, baseline_outputs: np.ndarray
) -> tuple[int, int] | tuple[None, None]:
    """Count the samples that only the model, and only the baseline, gets right; None where it is not right or wrong."""
    ours = measure.per_sample(problem, y_val, outputs)
    theirs = measure.per_sample(problem, y_val, baseline_outputs)
    if measure.name != "accuracy" or not np.isin([ours, theirs], (0.0, 1.0)).all():
        return None, None
    return int((ours > theirs).sum()), int((ours < theirs).sum())


def _needed_by_sign_test(wins: int, losses: int, samples: int, level: float) -> int | None:
    """Search for the smallest number of samples that is significant at these rates (wins rounded down, losses up)."""
    if wins <= losses:
        return None

    def is_significant(number: int) -> bool:
        return sign_test(wins * number // samples, -(-losses * number // samples)) <= 1 - level

    high = 1
    while not is_significant(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_significant(middle) else (middle, high)
    return high


def _needed_by_spread(gain: float, spread: float, samples: int, level: float) -> int | None:
    """Return from how many samples on the difference is a one-sided normal quantile of its spread."""
    from scipy.stats import norm

    if gain <= 0:
        return None
    fewest = math.ceil(math.log2(1 / (1 - level)))  # below that even wins alone are no proof
    return max(fewest, math.ceil(samples * (norm.ppf(level) * spread / gain) ** 2))


def _percent(confidence: float) -> str:
    """Write a confidence so that it never reads as certainty."""
    return "more than 99.9 %" if confidence > 0.999 else f"{100 * confidence:.1f} %"
