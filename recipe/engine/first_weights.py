"""First weights without a compiler: the numbers that Keras draws on JAX, from one compiled generator for all shapes.

JAX compiles a program for every shape that it draws. But its generator counts, so that the first n numbers of a longer
draw are those of a shorter one, bit for bit. Each array is therefore cut from a draw of the next power of two, or of a
larger one that is compiled already: a program costs 0.4 s of processor time, and 0.1 s where it is on disk, for JAX to
trace it; a draw of 2^14 numbers takes 1.4 ms. Measured on the model of 64-64-1 behind 8 columns, nothing compiled
before: 0.14 s of processor time against 0.35 s shape by shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

INITIALIZERS = ("kernel_initializer", "embeddings_initializer", "bias_initializer")
SMALLEST_DRAW = 2**14  # numbers: small layers share one program
LARGEST_SHARED_DRAW = 2**20  # of more numbers a draw takes as long as to trace a program for fewer
_compiled: set[int] = set()  # how many numbers the programs draw that this process has
Initializer = Callable[..., np.ndarray]


def draw_uniform(seed: int, shape: tuple[int, ...], limit: float) -> np.ndarray:
    """Return what `keras.random.uniform(shape, -limit, limit, seed=seed)` draws on JAX, float32.

    Examples
    --------
    >>> draw_uniform(7, (2, 2), 0.5).dtype
    dtype('float32')
    """
    import jax

    count = math.prod(shape)
    shared = [size for size in tuple(_compiled) if count <= size <= LARGEST_SHARED_DRAW]
    size = min(shared, default=max(SMALLEST_DRAW, 1 << max(count - 1, 0).bit_length()))
    _compiled.add(size)
    key = np.array([seed, 0], np.uint32)
    numbers = jax.random.uniform(key, (size,), minval=np.float32(-limit), maxval=np.float32(limit))
    return np.asarray(numbers)[:count].reshape(shape)  # cut by NumPy: on the device each size would be a program


@contextmanager
def fast_first_weights() -> Iterator[Callable[[keras.layers.Layer], keras.layers.Layer]]:
    """Give the layers that are built inside their weights as ever, but fast; afterwards they are as they were.

    Yields
    ------
    a function to hand each layer through before it is built
    """
    with ExitStack() as put_back:

        def prepare(layer: keras.layers.Layer) -> keras.layers.Layer:
            for name, found in _initializers(layer):
                if (fast := _fast(found)) is not None:
                    put_back.callback(setattr, layer, name, found)
                    setattr(layer, name, _on_device(fast))
            return layer

        yield prepare


def without_first_weights(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return the layer, whose weights will all be zeros: for a model that only says what is computed."""
    for name, _ in _initializers(layer):
        setattr(layer, name, _on_device(_zeros))
    return layer


def build_optimizer(optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]) -> None:
    """Build an optimizer as `optimizer.build` does; what begins as zeros is not compiled first, shape by shape."""
    add = optimizer.add_variable

    def add_variable(shape: tuple[int, ...], initializer: Any = "zeros", *more: Any, **options: Any) -> keras.Variable:
        return add(shape, _on_device(_zeros) if initializer == "zeros" else initializer, *more, **options)

    optimizer.add_variable = add_variable
    optimizer.build(variables)
    del optimizer.add_variable


def _initializers(layer: keras.layers.Layer) -> list[tuple[str, object]]:
    """Return the initializers of the layer's own weights; what a recurrent layer passes on is its cell's."""
    return [(name, vars(layer)[name]) for name in INITIALIZERS if vars(layer).get(name) is not None]


def _fast(initializer: object) -> Initializer | None:
    """Return what fills an array as an initializer does on JAX, or None for one of another kind."""
    import keras

    if keras.config.backend() != "jax":
        return None
    if type(initializer) is keras.initializers.Zeros:
        return _zeros
    if not isinstance(getattr(initializer, "seed", None), int):
        return None
    if type(initializer) is keras.initializers.GlorotUniform:
        return lambda shape, dtype=None: draw_uniform(initializer.seed, shape, _glorot_limit(shape))
    if type(initializer) is keras.initializers.RandomUniform and initializer.minval == -initializer.maxval:
        return lambda shape, dtype=None: draw_uniform(initializer.seed, shape, initializer.maxval)
    return None


def _on_device(draw: Initializer) -> Callable[..., Any]:
    """Return an initializer that hands its numbers to JAX: of a NumPy array Keras would let JAX compile a copy."""
    import keras

    if keras.config.backend() != "jax":
        return draw
    import jax

    return lambda shape, dtype=None: jax.device_put(draw(shape, dtype))


def _zeros(shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
    return np.zeros(shape, dtype)


def _glorot_limit(shape: tuple[int, ...]) -> float:
    """Return the square root of six over the inputs and outputs of a unit (Glorot and Bengio 2010)."""
    window = math.prod(shape[:-2])
    return math.sqrt(3.0 / max(1.0, (shape[-2] + shape[-1]) * window / 2.0))
