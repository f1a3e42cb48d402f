"""Step 2: the answers of a yes-or-no model, counted: what was true against what was said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.core.scores import THRESHOLD


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """The answers of a yes-or-no model, counted: what was true against what was said.

    Attributes
    ----------
    true_positives : said yes, and it is one
    false_negatives : said no, and it is a yes: a miss
    false_positives : said yes, and it is a no: a false alarm
    true_negatives : said no, and it is one

    Examples
    --------
    >>> never = Confusion(true_positives=0, false_negatives=9, false_positives=0, true_negatives=91)
    >>> never.accuracy, never.recall
    (0.91, 0.0)
    """

    true_positives: int
    false_negatives: int
    false_positives: int
    true_negatives: int

    @property
    def samples(self) -> int:
        return self.true_positives + self.false_negatives + self.false_positives + self.true_negatives

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

    def table(self) -> np.ndarray:
        """Return the counts as scikit-learn lays them out, int (2, 2): a row for what is true, a column for what was
        said, no before yes."""
        return np.array(
            [[self.true_negatives, self.false_positives], [self.false_negatives, self.true_positives]], dtype=np.int64
        )


def count_answers(y_true: np.ndarray, scores: np.ndarray, threshold: float = THRESHOLD) -> Confusion:
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
    >>> count_answers(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9]))
    Confusion(true_positives=1, false_negatives=1, false_positives=1, true_negatives=1)
    """
    from sklearn.metrics import confusion_matrix

    y_true, scores = check_scores(y_true, scores)
    if not np.isfinite(threshold):
        raise ValueError(f"A threshold is a number. Received: threshold={threshold}. Give one between 0 and 1.")
    counts = confusion_matrix(y_true, scores > threshold, labels=[0, 1]).ravel().tolist()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return Confusion(**dict(zip(names, counts, strict=True)))


def check_scores(y_true: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
