"""The fast layers compute what Keras's own compute, forwards and backwards, and stand aside where they would not."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from recipe.engine.convolutions import PatchConv2D, ReshapeMaxPooling2D, exchange_convolution

RNG = np.random.default_rng(0)


def _gradients(layer, x, slope):
    """Return the gradients of a weighted sum of the outputs, by the inputs and by each weight."""

    def weighted(x, weights):
        return (layer.stateless_call(weights, [], x)[0] * slope).sum()

    # One program, not dozens: outside of jit JAX compiles each step by itself.
    gradients = jax.jit(jax.grad(weighted, argnums=(0, 1)))
    return gradients(x, [variable.value for variable in layer.trainable_variables])


def _assert_alike(plain, x):
    fast = exchange_convolution(plain)
    fast.build(x.shape)
    for ours, theirs in zip(fast.variables, plain.variables, strict=True):
        ours.assign(theirs)
    outputs = np.asarray(plain(x))
    np.testing.assert_allclose(np.asarray(fast(x)), outputs, rtol=1e-5, atol=1e-5)
    slope = RNG.normal(size=outputs.shape).astype(np.float32)
    found, expected = (jax.tree.leaves(_gradients(layer, x, slope)) for layer in (fast, plain))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-4, atol=1e-4)
    return fast


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"kernel_size": (2, 4), "padding": "same", "activation": "tanh"}, (3, 7, 9, 1)),
        ({"kernel_size": (3, 2), "padding": "valid", "use_bias": False}, (1, 6, 5, 3)),
    ],
)
def test_convolution_is_keras_own(options, shape):
    plain = keras.layers.Conv2D(4, bias_initializer="random_normal", **options)
    plain.build(shape)
    assert type(_assert_alike(plain, RNG.normal(size=shape).astype(np.float32))) is PatchConv2D


@pytest.mark.parametrize(("size", "shape"), [(2, (3, 8, 6, 2)), ((3, 2), (2, 8, 7, 1))])
def test_pooling_is_keras_own_with_a_rest_that_fills_no_window(size, shape):
    plain = keras.layers.MaxPooling2D(size)
    assert type(_assert_alike(plain, RNG.normal(size=shape).astype(np.float32))) is ReshapeMaxPooling2D


def test_equal_maxima_share_the_gradient():
    x = np.zeros((1, 2, 2, 1), np.float32)
    x[0, 0, :, 0] = 5
    gradient, _ = _gradients(ReshapeMaxPooling2D(2), x, 1.0)
    np.testing.assert_array_equal(np.asarray(gradient)[0, :, :, 0], [[0.5, 0.5], [0, 0]])


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2D(2, 3, activation="softmax"),
        keras.layers.Conv2D(2, 3, strides=2),
        keras.layers.Conv2D(2, 3, dilation_rate=2),
        keras.layers.Conv2D(2, 3, groups=2),
        keras.layers.Conv2D(2, 3, data_format="channels_first"),
        keras.layers.MaxPooling2D(3, strides=2),
        keras.layers.MaxPooling2D(2, padding="same"),
        keras.layers.AveragePooling2D(2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_that_would_not_be_computed_alike_stays(layer):
    assert exchange_convolution(layer) is None
