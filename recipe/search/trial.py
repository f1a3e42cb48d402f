"""Step 7: one trial of a search: a spec that is trained until its end, or until the others are clearly better."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from recipe.core.dataset import fingerprint
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import stamp
from recipe.search.space import SearchSpace
from recipe.steps.training import cross_validate

MOST_REPORTS = 50  # a trial: each costs a write and a look at the others
Data = dict[str, tuple[Prepared, ...]]  # by architecture, which may want another encoding: a split, or every fold


def data_key(parts: Sequence[Prepared]) -> str:
    """Return sixteen digits that stand for all parts; of one, its own `Prepared.data_key`."""
    keys = [part.data_key for part in parts]
    return keys[0] if len(keys) == 1 else fingerprint(" ".join(keys), [])


def open_study(trials: Iterable[FrozenTrial], **options: object) -> optuna.Study:
    """Return a new study that begins with these trials; Optuna, which tells of each that is made, is quiet of it."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))
    study = optuna.create_study(**options)
    optuna.logging.set_verbosity(verbosity)
    study.add_trials(trials)
    return study


def train_trial(trial: optuna.Trial, space: SearchSpace, data: Data, halted: Callable[[], object]) -> Run:
    """Train a trial, on every part of its data; give it up where others are better; return what came out.

    Of several parts the run is the mean (see `mean_run`). Its `stopped` is ``"pruned"`` where it was given up, and its
    `note` is ``"diverged"`` where the loss was no longer a number; where the training failed, the note is its error.

    Parameters
    ----------
    trial : Optuna's, which takes what is reported after an epoch, and says whether others are better
    halted : says whether the training is to end with the epoch that is under way
    """
    began, spec = time.perf_counter(), space.to_spec(trial.params)
    parts = data[spec.architecture]
    every = math.ceil(space.most_epochs / MOST_REPORTS)
    watch = _Watch(trial=trial, spec=spec, every=every, parts=parts, halted=halted)
    try:
        runs = cross_validate(spec, parts, on_epoch=watch, stop=watch.end, journal=None)
    except (MemoryError, RuntimeError) as error:  # XLA's too, for want of memory: the next network may be smaller
        first, note = parts[0], f"{type(error).__name__}: {' '.join(str(error).split())}"
        run = Run(spec=spec, problem=first.problem, source=first.source, protocol="", history={}, note=note)
    else:
        # The weights stay where they were trained: a search is for its scores.
        runs = [replace(run, model=None) for run in runs]
        protocol = f"mean over {len(parts)} splits, such as {parts[0].protocol}"
        run = runs[0] if len(parts) == 1 else mean_run(runs, spec=spec, protocol=protocol)
        if run.stopped == "asked" and watch.why in ("pruned", "diverged"):
            run = replace(run, stopped="pruned")
        if watch.why == "diverged" or not math.isfinite(run.score):
            run = replace(run, note="diverged")
    return stamp(replace(run, data=data_key(parts), seconds=time.perf_counter() - began), origin="search")


@dataclass(kw_only=True)
class _Watch:
    """Looks at a trial after each epoch: reports it, and sets `end` where it is to end.

    Of several parts the mean is reported, once all have come to an epoch: at once where they are trained side by side,
    and with the last of them where they are trained in turn.
    """

    trial: optuna.Trial
    spec: ModelSpec
    every: int
    parts: tuple[Prepared, ...]
    halted: Callable[[], object]
    end: Event = field(default_factory=Event)
    why: str = ""  # or "stopped", "diverged", "pruned"
    values: dict[int, list[float]] = field(default_factory=dict)  # by epoch, of the parts that have come to it

    def __call__(self, report: EpochReport) -> None:
        self.why = self.why or self._judge(report)
        if self.why:
            self.end.set()

    def _judge(self, report: EpochReport) -> str:
        if not math.isfinite(report.logs["val_data_loss"]) and self.spec.patience is None:
            return "diverged"  # weights that are no numbers stay so; with patience the best ones come back
        if self.halted():
            return "stopped"
        if (report.epoch + 1) % self.every:
            return ""
        values = self.values.setdefault(report.epoch, [])
        values.append(report.logs["val_" + self.parts[0].problem.measure])
        if len(values) < len(self.parts):
            return ""
        value = float(np.mean(values))
        if math.isfinite(value):
            self.trial.report(value, report.epoch)
        return "pruned" if report.epoch + 1 < report.epochs and self.trial.should_prune() else ""
