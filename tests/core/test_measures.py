"""Measures of success against scikit-learn, plain NumPy and the Keras metrics of the same name."""

import dataclasses
import math

import keras
import numpy as np
import pytest
from sklearn import metrics as reference

from recipe.core.measures import MEASURES, check_outputs
from recipe.core.problem import ProblemType
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.models import metric_of


def make_case(problem, samples=203, seed=0):
    """Labels and outputs of a middling model, of the shapes that the problem has."""
    rng = np.random.default_rng(seed)
    if problem.type is ProblemType.MULTICLASS:
        y = rng.integers(problem.outputs, size=samples)
        scores = rng.random((samples, problem.outputs)) + 0.7 * np.eye(problem.outputs)[y]
        return y.astype(np.uint8), (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    if problem.type.is_classification:
        y = (rng.random((samples, problem.outputs)) < 0.3).astype(np.uint8)
        outputs = np.clip(0.3 * y + 0.7 * rng.random(y.shape), 0, 1).astype(np.float32)
    else:
        y = rng.gamma(2.0, size=(samples, problem.outputs)).astype(np.float32)
        outputs = (y + rng.normal(scale=0.4, size=y.shape)).astype(np.float32)
    return (y[:, 0] if problem.outputs == 1 else y), outputs


# One problem of each type.
TYPES = {problem.type: problem for problem in PROBLEMS.values()}
CASES = [(name, problem) for problem in TYPES.values() for name, m in MEASURES.items() if problem.type in m.types]
KERAS = [(name, problem) for name, problem in CASES if metric_of(dataclasses.replace(problem, measure=name))[1]]


@pytest.mark.parametrize(("name", "problem"), KERAS, ids=[f"{name}-{problem.name}" for name, problem in KERAS])
def test_compute_agrees_with_the_keras_metric_over_batches_and_without_samples_of_weight_0(name, problem):
    y, outputs = make_case(problem, samples=192)
    targets = y.reshape(len(y), -1)
    weight = (np.arange(len(y)) < 150).astype(np.float32)
    kind, arguments = metric_of(dataclasses.replace(problem, measure=name))
    metric = getattr(keras.metrics, kind)(**arguments)
    for batch in np.split(np.arange(len(y)), 3):
        metric.update_state(targets[batch], outputs[batch], weight[batch])
    tolerance = 2e-2 if name == "average_precision" else 1e-6
    expected = MEASURES[name].compute(problem, y[:150], outputs[:150])
    assert float(metric.result()) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("problem", ["mnist_five", "mnist_multilabel"])
def test_compute_agrees_with_scikit_learn_on_labels(problem):
    problem = find_problem(problem)
    y, outputs = make_case(problem)
    outputs = outputs.reshape(y.shape)
    yes, average = outputs > 0.5, "binary" if problem.outputs == 1 else "macro"
    expected = {
        "accuracy": (yes == y).mean(),
        "f1": reference.f1_score(y, yes, average=average),
        "average_precision": reference.average_precision_score(y, outputs),
    }
    if problem.outputs == 1:
        expected |= {"precision": reference.precision_score(y, yes), "recall": reference.recall_score(y, yes)}
    found = {name: MEASURES[name].compute(problem, y, outputs) for name in expected}
    assert found == pytest.approx(expected, abs=1e-12)


def test_compute_is_0_where_there_is_no_yes_at_all():
    problem = find_problem("mnist_five")
    y, outputs = np.zeros(4, np.uint8), np.full((4, 1), 0.1)
    for name in ("f1", "precision", "recall", "average_precision"):
        assert MEASURES[name].compute(problem, y, outputs) == 0.0


@pytest.mark.parametrize("name", ["imdb", "housing", "mnist"])
def test_compute_is_nan_where_the_network_diverged(name):
    problem = find_problem(name)
    y, outputs = make_case(problem)
    outputs[7, 0] = np.inf
    assert math.isnan(MEASURES[problem.measure].compute(problem, y, outputs))


def test_gain_error_and_unit_tell_shares_from_quantities():
    accuracy, mae, mse = (MEASURES[name] for name in ("accuracy", "mae", "mse"))
    housing = find_problem("housing")
    assert (accuracy.gain(0.9, 0.5), mae.gain(0.3, 0.8)) == pytest.approx((0.4, 0.5))
    assert (accuracy.error(0.75), mae.error(0.41, baseline=0.82)) == pytest.approx((0.25, 0.5))
    units = [measure.unit_of(housing) for measure in (accuracy, mae, mse)]
    assert units == ["", "hundred thousand dollars", "hundred thousand dollars (squared)"]
    for baseline in (None, 0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"is told as a part of .*Received: baseline={baseline}. Give"):
            mae.error(0.3, baseline)


def test_measure_refuses_a_problem_that_it_is_not_defined_for():
    problem = find_problem("housing")
    message = r"accuracy is not defined for regression.*housing is.*measure='accuracy'\. Choose from mae, mse"
    with pytest.raises(ValueError, match=message):
        MEASURES["accuracy"].compute(problem, *make_case(problem))
    with pytest.raises(ValueError, match=r"F1 score is not defined for multiclass.*Choose from accuracy\."):
        MEASURES["f1"].check_type(find_problem("mnist"))


@pytest.mark.parametrize(
    ("name", "y", "outputs", "message"),
    [
        ("mnist", np.zeros(4), np.zeros((4, 9)), r"the shape \(4, 10\).*outputs of shape \(4, 9\).*model\.predict"),
        ("mnist", np.eye(10)[:4], np.zeros((4, 10)), r"shape \(n,\) or \(n, 1\).*y of shape \(4, 10\).*one-hot"),
        ("mnist_multilabel", np.zeros(4), np.zeros((4, 3)), r"the shape \(n, 3\), n above 0"),
        ("imdb", np.zeros(5), np.zeros((4, 1)), r"for 5 targets.*outputs of shape \(4, 1\)"),
        ("imdb", np.zeros(0), np.zeros((0, 1)), r"n above 0"),
        ("imdb", np.float64(1), np.zeros((1, 1)), r"y of shape \(\)"),
        ("imdb", np.array([1, 2]), np.zeros((2, 1)), r"run from 0 to 1\. Received: imdb, .*from 1 to 2"),
    ],
)
def test_check_outputs_refuses_what_does_not_fit_the_problem(name, y, outputs, message):
    with pytest.raises(ValueError, match=message):
        check_outputs(find_problem(name), y, outputs)
