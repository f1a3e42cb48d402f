"""Step 3: are the parts of a split fit to judge by? One distribution, nothing from the future."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from recipe.core.reviews import Reviews
from recipe.steps.s3_duplicates import Samples, check_shapes

REVIEW_WORDS = 1_000  # the most frequent words say enough to tell two kinds of texts apart
TREES = 200


@dataclass(frozen=True, kw_only=True)
class DistributionCheck:
    """How well a classifier tells two parts of the data apart.

    Attributes
    ----------
    auc : the chance that a sample of the second part gets a higher score than one of the first: 0.5 is a coin
    interval : of the AUC, by the method of DeLong
    samples : how many samples of each part were compared
    level : confidence of the interval
    """

    auc: float
    interval: tuple[float, float]
    samples: tuple[int, int]
    level: float = 0.95

    @property
    def same(self) -> bool:
        """Whether the two parts may come from one distribution: the interval reaches down to a coin's 0.5."""
        return self.interval[0] <= 0.5

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        low, high = self.interval
        numbers = f"AUC {self.auc:.3f} ({self.level:.0%} interval {low:.3f} to {high:.3f})"
        if self.same:
            return f"A classifier cannot tell the two parts apart: {numbers}."
        return f"A classifier tells the two parts apart: {numbers}. A score on the one says little about the other."


def same_distribution(
    a: Samples,
    b: Samples,
    *,
    y_a: np.ndarray | None = None,
    y_b: np.ndarray | None = None,
    rows: int = 2_000,
    level: float = 0.95,
    seed: int = 0,
) -> DistributionCheck:
    """Train a classifier to tell two parts of the data apart; if it cannot, they may come from one distribution.

    A forest of random trees learns from one half of the samples which part each is from, and is judged on the other
    half. It is no proof that the parts are alike: what this classifier does not see, another might. And of many
    checks on parts that are alike, one in forty finds a difference (at a level of 0.95).

    Parameters
    ----------
    a, b : the inputs of the two parts: images, tables, or reviews
    y_a, y_b : their targets, of shape (n,) or (n, outputs), to be compared along with the inputs; None: inputs alone
    rows : samples of each part, drawn at random, that are compared at most
    level : confidence of the interval
    seed : fixes the draw, the halves and the trees

    Raises
    ------
    ValueError
        If a part has fewer than 10 samples, the two are of different shapes, or only one of them has targets.

    References
    ----------
    D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, ICLR 2017.
    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver
    operating characteristic curves, Biometrics 44, 1988.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> north, south = rng.normal(1, 1, (200, 3)), rng.normal(-1, 1, (200, 3))
    >>> same_distribution(north, south).same
    False
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import train_test_split

    _check_parts(a, b, y_a, y_b, level)
    rng = np.random.default_rng(seed)
    parts = []
    for x, y in ((a, y_a), (b, y_b)):
        chosen = rng.permutation(len(x))[:rows]
        parts.append(_as_table(x[chosen], None if y is None else y[chosen]))
    sizes = tuple(len(part) for part in parts)
    is_b = np.repeat([0, 1], sizes)
    # Half to learn from, half to be judged on: folds would share samples, and DeLong's interval would be too narrow.
    table, table_judged, is_b, is_b_judged = train_test_split(
        np.concatenate(parts), is_b, test_size=0.5, stratify=is_b, random_state=seed
    )
    # Balanced weights, so that a small part is not simply called the large one; leaves of 5 tame the noise.
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=5, class_weight="balanced", random_state=seed)
    scores = forest.fit(table, is_b).predict_proba(table_judged)[:, 1]
    auc, interval = auc_interval(scores[is_b_judged == 0], scores[is_b_judged == 1], level)
    return DistributionCheck(auc=auc, interval=interval, samples=sizes, level=level)


def auc_interval(scores_a: np.ndarray, scores_b: np.ndarray, level: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Return the chance that a score of b is above one of a (ties count half), and DeLong's interval of it.

    Examples
    --------
    >>> auc_interval(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.5, 3.5, 4.5, 5.5]))[0]
    0.8125
    """
    from scipy.stats import norm, rankdata

    ranks = rankdata(np.concatenate([scores_a, scores_b]))
    n_a, n_b = len(scores_a), len(scores_b)
    # The rank among all less the rank among its own is how many of the others lie below.
    below_b = (ranks[n_a:] - rankdata(scores_b)) / n_a  # (n_b,), for each of b the share of a below it
    above_a = 1 - (ranks[:n_a] - rankdata(scores_a)) / n_b  # (n_a,), for each of a the share of b above it
    auc = float(below_b.mean())
    error = math.sqrt(below_b.var(ddof=1) / n_b + above_a.var(ddof=1) / n_a)
    reach = float(norm.ppf((1 + level) / 2)) * error
    return auc, (max(0.0, auc - reach), min(1.0, auc + reach))


@dataclass(frozen=True, kw_only=True)
class TimeOrder:
    """Whether a split lets a model learn from what lies after the samples it is judged on.

    Attributes
    ----------
    early : validation samples that are older than the newest training sample
    size : samples in the validation part
    """

    early: int
    size: int

    @property
    def kept(self) -> bool:
        """Whether all validation samples come after the training part (or at the same time)."""
        return self.early == 0

    @property
    def sentence(self) -> str:
        """The count in words."""
        if self.kept:
            return f"All {self.size:,} validation samples come after the training part."
        return f"{self.early:,} of {self.size:,} validation samples are older than the newest training sample."


def check_time_order(times_train: np.ndarray, times_val: np.ndarray) -> TimeOrder:
    """Count the validation samples that are older than the newest training sample.

    Parameters
    ----------
    times_train, times_val : of shape (n,), anything that can be compared: dates, years, numbers

    Examples
    --------
    >>> check_time_order(np.array([2001, 2004]), np.array([2003, 2005])).sentence
    '1 of 2 validation samples are older than the newest training sample.'
    """
    times_train, times_val = np.asarray(times_train), np.asarray(times_val)
    if not (times_train.size and times_val.size):
        raise ValueError(
            f"Both parts need a time. Received: {times_train.size} and {times_val.size} times. Give one a sample."
        )
    return TimeOrder(early=int((times_val < times_train.max()).sum()), size=times_val.size)


def _as_table(x: Samples, y: np.ndarray | None) -> np.ndarray:
    """Return inputs, and targets behind them, as float32 (n, columns)."""
    if isinstance(x, Reviews):
        lengths = np.diff(x.offsets)[:, None]
        columns = np.hstack([x.multi_hot(REVIEW_WORDS), lengths])
    else:
        columns = np.asarray(x).reshape(len(x), -1)
    targets = np.zeros((len(columns), 0)) if y is None else np.asarray(y).reshape(len(columns), -1)
    return np.hstack([columns, targets]).astype(np.float32)


def _check_parts(a: Samples, b: Samples, y_a: object, y_b: object, level: float) -> None:
    check_shapes(a, b, y_a, y_b)
    if min(len(a), len(b)) < 10:
        raise ValueError(
            f"With fewer than 10 samples nothing can be told. Received: parts of {len(a)} and {len(b)} samples. "
            "Take larger parts."
        )
    if not 0.5 <= level < 1:
        raise ValueError(f"A confidence lies in [0.5, 1). Received: level={level}. The usual one is 0.95.")
