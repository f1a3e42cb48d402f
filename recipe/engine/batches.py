"""A job's data as the compiled engine reads it, and the order of the batches, drawn anew each epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from recipe.engine.bags import make_bags, pieces_a_row, take_pieces
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
    """

    def __init__(self, job: Job, *, most_measured: int, as_bags: bool = False) -> None:
        self.job = job
        self._draw = np.random.default_rng(job.seed).permutation if job.shuffle else np.arange
        self._bags = make_bags(job.x, job.x_val) if as_bags else None
        small_rows = as_bags or math.prod(job.x.shape[1:]) < LARGE_ROW
        slice_rows = min(most_measured, SLICE_OF_SMALL_ROWS if small_rows else SLICE_OF_LARGE_ROWS)
        self.data: dict[str, Any] = {
            "x": self._bags.words if self._bags else np.concatenate([job.x, job.x_val]),
            "y": np.concatenate([job.y, job.y_val]),
            "measured": self._measured(slice_rows),
            "strengths": strengths_of(job.model),
        }

    def draw(self) -> dict[str, np.ndarray]:
        """Draw the batches of an epoch.

        Returns
        -------
        `rows`, int32 (steps, batch_size), and their `weight`, float32: 1, or 0 for the padding at the end of the ragged
        last batch; for bags of words also what `take_pieces` returns
        """
        rows, places = len(self.job.x), self.job.steps * self.job.batch_size
        taken = places if self.job.steps_per_epoch else rows
        order = np.full(places, -1)
        order[:taken] = np.concatenate([self._draw(rows) for _ in range(0, taken, rows)])[:taken]
        order = order.reshape(-1, self.job.batch_size)
        return self._batches(order) | {"weight": (order >= 0).astype(np.float32)}

    def _batches(self, order: np.ndarray) -> dict[str, np.ndarray]:
        batches = {"rows": np.maximum(order, 0).astype(np.int32)}
        if self._bags:
            quota = pieces_a_row(self._bags.counts, order.shape[1])
            batches["pieces"], batches["places"] = take_pieces(self._bags, order, quota)
        return batches

    def _measured(self, slice_rows: int) -> dict[str, np.ndarray]:
        """Return the batches to measure on: the first training rows, and those of validation."""
        rows, (of_train, of_val) = len(self.job.x), self.job.measured_rows
        order = np.concatenate([np.arange(of_train), rows + np.arange(of_val)])
        order = np.pad(order, (0, -len(order) % slice_rows), constant_values=-1).reshape(-1, slice_rows)
        sides = [(order >= 0) & (order < rows), order >= rows]
        return self._batches(order) | {"weight": np.stack(sides, axis=1).astype(np.float32)}
