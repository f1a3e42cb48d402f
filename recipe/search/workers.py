"""Step 7: who trains the trials of a search, and how one is trained: here, on a thread, or in another process."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import multiprocessing.connection
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from optuna import Trial

from recipe.core.dataset import fingerprint
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import stamp
from recipe.steps.training import cross_validate, train

NAMES = ("processes", "threads")
THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # of XLA, and of NumPy's libraries
IMPORTED = ["keras", "recipe.search.workers", "recipe.engine.loop"]  # before the forks: none of it begins to compute
LOST = ("KilledWorker", "CommClosedError", "FutureCancelledError", "CancelledError", "LostWorkerError")

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


@dataclass(frozen=True, kw_only=True)
class Job:
    """One trial to be trained.

    Attributes
    ----------
    number : of the trial in this search, from 0
    trial : Optuna's, which takes what is reported after an epoch; also in another process, if its study is in a file
        or a database
    report_every : epochs between two reports: each costs a write and a look at the other trials
    stop_file : the work ends with the epoch that is under way once this file is there
    """

    number: int
    spec: ModelSpec
    trial: Trial = dataclasses.field(repr=False)
    report_every: int
    stop_file: Path


def train_trial(job: Job, data: Data | Path, on_epoch: OnEpoch | None = None) -> Run:
    """Train a trial, on every part of its data; give it up where others are better; return what came out.

    Of several parts the run is the mean (see `mean_run`). Its `stopped` is ``"pruned"`` where it was given up, and its
    `note` is ``"diverged"`` where the loss was no longer a number.

    Parameters
    ----------
    data : or the file that `Team.share` has written it to
    """
    data = (_read_once(data) if isinstance(data, Path) else data)[job.spec.architecture]
    began = time.perf_counter()
    watch = _Watch(job, data.parts, on_epoch)
    if len(data.parts) == 1:
        run = train(job.spec, data.parts[0], on_epoch=watch, stop=watch.halt, journal=None)
    else:
        runs = cross_validate(job.spec, data.parts, on_epoch=watch, stop=watch.halt, journal=None)
        run = mean_run([dataclasses.replace(run, model=None) for run in runs], protocol=data.protocol)
    # The weights stay where they were trained: a search is for its scores.
    run = dataclasses.replace(run, model=None, data=data.key, seconds=time.perf_counter() - began)
    given_up = run.stopped == "asked" and watch.why in ("pruned", "diverged")
    if given_up:
        run = dataclasses.replace(run, stopped="pruned")
    if (given_up and watch.why == "diverged") or not math.isfinite(run.score):
        run = dataclasses.replace(run, note="diverged")
    return stamp(run, origin="search")


class _Watch:
    """Looks at a trial after each epoch: reports it, and sets `halt` where it is to end.

    Of several parts the mean is reported, once all have come to an epoch: at once where they are trained side by side,
    and with the last of them where they are trained in turn.
    """

    def __init__(self, job: Job, parts: tuple[Prepared, ...], on_epoch: OnEpoch | None) -> None:
        self.halt = threading.Event()
        self.why = ""  # or "stopped", "diverged", "pruned"
        self._job, self._parts, self._on_epoch = job, len(parts), on_epoch
        self._measure = "val_" + parts[0].problem.measure
        self._values: dict[int, list[float]] = {}  # by epoch, of the parts that have come to it
        self._sees_folder = job.stop_file.parent.exists()  # which goes with the search; another machine has none
        self._reported = _reported_epochs(job.trial)

    def __call__(self, report: EpochReport) -> None:
        if self._on_epoch is not None:
            self._on_epoch(report)
        if not math.isfinite(report.logs["val_data_loss"]) and self._job.spec.patience is None:
            self._end("diverged")  # weights that are no numbers stay so; with patience the best ones come back
        elif self._job.stop_file.exists() or (self._sees_folder and not self._job.stop_file.parent.exists()):
            self._end("stopped")
        elif self._reported is not None and (report.epoch + 1) % self._job.report_every == 0:
            self._look(report)

    def _look(self, report: EpochReport) -> None:
        values = self._values.setdefault(report.epoch, [])
        values.append(report.logs[self._measure])
        if len(values) < self._parts:
            return
        value = float(np.mean(values))
        if report.epoch not in self._reported and math.isfinite(value):
            self._job.trial.report(value, report.epoch)
        if report.epoch + 1 < report.epochs and self._job.trial.should_prune():
            self._end("pruned")

    def _end(self, why: str) -> None:
        self.why = self.why or why
        self.halt.set()


def _reported_epochs(trial: Trial) -> set[int] | None:
    """Return what was reported by an earlier worker that was killed; None where this machine does not see the study."""
    try:
        return set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)
    except (KeyError, IndexError, OSError):
        return None


@lru_cache(maxsize=2)
def _read_once(path: Path) -> Data:
    return pickle.loads(path.read_bytes())  # written by this search, a moment ago


@dataclass(kw_only=True)
class Team:
    """Workers, and how many trials they are given at a time.

    Attributes
    ----------
    executor : as `concurrent.futures` has it
    size : trials at a time
    shares_memory : whether the workers are this process, or threads of it
    scatter : of a dask client, which sends data to its workers by itself
    remake : makes a new executor where a killed worker has broken it; None where it is not ours
    """

    executor: Executor
    size: int
    shares_memory: bool = False
    scatter: Callable[..., list] | None = None
    remake: Callable[[], Executor] | None = None

    def share(self, data: Data, folder: Path) -> object:
        """Return what the workers are given in place of the data: itself, what dask sent, or a file to be read once."""
        if self.shares_memory:
            return data
        if self.scatter is not None:  # in a list of one: the items of a mapping would be sent one by one
            return self.scatter([data], broadcast=True, hash=False)[0]
        path = folder / "data.pickle"
        path.write_bytes(pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL))
        return path

    def submit(self, function: Callable, *arguments: object) -> Future:
        """Give a worker something to do.

        Raises
        ------
        BrokenExecutor
            If the executor is not ours and takes nothing more.
        """
        try:
            return self.executor.submit(function, *arguments)
        except BrokenExecutor:
            if self.remake is None:
                raise
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.executor = self.remake()
            return self.executor.submit(function, *arguments)


@contextlib.contextmanager
def open_team(executor: object, workers: int | None = None) -> Iterator[Team]:
    """Give the workers that an argument stands for; those that were made here end with it.

    Parameters
    ----------
    executor : None (this process alone), ``"processes"``, ``"threads"``, a `concurrent.futures.Executor`, or a
        `dask.distributed.Client`
    workers : trials at a time; None: as many as the executor has workers, or the machine has processors

    Raises
    ------
    ValueError, TypeError
        If it is nothing that work can be given to.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"Nobody would work. Received: workers={workers}. Ask for 1 or more.")
    if executor is None:
        if workers not in (None, 1):
            raise ValueError(
                f"This process trains one trial at a time. Received: executor=None, workers={workers}. Take "
                'executor="processes".'
            )
        yield Team(executor=_Here(), size=1, shares_memory=True)
    elif isinstance(executor, str):
        if executor not in NAMES:
            raise ValueError(f"There is no such executor. Received: executor={executor!r}. Choose from {NAMES}.")
        team = _own_team(executor, workers or os.cpu_count() or 1)
        try:
            yield team
        finally:
            _shut(team.executor)
    elif isinstance(executor, Executor):
        size = workers or getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        yield Team(executor=executor, size=size, shares_memory=isinstance(executor, ThreadPoolExecutor))
    elif callable(getattr(executor, "get_executor", None)):
        size = workers or max(sum(executor.nthreads().values()), 1)
        yield Team(executor=executor.get_executor(pure=False), size=size, scatter=executor.scatter)
    else:
        raise TypeError(
            f"Nothing can be given to it to do. Received: executor, a {type(executor).__name__}. Give None, "
            '"processes", "threads", a concurrent.futures.Executor or a dask.distributed.Client.'
        )


