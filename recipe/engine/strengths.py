"""The strengths of dropout, L1 and L2 as inputs of the compiled program: another strength needs no other program.

As constants each of them would be compiled again, and they are what a slider in a panel, or a search, changes all the
time. Measured on 64-64-1 with dropout and L2, 480 rows, 20 epochs: 4.0 s of processor time for the first training ever,
0.10 s for the next one with other strengths; 0.47 s where a program was traced again and read from the disk.
"""

from __future__ import annotations

import itertools

import jax
import keras
import numpy as np

PENALTIES = (keras.regularizers.L1, keras.regularizers.L2, keras.regularizers.L1L2)


def strengths_of(model: keras.Model) -> np.ndarray:
    """Return what a model's `Strengths` read: the rates of its dropouts, then L1 and L2 of each weight that has some.

    Examples
    --------
    >>> penalty = keras.regularizers.L2(0.25)
    >>> layers = [keras.layers.Dense(2, kernel_regularizer=penalty), keras.layers.Dropout(0.5)]
    >>> strengths_of(keras.Sequential([keras.Input((3,)), *layers])).tolist()
    [0.5, 0.0, 0.25]
    """
    rates = [layer.rate for layer in model.layers if has_rate(layer)]
    penalties = [variable.regularizer for variable in model.trainable_variables]
    both = [float(getattr(one, name, 0.0)) for one in penalties if type(one) in PENALTIES for name in ("l1", "l2")]
    return np.array([*rates, *both], np.float32)


def has_rate(layer: keras.layers.Layer) -> bool:
    """Say whether a layer is a dropout that leaves something out, unit by unit."""
    return type(layer) is keras.layers.Dropout and layer.rate > 0 and layer.noise_shape is None


class Strengths:
    """What the dropouts and penalties of one model read while it is traced; places count as in `strengths_of`.

    Attributes
    ----------
    now : float32 (strengths,), set at the start of each tracing
    """

    def __init__(self) -> None:
        self.now: jax.Array | None = None
        self._places = itertools.count()

    def exchange(self, layer: keras.layers.Layer) -> keras.layers.Layer | None:
        """Return a dropout whose rate is read here for one whose rate is fixed; None for any other layer."""
        if not has_rate(layer):
            return None
        given = GivenDropout.from_config(layer.get_config())
        given.strengths, given.place = self, next(self._places)
        return given

    def take_penalties(self, model: keras.Model) -> None:
        """Read the strengths of a model's penalties here, too, once all of its dropouts are exchanged."""
        for variable in model.trainable_variables:
            if type(variable.regularizer) in PENALTIES:
                variable.regularizer = GivenPenalty(self, next(self._places), next(self._places))


class GivenDropout(keras.layers.Dropout):
    """A `Dropout` whose rate is an input of the program."""

    strengths: Strengths
    place: int

    def call(self, inputs, training=False):
        """Leave out units while training, those that Keras's dropout on JAX leaves out with the same seed."""
        if not training:
            return inputs
        keep = 1.0 - self.strengths.now[self.place]
        mask = jax.random.bernoulli(self.seed_generator.next(), p=keep, shape=inputs.shape)
        return jax.lax.select(mask, inputs / keep, jax.numpy.zeros_like(inputs))


class GivenPenalty(keras.regularizers.Regularizer):
    """An `L1L2` whose strengths are inputs of the program."""

    def __init__(self, strengths: Strengths, l1: int, l2: int) -> None:
        self.strengths, self.l1, self.l2 = strengths, l1, l2

    def __call__(self, x):
        """Return the penalty of one layer's weights."""
        now = self.strengths.now
        return now[self.l1] * abs(x).sum() + now[self.l2] * (x**2).sum()
