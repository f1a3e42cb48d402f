"""Step 7: a search under way. It asks its study for parameters, has them trained, tells the study, and keeps the run.

The study is Optuna's, of this data and this space. It begins with the runs that the journal holds on the data, by hand
or by an earlier search, as trials that are done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.journal import Journal, keep
from recipe.search.space import SearchSpace
from recipe.search.trial import Data, open_study, train_trial
from recipe.search.workers import open_pool, train_given

STARTUP_TRIALS = 6  # drawn at random, until so many are known; those of the journal count
PRUNING_STARTS = 5  # finished trials that a comparison needs
POLL_SECONDS = 0.1  # between two looks at a wish to stop


class TrialSampler(TPESampler):
    """Optuna's TPE; what it draws belongs to the seed and to the number of the trial.

    So a search that goes on where another one ended does not draw the same again.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__(n_startup_trials=STARTUP_TRIALS, seed=seed)
        self.seed = seed

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        own = np.random.default_rng([self.seed, trial.number]).integers(2**31)
        super().__init__(n_startup_trials=STARTUP_TRIALS, seed=int(own))


def make_study(
    problem: Problem, space: SearchSpace, known: Iterable[Run], *, seed: int = 0, pruning: bool = True
) -> optuna.Study:
    """Return a study in memory, with the runs that are known as its first trials.

    Parameters
    ----------
    pruning : whether a trial that is worse than the median of the others is given up
    """
    warmup = max(2, space.most_epochs // 10)
    median = MedianPruner(n_startup_trials=PRUNING_STARTS, n_warmup_steps=warmup, n_min_trials=PRUNING_STARTS)
    return open_study(
        [_to_trial(run, space) for run in known],
        direction="maximize" if MEASURES[problem.measure].higher_is_better else "minimize",
        sampler=TrialSampler(seed),
        pruner=median if pruning else NopPruner(),
    )


def _to_trial(run: Run, space: SearchSpace) -> FrozenTrial:
    """Return a run as a trial that is done."""
    params, distributions, (state, score) = space.to_params(run.spec), space.distributions, _ending(run)
    return create_trial(
        state=state,
        value=score,
        params=params,
        distributions={name: distributions[name] for name in params},
        intermediate_values=dict(_curve(run)),
    )


def _curve(run: Run) -> Iterator[tuple[int, float]]:
    """Yield the epochs with their scores, as far as they are numbers."""
    scores = run.history.get("val_" + run.measure, ())
    return ((epoch, score) for epoch, score in enumerate(scores) if math.isfinite(score))


def _ending(run: Run) -> tuple[TrialState, float | None]:
    """Say how a trial ended: what was given up or diverged is worse than the others, what was stopped says nothing."""
    if run.state == "complete":
        return TrialState.COMPLETE, run.score
    was_bad = run.stopped == "pruned" or run.note == "diverged"
    return (TrialState.PRUNED if was_bad else TrialState.FAIL), None


@dataclass(kw_only=True)
class Search:
    """A search under way; `run` goes through it.

    Attributes
    ----------
    look : says ``"asked"``, ``"interrupted"`` or None
    deadline : on the clock of `time.perf_counter`
    runs : of the trials that ended
    stopped : why the search ended early, if it did
    """

    study: optuna.Study
    space: SearchSpace
    data: Data
    journal: Journal | None
    look: Callable[[], str | None]
    deadline: float
    on_trial: Callable[[Run], object] | None
    runs: list[Run] = field(default_factory=list)
    stopped: str | None = None

    def run(self, trials: int, workers: int) -> None:
        """Train so many trials, in this process where there is one worker."""
        if workers > 1:
            return self._train_in_processes(trials, workers)
        for _ in range(trials):
            if self._why():
                return
            trial = self.study.ask(self.space.distributions)
            self._settle(trial, train_trial(trial, self.space, self.data, self._why))

    def _train_in_processes(self, trials: int, workers: int) -> None:
        """Keep all workers busy until enough was asked for; the first whose process is killed ends the search.

        A worker knows the trials that had ended when its own began, and compares itself with those.
        """
        asked, pending = 0, {}
        study = {"direction": self.study.direction, "pruner": self.study.pruner}
        pool, halt = open_pool(workers, self.space, self.data)
        try:
            while True:
                while not self._why() and asked < trials and len(pending) < workers:
                    done = self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
                    trial, asked = self.study.ask(self.space.distributions), asked + 1
                    pending[pool.submit(train_given, trial.params, done, study)] = trial
                if self._why():
                    halt.set()
                if not pending:
                    break
                ended, _ = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in [one for one in pending if one in ended]:  # in the order in which they began
                    run, trial = future.result(), pending.pop(future)
                    for epoch, score in _curve(run):
                        trial.report(score, epoch)
                    self._settle(trial, run)
        except BrokenProcessPool:
            self.stopped = "broken"
        finally:
            halt.set()
            pool.shutdown(cancel_futures=True)
            for trial in pending.values():
                self.study.tell(trial, state=TrialState.FAIL)

    def _why(self) -> str | None:
        """Return ``"interrupted"``, ``"asked"``, ``"time"`` or ``"broken"`` where the search is to end."""
        self.stopped = self.stopped or self.look() or ("time" if time.perf_counter() >= self.deadline else None)
        return self.stopped

    def _settle(self, trial: optuna.Trial, run: Run) -> None:
        """End a trial with its run."""
        if run.stopped == "interrupted":
            self.stopped = "interrupted"
        run = keep(run, self.journal)
        state, value = _ending(run)
        self.study.tell(trial, value, state=state)
        self.runs.append(run)
        if self.on_trial is not None:
            self.on_trial(run)
