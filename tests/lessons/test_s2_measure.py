"""Lesson 2: thresholds and class balances, and the panel that shows them without training again."""

import numpy as np
import pytest
from sklearn import metrics

import recipe
from recipe.lessons.s2_measure import panel as panel_module
from recipe.lessons.s2_measure.panel import NETWORKS, MeasurePanel, MeasureSettings
from recipe.lessons.s2_measure.study import judge_threshold, rebalance, score_held_out


def make_scores(samples=2_000, share=0.1, seed=0):
    """Labels and scores of a middling model; some scores are equal."""
    rng = np.random.default_rng(seed)
    y = (rng.random(samples) < share).astype(np.uint8)
    return y, np.clip(0.4 * y + 0.7 * rng.random(samples), 0, 1).round(2).astype(np.float32)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5, 0.9])
def test_rebalance_gives_the_share_without_repeating_a_sample(share):
    y, _ = make_scores()
    chosen = rebalance(y, share)
    assert len(np.unique(chosen)) == len(chosen)
    assert y[chosen].mean() == pytest.approx(share, abs=1 / len(chosen))
    assert y[chosen].sum() == y.sum() or (1 - y[chosen]).sum() == (1 - y).sum()  # nothing is left out needlessly


def test_rebalance_keeps_the_same_samples_where_the_balance_changes_a_little():
    y, _ = make_scores()
    assert set(rebalance(y, 0.4)) < set(rebalance(y, 0.3))
    assert set(rebalance(y, 0.02)) < set(rebalance(y, 0.03))


def test_rebalance_keeps_one_of_each_kind_and_refuses_what_cannot_be():
    y = np.array([1, 0, 0, 0])
    assert y[rebalance(y, 0.001)].sum() == 1
    with pytest.raises(ValueError, match=r"between 0 and 1\. Received: share=1\.5"):
        rebalance(y, 1.5)
    with pytest.raises(ValueError, match=r"there are 0 yes and 2 no"):
        rebalance(np.array([0, 0]), 0.5)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.77, 1.0])
def test_judge_threshold_agrees_with_scikit_learn(threshold):
    y, scores = make_scores()
    report, chosen = judge_threshold(y[:, None], scores[:, None], threshold=threshold, share=0.2), rebalance(y, 0.2)
    y, scores = y[chosen], scores[chosen].astype(float)
    said = scores > threshold
    assert report.model.accuracy == pytest.approx(metrics.accuracy_score(y, said))
    assert report.model.precision == pytest.approx(metrics.precision_score(y, said, zero_division=0))
    assert report.model.recall == pytest.approx(metrics.recall_score(y, said))
    assert report.model.f1 == pytest.approx(metrics.f1_score(y, said, zero_division=0))
    assert report.average_precision == pytest.approx(metrics.average_precision_score(y, scores))
    assert (report.never.recall, report.share) == (0, pytest.approx(0.2, abs=0.01))


def test_judge_threshold_shows_that_balance_moves_precision_and_not_recall():
    y, scores = make_scores(20_000)
    rare, even = (judge_threshold(y, scores, share=share) for share in (0.02, 0.5))
    assert even.model.recall - rare.model.recall == pytest.approx(0, abs=0.1)
    assert even.model.precision > rare.model.precision + 0.3
    assert (rare.never.accuracy, even.never.accuracy) == (pytest.approx(0.98, abs=0.001), 0.5)


@pytest.fixture(scope="module")
def dataset():
    return recipe.load("mnist_five", source="sample")


def test_score_held_out_ranks_fives_first_on_the_other_half(dataset):
    y, scores = score_held_out(dataset, recipe.ModelSpec(architecture="linear", batch_size=32, epochs=20))
    assert len(y) == len(scores) == pytest.approx(len(dataset.y_train) / 2, abs=1)
    assert metrics.average_precision_score(y, scores) > 0.85
    assert dataset.test.looks == 0


# The panel.


