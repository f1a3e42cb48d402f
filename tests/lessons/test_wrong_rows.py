"""Right and wrong last layers: what makes no sense is counted by hand here, and what they do is trained for."""

import math

import numpy as np
import pytest

import recipe
from recipe.core.problem import LAST_LAYERS, ProblemType
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.lessons.s5_baseline.wrong_rows import (
    WRONG_ROWS,
    compare_last_layers,
    count_nonsense,
    rows_of,
    share_of_pairs,
)


def prepared(name, rows):
    return recipe.prepare(recipe.hold_out(recipe.load(name, source="sample", rows=rows)))


@pytest.fixture(scope="module")
def houses():
    spec = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=40)
    return compare_last_layers(prepared("housing", 300), spec)


@pytest.fixture(scope="module")
def labels():
    return compare_last_layers(prepared("mnist_multilabel", 800), ModelSpec(learning_rate=0.005, epochs=15))


@pytest.fixture(scope="module")
def reviews():
    return compare_last_layers(prepared("imdb", 800), ModelSpec(hidden_units=(8,), batch_size=32, epochs=4))


def test_every_type_of_problem_has_wrong_rows_and_they_are_wrong():
    assert set(WRONG_ROWS) == set(ProblemType) == set(LAST_LAYERS)
    for kind, rows in WRONG_ROWS.items():
        row = LAST_LAYERS[kind]
        for activation, loss in rows:
            is_right = (None if activation == "none" else activation) == row.activation and loss in row.losses
            assert not is_right, (kind, activation, loss)


@pytest.mark.parametrize("name", PROBLEMS)
def test_rows_of_begins_with_the_right_ones(name):
    problem = find_problem(name)
    rows = rows_of(problem)
    right = 2 if problem.type is ProblemType.BOUNDED_REGRESSION else 1  # fractions may take either loss
    assert rows[0] == ("auto", "auto")
    assert [activation for activation, _ in rows[:right]] == ["auto"] * right
    assert rows[right:] == WRONG_ROWS[problem.type]


def test_sigmoid_for_dollars_is_cut_off_at_one(houses):
    right, sigmoid, tanh, softmax = houses
    assert right.is_right
    assert [trial.is_right for trial in (sigmoid, tanh, softmax)] == [False] * 3
    assert right.beats_baseline
    assert right.highest > 2
    assert not sigmoid.beats_baseline
    assert sigmoid.highest <= 1
    assert sigmoid.nonsense == pytest.approx((sigmoid.y_val > 1).mean())
    assert (
        f"{100 * sigmoid.nonsense:.3g} % of the samples the true value lies where no output can get" in sigmoid.sentence
    )
    assert "no better than a guess" in tanh.sentence


def test_softmax_over_one_unit_says_one_whatever_the_input(houses, reviews):
    for trial in (houses[3], reviews[1]):
        assert trial.lowest == trial.highest == 1
        assert not trial.beats_baseline
        assert trial.sentence.endswith("Every output is 1, whatever the input.")


def test_softmax_for_labels_cannot_say_two_at_once(labels):
    right, softmax, none = labels
    two = softmax.y_val.sum(axis=1) >= 2
    assert softmax.nonsense == pytest.approx(two.mean())
    assert np.allclose(softmax.outputs.sum(axis=1), 1, atol=1e-5)
    assert share_of_pairs(softmax.outputs, softmax.y_val) == 0
    assert share_of_pairs(right.outputs, right.y_val) > 0.5
    assert right.nonsense < 0.05
    assert softmax.score < right.score - 0.1
    assert none.lowest < 0


def test_outputs_without_an_activation_are_no_probabilities(reviews):
    right, _, none, relu = reviews
    assert right.nonsense == 0
    assert none.nonsense == pytest.approx(((none.outputs < 0) | (none.outputs > 1)).mean(), abs=0.01)
    assert none.nonsense > 0.01
    assert relu.lowest >= 0


