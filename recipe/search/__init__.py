"""Step 7: search for a better spec with Optuna, starting from the runs that were made by hand."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport
from recipe.core.spec import ModelSpec
from recipe.engine.interruption import interruptible
from recipe.journal import Journal, default_journal
from recipe.search.data import SearchData, architectures_of, check_space, take_data
from recipe.search.entries import Entry
from recipe.search.executors import Team, open_team
from recipe.search.space import SearchSpace, Values, default_space
from recipe.search.summary import Tuning
from recipe.steps.s6_plan import HELD_OUT

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from recipe.search.study import SearchStudies

__all__ = ["Tuning", "tune"]

MEMORY = "memory"
PRUNING = {True: "median", False: "", "median": "median", "halving": "halving"}


def tune(
    problem: str | Dataset | Split | Prepared | Sequence[Split] | Sequence[Prepared],
    space: SearchSpace | None = None,
    trials: int = 20,
    *,
    executor: str | Executor | object | None = None,
    workers: int | None = None,
    storage: str | Path | Journal | None = None,
    seed: int = 0,
    rows: int | None = None,
    source: str = "auto",
    fraction: float = HELD_OUT,
    folds: int | None = None,
    base: ModelSpec | None = None,
    pruning: bool | str = True,
    on_trial: Callable[[Entry], object] | None = None,
    on_epoch: Callable[[int, EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    seconds: float | None = None,
) -> Tuning:
    """Search for a better spec.

    The runs on the same data that the journal holds, by hand or by an earlier search, are trials of the same study:
    the search learns from them, and its own are added. By K-fold it learns from earlier searches on the same folds.

    Parameters
    ----------
    problem : a problem's name, or what `load`, `hold_out`, `k_fold` or `prepare` returned. A trial is trained on every
        split of a list, and judged by the mean over them, epoch by epoch
    space : what may be tried; None: `default_space`, around `base` where one is given
    trials : how many to make
    executor : None: one after the other in this process; ``"processes"`` (a script needs Python's usual
        ``if __name__ == "__main__":``), ``"threads"``, a `concurrent.futures.Executor` or a `dask.distributed.Client`
    workers : trials at a time; None: as many as the executor has workers
    storage : None: the journal; ``"memory"``; a journal file; or the address of a database, such as
        ``"sqlite:///search.db"`` or ``"postgresql+psycopg://..."``. Processes that search in one storage share a study
    seed : of what is tried, and of the first weights of `default_space`; not of the split
    rows, source : as for `load`; None takes the problem's own number of rows
    fraction : of the training samples that are held out, where `problem` is not cut yet
    folds : cut by K-fold instead, into so many: surer on few samples, and so many times the work
    pruning : give a trial up where it is worse than the median of the others at the same epoch; ``"halving"`` takes
        successive halving, False trains every trial to its end
    on_trial : called with the `Entry` of each trial that ended
    on_epoch : called with the number of a trial, from 0, and an `EpochReport`; not from other processes
    stop : once set, from any thread, the search ends with the epoch that is under way
    seconds : ends it so after this time

    Returns
    -------
    Tuning. Ctrl-C ends the search as `stop` does.

    Raises
    ------
    ValueError, TypeError, OSError
        If there is nothing to do, the space does not suit the data, or data or storage cannot be had.

    Examples
    --------
    >>> found = tune("mnist", trials=2, source="sample", rows=100, storage="memory", seconds=0.0)
    >>> found.stopped, len(found.new)
    ('time', 0)
    """
    began = time.perf_counter()
    _check_arguments(trials, pruning, seconds)
    deadline = None if seconds is None else time.monotonic() + seconds
    data = take_data(problem, source=source, rows=rows, fraction=fraction, folds=folds)
    space = _choose_space(space, base, data, seed)
    check_space(space, data)
    with ExitStack() as stack:
        team = stack.enter_context(open_team(executor, workers))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="recipe-", ignore_cleanup_errors=True)))
        studies = _open_studies(data, space, storage, PRUNING[pruning], seed, team, folder)
        look = stack.enter_context(interruptible(stop))
        from recipe.search.loop import Ending, Search

        search = Search(
            studies=studies,
            trials=trials,
            ending=Ending(look=look, deadline=deadline),
            on_trial=on_trial,
            on_epoch=on_epoch,
        )
        search.run(team)
        cuts = data.cuts(space.base)
        return Tuning(
            problem=data.problem,
            source=cuts.source,
            protocol=cuts.protocol,
            space=space,
            trials=tuple(sorted(studies.entries(), key=lambda entry: (entry.time, entry.number))),
            new=tuple(search.entries),
            val_samples=data.val_samples,
            stopped=search.ending.noted,
            seconds=time.perf_counter() - began,
            study=studies.everything,
        )


def _choose_space(space: SearchSpace | None, base: ModelSpec | None, data: SearchData, seed: int) -> SearchSpace:
    """Return the space that was given, or the usual one without what cannot read the data."""
    if space is not None and base is not None:
        raise ValueError("A space has its own base. Received: space and base. Give SearchSpace(base=...) alone.")
    if space is not None:
        return space
    space = default_space(data.problem, data.samples, seed)
    readable = tuple(name for name in architectures_of(space) if data.can_read(name))
    return replace(space, architecture=readable or ("mlp",), base=base or space.base)


def _open_studies(
    data: SearchData,
    space: SearchSpace,
    storage: str | Path | Journal | None,
    method: str,
    seed: int,
    team: Team | None,
    folder: Path,
) -> SearchStudies:
    """Open the studies, in a storage that the workers can reach, and say how the workers get the data."""
    from recipe.search.study import SearchStudies
    from recipe.search.worker import Pruning

    journal = _choose_journal(storage)
    is_remote = team is not None and not team.shares_memory
    if journal is None and is_remote:
        journal = Journal(folder / "journal.log")
    pruning = Pruning(method=method, epochs=_most(space.values_of("epochs", "")))
    studies = SearchStudies(data, space, journal, pruning, seed, folder)
    if is_remote:
        studies.worker_data = data.for_workers(folder, architectures_of(space))
    return studies


def _choose_journal(storage: str | Path | Journal | None) -> Journal | None:
    """Return the journal that the trials go to; None: nowhere but to memory."""
    if storage is None:
        return default_journal()
    if storage == MEMORY:
        return None
    return storage if isinstance(storage, Journal) else Journal(storage)


def _most(values: Values) -> int:
    return int(max(values) if isinstance(values, tuple) else values.high)


def _check_arguments(trials: int, pruning: bool | str, seconds: float | None) -> None:
    if trials < 1:
        raise ValueError(
            f"There is nothing to search in {trials} trials. Received: trials={trials}. Ask for 1 or more."
        )
    if pruning not in PRUNING:
        raise ValueError(
            f"Trials cannot be given up so. Received: pruning={pruning!r}. Choose from True, False and 'halving'."
        )
    if seconds is not None and not seconds >= 0:
        raise ValueError(f"A time is 0 s or more. Received: seconds={seconds}. Give some, or None.")
