"""Lesson 6: the panel of bias and variance."""

import pytest

import recipe
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
