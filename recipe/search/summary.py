"""Step 7: what a search found, in numbers and in sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.search.entries import Entry
from recipe.search.space import SearchSpace
from recipe.steps.s3_protocol import standard_error

if TYPE_CHECKING:
    import optuna

SEARCH = "search"  # the origin of what a search made
STOPPED = {
    "interrupted": "Ctrl-C ended it early.",
    "asked": "It was stopped early.",
    "time": "Its time was up.",
    "broken": "It ended early: the executor takes no more work.",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuning:
    """What a search found.

    Attributes
    ----------
    space : what it could try
    trials : all runs on this data that the journal holds, those by hand among them; oldest first
    new : those that this search made
    val_samples : on how many samples they were scored
    stopped : None, ``"interrupted"`` (Ctrl-C), ``"asked"`` (the stop event), ``"time"`` or ``"broken"`` (executor)
    seconds : wall time
    study : Optuna's, in memory, with the same trials; for its plots and its importances
    """

    problem: Problem
    source: str
    protocol: str
    space: SearchSpace
    trials: tuple[Entry, ...] = field(repr=False)
    new: tuple[Entry, ...] = field(repr=False)
    val_samples: int
    stopped: str | None
    seconds: float
    study: optuna.Study = field(repr=False)

    @property
    def best(self) -> Entry:
        """The trial with the best score among those that were trained to their end; by hand or not.

        Raises
        ------
        ValueError
            If there is none.
        """
        best = find_best(self.trials)
        if best is None:
            reasons = Counter(reason_of(entry) for entry in self.new).most_common(1)
            why = f" Most of them: {reasons[0][0]}." if reasons and reasons[0][0] else ""
            raise ValueError(
                f"No trial came to its end, so none is the best. Received: {len(self.trials)} trials.{why} "
                "Search on with other settings."
            )
        return best

    @property
    def best_by_hand(self) -> Entry | None:
        """The best of the runs that no search made, or None."""
        return find_best([entry for entry in self.trials if entry.origin != SEARCH])

    @property
    def best_spec(self) -> ModelSpec:
        """The best trial's spec, to be trained for the epochs that its score is of and not stopped early."""
        best = self.best
        return best.spec.replace(epochs=epoch_of(best) + 1, patience=None)

    @property
    def score(self) -> float:
        """The best trial's score in validation."""
        return self.best.score

    @property
    def gain_over_hand(self) -> float | None:
        """By how much the best is better than the best by hand, in the measure's unit; None where there is none."""
        by_hand = self.best_by_hand
        return None if by_hand is None else MEASURES[self.problem.measure].gain(self.score, by_hand.score)

    @property
    def counts(self) -> dict[str, int]:
        """How many of the new trials ended how, by the names of `outcome_of`."""
        return dict(Counter(outcome_of(entry) for entry in self.new))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was done, what was found and how much it is worth, with the numbers."""
        return tuple(_describe(self))

    def to_rows(self) -> list[dict[str, object]]:
        """Return all trials as flat rows, the best first, those without a score last."""
        gain = MEASURES[self.problem.measure].gain
        scored = [entry for entry in self.trials if outcome_of(entry) == "complete"]
        others = [entry for entry in self.trials if outcome_of(entry) != "complete"]
        ranked = sorted(scored, key=lambda entry: gain(0.0, entry.score)) + others
        return [entry.to_row() | {"outcome": outcome_of(entry), "reason": reason_of(entry)} for entry in ranked]


def find_best(entries: Sequence[Entry]) -> Entry | None:
    """Return the entry with the best score of those that were trained to their end, the first of equals, or None."""
    complete = [entry for entry in entries if outcome_of(entry) == "complete"]
    return max(complete, key=lambda entry: MEASURES[entry.measure].gain(entry.score, 0.0), default=None)


def outcome_of(entry: Entry) -> str:
    """Return how a trial ended: ``"complete"``, ``"pruned"``, ``"diverged"``, ``"stopped"`` or ``"failed"``."""
    if entry.state == "complete":
        return "complete" if math.isfinite(entry.score) else "diverged"
    reason = reason_of(entry)
    if reason in ("pruned", "diverged", "stopped"):
        return reason
    if entry.stopped in ("asked", "interrupted"):
        return "stopped"
    return "diverged" if entry.history and not math.isfinite(entry.score) else "failed"


def reason_of(entry: Entry) -> str:
    """Return why a trial has no score; empty where it has one, or nobody noted it."""
    return str(entry.extra.get("reason") or "")


def epoch_of(entry: Entry) -> int:
    """Return the epoch, from 0, that the score is of."""
    return entry.best_epoch if entry.spec.patience is not None else entry.epochs - 1


def _describe(found: Tuning) -> Iterator[str]:
    counts, measure = found.counts, MEASURES[found.problem.measure]
    ended = [f"{counts[name]} {words}" for name, words in _OUTCOMES.items() if counts.get(name)]
    yield f"{_count(len(found.new), 'trial')} in {found.seconds:.0f} s: {', '.join(ended) or 'none'}."
    made = {(entry.study, entry.number) for entry in found.new}
    known = [entry for entry in found.trials if (entry.study, entry.number) not in made]
    if known:
        by_hand = sum(entry.origin != SEARCH for entry in known)
        yield f"The study holds {_count(len(known), 'other run')}, {by_hand} made by hand: the search knew them."
    if found.stopped:
        yield STOPPED[found.stopped]
    best = find_best(found.trials)
    if best is None:
        yield "No trial came to its end, so there is no best one."
        return
    unit = measure.unit_of(found.problem)
    value = f"{measure.title} {best.score:.4g}{f' {unit}' if unit else ''}"
    maker, spec = "the search" if best.origin == SEARCH else "hand", best.spec.describe()
    yield f"The best, made by {maker}, has {value} at epoch {epoch_of(best) + 1}: {spec}."
    if found.best_by_hand is not None and best.origin == SEARCH:
        yield f"The best by hand has {found.best_by_hand.score:.4g}: the search gained {found.gain_over_hand:.2g}."
    yield _warn(found, best)


def _warn(found: Tuning, best: Entry) -> str:
    """Say that the best of many scores flatters."""
    chosen_from = sum(outcome_of(entry) == "complete" for entry in found.trials)
    if chosen_from == 1:
        return "It is the only one with a score, so nothing was chosen by it."
    samples = f"{found.val_samples:,} validation samples"
    text = f"It was chosen among {chosen_from} by the same {samples}, so its score flatters it"
    if found.problem.measure == "accuracy":
        luck = standard_error(best.score, found.val_samples)
        return f"{text}: luck alone moves one such score by {luck:.2g}. Only the test set can say how good it is."
    return f"{text}. Only the test set can say how good it is."


_OUTCOMES = {
    "complete": "trained to the end",
    "pruned": "given up early",
    "diverged": "diverged",
    "stopped": "stopped",
    "failed": "failed",
}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
