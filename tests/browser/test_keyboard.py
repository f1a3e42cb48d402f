"""Panels by keyboard alone, in JupyterLab and Notebook: no key reaches the notebook, every handle has a name."""

from __future__ import annotations

import string

import pytest

LETTERS = string.ascii_lowercase + string.digits + "dd"
KEYS = (
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "ArrowDown",
    "Home",
    "End",
    "PageUp",
    "PageDown",
    "Delete",
    "Escape",
    "Enter",
)
FOCUSABLE = (
    "select, input:not([type=hidden]), button:not([disabled]), [role=slider], [role=tab], [contenteditable=true]"
)
_CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(
  cell => [cell.cell_type, cell.getSource()])"""
PANELS = {
    "Count": "from panel_examples import CountPanel\nCountPanel()",
    "Train a network": "import recipe\nrecipe.TrainingPanel(rows=200, epochs=1)",
}


@pytest.fixture(params=["lab", "notebook"])
def jupyter(request):
    return request.getfixturevalue(request.param)


def _shown(jupyter, page, title):
    jupyter.open_notebook(page("keys", "before = 1", PANELS[title], "after = 1"))
    jupyter.run_all()
    return jupyter.panel(title, run="Train" if title == "Train a network" else "Run")


def test_no_key_in_a_panel_reaches_the_notebook(jupyter, page):
    panel = _shown(jupyter, page, "Train a network" if jupyter.server.kind == "lab" else "Count")
    cells = jupyter.page.evaluate(_CELLS)
    controls = panel.root.locator(FOCUSABLE)
    tried = 0
    for number in range(controls.count()):
        control = controls.nth(number)
        if not control.is_visible() or not control.is_enabled():
            continue
        tried += 1
        control.focus()
        jupyter.page.keyboard.type(LETTERS)
        for key in KEYS:
            control.focus()
            jupyter.page.keyboard.press(key)
        assert jupyter.page.evaluate(_CELLS) == cells, control.evaluate("node => node.outerHTML")
    assert tried > 5
    assert panel.root.is_visible()
    panel.wait_until_done()


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


def test_run_has_the_focus_again_when_it_is_done(lab, page):
    panel = _shown(lab, page, "Count")
    panel.run_button.focus()
    lab.page.keyboard.press("Enter")
    panel.wait_for_status("Done in")
    panel.wait_until_done()
    assert panel.run_button.evaluate("button => button === document.activeElement")


def test_who_leaves_a_panel_is_not_called_back(lab, page):
    panel = _shown(lab, page, "Count")
    panel.run()
    panel.wait_for_status("Done in")
    panel.run_button.focus()
    panel.run_button.evaluate("button => button.blur()")
    panel.root.locator("[role=status]").evaluate("status => status.append('another word')")  # as a run in a thread does
    lab.page.wait_for_timeout(200)
    assert lab.page.evaluate("document.activeElement === document.body")


def test_ctrl_s_in_a_panel_saves_the_notebook(lab, page):
    panel = _shown(lab, page, "Count")
    dirty = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
    assert lab.page.evaluate(dirty)
    panel.run_button.focus()
    lab.page.keyboard.press("Control+s")
    lab.page.wait_for_function(f"() => !({dirty})()")
