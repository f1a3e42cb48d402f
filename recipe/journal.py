"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It lies in a storage of Optuna's: a file that several processes can write to, or a database. A run is a trial without
parameters, whose user attribute ``"run"`` is `Run.to_dict`.
"""

from __future__ import annotations

import contextlib
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
from typing import TYPE_CHECKING, BinaryIO

import optuna
from filelock import FileLock
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.prepared import Prepared
from recipe.core.run import Run, collect_versions
from recipe.core.spec import ModelSpec
from recipe.data.files import home_folder

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "journal.log"
STUDY = "runs"
LOCK_SECONDS = 30.0  # that a writer waits for another one
RETRY_SECONDS = 1.0

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
        self.location = _default_location() if storage is None else str(storage)
        self._storage: BaseStorage | None = None
        self._opened: tuple[int, int] | None = None
        self._runs: dict[int, Run | None] = {}  # by number, as they were read: what is kept never changes
        self._opening = threading.RLock()

    def __repr__(self) -> str:
        without_password = re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", self.location)
        return f"Journal({without_password!r})"

    @property
    def storage(self) -> BaseStorage:
        """Optuna's storage; opened anew where its file was deleted or replaced in the meantime."""
        with self._opening:
            if self._storage is None or self._opened != _identity(self.location):
                self._storage, self._runs = open_storage(self.location), {}
                self._opened = _identity(self.location)
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
        # Of a trial that is complete Optuna wants a value for its study's direction, and there is none here: a run
        # brings its own score, and the measures of two problems point in different directions.
        template = create_trial(state=TrialState.FAIL, user_attrs={"run": run.to_dict()})
        trial = self.storage.create_new_trial(self._study(), template_trial=template)
        return replace(run, number=self.storage.get_trial_number_from_id(trial))

    def runs(self, data: str | None = None, origin: str | None = None) -> list[Run]:
        """Return what the journal holds, oldest first: all of it, or the runs on this data and of this origin.

        Parameters
        ----------
        data : a `Prepared.data_key`
        """
        if "://" not in self.location and _identity(self.location) is None:
            return []  # reading makes no file
        kept = filter(None, map(self._read, self.storage.get_all_trials(self._study(), deepcopy=False)))
        found = (run for run in kept if data in (None, run.data) and origin in (None, run.origin))
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

    def to_frame(self) -> pd.DataFrame:
        """Return the runs as `tabulate` does, oldest first."""
        return tabulate(self.runs())

    def note_look(self, test: str) -> int:
        """Note that the test set with this fingerprint was opened, and return how often it was in all."""
        study, key = self._study(), f"looks at {test}"
        looks = self.storage.get_study_user_attrs(study).get(key, 0) + 1
        self.storage.set_study_user_attr(study, key, looks)
        return looks

    def _study(self) -> int:
        """Return the number of the study that all is kept in, which is made where there is none."""
        with contextlib.suppress(KeyError):
            return self.storage.get_study_id_from_name(STUDY)
        with quiet_optuna():
            optuna.create_study(storage=self.storage, study_name=STUDY, load_if_exists=True)
        return self.storage.get_study_id_from_name(STUDY)

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


def default_journal() -> Journal | None:
    """Return the journal that trainings are recorded in, or None where ``RECIPE_JOURNAL=off``."""
    location = _default_location()
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
        text = (
            f"The run is done, and it is not in the journal. {type(error).__name__}: {error}. Set RECIPE_JOURNAL to a "
            "file that can be written, or to off."
        )
        warnings.warn(text, RuntimeWarning, stacklevel=4)
    return runs


def open_storage(location: str) -> BaseStorage:
    """Open a storage of Optuna's: a file, or a database where it is an address.

    Raises
    ------
    OSError, ValueError
        If the file cannot be made; if the database cannot be opened, with what its driver says.
    """
    if "://" not in location:
        return JournalStorage(JournalFile(Path(location).expanduser()))
    with quiet_optuna():
        try:
            return get_storage(location)
        except Exception:  # two processes that make a database's tables at once are in each other's way
            time.sleep(RETRY_SECONDS)
        try:
            return get_storage(location)
        except Exception as error:  # SQLAlchemy's, Optuna's or the driver's
            raise ValueError(
                f"The database cannot be opened. {type(error).__name__}: {error} Received: an address that begins with "
                f"{location.partition('://')[0]}://. Give one such as sqlite:///runs.db."
            ) from error


@contextlib.contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from telling of each study that is made; the user's own choice of what it tells comes back."""
    with _LOGGING:
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)


class JournalFile(JournalFileBackend):
    """Optuna's file of one JSON object a line, made fit for processes that are killed.

    In Optuna's own such a process leaves its lock behind for 30 seconds, and glues the line that it has torn to the
    next one, after which nothing behind it can be read.

    Parameters
    ----------
    path : of the file, which is made with its folder; its lock lies beside it, with ``.lock`` behind the name
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(str(path))
        self.path = path

    def append_logs(self, logs: list[dict[str, object]]) -> None:
        """Write each dict as a line, and before that take away a torn one: nobody was told that it is kept."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        # The operating system frees such a lock when its holder dies.
        with FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS, poll_interval=0.002), self.path.open("r+b") as file:
            file.truncate(_end_of_last_line(file))
            file.seek(0, os.SEEK_END)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


def _end_of_last_line(file: BinaryIO) -> int:
    """Return the size of a file without a torn line at its end."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 1))
    if file.read() in (b"\n", b""):
        return end
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def _identity(location: str) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None for a database, or where there is none."""
    with contextlib.suppress(OSError):
        status = Path(location).expanduser().stat()
        return status.st_dev, status.st_ino
    return None


def _default_location() -> str:
    return os.environ.get("RECIPE_JOURNAL") or str(home_folder() / FILE_NAME)


_FIRST = ("number", "time", "problem", "source", "origin", "state", "measure", "score", "train_score", "baseline")
_SPEC = tuple(field.name for field in fields(ModelSpec) if field.name != "epochs")
_LAST = ("stopped", "seconds", "final", "protocol", "data", "backend", "note")
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
