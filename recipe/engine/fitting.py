"""Training by plain `model.fit`: on the backends that have no compiled engine, and to compare the engine with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np

from recipe.core.measures import MEASURES
from recipe.engine.members import Member, Progress
from recipe.engine.models import fixed_seed, loss_name, make_targets

Report = Callable[[int, int, dict[str, float]], None]


class _Watcher(keras.callbacks.Callback):
    """Measures both sides in inference mode after each epoch, as the compiled engine does."""

    def __init__(
        self, member: Member, progress: Progress, report: Report, stopping: Callable[[], str | None], inputs: tuple
    ) -> None:
        super().__init__()
        self.member, self.progress, self.report, self.stopping, self.inputs = member, progress, report, stopping, inputs
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        patience = self.member.spec.patience
        logs = self._measure()
        if self.progress.record(logs, patience) and patience is not None:
            self.best_weights = self.model.get_weights()
        self.report(epoch, 0, logs)
        asked = self.stopping()
        if asked == "interrupted" or (self.progress.stopped is None and epoch + 1 < self.member.spec.epochs):
            self.progress.stopped = asked or self.progress.stopped
        if self.progress.stopped:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)

    def _measure(self) -> dict[str, float]:
        spec, prepared = self.member.spec, self.member.prepared
        measure, penalty = MEASURES[prepared.problem.measure], float(sum(self.model.losses))
        logs = {"penalty": penalty}
        rows = min(len(prepared.y_train), len(prepared.y_val))
        for prefix, x, y in (
            ("", self.inputs[0][:rows], prepared.y_train[:rows]),
            ("val_", self.inputs[1], prepared.y_val),
        ):
            outputs = self.model.predict(x, batch_size=512, verbose=0)
            targets = make_targets(spec, prepared.problem, y).astype(np.float32)
            loss = keras.losses.get(loss_name(spec, prepared.problem))(targets, outputs)
            data_loss = float(np.mean(keras.ops.convert_to_numpy(loss)))
            logs |= {prefix + "loss": data_loss + penalty, prefix + "data_loss": data_loss}
            logs[prefix + measure.name] = measure.compute(prepared.problem, y, outputs)
        return logs


def fit(
    member: Member,
    callbacks: Sequence[keras.callbacks.Callback],
    report: Report,
    stopping: Callable[[], str | None],
    *,
    shuffle: bool,
) -> Progress:
    """Train a member by `model.fit`; the same history, stops and early stopping as on the compiled engine."""
    spec, prepared, progress = member.spec, member.prepared, Progress()
    inputs = tuple(prepared.preparation.to_network(x) for x in (prepared.x_train, prepared.x_val))
    watcher = _Watcher(member, progress, report, stopping, inputs)
    with fixed_seed(spec.seed):
        member.model.fit(
            inputs[0],
            make_targets(spec, prepared.problem, prepared.y_train),
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            shuffle=shuffle,
            verbose=0,
            callbacks=[watcher, *callbacks],
        )
    if member.model.stop_training and not progress.stopped and progress.epochs < spec.epochs:
        progress.stopped = "callback"
    return progress
