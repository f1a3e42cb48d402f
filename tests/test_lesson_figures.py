"""What `tools/lesson_figures.py` counts, and that the lessons keep to the measure."""

from __future__ import annotations

import runpy
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
FIGURES = runpy.run_path(str(ROOT / "tools" / "lesson_figures.py"))
measure_lesson, find_plain = FIGURES["measure_lesson"], FIGURES["find_plain"]


def _lesson(*cells):
    """A notebook from (source, tags); a source that begins with # is prose."""
    lesson = nbformat.v4.new_notebook()
    for source, *tags in cells:
        make = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        lesson.cells.append(make(source, metadata={"tags": tags}))
    return lesson


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("x = houses.x_train", True),
        ("run = recipe.train(spec, x)", False),
        ("print(recipe.__version__)", False),
        ("from recipe.ui.training import TrainingPanel", False),
        ("more = recipe.from_table(frame, target='y')", True),
        ("print(trained[0])", False),
        ("scores['a'] = 1\nprint(scores)", False),
        ("trained = [1]\nprint(trained)", True),
        ("for run in trained:\n    print(1)", False),
        ("best = [run for run in values]", True),
        ("show(values)", False),
        ("total = len(values)", True),
    ],
)
def test_find_plain_follows_what_the_kit_made(cell, plain):
    before = """import recipe
houses = recipe.load("housing")
values = [1, 2]
trained = recipe.train_seeds(spec, data, range(5))
scores = {}
scores["kit"] = trained[0].score
means = [run.score for run in trained]
def show(value):
    print(value, trained)
"""
    assert find_plain([before, cell])[1] is plain


def test_find_plain_takes_what_a_loop_binds_for_plain_where_it_loops_over_plain_values():
    loop = "for name in ('a', 'b'):\n    run = recipe.train(name)"
    assert find_plain([loop, "print(name)", "print(run)"]) == [False, True, False]


def test_measure_lesson_leaves_out_what_is_no_part_of_its_way():
    lesson = _lesson(
        ("# One two three ![a picture](attachment:map.png) [four](http://five.six)",),
        ("import recipe\nhouses = recipe.load('housing')",),
        ("run = recipe.train(spec, houses)\nprint(run)",),
        ("print(1)",),
        ("assert run.score\nassert run", "check"),
        ("questions.depth", "question"),
        ("recipe.train(spec)\nx = 1", "exercise"),
        ("recipe.train(spec)\nx = 1", "solution"),
    )
    one = measure_lesson(lesson)
    assert (one.cells, one.code_cells, one.words) == (4, 3, 4)
    assert (one.questions, one.exercises, one.plain) == (1, 1, 0.5)
    assert one.minutes == round(4 / 200 + 3 + 3)
