"""Step 7: one trial of a search: a spec that is trained until its end, or until the others are clearly better."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event

import numpy as np
from optuna import Trial

from recipe.core.dataset import fingerprint
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import stamp
from recipe.search.space import SearchSpace
from recipe.steps.training import cross_validate

MOST_REPORTS = 50  # a trial: each costs a write and a look at the others
OnEpoch = Callable[[EpochReport], object]


@dataclass(frozen=True, eq=False)
class TrialData:
    """What a trial is trained on: one prepared split, or as many as there are folds."""

    parts: tuple[Prepared, ...]

    @cached_property
    def key(self) -> str:
        """Sixteen digits that stand for all parts; of one, its own `Prepared.data_key`."""
        keys = [part.data_key for part in self.parts]
        return keys[0] if len(keys) == 1 else fingerprint(" ".join(keys), [])

    @property
    def protocol(self) -> str:
        """How the data was cut, for people to read."""
        first = self.parts[0].protocol
        return first if len(self.parts) == 1 else f"mean over {len(self.parts)} splits, such as {first}"

    @property
    def val_samples(self) -> int:
        """How many samples a score is of; where K-fold is repeated, each counts once."""
        first = self.parts[0]
        return min(sum(len(part.y_val) for part in self.parts), len(first.y_train) + len(first.y_val))


Data = dict[str, TrialData]  # by architecture, which may want another encoding


def train_trial(trial: Trial, space: SearchSpace, data: Data, halt: Event, on_epoch: OnEpoch | None = None) -> Run:
    """Train a trial, on every part of its data; give it up where others are better; return what came out.

    Of several parts the run is the mean (see `mean_run`). Its `stopped` is ``"pruned"`` where it was given up, and its
    `note` is ``"diverged"`` where the loss was no longer a number; where the training failed, the note is its error.

    Parameters
    ----------
    trial : Optuna's, which takes what is reported after an epoch; also in another process, if its study is in a file
    halt : the training ends with the epoch that is under way once it is set
    """
    began, spec = time.perf_counter(), space.to_spec(trial.params)
    data = data[spec.architecture]
    first = data.parts[0]
    watch = _Watch(trial=trial, spec=spec, every=report_every(space), parts=data.parts, halt=halt, on_epoch=on_epoch)
    try:
        runs = cross_validate(spec, data.parts, on_epoch=watch, stop=watch.end, journal=None)
    except (MemoryError, RuntimeError) as error:  # XLA's too, for want of memory: the next network may be smaller
        note = f"{type(error).__name__}: {' '.join(str(error).split())}"
        run = Run(spec=spec, problem=first.problem, source=first.source, protocol="", history={}, note=note)
    else:
        # The weights stay where they were trained: a search is for its scores.
        runs = [dataclasses.replace(run, model=None) for run in runs]
        run = runs[0] if len(runs) == 1 else mean_run(runs)
        if run.stopped == "asked" and watch.why in ("pruned", "diverged"):
            run = dataclasses.replace(run, stopped="pruned")
        if watch.why == "diverged" or not math.isfinite(run.score):
            run = dataclasses.replace(run, note="diverged")
    seconds = time.perf_counter() - began
    run = dataclasses.replace(run, spec=spec, protocol=data.protocol, data=data.key, seconds=seconds)
    return stamp(run, origin="search")


def report_every(space: SearchSpace) -> int:
    """Return how many epochs lie between two reports of a trial."""
    return math.ceil(space.most_epochs / MOST_REPORTS)


@dataclass(kw_only=True)
class _Watch:
    """Looks at a trial after each epoch: reports it, and sets `end` where it is to end.

    Of several parts the mean is reported, once all have come to an epoch: at once where they are trained side by side,
    and with the last of them where they are trained in turn.
    """

    trial: Trial
    spec: ModelSpec
    every: int
    parts: tuple[Prepared, ...]
    halt: Event
    on_epoch: OnEpoch | None
    end: Event = field(default_factory=Event)
    why: str = ""  # or "stopped", "diverged", "pruned"
    values: dict[int, list[float]] = field(default_factory=dict)  # by epoch, of the parts that have come to it

    def __call__(self, report: EpochReport) -> None:
        if self.on_epoch is not None:
            self.on_epoch(report)
        if not math.isfinite(report.logs["val_data_loss"]) and self.spec.patience is None:
            self._stop("diverged")  # weights that are no numbers stay so; with patience the best ones come back
        elif self.halt.is_set():
            self._stop("stopped")
        elif (report.epoch + 1) % self.every == 0:
            self._look(report)

    def _look(self, report: EpochReport) -> None:
        values = self.values.setdefault(report.epoch, [])
        values.append(report.logs["val_" + self.parts[0].problem.measure])
        if len(values) < len(self.parts):
            return
        value = float(np.mean(values))
        if math.isfinite(value):
            self.trial.report(value, report.epoch)
        if report.epoch + 1 < report.epochs and self.trial.should_prune():
            self._stop("pruned")

    def _stop(self, why: str) -> None:
        self.why = self.why or why
        self.end.set()
