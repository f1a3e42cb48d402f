"""Step 7: the data of a search, once for all of its trials, here or in another process."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from recipe.datasets import Dataset, load
from recipe.models import check_fit
from recipe.plan import HELD_OUT
from recipe.prepare import Prepared, encoding_for, prepare, readable_by
from recipe.problems import Problem, find_problem
from recipe.protocols import Split, hold_out
from recipe.space import SearchSpace, Values
from recipe.spec import ModelSpec

_PARTS = ("x_train", "y_train", "x_val", "y_val")
_loaded: dict[tuple[str, str], Prepared] = {}
_LOADING = threading.RLock()


@dataclass(frozen=True, kw_only=True)
class NamedData:
    """Data that any process gets by itself: a problem's name, and how it is loaded and split."""

    name: str
    source: str
    rows: int | None
    fraction: float

    def prepared(self, spec: ModelSpec) -> Prepared:
        """Return the data as the spec's architecture reads it; a process loads and prepares it once."""
        with _LOADING:
            return _load_prepared(self, encoding_for(spec, find_problem(self.name)))


@dataclass(frozen=True, kw_only=True)
class StoredData:
    """Data in a file of this machine's, written for the time of a search.

    Attributes
    ----------
    path : an ``.npz`` with the arrays of each encoding
    shells : by encoding, all but the arrays
    """

    path: Path
    shells: dict[str, Prepared] = field(repr=False)

    def prepared(self, spec: ModelSpec) -> Prepared:
        """Return the data as the spec's architecture reads it; a process reads it once."""
        encoding = _choose_encoding(spec, self.shells)
        key = (str(self.path), encoding)
        with _LOADING:
            if key not in _loaded:
                with np.load(self.path) as arrays:
                    parts = {part: arrays[f"{encoding}_{part}"] for part in _PARTS}
                _loaded[key] = dataclasses.replace(self.shells[encoding], **parts)
            return _loaded[key]


WorkerData = NamedData | StoredData


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchData:
    """The data of a search, as this process has it.

    Attributes
    ----------
    problem : with the shapes of the data
    split : raw; None where the data came prepared
    named : how another process gets it by itself, where it can
    """

    problem: Problem
    split: Split | None = field(repr=False)
    named: NamedData | None = None
    _prepared: dict[str, Prepared] = field(default_factory=dict, repr=False)

    @property
    def samples(self) -> int:
        """How many samples are trained on."""
        return len(self.split.y_train if self.split is not None else self._any.y_train)

    @property
    def val_samples(self) -> int:
        """How many samples the scores are of."""
        return len(self.split.y_val if self.split is not None else self._any.y_val)

    def prepared(self, spec: ModelSpec) -> Prepared:
        """Return the data as the spec's architecture reads it.

        Raises
        ------
        ValueError
            If the data came prepared in a way that this architecture cannot read.
        """
        with _LOADING:
            if self.split is None:
                return self._prepared[_choose_encoding(spec, self._prepared)]
            encoding = encoding_for(spec, self.problem)
            if encoding not in self._prepared:
                self._prepared[encoding] = prepare(self.split, encoding=encoding)
            return self._prepared[encoding]

    def can_read(self, architecture: str) -> bool:
        """Say whether an architecture reads the data, or it can be prepared for it."""
        spec = ModelSpec(architecture=architecture)
        return self.split is not None or bool(set(readable_by(spec, self.problem)) & set(self._prepared))

    def for_workers(self, folder: Path, architectures: Iterable[str]) -> WorkerData:
        """Return what a worker process needs to have the same data; arrays go into a file in this folder."""
        if self.named is not None:
            return self.named
        every = {one.preparation.encoding: one for one in map(self._of_architecture, architectures)}
        arrays = {f"{encoding}_{part}": getattr(one, part) for encoding, one in every.items() for part in _PARTS}
        np.savez(folder / "data.npz", **arrays)
        shells = {
            encoding: dataclasses.replace(one, **{part: getattr(one, part)[:0] for part in _PARTS})
            for encoding, one in every.items()
        }
        return StoredData(path=folder / "data.npz", shells=shells)

    def _of_architecture(self, architecture: str) -> Prepared:
        return self.prepared(ModelSpec(architecture=architecture))

    @property
    def _any(self) -> Prepared:
        return next(iter(self._prepared.values()))


def take_data(
    problem: str | Dataset | Split | Prepared,
    *,
    source: str = "auto",
    rows: int | None = None,
    fraction: float = HELD_OUT,
) -> SearchData:
    """Load, split and prepare what is to be searched on, as far as it is not done yet.

    Raises
    ------
    ValueError, OSError
        If there is no such problem, its data cannot be had, or `rows` and `source` are given with data.
    TypeError
        If it is nothing that can be trained on.
    """
    if isinstance(problem, str):
        rows = find_problem(problem).run_rows if rows is None else rows
        dataset = load(problem, source=source, rows=rows)
        named = NamedData(name=problem, source=dataset.source, rows=rows, fraction=fraction)
        return SearchData(problem=dataset.problem, split=hold_out(dataset, fraction=fraction), named=named)
    if rows is not None or source != "auto":
        raise ValueError(
            f"Rows and source say how a problem is loaded, and this is loaded. Received: rows={rows}, "
            f"source={source!r}. Leave them out, or give the problem's name."
        )
    if isinstance(problem, Dataset):
        return SearchData(problem=problem.problem, split=hold_out(problem, fraction=fraction))
    if isinstance(problem, Split):
        return SearchData(problem=problem.problem, split=problem)
    if isinstance(problem, Prepared):
        encoding = problem.preparation.encoding
        return SearchData(problem=problem.problem, split=None, _prepared={encoding: problem})
    raise TypeError(
        f"This is nothing to train on. Received: problem, a {type(problem).__name__}. Give a problem's name, or what "
        "load, hold_out or prepare returned."
    )


def architectures_of(space: SearchSpace) -> tuple[str, ...]:
    """Return the architectures that a space may draw."""
    return space.values_of("architecture", "")


def check_space(space: SearchSpace, data: SearchData) -> None:
    """Refuse a space with specs that do not suit the data, before any is trained.

    Raises
    ------
    ValueError
        If an architecture does not suit the data, or cannot read it.
    """
    for architecture in architectures_of(space):
        layers = _largest(space.values_of("layers", architecture))
        check_fit(space.base.replace(architecture=architecture, hidden_units=(8,) * layers), data.problem)
        if not data.can_read(architecture):
            raise ValueError(
                f"A network of architecture {architecture!r} cannot read what was prepared for another one. Received: "
                f"space, architecture={architecture!r}. Give the split, or a space without it."
            )


def _largest(values: Values) -> int:
    return int(max(values) if isinstance(values, tuple) else values.high)


def _choose_encoding(spec: ModelSpec, known: dict[str, Prepared]) -> str:
    """Return the encoding, among those there are, that an architecture reads."""
    problem = next(iter(known.values())).problem
    readable = [encoding for encoding in readable_by(spec, problem) if encoding in known]
    if not readable:
        raise ValueError(
            f"A network of architecture {spec.architecture!r} cannot read reviews as {', '.join(known)}. Received: "
            f"spec, architecture={spec.architecture!r}. Give the split in place of what was prepared."
        )
    return readable[0]


@lru_cache(maxsize=4)
def _load_split(data: NamedData) -> Split:
    return hold_out(load(data.name, source=data.source, rows=data.rows), fraction=data.fraction)


@lru_cache(maxsize=4)
def _load_prepared(data: NamedData, encoding: str) -> Prepared:
    return prepare(_load_split(data), encoding=encoding)
