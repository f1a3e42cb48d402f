"""Step 5: what the right row of the table does, and what a wrong last activation or loss does in its place.

All rows train the same hidden layers on the same data, from the same first weights.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from recipe.core.measures import MEASURES, THRESHOLD
from recipe.core.prepared import Prepared
from recipe.core.problem import LAST_LAYERS, Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.engine.models import last_activation, loss_name
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.training import train

Row = tuple[str, str]  # last activation and loss, as a `ModelSpec` names them

WRONG_ROWS = MappingProxyType(
    {
        ProblemType.BINARY: (("softmax", "binary_crossentropy"), ("none", "mse"), ("relu", "binary_crossentropy")),
        ProblemType.MULTICLASS: (("softmax", "mse"), ("none", "mse"), ("relu", "sparse_categorical_crossentropy")),
        ProblemType.MULTILABEL: (("softmax", "categorical_crossentropy"), ("none", "mse")),
        ProblemType.REGRESSION: (("sigmoid", "mse"), ("tanh", "mse"), ("softmax", "mse")),
        ProblemType.BOUNDED_REGRESSION: (("none", "mse"), ("relu", "mse"), ("softmax", "mse")),
    }
)
_RANGES = MappingProxyType({"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf)})
_PROBABLE = 1e-6  # outputs that are so near to 0 or 1 are taken for probabilities
_ONE = 1e-3  # a sum that is so near to 1 is 1


@dataclass(frozen=True, kw_only=True, eq=False)
class LastLayerTrial:
    """A last activation and loss, trained, and what came of it on the validation part.

    Attributes
    ----------
    problem : Problem
    last_activation : None where there is none
    loss : name
    is_right : whether it is a row of the table
    score, baseline : the measure of success, and what a guess without the input has; NaN where training diverged
    scores : the measure of success after each epoch
    outputs : np.ndarray of shape (n_val, outputs)
    y_val : np.ndarray, what they should have been
    nonsense : share of the validation samples for which the outputs make no sense, or cannot be right
    why : what that means, in words
    """

    problem: Problem
    last_activation: str | None
    loss: str
    is_right: bool
    score: float
    baseline: float
    scores: tuple[float, ...] = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    y_val: np.ndarray = field(repr=False)
    nonsense: float
    why: str

    @property
    def name(self) -> str:
        """Activation and loss, as people say them."""
        return f"{self.last_activation or 'no activation'}, {self.loss}"

    @property
    def lowest(self) -> float:
        """The lowest output."""
        return float(self.outputs.min())

    @property
    def highest(self) -> float:
        """The highest output."""
        return float(self.outputs.max())

    @property
    def beats_baseline(self) -> bool:
        """Whether the score is better than the guess's; False where training diverged."""
        return MEASURES[self.problem.measure].gain(self.score, self.baseline) > 0

    @property
    def sentence(self) -> str:
        """What came of it, in words with numbers."""
        measure = MEASURES[self.problem.measure]
        if not np.isfinite(self.outputs).all():
            return f"{self._start}: training diverged, and the outputs are no numbers."
        compared = "" if self.beats_baseline else ", no better than a guess"
        text = f"{self._start}: {measure.title} {self.score:.3g}{compared} ({self.baseline:.3g}). "
        if self.lowest == self.highest:
            return f"{text}Every output is {self.lowest:.3g}, whatever the input."
        text += f"The outputs go from {self.lowest:.2f} to {self.highest:.2f}"
        return f"{text}; for {_percent(self.nonsense)} of the samples {self.why}."

    @property
    def _start(self) -> str:
        return f"{'Right' if self.is_right else 'Wrong'} ({self.name})"


def compare_last_layers(
    prepared: Prepared, spec: ModelSpec, rows: Sequence[Row] | None = None
) -> tuple[LastLayerTrial, ...]:
    """Train the right row of the table and wrong ones, and measure what comes of each.

    Parameters
    ----------
    spec : the rest of the model; its own last activation and loss are not used
    rows : pairs of a last activation and a loss, as `ModelSpec` names them; None takes the right row (for fractions
        with either loss) and typical wrong ones of the problem's type. The right row is always trained, first.

    Returns
    -------
    tuple of LastLayerTrial, the right one first

    Raises
    ------
    ValueError
        If a row names what a spec does not know, or a loss that the problem's targets cannot be compared with.

    Examples
    --------
    >>> import recipe
    >>> houses = recipe.prepare(recipe.hold_out(recipe.load("housing", source="sample", rows=200)))
    >>> spec = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=30)
    >>> right, wrong = compare_last_layers(houses, spec, [("sigmoid", "mse")])
    >>> right.beats_baseline, wrong.beats_baseline, wrong.highest <= 1
    (True, False, True)
    """
    problem = prepared.problem
    wanted = rows_of(problem) if rows is None else (("auto", "auto"), *rows)
    with warnings.catch_warnings():
        # Keras warns of a softmax over one unit, which is just what is to be shown.
        warnings.filterwarnings("ignore", message="You are using a softmax over axis")
        return tuple(_try(prepared, spec, row) for row in dict.fromkeys(wanted))


