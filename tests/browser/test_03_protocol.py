"""Lesson 3 in JupyterLab: its panel is run, stopped in the middle and run again."""

from __future__ import annotations

import re

NAME = "03_decide_on_an_evaluation_protocol"
TITLE = "Decide on a protocol: what it reports, and what is true"


def test_lesson_3_panel_runs_stops_and_runs_again(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "load", "panel", "panel-drive"))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    assert "hold-out, 1/4 reports" in panel.alt_text()  # what the cell after the panel asked for

    panel.choose("protocol", "K-fold")
    before = panel.figure()
    panel.run()
    panel.wait_for_status(re.compile(r"Models \d+ to \d+ of \d+"))
    panel.wait_until_done()
    before = panel.wait_for_change(before)
    assert "The reports miss the truth by" in panel.status()
    assert "4-fold reports" in panel.alt_text()

    panel.choose("protocol", "iterated K-fold")
    panel.drag("times", to=1.0)
    panel.press("repetitions", "End")
    panel.run()
    panel.wait_for_change(before)  # repetitions come in while it goes on
    assert panel.is_running()
    panel.stop()
    panel.wait_until_done()
    assert "Stopped after" in panel.status()

    panel.press("repetitions", "Home")
    panel.press("times", "Home")
    panel.run()
    panel.wait_for_status("repeats=2&rows=800&draws=5")  # the settings stand there once it is done
    panel.wait_until_done()
    assert "in 5 repetitions: 4-fold, 2 times reports" in panel.alt_text()
    lab.hide_sidebar()
    panel.check_fit("lesson-3")
