"""Data of one's own walks through every public name, and what comes from a file is shown as text everywhere.

The table that is not left to the slow tests has names that are HTML, mathematics, markup and code.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace
from functools import cached_property

import ipywidgets as widgets
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from rich.console import Console
from sklearn import datasets as sk

import recipe
from recipe.app.cli import LiveView
from recipe.app.report import render_html, render_json
from recipe.data.examples import CHURN, SHAPES
from recipe.figures import blank_figure, to_png
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


def hostile():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, len(NAMES))), columns=NAMES)
    frame["<u>text</u> $x$"] = rng.choice(["[link=x]", "$y$", "<hr>"], 120)
    frame[TARGET] = np.array(CLASSES)[(frame[SCRIPT] > 0).astype(int) + (frame["=1+1"] > 0.5)]
    frame.loc[3:6, SCRIPT] = np.nan
    return recipe.from_table(frame, TARGET, name="../<b>my</b> data")


EXEMPT = {
    "__version__": "a text",
    "fetch": "downloads the kit's own data",
    "load": "loads the kit's own data",
    "FAULTS": "the faults of the game, which is played on the kit's own problems",
    "make_pipeline": "makes the pipelines of that game",
    "from_table": "makes the data of this test",
    "from_arrays": "makes the data of this test",
    "from_folder": "makes the data of this test",
}
SENTENCES = [
    f"{'good' if row % 2 else 'bad'} film {row % 7}, {'très' if row % 3 else 'sehr'} lang" for row in range(120)
]
COLUMNS = ["age", "region", "contract", "months", "monthly_fee", "hotline_calls", "paperless"]
RNG = np.random.default_rng(0)
ODD = pd.DataFrame({"x": np.where(RNG.random(36) < 0.2, np.nan, RNG.normal(size=36))})
RARE = pd.DataFrame({"colour": RNG.choice(["red", "blue"], 120), "size": RNG.normal(size=120)})
DATA = {
    "hostile names": hostile,
    "one column, 36 rows": lambda: recipe.from_table(ODD.assign(t=RNG.random(36) < 0.5), "t"),
    "two rows of a class": lambda: recipe.from_table(RARE.assign(t=["a"] * 100 + ["b"] * 18 + ["c"] * 2), "t"),
    "churn": lambda: recipe.from_table(CHURN, "left", columns=COLUMNS),
    "shapes": lambda: recipe.from_folder(SHAPES),
    "texts": lambda: recipe.from_arrays(SENTENCES, ["yes" if row % 2 else "no" for row in range(120)]),
    "wine": lambda: recipe.from_table(sk.load_wine(as_frame=True).frame, "target"),
    "iris": lambda: recipe.from_arrays(*sk.load_iris(return_X_y=True)),
    "breast cancer": lambda: recipe.from_arrays(*sk.load_breast_cancer(return_X_y=True)),
    "diabetes": lambda: recipe.from_arrays(*sk.load_diabetes(return_X_y=True)),
    "digits": lambda: recipe.from_arrays(sk.load_digits().images, sk.load_digits().target),
    "colours": lambda: recipe.from_arrays(
        np.repeat(sk.load_digits().images[:300, ..., None], 3, axis=3), sk.load_digits().target[:300]
    ),
}
REFUSED = {  # in a sentence: so few rows cannot tell that
    "one column, 36 rows": {
        "same_distribution": "ValueError: Parts of at least 10 samples of one shape can be compared. Received: 22 of "
        "(1,) and 6 of (1,). Take larger parts, or the same columns of both."
    }
}
SETTINGS = {"units_1": 8, "batch_size": 32, "epochs": 2}  # those of the world's own network
# A check trains the model several times: on data of one's own tests/debugging/test_pipelines.py does that, too.
LONG = {"check_pipeline"}
QUICK = "hostile names"


class World:
    """One set of data on its way through the steps; what a later name needs is kept."""

    def __init__(self, name, folder):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "__array__ implementation")  # Keras's own, of NumPy's copy keyword
            self.data, self.folder = DATA[name](), folder
            self.problem = self.data.problem
            self.spec = recipe.ModelSpec(hidden_units=(8,), epochs=4, batch_size=32)
            self.split = recipe.hold_out(self.data)
            self.prepared = recipe.prepare(self.split)
            self.run = recipe.train(self.spec, self.prepared)
            self.final = recipe.train_final(self.spec, self.data)
            self.path = recipe.save_model(self.final, folder / "mine.keras")

    @cached_property
    def result(self):
        plan = Plan(small=self.spec, ladder=(self.spec.replace(epochs=6),), trials=1)
        return recipe.run_recipe(self.data, plan=plan)

    @cached_property
    def panel(self):
        panel = recipe.TrainingPanel(self.data, journal=None)
        panel.run(**SETTINGS)
        return panel

    @cached_property
    def mistakes(self):
        return recipe.find_mistakes(self.run.model, self.prepared, self.split)


CALLS = {
    "Dataset": lambda world: isinstance(world.data, recipe.Dataset),
    "Journal": lambda world: recipe.Journal(world.folder / "journal.log").record(world.run).to_dict(),
    "LAST_LAYERS": lambda world: recipe.LAST_LAYERS[world.problem.type],
    "MEASURES": lambda world: recipe.MEASURES[world.problem.measure].title,
    "ModelSpec": lambda world: world.spec.describe(),
    "Prepared": lambda world: isinstance(world.prepared, recipe.Prepared),
    "Problem": lambda world: recipe.Problem.from_dict(world.problem.to_dict()) == world.problem,
    "Range": lambda world: recipe.SearchSpace(base=world.spec, dropout=recipe.Range(0.0, 0.5)).dropout.low == 0,
    "Run": lambda world: np.isclose(recipe.Run.from_dict(world.run.to_dict()).score, world.run.score),
    "SearchSpace": lambda world: recipe.SearchSpace(base=world.spec),
    "TrainingPanel": lambda world: world.panel.result.score,
    "advise": lambda world: recipe.advise(world.run),
    "build_model": lambda world: recipe.build_model(world.spec, world.prepared.problem).count_params() > 0,
    "check_pipeline": lambda world: recipe.check_pipeline(
        recipe.build_model(world.spec, world.prepared.problem),
        world.prepared.inputs(), world.prepared.y_train, world.prepared.inputs("val"), world.prepared.y_val,
    ),
    "compute_baseline": lambda world: recipe.compute_baseline(world.prepared).rival.value,
    "cross_validate": lambda world: recipe.cross_validate(world.spec, recipe.k_fold(world.data, folds=3)),
    "describe_target": lambda world: recipe.describe_target(world.data.y_train),
    "diagnose_errors": lambda world: recipe.diagnose_errors(world.run).sentence,
    "diagnose_history": lambda world: recipe.diagnose_history(world.run).sentence,
    "evaluate_once": lambda world: recipe.evaluate_once(world.final, world.data).sentences,
    "find_duplicates": lambda world: recipe.find_duplicates(world.split.x_train, world.split.x_val),
    "find_mistakes": lambda world: world.mistakes.to_frame(),
    "hold_out": lambda world: len(world.split.y_val) > 0,
    "k_fold": lambda world: len(recipe.k_fold(world.data, folds=3)) == 3,
    "keras_code": lambda world: compile(recipe.keras_code(world.spec, world.problem), "program.py", "exec"),
    "load_model": lambda world: np.array_equal(
        recipe.load_model(world.path).predict(world.split.x_val), world.final.predict(world.split.x_val)
    ),
    "plot_runs": lambda world: recipe.plot_runs(world.run).alt,
    "prepare": lambda world: world.prepared.preparation,
    "run_recipe": lambda world: world.result.test.score,
    "same_distribution": lambda world: recipe.same_distribution(world.split.x_train, world.split.x_val),
    "save_model": lambda world: world.path.is_file(),
    "statistical_power": lambda world: recipe.statistical_power(
        world.prepared.problem, world.prepared.y_val,
        world.run.model.predict(world.prepared.inputs("val"), verbose=0), recipe.compute_baseline(world.prepared),
    ).sentence,
    "suggest_measure": lambda world: recipe.suggest_measure(world.problem, world.data.y_train).reason,
    "time_folds": lambda world: recipe.time_folds(world.data, np.arange(len(world.data.y_train)), folds=2),
    "train": lambda world: world.run.score,
    "train_final": lambda world: world.final.run.train_samples == len(world.data.y_train),
    "train_seeds": lambda world: recipe.train_seeds(world.spec, world.prepared, (0, 1)),
    "tune": lambda world: recipe.tune(world.split, recipe.SearchSpace(base=world.spec), 1, journal=None).best.score,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(QUICK, tmp_path_factory.mktemp("mine"))


def test_every_public_name_is_called_or_exempt_with_a_reason():
    assert set(CALLS) | set(EXEMPT) == set(recipe.__all__)
    assert not set(CALLS) & set(EXEMPT)


def find_broken(world, calls):
    """Return what is wrong with each name that does not work in a world."""
    broken = {}
    for called in calls:
        try:
            found = CALLS[called](world)
        except Exception as error:
            broken[called] = f"{type(error).__name__}: {error}"
            continue
        if found is False or found is np.False_ or (isinstance(found, float) and not np.isfinite(found)):
            broken[called] = repr(found)
        text = str(found.to_csv() if isinstance(found, pd.DataFrame) else found)
        for word in ("latitude", "mnist", "imdb", "housing"):
            if word in text:
                broken[called] = f"speaks of {word}"
    return broken


def test_every_public_name_works_on_data_of_ones_own(world):
    assert find_broken(world, [name for name in CALLS if name not in LONG]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DATA if name != QUICK])
def test_every_public_name_works_on_other_data_of_ones_own(name, tmp_path):
    assert find_broken(World(name, tmp_path), CALLS) == REFUSED.get(name, {})


# What comes from a file is shown as text.


def assert_harmless(page):
    tags = BeautifulSoup(page, "html.parser").find_all()
    own = [tag for tag in tags if str(tag.get("src")).startswith("data:image/png;base64,")]  # the page's own pictures
    assert not {tag.name for tag in tags if tag not in own} & {"script", "img", "i", "hr", "u"}
    assert not [name for tag in tags for name in tag.attrs if name.startswith("on")]


def test_name_of_the_data_is_that_of_a_file(world):
    assert re.fullmatch(r"[\w.-]+", world.problem.name)
    assert world.problem.feature_names[: len(NAMES)] == tuple(NAMES)


def test_report_shows_names_as_text(world):
    page = render_html(world.result)
    assert_harmless(page)
    assert "onerror=alert(2)&gt;" in page
    assert CLASSES[0] in render_json(world.result)


def test_terminal_shows_names_as_text(world):
    console = Console(record=True, width=200, force_terminal=False)
    view = LiveView(console)
    for step in world.result.steps:
        view.take(step)
    view.show_end(world.result)
    text = console.export_text()
    assert "[bold]" in text
    assert "<img src=x onerror=alert(2)>" in text


def test_figures_draw_names_as_text(world):
    figure = blank_figure((9, 6))
    draw_mistakes(figure, world.mistakes)
    assert to_png(figure)
    assert describe_mistakes(world.mistakes)
    assert NAMES[1] in world.mistakes.to_frame().columns
    assert to_png(recipe.plot_runs({NAMES[1]: world.run, CLASSES[1]: world.run}))


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
def test_program_holds_names_as_text(world, form):
    origin = replace(world.problem.origin, form=form, file='x"); import os; os.abort() #\n<b>')
    program = recipe.keras_code(recipe.ModelSpec(), replace(world.problem, origin=origin))
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
    assert to_png(panel.figure())


def test_panels_show_names_as_text(world):
    assert_panel_harmless(world.panel)
    panel = ErrorsPanel({SCRIPT: (0.1, 0.2), NAMES[1]: (0.2, 0.1)})
    panel.run()
    assert_panel_harmless(panel)
