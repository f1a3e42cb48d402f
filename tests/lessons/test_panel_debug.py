"""Step 8's panel, driven from Python: it plays the game that `FaultGame` plays, and shows what it says."""

from __future__ import annotations

import pytest

import recipe
from recipe.debugging import CHECKS
from recipe.debugging.faults import FAULTS
from recipe.lessons.s8_debug.fault_game import POINTS, SOUND, draw_fault, start_round
from recipe.lessons.s8_debug.panel import CHOICES, GUESSES, FaultGamePanel, notes_html

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=120)


@pytest.fixture
def panel(houses):
    """A panel in whose round half of the validation samples stand in the training part, too."""
    panel = FaultGamePanel(houses)
    panel.run(round=next(number for number in range(1, 100) if draw_fault(houses.problem, number) == "leak"))
    return panel


def test_run_shows_the_symptoms_that_the_game_shows(panel, houses):
    expected = start_round(houses, panel.settings.round)
    assert panel.result.facts == expected.facts
    assert panel.result.history["val_data_loss"] == pytest.approx(expected.history["val_data_loss"])
    assert panel.result.points == POINTS
    assert f"training inputs: {expected.facts['training inputs']}" in panel.notes.value


@pytest.mark.parametrize("base", FaultGamePanel.loads)
def test_figure_shows_the_numbers_of_the_round(base):
    panel = FaultGamePanel(recipe.load(base, source="sample", rows=120))
    history = panel.run().history
    above, below = panel.figure().subfigs
    assert above.axes[0].get_lines()[0].get_ydata() == pytest.approx(history["data_loss"], nan_ok=True)
    assert below.get_suptitle() == f"First training samples ({base}, sample)"
    assert f"{base}. Training curves over 8 epochs. data loss: training from " in panel.alt_text()


def test_guess_is_answered_and_scored(panel):
    assert panel.guess("frozen_layers").outcome == "incorrect"
    assert "Not that." in panel.status.value
    assert panel.guess("leak").outcome == "correct"
    assert "Right! Round" in panel.status.value
    assert "Drop duplicates, then split" in panel.notes.value
    assert panel.result.points == POINTS - 3
    assert panel.run(round=panel.settings.round + 1).points == POINTS


def test_buttons_do_the_same_as_python(panel):
    panel.controls["check"].value = "duplicates"
    panel.run_button.click()
    panel.wait(timeout=60)
    assert panel.table()["outcome"].tolist() == ["failed"]
    assert "duplicates: failed." in panel.notes.value
    assert f"{POINTS - 1} points left" in panel.status.value
    panel.controls["fault"].value = "leak"
    panel.guess_button.click()
    panel.wait(timeout=60)
    assert panel.result.won


def test_round_that_was_never_shown_is_not_judged(panel):
    before = panel.result
    panel.controls["fault"].value = "leak"
    panel.controls["round"].value += 1  # shows the round
    panel.guess_button.click()
    panel.wait(timeout=60)
    assert panel.result is not before
    assert panel.result.number == panel.settings.round
    assert panel.result.answers == []
    panel.settings = panel.settings.replace(round=panel.settings.round + 1)  # shows nothing yet
    panel.guess_button.click()
    panel.wait(timeout=60)
    assert panel.result.number == panel.settings.round
    assert (panel.result.answers, panel.result.points) == ([], POINTS)


def test_double_click_guesses_once(panel):
    panel.controls["fault"].value = "frozen_layers"
    panel.guess_button.click()
    panel.guess_button.click()
    panel.wait(timeout=60)
    assert panel.result.points == POINTS - 3


def test_symptoms_are_there_before_anything_is_pressed(houses):
    panel = FaultGamePanel(houses)
    panel._ipython_display_()
    assert panel.result.points == POINTS
    assert "data loss: training from" in panel.image.tooltip


def test_menus_hold_every_check_every_fault_and_the_problems_that_are_there(panel):
    assert list(CHOICES.values())[1:] == list(CHECKS)
    assert list(GUESSES.values()) == [SOUND, *FAULTS]
    assert [value for _, value in panel.controls["problem"].options] == ["housing"]
    assert notes_html(None) == ""
