"""The diagnosis of training curves that were written by hand."""

import dataclasses
import json
import math

import numpy as np
import pytest

from recipe.data.problems import find_problem
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.s6_histories import diagnose_history

FALLING = [0.60, 0.45, 0.35, 0.28, 0.22]


def verdict(val_loss, loss=None, **others):
    loss = loss or np.geomspace(1.0, 0.1, len(val_loss)).tolist()
    return diagnose_history({"loss": loss, "val_loss": val_loss, **others})


@pytest.mark.parametrize(
    ("val_loss", "expected", "epoch"),
    [
        ([0.60, 0.40, 0.30, 0.40, 0.50], "overfitting", 3),
        ([0.60, 0.40, 0.35, 0.41, 0.50], "overfitting", 3),
        ([0.50, 0.40, 0.35, 0.38, 0.45], "overfitting", 3),
        ([0.30, 0.35, 0.40, 0.50], "overfitting", 1),
        # Two layers of 16 units on film reviews, seventeen epochs.
        (
            [0.38, 0.31, 0.29, 0.278, 0.277, 0.28, 0.283, 0.294, 0.31, 0.33, 0.35, 0.36, 0.38, 0.41, 0.43, 0.46, 0.49],
            "overfitting",
            5,
        ),
        ([0.60, 0.45, 0.35, 0.28, 0.22], "still improving", None),
        ([0.60, 0.50], "still improving", None),
        ([0.42, 0.41, 0.40, 0.39, 0.38], "still improving", None),
        ([0.90, 0.50, 0.40, 0.399, 0.3985], "best here", None),
        ([0.12, 0.09, 0.075, 0.078, 0.077], "best here", None),  # a rise within the noise
        ([0.50, 0.40, 0.45], "best here", None),  # one epoch after the best one proves nothing
        # A bump in the middle that recovers, and one that recovers and goes on.
        (
            [0.9, 0.6, 0.5, 0.45, 0.6, 0.7, 0.55, 0.45, 0.41, 0.40, 0.399, 0.398, 0.398, 0.3975, 0.3975],
            "best here",
            None,
        ),
        (
            [0.9, 0.6, 0.5, 0.45, 0.6, 0.7, 0.55, 0.45, 0.40, 0.36, 0.33, 0.30, 0.27, 0.25, 0.23],
            "still improving",
            None,
        ),
        # One spike at the end of a long plateau.
        ([0.9, 0.6, 0.5, *[0.45] * 16, 0.9], "best here", None),
    ],
)
def test_diagnose_history_of_hand_written_curves(val_loss, expected, epoch):
    diagnosis = verdict(val_loss)
    assert diagnosis.verdict == expected
    assert diagnosis.overfitting_epoch == epoch
    assert diagnosis.epochs == len(val_loss)


def test_diagnose_history_counts_from_0_inside_and_from_1_for_people():
    diagnosis = verdict([0.60, 0.40, 0.35, 0.41, 0.50])
    assert (diagnosis.best_epoch, diagnosis.overfitting_epoch, diagnosis.monitor) == (2, 3, "val_loss")
    assert diagnosis.sentence == (
        "Overfitting since epoch 4: best in epoch 3, validation loss 0.35 there, 0.455 at the end (epoch 5); "
        "training loss from 1 to 0.1."
    )


def test_diagnose_history_prefers_the_loss_without_the_penalty():
    # The penalty falls for so long that the sum hides the rise of the data loss.
    data = [0.60, 0.40, 0.35, 0.41, 0.50]
    penalty = [2.0, 1.5, 1.0, 0.6, 0.3]
    history = {
        "loss": [a + b for a, b in zip(FALLING, penalty, strict=True)],
        "val_loss": [a + b for a, b in zip(data, penalty, strict=True)],
        "data_loss": FALLING,
        "val_data_loss": data,
        "penalty": penalty,
    }
    assert diagnose_history(history).monitor == "val_data_loss"
    assert diagnose_history(history).verdict == "overfitting"
    del history["data_loss"], history["val_data_loss"]
    assert diagnose_history(history).verdict == "still improving"


def test_diagnose_history_does_not_mix_a_loss_with_and_one_without_the_penalty():
    history = {"loss": FALLING, "data_loss": FALLING, "val_loss": [0.60, 0.40, 0.35, 0.41, 0.50]}
    assert diagnose_history(history).monitor == "val_loss"


