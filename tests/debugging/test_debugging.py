"""The checks of a pipeline on models of every kind: what they find, and that the model is only read."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from examples import SOUND, Mixed

from recipe.debugging.bench import Bench, RateSweep
from recipe.debugging.checks import Check, PipelineReport, Status
from recipe.debugging.pipeline import CHECKS, check_pipeline

FAILED, PASSED, NOT_APPLICABLE = Status.FAILED, Status.PASSED, Status.NOT_APPLICABLE


def make_classes(rows=300, classes=3, columns=8, seed=0):
    """Clusters that a small network separates."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    centers = 2 * rng.normal(size=(classes, columns))
    return (centers[y] + rng.normal(size=(rows, columns))).astype(np.float32), y


def make_model(outputs=3, last="softmax", loss="sparse_categorical_crossentropy", columns=8, hidden=None, **options):
    layers = [keras.layers.Dense(16, activation="relu")] if hidden is None else hidden
    model = keras.Sequential([keras.Input((columns,)), *layers, keras.layers.Dense(outputs, activation=last)])
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": loss} | options)
    return model


def check(name, model, *arrays, **options):
    """Make one check."""
    return check_pipeline(model, *arrays, checks=[name], **options).checks[0]


@pytest.fixture(scope="module")
def data():
    x, y = make_classes()
    return x[:220], y[:220], x[220:], y[220:]


@pytest.fixture(scope="module")
def report(data):
    return check_pipeline(make_model(), *data)


def test_subclassed_model_with_two_outputs_is_refused():
    class Two(keras.Model):
        def call(self, x):
            return x, x

    model, (x, y) = Two(), make_classes()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"Received: y_train with 2 parts. Build it as keras.Model"):
        check_pipeline(model, x, [x, y])


# The report.


def test_sound_pipeline_passes_every_check_that_applies(report):
    assert report.failed == ()
    assert [check.name for check in report.checks] == list(CHECKS)
    assert [check.name for check in report.checks if check.status is NOT_APPLICABLE] == ["dropout"]
    assert report.count == "All 26 checks passed. (1 not applicable.)"


def test_every_outcome_has_words_and_a_cause_only_where_it_failed(report):
    for one in report.checks:
        assert one.found.endswith("."), one
        assert bool(one.expected) is (one.status is not NOT_APPLICABLE)
        assert one.cause == ""


def test_report_is_shown_as_text_and_escaped_html(data):
    x, y, *_ = data
    report = check_pipeline(make_model(), 1000 * x, y, checks=["input scale", "dropout"])
    assert "! input scale" in str(report)
    assert "- dropout" in repr(report)
    assert report.count == "1 of 1 checks failed. (1 not applicable.)"
    bad = PipelineReport(checks=(Check(name="<b>", status=FAILED, found="1 < 2.", cause="<script>"),))
    html = bad._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html


def test_report_names_a_check_that_was_not_made(report):
    assert report["loss"].passed
    with pytest.raises(KeyError, match=r"That check was not made\. Received: 'losses'\. Made: can be trained, "):
        report["losses"]


# The model is only read.


def test_model_and_optimizer_stay_as_they_are_bit_for_bit(data):
    hidden = [keras.layers.Dense(16, activation="relu"), keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
    model = make_model(hidden=hidden, metrics=["accuracy"])
    model.fit(data[0], data[1], verbose=0)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    optimizer, train_function = model.optimizer, model.train_function
    arrays = [part.copy() for part in data]
    numpy_state = np.random.get_state()[1].copy()  # noqa: NPY002
    check_pipeline(model, *data)
    assert all(np.array_equal(old, np.array(variable)) for old, variable in zip(before, variables, strict=True))
    assert (model.optimizer, model.train_function) == (optimizer, train_function)
    assert all(np.array_equal(old, new) for old, new in zip(arrays, data, strict=True))
    assert np.array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002


def test_same_seed_gives_the_same_numbers_and_each_check_is_told_as_it_is_made(data):
    names, told = ["initial loss", "learning rate", "shuffled labels"], []
    one, two = (check_pipeline(make_model(), *data, checks=names, seed=3, on_check=told.append).checks for _ in "12")
    assert one == two
    assert tuple(told) == one + two
    assert str(one[0]) == one[0].sentence


# Other kinds of models.


def test_without_validation_a_part_is_kept_aside(data):
    missing = ["validation inputs", "validation targets", "duplicates"]
    report = check_pipeline(make_model(), data[0], data[1], checks=[*missing, "zero input"])
    assert report["zero input"].passed
    assert [report[name].found for name in missing] == ["No validation part was given."] * 3


# Models that no configuration makes again.


def test_model_of_ones_own_comes_out_as_it_went_in_and_what_was_shuffled_is_said(data):
    model = make_model(hidden=[Mixed(16)])
    model.fit(*data[:2], verbose=0)
    variables = [*model.variables, *model.optimizer.variables]
    before, step = [np.array(variable) for variable in variables], model.train_function
    report = check_pipeline(model, *data, checks=["can be trained", "frozen layers", "initial loss", "weights move"])
    assert all(one.passed for one in report.checks)
    assert all(np.array_equal(old, np.array(variable)) for old, variable in zip(before, variables, strict=True))
    assert model.train_function is step
    assert "mixing" in report.note
    assert report.note in str(report)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, MemoryError])
