"""Models as the spec and the table say, the same ones for the same seed, whatever else goes on."""

import dataclasses
import random
import re

import keras
import numpy as np
import pytest

from recipe.core.problem import LAST_LAYERS, REVIEW_LENGTH, ProblemType
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.models import build_model, check_fit, make_targets, wants_one_hot

SMALL_WORDS = 300
PAIRS = [("convnet", "mnist"), ("embedding", "imdb"), ("linear", "mnist_five"), *(("mlp", name) for name in PROBLEMS)]


def small_problem(name):
    """The problem, with a small vocabulary where it has one."""
    problem = find_problem(name)
    few = {"num_words": SMALL_WORDS, "input_shape": (SMALL_WORDS,)}
    return dataclasses.replace(problem, **few) if problem.num_words else problem


def random_inputs(spec, problem, samples=3):
    rng = np.random.default_rng(0)
    if spec.architecture == "embedding":
        return rng.integers(0, problem.num_words, (samples, REVIEW_LENGTH)).astype(np.int32)
    return rng.random((samples, *problem.input_shape), dtype=np.float32)


@pytest.mark.parametrize(("architecture", "name"), PAIRS)
def test_build_model_ends_as_the_table_says(architecture, name):
    problem = small_problem(name)
    spec = ModelSpec(architecture=architecture, hidden_units=(4, 3))
    model = build_model(spec, problem)
    row = LAST_LAYERS[problem.type]
    outputs = model.predict_on_batch(random_inputs(spec, problem))
    assert outputs.shape == (3, problem.outputs)
    assert model.layers[-1].activation is keras.activations.get(row.activation or "linear")
    assert model.loss == row.loss
    if row.activation == "softmax":
        np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)
    elif row.activation:
        assert ((outputs > 0) & (outputs < 1)).all()


@pytest.mark.parametrize(
    ("spec", "name", "kinds"),
    [
        (ModelSpec(architecture="linear", dropout=0.5, l2=0.1), "mnist", ["Flatten", "Dense"]),
        (ModelSpec(hidden_units=(5, 4), dropout=0.5), "housing", ["Dense", "Dropout"] * 2 + ["Dense"]),
        (
            ModelSpec(architecture="convnet", hidden_units=(4, 3), dropout=0.5),
            "mnist",
            ["Reshape"] + ["Conv2D", "MaxPooling2D"] * 2 + ["Flatten", "Dropout", "Dense"],
        ),
        (
            ModelSpec(architecture="embedding", hidden_units=(5, 4), dropout=0.5),
            "imdb",
            ["Embedding", "GlobalAveragePooling1D", "Dropout", "Dense", "Dropout", "Dense"],
        ),
    ],
)
def test_build_model_has_the_layers_of_its_architecture(spec, name, kinds):
    model = build_model(spec, small_problem(name))
    assert [type(layer).__name__ for layer in model.layers] == kinds
    rates = {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    assert rates <= {spec.dropout}


def test_build_model_leaves_padding_out_of_an_embedding_s_mean():
    problem, spec = small_problem("imdb"), ModelSpec(architecture="embedding", hidden_units=(6,))
    model = build_model(spec, problem)
    words = np.zeros((1, REVIEW_LENGTH), np.int32)
    words[0, :2] = 7, 9
    vectors, weights, bias = model.get_weights()
    expected = 1 / (1 + np.exp(-(vectors[[7, 9]].mean(axis=0) @ weights + bias)))
    np.testing.assert_allclose(model.predict_on_batch(words)[0], expected, rtol=1e-5)


@pytest.mark.parametrize(("architecture", "name"), [("mlp", "housing"), ("convnet", "mnist"), ("embedding", "imdb")])
def test_build_model_puts_the_penalty_on_hidden_weights_alone(architecture, name):
    spec = ModelSpec(architecture=architecture, hidden_units=(4, 3), l1=0.25, l2=0.5)
    model = build_model(spec, small_problem(name))
    *hidden, output = [layer for layer in model.layers if isinstance(layer, (keras.layers.Dense, keras.layers.Conv2D))]
    assert [layer.kernel_regularizer.get_config() for layer in hidden] == [{"l1": 0.25, "l2": 0.5}] * len(hidden)
    assert len(hidden) == (1 if architecture == "embedding" else 2)
    assert output.kernel_regularizer is None
    assert all(layer.bias_regularizer is None for layer in (*hidden, output))
    kernels = [np.asarray(layer.kernel) for layer in hidden]
    expected = sum(0.25 * np.abs(kernel).sum() + 0.5 * (kernel**2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("architecture", "need"), [("convnet", "images.* shape .8,."), ("embedding", "words.* none")])
def test_build_model_refuses_an_architecture_that_does_not_fit(architecture, need):
    with pytest.raises(ValueError, match=rf'needs {need}\. Received: architecture="{architecture}"\. Take'):
        build_model(ModelSpec(architecture=architecture), find_problem("housing"))


@pytest.mark.parametrize("name", [name for name in PROBLEMS if PROBLEMS[name].type is not ProblemType.MULTICLASS])
def test_check_fit_refuses_a_sparse_loss_without_integer_classes(name):
    with pytest.raises(ValueError, match=rf"one integer class a sample; {name} is a .*Received: loss='sparse_"):
        check_fit(ModelSpec(loss="sparse_categorical_crossentropy"), find_problem(name))


@pytest.mark.parametrize(("shape", "layers"), [((28, 28), 5), ((8, 8), 4), ((16, 3), 2)])
def test_check_fit_refuses_more_poolings_than_the_image_has_room_for(shape, layers):
    problem = dataclasses.replace(find_problem("mnist"), input_shape=shape)
    spec = ModelSpec(architecture="convnet", hidden_units=(2,) * layers)
    with pytest.raises(ValueError, match=re.escape(f"{shape} is too small for {layers}. Received: hidden_units=(2,")):
        check_fit(spec, problem)
    build_model(spec.replace(hidden_units=(2,) * (layers - 1)), problem)  # one less has room


def test_build_model_leaves_the_global_random_state_untouched():
    keras.utils.set_random_seed(1)
    expected = random.random(), np.random.rand()  # noqa: NPY002
    keras.utils.set_random_seed(1)
    build_model(ModelSpec(seed=3, dropout=0.5), find_problem("housing"))
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "loss", "shape"),
    [
        ("mnist", "auto", ()),
        ("mnist", "categorical_crossentropy", (10,)),
        ("mnist", "mse", (10,)),
        ("imdb", "auto", (1,)),
        ("mnist_five", "auto", (1,)),
        ("mnist_multilabel", "auto", (3,)),
        ("housing", "mae", (1,)),
        ("housing_fraction", "binary_crossentropy", (1,)),
        ("housing_vector", "auto", (2,)),
    ],
)
def test_make_targets_gives_the_shape_that_the_loss_compares(name, loss, shape):
    spec, dataset = ModelSpec(loss=loss), load(name, source="sample", rows=15)
    targets = make_targets(spec, dataset.problem, dataset.y_train)
    assert targets.shape == (len(dataset.y_train), *shape)
    assert targets.dtype == dataset.y_train.dtype
    if wants_one_hot(spec, dataset.problem):
        np.testing.assert_array_equal(targets, keras.utils.to_categorical(dataset.y_train, 10))
    else:
        np.testing.assert_array_equal(targets.ravel(), dataset.y_train.ravel())
