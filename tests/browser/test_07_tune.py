"""Lesson 7's panel in JupyterLab, by its own cells alone: the lesson trains for a minute, and nbval runs it."""

from __future__ import annotations

NAME = "07_regularize_and_tune"
TITLE = "Train a network"


def test_lesson_7_panel_trains_what_is_switched_on(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "panel", "panel-drive"))
    lab.run_all()
    lab.hide_sidebar()
    panel = lab.panel(TITLE, run="Train")
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    assert "dropout_on=true&dropout=0.3" in panel.status()  # what the cell after the panel asked for

    before = panel.figure()
    panel.toggle("dropout")
    panel.toggle("L2 penalty")
    panel.run()
    panel.wait_for_change(before)
    panel.wait_for_status("l2_on=true")
    panel.wait_until_done()
    panel.check_fit("lesson-7")
