"""Lesson 8: the game of faults, its panel, which plays the same game, and the rates of false alarms that are cited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import recipe
from recipe.debugging.faults import FAULTS, faults_of
from recipe.debugging.pipeline import CHECKS
from recipe.lessons.s8_debug.fault_game import CHECK_COSTS, POINTS, SOUND, WRONG_COSTS, draw_fault, start_round
from recipe.lessons.s8_debug.panel import CHOICES, GUESSES, FaultGamePanel, notes_html

pytestmark = pytest.mark.usefixtures("undrawn")

ROOT = Path(__file__).resolve().parents[2]
WRONG = ("frozen_layers", "dropout_too_strong", "wrong_loss", SOUND)  # told from a leak without a training


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=120)


def find_round(houses, fault):
    """Return the number of the first round in which this is broken."""
    return next(number for number in range(1, 100) if draw_fault(houses.problem, number) == fault)


def start(houses, fault):
    return start_round(houses, find_round(houses, fault))


@pytest.fixture
def leak(houses):
    """A round that has begun: half of the validation samples stand in the training part, too."""
    return start(houses, "leak")


def test_every_fault_comes_once_before_one_comes_again(houses):
    faults = {*faults_of(houses.problem), None}
    for bag in (0, 1):
        numbers = range(bag * len(faults), (bag + 1) * len(faults))
        assert {draw_fault(houses.problem, number) for number in numbers} == faults


def test_checks_cost_points_once_and_are_kept(leak):
    found = leak.check("duplicates")
    assert found.failed
    assert leak.check("duplicates") is found
    leak.check("dropout")
    assert leak.points == POINTS - 2 * CHECK_COSTS
    assert list(leak.checks) == ["duplicates", "dropout"]


def test_right_guess_ends_the_round_with_the_points_that_are_left(leak):
    leak.check("duplicates")
    answer = leak.guess("leak")
    assert answer.outcome == "correct"
    assert leak.won
    assert "Drop duplicates, then split" in answer.text
    assert "duplicates: failed." in answer.text
    assert leak.points == POINTS - CHECK_COSTS
    assert leak.guess("frozen_layers").outcome == "incorrect"
    leak.check("dropout")
    assert leak.points == POINTS - CHECK_COSTS  # after the end everything is free


def test_wrong_guess_costs_three_points_and_is_told_why(leak):
    answer = leak.guess("frozen_layers")
    assert answer.outcome == "incorrect"
    assert answer.text == "It is not frozen layers: the check of frozen layers says passed. No layer is frozen."
    assert leak.guess("labels_off_by_one").text.startswith("It is not labels off by one: the check of labels says ")
    assert leak.guess(SOUND).text == "Something is broken: at least one check fails."
    assert leak.points == POINTS - 3 * WRONG_COSTS
    assert not leak.over


def test_round_ends_without_points_and_tells_the_truth(leak):
    for name in WRONG:
        leak.guess(name)
    assert (leak.over, leak.won, leak.points) == (True, False, 0)
    assert leak.truth.startswith(f"It is {FAULTS['leak'].title}. ")
    assert "No point is left.</b> It is " in notes_html(leak)


def test_sound_pipeline_is_a_right_guess_too(houses):
    assert start(houses, None).guess(SOUND).text == "Nothing is broken: this pipeline is sound."


def test_another_fault_whose_check_fails_too_is_named_as_such(houses):
    answer = start(houses, "sorted_data").guess("validation_prepared_otherwise")
    assert "the check of validation inputs fails, too, for another reason. " in answer.text


def test_facts_are_shape_range_and_mean_of_each_part_and_do_not_name_the_fault(leak):
    x = leak.pipeline.x_train
    assert list(leak.facts) == ["training inputs", "training targets", "validation inputs", "validation targets"]
    text = leak.facts["training inputs"]
    assert text.startswith(f"shape {x.shape}, from {x.min():.4g} to {x.max():.4g}, mean ")
    assert not any(word in repr(leak) for word in ("leak", "fault"))


# The panel.


@pytest.fixture
def panel(houses):
    """A panel in whose round half of the validation samples stand in the training part, too."""
    panel = FaultGamePanel(houses)
    panel.run(round=find_round(houses, "leak"))
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


def test_lesson_cites_the_false_alarms_as_they_are_published():
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    unseen = page.split("## False alarms")[1]
    sound = re.search(r"(\d+) sound pipelines", unseen)[1]
    alarms = sum(map(int, re.findall(r"\((\d+)\)", unseen.split("They failed on:")[1])))
    broken, share = re.search(r"(\d+) broken pipelines of \d+ kinds: the right check fails in (\d+)%", page).groups()
    lesson = (ROOT / "notebooks" / "08_debug_the_pipeline.ipynb").read_text(encoding="utf-8")
    assert share == "100"
    assert f"alarms, sound, broken = {alarms}, {sound}, {broken}  # cited from docs/checks.md" in lesson
