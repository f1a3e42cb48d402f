"""Make a class that never was, graded, to look at `recipe class-report` with: 30 students of differing ability.

python tools/made_up_class.py FOLDER [--students 30] [--assignment 02 --assignment 05]

Their answers are those of assignments/answers, right ones with a chance that grows with the student's ability and falls
with how hard the exercise is (Rasch's model). The judge judges them in this process, each in the student's own world.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import nbformat
import numpy as np
import typer
from nbformat.v4 import new_markdown_cell

from recipe.teach.executor import show_verdict
from recipe.teach.exercises import Verdict, find_assignment
from recipe.teach.mending import grade_id
from recipe.teach.play import ANSWER, play, read_answers, read_source, submit

COURSE = Path(__file__).parents[1] / "assignments"
BEGINNING = datetime(2027, 3, 1, 9, tzinfo=UTC)
NAMES = [
    *("ada", "ben", "chi", "dana", "eli", "fay", "gus", "hana", "ivo", "jun"),
    *("kim", "lea", "mio", "nia", "ole", "pia", "quin", "rosa", "sami", "tea"),
    *("uma", "vera", "wim", "xenia", "yuri", "zoe", "arno", "bela", "cleo", "dirk"),
]
NOTES = {  # of the students at these places, what the grader noted
    3: ("**Mended before it was graded**", "count was there 2 times."),
    7: ("**For the instructor**", "Cell 12 was stopped: it took more than 45 s."),
    11: ("**For the instructor**", "Cell 9 was stopped: it ended the kernel."),
    19: ("**For the instructor**", "Cell 15 showed text of the hidden checks, or the course's key."),
}


def choose_answers(rng: np.random.Generator, name: str, ability: float) -> dict[str, str]:
    """Return one student's answers to an assignment; exercises without one were not attempted."""
    chosen = {}
    hardness = np.random.default_rng(len(name)).permutation(np.linspace(-1.3, 1.3, 12))
    for hard, (exercise, answers) in zip(hardness, read_answers(COURSE, name).items(), strict=False):
        if rng.random() < 0.05 + 0.25 * (ability < -1):
            continue
        most = find_assignment(name).exercises[exercise].points
        is_right = rng.random() < 1 / (1 + np.exp(hard - 1.5 * ability))
        fit = [answer for answer in answers if (answer.points >= most) == is_right]
        weights = np.arange(len(fit), 0, -1.0)  # the first ones in the list are met more often
        chosen[exercise] = fit[rng.choice(len(fit), p=weights / weights.sum())].code
    return chosen


def make_notebooks(
    name: str, student: str, verdicts: dict[str, Verdict], answers: dict[str, str], rng: np.random.Generator | None
) -> tuple[nbformat.NotebookNode, nbformat.NotebookNode]:
    """Return a notebook as it was handed in, with the times of its cells if `rng` is given, and as it was graded."""
    source = read_source(COURSE, name)
    handed_in = submit(source, dict.fromkeys(verdicts, "...") | answers)
    time = BEGINNING
    for cell in handed_in.cells:
        if cell.cell_type == "code" and rng is not None:
            time += timedelta(minutes=float(rng.gamma(2.0, 1.6)))
            cell.metadata["execution"] = {"iopub.execute_input": time.isoformat()}
    graded = deepcopy(handed_in)
    for cell in graded.cells:
        if grade_id(cell) in verdicts and not grade_id(cell).endswith(ANSWER):
            most = find_assignment(name).exercises[grade_id(cell)].points
            cell.outputs = show_verdict(grade_id(cell), verdicts[grade_id(cell)], most)
    return handed_in, graded


