"""The journal: every training, from notebooks, panels, the command line and searches, kept and found again.

It is Optuna's storage: the runs on the same data are trials of one study, so a search starts from what was tried by
hand. The first use in a process imports Optuna.
"""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import Run, collect_versions
from recipe.core.spec import ModelSpec
from recipe.data.files import home_folder
from recipe.journal.entries import (
    STATES,
    Entry,
    current_origin,
    entry_attributes,
    make_trial,
    origin_of,
    read_entry,
)
from recipe.journal.views import write_csv

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

__all__ = [
    "STATES",
    "Entry",
    "Journal",
    "current_origin",
    "default_journal",
    "entry_attributes",
    "journal_location",
    "keep",
    "origin_of",
]

FILE_NAME = "journal.log"
LOOKS = "looks"  # first word of the names of the studies that count the looks at a test set
_LOGGING = threading.RLock()


class Journal:
    """Every run, kept in one storage.

    Parameters
    ----------
    storage : a file, which need not exist yet; or the address of a database that Optuna can use, such as
        ``"sqlite:///runs.db"``. None takes ``$RECIPE_JOURNAL``, else ``journal.log`` in ``$RECIPE_HOME`` or the user's
        own data folder
    """

    def __init__(self, storage: str | Path | None = None) -> None:
        self.location = journal_location() if storage is None else str(storage)
        if "://" not in self.location:
            self.location = str(Path(self.location).expanduser())
        self._storage: BaseStorage | None = None
        self._entries: dict[tuple[str, int, bool], Entry] = {}
        self._opening = threading.RLock()

    def __repr__(self) -> str:
        return f"Journal({self.location!r})"

    def __reduce__(self) -> tuple[type[Journal], tuple[str]]:
        return Journal, (self.location,)

    @property
    def storage(self) -> BaseStorage:
        """The storage, as Optuna uses it: `optuna.load_study(study_name=..., storage=journal.storage)`."""
        with self._opening:
            if self._storage is None or not self._is_current():
                self._storage, self._entries = self._open(), {}
            return self._storage

    def study_name(self, problem: str, data: str) -> str:
        """Return the name of the study that the runs on this data are trials of."""
        return f"{problem}-{data}"

    def open_study(self, problem: Problem, data: str) -> str:
        """Make the study of this data where there is none yet, and return its name."""
        name = self.study_name(problem.name, data)
        self._study_id(name, problem.measure)
        return name

    def record(
        self,
        run: Run,
        *,
        origin: str | None = None,
        by_spec: bool = True,
        final: bool = False,
        extra: Mapping[str, object] | None = None,
    ) -> Entry:
        """Keep a run.

        Parameters
        ----------
        origin : who asked for it; None takes what `origin_of` says
        by_spec : whether spec and data alone decided the outcome, so that `find` may give it back
        final : whether it is a final training, whose score is not of held-out data
        extra : what else to note, ready for JSON

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
        name = self.study_name(run.problem.name, run.data)
        study = self._study_id(name, run.measure)
        attributes = entry_attributes(run, origin=origin, by_spec=by_spec, final=final, extra=extra)
        trial = self.storage.create_new_trial(study, template_trial=make_trial(run, attributes))
        return read_entry(name, self.storage.get_trial(trial), pinned=False)

    def find(self, spec: ModelSpec, prepared: Prepared) -> Entry | None:
        """Return the last complete run of this spec, seed included, on this data with these versions, or None."""
        import keras

        same = {"spec": spec.to_dict(), "versions": collect_versions(), "backend": keras.config.backend()}
        name = self.study_name(prepared.problem.name, prepared.data_key)
        for trial in reversed(self._trials(name)):
            run = trial.user_attrs.get("run", {})
            whole = trial.state.name == "COMPLETE" and run.get("by_spec") and not run.get("final")
            if whole and all(run.get(key) == value for key, value in same.items()):
                return read_entry(name, trial, self._is_pinned(name, trial.number))
        return None

    def entries(
        self,
        *,
        problem: str | None = None,
        data: str | None = None,
        origin: str | None = None,
        source: str | None = None,
    ) -> list[Entry]:
        """Return what the journal holds, oldest first; each argument that is given must match."""
        wanted = {"problem": problem, "data": data, "origin": origin, "source": source}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        found = []
        for study in self.storage.get_all_studies():
            named, _, key = study.study_name.rpartition("-")
            if not named or named.startswith(f"{LOOKS}-") or problem not in (None, named) or data not in (None, key):
                continue
            for trial in self.storage.get_all_trials(study._study_id, deepcopy=False):
                entry = self._read(study.study_name, trial, study.user_attrs.get(f"pinned {trial.number}", False))
                if entry is not None and all(getattr(entry, name) == value for name, value in wanted.items()):
                    found.append(entry)
        return sorted(found, key=lambda entry: entry.time)

    def pin(self, entry: Entry, pinned: bool = True) -> Entry:
        """Mark an entry, or take the mark away; return it as it is now."""
        study = self.storage.get_study_id_from_name(entry.study)
        self.storage.set_study_user_attr(study, f"pinned {entry.number}", pinned)
        return replace(entry, pinned=pinned)

    def note_looks(self, problem: Problem, test: str, looks: int = 1) -> int:
        """Note that a test set was opened, and return how often it was in all.

        Parameters
        ----------
        test : the fingerprint of the test set
        looks : how often it was opened since the last note
        """
        from optuna.trial import TrialState, create_trial

        study = self._study_id(f"{LOOKS}-{problem.name}-{test}", problem.measure)
        if looks:
            attributes = {"looks": looks, "origin": current_origin()}
            self.storage.create_new_trial(study, create_trial(state=TrialState.FAIL, user_attrs=attributes))
        trials = self.storage.get_all_trials(study, deepcopy=False)
        return sum(trial.user_attrs["looks"] for trial in trials)

    def write_csv(self, path: str | Path, entries: Sequence[Entry]) -> Path:
        """Write entries to a file, a row each, whole or not at all."""
        return write_csv(path, entries)

    def _read(self, study: str, trial: FrozenTrial, pinned: bool) -> Entry | None:
        """Return a trial as an entry; what is finished stays as it is, and is read once."""
        key = study, trial.number, pinned
        if key not in self._entries:
            entry = read_entry(study, trial, pinned)
            if entry is None:
                return None
            self._entries[key] = entry
        return self._entries[key]

    def _open(self) -> BaseStorage:
        from optuna.storages import JournalStorage

        from recipe.journal.databases import open_database
        from recipe.journal.file import JournalFile

        with _quiet():
            if "://" in self.location:
                return open_database(self.location)
            self._file = JournalFile(self.location)
            return JournalStorage(self._file)

    def _is_current(self) -> bool:
        return "://" in self.location or self._file.is_current

    def _study_id(self, name: str, measure: str) -> int:
        """Return the number of a study, which is made where there is none."""
        import optuna

        with contextlib.suppress(KeyError):
            return self.storage.get_study_id_from_name(name)
        direction = "maximize" if MEASURES[measure].higher_is_better else "minimize"
        with _quiet():
            optuna.create_study(storage=self.storage, study_name=name, direction=direction, load_if_exists=True)
        return self.storage.get_study_id_from_name(name)

    def _trials(self, name: str) -> list[FrozenTrial]:
        try:
            return self.storage.get_all_trials(self.storage.get_study_id_from_name(name), deepcopy=False)
        except KeyError:
            return []

    def _is_pinned(self, name: str, number: int) -> bool:
        study = self.storage.get_study_id_from_name(name)
        return self.storage.get_study_user_attrs(study).get(f"pinned {number}", False)


def journal_location() -> str:
    """Return where the default journal is: ``$RECIPE_JOURNAL``, else a file in `home_folder`."""
    return os.environ.get("RECIPE_JOURNAL") or str(home_folder() / FILE_NAME)


def default_journal() -> Journal | None:
    """Return the journal that trainings are recorded in, or None where ``RECIPE_JOURNAL=off``."""
    location = journal_location()
    return None if location.lower() == "off" else _journal_at(location)


def choose(journal: Journal | str | None) -> Journal | None:
    """Return the journal that an argument stands for: itself, or the default one for ``"default"``."""
    return default_journal() if isinstance(journal, str) and journal == "default" else journal


def keep(runs: Iterable[Run], journal: Journal | None, **how: object) -> None:
    """Record runs; a journal that fails costs a RuntimeWarning, never a run.

    Parameters
    ----------
    how : as for `Journal.record`
    """
    if journal is None:
        return
    try:
        for run in runs:
            journal.record(run, **how)
    except Exception as error:  # whatever a storage may raise: the training's result is worth more
        text = f"The run is done, and it is not in the journal. {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=4)


@lru_cache(maxsize=8)
def _journal_at(location: str) -> Journal:
    return Journal(location)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from telling of each study that is made; the user's own choice of what it tells comes back."""
    import optuna

    with _LOGGING:
        before = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)
