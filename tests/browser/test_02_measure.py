"""Lesson 2 in JupyterLab: its panel is dragged, typed into and switched as a reader would."""

from __future__ import annotations

import re

NAME = "02_choose_a_measure_of_success"
TITLE = "Choose a measure: threshold and class balance"


def _found(panel):
    """Read the number of fives that the network finds from the figure's alternative text."""
    return int(re.search(r"finds ([\d,]+)", panel.alt_text())[1].replace(",", ""))


def test_lesson_2_panel_follows_threshold_and_balance(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "load", "imports", "panel", "panel-drive"))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    panel.wait_for_status("threshold=0.1&share=0.02")  # what the cell after the panel asked for
    before, found = panel.figure(), _found(panel)

    panel.drag("threshold", to=0.9, steps=40)
    before = panel.wait_for_change(before)
    panel.wait_until_done()
    assert _found(panel) < found

    panel.press("threshold", "Home")
    panel.wait_for_status("threshold=0.01")
    panel.press("share of yes", "End")
    panel.wait_for_status("share=0.5")
    assert "50.0% are a 5" in panel.alt_text()

    panel.run()
    panel.wait_until_done()
    assert "Done in" in panel.status()
    lab.hide_sidebar()
    panel.check_fit("lesson-2")
