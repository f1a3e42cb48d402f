"""A member's data as the compiled engine reads it, and the order of the batches, drawn anew each epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recipe.engine.bags import join_bags, make_bags, pieces_a_row, take_pieces
from recipe.engine.members import Member
from recipe.engine.models import make_targets
from recipe.engine.strengths import strengths_of

# Rows that are cast to float32 and sent through the network at once while measuring. A slice whose layers stay in the
# processor's cache was up to five times as fast as one that does not; rows of a few numbers are worth taking in bulk.
SLICE_OF_LARGE_ROWS, SLICE_OF_SMALL_ROWS, LARGE_ROW = 64, 512, 256


def count_measured(member: Member) -> tuple[int, int]:
    """Return how many training and validation rows are measured: as many at most, so that neither side costs more."""
    validation = len(member.prepared.y_val)
    return min(len(member.prepared.y_train), validation), validation


class Feed:
    """What the engine gets of one member.

    Parameters
    ----------
    most_measured : rows that any of the members that train side by side measures

    Attributes
    ----------
    steps : batches of an epoch
    data : `x` and `y`, the training rows first; the strengths; and `measured`, the batches that are measured, whose
        `weight` is float32 (slices, 2, rows): what counts for training and for validation
    """

    def __init__(self, member: Member, *, most_measured: int, shuffle: bool = True, as_bags: bool = False) -> None:
        prepared, spec = member.prepared, member.spec
        self.rows, self.batch_size = len(prepared.y_train), spec.batch_size
        self.steps = -(-self.rows // self.batch_size)
        self._draw = np.random.default_rng(spec.seed).permutation if shuffle else np.arange
        y = [make_targets(spec, prepared.problem, part) for part in (prepared.y_train, prepared.y_val)]
        parts = prepared.x_train, prepared.x_val
        self._bags = join_bags(*map(make_bags, parts)) if as_bags else None
        small_rows = as_bags or math.prod(prepared.x_train.shape[1:]) < LARGE_ROW
        slice_rows = min(most_measured, SLICE_OF_SMALL_ROWS if small_rows else SLICE_OF_LARGE_ROWS)
        self.data: dict[str, Any] = {
            "x": self._bags.words if self._bags else np.concatenate(parts),
            "y": np.concatenate(y),
            "measured": self._measured(count_measured(member), slice_rows),
            "strengths": strengths_of(spec),
        }

    def draw(self) -> dict[str, np.ndarray]:
        """Draw the batches of an epoch.

        Returns
        -------
        `rows`, int32 (steps, batch_size), padded at the end of the ragged last batch; for bags of words also what
        `take_pieces` returns
        """
        order = np.full(self.steps * self.batch_size, -1)
        order[: self.rows] = self._draw(self.rows)
        return self._batches(order.reshape(self.steps, self.batch_size))

    @property
    def weight(self) -> np.ndarray:
        """What each row of the batches counts: float32 (steps, batch_size), 1, or 0 for the padding of the last one."""
        places = np.arange(self.steps * self.batch_size).reshape(self.steps, self.batch_size)
        return (places < self.rows).astype(np.float32)

    def _batches(self, order: np.ndarray) -> dict[str, np.ndarray]:
        batches = {"rows": np.maximum(order, 0).astype(np.int32)}
        if self._bags:
            quota = pieces_a_row(self._bags.counts, order.shape[1])
            batches["pieces"], batches["places"] = take_pieces(self._bags, order, quota)
        return batches

    def _measured(self, counts: tuple[int, int], slice_rows: int) -> dict[str, np.ndarray]:
        """Return the batches to measure on: the first training rows, and those of validation."""
        order = np.concatenate([np.arange(counts[0]), self.rows + np.arange(counts[1])])
        order = np.pad(order, (0, -len(order) % slice_rows), constant_values=-1).reshape(-1, slice_rows)
        sides = [(order >= 0) & (order < self.rows), order >= self.rows]
        return self._batches(order) | {"weight": np.stack(sides, axis=1).astype(np.float32)}
