"""Step 4: which preparation? Decided by cross-validation, not by taste."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import Note
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate, train

MOST_READ = 500  # samples that the range of the inputs is taken from
MOST_VALIDATION = 1_000  # samples that a trial holds out: enough for a curve, and quickly measured


@dataclass(frozen=True, kw_only=True)
class Difference:
    """By how much one way is better than another on the same splits, with the same seeds.

    Attributes
    ----------
    gain : mean over the splits, in the measure's unit; above 0 where the way is better
    standard_error : of that mean, as if the splits were independent; folds share training samples, so it is too small
    wins, splits : on how many of the splits the way was better
    """

    gain: float
    standard_error: float
    wins: int
    splits: int

    @property
    def is_clear(self) -> bool:
        """Whether the gain is more than two standard errors away from 0, to either side."""
        return abs(self.gain) > 2 * self.standard_error


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationScores:
    """Several ways to prepare the same splits, and what validation said of each.

    Attributes
    ----------
    names : of the ways
    scores : float array of shape (ways, splits), the problem's measure of each run
    runs : one tuple a way, one run a split
    """

    problem: Problem
    names: tuple[str, ...]
    scores: np.ndarray
    runs: tuple[tuple[Run, ...], ...]

    @property
    def means(self) -> dict[str, float]:
        """The mean score of each way."""
        return dict(zip(self.names, self.scores.mean(axis=1).tolist(), strict=True))

    def difference(self, name: str, reference: str) -> Difference:
        """Return by how much a way is better than another, split by split.

        Raises
        ------
        ValueError
            If there is no such way.
        """
        for wanted in (name, reference):
            if wanted not in self.names:
                raise ValueError(
                    f"There is no such way. Received: {wanted!r}. It was one of {', '.join(map(repr, self.names))}."
                )
        ours, theirs = (self.scores[self.names.index(wanted)] for wanted in (name, reference))
        measure = MEASURES[self.problem.measure]
        gains = np.array([measure.gain(our, their) for our, their in zip(ours, theirs, strict=True)])
        error = float(gains.std(ddof=1) / math.sqrt(len(gains))) if len(gains) > 1 else math.inf
        return Difference(
            gain=float(gains.mean()), standard_error=error, wins=int((gains > 0).sum()), splits=len(gains)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationTrial:
    """One way to prepare a part of the data, and the training that followed.

    Attributes
    ----------
    name : the way, in words
    inputs : name and 5th, 50th and 95th percentile of what the network reads, of each column, or of all numbers of a
        sample together
    history : as in `Run`, of the epochs that were trained so far
    notes : what is odd about the data
    samples : training and validation samples
    """

    problem: Problem
    source: str
    name: str
    inputs: tuple[tuple[str, float, float, float], ...]
    history: Mapping[str, Sequence[float]]
    notes: tuple[Note, ...]
    samples: tuple[int, int]

    @property
    def score(self) -> float:
        """The problem's measure on the validation part, after the last epoch; NaN where there is none."""
        return self.history.get("val_" + self.problem.measure, [math.nan])[-1]


def compare_preparations(
    spec: ModelSpec,
    splits: Sequence[Split],
    ways: Mapping[str, Mapping[str, object]],
    *,
    on_epoch: Callable[[str, EpochReport], object] | None = None,
    stop: threading.Event | None = None,
) -> PreparationScores:
    """Train the same spec on the same splits, once for each way to prepare them.

    Parameters
    ----------
    splits : such as ``k_fold(dataset, repeats=5)``
    ways : arguments of `prepare` by name, such as ``{"as it is": {}, "ratios": {"ratios": HOUSING_RATIOS}}``
    on_epoch : called with the name of the way and an `EpochReport`
    stop : once set, from any thread, nothing more is trained

    Raises
    ------
    ValueError
        If there is no way or no split, or a way does not suit the data.
    InterruptedError
        If it was stopped before every way had all its runs.
    """
    if not ways or not splits:
        raise ValueError(
            f"There is nothing to compare. Received: {len(ways)} ways, {len(splits)} splits. Give one of each at least."
        )
    runs = []
    for name, arguments in ways.items():
        usual = {"encoding": encoding_for(spec, splits[0].problem)}
        prepared = [prepare(split, **usual | dict(arguments)) for split in splits]
        report = on_epoch and (lambda told, way=name: on_epoch(way, told))
        runs.append(tuple(cross_validate(spec, prepared, on_epoch=report, stop=stop, journal=None)))
        if any(run.stopped in {"asked", "interrupted"} for run in runs[-1]):
            raise InterruptedError(f"The comparison was stopped at {name!r}, so its scores are of no use.")
    scores = np.array([[run.score for run in group] for group in runs])
    return PreparationScores(problem=splits[0].problem, names=tuple(ways), scores=scores, runs=tuple(runs))


