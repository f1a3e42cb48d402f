"""First weights drawn without a compilation a shape: the numbers of Keras, on models that stay plain."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from recipe.core.spec import OPTIMIZERS
from recipe.engine.first_weights import build_optimizer, draw_uniform, fast_first_weights


@pytest.mark.parametrize("shape", [(7,), (3, 3, 4, 8), (500, 40), (128, 128)])
@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_draw_uniform_draws_what_keras_draws(shape, seed):
    np.testing.assert_array_equal(draw_uniform(seed, shape, 0.3), keras.random.uniform(shape, -0.3, 0.3, seed=seed))


def test_fast_first_weights_puts_the_initializers_back():
    layer = keras.layers.Dense(5)
    before = layer.kernel_initializer
    with pytest.raises(ValueError, match="egative dimensions"), fast_first_weights() as drawn:
        drawn(layer).build((None, -1))
    assert layer.kernel_initializer is before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_build_optimizer_gives_the_variables_of_build(name):
    weights = [keras.Variable(np.ones(shape, np.float32), name=f"w{len(shape)}") for shape in ((3, 4), (4,))]
    ours, plain = keras.optimizers.get(name), keras.optimizers.get(name)
    build_optimizer(ours, weights)
    plain.build(weights)
    for one, other in zip(ours.variables, plain.variables, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
