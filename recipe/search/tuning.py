"""Step 7: search for a better spec with Optuna, starting from the runs that were made by hand.

The study is Optuna's, of this data and this space. It begins with the runs that the journal holds on the data, by hand
or by an earlier search, as trials that are done.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import joblib
import numpy as np
import optuna
import pandas as pd
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES, describe_score
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import WISHES, EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.engine.interruption import interruptible
from recipe.engine.models import check_fit
from recipe.journal import Journal, choose_journal, keep, stamp, tabulate
from recipe.search.space import SearchSpace, default_space
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate

STARTUP_TRIALS = 6  # drawn at random, until so many are known; those of the journal count
PRUNING_STARTS = 5  # finished trials that a comparison needs
MOST_COMPARISONS = 50  # of a trial with the others: each costs a look at all of them
ENDINGS = {"complete": "trained to the end", "pruned": "given up early", "failed": "failed"}

Searchable = Dataset | Split | Sequence[Split]
Data = dict[str, tuple[Prepared, ...]]  # by architecture, which may want another encoding: a split, or every fold


def tune(
    data: Searchable,
    space: SearchSpace | None = None,
    trials: int = 20,
    *,
    seed: int = 0,
    pruning: bool = True,
    journal: Journal | str | None = "default",
    on_trial: Callable[[Run], object] | None = None,
) -> Tuning:
    """Search for a better spec.

    The search has an Optuna study of its own, which begins with the runs that the journal holds on the same data, by
    hand or by an earlier search. Its own runs are written to the journal as they end: whatever ends a search, the next
    one goes on from there. Two searches at a time, in two processes, want two seeds.

    Parameters
    ----------
    data : what `load`, `hold_out` or `k_fold` returned; the search prepares it, as each architecture reads it. What is
        not cut yet is held out; a trial is trained on every split of a list, and judged by the mean over them
    space : what may be tried; None: `default_space`
    trials : how many to make
    seed : of what is tried, and of the first weights of `default_space`; not of the split
    pruning : give a trial up where it is worse than the median of the others at the same epoch
    journal : which runs the search knows, and where its own are kept; None for neither
    on_trial : called with the `Run` of each trial that ended

    Returns
    -------
    Tuning. Ctrl-C ends the search with the epoch that is under way.

    Raises
    ------
    ValueError, TypeError, OSError
        If there is nothing to do, the space does not suit the data, or data cannot be had.

    Examples
    --------
    >>> from recipe import load
    >>> found = tune(load("mnist", source="sample", rows=100), trials=2, journal=None)
    >>> found.stopped, len(found.new)
    (None, 2)
    """
    began = time.perf_counter()
    if trials < 1:
        raise ValueError(f"There is nothing to search. Received: trials={trials}. Ask for 1 or more.")
    splits, journal = _take_splits(data), choose_journal(journal)
    space = space or default_space(splits[0].problem, len(splits[0].y_train), seed)
    prepared = _prepare_for(space, splits)
    # Final trainings have no score.
    keys = dict.fromkeys(map(data_key, prepared.values())) if journal else ()
    known = tuple(run for key in keys for run in journal.runs(data=key) if not run.final)
    study, new = _make_study(splits[0].problem, space, known, pruning=pruning), []
    with interruptible() as halted:
        while len(new) < trials and not halted():
            # What is drawn belongs to the seed and to the number of the trial, so that a search that goes on where
            # another one ended does not draw the same again.
            own = np.random.default_rng([seed, len(study.trials)]).integers(2**31)
            study.sampler = TPESampler(n_startup_trials=STARTUP_TRIALS, seed=int(own))
            trial = study.ask(space.distributions)
            run = keep(_train_trial(trial, space, prepared, halted), journal)
            state, value = _ending(run)
            study.tell(trial, value, state=state)
            new.append(run)
            if on_trial is not None:
                on_trial(run)
            if run.stopped in WISHES:
                break
    stopped = "interrupted" if len(new) < trials or new[-1].stopped in WISHES else None
    return Tuning(known=known, new=tuple(new), stopped=stopped, seconds=time.perf_counter() - began, study=study)


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """What a search found.

    Attributes
    ----------
    known : all runs on this data that the journal held, those by hand among them
    new : those that this search made
    stopped : None, or ``"interrupted"`` (Ctrl-C)
    seconds : wall time
    study : Optuna's, with the same trials; for its plots and its importances
    """

    known: tuple[Run, ...] = field(repr=False)
    new: tuple[Run, ...] = field(repr=False)
    stopped: str | None
    seconds: float
    study: optuna.Study = field(repr=False)

    @property
    def trials(self) -> tuple[Run, ...]:
        """All runs: those that were known, and then those of this search."""
        return self.known + self.new

    @property
    def best(self) -> Run:
        """The run with the best score among those that were trained to their end; by hand or not.

        Raises
        ------
        ValueError
            If there is none.
        """
        best = _best_of(self.trials)
        if best is None:
            raise ValueError(
                f"No trial came to its end, so none is the best. Received: {len(self.trials)} trials. Their notes say "
                "why: look at to_frame(), and search on with other settings."
            )
        return best

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was done, what was found and how much it is worth, with the numbers."""
        by_hand = [run for run in self.trials if run.origin != "search"]
        ended = [f"{count} {ENDINGS[state]}" for state, count in Counter(run.state for run in self.new).items()]
        told = [f"{_count(self.new, 'trial')} in {self.seconds:.0f} s: {', '.join(ended) or 'none'}."]
        if self.known:
            known = f"The search knew {_count(self.known, 'run')} of the journal on this data"
            told.append(f"{known}, {len(by_hand)} made by hand.")
        if self.stopped:
            told.append("Ctrl-C ended it early.")
        best, rival = _best_of(self.trials), _best_of(by_hand)
        if best is None:
            return (*told, "No trial came to its end, so there is no best one.")
        maker, value = "the search" if best.origin == "search" else "hand", describe_score(best.problem, best.score)
        told.append(f"The best, made by {maker}, has {value} at epoch {best.best_epoch + 1}: {best.spec.describe()}.")
        if rival is not None and rival is not best:
            gain = MEASURES[best.measure].gain(best.score, rival.score)
            told.append(f"The best by hand has {rival.score:.4g}: the search gained {gain:.2g}.")
        chosen_from, luck = sum(run.state == "complete" for run in self.trials), ""
        if best.measure == "accuracy":
            error = math.sqrt(best.score * (1 - best.score) / best.val_samples)
            luck = f": luck alone moves one such score by {error:.2g}"
        chosen = f"It was chosen among {chosen_from} by the same {best.val_samples:,} validation samples"
        return (*told, f"{chosen}, so its score flatters it{luck}. Only the test set can say how good it is.")

    def to_frame(self) -> pd.DataFrame:
        """Return all trials as `recipe.journal.tabulate` does, the best first, those without a score last."""
        table, is_error = tabulate(self.trials), self.study.direction.name == "MINIMIZE"
        whole = table["score"].where(table["state"] == "complete")
        return table.loc[whole.sort_values(ascending=is_error, kind="stable").index]


