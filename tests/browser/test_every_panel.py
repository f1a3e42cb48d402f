"""What holds for every panel in JupyterLab, Notebook 7 and Voilà: rules of accessibility, keys, focus, dark theme."""

from __future__ import annotations

import string

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from gallery import MOVES, MUST_RUN, PANELS, RUN_WORDS

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What the applications themselves violate, on the page around the panels: rules of axe-core.
KNOWN_OUTSIDE = {
    "lab": {"aria-allowed-attr", "aria-input-field-name", "aria-required-children"},
    "notebook": set(),
    "voila": set(),
}
LETTERS = string.ascii_lowercase + string.digits + "dd"
KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", "Delete", "Escape")
FOCUSABLE = "select, input:not([type=hidden]), button, [role=slider], [role=tab], [contenteditable=true]"
_AXE = """async ([root, rules]) => {
  const found = await axe.run(root, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.html} ${node.failureSummary ?? ""}`));
}"""
_AXE_OUTSIDE = """async (rules) => {
  const found = await axe.run({exclude: [[".recipe-panel"]]}, {runOnly: rules, resultTypes: ["violations"]});
  return found.violations.map(rule => rule.id);
}"""
# One stop of the focus: whether it is still in the panel. The last stop is compared with how it looks without it.
_STOP = """root => {
  const look = node => { const {outline, boxShadow, borderColor, backgroundColor} = getComputedStyle(node);
    return [outline, boxShadow, borderColor, backgroundColor].join(); };
  const now = document.activeElement, last = window.lastStop;
  if (last) last.node.dataset.stop = look(last.node) === last.look ? "unseen" : "seen";
  window.lastStop = root.contains(now) ? {node: now, look: look(now)} : undefined;
  return root.contains(now);
}"""
_MISSED = """(root, focusable) => [...root.querySelectorAll(focusable)].filter(
  node => node.checkVisibility({visibilityProperty: true}) && !node.disabled && node.tabIndex >= 0
    && node.dataset.stop !== "seen"
).map(node => `${node.dataset.stop ?? "missed"}: ${node.outerHTML}`)"""
_THEME = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
_CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(
  cell => [cell.cell_type, cell.getSource()])"""


@pytest.fixture(scope="module", params=["lab", "notebook", "voila"])
def gallery(request, page, visit):
    """All panels on one page of each application, with axe-core beside them."""
    visitor = visit(request.param)
    visitor.open_notebook(page("gallery", "before = 1", *PANELS.values(), "after = 1"))
    if request.param != "voila":
        visitor.hide_sidebar()
        visitor.run_all()
    visitor.page.evaluate(AXE_SCRIPT)
    yield visitor
    visitor.close()


def _panels(gallery):
    """Yield every panel in turn, scrolled to."""
    for title in PANELS:
        yield gallery.panel(title, run=RUN_WORDS.get(title, "Run"))


def test_panel_violates_no_rule_of_accessibility(gallery):
    found = []
    for panel in _panels(gallery):
        found += gallery.page.evaluate(_AXE, [panel.root.element_handle(), RULES])
    assert found == [], "\n".join(found)


def test_page_around_the_panels_violates_only_known_rules(gallery):
    assert set(gallery.page.evaluate(_AXE_OUTSIDE, RULES)) <= KNOWN_OUTSIDE[gallery.server.kind]


def test_tab_reaches_every_control_and_the_focus_is_seen(gallery):
    for panel in _panels(gallery):
        panel.wait_until_done()
        panel.root.locator(FOCUSABLE).locator("visible=true").first.focus()
        stops = 0
        while panel.root.evaluate(_STOP) and stops < 100:
            gallery.page.keyboard.press("Tab")
            stops += 1
        missed = panel.root.evaluate(_MISSED, FOCUSABLE)
        assert missed == [], f"after {stops} presses of Tab"


def test_no_key_in_a_panel_reaches_the_notebook_and_keys_choose(gallery):
    for panel in _panels(gallery):
        cells = _cells(gallery)
        for control in panel.root.locator(FOCUSABLE).all():
            if control.is_visible() and control.is_enabled():
                _try_every_key(gallery.page, control)
                assert _cells(gallery) == cells, control.evaluate("node => node.outerHTML")
        assert panel.root.is_visible()
        panel.wait_until_done()


def _try_every_key(page, control):
    """Choose by the first letter, or move by arrows, as people do; then every other key."""
    control.focus()
    if control.evaluate("node => node.localName === 'select' && node.options.length > 1"):
        last = control.evaluate("node => node.options[node.options.length - 1].text.trim()")
        page.keyboard.press(last[0])
        chosen = control.evaluate("node => node.selectedOptions[0].text.trim()")
        assert chosen[0].lower() == last[0].lower(), f"{last[0]} chooses {chosen}"
    elif control.get_attribute("role") == "slider":
        values = []
        for key in ("Home", "End", "ArrowLeft"):
            page.keyboard.press(key)
            values.append(control.get_attribute("aria-valuenow"))
        assert len(set(values)) == 3 or values[0] == values[1], f"Home, End, left: {values}"
    page.keyboard.type(LETTERS)
    for key in KEYS:
        control.focus()
        page.keyboard.press(key)


def _cells(gallery):
    return gallery.page.evaluate(_CELLS) if gallery.server.kind != "voila" else None


def test_a_control_that_is_moved_leads_to_another_figure(gallery):
    for title, (label, key, words) in MOVES.items():
        panel = gallery.panel(title, run=RUN_WORDS.get(title, "Run"))
        panel.wait_until_done()
        before = panel.figure()
        panel.control(label).locator("select, [role=slider]").focus()
        gallery.page.keyboard.press(key)
        if title in MUST_RUN:
            panel.run()
        panel.wait_for_status(words)
        panel.wait_for_change(before)
        assert panel.source() or title.startswith("Bias")


def test_panel_fits_the_screen_in_both_themes_and_is_read_on_a_dark_page(gallery):
    for number, panel in enumerate(_panels(gallery), start=1):
        panel.check_fit(f"{gallery.server.kind}-{number}")
    if gallery.server.kind == "voila":  # it has one theme, that of its server
        return
    gallery.page.evaluate(_THEME, "JupyterLab Dark")
    gallery.page.wait_for_selector("body[data-jp-theme-light=false]")
    found = []
    for number, panel in enumerate(_panels(gallery), start=1):
        gallery.screenshot(f"{gallery.server.kind}-{number}-dark", panel.root)
        found += gallery.page.evaluate(_AXE, [panel.root.element_handle(), ["color-contrast"]])
    gallery.page.evaluate(_THEME, "JupyterLab Light")
    gallery.page.wait_for_selector("body[data-jp-theme-light=true]")
    assert found == []
