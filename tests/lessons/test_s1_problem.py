"""Lesson 1: questions put to the three datasets, every target and any input, and the panel that puts them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import recipe
from recipe.core.problem import ProblemType
from recipe.data.problems import PROBLEMS
from recipe.lessons.s1_problem.panel import COLUMNS, DATA, QUESTIONS, ProblemPanel, frame_problem

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def data():
    return {name: recipe.load(name, source="sample") for name in ("mnist", "imdb", "housing")}


@pytest.mark.parametrize(("target", "rows"), [*((target, 50) for target in QUESTIONS), ("mnist", None)])
def test_frame_problem_takes_every_target_on_few_and_on_all_rows(data, target, rows):
    dataset = data[DATA[QUESTIONS[target].partition(":")[0]]]
    framing = frame_problem(dataset, target, rows=rows, seed=1)
    expected = PROBLEMS[target].type if target in PROBLEMS else ProblemType.REGRESSION
    assert framing.description.problem.type == expected
    assert len(framing.x) == len(framing.description.targets) == (rows or len(dataset.y_train))
    assert dataset.test.looks == 0


def test_frame_problem_pairs_inputs_with_their_targets_and_more_rows_hold_fewer(data):
    few, more = (frame_problem(data["housing"], "latitude", rows=rows) for rows in (100, 300))
    assert few.x.equals(more.x[:100])
    assert list(few.x) == [name for name in COLUMNS if name != "latitude"]
    every = np.column_stack([data["housing"].x_train, data["housing"].y_train])
    row = np.flatnonzero((every[:, -1] == few.x["median_house_value"][7]) & (every[:, 0] == few.x["longitude"][7]))
    assert every[row, 1].tolist() == [few.description.targets[7]]


def test_frame_problem_counts_the_words_of_a_review(data):
    framing = frame_problem(data["imdb"], "length", rows=20)
    assert framing.description.targets.tolist() == [len(framing.x[row]) for row in range(20)]


def test_correlations_are_spearmans(data):
    framing = frame_problem(data["housing"], "housing")
    for name, value in framing.correlations.items():
        assert value == pytest.approx(spearmanr(framing.x[name], framing.description.targets).statistic)


# The panel.


@pytest.fixture(scope="module")
def panel(data):
    return ProblemPanel(*data.values())


SAMPLES = {"mnist": "50 images of 8 × 8 grey levels", "imdb": "50 reviews, each", "housing": "50 districts, 8 columns"}


@pytest.mark.parametrize("target", QUESTIONS)
def test_panel_shows_every_target_with_words_a_figure_and_a_table(panel, target):
    description = panel.run(target=target, rows=50).description
    words, (above, below) = panel.alt_text(), panel.figure().axes
    assert above.get_title(loc="left").startswith(f"Input: {SAMPLES.get(target, '50')}")
    assert below.get_title(loc="left") == f"Target: {panel.result.type_text}"
    assert description.problem.last_layer.loss in panel.result.type_text
    assert all(text in words for text in (str(description.problem.type), description.layer_code))
    assert panel.table()["target"].tolist() == list(description.problem.output_names)
    assert target in panel.status.value or target == "mnist"


def test_panel_run_returns_what_frame_problem_returns(panel, data):
    framing = panel.run(target="latitude", rows=300, draw=4)
    expected = frame_problem(data["housing"], "latitude", rows=300, seed=4)
    assert framing.x.equals(expected.x)
    assert str(framing.description) == str(expected.description)
    assert len(panel.run(target="mnist", rows=0).x) == len(data["mnist"].y_train)
    assert panel.table()["share"].sum() == pytest.approx(1)
