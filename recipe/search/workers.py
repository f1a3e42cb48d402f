"""Step 7: processes of this machine that train trials, several at the same time."""

from __future__ import annotations

import multiprocessing.connection
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, wait
from threading import Event

from optuna.trial import FrozenTrial

from recipe.core.run import Run
from recipe.search.space import SearchSpace
from recipe.search.trial import Data, open_study, train_trial

THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # of XLA, and of NumPy's libraries
IMPORTED = ["keras", "recipe.search.workers", "recipe.engine.loop"]  # before the forks: none of it begins to compute

_given: tuple[SearchSpace, Data, Event] | None = None  # to this process, once and for all of its trials


def open_pool(workers: int, space: SearchSpace, data: Data) -> tuple[ProcessPoolExecutor, Event]:
    """Return a pool of processes that `train_given` can be sent to, and the event that ends their trainings."""
    context = _context()
    halt = context.Event()
    processors = max(1, (os.cpu_count() or 1) // workers)
    environment = dict(os.environ) | dict.fromkeys(THREADS, str(processors))
    given = (environment, space, data, halt)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=given)
    # All of them begin now: a pool notices the death of those processes alone that were there when it last had an
    # answer. If a later one were killed, the search would wait for ever.
    wait([pool.submit(os.getpid) for _ in range(workers)])
    return pool, halt


def train_given(params: dict[str, object], done: list[FrozenTrial], options: dict[str, object]) -> Run:
    """Train a trial in a process of the pool, given its parameters and a study: the trials that are done, and how."""
    space, data, halt = _given
    study = open_study(done, **options)
    study.enqueue_trial(params)
    return train_trial(study.ask(space.distributions), space, data, halt.is_set)


def _context() -> multiprocessing.context.BaseContext:
    """Choose how processes begin.

    On Linux they are forks of one process that has imported Keras, and share its memory: the import takes seconds and
    300 MB. That process begins with the first search and ends with this one. Elsewhere, and with a backend other than
    JAX, which may not survive a fork, every worker imports for itself.
    """
    import keras

    if sys.platform != "linux" or keras.config.backend() != "jax":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


def _begin(environment: dict[str, str], *given: object) -> None:
    """Leave Ctrl-C to the main process, end with it, and take no more than one's share of the processors.

    A fork has the environment that its main process had at the first search; what was changed since then counts too.
    """
    global _given
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    _given = given


def _end_with_parent() -> None:
    """Wait until the main process is no more: without it nobody would ever end this one."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
