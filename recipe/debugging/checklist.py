"""Step 5: nothing beats the baseline. Last activation, loss, optimizer and rate, and then the last resort.

The last resort gives the model the answer among its inputs. A model that cannot even learn to copy it has a broken
pipeline. One that can, and still beats no baseline without it, may be looking for an answer that is not in the data.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from recipe.core.checks import Check, Status
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.debugging.last_layer import check_last_activation, check_loss
from recipe.debugging.rate_sweep import UPDATES, RateSweep, guess_loss, sweep_rates
from recipe.engine.models import make_targets
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.s5_baseline import StatisticalPower, statistical_power
from recipe.steps.training import train

__all__ = [
    "Checklist",
    "check_last_activation",
    "check_loss",
    "check_optimizer",
    "check_output_as_input",
    "give_output_as_input",
    "run_checklist",
]

OPTIMIZER, OUTPUT_AS_INPUT = "optimizer and learning rate", "output as input"
MUCH_BETTER = 2.0  # times as far below the loss of a guess: less may be what the few batches of a sweep make of it
LEARNS = 0.05  # of the loss of a guess: what falls by less has learned nothing worth a comparison
COPIED = 0.5  # of the baseline's error: a model that was given the answer leaves much less
COPY_UPDATES = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class Checklist:
    """The answers for the model at hand.

    Attributes
    ----------
    run : the training as it was asked for
    power : whether its model beats the baseline
    checks : of the last activation, the loss, the optimizer and its rate, and of the output as input, in this order
    sweep : the learning rates that were tried
    """

    spec: ModelSpec
    problem: Problem
    run: Run
    power: StatisticalPower
    checks: tuple[Check, ...]
    sweep: RateSweep

    @property
    def first_failed(self) -> Check | None:
        """The check to begin with; None where none failed."""
        return next((check for check in self.checks if check.failed), None)

    @property
    def answer_may_be_missing(self) -> bool:
        """Whether all passed and the model beats no baseline: what is asked may not stand in the inputs."""
        return self.first_failed is None and not self.power.beats_baseline

    @property
    def sentence(self) -> str:
        """The verdict in words, with the way out."""
        failed = self.first_failed
        if failed is not None:
            number = sum(check.failed for check in self.checks)
            others = f" ({number} of {len(self.checks)} checks failed; this one comes first.)" if number > 1 else ""
            so_far = "The model beats the baseline, and could do better. " if self.power.beats_baseline else ""
            return f"{so_far}Begin with the {failed.name}. {failed.found} {failed.cause}{others}"
        if self.answer_may_be_missing:
            return (
                f"{self._all_passed}, and still: {_lower(self.power.sentence)} The pipeline learns "
                "what there is to learn, so the answer may not be in the data: the inputs may not say what is asked, "
                "or inputs and targets may not belong together. Look at them."
            )
        return f"There is nothing to repair. {self.power.sentence}"

    @property
    def _all_passed(self) -> str:
        passed, number = sum(check.passed for check in self.checks), len(self.checks)
        return f"All {number} checks passed" if passed == number else f"{passed} checks passed, the rest do not apply"


def run_checklist(spec: ModelSpec, prepared: Prepared, *, run: Run | None = None) -> Checklist:
    """Go through the checklist for a model.

    Parameters
    ----------
    spec : the model that beats no baseline
    prepared : what it is trained and validated on
    run : its training, if that was done; None trains it

    Returns
    -------
    Checklist
    """
    run = run or train(spec, prepared, journal=None)
    sweep = _sweep_as_long(run, prepared)
    return Checklist(
        spec=spec,
        problem=prepared.problem,
        run=run,
        power=_power(run, prepared),
        checks=(
            check_last_activation(spec, prepared.problem),
            check_loss(spec, prepared.problem),
            check_optimizer(spec, prepared, run=run, sweep=sweep),
            check_output_as_input(spec, prepared),
        ),
        sweep=sweep,
    )


def check_optimizer(
    spec: ModelSpec, prepared: Prepared, *, run: Run | None = None, sweep: RateSweep | None = None
) -> Check:
    """Check whether training diverged, or another learning rate learns much more in a few batches.

    The loss on the validation part counts, as far as it lies below that of a guess without the input: what is learned
    by heart is no reason for another rate. The check fails where 100 batches at some other rate get twice as far as
    the whole training did.

    Parameters
    ----------
    run : the training of this spec; None trains it
    sweep : what `sweep_rates` found; None does it

    Returns
    -------
    Check
        Its value is how far training got, as a part of how far the best rate of the sweep did; NaN where no rate
        learns anything.
    """
    run = run or train(spec, prepared, journal=None)
    sweep = sweep or _sweep_as_long(run, prepared)
    guess, losses = guess_loss(spec, prepared), run.history["val_data_loss"]
    diverged = not math.isfinite(losses[-1])
    own = guess - min((loss for loss in losses if math.isfinite(loss)), default=math.inf)
    best = sweep.guess - sweep.best_loss
    rate = float(run.model.optimizer.learning_rate)
    reached = (
        "training diverged"
        if diverged
        else f"{run.epochs} epoch{'s' * (run.epochs > 1)} brought the validation loss to {guess - own:.3g}"
    )
    found = f"With {spec.optimizer} at a rate of {rate:g}, {reached}; a guess without the input has {guess:.3g}."
    expected = f"no rate from {sweep.rates[0]:g} to {sweep.rates[-1]:g} gets much further in {sweep.updates} batches."
    learns = math.isfinite(best) and best > LEARNS * abs(sweep.guess)
    common = {"name": OPTIMIZER, "expected": expected, "value": own / best if learns else math.nan}
    if learns and (diverged or best > MUCH_BETTER * own):
        found += f" At {sweep.best_rate:g} it is {sweep.best_loss:.3g} after {sweep.updates} batches."
        way_out = f"take {sweep.best_rate:g}"
        too_low = rate < sweep.best_rate
        cause = (
            f"The rate is too low: {way_out}, or train for longer." if too_low else f"The rate is too high: {way_out}."
        )
        return Check(status=Status.FAILED, found=found, cause=cause, **common)
    if diverged:
        cause = "No rate helps: look at the last layer, the loss and the scale of the inputs."
        return Check(status=Status.FAILED, found=found, cause=cause, **common)
    found += " No other rate learns much more." if learns else " No other rate learns anything either."
    return Check(status=Status.PASSED, found=found, **common)


def check_output_as_input(spec: ModelSpec, prepared: Prepared) -> Check:
    """Give the model its target among the inputs, train it as the spec says, and see whether it copies it.

    It fails where the way from input to output is broken: a rate at which nothing moves, a last layer that cannot put
    out the target, a loss that pulls elsewhere, inputs so large that they drown the rest, a penalty or a dropout that
    leaves nothing. Targets that do not belong to their inputs pass: it is the target as it is that is copied.

    Training takes the spec's epochs, or as many as make 300 updates, and no early stopping.

    Returns
    -------
    Check
        Its value is what is left of the baseline's error on the validation part: 0 is a perfect copy. Not applicable
        to an embedding network, which reads words and has no place for a number.
    """
    if prepared.preparation.encoding == "sequence":
        found = "An embedding network reads words, and the target is none. An mlp on multi-hot reviews can be checked."
        return Check(name=OUTPUT_AS_INPUT, status=Status.NOT_APPLICABLE, found=found)
    given, measure = give_output_as_input(prepared), MEASURES[prepared.problem.measure]
    steps = -(-len(given.y_train) // spec.batch_size)
    epochs = max(spec.epochs, math.ceil(COPY_UPDATES / steps))
    run = train(spec.replace(epochs=epochs, patience=None), given, journal=None)
    baseline = compute_baseline(given.problem, given.y_train, given.y_val)
    worst = measure.error(baseline.value, baseline.value)
    left = measure.error(run.score, baseline.value) / worst if worst else math.nan
    shown = f"{measure.title} {run.score:.3g} {measure.unit_of(given.problem)}".rstrip()
    found = f"With the target among the inputs it reaches {shown} in {epochs * steps:,} updates; the baseline has "
    found += f"{baseline.value:.3g}."
    expected = "less than half of the baseline's error: there is nothing to learn but a copy."
    if left < COPIED:
        return Check(name=OUTPUT_AS_INPUT, status=Status.PASSED, found=found, expected=expected, value=left)
    cause = "The pipeline is broken between input and output: the checks above, then the scale of the inputs, L1, L2 "
    cause += "and dropout."
    return Check(name=OUTPUT_AS_INPUT, status=Status.FAILED, found=found, expected=expected, cause=cause, value=left)


def _sweep_as_long(run: Run, prepared: Prepared) -> RateSweep:
    """Sweep the rates, with no more batches than the run had."""
    batches = run.epochs * -(-len(prepared.y_train) // run.spec.batch_size)
    return sweep_rates(run.spec, prepared, updates=max(1, min(UPDATES, batches)))


def give_output_as_input(prepared: Prepared) -> Prepared:
    """Return the same data with the target written beside each input, in training and in validation.

    A table or a row of words gets a column for each output (for classes, 1 in that of the right one); an image gets
    further rows of pixels below, of which the first show the same.

    Raises
    ------
    ValueError
        If the inputs are sequences of words.
    """
    problem, shape = prepared.problem, prepared.problem.input_shape
    if prepared.preparation.encoding == "sequence":
        raise ValueError(
            f'A sequence of words has no place for a target. Received: prepared of {problem.name}, encoding="sequence".'
            " Prepare the reviews as multi_hot."
        )
    x_train, x_val = (
        _write_beside(x, _columns(problem, y), prepared.input_scale)
        for x, y in ((prepared.x_train, prepared.y_train), (prepared.x_val, prepared.y_val))
    )
    shape = x_train.shape[1:]
    return dataclasses.replace(
        prepared, problem=dataclasses.replace(problem, input_shape=shape), x_train=x_train, x_val=x_val
    )


def _columns(problem: Problem, y: np.ndarray) -> np.ndarray:
    """Return the target as numbers to be given, shape (n, outputs): classes one-hot, all else as it is."""
    if problem.type is ProblemType.MULTICLASS:
        return np.eye(problem.outputs, dtype=np.float32)[y]
    return make_targets(ModelSpec(), problem, y).astype(np.float32)


def _write_beside(x: np.ndarray, columns: np.ndarray, input_scale: float) -> np.ndarray:
    """Append columns so that the network reads them as they are: (n, d) -> (n, d + k), images (n, h, w) below."""
    columns = columns / input_scale
    columns = columns.round().astype(x.dtype) if np.issubdtype(x.dtype, np.integer) else columns.astype(x.dtype)
    if x.ndim == 2:
        return np.hstack([x, columns])
    width = x.shape[2]
    rows = -(-columns.shape[1] // width)
    below = np.zeros((len(x), rows * width), x.dtype)
    below[:, : columns.shape[1]] = columns
    return np.concatenate([x, below.reshape(len(x), rows, width)], axis=1)


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _power(run: Run, prepared: Prepared) -> StatisticalPower:
    """Test a trained model against the baseline of its own training part."""
    outputs = run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)
    baseline = compute_baseline(prepared.problem, prepared.y_train, prepared.y_val)
    return statistical_power(prepared.problem, prepared.y_val, outputs, baseline)
