"""Step 2: what counts as success.

A measure compares what was true with what the network put out. It is kept apart from the loss: the loss is what
training follows downhill, the measure is what people care about, and it need not have a slope at all. scikit-learn
is imported on first use, so that `import recipe` stays quick.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np

from recipe.core.input_checks import check_targets, expect_choice
from recipe.core.problem import Problem, ProblemType

THRESHOLD = 0.5  # an output above it is a yes; Keras's metrics are told the same number
_LABELS = (ProblemType.BINARY, ProblemType.MULTICLASS, ProblemType.MULTILABEL)
_YES_NO = (ProblemType.BINARY, ProblemType.MULTILABEL)
_QUANTITIES = (ProblemType.REGRESSION, ProblemType.BOUNDED_REGRESSION)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure of success; while training, a Keras metric of the same name says it (`recipe.engine.models.metric_of`).

    Attributes
    ----------
    name : the key of `MEASURES`, the metric's name in Keras, and so its key in a training history
    title : for people
    higher_is_better : False for the measures that count how far off the output is
    types : the types of problem that it is defined for
    note : what it means and how it is taken over several outputs
    parts : a function of what `check_outputs` returns that says what each sample adds, (n, k), for `combine`: a score
        (k = 1), or hits and errors (k even). None for a ranking, which is judged as a whole

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> y_true, outputs = np.array([0, 1, 1, 1]), np.array([[0.2], [0.9], [0.6], [0.4]])
    >>> MEASURES["accuracy"].compute(find_problem("imdb"), y_true, outputs)
    0.75
    """

    name: str
    title: str
    types: tuple[ProblemType, ...]
    note: str
    higher_is_better: bool = True
    parts: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = field(default=None, repr=False)

    def compute(self, problem: Problem, y_true: np.ndarray, outputs: np.ndarray) -> float:
        """Return the measure of a network's raw outputs.

        Parameters
        ----------
        y_true : np.ndarray of shape (n,), or (n, outputs) for multilabel and vector targets
        outputs : np.ndarray of shape (n, outputs)
            Probabilities of a sigmoid or softmax, or values in the prepared target's unit. NaN if one of them is not
            finite: nothing can be said of a network that diverged.

        Raises
        ------
        ValueError
            If the shapes do not fit the problem, a label is not a class, or the measure does not fit the problem.
        """
        self.check_type(problem)
        y_true, outputs = check_outputs(problem, y_true, outputs)
        if not np.isfinite(outputs).all():
            return math.nan
        return float(self.combine(self.parts(y_true, outputs)) if self.parts else _rank(y_true, outputs))

    @staticmethod
    def combine(parts: np.ndarray) -> np.ndarray:
        """Return the measure of samples from their `parts`, (..., n, k) -> (...).

        It is the mean of scores; or the share of hits among hits and errors, 0 where there are neither, as the mean
        over labels.
        """
        means = parts.mean(axis=-2)  # (..., k)
        if means.shape[-1] == 1:
            return means[..., 0]
        hits, errors = np.split(means, 2, axis=-1)
        return (hits / np.where(hits + errors > 0, hits + errors, 1)).mean(axis=-1)

    def gain(self, value: float, reference: float) -> float:
        """Return by how much a value is better than a reference, in the measure's unit; below 0 where it is worse."""
        return value - reference if self.higher_is_better else reference - value

    def error(self, value: float, baseline: float | None = None) -> float:
        """Return a value as an error, so that errors of all problems can be judged alike.

        A share of right answers becomes the share that is missing; an error of a quantity becomes a part of the
        baseline's error, which must be given then: 0 is perfect, 1 is no better than not looking at the input.

        Examples
        --------
        >>> round(MEASURES["accuracy"].error(0.98), 6)
        0.02
        >>> MEASURES["mae"].error(0.25, baseline=1.0)
        0.25
        """
        if self.higher_is_better:
            return 1.0 - value
        if baseline is None or not 0 < baseline < math.inf:
            raise ValueError(
                f"The {self.title} is told as a part of a baseline's, above 0 and finite. Received: "
                f"baseline={baseline}. Give the baseline's value; where it is 0, there is nothing to learn."
            )
        return value / baseline

    def unit_of(self, problem: Problem) -> str:
        """Return the unit of a value in words; empty for shares."""
        if self.higher_is_better or not problem.target_unit:
            return ""
        return problem.target_unit + (" (squared)" if self.name == "mse" else "")

    def check_type(self, problem: Problem) -> None:
        """Refuse a problem whose type the measure is not defined for, by a ValueError."""
        fitting = [name for name, other in MEASURES.items() if problem.type in other.types]
        fact = f"The {self.title} is not defined for {problem.type}, such as {problem.name} is."
        expect_choice("measure", self.name, fitting, fact)


