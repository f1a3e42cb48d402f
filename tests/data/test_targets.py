"""The type of a problem and its measure from the targets alone: every rule, and what is refused."""

import numpy as np
import pytest

import recipe
from recipe.core.measures import MEASURES
from recipe.core.problem import LAST_LAYERS, ProblemType
from recipe.data.problems import PROBLEMS, find_problem
from recipe.data.targets import MAX_CLASSES, describe_target, suggest_measure

ONE_HOT = np.eye(3)[[0, 1, 2, 1]]
RULES = {
    "0 and 1": (np.array([0, 1, 1, 0]), ProblemType.BINARY),
    "yes and no": (np.array([True, False, True]), ProblemType.BINARY),
    "two floats": (np.array([0.0, 1.0, 1.0]), ProblemType.BINARY),
    "one column": (np.array([[0], [1], [1]]), ProblemType.BINARY),
    "two texts": (np.array(["cat", "dog", "cat"]), ProblemType.BINARY),
    "texts as pandas gives them": (np.array(["cat", "dog", "cat"], dtype=object), ProblemType.BINARY),
    "three texts": (np.array(["cat", "dog", "hen"]), ProblemType.MULTICLASS),
    "0, 1, 2": (np.array([2, 0, 1, 1]), ProblemType.MULTICLASS),
    "0, 1, 2 as floats": (np.array([2.0, 0.0, 1.0]), ProblemType.MULTICLASS),
    "one-hot": (ONE_HOT, ProblemType.MULTICLASS),
    "labels": (np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0]]), ProblemType.MULTILABEL),
    "from 1": (np.array([1, 2, 3, 4]), ProblemType.MULTICLASS),
    "many from 1": (np.arange(1, 41), ProblemType.REGRESSION),
    "with a gap": (np.array([0, 1, 3, 4]), ProblemType.REGRESSION),
    "many whole numbers": (np.arange(MAX_CLASSES + 1), ProblemType.REGRESSION),
    "negative": (np.array([-1, 0, 1]), ProblemType.REGRESSION),
    "dollars": (np.array([14_999.0, 80_000.5, 500_001.0]), ProblemType.REGRESSION),
    "two quantities": (np.array([[1.0, 20.0], [2.0, 30.0]]), ProblemType.REGRESSION),
    "fractions": (np.array([0.0, 0.25, 1.0]), ProblemType.BOUNDED_REGRESSION),
    "two fractions": (np.array([[0.1, 0.9], [0.5, 0.2]]), ProblemType.BOUNDED_REGRESSION),
}


@pytest.mark.parametrize("rule", RULES)
def test_describe_target_finds_the_type_and_takes_its_layer_from_the_table(rule):
    y, kind = RULES[rule]
    description = describe_target(y)
    assert description.problem.type is kind
    assert description.problem.last_layer is LAST_LAYERS[kind]
    assert len(description.targets) == len(y)


@pytest.mark.parametrize("name", PROBLEMS)
def test_describe_target_agrees_with_every_problem_of_the_kit(name):
    dataset = recipe.load(name, source="sample")
    description = describe_target(dataset.y_train)
    assert (description.problem.type, description.problem.outputs) == (dataset.problem.type, dataset.problem.outputs)


def test_shares_are_those_of_the_classes_or_of_each_label():
    y = np.random.default_rng(0).choice(3, 200, p=[0.2, 0.5, 0.3])
    shares = describe_target(y, names=("a", "b", "c")).shares
    assert shares == dict(zip("abc", (np.bincount(y) / 200).tolist(), strict=True))
    assert describe_target(np.array([[1, 0], [1, 1], [0, 0]])).shares == {"column 0": 2 / 3, "column 1": 1 / 3}


def test_names_let_a_class_be_missing_and_one_is_enough_for_the_yes():
    description = describe_target(np.array([0, 2, 2, 1]), names=("a", "b", "c", "d"))
    assert description.problem.outputs == 4
    assert description.shares == {"a": 0.25, "b": 0.25, "c": 0.5, "d": 0.0}
    assert describe_target(np.array([0, 1, 1]), names=("ill",)).problem.output_names == ("not ill", "ill")
    assert describe_target(np.array([3, 7, 7]), names=tuple("0123456789")).problem.type is ProblemType.MULTICLASS


