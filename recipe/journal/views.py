"""Entries of the journal chosen, put in order and written out, for the command line and for other programs."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recipe.core.files import write_whole
from recipe.core.measures import MEASURES
from recipe.data.problems import find_problem
from recipe.journal.entries import COLUMNS, Entry

SORTS = ("time", "score")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are wanted, and in which order.

    Attributes
    ----------
    problem, origin, source : what an entry must have; None takes all
    since : as for `since`
    pinned : whether only those are wanted
    best : how many of each problem, the best first; None takes all
    sort : ``"time"``, the newest first, or ``"score"``, problem by problem and the best first
    """

    problem: str | None = None
    origin: str | None = None
    source: str | None = None
    since: str | None = None
    pinned: bool = False
    best: int | None = None
    sort: str = "time"

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise ValueError(
                f"Runs cannot be put in that order. Received: sort={self.sort!r}. Choose from {', '.join(SORTS)}."
            )
        if self.problem is not None:
            find_problem(self.problem)


def select(entries: Iterable[Entry], wanted: Filter) -> list[Entry]:
    """Return the entries that are wanted, in order.

    Raises
    ------
    ValueError
        If `wanted.since` is no date.
    """
    names = [name for name in ("problem", "origin", "source") if getattr(wanted, name) is not None]
    chosen = [entry for entry in entries if all(getattr(entry, name) == getattr(wanted, name) for name in names)]
    chosen = chosen if wanted.since is None else since(chosen, wanted.since)
    chosen = [entry for entry in chosen if entry.pinned] if wanted.pinned else chosen
    if wanted.best is not None:
        return best_of_each(chosen, wanted.best)
    return best_first(chosen) if wanted.sort == "score" else sorted(chosen, key=lambda one: one.time, reverse=True)


def best_first(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries problem by problem, the best validation score first, those without one last."""
    return sorted(entries, key=lambda entry: (entry.problem, _rank(entry)))


def best_of_each(entries: Iterable[Entry], count: int) -> list[Entry]:
    """Return the best complete runs of each problem, as many as `count`, in the order of `best_first`.

    Scores of one problem on different data stand side by side here: `Entry.data` tells them apart.
    """
    chosen, taken = [], {}
    for entry in best_first(entries):
        taken.setdefault(entry.problem, 0)
        if entry.state == "complete" and math.isfinite(entry.score) and taken[entry.problem] < count:
            taken[entry.problem] += 1
            chosen.append(entry)
    return chosen


def since(entries: Iterable[Entry], time: str) -> list[Entry]:
    """Return the entries from a time on.

    Parameters
    ----------
    time : ISO 8601, such as ``"2026-03-01"`` or ``"2026-03-01T14:30"``, in the local time zone unless it names one

    Raises
    ------
    ValueError
        If it is no such time.
    """
    try:
        begin = datetime.fromisoformat(time).astimezone()
    except ValueError as error:
        raise ValueError(
            f"That is no date. Received: since={time!r}. Write it as 2026-03-01 or 2026-03-01T14:30."
        ) from error
    return [entry for entry in entries if entry.time and datetime.fromisoformat(entry.time) >= begin]


def write_csv(path: str | Path, entries: Sequence[Entry]) -> Path:
    """Write entries to a file, a row each below a row of names, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(entry.to_row() for entry in entries)
    return write_whole(path, text.getvalue())


def write_json(path: str | Path, entries: Sequence[Entry]) -> Path:
    """Write entries to a file as a list of objects, histories included, whole or not at all; what is NaN is null."""
    rows = [dataclasses.asdict(entry) | {"spec": entry.spec.to_dict()} for entry in entries]
    return write_whole(path, json.dumps(_without_nan(rows), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _rank(entry: Entry) -> float:
    """Return a number that is the smaller the better the entry is."""
    if math.isnan(entry.score):
        return math.inf
    return -entry.score if entry.measure in MEASURES and MEASURES[entry.measure].higher_is_better else entry.score


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
