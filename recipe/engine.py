"""A whole epoch as one XLA program: shuffle, every batch, then both sides measured alike.

`model.fit` spends most of a small model's time on Python, between batches. Here the batches are the steps of a
`jax.lax.scan`, so Python is left once an epoch; `jax.vmap` runs several folds or seeds in the same program.
The means are Keras's public ones for a custom loop in JAX: `stateless_call` and `optimizer.stateless_apply`.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import keras

from recipe.measures import MEASURES
from recipe.models import loss_name, wants_one_hot
from recipe.problems import Problem
from recipe.spec import ModelSpec
from recipe.strengths import Strengths

if TYPE_CHECKING:
    State = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]

# Rows that are cast to float32 and sent through the network at once while measuring. A slice whose layers stay in the
# processor's cache was up to five times as fast as one that does not; rows of a few numbers are worth taking in bulk.
SLICE_OF_LARGE_ROWS, SLICE_OF_SMALL_ROWS, LARGE_ROW = 64, 512, 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """What the compiled functions close over; frozen, so that one compiled program serves many trainings.

    Attributes
    ----------
    model : gives the computation; its own weights are never read or written here
    input_scale : what a batch is multiplied by once it is float32
    strengths : where the model reads its dropout rate and its penalties while it is traced
    lock : held while the program runs, since one model must not be traced by two threads
    some_steps_empty : whether a step may hold nothing but padding, which must then change nothing
    """

    spec: ModelSpec
    problem: Problem
    model: keras.Model
    input_scale: float
    strengths: Strengths
    lock: threading.Lock
    some_steps_empty: bool = False

    @property
    def log_names(self) -> tuple[str, ...]:
        """The names of what `epoch` measures, in its order."""
        measure = self.problem.measure
        one_side = ("loss", "data_loss", measure)
        return (*one_side, "penalty", *(f"val_{name}" for name in one_side))

    def epoch(
        self, state: State, data: dict[str, jax.Array], order: jax.Array, valid: jax.Array
    ) -> tuple[State, jax.Array]:
        """Train one epoch and measure it.

        Parameters
        ----------
        state : trainable, non-trainable and optimizer variables
        data : x_train, y_train, x_val, y_val, the row weights train_weight, val_weight of what is measured, and the
            strengths of dropout, L1 and L2
        order : int32 (steps, batch_size), the rows of each batch; padded at the end of the ragged last one
        valid : float32 (steps, batch_size), 1 where a row counts and 0 where it is padding

        Returns
        -------
        the new state, and the numbers that `log_names` names, float32: one array is fetched faster than seven
        """
        with self.strengths.set(data["strengths"]):
            state, _ = jax.lax.scan(partial(self._step, data), state, (order, valid))
            return state, self.measure(state, data)

    def _step(self, data: dict[str, jax.Array], state: State, batch: tuple[jax.Array, jax.Array]) -> tuple[State, None]:
        """Update the weights once."""
        rows, weight = batch
        trainable, rest, optimizer = state
        x = self._cast(data["x_train"][rows])
        gradient = jax.grad(self._loss, has_aux=True)
        gradients, new_rest = gradient(trainable, rest, x, data["y_train"][rows], weight)
        new_trainable, new_optimizer = self.model.optimizer.stateless_apply(optimizer, gradients, trainable)
        new_state = (new_trainable, new_rest, new_optimizer)
        if self.some_steps_empty:
            full = weight.sum() > 0
            new_state = jax.tree.map(lambda new, old: jnp.where(full, new, old), new_state, state)
        return new_state, None

    def _loss(self, trainable: list, rest: list, x: jax.Array, y: jax.Array, weight: jax.Array) -> tuple:
        """Return the penalised loss of a batch, and the variables that the forward pass changed."""
        outputs, rest, penalties = self.model.stateless_call(trainable, rest, x, training=True, return_losses=True)
        return self._data_loss(y, outputs, weight) + sum(penalties), rest

    def _data_loss(self, y: jax.Array, outputs: jax.Array, weight: jax.Array) -> jax.Array:
        """Return the mean loss over the rows that count, without any penalty."""
        per_row = keras.losses.get(loss_name(self.spec, self.problem))(y, outputs)
        return (weight * per_row).sum() / jnp.maximum(weight.sum(), 1.0)

    def measure(self, state: State, data: dict[str, jax.Array]) -> jax.Array:
        """Measure both sides in inference mode, on the weights as they are: no running means, no dropout."""
        logs = {}
        for prefix, part in (("", "train"), ("val_", "val")):
            outputs, penalty = self._predict(state, data[f"x_{part}"], len(data[f"{part}_weight"]))
            y = data[f"y_{part}"][: len(outputs)]
            weight = data[f"{part}_weight"]
            data_loss = self._data_loss(y, outputs, weight)
            logs |= {f"{prefix}loss": data_loss + penalty, f"{prefix}data_loss": data_loss, "penalty": penalty}
            logs[prefix + self.problem.measure] = self._measure_of_success(y, outputs, weight)
        return jnp.stack([logs[name] for name in self.log_names])

    def _measure_of_success(self, y: jax.Array, outputs: jax.Array, weight: jax.Array) -> jax.Array:
        """Return the problem's measure through its Keras metric."""
        metric = MEASURES[self.problem.measure].keras_metric(self.problem)
        # One-hot targets are for the loss alone.
        labels = jnp.argmax(y, axis=-1) if wants_one_hot(self.spec, self.problem) else y
        variables = metric.stateless_update_state(metric.stateless_reset_state(), labels, outputs, weight)
        return metric.stateless_result(variables)

    def _predict(self, state: State, x: jax.Array, rows: int) -> tuple[jax.Array, jax.Array]:
        """Return the outputs of the first rows, (rows, outputs), and the penalty; a slice at a time."""
        trainable, rest, _ = state
        size = min(rows, SLICE_OF_LARGE_ROWS if math.prod(x.shape[1:]) >= LARGE_ROW else SLICE_OF_SMALL_ROWS)
        slices = -(-rows // size)
        starts = jnp.minimum(jnp.arange(slices) * size, rows - size)

        def predict(start: jax.Array) -> tuple[jax.Array, jax.Array]:
            part = self._cast(jax.lax.dynamic_slice_in_dim(x, start, size))
            outputs, _, penalties = self.model.stateless_call(trainable, rest, part, training=False, return_losses=True)
            return outputs, jnp.asarray(sum(penalties), jnp.float32)

        outputs, penalties = jax.lax.map(predict, starts)
        # The last slice starts earlier than its turn, so that it is whole: the rows it repeats are cut out.
        whole = outputs[:-1].reshape(-1, outputs.shape[-1])
        last = outputs[-1][slices * size - rows :]
        return jnp.concatenate([whole, last]), penalties[0]

    def _cast(self, x: jax.Array) -> jax.Array:
        """Turn a batch of the small dtype into what the network reads."""
        return x.astype(jnp.int32) if x.dtype == jnp.uint16 else x.astype(jnp.float32) * self.input_scale
