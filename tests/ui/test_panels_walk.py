"""A random walk through the widgets of every panel, without a browser; on Colab's versions of the libraries, too."""

from __future__ import annotations

import logging
import random
import re

import ipywidgets as widgets
import pytest
from gallery import PANELS

STEPS = 40


@pytest.mark.slow
@pytest.mark.parametrize("title", PANELS)
def test_random_walk_leaves_a_panel_that_works(title, caplog, monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    monkeypatch.chdir(tmp_path)
    *before, panel = PANELS[title].splitlines()
    names, chance = {}, random.Random(title)
    exec("\n".join(before), names)
    panel = eval(panel, names)
    with caplog.at_level(logging.ERROR):
        for _ in range(STEPS):
            move(chance.choice([part for part in parts(panel.widget) if not getattr(part, "disabled", False)]), chance)
        panel.stop()
        panel.wait(60)
        panel.run(**{"epochs": 1, "architecture": "mlp"} if title == "Train a network" else {})
    assert caplog.records == []
    shown = " ".join(part.value for part in parts(panel.widget, widgets.HTML))
    assert not re.search(r"\b(nan|inf)\b", re.sub("<style>.*?</style>|<.*?>", " ", f"{shown} {panel.alt_text()}"))


KINDS = (
    widgets.Button,
    widgets.Checkbox,
    widgets.Dropdown,
    widgets.IntSlider,
    widgets.SelectionSlider,
    widgets.Tab,
    widgets.ToggleButton,
)


def parts(box, kinds=KINDS):
    """Return the widgets of these kinds that are seen in a box, wherever in it they are."""
    if box.layout.display == "none" or box.layout.visibility == "hidden":
        return []
    return [box] * isinstance(box, kinds) + [
        part for child in getattr(box, "children", ()) for part in parts(child, kinds)
    ]


def move(part, chance):
    """Do with a widget what a person can do with it."""
    if isinstance(part, widgets.Button):
        part.click()
    elif isinstance(part, (widgets.Checkbox, widgets.ToggleButton)):
        part.value = not part.value
    elif isinstance(part, widgets.IntSlider):
        part.value = chance.randrange(part.min, part.max + 1, part.step)
    elif isinstance(part, widgets.Tab):
        part.selected_index = chance.randrange(len(part.children))
    elif part.options:
        part.index = chance.randrange(len(part.options))
