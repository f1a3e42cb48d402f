"""The game of faults: seeded rounds, points, answers that say why, and figures that show the numbers."""

from __future__ import annotations

import numpy as np
import pytest

import recipe
from recipe.data.problems import find_problem
from recipe.debugging import CHECKS
from recipe.debugging.checks import Check, Status
from recipe.debugging.faults import FAULTS, faults_of, make_pipeline
from recipe.figures import blank_figure, to_png
from recipe.lessons.s8_debug.fault_game import (
    CHECK_COSTS,
    POINTS,
    PROBLEMS,
    SOUND,
    WRONG_COSTS,
    FaultGame,
    show_symptoms,
)
from recipe.lessons.s8_debug.figures import describe_symptoms, draw_matrix, draw_symptoms


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample", rows=300)


@pytest.fixture
def game(houses):
    return FaultGame(houses)


def number_of(game, fault):
    """Find the round in which this is broken."""
    return next(number for number in range(100) if game.fault_of(number) == (fault and FAULTS[fault]))


def test_same_number_is_the_same_round(houses, game):
    one, two = game.start(4), FaultGame(houses).start(4)
    for name, values in one.symptoms.history.items():
        assert values == pytest.approx(two.symptoms.history[name], nan_ok=True)
    assert one.symptoms.facts == two.symptoms.facts


def test_every_fault_comes_once_before_one_comes_again(game):
    (data,) = game.datasets
    faults = [FAULTS[name] for name in faults_of(data.problem)]
    for bag in (0, 1):
        drawn = [game.fault_of(number) for number in range(bag * len(faults) + bag, (bag + 1) * (len(faults) + 1))]
        assert len(drawn) == len(faults) + 1
        assert all(fault in drawn for fault in (*faults, None))


def test_symptoms_do_not_name_the_fault(game):
    shown = repr(game.start(number_of(game, "leak")))
    assert "leak" not in shown
    assert "fault" not in shown
    assert "leak" not in repr(make_pipeline(game.datasets[0], "leak"))


def test_checks_cost_points_once_and_are_kept(game):
    game.start(number_of(game, "leak"))
    found = game.check("duplicates")
    assert found.failed
    assert game.check("duplicates") is found
    game.check("dropout")
    assert game.round.points == POINTS - 2 * CHECK_COSTS
    assert [check.name for check in game.round.checks] == ["duplicates", "dropout"]


def test_right_guess_ends_the_round_with_the_points_that_are_left(game):
    game.start(number_of(game, "leak"))
    game.check("duplicates")
    answer = game.guess("leak")
    assert answer.right
    assert game.round.won
    assert FAULTS["leak"].mend in answer.text
    assert "duplicates: failed." in answer.text
    assert game.score == game.scores[game.round.number] == POINTS - CHECK_COSTS
    with pytest.raises(RuntimeError, match=r"This round is over\. Received: round \d+\. Start another\."):
        game.guess("leak")


def test_wrong_guess_costs_three_points_and_is_told_why(game):
    game.start(number_of(game, "leak"))
    answer = game.guess("frozen_layers")
    assert not answer.right
    assert answer.text == ("It is not frozen layers: the check of frozen layers does not fail. No layer is frozen.")
    assert game.guess("labels_off_by_one").text == "It is not labels off by one: that cannot happen here."
    assert game.guess(SOUND).text == "Something is broken: at least one check fails."
    assert game.round.points == POINTS - 3 * WRONG_COSTS
    assert not game.round.over


def test_round_ends_without_points_and_the_truth_is_told(game):
    game.start(number_of(game, "leak"))
    for name in ("frozen_layers", "dead_units", "wrong_loss", SOUND):
        game.guess(name)
    assert game.round.over
    assert not game.round.won
    assert game.round.truth.startswith(f"It is {FAULTS['leak'].title}. ")
    assert game.score == 0
    game.check("duplicates")  # after the end one may look for nothing
    assert game.round.points == 0


