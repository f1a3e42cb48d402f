"""Step 2: what another threshold, or another class balance, makes of the same yes-or-no model.

The model is trained once; moving the threshold only asks it to be surer, or less sure, before it says yes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import THRESHOLD
from recipe.core.prepared import encoding_for
from recipe.core.problem import ProblemType
from recipe.core.spec import ModelSpec
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


@dataclass(frozen=True)
class ConfusionMatrix:
    """The answers of a yes-or-no model, counted, in scikit-learn's order; a positive is a yes.

    Examples
    --------
    >>> never = ConfusionMatrix(true_negatives=91, false_positives=0, false_negatives=9, true_positives=0)
    >>> never.accuracy, never.recall
    (0.91, 0.0)
    """

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int

    @property
    def samples(self) -> int:
        return self.true_negatives + self.false_positives + self.false_negatives + self.true_positives

    @property
    def accuracy(self) -> float:
        """The share of answers that are right."""
        return (self.true_positives + self.true_negatives) / self.samples

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


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdReport:
    """A model judged at one threshold and one class balance, beside the answer that is always no.

    Attributes
    ----------
    model, never : the counts of the model and of "never a yes", on the same samples
    precision, recall : np.ndarray of shape (k,), at all thresholds, as scikit-learn's `precision_recall_curve` has them
    average_precision : precision averaged over the recall that each threshold gains: it judges the ranking alone
    share : of yes among the samples, which is the precision of a guess
    """

    threshold: float
    model: ConfusionMatrix
    never: ConfusionMatrix
    precision: np.ndarray = field(repr=False)
    recall: np.ndarray = field(repr=False)
    average_precision: float
    share: float


def score_held_out(
    dataset: Dataset, spec: ModelSpec, *, stop: threading.Event | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Train a yes-or-no model on half of the training set, and score the other half, large enough for rare answers.

    Parameters
    ----------
    stop : once set, training ends with the epoch that is under way

    Returns
    -------
    (y_true, scores), both of shape (n,): 1 for yes, and from 0 (surely no) to 1 (surely yes)

    Raises
    ------
    ValueError
        If the problem is no yes-or-no question.
    """
    problem = dataset.problem
    if problem.type is not ProblemType.BINARY:
        raise ValueError(
            f"A threshold needs a yes-or-no question, and {problem.name} is a {problem.type}. "
            f"Received: dataset of {problem.name}. Load mnist_five or imdb."
        )
    prepared = prepare(hold_out(dataset, test_size=0.5), encoding=encoding_for(spec, problem))
    run = train(spec, prepared, stop=stop, journal=None)
    return prepared.y_val, run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0).reshape(-1)


def rebalance(y_true: np.ndarray, share: float) -> np.ndarray:
    """Choose samples so that a given share of them is a yes, leaving out as few as possible.

    Samples are drawn without replacement, always in the same order: with a little more or less of
    a class the rest stays the same, so that what changes is the balance and not the draw.

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
    rng = np.random.default_rng(0)
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
    y_true: np.ndarray, scores: np.ndarray, *, share: float, threshold: float = THRESHOLD
) -> ThresholdReport:
    """Judge a model at a threshold, on samples of which a given share is a yes, beside "never a yes".

    Parameters
    ----------
    y_true : np.ndarray of shape (n,) or (n, 1), 0 for no and 1 for yes
    scores : np.ndarray of shape (n,) or (n, 1), such as a sigmoid puts out; one above the threshold is a yes
    share : of yes among the samples that are judged, chosen by `rebalance`

    Raises
    ------
    ValueError
        As `rebalance` does.
    """
    from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

    chosen = rebalance(y_true, share)
    # float64, so that a threshold between two neighbouring float32 scores still stands between them.
    y_true, scores = np.reshape(y_true, -1)[chosen], np.reshape(scores, -1)[chosen].astype(np.float64)
    precision, recall, _ = precision_recall_curve(y_true, scores)
    model, never = (
        ConfusionMatrix(*confusion_matrix(y_true, said, labels=[0, 1]).ravel().tolist())
        for said in (scores > threshold, np.zeros(len(y_true)))
    )
    return ThresholdReport(
        threshold=threshold,
        model=model,
        never=never,
        precision=precision,
        recall=recall,
        average_precision=float(average_precision_score(y_true, scores)),
        share=float(y_true.mean()),
    )
