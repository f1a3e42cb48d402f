"""The diagnosis of training curves, written by hand and drawn with noise, and of errors: the textbook cases."""

import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from recipe.core.run import Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.steps.s6_scale_up import diagnose_errors, diagnose_history

FALLING = [0.60, 0.45, 0.35, 0.28, 0.22]
TURNING = [0.60, 0.40, 0.35, 0.41, 0.50]


def accuracy(train, val, name="accuracy"):
    return {name: train, f"val_{name}": val}


# By what is shown: the verdict, with the epoch, from 0, since when; the curves, and the baseline; words that are said,
# or not. The first are what people have shown in public and asked about.
ONE_CLASS = "loss 1 .89 .84 .82 .74 .69; val_loss .96 .99 .89 .8 .76 .69; "
ONE_CLASS += "acc .58 .63 .62 .62 .65 .66; val_acc .72 .72 .72 .72 .72 .72"
BY_HEART = "loss .71 .52 .33 .18 .09 .045 .022 .012 .007 .004; accuracy .53 .78 .9 .96 .99 1 1 1 1 1; "
BY_HEART += "val_loss .6931 .6934 .6929 .6933 .693 .6932 .6931 .6934 .693 .6932; "
BY_HEART += "val_accuracy .5 .49 .51 .5 .5 .5 .51 .49 .5 .5"
DIGITS_IN_ORDER = "loss 2.08 1.2 .7 .4 .2; val_loss 3.7 5 6.2 7.3 8.3; accuracy .4 .7 .85 .9 .95; val_accuracy"
GOOD_AT_ONCE = "loss .1 .05 .02 .01 .005 .001; val_loss .09 .09 .091 .09 .09 .0905; "
GOOD_AT_ONCE += "accuracy .97 .98 .99 1 1 1; val_accuracy .97 .972 .971 .97 .972 .971"
LEARNED_AT_ONCE = "loss .05 .05 .05; val_loss .06 .06 .06; accuracy .98 .98 .98; val_accuracy .97 .97 .97"
STUCK = "loss .9 .7 .69 .69; accuracy .5 .5 .5 .5; val_accuracy .5 .5 .505 .5"
AN_ERROR = "loss 3 1.2 1 1; mae 1.5 .8 .67 .67; val_mae 1.5 .8 .66 .66"
CURVES = {
    "keras#4298: rows sorted by class, cut by validation_split": (
        "suspect",
        "loss .98 .574 .403 .331 .302 .266; val_loss 4.32 5.16 5.33 3.33 4.85 4.66; "
        "acc .64 .81 .87 .89 .9 .91; val_acc 0 0 0 .07 0 .014",
        "acc 0.014 against 0.91 at the end: the validation part is of another kind. Look for rows that were sorted",
    ),
    "keras#1597: the validation loss stays at ln 3": (
        "suspect",
        "loss 2.36 1.12 1.08 1.02 .98 .95; val_loss" + " 1.0986" * 6,
        "1.0986 (ln 3, equal probabilities for 3 classes) in every epoch: what is learned does not reach",
    ),
    "keras#4662: one class always": (
        "still improving",
        f"{ONE_CLASS}; baseline .72",
        "a guess without the input is. val_acc is 0.72 in every epoch, as if one answer were given always",
    ),
    "notebooks#16: the name that keras.metrics.BinaryAccuracy gives": (
        "still improving",
        "loss .7 .5; val_loss .7 .6; binary_accuracy .5 .7; val_binary_accuracy .5 .6; baseline .5",
        "not guess",
    ),
    "labels of -1 and 1 with a binary cross-entropy": (
        "suspect",
        "loss -.5 -3.2 -55 -800 -5000 -20000; val_loss -.7 -4 -60 -820 -5100 -21000",
        "below 0, to -2e+04, where no cross-entropy and no error can be. That is no improvement: look at the labels",
    ),
    "by heart from the first epoch on": (
        "overfitting 0",
        BY_HEART,
        "never improves, 0.693 (ln 2, equal probabilities for 2 classes), accuracy 0.5 against 1 at the end",
    ),
    "by heart from the first epoch on, with a baseline": ("overfitting 0", f"{BY_HEART}; baseline .5", "by heart"),
    "by heart, with an error": (
        "overfitting 0",
        "loss .7 .5 .3 .15 .06 .02 .008; val_loss .693 .694 .692 .694 .693 .692 .694; mae 1 .8 .6 .3 .1 .1 .1; "
        "val_mae 1 1 1 1 1 1 1",
        "learned by heart",
    ),
    "good at once": ("best here", GOOD_AT_ONCE, ""),
    "good at once, with a baseline": ("best here", f"{GOOD_AT_ONCE}; baseline .1", ""),
    "a turn": ("overfitting 3", "val_loss .6 .4 .3 .4 .5", ""),
    "worse from the second epoch on": ("overfitting 1", "val_loss .3 .35 .4 .5", ""),
    "reviews": ("overfitting 5", "val_loss .38 .31 .29 .278 .277 .28 .283 .294 .31 .33 .35 .36 .38 .41 .43 .46", ""),
    "one epoch after the best one": ("best here", "val_loss .5 .4 .45", "only 1 from the end, which is no plateau yet"),
    "a rise within the noise": ("best here", "val_loss .12 .09 .075 .078 .077", ""),
    "a rise of less than 2 %": ("best here", "val_loss .5 .4 .3 .302 .304 .305", ""),
    "one spike at the end of a plateau": ("best here", "val_loss .9 .6 .5" + " .45" * 16 + " .9", ""),
    "a bump that recovers": ("best here", "val_loss .9 .6 .5 .45 .6 .7 .55 .45 .41 .4 .4 .4 .4 .4 .4", ""),
    "a bump, then on": ("still improving", "val_loss .9 .6 .5 .45 .6 .7 .55 .45 .4 .36 .33 .3 .27 .25 .23", ""),
    "a fall": ("still improving", "val_loss .42 .41 .4 .39 .38", ""),
    "a fall of two epochs": ("still improving", "val_loss .6 .5", ""),
    "one epoch": ("still improving", "loss .4; val_loss .5", "One epoch has no direction"),
    "a fall that is over": ("best here", "val_loss .9 .5 .4 .399 .3985", ""),
    "a gap that grows": ("overfitting 3", "loss .6 .45 .35 .28 .22; val_loss 1.1 .9 .8 .9 1", "not hardly"),
    "by heart, validation at the baseline": (
        "overfitting 1",
        "loss .7 .4 .2 .1 .05; val_loss .7 .75 .9 1.2 1.6; accuracy .5 .8 .9 .97 1; val_accuracy .5 .49 .51 .5 .5; "
        "baseline .5",
        "",
    ),
    "a fall, not validated": ("still improving", "loss .6 .45 .35", "Validation was not measured: overfitting cannot"),
    "a plateau, not validated": ("best here", "loss .9 .5 .4 .399 .399 .399", "not unstable"),
    "a rise, not validated": ("best here", "loss .9 .5 .3 .4 .5 .6", "training is unstable; try a lower rate"),
    "an explosion": ("diverged 2", "loss .7 .5 3 50 900; val_loss .7 .5 3 50 900", ""),
    "an explosion in the second epoch": ("diverged 1", "loss 2 500; val_loss 2 500", ""),
    "an explosion at the end": ("diverged 2", "loss .7 .5 .9 800; val_loss .7 .5 .9 800", ""),
    "a spike": (
        "still improving",
        "loss .7 .5 .4 90 .35 .3 .27 .25 .23 .2; val_loss .7 .6 .5 90 .4 .35 .3 .27 .25 .2",
        "",
    ),
    "one spike at the end": ("best here", "loss .7 .5 .4 .39 .38 90; val_loss .7 .5 .4 .4 .4 90", ""),
    "both rise": ("best here", "loss .9 .6 .4 .5 .6 .75; val_loss .9 .6 .4 .5 .6 .75", "training is unstable"),
    "a jump that stays": ("best here", "loss .7 .4 .3 2.3 2.3; val_loss .7 .4 .3 2.3 2.3", "training is unstable"),
    "a jump in which all is lost": (
        "did not learn",
        "loss .7 .4 .3 2.3 2.3 2.3; accuracy .8 .9 .95 .1 .1 .1; val_accuracy .8 .9 .94 .1 .1 .1; baseline .1",
        "where a guess without the input is. The training loss rises again: training is unstable; try a lower rate.",
    ),
    "oscillation": (
        "did not learn",
        "loss .9 .4 .8 .3 .75 .35 .8 .3 .7 .35 .8 .3; val_loss .9 .4 .8 .3 .75 .35 .8 .3 .7 .35 .8 .3",
        "swings from epoch to epoch: try a lower rate",
    ),
    "losses near 0": ("best here", "loss 1 .1 .01 1e-3 1e-4 1e-5; val_loss .5 .4 .3 .3 .31 .3", "not swings"),
    "a high level at once": (
        "best here",
        "loss .9 .6 .59 .592 .591 .59 .592; val_loss 1 .62 .61 .612 .611 .61 .611",
        "",
    ),
    "a constant loss": ("did not learn", "loss 2.3 2.3 2.3 2.3", "(Or a plateau is not left yet"),
    "a fall of less than 1 %": ("did not learn", "loss 2.3026 2.302 2.3019 2.3021 2.302", "the baseline tells"),
    "a loss that only rises": ("did not learn", "loss 1 1.2 1.5 1.8; val_loss 1 1.2 1.5 1.8", "the baseline tells"),
    "a loss of 0": ("did not learn", "loss 0 0 0 0; val_loss 0 0 0 0", "the baseline tells"),
    "one epoch at the baseline": ("did not learn", "loss .7; val_accuracy .5; baseline .5", "a guess without"),
    "stuck, not known": ("best here", STUCK, ""),
    "stuck at always the most frequent class": ("did not learn", f"{STUCK}; baseline .5", ""),
    "learned in one epoch, not known": ("did not learn", LEARNED_AT_ONCE, "one epoch was enough: the baseline tells"),
    "learned in one epoch": ("best here", f"{LEARNED_AT_ONCE}; baseline .1", ""),
    "an error at its baseline": ("did not learn", f"{AN_ERROR}; baseline .67", ""),
    "an error below its baseline": ("best here", f"{AN_ERROR}; baseline 1.5", ""),
    "a rare class, which is not found before the loss has fallen for a while": (
        "still improving",
        "loss .46 .35 .29 .25 .21 .18; val_loss .47 .36 .3 .27 .24 .22; f1 0 0 0 0 0 0; baseline .18",
        "The measure is where a guess without the input is.",
    ),
    "far off": ("suspect", "loss 1 .6 .4 .35 .3; val_loss 4.5 5 5.4 4.1 4.8", "loss 4.5 against 1 there"),
    "digits in order, none right": ("suspect", f"{DIGITS_IN_ORDER} .01 .014 .014 .013 .014", "of another kind"),
    "digits in order, a tenth right": ("overfitting 1", f"{DIGITS_IN_ORDER} .1 .12 .11 .1 .1", ""),
    "validation is never other than 1": (
        "suspect",
        "loss 2.4 1.9 1.5 1.2 1.1; val_loss 1 1 1 1 1",
        "is 1 in every epoch",
    ),
    "below 0, ever faster": ("suspect", "loss .4 -.2 -.9 -1.6 -2.4", "look at the labels"),
    "below 0, of a share": ("suspect", "loss .4 -.2 -.5 -.6 -.6; accuracy .5 .5 .5 .5 .5", "look at the labels"),
    "a density below 0": ("best here", "loss -20 -300 -350 -358 -360 -360", ""),
    "a density that falls below 0": ("best here", "loss 1.5 .2 -.5 -.7 -.75 -.75", ""),
    "a steady gap": ("still improving", "loss .6 .4 .3 .2; val_loss 1.14 .76 .57 .4", "hardly any more so later"),
    "easier": (
        "still improving",
        "loss .9 .8 .7 .65 .6; val_loss .7 .55 .5 .45 .42",
        "Validation is better than",
    ),
}


