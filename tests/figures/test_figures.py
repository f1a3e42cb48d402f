"""Figures: what is drawn is what was given, nothing global is touched."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl

from recipe import figures as plots


def make_figure():
    figure = plots.blank_figure((6.0, 3.6))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [1.0, 0.5, 0.3], color=plots.BLUE)
    plots.finish(axes, "loss")
    return figure


def test_figures_leave_settings_as_they_were_and_pyplot_alone():
    before = dict(mpl.rcParams)
    plots.to_base64(make_figure())
    assert dict(mpl.rcParams) == before
    code = "import sys, recipe.figures, recipe.app.report; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"
