"""Counts, curves and class balances against scikit-learn and plain NumPy."""

import dataclasses

import numpy as np
import pytest
from sklearn import metrics as reference

import recipe
from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.lessons.s2_measure.detector import score_held_out
from recipe.lessons.s2_measure.thresholds import (
    ConfusionMatrix,
    confusion_matrix,
    judge_threshold,
    precision_recall,
    rebalance,
)


def make_scores(samples=500, share=0.1, seed=0):
    """Labels and scores of a middling model; some scores are equal."""
    rng = np.random.default_rng(seed)
    y = (rng.random(samples) < share).astype(np.uint8)
    return y, np.clip(0.4 * y + 0.7 * rng.random(samples), 0, 1).round(2).astype(np.float32)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_confusion_matrix_agrees_with_scikit_learn(threshold):
    y, scores = make_scores()
    counted, yes = confusion_matrix(y, scores, threshold), scores.astype(float) > threshold
    assert counted.table().tolist() == reference.confusion_matrix(y, yes).tolist()
    assert counted.accuracy == pytest.approx(reference.accuracy_score(y, yes))
    assert counted.precision == pytest.approx(reference.precision_score(y, yes, zero_division=0))
    assert counted.recall == pytest.approx(reference.recall_score(y, yes))
    assert counted.f1 == pytest.approx(reference.f1_score(y, yes, zero_division=0))


def test_confusion_matrix_calls_a_score_at_the_threshold_a_no_as_the_measures_do():
    counted = confusion_matrix(np.array([0, 1]), np.array([0.5, 0.5]))
    assert (counted.false_negatives, counted.true_negatives) == (1, 1)


def test_confusion_matrix_takes_what_predict_returns():
    y, scores = make_scores()
    assert confusion_matrix(y[:, None], scores[:, None]) == confusion_matrix(y, scores)


def test_confusion_matrix_agrees_with_the_measures():
    y, scores = make_scores()
    counted, problem = confusion_matrix(y, scores), find_problem("mnist_five")
    for name in ("accuracy", "precision", "recall", "f1"):
        assert getattr(counted, name) == pytest.approx(recipe.MEASURES[name].compute(problem, y, scores))


def test_confusion_of_never_is_accurate_and_finds_nothing():
    never = ConfusionMatrix(true_positives=0, false_negatives=10, false_positives=0, true_negatives=90)
    assert (never.accuracy, never.precision, never.recall, never.f1) == (0.9, 0.0, 0.0, 0.0)


def test_precision_recall_agrees_with_counting_at_every_threshold():
    y, scores = make_scores()
    curve = precision_recall(y, scores)
    for threshold, precision, recall, f1 in zip(curve.thresholds, curve.precision, curve.recall, curve.f1, strict=True):
        counted = confusion_matrix(y, scores, threshold)
        expected = (counted.precision, counted.recall, counted.f1)
        assert (precision, recall, f1) == pytest.approx(expected, abs=1e-9)
    assert curve.average_precision == pytest.approx(reference.average_precision_score(y, scores))
    assert curve.share == pytest.approx(y.mean())


def test_precision_recall_tells_neighbouring_float32_scores_apart():
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    y, scores = np.array([0, 1]), np.array([low, high])
    curve = precision_recall(y, scores)
    assert confusion_matrix(y, scores, curve.best_threshold).f1 == 1.0


def test_best_threshold_has_the_highest_f1():
    y, scores = make_scores()
    best = confusion_matrix(y, scores, precision_recall(y, scores).best_threshold).f1
    assert best == pytest.approx(max(confusion_matrix(y, scores, t).f1 for t in np.linspace(0, 1, 201)))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_rebalance_gives_the_share_without_repeating_a_sample(share):
    y, _ = make_scores(2000)
    chosen = rebalance(y, share)
    assert len(np.unique(chosen)) == len(chosen)
    assert y[chosen].mean() == pytest.approx(share, abs=1 / len(chosen))
    assert y[chosen].sum() == y.sum() or (1 - y[chosen]).sum() == (1 - y).sum()  # nothing is left out needlessly