@pytest.mark.parametrize("names", [("cat", "dog", "hen"), ("hen", "dog", "cat")])
def test_texts_become_numbers_in_the_order_of_the_names_else_of_the_alphabet(names):
    description = describe_target(np.array(["hen", "cat", "dog"]), names=names if names[0] == "hen" else ())
    assert description.targets.tolist() == [names.index(text) for text in ("hen", "cat", "dog")]
    assert description.problem.output_names == description.classes == names


def test_describe_target_keeps_quantities_as_they_are_where_regression_is_asked_for():
    description = describe_target(np.array([1_000, 2_000, 1_000]), problem="regression")
    assert (description.problem.type, description.reason) == (ProblemType.REGRESSION, "It was asked for.")
    assert description.targets.tolist() == [1_000, 2_000, 1_000]


def test_two_other_values_become_0_and_1():
    assert describe_target(np.array([1, 2, 2])).targets.tolist() == [0, 1, 1]


@pytest.mark.parametrize(("y", "caution"), [([0, 1, 2], "counts"), ([2, 3, 4], "postcodes"), ([0.1, 0.2, 3], "")])
def test_caution_says_what_an_array_cannot_tell(y, caution):
    description = describe_target(np.array(y))
    assert caution in description.caution
    assert bool(caution) == bool(description.caution)
    assert ("mind: " in str(description)) == bool(caution)


def test_str_holds_type_reason_and_layer():
    text = str(describe_target(np.array([0, 1, 1])))
    assert [line.split(": ")[0].strip() for line in text.splitlines()] == ["type", "because", "last layer"]
    assert 'Dense(1, activation="sigmoid"), loss binary_crossentropy' in text


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.array([]), ValueError, r"one row a sample, n above 0; of texts one column. Received: y of shape \(0,\)"),
        (np.zeros((2, 2, 2)), ValueError, r"Received: y of shape \(2, 2, 2\)"),
        (np.float64(3), ValueError, r"Received: y of shape \(\)"),
        (np.array([1.0, np.nan, np.inf]), ValueError, "2 targets are not finite"),
        (np.array([7, 7, 7]), ValueError, "All 3 targets are the same"),
        (np.array(["a", "a"]), ValueError, "All 2 targets are the same"),
        (np.array([["a", "b"], ["b", "a"]]), ValueError, "of texts one column"),
        (np.array([None, 1]), TypeError, "Targets are numbers or texts. Received: .*object"),
        (np.array(["2024-01-01"], "datetime64[D]"), TypeError, "Turn dates and objects"),
    ],
)
def test_describe_target_refuses_what_is_no_target(y, error, message):
    with pytest.raises(error, match=message):
        describe_target(y)


@pytest.mark.parametrize(
    ("y", "names", "wanted"), [([0, 1, 2], ("a", "b"), 3), ([[1.5, 2], [3, 4]], ("a",), 2), ([1.5, 2, 9], "ab", 1)]
)
def test_describe_target_says_how_many_names_are_wanted(y, names, wanted):
    with pytest.raises(ValueError, match=rf"The targets have {wanted} .*Received: names {names[0]}"):
        describe_target(np.array(y), names=names)


# The measure that suits them.


def make_yes_or_no(share, samples=1000):
    return (np.arange(samples) < round(share * samples)).astype(np.uint8)


def make_quantities(samples=1000, seed=0):
    return np.random.default_rng(seed).normal(2.0, size=samples).astype(np.float32)


@pytest.mark.parametrize("name", PROBLEMS)
def test_suggest_measure_names_a_measure_that_fits_and_the_problems_own(name):
    dataset = recipe.load(name, source="sample")
    suggestion = suggest_measure(dataset.problem, dataset.y_train)
    for measure in (suggestion.measure, *suggestion.also):
        assert dataset.problem.type in MEASURES[measure].types
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
