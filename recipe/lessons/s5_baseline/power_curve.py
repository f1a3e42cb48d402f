"""Step 5: with how many validation samples would a difference be told from chance, and how surely?

`recipe.steps.s5_baseline` tests the samples that there are. Here it is asked beforehand: if the rates seen so far are
the true ones, which share of validation sets of a given size would show a significant difference?
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.scores import check_outputs
from recipe.steps.s5_baseline import LEVEL, Baseline, StatisticalPower, count_wins, resample_scores, statistical_power

WANTED = 0.8  # the power that studies are usually planned for
LARGEST = 100_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class PowerCurve:
    """The statistical power of validation sets of several sizes.

    Attributes
    ----------
    samples : np.ndarray of shape (k,), rising
    power : np.ndarray of shape (k,), the share of sets of that size on which the model beats the baseline at `level`
    difference : how much better the model is on all samples, in the measure's unit
    seen : how many samples the rates were taken from
    needed : about the smallest number of samples with a power of `wanted` (the exact test's power rises in a sawtooth);
        None where the model is not better, or a hundred million are not enough
    level, wanted : confidence of each single test, and power to plan for
    test : which test it is
    """

    samples: np.ndarray = field(repr=False)
    power: np.ndarray = field(repr=False)
    difference: float
    seen: int
    needed: int | None
    level: float
    wanted: float
    test: str

    @property
    def sentence(self) -> str:
        """How many samples to plan for, in words."""
        if self.needed is None and self.difference > 0:
            return f"The difference is so small that {LARGEST:,} validation samples would not be enough to show it."
        if self.needed is None:
            return "The model is not better, so that no number of samples will show that it is."
        return (
            f"To show this difference with a confidence of {self.level:.0%} in {self.wanted:.0%} of all cases it takes "
            f"{self.needed:,} validation samples; there are {self.seen:,}."
        )


def power_curve(
    problem: Problem,
    y_val: np.ndarray,
    outputs: np.ndarray,
    baseline: Baseline,
    samples: Sequence[int] | None = None,
    *,
    level: float = LEVEL,
    wanted: float = WANTED,
    resamples: int = 2000,
    seed: int = 0,
) -> PowerCurve:
    """Return the power of the test against a baseline for validation sets of several sizes.

    Where each sample is right or wrong the power of the exact McNemar test is computed exactly: the number of samples
    on which the two differ follows a binomial distribution, and so do the wins among them. For other measures the
    difference is taken as normal, with a spread that shrinks with the root of the number of samples.

    Parameters
    ----------
    y_val, outputs, baseline : as in `statistical_power`
    samples : sizes to compute the power of; None takes 40 from 5 to four times what is needed
    wanted : power to plan for
    resamples, seed : of the bootstrap that finds the spread

    Raises
    ------
    ValueError
        If shapes do not fit, the outputs are not finite, or a number is out of range.
    """
    _check(samples, level, wanted, outputs)
    measure = MEASURES[baseline.measure]
    y_val, outputs = check_outputs(problem, y_val, outputs)
    gain = measure.gain(measure.compute(problem, y_val, outputs), measure.compute(problem, y_val, baseline.outputs))
    differing = count_wins(problem, y_val, outputs, baseline.outputs)
    if differing is not None:
        test = "exact McNemar test"
        rates = differing[0] / len(y_val), differing[1] / len(y_val)
        power_at = lambda number: mcnemar_power(*rates, number, level)  # noqa: E731
    else:
        test = "paired bootstrap, by a normal approximation"
        gains = measure.gain(*resample_scores(problem, y_val, (outputs, baseline.outputs), resamples, seed))
        effect = gain / max(float(gains.std()) * math.sqrt(len(y_val)), 1e-12)
        power_at = lambda number: normal_power(effect, number, level)  # noqa: E731
    needed = _find_needed(power_at, wanted) if gain > 0 else None
    if samples is None:
        samples = np.unique(np.geomspace(5, 4 * max(needed or len(y_val), 10), 40).astype(int))
    return PowerCurve(
        samples=np.asarray(samples, dtype=np.int64),
        power=np.array([power_at(int(number)) for number in samples]),
        difference=gain,
        seen=len(y_val),
        needed=needed,
        level=level,
        wanted=wanted,
        test=test,
    )


def judge_few(
    problem: Problem,
    y_val: np.ndarray,
    outputs: np.ndarray,
    baseline: Baseline,
    samples: int,
    *,
    seed: int = 0,
    resamples: int = 2000,
    level: float = LEVEL,
) -> StatisticalPower:
    """Test a model against a baseline on a few of the validation samples, drawn without replacement.

    Parameters
    ----------
    samples : how many are drawn
    seed : of the draw; another seed is another validation set

    Raises
    ------
    ValueError
        If there are not so many samples, or as `statistical_power` does.
    """
    if not 1 <= samples <= len(y_val):
        raise ValueError(
            f"There are {len(y_val)} validation samples to draw from. Received: samples={samples}. "
            f"Give 1 to {len(y_val)}."
        )
    rows = np.random.default_rng(seed).permutation(len(y_val))[:samples]
    few = dataclasses.replace(baseline, outputs=baseline.outputs[rows])
    return statistical_power(problem, y_val[rows], outputs[rows], few, resamples=resamples, seed=seed, level=level)


def mcnemar_power(win: float, loss: float, samples: int, level: float = LEVEL) -> float:
    """Return the power of the exact, one-sided McNemar test.

    Parameters
    ----------
    win, loss : probability that only the model, and only the baseline, gets a sample right
    samples : of the validation set
    level : confidence of the test

    Examples
    --------
    A model that is always right, against a baseline that never is: five wins of five have a chance of 1/32.

    >>> mcnemar_power(1.0, 0.0, 4), mcnemar_power(1.0, 0.0, 5)
    (0.0, 1.0)
    """
    from scipy.stats import binom

    differing = win + loss
    if differing == 0:
        return 0.0
    # Numbers of differing samples that are as rare as one in a billion are left out.
    low, high = binom.ppf((1e-9, 1 - 1e-9), samples, differing).astype(int)
    number = np.arange(low, high + 1)
    # The fewest wins among so many that are significant: P(X >= wins) <= 1 - level for a fair coin.
    fewest = binom.isf(round(1 - level, 12), number, 0.5) + 1
    significant = binom.sf(fewest - 1, number, win / differing)
    return float(np.sum(binom.pmf(number, samples, differing) * significant))


def normal_power(effect: float, samples: int, level: float = LEVEL) -> float:
    """Return the power of a one-sided test of a mean.

    Parameters
    ----------
    effect : mean of the difference of one sample, divided by its standard deviation
    """
    from scipy.stats import norm

    # Below that number even wins alone are no proof: see `recipe.steps.s5_baseline`.
    if samples < math.ceil(math.log2(1 / (1 - level))):
        return 0.0
    return float(norm.cdf(effect * math.sqrt(samples) - norm.ppf(level)))


def _find_needed(power_at: Callable[[int], float], wanted: float) -> int | None:
    """Return the smallest number that reaches the power wanted; None where a hundred million do not."""
    high = 1
    while power_at(high) < wanted:
        high *= 2
        if high > LARGEST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= wanted else (middle, high)
    return high


def _check(samples: Sequence[int] | None, level: float, wanted: float, outputs: np.ndarray) -> None:
    for name, value in (("level", level), ("wanted", wanted)):
        if not 0.5 <= value < 1:
            raise ValueError(
                f"A {'confidence' if name == 'level' else 'power'} lies in [0.5, 1). Received: {name}={value}."
            )
    if samples is not None and (not len(samples) or min(samples) < 1):
        raise ValueError(f"A validation set has 1 sample or more. Received: samples={list(samples)}. Give (10, 100).")
    if not np.isfinite(outputs).all():
        raise ValueError(
            "Outputs that are not finite beat nothing, however many samples there are. "
            f"Received: outputs, {int((~np.isfinite(outputs)).sum())} of {np.size(outputs)} not finite. "
            "Train at a lower rate."
        )
