"""Training by plain `model.fit`: on the backends that have no compiled engine, and to compare the engine with."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from recipe.engine.first_weights import fixed_seed
from recipe.engine.members import Progress, Wish

ROWS_AT_ONCE = 512  # while measuring


def fit(progress: Sequence[Progress], wish: Wish, callbacks: Sequence[keras.callbacks.Callback] = ()) -> None:
    """Train one job by `model.fit`; the same history, stops and early stopping as on the compiled engine."""
    (one,) = progress
    job, x, y = one.job, one.job.x, one.job.y
    if job.steps_per_epoch:  # as many rows as fill the steps, each once before one comes again
        rows = np.resize(np.arange(len(x)), job.steps_per_epoch * job.batch_size)
        x, y = x[rows], y[rows]
    with fixed_seed(job.seed):
        job.model.fit(
            job.as_read(x),
            y,
            epochs=job.epochs,
            batch_size=job.batch_size,
            shuffle=job.shuffle,
            verbose=0,
            callbacks=[_Watcher(one, wish), *callbacks],
        )
    if job.model.stop_training and not one.stopped and one.epochs < job.epochs:
        one.stopped = "callback"


class _Watcher(keras.callbacks.Callback):
    """Measures both sides in inference mode after each epoch, as the compiled engine does."""

    def __init__(self, progress: Progress, wish: Wish) -> None:
        super().__init__()
        self.progress, self.wish, self.best_weights = progress, wish, None
        job, rows = progress.job, progress.job.measured_rows[0]
        self.sides = [(job.as_read(job.x[:rows]), job.y[:rows]), (job.as_read(job.x_val), job.y_val)]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        found = {"penalty": float(sum(self.model.losses))}
        for prefix, (x, y) in zip(("", "val_"), self.sides, strict=True):
            measured = self.model.evaluate(x, y, batch_size=ROWS_AT_ONCE, verbose=0, return_dict=True)
            measured["data_loss"] = measured["loss"] - found["penalty"]
            found |= {prefix + name: value for name, value in measured.items()}
        logs.update(found)  # the user's callbacks come after this one, and watch these numbers
        if self.progress.record(found) and self.progress.job.patience is not None:
            self.best_weights = self.model.get_weights()
        self.progress.heed(self.wish())
        if self.progress.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
