"""The game of lesson 8 in JupyterLab: it is played with the mouse and with the keyboard alone."""

from __future__ import annotations

import re

TITLE = "What is broken? A game of faults"
CODE = (
    "from recipe.lessons.s8_debug.panel import FaultGamePanel\npanel = FaultGamePanel(round=3)\npanel",
    "panel.run(round=12, problem='housing')\nnone = panel.guess('validation_prepared_otherwise')",
)


def _notes(panel):
    return (panel.root.locator("[data-role=notes]").text_content() or "").strip()


def test_game_is_played_by_mouse_and_by_keyboard(lab, page):
    lab.open_notebook(page("game", *CODE))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    panel.wait_for_status("Right! Round 12")  # what the cell after the panel guessed

    before = panel.figure()
    panel.press("round", "ArrowRight")
    panel.wait_for_status("Round 13: 10 points left")
    panel.wait_until_done()
    before = panel.wait_for_change(before)
    assert panel.readout("round") == "13"
    assert "10 points left." in _notes(panel)

    panel.choose("check", "hidden activations")
    assert "Round 13: 10 points left" in panel.status()  # to choose costs nothing
    panel.run()
    panel.wait_for_status("Round 13: 9 points left")
    panel.wait_until_done()
    assert "hidden activations: failed." in _notes(panel)
    panel.check_fit("game-one-check")

    guess = panel.control("your guess").locator("select")
    guess.focus()
    guess.press("t")  # by keyboard: the first title that begins with it
    panel.root.get_by_role("button", name="Guess").press("Enter")
    panel.wait_for_status(re.compile(r"Not that\. Round 13: 6 points left"))
    panel.wait_until_done()
    assert "Wrong. It is not " in _notes(panel)

    panel.choose("your guess", "no hidden activation")
    panel.root.get_by_role("button", name="Guess").click()
    panel.wait_for_status("Right! Round 13")
    panel.wait_until_done()
    assert "Right. It is no hidden activation." in _notes(panel)
    panel.check_fit("game-won")

    panel.choose("problem", "imdb")  # its symptoms come at once
    panel.wait_for_change(before)
    panel.wait_until_done()
    assert "imdb" in panel.alt_text()
    panel.check_fit("game-reviews")
    lab.check()
