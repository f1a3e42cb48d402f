"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It is one file, a JSON object a line, which only ever grows and several processes may write to. A line is a run,
``{"run": Run.to_dict()}``, or a look at a test set, ``{"look": its fingerprint}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.files import home_folder

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "journal.log"
LOCK_SECONDS = 30.0  # that a writer waits for another one

_origin: ContextVar[str | None] = ContextVar("origin", default=None)


class Journal:
    """Every run, kept in one file. Reading makes none.

    Parameters
    ----------
    location : of the file, which need not exist yet. None takes ``$RECIPE_JOURNAL``, else ``journal.log`` in
        ``$RECIPE_HOME`` or the user's own data folder

    Examples
    --------
    The table is pandas' own: ``journal.to_frame().query("problem == 'mnist'").nlargest(5, "score")``.
    """

    def __init__(self, location: str | Path | None = None) -> None:
        self.location = Path(location or _default_location()).expanduser()
        self._reading = threading.RLock()
        self._forget(None)

    def __repr__(self) -> str:
        return f"Journal({str(self.location)!r})"

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
        return replace(run, number=self._append({"run": run.to_dict()}))

    def runs(self, data: str | None = None, origin: str | None = None) -> list[Run]:
        """Return what the journal holds, oldest first: all of it, or the runs on this data and of this origin.

        Parameters
        ----------
        data : a `Prepared.data_key`
        """
        self._catch_up()
        found = [
            run
            for number, line in enumerate(self._lines)
            if (run := self._read(line, number)) and data in (None, run.data) and origin in (None, run.origin)
        ]
        return sorted(found, key=lambda run: run.time)

    def to_frame(self) -> pd.DataFrame:
        """Return the runs as `tabulate` does, oldest first."""
        return tabulate(self.runs())

    def note_look(self, test: str) -> int:
        """Note that the test set with this fingerprint was opened, and return how often it was in all."""
        number = self._append({"look": test})
        return self._lines.count(self._lines[number])

    def _append(self, entry: dict[str, object]) -> int:
        """Write a line, and return its number."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        self.location.parent.mkdir(parents=True, exist_ok=True)
        # The operating system frees such a lock when its holder is killed.
        with self._reading, FileLock(f"{self.location}.lock", timeout=LOCK_SECONDS, poll_interval=0.002):
            self._catch_up()
            with self.location.open("ab") as file:
                file.truncate(self._end)  # a torn line is of a process that was killed, or of a full disk
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            self._catch_up()
            return len(self._lines) - 1

    def _catch_up(self) -> None:
        """Read the lines that were added since the last look; all of them where the file is another one by now."""
        with self._reading:
            try:
                file = self.location.open("rb")
            except (FileNotFoundError, NotADirectoryError):
                return self._forget(None)
            with file:
                status = os.fstat(file.fileno())
                if self._file != (status.st_dev, status.st_ino) or status.st_size < self._end:
                    self._forget((status.st_dev, status.st_ino))
                file.seek(self._end)
                *lines, torn = file.read().split(b"\n")  # or on its way
                self._end = file.tell() - len(torn)
            self._lines += lines

    def _forget(self, file: tuple[int, int] | None) -> None:
        """Begin with a file from its start; `file` tells it from another one of its name."""
        self._file, self._end = file, 0  # where its last whole line ends
        self._lines: list[bytes] = []
        self._read = cache(_read_run)  # a line becomes a run once: what is written never changes


def tabulate(runs: Iterable[Run]) -> pd.DataFrame:
    """Return runs as a table, a row each: scores and epochs (from 1), every field of the spec, where they are from."""
    import pandas as pd

    frame = pd.DataFrame([_to_row(run) for run in runs], columns=_COLUMNS)
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True, format="ISO8601"))


def stamp(run: Run, origin: str | None = None) -> Run:
    """Return a run that says when it ended and who asked for it, where it does not say so yet.

    Who asked is `origin`, or what `origin_of` says, else ``"notebook"`` inside IPython and ``"script"`` outside.
    """
    shell, now = sys.modules.get("IPython"), datetime.now(UTC).isoformat(timespec="milliseconds")
    asked = origin or _origin.get() or ("notebook" if shell and shell.get_ipython() else "script")
    return replace(run, time=run.time or now, origin=run.origin or asked)


@contextlib.contextmanager
def origin_of(name: str) -> Iterator[None]:
    """Say of all runs that are recorded inside, by this thread, who asked for them."""
    token = _origin.set(name)
    try:
        yield
    finally:
        _origin.reset(token)


def default_journal() -> Journal | None:
    """Return the journal that trainings are recorded in, or None where ``RECIPE_JOURNAL=off``."""
    location = _default_location()
    return None if location.lower() == "off" else _journal_at(location)


def choose_journal(journal: Journal | str | Path | None) -> Journal | None:
    """Return the journal that an argument stands for: the default one for ``"default"``, one at a place, or itself."""
    if journal is None or isinstance(journal, Journal):
        return journal
    return default_journal() if journal == "default" else Journal(journal)


def keep(run: Run, journal: Journal | None) -> Run:
    """Record a run and return it so; a journal that fails costs a RuntimeWarning, never a run."""
    if journal is not None:
        with warn_of_failure("The run is done, and it is not in the journal."):
            return journal.record(run)
    return run


@contextlib.contextmanager
def warn_of_failure(fact: str) -> Iterator[None]:
    """Warn of whatever a storage raises inside, and go on: the result of a training is worth more."""
    try:
        yield
    except Exception as error:
        text = f"{fact} {type(error).__name__}: {error}. Set RECIPE_JOURNAL to a file that can be written, or to off."
        warnings.warn(text, RuntimeWarning, stacklevel=5)


def _default_location() -> str:
    is_voila = os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    folder = Path(_folder_of_viewer().name) if is_voila else home_folder()
    return os.environ.get("RECIPE_JOURNAL") or str(folder / FILE_NAME)


@lru_cache(maxsize=1)
def _folder_of_viewer() -> tempfile.TemporaryDirectory:
    """Return where a viewer of Voilà keeps runs: each has a kernel of their own, and these runs go with it."""
    return tempfile.TemporaryDirectory(prefix="recipe-")


def _read_run(line: bytes, number: int) -> Run | None:
    """Return a line as a run; None where it is a look, damaged, or of a version that wrote something else."""
    try:
        return replace(Run.from_dict(json.loads(line)["run"]), number=number)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


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
