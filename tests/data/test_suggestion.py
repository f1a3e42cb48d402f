"""Which measure is suggested for which problem and which targets, and the reason with its numbers."""

import numpy as np
import pytest

import recipe
from recipe.core import measures
from recipe.data.problems import PROBLEMS, find_problem
from recipe.data.suggestion import suggest_measure


def make_yes_or_no(share, samples=1000):
    return (np.arange(samples) < round(share * samples)).astype(np.uint8)


def make_quantities(samples=1000, seed=0):
    return np.random.default_rng(seed).normal(2.0, size=samples).astype(np.float32)


@pytest.mark.parametrize("name", PROBLEMS)
def test_suggest_measure_names_a_measure_that_fits_and_the_problems_own(name):
    dataset = recipe.load(name, source="sample")
    suggestion = suggest_measure(dataset.problem, dataset.y_train)
    for measure in (suggestion.measure, *suggestion.also):
        assert dataset.problem.type in measures.MEASURES[measure].types
    assert dataset.problem.measure in (suggestion.measure, *suggestion.also)


@pytest.mark.parametrize(("share", "expected"), [(0.5, "accuracy"), (0.34, "accuracy"), (0.32, "f1"), (0.09, "f1")])
def test_suggest_measure_takes_accuracy_only_where_classes_are_balanced(share, expected):
    assert suggest_measure(find_problem("imdb"), make_yes_or_no(share)).measure == expected


def test_suggest_measure_gives_the_accuracy_of_always_no_as_the_reason():
    suggestion = suggest_measure(find_problem("mnist_five"), make_yes_or_no(0.09))
    assert "9.0% are a 5" in suggestion.reason
    assert "'not a 5' has an accuracy of 91.0%" in suggestion.reason
    assert suggestion.caution == ""


def test_suggest_measure_warns_where_the_commoner_class_is_the_yes():
    suggestion = suggest_measure(find_problem("imdb"), make_yes_or_no(0.9))
    assert suggestion.measure == "f1"
    assert "always saying it has an F1 of 0.95" in suggestion.caution  # 2 * 0.9 / 1.9 = 0.947


def test_suggest_measure_warns_of_a_rare_class():
    even, rare = np.arange(1000) % 10, np.where(np.arange(1000) % 200 == 7, 7, np.arange(1000) % 7)
    assert suggest_measure(find_problem("mnist"), even).caution == ""
    assert "class 8 makes up only 0.0%" in suggest_measure(find_problem("mnist"), rare).caution


def test_suggest_measure_warns_of_a_label_that_is_always_the_same():
    y = np.random.default_rng(0).integers(2, size=(100, 3))
    y[:, 2] = 0
    suggestion = suggest_measure(find_problem("mnist_multilabel"), y)
    assert suggestion.measure == "average_precision"
    assert suggestion.caution.startswith("closed loop:")


def test_suggest_measure_says_whether_few_samples_hold_the_squared_deviation():
    y = make_quantities()
    assert "no handful" in suggest_measure(find_problem("housing"), y).reason
    y[:10] += 50
    assert "drown the rest" in suggest_measure(find_problem("housing"), y).reason


def test_suggest_measure_warns_of_targets_that_are_cut_off():
    y = make_quantities()
    assert suggest_measure(find_problem("housing"), y).caution == ""
    cut = np.minimum(y, np.quantile(y, 0.95))
    assert "5.0% of the targets (median house value)" in suggest_measure(find_problem("housing"), cut).caution


def test_suggest_measure_refuses_targets_that_do_not_fit():
    with pytest.raises(ValueError, match="run from 0 to 1"):
        suggest_measure(find_problem("imdb"), np.array([0, 2]))
