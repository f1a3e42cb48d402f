"""Step 2: which measure of success suits a problem, and why; and how far a measured score may be off by chance.

The rules are those of F. Chollet, Deep Learning with Python, on choosing a measure of success: accuracy (or the area
under a curve) for balanced classes, precision and recall for unbalanced ones, mean average precision for ranking and
multilabel problems; for quantities the mean absolute error, which has the unit of the target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.input_checks import check_targets, expect
from recipe.core.measures import MEASURES, check_outputs
from recipe.core.problem import Problem, ProblemType

if TYPE_CHECKING:
    from recipe.core.dataset import Split
    from recipe.core.prepared import Prepared

LEVEL = 0.95  # of intervals; a test is made at 1 - LEVEL
RESAMPLES = 2_000  # sets of samples that a bootstrap draws
PERMUTATIONS, RANKINGS = 9_999, 499  # of a test: all that there are up to 13 samples; fewer where each is a ranking
BLOCKS = 200  # neighbours of more samples than that are swapped together, which costs next to no power
# Balanced is a matter of degree. Where one class is at most twice as frequent as the other, a blind guess has an
# accuracy of two thirds at most, and what a model adds to it can still be seen.
BALANCED = 2 / 3
CUT_OFF = 0.01  # so large a share of equal largest values is no chance: a census, or a sensor, stopped counting there
FAR_OUT = 0.01  # the share of samples that are called the furthest out
HEAVY = 0.2  # they weigh heavily where they have more than this share of all squared deviation (8 % if normal)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A measure of success for a problem, with the reason.

    Attributes
    ----------
    problem : the name of the problem
    measure : the name of the measure, a key of `recipe.MEASURES`
    reason : a sentence or two, with the numbers that were looked at
    also : other measures to keep an eye on
    caution : what the measure hides in this data; empty where nothing was found
    """

    problem: str
    measure: str
    reason: str
    also: tuple[str, ...] = ()
    caution: str = ""

    def __str__(self) -> str:
        also = f" Also look at {', '.join(self.also)}." if self.also else ""
        caution = f" Mind: {self.caution}" if self.caution else ""
        return f"{self.problem}: {self.measure}. {self.reason}{also}{caution}"


def suggest_measure(problem: Problem, y: np.ndarray) -> Suggestion:
    """Say which measure of success suits a problem, and why.

    Parameters
    ----------
    y : np.ndarray of shape (n,), or (n, outputs) for multilabel and vector targets
        The training targets, raw or prepared: only their shares and proportions count.

    Raises
    ------
    ValueError
        If the targets do not fit the problem, are not finite, or are all the same.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> rare = np.array([0] * 9 + [1])
    >>> print(suggest_measure(find_problem("mnist_five"), rare).measure)
    f1
    """
    expect(problem, Problem, "A measure is suggested for a problem and its targets.")
    y = check_targets(y, problem)
    if (y == y[0]).all():
        raise ValueError(
            f"All {len(y)} targets are the same, so that every model and every guess that says so is right. "
            f"Received: problem={problem.name!r}, y of {y[0]} alone. Take data in which something can be told apart."
        )
    rules = {
        ProblemType.BINARY: _for_yes_or_no,
        ProblemType.MULTICLASS: _for_classes,
        ProblemType.MULTILABEL: _for_labels,
    }
    measure, reason, also, caution = rules.get(problem.type, _for_quantities)(problem, y)
    return Suggestion(problem=problem.name, measure=measure, reason=reason, also=also, caution=caution)


# Each rule returns the measure, the reason, other measures to look at, and a caution.
_Found = tuple[str, str, tuple[str, ...], str]


