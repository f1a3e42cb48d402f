"""Lesson 5's own panel in JupyterLab: dragged, pressed and switched as a reader would.

The whole lesson trains for a minute; here only its panel is run, and the lesson's cells are run by nbval.
"""

from __future__ import annotations

import re

TITLE = "Beat a baseline: beyond chance?"
CODE = (
    "import recipe\nfrom recipe.lessons.s5_baseline.panel import BaselinePanel",
    "reviews, houses = recipe.load('imdb', rows=1_200), recipe.load('housing', rows=400)",
    "panel = BaselinePanel(reviews, houses, trained_on=50)\npanel",
)


def _samples(panel):
    """Read how many samples the test was made on from the figure's alternative text."""
    return int(re.search(r"([\d,]+) validation samples\)", panel.alt_text())[1].replace(",", ""))


def test_panel_of_the_baseline_follows_samples_draw_and_problem(lab, page):
    lab.open_notebook(page("baseline_panel", *CODE))
    lab.run_all()
    panel = lab.panel(TITLE)
    panel.wait_until_done()
    assert "an embedded sample, not the real data" in panel.source()
    assert _samples(panel) == 50
    before = panel.figure()

    panel.drag("validation samples", to=0.02, steps=30)
    panel.wait_for_status("samples=20")
    before = panel.wait_for_change(before)
    panel.wait_until_done()
    assert _samples(panel) == 20

    panel.press("validation samples", "ArrowRight", times=2)
    panel.wait_for_status("100 validation samples")
    panel.press("which of them", "ArrowRight")
    panel.wait_for_status("draw=2")
    before = panel.wait_for_change(before)

    panel.choose("trained on", "20 samples")
    panel.wait_for_status("trained_on=20")
    panel.choose("problem", "housing")
    panel.wait_for_status("problem=housing")
    assert panel.wait_for_change(before)
    assert "mean absolute error" in panel.alt_text()
    panel.check_fit("lesson-5-baseline")
