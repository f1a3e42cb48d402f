"""The arithmetic behind the measures of success: targets and raw outputs in, a number or one score a sample out.

scikit-learn does the counting; it is imported on first use, so that `import recipe` stays quick.
"""

from __future__ import annotations

import numpy as np

from recipe.core.problem import Problem, ProblemType

THRESHOLD = 0.5  # an output above it is a yes; Keras's metrics are told the same number


def check_outputs(problem: Problem, y_true: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and outputs in the shapes that every measure reads.

    Returns
    -------
    y_true : np.ndarray of shape (n,) for multiclass labels, else (n, outputs)
    outputs : np.ndarray of shape (n, outputs)

    Raises
    ------
    ValueError
        If a shape, the number of samples or a label does not fit the problem.
    """
    y_true, outputs = np.asarray(y_true), np.asarray(outputs)
    shapes = f"Received: y_true of shape {y_true.shape}, outputs of shape {outputs.shape}."
    if problem.outputs == 1 and outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.ndim != 2 or outputs.shape[1] != problem.outputs:
        raise ValueError(
            f"The outputs for {problem.name} have {problem.outputs} column(s), one a unit of the last layer. {shapes} "
            "Pass what model.predict returned."
        )
    columns = 1 if problem.type is ProblemType.MULTICLASS else problem.outputs
    fits = (y_true.ndim == 2 and y_true.shape[1] == columns) or y_true.ndim == 1 == columns
    if not fits or not y_true.size:
        raise ValueError(
            f"The targets of {problem.name} have the shape (n, {columns}){' or (n,)' if columns == 1 else ''}, "
            f"n above 0. {shapes} Pass the labels as they were loaded, not one-hot."
        )
    if len(y_true) != len(outputs):
        raise ValueError(f"There are {len(y_true)} targets for {len(outputs)} outputs. {shapes} Pass the same samples.")
    classes = problem.outputs if problem.type is ProblemType.MULTICLASS else 2
    if problem.type.is_classification and not np.isin(y_true, np.arange(classes)).all():
        raise ValueError(
            f"A label of {problem.name} is none of 0 to {classes - 1}. "
            f"Received: y_true from {y_true.min()} to {y_true.max()}. Number the classes from 0."
        )
    return y_true.reshape(-1) if problem.type is ProblemType.MULTICLASS else y_true.reshape(-1, columns), outputs


def _is_classes(y_true: np.ndarray) -> bool:
    """`check_outputs` leaves one dimension to class numbers alone."""
    return y_true.ndim == 1


def right_answers(y_true: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """1 for a right sample, 0 for a wrong one; with several labels the share of them that is right. Shape (n,)."""
    if _is_classes(y_true):
        return (outputs.argmax(axis=1) == y_true).astype(np.float64)
    return ((outputs > THRESHOLD) == y_true).mean(axis=1)


def accuracy(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import accuracy_score

    if _is_classes(y_true):
        return accuracy_score(y_true, outputs.argmax(axis=1))
    return accuracy_score(y_true.ravel(), (outputs > THRESHOLD).ravel())


def f1(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import f1_score

    return np.mean([f1_score(y, yes, zero_division=0) for y, yes in zip(y_true.T, outputs.T > THRESHOLD, strict=True)])


def precision(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import precision_score

    return precision_score(y_true.ravel(), (outputs > THRESHOLD).ravel(), zero_division=0)


def recall(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import recall_score

    return recall_score(y_true.ravel(), (outputs > THRESHOLD).ravel(), zero_division=0)


def average_precision(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    # Without a positive there is nothing to rank first; scikit-learn would warn, and call it 0 as well.
    columns = zip(y_true.T, outputs.T, strict=True)
    return np.mean([average_precision_score(y, scores) if y.any() else 0.0 for y, scores in columns])


def mae(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import mean_absolute_error

    return mean_absolute_error(y_true, outputs)


def mse(y_true: np.ndarray, outputs: np.ndarray) -> float:
    from sklearn.metrics import mean_squared_error

    return mean_squared_error(y_true, outputs)


def absolute_errors(y_true: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.abs(y_true - outputs.astype(np.float64)).mean(axis=1)


def squared_errors(y_true: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.square(y_true - outputs.astype(np.float64)).mean(axis=1)
