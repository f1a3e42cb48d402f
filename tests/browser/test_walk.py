"""A random walk over every control of every panel, by mouse and keys: nothing fails, nothing gets stuck."""

from __future__ import annotations

import random

import pytest
from gallery import MOVING_KEYS, PANELS, RUN_WORDS

ACTIONS = 50  # a panel: 500 in all
KEYS = (*MOVING_KEYS, "Enter", "Escape", "Tab")
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


@pytest.mark.parametrize("title", PANELS)
def test_random_walk_leaves_a_panel_that_works(lab, page, title):
    lab.open_notebook(page("walk", PANELS[title]))
    lab.run_all()
    lab.page.evaluate(_LISTEN)
    panel = lab.panel(title, run=RUN_WORDS.get(title, "Run"))
    chance, done = random.Random(title), []
    for _ in range(ACTIONS):
        done.append(_act(lab.page, panel, chance))
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
        keys = ("Enter", " ") if seen["kind"] in ("submit", "button", "checkbox") else (*KEYS, *"abcdehlmnorst")
        what = chance.choice(keys)
        page.keyboard.press(what)
    return f"{seen['kind']} {seen['name']!r}: {what}"
