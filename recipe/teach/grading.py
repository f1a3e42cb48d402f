"""nbgrader's parts: notebooks are mended, run and judged by the grader's own means, and nbgrader keeps the books.

`configure` puts them into nbgrader's configuration (assignments/nbgrader_config.py), so that `nbgrader autograde`, the
page of the formgrader and `make grade` all do the same. This is the only module that needs nbgrader.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
from html import escape
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    GetGrades,
    IncludeHeaderFooter,
    LimitOutput,
    LockCells,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
    SaveCells,
)
from traitlets import Float, Integer, Unicode
from traitlets.config import Config

from recipe.teach.executor import PROCESS, VERDICT, Limits, clean_html, run_notebook
from recipe.teach.exercises import MODULES, find_assignment
from recipe.teach.judge import JudgeClient, read_key
from recipe.teach.mending import HIDDEN, grade_id, mend, read_notebook
from recipe.teach.process import examine, is_extract

CODE_STUB = "...  # YOUR CODE HERE"
FOR_GRADERS = "recipe-for-graders"  # the tag of cells that no student gets
TITLES = "recipe_titles"  # the key of what exercises are called, among nbconvert's resources
_TITLE = re.compile(r"## (.+?)(?: \(\d+ points\))?$", re.MULTILINE)
_ENTRY = re.compile(r'(<li><a href="#([^"]+)">)(Test cell|Written response)(?=</a>)')
_SCHEME = re.compile(r"^[^\n]*BEGIN MARK SCHEME[^\n]*\n(.*?)^[^\n]*END MARK SCHEME", re.DOTALL | re.MULTILINE)
_judges: dict[tuple[str, str], JudgeClient] = {}


def configure(config: Config, course: Path | str) -> None:
    """Have nbgrader grade the course in this folder by the kit's means."""
    course = Path(course).resolve()
    beside = str(Path(sys.executable).parent)  # nbgrader starts alembic by its name alone
    if beside not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, os.environ["PATH"]])
    config.CourseDirectory.root = str(course)
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    config.ClearMarkScheme.enforce_metadata = False  # here a scheme stands in the cell of the answer itself
    # Without a scheme, a text's checksum is the one that a text has that nobody wrote: no points, and nothing to mark.
    config.GenerateAssignment.preprocessors = [
        IncludeHeaderFooter,
        LockCells,
        ClearSolutions,
        ClearMarkScheme,
        ClearOutput,
        CheckCellMetadata,
        ComputeChecksums,
        SaveCells,
        ClearHiddenTests,
        ComputeChecksums,
        CheckCellMetadata,
    ]
    config.Autograde.exporter_class = "recipe.teach.grading.PatientExporter"
    config.Autograde.sanitize_preprocessors = [
        Mend,
        ClearOutput,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        RunAndJudge,
        LimitOutput,
        SavePoints,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    config.GenerateFeedback.preprocessors = [ForStudents, GetGrades, CSSHTMLHeaderPreprocessor]
    config.GenerateFeedback.exporter_class = "recipe.teach.grading.OfflineExporter"
    for name in ("Mend", "RunAndJudge", "ForStudents"):
        config[name].course = str(course)


class PatientExporter(NotebookExporter):
    """Takes a file that is no notebook for one into which nobody has written."""

    def from_filename(self, filename: str, resources: dict | None = None, **options: object) -> tuple:
        """Return the notebook as text, and its resources."""
        try:
            with Path(filename).open(encoding="utf-8") as file:
                nbformat.read(file, as_version=4)
        except Exception:
            try:
                notebook = read_notebook(filename)
            except ValueError as error:
                notebook = nbformat.v4.new_notebook(cells=[new_markdown_cell(f"The file that was handed in: {error}")])
            resources = {**(resources or {}), "metadata": {"path": str(Path(filename).parent)}}
            return self.from_notebook_node(notebook, resources, **options)
        return super().from_filename(filename, resources, **options)


class OfflineExporter(HTMLExporter):
    """Writes one file that asks no other host for anything, and whose index calls exercises by their titles."""

    def from_notebook_node(self, nb: nbformat.NotebookNode, resources: dict | None = None, **options: object) -> tuple:
        """Return the page, and its resources."""
        page, resources = super().from_notebook_node(nb, resources, **options)
        page = re.sub(r"(?is)<script\b[^>]*>.*?</script\s*>", "", page)
        page = re.sub(r"(?i)<link\b[^>]*\bhref=[^>]*>", "", page)
        if not (titles := resources.get(TITLES)):  # an assignment of the instructor's own
            return page, resources
        # nbgrader's template calls each one "Test cell" or "Written response". The titles have numbers of their own.
        page = re.sub(r'(<div id="toc">\s*<ol)>', r'\1 style="list-style: none; padding-left: 0">', page, count=1)
        return _ENTRY.sub(lambda found: found[1] + escape(titles.get(found[2], found[3])), page), resources


class _OfCourse(NbGraderPreprocessor):
    course = Unicode(help="The folder of the course.").tag(config=True)

    def open_part(self, part: str, name: str) -> nbformat.NotebookNode:
        """Return an assignment's notebook from ``source`` or ``release``."""
        path = Path(self.course) / part / name / f"{name}.ipynb"
        if not path.is_file():
            raise FileNotFoundError(f"{name} was not released here: `make release` first. Received: {str(path)!r}.")
        return nbformat.read(path, as_version=4)


class Mend(_OfCourse):
    """Sets right what became of a notebook on its way, by the released version; says on top what that was."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple:
        """Return the mended notebook."""
        name = resources["nbgrader"]["assignment"]
        if resources["nbgrader"]["notebook"] != name or name not in MODULES:
            return nb, resources  # an assignment of the instructor's own
        asks = {exercise.name: exercise.asks for exercise in find_assignment(name).exercises.values()}
        mended, notes = mend(nb, self.open_part("release", name), asks)
        for cell in mended.cells:
            if cell.cell_type != "code" and re.search(r"<\s*[a-zA-Z/!]", cell.source):
                cell.source = clean_html(cell.source)
        if notes:
            self.log.warning("Mended: %s", " ".join(notes))
            said = "\n".join(["**Mended before it was graded**", "", *(f"- {note}" for note in notes)])
            mended.cells.insert(0, new_markdown_cell(said))
        return mended, resources


class RunAndJudge(_OfCourse):
    """Runs a notebook, and has the judge's process say what each answer is worth."""

    cell_seconds = Float(Limits.cell, help="Seconds of the processor that one cell may take.").tag(config=True)
    notebook_seconds = Float(Limits.notebook, help="Seconds that a notebook may take.").tag(config=True)
    memory = Integer(Limits.memory, help="Bytes of memory that the kernel may take.").tag(config=True)
    replay = Integer(2, help="How many runs of a proof of process are run again.").tag(config=True)

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple:
        """Return the notebook with its outputs and verdicts."""
        about = resources["nbgrader"]
        nb.metadata.pop(PROCESS, None)  # whatever a student wrote there
        limits = Limits(cell=self.cell_seconds, notebook=self.notebook_seconds, memory=self.memory)
        files = resources.get("metadata", {}).get("path") or None
        if about["assignment"] not in MODULES:
            return run_notebook(nb, None, student=about["student"], limits=limits, files=files).notebook, resources
        judge = find_judge(self.course)
        graded = run_notebook(nb, judge, about["assignment"], about["student"], limits=limits, files=files)
        for cell in graded.notebook.cells:
            if grade_id(cell) in graded.verdicts:
                cell.source = HIDDEN.sub("", cell.source).rstrip()
        self._add_schemes(graded.notebook, about["assignment"])
        if files and (proofs := [path for path in sorted(Path(files).glob("*.json")) if is_extract(path)]):
            graded.notebook.metadata[PROCESS], against = examine(proofs[0], about["student"], self.replay)
            quoted = [one.replace("`", "'") for one in against]  # as code: it holds text of a stranger's file
            graded.flags += [f"Proof of process: `{one}`" for one in quoted]
        for flag in graded.flags:
            self.log.warning("%s: %s", about["student"], flag)
        if graded.flags:
            said = "\n".join(["**For the instructor**", "", *(f"- {flag}" for flag in graded.flags)])
            graded.notebook.cells.insert(0, new_markdown_cell(said, metadata={"tags": [FOR_GRADERS]}))
        return graded.notebook, resources

    def _add_schemes(self, notebook: nbformat.NotebookNode, name: str) -> None:
        """Put the mark scheme of each written answer above it, for whoever marks it."""
        schemes = {grade_id(cell): _SCHEME.search(cell.source) for cell in self.open_part("source", name).cells}
        for cell in list(notebook.cells):
            if cell.cell_type == "markdown" and (scheme := schemes.get(grade_id(cell))):
                said = new_markdown_cell(f"**Mark scheme**\n\n{scheme[1]}", metadata={"tags": [FOR_GRADERS]})
                notebook.cells.insert(notebook.cells.index(cell), said)


class SavePoints(SaveAutoGrades):
    """Saves the points; what the judge could not judge waits for a person, as a written answer does."""

    def _add_score(self, cell: nbformat.NotebookNode, resources: dict) -> None:
        super()._add_score(cell, resources)
        verdicts = [output.get("data", {}).get(VERDICT) for output in cell.get("outputs", [])]
        if any(verdict and verdict["by_hand"] for verdict in verdicts):
            about = (grade_id(cell), self.notebook_id, self.assignment_id, self.student_id)
            self.gradebook.find_grade(*about).needs_manual_grade = True
            self.gradebook.db.commit()


class ForStudents(_OfCourse):
    """Takes out what is for graders alone; whatever stands in a hidden region goes, too. Names the exercises."""

    def preprocess(self, nb: nbformat.NotebookNode, resources: dict) -> tuple:
        """Return the notebook without it."""
        if (name := resources["nbgrader"]["assignment"]) in MODULES:
            resources[TITLES] = _read_titles(self.open_part("source", name))
        nb.cells = [cell for cell in nb.cells if FOR_GRADERS not in cell.metadata.get("tags", [])]
        for cell in nb.cells:
            cell.source = HIDDEN.sub("", cell.source)
            for output in cell.get("outputs", []):
                if VERDICT in output.get("data", {}):  # the words stand above it
                    points, at_most = (output.data[VERDICT][name] for name in ("points", "max_points"))
                    output.data = nbformat.from_dict({"text/plain": f"{points:.3g} of {at_most:g} points"})
        return nb, resources


def _read_titles(source: nbformat.NotebookNode) -> dict[str, str]:
    """Return of each graded cell the heading above it: "4. The threshold"."""
    titles, title = {}, ""
    for cell in source.cells:
        if cell.cell_type == "markdown" and (found := _TITLE.match(cell.source)):
            title = found[1]
        elif title and cell.metadata.get("nbgrader", {}).get("grade"):
            titles[grade_id(cell)] = title
    return titles


def find_judge(course: Path | str) -> JudgeClient:
    """Return the judge of a course: one process serves all notebooks that this one grades."""
    found = (str(Path(course) / "hidden"), read_key(course))
    if found not in _judges:
        _judges[found] = JudgeClient(*found)
        atexit.register(_judges[found].close)
    return _judges[found]
