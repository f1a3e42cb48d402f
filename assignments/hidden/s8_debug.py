"""Hidden checks of assignment 8: on tables, trainings and castings that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.s8_debug import (
    ASSIGNMENT,
    Foundry,
    judge_batches,
    judge_columns,
    judge_constant,
    judge_shared,
)


def columns(answer: SimpleNamespace, world: Foundry, draw: dict) -> Verdict | None:
    return judge_columns(answer, draw["tables"])


def shared(answer: SimpleNamespace, world: Foundry, draw: dict) -> Verdict | None:
    return judge_shared(answer, draw["parts"])


def constant(answer: SimpleNamespace, world: Foundry, draw: dict) -> Verdict | None:
    return judge_constant(answer, draw["outputs"])


def batch(answer: SimpleNamespace, world: Foundry, draw: dict) -> Verdict | None:
    return judge_batches(answer, draw["batches"])


def mended(answer: SimpleNamespace, world: Foundry, draw: dict) -> Verdict | None:
    """The same fault in new castings is gone: each row of the answer is a casting as it was, with its own label."""
    try:
        x, y = np.asarray(answer.mend.outputs[0][0], float), np.asarray(answer.mend.outputs[0][1], float).reshape(-1)
        if x.shape[1:] != draw["x"].shape[1:] or len(x) != len(y) or len(x) == 0:
            raise ValueError
    except (TypeError, ValueError, IndexError):
        return object_to("On new castings mend returns no table with its labels.")
    key = int(np.flatnonzero(world.order == 0)[0])  # the weight: never touched by a fault, and no two are the same
    place = {round(float(value), 9): at for at, value in enumerate(draw["sound"]["x"][:, key])}
    at = np.array([place.get(round(float(value), 9), -1) for value in x[:, key]])
    is_right = (at >= 0) & np.isclose(x, draw["sound"]["x"][at]).all(axis=1) & (y == draw["sound"]["y"][at])
    said = f"Of {len(draw['y']):,} new castings, {is_right.sum():,} are right after mending."
    if is_right.sum() >= 0.99 * len(draw["y"]):
        return None
    if is_right.mean() > 0.97:
        return ASSIGNMENT.wrong("threw_rows_away", said, 0.4)
    return ASSIGNMENT.wrong("fault_not_found", said)
