"""The diagnosis of training curves, written by hand and drawn with noise, and of errors: the textbook cases."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from recipe.core.run import Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.steps.s6_scale_up import diagnose_errors, diagnose_history

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
        ([0.5, 0.4, 0.300, 0.302, 0.304, 0.305], "best here", None),  # without noise, but less than 2 %
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
        "Overfitting since epoch 4: best in epoch 3, validation loss 0.35 there, 0.5 at the end (epoch 5); "
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
    del history["val_data_loss"]  # one with and one without the penalty are not mixed
    assert diagnose_history(history | {"val_loss": data}).monitor == "val_loss"
    del history["data_loss"]
    assert diagnose_history(history).verdict == "still improving"


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
    assert judged({"loss": [0.7], "val_accuracy": [0.5]}, baseline=0.5).verdict == "did not learn"


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
    assert judged(stuck, baseline=0.5).verdict == "did not learn"
    # All was learned within the first epoch.
    flat = {"loss": [0.05] * 4, "val_loss": [0.06] * 4, "accuracy": [0.98] * 4, "val_accuracy": [0.97] * 4}
    assert diagnose_history(flat).verdict == "did not learn"
    assert judged(flat, baseline=0.1).verdict == "best here"


def test_diagnose_history_gives_a_falling_loss_time_before_the_measure_moves():
    # One sample in ten is a yes: none is found before the loss has fallen for a while.
    rare = {"loss": [0.46, 0.35, 0.29, 0.25, 0.21, 0.18], "val_loss": [0.47, 0.36, 0.30, 0.27, 0.24, 0.22]}
    rare |= {"f1": [0.0] * 6, "val_f1": [0.0] * 6}
    diagnosis = judged(rare, baseline=0.18, problem="mnist_five")
    assert diagnosis.verdict == "still improving"
    assert diagnosis.sentence.endswith("The measure is where a guess without the input is.")


def test_diagnose_history_of_labels_learned_by_heart_is_overfitting_though_validation_is_at_the_baseline():
    history = {"loss": [0.7, 0.4, 0.2, 0.1, 0.05], "val_loss": [0.70, 0.75, 0.9, 1.2, 1.6]}
    history |= {"accuracy": [0.5, 0.8, 0.9, 0.97, 1.0], "val_accuracy": [0.5, 0.49, 0.51, 0.5, 0.5]}
    diagnosis = judged(history, baseline=0.5)
    assert (diagnosis.verdict, diagnosis.overfitting_epoch) == ("overfitting", 1)


def test_diagnose_history_takes_a_baseline_of_quantities():
    history = {"loss": [3.0, 1.2, 1.0, 1.0], "mae": [1.5, 0.8, 0.67, 0.67], "val_mae": [1.5, 0.8, 0.66, 0.66]}
    assert judged(history, baseline=0.67, problem="housing").verdict == "did not learn"
    assert judged(history, baseline=1.5, problem="housing").verdict == "best here"


def test_diagnose_history_calls_a_common_rise_unstable_and_not_overfitting():
    loss = [0.9, 0.6, 0.4, 0.5, 0.6, 0.75]
    diagnosis = verdict(loss, loss=loss)
    assert diagnosis.verdict == "best here"
    assert "training is unstable" in diagnosis.sentence


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, r"has no training loss of one epoch at least\. Received: history with no key"),
        ({"val_loss": [1.0]}, r"Received: history with val_loss\. Pass what Keras returned"),
        ({"loss": []}, r"no training loss of one epoch at least\. Received: history with loss"),
        ({"loss": [1.0, 0.9], "val_loss": [1.0]}, "must be of the same length"),
    ],
)
def test_diagnose_history_refuses_what_is_no_history(history, message):
    with pytest.raises(ValueError, match=message):
        diagnose_history(history)


DRAWS = 200


def draw(epochs, noise, seed, rise=0.0, turn=0.4):
    """A validation curve that falls to 0.3 fast, then stays there, or rises by a share."""
    epoch = np.arange(epochs)
    clean = 0.3 + 1.5 * np.exp(-epoch / max(0.6, epochs / 15))
    first = turn * (epochs - 1)
    clean += 0.3 * rise * np.clip((epoch - first) / (epochs - 1 - first), 0, None)
    return (clean * (1 + noise * np.random.default_rng(seed).normal(size=epochs))).tolist()


@pytest.mark.parametrize(
    ("epochs", "noise", "rise", "least"),
    [
        (5, 0.01, 0.6, 0.99),
        (10, 0.01, 0.6, 0.99),
        (20, 0.03, 0.6, 0.98),
        (50, 0.03, 0.6, 0.99),
        (200, 0.03, 0.3, 0.99),
        (500, 0.1, 0.6, 0.99),
        (500, 0.03, 0.15, 0.99),
    ],
)
def test_diagnose_history_finds_the_turn_of_noisy_u_curves(epochs, noise, rise, least):
    clean = np.array(draw(epochs, 0.0, 0, rise))
    found = [verdict(draw(epochs, noise, seed, rise)) for seed in range(DRAWS // 2)]
    turns = [diagnosis.overfitting_epoch for diagnosis in found if diagnosis.verdict == "overfitting"]
    assert len(turns) >= least * len(found)
    # The band: within an eighth of the epochs, at least one, of the noiseless turn, in 95 of 100 cases.
    band = max(1, epochs / 8)
    assert np.mean(np.abs(np.array(turns) - (clean.argmin() + 1)) <= band) >= 0.95


def draw_both(kind, epochs, noise, rng):
    """Both losses of a kind of training, with noise on the validation loss and a third of it on the training loss."""
    epoch = np.arange(epochs)
    fall, late = np.exp(-epoch / max(0.35, epochs / 25)), np.clip(epoch / (epochs - 1) - 0.4, 0, None) / 0.6
    swing = 1 + 0.35 * (-1.0) ** epoch
    train, val = {
        "best here": (0.25 + 1.5 * fall, 0.3 + 1.5 * fall),
        "unstable": ((0.3 + 1.5 * fall) * swing, (0.3 + 1.5 * fall) * swing),
        "overfitting": (0.1 + 1.5 * fall - 0.08 * late, 0.3 + 1.5 * fall + 0.18 * late),
        "by heart": (0.7 * np.exp(-epoch / (epochs / 8)), np.full(epochs, 0.693)),
        "suspect": (0.25 + 0.7 * fall, 2.5 + fall),
    }[kind]
    draws = rng.normal(size=(2, epochs))
    return {"loss": (train * (1 + noise / 3 * draws[0])).tolist(), "val_loss": (val * (1 + noise * draws[1])).tolist()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "epochs", "noise", "false", "most"),
    [
        *(
            ("best here", epochs, noise, "overfitting", 0.05)
            for epochs in (10, 20, 50, 200, 500)
            for noise in (0.01, 0.03, 0.1)
        ),
        *(("best here", epochs, 0.1, "suspect", 0.0) for epochs in (6, 20, 200)),
        *(("overfitting", epochs, 0.1, "suspect", 0.0) for epochs in (6, 20, 200)),
        *(("unstable", epochs, 0.03, "suspect", 0.0) for epochs in (6, 20, 200)),
        *(("suspect", epochs, noise, "best here", 0.02) for epochs in (6, 20, 200) for noise in (0.03, 0.1)),
        *(("by heart", epochs, 0.03, "best here", 0.05) for epochs in (20, 50, 200)),
        *(("overfitting", epochs, noise, "best here", 0.02) for epochs, noise in ((20, 0.01), (20, 0.03), (200, 0.1))),
    ],
)
def test_diagnose_history_is_wrong_as_seldom_as_its_table_says(kind, epochs, noise, false, most):
    rng = np.random.default_rng(epochs)
    verdicts = [diagnose_history(draw_both(kind, epochs, noise, rng)).verdict for _ in range(DRAWS)]
    assert verdicts.count(false) <= most * DRAWS + 3 * math.sqrt(DRAWS * most * (1 - most))


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_diagnose_history_sees_long_noisy_curves_that_still_improve(noise):
    def falling(seed):
        clean = 0.3 + np.exp(-np.arange(300) / 150)
        return (clean * (1 + noise * np.random.default_rng(seed).normal(size=300))).tolist()

    verdicts = [verdict(falling(seed)).verdict for seed in range(50)]
    assert verdicts.count("still improving") >= 48


def made(**fields):
    """A run that overfits from its fourth epoch on, with an error of 0.1 in training and 0.2 in validation."""
    history = {"data_loss": FALLING, "val_data_loss": [0.60, 0.40, 0.35, 0.41, 0.50]}
    history |= {"accuracy": [0.9] * 5, "val_accuracy": [0.8] * 5}
    known = {"spec": ModelSpec(), "problem": find_problem("mnist"), "source": "sample", "protocol": "", "baseline": 0.1}
    return Run(**known | {"history": history} | fields)


def judged(history, baseline, problem="mnist"):
    return diagnose_history(made(history=history, baseline=baseline, problem=find_problem(problem)))


def test_diagnose_history_takes_a_run_with_its_baseline():
    for baseline, expected in ((0.1, "overfitting"), (0.8, "overfitting"), (0.9, "did not learn")):
        assert diagnose_history(made(baseline=baseline)).verdict == expected
    assert diagnose_history(made(baseline=1.0)).verdict == "overfitting"  # all samples of one class: nothing to beat


def test_diagnose_history_of_a_final_run_judges_the_training_loss_alone():
    diagnosis = diagnose_history(made(final=True))
    assert (diagnosis.monitor, diagnosis.verdict) == ("data_loss", "still improving")


HEART = {
    "loss": [0.7, 0.5, 0.3, 0.15, 0.06, 0.02, 0.008],
    "val_loss": [0.693, 0.694, 0.692, 0.694, 0.693, 0.692, 0.694],
}
GUESSES = {"accuracy": [0.5, 0.8, 0.9, 0.97, 1.0, 1.0, 1.0], "val_accuracy": [0.5, 0.51, 0.49, 0.5, 0.5, 0.51, 0.5]}
SORTED = {"loss": [1.0, 0.6, 0.4, 0.35, 0.3], "val_loss": [4.5, 5.0, 5.4, 4.1, 4.8]}
FALLS = [0.7, 0.5, 0.4, 0.33, 0.3]


@pytest.mark.parametrize(
    "name",
    ["acc", "accuracy_1", "binary_accuracy", "sparse_categorical_accuracy", "head_accuracy", "f1_score", "auc_2"],
)
def test_diagnose_history_knows_a_share_by_all_its_names(name):
    history = {"loss": FALLS, "val_loss": FALLS, name: [0.5] * 5, f"val_{name}": [0.6, 0.7, 0.8, 0.9, 0.9]}
    assert diagnose_history(history, baseline=0.5).verdict == "still improving"
    assert diagnose_history(history, baseline=0.5, measure=name).verdict == "still improving"
    flat = {"loss": [0.3] * 5, "val_loss": [0.3] * 5, name: [0.9] * 5, f"val_{name}": [0.9] * 5}
    assert diagnose_history(flat, baseline=0.5).verdict == "best here"
    assert diagnose_history(flat, baseline=0.9).verdict == "did not learn"


@pytest.mark.parametrize("name", ["mae", "mean_absolute_error", "mean_squared_error", "price_mae", "mse_1"])
def test_diagnose_history_knows_an_error_by_all_its_names(name):
    history = {"loss": [0.3] * 5, "val_loss": [0.3] * 5, name: [2.0] * 5, f"val_{name}": [2.1] * 5}
    assert diagnose_history(history, baseline=4.0).verdict == "best here"
    assert diagnose_history(history, baseline=2.0).verdict == "did not learn"


def test_diagnose_history_is_told_which_measure_counts():
    history = {"loss": [0.3] * 5, "mse": FALLS, "acc": [0.5] * 5}
    assert diagnose_history(history, baseline=0.5, measure="acc").verdict == "did not learn"
    with pytest.raises(ValueError, match=r"Received: measure='f1', history with loss, mse, acc\. Pass measure="):
        diagnose_history(history, measure="f1")
    with pytest.raises(ValueError, match="does not hold the measure of success"):
        diagnose_history({"loss": FALLS}, baseline=0.5)


def test_diagnose_history_takes_what_fit_returned_and_a_table():
    history = HEART | GUESSES
    assert diagnose_history(SimpleNamespace(history=history)) == diagnose_history(history)
    table = pd.DataFrame(history, index=pd.RangeIndex(1, 8, name="epoch"))
    assert diagnose_history(table) == diagnose_history(history)
    assert diagnose_history(made().to_frame()).verdict == "overfitting"


@pytest.mark.parametrize("more", [{}, GUESSES, {"mae": [1, 0.8, 0.6, 0.3, 0.1, 0.1, 0.1], "val_mae": [1.0] * 7}])
def test_diagnose_history_sees_a_training_set_learned_by_heart_from_the_first_epoch(more):
    diagnosis = diagnose_history(HEART | more)
    assert (diagnosis.verdict, diagnosis.overfitting_epoch) == ("overfitting", 0)
    assert "all is learned by heart" in diagnosis.sentence
    assert "0.692 (ln 2, equal probabilities for 2 classes)" in diagnosis.sentence
    if more is GUESSES:
        assert "accuracy 0.5 against 1 at the end" in diagnosis.sentence
        assert diagnose_history(HEART | more, baseline=0.5) == diagnosis
        assert judged(HEART | more, baseline=0.5).verdict == "overfitting"


def test_diagnose_history_does_not_call_a_model_that_was_good_at_once_learned_by_heart():
    history = {"loss": [0.1, 0.05, 0.02, 0.01, 0.005, 0.001], "val_loss": [0.09, 0.09, 0.091, 0.09, 0.09, 0.0905]}
    history |= {"accuracy": [0.97, 0.98, 0.99, 1, 1, 1], "val_accuracy": [0.97, 0.972, 0.971, 0.97, 0.972, 0.971]}
    assert diagnose_history(history).verdict == "best here"
    assert diagnose_history(history, baseline=0.1).verdict == "best here"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"acc": [0.6, 0.8, 0.9, 0.9, 0.9], "val_acc": [0.0, 0.0, 0.05, 0.0, 0.01]},
        {"mae": FALLS, "val_mae": [3] * 5},
    ],
)
def test_diagnose_history_suspects_a_validation_part_of_another_kind(more):
    diagnosis = diagnose_history(SORTED | more)
    assert (diagnosis.verdict, diagnosis.overfitting_epoch) == ("suspect", None)
    assert "loss 4.5 against 1 there" in diagnosis.sentence
    assert "rows that were sorted before they were cut" in diagnosis.sentence
    assert ("acc 0.01 against 0.9" in diagnosis.sentence) is ("acc" in more)


def test_diagnose_history_suspects_answers_that_are_right_less_often_than_a_guess():
    # Ten digits in their order, the last fifth of the rows for validation: its loss grows, as if that were overfitting.
    history = {"loss": [2.08, 1.2, 0.7, 0.4, 0.2], "val_loss": [3.7, 5.0, 6.2, 7.3, 8.3]}
    history |= {"accuracy": [0.4, 0.7, 0.85, 0.9, 0.95], "val_accuracy": [0.01, 0.014, 0.014, 0.013, 0.014]}
    assert diagnose_history(history).verdict == "suspect"
    history["val_accuracy"] = [0.1, 0.12, 0.11, 0.1, 0.1]
    assert diagnose_history(history).verdict == "overfitting"


@pytest.mark.parametrize("level", [math.log(3), 2.3026, 1.0])
def test_diagnose_history_suspects_a_validation_loss_that_never_changes(level):
    diagnosis = diagnose_history({"loss": [2.4, 1.9, 1.5, 1.2, 1.1], "val_loss": [level] * 5})
    assert diagnosis.verdict == "suspect"
    assert "does not reach the validation outputs" in diagnosis.sentence
    assert ("(ln 3, " in diagnosis.sentence, "(ln 10, " in diagnosis.sentence) == (level < 2 and level > 1, level > 2)


@pytest.mark.parametrize(
    ("loss", "more"),
    [
        ([-0.5, -3.0, -50.0, -700.0, -4000.0], {}),
        ([0.4, -0.2, -0.9, -1.6, -2.4], {}),
        ([0.4, -0.2, -0.5, -0.6, -0.6], {"accuracy": [0.5] * 5, "val_accuracy": [0.5] * 5}),
    ],
)
def test_diagnose_history_suspects_a_loss_below_what_is_possible(loss, more):
    for history in ({"loss": loss, "val_loss": loss} | more, {"loss": loss} | more):
        diagnosis = diagnose_history(history)
        assert diagnosis.verdict == "suspect"
        assert "look at the labels" in diagnosis.sentence


@pytest.mark.parametrize(
    "loss", [[-20.0, -300.0, -350.0, -358.0, -360.0, -360.0], [1.5, 0.2, -0.5, -0.7, -0.75, -0.75]]
)
def test_diagnose_history_lets_a_density_be_below_zero(loss):
    assert diagnose_history({"loss": loss, "val_loss": loss}).verdict == "best here"


def test_diagnose_history_names_both_where_loss_and_measure_disagree():
    rising = {"loss": [0.5, 0.3, 0.2, 0.1, 0.05, 0.02], "val_loss": [0.5, 0.4, 0.38, 0.45, 0.55, 0.65]}
    better = diagnose_history(rising | {"val_acc": [0.8, 0.85, 0.86, 0.87, 0.88, 0.88]})
    assert (better.verdict, better.overfitting_epoch) == ("overfitting", 3)
    assert better.sentence.endswith(
        " But by val_acc it is no more than noise: 0.88 at its best in epoch 5, 0.88 at the end. Stop by it if only it "
        "counts, by the loss if probabilities count, too."
    )
    worse = diagnose_history(rising | {"val_acc": [0.8, 0.88, 0.86, 0.84, 0.82, 0.8]})
    assert worse.verdict == "overfitting"
    assert "But by" not in worse.sentence
    falling = {"loss": FALLS, "val_loss": FALLS, "mae": FALLS, "val_mae": [0.9, 0.5, 0.6, 0.7, 0.8]}
    assert diagnose_history(falling).verdict == "still improving"
    assert (
        "But by val_mae it gets worse: 0.5 at its best in epoch 2, 0.8 at the end."
        in diagnose_history(falling).sentence
    )


def test_diagnose_history_says_what_else_it_sees():
    swings = [0.9, 0.4, 0.8, 0.3, 0.75, 0.35, 0.8, 0.3, 0.7, 0.35, 0.8, 0.3]
    assert "swings from epoch to epoch: try a lower rate" in verdict(swings, loss=swings).sentence
    assert "swings" not in verdict([0.5, 0.4, 0.3, 0.3, 0.31, 0.3], loss=np.geomspace(1, 1e-5, 6).tolist()).sentence
    easier = {"loss": [0.9, 0.8, 0.7, 0.65, 0.6], "val_loss": [0.7, 0.55, 0.5, 0.45, 0.42]}
    assert "Validation is better than training: dropout" in diagnose_history(easier).sentence
    alike = {"data_loss": easier["loss"], "val_data_loss": easier["val_loss"]}
    assert "training: the validation part is the easier one" in diagnose_history(alike).sentence
    assert "only 1 from the end, which is no plateau yet" in verdict([0.5, 0.4, 0.45]).sentence
    apart = {"loss": FALLS, "val_loss": [1.9 * loss for loss in FALLS]}
    assert "1.9 times the loss, hardly any more so later" in diagnose_history(apart).sentence
    assert "hardly" not in diagnose_history({"loss": FALLS, "val_loss": [1.1, 0.9, 0.8, 0.9, 1.0]}).sentence
    same = {"loss": FALLS, "val_loss": FALLS, "acc": [0.6, 0.6, 0.7, 0.7, 0.7], "val_acc": [0.7] * 5}
    assert "val_acc is 0.7 in every epoch, as if one answer were given always" in diagnose_history(same).sentence
    assert "every epoch" not in diagnose_history(same, baseline=0.5).sentence


def test_diagnose_history_says_which_differences_so_many_samples_cannot_show():
    history = {"loss": FALLS, "val_loss": FALLS, "acc": [0.9] * 5, "val_acc": [0.8, 0.85, 0.88, 0.89, 0.9]}
    assert (
        "100 validation samples know val_acc to ± 0.061 (95 % interval)"
        in diagnose_history(history, val_samples=100).sentence
    )
    assert "± 0.0059" in diagnose_history(history, val_samples=10_000).sentence
    assert diagnose_history({"loss": FALLS}, val_samples=100) == diagnose_history({"loss": FALLS})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([made(), made()], r"Received: a list\. Give what train returned; of several runs one, or their mean"),
        (0.3, r"Received: a float\. Give what train returned"),
    ],
)
def test_diagnose_history_refuses_what_has_no_curves(given, message):
    with pytest.raises(TypeError, match=message):
        diagnose_history(given)


def test_diagnose_errors_takes_a_run_and_a_mean_of_runs():
    for run in (made(), mean_run([made(), made()])):
        found = diagnose_errors(run)
        assert (found.train_error, found.validation_error) == pytest.approx((0.1, 0.2))
        assert diagnose_errors(run, 0.1) == diagnose_errors(run, reachable_error=0.1)
        assert diagnose_errors(run, 0.1).avoidable_bias == pytest.approx(0.0)


def test_diagnose_errors_of_a_quantity_are_parts_of_the_baselines():
    history = {"data_loss": FALLING, "val_data_loss": FALLING, "mae": [0.4] * 5, "val_mae": [0.5] * 5}
    found = diagnose_errors(made(problem=find_problem("housing"), history=history, baseline=2.0))
    assert (found.train_error, found.validation_error) == pytest.approx((0.2, 0.25))


def test_diagnose_errors_refuses_a_run_without_errors():
    for run in (made(final=True), made(history={"data_loss": [math.nan], "val_data_loss": [math.nan]})):
        with pytest.raises(ValueError, match=r"has no errors to compare.*Look at diagnose_history\(run\)"):
            diagnose_errors(run)


@pytest.mark.parametrize(
    ("errors", "bias", "variance"),
    [
        ((0.01, 0.11), "low", "high"),
        ((0.15, 0.14), "high", "low"),
        ((0.15, 0.16), "high", "low"),
        ((0.15, 0.30), "high", "high"),
        ((0.005, 0.01), "low", "low"),
        ((0.15, 0.14, 0.15), "low", "low"),
        ((0.15, 0.30, 0.15), "low", "high"),
        ((0.15, 0.16, 0.14), "low", "low"),  # one point each: nothing worth the work
        ((0.08, 0.10, 0.01), "high", "low"),  # seven points of bias outweigh two of variance
        ((0.08, 0.10, 0.075), "low", "high"),
        ((0.05, 0.06, 0.005), "high", "low"),
        ((0.01, 0.05, 0.005), "low", "high"),
        ((0.0005, 0.002), "low", "low"),
        ((0.0, 0.0), "low", "low"),
        ((0.2, 0.2), "high", "low"),
        ((0.02, 0.12, 0.10), "low", "high"),  # below the reachable error on training, above it on validation
        ((0.02, 0.10, 0.10), "low", "low"),  # the noise learned by heart, and no harm done
        ((0.05, 0.04, 0.10), "low", "low"),
        ((0.40, 0.50), "high", "high"),  # ten points are large whatever the other part is
        ((0.10, 0.50), "high", "high"),
        ((0.25, 0.36), "high", "high"),  # housing, relative to the median's error
        ((1.10, 1.15), "high", "low"),  # worse than the baseline on both
        ((0.30, 1.40), "high", "high"),
    ],
)
def test_diagnose_errors_gives_the_textbook_verdicts(errors, bias, variance):
    diagnosis = diagnose_errors(*errors)
    assert (diagnosis.bias, diagnosis.variance) == (bias, variance)


def test_diagnose_errors_holds_the_numbers():
    assert diagnose_errors(0.001, 0.012).variance == "low"
    assert diagnose_errors(0.001, 0.012, tolerance=0.005).variance == "high"
    diagnosis = diagnose_errors(0.15, 0.30, reachable_error=0.05)
    assert diagnosis.avoidable_bias == pytest.approx(0.10)
    assert diagnosis.variance_gap == pytest.approx(0.15)
    assert diagnosis.sentence == (
        "High bias and high variance: training error 15 %, 10 points above the reachable 5 %; "
        "validation error 30 %, 15 points above training."
    )
    assert diagnose_errors(0.01, 0.0).sentence.endswith(
        "training error 1 %, 1 point above the reachable 0 %; validation error 0 %, 1 point below training."
    )
    assert "training error 5 %, the same as the reachable 5 %" in diagnose_errors(0.05, 0.05, 0.05).sentence
    assert diagnose_errors(0.0005, 0.002).sentence.startswith(
        "Neither bias nor variance is high: training error 0.05 %"
    )
    assert "by heart" in diagnose_errors(0.02, 0.2, 0.1).sentence


def test_diagnose_errors_never_finds_less_when_a_gap_grows():
    gaps = np.linspace(0, 0.5, 101)
    for train in (0.0, 0.01, 0.05, 0.2, 0.6):
        found = [diagnose_errors(train, train + gap).variance == "high" for gap in gaps]
        assert found == sorted(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((math.nan, 0.1), r"finite and never below 0.* Received: train_error=nan\..*diverged"),
        ((0.1, -0.1), r"validation_error=-0\.1"),
        ((0.1, math.inf), r"validation_error=inf"),
        ((0.1, 0.1, -1), r"reachable_error=-1"),
        ((15, 30), r"train_error=15\. Divide a percentage by 100"),
    ],
)
def test_diagnose_errors_refuses_what_is_no_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        diagnose_errors(*arguments)
