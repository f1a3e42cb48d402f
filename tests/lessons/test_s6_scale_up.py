"""Lesson 6: the panels of bias and variance."""

import pytest

import recipe
from recipe.lessons.s6_scale_up.boundaries import BoundaryPanel
from recipe.lessons.s6_scale_up.panel import TEXTBOOK_CASES, ErrorsPanel

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def panel():
    return ErrorsPanel({"mine": (0.0, 0.1), "other": (0.3, 0.6)})


def test_panel_diagnoses_what_the_sliders_say(panel):
    result = panel.run(training=0.15, validation=0.18, reachable=0.15)
    assert result == recipe.diagnose_errors(0.15, 0.18, 0.15)
    assert result.sentence in panel.status.value
    panel.controls["training"].value = 0.01
    panel.wait(timeout=60)
    assert panel.result.train_error == 0.01
    assert panel.run(training=0.123).train_error == 0.123  # gets a stop of its own


def test_panel_tells_own_runs_and_the_textbooks_cases_in_words_and_rows(panel):
    panel.run(training=0.15, validation=0.14, reachable=0.0)
    assert "mine: 0 % and 10 %, high variance." in panel.alt_text()
    assert "textbook's C: 15 % and 30 %, both are high." in panel.alt_text()
    assert panel.table()["name"].tolist() == ["the sliders", "mine", "other", *TEXTBOOK_CASES]
    assert panel.table()["bias"][0] == "high"


def test_panel_draws_other_regions_for_another_reachable_error(panel):
    panel.run(training=0.15, validation=0.14, reachable=0.0)
    before = panel.image.value
    panel.run(reachable=0.15)
    assert "textbook's C: 15 % and 30 %, high variance." in panel.alt_text()
    assert panel.image.value != before


@pytest.fixture(scope="module")
def plane():
    return BoundaryPanel()


def test_boundaries_show_bias_of_a_small_network_and_variance_of_a_large_one(plane):
    small, large = (plane.run(units=units, rows=60) for units in (1, 32))
    assert small.training.mean() > large.training.mean() + 0.08
    assert small.bias > large.bias + 0.04
    assert large.variance > small.variance + 0.04
    assert large.x.shape == (60, 2)
    assert large.validation.mean() > large.training.mean() + 0.08


@pytest.mark.parametrize("changes", [{"rows": 300}, {"l2": 0.03}, {"dropout": 0.5}])
def test_boundaries_lie_closer_together_with_more_rows_or_regularization(plane, changes):
    usual = {"units": 32, "rows": 60, "l2": 0.0, "dropout": 0.0}
    free, held = plane.run(**usual), plane.run(**usual | changes)
    assert held.variance < free.variance - 0.02
    assert not (held.decisions == free.decisions).all()


def test_boundaries_are_the_same_again_after_other_settings(plane):
    first = plane.run(units=4, rows=40)
    plane.run(units=16, rows=200, noise=0.3, l2=0.01)
    again = plane.run(units=4, rows=40, noise=0.1, l2=0.0)
    assert (first.decisions == again.decisions).all()
    assert plane.table()["validation_error"].tolist() == first.validation.tolist()
    assert f"validation error {first.validation.mean():.1%}" in plane.alt_text()
