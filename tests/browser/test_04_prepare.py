"""Lesson 4 in JupyterLab: its switches are thrown as a reader would."""

from __future__ import annotations

NAME = "04_prepare_your_data"
TITLE = "Prepare: what the network reads, and how it learns from it"


def test_lesson_4_panel_follows_its_switches(lab, excerpt):
    lab.open_notebook(excerpt(NAME, "load", "panel", "panel-drive"))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()

    panel.choose("problem", "housing")
    panel.wait_until_done()
    before = panel.figure()
    panel.choose("training samples", "200")
    before = panel.wait_for_change(before)
    panel.wait_for_status("rows=200")
    panel.choose("inputs", "mean 0, deviation 1")
    before = panel.wait_for_change(before)
    panel.toggle("leak: statistics from validation, too")
    panel.wait_for_change(before)
    panel.wait_until_done()
    panel.run()
    panel.wait_for_status("Done in")
    assert "housing" in panel.alt_text()
    lab.hide_sidebar()
    panel.check_fit("lesson-4")