def _best_of(runs: Iterable[Run]) -> Run | None:
    """Return the run with the best score of those that were trained to their end, the first of equals, or None."""
    scored = [run for run in runs if run.state == "complete" and math.isfinite(run.score)]
    return max(scored, key=lambda run: MEASURES[run.measure].gain(run.score, 0.0), default=None)


def _count(runs: Sequence[Run], noun: str) -> str:
    return f"{len(runs)} {noun}{'' if len(runs) == 1 else 's'}"


def _take_splits(data: Searchable) -> tuple[Split, ...]:
    """Cut what is not cut yet."""
    if isinstance(data, Dataset):
        data = hold_out(data)
    splits = tuple(data) if isinstance(data, Sequence) else (data,)
    if not splits or not all(isinstance(one, Split) for one in splits):
        kinds = ", ".join(dict.fromkeys(type(one).__name__ for one in splits)) or "empty list"
        raise TypeError(
            f"This is nothing to search on. Received: data, a {kinds}. Give what load, hold_out or k_fold returned."
        )
    return splits


def _prepare_for(space: SearchSpace, splits: tuple[Split, ...]) -> Data:
    """Return the splits by architecture, as each reads them; refuse what does not suit the data."""
    problem, found = splits[0].problem, {}
    for name in space.architecture or (space.base.architecture,):
        spec = space.base.replace(architecture=name, hidden_units=(8,) * space.most_layers)
        check_fit(spec, problem)
        encoding = encoding_for(spec, problem)
        found[name] = tuple(prepare(split, encoding=encoding) for split in splits)
    return found


def data_key(parts: tuple[Prepared, ...]) -> str:
    """Return digits that stand for all parts; of one, its own `Prepared.data_key`."""
    keys = [part.data_key for part in parts]
    return keys[0] if len(keys) == 1 else joblib.hash(keys)


def _make_study(problem: Problem, space: SearchSpace, known: Iterable[Run], *, pruning: bool) -> optuna.Study:
    """Return a study in memory, with the runs that are known as its first trials."""
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


def _train_trial(trial: optuna.Trial, space: SearchSpace, data: Data, halted: Callable[[], object]) -> Run:
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
        run = runs[0] if len(parts) == 1 else mean_run(runs, spec=spec)
        if run.stopped == "asked" and watch.why in ("pruned", "diverged"):
            run = replace(run, stopped="pruned")
        if watch.why == "diverged" or not math.isfinite(run.score):
            run = replace(run, note="diverged")
    return stamp(replace(run, data=data_key(parts), seconds=time.perf_counter() - began, origin="search"))


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