def name_measure(problem: Problem) -> str:
    """Return a problem's measure with its unit, as an axis or the head of a table says it."""
    unit = MEASURES[problem.measure].unit_of(problem)
    return MEASURES[problem.measure].title + (f" ({unit})" if unit else "")


def describe_score(problem: Problem, value: float) -> str:
    """Write a value of a problem's measure with its name and unit, as a sentence says it."""
    measure = MEASURES[problem.measure]
    return f"{measure.title} {value:.4g} {measure.unit_of(problem)}".rstrip()


def check_outputs(problem: Problem, y_true: np.ndarray, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and outputs in the shapes that every measure reads.

    Returns
    -------
    y_true : np.ndarray of shape (n,) for multiclass labels, else (n, outputs)
    outputs : float64 np.ndarray of shape (n, outputs)

    Raises
    ------
    ValueError
        If a shape, the number of samples or a label does not fit the problem.
    """
    y_true, outputs = check_targets(y_true, problem), np.asarray(outputs, np.float64)
    wanted = (len(y_true), problem.outputs)
    if problem.outputs == 1 and outputs.ndim == 1:
        outputs = outputs[:, None]
    if outputs.shape != wanted:
        raise ValueError(
            f"The outputs for {wanted[0]} targets have the shape {wanted}: a column a unit of the last layer. "
            f"Received: outputs of shape {outputs.shape}. Pass what model.predict returned for the same samples."
        )
    return y_true if problem.type is ProblemType.MULTICLASS else y_true.reshape(wanted), outputs


def _right_answers(y_true: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """1 for a right sample, 0 for a wrong one; with several labels the share of them that is right."""
    if y_true.ndim == 1:  # `check_outputs` leaves one dimension to class numbers alone
        return (outputs.argmax(axis=1) == y_true)[:, None].astype(np.float64)
    return ((outputs > THRESHOLD) == y_true).mean(axis=1, keepdims=True)


def _mean_over_outputs(y_true: np.ndarray, outputs: np.ndarray, *, function: Callable) -> np.ndarray:
    return function(y_true - outputs).mean(axis=1, keepdims=True)


def _hits_and_errors(y_true: np.ndarray, outputs: np.ndarray, *, errors: Callable) -> np.ndarray:
    """For each label by itself its hits, and the errors that count: the measure is hits / (hits + errors)."""
    yes, true = outputs > THRESHOLD, y_true.astype(bool)
    return np.hstack([yes & true, errors(yes, true)]).astype(np.float64)  # which add up, as booleans do not


def _rank(y_true: np.ndarray, outputs: np.ndarray) -> float:
    """Return the average precision, the mean over labels."""
    from sklearn.metrics import average_precision_score

    # Without a positive there is nothing to rank first; scikit-learn would warn, and call it 0 as well.
    columns = zip(y_true.T, outputs.T, strict=True)
    return np.mean([average_precision_score(y, scores) if y.any() else 0.0 for y, scores in columns])


_ALL = (
    Measure(
        name="accuracy",
        title="accuracy",
        types=_LABELS,
        note="The share of samples that are right; with several labels a sample, the share of labels.",
        parts=_right_answers,
    ),
    Measure(
        name="f1",
        title="F1 score",
        types=_YES_NO,
        note="The harmonic mean of precision and recall of the yes class; the mean over labels.",
        parts=partial(_hits_and_errors, errors=lambda yes, true: (yes ^ true) / 2),
    ),
    Measure(
        name="precision",
        title="precision",
        types=(ProblemType.BINARY,),
        note="The share of what the model calls a yes that is one.",
        parts=partial(_hits_and_errors, errors=lambda yes, true: yes & ~true),
    ),
    Measure(
        name="recall",
        title="recall",
        types=(ProblemType.BINARY,),
        note="The share of what is a yes that the model finds.",
        parts=partial(_hits_and_errors, errors=lambda yes, true: ~yes & true),
    ),
    Measure(
        name="average_precision",
        title="average precision",
        types=_YES_NO,
        note="Precision averaged over all thresholds, so it judges the ranking; the mean over labels.",
    ),
    Measure(
        name="mae",
        title="mean absolute error",
        higher_is_better=False,
        types=_QUANTITIES,
        note="How far off the output is, on average over samples and outputs.",
        parts=partial(_mean_over_outputs, function=np.abs),
    ),
    Measure(
        name="mse",
        title="mean squared error",
        higher_is_better=False,
        types=_QUANTITIES,
        note="The square of how far off the output is, on average: one large error outweighs many small ones.",
        parts=partial(_mean_over_outputs, function=np.square),
    ),
)
MEASURES = MappingProxyType({measure.name: measure for measure in _ALL})
