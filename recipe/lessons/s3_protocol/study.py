"""Step 3: how far a score is from the truth: what a protocol reports, again and again, and what choosing does to it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.run import mean_run
from recipe.core.spec import ModelSpec
from recipe.lessons.judging import (
    TRUTH_ROWS,
    draw_rows,
    measure_truth,
    prepare_all_of,
    prepare_rest,
    small_spec,
    train_groups,
)
from recipe.steps.s3_protocol import hold_out, k_fold
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
    def std(self) -> float:
        """Standard deviation of the reported score from one repetition to the next."""
        return float(np.std(self.reported, ddof=1)) if self.draws > 1 else math.nan

    @property
    def miss(self) -> float:
        """How far a report is from the truth: root of the mean squared difference."""
        return float(np.sqrt(np.mean((self.reported - self.truth) ** 2)))

    @property
    def sentence(self) -> str:
        """The outcome in words, with its numbers."""
        unit = f" {self.unit}" if self.unit else ""
        return (
            f"{self.name} on {self.rows:,} rows reports {np.mean(self.reported):.3f}, give or take {self.std:.3f}; "
            f"the truth is {np.mean(self.truth):.3f}, and a report misses it by {self.miss:.3f}{unit} "
            f"({self.draws} repetitions)."
        )


def study_protocols(
    dataset: Dataset,
    protocols: Sequence[str] = PROTOCOLS,
    *,
    folds: int = 4,
    repeats: int = 5,
    rows: int = 200,
    draws: int = 20,
    redraw: str = "rows",
    spec: ModelSpec | None = None,
    truth_rows: int = TRUTH_ROWS,
    on_progress: Callable[[object, str], None] | None = None,
    stop: threading.Event | None = None,
) -> tuple[ProtocolStudy, ...]:
    """Repeat a whole evaluation many times on few rows, and hold each report against the truth.

    Each time rows are drawn from the training data as if they were all there is; each protocol reports its score; a
    final model is trained on all those rows and measured on the rest. The sealed test set is not touched. All
    protocols read the same models: hold-out reports the first fold of the first repetition, K-fold the first
    repetition, iterated K-fold all of them.

    Parameters
    ----------
    protocols : some of ``"hold-out"``, ``"K-fold"`` and ``"iterated K-fold"``
    folds : parts to cut the rows into; hold-out keeps one of them
    repeats : of iterated K-fold
    rows : samples that a protocol has; at most half of all, the rest is the truth
    draws : how often the whole procedure is repeated
    redraw : what is new each time: ``"rows"``, or only the ``"cut"`` (and the first weights) of the same rows
    spec : what is trained, with the seed of the first draw; None takes a small network
    truth_rows : samples that the truth is measured on, at most
    on_progress : called with (the studies so far or None, a message)
    stop : once set, the study ends and returns the repetitions that are complete, maybe none

    Raises
    ------
    ValueError
        If a name is unknown or a number is out of range.
    """
    _check(protocols, draws, redraw)
    repeats = repeats if "iterated K-fold" in protocols else 1
    cuts = {"hold-out": 1, "K-fold": folds, "iterated K-fold": folds * repeats}
    most = max(cuts[protocol] for protocol in protocols)
    spec = spec or small_spec(dataset.problem)
    seeds = [spec.seed + number for number in range(draws)]
    drawn = [
        draw_rows(dataset, rows, seed=new if redraw == "rows" else spec.seed, truth_rows=truth_rows) for new in seeds
    ]
    groups = [
        [*map(prepare, k_fold(draw.few, folds=folds, repeats=repeats, seed=seed)[:most]), prepare_all_of(draw)]
        for seed, draw in zip(seeds, drawn, strict=True)
    ]
    table: list[list[float]] = []  # a row for each draw: the report of each protocol, then the truth

    def studies() -> tuple[ProtocolStudy, ...]:
        *reports, truth = np.reshape(table, (-1, len(protocols) + 1)).T
        return tuple(
            ProtocolStudy(
                problem=dataset.problem,
                source=dataset.source,
                protocol=protocol,
                folds=folds,
                repeats=repeats if protocol == "iterated K-fold" else 1,
                rows=rows,
                redraw=redraw,
                reported=reported,
                truth=truth,
                truth_rows=len(drawn[0].y_rest),
                models=len(table) * (most + 1),
            )
            for protocol, reported in zip(protocols, reports, strict=True)
        )

    def tell(message: str) -> None:
        if on_progress is not None:
            on_progress(studies() if table else None, message)

    trained = train_groups(spec, groups, on_message=tell, stop=stop)
    for draw, group, runs in zip(drawn, groups, trained, strict=False):  # a stop ends the runs before the groups
        reports = [mean_run(runs[: cuts[protocol]]).score for protocol in protocols]
        table.append([*reports, measure_truth(runs[-1], prepare_rest(group[-1], draw))])
        tell(f"{len(table)} of {draws} repetitions")
    return studies()


def _check(protocols: Sequence[str], draws: int, redraw: str) -> None:
    if unknown := [protocol for protocol in protocols if protocol not in PROTOCOLS]:
        raise ValueError(
            f"There is no such protocol. Received: protocols={unknown}. Choose from {', '.join(PROTOCOLS)}."
        )
    if draws < 1 or not protocols:
        raise ValueError(
            f"There is nothing to study. Received: protocols={list(protocols)}, draws={draws}. Give 1 protocol, and 2 "
            "draws or more."
        )
    if redraw not in REDRAWS:
        raise ValueError(f"There is nothing else to redraw. Received: redraw={redraw!r}. Choose from rows, cut.")


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionStudy:
    """Scores of many candidates, on the dev set that they are chosen by and on the rest of the data.

    Attributes
    ----------
    dev, truth : (draws, candidates), in the measure's unit
    dev_rows : samples in the dev set
    """

    problem: Problem
    source: str
    dev: np.ndarray
    truth: np.ndarray
    dev_rows: int

    @property
    def candidates(self) -> int:
        """How many models there were to choose from."""
        return self.dev.shape[1]

    def expected(self, candidates: int) -> tuple[float, float]:
        """Return dev score and true score of the best on the dev set among so many candidates.

        Averaged over the draws and over every choice of so many among all candidates: no order of them counts.

        Raises
        ------
        ValueError
            If there are no so many candidates.
        """
        count, total = candidates, self.candidates
        if not 1 <= count <= total:
            raise ValueError(f"There are {total} candidates. Received: candidates={count}. Ask for 1 to that.")
        gains = self.dev if MEASURES[self.problem.measure].higher_is_better else -self.dev
        order = np.argsort(-gains, axis=1, kind="stable")
        # The one at place i from the best is chosen where all others are from behind it.
        weights = np.array([math.comb(total - 1 - place, count - 1) for place in range(total)], dtype=float)
        weights /= weights.sum()
        ranked = [np.take_along_axis(scores, order, axis=1) for scores in (self.dev, self.truth)]
        return tuple(float((scores @ weights).mean()) for scores in ranked)

    def optimism(self, candidates: int) -> float:
        """Return by how much the best of so many looks better on the dev set than it is, in the measure's unit.

        What the dev sets were too easy or too hard for all candidates alike is taken off, so that it is 0 for one.
        """
        gain = MEASURES[self.problem.measure].gain
        return gain(*self.expected(candidates)) - gain(*self.expected(1))

    @property
    def sentence(self) -> str:
        """The outcome in words, with its numbers."""
        dev, truth = self.expected(self.candidates)
        unit = MEASURES[self.problem.measure].unit_of(self.problem)
        return (
            f"The best of {self.candidates} has {dev:.3f} on a dev set of {self.dev_rows:,}, and {truth:.3f} in truth: "
            f"the choosing alone flatters it by {self.optimism(self.candidates):.3f}{f' {unit}' if unit else ''} "
            f"(mean over {len(self.dev)} draws)."
        )


def study_selection(
    dataset: Dataset,
    *,
    rows: int = 200,
    candidates: int = 20,
    draws: int = 6,
    truth_rows: int = TRUTH_ROWS,
) -> SelectionStudy:
    """Train candidates that differ by their first weights alone, choose by the dev set, and look at the truth.

    Parameters
    ----------
    rows : samples of each draw, a fifth of them the dev set; at most half of all, the rest is the truth
    candidates : models to choose from, 2 or more
    draws : how often the whole choice is repeated, on other rows

    Raises
    ------
    ValueError
        If there is no choice, or a number is out of range.
    """
    if candidates < 2 or draws < 1:
        raise ValueError(
            f"A choice needs 2 candidates and 1 draw. Received: candidates={candidates}, draws={draws}. Give more."
        )
    drawn = [draw_rows(dataset, rows, seed=number, truth_rows=truth_rows) for number in range(draws)]
    prepared = [prepare(hold_out(draw.few)) for draw in drawn]
    pairs: list[list[tuple[float, float]]] = []
    trained = train_groups(small_spec(dataset.problem), [[one] * candidates for one in prepared])
    for draw, one, runs in zip(drawn, prepared, trained, strict=True):
        rest = prepare_rest(one, draw)
        pairs.append([(run.score, measure_truth(run, rest)) for run in runs])
    table = np.array(pairs)  # (draws, candidates, 2)
    return SelectionStudy(
        problem=dataset.problem,
        source=dataset.source,
        dev=table[..., 0],
        truth=table[..., 1],
        dev_rows=len(prepared[0].y_val),
    )