def test_diagnose_history_without_validation_judges_the_training_loss():
    diagnosis = diagnose_history({"loss": FALLING})
    assert (diagnosis.verdict, diagnosis.monitor) == ("still improving", "loss")
    assert diagnosis.sentence.endswith("Validation was not measured: overfitting cannot be seen.")
    assert diagnose_history({"loss": [0.9, 0.5, 0.4, 0.399, 0.399, 0.399]}).verdict == "best here"
    assert diagnose_history({"data_loss": FALLING}).monitor == "data_loss"
    # A training loss that rises again is no overfitting.
    assert diagnose_history({"loss": [0.9, 0.5, 0.3, 0.4, 0.5, 0.6]}).verdict == "best here"


def test_diagnose_history_of_one_epoch_says_that_it_has_no_direction():
    diagnosis = diagnose_history({"loss": [0.4], "val_loss": [0.5], "accuracy": [0.8], "val_accuracy": [0.7]})
    assert (diagnosis.verdict, diagnosis.best_epoch, diagnosis.overfitting_epoch) == ("still improving", 0, None)
    assert "One epoch has no direction" in diagnosis.sentence
    stuck = diagnose_history({"loss": [0.7], "val_accuracy": [0.5]}, baseline=0.5)
    assert stuck.verdict == "did not learn"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_diagnose_history_finds_the_epoch_that_is_not_finite(bad):
    for key in ("loss", "val_loss"):
        history = {"loss": [0.9, 0.7, 0.5, 0.4], "val_loss": [0.9, 0.6, 0.7, 0.8]}
        history[key][3] = bad
        diagnosis = diagnose_history(history)
        assert (diagnosis.verdict, diagnosis.diverged_epoch, diagnosis.best_epoch) == ("diverged", 3, 1)
        assert diagnosis.sentence == "Diverged in epoch 4 of 4: the loss is not finite or explodes."


def test_diagnose_history_that_is_never_finite_has_no_best_epoch():
    diagnosis = diagnose_history({"loss": [math.nan] * 3, "val_loss": [math.nan] * 3})
    assert (diagnosis.verdict, diagnosis.diverged_epoch, diagnosis.best_epoch) == ("diverged", 0, None)


@pytest.mark.parametrize(
    ("loss", "epoch"), [([0.7, 0.5, 3.0, 50.0, 900.0], 2), ([2.0, 500.0], 1), ([0.7, 0.5, 0.9, 800.0], 2)]
)
def test_diagnose_history_calls_an_explosion_diverged(loss, epoch):
    diagnosis = verdict(loss, loss=loss)
    assert (diagnosis.verdict, diagnosis.diverged_epoch) == ("diverged", epoch)


def test_diagnose_history_forgives_one_spike_of_the_training_loss():
    loss = [0.7, 0.5, 0.4, 90.0, 0.35, 0.3, 0.27, 0.25, 0.23, 0.2]
    assert verdict(loss, loss=loss).verdict == "still improving"
    assert verdict([0.7, 0.5, 0.4, 0.4, 0.4, 90.0], loss=[0.7, 0.5, 0.4, 0.39, 0.38, 90.0]).verdict != "diverged"


@pytest.mark.parametrize("loss", [[2.3] * 5, [2.3026, 2.3020, 2.3019, 2.3021, 2.3020], [1.0, 1.2, 1.5, 1.8], [0.0] * 4])
def test_diagnose_history_of_a_constant_loss_did_not_learn(loss):
    diagnosis = verdict(loss, loss=loss)
    assert diagnosis.verdict == "did not learn"
    assert "the baseline tells" in diagnosis.sentence


def test_diagnose_history_of_noise_alone_did_not_learn():
    rng = np.random.default_rng(0)
    loss = (0.7 + 0.02 * rng.normal(size=50)).tolist()
    assert verdict(loss, loss=loss).verdict == "did not learn"


def test_diagnose_history_asks_the_baseline_whether_anything_was_learned():
    # The loss falls, but the accuracy stays where always the most frequent class is.
    stuck = {"loss": [0.9, 0.7, 0.69, 0.69], "accuracy": [0.5] * 4, "val_accuracy": [0.5, 0.5, 0.505, 0.5]}
    assert diagnose_history(stuck).verdict == "best here"
    assert diagnose_history(stuck, baseline=0.5).verdict == "did not learn"
    # All was learned within the first epoch.
    flat = {"loss": [0.05] * 4, "val_loss": [0.06] * 4, "accuracy": [0.98] * 4, "val_accuracy": [0.97] * 4}
    assert diagnose_history(flat).verdict == "did not learn"
    assert diagnose_history(flat, baseline=0.1).verdict == "best here"


