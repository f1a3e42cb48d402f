"""What holds for every panel in JupyterLab, Notebook 7 and Voilà: accessibility, focus, keys, and a random walk."""

from __future__ import annotations

import random
import string

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from gallery import MOVES, MOVING_KEYS, MUST_RUN, PANELS, RUN_WORDS

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
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
def gallery(request, page, visit, visits):
    """All panels on one page of each application, with axe-core beside them."""
    visitor = visit(request.param)
    visitor.open_notebook(page("gallery", "before = 1", *PANELS.values(), "after = 1"))
    if request.param != "voila":
        visitor.hide_sidebar()
        visitor.run_all()
    visitor.page.evaluate(AXE_SCRIPT)
    yield visitor
    if request.param == "lab":  # the next visit finds JupyterLab loaded
        visitor.leave()
        visits["lab"] = visitor
    else:
        visitor.close()


# One application is enough for what the kernel does, and for the room that panels get.
in_lab = pytest.mark.parametrize("gallery", ["lab"], indirect=True)


def _panels(gallery):
    """Yield every panel in turn, scrolled to."""
    for title in PANELS:
        yield gallery.panel(title, run=RUN_WORDS.get(title, "Run"))


def _themes(gallery):
    """Show JupyterLab's page in each of its themes, the usual one last: Notebook's are the same, and Voilà has one."""
    for theme, is_light in (("Dark", "false"), ("Light", "true")) if gallery.server.kind == "lab" else ():
        gallery.page.evaluate(_THEME, f"JupyterLab {theme}")
        gallery.page.wait_for_selector(f"body[data-jp-theme-light={is_light}]", state="attached")
        yield theme
    if gallery.server.kind != "lab":
        yield "the only one"


def test_panel_violates_no_rule_of_accessibility_in_any_theme(gallery):
    found = []
    for _ in _themes(gallery):
        for panel in _panels(gallery):
            found += gallery.page.evaluate(_AXE, [panel.root.element_handle(), RULES])
    assert found == [], "\n".join(found)


def test_page_around_the_panels_violates_no_rule_where_it_is_the_kits_own(gallery):
    if gallery.server.kind != "voila":
        pytest.skip("JupyterLab's page, and Notebook's, are their own.")
    assert gallery.page.evaluate(_AXE_OUTSIDE, RULES) == []


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


@in_lab
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


@in_lab
def test_panel_fits_the_screen(gallery):
    for number, panel in enumerate(_panels(gallery), start=1):
        panel.check_fit(f"{gallery.server.kind}-{number}")


@pytest.mark.timeout(600)  # a thousand keys, which a busy machine is slow to hear
@pytest.mark.parametrize("gallery", ["lab", "notebook"], indirect=True)  # Voilà's page has no cells
def test_no_key_in_a_panel_reaches_the_notebook(gallery):  # after the others: letters stay in what sliders read out
    """All keys on one control of each kind; on every other one those that would make a cell and delete one.

    What keeps a key in is on the control, and not by key: where it lacks, these two get through as any other would.
    Of buttons each is pressed that says something new.
    """
    cells, kinds = gallery.page.evaluate(_CELLS), set()
    for panel in _panels(gallery):
        panel.wait_until_done()
        seen = []
        for control in panel.root.locator(FOCUSABLE).element_handles():
            if not (kind := control.evaluate(_KIND)):
                continue
            sort = kind.partition(" ")[0]
            is_new, says_new = sort not in kinds, kind not in kinds
            seen.append(kind)
            kinds |= {sort, kind}
            control.focus()
            gallery.page.keyboard.type(LETTERS + string.digits if is_new else "bdd")
            for key in (*KEYS, *TWICE) if is_new else TWICE * says_new:
                gallery.page.keyboard.press(key)
            assert gallery.page.evaluate(_CELLS) == cells, control.evaluate("node => node.outerHTML")
        assert len(seen) > 5
        panel.button("Reset").click()
        panel.stop_button.evaluate("button => button.click()")  # a run that a key began
        panel.wait_until_done()
        panel.run()
        panel.wait_for_status("Done in")


