"""Panels by keyboard alone: each handle has a name, the focus comes back, and Ctrl with a key is the page's."""

from __future__ import annotations

PANELS = {
    "Count": "from panel_examples import CountPanel\nCountPanel()",
    "Train a network": "import recipe\nrecipe.TrainingPanel(rows=200, epochs=1)",
}


def _shown(lab, page, title):
    lab.open_notebook(page("keys", PANELS[title]))
    lab.run_all()
    return lab.panel(title, run="Train" if title == "Train a network" else "Run")


def test_sliders_say_their_name_and_their_value(lab, page):
    panel = _shown(lab, page, "Train a network")
    handles = panel.root.locator("[role=slider]")
    lab.page.wait_for_function("() => document.querySelector('[role=slider]').hasAttribute('aria-label')")
    names = [handle.get_attribute("aria-label") for handle in handles.all()]
    assert None not in names
    assert len(set(names)) == len(names)
    rows = panel.control("rows").locator("[role=slider]")
    rows.focus()
    lab.page.keyboard.press("End")
    assert panel.readout("rows") == "all"
    assert rows.get_attribute("aria-valuetext") == "all"


def test_the_focus_comes_back_after_a_run_but_not_to_who_has_left_and_ctrl_s_saves(lab, page):
    panel = _shown(lab, page, "Count")
    panel.run_button.focus()
    lab.page.keyboard.press("Enter")
    panel.wait_for_status("Done in")
    panel.wait_until_done()
    assert panel.run_button.evaluate("button => button === document.activeElement")

    panel.run_button.evaluate("button => button.blur()")
    panel.root.locator("[role=status]").evaluate("status => status.append('another word')")  # as a run in a thread does
    lab.page.wait_for_timeout(200)
    assert lab.page.evaluate("document.activeElement === document.body")

    dirty = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
    assert lab.page.evaluate(dirty)
    panel.run_button.focus()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_function(f"() => !({dirty})()")