def _for_yes_or_no(problem: Problem, y: np.ndarray) -> _Found:
    """y: (n,), 0 and 1."""
    share = float(y.mean())
    no, yes = problem.output_names
    most = max(share, 1 - share)
    if most <= BALANCED:
        reason = f"The classes are balanced: {share:.0%} are {yes}. A guess is right about as often as a coin, so that "
        return "accuracy", reason + "accuracy says what a model adds.", (), ""
    reason = (
        f"The classes are unbalanced: {share:.1%} are {yes}. Who always says {yes if share > 0.5 else no!r} has an "
        f"accuracy of {most:.1%} and has learned nothing; F1 asks what is found, and how much of it is right."
    )
    caution = (
        f"the commoner answer is the yes here, and always saying it has an F1 of {2 * share / (1 + share):.2f}. Ask "
        "the opposite question, so that the rare class is the yes."
    )
    return "f1", reason, ("precision", "recall", "average_precision"), caution if share > 0.5 else ""


def _for_classes(problem: Problem, y: np.ndarray) -> _Found:
    """y: (n,), class numbers."""
    shares = np.bincount(y.astype(np.intp), minlength=problem.outputs) / len(y)
    rare, common = (problem.output_names[which] for which in (shares.argmin(), shares.argmax()))
    reason = (
        f"One of {problem.outputs} classes a sample; the most frequent one, {common}, makes up {shares.max():.1%}, and "
        "that is what a guess gets right."
    )
    caution = f"class {rare} makes up only {shares.min():.1%}, and accuracy hardly notices it. Look at each class's "
    return "accuracy", reason, (), "" if shares.max() <= 2 * shares.min() else caution + "recall too."


def _for_labels(problem: Problem, y: np.ndarray) -> _Found:
    """y: (n, labels), 0 and 1."""
    shares = dict(zip(problem.output_names, y.mean(axis=0), strict=True))
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    reason = (
        f"Several labels a sample, each with a share of its own ({listed}). Average precision judges how each label "
        "ranks the samples, without a threshold; its mean over the labels judges the model."
    )
    empty = ", ".join(name for name, share in shares.items() if share in (0, 1))
    caution = f"{empty}: all answers are the same here, so that it cannot be judged." if empty else ""
    return "average_precision", reason, ("f1",), caution


def _for_quantities(problem: Problem, y: np.ndarray) -> _Found:
    """y: (n,) or (n, outputs), floats."""
    y = y.astype(np.float64).reshape(len(y), -1)
    spread = np.maximum(y.std(axis=0), np.finfo(float).tiny)  # outputs of different units count alike
    squares = np.sort(np.square((y - y.mean(axis=0)) / spread).sum(axis=1))[::-1]
    furthest = max(1, round(FAR_OUT * len(y)))
    weight = squares[:furthest].sum() / squares.sum()
    reason = (
        "A quantity: the mean absolute error has its unit and can be said in a sentence. "
        f"The {furthest:,} furthest out of {len(y):,} samples hold {weight:.0%} of all squared deviation: "
        + ("squared, they would drown the rest." if weight > HEAVY else "no handful of them decides.")
    )
    capped = (y == y.max(axis=0)).mean(axis=0)
    names = ", ".join(name for name, share in zip(problem.output_names, capped, strict=True) if share > CUT_OFF)
    caution = (
        f"{capped.max():.1%} of the targets ({names}) are exactly the largest one. What lay above was cut off there, "
    )
    return "mae", reason, ("mse",), caution + "and no model can be judged on it." if names else ""


@dataclass(frozen=True, kw_only=True)
class Uncertainty:
    """The interval of a score, at a level of 95 %: where it may lie on other sets of as many samples.

    Attributes
    ----------
    low, high : the ends of the interval, in the measure's unit
    standard_error : of the score
    method : how they were found
    level : how often such an interval holds the score that endless samples of the same source would have
    """

    low: float
    high: float
    standard_error: float
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
        (drawn,) = resample_scores(problem, y_true, (outputs,), RESAMPLES, seed)
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        error, method = drawn.std(), f"bootstrap of {RESAMPLES:,} resamples"
    return Uncertainty(low=float(low), high=float(high), standard_error=float(error), method=method)


def is_right_or_wrong(problem: Problem) -> bool:
    """Say whether each sample is right or wrong, and the measure counts the right ones: their number is binomial."""
    return problem.measure == "accuracy" and problem.type is not ProblemType.MULTILABEL


