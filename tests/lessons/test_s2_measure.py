"""Lesson 2: thresholds and class balances, and the panel that shows them without training again."""

import numpy as np
import pytest
from sklearn import metrics

import recipe
from recipe.lessons.s2_measure import panel as panel_module
from recipe.lessons.s2_measure.panel import COUNTS, MeasurePanel, MeasureSettings, judge_threshold

pytestmark = pytest.mark.usefixtures("undrawn")


def make_scores(samples=2_000, share=0.1, seed=0):
    """Labels and scores of a middling model; some scores are equal."""
    rng = np.random.default_rng(seed)
    y = (rng.random(samples) < share).astype(np.uint8)
    return y, np.clip(0.4 * y + 0.7 * rng.random(samples), 0, 1).round(2).astype(np.float32)


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.99])
def test_judge_threshold_at_the_share_of_the_samples_is_scikit_learn_without_weights(threshold):
    y, scores = make_scores()
    settings = MeasureSettings(threshold=threshold, share=y.mean())
    report, said = judge_threshold(y, scores, settings), scores.astype(float) > threshold
    expected = {
        "accuracy": metrics.accuracy_score(y, said),
        "precision": metrics.precision_score(y, said, zero_division=0),
        "recall": metrics.recall_score(y, said),
        "f1": metrics.f1_score(y, said, zero_division=0),
    }
    assert report.measures[:"f1"].to_dict() == pytest.approx(expected)
    assert report.measures.average_precision == pytest.approx(metrics.average_precision_score(y, scores))
    counts = metrics.confusion_matrix(y, said).ravel() * 1_000 / len(y)
    assert report.measures[COUNTS].to_numpy() == pytest.approx(counts)


def test_judge_threshold_weighs_as_if_each_sample_were_there_several_times():
    y, scores = make_scores()
    twice = np.concatenate([np.arange(len(y)), np.flatnonzero(y == 1)])  # every yes once more
    report = judge_threshold(y, scores, MeasureSettings(share=y[twice].mean()))
    assert report.measures.precision == pytest.approx(metrics.precision_score(y[twice], scores[twice] > 0.5))
    assert report.measures.average_precision == pytest.approx(metrics.average_precision_score(y[twice], scores[twice]))


def test_judge_threshold_shows_that_balance_moves_precision_and_not_recall():
    y, scores = make_scores()
    rare, even = (judge_threshold(y, scores, MeasureSettings(share=share)).measures for share in (0.02, 0.5))
    assert even.recall == pytest.approx(rare.recall)
    assert even.precision > rare.precision + 0.3


# The panel.


@pytest.fixture(scope="module")
def dataset():
    return recipe.load("mnist_five", source="sample")


@pytest.fixture(scope="module")
def used(dataset):
    """A panel that has trained its first network."""
    panel = MeasurePanel(dataset)
    panel.run()
    return panel


def test_panel_network_ranks_fives_first_on_the_other_half(used, dataset):
    assert used.result.measures.average_precision > 0.8
    assert dataset.test.looks == 0


def test_panel_slider_trains_nothing(used, monkeypatch):
    monkeypatch.setattr(panel_module, "predict_held_out", lambda *args, **kwargs: 1 / 0)
    low, high = used.run(threshold=0.2, share=0.1), used.run(threshold=0.8)
    assert high.measures.average_precision == low.measures.average_precision
    assert high.measures.recall < low.measures.recall


def test_panel_table_words_and_figure_hold_the_counts(used):
    report = used.run(threshold=0.5, share=0.1)
    (model,) = used.table().to_dict("records")
    assert "finds {true_positives:.0f} and misses {false_negatives:.0f}".format(**model) in used.alt_text()
    counted, curve = used.figure().axes
    assert [text.get_text() for text in counted.texts] == [f"{model[name]:.0f}" for name in COUNTS]
    np.testing.assert_array_equal(curve.get_lines()[0].get_xydata().T, (report.recall, report.precision))
    assert "(sample)" in curve.get_title(loc="left")


def test_panel_shows_a_stopped_training_and_does_not_keep_it(dataset, monkeypatch):
    panel = MeasurePanel(dataset)
    wanted = panel.compute

    def stop_then_compute(settings, on_progress, stop):
        stop.set()
        return wanted(settings, on_progress, stop)

    monkeypatch.setattr(panel, "compute", stop_then_compute)
    half = panel.run()
    monkeypatch.undo()
    assert panel.run().measures.average_precision > half.measures.average_precision