def test_mse_for_classes_learns_much_more_slowly_by_plain_descent():
    spec = ModelSpec(hidden_units=(16,), optimizer="sgd", learning_rate=0.1, batch_size=32, epochs=8)
    right, wrong = compare_last_layers(prepared("mnist", 800), spec, [("softmax", "mse")])
    assert len(right.scores) == 8
    assert right.score == pytest.approx(right.scores[-1], abs=1e-6)
    assert right.score > wrong.score + 0.3


def test_fractions_beyond_zero_and_one_are_counted():
    spec = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=20)
    trials = compare_last_layers(prepared("housing_fraction", 300), spec)
    assert [trial.is_right for trial in trials] == [True, True, False, False, False]
    for trial in trials:
        assert trial.nonsense == pytest.approx(((trial.outputs < -1e-6) | (trial.outputs > 1 + 1e-6)).mean())
    assert all(trial.beats_baseline for trial in trials[:2])


def test_rows_train_from_the_same_first_weights_and_are_asked_for_once(houses):
    data = prepared("housing", 300)
    spec = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=40)
    again = compare_last_layers(data, spec, [("auto", "auto"), ("sigmoid", "mse"), ("sigmoid", "mse")])
    assert [trial.name for trial in again] == ["no activation, mse", "sigmoid, mse"]
    assert (again[0].outputs == houses[0].outputs).all()
    assert (again[0].score, again[0].baseline) == (houses[0].score, houses[0].baseline)


def test_a_training_that_diverges_says_so():
    spec = ModelSpec(hidden_units=(16,), optimizer="sgd", learning_rate=50.0, batch_size=16, epochs=20)
    right, wrong = compare_last_layers(prepared("housing", 300), spec, [("none", "mae")])
    assert math.isnan(right.score)
    assert not right.beats_baseline
    assert right.sentence == "Right (no activation, mse): training diverged, and the outputs are no numbers."
    assert not wrong.is_right


def test_a_loss_that_suits_no_such_target_is_refused():
    with pytest.raises(ValueError, match="A sparse loss wants one integer class"):
        compare_last_layers(
            prepared("housing", 300), ModelSpec(epochs=1), [("softmax", "sparse_categorical_crossentropy")]
        )


@pytest.mark.parametrize(
    ("name", "y", "outputs", "expected"),
    [
        ("imdb", [0, 1, 1, 0], [[0.0], [1.0], [1.2], [-0.1]], 0.5),
        ("imdb", [0, 1], [[0.5], [np.nan]], 0.5),
        (
            "mnist_multilabel",
            [[1, 1, 0], [1, 1, 0], [1, 0, 0]],
            [[0.5, 0.5, 0.0], [0.9, 0.9, 0], [0.8, 0.1, 0.1]],
            1 / 3,
        ),
        ("housing_fraction", [0.2, 0.4], [[0.2], [1.5]], 0.5),
    ],
)
def test_count_nonsense_by_hand(name, y, outputs, expected):
    share, why = count_nonsense(find_problem(name), "any", np.array(y), np.array(outputs))
    assert share == pytest.approx(expected)
    assert why


def test_count_nonsense_of_classes_wants_a_sum_of_one():
    outputs = np.full((4, 10), 0.1)
    outputs[1] = 0.2  # adds up to 2
    outputs[2, :2] = (-0.4, 0.6)  # adds up to 1, with a probability below 0
    assert count_nonsense(find_problem("mnist"), "none", np.zeros(4, int), outputs)[0] == 0.5


@pytest.mark.parametrize(
    ("activation", "expected"), [("sigmoid", 0.5), ("tanh", 0.25), ("relu", 0.25), (None, 0.0), ("softmax", 0.5)]
)
def test_count_nonsense_of_quantities_is_what_cannot_be_reached(activation, expected):
    y = np.array([-0.5, 0.5, 1.0, 3.0])
    assert count_nonsense(find_problem("housing"), activation, y, np.zeros((4, 1)))[0] == expected


def test_share_of_pairs_counts_samples_with_two_labels():
    y, outputs = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0]]), np.array([[0.9, 0.6, 0], [0.9, 0.1, 0.1], [0.9, 0.9, 0]])
    assert share_of_pairs(outputs, y) == 0.5
    assert math.isnan(share_of_pairs(outputs[2:], y[2:]))