def write_notebook(folder: Path, part: str, student: str, name: str, notebook: nbformat.NotebookNode) -> Path:
    """Write a notebook to its place in nbgrader's layout."""
    path = folder / part / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def write_gradebook(folder: Path, marks: dict[tuple[str, str], dict[str, tuple[float | None, float | None]]]) -> None:
    """Write nbgrader's gradebook: of each (assignment, student) each cell's points by the judge and by a person.

    With neither, the cell waits for a mark.
    """
    from nbgrader.api import Gradebook

    warnings.filterwarnings("ignore", module="nbgrader")  # of SQLAlchemy, at each new submission
    beside = str(Path(sys.executable).parent)  # nbgrader starts alembic by its name alone
    os.environ["PATH"] = os.pathsep.join([beside, os.environ["PATH"]])
    with Gradebook(f"sqlite:///{(folder / 'gradebook.db').resolve()}") as book:
        for name in dict.fromkeys(assignment for assignment, _ in marks):
            book.update_or_create_assignment(name)
            book.update_or_create_notebook(name, name)
            for cell in read_source(COURSE, name).cells:
                about = cell.metadata.get("nbgrader", {})
                if about.get("grade"):
                    most, kind = about["points"], cell.cell_type
                    book.update_or_create_grade_cell(grade_id(cell), name, name, max_score=most, cell_type=kind)
        for (name, student), points in marks.items():
            book.update_or_create_student(student)
            book.update_or_create_submission(name, student)
            for cell, (by_judge, by_person) in points.items():
                grade = book.find_grade(cell, name, name, student)
                grade.auto_score, grade.manual_score = by_judge, by_person
                grade.needs_manual_grade = by_judge is None and by_person is None
        book.db.commit()


def make_class(folder: Path, assignments: list[str], students: int = 30, seed: int = 0) -> None:
    """Make the class in a folder."""
    rng, marks = np.random.default_rng(seed), {}
    names = [NAMES[at] if at < len(NAMES) else f"student{at + 1}" for at in range(students)]
    abilities = rng.normal(0.3, 1.0, students)
    for name in (find_assignment(one).name for one in assignments):
        written = [grade_id(cell) for cell in read_source(COURSE, name).cells if _is_written(cell)]
        for at, (student, ability) in enumerate(zip(names, abilities, strict=True)):
            if rng.random() < 0.05:
                continue
            answers = choose_answers(rng, name, ability)
            empty = dict.fromkeys(find_assignment(name).exercises, "...")
            verdicts = play(COURSE, name, empty | answers, student=student)
            is_timed = rng.random() < 0.7
            handed_in, graded = make_notebooks(name, student, verdicts, answers, rng if is_timed else None)
            if at in NOTES and name.startswith("02"):
                graded.cells.insert(0, new_markdown_cell("{}\n\n- {}".format(*NOTES[at])))
            write_notebook(folder, "submitted", student, name, handed_in)
            write_notebook(folder, "autograded", student, name, graded)
            most = find_assignment(name).exercises
            marks[name, student] = {one: (verdicts[one].share * most[one].points, None) for one in verdicts}
            for cell in written:
                mark = float(np.clip(round(6 + 2 * ability + rng.normal()), 0, 10))
                marks[name, student][cell] = (0.0, None) if ability < -1.2 else (None, mark if at % 9 else None)
    write_gradebook(folder, marks)
    (folder / "progress").mkdir(exist_ok=True)
    for student, ability in list(zip(names, abilities, strict=True))[::4]:
        sent = {
            "format": "recipe-progress/1",
            "student": student,
            "lessons": [{"state": "done" if at < 4 + ability else "begun"} for at in range(8)],
            "predictions": [{}] * int(rng.integers(0, 9)),
            "looks": [1] * int(rng.integers(0, 3)),
            "runs": int(rng.integers(5, 60)),
            "working_minutes": round(float(rng.gamma(6, 40)), 1),
            "brier": round(float(rng.uniform(0.1, 0.4)), 3),
        }
        (folder / "progress" / f"{student}.json").write_text(json.dumps(sent), encoding="utf-8")


def _is_written(cell: nbformat.NotebookNode) -> bool:
    about = cell.metadata.get("nbgrader", {})
    return bool(about.get("grade") and about.get("solution"))


def main(
    folder: Annotated[Path, typer.Argument(help="A folder that is made.")],
    students: Annotated[int, typer.Option(min=1)] = 30,
    assignment: Annotated[list[str] | None, typer.Option(help="By number; 02 and 05 if left out.")] = None,
    seed: int = 0,
) -> None:
    """Make a class that never was."""
    make_class(folder, assignment or ["02", "05"], students, seed)
    typer.echo(f"Made: {folder}. Look at it: recipe class-report {folder} --progress {folder / 'progress'}")


if __name__ == "__main__":
    typer.run(main)