def try_preparation(
    dataset: Dataset,
    spec: ModelSpec,
    *,
    name: str = "",
    rows: int | None = None,
    on_epoch: Callable[[PreparationTrial, EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    **arguments: object,
) -> PreparationTrial:
    """Prepare a part of the data in one way, train on it, and keep what the network read and how it went.

    Parameters
    ----------
    name : the way, in words; the encoding without it
    rows : training samples to take; None takes all that validation leaves. Validation gets a quarter of the samples,
        1,000 at most, and the same ones whatever `rows` is
    on_epoch : called with what there is so far, and an `EpochReport`
    stop : once set, from any thread, training ends with the epoch that is under way
    arguments : of `prepare`

    Raises
    ------
    ValueError
        If there are fewer samples than `rows`, or the arguments do not suit the data.
    """
    prepared = prepare(_take_rows(dataset, rows, spec.seed), **arguments)
    trial = PreparationTrial(
        problem=dataset.problem,
        source=dataset.source,
        name=name or prepared.preparation.encoding,
        inputs=summarise_inputs(prepared),
        history={},
        notes=prepared.notes,
        samples=(len(prepared.y_train), len(prepared.y_val)),
    )
    history: dict[str, list[float]] = {}

    def report(told: EpochReport) -> None:
        for key, value in told.logs.items():
            history.setdefault(key, []).append(value)
        if on_epoch is not None:
            on_epoch(replace(trial, history={key: list(values) for key, values in history.items()}), told)

    run = train(spec, prepared, on_epoch=report, stop=stop, journal=None)
    return replace(trial, history=run.history)


def summarise_inputs(prepared: Prepared) -> tuple[tuple[str, float, float, float], ...]:
    """Return a name and the 5th, 50th and 95th percentile of what the network reads of the training part.

    One row a column of a table, ratios included; of images and reviews one row for all pixels or words, and of
    reviews for those above 0 alone.
    """
    x = prepared.preparation.to_network(prepared.x_train[:MOST_READ])
    names = prepared.preparation.columns
    if names:
        return tuple((name, *_percentiles(column)) for name, column in zip(names, x.T, strict=True))
    if prepared.problem.num_words:
        return (("words that occur", *_percentiles(x[x > 0])),)
    return (("pixels", *_percentiles(x)),)


def _percentiles(values: np.ndarray) -> tuple[float, float, float]:
    return tuple(np.percentile(values, (5, 50, 95)).tolist()) if values.size else (0.0, 0.0, 0.0)


def _take_rows(dataset: Dataset, rows: int | None, seed: int) -> Split:
    """Return a random split with `rows` training samples; the validation part does not depend on their number."""
    samples = len(dataset.y_train)
    held_out = min(samples // 4, MOST_VALIDATION)
    most = samples - held_out
    rows = most if rows is None else rows
    if not 2 <= rows <= most:
        raise ValueError(
            f"There are {samples:,} samples, and validation has {held_out:,} of them. Received: rows={rows}. "
            f"Ask for 2 to {most} training samples."
        )
    order = np.random.default_rng(seed).permutation(samples)
    protocol = f"{rows:,} samples to train on, {held_out:,} for validation"
    return take_split(dataset, order[held_out : held_out + rows], order[:held_out], protocol=protocol)
