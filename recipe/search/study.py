"""Step 7: the studies of a search, from the asking for a spec to the telling of what came out.

The trials on one set of data are one study. Architectures that read the data in different ways have one each; what is
tried next is drawn from all of them together, copied into one study in memory.
"""

from __future__ import annotations

import math
import os
import platform
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.measures import MEASURES
from recipe.core.parameters import distribution_of, to_params
from recipe.core.spec import ModelSpec
from recipe.journal import Journal
from recipe.search.data import SearchData, architectures_of
from recipe.search.entries import Entry, entry_attributes, make_trial, read_entry
from recipe.search.sampler import SpaceSampler, draw_spec
from recipe.search.space import SearchSpace
from recipe.search.worker import Job, Outcome, Pruning, StudyPlace

Key = tuple[str, int]  # the name of a study and the number of a trial in it

STATES = {"": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "diverged": TrialState.PRUNED}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A trial that was asked for and is not told of yet."""

    job: Job
    key: Key


class SearchStudies:
    """The studies of one search; every trial that is asked for here is told of here.

    Parameters
    ----------
    journal : where they are kept; None: in this process alone
    folder : for files that the search needs while it lasts
    """

    def __init__(
        self, data: SearchData, space: SearchSpace, journal: Journal | None, pruning: Pruning, seed: int, folder: Path
    ) -> None:
        self.data, self.space, self.journal, self.pruning = data, space, journal, pruning
        self.stop_file = folder / "stop"
        self.storage: BaseStorage = InMemoryStorage() if journal is None else journal.storage
        self.worker_data = data
        self._sampler = SpaceSampler(space, seed)
        measure = MEASURES[data.problem.measure]
        self._direction = "maximize" if measure.higher_is_better else "minimize"
        self._keys = {name: self._data_key(name) for name in architectures_of(space)}
        self._names = {key: self._open(key) for key in set(self._keys.values())}
        self._open_trials: dict[Key, Asked] = {}
        self._owner = _Owner()
        self._memory = InMemoryStorage()
        self.everything = quiet_study(self._direction, storage=self._memory, study_name="everything")
        self._copies: dict[Key, int] = {}
        self._unfinished: set[Key] = set()
        self._others: dict[str, dict[str, str]] = {}
        self._end_orphans()
        self.sync()

    def ask(self) -> Asked:
        """Draw a spec and make a running trial of it."""
        self.sync()
        # Searches that go on at the same time would draw the same after the same number of trials.
        luck = (self._owner.token,) if self._has_company() else ()
        spec, params = draw_spec(self._sampler, self.everything, len(self._copies), *luck)
        key = self._keys[spec.architecture]
        cuts = self.data.cuts(spec)
        values = {
            "problem": self.data.problem.name,
            "source": cuts.source,
            "protocol": cuts.protocol,
            "data": key,
            "spec": spec.to_dict(),
            "origin": "search",
        }
        template = create_trial(
            state=TrialState.RUNNING,
            params=params,
            distributions={name: distribution_of(name) for name in params},
            user_attrs={"run": values, "owner": self._owner.mark},
        )
        name = self._names[key]
        trial_id = self.storage.create_new_trial(self._study_id(name), template_trial=template)
        number = self.storage.get_trial_number_from_id(trial_id)
        job = Job(
            place=StudyPlace.of(name, self.storage, self.journal),
            trial_id=trial_id,
            spec=spec,
            data=self.worker_data,
            data_key=key,
            pruning=self.pruning,
            stop_file=self.stop_file,
        )
        asked = Asked(job=job, key=(name, number))
        self._open_trials[asked.key] = asked
        return asked

    def tell(self, asked: Asked, outcome: Outcome) -> Entry:
        """End a trial with what came out of its training."""
        run, trial_id = outcome.run, asked.job.trial_id
        attributes = entry_attributes(run, origin="search", extra={"reason": outcome.ended})
        if self.journal is not None:
            note = outcome.ended
            self.journal.record(replace(run, origin="search", stopped="pruned" if note == "pruned" else run.stopped))
        trial = self.storage.get_trial(trial_id)
        history = run.history.get("val_" + run.measure, ())
        for epoch, value in enumerate(history):  # those that the worker did not report itself
            is_due = (epoch + 1) % self.pruning.every == 0
            if is_due and epoch not in trial.intermediate_values and math.isfinite(value):
                self.storage.set_trial_intermediate_value(trial_id, epoch, value)
        state = STATES.get(outcome.ended, TrialState.FAIL)
        if state is TrialState.COMPLETE:
            values = [run.score]
        else:
            values = [history[-1]] if outcome.ended == "pruned" and math.isfinite(history[-1]) else None
        return self._end(asked, state, values, attributes)

    def fail(self, asked: Asked, reason: str) -> Entry:
        """End a trial of which nothing came out."""
        known = self.storage.get_trial(asked.job.trial_id).user_attrs.get("run", {})
        return self._end(asked, TrialState.FAIL, None, {"run": known | {"extra": {"reason": reason}}})

    def close(self, reason: str) -> list[Entry]:
        """End what is still open."""
        try:
            entries = [self.fail(asked, reason) for asked in list(self._open_trials.values())]
            self.sync()
        finally:
            self._owner.release()
        return entries

    def entries(self) -> Iterator[Entry]:
        """Yield what the studies hold, without final trainings; what still runs elsewhere is not among them."""
        for name in self._names.values():
            for trial in self.storage.get_all_trials(self._study_id(name), deepcopy=False):
                entry = read_entry(name, trial, pinned=False)
                if entry is not None and not entry.final:
                    yield entry

    def sync(self) -> None:
        """Copy into `everything` what is new in the studies."""
        for name in self._names.values():
            for trial in self.storage.get_all_trials(self._study_id(name), deepcopy=False):
                self._copy((name, trial.number), trial)

    def _copy(self, key: Key, trial: FrozenTrial) -> None:
        if key not in self._copies:
            study = self._memory.get_study_id_from_name("everything")
            self._copies[key] = self._memory.create_new_trial(study, _canonical(trial))
            if not trial.state.is_finished():
                self._unfinished.add(key)
            owner = trial.user_attrs.get("owner", self._owner.mark)
            if owner != self._owner.mark:
                self._others[owner["lock"]] = owner
            return
        if key in self._unfinished and trial.state.is_finished():
            for step, value in trial.intermediate_values.items():
                self._memory.set_trial_intermediate_value(self._copies[key], step, value)
            for name, value in trial.user_attrs.items():
                self._memory.set_trial_user_attr(self._copies[key], name, value)
            self._memory.set_trial_state_values(self._copies[key], trial.state, trial.values)
            self._unfinished.remove(key)

    def _has_company(self) -> bool:
        """Say whether another search in these studies goes on."""
        self._others = {lock: owner for lock, owner in self._others.items() if not _is_gone(owner)}
        return bool(self._others)

    def _end(self, asked: Asked, state: TrialState, values: list[float] | None, attributes: dict[str, object]) -> Entry:
        trial_id = asked.job.trial_id
        for name, value in attributes.items():
            self.storage.set_trial_user_attr(trial_id, name, value)
        self.storage.set_trial_state_values(trial_id, state, values)
        del self._open_trials[asked.key]
        return read_entry(asked.key[0], self.storage.get_trial(trial_id), pinned=False)

    def _data_key(self, architecture: str) -> str:
        return self.data.cuts(ModelSpec(architecture=architecture)).data_key

    def _open(self, key: str) -> str:
        """Return the name of the study of this data, which is made where there is none."""
        name = f"{self.data.problem.name}-{key}"
        quiet_study(self._direction, storage=self.storage, study_name=name, load_if_exists=True)
        if self.journal is not None:
            study = self._study_id(name)
            known = [trial.user_attrs.get("run", {}) for trial in self.storage.get_all_trials(study)]
            known = {(one.get("time"), one.get("seconds")) for one in known}
            for run in self.journal.runs(data=key):
                attributes = entry_attributes(run, origin=run.origin, by_spec=run.by_spec, final=run.final)
                attributes["run"]["time"] = run.time
                if run.origin != "search" and (run.time, attributes["run"]["seconds"]) not in known:
                    self.storage.create_new_trial(study, template_trial=make_trial(run, attributes))
        return name

    def _study_id(self, name: str) -> int:
        return self.storage.get_study_id_from_name(name)

    def _end_orphans(self) -> None:
        """End the trials of searches whose process was killed."""
        for name in self._names.values():
            for trial in self.storage.get_all_trials(self._study_id(name), deepcopy=False):
                owner = trial.user_attrs.get("owner")
                if trial.state is TrialState.RUNNING and owner and _is_gone(owner):
                    extra = {"extra": {"reason": "the process of its search ended"}}
                    with suppress(Exception):  # another process may be ending it, too
                        self.storage.set_trial_user_attr(trial._trial_id, "run", trial.user_attrs["run"] | extra)
                        self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


class _Owner:
    """A file that is locked as long as this search's process lives."""

    def __init__(self) -> None:
        name = uuid.uuid4()
        path = Path(tempfile.gettempdir()) / f"recipe-search-{os.getpid()}-{name.hex}.lock"
        self.token = name.int
        self._lock = FileLock(path)
        self._lock.acquire()
        self.mark = {"host": _host(), "lock": str(path)}

    def release(self) -> None:
        self._lock.release()
        with suppress(OSError):
            Path(self._lock.lock_file).unlink()