def test_sound_pipeline_is_a_right_guess_too(game):
    game.start(number_of(game, None))
    assert game.guess(SOUND).text == "Nothing is broken: this pipeline is sound."


def test_a_round_that_is_played_again_gives_no_points(game):
    number = number_of(game, "leak")
    game.start(number)
    for name in ("frozen_layers", "dead_units", "wrong_loss", SOUND):
        game.guess(name)
    game.start(number)
    game.guess("leak")
    assert game.scores == {number: 0}


def test_another_fault_whose_check_fails_too_is_named_as_such(game):
    game.start(number_of(game, "dead_units"))
    answer = game.guess("labels_out_of_step")
    assert not answer.right
    assert answer.text.startswith("It is not targets out of step, though the check of zero input fails")


def test_game_refuses_what_does_not_exist(houses):
    game = FaultGame(houses)
    with pytest.raises(RuntimeError, match=r"There is no round yet\."):
        game.check("duplicates")
    with pytest.raises(ValueError, match=r"not played with\. Received: problem='mnist'\. Choose from any, housing\."):
        game.start(1, "mnist")
    game.start(1)
    with pytest.raises(ValueError, match=r"There is no such check\. Received: 'twin'\."):
        game.check("twin")
    with pytest.raises(ValueError, match=r"There is no such fault\. Received: 'gremlins'\. Choose from nothing, "):
        game.guess("gremlins")


@pytest.mark.parametrize("base", ["mnist", "imdb", "housing"])
def test_symptoms_are_drawn_with_their_numbers(base):
    rows = {"mnist": 300, "imdb": 300, "housing": 300}[base]
    pipeline = make_pipeline(recipe.load(base, source="sample", rows=rows))
    symptoms = show_symptoms(pipeline, epochs=2)
    figure = blank_figure((7.6, 5.0))
    draw_symptoms(figure, symptoms)
    assert to_png(figure).startswith(b"\x89PNG")
    left = figure.subfigs[0].axes[0]
    assert np.allclose(left.get_lines()[0].get_ydata(), symptoms.history["loss"])
    assert np.allclose(left.get_lines()[1].get_ydata(), symptoms.history["val_loss"])
    assert left.get_title(loc="left") == f"{base} (sample)"
    words = describe_symptoms(symptoms)
    assert f"loss from {symptoms.history['loss'][0]:.3g} to {symptoms.history['loss'][-1]:.3g}" in words
    low, high = pipeline.x_train.min(), pipeline.x_train.max()
    name, text = symptoms.facts[0]
    assert name == "training inputs"
    assert text.startswith(f"shape {pipeline.x_train.shape}, from {low:.4g} to {high:.4g}, mean ")


def test_losses_that_are_no_number_are_said_to_be(houses):
    figure = blank_figure((7.6, 5.0))
    draw_symptoms(figure, show_symptoms(make_pipeline(houses, "nan_in_input"), epochs=1))
    assert [text.get_text() for text in figure.subfigs[0].axes[0].texts] == ["not a number"]


def test_matrix_marks_what_fails():
    made = {
        "sound": [Check(name=name, status=Status.PASSED, found="") for name in ("a", "b")],
        "broken": [
            Check(name="a", status=Status.FAILED, found=""),
            Check(name="b", status=Status.NOT_APPLICABLE, found=""),
        ],
    }
    axes = draw_matrix(made, axes=blank_figure().subplots())
    assert [(line.get_xdata()[0], line.get_ydata()[0], line.get_marker()) for line in axes.get_lines()] == [
        (0, 1, "X"),
        (1, 1, "_"),
    ]


def test_every_fault_names_a_check_that_exists():
    for fault in FAULTS.values():
        assert {fault.check_for(find_problem(name)) for name in PROBLEMS} <= set(CHECKS)
        assert fault.text.endswith(".")
        assert fault.mend.endswith(".")