def test_weights_are_put_back_after_ctrl_c_and_after_an_error(data, ending, monkeypatch):
    model = SOUND["subclassed_model_already_trained"]().model
    before = model.get_weights()

    def give_up(bench):
        bench.loan.draw_anew()
        assert not np.array_equal(model.get_weights()[0], before[0])
        raise ending

    monkeypatch.setattr("recipe.debugging.pipeline.CHECKS", {"loss": give_up})
    if ending is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            check_pipeline(model, *data)
    else:
        assert "cannot read such a model" in check_pipeline(model, *data)["loss"].found
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


# What Keras refuses.


def test_what_keras_refuses_is_said_with_its_own_last_line(data):
    report = check_pipeline(make_model(loss="categorical_crossentropy"), *data[:2])
    cause = report["can be trained"].cause.split("\n")
    assert "sparse_categorical_crossentropy" in cause[0]
    assert cause[1].startswith("Keras says: ")
    assert "All" not in report.count
    assert "proves little" in report.count
    assert report["learning rate"].found.endswith('see "can be trained".')


def test_layer_that_scales_stands_for_scaled_inputs(data):
    x, y, *_ = data
    scaling = [keras.layers.Rescaling(1 / 1000), keras.layers.Dense(16, activation="relu")]
    assert check("input scale", make_model(), 1000 * x, y).failed
    assert check("input scale", make_model(hidden=scaling), 1000 * x, y).passed
    normalising = [keras.layers.BatchNormalization(), keras.layers.Dense(16, activation="relu")]
    assert check("input scale", make_model(hidden=normalising), 1000 * x, y).status is NOT_APPLICABLE


# What can be told beforehand.


@pytest.mark.parametrize(
    ("outputs", "last", "loss", "y", "theory"),
    [
        (10, "softmax", "sparse_categorical_crossentropy", np.arange(200) % 10, np.log(10)),
        (1, "sigmoid", "binary_crossentropy", np.arange(200) % 2, np.log(2)),
        (1, None, "mse", np.linspace(1, 3, 200), np.mean(np.linspace(1, 3, 200) ** 2)),
        (1, None, "mae", np.linspace(1, 3, 200), 2.0),
    ],
)
def test_initial_loss_is_compared_with_its_theory(outputs, last, loss, y, theory):
    x = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32) / 10
    found = check("initial loss", make_model(outputs, last, loss), x, y, x, y)
    assert found.passed
    assert f"= {theory:.3g} (" in found.expected
    assert float(re.search(r"is ([\d.]+)\.$", found.found)[1]) == pytest.approx(theory, rel=0.2)


def test_rates_that_fell_well_are_good_and_the_one_below_the_fastest_is_advised():
    courses = {0.001: (0.95, 0.9), 0.01: (0.6, 0.3), 0.1: (0.3, 0.35), 1.0: (np.inf, np.inf)}
    sweep = RateSweep(courses=courses, first_loss=1.0)
    assert (sweep.fastest_rate, sweep.good_rates, sweep.advised_rate) == (0.1, (0.01, 0.1), 0.01)
    exploded = RateSweep(courses=courses | {0.1: (np.inf, np.inf)}, first_loss=1.0)
    assert exploded.fastest_rate == exploded.advised_rate == 0.01


@pytest.mark.parametrize(
    ("outputs", "last", "loss", "y", "expected"),
    [
        (3, "softmax", "sparse_categorical_crossentropy", [0, 0, 1, 2], 1.5 * np.log(2)),
        (1, "sigmoid", "binary_crossentropy", [0, 0, 0, 1], np.log(4) - 0.75 * np.log(3)),
        (1, None, "mse", [0, 1, 2, 5], 3.5),
        (1, None, "mae", [0, 1, 2, 5], 1.5),
    ],
)
def test_constant_answer_is_the_best_that_there_is(outputs, last, loss, y, expected):
    x, y = np.random.default_rng(0).normal(size=(40, 8)), np.array(y * 10)
    assert Bench(make_model(outputs, last, loss), x, y, x, y).constant_loss == pytest.approx(expected, rel=1e-2)


def test_given_answer_is_not_found_behind_dead_units(data):
    hidden = [keras.layers.Dense(16, activation="relu", bias_initializer=keras.initializers.Constant(-30.0))]
    assert check("output as input", make_model(hidden=hidden), *data).failed


def test_vanishing_gradients_are_found(data):
    deep = [keras.layers.Dense(16, activation="sigmoid") for _ in range(14)]
    found = check("gradients", make_model(hidden=deep), *data)
    assert found.failed
    assert float(re.search(r"from ([\d.e-]+)", found.found)[1]) < 1e-6


@pytest.mark.parametrize("loss", ["mse", "mean_squared_error", keras.losses.MeanSquaredError()])
def test_every_way_to_name_a_loss_is_known_and_whole_numbers_behind_it_are_quantities(loss):
    x = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    found = check("loss", make_model(1, None, loss), x, np.arange(40) % 11 + 3)
    assert (found.found, found.passed) == ("The loss is mse.", True)


# What is refused.


def test_check_pipeline_refuses_what_it_cannot_check(data):
    x, y, *_ = data
    model = make_model()
    with pytest.raises(TypeError, match=r"Only a Keras model can be checked\. Received: model, str\."):
        check_pipeline("model", x, y)
    with pytest.raises(ValueError, match=r"Received: x_val or y_val alone\."):
        check_pipeline(model, x, y, x)
    with pytest.raises(ValueError, match=r"There is no such check\. Received: losses\. There are: can be trained, "):
        check_pipeline(model, x, y, checks=["losses"])
    with pytest.raises(ValueError, match=r"Received: x_train, empty\."):
        check_pipeline(model, x[:0], y[:0])
    with pytest.raises(TypeError, match=r"Received: y_train, an array of <U1\."):
        check_pipeline(model, x, np.array(["a"] * len(x)))
