"""Step 7: the data of a search, once for all of its trials, here or in another process."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from recipe.core.dataset import Dataset, Split, fingerprint
from recipe.core.prepared import Prepared, encoding_for, readable_by
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import default_rows, find_problem
from recipe.engine.models import check_fit
from recipe.search.space import SearchSpace, Values
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.s6_plan import HELD_OUT

_PARTS = ("x_train", "y_train", "x_val", "y_val")
_loaded: dict[tuple[str, str], Cuts] = {}
_LOADING = threading.RLock()


@dataclass(frozen=True, eq=False)
class Cuts:
    """What a trial trains on: the data cut into a training and a validation part once, or several times.

    Attributes
    ----------
    each : of them, prepared; one for hold-out, as many as there are folds for K-fold
    """

    each: tuple[Prepared, ...]

    @property
    def data_key(self) -> str:
        """Sixteen digits that stand for all of them; for one, its own."""
        keys = [one.data_key for one in self.each]
        return keys[0] if len(keys) == 1 else fingerprint(" ".join(keys), [])

    @property
    def protocol(self) -> str:
        """How the data was cut, for people to read."""
        first = self.each[0].protocol
        return first if len(self.each) == 1 else f"mean over {len(self.each)} splits, such as {first}"

    @property
    def source(self) -> str:
        """Where the data is from."""
        return self.each[0].source


@dataclass(frozen=True, kw_only=True)
class NamedData:
    """Data that any process gets by itself: a problem's name, and how it is loaded and split."""

    name: str
    source: str
    rows: int | None
    fraction: float
    folds: int | None = None

    def cuts(self, spec: ModelSpec) -> Cuts:
        """Return the data as the spec's architecture reads it; a process loads and prepares it once."""
        with _LOADING:
            return _load_cuts(self, encoding_for(spec, find_problem(self.name)))


@dataclass(frozen=True, kw_only=True)
class StoredData:
    """Data in a file of this machine's, written for the time of a search.

    Attributes
    ----------
    path : an ``.npz`` with the arrays of each encoding and cut
    shells : by encoding, all but the arrays
    """

    path: Path
    shells: dict[str, Cuts] = field(repr=False)

    def cuts(self, spec: ModelSpec) -> Cuts:
        """Return the data as the spec's architecture reads it; a process reads it once."""
        encoding = _choose_encoding(spec, self.shells)
        key = (str(self.path), encoding)
        with _LOADING:
            if key not in _loaded:
                with np.load(self.path) as arrays:
                    shells = enumerate(self.shells[encoding].each)
                    _loaded[key] = Cuts(tuple(_with_arrays(one, arrays, f"{encoding}_{n}") for n, one in shells))
            return _loaded[key]


WorkerData = NamedData | StoredData


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchData:
    """The data of a search, as this process has it.

    Attributes
    ----------
    problem : with the shapes of the data
    splits : raw, one or the folds; empty where the data came prepared
    named : how another process gets it by itself, where it can
    """

    problem: Problem
    splits: tuple[Split, ...] = field(repr=False)
    named: NamedData | None = None
    _prepared: dict[str, Cuts] = field(default_factory=dict, repr=False)

    @property
    def samples(self) -> int:
        """How many samples one training has."""
        return len(self._parts[0].y_train)

    @property
    def val_samples(self) -> int:
        """How many samples the scores are of; where K-fold is repeated, each counts once."""
        first = self._parts[0]
        return min(sum(len(part.y_val) for part in self._parts), len(first.y_train) + len(first.y_val))

    @property
    def _parts(self) -> Sequence[Split | Prepared]:
        return self.splits or next(iter(self._prepared.values())).each

    def cuts(self, spec: ModelSpec) -> Cuts:
        """Return the data as the spec's architecture reads it.

        Raises
        ------
        ValueError
            If the data came prepared in a way that this architecture cannot read.
        """
        with _LOADING:
            if not self.splits:
                return self._prepared[_choose_encoding(spec, self._prepared)]
            encoding = encoding_for(spec, self.problem)
            if encoding not in self._prepared:
                self._prepared[encoding] = Cuts(tuple(prepare(split, encoding=encoding) for split in self.splits))
            return self._prepared[encoding]

    def can_read(self, architecture: str) -> bool:
        """Say whether an architecture reads the data, or it can be prepared for it."""
        spec = ModelSpec(architecture=architecture)
        return bool(self.splits) or bool(set(readable_by(spec, self.problem)) & set(self._prepared))

    def for_workers(self, folder: Path, architectures: Iterable[str]) -> WorkerData:
        """Return what a worker process needs to have the same data; arrays go into a file in this folder."""
        if self.named is not None:
            return self.named
        every = [self.cuts(ModelSpec(architecture=architecture)) for architecture in architectures]
        arrays, shells = {}, {}
        for cuts in every:
            encoding = cuts.each[0].preparation.encoding
            for number, one in enumerate(cuts.each):
                arrays |= {f"{encoding}_{number}_{part}": getattr(one, part) for part in _PARTS}
            shells[encoding] = Cuts(tuple(_without_arrays(one) for one in cuts.each))
        np.savez(folder / "data.npz", **arrays)
        return StoredData(path=folder / "data.npz", shells=shells)


