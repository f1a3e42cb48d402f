"""The panel of bias and variance, driven from Python."""

import pytest

import recipe
from recipe.lessons.s6_scale_up.panel import ERRORS, ErrorsPanel, ErrorsSettings


def test_run_returns_the_diagnosis_and_says_it():
    panel = ErrorsPanel()
    result = panel.run(training=0.15, validation=0.3, reachable=0.15)
    assert result == recipe.diagnose_errors(0.15, 0.3, 0.15)
    assert result.sentence in panel.status.value
    assert panel.alt_text().startswith(result.sentence)
    assert "B: 15 % and 14 %, neither is high." in panel.alt_text()


def test_change_of_a_slider_recomputes_by_itself():
    panel = ErrorsPanel()
    panel.run()
    before = panel.image.value
    panel.controls["reachable"].value = 0.1
    panel.wait(timeout=60)
    assert panel.result.reachable_error == 0.1
    assert panel.image.value != before


def test_table_holds_own_runs_and_the_textbook_cases():
    panel = ErrorsPanel({"first run": (0.0, 0.2)}, training=0.05, validation=0.05)
    panel.run()
    rows = panel.table()
    assert [row["name"] for row in rows] == ["the sliders", "first run", "A", "B", "C", "D"]
    assert rows[1] == {
        "name": "first run",
        "training error": 0.0,
        "validation error": 0.2,
        "bias": "low",
        "variance": "high",
    }


def test_sliders_show_per_cent_in_half_points_first():
    panel = ErrorsPanel()
    shown = [label for label, _ in panel.controls["training"].options]
    assert shown[:4] == ["0 %", "0.5 %", "1 %", "1.5 %"]
    assert shown[-1] == "50 %"
    assert len(set(shown)) == len(ERRORS)
    assert (panel.settings.training, panel.settings.validation, panel.settings.reachable) == (0.01, 0.11, 0.0)


def test_settings_between_the_stops_are_refused():
    with pytest.raises(ValueError, match=r"half points up to 5 %, then in whole ones. Received: training=0.123"):
        ErrorsSettings(training=0.123)
    with pytest.raises(ValueError, match=r"reachable is out of range. Received: reachable=0.7"):
        ErrorsSettings(reachable=0.7)


def test_figure_shows_the_sliders_and_own_runs():
    panel = ErrorsPanel({"first run": (0.0, 0.2)})
    panel.run(training=0.3, validation=0.4)
    axes = panel.figure().axes[0]
    points = [tuple(line.get_xydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert {(0.3, 0.4), (0.0, 0.2)} <= set(points)
