"""The runs on the same data side by side: as rows that sort, and two of them compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from recipe.core.measures import MEASURES
from recipe.core.run import Run
from recipe.core.spec import ModelSpec

_ENDS = MappingProxyType({None: "whole", "early": "early"})
_KINDS = MappingProxyType({"mlp": "dense", "convnet": "convnet", "embedding": "embedding", "linear": "linear"})


def describe_network(spec: ModelSpec) -> str:
    """Return the layers in a few words.

    Examples
    --------
    >>> describe_network(ModelSpec(hidden_units=(64, 32), activation="tanh"))
    'dense 64-32 tanh'
    """
    units = "-".join(map(str, spec.hidden_units))
    return " ".join(filter(None, (_KINDS[spec.architecture], units, spec.activation if units else "")))


def describe_regularization(spec: ModelSpec) -> str:
    """Return dropout, penalties and early stopping in a few words, ``"none"`` where there are none."""
    parts = [
        f"{word} {value:g}" for word, value in (("dropout", spec.dropout), ("L1", spec.l1), ("L2", spec.l2)) if value
    ]
    parts += [f"patience {spec.patience}"] if spec.patience is not None else []
    return ", ".join(parts) or "none"


def describe_optimizer(spec: ModelSpec) -> str:
    """Return optimizer, learning rate and batch size in a few words."""
    rate = "" if spec.learning_rate is None else f" {spec.learning_rate:g}"
    return f"{spec.optimizer}{rate}, batch {spec.batch_size}"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: what stands there, and what it is sorted by where that differs."""

    name: str
    show: Callable[[Run], object]
    key: Callable[[Run], object] | None = None

    def sort_key(self, entry: Run) -> object:
        """Return what an entry is sorted by."""
        return (self.key or self.show)(entry)


COLUMNS = MappingProxyType(
    {
        column.name: column
        for column in (
            Column(name="validation", show=lambda entry: entry.score),
            Column(name="training", show=lambda entry: entry.train_score),
            Column(name="network", show=lambda entry: describe_network(entry.spec)),
            Column(name="regularization", show=lambda entry: describe_regularization(entry.spec)),
            Column(name="optimizer", show=lambda entry: describe_optimizer(entry.spec)),
            Column(name="epochs", show=lambda entry: entry.epochs),
            Column(name="end", show=lambda entry: _ENDS.get(entry.stopped, "stopped")),
            Column(name="best epoch", show=lambda entry: entry.best_epoch + 1),
            Column(name="seed", show=lambda entry: entry.seed),
            Column(name="seconds", show=lambda entry: round(entry.seconds, 1)),
            Column(name="from", show=lambda entry: entry.origin),
            Column(name="time", show=lambda entry: entry.time.replace("T", " ")[:16], key=lambda entry: entry.time),
        )
    }
)


def to_rows(entries: Iterable[Run]) -> list[dict[str, object]]:
    """Return a row a run for people, oldest first; ``"run"`` counts them from 1."""
    return [
        {"run": number, "pinned": entry.pinned} | {name: column.show(entry) for name, column in COLUMNS.items()}
        for number, entry in enumerate(entries, 1)
    ]


def sort_runs(entries: Sequence[Run], by: str = "time", *, descending: bool = True) -> list[int]:
    """Return the numbers of the runs, from 1, in the order of a column; those that are pinned come first.

    Parameters
    ----------
    entries : oldest first
    by : a key of `COLUMNS`; what is no number stands at the end either way

    Raises
    ------
    ValueError
        If there is no such column.
    """
    if by not in COLUMNS:
        raise ValueError(f"There is no such column. Received: by={by!r}. Choose from {', '.join(COLUMNS)}.")
    keys = {number: COLUMNS[by].sort_key(entry) for number, entry in enumerate(entries, 1)}
    known = [number for number, key in keys.items() if not (isinstance(key, float) and math.isnan(key))]
    ordered = sorted(known, key=lambda number: (keys[number], number), reverse=descending)
    ordered += [number for number in keys if number not in set(known)]
    return sorted(ordered, key=lambda number: not entries[number - 1].pinned)


def compare_runs(first: Run, second: Run) -> list[dict[str, object]]:
    """Say what differs between two runs, a row each: the fields of the spec, then the scores and how long it took.

    Both are to be of the same samples; these may be prepared in two ways, as reviews are for two architectures.

    Raises
    ------
    ValueError
        If they are of different problems, whose scores cannot be compared.
    """
    if first.problem.name != second.problem.name:
        raise ValueError(
            f"Scores on different problems cannot be compared. Received: {first.problem.name} and "
            f"{second.problem.name}. Choose two runs on the same data."
        )
    specs = first.spec.to_dict(), second.spec.to_dict()
    rows = [
        {"what": key, "first": one, "second": specs[1][key]} for key, one in specs[0].items() if one != specs[1][key]
    ]
    measure = MEASURES[first.measure]
    numbers = {
        f"validation {measure.title}": (first.score, second.score),
        f"training {measure.title}": (first.train_score, second.train_score),
        "epochs trained": (first.epochs, second.epochs),
        "seconds": (first.seconds, second.seconds),
    }
    return rows + [{"what": what, "first": one, "second": other} for what, (one, other) in numbers.items()]


def sentence_of(first: Run, second: Run, *, names: tuple[str, str] = ("the first", "the second")) -> str:
    """Say which of two runs on the same data has the better validation score, and by how much."""
    gain = MEASURES[first.measure].gain(second.score, first.score)
    title = MEASURES[first.measure].title
    if not math.isfinite(gain):
        return "One of them has no score: its loss is not finite."
    if gain == 0:
        return f"Both have a validation {title} of {first.score:.4g}."
    worse, better = names if gain > 0 else reversed(names)
    is_better = f"{better[0].upper()}{better[1:]} is better"
    return f"{is_better}: its validation {title} is {abs(gain):.3g} {_side(first.measure)} that of {worse}."


def _side(measure: str) -> str:
    return "above" if MEASURES[measure].higher_is_better else "below"
