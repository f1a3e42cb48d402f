"""A whole epoch as one XLA program: shuffle, every batch, then both sides measured alike.

`model.fit` spends most of a small model's time on Python, between batches. Here the batches are the steps of a
`jax.lax.scan`, so Python is left once an epoch; `jax.vmap` runs several folds or seeds in the same program.
The means are Keras's public ones for a custom loop in JAX: `stateless_call` and `optimizer.stateless_apply`.
"""

from __future__ import annotations

import inspect
import threading
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from recipe.engine.convolutions import exchange_convolution
from recipe.engine.first_weights import fixed_seed
from recipe.engine.members import Job, State, row_losses
from recipe.engine.strengths import Strengths
from recipe.engine.twins import make_twin, signature

MOST_PROGRAMS = 12  # that are kept: the latest
PROGRAMS: dict[tuple, Program] = {}


def program_for(job: Job, *, several: bool = False, uneven: bool = False, as_bags: bool = False) -> Program:
    """Return the program of a job's kind, compiled at its first call and then kept: a second training starts at once.

    Parameters
    ----------
    several, uneven : whether several models train side by side, and some of them take fewer steps an epoch
    as_bags : whether the data are bags of words
    """
    shapes = job.x.shape[1:], job.y.shape[1:], job.input_dtype, job.input_scale
    key = (signature(job.model), *shapes, several, uneven, as_bags)
    program = PROGRAMS.pop(key, None) or Program(job, several=several, uneven=uneven, as_bags=as_bags)
    PROGRAMS[key] = program
    if len(PROGRAMS) > MOST_PROGRAMS:
        PROGRAMS.pop(next(iter(PROGRAMS)), None)
    return program


