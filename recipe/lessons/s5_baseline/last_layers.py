"""What the right row of the table does, and what a wrong last activation or loss does in its place.

All rows train the same hidden layers on the same data, from the same first weights.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.engine.models import last_activation, loss_name
from recipe.steps.training import train

Row = tuple[str, str]  # last activation and loss, as a `ModelSpec` names them

_RANGES = MappingProxyType({"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf)})
_PROBABLE = 1e-6  # outputs that are so near to 0 or 1 are taken for probabilities
_ONE = 1e-3  # a sum that is so near to 1 is 1


@dataclass(frozen=True, kw_only=True, eq=False)
class LastLayerTrial:
    """A last activation and loss, trained, and what came of it on the validation part.

    Attributes
    ----------
    run : the training
    last_activation : None where there is none
    loss : name
    is_right : whether it is a row of the table
    outputs : np.ndarray of shape (n_val, outputs), after the last epoch
    y_val : np.ndarray, what they should have been
    score : the measure of success of those outputs; NaN where training diverged
    nonsense : share of the validation samples for which the outputs make no sense, or cannot be right
    why : what that means, in words
    """

    run: Run
    last_activation: str | None
    loss: str
    is_right: bool
    outputs: np.ndarray = field(repr=False)
    y_val: np.ndarray = field(repr=False)
    score: float
    nonsense: float
    why: str

    @property
    def problem(self) -> Problem:
        """What was to be predicted."""
        return self.run.problem

    @property
    def baseline(self) -> float:
        """What a guess without the input has."""
        return self.run.baseline

    @property
    def name(self) -> str:
        """Activation and loss, as people say them."""
        return f"{self.last_activation or 'no activation'}, {self.loss}"

    @property
    def beats_baseline(self) -> bool:
        """Whether the score is better than the guess's; False where training diverged."""
        return MEASURES[self.problem.measure].gain(self.score, self.baseline) > 0

    @property
    def sentence(self) -> str:
        """What came of it, in words with numbers."""
        start = f"{'Right' if self.is_right else 'Wrong'} ({self.name})"
        if not np.isfinite(self.outputs).all():
            return f"{start}: training diverged, and the outputs are no numbers."
        low, high = self.outputs.min(), self.outputs.max()
        compared = "" if self.beats_baseline else ", no better than a guess"
        text = f"{start}: {MEASURES[self.problem.measure].title} {self.score:.3g}{compared} ({self.baseline:.3g})."
        if low == high:
            return f"{text} Every output is {low:.3g}, whatever the input."
        return f"{text} The outputs go from {low:.2f} to {high:.2f}; for {self.nonsense:.1%} of the samples {self.why}."


def compare_last_layers(prepared: Prepared, spec: ModelSpec, rows: Sequence[Row]) -> tuple[LastLayerTrial, ...]:
    """Train the right row of the table and others, and measure what comes of each.

    Parameters
    ----------
    spec : the rest of the model; its own last activation and loss are not used
    rows : pairs of a last activation and a loss, as `ModelSpec` names them

    Returns
    -------
    tuple of LastLayerTrial, the right row first

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
    >>> right.beats_baseline, wrong.beats_baseline, bool(wrong.outputs.max() <= 1)
    (True, False, True)
    """
    with warnings.catch_warnings():
        # Keras warns of a softmax over one unit, which is just what is to be shown.
        warnings.filterwarnings("ignore", message="You are using a softmax over axis")
        return tuple(_try(prepared, spec, row) for row in (("auto", "auto"), *rows))


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


def _try(prepared: Prepared, spec: ModelSpec, row: Row) -> LastLayerTrial:
    """Train one row."""
    problem = prepared.problem
    spec = spec.replace(last_activation=row[0], loss=row[1])
    run = train(spec, prepared, journal=None)
    outputs = np.asarray(run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0))
    activation, loss, table = last_activation(spec, problem), loss_name(spec, problem), problem.last_layer
    nonsense, why = count_nonsense(problem, activation, prepared.y_val, outputs)
    return LastLayerTrial(
        run=run,
        last_activation=activation,
        loss=loss,
        is_right=activation == table.activation and loss in (*table.losses, table.integer_label_loss),
        outputs=outputs,
        y_val=prepared.y_val,
        score=MEASURES[problem.measure].compute(problem, prepared.y_val, outputs),
        nonsense=nonsense,
        why=why,
    )
