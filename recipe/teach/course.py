"""A course by commands: hand out, collect, grade, give back. nbgrader's own functions do the work.

python -m recipe.teach.course release | grade FOLDER | feedback | worlds
"""

from __future__ import annotations

import csv
import os
import re
import secrets
import shutil
import tempfile
import threading
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Annotated

import nbformat
import typer
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from recipe.teach.cli import explained
from recipe.teach.executor import PROCESS, VERDICT, run_notebook
from recipe.teach.exercises import MODULES, find_assignment
from recipe.teach.mending import grade_id, opened_as, read_notebook
from recipe.teach.process import find_shared_in, is_extract

FOLDER = Path("assignments")
KEY_FILE = "course_key.txt"
PROOF = "process.json"  # an extract of the student's journal, beside the notebook in nbgrader's folders
LARGEST_ZIP = 200_000_000  # bytes that may come out of one
warnings.filterwarnings("ignore", module="nbgrader")  # of SQLAlchemy, at each new submission
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Submission:
    """A file that was handed in: whose, and of which assignment."""

    student: str
    assignment: str
    path: Path


@cache
def open_course(folder: Path) -> NbGraderAPI:
    """Return nbgrader's functions on the course in a folder."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def list_sources(folder: Path, assignment: str = "") -> list[str]:
    """Return the names of the assignments of a course, or the one that was asked for."""
    names = sorted(path.parent.name for path in (folder / "source").glob("*/*.ipynb"))
    return [name for name in names if not assignment or name == find_assignment(assignment).name]


def release(folder: Path, assignment: str = "") -> list[Path]:
    """Make the students' versions, without solutions, hidden checks and mark schemes, and run each of them.

    Raises
    ------
    ValueError
        If nbgrader makes none, if one of them shows what no student is to see, or does not run.
    """
    key = folder / KEY_FILE
    if not key.is_file():
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(32) + "\n", encoding="utf-8")
    made = []
    for name in list_sources(folder, assignment):
        _must_succeed(open_course(folder).generate_assignment(name, force=True, create=True), name)
        path = folder / "release" / name / f"{name}.ipynb"
        _examine(nbformat.read(path, as_version=4), name)
        made.append(path)
    return made


def _examine(notebook: nbformat.NotebookNode, name: str) -> None:
    for cell in notebook.cells:
        if found := re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)|work\.grade\(", cell.source):
            raise ValueError(f"The students' version of {name} shows {found[0]!r}.")
    for cell in run_notebook(notebook, None).notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise ValueError(f"The students' version of {name} does not run: {output.ename}: {output.evalue}")


def find_submissions(folder: Path, assignment: str = "") -> tuple[list[Submission], list[str]]:
    """Find what was handed in, and say what was left out.

    Parameters
    ----------
    folder : in nbgrader's layout, ``STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb``, or flat, ``STUDENT.ipynb`` or
        ``STUDENT_ASSIGNMENT.ipynb``; what was in a zip file was taken out before (`unpack`)
    assignment : of files that do not say of which they are
    """
    found, left = [], []
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        parts = path.relative_to(folder).parts
        if len(parts) >= 3 and parts[-2] in MODULES and parts[-1] == f"{parts[-2]}.ipynb":
            found.append(Submission(parts[-3], parts[-2], path))
        elif one := _read_name(path, parts, assignment):
            found.append(one)
        else:
            left.append(f"{path}: neither its name nor its text says of which assignment it is.")
    return found, left


def _read_name(path: Path, parts: tuple[str, ...], assignment: str) -> Submission | None:
    named = [name for name in MODULES if path.stem == name or path.stem.endswith(f"_{name}")]
    name = named[0] if named else find_assignment(assignment).name if assignment else ""
    if not name:
        try:
            said = opened_as(read_notebook(path))[0]
            name = find_assignment(said).name
        except ValueError:
            return None
    student = path.stem.removesuffix(name).removesuffix("_") or (parts[-2] if len(parts) > 1 else "")
    return Submission(student, name, path) if student else None


def find_proofs(folder: Path, submissions: Iterable[Submission]) -> tuple[dict[Submission, Path], list[str]]:
    """Find the proof of process that came with each notebook, and say which belong to none.

    It lies beside the notebook and has its name, or any name where no other notebook is in that folder.
    """
    submissions, found, left = list(submissions), {}, []
    count = Counter(one.path.parent for one in submissions)
    for path in filter(is_extract, sorted(folder.rglob("*.json"))):
        beside = [one for one in submissions if one.path.parent == path.parent and one not in found]
        owners = [one for one in beside if one.path.stem == path.stem or count[path.parent] == 1]
        if owners:
            found[owners[0]] = path
        else:
            left.append(f"{path}: a proof of process of which it is not clear to which notebook it belongs.")
    return found, left


def unpack(folder: Path, to: Path) -> None:
    """Take notebooks and proofs out of all zip files of a folder; what is in STUDENT.zip gets a folder of that name."""
    for path in sorted(folder.rglob("*.zip")):
        with zipfile.ZipFile(path) as packed:
            files = [one for one in packed.infolist() if one.filename.endswith((".ipynb", ".json"))]
            if sum(one.file_size for one in files) > LARGEST_ZIP:
                raise ValueError(f"More comes out of this than notebooks. Received: {str(path)!r}.")
            for one in files:
                parts = [part for part in re.split(r"[\\/]", one.filename) if part not in ("", ".", "..")]
                target = to.joinpath(path.stem, *parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(packed.read(one))


def collect(folder: Path, submissions: Path, assignment: str = "") -> tuple[list[Submission], list[str]]:
    """Copy what was handed in to nbgrader's folder ``submitted``; return what lies there now, and what was left out."""
    if not submissions.is_dir():
        raise ValueError(f"There is no folder of submissions. Received: {str(submissions)!r}.")
    with tempfile.TemporaryDirectory() as unpacked:
        unpack(submissions, Path(unpacked))
        collected, left = [], []
        for root in (submissions, Path(unpacked)):
            found, unknown = find_submissions(root, assignment)
            proofs, astray = find_proofs(root, found)
            left += unknown + astray
            for one in found:
                target = folder / "submitted" / one.student / one.assignment / f"{one.assignment}.ipynb"
                if target.resolve() != one.path.resolve():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(one.path, target)
                    target.with_name(PROOF).unlink(missing_ok=True)  # of what was handed in before
                    if one in proofs:
                        shutil.copyfile(proofs[one], target.with_name(PROOF))
                collected.append(Submission(one.student, one.assignment, target))
    return sorted(set(collected), key=lambda one: (one.assignment, one.student)), left


