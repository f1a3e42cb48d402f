"""What holds for every panel in JupyterLab, Notebook 7 and Voilà: rules of accessibility, and the focus."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from gallery import PANELS, RUN_WORDS

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What the applications themselves violate, on the page around the panels: rules of axe-core.
KNOWN_OUTSIDE = {
    "lab": {"aria-allowed-attr", "aria-input-field-name", "aria-required-children"},
    "notebook": {"aria-allowed-attr", "aria-input-field-name", "aria-required-children", "link-name"},
    "voila": set(),
}
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
