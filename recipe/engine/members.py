"""What is trained, and what is known of it so far: the same for both engines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import keras
import numpy as np

from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model, make_targets

Wish = Callable[[], str | None]  # why to stop, if at all
State = tuple[list[Any], list[Any], list[Any]]  # trainable, other and optimizer variables


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A compiled Keras model and what it is trained on.

    Attributes
    ----------
    model : compiled; one array in, one out. Its weights and its optimizer's state are where the training starts, and
        are written when it ends
    x, y : np.ndarray of n rows, targets as the loss reads them; a small dtype, such as uint8 pixels, is kept in memory
    x_val, y_val : the same of the validation part, at least one row
    batch_size, epochs : the last batch of an epoch may be smaller
    steps_per_epoch : batches of an epoch, all of them full; fewer rows than that come several times. None takes every
        row once
    shuffle : draw a new order of the rows each epoch, from `seed`; otherwise they come as they are
    patience : epochs without a better ``val_data_loss`` after which it ends, with the best weights; None goes on
    input_scale : what a batch is multiplied by once it is float32
    own_weights : begin with the first weights that `build_model` draws from `seed`, and leave the model as it is: so
        several jobs can share one. The compiled engine alone can do it
    """

    model: keras.Model
    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    batch_size: int = 32
    epochs: int = 1
    steps_per_epoch: int | None = None
    seed: int = 0
    shuffle: bool = True
    patience: int | None = None
    input_scale: float = 1.0
    own_weights: bool = False

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.steps_per_epoch or -(-len(self.x) // self.batch_size)

    @property
    def measured_rows(self) -> tuple[int, int]:
        """How many rows of each part are measured: of training as many as of validation, so that neither costs more."""
        return min(len(self.x), len(self.x_val)), len(self.x_val)

    @property
    def input_dtype(self) -> str:
        """What the network reads: int32 where it looks words up, else float32."""
        inputs = getattr(self.model, "inputs", None)  # a subclassed model has none
        kind = inputs[0].dtype if inputs else str(self.x.dtype) if self.input_scale == 1 else "float32"
        return "int32" if "int" in kind else "float32"

    def as_read(self, x: np.ndarray) -> np.ndarray:
        """Return rows as the network reads them, for Keras's own methods."""
        x = x.astype(self.input_dtype)
        return x if self.input_scale == 1 else x * np.float32(self.input_scale)


def make_jobs(pairs: list[tuple[ModelSpec, Prepared]], *, shuffle: bool) -> list[Job]:
    """Put the data of each spec beside its model; several share one, of which the engine draws the first weights anew.

    To build a small Keras model takes longer than to train it beside others.
    """
    shares = len(pairs) > 1 and keras.config.backend() == "jax"
    build, jobs = cache(build_model), []
    for spec, prepared in pairs:
        problem = prepared.problem
        job = Job(
            model=build(spec.replace(seed=0), problem) if shares else build_model(spec, problem),
            own_weights=shares,
            x=prepared.x_train,
            y=make_targets(spec, problem, prepared.y_train),
            x_val=prepared.x_val,
            y_val=make_targets(spec, problem, prepared.y_val),
            input_scale=prepared.preparation.input_scale,
            batch_size=spec.batch_size,
            epochs=spec.epochs,
            seed=spec.seed,
            shuffle=shuffle,
            patience=spec.patience,
        )
        jobs.append(job)
    return jobs


@dataclass(kw_only=True, eq=False)
class Progress:
    """A job under way.

    Attributes
    ----------
    member : the number of the job, as `on_epoch` is told it
    history : lists of one number a whole epoch, both sides in inference mode: ``data_loss``, ``penalty``, their sum
        ``loss`` (what Keras calls loss), the compiled metrics by their names, and the same with ``val_`` in front
    stopped : None (all epochs done), ``"early"``, ``"asked"``, ``"callback"`` or ``"interrupted"``
    seconds : from `began` to the end of the last epoch, compiling included
    state : where a job with `own_weights` ended: trainable and other variables, and those of the optimizer
    """

    job: Job
    member: int = 0
    on_epoch: Callable[[EpochReport], object] | None = None
    began: float = field(default_factory=time.perf_counter)
    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    stopped: str | None = None
    seconds: float = 0.0
    state: State | None = None

    @property
    def epochs(self) -> int:
        """How many whole epochs were trained."""
        return len(self.history.get("val_data_loss", ()))

    def record(self, logs: dict[str, float]) -> bool:
        """Add an epoch and report it; return whether it is the best by the data loss on the validation part."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        epoch, losses, patience = self.epochs - 1, self.history["val_data_loss"], self.job.patience
        is_best = epoch == 0 or losses[-1] < losses[self.best_epoch]
        if is_best:
            self.best_epoch = epoch
        elif patience is not None and epoch - self.best_epoch >= patience:
            self.stopped = "early"
        self.seconds = time.perf_counter() - self.began
        if self.on_epoch is not None:
            told = EpochReport(epoch=epoch, epochs=self.job.epochs, logs=logs, seconds=self.seconds, member=self.member)
            self.on_epoch(told)
        return is_best

    def heed(self, wish: str | None) -> None:
        """Stop for a wish, unless there is nothing left to stop: an early stop stands, and so does the last epoch.

        But Ctrl-C is told to nobody else: whoever called must learn of it, however the training ended.
        """
        if wish == "interrupted" or (wish and self.stopped is None and self.epochs < self.job.epochs):
            self.stopped = wish


def row_losses(loss: object, y, outputs):
    """Return the loss of each row in the backend's arrays, (n,), as the compiled loss computes it before it averages.

    Parameters
    ----------
    loss : a name, a function or a `keras.losses.Loss`, as `compile` takes it
    y : (n,), or of the rank of the outputs
    """
    loss, y = keras.losses.get(loss), keras.ops.cast(y, "float32")
    if len(y.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1:
        y = y[..., None]
    each = loss.call(y, outputs) if isinstance(loss, keras.losses.Loss) else loss(y, outputs)
    return each if len(each.shape) == 1 else keras.ops.mean(keras.ops.reshape(each, (outputs.shape[0], -1)), axis=-1)