def resample_scores(
    problem: Problem, y: np.ndarray, outputs: Sequence[np.ndarray], resamples: int, seed: int
) -> np.ndarray:
    """Return the problem's measure for several models on sets that are drawn with replacement from the one there is.

    Parameters
    ----------
    y : np.ndarray, as `recipe.core.measures.check_outputs` returns it
    outputs : of each model on the same n samples, each of shape (n, outputs)
    resamples : sets to draw, each of n samples
    seed : fixes the draw

    Returns
    -------
    np.ndarray of shape (models, resamples), all models on the same sets
    """
    measure, rng, samples = MEASURES[problem.measure], np.random.default_rng(seed), len(y)
    parts = [measure.parts and measure.parts(y, one) for one in outputs]
    draws = (rng.integers(samples, size=samples) for _ in range(resamples))
    if parts[0] is None:  # a ranking
        return np.array([[measure.compute(problem, y[rows], one[rows]) for one in outputs] for rows in draws]).T
    both = np.hstack(parts)
    means = np.array([both[rows].mean(axis=0) for rows in draws])  # (resamples, models * k)
    return np.array([measure.combine(part[:, None]) for part in np.hsplit(means, len(outputs))])


def permutation_p_value(
    problem: Problem, y: np.ndarray, outputs: np.ndarray, reference: np.ndarray, *, seed: int = 0
) -> float:
    """Return how often a model would be as much better if it were tossed for each sample which output is whose.

    A one-sided paired permutation test of the problem's measure (A. Yeh, COLING 2000). Up to 13 samples all swaps are
    tried, and where the two models can be exchanged it is wrong in 5 % of the cases at most, for any number of samples.
    Where the gains are skewed (exponential, with a mean of 0) they cannot be exchanged. Measured in 10,000 draws (and
    in a slow test), so many of 100 tests of equal models find a difference at p = 0.05:

    =================================  ====  ====  ====  ====  ====  ======  =======
    samples                               6    10    20    50   100   1,000   10,000
    =================================  ====  ====  ====  ====  ====  ======  =======
    normal gains                        4.5   4.6   5.0   5.1   4.9     4.6      5.2
    many small losses, rare big gains   1.1   1.4   2.0   2.7   3.0     4.4      4.9
    many small gains, rare big losses  13.8  13.5  10.6   8.5   7.7     5.6      5.2
    =================================  ====  ====  ====  ====  ====  ======  =======

    Parameters
    ----------
    y : np.ndarray, as `recipe.core.measures.check_outputs` returns it
    outputs, reference : np.ndarray of shape (n, outputs), of the model and of what it is compared with
    seed : fixes the swaps that are drawn where there are too many to try all
    """
    from scipy.stats import permutation_test, rankdata

    measure, samples = MEASURES[problem.measure], len(y)
    starts = np.unique(np.linspace(0, samples, min(samples, BLOCKS), endpoint=False, dtype=int))
    parts = [measure.parts and measure.parts(y, one) for one in (outputs, reference)]
    if is_ranking := parts[0] is None:
        sizes = np.diff([*starts, samples])
        parts = [rankdata(one, axis=0) for one in (outputs, reference)]  # the same ranking, on one scale for both

        def score(ours: np.ndarray) -> float:  # (blocks,), 1 where the output is the model's
            return measure.compute(problem, y, np.where(np.repeat(ours, sizes)[:, None], *parts))
    else:
        sums = [np.add.reduceat(one, starts) / samples for one in parts]  # each (blocks, k)

        def score(ours: np.ndarray) -> np.ndarray:  # (..., blocks)
            return measure.combine((ours @ sums[0] + (1 - ours) @ sums[1])[..., None, :])

    found = permutation_test(
        (np.ones(len(starts)), np.zeros(len(starts))),
        # In float32, so that SciPy takes gains that differ by rounding alone as equal.
        lambda ours, theirs, axis=-1: np.float32(measure.gain(score(ours), score(theirs))),
        permutation_type="samples",
        alternative="greater",
        vectorized=not is_ranking,
        n_resamples=RANKINGS if is_ranking else PERMUTATIONS,
        random_state=seed,
    )
    return float(found.pvalue)


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
