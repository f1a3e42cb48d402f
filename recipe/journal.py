"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It lies in a storage of Optuna's: a file that several processes can write to, or a database. A run is a trial without
parameters, whose user attribute ``"run"`` is `Run.to_dict`. The first use in a process imports Optuna.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import Run, collect_versions
from recipe.core.spec import ModelSpec
from recipe.data.files import home_folder
from recipe.data.safe_files import hold_lock

if TYPE_CHECKING:
    import pandas as pd
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

FILE_NAME = "journal.log"
RUNS, LOOKS = "runs", "looks"  # the studies: a trial a run, a trial a look at a test set
LOCK_SECONDS = 30.0
TAIL_BYTES = 1 << 16  # how far back a look for the last whole line goes at a time
OPERATIONS = range(11)  # Optuna's numbers of what a line of the file can say
REPORT = 7  # the number of "the value after an epoch", which a power cut may take
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RETRY_SECONDS = (0.2, 1.0, 3.0)  # two processes that make a database's tables at once are in each other's way
SQLITE_SECONDS = 60  # that a process waits for another one's writing to an SQLite file

_origin: ContextVar[str | None] = ContextVar("origin", default=None)
_LOGGING = threading.RLock()


class Journal:
    """Every run, kept in one storage.

    Parameters
    ----------
    storage : a file, which need not exist yet; or the address of a database that Optuna can use, such as
        ``"sqlite:///runs.db"``. None takes ``$RECIPE_JOURNAL``, else ``journal.log`` in ``$RECIPE_HOME`` or the user's
        own data folder

    Examples
    --------
    The table is pandas' own: ``journal.to_frame().query("problem == 'mnist'").nlargest(5, "score")``.
    """

    def __init__(self, storage: str | Path | None = None) -> None:
        self.location = journal_location() if storage is None else str(storage)
        self._storage: BaseStorage | None = None
        self._runs: dict[int, Run | None] = {}  # by number, as they were read: what is kept never changes
        self._opening = threading.RLock()

    def __repr__(self) -> str:
        return f"Journal({hide_password(self.location)!r})"

    @property
    def storage(self) -> BaseStorage:
        """Optuna's storage; opened anew where its file was deleted or replaced in the meantime."""
        with self._opening:
            is_current = getattr(getattr(self._storage, "_backend", None), "is_current", True)
            if self._storage is None or not is_current:
                self._storage, self._runs = open_storage(self.location), {}
            return self._storage

    def record(self, run: Run) -> Run:
        """Keep a run; return it with its number, its time and its origin, which are filled in where they are empty.

        Raises
        ------
        ValueError
            If the run does not say what data it was trained on.
        OSError
            If the journal cannot be written.
        """
        if not run.data:
            raise ValueError(
                "The run does not say which data it was trained on. Received: run, data=''. Train it with "
                "journal=recipe.Journal(...), or dataclasses.replace(run, data=prepared.data_key)."
            )
        run = stamp(run)
        return replace(run, number=self._add(RUNS, {"run": run.to_dict()}), pinned=False)

    def runs(self, data: str | None = None, origin: str | None = None) -> list[Run]:
        """Return what the journal holds, oldest first: all of it, or the runs on this data and of this origin.

        Parameters
        ----------
        data : a `Prepared.data_key`
        """
        study = self._find_study(RUNS)
        pins = {} if study is None else self.storage.get_study_user_attrs(study)
        found = []
        for run in filter(None, map(self._read, self._trials(RUNS))):
            if data in (None, run.data) and origin in (None, run.origin):
                found.append(replace(run, pinned=True) if pins.get(f"pinned {run.number}") else run)
        return sorted(found, key=lambda run: run.time)

    def find(self, spec: ModelSpec, prepared: Prepared) -> Run | None:
        """Return the last complete run of this spec, seed included, on this data with these versions, or None."""
        import keras

        same = {"spec": spec, "backend": keras.config.backend(), "versions": collect_versions(), "by_spec": True}
        for run in reversed(self.runs(data=prepared.data_key)):
            is_whole = run.state == "complete" and not run.final and not run.members
            if is_whole and all(getattr(run, name) == value for name, value in same.items()):
                return run
        return None

    def pin(self, run: Run, pinned: bool = True) -> Run:
        """Mark a run of the journal, or take the mark away; return it as it is now."""
        if run.number is None:
            raise ValueError(
                "Only a run that is in the journal can be pinned. Received: run, number=None. Keep it first: "
                "journal.record(run)."
            )
        self.storage.set_study_user_attr(self._study(RUNS), f"pinned {run.number}", pinned)
        return replace(run, pinned=pinned)

    def to_frame(self) -> pd.DataFrame:
        """Return the runs as `tabulate` does, oldest first."""
        return tabulate(self.runs())

    def note_looks(self, problem: Problem, test: str, looks: int = 1) -> int:
        """Note that a test set was opened, and return how often it was in all.

        Parameters
        ----------
        test : the fingerprint of the test set
        looks : how often it was opened since the last note
        """
        which = {"problem": problem.name, "test": test}
        if looks:
            self._add(LOOKS, which | {"looks": looks, "origin": current_origin()})
        noted = [trial.user_attrs for trial in self._trials(LOOKS)]
        return sum(note["looks"] for note in noted if which.items() <= note.items())

    def _add(self, study: str, attributes: dict[str, object]) -> int:
        """Keep attributes as a trial of a study, whole or not at all, and return its number."""
        from optuna.trial import TrialState, create_trial

        # Of a trial that is complete Optuna wants a value for its study's direction, and there is none here: a run
        # brings its own score, and the measures of two problems point in different directions.
        template = create_trial(state=TrialState.FAIL, user_attrs=attributes)
        trial = self.storage.create_new_trial(self._study(study), template_trial=template)
        return self.storage.get_trial_number_from_id(trial)

    def _trials(self, study: str) -> list[FrozenTrial]:
        number = self._find_study(study)
        return [] if number is None else self.storage.get_all_trials(number, deepcopy=False)

    def _find_study(self, name: str) -> int | None:
        """Return the number of a study; None where nothing was kept yet, for reading makes no file."""
        with contextlib.suppress(KeyError):
            return self.storage.get_study_id_from_name(name)
        return None

    def _study(self, name: str) -> int:
        """Return the number of a study, which is made where there is none."""
        import optuna

        if (number := self._find_study(name)) is not None:
            return number
        with quiet_optuna():
            optuna.create_study(storage=self.storage, study_name=name, load_if_exists=True)
        return self.storage.get_study_id_from_name(name)

    def _read(self, trial: FrozenTrial) -> Run | None:
        """Return a trial as a run, which is read once; None where it is of a version that wrote something else."""
        if trial.number not in self._runs:
            try:
                run = replace(Run.from_dict(trial.user_attrs["run"]), number=trial.number)
            except (KeyError, TypeError, ValueError):
                run = None
            self._runs[trial.number] = run
        return self._runs[trial.number]


