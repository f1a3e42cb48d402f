"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It is one file, a JSON object a line, which only ever grows and several processes may write to. A line is a run,
``{"run": Run.to_dict()}``, or a look at a test set, ``{"look": its fingerprint}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock

from recipe.core.prepared import Prepared
from recipe.core.run import Run, collect_versions
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
        for number, kept in enumerate(self._runs):  # a line becomes a run once: what is kept never changes
            if isinstance(kept, dict):
                self._runs[number] = _read_run(kept, number)
        found = [run for run in self._runs if run and data in (None, run.data) and origin in (None, run.origin)]
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
        self._append({"look": test})
        return self._looks[test]

    def _append(self, entry: dict[str, object]) -> int:
        """Write a line, and return the number of the last run there is then."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        self.location.parent.mkdir(parents=True, exist_ok=True)
        # The operating system frees such a lock when its holder is killed.
        lock = FileLock(f"{self.location}.lock", timeout=LOCK_SECONDS, poll_interval=0.002)
        with self._reading, lock, self.location.open("a+b") as file:
            file.truncate(_end_of_last_line(file))  # a torn line is of a process that was killed, or of a full disk
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            self._catch_up()
            return len(self._runs) - 1

    def _catch_up(self) -> None:
        """Read what was added since the last look; all of it where the file is another one by now."""
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
                *lines, _ = file.read().split(b"\n")  # what stands behind the last end of line is torn, or on its way
            for line in lines:
                self._end += len(line) + 1
                entry = _parse(line)
                if "look" in entry:
                    self._looks[entry["look"]] += 1
                else:
                    self._runs.append(entry)

    def _forget(self, file: tuple[int, int] | None) -> None:
        """Begin with a file from its start; `file` tells it from another one of its name."""
        self._file, self._end = file, 0
        self._runs: list[dict[str, object] | Run | None] = []  # by number
        self._looks: Counter[str] = Counter()


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


def _default_location() -> str:
    return os.environ.get("RECIPE_JOURNAL") or str(home_folder() / FILE_NAME)


def _end_of_last_line(file: BinaryIO) -> int:
    """Return the size of a file without a torn line at its end."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 1))
    if file.read() in (b"\n", b""):
        return end
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def _parse(line: bytes) -> dict[str, object]:
    """Return what a line holds; nothing where it is damaged."""
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _read_run(entry: dict[str, object], number: int) -> Run | None:
    """Return a line as a run; None where it is damaged, or of a version that wrote something else."""
    try:
        return replace(Run.from_dict(entry["run"]), number=number)
    except (KeyError, TypeError, ValueError):
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