@pytest.mark.parametrize(("expected", "curves", "says"), CURVES.values(), ids=CURVES)
def test_diagnose_history_of_hand_written_curves(expected, curves, says):
    read = {key: [float(number) for number in numbers] for key, *numbers in map(str.split, curves.split("; "))}
    options = {"baseline": read.pop("baseline")[0]} if "baseline" in read else {}
    loss = np.geomspace(1.0, 0.1, len(read.get("val_loss", ()))).tolist()
    found = diagnose_history({"loss": loss} | read, **options)
    verdict, *since = re.split(r" (?=\d)", expected)
    assert found.verdict == verdict
    assert {found.overfitting_epoch, found.diverged_epoch} == {None, *map(int, since)}
    assert (says.removeprefix("not ") in found.sentence) is not says.startswith("not "), found.sentence


def verdict(val_loss, loss=None):
    return diagnose_history({"loss": loss or np.geomspace(1.0, 0.1, len(val_loss)).tolist(), "val_loss": val_loss})


def test_diagnose_history_counts_from_0_inside_and_from_1_for_people():
    diagnosis = verdict(TURNING)
    assert (diagnosis.best_epoch, diagnosis.overfitting_epoch, diagnosis.monitor) == (2, 3, "val_loss")
    assert diagnosis.sentence == (
        "Overfitting since epoch 4: best in epoch 3, validation loss 0.35 there, 0.5 at the end (epoch 5); "
        "training loss from 1 to 0.1."
    )


