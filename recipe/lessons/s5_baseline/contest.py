"""A small model and the baseline on the same validation samples, and how many such samples it takes to tell them apart.

`recipe.statistical_power` tests the samples that there are. Here it is asked beforehand: if the rates seen so far are
the true ones, which share of validation sets of a given size would show a significant difference?
"""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import (
    LEVEL,
    Baseline,
    StatisticalPower,
    compute_baseline,
    count_wins,
    resample_scores,
    statistical_power,
)
from recipe.steps.training import train

WANTED = 0.8  # the power that studies are usually planned for
LARGEST = 100_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class PowerCurve:
    """The power of validation sets of several sizes: which share of them would show that the model is better.

    Attributes
    ----------
    samples, power : np.ndarray of shape (k,), sizes, rising, and the share of sets of that size
    seen : how many samples the rates were taken from
    needed : about the smallest number of samples with a power of `WANTED` (the exact test's power rises in a sawtooth);
        None where the model is not better, or a hundred million are not enough
    """

    samples: np.ndarray = field(repr=False)
    power: np.ndarray = field(repr=False)
    seen: int
    needed: int | None

    @property
    def sentence(self) -> str:
        """How many samples to plan for, in words."""
        if self.needed is None:
            return "No number of validation samples that one could collect would show that the model is better."
        return (
            f"To show this difference with a confidence of {LEVEL:.0%} in {WANTED:.0%} of all cases it takes "
            f"{self.needed:,} validation samples; there are {self.seen:,}."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """A trained model's outputs on the validation samples, beside those of the baseline.

    Attributes
    ----------
    y_val : np.ndarray of shape (n,) or (n, outputs)
    outputs : np.ndarray of shape (n, outputs)
    trained_on : how many samples the model learned from
    """

    problem: Problem
    source: str
    trained_on: int
    y_val: np.ndarray = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    baseline: Baseline

    @cached_property
    def power(self) -> StatisticalPower:
        """The test on all validation samples."""
        return statistical_power(self.problem, self.y_val, self.outputs, self.baseline)

    def judge(self, samples: int, *, seed: int = 0) -> StatisticalPower:
        """Test on so many validation samples, drawn without replacement; on all of them where there are no more."""
        rows = np.random.default_rng(seed).permutation(len(self.y_val))[:samples]
        few = dataclasses.replace(self.baseline, outputs=self.baseline.outputs[rows])
        return statistical_power(self.problem, self.y_val[rows], self.outputs[rows], few, seed=seed)

    @cached_property
    def curve(self) -> PowerCurve:
        """The power of validation sets of all sizes, if what is seen on all samples is the truth.

        Where each sample is right or wrong, the power of the exact McNemar test is exact: the number of samples on
        which the two differ follows a binomial distribution, and so do the wins among them. For other measures the
        difference is taken as normal, with a standard deviation that shrinks with the root of the number of samples.
        """
        measure, seen = MEASURES[self.problem.measure], len(self.y_val)
        both = self.outputs, self.baseline.outputs
        differing = count_wins(self.problem, self.y_val, *both)
        if differing is not None:
            win, loss = (count / seen for count in differing)
            power_at = lambda number: mcnemar_power(win, loss, number)  # noqa: E731
        else:
            gains = measure.gain(*resample_scores(self.problem, self.y_val, both, 2000, 0))
            effect = self.power.difference / max(float(gains.std()) * math.sqrt(seen), 1e-12)
            power_at = lambda number: normal_power(effect, number)  # noqa: E731
        needed = _find_needed(power_at) if self.power.difference > 0 else None
        sizes = np.unique(np.geomspace(5, 4 * max(needed or seen, 10), 40).astype(int))
        return PowerCurve(
            samples=sizes, power=np.array([power_at(int(size)) for size in sizes]), seen=seen, needed=needed
        )


def compete(run: Run, prepared: Prepared) -> Contest:
    """Put a trained model beside the baseline of its own training part."""
    return Contest(
        problem=prepared.problem,
        source=prepared.source,
        trained_on=len(prepared.y_train),
        y_val=prepared.y_val,
        outputs=np.asarray(run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)),
        baseline=compute_baseline(prepared.problem, prepared.y_train, prepared.y_val),
    )


def hold_contest(
    dataset: Dataset, spec: ModelSpec, *, trained_on: int, seed: int = 0, stop: threading.Event | None = None
) -> Contest:
    """Hold half of the samples out, train a small model on a few of the rest, and put it beside the baseline.

    Parameters
    ----------
    trained_on : samples to learn from
    stop : once set, training ends with the epoch that is under way

    Raises
    ------
    ValueError
        If there are fewer samples to learn from than asked for.
    """
    split = hold_out(dataset, test_size=0.5, seed=seed)
    there = len(split.y_train)
    if not 1 <= trained_on <= there:
        raise ValueError(
            f"{there} samples are there to learn from. Received: trained_on={trained_on}. Give 1 to {there}."
        )
    split = dataclasses.replace(split, x_train=split.x_train[:trained_on], y_train=split.y_train[:trained_on])
    prepared = prepare(split, encoding=encoding_for(spec, dataset.problem))
    return compete(train(spec, prepared, stop=stop, journal=None), prepared)


def mcnemar_power(win: float, loss: float, samples: int) -> float:
    """Return the power of the exact, one-sided McNemar test at the confidence `LEVEL`.

    Parameters
    ----------
    win, loss : probability that only the model, and only the baseline, gets a sample right
    samples : of the validation set

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
    # The fewest wins among so many that are significant: P(X >= wins) <= 1 - LEVEL for a fair coin.
    fewest = binom.isf(round(1 - LEVEL, 12), number, 0.5) + 1
    significant = binom.sf(fewest - 1, number, win / differing)
    return float(np.sum(binom.pmf(number, samples, differing) * significant))


def normal_power(effect: float, samples: int) -> float:
    """Return the power of a one-sided test of a mean at the confidence `LEVEL`.

    Parameters
    ----------
    effect : mean of the difference of one sample, divided by its standard deviation
    """
    from scipy.stats import norm

    if samples < math.ceil(math.log2(1 / (1 - LEVEL))):  # below that number even wins alone are no proof
        return 0.0
    return float(norm.cdf(effect * math.sqrt(samples) - norm.ppf(LEVEL)))


def _find_needed(power_at: Callable[[int], float]) -> int | None:
    """Return the smallest number that reaches the power wanted; None where a hundred million do not."""
    high = 1
    while power_at(high) < WANTED:
        high *= 2
        if high > LARGEST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= WANTED else (middle, high)
    return high
