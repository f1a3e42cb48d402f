"""Step 3: how far a protocol's score is from the truth, seen over many repetitions of the whole procedure."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.lessons.judging import (
    MODELS_TOGETHER,
    TRUTH_ROWS,
    Draw,
    OnProgress,
    draw_rows,
    measure_truth,
    prepare_all_of,
    prepare_rest,
    small_spec,
    train_in_batches,
)
from recipe.steps.s3_protocol import k_fold
from recipe.steps.s4_prepare import prepare

PROTOCOLS = ("hold-out", "K-fold", "iterated K-fold")
REDRAWS = ("rows", "cut")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolStudy:
    """What a protocol reported, again and again, and what was true each time.

    Attributes
    ----------
    protocol, folds, repeats : the protocol; hold-out keeps one of `folds` parts
    rows : samples that the protocol had
    redraw : ``"rows"``, other rows each time, or ``"cut"``, the same rows cut anew
    reported : (draws,), the score that the protocol reported, in the measure's unit
    truth : (draws,), the score on the rest of the data of a model trained on all `rows`
    truth_rows : samples that the truth was measured on
    models : how many were trained for it
    seconds : wall time
    """

    problem: Problem
    source: str
    protocol: str
    folds: int
    repeats: int
    rows: int
    redraw: str
    reported: np.ndarray
    truth: np.ndarray
    truth_rows: int
    models: int
    seconds: float

    @property
    def draws(self) -> int:
        """How often the whole procedure was repeated."""
        return len(self.reported)

    @property
    def name(self) -> str:
        """The protocol with its numbers, such as ``"4-fold, 5 times"``."""
        if self.protocol == "hold-out":
            return f"hold-out, 1/{self.folds}"
        return f"{self.folds}-fold" + (f", {self.repeats} times" if self.protocol == "iterated K-fold" else "")

    @property
    def unit(self) -> str:
        """The unit of a score; empty for shares."""
        return MEASURES[self.problem.measure].unit_of(self.problem)

    @property
    def bias(self) -> float:
        """Mean of reported less true score."""
        return float(np.mean(self.reported - self.truth))

    @property
    def spread(self) -> float:
        """Standard deviation of the reported score from one repetition to the next."""
        return float(np.std(self.reported, ddof=1)) if self.draws > 1 else float("nan")

    @property
    def miss(self) -> float:
        """How far a report is from the truth: root of the mean squared difference."""
        return float(np.sqrt(np.mean((self.reported - self.truth) ** 2)))

    @property
    def sentence(self) -> str:
        """The outcome in words, with its numbers."""
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.name} on {self.rows:,} rows reports {np.mean(self.reported):.3f}, give or take {self.spread:.3f}; "
            f"the truth is {np.mean(self.truth):.3f}, and a report misses it by {self.miss:.3f}{unit} "
            f"({self.draws} repetitions)."
        )


def study_protocol(
    dataset: Dataset,
    *,
    protocol: str = "K-fold",
    folds: int = 4,
    repeats: int = 5,
    rows: int = 200,
    draws: int = 25,
    redraw: str = "rows",
    spec: ModelSpec | None = None,
    seed: int = 0,
    truth_rows: int = TRUTH_ROWS,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> ProtocolStudy:
    """Repeat a whole evaluation many times on few rows, and hold each report against the truth.

    Each time rows are drawn from the training data as if they were all there is; the protocol reports its score; a
    final model is trained on all those rows and measured on the rest. The sealed test set is not touched.

    Parameters
    ----------
    protocol : ``"hold-out"``, ``"K-fold"`` or ``"iterated K-fold"``
    folds : parts to cut the rows into; hold-out keeps one of them
    repeats : of iterated K-fold
    rows : samples that the protocol has; at most half of all, the rest is the truth
    draws : how often the whole procedure is repeated
    redraw : what is new each time: ``"rows"``, or only the ``"cut"`` (and the first weights) of the same rows
    spec : what is trained; None takes a small network
    truth_rows : samples that the truth is measured on, at most
    on_progress : called with (the study so far or None, a message)
    stop : once set, the study ends and returns the repetitions that are complete, maybe none

    Raises
    ------
    ValueError
        If a name is unknown or a number is out of range.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(
            f"There is no such protocol. Received: protocol={protocol!r}. Choose from {', '.join(PROTOCOLS)}."
        )
    options = {"folds": folds, "repeats": repeats, "rows": rows, "draws": draws, "redraw": redraw, "seed": seed}
    common = {"spec": spec, "truth_rows": truth_rows, "on_progress": on_progress, "stop": stop}
    return _study(dataset, (protocol,), **options, **common)[0]


