"""Plays answers: in this process, which takes a fraction of a second, and as notebooks for the whole way of grading.

An answer is the code that a student would write into the cell of an exercise. The reference stands in the assignment's
own notebook; others, valid and wrong ones, in the folder of answers.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import nbformat

from recipe.teach.exercises import MODULES, Verdict, find_assignment
from recipe.teach.judge import PRACTICE_KEY, Judge

ANSWER = "-answer"  # what the id of the cell to be solved has behind the name of its exercise


@dataclass(frozen=True)
class Answer:
    """One answer to an exercise, and what it is to get.

    Attributes
    ----------
    code : what stands in the cell to be solved
    points : that it gets
    misconception : that it stands for; ``""`` of a valid answer, or of one that is wrong otherwise
    says : words that the message holds
    """

    code: str
    points: float
    misconception: str = ""
    says: str = ""


def read_source(folder: Path | str, name: str) -> nbformat.NotebookNode:
    """Return the notebook of an assignment, with its solutions, from the folder of the course."""
    return nbformat.read(Path(folder) / "source" / name / f"{name}.ipynb", as_version=4)


def read_answers(folder: Path | str, name: str) -> dict[str, list[Answer]]:
    """Return the answers of each exercise, the reference first, which gets all the points."""
    path = Path(folder) / "answers" / f"{MODULES[name]}.py"
    spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    exercises, source = find_assignment(name).exercises, read_source(folder, name)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source for cell in source.cells}
    return {
        name: [Answer(cells[name + ANSWER], exercise.points), *module.ANSWERS[name]]
        for name, exercise in exercises.items()
    }


def submit(source: nbformat.NotebookNode, answers: Mapping[str, str]) -> nbformat.NotebookNode:
    """Return a notebook in which the cells to be solved hold these answers; all others stay as they are."""
    notebook = deepcopy(source)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id") or ""
        if grade_id.endswith(ANSWER) and grade_id.removesuffix(ANSWER) in answers:
            cell.source = answers[grade_id.removesuffix(ANSWER)]
    return notebook


def play(
    folder: Path | str, name: str, answers: Mapping[str, str], *, student: str = "", key: str = PRACTICE_KEY
) -> dict[str, Verdict]:
    """Run a notebook with these answers in this process, and judge each exercise. Only for answers of one's own."""
    judge, namespace, verdicts = Judge(name, student, Path(folder) / "hidden", key), {}, {}
    with _student(student), redirect_stdout(StringIO()):
        for cell in submit(read_source(folder, name), answers).cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id") or ""
            if grade_id in judge.assignment.exercises:
                verdicts[grade_id] = judge.judge_namespace(grade_id, namespace)
            elif cell.cell_type == "code":
                try:
                    exec(compile(cell.source, f"{name}, {grade_id or cell.id}", "exec"), namespace)
                except Exception:
                    if not grade_id.endswith(ANSWER):
                        raise
    return verdicts


@contextmanager
def _student(student: str) -> Iterator[None]:
    before = os.environ.get("RECIPE_STUDENT")
    os.environ["RECIPE_STUDENT"] = student
    try:
        yield
    finally:
        if before is None:
            del os.environ["RECIPE_STUDENT"]
        else:
            os.environ["RECIPE_STUDENT"] = before
