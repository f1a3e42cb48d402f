"""Figures: what is drawn is what was given, nothing global is touched, and the SVG stands alone."""

from __future__ import annotations

import re
import subprocess
import sys

import matplotlib as mpl
from bs4 import BeautifulSoup

from recipe import figures as plots


def make_figure():
    figure = plots.blank_figure((6.0, 3.6))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [1.0, 0.5, 0.3], color=plots.BLUE)
    plots.finish(axes, "loss")
    return figure


def test_to_inline_svg_stands_alone_and_has_its_alternative_text():
    svg = plots.to_inline_svg(make_figure(), 'loss "falls" & rises')
    tags = BeautifulSoup(svg, "html.parser").find_all()
    assert (tags[0].name, tags[0]["role"], tags[0]["aria-label"]) == ("svg", "img", 'loss "falls" & rises')
    assert "http" not in svg
    links = [value for tag in tags for name, value in tag.attrs.items() if name.endswith("href")]
    ids = {tag["id"] for tag in tags if tag.has_attr("id")}
    assert {link.removeprefix("#") for link in links} <= ids
    assert set(re.findall(r"url\(#(\w+)\)", svg)) <= ids


def test_to_inline_svg_takes_the_pages_colours_and_is_the_same_for_the_same_figure():
    svg = plots.to_inline_svg(make_figure(), "alt")
    assert svg == plots.to_inline_svg(make_figure(), "alt")
    assert "currentColor" in svg
    assert plots.INK not in svg
    assert "#000000" not in svg
    assert "var(--curve-blue" in svg


def test_figures_leave_settings_as_they_were_and_pyplot_alone():
    before = dict(mpl.rcParams)
    plots.to_inline_svg(make_figure(), "alt")
    assert dict(mpl.rcParams) == before
    code = "import sys, recipe.figures, recipe.app.report; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"