# A random walk over every control of every panel, by mouse and keys: nothing fails, nothing gets stuck.

ACTIONS = 50  # a panel: 500 in all
WALKED_KEYS = (*MOVING_KEYS, "Enter", "Escape", "Tab")
WORDS = ("3", "13", "0", "-5", "1e9", "abc", "", "0.5", "x", "dd")

# The chosen one of the controls that can be used now, in sight and with the focus: what it is, and where.
_CHOOSE = """(root, draw) => {
  const all = "select, button, input, [role=slider], [role=tab], [contenteditable=true]";
  const usable = [...root.querySelectorAll(all)].filter(node => node.checkVisibility({visibilityProperty: true})
    && !node.disabled && node.getAttribute("aria-disabled") !== "true" && node.getBoundingClientRect().width);
  const node = usable[Math.floor(draw * usable.length)];
  node.scrollIntoView({block: "center"});
  node.focus();
  const track = node.closest(".noUi-target") ?? node, place = track.getBoundingClientRect();
  const kind = node.getAttribute("role") ?? (node.isContentEditable ? "text" : node.type ?? node.localName);
  const around = node.closest(".widget-inline-hbox, .widget-hslider")?.textContent;
  return {kind, name: around ?? node.textContent, left: place.left, top: place.top, width: place.width,
    height: place.height};
}"""
# What no person should see: an error, but for what was typed that makes no sense, and a number that is none.
_WRONG = """root => {
  const alerts = [...root.querySelectorAll("[role=alert]")].map(node => node.textContent);
  const texts = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, place = node.parentElement;
    if (!place.closest("select, style, script, pre") && place.checkVisibility()) texts.push(node.data);
  }
  for (const node of root.querySelectorAll("img")) texts.push(node.alt, node.title);
  return [...alerts.filter(text => !/settings?\\b/.test(text)),
    ...texts.filter(text => /\\b(nan|inf|infinity|undefined)\\b/i.test(text)), ...window.kernelErrors];
}"""
# What goes wrong in the kernel while nobody waits for it: Lab writes it into a log that stays closed.
_LISTEN = """() => {
  window.kernelErrors = [];
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.iopubMessage.connect((sender, {header, content}) => {
    if (header.msg_type === "error" || content.name === "stderr")
      window.kernelErrors.push(content.text ?? content.traceback.join("\\n"));
  });
}"""


@in_lab
@pytest.mark.parametrize("title", PANELS)
def test_random_walk_leaves_a_panel_that_works(gallery, title):
    gallery.page.evaluate(_LISTEN)
    panel = gallery.panel(title, run=RUN_WORDS.get(title, "Run"))
    chance, done = random.Random(title), []
    for _ in range(ACTIONS):
        done.append(_act(gallery.page, panel, chance))
        wrong = panel.root.evaluate(_WRONG)
        assert wrong == [], f"after {done}"
    panel.stop_button.evaluate("button => button.click()")  # nothing where the run is over by now: it is disabled
    panel.wait_until_done()
    panel.run()
    panel.wait_for_status("Done in")
    panel.wait_until_done()
    assert panel.root.evaluate(_WRONG) == []


def _act(page, panel, chance):
    """Do what suits a control that is drawn, and return it in words."""
    seen = panel.root.evaluate(_CHOOSE, chance.random())
    x, y = seen["left"] + chance.random() * seen["width"], seen["top"] + seen["height"] / 2
    by_mouse = seen["kind"] not in ("select-one", "text", "number") and chance.random() < 0.6
    if by_mouse:
        page.mouse.click(x, y)
        what = f"click at {x:.0f}, {y:.0f}"
    elif seen["kind"] in ("text", "number"):
        what = chance.choice(WORDS)
        page.keyboard.press("Control+a")
        page.keyboard.type(what)
        page.keyboard.press("Enter")
    else:
        keys = ("Enter", " ") if seen["kind"] in ("submit", "button", "checkbox") else (*WALKED_KEYS, *"abcdehlmnorst")
        what = chance.choice(keys)
        page.keyboard.press(what)
    return f"{seen['kind']} {seen['name']!r}: {what}"
