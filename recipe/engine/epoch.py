"""A whole epoch as one XLA program: shuffle, every batch, then both sides measured alike.

`model.fit` spends most of a small model's time on Python, between batches. Here the batches are the steps of a
`jax.lax.scan`, so Python is left once an epoch; `jax.vmap` runs several folds or seeds in the same program.
The means are Keras's public ones for a custom loop in JAX: `stateless_call` and `optimizer.stateless_apply`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import keras

from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.engine.models import loss_name, wants_one_hot
from recipe.engine.strengths import Strengths

if TYPE_CHECKING:
    State = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]


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

    def epoch(self, state: State, data: dict[str, Any], batches: dict[str, jax.Array]) -> tuple[State, jax.Array]:
        """Train one epoch and measure it.

        Parameters
        ----------
        state : trainable, non-trainable and optimizer variables
        data, batches : as `recipe.engine.batches.Feed` makes them

        Returns
        -------
        the new state, and the numbers that `log_names` names, float32: one array is fetched faster than seven
        """
        with self.strengths.set(data["strengths"]):
            state, _ = jax.lax.scan(partial(self._step, data), state, batches)
            return state, self.measure(state, data)

    def _step(self, data: dict[str, Any], state: State, batch: dict[str, jax.Array]) -> tuple[State, None]:
        """Update the weights once."""
        trainable, rest, optimizer = state
        gradient = jax.grad(self._loss, has_aux=True)
        y, weight = data["y"][batch["rows"]], batch["weight"]
        gradients, new_rest = gradient(trainable, rest, self._inputs(data, batch), y, weight)
        new_trainable, new_optimizer = self.model.optimizer.stateless_apply(optimizer, gradients, trainable)
        new_state = (new_trainable, new_rest, new_optimizer)
        if self.some_steps_empty:
            full = weight.sum() > 0
            new_state = jax.tree.map(lambda new, old: jnp.where(full, new, old), new_state, state)
        return new_state, None

    def _inputs(self, data: dict[str, Any], batch: dict[str, jax.Array]) -> jax.Array:
        """Take a batch out of the data of the small dtype, as the network reads it."""
        if "pieces" in batch:
            places = batch["places"][..., None].astype(jnp.int32)
            return jnp.concatenate([data["x"][batch["pieces"]].astype(jnp.int32), places], axis=-1)
        x = data["x"][batch["rows"]]
        return x.astype(jnp.int32) if x.dtype == jnp.uint16 else x.astype(jnp.float32) * self.input_scale

    def _loss(self, trainable: list, rest: list, x: jax.Array, y: jax.Array, weight: jax.Array) -> tuple:
        """Return the penalised loss of a batch, and the variables that the forward pass changed."""
        outputs, rest, penalties = self.model.stateless_call(trainable, rest, x, training=True, return_losses=True)
        return self._data_loss(y, outputs, weight) + sum(penalties), rest

    def _data_loss(self, y: jax.Array, outputs: jax.Array, weight: jax.Array) -> jax.Array:
        """Return the mean loss over the rows that count, without any penalty."""
        per_row = keras.losses.get(loss_name(self.spec, self.problem))(y, outputs)
        return (weight * per_row).sum() / jnp.maximum(weight.sum(), 1.0)

    def measure(self, state: State, data: dict[str, Any]) -> jax.Array:
        """Measure both sides in inference mode, on the weights as they are: no running means, no dropout.

        Both go through the network in the same loop, so that it is compiled once.
        """
        batches = dict(data["measured"])
        sides = batches.pop("weight").swapaxes(0, 1).reshape(2, -1)
        outputs, penalties = jax.lax.map(partial(self._predict, state, data), batches)
        outputs, y = outputs.reshape(-1, outputs.shape[-1]), data["y"][batches["rows"].reshape(-1)]

        def measure(weight: jax.Array) -> tuple[jax.Array, jax.Array]:
            return self._data_loss(y, outputs, weight), self._measure_of_success(y, outputs, weight)

        (loss, val_loss), (measured, val_measured) = jax.vmap(measure)(sides)
        penalty = penalties[0]
        logs = {"penalty": penalty, "loss": loss + penalty, "val_loss": val_loss + penalty, "data_loss": loss}
        logs |= {"val_data_loss": val_loss, self.problem.measure: measured, f"val_{self.problem.measure}": val_measured}
        return jnp.stack([logs[name] for name in self.log_names])

    def _measure_of_success(self, y: jax.Array, outputs: jax.Array, weight: jax.Array) -> jax.Array:
        """Return the problem's measure through its Keras metric."""
        metric = MEASURES[self.problem.measure].keras_metric(self.problem)
        # One-hot targets are for the loss alone.
        labels = jnp.argmax(y, axis=-1) if wants_one_hot(self.spec, self.problem) else y
        variables = metric.stateless_update_state(metric.stateless_reset_state(), labels, outputs, weight)
        return metric.stateless_result(variables)

    def _predict(self, state: State, data: dict[str, Any], batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        """Return the outputs of a batch, (rows, outputs), and the penalty."""
        trainable, rest, _ = state
        x = self._inputs(data, batch)
        outputs, _, penalties = self.model.stateless_call(trainable, rest, x, training=False, return_losses=True)
        return outputs, jnp.asarray(sum(penalties), jnp.float32)
