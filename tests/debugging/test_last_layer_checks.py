"""Last activation and loss against the table: every row of it passes, and what is wrong is named."""

import keras
import numpy as np
import pytest

import recipe
from recipe.core.problem import ProblemType
from recipe.data.problems import PROBLEMS, find_problem
from recipe.debugging.checks import Status

NAMES = ("last activation", "loss")
WRONG = {
    ProblemType.BINARY: [("none", "mse"), ("softmax", "binary_crossentropy")],
    ProblemType.MULTICLASS: [("softmax", "mse"), ("sigmoid", "binary_crossentropy")],
    ProblemType.MULTILABEL: [("softmax", "categorical_crossentropy")],
    ProblemType.REGRESSION: [("sigmoid", "mse"), ("none", "binary_crossentropy")],
    ProblemType.BOUNDED_REGRESSION: [("none", "mse")],
}


def make_model(*layers, loss="mse"):
    """A small compiled model with four inputs."""
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile(loss=loss)
    return model


def dense(units, activation=None):
    return keras.layers.Dense(units, activation=activation)


def check(model, problem):
    """Make the two checks."""
    problem = find_problem(problem) if isinstance(problem, str) else problem
    x = np.zeros((4, *model.input_shape[1:]), np.float32)
    y = np.zeros(4 if problem.outputs == 1 or problem.type is ProblemType.MULTICLASS else (4, problem.outputs))
    return recipe.check_pipeline(model, x, y, problem=problem, checks=NAMES).checks[:2]


def build(problem, **options):
    return recipe.build_model(recipe.ModelSpec(architecture="linear", **options), problem)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_row_of_the_table_passes_and_wrong_rows_fail(name):
    problem = find_problem(name)
    for loss in ("auto", *problem.last_layer.losses):
        assert all(one.passed for one in check(build(problem, loss=loss), problem))
    for activation, loss in WRONG[problem.type]:
        failed = [one.failed for one in check(build(problem, last_activation=activation, loss=loss), problem)]
        is_right = problem.last_layer.activation == (None if activation == "none" else activation)
        assert failed == [not is_right, loss not in problem.last_layer.losses]
        assert any(failed)


@pytest.mark.parametrize(
    ("name", "activation", "found", "cause"),
    [
        ("housing", "sigmoid", "values from 0 to 1, each by itself", "Leave out the activation of the last layer."),
        ("housing", "relu", "no value below 0", "Leave out the activation of the last layer."),
        ("imdb", "none", "No activation in 1 unit puts out any value.", 'activation="sigmoid"'),
        ("imdb", "tanh", "values from -1 to 1", 'activation="sigmoid"'),
        ("mnist", "sigmoid", "values from 0 to 1, each by itself", 'activation="softmax"'),
        ("mnist_multilabel", "softmax", "values from 0 to 1 that add up to 1", 'activation="sigmoid"'),
    ],
)
def test_a_wrong_last_activation_is_told_what_it_puts_out(name, activation, found, cause):
    last, _ = check(build(find_problem(name), last_activation=activation), name)
    assert last.failed
    assert found in last.found
    assert cause in last.cause


def test_units_are_counted():
    last, _ = check(make_model(dense(3, "softmax")), "mnist")
    assert last.failed
    assert last.found == "Softmax activation in 3 units."
    assert last.cause == "Give the last layer 10 units."


def functional_model():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, dense(1, "sigmoid")(inputs))
    model.compile(loss=keras.losses.BinaryCrossentropy())
    return model


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (make_model(dense(1), keras.layers.Activation("sigmoid")), "Sigmoid"),
        (make_model(dense(1), keras.layers.Softmax()), "Softmax"),
        (make_model(dense(1), keras.layers.ReLU()), "Relu"),
        (make_model(dense(1, "sigmoid"), keras.layers.Reshape((1,))), "Sigmoid"),
        (make_model(dense(1, keras.activations.tanh)), "Tanh"),
        (make_model(dense(1, "linear")), "No"),
        (make_model(keras.Sequential([keras.Input((4,)), dense(1, "sigmoid")])), "Sigmoid"),
        (functional_model(), "Sigmoid"),
    ],
    ids=["activation", "softmax", "relu", "reshape", "function", "linear", "inner model", "functional"],
)
def test_the_last_activation_is_found_wherever_it_stands(model, expected):
    assert check(model, "imdb")[0].found.startswith(f"{expected} activation in 1 unit")


@pytest.mark.parametrize("loss", ["mae", keras.losses.Huber(), "log_cosh", keras.losses.mean_squared_error])
def test_other_losses_for_quantities_pass(loss):
    assert check(make_model(dense(1), loss=loss), "housing")[1].passed


def test_a_last_layer_that_cannot_be_read_is_not_applicable():
    last, loss = check(make_model(dense(1), keras.layers.Rescaling(2.0)), "housing")
    assert last.status is loss.status is Status.NOT_APPLICABLE
    assert "is a Rescaling, and what it puts out cannot be read" in last.found
