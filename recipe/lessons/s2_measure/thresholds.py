"""Step 2: what another threshold, or another class balance, makes of the same yes-or-no model.

The model is trained once; moving the threshold only asks it to be surer, or less sure, before it says yes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recipe.core.measures import THRESHOLD
from recipe.steps.s2_measure import ConfusionMatrix, check_scores, confusion_matrix


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

    y_true, scores = check_scores(y_true, scores)
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
    y_true, scores = check_scores(y_true, scores)
    if share is not None:
        chosen = rebalance(y_true, share, seed)
        y_true, scores = y_true[chosen], scores[chosen]
    return ThresholdReport(
        threshold=threshold,
        model=confusion_matrix(y_true, scores, threshold),
        never=confusion_matrix(y_true, np.zeros(len(y_true))),
        curve=precision_recall(y_true, scores),
    )
