"""A job's data as the compiled engine reads it, and the order of the batches, drawn anew each epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recipe.engine.bags import join_bags, make_bags, pieces_a_row, take_pieces
from recipe.engine.members import Job
from recipe.engine.strengths import strengths_of

# Rows that are cast to float32 and sent through the network at once while measuring: with 512 images, whose layers do
# not stay in the processor's cache, an epoch of a convnet takes a quarter longer, one of an mlp a tenth. Rows of a few
# numbers are worth taking in bulk.
SLICE_OF_LARGE_ROWS, SLICE_OF_SMALL_ROWS, LARGE_ROW = 64, 512, 256


class Feed:
    """What the engine gets of one job.

    Parameters
    ----------
    most_measured : rows that any of the jobs that train side by side measures

    Attributes
    ----------
    data : `x` and `y`, the training rows first; the strengths; and `measured`, the batches that are measured, whose
        `weight` is float32 (slices, 2, rows): what counts for training and for validation
    weight : what each row of the batches counts, float32 (steps, batch_size): 1, or 0 for the padding of the last one
    """

    def __init__(self, job: Job, *, most_measured: int, as_bags: bool = False) -> None:
        self.rows, self.batch_size, self.steps = len(job.x), job.batch_size, job.steps
        self._places = self.steps * self.batch_size
        self._taken = self._places if job.steps_per_epoch else self.rows
        self._draw = np.random.default_rng(job.seed).permutation if job.shuffle else np.arange
        self._bags = join_bags(make_bags(job.x), make_bags(job.x_val)) if as_bags else None
        self.weight = (np.arange(self._places) < self._taken).astype(np.float32).reshape(self.steps, self.batch_size)
        small_rows = as_bags or math.prod(job.x.shape[1:]) < LARGE_ROW
        slice_rows = min(most_measured, SLICE_OF_SMALL_ROWS if small_rows else SLICE_OF_LARGE_ROWS)
        self.data: dict[str, Any] = {
            "x": self._bags.words if self._bags else np.concatenate([job.x, job.x_val]),
            "y": np.concatenate([job.y, job.y_val]),
            "measured": self._measured(job.measured_rows, slice_rows),
            "strengths": strengths_of(job.model),
        }

    def draw(self) -> dict[str, np.ndarray]:
        """Draw the batches of an epoch.

        Returns
        -------
        `rows`, int32 (steps, batch_size), padded at the end of the ragged last batch; for bags of words also what
        `take_pieces` returns
        """
        order = np.full(self._places, -1)
        rounds = [self._draw(self.rows) for _ in range(-(-self._taken // self.rows))]
        order[: self._taken] = np.concatenate(rounds)[: self._taken]
        return self._batches(order.reshape(self.steps, self.batch_size))

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