def take_data(
    problem: str | Dataset | Split | Prepared | Sequence[Split] | Sequence[Prepared],
    *,
    source: str = "auto",
    rows: int | None = None,
    fraction: float = HELD_OUT,
    folds: int | None = None,
) -> SearchData:
    """Load, split and prepare what is to be searched on, as far as it is not done yet.

    Raises
    ------
    ValueError, OSError
        If there is no such problem, its data cannot be had, or `rows`, `source` or `folds` are given with data that is
        loaded or cut already.
    TypeError
        If it is nothing that can be trained on.
    """
    if isinstance(problem, str):
        rows = default_rows(problem) if rows is None else rows
        dataset = load(problem, source=source, rows=rows)
        named = NamedData(name=problem, source=dataset.source, rows=rows, fraction=fraction, folds=folds)
        return SearchData(problem=dataset.problem, splits=_cut(dataset, fraction, folds), named=named)
    if rows is not None or source != "auto":
        raise ValueError(
            f"Rows and source say how a problem is loaded, and this is loaded. Received: rows={rows}, "
            f"source={source!r}. Leave them out, or give the problem's name."
        )
    if isinstance(problem, Dataset):
        return SearchData(problem=problem.problem, splits=_cut(problem, fraction, folds))
    parts = tuple(problem) if isinstance(problem, Sequence) else (problem,)
    if not parts or not any(all(isinstance(part, kind) for part in parts) for kind in (Split, Prepared)):
        kinds = ", ".join(dict.fromkeys(type(part).__name__ for part in parts)) or "empty list"
        raise TypeError(
            f"This is nothing to train on. Received: problem, a {kinds}. Give a problem's name, or what load, "
            "hold_out, k_fold or prepare returned."
        )
    if folds is not None:
        raise ValueError(f"This is cut into parts already. Received: folds={folds}. Leave it out, or give the dataset.")
    return _take_parts(parts)


def _cut(dataset: Dataset, fraction: float, folds: int | None) -> tuple[Split, ...]:
    return (hold_out(dataset, test_size=fraction),) if folds is None else k_fold(dataset, folds=folds)


def _take_parts(parts: tuple[Split, ...] | tuple[Prepared, ...]) -> SearchData:
    """Take what is cut already, and may be prepared."""
    problem = parts[0].problem
    encodings = {part.preparation.encoding if isinstance(part, Prepared) else "" for part in parts}
    names = {part.problem.name for part in parts}
    if len(names) > 1 or len(encodings) > 1:
        different = "problems" if len(names) > 1 else "encodings"
        raise ValueError(
            f"The splits are of different {different}. Received: problem, with {', '.join(sorted(names | encodings))}. "
            "Give those of one k_fold(dataset)."
        )
    if isinstance(parts[0], Split):
        return SearchData(problem=problem, splits=parts)
    return SearchData(problem=problem, splits=(), _prepared={encodings.pop(): Cuts(parts)})


def _with_arrays(shell: Prepared, arrays: Mapping[str, np.ndarray], name: str) -> Prepared:
    return dataclasses.replace(shell, **{part: arrays[f"{name}_{part}"] for part in _PARTS})


def _without_arrays(one: Prepared) -> Prepared:
    return dataclasses.replace(one, **{part: getattr(one, part)[:0] for part in _PARTS})


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


def _choose_encoding(spec: ModelSpec, known: dict[str, Cuts]) -> str:
    """Return the encoding, among those there are, that an architecture reads."""
    problem = next(iter(known.values())).each[0].problem
    readable = [encoding for encoding in readable_by(spec, problem) if encoding in known]
    if not readable:
        raise ValueError(
            f"A network of architecture {spec.architecture!r} cannot read reviews as {', '.join(known)}. Received: "
            f"spec, architecture={spec.architecture!r}. Give the split in place of what was prepared."
        )
    return readable[0]


@lru_cache(maxsize=4)
def _load_splits(data: NamedData) -> tuple[Split, ...]:
    return _cut(load(data.name, source=data.source, rows=data.rows), data.fraction, data.folds)


@lru_cache(maxsize=4)
def _load_cuts(data: NamedData, encoding: str) -> Cuts:
    return Cuts(tuple(prepare(split, encoding=encoding) for split in _load_splits(data)))
