"""Step 2: how far a measured score may be off by chance, and whether one model is better than another beyond it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Split
from recipe.core.measures import MEASURES, check_outputs
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType

LEVEL = 0.95  # of intervals; a test is made at 1 - LEVEL
RESAMPLES = 2_000  # sets of samples that a bootstrap draws
PERMUTATIONS, RANKINGS = 9_999, 499  # of a test: all that there are up to 13 samples; fewer where each is a ranking
BLOCKS = 200  # neighbours of more samples than that are swapped together, which costs next to no power


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """The interval of a score, at a level of 95 %: so often it holds that of endless samples of the same source.

    Attributes
    ----------
    low, high : the ends of the interval, in the measure's unit
    standard_error : of the score
    method : how they were found
    """

    low: float
    high: float
    standard_error: float
    method: str


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
    from scipy.stats import binomtest

    y_true, outputs = check_outputs(problem, y_true, outputs)
    if not np.isfinite(outputs).all():
        low = high = error = math.nan
        method = "none: the outputs are not finite"
    elif is_right_or_wrong(problem):
        right, samples = int(MEASURES[problem.measure].parts(y_true, outputs).sum()), len(y_true)
        low, high = binomtest(right, samples).proportion_ci(LEVEL, method="exact")
        share = (right + 1) / (samples + 2)  # the rule of succession: not even a perfect score is certain
        error, method = math.sqrt(share * (1 - share) / samples), "exact binomial"
    else:
        (drawn,) = resample_scores(problem, y_true, (outputs,), seed)
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        error, method = drawn.std(), f"bootstrap of {RESAMPLES:,} resamples"
    return Uncertainty(low=float(low), high=float(high), standard_error=float(error), method=method)


def is_right_or_wrong(problem: Problem) -> bool:
    """Say whether each sample is right or wrong, and the measure counts the right ones: their number is binomial."""
    return problem.measure == "accuracy" and problem.type is not ProblemType.MULTILABEL


def resample_scores(problem: Problem, y: np.ndarray, outputs: Sequence[np.ndarray], seed: int) -> np.ndarray:
    """Return the problem's measure for several models on 2,000 sets that are drawn with replacement from the one given.

    Parameters
    ----------
    y : np.ndarray, as `recipe.core.measures.check_outputs` returns it
    outputs : of each model on the same n samples, each of shape (n, outputs)
    seed : fixes the draw

    Returns
    -------
    np.ndarray of shape (models, 2000), all models on the same sets
    """
    measure, rng, samples = MEASURES[problem.measure], np.random.default_rng(seed), len(y)
    parts = [measure.parts and measure.parts(y, one) for one in outputs]
    draws = (rng.integers(samples, size=samples) for _ in range(RESAMPLES))
    if parts[0] is None:  # a ranking
        return np.array([[measure.compute(problem, y[rows], one[rows]) for one in outputs] for rows in draws]).T
    both = np.hstack(parts)
    means = np.array([both[rows].mean(axis=0) for rows in draws])  # (2000, models * k)
    return np.array([measure.combine(part[:, None]) for part in np.hsplit(means, len(outputs))])


def paired_test(
    problem: Problem, y: np.ndarray, outputs: np.ndarray, reference: np.ndarray, *, seed: int = 0
) -> tuple[float, str]:
    """Return how likely a model that is no better would look so much better than another, and which test says so.

    Both are judged on the same samples: what counts is where they differ. Where each sample is right or wrong the test
    is McNemar's in its exact form: samples that both get right, or both wrong, tell nothing; if neither were better,
    the rest would fall to either side like a fair coin. Any other measure is permuted: it is tossed for each sample
    which output is whose (a one-sided paired permutation test; A. Yeh, COLING 2000). Up to 13 samples all swaps are
    tried, and where the two models can be exchanged it is wrong in 5 % of the cases at most, for any number of samples.
    Where the gains are skewed they cannot be exchanged: how often it is wrong then stands in ``docs/verdicts.md``.

    Parameters
    ----------
    y : np.ndarray, as `recipe.core.measures.check_outputs` returns it
    outputs, reference : np.ndarray of shape (n, outputs), of the model and of what it is compared with
    seed : fixes the swaps that are drawn where there are too many to try all
    """
    from scipy.stats import binom, permutation_test, rankdata

    measure, samples = MEASURES[problem.measure], len(y)
    both = [outputs, reference] if measure.parts is None else [measure.parts(y, one) for one in (outputs, reference)]
    if is_right_or_wrong(problem):
        wins, losses = (both[0] > both[1]).sum(), (both[0] < both[1]).sum()
        return float(binom.sf(wins - 1, wins + losses, 0.5)), "exact McNemar test"
    starts = np.unique(np.linspace(0, samples, min(samples, BLOCKS), endpoint=False, dtype=int))
    if measure.parts is None:
        sizes = np.diff([*starts, samples])
        ranks = [rankdata(one, axis=0) for one in both]  # the same ranking, on one scale for both

        def score(ours: np.ndarray) -> float:  # (blocks,), 1 where the output is the model's
            return measure.compute(problem, y, np.where(np.repeat(ours, sizes)[:, None], *ranks))
    else:
        sums = [np.add.reduceat(one, starts) / samples for one in both]  # each (blocks, k)

        def score(ours: np.ndarray) -> np.ndarray:  # (..., blocks)
            return measure.combine((ours @ sums[0] + (1 - ours) @ sums[1])[..., None, :])

    found = permutation_test(
        (np.ones(len(starts)), np.zeros(len(starts))),
        # In float32, so that SciPy takes gains that differ by rounding alone as equal.
        lambda ours, theirs, axis=-1: np.float32(measure.gain(score(ours), score(theirs))),
        permutation_type="samples",
        alternative="greater",
        vectorized=measure.parts is not None,
        n_resamples=RANKINGS if measure.parts is None else PERMUTATIONS,
        batch=2_000,  # the same draws, in a fifth of the memory that all at once take
        random_state=seed,
    )
    return float(found.pvalue), "paired permutation test"


def variance_of_folds(folds: Sequence[Split | Prepared]) -> float:
    """Return the variance of the mean of several folds' scores, as a multiple of that of one score.

    Of k independent scores it would be 1 / k. But folds share training samples, and repeated ones their validation
    samples as well, so that Nadeau and Bengio (Machine Learning 52, 2003) add the ratio of validation to training
    samples: with ever more folds the mean does not become ever more certain.

    Examples
    --------
    >>> from recipe import k_fold, load
    >>> round(variance_of_folds(k_fold(load("housing", source="sample", rows=100))), 3)
    0.583
    """
    if len(folds) == 1:
        return 1.0
    return 1 / len(folds) + sum(len(fold.y_val) / len(fold.y_train) for fold in folds) / len(folds)
