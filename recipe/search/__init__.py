"""Step 7: search for a better spec with Optuna, starting from the runs that were made by hand."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES, describe_score
from recipe.core.prepared import Prepared, can_read, check_trainable, encoding_for
from recipe.core.run import Run
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

    from recipe.search.study import Data

__all__ = ["Range", "SearchSpace", "Tuning", "default_space", "tune"]

ENDINGS = {"complete": "trained to the end", "pruned": "given up early", "failed": "failed"}

Trainable = str | Dataset | Split | Prepared | Sequence[Split] | Sequence[Prepared]


def tune(
    data: Trainable,
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
    data : a problem's name, or what `load`, `hold_out`, `k_fold` or `prepare` returned. What is not cut yet is held
        out; a trial is trained on every split of a list, and judged by the mean over them, epoch by epoch
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
    >>> found = tune(load("mnist", source="sample", rows=100), trials=2, journal=None)
    >>> found.stopped, len(found.new)
    (None, 2)
    """
    from recipe.search.study import data_key, make_study, run_trials

    began = time.perf_counter()
    if trials < 1:
        raise ValueError(f"There is nothing to search. Received: trials={trials}. Ask for 1 or more.")
    splits, journal = _take_splits(data), choose_journal(journal)
    space = space or _choose_space(splits, seed)
    prepared = _prepare_for(space, splits)
    # Final trainings have no score.
    keys = dict.fromkeys(map(data_key, prepared.values())) if journal else ()
    known = tuple(run for key in keys for run in journal.runs(data=key) if not run.final)
    study = make_study(splits[0].problem, space, known, pruning=pruning)
    with interruptible() as halted:
        runs, stopped = run_trials(
            study, space, prepared, trials=trials, seed=seed, halted=halted, journal=journal, on_trial=on_trial
        )
    return Tuning(known=known, new=tuple(runs), stopped=stopped, seconds=time.perf_counter() - began, study=study)


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
            reasons = Counter(run.note for run in self.new if run.note).most_common(1)
            why = f" Most of them: {reasons[0][0]}." if reasons else ""
            raise ValueError(
                f"No trial came to its end, so none is the best. Received: {len(self.trials)} trials.{why} "
                "Search on with other settings."
            )
        return best

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
        """How many of the new trials came to which `Run.state`."""
        return dict(Counter(run.state for run in self.new))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was done, what was found and how much it is worth, with the numbers."""
        return tuple(_describe(self))

    def to_frame(self) -> pd.DataFrame:
        """Return all trials as `recipe.journal.tabulate` does, the best first, those without a score last."""
        table, is_error = tabulate(self.trials), self.study.direction.name == "MINIMIZE"
        whole = table["score"].where(table["state"] == "complete")
        return table.loc[whole.sort_values(ascending=is_error, kind="stable").index]


def _best_of(runs: Iterable[Run]) -> Run | None:
    """Return the run with the best score of those that were trained to their end, the first of equals, or None."""
    scored = [run for run in runs if run.state == "complete" and isfinite(run.score)]
    return max(scored, key=lambda run: MEASURES[run.measure].gain(run.score, 0.0), default=None)


def _describe(found: Tuning) -> Iterator[str]:
    by_hand = [run for run in found.trials if run.origin != "search"]
    ended = [f"{count} {ENDINGS[state]}" for state, count in found.counts.items()]
    yield f"{_count(found.new, 'trial')} in {found.seconds:.0f} s: {', '.join(ended) or 'none'}."
    if found.known:
        yield f"The search knew {_count(found.known, 'run')} of the journal on this data, {len(by_hand)} made by hand."
    if found.stopped:
        yield "Ctrl-C ended it early."
    best, rival = _best_of(found.trials), _best_of(by_hand)
    if best is None:
        yield "No trial came to its end, so there is no best one."
        return
    measure, maker = MEASURES[best.measure], "the search" if best.origin == "search" else "hand"
    value = describe_score(best.problem, best.score)
    yield f"The best, made by {maker}, has {value} at epoch {best.best_epoch + 1}: {best.spec.describe()}."
    if rival is not None and rival is not best:
        gain = measure.gain(best.score, rival.score)
        yield f"The best by hand has {rival.score:.4g}: the search gained {gain:.2g}."
    chosen_from, luck = sum(run.state == "complete" for run in found.trials), ""
    if best.measure == "accuracy":
        luck = f": luck alone moves one such score by {standard_error(best.score, best.val_samples):.2g}"
    yield (
        f"It was chosen among {chosen_from} by the same {best.val_samples:,} validation samples, so its score flatters "
        f"it{luck}. Only the test set can say how good it is."
    )


def _count(runs: Sequence[Run], noun: str) -> str:
    return f"{len(runs)} {noun}{'' if len(runs) == 1 else 's'}"


def _take_splits(data: Trainable) -> tuple[Split, ...] | tuple[Prepared, ...]:
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


def _choose_space(splits: tuple, seed: int) -> SearchSpace:
    """Return the usual space; of prepared data without the architectures that cannot read them."""
    first = splits[0]
    space = default_space(first.problem, len(first.y_train), seed)
    if not isinstance(first, Prepared):
        return space
    names = tuple(name for name in space.architectures if can_read(ModelSpec(architecture=name), first))
    return replace(space, architecture=names or ("mlp",))


def _prepare_for(space: SearchSpace, splits: tuple) -> Data:
    """Return the splits by architecture, as each reads them; refuse what does not suit the data."""
    problem, prepared = splits[0].problem, isinstance(splits[0], Prepared)

    @cache
    def prepare_all(encoding: str) -> tuple[Prepared, ...]:
        return tuple(prepare(split, encoding=encoding) for split in splits)

    found = {}
    for name in space.architectures:
        spec = space.base.replace(architecture=name, hidden_units=(8,) * space.most_layers)
        check_fit(spec, problem)
        if prepared:
            check_trainable(spec, splits[0])
        found[name] = splits if prepared else prepare_all(encoding_for(spec, problem))
    return found
