"""Lesson 7: what is drawn of a search is what its trials hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import recipe
from recipe.lessons.s7_regularize import figures


@pytest.fixture(scope="module")
def found():
    houses = recipe.prepare(recipe.hold_out(recipe.load("housing", source="sample", rows=200)))
    base = recipe.ModelSpec(hidden_units=(8,), batch_size=32, epochs=3)
    space = recipe.SearchSpace(base=base, units=(4, 8, 16), learning_rate=recipe.Range(1e-4, 1e-1))
    return recipe.tune(houses, space, trials=6, pruning=False, journal=None)


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_history_shows_each_score_and_the_best_so_far(found, axes):
    figures.draw_history(found, axes=axes)
    best, points = axes.lines
    scores = [run.score for run in found.trials]
    assert list(points.get_ydata()) == pytest.approx(scores)
    assert list(best.get_ydata()) == pytest.approx(list(np.minimum.accumulate(scores)))
    assert axes.get_legend_handles_labels()[1] == ["best so far", "by the search"]


def test_curves_show_every_trial_and_the_best_once_more(found, axes):
    figures.draw_trial_curves(found, axes=axes)
    assert len(axes.lines) == len(found.trials) + 1
    assert list(axes.lines[-1].get_ydata()) == pytest.approx(found.best.history["val_mae"])


def test_importances_add_up_to_one(found, axes):
    figures.draw_importances(found, axes=axes)
    assert sum(patch.get_width() for patch in axes.patches) == pytest.approx(1.0)
    assert {label.get_text() for label in axes.get_yticklabels()} == {"learning rate", "units 1"}