def test_diagnose_history_prefers_the_loss_without_the_penalty():
    # The penalty falls for so long that the sum hides the rise of the data loss.
    penalty = [2.0, 1.5, 1.0, 0.6, 0.3]
    history = {
        "loss": [a + b for a, b in zip(FALLING, penalty, strict=True)],
        "val_loss": [a + b for a, b in zip(TURNING, penalty, strict=True)],
        "data_loss": FALLING,
        "val_data_loss": TURNING,
        "penalty": penalty,
    }
    assert diagnose_history(history).monitor == "val_data_loss"
    assert diagnose_history(history).verdict == "overfitting"
    del history["val_data_loss"]  # one with and one without the penalty are not mixed
    assert diagnose_history(history | {"val_loss": TURNING}).monitor == "val_loss"
    del history["data_loss"]
    assert diagnose_history(history).verdict == "still improving"
    assert diagnose_history({"data_loss": FALLING}).monitor == "data_loss"
    easier = {"data_loss": [0.9, 0.8, 0.7, 0.65, 0.6], "val_data_loss": [0.7, 0.55, 0.5, 0.45, 0.42]}
    assert "training: the validation part is the easier one" in diagnose_history(easier).sentence  # no word of dropout


@pytest.mark.parametrize(("bad", "key"), [(math.nan, "loss"), (math.inf, "val_loss"), (-math.inf, "val_loss")])
def test_diagnose_history_finds_the_epoch_that_is_not_finite(bad, key):
    history = {"loss": [0.9, 0.7, 0.5, 0.4], "val_loss": [0.9, 0.6, 0.7, 0.8]}
    history[key][3] = bad
    diagnosis = diagnose_history(history)
    assert (diagnosis.verdict, diagnosis.diverged_epoch, diagnosis.best_epoch) == ("diverged", 3, 1)
    assert diagnosis.sentence == "Diverged in epoch 4 of 4: the loss is not finite or explodes."
    never = verdict([bad] * 3, [bad] * 3)
    assert (never.verdict, never.diverged_epoch, never.best_epoch) == ("diverged", 0, None)


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


