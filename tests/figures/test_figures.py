"""Figures: what is drawn is what was given, nothing global is touched, and the SVG stands alone."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import matplotlib as mpl

from recipe import figures as plots


def make_figure():
    figure = plots.blank_figure((6.0, 3.6))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [1.0, 0.5, 0.3], color=plots.BLUE)
    plots.finish(axes, "loss")
    return figure


class _Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_to_inline_svg_stands_alone_and_has_its_alternative_text():
    svg = plots.to_inline_svg(make_figure(), 'loss "falls" & rises')
    collector = _Collector()
    collector.feed(svg)
    assert collector.tags[0][0] == "svg"
    assert collector.tags[0][1]["role"] == "img"
    assert collector.tags[0][1]["aria-label"] == 'loss "falls" & rises'
    assert "http" not in svg
    links = [value for _, attrs in collector.tags for name, value in attrs.items() if name.endswith("href")]
    ids = {attrs["id"] for _, attrs in collector.tags if "id" in attrs}
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
