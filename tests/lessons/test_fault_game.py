"""The game of faults: seeded rounds, points, answers that say why, and a figure that shows the numbers."""

from __future__ import annotations

import pytest

import recipe
from recipe.data.problems import find_problem
from recipe.debugging import CHECKS
from recipe.debugging.faults import FAULTS, faults_of
from recipe.lessons.s8_debug.fault_game import CHECK_COSTS, POINTS, SOUND, WRONG_COSTS, draw_fault, start_round
from recipe.lessons.s8_debug.panel import notes_html

WRONG = ("frozen_layers", "dropout_too_strong", "wrong_loss", SOUND)  # told from a leak without a training


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=120)


def start(houses, fault):
    """Begin the first round in which this is broken."""
    numbers = range(100)
    return start_round(houses, next(one for one in numbers if draw_fault(houses.problem, one) == fault))


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


def test_every_fault_names_a_check_that_exists():
    for fault in FAULTS.values():
        assert {fault.check_for(find_problem(name)) for name in ("mnist", "imdb", "housing")} <= set(CHECKS)
        assert fault.text.endswith(".")