DRAWS = 60


def draw(kind, epochs, noise, rng):
    """Both losses of a kind of training, with noise on the validation loss and a third of it on the training loss."""
    epoch = np.arange(epochs)
    fall, slow = np.exp(-epoch / max(0.35, epochs / 25)), np.exp(-epoch / (epochs / 2))
    late, swing = np.clip(epoch / (epochs - 1) - 0.4, 0, None) / 0.6, 1 + 0.35 * (-1.0) ** epoch
    train, val = {
        "a plateau": (0.25 + 1.5 * fall, 0.3 + 1.5 * fall),
        "swings": ((0.3 + 1.5 * fall) * swing, (0.3 + 1.5 * fall) * swing),
        "a U": (0.1 + 1.5 * fall - 0.08 * late, 0.3 + 1.5 * fall + 0.18 * late),
        "a fall": (0.25 + slow, 0.3 + slow),
        "by heart": (0.7 * np.exp(-epoch / (epochs / 8)), np.full(epochs, 0.693)),
        "another kind": (0.25 + 0.7 * fall, 2.5 + fall),
        "no fall": (np.full(epochs, 0.69), np.full(epochs, 0.69)),
    }[kind]
    draws = rng.normal(size=(2, epochs))
    return {"loss": (train * (1 + noise / 3 * draws[0])).tolist(), "val_loss": (val * (1 + noise * draws[1])).tolist()}


