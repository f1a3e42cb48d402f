"""What comes from a file is shown as text everywhere: names that are HTML, mathematics, markup or code."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace
from html.parser import HTMLParser

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import recipe
from recipe.app.report import render_html, render_json
from recipe.app.terminal import LiveView
from recipe.figures import blank_figure, to_inline_svg, to_png
from recipe.figures.mistakes import describe_mistakes, draw_mistakes
from recipe.lessons.s6_scale_up.panel import ErrorsPanel
from recipe.search.plan import Plan

SCRIPT = "<script>alert(1)</script>"
NAMES = [
    SCRIPT,
    r"$\frac{x$ and $y_1$",
    "[red]money[/red]",
    "=1+1",
    "*bold* `code` | <b>",
    "a \"quoted\" 'name'",
    "{{ 7 * 7 }}",
]
CLASSES = ["<img src=x onerror=alert(2)>", r"$\alpha$ [bold]", "-1+cmd|' /C calc'!A0"]
TARGET = "kind\nimport os; os.abort()  # <i>"
SPEC = recipe.ModelSpec(hidden_units=(8,), epochs=2)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, len(NAMES))), columns=NAMES)
    frame["<u>text</u> $x$"] = rng.choice(["[link=x]", "$y$", "<hr>"], 120)
    frame[TARGET] = np.array(CLASSES)[(frame[SCRIPT] > 0).astype(int) + (frame["=1+1"] > 0.5)]
    frame.loc[3:6, SCRIPT] = np.nan
    return recipe.from_table(frame, TARGET, name="../<b>my</b> data")


@pytest.fixture(scope="module")
def prepared(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such names are no reason for one
        return recipe.prepare(recipe.hold_out(data))


@pytest.fixture(scope="module")
def run(prepared):
    return recipe.train(SPEC, prepared, journal=None)


@pytest.fixture(scope="module")
def result(data, no_journal):
    return recipe.run_recipe(data, plan=Plan(small=SPEC, ladder=(SPEC,), trials=0))


class Tags(HTMLParser):
    """Collects the elements of a page, and refuses attributes that run something."""

    def __init__(self, page):
        super().__init__()
        self.found = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def assert_harmless(page):
    assert not Tags(page).found & {"script", "img", "i", "hr", "u"}


def test_name_of_the_data_is_that_of_a_file(data):
    assert re.fullmatch(r"[\w.-]+", data.problem.name)
    assert data.problem.feature_names[: len(NAMES)] == tuple(NAMES)


def test_report_shows_names_as_text(result):
    page = render_html(result)
    assert_harmless(page)
    assert "onerror=alert(2)&gt;" in page
    assert CLASSES[0] in render_json(result)


def test_terminal_shows_names_as_text(result):
    console = Console(record=True, width=200, force_terminal=False)
    view = LiveView(console)
    for step in result.steps:
        view.take(step)
    view.show_end(result)
    text = console.export_text()
    assert "[bold]" in text
    assert "<img src=x onerror=alert(2)>" in text


def test_figures_draw_names_as_text(data, prepared, run):
    mistakes = recipe.find_mistakes(run.model, prepared, recipe.hold_out(data))
    figure = blank_figure((9, 6))
    draw_mistakes(figure, mistakes)
    assert to_png(figure)
    assert_harmless(to_inline_svg(figure, describe_mistakes(mistakes)))
    assert NAMES[1] in mistakes.to_frame().columns
    assert to_png(recipe.plot_runs({NAMES[1]: run, CLASSES[1]: run}))


def test_powers_of_ten_stay_mathematics():
    figure = blank_figure()
    axes = figure.subplots()
    axes.plot([1, 2, 3], [1, 1_000, 1_000_000])
    axes.set_yscale("log")
    axes.set_title(NAMES[1])
    for _ in range(2):  # drawn again, the ticks have their texts
        to_png(figure)
    assert not axes.title.get_parse_math()
    assert all(label.get_parse_math() for label in axes.get_yticklabels())


@pytest.mark.parametrize("form", ["csv", "frame", "arrays", "folder"])
def test_program_holds_names_as_text(data, form):
    origin = replace(data.problem.origin, form=form, file='x"); import os; os.abort() #\n<b>')
    program = recipe.keras_code(recipe.ModelSpec(), replace(data.problem, origin=origin))
    tree = ast.parse(program)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"os", "re", "keras", "numpy", "pandas"}
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "os.abort" not in calls


def walk(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def assert_panel_harmless(panel):
    pages = [one.value for one in walk(panel.widget) if isinstance(one, widgets.HTML | widgets.HTMLMath)]
    assert pages
    for page in pages:
        assert_harmless(page)
    assert_harmless(to_inline_svg(panel.figure(), panel.alt_text()))


def test_panels_show_names_as_text(data):
    panel = recipe.TrainingPanel(data, journal=None)
    panel.run(units_1=8, epochs=2)  # the network of `run`
    assert_panel_harmless(panel)
    panel = ErrorsPanel({SCRIPT: (0.1, 0.2), NAMES[1]: (0.2, 0.1)})
    panel.run()
    assert_panel_harmless(panel)
