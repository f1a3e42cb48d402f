"""What a press of Train does: the journal or a training, the messages, and a guess held against what came."""

from __future__ import annotations

import math

import pytest

from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.ui.trainer import describe_score, judge_guess, train_live
from recipe.ui.training_settings import NO_GUESS

SPEC = ModelSpec(hidden_units=(4,), batch_size=32, epochs=3)
OVERFITTING = {
    "data_loss": [0.9, 0.5, 0.3, 0.2, 0.1, 0.05],
    "val_data_loss": [0.9, 0.6, 0.5, 0.7, 0.9, 1.2],
    "accuracy": [0.7, 0.8, 0.9, 0.95, 0.99, 1.0],
    "val_accuracy": [0.7, 0.75, 0.8, 0.8, 0.78, 0.78],
}


def make_run(problem="mnist", baseline=0.1, **curves):
    history = OVERFITTING | {name: [value] * 6 for name, value in curves.items()}
    given = {"spec": SPEC, "source": "sample", "protocol": "", "baseline": baseline}
    return Run(problem=PROBLEMS[problem], history=history, **given)


@pytest.fixture(scope="module")
def prepared():
    return prepare(hold_out(load("mnist", source="sample", rows=200)))


def test_train_live_shows_a_run_under_way_with_the_time_that_is_left(prepared):
    told = []
    run = train_live(SPEC, prepared, (0, 1), journal=None, on_progress=lambda *one: told.append(one))
    assert [partial.epochs for partial, _ in told] == [1, 1, 1, 2, 2, 3]  # the two train side by side
    assert told[-1][0].history == run.history
    assert told[-1][0].score == run.score
    assert told[0][1] == "Network 1 of 2, epoch 1 of 3"
    assert told[-1][1] == "Network 2 of 2, epoch 3 of 3, 0 s left"


def test_message_says_at_most_where_training_may_stop_early(prepared):
    told = []
    spec = SPEC.replace(patience=2)
    train_live(spec, prepared, (0,), journal=None, on_progress=lambda run, message: told.append(message))
    assert told[-1] == "Epoch 3 of 3, at most 0 s left"


def test_describe_score_puts_both_parts_beside_the_baseline():
    assert describe_score(make_run()) == "Validation accuracy 0.8, training 0.9: better than the baseline's 0.1."
    houses = make_run("housing", 0.1, mae=0.05, val_mae=0.12)
    assert describe_score(houses) == (
        "Validation mean absolute error 0.12 hundred thousand dollars, training 0.05: no better than the baseline's "
        "0.1."
    )
    assert describe_score(make_run(val_accuracy=math.nan)) == "There is no score: the loss is not finite."


@pytest.mark.parametrize(
    ("guess", "last", "outcome"),
    [
        ("it overfits", None, "right"),
        ("it does not overfit", None, "wrong"),
        ("it beats the last run", 0.7, "right"),
        ("it does not beat the last run", 0.9, "right"),
        ("it does not beat the last run", 0.8, "right"),  # the same score is not better
    ],
)
def test_judge_guess_holds_it_against_what_came(guess, last, outcome):
    before = None if last is None else make_run(val_accuracy=last)
    assert judge_guess(guess, make_run(), before) == f"You guessed that {guess}: {outcome}."


def test_judge_guess_says_nothing_of_no_guess_and_needs_a_last_run_to_beat():
    assert judge_guess(NO_GUESS, make_run(), None) == ""
    assert judge_guess("it beats the last run", make_run(), None).startswith("There is no last run")