def test_rebalance_keeps_the_same_samples_where_the_balance_changes_a_little():
    y, _ = make_scores(2000)
    assert set(rebalance(y, 0.4)) < set(rebalance(y, 0.3))
    assert set(rebalance(y, 0.02)) < set(rebalance(y, 0.03))
    assert set(rebalance(y, 0.4)) != set(rebalance(y, 0.4, seed=1))


def test_rebalance_keeps_at_least_one_of_each_kind():
    y = np.array([1, 0, 0, 0])
    assert y[rebalance(y, 0.001)].sum() == 1


def test_judge_threshold_shows_that_balance_moves_precision_and_not_recall():
    y, scores = make_scores(20_000)
    rare, even = (judge_threshold(y, scores, share=share) for share in (0.02, 0.5))
    assert even.model.recall - rare.model.recall == pytest.approx(0, abs=0.1)
    assert even.model.precision > rare.model.precision + 0.3
    assert rare.never.accuracy == pytest.approx(0.98, abs=0.001)
    assert even.never.accuracy == 0.5


def test_judge_threshold_takes_all_samples_where_no_share_is_given():
    y, scores = make_scores()
    report = judge_threshold(y, scores, threshold=0.3)
    assert report.model == confusion_matrix(y, scores, 0.3)
    assert report.curve.average_precision == precision_recall(y, scores).average_precision


@pytest.mark.parametrize(
    ("y", "scores", "message"),
    [
        (np.zeros(3), np.zeros(4), r"one label and one score.*y_true of shape \(3,\), scores of shape \(4,\)"),
        (np.zeros((3, 2)), np.zeros(3), r"arrays of shape \(n,\)"),
        (np.zeros(3), np.zeros((3, 10)), r"scores of shape \(3, 10\)"),
        (np.zeros(0), np.zeros(0), r"one label and one score"),
        (np.float64(1), np.float64(0.5), r"y_true of shape \(\)"),
        (np.array([5, 0, 3]), np.zeros(3), r"neither 0 \(no\) nor 1 \(yes\)\. Received: y_true from 0 to 5.*== 5"),
        (np.zeros(3), np.array([0.1, np.nan, np.inf]), r"2 scores are not finite"),
    ],
)
def test_confusion_matrix_refuses_what_is_no_yes_or_no(y, scores, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(y, scores)


def test_confusion_matrix_refuses_a_threshold_that_is_no_number():
    with pytest.raises(ValueError, match=r"Received: threshold=nan"):
        confusion_matrix(np.array([0, 1]), np.array([0.1, 0.9]), float("nan"))


def test_precision_recall_refuses_samples_without_a_yes():
    with pytest.raises(ValueError, match=r"None of the 3 samples is a yes"):
        precision_recall(np.zeros(3), np.zeros(3))


def test_rebalance_refuses_shares_and_labels_that_cannot_be():
    with pytest.raises(ValueError, match=r"between 0 and 1\. Received: share=1\.5"):
        rebalance(np.array([0, 1]), 1.5)
    with pytest.raises(ValueError, match=r"there are 0 yes and 2 no"):
        rebalance(np.array([0, 0]), 0.5)


def test_score_held_out_ranks_fives_first_on_samples_that_were_not_trained_on():
    dataset = recipe.load("mnist_five", source="sample")
    scored = score_held_out(dataset, ModelSpec(architecture="linear", batch_size=32, epochs=20))
    assert scored.trained_on + len(scored.scores) == len(dataset.y_train)
    assert scored.scores.shape == scored.y_true.shape
    assert scored.source == "sample"
    assert precision_recall(scored.y_true, scored.scores).average_precision > 0.85
    assert dataset.test.looks == 0


def test_score_held_out_refuses_what_is_no_yes_or_no_question():
    with pytest.raises(ValueError, match=r"mnist is a multiclass.*Load mnist_five or imdb"):
        score_held_out(recipe.load("mnist", source="sample"), ModelSpec())


def test_reports_are_frozen():
    y, scores = make_scores()
    with pytest.raises(dataclasses.FrozenInstanceError):
        judge_threshold(y, scores).threshold = 0.1
