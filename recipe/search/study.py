"""Step 7: a search under way. It asks its study for parameters, trains them, tells the study, and keeps the run.

The study is Optuna's, of this data and this space. It begins with the runs that the journal holds on the data, by hand
or by an earlier search, as trials that are done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from threading import Event

import numpy as np
import optuna
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.dataset import fingerprint
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import WISHES, EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import Journal, keep, stamp
from recipe.search.space import SearchSpace
from recipe.steps.training import cross_validate

STARTUP_TRIALS = 6  # drawn at random, until so many are known; those of the journal count
PRUNING_STARTS = 5  # finished trials that a comparison needs
MOST_COMPARISONS = 50  # of a trial with the others: each costs a look at all of them
Data = dict[str, tuple[Prepared, ...]]  # by architecture, which may want another encoding: a split, or every fold


def data_key(parts: tuple[Prepared, ...]) -> str:
    """Return sixteen digits that stand for all parts; of one, its own `Prepared.data_key`."""
    keys = [part.data_key for part in parts]
    return keys[0] if len(keys) == 1 else fingerprint(" ".join(keys), [])


def make_study(problem: Problem, space: SearchSpace, known: Iterable[Run], *, pruning: bool = True) -> optuna.Study:
    """Return a study in memory, with the runs that are known as its first trials.

    Parameters
    ----------
    pruning : whether a trial that is worse than the median of the others is given up
    """
    median = MedianPruner(
        n_startup_trials=PRUNING_STARTS,
        n_warmup_steps=max(2, space.most_epochs // 10),
        interval_steps=math.ceil(space.most_epochs / MOST_COMPARISONS),
        n_min_trials=PRUNING_STARTS,
    )
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(verbosity, optuna.logging.WARNING))  # it tells of every study that is made
    study = optuna.create_study(
        direction="maximize" if MEASURES[problem.measure].higher_is_better else "minimize",
        pruner=median if pruning else NopPruner(),
    )
    optuna.logging.set_verbosity(verbosity)
    study.add_trials([_to_trial(run, space) for run in known])
    return study


def run_trials(
    study: optuna.Study,
    space: SearchSpace,
    data: Data,
    *,
    trials: int,
    seed: int,
    halted: Callable[[], str | None],
    journal: Journal | None,
    on_trial: Callable[[Run], object] | None,
) -> tuple[list[Run], str | None]:
    """Train so many trials and keep their runs; fewer where the search is to end.

    Parameters
    ----------
    halted : says why the search is to end, if it is

    Returns
    -------
    the runs, and why there are no more of them: what `halted` said, or ``"interrupted"``
    """
    runs = []
    while len(runs) < trials and not halted():
        # What is drawn belongs to the seed and to the number of the trial, so that a search that goes on where another
        # one ended does not draw the same again.
        own = np.random.default_rng([seed, len(study.trials)]).integers(2**31)
        study.sampler = TPESampler(n_startup_trials=STARTUP_TRIALS, seed=int(own))
        trial = study.ask(space.distributions)
        run = keep(train_trial(trial, space, data, halted), journal)
        state, value = _ending(run)
        study.tell(trial, value, state=state)
        runs.append(run)
        if on_trial is not None:
            on_trial(run)
        if run.stopped in WISHES:
            return runs, halted() or run.stopped
    return runs, halted() if len(runs) < trials else None


def train_trial(trial: optuna.Trial, space: SearchSpace, data: Data, halted: Callable[[], object]) -> Run:
    """Train a trial, on every part of its data; give it up where others are better; return what came out.

    Of several parts the run is the mean (see `mean_run`). Its `stopped` is ``"pruned"`` where it was given up, and its
    `note` is ``"diverged"`` where the loss was no longer a number; where the training failed, the note is its error.
    """
    began, spec = time.perf_counter(), space.to_spec(trial.params)
    parts = data[spec.architecture]
    first, watch = parts[0], _Watch(trial=trial, spec=spec, parts=parts, halted=halted)
    try:
        runs = cross_validate(spec, parts, on_epoch=watch, stop=watch.end, journal=None)
    except (MemoryError, RuntimeError) as error:  # XLA's too, for want of memory: the next network may be smaller
        note = f"{type(error).__name__}: {' '.join(str(error).split())}"
        run = Run(spec=spec, problem=first.problem, source=first.source, protocol="", history={}, note=note)
    else:
        # The weights stay where they were trained: a search is for its scores.
        runs = [replace(run, fitted=None) for run in runs]
        protocol = f"mean over {len(parts)} splits, such as {first.protocol}"
        run = runs[0] if len(parts) == 1 else mean_run(runs, spec=spec, protocol=protocol)
        if run.stopped == "asked" and watch.why in ("pruned", "diverged"):
            run = replace(run, stopped="pruned")
        if watch.why == "diverged" or not math.isfinite(run.score):
            run = replace(run, note="diverged")
    return stamp(replace(run, data=data_key(parts), seconds=time.perf_counter() - began), origin="search")


@dataclass(kw_only=True)
class _Watch:
    """Looks at a trial after each epoch: reports it, and sets `end` where it is to end.

    Of several parts the mean is reported, once all have come to an epoch: at once where they are trained side by side,
    and with the last of them where they are trained in turn.
    """

    trial: optuna.Trial
    spec: ModelSpec
    parts: tuple[Prepared, ...]
    halted: Callable[[], object]
    end: Event = field(default_factory=Event)
    why: str = ""  # or "stopped", "diverged", "pruned"
    values: dict[int, list[float]] = field(default_factory=dict)  # by epoch, of the parts that have come to it

    def __call__(self, report: EpochReport) -> None:
        self.why = self.why or self._judge(report)
        if self.why:
            self.end.set()

    def _judge(self, report: EpochReport) -> str:
        if not math.isfinite(report.logs["val_data_loss"]) and self.spec.patience is None:
            return "diverged"  # weights that are no numbers stay so; with patience the best ones come back
        if self.halted():
            return "stopped"
        values = self.values.setdefault(report.epoch, [])
        values.append(report.logs["val_" + self.parts[0].problem.measure])
        if len(values) < len(self.parts):
            return ""
        value = float(np.mean(values))
        if math.isfinite(value):
            self.trial.report(value, report.epoch)
        return "pruned" if report.epoch + 1 < report.epochs and self.trial.should_prune() else ""


def _to_trial(run: Run, space: SearchSpace) -> FrozenTrial:
    """Return a run as a trial that is done."""
    params, distributions, (state, score) = space.to_params(run.spec), space.distributions, _ending(run)
    scores = enumerate(run.history.get("val_" + run.measure, ()))
    return create_trial(
        state=state,
        value=score,
        params=params,
        distributions={name: distributions[name] for name in params},
        intermediate_values={epoch: score for epoch, score in scores if math.isfinite(score)},
    )


def _ending(run: Run) -> tuple[TrialState, float | None]:
    """Say how a trial ended: what was given up or diverged is worse than the others, what was stopped says nothing."""
    if run.state == "complete":
        return TrialState.COMPLETE, run.score
    was_bad = run.stopped == "pruned" or run.note == "diverged"
    return (TrialState.PRUNED if was_bad else TrialState.FAIL), None
