"""Steps 5 to 7: what came out of a spec on prepared data, what its curves and errors say, and what to try next."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.measures import MEASURES, Measure
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import Run, lowest_epoch, mean_history
from recipe.core.spec import ModelSpec
from recipe.steps.s5_baseline import Baseline
from recipe.steps.s6_scale_up import ErrorDiagnosis, HistoryDiagnosis, diagnose_errors, diagnose_history, has_errors
from recipe.steps.s7_regularize import Advice, advise

if TYPE_CHECKING:
    import keras

ROUNDING = 1e-6  # the measure of a network is computed in float32, that of a baseline in float64


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A training that is under way: the epochs that are done."""

    seed: int
    history: Mapping[str, Sequence[float]]
    stopped: str | None = None
    seconds: float = 0.0

    @property
    def best_epoch(self) -> int:
        """From 0, the epoch of the smallest ``val_data_loss`` so far."""
        return lowest_epoch(self.history["val_data_loss"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """What came out of a spec on prepared data, for one seed or several, and what that means.

    Attributes
    ----------
    spec : with the first of the seeds
    outcomes : one a seed: a `Run` that was trained now, one of the journal, or an `Unfinished` one
    baseline : what a guess without the input achieves on the validation part
    reachable_error : what people reach, or the noise of the labels: a share of wrong answers, or of quantities a part
        of the baseline's error
    seconds : wall time of this call
    is_running : whether this is a report of a training that goes on
    """

    spec: ModelSpec
    prepared: Prepared = field(repr=False)
    outcomes: tuple[Run | Unfinished, ...] = field(repr=False)
    baseline: Baseline | float = field(repr=False)
    reachable_error: float = 0.0
    seconds: float = 0.0
    is_running: bool = False

    @property
    def problem(self) -> Problem:
        """The problem, with the shape of its data."""
        return self.prepared.problem

    @property
    def measure(self) -> Measure:
        """The problem's measure of success."""
        return MEASURES[self.problem.measure]

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that were trained now; they have models, what is from a journal has none."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Run) and outcome.model is not None)

    @property
    def model(self) -> keras.Model | None:
        """The model of the first seed; None where the result is from the journal, which keeps no weights."""
        return self.runs[0].model if self.runs else None

    @property
    def from_journal(self) -> bool:
        """Whether nothing was trained, since the journal had every run already."""
        return all(isinstance(outcome, Run) and outcome.model is None for outcome in self.outcomes)

    @property
    def stopped(self) -> str | None:
        """``"asked"`` or ``"interrupted"`` where somebody ended it before the last epoch, else None."""
        return next((one.stopped for one in self.outcomes if one.stopped in {"asked", "interrupted"}), None)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that there is an outcome of."""
        return tuple(outcome.seed for outcome in self.outcomes)

    @property
    def histories(self) -> tuple[Mapping[str, Sequence[float]], ...]:
        """One training history a seed."""
        return tuple(outcome.history for outcome in self.outcomes)

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """The mean over the seeds, epoch by epoch, as far as all of them went."""
        return mean_history(self.histories)

    @property
    def scores(self) -> tuple[float, ...]:
        """The measure on the validation part, one a seed: at the chosen epoch."""
        return self._at_the_weights("val_" + self.measure.name)

    @property
    def score(self) -> float:
        """The measure on the validation part, the mean over the seeds."""
        return float(np.mean(self.scores))

    @property
    def train_score(self) -> float:
        """The measure on the training part, measured alike, the mean over the seeds."""
        return float(np.mean(self._at_the_weights(self.measure.name)))

    @property
    def beats_baseline(self) -> bool:
        """Whether the score is better than the baseline's; how sure that is, `recipe.statistical_power` says."""
        return self.beats(float(self.baseline))

    def beats(self, score: float) -> bool:
        """Say whether the validation score is better than another, by more than float32 rounds off."""
        return math.isfinite(self.score) and self.measure.gain(self.score, score) > ROUNDING * max(1.0, abs(score))

    @cached_property
    def history_diagnosis(self) -> HistoryDiagnosis:
        """What the training curves say: overfitting since which epoch, still improving, and so on."""
        return diagnose_history(self.history, baseline=float(self.baseline), measure=self.measure.name)

    @cached_property
    def error_diagnosis(self) -> ErrorDiagnosis | None:
        """Bias and variance, held against the reachable error; None where the training diverged."""
        return diagnose_errors(self._mean_run, self.reachable_error) if has_errors(self._mean_run) else None

    @cached_property
    def advice(self) -> tuple[Advice, ...]:
        """What to try next, the most promising first."""
        return advise(self._mean_run, self.reachable_error)

    @cached_property
    def _mean_run(self) -> Run:
        return Run(
            spec=self.spec,
            problem=self.problem,
            source=self.prepared.source,
            protocol=self.prepared.protocol,
            history=self.history,
            baseline=float(self.baseline),
            train_samples=len(self.prepared.y_train),
            val_samples=len(self.prepared.y_val),
        )

    def with_reachable(self, error: float) -> Experiment:
        """Return the same outcomes, held against another reachable error: nothing is trained.

        Parameters
        ----------
        error : a share of wrong answers, or of quantities a part of the baseline's error, 0 or more
        """
        diagnose_errors(0.0, 0.0, error)  # refuses what is no error
        return dataclasses.replace(self, reachable_error=float(error))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The score, the diagnosis of the curves and that of the errors, in words and numbers."""
        errors = (self.error_diagnosis.sentence,) if self.error_diagnosis else ()
        return (self._score_sentence(), self.history_diagnosis.sentence, *errors)

    @property
    def sentence(self) -> str:
        """All of that in one paragraph."""
        return " ".join(self.sentences)

    def _score_sentence(self) -> str:
        unit = self.measure.unit_of(self.problem)
        text = f"Validation {self.measure.title} {self.score:.3g}{f' {unit}' if unit else ''}"
        if len(self.scores) > 1:
            low, high = min(self.scores), max(self.scores)
            text += f" on average over {len(self.scores)} seeds ({low:.3g} to {high:.3g})"
        if not math.isfinite(self.score):
            return "There is no score: the loss is not finite."
        verb = "better" if self.beats_baseline else "no better"
        return f"{text}, training {self.train_score:.3g}: {verb} than the baseline's {float(self.baseline):.3g}."

    def _at_the_weights(self, key: str) -> tuple[float, ...]:
        """Return a curve's value at the chosen epoch."""
        return tuple(float(one.history[key][one.best_epoch]) for one in self.outcomes)
