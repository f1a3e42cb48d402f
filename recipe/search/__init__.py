"""Step 7: search for a better spec with Optuna, starting from the runs that were made by hand."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, can_read, check_trainable, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import default_rows
from recipe.engine.interruption import interruptible
from recipe.engine.models import check_fit
from recipe.journal import Journal, choose_journal, tabulate
from recipe.search.space import Range, SearchSpace, default_space
from recipe.steps.s3_protocol import hold_out, standard_error
from recipe.steps.s4_prepare import prepare

if TYPE_CHECKING:
    import optuna
    import pandas as pd

    from recipe.search.trial import TrialData

__all__ = ["Range", "SearchSpace", "Tuning", "best_of", "default_space", "tune"]

STOPPED = {
    "interrupted": "Ctrl-C ended it early.",
    "asked": "It was stopped early.",
    "time": "Its time was up.",
    "broken": "It ended early: a worker was killed, most often for want of memory. Go on with fewer workers.",
}
ENDINGS = {"complete": "trained to the end", "pruned": "given up early"}  # and diverged, stopped and failed

Data = str | Dataset | Split | Prepared | Sequence[Split] | Sequence[Prepared]


def tune(
    data: Data,
    space: SearchSpace | None = None,
    trials: int = 20,
    *,
    base: ModelSpec | None = None,
    seed: int = 0,
    pruning: bool = True,
    workers: int = 1,
    journal: Journal | str | None = "default",
    on_trial: Callable[[Run], object] | None = None,
    on_epoch: Callable[[int, EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    seconds: float | None = None,
) -> Tuning:
    """Search for a better spec.

    The search has an Optuna study of its own, which begins with the runs that the journal holds on the same data, by
    hand or by an earlier search. Its own runs are written to the journal as they end: whatever ends a search, the next
    one goes on from there.

    Parameters
    ----------
    data : a problem's name, or what `load`, `hold_out`, `k_fold` or `prepare` returned. What is not cut yet is held
        out; a trial is trained on every split of a list, and judged by the mean over them, epoch by epoch
    space : what may be tried; None: `default_space`, around `base` where one is given
    trials : how many to make
    seed : of what is tried, and of the first weights of `default_space`; not of the split
    pruning : give a trial up where it is worse than the median of the others at the same epoch
    workers : trials at a time; more than one are trained by as many processes of this machine (a script then needs
        Python's usual ``if __name__ == "__main__":``)
    journal : which runs the search knows, and where its own are kept; None for neither
    on_trial : called with the `Run` of each trial that ended
    on_epoch : called with the number of a trial, from 0, and an `EpochReport`; not from other processes
    stop : once set, from any thread, the search ends with the epoch that is under way
    seconds : ends it so after this time

    Returns
    -------
    Tuning. Ctrl-C ends the search as `stop` does.

    Raises
    ------
    ValueError, TypeError, OSError
        If there is nothing to do, the space does not suit the data, or data cannot be had.

    Examples
    --------
    >>> found = tune(load("mnist", source="sample", rows=100), trials=2, journal=None, seconds=0.0)
    >>> found.stopped, len(found.new)
    ('time', 0)
    """
    from recipe.search.study import Search, make_study

    began = time.perf_counter()
    if trials < 1 or workers < 1:
        raise ValueError(
            f"There is nothing to search. Received: trials={trials}, workers={workers}. Ask for 1 or more of both."
        )
    deadline = math.inf if seconds is None else time.monotonic() + seconds
    splits = _take_splits(data)
    problem, space = splits[0].problem, _choose_space(space, base, splits, seed)
    by_architecture = _prepare_for(space, splits)
    first, journal = next(iter(by_architecture.values())), choose_journal(journal)
    known = _known_runs(by_architecture, journal)
    study = make_study(problem, space, known, seed=seed, pruning=pruning)
    with interruptible(stop) as look:
        search = Search(
            study=study,
            space=space,
            data=by_architecture,
            journal=journal,
            look=look,
            deadline=deadline,
            on_trial=on_trial,
            on_epoch=on_epoch,
        )
        search.run(trials, workers)
    return Tuning(
        problem=problem,
        source=splits[0].source,
        space=space,
        trials=(*known, *search.runs),
        new=tuple(search.runs),
        val_samples=first.val_samples,
        stopped=search.stopped,
        seconds=time.perf_counter() - began,
        study=search.study,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """What a search found.

    Attributes
    ----------
    space : what it could try
    trials : all runs on this data that the journal held, those by hand among them, and then those of this search
    new : those that this search made
    val_samples : on how many samples they were scored
    stopped : None, ``"interrupted"`` (Ctrl-C), ``"asked"`` (the stop event), ``"time"`` or ``"broken"`` (a worker was
        killed)
    seconds : wall time
    study : Optuna's, with the same trials; for its plots and its importances
    """

    problem: Problem
    source: str
    space: SearchSpace
    trials: tuple[Run, ...] = field(repr=False)
    new: tuple[Run, ...] = field(repr=False)
    val_samples: int
    stopped: str | None
    seconds: float
    study: optuna.Study = field(repr=False)

    @property
    def best(self) -> Run:
        """The run with the best score among those that were trained to their end; by hand or not.

        Raises
        ------
        ValueError
            If there is none.
        """
        best = best_of(self.trials)
        if best is None:
            reasons = Counter(run.note for run in self.new if run.note).most_common(1)
            why = f" Most of them: {reasons[0][0]}." if reasons else ""
            raise ValueError(
                f"No trial came to its end, so none is the best. Received: {len(self.trials)} trials.{why} "
                "Search on with other settings."
            )
        return best

    @property
    def best_by_hand(self) -> Run | None:
        """The best of the runs that no search made, or None."""
        return best_of([run for run in self.trials if run.origin != "search"])

    @property
    def best_spec(self) -> ModelSpec:
        """The best run's spec, to be trained for the epochs that its score is of and not stopped early."""
        return self.best.spec.replace(epochs=self.best.best_epoch + 1, patience=None)

    @property
    def score(self) -> float:
        """The best run's score in validation."""
        return self.best.score

    @property
    def counts(self) -> dict[str, int]:
        """How many of the new trials ended how, such as ``"complete"``, ``"pruned"`` or ``"diverged"``."""
        return dict(Counter(_ending(run) for run in self.new))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was done, what was found and how much it is worth, with the numbers."""
        return tuple(_describe(self))

    def to_frame(self) -> pd.DataFrame:
        """Return all trials as `recipe.journal.tabulate` does, the best first, those without a score last."""
        table = tabulate(self.trials)
        table["ending"] = [_ending(run) for run in self.trials]
        falling = MEASURES[self.problem.measure].higher_is_better
        whole = table["score"].where(table["ending"] == "complete")
        return table.loc[whole.sort_values(ascending=not falling, kind="stable").index]


def best_of(runs: Sequence[Run]) -> Run | None:
    """Return the run with the best score of those that were trained to their end, the first of equals, or None."""
    scored = [run for run in runs if run.state == "complete" and math.isfinite(run.score)]
    return max(scored, key=lambda run: MEASURES[run.measure].gain(run.score, 0.0), default=None)


def _ending(run: Run) -> str:
    if run.note == "diverged":
        return "diverged"
    return "stopped" if run.stopped in ("asked", "interrupted", "callback") else run.state


def _describe(found: Tuning) -> Iterator[str]:
    measure = MEASURES[found.problem.measure]
    ended = [f"{count} {ENDINGS.get(name, name)}" for name, count in found.counts.items()]
    yield f"{_count(len(found.new), 'trial')} in {found.seconds:.0f} s: {', '.join(ended) or 'none'}."
    known = found.trials[: len(found.trials) - len(found.new)]
    if known:
        by_hand = sum(run.origin != "search" for run in known)
        yield f"The search knew {_count(len(known), 'run')} of the journal on this data, {by_hand} made by hand."
    if found.stopped:
        yield STOPPED[found.stopped]
    best, by_hand = best_of(found.trials), found.best_by_hand
    if best is None:
        yield "No trial came to its end, so there is no best one."
        return
    unit = measure.unit_of(found.problem)
    value = f"{measure.title} {best.score:.4g}{f' {unit}' if unit else ''}"
    maker = "the search" if best.origin == "search" else "hand"
    yield f"The best, made by {maker}, has {value} at epoch {best.best_epoch + 1}: {best.spec.describe()}."
    if by_hand is not None and best.origin == "search":
        gain = measure.gain(best.score, by_hand.score)
        yield f"The best by hand has {by_hand.score:.4g}: the search gained {gain:.2g}."
    yield _warn(found, best)


def _warn(found: Tuning, best: Run) -> str:
    """Say that the best of many scores flatters."""
    chosen_from = sum(_ending(run) == "complete" for run in found.trials)
    if chosen_from == 1:
        return "It is the only one with a score, so nothing was chosen by it."
    text = f"It was chosen among {chosen_from} by the same {found.val_samples:,} validation samples, so its score"
    luck = ""
    if found.problem.measure == "accuracy":
        noise = standard_error(best.score, found.val_samples)
        luck = f": luck alone moves one such score by {noise:.2g}"
    return f"{text} flatters it{luck}. Only the test set can say how good it is."


def _take_splits(data: Data) -> tuple[Split, ...] | tuple[Prepared, ...]:
    """Load and cut what is not cut yet."""
    if isinstance(data, str):
        data = load(data, rows=default_rows(data))
    if isinstance(data, Dataset):
        data = hold_out(data)
    splits = tuple(data) if isinstance(data, Sequence) else (data,)
    if not splits or not any(all(isinstance(one, kind) for one in splits) for kind in (Split, Prepared)):
        kinds = ", ".join(dict.fromkeys(type(one).__name__ for one in splits)) or "empty list"
        raise TypeError(
            f"This is nothing to train on. Received: data, a {kinds}. Give a problem's name, or what load, hold_out, "
            "k_fold or prepare returned."
        )
    return splits


def _choose_space(space: SearchSpace | None, base: ModelSpec | None, splits: tuple, seed: int) -> SearchSpace:
    """Return the space that was given, or the usual one without what cannot read the data."""
    if space is not None and base is not None:
        raise ValueError("A space has its own base. Received: space and base. Give SearchSpace(base=...) alone.")
    if space is not None:
        return space
    space = default_space(splits[0].problem, len(splits[0].y_train), seed)
    if isinstance(splits[0], Prepared):
        names = tuple(name for name in space.architectures if can_read(ModelSpec(architecture=name), splits[0]))
        space = replace(space, architecture=names or ("mlp",))
    return replace(space, base=base or space.base)


def _prepare_for(space: SearchSpace, splits: tuple) -> dict[str, TrialData]:
    """Return the splits by architecture, as each reads them; refuse what does not suit the data."""
    from recipe.search.trial import TrialData

    problem, prepared, by_encoding = splits[0].problem, isinstance(splits[0], Prepared), {}
    found = {}
    for name in space.architectures:
        spec = space.base.replace(architecture=name, hidden_units=(8,) * space.most_layers)
        check_fit(spec, problem)
        encoding = encoding_for(spec, problem)
        if prepared:
            check_trainable(spec, splits[0])
            encoding = splits[0].preparation.encoding
        if encoding not in by_encoding:
            parts = splits if prepared else tuple(prepare(split, encoding=encoding) for split in splits)
            by_encoding[encoding] = TrialData(parts)
        found[name] = by_encoding[encoding]
    return found


def _known_runs(data: dict[str, TrialData], journal: Journal | None) -> list[Run]:
    """Return the journal's runs on this data, without final trainings, which have no score."""
    if journal is None:
        return []
    keys = dict.fromkeys(one.key for one in data.values())
    return [run for key in keys for run in journal.runs(data=key) if not run.final]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
