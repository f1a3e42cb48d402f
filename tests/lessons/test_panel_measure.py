"""Step 2's panel, driven from Python: what it shows is what the public functions return, and it trains only once."""

from __future__ import annotations

import numpy as np
import pytest

import recipe
from recipe.lessons.s2_measure import panel as measure
from recipe.lessons.s2_measure.detector import score_held_out
from recipe.lessons.s2_measure.panel import NETWORKS, MeasurePanel, MeasureSettings
from recipe.lessons.s2_measure.thresholds import judge_threshold


@pytest.fixture(scope="module")
def dataset():
    return recipe.load("mnist_five", source="sample")


@pytest.fixture(scope="module")
def used(dataset):
    """A panel that has trained both networks."""
    panel = MeasurePanel(dataset)
    for network in NETWORKS:
        panel.run(network=network)
    return panel


def test_run_returns_what_the_public_functions_return(used, dataset):
    result = used.run(threshold=0.3, share=0.2, network="linear")
    scored = score_held_out(dataset, NETWORKS["linear"])
    expected = judge_threshold(scored.y_true, scored.scores, threshold=0.3, share=0.2)
    assert np.allclose(result.scored.scores, scored.scores, atol=1e-5)
    assert (result.report.model, result.report.never) == (expected.model, expected.never)
    assert used.result is result


def test_moving_a_slider_trains_nothing(used, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network is trained")

    monkeypatch.setattr(measure, "score_held_out", refuse)
    first = used.run(threshold=0.2, share=0.1, network="linear")
    second = used.run(threshold=0.8)
    assert second.scored is first.scored
    assert second.report.model.recall < first.report.model.recall
    assert used.run(network="hidden").scored is not first.scored


def test_change_of_a_control_recomputes_by_itself(used):
    used.run(threshold=0.5, share=0.1, network="linear")
    before = used.image.value
    used.controls["threshold"].value = 0.9
    used.wait(timeout=60)
    assert used.result.report.threshold == 0.9
    assert used.image.value != before
    assert "threshold 0.90" in used.image.tooltip


def test_run_button_trains_and_shows(dataset):
    panel = MeasurePanel(dataset)
    panel.run_button.click()
    panel.wait(timeout=120)
    assert panel.result.report.model.f1 > panel.result.report.never.f1 == 0
    assert "Accuracy: network" in panel.status.value


def test_never_is_the_more_accurate_one_at_a_careless_threshold(used):
    report = used.run(threshold=0.05, share=0.02, network="linear").report
    assert report.never.accuracy > report.model.accuracy
    assert report.never.recall == 0 < report.model.recall


def test_table_and_words_hold_the_counts(used):
    report = used.run(threshold=0.5, share=0.1, network="linear").report
    model, never = used.table()
    assert (model["true_positives"], model["false_positives"]) == (
        report.model.true_positives,
        report.model.false_positives,
    )
    assert never["accuracy"] == round(report.never.accuracy, 4)
    assert f"finds {report.model.true_positives:,} and misses {report.model.false_negatives:,}" in used.alt_text()


def test_figure_shows_both_counts_and_the_curve(used):
    report = used.run(threshold=0.5, share=0.1, network="linear").report
    texts = {text.get_text() for axes in used.figure().axes for text in axes.texts}
    assert any(text.startswith(f"{report.model.true_negatives:,}\n") for text in texts)
    assert any(text.startswith(f"{report.never.false_negatives:,}\n") for text in texts)
    curve = used.figure().axes[1]
    line = curve.get_lines()[0].get_xydata()
    assert np.allclose(line[:-1], np.column_stack([report.curve.recall, report.curve.precision]))
    assert "(sample)" in curve.get_title(loc="left")


def test_source_stands_on_the_panel(used):
    assert "an embedded sample, not the real data" in used.source_label.value


def test_settings_survive_their_text_and_refuse_what_is_out_of_range():
    settings = MeasureSettings(threshold=0.25, share=0.02, network="hidden")
    assert MeasureSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match=r"share is none of the choices\. Received: share=0\.9"):
        MeasureSettings(share=0.9)
    with pytest.raises(ValueError, match=r"moves in hundredths\. Received: threshold=0\.123\. Give 0\.12;"):
        MeasureSettings(threshold=0.123)
    with pytest.raises(ValueError, match=r"threshold is out of range\. Received: threshold=1\.5"):
        MeasureSettings(threshold=1.5)
    with pytest.raises(ValueError, match=r"network is none of the choices\. Received: network='cnn'"):
        MeasureSettings(network="cnn")


def test_panel_refuses_what_is_no_yes_or_no_question():
    panel = MeasurePanel(recipe.load("mnist", source="sample"))
    with pytest.raises(ValueError, match=r"needs a yes-or-no question, and mnist is"):
        panel.run()
    assert "yes-or-no question" in panel.status.value


def test_stopped_training_is_shown_and_not_kept(dataset, monkeypatch):
    panel = MeasurePanel(dataset)
    wanted = panel.compute

    def stop_then_compute(settings, on_progress, stop):
        stop.set()
        return wanted(settings, on_progress, stop)

    monkeypatch.setattr(panel, "compute", stop_then_compute)
    half = panel.run()
    monkeypatch.undo()
    assert panel.run().scored is not half.scored
