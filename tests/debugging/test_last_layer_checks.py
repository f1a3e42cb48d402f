"""The first half of the checklist: every row of the table passes, and what is wrong is named; on specs and models."""

import keras
import pytest
from recipe.lessons.s5_baseline.wrong_rows import WRONG_ROWS

import recipe
from recipe.core.checks import Status
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.debugging.last_layer import check_last_activation, check_loss, read_last_part

CHECKS = (check_last_activation, check_loss)


def make_model(*layers, loss="mse"):
    """A small model with four inputs, compiled where a loss is given."""
    model = keras.Sequential([keras.Input((4,)), *layers])
    if loss is not None:
        model.compile(loss=loss)
    return model


def dense(units, activation=None):
    return keras.layers.Dense(units, activation=activation)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("check", CHECKS)
def test_the_row_of_the_table_passes_as_spec_and_as_model(check, name):
    problem = find_problem(name)
    assert check(ModelSpec(), problem).passed
    assert check(recipe.build_model(ModelSpec(architecture="linear"), problem), problem).passed
    for loss in problem.last_layer.losses:
        assert check(ModelSpec(loss=loss), problem).passed


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_wrong_row_fails_one_of_the_two(name):
    problem = find_problem(name)
    for activation, loss in WRONG_ROWS[problem.type]:
        spec = ModelSpec(last_activation=activation, loss=loss)
        failed = [check for check in CHECKS if check(spec, problem).failed]
        is_right = problem.last_layer.activation == (None if activation == "none" else activation)
        fitting = (*problem.last_layer.losses, problem.last_layer.integer_label_loss)
        assert failed == [check for check, right in zip(CHECKS, (is_right, loss in fitting), strict=True) if not right]
        assert failed


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
def test_check_last_activation_says_what_the_wrong_one_puts_out(name, activation, found, cause):
    check = check_last_activation(ModelSpec(last_activation=activation), find_problem(name))
    assert check.failed
    assert found in check.found
    assert cause in check.cause


def test_check_last_activation_counts_units():
    check = check_last_activation(make_model(dense(3, "softmax")), find_problem("mnist"))
    assert check.failed
    assert check.found == "Softmax activation in 3 units."
    assert check.cause == "Give the last layer 10 units."


def test_check_last_activation_passes_two_classes_for_a_yes_or_no():
    model = make_model(dense(2, "softmax"), loss="sparse_categorical_crossentropy")
    assert [check(model, find_problem("imdb")).status for check in CHECKS] == [Status.PASSED, Status.PASSED]
    assert check_loss(make_model(dense(2, "softmax"), loss="binary_crossentropy"), find_problem("imdb")).failed
    assert check_last_activation(make_model(dense(1, "softmax")), find_problem("imdb")).failed


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([dense(1), keras.layers.Activation("sigmoid")], "sigmoid"),
        ([dense(1), keras.layers.Softmax()], "softmax"),
        ([dense(1), keras.layers.ReLU()], "relu"),
        ([dense(1, "sigmoid"), keras.layers.Reshape((1,))], "sigmoid"),
        ([dense(1, keras.activations.tanh)], "tanh"),
        ([dense(1, "linear")], None),
        ([keras.Sequential([keras.Input((4,)), dense(1, "sigmoid")])], "sigmoid"),
    ],
    ids=["activation", "softmax", "relu", "reshape", "function", "linear", "inner model"],
)
def test_read_last_part_finds_the_activation_wherever_it_stands(layers, expected):
    assert read_last_part(make_model(*layers), find_problem("imdb")).activation == expected


def test_read_last_part_reads_a_functional_model_by_its_output():
    inputs = keras.Input((4,))
    outputs = dense(1, "sigmoid")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile(loss=keras.losses.BinaryCrossentropy())
    part = read_last_part(model, find_problem("imdb"))
    assert (part.units, part.activation, part.loss, part.from_logits) == (1, "sigmoid", "binary_crossentropy", False)


def test_a_loss_that_takes_logits_goes_with_no_activation():
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    sound, twice = make_model(dense(1), loss=loss), make_model(dense(1, "sigmoid"), loss=loss)
    problem = find_problem("imdb")
    assert [check(sound, problem).passed for check in CHECKS] == [True, True]
    assert "with the sigmoid inside the loss" in check_last_activation(sound, problem).found
    check = check_loss(twice, problem)
    assert check.failed
    assert "followed by a second one" in check.cause


@pytest.mark.parametrize("loss", ["mae", keras.losses.Huber(), "log_cosh", keras.losses.mean_squared_error])
def test_check_loss_passes_other_losses_for_quantities(loss):
    assert check_loss(make_model(dense(1), loss=loss), find_problem("housing")).passed


@pytest.mark.parametrize(("name", "loss"), [("mnist", "mse"), ("imdb", "mae"), ("housing", "binary_crossentropy")])
def test_check_loss_fails_what_is_not_in_the_table(name, loss):
    problem = find_problem(name)
    check = check_loss(ModelSpec(loss=loss), problem)
    assert check.failed
    assert check.found == f"The loss is {loss}."
    assert check.cause == f'Compile with loss="{problem.last_layer.loss}".'


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (make_model(dense(1), loss=None), "not compiled"),
        (make_model(dense(1), keras.layers.Rescaling(2.0)), "is a Rescaling, and what it puts out cannot be read"),
        (keras.Sequential([dense(1)]), "not built yet"),
    ],
    ids=["not compiled", "unknown layer", "not built"],
)
def test_what_cannot_be_read_is_not_applicable(model, why):
    check = check_loss(model, find_problem("housing"))
    assert check.status is Status.NOT_APPLICABLE
    assert why in check.found


def test_a_model_with_two_outputs_is_not_applicable():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, [dense(1)(inputs), dense(1)(inputs)])
    check = check_last_activation(model, find_problem("housing"))
    assert check.status is Status.NOT_APPLICABLE
    assert "2 outputs" in check.found


def test_something_else_is_refused():
    with pytest.raises(TypeError, match=r"Only a spec or a Keras model.*Received: model of type str"):
        check_loss("mlp", find_problem("housing"))
