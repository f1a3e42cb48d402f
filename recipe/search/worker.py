"""Step 7: one trial of a search, trained where the work is done: here, in a thread or in another process."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.storages import BaseStorage

from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import Journal
from recipe.search.data import Cuts, SearchData, WorkerData
from recipe.steps.training import cross_validate, train

MOST_REPORTS = 50  # a trial: each costs a write and a look at the others
PRUNING_STARTS = 5  # finished trials that a comparison needs
_here: weakref.WeakValueDictionary[str, BaseStorage] = weakref.WeakValueDictionary()


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """When a trial is given up.

    Attributes
    ----------
    method : ``"median"`` (worse than the median of the others at the same epoch), ``"halving"`` (not among the best
        third where a third of the epochs is left) or ``""``
    epochs : the most that a trial of this search has
    """

    method: str
    epochs: int

    @property
    def every(self) -> int:
        """How many epochs lie between two looks."""
        return math.ceil(self.epochs / MOST_REPORTS)

    def make(self) -> BasePruner:
        """Return Optuna's pruner."""
        warmup = max(2, self.epochs // 10)
        if self.method == "median":
            return MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=warmup, n_min_trials=PRUNING_STARTS)
        if self.method == "halving":
            return SuccessiveHalvingPruner(min_resource=warmup, reduction_factor=3)
        return NopPruner()


@dataclass(frozen=True, kw_only=True)
class StudyPlace:
    """Where a study is: in a journal that any process can open, or in this process alone.

    Attributes
    ----------
    name : of the study
    token : names a storage of this process
    journal : None where there is only that
    """

    name: str
    token: str
    journal: Journal | None = None

    @classmethod
    def of(cls, name: str, storage: BaseStorage, journal: Journal | None = None) -> StudyPlace:
        """Return the place of a study in a storage, which this process can use as it is."""
        token = f"{os.getpid()}-{id(storage)}"
        _here[token] = storage
        return cls(name=name, token=token, journal=journal)

    def open(self, pruner: BasePruner) -> tuple[optuna.Study, BaseStorage] | None:
        """Return the study and its storage, or None where this process cannot reach them."""
        storage = _here.get(self.token)
        if storage is None and self.journal is not None:
            storage = _storage_at(self.journal.location)
        try:
            return optuna.load_study(study_name=self.name, storage=storage, pruner=pruner), storage
        except (KeyError, OSError, ValueError):  # another machine, where the file is another one
            return None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One trial to be trained.

    Attributes
    ----------
    place, trial_id : the trial in its study
    data, data_key : what to train on, and the key that it must have
    stop_file : the work ends with the epoch that is under way once this file is there
    """

    place: StudyPlace
    trial_id: int
    spec: ModelSpec
    data: SearchData | WorkerData = field(repr=False)
    data_key: str
    pruning: Pruning
    stop_file: Path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came out of a trial.

    Attributes
    ----------
    run : without its model, which stays where it was trained; for K-fold the mean of all, see `mean_run`
    ended : ``""`` (as its spec says), ``"pruned"``, ``"diverged"`` or ``"stopped"``
    """

    run: Run
    ended: str = ""


def train_trial(job: Job, on_epoch: Callable[[EpochReport], object] | None = None) -> Outcome:
    """Train a trial, give it up where the others are better, and return what came out.

    Raises
    ------
    RuntimeError
        If this process has other data than the search.
    """
    cuts, began = job.data.cuts(job.spec), time.perf_counter()
    if cuts.data_key != job.data_key:
        raise RuntimeError(
            f"This process loads other data than the search did. Received: data_key={cuts.data_key}, expected "
            f"{job.data_key}. Give it the same files, or give tune() the data in place of a name."
        )
    watch = _Watch(job, cuts, on_epoch)
    if len(cuts.each) == 1:
        run = train(job.spec, cuts.each[0], on_epoch=watch, stop=watch.halt, journal=None)
    else:
        run = mean_run(cross_validate(job.spec, cuts.each, on_epoch=watch, stop=watch.halt, journal=None))
        run = dataclasses.replace(run, protocol=cuts.protocol, seconds=time.perf_counter() - began)
    run = dataclasses.replace(run, model=None, data=job.data_key)
    if run.stopped == "interrupted":
        return Outcome(run=run, ended="stopped")
    if not math.isfinite(run.score) or watch.why == "diverged":
        return Outcome(run=run, ended="diverged")
    return Outcome(run=run, ended=watch.why if run.stopped == "asked" else "")


class _Watch:
    """Looks at a trial after each epoch: reports it, and sets `halt` where it is to end.

    Of several splits the mean is reported, once all have come to an epoch: at once where they are trained side by side,
    and with the last of them where they are trained in turn.
    """

    def __init__(self, job: Job, cuts: Cuts, on_epoch: Callable[[EpochReport], object] | None) -> None:
        self.halt = threading.Event()
        self.why = ""
        self._job = job
        self._sees_folder = job.stop_file.parent.exists()  # which goes with the search; another machine has none
        self._splits = len(cuts.each)
        self._values: dict[int, list[float]] = {}  # by epoch, of the splits that have come to it
        self._measure = "val_" + cuts.each[0].problem.measure
        self._on_epoch = on_epoch
        opened = job.place.open(job.pruning.make()) if job.pruning.method else None
        self._study, self._storage = opened or (None, None)
        # A trial that is trained a second time, since its first process was killed, has some of its reports.
        self._reported = set(self._trial.intermediate_values) if opened else set()

    def __call__(self, report: EpochReport) -> None:
        if self._on_epoch is not None:
            self._on_epoch(report)
        if not math.isfinite(report.logs["val_data_loss"]) and self._job.spec.patience is None:
            self._end("diverged")  # weights that are no numbers stay so; with patience the best ones come back
        elif self._job.stop_file.exists() or (self._sees_folder and not self._job.stop_file.parent.exists()):
            self._end("stopped")
        elif self._study is not None and (report.epoch + 1) % self._job.pruning.every == 0:
            self._look(report)

    @property
    def _trial(self) -> optuna.trial.FrozenTrial:
        return self._storage.get_trial(self._job.trial_id)

    def _look(self, report: EpochReport) -> None:
        values = self._values.setdefault(report.epoch, [])
        values.append(report.logs[self._measure])
        if len(values) < self._splits:
            return
        value = float(np.mean(values))
        if report.epoch not in self._reported and math.isfinite(value):
            self._storage.set_trial_intermediate_value(self._job.trial_id, report.epoch, value)
        if report.epoch + 1 < report.epochs and self._study.pruner.prune(self._study, self._trial):
            self._end("pruned")

    def _end(self, why: str) -> None:
        self.why = self.why or why
        self.halt.set()


@lru_cache(maxsize=4)
def _storage_at(location: str) -> BaseStorage:
    return Journal(location).storage
