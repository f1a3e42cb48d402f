"""Step 7: how validation leaks into the model through tuning: the more specs are tried, the more the best flatters."""

from __future__ import annotations

import threading

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.lessons.judging import TRUTH_ROWS, OnProgress, draw_rows, measure_truth, prepare_rest, small_spec
from recipe.lessons.s3_protocol.study import SelectionStudy
from recipe.search.space import Range, SearchSpace
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate


def small_space(problem: Problem, seed: int = 0) -> SearchSpace:
    """Return specs that learn from a few hundred rows in no time, and differ in what a search varies."""
    return SearchSpace(
        base=small_spec(problem).replace(seed=seed),
        units=(8, 16, 32),
        learning_rate=Range(0.002, 0.03),
    )


def study_leak(
    dataset: Dataset,
    space: SearchSpace | None = None,
    *,
    trials: int = 20,
    rows: int = 200,
    test_size: float = 0.2,
    draws: int = 6,
    seed: int = 0,
    truth_rows: int = TRUTH_ROWS,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> SelectionStudy:
    """Try specs drawn at random, score each on a dev set, and on so many other rows that luck no longer counts.

    Parameters
    ----------
    space : None: `small_space`
    trials : specs to try, 2 or more; `SelectionStudy.expected` says what fewer would have come to
    rows : samples of each draw; at most half of all, the rest is the truth
    test_size : part of them that is the dev set
    draws : how often it is repeated, with the same specs on other rows
    on_progress : called with (None, a message)
    stop : once set, the study ends with the specs that are done

    Returns
    -------
    SelectionStudy

    Raises
    ------
    ValueError
        If there is nothing to choose from, or it was stopped before there was.
    """
    if trials < 2 or draws < 1:
        raise ValueError(f"A choice needs 2 trials and 1 draw. Received: trials={trials}, draws={draws}. Give more.")
    drawn = [draw_rows(dataset, rows, seed=seed + number, truth_rows=truth_rows) for number in range(draws)]
    prepared = [prepare(hold_out(draw.few, test_size=test_size, seed=seed)) for draw in drawn]
    rests = [prepare_rest(one, draw) for one, draw in zip(prepared, drawn, strict=True)]
    columns: list[list[tuple[float, float]]] = []
    for number, spec in enumerate(draw_specs(space or small_space(dataset.problem, seed), trials, seed)):
        if on_progress is not None:
            on_progress(None, f"spec {number + 1} of {trials}")
        # Other first weights for each spec, as in any search; the draws count up from there.
        runs = cross_validate(spec.replace(seed=spec.seed + number * draws), prepared, stop=stop, journal=None)
        if len(runs) < draws or any(run.stopped in {"asked", "interrupted"} for run in runs):
            break
        columns.append([(run.score, measure_truth(run, rest)) for run, rest in zip(runs, rests, strict=True)])
    if len(columns) < 2:
        raise ValueError(
            f"A choice needs 2 trials, and {len(columns)} came to an end before the stop. Received: stop, set. Let it "
            "go on."
        )
    table = np.transpose(columns, (1, 0, 2))  # (draws, trials, 2)
    return SelectionStudy(
        problem=dataset.problem,
        source=dataset.source,
        dev=table[..., 0],
        truth=table[..., 1],
        dev_rows=len(prepared[0].y_val),
    )


def draw_specs(space: SearchSpace, count: int, seed: int = 0) -> list[ModelSpec]:
    """Return specs drawn at random from a space, all different where it has so many.

    Examples
    --------
    >>> sorted(spec.hidden_units for spec in draw_specs(SearchSpace(units=(8, 16)), 2))
    [(8,), (16,)]
    """
    from recipe.search.sampler import SpaceSampler, draw_spec
    from recipe.search.study import quiet_study

    sampler, nothing = SpaceSampler(space, seed), quiet_study("maximize")
    found: dict[ModelSpec, None] = {}
    for number in range(20 * count):
        found.setdefault(draw_spec(sampler, nothing, number)[0])
        if len(found) == count:
            return list(found)
    specs = list(found)
    return [specs[number % len(specs)] for number in range(count)]
