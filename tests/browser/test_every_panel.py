"""What holds for every panel in JupyterLab, Notebook 7 and Voilà: rules of accessibility, focus, keys."""

from __future__ import annotations

import string

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from gallery import MOVES, MOVING_KEYS, MUST_RUN, PANELS, RUN_WORDS

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What the applications themselves violate, on the page around the panels: rules of axe-core.
KNOWN_OUTSIDE = {
    "lab": {"aria-allowed-attr", "aria-input-field-name", "aria-required-children"},
    "notebook": {"aria-allowed-attr", "aria-input-field-name", "aria-required-children", "link-name"},
    "voila": set(),
}
LETTERS = string.ascii_lowercase + "dd"
KEYS = (*MOVING_KEYS, "Delete")
TWICE = ("Enter", "Escape", "Enter")  # the second one ends what the first began, such as a presentation
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

# What kind of control it is, of a button its words; nothing where it cannot be used now.
_KIND = """node => {
  if (!node.isConnected || !node.checkVisibility({visibilityProperty: true}) || node.disabled) return "";
  if (node.matches("button:not([role])")) return "button " + node.textContent;
  return node.getAttribute("role") ?? node.type ?? node.localName;
}"""

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


def _themes(gallery):
    """Show the page in each of its themes, the usual one last; Voilà has one, that of its server."""
    for theme, is_light in (("Dark", "false"), ("Light", "true")):
        if gallery.server.kind != "voila":
            gallery.page.evaluate(_THEME, f"JupyterLab {theme}")
            gallery.page.wait_for_selector(f"body[data-jp-theme-light={is_light}]", state="attached")
            yield theme
    if gallery.server.kind == "voila":
        yield "Voilà"


def test_panel_violates_no_rule_of_accessibility_in_any_theme(gallery):
    found = []
    for _ in _themes(gallery):
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


def test_a_control_that_is_moved_leads_to_another_figure(gallery):
    if gallery.server.kind != "lab":
        pytest.skip("One application is enough for what the kernel does.")
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


def test_panel_fits_the_screen(gallery):
    if gallery.server.kind != "lab":
        pytest.skip("The room that panels get is JupyterLab's.")
    for number, panel in enumerate(_panels(gallery), start=1):
        panel.check_fit(f"{gallery.server.kind}-{number}")


@pytest.mark.timeout(600)  # thousands of keys, which a busy machine is slow to hear
def test_no_key_in_a_panel_reaches_the_notebook(gallery):  # the last one: letters stay in what sliders read out
    """The alphabet on every control in Lab; all keys on one of each kind, and on the first of each panel, in both."""
    if gallery.server.kind == "voila":
        pytest.skip("Voilà's page has no cells.")
    cells, kinds = gallery.page.evaluate(_CELLS), set()
    for panel in _panels(gallery):
        panel.wait_until_done()
        seen = []
        for control in panel.root.locator(FOCUSABLE).element_handles():
            if not (kind := control.evaluate(_KIND)):
                continue
            is_new = kind not in kinds or not seen
            seen.append(kind)
            kinds.add(kind)
            if not is_new and (kind.startswith("button") or gallery.server.kind == "notebook"):
                continue
            control.focus()
            gallery.page.keyboard.type(LETTERS + string.digits * is_new)
            for key in (*KEYS, *TWICE) if is_new else ():
                gallery.page.keyboard.press(key)
            assert gallery.page.evaluate(_CELLS) == cells, control.evaluate("node => node.outerHTML")
        assert len(seen) > 5
        panel.button("Reset").click()
        panel.stop_button.evaluate("button => button.click()")  # a run that a key began
        panel.wait_until_done()
        panel.run()
        panel.wait_for_status("Done in")