def tabulate(runs: Iterable[Run]) -> pd.DataFrame:
    """Return runs as a table, a row each: scores and epochs (from 1), every field of the spec, where they are from."""
    import pandas as pd

    frame = pd.DataFrame([_to_row(run) for run in runs], columns=_COLUMNS)
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True, format="ISO8601"))


def stamp(run: Run, origin: str | None = None) -> Run:
    """Return a run that says when it ended and who asked for it, where it does not say so yet."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return replace(run, time=run.time or now, origin=run.origin or origin or current_origin())


@contextlib.contextmanager
def origin_of(name: str) -> Iterator[None]:
    """Say of all runs that are recorded inside, by this thread, who asked for them.

    Examples
    --------
    >>> with origin_of("panel"):
    ...     current_origin()
    'panel'
    """
    token = _origin.set(name)
    try:
        yield
    finally:
        _origin.reset(token)


def current_origin() -> str:
    """Return who asks now: what `origin_of` says, else ``"notebook"`` inside IPython and ``"script"`` outside."""
    if _origin.get() is not None:
        return _origin.get()
    shell = sys.modules.get("IPython")
    return "notebook" if shell is not None and shell.get_ipython() is not None else "script"


def journal_location() -> str:
    """Return where the default journal is: ``$RECIPE_JOURNAL``, else a file in `home_folder`."""
    return os.environ.get("RECIPE_JOURNAL") or str(home_folder() / FILE_NAME)


def default_journal() -> Journal | None:
    """Return the journal that trainings are recorded in, or None where ``RECIPE_JOURNAL=off``."""
    location = journal_location()
    return None if location.lower() == "off" else _journal_at(location)


def choose_journal(journal: Journal | str | Path | None) -> Journal | None:
    """Return the journal that an argument stands for: the default one for ``"default"``, one at a place, or itself."""
    if journal is None or isinstance(journal, Journal):
        return journal
    return default_journal() if journal == "default" else Journal(journal)


def keep(runs: Iterable[Run], journal: Journal | None) -> list[Run]:
    """Record runs and return them so; a journal that fails costs a RuntimeWarning, never a run."""
    runs = list(runs)
    if journal is None:
        return runs
    try:
        for place, run in enumerate(runs):
            runs[place] = journal.record(run)
    except Exception as error:  # whatever a storage may raise: the training's result is worth more
        text = f"The run is done, and it is not in the journal. {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
    return runs


def open_storage(location: str) -> BaseStorage:
    """Open a storage of Optuna's: a file, or a database where it is an address.

    Raises
    ------
    ValueError, ImportError, OSError
        If it is no address, the database's driver is not installed, or file or database cannot be read.
    """
    with quiet_optuna():
        if "://" in location:
            return _open_database(location)
        from optuna.storages import JournalStorage

        return JournalStorage(JournalFile(Path(location).expanduser()))


@contextlib.contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from telling of each study that is made; the user's own choice of what it tells comes back."""
    import optuna

    with _LOGGING:
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)


