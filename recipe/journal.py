"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It is one file, a JSON object a line, which only ever grows and several processes may write to. A line is a run,
``{"run": Run.to_dict()}``, a look at a test set, ``{"look": its fingerprint}``, or what a question was answered,
``{"answer": {"question": ..., "answer": ..., "outcome": ..., "time": ...}}``; one that was predicted has its claim.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.files import home_folder

if TYPE_CHECKING:
    import pandas as pd

LOCK_SECONDS = 30.0  # that a writer waits for another one
# Of the table of runs.
_FIRST = ("time", "problem", "source", "origin", "state", "measure", "score", "train_score", "baseline")
_SPEC = tuple(field.name for field in fields(ModelSpec) if field.name != "epochs")
_LAST = ("stopped", "seconds", "final", "protocol", "data", "backend", "note")
_COLUMNS = (*_FIRST, "best_epoch", "epochs", "spec", *_SPEC, *_LAST)


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
        location = location or os.environ.get("RECIPE_JOURNAL") or home_folder() / "journal.log"
        self.location = Path(location).expanduser()

    def __repr__(self) -> str:
        return f"Journal({str(self.location)!r})"

    def record(self, run: Run) -> Run:
        """Keep a run; return it with its time and its origin, which are filled in where they are empty.

        Raises
        ------
        OSError
            If the journal cannot be written.
        """
        run = stamp(run)
        self._append({"run": run.to_dict()})
        return run

    def runs(self, data: str | None = None) -> list[Run]:
        """Return what the journal holds, oldest first: all of it, or the runs on this data.

        Parameters
        ----------
        data : a `Prepared.data_key`
        """
        found = filter(None, map(_read_run, self._read()))
        return sorted((run for run in found if data in (None, run.data)), key=lambda run: run.time)

    def to_frame(self) -> pd.DataFrame:
        """Return the runs as `tabulate` does, oldest first."""
        return tabulate(self.runs())

    def note_look(self, test: str) -> int:
        """Note that the test set with this fingerprint was opened, and return how often it was in all."""
        lines = self._append({"look": test})
        return lines.count(lines[-1])

    def note_answer(self, answer: Mapping[str, object]) -> None:
        """Note an answer to a lesson's question, and when it was given."""
        self._append({"answer": {**answer, "time": _now()}})

    def entries(self) -> list[dict[str, object]]:
        """Return every line as it stands, in the order of the file; a damaged one is passed over."""
        entries = []
        for line in self._read():
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return [entry for entry in entries if isinstance(entry, dict)]

    def _read(self) -> list[bytes]:
        """Return all whole lines; behind the last one may be a torn one: its writer was killed, or the disk is full."""
        try:
            *lines, _torn = self.location.read_bytes().split(b"\n")
        except (FileNotFoundError, NotADirectoryError):
            return []
        return lines

    def _append(self, entry: dict[str, object]) -> list[bytes]:
        """Write a line in the place of a torn one, and return all lines."""
        line = json.dumps(entry, separators=(",", ":")).encode()
        self.location.parent.mkdir(parents=True, exist_ok=True)
        # The operating system frees such a lock when its holder is killed.
        with FileLock(f"{self.location}.lock", timeout=LOCK_SECONDS, poll_interval=0.002):
            lines = self._read()
            with self.location.open("ab") as file:
                file.truncate(sum(len(whole) + 1 for whole in lines))
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        return [*lines, line]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def tabulate(runs: Iterable[Run]) -> pd.DataFrame:
    """Return runs as a table, a row each: scores and epochs (from 1), every field of the spec, where they are from."""
    import pandas as pd

    rows = []
    for run in runs:
        own = {"problem": run.problem.name, "best_epoch": run.best_epoch + 1, "spec": run.spec.describe()}
        own["hidden_units"] = "-".join(map(str, run.spec.hidden_units))
        rows.append({name: own.get(name, getattr(run, name, getattr(run.spec, name, None))) for name in _COLUMNS})
    frame = pd.DataFrame(rows, columns=_COLUMNS)
    return frame.assign(time=pd.to_datetime(frame["time"], utc=True, format="ISO8601"))


def stamp(run: Run) -> Run:
    """Return a run that says when it ended, and whether a notebook or a script asked for it, if it does not say so."""
    shell = sys.modules.get("IPython")
    asked = "notebook" if shell and shell.get_ipython() else "script"
    return replace(run, time=run.time or _now(), origin=run.origin or asked)


def default_journal() -> Journal | None:
    """Return the journal that trainings are recorded in; None where ``RECIPE_JOURNAL=off``, and in Voilà."""
    asked, is_voila = os.environ.get("RECIPE_JOURNAL"), os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    is_off = asked.lower() == "off" if asked else is_voila  # whose viewers do not know each other
    return None if is_off else Journal(asked)


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


@cache  # a line becomes a run once: what is written never changes
def _read_run(line: bytes) -> Run | None:
    """Return a line as a run; None where it is a look, damaged, or of a version that wrote something else."""
    try:
        return Run.from_dict(json.loads(line)["run"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