class Program:
    """Trains and measures any model of a job's kind; of the variables of the model that it is made from it reads none.

    Attributes
    ----------
    run : `epoch` as XLA compiles it; of several models at once, each array with a further first axis
    names : of the numbers that it returns, in the order of a history; both sides share a penalty
    lock : held while it runs, since one model must not be traced by two threads
    """

    def __init__(self, job: Job, *, several: bool, uneven: bool, as_bags: bool) -> None:
        self.model = model = job.model  # held, since its address may stand in the signature
        self.input_dtype, self.input_scale, self.uneven = job.input_dtype, job.input_scale, uneven
        self.loss, self.optimizer, self.strengths = keras.losses.get(model.loss), model.optimizer, Strengths()
        exchanges = [self.strengths.exchange, *([exchange_convolution] if jax.default_backend() == "cpu" else [])]
        with fixed_seed(0):
            self.network = make_twin(model, *exchanges, as_bags=as_bags)
        if self.network is not model:
            self.strengths.take_penalties(self.network)
        self.metrics = _metrics_of(job)
        one_side = ("loss", "data_loss", *(metric.name for metric in self.metrics))
        self.names = (*one_side, "penalty", *(f"val_{name}" for name in one_side))
        self.lock = threading.Lock()
        # A sum over a bag's words is half as slow again below XLA's own level, which `import recipe` leaves.
        level = {"xla_backend_optimization_level": 3} if as_bags else None
        self.run = jax.jit(jax.vmap(self.epoch) if several else self.epoch, compiler_options=level)

    def epoch(self, state: State, data: dict[str, Any], batches: dict[str, jax.Array]) -> tuple[State, jax.Array]:
        """Train one epoch and measure it.

        Parameters
        ----------
        state : trainable, non-trainable and optimizer variables
        data, batches : as `recipe.engine.batches.Feed` makes them

        Returns
        -------
        the new state, and the numbers that `names` names, float32: one array is fetched faster than seven
        """
        self.strengths.now = data["strengths"]
        state, _ = jax.lax.scan(partial(self._step, data), state, batches)
        return state, self._measure(state, data)

    def _step(self, data: dict[str, Any], state: State, batch: dict[str, jax.Array]) -> tuple[State, None]:
        """Update the weights once."""
        trainable, rest, optimizer = state
        gradients, new_rest = jax.grad(self._loss, has_aux=True)(trainable, rest, data, batch)
        new_trainable, new_optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        new_state = (new_trainable, new_rest, new_optimizer)
        if self.uneven:  # then a step may hold nothing but padding, which must change nothing
            full = batch["weight"].sum() > 0
            new_state = jax.tree.map(lambda new, old: jnp.where(full, new, old), new_state, state)
        return new_state, None

    def _inputs(self, data: dict[str, Any], batch: dict[str, jax.Array]) -> jax.Array:
        """Take a batch out of the data of the small dtype, as the network reads it."""
        if "pieces" in batch:
            places = batch["places"][..., None].astype(jnp.int32)
            return jnp.concatenate([data["x"][batch["pieces"]].astype(jnp.int32), places], axis=-1)
        x = data["x"][batch["rows"]].astype(self.input_dtype)
        return x if self.input_dtype == "int32" else x * self.input_scale

    def _loss(self, trainable: list, rest: list, data: dict[str, Any], batch: dict[str, jax.Array]) -> tuple:
        """Return the penalised loss of a batch, and the variables that the forward pass changed."""
        x, y = self._inputs(data, batch), data["y"][batch["rows"]]
        outputs, rest, penalties = self._call(trainable, rest, x, training=True)
        losses, weight = row_losses(self.loss, y, outputs), batch["weight"]
        total = (weight * losses).sum()
        sums = getattr(self.loss, "reduction", None) == "sum"
        return (total if sums else total / jnp.maximum(weight.sum(), 1.0)) + sum(penalties), rest

    def _call(self, trainable: list, rest: list, x: jax.Array, *, training: bool) -> tuple:
        """Return the outputs of a batch, the variables that the forward pass changed, and the penalties."""
        takes_training = "training" in inspect.signature(self.network.call).parameters  # a subclassed model need not
        mode = {"training": training} if takes_training else {}
        return self.network.stateless_call(trainable, rest, x, return_losses=True, **mode)

    def _measure(self, state: State, data: dict[str, Any]) -> jax.Array:
        """Measure both sides in inference mode, on the weights as they are: no running means, no dropout.

        Both go through the network in the same loop, so that it is compiled once.
        """
        trainable, rest, _ = state
        batches = dict(data["measured"])
        sides = batches.pop("weight").swapaxes(0, 1).reshape(2, -1)

        def predict(batch: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:  # outputs (rows, ...), and the penalty
            outputs, _, penalties = self._call(trainable, rest, self._inputs(data, batch), training=False)
            return outputs, jnp.asarray(sum(penalties), jnp.float32)

        outputs, penalties = jax.lax.map(predict, batches)
        # (slices, rows, ...) -> (slices * rows, ...)
        outputs, y = outputs.reshape(-1, *outputs.shape[2:]), data["y"][batches["rows"].reshape(-1)]

        def measure(weight: jax.Array) -> tuple[jax.Array, list[jax.Array]]:
            loss, found = (weight * row_losses(self.loss, y, outputs)).sum() / jnp.maximum(weight.sum(), 1.0), []
            for metric in self.metrics:
                counted = metric.stateless_update_state(metric.stateless_reset_state(), y, outputs, weight)
                found.append(metric.stateless_result(counted))
            return loss, found

        (loss, val_loss), measured = jax.vmap(measure)(sides)
        penalty = penalties[0]
        of_train, of_val = ([values[side] for values in measured] for side in (0, 1))
        return jnp.stack([loss + penalty, loss, *of_train, penalty, val_loss + penalty, val_loss, *of_val])


def _metrics_of(job: Job) -> list[keras.metrics.Metric]:
    """Return the metrics that a job's model is compiled with, as Keras resolves them by the shapes of the data.

    Their variables are made here: not while the program is traced.
    """
    model, one = job.model, keras.KerasTensor((1, *job.x.shape[1:]), dtype=job.input_dtype)
    output = model.outputs[0] if getattr(model, "outputs", None) else model.compute_output_spec(one)
    y, outputs = np.zeros((1, *job.y.shape[1:]), np.float32), np.zeros((1, *output.shape[1:]), np.float32)
    group = next((metric for metric in model.metrics if hasattr(metric, "metrics")), None)
    if group is None:
        return []
    if not group.built:
        group.build(y, outputs)
    # Some make their variables at the first update; a mean has them already.
    if late := [metric for metric in group.metrics if not isinstance(metric, keras.metrics.Mean)]:
        with keras.StatelessScope():
            jax.eval_shape(lambda: [metric.update_state(y, outputs) for metric in late] and None)
    return group.metrics
