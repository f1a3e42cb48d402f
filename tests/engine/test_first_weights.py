"""First weights drawn without a compiler: the numbers of Keras, on models that stay plain."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from recipe.core.spec import OPTIMIZERS, ModelSpec
from recipe.data.problems import find_problem
from recipe.engine.first_weights import build_optimizer, draw_uniform, drawn_by_numpy, without_first_weights
from recipe.engine.models import build_model


@pytest.mark.parametrize("shape", [(7,), (32, 10), (3, 3, 4, 8), (500, 16)])
@pytest.mark.parametrize("seed", [0, 12_345, 2**31 - 1])
def test_draw_uniform_draws_what_keras_draws(shape, seed):
    theirs = keras.random.uniform(shape, -0.3, 0.7, seed=seed)
    np.testing.assert_allclose(draw_uniform(seed, shape, (-0.3, 0.7)), theirs, rtol=0, atol=1e-7)


LAYERS = {
    "dense": (lambda: keras.layers.Dense(5, name="one"), (9,)),
    "convolution": (lambda: keras.layers.Conv2D(4, 3, padding="same", name="one"), (8, 8, 2)),
    "embedding": (lambda: keras.layers.Embedding(30, 6, name="one"), (12,)),
    "of another kind": (lambda: keras.layers.Dense(5, kernel_initializer="he_normal", name="one"), (9,)),
}


@pytest.mark.parametrize("kind", list(LAYERS))
def test_drawn_by_numpy_gives_the_weights_of_keras_and_leaves_the_layer_as_it_was(kind):
    make, shape = LAYERS[kind]
    keras.utils.set_random_seed(3)
    plain = keras.Sequential([keras.Input(shape), make()], name="model")
    keras.utils.set_random_seed(3)
    with drawn_by_numpy() as drawn:
        ours = keras.Sequential([keras.Input(shape), drawn(make())], name="model")
    for one, other in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-7)
        assert one.dtype == other.dtype
    assert ours.layers[0].get_config() == plain.layers[0].get_config()


def test_drawn_by_numpy_puts_the_initializers_back_after_an_error():
    layer = keras.layers.Dense(5)
    before = layer.kernel_initializer
    with pytest.raises(ValueError, match="Negative dimensions"), drawn_by_numpy() as drawn:
        drawn(layer).build((None, -1))
    assert layer.kernel_initializer is before


def test_build_model_returns_layers_with_keras_own_initializers():
    model = build_model(ModelSpec(architecture="convnet", hidden_units=(4,)), find_problem("mnist"))
    kinds = {type(layer.kernel_initializer) for layer in model.layers if hasattr(layer, "kernel_initializer")}
    assert kinds == {keras.initializers.GlorotUniform}


def test_without_first_weights_all_are_zeros():
    layer = without_first_weights(keras.layers.Dense(3))
    layer.build((None, 4))
    assert [float(np.abs(weights).max()) for weights in layer.get_weights()] == [0.0, 0.0]


def test_build_optimizer_gives_the_variables_of_build_and_leaves_no_trace():
    weights = [keras.Variable(np.ones(shape, np.float32), name=f"w{len(shape)}") for shape in ((3, 4), (4,))]
    for name in OPTIMIZERS:
        ours, plain = keras.optimizers.get(name), keras.optimizers.get(name)
        build_optimizer(ours, weights)
        plain.build(weights)
        for one, other in zip(ours.variables, plain.variables, strict=True):
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        assert "add_variable" not in vars(ours)