def rows_of(problem: Problem) -> tuple[Row, ...]:
    """Return the rows to compare for a problem: right ones first, one a loss that the table allows."""
    row = problem.last_layer
    losses = ["auto", *(loss for loss in row.losses if loss != row.loss and not row.integer_label_loss)]
    return (*(("auto", loss) for loss in losses), *WRONG_ROWS[problem.type])


def count_nonsense(
    problem: Problem, activation: str | None, y_true: np.ndarray, outputs: np.ndarray
) -> tuple[float, str]:
    """Return for which share of the samples the outputs make no sense or cannot be right, and what is meant by that.

    For classes: probabilities outside of 0 to 1, or that do not add up to 1. For labels: outside of 0 to 1, or adding
    up to 1 though two labels or more are true. For fractions: outside of 0 to 1. For other quantities: the target lies
    where the activation cannot get to.

    Parameters
    ----------
    y_true, outputs : np.ndarray of shape (n,) or (n, outputs), and (n, outputs)
    """
    if problem.type is ProblemType.REGRESSION:
        low, high = _RANGES.get(activation or "", (-math.inf, math.inf))
        targets = np.asarray(y_true).reshape(len(outputs), -1)
        missed = ((targets < low) | (targets > high)).any(axis=1)
        return float(missed.mean()), "the true value lies where no output can get to"
    is_outside = ~((outputs >= -_PROBABLE) & (outputs <= 1 + _PROBABLE)).all(axis=1)
    adds_up = np.abs(outputs.sum(axis=1) - 1) <= _ONE
    if problem.type is ProblemType.MULTICLASS:
        why = "an output lies outside of 0 to 1, or they do not add up to 1"
        return float((is_outside | ~adds_up).mean()), why
    if problem.type is ProblemType.MULTILABEL:
        why = "an output lies outside of 0 to 1, or they add up to 1 though two labels are true"
        return float((is_outside | (adds_up & (np.asarray(y_true).sum(axis=1) >= 2))).mean()), why
    return float(is_outside.mean()), "the output lies outside of 0 to 1"


def share_of_pairs(outputs: np.ndarray, y_true: np.ndarray) -> float:
    """Return for which part of the samples with two true labels or more the model says yes to two or more.

    Parameters
    ----------
    outputs, y_true : np.ndarray of shape (n, labels)

    Returns
    -------
    float; NaN where no sample has two labels
    """
    several = np.asarray(y_true).sum(axis=1) >= 2
    if not several.any():
        return math.nan
    return float(((outputs[several] > THRESHOLD).sum(axis=1) >= 2).mean())


def _try(prepared: Prepared, spec: ModelSpec, row: Row) -> LastLayerTrial:
    """Train one row."""
    problem, measure = prepared.problem, MEASURES[prepared.problem.measure]
    spec = spec.replace(last_activation=row[0], loss=row[1])
    run = train(spec, prepared, journal=None)
    x = prepared.preparation.to_network(prepared.x_val)
    outputs = np.asarray(run.model.predict(x, batch_size=1024, verbose=0))
    activation, loss = last_activation(spec, problem), loss_name(spec, problem)
    nonsense, why = count_nonsense(problem, activation, prepared.y_val, outputs)
    return LastLayerTrial(
        problem=problem,
        last_activation=activation,
        loss=loss,
        is_right=_is_right(problem, activation, loss),
        score=measure.compute(problem, prepared.y_val, outputs),
        scores=tuple(run.history["val_" + measure.name]),
        baseline=compute_baseline(problem, prepared.y_train, prepared.y_val).value,
        outputs=outputs,
        y_val=prepared.y_val,
        nonsense=nonsense,
        why=why,
    )


def _is_right(problem: Problem, activation: str | None, loss: str) -> bool:
    row = LAST_LAYERS[problem.type]
    return activation == row.activation and loss in (*row.losses, row.integer_label_loss)


def _percent(share: float) -> str:
    """Write a share so that a few samples are not called none, nor all but a few all."""
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return "more than 99.9 %" if 0.999 < share < 1 else f"{100 * share:.3g} %"