def _host() -> str:
    """Return a name for this machine; containers of one name differ in their folder for temporary files."""
    status = Path(tempfile.gettempdir()).stat()
    return f"{platform.node()}:{status.st_dev}:{status.st_ino}"


def _is_gone(owner: dict[str, str]) -> bool:
    """Say whether the process that a trial belongs to has ended; of another machine's nothing is known."""
    if owner["host"] != _host():
        return False
    if not Path(owner["lock"]).exists():
        return True
    lock = FileLock(owner["lock"])
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    lock.release()
    with suppress(OSError):
        Path(owner["lock"]).unlink()
    return True


def quiet_study(direction: str, **settings: object) -> optuna.Study:
    """Make a study without Optuna's telling of it."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        return optuna.create_study(direction=direction, **settings)
    finally:
        optuna.logging.set_verbosity(before)


def _canonical(trial: FrozenTrial) -> FrozenTrial:
    """Return a copy of a trial with the parameters that the kit knows."""
    run = trial.user_attrs.get("run", {})
    try:
        params, distributions = to_params(ModelSpec.from_dict(run["spec"])) if "spec" in run else ({}, {})
    except (ValueError, TypeError):
        params, distributions = {}, {}
    return create_trial(
        state=trial.state,
        values=trial.values,
        params=params,
        distributions=distributions,
        user_attrs=trial.user_attrs,
        intermediate_values=trial.intermediate_values,
    )
