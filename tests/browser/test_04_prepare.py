"""Lesson 4 in JupyterLab: its cells run, and its switches are thrown as a reader would."""

from __future__ import annotations

import pytest

NAME = "04_prepare_your_data.ipynb"
TITLE = "Prepare: what the network reads, and how it learns from it"


def test_lesson_4_panel_follows_its_switches(lab):
    lab.open_notebook(NAME)
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()

    panel.choose("problem", "houses (California)")
    panel.wait_until_done()
    before = panel.figure()
    panel.choose("training samples", "200")
    before = panel.wait_for_change(before)
    panel.wait_for_status("rows=200")
    panel.toggle("leak: statistics from validation, too")
    panel.wait_for_change(before)
    panel.wait_until_done()
    panel.run()
    panel.wait_for_status("Done in")
    assert "housing" in panel.alt_text()
    lab.screenshot("lesson-4", panel.root)


@pytest.mark.parametrize("width", [1280, 900])
def test_lesson_4_panel_fits_the_screen(lab, width):
    lab.page.set_viewport_size({"width": width, "height": 900})
    lab.open_notebook(NAME)
    lab.hide_sidebar()
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    lab.screenshot(f"lesson-4-panel-{width}", panel.root)
    assert panel.cut_texts() == []
