"""Step 1's panel, driven from Python: what it shows is what `frame_problem` returns, and controls follow each other."""

import dataclasses

import numpy as np
import pytest

import recipe
from recipe.data.problems import HOUSING_FEATURES
from recipe.lessons.s1_problem.framing import HOUSE_VALUE, TARGETS, frame_problem
from recipe.lessons.s1_problem.panel import ColumnPicker, ProblemPanel, ProblemSettings


@pytest.fixture(scope="module")
def data():
    return [recipe.load(name, source="sample") for name in ("mnist", "imdb", "housing")]


@pytest.fixture
def panel(data):
    panel = ProblemPanel(*data)
    yield panel
    panel.close()


@pytest.mark.parametrize(("base", "target"), [(base, target) for base in TARGETS for target in TARGETS[base]])
def test_every_target_is_shown_with_words_and_a_table(panel, base, target):
    framing = panel.run(data=base, target=target, rows=50)
    description = framing.description
    assert panel.settings == ProblemSettings(data=base, target=target, rows=50)
    assert str(description.type) in panel.alt_text()
    assert description.layer_code in panel.alt_text()
    assert description.guess in panel.alt_text()
    assert [row["target"] for row in panel.table()] == list(description.names)
    assert bytes(panel.image.value[:4]) == b"\x89PNG"


def test_run_returns_what_frame_problem_returns(panel, data):
    framing = panel.run(data="housing", target="latitude", inputs=("median_income", "longitude"), rows=300, draw=4)
    expected = frame_problem(data[2], target="latitude", inputs=("longitude", "median_income"), rows=300, seed=4)
    assert np.array_equal(framing.x, expected.x)
    assert framing.closeness == expected.closeness
    assert str(framing.description) == str(expected.description)


def test_rows_0_takes_all(panel, data):
    assert panel.run(rows=0).description.samples == len(data[0].y_train)


def test_table_of_classes_holds_shares_that_add_up(panel):
    panel.run(target="digit")
    assert sum(row["share"] for row in panel.table()) == pytest.approx(1)


def test_change_of_data_brings_its_own_targets_and_all_inputs(panel):
    panel.controls["data"].value = "housing"
    panel.wait(timeout=60)
    assert panel.settings == ProblemSettings(data="housing", target=HOUSE_VALUE)
    assert panel.result.inputs == HOUSING_FEATURES
    assert panel.controls["inputs"].layout.display == "flex"
    panel.controls["data"].value = "imdb"
    panel.wait(timeout=60)
    assert (panel.result.base, panel.result.target) == ("imdb", "sentiment")
    assert panel.controls["inputs"].layout.display == "none"


def test_change_of_a_control_recomputes_and_redraws(panel):
    panel.run(rows=300)
    before = panel.image.value
    panel.controls["target"].value = "is_five"
    panel.wait(timeout=60)
    assert panel.result.target == "is_five"
    assert panel.image.value != before
    assert "Binary classification" in panel.status.value


def test_unticking_a_box_leaves_its_column_out(panel):
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


def test_settings_go_through_text_and_controls(panel):
    settings = ProblemSettings(data="housing", target="median_income", inputs=("latitude", "households"), rows=100)
    panel.settings = settings.to_text()
    assert panel.settings == settings
    assert panel.result is None
    assert ProblemSettings.from_text("data=imdb") == ProblemSettings(data="imdb", target="sentiment")


def test_all_columns_and_their_order_are_no_choice():
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
    only = ProblemPanel(data[2])
    assert only.settings == ProblemSettings(data="housing", target=HOUSE_VALUE)
    assert [base for _, base in only.controls["data"].options] == ["housing"]
    only.close()


def test_failure_reaches_status_and_caller(panel, monkeypatch):
    monkeypatch.setattr(panel, "_by_base", {})
    with pytest.raises(KeyError):
        panel.run()
    assert "KeyError" in panel.status.value


def test_source_of_the_data_stands_on_the_panel(panel, data):
    assert "mnist, imdb, housing: an embedded sample, not the real data." in panel.source_label.value
    mixed = ProblemPanel(data[0], dataclasses.replace(data[1], source="local"))
    assert "mnist: an embedded sample, not the real data.<br>imdb: real data, from files" in mixed.source_label.value
    mixed.close()
