"""Training by plain `model.fit`: on the backends that have no compiled engine, and to compare the engine with."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from recipe.engine.members import Job, Progress, Report, Wish, log_names, prepare_metrics, row_losses
from recipe.engine.models import fixed_seed

ROWS_AT_ONCE = 512  # while measuring


class _Watcher(keras.callbacks.Callback):
    """Measures both sides in inference mode after each epoch, as the compiled engine does."""

    def __init__(self, job: Job, progress: Progress, report: Report, wish: Wish) -> None:
        super().__init__()
        self.job, self.progress, self.report, self.wish = job, progress, report, wish
        self.best_weights = None
        (rows, _) = job.measured_rows
        self.parts = [(job.as_read(job.x[:rows]), job.y[:rows]), (job.as_read(job.x_val), job.y_val)]

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        found = self._measure()
        logs.update(found)  # the user's callbacks come after this one, and watch these numbers
        if self.progress.record(found, self.job.patience) and self.job.patience is not None:
            self.best_weights = self.model.get_weights()
        self.report(epoch, 0, found)
        self.progress.heed(self.wish(), last_epoch=epoch + 1 == self.job.epochs)
        if self.progress.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    def _measure(self) -> dict[str, float]:
        penalty, numbers = float(sum(self.model.losses)), []
        for x, y in self.parts:
            outputs = self.model.predict(x, batch_size=ROWS_AT_ONCE, verbose=0)
            data_loss = float(np.mean(keras.ops.convert_to_numpy(row_losses(self.model.loss, y, outputs))))
            metrics = prepare_metrics(self.model, y, outputs)
            numbers += [data_loss + penalty, data_loss, *(_measure(metric, y, outputs) for metric in metrics)]
            numbers += [penalty] if x is self.parts[0][0] else []
        return dict(zip(log_names(metrics), numbers, strict=True))


def _measure(metric: keras.metrics.Metric, y: np.ndarray, outputs: np.ndarray) -> float:
    metric.reset_state()
    metric.update_state(y, outputs)
    return float(metric.result())


def fit(
    jobs: Sequence[Job], report: Report, wish: Wish, callbacks: Sequence[keras.callbacks.Callback] = ()
) -> list[Progress]:
    """Train one job by `model.fit`; the same history, stops and early stopping as on the compiled engine."""
    (job,), progress = jobs, Progress()
    model, x, y = job.model, job.x, job.y
    if job.steps_per_epoch:  # as many rows as fill the steps, each once before one comes again
        rows = np.resize(np.arange(len(job.x)), job.steps_per_epoch * job.batch_size)
        x, y = x[rows], y[rows]
    with fixed_seed(job.seed):
        model.fit(
            job.as_read(x),
            y,
            epochs=job.epochs,
            batch_size=job.batch_size,
            shuffle=job.shuffle,
            verbose=0,
            callbacks=[_Watcher(job, progress, report, wish), *callbacks],
        )
    if model.stop_training and not progress.stopped and progress.epochs < job.epochs:
        progress.stopped = "callback"
    return [progress]
