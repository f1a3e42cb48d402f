"""The first weights of a network, drawn by NumPy: the numbers that Keras draws on JAX, without a compiler.

JAX compiles a program for every shape that it draws, 0.2 to 3 seconds each: half of what the first training of a
network cost. The generator is small enough to be written out: Threefry-2x32 with 20 rounds (Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", SC 2011), a counter for each number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA  # of Threefry's third key
INITIALIZERS = ("kernel_initializer", "embeddings_initializer", "bias_initializer")
Initializer = Callable[..., np.ndarray]


def draw_uniform(seed: int, shape: tuple[int, ...], limits: tuple[float, float]) -> np.ndarray:
    """Return what `keras.random.uniform` draws on JAX with this seed, float32 between the limits.

    Examples
    --------
    >>> draw_uniform(7, (2, 2), (-0.5, 0.5)).dtype
    dtype('float32')
    """
    bits = _random_bits(seed, math.prod(shape))
    # The upper 23 bits are the fraction of a number between 1 and 2.
    share = (bits >> np.uint32(9) | np.uint32(0x3F800000)).view(np.float32) - np.float32(1)
    low, high = np.float32(limits[0]), np.float32(limits[1])
    # XLA multiplies and adds with one rounding; float64 holds the product exactly.
    numbers = (share.astype(np.float64) * np.float64(high - low) + np.float64(low)).astype(np.float32)
    return np.maximum(low, numbers).reshape(shape)


def _random_bits(seed: int, count: int) -> np.ndarray:
    """Return so many uint32: both halves of each counter's cipher, combined."""
    keys = [np.uint32(seed), np.uint32(0), np.uint32(seed ^ PARITY)]
    first, second = np.full(count, keys[0]), np.arange(count, dtype=np.uint32) + keys[1]
    for turn in range(5):
        for rotation in ROTATIONS[turn % 2]:
            first += second
            second = (second << np.uint32(rotation)) | (second >> np.uint32(32 - rotation))
            second ^= first
        first += keys[(turn + 1) % 3]
        second += keys[(turn + 2) % 3] + np.uint32(turn + 1)
    return first ^ second


@contextmanager
def drawn_by_numpy() -> Iterator[Callable[[keras.layers.Layer], keras.layers.Layer]]:
    """Give the layers that are built inside their weights as ever, but fast; afterwards they are as they were.

    Yields
    ------
    a function to hand each layer through before it is built
    """
    import keras

    kept = []

    def prepare(layer: keras.layers.Layer) -> keras.layers.Layer:
        for name in INITIALIZERS if keras.config.backend() == "jax" else ():
            found = getattr(layer, name, None)
            ours = _by_numpy(found)
            if ours is not None:
                kept.append((layer, name, found))
                setattr(layer, name, _on_device(ours))
        return layer

    try:
        yield prepare
    finally:
        for layer, name, found in kept:
            setattr(layer, name, found)


def without_first_weights(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return the layer, whose weights will all be zeros: for a model that only says what is computed."""
    for name in INITIALIZERS:
        if getattr(layer, name, None) is not None:
            setattr(layer, name, _on_device(_zeros))
    return layer


def build_optimizer(optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]) -> None:
    """Build an optimizer as `optimizer.build` does; what begins as zeros is not compiled first, shape by shape."""
    add = optimizer.add_variable

    def add_variable(shape: tuple[int, ...], initializer: Any = "zeros", *more: Any, **options: Any) -> keras.Variable:
        return add(shape, _on_device(_zeros) if initializer == "zeros" else initializer, *more, **options)

    optimizer.add_variable = add_variable
    try:
        optimizer.build(variables)
    finally:
        del optimizer.add_variable


def _on_device(draw: Initializer) -> Callable[..., Any]:
    """Return an initializer that hands its numbers to JAX: of a NumPy array Keras would let JAX compile a copy."""
    import keras

    if keras.config.backend() != "jax":
        return draw
    import jax

    return lambda shape, dtype=None: jax.device_put(draw(shape, dtype))


def _zeros(shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
    return np.zeros(shape, dtype)


def _by_numpy(initializer: object) -> Initializer | None:
    """Return what fills an array as an initializer does, or None for one of another kind."""
    import keras

    if type(initializer) is keras.initializers.Zeros:
        return _zeros
    if not isinstance(getattr(initializer, "seed", None), int):
        return None
    if type(initializer) is keras.initializers.GlorotUniform:
        return lambda shape, dtype=None: _draw_glorot(initializer.seed, shape)
    if type(initializer) is keras.initializers.RandomUniform:
        limits = initializer.minval, initializer.maxval
        return lambda shape, dtype=None: draw_uniform(initializer.seed, shape, limits)
    return None


def _draw_glorot(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return weights within the square root of six over the inputs and outputs of a unit (Glorot and Bengio 2010)."""
    window = math.prod(shape[:-2])
    limit = math.sqrt(3.0 / max(1.0, (shape[-2] + shape[-1]) * window / 2.0))
    return draw_uniform(seed, shape, (-limit, limit))
