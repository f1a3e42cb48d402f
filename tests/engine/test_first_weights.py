"""First weights drawn without a compilation a shape: the numbers of Keras, on models that stay plain."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from recipe.core.spec import OPTIMIZERS
from recipe.engine.first_weights import build_optimizer, draw_uniform, fast_first_weights, without_first_weights


@pytest.mark.parametrize("shape", [(7,), (3, 3, 4, 8), (500, 40), (128, 128)])
@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_draw_uniform_draws_what_keras_draws(shape, seed):
    np.testing.assert_array_equal(draw_uniform(seed, shape, 0.3), keras.random.uniform(shape, -0.3, 0.3, seed=seed))


LAYERS = {
    "dense": (lambda: keras.layers.Dense(5, name="one"), (9,)),
    "convolution": (lambda: keras.layers.Conv2D(4, 3, padding="same", name="one"), (8, 8, 2)),
    "embedding": (lambda: keras.layers.Embedding(30, 6, name="one"), (12,)),
    "of another kind": (lambda: keras.layers.Dense(5, kernel_initializer="he_normal", name="one"), (9,)),
}


@pytest.mark.parametrize("kind", list(LAYERS))
def test_fast_first_weights_gives_the_weights_of_keras_and_leaves_the_layer_as_it_was(kind):
    make, shape = LAYERS[kind]
    keras.utils.set_random_seed(3)
    plain = keras.Sequential([keras.Input(shape), make()], name="model")
    keras.utils.set_random_seed(3)
    with fast_first_weights() as drawn:
        ours = keras.Sequential([keras.Input(shape), drawn(make())], name="model")
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert ours.layers[0].get_config() == plain.layers[0].get_config()


def test_fast_first_weights_puts_the_initializers_back_after_an_error():
    layer = keras.layers.Dense(5)
    before = layer.kernel_initializer
    with pytest.raises(ValueError, match="egative dimensions"), fast_first_weights() as drawn:
        drawn(layer).build((None, -1))
    assert layer.kernel_initializer is before


def test_without_first_weights_all_are_zeros():
    layer = without_first_weights(keras.layers.Dense(3))
    layer.build((None, 4))
    assert [float(np.abs(weights).max()) for weights in layer.get_weights()] == [0.0, 0.0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_build_optimizer_gives_the_variables_of_build(name):
    weights = [keras.Variable(np.ones(shape, np.float32), name=f"w{len(shape)}") for shape in ((3, 4), (4,))]
    ours, plain = keras.optimizers.get(name), keras.optimizers.get(name)
    build_optimizer(ours, weights)
    plain.build(weights)
    for one, other in zip(ours.variables, plain.variables, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
