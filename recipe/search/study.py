"""Step 7: a search under way. It asks its study for a spec, has it trained, tells the study, and keeps the run.

The study is Optuna's, of this data and this space. It begins with the runs that the journal holds on the data, by hand
or by an earlier search, as trials that are done.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import optuna
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.dataset import fingerprint
from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.run import EpochReport, Run
from recipe.journal import Journal, keep, open_storage, quiet_optuna, stamp
from recipe.search.space import SearchSpace
from recipe.search.workers import Data, Job, Team, lost_its_worker, train_trial

STARTUP_TRIALS = 6  # drawn at random, until so many are known; those of the journal count
MOST_REPORTS = 50  # a trial: each costs a write and a look at the others
PRUNING_STARTS = 5  # finished trials that a comparison needs
POLL_SECONDS = 0.1  # between two looks at a wish to stop
ATTEMPTS = 2  # at a trial whose worker was killed


class TrialSampler(TPESampler):
    """Optuna's TPE; what it draws belongs to the seed and to the number of the trial.

    So a search that goes on where another one ended, or beside it in the same study, does not draw the same again.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(n_startup_trials=STARTUP_TRIALS, seed=seed)
        self.seed = seed

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        own = np.random.default_rng([self.seed, trial.number]).integers(2**31)
        super().__init__(n_startup_trials=STARTUP_TRIALS, seed=int(own))


def open_study(
    problem: Problem,
    data: Data,
    space: SearchSpace,
    known: Iterable[Run],
    *,
    location: str | None = None,
    seed: int = 0,
    pruning: bool = True,
) -> optuna.Study:
    """Return the study of this data and this space, with the runs that are known as its first trials.

    Parameters
    ----------
    location : a file or the address of a database that other processes can open, too; None: in this process alone
    pruning : whether a trial that is worse than the median of the others is given up
    """
    warmup = max(2, space.most_epochs // 10)
    median = MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=warmup, n_min_trials=PRUNING_STARTS)
    keys = [one.key for one in data.values()]
    with quiet_optuna():
        study = optuna.create_study(
            storage=None if location is None else open_storage(location),
            study_name=f"{problem.name}-{fingerprint(f'{space} {keys}', [])}",
            direction="maximize" if MEASURES[problem.measure].higher_is_better else "minimize",
            sampler=TrialSampler(seed),
            pruner=median if pruning else NopPruner(),
            load_if_exists=True,
        )
    there = {trial.user_attrs.get("run") for trial in study.get_trials(deepcopy=False)}
    study.add_trials(_to_trial(run, space) for run in known if identify(run) not in there)
    return study


def identify(run: Run) -> str:
    """Return what tells a run from all others, also where it is in no journal."""
    return f"{run.time} {run.spec}"


def report_every(space: SearchSpace) -> int:
    """Return how many epochs lie between two reports of a trial."""
    return math.ceil(space.most_epochs / MOST_REPORTS)


def _to_trial(run: Run, space: SearchSpace) -> FrozenTrial:
    """Return a run as a trial that is done."""
    params, distributions = space.to_params(run.spec)
    state, value = _ending(run)
    every, curve = report_every(space), run.history.get("val_" + run.measure, ())
    reports = {epoch: curve[epoch] for epoch in range(every - 1, len(curve), every) if math.isfinite(curve[epoch])}
    return create_trial(
        state=state,
        value=value,
        params=params,
        distributions=distributions,
        user_attrs={"run": identify(run)},
        intermediate_values=reports,
    )


def _ending(run: Run) -> tuple[TrialState, float | None]:
    """Say how a trial ended: what was given up or diverged is worse than the others, what was stopped says nothing."""
    if run.state == "complete" and math.isfinite(run.score):
        return TrialState.COMPLETE, run.score
    was_bad = run.stopped == "pruned" or run.note == "diverged"
    return (TrialState.PRUNED if was_bad else TrialState.FAIL), None


