"""Trying one spec after another under the same protocol, with every trial kept and reported while it runs."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recipe.core.dataset import Split
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import EpochReport, Run, mean_history
from recipe.core.spec import ModelSpec
from recipe.steps.s4_prepare import prepare
from recipe.steps.s6_scale_up import HistoryDiagnosis, diagnose_history
from recipe.steps.s7_final import predict
from recipe.steps.training import cross_validate

STOPPED = ("interrupted", "asked")  # how a run ends when somebody wants the whole work to end


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What `on_event` is told after each epoch.

    Attributes
    ----------
    step : number of the step, from 1
    name : what is trained
    epoch, epochs : the epoch that ended, from 0, of how many at the most
    part, parts : which fold it was of, from 0, of how many; 0 of 1 for a hold-out
    done, total : epochs of all folds together
    logs : the numbers of the epoch, as in a history
    seconds : since this training began
    """

    step: int
    name: str
    epoch: int
    epochs: int
    part: int
    parts: int
    done: int
    total: int
    logs: dict[str, float]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One spec, trained on every split of the protocol, and what validation said of it.

    Attributes
    ----------
    step : number of the step that it belongs to
    name : for people, such as ``"big model"``
    spec : what was trained
    why : what led to it, empty if nothing but the plan
    runs : one a split
    history : the mean over the runs, epoch by epoch, as far as all of them went
    diagnosis : what the history says
    epoch : from 0, the epoch that `score` is of: where the smoothed validation loss is lowest, unless told otherwise
    seconds : wall time of all runs
    """

    step: int
    name: str
    spec: ModelSpec
    why: str
    runs: tuple[Run, ...] = field(repr=False)
    history: dict[str, list[float]] = field(repr=False)
    diagnosis: HistoryDiagnosis
    epoch: int
    seconds: float

    @property
    def problem(self) -> Problem:
        """The problem that it was trained on."""
        return self.runs[0].problem

    @property
    def score(self) -> float:
        """The measure on the validation part, at `epoch`, the mean over the splits."""
        return self.history["val_" + self.problem.measure][self.epoch]

    @property
    def train_score(self) -> float:
        """The measure on the training part, at `epoch`."""
        return self.history[self.problem.measure][self.epoch]

    @property
    def epochs(self) -> int:
        """How many epochs all runs did."""
        return len(self.history["val_data_loss"])

    @property
    def stopped(self) -> str | None:
        """``"interrupted"`` or ``"asked"`` where somebody wanted an end before the last epoch, else None."""
        return next((run.stopped for run in self.runs if run.stopped in STOPPED), None)


class Stopped(Exception):
    """Raised where the work ends because somebody wanted it to; `how` is one of `STOPPED`."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(kw_only=True, eq=False)
class Bench:
    """Trains specs on the splits of one protocol, and keeps what came out; it alone of the workflow's parts changes.

    Attributes
    ----------
    splits : of the protocol, raw
    on_event : called with a `Progress` after every epoch
    stop : once set, the training that is under way ends with its epoch
    trials : all so far, a stopped one too
    """

    splits: Sequence[Split]
    on_event: Callable[[object], object] | None = None
    stop: threading.Event | None = None
    trials: list[Trial] = field(default_factory=list)
    _prepared: dict[str, list[Prepared]] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        """The problem that the splits are of."""
        return self.splits[0].problem

    @property
    def val_samples(self) -> int:
        """How many samples validation has, those of all folds together."""
        return sum(len(split.y_val) for split in self.splits)

    def prepared(self, spec: ModelSpec) -> list[Prepared]:
        """Return the splits as the architecture reads them, each prepared by its own training part, once."""
        encoding = encoding_for(spec, self.problem)
        if encoding not in self._prepared:
            self._prepared[encoding] = [prepare(split, encoding=encoding) for split in self.splits]
        return self._prepared[encoding]

    def try_spec(self, step: int, name: str, spec: ModelSpec, *, why: str = "", at_end: bool = False) -> Trial:
        """Train a spec on every split.

        Parameters
        ----------
        at_end : take the score of the last epoch, whose weights the runs' models have, not of the best one

        Raises
        ------
        Stopped
            If somebody wanted an end while it trained; the trial stands in `trials`, as far as it went.
        """
        began = time.perf_counter()
        report = report_epochs(self.on_event, step, name, len(self.splits))
        runs = cross_validate(spec, self.prepared(spec), on_epoch=report, stop=self.stop)
        history = mean_history([run.history for run in runs])
        diagnosis = diagnose_history(history)
        trial = Trial(
            step=step,
            name=name,
            spec=spec,
            why=why,
            runs=tuple(runs),
            history=history,
            diagnosis=diagnosis,
            epoch=len(history["val_data_loss"]) - 1 if at_end else diagnosis.best_epoch or 0,
            seconds=time.perf_counter() - began,
        )
        self.trials.append(trial)
        if trial.stopped:
            raise Stopped(trial.stopped)
        return trial

    def predict(self, trial: Trial) -> np.ndarray:
        """Return the outputs of a trial's models on the validation parts, one split after the other: (n, outputs)."""
        jobs = zip(trial.runs, self.prepared(trial.spec), self.splits, strict=True)
        return np.concatenate([predict(run.model, one.preparation, split.x_val) for run, one, split in jobs])


def find_best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the best validation score, the first of equals; one that diverged only if all did."""
    measure = MEASURES[trials[0].problem.measure]
    return max(trials, key=lambda trial: measure.gain(trial.score, 0.0) if math.isfinite(trial.score) else -math.inf)


def report_epochs(
    on_event: Callable[[object], object] | None, step: int, name: str, parts: int
) -> Callable[[EpochReport], None]:
    """Return an `on_epoch` that passes each epoch on as a `Progress`."""
    done = 0

    def report(epoch: EpochReport) -> None:
        nonlocal done
        done += 1
        if on_event is not None:
            on_event(
                Progress(
                    step=step,
                    name=name,
                    epoch=epoch.epoch,
                    epochs=epoch.epochs,
                    part=epoch.member,
                    parts=parts,
                    done=done,
                    total=epoch.epochs * parts,
                    logs=epoch.logs,
                    seconds=epoch.seconds,
                )
            )

    return report
