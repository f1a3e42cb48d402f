"""Are the parts of a split fit to judge by? No sample in both of them, and both from one distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.reviews import Reviews

REVIEW_WORDS = 1_000  # the most frequent words say enough to tell two kinds of texts apart
TREES = 200
ALARMS = 1 / 40  # of parts that are alike are told apart by chance


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """How many samples of the second part have a duplicate in the first, and how many samples it has."""

    in_second: int
    size: int

    @property
    def share(self) -> float:
        """The share of the second part that has a duplicate in the first."""
        return self.in_second / self.size

    @property
    def sentence(self) -> str:
        """The count in words."""
        return f"{self.in_second:,} of {self.size:,} samples ({self.share:.2%}) have a duplicate in the other part."


def find_duplicates(a: Samples, b: Samples) -> Duplicates:
    """Find the samples of one part that stand in the other too, equal in every number.

    Hand in some columns to find samples that share those, such as districts at one place: ``find_duplicates(x_train[:,
    :2], x_val[:, :2])``.

    Raises
    ------
    TypeError, ValueError
        If these are no inputs of two parts, or samples of different shapes.

    Examples
    --------
    >>> find_duplicates(np.array([[1, 2], [3, 4]]), np.array([[3, 4], [5, 6]])).sentence
    '1 of 2 samples (50.00%) have a duplicate in the other part.'
    """
    _check_parts(a, b, least=1)
    known = set(_rows_as_bytes(a))
    return Duplicates(in_second=sum(row in known for row in _rows_as_bytes(b)), size=len(b))


def _rows_as_bytes(x: Samples) -> list[bytes]:
    rows = x if isinstance(x, Reviews) else np.asarray(x) + 0  # -0.0 equals 0.0, and has other bytes
    return [row.tobytes() for row in rows]


@dataclass(frozen=True, kw_only=True)
class DistributionCheck:
    """How well a classifier tells two parts of the data apart.

    Attributes
    ----------
    auc : the chance that a sample of the second part gets a higher score than one of the first: 0.5 is a coin
    p_value : how often so high an AUC would turn up if the two parts were alike, by the test of Mann and Whitney
    """

    auc: float
    p_value: float

    @property
    def same(self) -> bool:
        """Whether the two parts may come from one distribution: the p-value is above one in forty."""
        return self.p_value > ALARMS

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        numbers = f"AUC {self.auc:.3f} (p {'< 0.001' if self.p_value < 0.001 else f'= {self.p_value:.2g}'})"
        if self.same:
            return f"A classifier cannot tell the two parts apart: {numbers}."
        return f"A classifier tells the two parts apart: {numbers}. A score on the one says little about the other."


def same_distribution(a: Samples, b: Samples, *, rows: int = 2_000, seed: int = 0) -> DistributionCheck:
    """Train a classifier to tell two parts of the data apart; if it cannot, they may come from one distribution.

    A forest of random trees learns from one half of the samples which part each is from, and is judged on the other
    half. It is no proof that the parts are alike: what this classifier does not see, another might. And of many
    checks on parts that are alike, one in forty finds a difference.

    Parameters
    ----------
    a, b : the inputs of the two parts: images, tables, or reviews
    rows : samples of each part, drawn at random, that are compared at most
    seed : fixes the draw, the halves and the trees

    Raises
    ------
    TypeError, ValueError
        If these are no inputs of two parts, a part has fewer than 10 samples, or the two are of different shapes.

    References
    ----------
    D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, ICLR 2017.
    H. B. Mann and D. R. Whitney, On a test of whether one of two random variables is stochastically larger than the
    other, Annals of Mathematical Statistics 18, 1947.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> north, south = rng.normal(1, 1, (200, 3)), rng.normal(-1, 1, (200, 3))
    >>> same_distribution(north, south).same
    False
    """
    from scipy.stats import mannwhitneyu
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import train_test_split

    _check_parts(a, b, least=10)
    rng = np.random.default_rng(seed)
    parts = [_as_table(x[rng.permutation(len(x))[:rows]]) for x in (a, b)]
    is_b = np.repeat([0, 1], [len(part) for part in parts])
    # Half to learn from, half to be judged on: folds would share samples, and the test finds too much.
    table, table_judged, is_b, is_b_judged = train_test_split(
        np.concatenate(parts), is_b, test_size=0.5, stratify=is_b, random_state=seed
    )
    # Balanced weights, so that a small part is not simply called the large one; leaves of 5 tame the noise.
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=5, class_weight="balanced", random_state=seed)
    scores = forest.fit(table, is_b).predict_proba(table_judged)[:, 1]
    of_a, of_b = (scores[is_b_judged == part] for part in (0, 1))
    tested = mannwhitneyu(of_b, of_a, alternative="greater")
    return DistributionCheck(auc=float(tested.statistic / (len(of_a) * len(of_b))), p_value=float(tested.pvalue))


def _as_table(x: Samples) -> np.ndarray:
    """Return inputs as float32 (n, columns); of reviews which frequent words they hold, and how long they are."""
    if isinstance(x, Reviews):
        x = np.hstack([x.multi_hot(REVIEW_WORDS), np.diff(x.offsets)[:, None]])
    return np.asarray(x, np.float32).reshape(len(x), -1)


def _check_parts(a: Samples, b: Samples, *, least: int) -> None:
    """Refuse parts that cannot be compared: no inputs, too few samples, other columns."""
    if not all(isinstance(x, Reviews) or np.ndim(x) for x in (a, b)):
        raise TypeError(
            f"The inputs of two parts are compared. Received: a {type(a).__name__} and a {type(b).__name__}. "
            "Give arrays or reviews, such as split.x_train and split.x_val."
        )
    shapes = ["reviews" if isinstance(x, Reviews) else np.shape(x)[1:] for x in (a, b)]
    if min(len(a), len(b)) < least or shapes[0] != shapes[1]:
        raise ValueError(
            f"Parts of at least {least} samples of one shape can be compared. Received: {len(a)} of {shapes[0]} and "
            f"{len(b)} of {shapes[1]}. Take larger parts, or the same columns of both."
        )