def lost_its_worker(error: BaseException) -> bool:
    """Say whether an error is the end of a worker, not of what it did."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ in LOST


class _Here(Executor):
    """This process: what it is given is done when `submit` returns."""

    def submit(self, function: Callable, *arguments: object) -> Future:
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # whatever a training may raise: as from any worker
            future.set_exception(error)
        return future


def _own_team(name: str, workers: int) -> Team:
    if name == "threads":
        return Team(executor=ThreadPoolExecutor(workers), size=workers, shares_memory=True)

    def make() -> Executor:
        processors = max(1, (os.cpu_count() or 1) // workers)
        environment = dict(os.environ) | dict.fromkeys(THREADS, str(processors))
        return ProcessPoolExecutor(workers, mp_context=_context(), initializer=_begin_worker, initargs=(environment,))

    return Team(executor=make(), size=workers, remake=make)


def _context() -> multiprocessing.context.BaseContext:
    """Choose how processes begin.

    On Linux they are forks of one process that has imported Keras, and share its memory: the import takes seconds and
    300 MB. That process begins with the first search and ends with this one. Elsewhere, and with a backend other than
    JAX, which may not survive a fork, every worker imports for itself.
    """
    import keras

    if sys.platform != "linux" or keras.backend.backend() != "jax":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _begin_worker(environment: dict[str, str]) -> None:
    """Leave Ctrl-C to the main process, end with it, and take no more than one's share of the processors.

    A fork has the environment that its main process had at the first search; what was changed since then counts too.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)


def _end_with_parent() -> None:
    """Wait until the main process is no more: without it nobody would ever end this one."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _shut(executor: Executor) -> None:
    """End workers of our own; nothing that they still do is of use to anybody."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.join(1.0)
        if process.is_alive():
            process.kill()
