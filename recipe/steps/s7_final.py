"""At the end: the final model, trained on all but the test set, and the one look at the test set."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.input_checks import expect
from recipe.core.measures import MEASURES, check_outputs
from recipe.core.prepared import encoding_for
from recipe.core.problem import Problem
from recipe.core.run import EpochReport
from recipe.core.spec import ModelSpec
from recipe.engine.saving import FinalModel
from recipe.journal import Journal, choose_journal, keep, warn_of_failure
from recipe.steps.s2_measure import LEVEL, Uncertainty, estimate_uncertainty
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train

MONITORED_SAMPLES = 1_000  # training samples that the final training is measured on, since nothing is held out


@dataclass(frozen=True, kw_only=True)
class FinalResult:
    """What the test set said.

    Attributes
    ----------
    problem : with the measure of success, and its unit
    score : the measure on the test set
    uncertainty : the interval of the score and its standard error
    samples : number of test samples
    looks : how often the test set has been opened, this time included: those that the journal knows of earlier ones too
    validation_score, validation_samples : what validation had said, and on how many samples; None where not given
    """

    problem: Problem
    score: float
    uncertainty: Uncertainty
    samples: int
    looks: int
    validation_score: float | None = None
    validation_samples: int | None = None

    @property
    def tolerance(self) -> float | None:
        """How far validation and test lie apart by chance in 95 % of cases: the noise of both sets of samples.

        The spread of a mean shrinks with the root of the number of samples, and both sets are from the same source,
        so the spread on the validation samples follows from the one on the test samples.
        """
        if self.validation_score is None:
            return None
        ratio = self.samples / self.validation_samples if self.validation_samples else 0.0
        return 1.96 * self.uncertainty.standard_error * math.sqrt(1.0 + ratio)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words: the score, what validation had promised, and the looks."""
        noise, measure = self.uncertainty, MEASURES[self.problem.measure]
        score = f"{self.score:.4g} {measure.unit_of(self.problem)}".rstrip()
        first = (
            f"On the {self.samples:,} samples of the test set the {measure.title} is {score} "
            f"({100 * LEVEL:g} % interval {noise.low:.4g} to {noise.high:.4g}, {noise.method})."
        )
        looks = "The test set was opened once, for this score."
        if self.looks > 1:
            looks = (
                f"The test set has now been opened {self.looks} times. To repeat a run does no harm; but what was "
                "changed after an earlier look has seen the test set, and then this score is no longer an honest "
                "estimate."
            )
        return (first, looks) if self.tolerance is None else (first, self._promise(), looks)

    def _promise(self) -> str:
        apart = f"{self.score:.4g} on the test set against {self.validation_score:.4g} in validation"
        if abs(self.score - self.validation_score) <= self.tolerance:
            return (
                f"The score cannot be told from what validation promised: {apart}. On so many samples only more than "
                f"{self.tolerance:.2g} could have been seen (their noise stays below it in 95 % of cases)."
            )
        noise = f"the noise of both sets of samples (up to {self.tolerance:.2g} in 95 % of cases)"
        if MEASURES[self.problem.measure].gain(self.score, self.validation_score) > 0:
            return f"Validation had promised less: {apart}, a difference beyond {noise}."
        flattered = "The choices made by looking at validation scores flatter them."
        return f"Validation had promised more: {apart}, a difference beyond {noise}. {flattered}"


def train_final(
    spec: ModelSpec,
    dataset: Dataset,
    *,
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    journal: Journal | str | None = "default",
) -> FinalModel:
    """Train on all data but the test set, training and validation part together, from new first weights.

    The preparation is fitted anew on all of it. Nothing is held out, so nothing can say when to stop: the spec's epochs
    are those that validation found. What the run calls validation are training samples, for watching alone.

    Parameters
    ----------
    journal : where the training is recorded, as a final one without a score; None nowhere

    Raises
    ------
    TypeError
        If that is no spec or no Dataset.
    ValueError
        If the spec does not suit the data.
    """
    expect(spec, ModelSpec, "The final model is trained from its spec.")
    expect(dataset, Dataset, "The final model is trained on all data but the test set, nothing held out.")
    spec = spec.replace(patience=None)
    rows = np.arange(len(dataset.y_train))
    protocol = "training and validation data together; nothing is held out, the curves are of training samples"
    split = take_split(dataset, rows, rows[:MONITORED_SAMPLES], protocol=protocol, may_share=True)
    prepared = prepare(split, encoding=encoding_for(spec, dataset.problem))
    run = replace(train(spec, prepared, on_epoch=on_epoch, stop=stop, journal=None), final=True)
    if (journal := choose_journal(journal)) is not None:
        run = keep(replace(run, data=prepared.data_key), journal)
    return FinalModel(run=run, preparation=prepared.preparation)


def evaluate_once(
    final: FinalModel,
    dataset: Dataset,
    *,
    validation_score: float | None = None,
    validation_samples: int | None = None,
    seed: int = 0,
    journal: Journal | str | None = "default",
) -> FinalResult:
    """Open the test set and measure the final model on it. Do it once: every look is counted, and said.

    The journal keeps the count, so that a new kernel does not begin anew.

    Parameters
    ----------
    validation_score : what validation had promised, in the measure's unit
    validation_samples : how many samples that was measured on; None takes the score as free of noise
    seed : fixes the bootstrap
    journal : where the look is noted; None counts the looks of this session alone

    Raises
    ------
    TypeError
        If that is no final model, or no Dataset.
    ValueError
        If the final training was stopped early: the test set then stays sealed.
    """
    expect(final, FinalModel, "The test set is opened for a final model, whose preparation is known.")
    expect(dataset, Dataset, "The test set lies in a Dataset.")
    run = final.run
    if run.epochs < run.spec.epochs:
        raise ValueError(
            f"The final training was stopped after {run.epochs} of {run.spec.epochs} epochs, and the test set is "
            f"opened for a finished model alone. Received: final, stopped={run.stopped!r}. Train it to the end."
        )
    problem = final.problem
    x, y = dataset.test.open()
    looks = dataset.test.looks
    if (journal := choose_journal(journal)) is not None:
        with warn_of_failure("The look at the test set is not in the journal."):  # noted before anything can go wrong
            looks = max(looks, journal.note_look(dataset.test.fingerprint))
    y_true, outputs = check_outputs(problem, final.preparation.transform_target(y), final.predict(x))
    return FinalResult(
        problem=problem,
        score=MEASURES[problem.measure].compute(problem, y_true, outputs),
        uncertainty=estimate_uncertainty(problem, y_true, outputs, seed=seed),
        samples=len(y_true),
        looks=looks,
        validation_score=validation_score,
        validation_samples=validation_samples,
    )
