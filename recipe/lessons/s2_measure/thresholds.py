"""Step 2: what another threshold, or another class balance, makes of the same yes-or-no model.

The model is trained once; moving the threshold only asks it to be surer, or less sure, before it says yes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recipe.core.measures import THRESHOLD


@dataclass(frozen=True, kw_only=True)
class ConfusionMatrix:
    """The answers of a yes-or-no model, counted: what was true against what was said.

    Attributes
    ----------
    true_positives : said yes, and it is one
    false_negatives : said no, and it is a yes: a miss
    false_positives : said yes, and it is a no: a false alarm
    true_negatives : said no, and it is one

    Examples
    --------
    >>> never = ConfusionMatrix(true_positives=0, false_negatives=9, false_positives=0, true_negatives=91)
    >>> never.accuracy, never.recall
    (0.91, 0.0)
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def accuracy(self) -> float:
        """The share of answers that are right."""
        return float(np.trace(self.table()) / self.table().sum())

    @property
    def precision(self) -> float:
        """Of what was called a yes, the share that is one; 0 where nothing was."""
        return self.true_positives / max(self.true_positives + self.false_positives, 1)

    @property
    def recall(self) -> float:
        """Of what is a yes, the share that was found; 0 where there is none."""
        return self.true_positives / max(self.true_positives + self.false_negatives, 1)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: low where either of them is."""
        right, wrong = self.true_positives, self.false_positives + self.false_negatives
        return 2 * right / max(2 * right + wrong, 1)

    def table(self) -> np.ndarray:
        """Return the counts as scikit-learn lays them out, int (2, 2): a row for what is true, a column for what was
        said, no before yes."""
        return np.array(
            [[self.true_negatives, self.false_positives], [self.false_negatives, self.true_positives]], dtype=np.int64
        )


def confusion_matrix(y_true: np.ndarray, scores: np.ndarray, threshold: float = THRESHOLD) -> ConfusionMatrix:
    """Count right and wrong answers where a score above the threshold is a yes.

    Parameters
    ----------
    y_true : np.ndarray of shape (n,) or (n, 1), 0 for no and 1 for yes
    scores : np.ndarray of shape (n,) or (n, 1), such as a sigmoid puts out

    Raises
    ------
    ValueError
        If the shapes differ, a label is neither 0 nor 1, or a score or the threshold is not finite.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    ConfusionMatrix(true_positives=1, false_negatives=1, false_positives=1, true_negatives=1)
    """
    from sklearn import metrics

    y_true, scores = _check_scores(y_true, scores)
    if not np.isfinite(threshold):
        raise ValueError(f"A threshold is a number. Received: threshold={threshold}. Give one between 0 and 1.")
    counts = metrics.confusion_matrix(y_true, scores > threshold, labels=[0, 1]).ravel().tolist()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return ConfusionMatrix(**dict(zip(names, counts, strict=True)))


@dataclass(frozen=True, kw_only=True, eq=False)
class PrecisionRecall:
    """Precision and recall at every threshold that changes an answer.

    Attributes
    ----------
    thresholds : np.ndarray of shape (k,), rising; a score above it is a yes
    precision, recall : np.ndarray of shape (k,), at these thresholds
    average_precision : precision averaged over the recall that each threshold gains: it judges the ranking alone
    share : of yes among the samples, which is the precision of a guess
    """

    thresholds: np.ndarray = field(repr=False)
    precision: np.ndarray = field(repr=False)
    recall: np.ndarray = field(repr=False)
    average_precision: float
    share: float

    @cached_property
    def f1(self) -> np.ndarray:
        """F1 at each threshold, shape (k,)."""
        return 2 * self.precision * self.recall / np.maximum(self.precision + self.recall, 1e-12)

    @property
    def best_threshold(self) -> float:
        """The threshold with the highest F1 on these samples; on others it is a little worse, as it was chosen here."""
        return float(self.thresholds[self.f1.argmax()])


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdReport:
    """A model judged at one threshold and one class balance, beside the answer that is always no.

    Attributes
    ----------
    model, never : the counts of the model and of "never a yes", on the same samples
    curve : what the other thresholds would give
    """

    threshold: float
    model: ConfusionMatrix
    never: ConfusionMatrix
    curve: PrecisionRecall


def precision_recall(y_true: np.ndarray, scores: np.ndarray) -> PrecisionRecall:
    """Return precision and recall at every threshold; the arguments are those of `confusion_matrix`.

    Raises
    ------
    ValueError
        As `confusion_matrix` does, and if there is no yes, for then there is nothing to find.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve

    y_true, scores = _check_scores(y_true, scores)
    if not y_true.any():
        raise ValueError(
            f"None of the {len(y_true)} samples is a yes, so there is nothing to find. Received: y_true, all 0. "
            "Take more samples."
        )
    precision, recall, at_least = precision_recall_curve(y_true, scores)
    # scikit-learn says yes from its threshold on, the kit above it: halfway to the score below is the same answer.
    below = np.concatenate([[at_least[0] - 1e-6], at_least[:-1]])
    return PrecisionRecall(
        thresholds=(at_least + below) / 2,
        precision=precision[:-1],
        recall=recall[:-1],
        average_precision=float(average_precision_score(y_true, scores)),
        share=float(y_true.mean()),
    )