class JournalFile:
    """One JSON object a line, as Optuna's `JournalStorage` reads and writes it; for months, and for several processes.

    Optuna has a backend of its own, and it falls short here: a process that is killed leaves its lock behind for 30
    seconds, and a line that was torn in the middle is glued to the next one, after which nothing behind it can be read.
    This one is no subclass of it, so that importing this module does not import Optuna.

    Nothing is written until the first line is: a folder is made then. A file that is not there is an empty journal.

    Parameters
    ----------
    path : of the file; its lock lies beside it, with ``.lock`` behind the name
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._starts = [0]  # the byte where each line begins that was read so far, and where the next one will
        self._identity: tuple[int, int] | None = None

    @property
    def is_current(self) -> bool:
        """Whether the file is the one that was read, not one that somebody put in its place or emptied."""
        try:
            status = self.path.stat()
        except OSError:
            return self._identity is None
        same = self._identity in (None, (status.st_dev, status.st_ino))
        return same and status.st_size >= self._starts[-1]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, object]]:
        """Yield the lines from this number on; one that is damaged is passed over, with a RuntimeWarning."""
        start = self._starts[log_number_from]
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                file.seek(start)
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return
        self._identity = status.st_dev, status.st_ino
        *lines, _ = data.split(b"\n")  # what stands behind the last end of line is torn, or on its way
        del self._starts[log_number_from + 1 :]
        found = []
        for line in lines:
            start += len(line) + 1
            log = _parse(line)
            if log is None:
                self._starts[-1] = start
            else:
                self._starts.append(start)
                found.append(log)
        if len(found) < len(lines):
            text = f"{len(lines) - len(found)} of {len(lines)} lines of the journal are damaged and were passed over"
            warnings.warn(f"{text}: {self.path}.", RuntimeWarning, stacklevel=4)
        yield from found

    def append_logs(self, logs: list[dict[str, object]]) -> None:
        """Write each dict as a line, all of them or none.

        Raises
        ------
        OSError
            If there is no space left, or nothing can be written there: the journal is then what it was before.
        TimeoutError
            If another process keeps the lock for LOCK_SECONDS.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        lasting = any(log["op_code"] != REPORT for log in logs)
        lock = Path(f"{self.path}.lock")
        doing = {"doing": "kept the journal", "way_out": "End that process"}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with hold_lock(lock, seconds=LOCK_SECONDS, poll_seconds=0.002, **doing):
                self._append(lines, lasting)
        except OSError as error:
            if error.errno is None:  # one of ours, which explains itself
                raise
            raise OSError(error.errno, self._explain(error)) from error

    def _append(self, lines: bytes, lasting: bool) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self.path, flags, 0o644), "r+b", buffering=0) as file:
            end = _end_of_last_line(file)
            try:
                file.truncate(end)  # a torn line is of a process that was killed: nobody was told that it is kept
                file.seek(end)
                view = memoryview(lines)
                while view:  # a disk that becomes full takes a part, and refuses the rest
                    view = view[file.write(view) :]
                if lasting:
                    os.fsync(file.fileno())
            except BaseException:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise

    def _explain(self, error: OSError) -> str:
        if error.errno in NO_SPACE:
            fact, way_out = "There is no space left for the journal", "Free some space"
        else:
            fact, way_out = f"The journal cannot be written: {error.strerror}", "Give it a folder that you can write to"
        return (
            f"{fact}; it holds what it held before. Received: {self.path}. {way_out}, set RECIPE_JOURNAL to another "
            "file, or to off."
        )


