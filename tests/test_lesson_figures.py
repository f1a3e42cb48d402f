"""What `tools/lesson_figures.py` counts, and that the lessons keep to the measure."""

from __future__ import annotations

import runpy
from pathlib import Path

import nbformat

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


def test_find_plain_follows_what_the_kit_made():
    before = """import recipe
houses = recipe.load("housing")
values = [1, 2]
trained = recipe.train_seeds(spec, data, range(5))
scores = {}
scores["kit"] = trained[0].score
def show(value):
    print(value, trained)
for name in ('a', 'b'):
    run = recipe.train(name)"""
    kit = [
        "run = recipe.train(spec, x)",
        "from recipe.ui.training import TrainingPanel",
        "print(trained[0])",
        "scores['a'] = 1\nprint(scores)",
        "show(values)",
        "print(run)",
    ]
    plain = ["x = houses.x_train", "more = recipe.from_table(frame, target='y')", "total = len(values)", "print(name)"]
    assert find_plain([before, *kit, *plain])[1:] == [False] * len(kit) + [True] * len(plain)


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
