"""Layers, shapes and parameters against what follows from the units by hand, and against Keras's own count."""

import keras
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.engine.layers import Layer, describe_layers
from recipe.engine.models import build_model


def test_describe_layers_of_a_dense_network():
    layers = describe_layers(build_model(ModelSpec(hidden_units=(32, 16), dropout=0.5), find_problem("mnist")))
    kinds = ["Flatten", "Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert [layer.kind for layer in layers] == kinds
    assert [layer.output_shape for layer in layers] == [(784,), (32,), (32,), (16,), (16,), (10,)]
    assert [layer.parameters for layer in layers] == [0, 784 * 32 + 32, 0, 32 * 16 + 16, 0, 16 * 10 + 10]
    assert [layer.activation for layer in layers if layer.kind == "Dense"] == ["relu", "relu", "softmax"]
    assert layers[-1] == Layer(name="output", kind="Dense", output_shape=(10,), parameters=170, activation="softmax")


@pytest.mark.parametrize(
    ("architecture", "problem", "shapes"),
    [
        ("convnet", "mnist", [(28, 28, 1), (28, 28, 4), (14, 14, 4), (784,), (10,)]),
        ("embedding", "imdb", [(256, 8), (8,), (1,)]),
        ("linear", "housing", [(1,)]),
    ],
)
def test_describe_layers_of_each_architecture(architecture, problem, shapes):
    units = {"convnet": (4,), "embedding": (8,), "linear": ()}[architecture]
    model = build_model(ModelSpec(architecture=architecture, hidden_units=units), find_problem(problem))
    layers = describe_layers(model)
    assert [layer.output_shape for layer in layers] == shapes
    assert sum(layer.parameters for layer in layers) == model.count_params()


def test_describe_layers_takes_any_keras_model():
    x = keras.Input((3,))
    layers = describe_layers(keras.Model(x, keras.layers.Dense(2)(keras.layers.Rescaling(2.0)(x))))
    assert [(layer.kind, layer.output_shape, layer.parameters) for layer in layers] == [
        ("InputLayer", (3,), 0),
        ("Rescaling", (3,), 0),
        ("Dense", (2,), 8),
    ]


def test_describe_layers_refuses_a_model_without_shapes():
    with pytest.raises(ValueError, match=r"has no shapes. Received: model='.*', not built. Give it a keras.Input"):
        describe_layers(keras.Sequential([keras.layers.Dense(2)]))
