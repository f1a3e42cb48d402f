"""Step 7: who trains the trials of a search: this process, one after the other, or the workers of an executor."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import signal
import sys
import threading
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

NAMES = ("processes", "threads")
POLL_SECONDS = 0.1  # between two looks at a wish to stop
GRACE_SECONDS = 120.0  # that a worker has to end its epoch after a wish to stop
ATTEMPTS = 2  # at a trial whose worker was killed
THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # of XLA, and of NumPy's libraries
IMPORTED = ["keras", "recipe.search.worker", "recipe.engine.epoch"]  # before the forks: none of it begins to compute
LOST = ("KilledWorker", "CommClosedError", "FutureCancelledError", "CancelledError", "LostWorkerError")


@dataclass(kw_only=True)
class Team:
    """Workers, and how many trials they are given at a time.

    Attributes
    ----------
    executor : as `concurrent.futures` has it
    size : trials at a time
    shares_memory : whether the workers are threads of this process
    remake : makes a new executor where a killed worker has broken it; None where it is not ours
    """

    executor: Executor
    size: int
    shares_memory: bool = False
    remake: Callable[[], Executor] | None = None

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
def open_team(executor: object, workers: int | None = None) -> Iterator[Team | None]:
    """Give the workers that an argument stands for; those that were made here end with it.

    Parameters
    ----------
    executor : None (this process alone: gives None), ``"processes"``, ``"threads"``, a `concurrent.futures.Executor`,
        or a `dask.distributed.Client`
    workers : trials at a time; None: as many as the executor has workers, or the machine has processors

    Raises
    ------
    ValueError, TypeError
        If it is nothing that work can be given to.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"Nobody would work. Received: workers={workers}. Give 1 or more, or None.")
    if executor is None:
        if workers is not None and workers > 1:
            raise ValueError(
                f"This process trains one trial at a time. Received: executor=None, workers={workers}. Take "
                'executor="processes".'
            )
        yield None
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
        yield Team(executor=executor.get_executor(pure=False), size=size)
    else:
        raise TypeError(
            f"Nothing can be given to it to do. Received: executor, a {type(executor).__name__}. Give None, "
            '"processes", "threads", a concurrent.futures.Executor or a dask.distributed.Client.'
        )


def lost_its_worker(error: BaseException) -> bool:
    """Say whether an error is the end of a worker, not of what it did."""
    return isinstance(error, (BrokenExecutor, CancelledError)) or type(error).__name__ in LOST


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