def test_diagnose_history_gives_a_falling_loss_time_before_the_measure_moves():
    # One sample in ten is a yes: none is found before the loss has fallen for a while.
    rare = {"loss": [0.46, 0.35, 0.29, 0.25, 0.21, 0.18], "val_loss": [0.47, 0.36, 0.30, 0.27, 0.24, 0.22]}
    rare |= {"f1": [0.0] * 6, "val_f1": [0.0] * 6}
    diagnosis = diagnose_history(rare, baseline=0.18)
    assert diagnosis.verdict == "still improving"
    assert diagnosis.sentence.endswith("The measure is where a guess without the input is.")


def test_diagnose_history_of_labels_learned_by_heart_is_overfitting_though_validation_is_at_the_baseline():
    history = {"loss": [0.7, 0.4, 0.2, 0.1, 0.05], "val_loss": [0.70, 0.75, 0.9, 1.2, 1.6]}
    history |= {"accuracy": [0.5, 0.8, 0.9, 0.97, 1.0], "val_accuracy": [0.5, 0.49, 0.51, 0.5, 0.5]}
    diagnosis = diagnose_history(history, baseline=0.5)
    assert (diagnosis.verdict, diagnosis.overfitting_epoch) == ("overfitting", 1)


def test_diagnose_history_takes_a_baseline_of_quantities():
    housing = find_problem("housing")
    baseline = compute_baseline(housing, np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    history = {"loss": [3.0, 1.2, 1.0, 1.0], "mae": [1.5, 0.8, 0.67, 0.67], "val_mae": [1.5, 0.8, 0.66, 0.66]}
    assert diagnose_history(history, baseline=baseline).verdict == "did not learn"
    assert diagnose_history(history, baseline=1.5).verdict == "best here"


def test_diagnose_history_does_not_blame_dropout_for_validation_below_training():
    loss = [0.9, 0.7, 0.6, 0.55, 0.52, 0.5]
    assert verdict([0.6, 0.45, 0.38, 0.33, 0.30, 0.28], loss=loss).verdict == "still improving"


def test_diagnose_history_calls_a_common_rise_unstable_and_not_overfitting():
    loss = [0.9, 0.6, 0.4, 0.5, 0.6, 0.75]
    diagnosis = verdict(loss, loss=loss)
    assert diagnosis.verdict == "best here"
    assert "training is unstable" in diagnosis.sentence


def test_diagnosis_is_frozen_and_ready_for_json():
    diagnosis = verdict([0.60, 0.40, 0.35, 0.41, 0.50])
    assert json.loads(json.dumps(dataclasses.asdict(diagnosis)))["verdict"] == "overfitting"
    with pytest.raises(dataclasses.FrozenInstanceError):
        diagnosis.verdict = "best here"


@pytest.mark.parametrize(
    ("history", "options", "error", "message"),
    [
        ({}, {}, ValueError, r"has no training loss\. Received: history with no key"),
        ({"val_loss": [1.0]}, {}, ValueError, r"Received: history with val_loss\. Pass what Keras returned"),
        ({"loss": []}, {}, ValueError, r"has no epoch\. Received: loss=\[\]"),
        ({"loss": [1.0, 0.9], "val_loss": [1.0]}, {}, ValueError, r"2 epochs of training and 1 of val_loss"),
        ({"loss": [1.0, None]}, {}, TypeError, r"holds numbers\. Received: loss=\[1\.0, None\]"),
        ({"loss": [1.0]}, {"baseline": 0.5}, ValueError, r"does not hold the baseline's measure.*measure=None"),
        ({"loss": [1.0], "mae": [1.0]}, {"baseline": 1, "measure": "f1"}, ValueError, r"measure='f1', history with"),
        ({"loss": [1.0], "mae": [1.0]}, {"baseline": 0}, ValueError, r"without error cannot be beaten.*baseline=0"),
    ],
)
def test_diagnose_history_refuses_what_is_no_history(history, options, error, message):
    with pytest.raises(error, match=message):
        diagnose_history(history, **options)