def compare_protocols(
    dataset: Dataset,
    *,
    folds: int = 4,
    repeats: int = 5,
    rows: int = 200,
    draws: int = 20,
    redraw: str = "rows",
    spec: ModelSpec | None = None,
    seed: int = 0,
    truth_rows: int = TRUTH_ROWS,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> tuple[ProtocolStudy, ...]:
    """Study all three protocols on the same rows and the same models; see `study_protocol`.

    Hold-out reports the first fold of the first repetition, K-fold the first repetition, iterated K-fold all of them.
    """
    options = {"folds": folds, "repeats": repeats, "rows": rows, "draws": draws, "redraw": redraw, "seed": seed}
    common = {"spec": spec, "truth_rows": truth_rows, "on_progress": on_progress, "stop": stop}
    return _study(dataset, PROTOCOLS, **options, **common)


def _study(
    dataset: Dataset,
    protocols: tuple[str, ...],
    *,
    folds: int,
    repeats: int,
    rows: int,
    draws: int,
    redraw: str,
    spec: ModelSpec | None,
    seed: int,
    truth_rows: int,
    on_progress: OnProgress | None,
    stop: threading.Event | None,
) -> tuple[ProtocolStudy, ...]:
    """Train what the largest of the protocols needs; the others read a part of it."""
    _check_numbers(draws, redraw)
    began = time.perf_counter()
    repeats = repeats if "iterated K-fold" in protocols else 1
    cuts = 1 if protocols == ("hold-out",) else folds * repeats
    drawn = _draw_all(dataset, rows, draws, redraw, seed, truth_rows)
    tables: list[list[float]] = []  # a row for each draw: one score a cut, then the truth

    def result() -> tuple[ProtocolStudy, ...]:
        table = np.array(tables).reshape(-1, cuts + 1)
        return tuple(
            ProtocolStudy(
                problem=dataset.problem,
                source=dataset.source,
                protocol=protocol,
                folds=folds,
                repeats=repeats if protocol == "iterated K-fold" else 1,
                rows=rows,
                redraw=redraw,
                reported=table[:, : _cuts_of(protocol, folds, repeats)].mean(axis=1),
                truth=table[:, -1],
                truth_rows=len(drawn[0].y_rest),
                models=table.size,
                seconds=time.perf_counter() - began,
            )
            for protocol in protocols
        )

    def on_message(message: str) -> None:
        if on_progress is not None:
            on_progress(result()[0] if tables else None, message)

    batches = list(_batches(drawn, folds, repeats, cuts, redraw, seed))
    spec = (spec or small_spec(dataset.problem)).replace(seed=seed)
    runs_of = train_in_batches(spec, [jobs for jobs, _ in batches], on_message=on_message, stop=stop)
    for (jobs, some), runs in zip(batches, runs_of, strict=False):  # a stop ends the runs before the batches
        for start, draw in zip(range(0, len(jobs), cuts + 1), some, strict=True):
            tables.append(_row_of(runs[start : start + cuts + 1], jobs[start + cuts], draw))
        on_message(f"{len(tables)} of {draws} repetitions")
    return result()


def _row_of(runs: list[Run], final: Prepared, draw: Draw) -> list[float]:
    """Return the score of each cut, and at the end the truth of the final model."""
    return [*(run.score for run in runs[:-1]), measure_truth(runs[-1], prepare_rest(final, draw))]


def _draw_all(dataset: Dataset, rows: int, draws: int, redraw: str, seed: int, truth_rows: int) -> list[Draw]:
    if redraw == "cut":
        return [draw_rows(dataset, rows, seed=seed, truth_rows=truth_rows)] * draws
    return [draw_rows(dataset, rows, seed=seed + number, truth_rows=truth_rows) for number in range(draws)]


def _batches(drawn: list[Draw], folds: int, repeats: int, cuts: int, redraw: str, seed: int) -> list:
    """Return what is trained together: (prepared splits, their draws), each draw's cuts and then all of its rows."""
    programs = -(-len(drawn) * (cuts + 1) // MODELS_TOGETHER)
    together = -(-len(drawn) // programs)  # all of about the same size
    batches = []
    for first in range(0, len(drawn), together):
        some, jobs = drawn[first : first + together], []
        for number, draw in enumerate(some, start=first):
            splits = k_fold(draw.few, folds=folds, repeats=repeats, seed=seed + number)[:cuts]
            jobs += [*map(prepare, splits), prepare_all_of(draw)]
        batches.append((jobs, some))
    return batches


def _cuts_of(protocol: str, folds: int, repeats: int) -> int:
    return {"hold-out": 1, "K-fold": folds, "iterated K-fold": folds * repeats}[protocol]


def _check_numbers(draws: int, redraw: str) -> None:
    if draws < 1:
        raise ValueError(f"There is nothing to study in {draws} repetitions. Received: draws={draws}. Give 2 or more.")
    if redraw not in REDRAWS:
        raise ValueError(f"There is nothing else to redraw. Received: redraw={redraw!r}. Choose from rows, cut.")
