"""Step 3: why the dev set is no test set. Choose by a score, and that score is no longer the truth."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.lessons.judging import (
    TRUTH_ROWS,
    OnProgress,
    draw_rows,
    measure_truth,
    prepare_rest,
    small_spec,
    train_in_batches,
)
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionStudy:
    """Scores of many candidates, on the dev set that they are chosen by and on the rest of the data.

    Attributes
    ----------
    dev, truth : (draws, candidates), in the measure's unit
    rows : samples of each draw, dev set included
    dev_rows : samples in the dev set
    """

    problem: Problem
    source: str
    dev: np.ndarray
    truth: np.ndarray
    rows: int
    dev_rows: int

    @property
    def candidates(self) -> int:
        """How many models there were to choose from."""
        return self.dev.shape[1]

    def chosen(self, candidates: int | None = None) -> tuple[float, float]:
        """Return dev score and true score of the best on the dev set among the first candidates, averaged over draws.

        Raises
        ------
        ValueError
            If there are no so many candidates.
        """
        count = self.candidates if candidates is None else candidates
        if not 1 <= count <= self.candidates:
            raise ValueError(
                f"There are {self.candidates} candidates. Received: candidates={candidates}. Ask for 1 to that."
            )
        higher = MEASURES[self.problem.measure].higher_is_better
        some = self.dev[:, :count]
        best = some.argmax(axis=1) if higher else some.argmin(axis=1)
        draws = np.arange(len(self.dev))
        return float(self.dev[draws, best].mean()), float(self.truth[draws, best].mean())

    def expected(self, candidates: int) -> tuple[float, float]:
        """Return the same, averaged over every choice of so many among all candidates: no order of them counts.

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

    def leak(self, candidates: int) -> float:
        """Return by how much the best of so many looks better on the dev set than it is, in the measure's unit.

        What the dev sets were too easy or too hard for all candidates alike is taken off, so that it is 0 for one.
        """
        gain = MEASURES[self.problem.measure].gain
        return gain(*self.expected(candidates)) - gain(*self.expected(1))

    @property
    def optimism(self) -> float:
        """By how much better the chosen model looks on the dev set than it is, in the measure's unit.

        What the dev sets were too easy or too hard for all candidates alike is taken off: that is no choosing.
        """
        gain = MEASURES[self.problem.measure].gain
        return gain(*self.chosen()) - gain(float(self.dev.mean()), float(self.truth.mean()))

    @property
    def sentence(self) -> str:
        """The outcome in words, with its numbers."""
        dev, truth = self.chosen()
        unit = MEASURES[self.problem.measure].unit_of(self.problem)
        return (
            f"The best of {self.candidates} has {dev:.3f} on a dev set of {self.dev_rows:,}, and {truth:.3f} in truth: "
            f"the choosing alone flatters it by {self.optimism:.3f}{f' {unit}' if unit else ''} "
            f"(mean over {len(self.dev)} draws)."
        )


def study_selection(
    dataset: Dataset,
    *,
    rows: int = 200,
    test_size: float = 0.2,
    candidates: int = 20,
    draws: int = 6,
    spec: ModelSpec | None = None,
    seed: int = 0,
    truth_rows: int = TRUTH_ROWS,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> SelectionStudy:
    """Train candidates that differ by their first weights alone, choose by the dev set, and look at the truth.

    Parameters
    ----------
    rows : samples of each draw; at most half of all, the rest is the truth
    test_size : part of them that is the dev set
    candidates : models to choose from, 2 or more
    draws : how often the whole choice is repeated, on other rows
    on_progress : called with (None, a message)
    stop : once set, the study ends with the draws that are complete

    Raises
    ------
    ValueError
        If there is no choice, or a number is out of range.
    """
    if candidates < 2 or draws < 1:
        raise ValueError(
            f"A choice needs 2 candidates and 1 draw. Received: candidates={candidates}, draws={draws}. Give more."
        )
    drawn = [draw_rows(dataset, rows, seed=seed + number, truth_rows=truth_rows) for number in range(draws)]
    prepared = [prepare(hold_out(draw.few, test_size=test_size, seed=seed)) for draw in drawn]
    on_message = None if on_progress is None else lambda message: on_progress(None, message)
    spec = (spec or small_spec(dataset.problem)).replace(seed=seed)
    batches = [[one] * candidates for one in prepared]
    pairs: list[list[tuple[float, float]]] = []
    for draw, one, runs in zip(
        drawn, prepared, train_in_batches(spec, batches, on_message=on_message, stop=stop), strict=False
    ):
        rest = prepare_rest(one, draw)
        pairs.append([(run.score, measure_truth(run, rest)) for run in runs])
    table = np.array(pairs).reshape(-1, candidates, 2)
    return SelectionStudy(
        problem=dataset.problem,
        source=dataset.source,
        dev=table[..., 0],
        truth=table[..., 1],
        rows=rows,
        dev_rows=len(prepared[0].y_val),
    )
