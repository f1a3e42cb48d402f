"""The strengths of dropout, L1 and L2 as inputs of the compiled program: another strength needs no other program.

As constants each of them would cost a compilation of a second or two, which is most of what a small training takes, and
what a slider in a panel, or a search, changes all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import keras
import numpy as np

from recipe.core.spec import ModelSpec

# What stands for "some" in the spec that a program is made for.
SOME_DROPOUT, SOME_PENALTY = 0.5, 0.01


def without_strengths(spec: ModelSpec) -> ModelSpec:
    """Return the spec with every strength that is not 0 replaced by one and the same.

    Examples
    --------
    >>> without_strengths(ModelSpec(dropout=0.3, l1=0.001)) == without_strengths(ModelSpec(dropout=0.7, l2=0.1))
    True
    """
    penalty = SOME_PENALTY if spec.l1 or spec.l2 else 0.0
    return spec.replace(dropout=SOME_DROPOUT if spec.dropout else 0.0, l1=penalty, l2=penalty)


def strengths_of(spec: ModelSpec) -> np.ndarray:
    """Return dropout, L1 and L2 as float32 of shape (3,)."""
    return np.array([spec.dropout, spec.l1, spec.l2], np.float32)


class Strengths:
    """What the layers and penalties of one model read while it is traced."""

    def __init__(self) -> None:
        self._now: jax.Array | None = None

    @contextmanager
    def set(self, values: jax.Array) -> Iterator[None]:
        """Give the values, float32 of shape (3,), to all that is traced inside."""
        self._now = values
        try:
            yield
        finally:
            self._now = None

    def drop(self, inputs: jax.Array, seed: jax.Array) -> jax.Array:
        """Return what is left of the inputs, as Keras's dropout on JAX does it with the same seed."""
        keep = 1.0 - self._now[0]
        mask = jax.random.bernoulli(seed, p=keep, shape=inputs.shape)
        return jax.lax.select(mask, inputs / keep, jax.numpy.zeros_like(inputs))

    def penalty(self, weights: jax.Array) -> jax.Array:
        """Return the penalty of one layer's weights."""
        return self._now[1] * abs(weights).sum() + self._now[2] * (weights**2).sum()

    def exchange(self, layer: keras.layers.Layer) -> keras.layers.Layer | None:
        """Return a dropout whose rate is read here for one whose rate is fixed; None for any other layer."""
        if type(layer) is not keras.layers.Dropout:
            return None
        given = GivenDropout.from_config(layer.get_config())
        given.strengths = self
        return given

    def take_penalties(self, model: keras.Model) -> None:
        """Read the strengths of the model's penalties here, too."""
        for variable in model.trainable_variables:
            if variable.regularizer is not None:
                variable.regularizer = self.penalty


class GivenDropout(keras.layers.Dropout):
    """A `Dropout` whose rate is an input of the program."""

    strengths: Strengths

    def call(self, inputs, training=False):
        """Leave out units while training."""
        return self.strengths.drop(inputs, self.seed_generator.next()) if training else inputs
