"""A small panel in JupyterLab, Notebook 7 and Voilà: dragged, run, stopped, run again, and looked at."""

from __future__ import annotations

import re

import pytest

CODE = (
    "import recipe\nfrom panel_examples import CountPanel, LiveCountPanel",
    "panel = CountPanel(recipe.load('mnist', rows=100), pause=0.2, steps=100)\npanel",
    "live = LiveCountPanel(recipe.load('housing', rows=100))\nlive",
)


_HEAR_COPY = "() => addEventListener('copy', event => (window.copied = event.clipboardData.getData('text')))"


def test_panels_in_jupyterlab_run_and_stop_obey_keyboard_and_mouse_and_fit_the_screen(lab, page):
    lab.open_notebook(page("example", *CODE))
    lab.run_all()
    panel = lab.panel("Count")
    assert "an embedded sample, not the real data" in panel.source()
    assert panel.alt_text() == "No result yet."
    first = panel.figure()
    stop_watching = panel.watch()
    panel.run()
    panel.wait_for_change(first)
    assert panel.is_running()
    panel.wait_for_status(re.compile(r"Step ([89]|\d\d) of 100"))  # a look may come between two steps
    lab.screenshot("running")
    panel.stop()
    panel.wait_until_done(seconds=10)
    assert "Stopped after" in panel.status()
    seen = stop_watching()
    assert seen["figures"] >= 3
    assert seen["heights"] == 1, "the figure flickered"

    panel.type("number of steps", "3")
    panel.run()
    panel.wait_for_status("Done in")
    assert panel.alt_text() == "3 of 3 steps, the last at 3."

    panel.type("number of steps", "13")
    panel.run()
    panel.wait_for_status("<b>13</b> is unlucky. Take another number.")
    panel.wait_until_done()
    assert panel.alt_text() == "3 of 3 steps, the last at 3."

    panel = lab.panel("Live count")
    panel.wait_for_status("2 steps.")
    panel.press("number of steps", "ArrowRight", times=3)
    panel.wait_for_status("5 steps.")
    assert panel.readout("number of steps") == "5"
    before = panel.figure()
    panel.choose("shape", "dots")
    before = panel.wait_for_change(before)
    panel.toggle("draw a grid")
    panel.wait_for_change(before)
    panel.wait_for_status("shape='o', grid=False")

    panel.drag("number of steps", to=0.5, steps=60)
    steps = panel.readout("number of steps")
    assert 90 < int(steps) < 110
    panel.wait_for_status(f"{steps} steps.")
    panel.wait_until_done()

    lab.hide_sidebar()
    panel.check_fit("example")


@pytest.mark.parametrize("kind", ["notebook", "voila"])
def test_panel_runs_stops_and_changes_in_other_applications(kind, page, request):
    visitor = request.getfixturevalue(kind)
    visitor.open_notebook(page("example", *CODE))
    if kind == "notebook":  # Voilà has run it by then
        visitor.run_all()
    panel = visitor.panel("Count")
    panel.run()
    panel.wait_for_status(re.compile(r"Step ([2-9]|\d\d) of 100"))
    before = panel.figure()
    panel.wait_for_change(before)
    panel.stop()
    panel.wait_for_status("Stopped after")
    live = visitor.panel("Live count")
    live.wait_for_status("2 steps.")
    live.press("number of steps", "PageUp")
    live.wait_for_status("7 steps.")
    assert live.alt_text() == "7 of 7 steps, the last at 7."
    visitor.screenshot(kind)
    assert live.cut_texts() == []


@pytest.mark.parametrize("kind", ["lab", "voila"])
def test_a_link_that_is_copied_calls_the_settings_up(kind, page, request):
    visitor = request.getfixturevalue(kind)
    visitor.open_notebook(page("linked", *CODE))
    if kind == "lab":
        visitor.run_all()
    panel = visitor.panel("Live count")
    panel.choose("shape", "dots")
    panel.wait_for_status("shape='o'")
    visitor.page.evaluate(_HEAR_COPY)
    panel.button("Copy link").click()
    panel.wait_for_status("A link to these settings is copied.")
    link = visitor.page.evaluate("() => window.copied")
    assert visitor.server.token not in link
    visitor.open_notebook("linked.ipynb", link)
    if kind == "lab":
        visitor.run_all()
    panel = visitor.panel("Live count")
    panel.wait_for_status("shape='o'")
    assert panel.control("shape").locator("select").input_value() == "dots"
    assert visitor.panel("Count").control("shape").locator("select").input_value() == "a line"


def test_the_focus_comes_back_after_a_run_but_not_to_who_has_left_and_ctrl_s_saves(lab, page):
    lab.open_notebook(page("keys", "from panel_examples import CountPanel\nCountPanel()"))
    lab.run_all()
    panel = lab.panel("Count")
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


def test_a_request_to_another_host_finds_nobody_and_is_kept(lab):
    # In a fresh workspace: one that is restored could hold a saved notebook whose kernel, and so its panels, are gone.
    lab.page.goto(f"{lab.server.url}/lab?reset&token={lab.server.token}")
    lab.page.wait_for_function("() => window.jupyterapp?.shell")  # the visit ends by closing what it has open
    told = lab.page.expect_console_message(lambda message: "NAME_NOT_RESOLVED" in message.text)  # others may come first
    with lab.page.expect_event("requestfailed") as failed, told:
        lab.page.evaluate("() => { document.body.append(Object.assign(new Image(), {src: 'http://far.invalid/'})); }")
    assert "NAME_NOT_RESOLVED" in failed.value.failure
    assert lab.outside == ["http://far.invalid/"]
    assert "NAME_NOT_RESOLVED" in lab.errors[-1]
    lab.outside.clear()
    lab.errors.clear()
