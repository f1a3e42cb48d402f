"""What becomes of graded cells that a student deleted, copied, split, moved or renamed."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from recipe.teach.mending import grade_id, mark_checks, mend, opened_as, read_notebook

ASKS = {"one": ("one",), "two": ("two",)}


def graded(kind: str, name: str, source: str, **about: bool) -> nbformat.NotebookNode:
    make = new_markdown_cell if kind == "markdown" else new_code_cell
    nbgrader = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "grade_id": name, **about}
    return make(source, id=name, metadata={"nbgrader": nbgrader})


def released() -> nbformat.NotebookNode:
    cells = [
        new_code_cell("work = open_assignment('02')", id="start"),
        new_markdown_cell("Question 1", id="q1"),
        graded("code", "one-answer", "one = None\n...", solution=True),
        graded("code", "one", 'work.check("one")', grade=True, locked=True, points=10),
        new_markdown_cell("Question 2", id="q2"),
        graded("code", "two-answer", "two = None\n...", solution=True),
        graded("code", "two", 'work.check("two")', grade=True, locked=True, points=10),
        new_markdown_cell("Question 3", id="q3"),
        graded("markdown", "words", "YOUR ANSWER HERE", grade=True, solution=True, points=10),
    ]
    return new_notebook(cells=cells)


def solved() -> nbformat.NotebookNode:
    notebook = released()
    for at, source in {2: "one = 1", 5: "two = 2", 8: "Because."}.items():
        notebook.cells[at].source = source
    return notebook


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def delete(*places: int) -> Callable[[list], list]:
    return lambda cells: [cell for at, cell in enumerate(cells) if at not in places]


def strip(cells: list) -> list:
    for cell in cells:
        cell.metadata, cell.id = nbformat.NotebookNode(), new_code_cell().id
    return cells


def renamed(cells: list) -> list:
    for at, cell in enumerate(cells):
        if grade_id(cell):
            cell.metadata.nbgrader |= {"grade_id": f"mine-{at}", "points": 1000, "schema_version": 99}
    return cells


def with_id(name: str) -> Callable[[list], list]:
    return lambda cells: [nbformat.from_dict({**cell, "id": name}) for cell in cells]


def pasted(at: int, *, below: int, source: str | None = None) -> Callable[[list], list]:
    def change(cells: list) -> list:
        copy = deepcopy(cells[at])
        copy.id, copy.source = new_code_cell().id, copy.source if source is None else source
        return [*cells[: below + 1], copy, *cells[below + 1 :]]

    return change


def order(*places: int) -> Callable[[list], list]:
    return lambda cells: [cells[at] for at in places]


def of_kind(at: int, kind: str) -> Callable[[list], list]:
    def change(cells: list) -> list:
        cells[at].cell_type = kind
        return cells

    return change


ALL = ["work = open_assignment('02')", "one = 1", 'work.check("one")', "two = 2", 'work.check("two")']


@pytest.mark.parametrize(
    "change",
    [
        delete(3),
        delete(6),
        delete(3, 6),
        delete(0),
        strip,
        renamed,
        pasted(3, below=0),
        pasted(6, below=6),
        pasted(2, below=2, source="one = None\n..."),
        pasted(2, below=1, source="one = None\n..."),
        order(1, 2, 3, 0, 4, 5, 6, 7, 8),
        order(0, 1, 3, 2, 4, 5, 6, 7, 8),
        of_kind(2, "markdown"),
        of_kind(2, "raw"),
        of_kind(3, "markdown"),
        with_id("same"),
        with_id("one"),
        lambda cells: strip(delete(3, 6)(cells)),
    ],
)
def test_mend_runs_each_answer_and_then_its_check(change: Callable[[list], list]) -> None:
    notebook = solved()
    notebook.cells = change(notebook.cells)
    mended, _ = mend(notebook, released(), ASKS)
    assert sources(mended) == ALL
    about = {grade_id(cell): cell for cell in mended.cells if grade_id(cell)}
    assert list(about) == ["one-answer", "one", "two-answer", "two", "words"]
    assert about["words"].source == "Because."
    assert about["one"].metadata == released().cells[3].metadata
    assert len({cell.id for cell in mended.cells}) == len(mended.cells)
    nbformat.validate(mended)


def test_mend_leaves_a_notebook_in_order_as_it_is() -> None:
    mended, notes = mend(solved(), released(), ASKS)
    assert notes == []
    assert mended.cells == solved().cells


def test_mend_keeps_cells_of_the_students_own_in_their_order() -> None:
    notebook = solved()
    notebook.cells.insert(3, new_code_cell("one += 1"))
    notebook.cells.insert(2, new_code_cell("helper = 3"))
    del notebook.cells[5]  # the check, below the helper and the second half of the answer
    mended, notes = mend(notebook, released(), ASKS)
    assert sources(mended)[1:5] == ["helper = 3", "one = 1", "one += 1", 'work.check("one")']
    assert notes == ["The check of one was missing: put in its place."]


def test_mend_keeps_an_answer_in_the_cell_of_its_check() -> None:
    notebook = released()
    notebook.cells[3].source = 'one = 1\nwork.check("one")'
    del notebook.cells[2]
    mended, _ = mend(notebook, released(), ASKS)
    assert sources(mended)[1:3] == ['one = 1\nwork.check("one")', 'work.check("one")']


def test_mend_moves_a_whole_exercise_with_its_check() -> None:
    notebook = solved()
    notebook.cells = order(0, 4, 5, 6, 1, 2, 3, 7, 8)(notebook.cells)
    mended, _ = mend(notebook, released(), ASKS)
    assert sources(mended) == [ALL[0], *ALL[3:], *ALL[1:3]]


def test_mend_joins_a_written_answer_that_was_split() -> None:
    notebook = solved()
    notebook.cells = pasted(8, below=8, source="And so on.")(notebook.cells)
    mended, notes = mend(notebook, released(), ASKS)
    assert mended.cells[-1].source == "Because.\n\nAnd so on."
    assert notes == ["words was there 2 times."]


def test_mend_puts_back_what_nobody_answers() -> None:
    mended, _ = mend(new_notebook(), released(), ASKS)
    assert sources(mended) == sources(released())
    assert mended.cells[-1].source == "YOUR ANSWER HERE"


@pytest.mark.parametrize("version", [3, 4.0])
def test_read_notebook_takes_older_versions(version: float, tmp_path: Path) -> None:
    notebook = solved()
    if version == 3:
        text = nbformat.writes(nbformat.convert(notebook, 3), version=3)
    else:
        cells = [{key: value for key, value in cell.items() if key != "id"} for cell in notebook.cells]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 0})
    (tmp_path / "old.ipynb").write_text(text, encoding="utf-8")
    mended, _ = mend(read_notebook(tmp_path / "old.ipynb"), released(), ASKS)
    assert sources(mended) == ALL


def test_mark_checks_grades_the_last_check_of_each_exercise() -> None:
    notebook = new_notebook(cells=[new_code_cell(source) for source in ('work.check("one")', "x", "work.check('one')")])
    assert [grade_id(cell) for cell in mark_checks(notebook, ["one", "two"]).cells] == ["", "", "one", "two"]


def test_opened_as_reads_the_assignment_and_the_student() -> None:
    assert opened_as(solved()) == ("02", "")
    said = new_code_cell('w = open_assignment("02_x", student="ada")')
    assert opened_as(new_notebook(cells=[said])) == ("02_x", "ada")
    assert opened_as(new_notebook()) == ("", "")
