"""A small training panel on the sample, whose figures are not rendered."""

from __future__ import annotations

import pytest
from training_examples import SMALL

from recipe.data.load import load
from recipe.ui.training import TrainingPanel


@pytest.fixture(scope="session")
def digits():
    """Two hundred digits of the sample."""
    return load("mnist", source="sample", rows=200)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Take the sample, and leave out what is slow and tested elsewhere: that Matplotlib renders a figure."""
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    monkeypatch.setattr("recipe.figures.to_png", lambda figure, **more: b"\x89PNG of %d axes" % len(figure.axes))


@pytest.fixture
def panel(digits):
    """A panel that is closed at the end."""
    panel = TrainingPanel(digits, **SMALL)
    yield panel
    panel.close()