def hide_password(address: str) -> str:
    """Return an address of a database for people to read.

    Examples
    --------
    >>> hide_password("postgresql+psycopg://ada:secret@host/runs")
    'postgresql+psycopg://ada:***@host/runs'
    """
    return re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", address)


def _open_database(address: str) -> BaseStorage:
    """Open Optuna's storage in a database, and make its tables where there are none."""
    from optuna.storages import RDBStorage, get_storage
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    engine = {"connect_args": {"timeout": SQLITE_SECONDS}} if address.startswith("sqlite") else {}
    received = f"Received: {hide_password(address)}."
    for pause in (*RETRY_SECONDS, None):
        try:
            return get_storage(RDBStorage(address, engine_kwargs=engine))  # with a memory for trials that are done
        except (ArgumentError, NoSuchModuleError) as error:
            raise ValueError(
                f"This is no address of a database: {_one_line(error)} {received} Give one such as "
                "sqlite:///runs.db or postgresql+psycopg://user@host/name."
            ) from error
        except ImportError as error:
            raise ImportError(
                f"The driver for this database is not installed: {_one_line(error)} {received} Install it, such as "
                "psycopg[binary] for postgresql+psycopg://."
            ) from error
        except DBAPIError as error:
            if pause is None:
                raise OSError(
                    f"The database does not answer as it should: {_one_line(error.orig)} {received} See that it runs, "
                    "and that the address and the user are right."
                ) from error
            time.sleep(pause)
    raise AssertionError  # the last pause is None


def _end_of_last_line(file: object) -> int:
    """Return the size of the file without a torn line at its end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - TAIL_BYTES)
        file.seek(start)
        place = file.read(end - start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0


def _parse(line: bytes) -> dict[str, object] | None:
    """Return what a line holds; None where it is damaged, or says what this version of Optuna does not know."""
    try:
        log = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(log, dict) and log.get("op_code") in OPERATIONS and "worker_id" in log
    return log if whole else None


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?")) else f"{text}."


_FIRST = ("number", "time", "problem", "source", "origin", "state", "measure", "score", "train_score", "baseline")
_SPEC = tuple(field.name for field in fields(ModelSpec) if field.name != "epochs")
_LAST = ("stopped", "seconds", "pinned", "final", "protocol", "data", "backend", "note")
_COLUMNS = (*_FIRST, "best_epoch", "epochs", "spec", *_SPEC, *_LAST)


def _to_row(run: Run) -> dict[str, object]:
    own = {
        "problem": run.problem.name,
        "best_epoch": run.best_epoch + 1,
        "spec": run.spec.describe(),
        "hidden_units": "-".join(map(str, run.spec.hidden_units)),
    }
    return {name: own.get(name, getattr(run, name, getattr(run.spec, name, None))) for name in _COLUMNS}


@lru_cache(maxsize=8)
def _journal_at(location: str) -> Journal:
    return Journal(location)
