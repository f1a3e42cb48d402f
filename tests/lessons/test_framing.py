"""Questions put to the three datasets: every target, any input, and what is refused."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import recipe
from recipe.core.problem import ProblemType
from recipe.data.problems import HOUSING_FEATURES
from recipe.lessons.s1_problem.framing import COLUMN_UNITS, HOUSE_VALUE, TARGETS, frame_problem, input_columns


@pytest.fixture(scope="module")
def data():
    return {name: recipe.load(name, source="sample") for name in TARGETS}


TYPES = {
    "digit": ProblemType.MULTICLASS,
    "is_five": ProblemType.BINARY,
    "three_labels": ProblemType.MULTILABEL,
    "sentiment": ProblemType.BINARY,
    "fraction_of_cap": ProblemType.BOUNDED_REGRESSION,
}


@pytest.mark.parametrize(("base", "target"), [(base, target) for base in TARGETS for target in TARGETS[base]])
@pytest.mark.parametrize("rows", [50, None])
def test_frame_problem_takes_every_target_on_few_and_on_all_rows(data, base, target, rows):
    framing = frame_problem(data[base], target=target, rows=rows, seed=1)
    assert framing.description.type == TYPES.get(target, ProblemType.REGRESSION)
    assert len(framing.x) == framing.description.samples == (rows or len(data[base].y_train))
    assert framing.question.endswith("?") or framing.question.endswith(")")


def test_first_target_is_that_of_the_problem(data):
    for dataset in data.values():
        framing = frame_problem(dataset)
        assert np.array_equal(np.sort(framing.description.targets), np.sort(dataset.y_train))
        assert framing.question == dataset.problem.question


def test_rows_pair_inputs_with_their_targets_and_more_hold_fewer(data):
    few, more = (frame_problem(data["housing"], target="latitude", rows=rows) for rows in (100, 300))
    assert np.array_equal(few.x, more.x[:100])
    columns = {name: few.x[:, place] for place, name in enumerate(few.inputs)}
    every = np.column_stack([data["housing"].x_train, data["housing"].y_train])
    row = np.flatnonzero((every[:, -1] == columns[HOUSE_VALUE][7]) & (every[:, -2] == columns["median_income"][7]))
    assert every[row, 1].tolist() == [few.description.targets[7]]


def test_length_of_a_review_is_counted(data):
    framing = frame_problem(data["imdb"], target="length", rows=20)
    assert framing.description.targets.tolist() == [len(framing.x[row]) for row in range(20)]


def test_closeness_is_spearmans_correlation(data):
    framing = frame_problem(data["housing"], inputs=("median_income", "latitude", "households"))
    assert framing.inputs == ("latitude", "households", "median_income")
    for place, value in enumerate(framing.closeness):
        assert value == pytest.approx(spearmanr(framing.x[:, place], framing.description.targets).statistic)
    assert frame_problem(data["mnist"], rows=50).closeness == ()


def test_input_columns_leave_out_what_is_asked_for():
    assert input_columns("housing", HOUSE_VALUE) == HOUSING_FEATURES
    assert set(COLUMN_UNITS) - set(input_columns("housing", "value_and_income")) == {HOUSE_VALUE, "median_income"}
    assert HOUSE_VALUE not in input_columns("housing", "fraction_of_cap")
    assert HOUSE_VALUE in input_columns("housing", "latitude")


@pytest.mark.parametrize(
    ("base", "text"),
    [("mnist", "50 images of 8 × 8 grey levels"), ("imdb", "50 reviews, each"), ("housing", "50 districts, 8 columns")],
)
def test_input_text_says_what_a_sample_is(data, base, text):
    assert frame_problem(data[base], rows=50).input_text.startswith(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "price"}, "housing has no such target. Received: target='price'. Choose from median_house_value"),
        ({"inputs": ("rooms",)}, "housing has no input 'rooms'. Received"),
        ({"target": "latitude", "inputs": ("latitude",)}, "latitude is what is asked for: as an input it would be"),
        ({"rows": 1}, "It takes two samples to differ. Received: rows=1"),
    ],
)
def test_frame_problem_refuses_what_makes_no_question(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        frame_problem(data["housing"], **arguments)


def test_frame_problem_refuses_a_dataset_with_a_question_of_its_own():
    with pytest.raises(ValueError, match=r"is for one question already. .*Take load\('mnist'\)"):
        frame_problem(recipe.load("mnist_five", source="sample"))


def test_test_set_stays_sealed(data):
    frame_problem(data["mnist"])
    assert data["mnist"].test.looks == 0
