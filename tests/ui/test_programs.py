"""The program of the Code tab, beside the panel that shows it: over ten seeds the two reach the same score."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest
from keras_programs import train_with_each_seed

from recipe.core.measures import MEASURES
from recipe.ui.training import TrainingPanel

SEEDS = 10
SETTINGS = [
    ("mnist", {"units_1": 64, "optimizer": "adam", "learning_rate": 0.003}),
    ("mnist", {"units_1": 64, "layer_2": True, "units_2": 32, "activation": "tanh"}),
    ("mnist", {"units_1": 128, "dropout_on": True, "dropout": 0.3, "learning_rate": 0.003}),
    ("mnist", {"architecture": "convnet", "units_1": 8, "optimizer": "adam", "learning_rate": 0.01}),
    ("mnist_five", {"architecture": "linear", "learning_rate": 0.01}),
    ("mnist_multilabel", {"units_1": 64, "optimizer": "adam", "learning_rate": 0.003}),
    ("imdb", {"units_1": 16, "learning_rate": 0.003}),
    ("imdb", {"units_1": 16, "l2_on": True, "l2": 0.001, "early_stopping": True, "patience": 3}),
    ("imdb", {"rows": 600, "architecture": "embedding", "units_1": 16, "optimizer": "adam", "learning_rate": 0.01}),
    ("housing", {"units_1": 32, "optimizer": "adam", "learning_rate": 0.01}),
    ("housing", {"units_1": 32, "l1_on": True, "l1": 0.001, "early_stopping": True, "learning_rate": 0.01}),
    ("housing_fraction", {"units_1": 32, "optimizer": "adam", "learning_rate": 0.01}),
    ("housing_vector", {"units_1": 32, "optimizer": "adam", "learning_rate": 0.01}),
]


def scores_of_the_program(panel):
    """Run the program that the panel shows, with each seed, and return its scores in the epochs of the lowest loss."""
    panel.show_tab("Code")
    program, scores = html.unescape(re.search(r"<pre.*?>(.*)</pre>", panel.code_text.value, re.DOTALL)[1]), []
    for model in train_with_each_seed(program, range(SEEDS)):
        history = model.history.history
        losses = history.get(f"val_{model.loss}", history["val_loss"])  # where it is watched, without the penalty
        scores.append(history[f"val_{panel.result.measure}"][int(np.argmin(losses))])
    return np.array(scores)


@pytest.mark.slow
@pytest.mark.parametrize(("problem", "settings"), SETTINGS)
def test_program_reaches_the_score_of_the_panel(problem, settings, monkeypatch):
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    monkeypatch.setattr("recipe.ui.panel.to_png", lambda figure, **more: b"")
    panel = TrainingPanel(problem=problem, journal=None, **{"rows": 1_000, "batch_size": 32, "epochs": 10} | settings)
    ours = np.array([panel.run(seed=seed).score for seed in range(SEEDS)])
    theirs = scores_of_the_program(panel)
    difference = abs(ours.mean() - theirs.mean())
    assert difference < 2 * np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / SEEDS)
    assert difference < (0.01 if MEASURES[panel.result.measure].higher_is_better else 0.03 * ours.mean())