# The rows of the table in docs/verdicts.md: the kinds that are drawn, and which verdicts are false.
SOUND = ("a plateau", "a U", "swings")
ROWS = {
    "a plateau is called overfitting": (("a plateau",), lambda verdict: verdict == "overfitting"),
    "a plateau, a U or swings are called suspect": (SOUND, lambda verdict: verdict == "suspect"),
    "a U with a rise of 60 % is not seen": (("a U",), lambda verdict: verdict != "overfitting"),
    "a fall that goes on is called best here": (("a fall",), lambda verdict: verdict == "best here"),
    "a training set learned by heart is not seen": (("by heart",), lambda verdict: verdict != "overfitting"),
    "a validation part of another kind is not seen": (("another kind",), lambda verdict: verdict != "suspect"),
    "a loss that never falls is called something": (("no fall",), lambda verdict: verdict != "did not learn"),
}


def stated():
    """What the page says: the row, the epochs, the noise in percent, and how many of 100 verdicts are false."""
    page = Path(__file__).parents[2] / "docs" / "verdicts.md"
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.read_text("utf-8").splitlines()]
    (_, *epochs), *_ = (line for line in lines if line[0] == "epochs")
    for row, *cells in (line for line in lines if line[0] in ROWS):
        for length, cell in zip(epochs, cells, strict=True):
            for noise, percent in zip((3, 10), cell.split(", "), strict=True):
                yield row, int(length), noise, int(percent)


