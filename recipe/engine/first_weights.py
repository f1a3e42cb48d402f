"""First weights without a compiler: the numbers that Keras draws on JAX, from one compiled generator for all shapes.

JAX compiles a program for every shape that it draws. But its generator counts, so that the first n numbers of a longer
draw are those of a shorter one, bit for bit. Each array is therefore cut from a draw of the next power of two, or of a
larger one that is compiled already: a program costs 0.4 s of processor time, and 0.1 s where it is on disk, for JAX to
trace it; a draw of 2^14 numbers takes 1.4 ms. Measured on the model of 64-64-1 behind 8 columns, nothing compiled
before: 0.14 s of processor time against 0.35 s shape by shape.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import keras
import numpy as np

INITIALIZERS = ("kernel_initializer", "embeddings_initializer", "bias_initializer")
SMALLEST_DRAW = 2**14  # numbers: small layers share one program
LARGEST_SHARED_DRAW = 2**18  # 4 ms a draw; of 2^20 numbers 18 ms, which a hundred seeds would have to wait for
_compiled: set[int] = set()  # how many numbers the programs draw that this process has
# The global random state of Python, NumPy and the backend is shared by all threads: one draws from it at a time.
_DRAWING = threading.RLock()


@contextmanager
def fixed_seed(seed: int) -> Iterator[None]:
    """Draw everything inside from this seed, undisturbed by other threads; put the random state back at the end."""
    with _DRAWING:
        python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
        try:
            keras.utils.set_random_seed(seed)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def draw_uniform(seed: int, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Return what `keras.random.uniform(shape, -limit, limit, seed=seed)` draws on JAX, float32.

    Examples
    --------
    >>> draw_uniform(7, (2, 2), 0.5).dtype
    dtype('float32')
    """
    count = math.prod(shape)
    shared = [size for size in tuple(_compiled) if count <= size <= LARGEST_SHARED_DRAW]
    size = min(shared, default=max(SMALLEST_DRAW, 1 << max(count - 1, 0).bit_length()))
    _compiled.add(size)
    key = np.array([seed, 0], np.uint32)
    numbers = jax.random.uniform(key, (size,), minval=np.float32(-limit), maxval=np.float32(limit))
    return np.asarray(numbers)[:count].reshape(shape)  # cut by NumPy: on the device each size would be a program


def draw(initializer: keras.initializers.Initializer, shape: tuple[int, ...], dtype: str = "float32") -> jax.Array:
    """Return the numbers of an initializer; on JAX those of the usual ones without compiling anything for the shape."""
    if keras.config.backend() != "jax":
        return initializer(shape, dtype)
    if type(initializer) is keras.initializers.Zeros:
        return jax.device_put(np.zeros(shape, dtype))
    limit = _limit_of(initializer, shape)
    if limit is None or not isinstance(initializer.seed, int):
        return initializer(shape, dtype)
    return jax.device_put(draw_uniform(initializer.seed, shape, limit))  # Keras would let JAX compile a copy


@contextmanager
def fast_first_weights(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    """Give layers that are built inside their weights as ever, but fast; afterwards they are as they were."""
    kept = [(layer, *own) for layer in layers for own in _initializers(layer)]
    for layer, name, initializer in kept:
        setattr(layer, name, partial(draw, initializer))
    try:
        yield
    finally:
        for layer, name, initializer in kept:
            setattr(layer, name, initializer)


def draw_again(model: keras.Model, seed: int) -> tuple[list[jax.Array], list[jax.Array]]:
    """Return the trainable and the other variables that a model of `build_model` would begin with under another seed.

    Initializers and dropouts draw their seeds in the order of the layers, as they do when these are made.
    """
    weights, others = [], []
    with fixed_seed(seed):
        for layer in model.layers:
            again = [found.clone() for _, found in _initializers(layer)]
            weights += [draw(one, own.shape) for one, own in zip(again, layer.trainable_variables, strict=True)]
            if hasattr(layer, "seed_generator"):
                others.append(keras.random.SeedGenerator().state.value)
    return weights, others


def without_first_weights(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return the layer, whose weights will all be zeros: for a model that only says what is computed."""
    for name, _ in _initializers(layer):
        setattr(layer, name, partial(draw, keras.initializers.Zeros()))
    return layer


def build_optimizer(optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]) -> None:
    """Build an optimizer as `optimizer.build` does; what begins as zeros is not compiled first, shape by shape."""
    add, zeros = optimizer.add_variable, partial(draw, keras.initializers.Zeros())

    def add_variable(shape: tuple[int, ...], initializer: Any = "zeros", *more: Any, **options: Any) -> keras.Variable:
        return add(shape, zeros if initializer == "zeros" else initializer, *more, **options)

    optimizer.add_variable = add_variable
    optimizer.build(variables)
    del optimizer.add_variable


def _initializers(layer: keras.layers.Layer) -> list[tuple[str, keras.initializers.Initializer]]:
    """Return the initializers of the layer's own weights; what a recurrent layer passes on is its cell's."""
    return [(name, vars(layer)[name]) for name in INITIALIZERS if vars(layer).get(name) is not None]


def _limit_of(initializer: keras.initializers.Initializer, shape: tuple[int, ...]) -> float | None:
    """Return how far from 0 an initializer draws its numbers, each as likely; None where it draws otherwise."""
    if type(initializer) is keras.initializers.GlorotUniform:  # six over the inputs and outputs of a unit (2010)
        window = math.prod(shape[:-2])
        return math.sqrt(3.0 / max(1.0, (shape[-2] + shape[-1]) * window / 2.0))
    if type(initializer) is keras.initializers.RandomUniform and initializer.minval == -initializer.maxval:
        return initializer.maxval
    return None
