"""Lesson 1: questions put to the three datasets, every target and any input, and the panel that puts them."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr

import recipe
from recipe.core.problem import ProblemType
from recipe.data.problems import HOUSING_FEATURES
from recipe.lessons.s1_problem.framing import COLUMN_UNITS, HOUSE_VALUE, TARGETS, frame_problem, input_columns
from recipe.lessons.s1_problem.panel import ColumnPicker, ProblemPanel, ProblemSettings

TYPES = {
    "digit": ProblemType.MULTICLASS,
    "is_five": ProblemType.BINARY,
    "three_labels": ProblemType.MULTILABEL,
    "sentiment": ProblemType.BINARY,
    "fraction_of_cap": ProblemType.BOUNDED_REGRESSION,
}
EVERY_TARGET = [(name, target) for name, targets in TARGETS.items() for target in targets]


@pytest.fixture(scope="module")
def data():
    return {name: recipe.load(name, source="sample") for name in TARGETS}


@pytest.mark.parametrize(("name", "target"), EVERY_TARGET)
@pytest.mark.parametrize("rows", [50, None])
def test_frame_problem_takes_every_target_on_few_and_on_all_rows(data, name, target, rows):
    framing = frame_problem(data[name], target=target, rows=rows, seed=1)
    assert framing.description.problem.type == TYPES.get(target, ProblemType.REGRESSION)
    assert len(framing.x) == len(framing.description.targets) == (rows or len(data[name].y_train))
    assert framing.question.endswith(("?", ")"))
    assert data[name].test.looks == 0


def test_frame_problem_asks_the_usual_question_first(data):
    for dataset in data.values():
        framing = frame_problem(dataset)
        assert np.array_equal(np.sort(framing.description.targets), np.sort(dataset.y_train))
        assert framing.question == dataset.problem.question


def test_frame_problem_pairs_inputs_with_their_targets_and_more_rows_hold_fewer(data):
    few, more = (frame_problem(data["housing"], target="latitude", rows=rows) for rows in (100, 300))
    assert np.array_equal(few.x, more.x[:100])
    columns = {name: few.x[:, place] for place, name in enumerate(few.inputs)}
    every = np.column_stack([data["housing"].x_train, data["housing"].y_train])
    row = np.flatnonzero((every[:, -1] == columns[HOUSE_VALUE][7]) & (every[:, -2] == columns["median_income"][7]))
    assert every[row, 1].tolist() == [few.description.targets[7]]


def test_frame_problem_counts_the_words_of_a_review(data):
    framing = frame_problem(data["imdb"], target="length", rows=20)
    assert framing.description.targets.tolist() == [len(framing.x[row]) for row in range(20)]


def test_closeness_is_spearmans_correlation(data):
    framing = frame_problem(data["housing"], inputs=("median_income", "latitude", "households"))
    assert framing.inputs == ("latitude", "households", "median_income")
    for place, value in enumerate(framing.closeness):
        assert value == pytest.approx(spearmanr(framing.x[:, place], framing.description.targets).statistic)
    assert frame_problem(data["mnist"], rows=50).closeness == ()
    constant = dataclasses.replace(data["housing"], x_train=np.ones_like(data["housing"].x_train))
    assert frame_problem(constant, rows=50).closeness == (0.0,) * 8


def test_input_columns_leave_out_what_is_asked_for():
    assert input_columns("housing", HOUSE_VALUE) == HOUSING_FEATURES
    assert set(COLUMN_UNITS) - set(input_columns("housing", "value_and_income")) == {HOUSE_VALUE, "median_income"}
    assert HOUSE_VALUE not in input_columns("housing", "fraction_of_cap")
    assert HOUSE_VALUE in input_columns("housing", "latitude")


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
    with pytest.raises(ValueError, match=r"is for one question already. .*Take load\(\) of mnist, imdb, housing"):
        frame_problem(recipe.load("mnist_five", source="sample"))


# The panel.


@pytest.fixture
def panel(data):
    panel = ProblemPanel(*data.values())
    yield panel
    panel.close()


def test_panel_shows_every_target_with_words_and_a_table(panel):
    for name, target in EVERY_TARGET:
        description = panel.run(data=name, target=target, rows=50).description
        assert panel.settings == ProblemSettings(data=name, target=target, rows=50)
        words = panel.alt_text()
        assert all(text in words for text in (str(description.problem.type), description.layer_code, description.guess))
        assert [row["target"] for row in panel.table()] == list(description.problem.output_names)
        assert bytes(panel.image.value[:4]) == b"\x89PNG"


@pytest.mark.parametrize(
    ("name", "text"),
    [("mnist", "50 images of 8 × 8 grey levels"), ("imdb", "50 reviews, each"), ("housing", "50 districts, 8 columns")],
)
def test_panel_figure_says_what_a_sample_is_and_what_the_target(panel, name, text):
    panel.run(data=name, rows=50)
    top, target, card = panel.figure().axes
    assert top.get_title(loc="left").startswith(f"Input: {text}")
    assert target.get_title(loc="left") == f"Target: {next(iter(TARGETS[name].values()))}"
    assert panel.result.description.problem.last_layer.loss in card.texts[0].get_text()


def test_panel_run_returns_what_frame_problem_returns(panel, data):
    framing = panel.run(data="housing", target="latitude", inputs=("median_income", "longitude"), rows=300, draw=4)
    expected = frame_problem(
        data["housing"], target="latitude", inputs=("longitude", "median_income"), rows=300, seed=4
    )
    assert np.array_equal(framing.x, expected.x)
    assert framing.closeness == expected.closeness
    assert str(framing.description) == str(expected.description)
    assert len(panel.run(data="mnist", rows=0).description.targets) == len(data["mnist"].y_train)
    assert sum(row["share"] for row in panel.table()) == pytest.approx(1)


def test_panel_data_brings_its_own_targets_and_all_inputs(panel):
    panel.controls["data"].value = "housing"
    panel.wait(timeout=60)
    assert panel.settings == ProblemSettings(data="housing", target=HOUSE_VALUE)
    assert panel.result.inputs == HOUSING_FEATURES
    assert panel.controls["inputs"].layout.display == "flex"
    panel.controls["data"].value = "imdb"
    panel.wait(timeout=60)
    assert (panel.result.dataset.problem.name, panel.result.target) == ("imdb", "sentiment")
    assert panel.controls["inputs"].layout.display == "none"


def test_panel_control_recomputes_and_redraws(panel):
    panel.run(rows=300)
    before = panel.image.value
    panel.controls["target"].value = "is_five"
    panel.wait(timeout=60)
    assert panel.result.target == "is_five"
    assert panel.image.value != before
    assert "Binary classification" in panel.status.value


def test_panel_box_leaves_its_column_out(panel):
    panel.run(data="housing")
    picker = panel.controls["inputs"]
    picker.boxes["latitude"].value = False
    panel.wait(timeout=60)
    assert "latitude" not in panel.result.inputs
    assert len(panel.result.inputs) == 7
    picker.boxes["latitude"].value = True
    panel.wait(timeout=60)
    assert panel.settings.inputs == ()


def test_picker_disables_the_target_and_the_last_column_left():
    picker = ColumnPicker()
    picker.offer(("longitude", "latitude"))
    assert [name for name, box in picker.boxes.items() if box.value] == ["longitude", "latitude"]
    assert picker.boxes["median_income"].disabled
    picker.boxes["longitude"].value = False
    assert picker.value == ("latitude",)
    assert picker.boxes["latitude"].disabled
    picker.boxes["longitude"].value = True
    assert picker.value == ()
    assert not picker.boxes["latitude"].disabled


def test_panel_settings_go_through_text_and_controls(panel):
    settings = ProblemSettings(data="housing", target="median_income", inputs=("latitude", "households"), rows=100)
    panel.settings = settings.to_text()
    assert panel.settings == settings
    assert panel.result is None
    assert ProblemSettings.from_text("data=imdb") == ProblemSettings(data="imdb", target="sentiment")


def test_settings_take_all_columns_and_their_order_for_no_choice():
    everything = ProblemSettings(data="housing", target=HOUSE_VALUE, inputs=HOUSING_FEATURES[::-1])
    assert everything.inputs == ()
    two = ProblemSettings(data="housing", target=HOUSE_VALUE, inputs=("latitude", "longitude"))
    assert two.inputs == ("longitude", "latitude")
    assert two.replace(target="latitude").inputs == ()


def test_settings_refuse_what_makes_no_question():
    with pytest.raises(ValueError, match=r"mnist has no such target. Received: target='sentiment'"):
        ProblemSettings(target="sentiment")
    with pytest.raises(ValueError, match="latitude is what is asked for"):
        ProblemSettings(data="housing", target="latitude", inputs=("latitude",))
    with pytest.raises(ValueError, match="data is none of the choices"):
        ProblemSettings().replace(data="cifar")


def test_panel_wants_a_dataset_and_offers_only_those_it_has(data):
    with pytest.raises(ValueError, match="There is nothing to look at"):
        ProblemPanel()
    only = ProblemPanel(data["housing"])
    assert only.settings == ProblemSettings(data="housing", target=HOUSE_VALUE)
    assert [name for _, name in only.controls["data"].options] == ["housing"]
    only.close()


def test_panel_says_where_its_data_is_from(panel, data):
    assert "mnist, imdb, housing: an embedded sample, not the real data." in panel.source_label.value
    mixed = ProblemPanel(data["mnist"], dataclasses.replace(data["imdb"], source="local"))
    assert "mnist: an embedded sample, not the real data.<br>imdb: real data, from files" in mixed.source_label.value
    mixed.close()


@pytest.mark.parametrize(
    ("data_name", "target"), [("mnist", "three_labels"), ("mnist", "digit"), ("housing", "value_and_income")]
)
def test_answer_puts_one_target_into_words(data, data_name, target):
    framing = frame_problem(data[data_name], target=target, rows=20)
    y, names = framing.description.targets[7], framing.description.problem.output_names
    if target == "digit":
        assert framing.answer(7) == names[y]
    elif target == "three_labels":
        assert framing.answer(7) == (", ".join(name for name, yes in zip(names, y, strict=True) if yes) or "none")
    else:
        assert framing.answer(7) == f"{y[0]:,.0f} and {y[1]:.3g}"