@pytest.fixture(scope="module")
def used(dataset):
    """A panel that has trained both networks."""
    panel = MeasurePanel(dataset)
    for network in NETWORKS:
        panel.run(network=network)
    return panel


def test_panel_run_returns_what_judge_threshold_returns(used, dataset):
    report = used.run(threshold=0.3, share=0.2, network="linear")
    expected = judge_threshold(*score_held_out(dataset, NETWORKS["linear"]), threshold=0.3, share=0.2)
    assert (report.model, report.never) == (expected.model, expected.never)
    assert used.result is report


def test_panel_slider_trains_nothing(used, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network is trained")

    monkeypatch.setattr(panel_module, "score_held_out", refuse)
    first = used.run(threshold=0.2, share=0.1, network="linear")
    second = used.run(threshold=0.8)
    assert second.average_precision == first.average_precision
    assert second.model.recall < first.model.recall
    assert used.run(network="hidden").average_precision != first.average_precision


def test_panel_control_recomputes_by_itself(used):
    used.run(threshold=0.5, share=0.1, network="linear")
    before = used.image.value
    used.controls["threshold"].value = 0.9
    used.wait(timeout=60)
    assert used.result.threshold == 0.9
    assert used.image.value != before
    assert "threshold 0.90" in used.image.tooltip


def test_panel_run_button_trains_and_shows(dataset):
    panel = MeasurePanel(dataset)
    panel.run_button.click()
    panel.wait(timeout=120)
    assert panel.result.model.f1 > panel.result.never.f1 == 0
    assert "Accuracy: network" in panel.status.value
    assert "an embedded sample, not the real data" in panel.source_label.value


def test_panel_shows_never_as_the_more_accurate_one_at_a_careless_threshold(used):
    report = used.run(threshold=0.05, share=0.02, network="linear")
    assert report.never.accuracy > report.model.accuracy
    assert report.never.recall == 0 < report.model.recall


def test_panel_table_words_and_figure_hold_the_counts(used):
    report = used.run(threshold=0.5, share=0.1, network="linear")
    model, never = used.table()
    assert (model["true_positives"], model["false_negatives"]) == (
        report.model.true_positives,
        report.model.false_negatives,
    )
    assert never["accuracy"] == round(report.never.accuracy, 4)
    assert f"finds {report.model.true_positives:,} and misses {report.model.false_negatives:,}" in used.alt_text()
    figure = used.figure()
    texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert any(text.startswith(f"{report.model.true_negatives:,}\n") for text in texts)
    assert any(text.startswith(f"{report.never.false_negatives:,}\n") for text in texts)
    curve = figure.axes[1]
    np.testing.assert_array_equal(curve.get_lines()[0].get_xydata().T, (report.recall, report.precision))
    assert "(sample)" in curve.get_title(loc="left")


def test_panel_settings_survive_their_text_and_refuse_what_is_out_of_range():
    settings = MeasureSettings(threshold=0.25, share=0.02, network="hidden")
    assert MeasureSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match=r"share is none of the choices\. Received: share=0\.9"):
        MeasureSettings(share=0.9)
    with pytest.raises(ValueError, match=r"moves in hundredths\. Received: threshold=0\.123\. Give 0\.12;"):
        MeasureSettings(threshold=0.123)


def test_panel_refuses_what_is_no_yes_or_no_question():
    panel = MeasurePanel(recipe.load("mnist", source="sample"))
    with pytest.raises(ValueError, match=r"mnist is a multiclass.*Load mnist_five or imdb"):
        panel.run()
    assert "yes-or-no question" in panel.status.value


def test_panel_shows_a_stopped_training_and_does_not_keep_it(dataset, monkeypatch):
    panel = MeasurePanel(dataset)
    wanted = panel.compute

    def stop_then_compute(settings, on_progress, stop):
        stop.set()
        return wanted(settings, on_progress, stop)

    monkeypatch.setattr(panel, "compute", stop_then_compute)
    half = panel.run()
    monkeypatch.undo()
    assert panel.run().average_precision > half.average_precision