def grade(folder: Path, submissions: Iterable[Submission], processes: int = 2) -> Iterator[tuple[Submission, str]]:
    """Grade notebooks side by side; give each as it is done, with what went wrong, "" where nothing did."""
    waiting = list(submissions)
    if processes == 1:
        yield from ((one, _autograde(folder, one)) for one in waiting)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        done = [pool.submit(_autograde, folder, one) for one in waiting]
        yield from ((one, result.result()) for one, result in zip(waiting, done, strict=True))


def _end_with_parent() -> None:
    """Let this process, and the kernel it runs, end when the one that started it was killed."""

    def wait() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _autograde(folder: Path, one: Submission) -> str:
    result = open_course(folder).autograde(one.assignment, one.student, force=True, create=True)
    return "" if result["success"] else str(result.get("log") or result["error"]).strip()


def write_grades(folder: Path, path: Path) -> int:
    """Write a line for each exercise of each graded submission, from the gradebook; return how many."""
    fields = ["student", "assignment", "exercise", "points", "max_points", "to_be_marked", "outcome", "misconception"]
    fields.append("process")  # what the proof of process is worth, "" where none was brought
    rows = []
    with Gradebook(open_course(folder).coursedir.db_url) as book:
        for assignment in book.assignments:
            for submission in assignment.submissions:
                said, process = _read_graded(folder, submission.student.id, assignment.name)
                for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                    verdict = said.get(grade.name, {})
                    marks = [grade.score, grade.max_score, int(bool(grade.needs_manual_grade))]
                    about = [verdict.get("outcome", "marked by hand"), verdict.get("misconception", ""), process]
                    rows.append([submission.student.id, assignment.name, grade.name, *marks, *about])
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([fields, *sorted(rows, key=lambda row: [str(value) for value in row[:3]])])
    return len(rows)