@pytest.mark.slow
@pytest.mark.parametrize(("row", "epochs", "noise", "percent"), list(stated()))
def test_diagnose_history_is_wrong_as_often_as_its_table_says(row, epochs, noise, percent):
    (kinds, is_false), rng = ROWS[row], np.random.default_rng(epochs)
    drawn = [draw(kind, epochs, noise / 100, rng) for kind in kinds for _ in range(DRAWS // len(kinds))]
    found = np.mean([is_false(diagnose_history(history).verdict) for history in drawn])
    share = percent / 100
    assert abs(found - share) <= 0.02 + 3 * math.sqrt(share * (1 - share) / len(drawn))


def test_diagnose_history_has_a_rate_of_mistakes_for_every_kind():
    assert {row for row, *_ in stated()} == set(ROWS)


@pytest.mark.parametrize(("epochs", "noise"), [(20, 0.01), (50, 0.03), (200, 0.03), (500, 0.03)])
def test_diagnose_history_finds_the_turn_of_noisy_u_curves(epochs, noise):
    rng, epoch = np.random.default_rng(0), np.arange(epochs)
    clean = 0.3 + 1.5 * np.exp(-15 * epoch / epochs) + 0.3 * np.clip(epoch / epochs - 0.4, 0, None)
    found = [verdict((clean * (1 + noise * rng.normal(size=epochs))).tolist()) for _ in range(DRAWS // 2)]
    turns = [diagnosis.overfitting_epoch for diagnosis in found if diagnosis.verdict == "overfitting"]
    assert len(turns) >= 0.98 * len(found)
    # The band: within an eighth of the epochs of the noiseless turn, in 95 of 100 cases.
    assert np.mean(np.abs(np.array(turns) - (clean.argmin() + 1)) <= epochs / 8) >= 0.95


def made(**fields):
    """A run that overfits from its fourth epoch on, with an error of 0.1 in training and 0.2 in validation."""
    history = {"data_loss": FALLING, "val_data_loss": TURNING}
    history |= accuracy([0.9] * 5, [0.8] * 5)
    known = {"spec": ModelSpec(), "problem": find_problem("mnist"), "source": "sample", "protocol": "", "baseline": 0.1}
    return Run(**known | {"history": history} | fields)


def test_diagnose_history_takes_a_run_with_its_baseline():
    for baseline, expected in ((0.1, "overfitting"), (0.8, "overfitting"), (0.9, "did not learn")):
        assert diagnose_history(made(baseline=baseline)).verdict == expected
    assert diagnose_history(made(baseline=1.0)).verdict == "overfitting"  # all samples of one class: nothing to beat
    final = diagnose_history(made(final=True))
    assert (final.monitor, final.verdict) == ("data_loss", "still improving")


def test_diagnose_history_takes_what_fit_returned_and_a_table():
    history = {"loss": FALLING, "val_loss": TURNING} | accuracy([0.9] * 5, [0.8] * 5)
    assert diagnose_history(SimpleNamespace(history=history)) == diagnose_history(history)
    table = pd.DataFrame(history, index=pd.RangeIndex(1, 6, name="epoch"))
    assert diagnose_history(table) == diagnose_history(history)
    assert diagnose_history(made().to_frame()).verdict == "overfitting"


SHARES = ["acc", "accuracy_1", "binary_accuracy", "sparse_categorical_accuracy", "head_accuracy", "f1_score", "auc_2"]
ERRORS = ["mae", "mean_absolute_error", "mean_squared_error", "price_mae", "mse_1"]


@pytest.mark.parametrize("name", [*SHARES, *ERRORS])
def test_diagnose_history_knows_a_measure_by_all_its_names(name):
    level, worse = (0.9, 0.5) if name in SHARES else (2.0, 4.0)
    history = {"loss": [0.3] * 5, "val_loss": [0.3] * 5} | accuracy([level] * 5, [level] * 5, name)
    assert diagnose_history(history, baseline=worse).verdict == "best here"
    assert diagnose_history(history, baseline=level, measure=name).verdict == "did not learn"


def test_diagnose_history_is_told_which_measure_counts():
    history = {"loss": [0.3] * 5, "mse": FALLING, "acc": [0.5] * 5}
    assert diagnose_history(history, baseline=0.5, measure="acc").verdict == "did not learn"
    with pytest.raises(ValueError, match=r"Received: measure='f1', history with loss, mse, acc\. Pass measure="):
        diagnose_history(history, measure="f1")
    with pytest.raises(ValueError, match="does not hold the measure of success"):
        diagnose_history({"loss": FALLING}, baseline=0.5)


def test_diagnose_history_names_both_where_loss_and_measure_disagree():
    rising = {"loss": [0.5, 0.3, 0.2, 0.1, 0.05, 0.02], "val_loss": [0.5, 0.4, 0.38, 0.45, 0.55, 0.65]}
    better = diagnose_history(rising | {"val_acc": [0.8, 0.85, 0.86, 0.87, 0.88, 0.88]})
    assert (better.verdict, better.overfitting_epoch) == ("overfitting", 3)
    assert better.sentence.endswith(
        " But by val_acc it is no more than noise: 0.88 at its best in epoch 5, 0.88 at the end. Stop by it if only it "
        "counts, by the loss if probabilities count, too."
    )
    assert "But by" not in diagnose_history(rising | {"val_acc": [0.8, 0.88, 0.86, 0.84, 0.82, 0.8]}).sentence
    falling = {"loss": FALLING, "val_loss": FALLING} | accuracy(FALLING, [0.9, 0.5, 0.6, 0.7, 0.8], "mae")
    falling = diagnose_history(falling)
    assert falling.verdict == "still improving"
    assert "But by val_mae it gets worse: 0.5 at its best in epoch 2, 0.8 at the end." in falling.sentence


def test_diagnose_history_refuses_what_has_no_curves():
    for given, kind in (([made(), made()], "list"), (0.3, "float")):
        with pytest.raises(TypeError, match=rf"Received: a {kind}\. Give what train returned; of several runs one, or"):
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
    worse = diagnose_errors(made(problem=find_problem("housing"), history=history, baseline=0.1))
    assert (worse.train_error, worse.validation_error) == pytest.approx((4.0, 5.0))


def test_diagnose_errors_refuses_a_run_without_errors():
    for run in (made(final=True), made(history={"data_loss": [math.nan], "val_data_loss": [math.nan]})):
        with pytest.raises(ValueError, match=r"_error=nan.*A run that diverged.*see diagnose_history\(run\)"):
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
