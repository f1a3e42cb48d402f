"""The counts of a yes-or-no model against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as reference

import recipe
from recipe.data.problems import find_problem
from recipe.steps.s2_measure import confusion_matrix


@pytest.fixture
def scored():
    """Labels and scores of a middling model; some scores are equal."""
    rng = np.random.default_rng(0)
    y = (rng.random(500) < 0.1).astype(np.uint8)
    return y, np.clip(0.4 * y + 0.7 * rng.random(500), 0, 1).round(2).astype(np.float32)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_confusion_matrix_agrees_with_scikit_learn(scored, threshold):
    y, scores = scored
    counted, yes = confusion_matrix(y, scores, threshold), scores.astype(float) > threshold
    assert counted.table().tolist() == reference.confusion_matrix(y, yes).tolist()
    assert counted.samples == len(y)
    assert counted.accuracy == pytest.approx(reference.accuracy_score(y, yes))
    assert counted.precision == pytest.approx(reference.precision_score(y, yes, zero_division=0))
    assert counted.recall == pytest.approx(reference.recall_score(y, yes))
    assert counted.f1 == pytest.approx(reference.f1_score(y, yes, zero_division=0))


def test_confusion_matrix_calls_a_score_at_the_threshold_a_no_as_the_measures_do(scored):
    counted = confusion_matrix(np.array([0, 1]), np.array([0.5, 0.5]))
    assert (counted.false_negatives, counted.true_negatives) == (1, 1)
    y, scores = scored
    for name in ("accuracy", "precision", "recall", "f1"):
        value = recipe.MEASURES[name].compute(find_problem("mnist_five"), y, scores)
        assert getattr(confusion_matrix(y, scores), name) == pytest.approx(value)


def test_confusion_matrix_takes_what_predict_returns(scored):
    y, scores = scored
    assert confusion_matrix(y[:, None], scores[:, None]) == confusion_matrix(y, scores)


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


def test_confusion_matrix_refuses_a_threshold_that_is_no_number(scored):
    with pytest.raises(ValueError, match=r"Received: threshold=nan"):
        confusion_matrix(*scored, float("nan"))
