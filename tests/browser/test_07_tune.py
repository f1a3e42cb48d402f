"""Lesson 7 in JupyterLab: its cells run, and its panel trains what a reader switches on."""

from __future__ import annotations

NAME = "07_regularize_and_tune.ipynb"
TITLE = "Train a network"


def test_lesson_7_panel_trains_what_is_switched_on(lab):
    lab.open_notebook(NAME)
    lab.run_all()
    lab.hide_sidebar()
    panel = lab.panel(TITLE, run="Train")
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    assert "dropout=0.3" in panel.status()  # what the cell after the panel asked for

    before = panel.figure()
    panel.toggle("dropout")
    panel.toggle("L2 penalty")
    panel.run()
    panel.wait_for_change(before)
    panel.wait_for_status("l2_on=True")
    panel.wait_until_done()
    assert "penalty" in panel.alt_text()
    panel.check_fit("lesson-7")