def rebalance(y_true: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """Choose samples so that a given share of them is a yes, leaving out as few as possible.

    Samples are drawn without replacement, in an order that depends on the seed alone: with a little more or less of
    a class the rest stays the same, so that what changes is the balance and not the luck.

    Parameters
    ----------
    y_true : np.ndarray of shape (n,) or (n, 1), 0 for no and 1 for yes
    share : of yes among the chosen samples, above 0 and below 1; at least one of each kind is taken

    Returns
    -------
    np.ndarray of shape (chosen,), rising indices into `y_true`

    Raises
    ------
    ValueError
        If the share is not between 0 and 1, or one of the two classes is missing.

    Examples
    --------
    >>> y = np.array([1, 1, 0, 0, 0, 0, 0, 0])
    >>> y[rebalance(y, 0.5)].tolist()
    [1, 1, 0, 0]
    """
    y_true = np.asarray(y_true).reshape(-1)
    rng = np.random.default_rng(seed)
    yes, no = (rng.permutation(np.flatnonzero(y_true == label)) for label in (1, 0))
    if not 0 < share < 1:
        raise ValueError(f"A share of yes lies between 0 and 1. Received: share={share}. Give one such as 0.1.")
    if not len(yes) or not len(no):
        raise ValueError(
            f"One of the two classes is missing: there are {len(yes)} yes and {len(no)} no. "
            f"Received: y_true of {len(y_true)} samples. Take more of them."
        )
    total = min(len(yes) / share, len(no) / (1 - share))
    many = max(1, round(total * share)), max(1, round(total * (1 - share)))
    return np.sort(np.concatenate([yes[: many[0]], no[: many[1]]]))


def judge_threshold(
    y_true: np.ndarray,
    scores: np.ndarray,
    *,
    threshold: float = THRESHOLD,
    share: float | None = None,
    seed: int = 0,
) -> ThresholdReport:
    """Judge a model at a threshold, on samples of which a given share is a yes, beside "never a yes".

    Parameters
    ----------
    y_true, scores : as in `confusion_matrix`
    share : of yes among the samples that are judged, chosen by `rebalance`; None takes all samples as they are

    Raises
    ------
    ValueError
        As `confusion_matrix`, `precision_recall` and `rebalance` do.
    """
    y_true, scores = _check_scores(y_true, scores)
    if share is not None:
        chosen = rebalance(y_true, share, seed)
        y_true, scores = y_true[chosen], scores[chosen]
    return ThresholdReport(
        threshold=threshold,
        model=confusion_matrix(y_true, scores, threshold),
        never=confusion_matrix(y_true, np.zeros(len(y_true))),
        curve=precision_recall(y_true, scores),
    )


def _check_scores(y_true: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays of shape (n,), or raise ValueError with what is wrong about them."""
    y_true, scores = np.asarray(y_true), np.asarray(scores)
    shapes = f"Received: y_true of shape {y_true.shape}, scores of shape {scores.shape}."
    flat = all(array.ndim and array.size == len(array) for array in (y_true, scores))
    if not flat or len(y_true) != len(scores) or not len(y_true):
        raise ValueError(f"A threshold needs one label and one score a sample. {shapes} Pass arrays of shape (n,).")
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError(
            f"A label is neither 0 (no) nor 1 (yes). Received: y_true from {y_true.min()} to {y_true.max()}. "
            "Ask one question, such as y_true == 5."
        )
    if bad := int((~np.isfinite(scores)).sum()):
        raise ValueError(f"{bad} scores are not finite. {shapes} The network diverged: train it again.")
    # float64, so that a threshold between two neighbouring float32 scores still stands between them.
    return y_true.reshape(-1).astype(np.uint8), scores.reshape(-1).astype(np.float64)
