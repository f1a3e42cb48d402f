"""How far a score may be off because the set that it was measured on is finite."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from recipe.core.measures import MEASURES, check_outputs
from recipe.core.problem import Problem, ProblemType
from recipe.steps.s5_baseline import resample_scores

RESAMPLES = 2_000
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """The confidence interval of a score, for other sets of as many samples from the same source.

    Attributes
    ----------
    low, high : the ends of the interval, in the measure's unit
    spread : standard error of the score
    method : how they were found
    level : confidence
    """

    low: float
    high: float
    spread: float
    method: str
    level: float = LEVEL


def estimate_uncertainty(problem: Problem, y_true: np.ndarray, outputs: np.ndarray, *, seed: int = 0) -> Uncertainty:
    """Estimate how uncertain the problem's measure is on these samples.

    A share of right answers has an exact interval, the binomial one of Clopper and Pearson. Any other measure is
    computed on 2,000 sets that are drawn from the samples with replacement (a percentile bootstrap).

    Parameters
    ----------
    y_true : np.ndarray of shape (n,) or (n, outputs), labels or quantities in the problem's unit
    outputs : np.ndarray of shape (n, outputs), a network's raw outputs
    seed : fixes the bootstrap

    Raises
    ------
    ValueError
        If the shapes do not fit the problem.

    References
    ----------
    C. Clopper and E. Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26, 1934. B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> found = estimate_uncertainty(find_problem("imdb"), np.array([0, 1] * 10), np.array([[0.1], [0.8]] * 10))
    >>> round(found.low, 3), found.high, found.method
    (0.832, 1.0, 'exact binomial')
    """
    measure = MEASURES[problem.measure]
    y_true, outputs = check_outputs(problem, y_true, outputs)
    if not np.isfinite(outputs).all():
        return Uncertainty(low=math.nan, high=math.nan, spread=math.nan, method="none: the outputs are not finite")
    if measure.name == "accuracy" and problem.type is not ProblemType.MULTILABEL:
        return _binomial(measure.per_sample(problem, y_true, outputs))
    (drawn,) = resample_scores(problem, y_true, (outputs,), RESAMPLES, seed)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    return Uncertainty(low=low, high=high, spread=float(drawn.std()), method=f"bootstrap of {RESAMPLES:,} resamples")


def _binomial(right: np.ndarray) -> Uncertainty:
    """Return the exact interval of a share of ones, (n,) of 0 and 1."""
    from scipy.stats import binomtest

    samples, successes = len(right), int(right.sum())
    found = binomtest(successes, samples).proportion_ci(LEVEL, method="exact")
    share = (successes + 1) / (samples + 2)  # the rule of succession: not even a perfect score is certain
    spread = math.sqrt(share * (1 - share) / samples)
    return Uncertainty(low=float(found.low), high=float(found.high), spread=spread, method="exact binomial")
