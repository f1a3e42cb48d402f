"""Step 3's panel, driven from Python: it shows what `study_protocol` returns, live, and stops in the middle."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import recipe
from recipe.lessons.s3_protocol.panel import ProtocolPanel, ProtocolSettings
from recipe.lessons.s3_protocol.study import study_protocol


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


@pytest.fixture(scope="module")
def used(houses):
    """A panel that has been run once."""
    panel = ProtocolPanel(houses)
    panel.run(rows=60, draws=5, folds=2)
    return panel


def test_run_returns_what_the_public_function_returns(used, houses):
    expected = study_protocol(houses, rows=60, draws=5, folds=2)
    np.testing.assert_allclose(used.result.reported, expected.reported, atol=1e-5)
    np.testing.assert_allclose(used.result.truth, expected.truth, atol=1e-5)


def test_controls_reach_the_study(houses):
    panel = ProtocolPanel(houses, rows=60, draws=5)
    for name, value in {"protocol": "iterated K-fold", "folds": 2, "repeats": 2, "redraw": "cut"}.items():
        panel.controls[name].value = value
    panel.run_button.click()
    panel.wait(timeout=120)
    result = panel.result
    assert (result.name, result.rows, result.draws, result.redraw) == ("2-fold, 2 times", 60, 5, "cut")
    assert result.models == 25
    assert "25 models" in panel.status.value


def test_table_and_words_and_figure_hold_the_same_numbers(used):
    result, table = used.result, used.table()
    assert [row["reported"] for row in table] == [round(float(score), 4) for score in result.reported]
    assert f"2-fold reports {result.reported.mean():.3f} on average" in used.alt_text()
    assert f"the truth is {result.truth.mean():.3f} on average" in used.image.tooltip
    axes = used.figure().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["2-fold", "the truth"]
    dots = next(line for line in axes.get_lines() if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_xdata(), result.reported)
    assert "(data: sample)" in axes.get_title(loc="left")


def test_source_stands_on_the_panel(used):
    assert "an embedded sample, not the real data" in used.source_label.value


def test_stop_in_the_middle_keeps_what_is_complete(houses, monkeypatch):
    monkeypatch.setattr("recipe.lessons.s3_protocol.study.MODELS_TOGETHER", 6)
    panel = ProtocolPanel(houses, rows=40, folds=2, draws=60)
    wanted, seen = panel.compute, threading.Event()

    def compute(settings, on_progress, stop):
        def listen(partial, message):
            on_progress(partial, message)
            if partial is not None:
                seen.set()
                stop.wait(60)  # until Stop is pressed

        return wanted(settings, listen, stop)

    monkeypatch.setattr(panel, "compute", compute)
    panel.run_button.click()
    assert seen.wait(60)
    panel.stop_button.click()
    panel.wait(timeout=60)
    assert panel.result.draws == 2
    assert "Stopped after" in panel.status.value
    monkeypatch.undo()
    assert panel.run(draws=5).draws == 5


def test_stop_before_anything_is_complete_keeps_the_result_that_was_there(houses, monkeypatch):
    panel = ProtocolPanel(houses)
    before = panel.run(rows=40, folds=2, draws=5)
    wanted = panel.compute

    def stop_then_compute(settings, on_progress, stop):
        stop.set()
        return wanted(settings, on_progress, stop)

    monkeypatch.setattr(panel, "compute", stop_then_compute)
    panel.run()
    assert panel.result is before


def test_too_many_rows_for_the_data_are_refused_in_the_status_line_too():
    panel = ProtocolPanel(recipe.load("housing", source="sample", rows=500))
    with pytest.raises(ValueError, match=r"Of 400 training samples 10 to 200 can be drawn.*Received: rows=800"):
        panel.run(rows=800)
    assert "10 to 200 can be drawn" in panel.status.value


def test_settings_survive_their_text_and_refuse_what_is_out_of_range():
    settings = ProtocolSettings(protocol="iterated K-fold", folds=5, repeats=2, rows=400, draws=10, redraw="cut")
    assert ProtocolSettings.from_text(settings.to_text()) == settings
    with pytest.raises(ValueError, match=r"folds is out of range\. Received: folds=11"):
        ProtocolSettings(folds=11)
    with pytest.raises(ValueError, match=r"protocol is none of the choices\. Received: protocol='bootstrap'"):
        ProtocolSettings(protocol="bootstrap")
