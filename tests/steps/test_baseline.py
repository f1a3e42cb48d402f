"""Baselines against scikit-learn's dummies, and the tests of power against theory, brute force and simulation."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats import t as student
from sklearn.metrics import average_precision_score, f1_score

import recipe
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.steps import s2_measure
from recipe.steps.s2_measure import paired_test, resample_scores, variance_of_folds
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import statistical_power

MNIST, IMDB, HOUSING = find_problem("mnist"), find_problem("imdb"), find_problem("housing")
FIVE, LABELS, VECTOR = find_problem("mnist_five"), find_problem("mnist_multilabel"), find_problem("housing_vector")


def compute_baseline(problem, y_train, y_val):
    """The baseline of data of which the targets alone matter."""
    nothing = {"source": "", "x_train": None, "x_val": None, "preparation": None}
    data = Prepared(problem=problem, y_train=np.asarray(y_train), y_val=np.asarray(y_val), **nothing)
    return recipe.compute_baseline(data)


def binary_case(samples=1000, right=0.8, positive=0.5, seed=0):
    """Labels, and outputs of a model that gets each sample right with a fixed chance."""
    rng = np.random.default_rng(seed)
    y = (rng.random(samples) < positive).astype(np.uint8)
    is_right = rng.random(samples) < right
    return y, np.where(is_right, y, 1 - y)[:, None] * 0.8 + 0.1


Y_LABELS = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 1, 1]], np.uint8)


@pytest.mark.parametrize(
    ("problem", "measure", "y_train", "y_val", "words", "outputs", "value"),
    [
        (MNIST, "accuracy", [3, 3, 3, 7, 1], [7, 7, 7, 3], "always the most frequent class: 3", np.eye(10)[3], 0.25),
        (HOUSING, "mae", [0.0, 1.0, 2.0, 9.0, 10.0], [1.0, 5.0], "always the median: 2", [2.0], 2.0),
        (HOUSING, "mse", [1.0, 2.0, 6.0], [4.0], "always the mean: 3", [3.0], 1.0),
        (VECTOR, "mae", [[1.0, 10.0], [2.0, 30.0], [9.0, 20.0]], [[2.0, 24.0]], "median: 2, 20", [2.0, 20.0], 2.0),
        (LABELS, "f1", Y_LABELS, Y_LABELS, "always yes: even, above four, closed loop", np.ones(3),
         f1_score(Y_LABELS, np.ones_like(Y_LABELS), average="macro")),
        (FIVE, "average_precision", [1, 0, 0, 0], [1, 0, 0, 0], "the same score for all: a 5", [1.0],
         average_precision_score([1, 0, 0, 0], np.ones(4))),
    ],
    ids=["accuracy", "mae", "mse", "vector", "labels", "ranking"],
)  # fmt: skip
def test_compute_baseline_is_the_best_constant_guess(problem, measure, y_train, y_val, words, outputs, value):
    baseline = compute_baseline(dataclasses.replace(problem, measure=measure), y_train, y_val)
    np.testing.assert_array_equal(baseline.outputs, np.tile(outputs, (len(y_val), 1)))
    assert baseline.value == pytest.approx(value)
    assert f"{words}) the {MEASURES[measure].title} is {baseline.value:.3g}" in baseline.sentence


def test_compute_baseline_refuses_a_training_part_without_a_yes():
    with pytest.raises(ValueError, match=r"No training sample is a yes for a 5,.*y_train of 3 samples\."):
        compute_baseline(FIVE, np.zeros(3), np.ones(3))
    y = np.array([[1, 0, 1]])
    with pytest.raises(ValueError, match=r"No training sample is a yes for above four"):
        compute_baseline(LABELS, y, y)


@pytest.mark.parametrize(
    ("name", "model", "least"),
    [
        ("mnist", "logistic regression", 0.9),
        ("imdb", "TF-IDF and logistic regression", 0.8),
        ("housing", "gradient boosting", 0.5),
        ("mnist_multilabel", "logistic regression", 0.8),
        ("housing_vector", "gradient boosting", 0.1),
        ("housing_fraction", "gradient boosting", 0.1),
    ],
)
def test_rival_is_a_simple_model_judged_as_a_network_is(name, model, least):
    prepared = prepare(hold_out(load(name, source="sample")))
    baseline = recipe.compute_baseline(prepared)
    rival = baseline.rival
    measure = MEASURES[prepared.problem.measure]
    assert rival.name == model
    assert rival.value == measure.compute(prepared.problem, prepared.y_val, rival.outputs)
    if measure.higher_is_better:
        assert rival.value > least
    else:
        assert rival.value < (1 - least) * baseline.value


def test_statistical_power_counts_only_samples_on_which_the_two_differ():
    # The baseline says 0 to all. The model is right on 12 samples where it is not, and wrong on 3 where it is.
    y = np.array([1] * 20 + [0] * 30)
    outputs = np.array([1] * 12 + [0] * 8 + [1] * 3 + [0] * 27)[:, None].astype(float)
    baseline = compute_baseline(IMDB, np.zeros(3), y)
    power = statistical_power(IMDB, y, outputs, baseline)
    assert power.test == "exact McNemar test"
    assert power.p_value == pytest.approx(binom.sf(11, 15, 0.5))
    assert (power.model, power.baseline, power.samples) == (0.78, 0.6, 50)
    assert power.difference == pytest.approx(0.18)
    assert power.beats_baseline is True
    low, high = (f"{end:.2g}" for end in power.interval)
    assert power.sentence == (
        f"The model beats the baseline: accuracy 0.78 against 0.6 (90 % interval of the difference {low} to {high}; "
        "p = 0.018, exact McNemar test, 50 validation samples)."
    )


@pytest.mark.parametrize(
    ("y", "outputs", "p_value", "words"),
    [
        ([0, 1, 1, 0, 0, 0], [0.1, 0.9, 0.9, 0.1, 0.1, 0.1], 0.25,
         "The model cannot be told from the baseline: accuracy 1 against 0.667"),
        ([1] * 5, [1] * 5, 0.5**5, "Too few samples to tell whether the model beats the baseline"),
        ([0, 1] * 50, [0] * 100, 1.0, "The model does not beat the baseline: accuracy 0.5"),
    ],
)  # fmt: skip
def test_statistical_power_says_what_cannot_be_told(y, outputs, p_value, words):
    y, outputs = np.array(y), np.array(outputs)[:, None]
    power = statistical_power(IMDB, y, outputs, compute_baseline(IMDB, np.zeros(3, int), y))
    assert (power.p_value, power.beats_baseline) == (p_value, False)
    assert power.sentence.startswith(words)


def test_statistical_power_of_absolute_errors_agrees_with_the_normal_approximation():
    rng = np.random.default_rng(3)
    y = rng.gamma(3.0, size=500)
    outputs = (y + rng.normal(scale=1.2, size=500))[:, None]
    baseline = compute_baseline(HOUSING, y, y)
    power = statistical_power(HOUSING, y, outputs, baseline)
    gains = np.abs(y - np.median(y)) - np.abs(y - outputs[:, 0])
    error = gains.std() / math.sqrt(500)
    assert power.test == "paired permutation test"
    assert power.difference == pytest.approx(gains.mean())
    assert power.interval == pytest.approx((gains.mean() - 1.645 * error, gains.mean() + 1.645 * error), abs=error / 5)


GAINS = {
    "normal": lambda rng, samples: rng.normal(size=samples),
    "rare gains": lambda rng, samples: rng.exponential(size=samples) - 1,
    "rare losses": lambda rng, samples: 1 - rng.exponential(size=samples),
}


def p_value_of(gains, **options):
    """The p-value of a model whose errors are smaller by so much than those of another one."""
    errors = np.full((len(gains), 1), 100.0)
    return paired_test(HOUSING, np.zeros((len(gains), 1)), errors - gains[:, None], errors, **options)[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples", "most"),
    [
        *(("normal", samples, 0.05) for samples in (6, 10, 100, 1_000, 10_000)),
        *(("rare gains", samples, 0.05) for samples in (6, 10, 100, 1_000, 10_000)),
        ("rare losses", 6, 0.15),
        ("rare losses", 10, 0.15),
        ("rare losses", 100, 0.085),
        ("rare losses", 1_000, 0.06),
        ("rare losses", 10_000, 0.06),
    ],
)
def test_paired_test_raises_false_alarms_as_seldom_as_its_table_says(monkeypatch, name, samples, most):
    monkeypatch.setattr(s2_measure, "PERMUTATIONS", 99)
    rng, runs = np.random.default_rng(samples + 2), 500
    alarms = sum(p_value_of(GAINS[name](rng, samples), seed=seed) <= 0.05 for seed in range(runs))
    assert alarms <= most * runs + 3 * math.sqrt(runs * most * (1 - most))


def test_paired_test_of_few_samples_counts_all_swaps():
    samples = 12
    gains = np.random.default_rng(samples).normal(0.5, size=samples)
    signs = 1 - 2 * np.array(list(itertools.product((0, 1), repeat=samples)))
    assert p_value_of(gains) == pytest.approx(np.mean((signs * gains).mean(axis=1) >= gains.mean() - 1e-12))


def test_statistical_power_of_folds_corrects_for_the_samples_that_they_share():
    folds = [prepare(split) for split in k_fold(load("housing", source="sample", rows=200))]
    assert variance_of_folds(folds) == pytest.approx(1 / 4 + 1 / 3)
    y = np.concatenate([fold.y_val for fold in folds])
    baseline = compute_baseline(HOUSING, np.array([2.0]), y)
    outputs = (y + np.random.default_rng(0).normal(size=len(y)))[:, None]
    power = statistical_power(HOUSING, y, outputs, baseline, folds=folds)
    gains = np.split(np.abs(y - 2.0) - np.abs(y - outputs[:, 0]), 4)
    t = power.difference / (np.std([part.mean() for part in gains], ddof=1) * math.sqrt(1 / 4 + 1 / 3))
    assert power.p_value == pytest.approx(student.sf(t, 3))
    assert power.test == "corrected t-test of 4 folds"


@pytest.mark.parametrize(("problem", "name"), [(LABELS, "f1"), (FIVE, "precision")])
def test_resample_scores_agree_with_computing_the_measure_on_each_resample(problem, name):
    rng, problem = np.random.default_rng(1), dataclasses.replace(problem, measure=name)
    y = (rng.random((300, problem.outputs)) < 0.3).astype(np.uint8)
    outputs = np.clip(0.5 * y + 0.6 * rng.random(y.shape), 0, 1)
    draws = [rng.integers(300, size=300) for _ in range(100)]
    slow = [MEASURES[name].compute(problem, y[rows], outputs[rows]) for rows in draws]
    (quick,) = resample_scores(problem, y, (outputs,), 0)
    assert quick.shape == (2000,)
    assert quick.mean() == pytest.approx(np.mean(slow), abs=4 * np.std(slow) / 10)
    assert quick.std() == pytest.approx(np.std(slow), rel=0.3)


def test_statistical_power_of_a_ranking_is_tested_too(monkeypatch):
    monkeypatch.setattr(s2_measure, "RESAMPLES", 100)
    monkeypatch.setattr(s2_measure, "RANKINGS", 99)
    problem = dataclasses.replace(FIVE, measure="average_precision")
    y, outputs = binary_case(samples=200, right=0.9, positive=0.2)
    power = statistical_power(problem, y, outputs, compute_baseline(problem, y, y))
    assert power.beats_baseline
    assert power.p_value == pytest.approx(1 / 100)


def test_statistical_power_of_a_diverged_model_beats_nothing():
    y, outputs = binary_case(50)
    outputs[3] = np.nan
    power = statistical_power(IMDB, y, outputs, compute_baseline(IMDB, y, y))
    assert (power.beats_baseline, power.p_value) == (False, 1.0)
    assert math.isnan(power.model)
    assert power.test == "none: the outputs are not finite"


def test_statistical_power_refuses_other_samples():
    y, outputs = binary_case(50)
    baseline = compute_baseline(IMDB, y, y)
    with pytest.raises(ValueError, match=r"judged on 50 samples and the model on 40.*outputs of shape \(40, 1\)"):
        statistical_power(IMDB, y[:40], outputs[:40], baseline)