@dataclass(kw_only=True)
class Search:
    """A search under way; `run` goes through it.

    Attributes
    ----------
    folder : for files that the search needs while it lasts
    look : says ``"asked"``, ``"interrupted"`` or None
    deadline : on the clock of `time.monotonic`; None: there is none
    runs : of the trials that ended; stopped : why the search ended early, if it did
    """

    study: optuna.Study
    data: Data
    space: SearchSpace
    team: Team
    journal: Journal | None
    folder: Path
    look: Callable[[], str | None]
    deadline: float | None
    on_trial: Callable[[Run], object] | None
    on_epoch: Callable[[int, EpochReport], object] | None
    runs: list[Run] = field(default_factory=list)
    stopped: str | None = None
    _pending: dict[Future, Job] = field(default_factory=dict)
    _again: list[Job] = field(default_factory=list)  # whose worker was killed: they go on alone
    _losses: Counter[int] = field(default_factory=Counter)
    _asked: int = 0

    def __post_init__(self) -> None:
        self._shared = self.team.share(self.data, self.folder)
        self._stop_file = self.folder / "stop"

    def run(self, trials: int) -> None:
        """Train so many trials; whatever happens, each that was begun has an end."""
        reason = "an error ended the search"
        try:
            while True:
                if self._why():
                    self._call_off()
                else:
                    self._fill(trials)
                if not self._pending:
                    return
                done, _ = wait(self._pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in [one for one in self._pending if one in done]:  # in the order in which they began
                    self._take(future)
        except KeyboardInterrupt:  # the second one: the first is a wish to stop
            reason = "stopped"
            raise
        finally:
            self._stop_file.touch()
            self.on_trial = None
            for job in (*self._pending.values(), *self._again):
                self._settle(job, reason)

    def _why(self) -> str | None:
        """Return ``"interrupted"``, ``"asked"``, ``"time"`` or ``"broken"`` where the search is to end."""
        if self.stopped is None:
            late = self.deadline is not None and time.monotonic() >= self.deadline
            self.stopped = self.look() or ("time" if late else None)
        return self.stopped

    def _fill(self, trials: int) -> None:
        while self._why() is None and (self._again or self._asked < trials):
            careful = self._again or any(self._losses[job.number] for job in self._pending.values())
            if len(self._pending) >= (1 if careful else self.team.size):
                return
            self._submit(self._again.pop(0) if self._again else self._ask())

    def _ask(self) -> Job:
        trial = self.study.ask()
        spec = self.space.suggest(trial)
        self._asked += 1
        return Job(
            number=self._asked - 1,
            spec=spec,
            trial=trial,
            report_every=report_every(self.space),
            stop_file=self._stop_file,
        )

    def _submit(self, job: Job) -> None:
        arguments = [job, self._shared]
        if self.team.shares_memory:
            arguments.append(lambda told: self._after_epoch(job.number, told))
        try:
            self._pending[self.team.submit(train_trial, *arguments)] = job
        except (BrokenExecutor, RuntimeError) as error:  # the latter where it was shut down
            self.stopped = "broken"
            self._settle(job, error)

    def _after_epoch(self, number: int, told: EpochReport) -> None:
        """Pass an epoch on; a callback's own error is not the trial's."""
        if self.on_epoch is not None:
            try:
                self.on_epoch(number, told)
            except Exception as error:
                raise _CallbackError from error
        if self._why():  # here nobody else looks while a trial is trained
            self._stop_file.touch()

    def _take(self, future: Future) -> None:
        job = self._pending.pop(future)
        try:
            run = future.result()
        except _CallbackError as error:
            self._settle(job, "on_epoch raised an error")
            raise error.__cause__ from None
        except BaseException as error:  # a cancelled future's error is no Exception to some executors
            self._take_error(job, error)
        else:
            if run.stopped == "interrupted":
                self.stopped = "interrupted"
            self._settle(job, run)

    def _take_error(self, job: Job, error: BaseException) -> None:
        self._losses[job.number] += lost_its_worker(error)
        lost = self._losses[job.number]
        if not lost_its_worker(error):
            self._settle(job, error)
        elif self._why():
            self._settle(job, "stopped")
        elif lost < ATTEMPTS:
            self._again.append(job)
        else:
            self._settle(job, f"its worker was killed {lost} times: {_one_line(error)}")

    def _call_off(self) -> None:
        """Tell the workers to end with their epoch, and take back what none of them has begun."""
        self._stop_file.touch()
        called_off = [self._pending.pop(future) for future in list(self._pending) if future.cancel()] + self._again
        self._again = []
        for job in called_off:
            self._settle(job, "stopped")

    def _settle(self, job: Job, outcome: Run | BaseException | str) -> None:
        """End a trial with its run, its error or the reason why it has none."""
        run = outcome if isinstance(outcome, Run) else self._failed(job, outcome)
        (run,) = keep([run], self.journal)
        state, value = _ending(run)
        job.trial.set_user_attr("run", identify(run))
        self.study.tell(job.trial, value, state=state)
        self.runs.append(run)
        if self.on_trial is not None:
            self.on_trial(run)

    def _failed(self, job: Job, reason: BaseException | str) -> Run:
        data = self.data[job.spec.architecture]
        run = Run(
            spec=job.spec,
            problem=data.parts[0].problem,
            source=data.parts[0].source,
            protocol=data.protocol,
            history={},
            data=data.key,
            stopped="asked" if reason == "stopped" else None,
            note=reason if isinstance(reason, str) else _one_line(reason),
        )
        return stamp(run, origin="search")


class _CallbackError(Exception):
    """Carries what a callback raised past what takes a training's errors."""


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