def _read_graded(folder: Path, student: str, name: str) -> tuple[dict[str, dict], str]:
    """Return from a graded notebook what the judge said of each exercise, and what its proof of process is worth."""
    path = folder / "autograded" / student / name / f"{name}.ipynb"
    if not path.is_file():
        return {}, ""
    graded = nbformat.read(path, as_version=4)
    outputs = [(grade_id(cell), output.get("data", {})) for cell in graded.cells for output in cell.get("outputs", [])]
    return {name: data[VERDICT] for name, data in outputs if VERDICT in data}, graded.metadata.get(PROCESS, "")


def _must_succeed(result: dict, name: str) -> None:
    if not result["success"]:
        raise ValueError(f"nbgrader could not do it for {name}. {result.get('log') or ''} {result.get('error') or ''}")


Course = Annotated[Path, typer.Option(help="The folder of the course.", file_okay=False)]
Name = Annotated[str, typer.Option(help="One assignment, by its name or number; all of them if left out.")]


@app.command("release")
def release_command(folder: Course = FOLDER, assignment: Name = "") -> None:
    """Make the students' versions in FOLDER/release, and a key of the course where there is none."""
    with explained():
        for path in release(folder, assignment):
            typer.echo(f"Released: {path}")


@app.command("grade")
def grade_command(
    submissions: Annotated[Path, typer.Argument(help="Notebooks or zip files, flat or in nbgrader's layout.")],
    folder: Course = FOLDER,
    assignment: Annotated[str, typer.Option(help="Of notebooks that do not say of which they are.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="How many are graded side by side.")] = 2,
    grades: Annotated[Path | None, typer.Option(help="Where the table goes; FOLDER/grades.csv if left out.")] = None,
) -> None:
    """Collect what was handed in, grade it, and write grades.csv."""
    failed = 0
    with explained():
        found, left = collect(folder, submissions, assignment)
        for line in left:
            typer.echo(f"Left out: {line}", err=True)
        for name in {one.assignment for one in found}:
            if not (folder / "release" / name).is_dir():
                raise ValueError(f"{name} was not released yet, so nothing can be graded: `make release` first.")
        for one, wrong in grade(folder, found, processes):
            failed += bool(wrong)
            typer.echo(f"{one.student}, {one.assignment}: {'could not be graded' if wrong else 'graded'}")
            if wrong:
                typer.echo(wrong, err=True)
        for sentence in find_shared_in(folder / "submitted"):
            typer.echo(f"Proofs of process: {sentence}", err=True)
        path = grades or folder / "grades.csv"
        typer.echo(f"{write_grades(folder, path)} grades are in {path}.")
    raise typer.Exit(int(bool(failed)))


@app.command("feedback")
def feedback_command(folder: Course = FOLDER, assignment: Name = "") -> None:
    """Write one HTML file a student and assignment, without anything that is for graders alone."""
    with explained():
        graded = sorted((folder / "autograded").glob("*/*/*.ipynb"))
        for path in graded:
            name, student = path.parent.name, path.parent.parent.name
            if not assignment or name == find_assignment(assignment).name:
                _must_succeed(open_course(folder).generate_feedback(name, student, force=True), f"{student}, {name}")
                page = folder / "feedback" / student / name / f"{name}.html"
                page.with_name(PROOF).unlink(missing_ok=True)  # nbgrader copies what lies beside a notebook
                typer.echo(f"Written: {page}")


if __name__ == "__main__":
    app()
