"""The game of faults: seeded rounds, points, answers that say why, and a figure that shows the numbers."""

from __future__ import annotations

import pytest

import recipe
from recipe.data.problems import find_problem
from recipe.debugging import CHECKS
from recipe.debugging.faults import FAULTS, faults_of
from recipe.lessons.s8_debug.fault_game import (
    CHECK_COSTS,
    POINTS,
    PROBLEMS,
    SOUND,
    WRONG_COSTS,
    FaultGame,
)

WRONG = ("frozen_layers", "dropout_too_strong", "wrong_loss", SOUND)  # told from a leak without a training


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=120)


@pytest.fixture
def game(houses):
    return FaultGame(houses)


def number_of(game, fault):
    """Find the round in which this is broken."""
    return next(number for number in range(100) if game.fault_of(number) == (fault and FAULTS[fault]))


@pytest.fixture
def leak(game):
    """A game whose round has begun: half of the validation samples stand in the training part, too."""
    game.start(number_of(game, "leak"))
    return game


def test_same_number_is_the_same_round(houses, game):
    one, two = game.start(4), FaultGame(houses).start(4)
    for name, values in one.history.items():
        assert values == pytest.approx(two.history[name], nan_ok=True)
    assert one.facts == two.facts


def test_every_fault_comes_once_before_one_comes_again(game):
    (data,) = game.datasets
    faults = [*(FAULTS[name] for name in faults_of(data.problem)), None]
    for bag in (0, 1):
        drawn = [game.fault_of(number) for number in range(bag * len(faults), (bag + 1) * len(faults))]
        assert len(drawn) == len(faults)
        assert all(fault in drawn for fault in faults)


def test_symptoms_do_not_name_the_fault(leak):
    assert "leak" not in repr(leak.round)
    assert "fault" not in repr(leak.round)


def test_checks_cost_points_once_and_are_kept(leak):
    found = leak.check("duplicates")
    assert found.failed
    assert leak.check("duplicates") is found
    leak.check("dropout")
    assert leak.round.points == POINTS - 2 * CHECK_COSTS
    assert [check.name for check in leak.round.checks] == ["duplicates", "dropout"]


def test_right_guess_ends_the_round_with_the_points_that_are_left(leak):
    leak.check("duplicates")
    answer = leak.guess("leak")
    assert answer.right
    assert leak.round.won
    assert FAULTS["leak"].mend in answer.text
    assert "duplicates: failed." in answer.text
    assert leak.score == leak.scores[leak.round.number] == POINTS - CHECK_COSTS
    with pytest.raises(RuntimeError, match=r"This round is over\. Received: round \d+\. Start another\."):
        leak.guess("leak")


def test_wrong_guess_costs_three_points_and_is_told_why(leak):
    answer = leak.guess("frozen_layers")
    assert not answer.right
    assert answer.text == "It is not frozen layers: the check of frozen layers does not fail. No layer is frozen."
    assert leak.guess("labels_off_by_one").text == "It is not labels off by one: that cannot happen here."
    assert leak.guess(SOUND).text == "Something is broken: at least one check fails."
    assert leak.round.points == POINTS - 3 * WRONG_COSTS
    assert not leak.round.over


def test_round_ends_without_points_tells_the_truth_and_gives_none_when_played_again(leak):
    for name in WRONG:
        leak.guess(name)
    assert (leak.round.over, leak.round.won, leak.score) == (True, False, 0)
    assert leak.round.truth.startswith(f"It is {FAULTS['leak'].title}. ")
    leak.check("duplicates")  # after the end one may look for nothing
    assert leak.round.points == 0
    leak.start(leak.round.number)
    leak.guess("leak")
    assert leak.score == 0


def test_sound_pipeline_is_a_right_guess_too(game):
    game.start(number_of(game, None))
    assert game.guess(SOUND).text == "Nothing is broken: this pipeline is sound."


def test_another_fault_whose_check_fails_too_is_named_as_such(game):
    game.start(number_of(game, "sorted_data"))
    answer = game.guess("validation_prepared_otherwise")
    assert "though the check of validation inputs fails, too: " in answer.text


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda game: game.check("twin"), ValueError, r"There is no such check\. Received: 'twin'\."),
        (lambda game: game.guess("gremlins"), ValueError, r"There is no such fault\. Received: 'gremlins'\. Choose"),
        (lambda game: game.start(1, "mnist"), ValueError, r"Received: problem='mnist'\. Choose from any, housing\."),
        (lambda game: FaultGame(*game.datasets).check("loss"), RuntimeError, r"There is no round yet\."),
    ],
)
def test_game_refuses_what_does_not_exist(leak, ask, error, message):
    with pytest.raises(error, match=message):
        ask(leak)


def test_facts_are_shape_range_and_mean_of_each_part(leak):
    x = leak.round.pipeline.x_train
    assert list(leak.round.facts) == ["training inputs", "training targets", "validation inputs", "validation targets"]
    text = leak.round.facts["training inputs"]
    assert text.startswith(f"shape {x.shape}, from {x.min():.4g} to {x.max():.4g}, mean ")


def test_every_fault_names_a_check_that_exists():
    for fault in FAULTS.values():
        assert {fault.check_for(find_problem(name)) for name in PROBLEMS} <= set(CHECKS)
        assert fault.text.endswith(".")
        assert fault.mend.endswith(".")
