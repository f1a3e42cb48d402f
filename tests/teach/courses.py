"""A course in a folder of the test's own: handed out, handed in and graded by nbgrader itself."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the extra [teach] is not installed: make .venv/.ready-to-teach")
from nbgrader.api import Gradebook

from recipe.teach.course import open_course
from recipe.teach.executor import VERDICT
from recipe.teach.mending import grade_id

COURSE = Path(__file__).parents[2] / "assignments"


@dataclass(frozen=True)
class Work:
    """A graded notebook.

    Attributes
    ----------
    points : of each graded cell, as the gradebook has them
    said : of each exercise what the judge said
    to_be_marked : the cells that wait for a person
    """

    notebook: nbformat.NotebookNode
    points: dict[str, float]
    said: dict[str, dict]
    to_be_marked: set[str]

    @property
    def text(self) -> str:
        """Everything that the graded notebook shows."""
        return json.dumps(self.notebook)

    def output(self, words: str) -> str:
        """Return the outputs of the first cell whose source holds these words."""
        cell = next(cell for cell in self.notebook.cells if words in cell.source)
        return json.dumps(cell.outputs)


class Course:
    """A copy of the course with some of its assignments, released by nbgrader."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        for name in names:
            shutil.copytree(COURSE / "source" / name, folder / "source" / name)
        shutil.copytree(COURSE / "hidden", folder / "hidden", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(COURSE / "nbgrader_config.py", folder)
        (folder / "course_key.txt").write_text("a key that is long enough to be known again\n", encoding="utf-8")
        self.api = open_course(folder)
        for name in names:
            result = self.api.generate_assignment(name, force=True, create=True)
            assert result["success"], result

    def released(self, name: str) -> nbformat.NotebookNode:
        """Return the students' version of an assignment."""
        return nbformat.read(self.folder / "release" / name / f"{name}.ipynb", as_version=4)

    def grade(self, notebook: nbformat.NotebookNode | str, student: str, name: str) -> Work:
        """Hand in a notebook, or the text of a file, and have it graded."""
        path = self.folder / "submitted" / student / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook), encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader has SQLAlchemy complain of each new submission
            result = self.api.autograde(name, student, force=True, create=True)
        assert result["success"], result.get("log", "") + result["error"]
        return self.look(student, name)

    def look(self, student: str, name: str) -> Work:
        """Return what became of a notebook that was graded."""
        graded = nbformat.read(self.folder / "autograded" / student / name / f"{name}.ipynb", as_version=4)
        said = {
            grade_id(cell): output.data[VERDICT]
            for cell in graded.cells
            for output in cell.get("outputs", [])
            if VERDICT in output.get("data", {})
        }
        with Gradebook(self.api.coursedir.db_url) as book:
            grades = book.find_submission_notebook(name, name, student).grades
            points = {grade.name: grade.score for grade in grades}
            return Work(graded, points, said, {grade.name for grade in grades if grade.needs_manual_grade})
