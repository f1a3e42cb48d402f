"""What became of a class: read from graded notebooks and the gradebook, as tables and in numbers.

What the judge said of each exercise stands in the graded notebooks (`recipe.teach.executor`), points that people gave
in nbgrader's gradebook, times in the notebooks as they were handed in. What cannot be read is named and left out.
`recipe.teach.class_page` makes a page of it.
"""

from __future__ import annotations

import itertools
import json
import math
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

from recipe.teach.executor import PROCESS, STOPPED, VERDICT
from recipe.teach.exercises import MODULES, find_assignment
from recipe.teach.mending import grade_id, opened_as
from recipe.teach.process import find_shared_in

RIGHT, PARTLY, WRONG, NOT_ATTEMPTED, WAITS = "right", "partly", "wrong", "not attempted", "to be marked"
OUTCOMES = (RIGHT, PARTLY, WRONG, NOT_ATTEMPTED, WAITS)
FEW = 10  # students below whom a correlation says next to nothing
PAUSE = timedelta(minutes=15)  # a longer silence between two cells is a break
LIMITS = ((0.40, "very good"), (0.30, "good"), (0.20, "marginal"), (-math.inf, "poor"))  # Ebel and Frisbie 1991
ANSWERS = ("assignment", "student", "exercise", "points", "max_points", "share", "outcome", "misconception")
SIGNS = {  # of a flag's kind: words in what the grader wrote
    "proof of process": "Proof of process",
    "memory": "GB of memory",
    "time-out": "took more than",
    "kernel ended": "ended the kernel",
    "kernel ended too often": "ended too often",
    "grader's text": "text of the hidden checks",
}


@dataclass
class ClassReport:
    """What is known of a class.

    Attributes
    ----------
    answers : a row for each student and exercise; points and share are NaN where a person has still to mark
    flags : what an instructor should look at: assignment, student, kind, and what was seen
    minutes : for each notebook that was handed in the minutes of work, NaN where it has no times
    progress : what students sent of `recipe progress --export`, a row a student
    students : everybody of whom there is a file, or an entry in the gradebook
    unread : files that could not be read, each with why
    has_gradebook : False where points are the judge's alone
    proofs : of assignment and student: what the proof of process is worth that came with the notebook
    shared : sentences that name students whose journals have entries in common
    """

    answers: pd.DataFrame
    flags: pd.DataFrame
    minutes: pd.DataFrame
    progress: pd.DataFrame
    students: tuple[str, ...]
    unread: list[str] = field(default_factory=list)
    has_gradebook: bool = False
    proofs: dict[tuple[str, str], str] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)

    @property
    def assignments(self) -> list[str]:
        """The names of those that somebody handed in, in the order of the course."""
        order = {name: at for at, name in enumerate(MODULES)}
        return sorted(self.answers["assignment"].unique(), key=lambda name: (order.get(name, len(order)), name))

    def pivot(self, assignment: str, value: str) -> pd.DataFrame:
        """Return one column of `answers` as a table of students by exercises, these in the notebook's order."""
        own = self.answers[self.answers["assignment"] == assignment]
        table = own.pivot(index="student", columns="exercise", values=value)
        return table[list(dict.fromkeys(own["exercise"]))]

    def missing(self, assignment: str) -> list[str]:
        """Return who handed in nothing."""
        handed_in = set(self.answers.loc[self.answers["assignment"] == assignment, "student"])
        return [student for student in self.students if student not in handed_in]

    def scores(self, assignment: str) -> pd.DataFrame:
        """Return a row for each student who handed in, the best first.

        Columns: `points` (of what is marked), `percent` (of what is marked), `waits` (exercises), `stuck_at` (the first
        exercise without all the points, ``""`` with none), `minutes`, `flags` (how many), `process` (what its proof is
        worth, ``""`` without one).
        """
        points, most = self.pivot(assignment, "points"), self.pivot(assignment, "max_points")
        outcomes = self.pivot(assignment, "outcome")
        known = most.where(points.notna()).sum(axis=1)
        own = self.flags[self.flags["assignment"] == assignment]
        times = self.minutes[self.minutes["assignment"] == assignment].set_index("student")["minutes"]
        is_stuck = outcomes.isin([PARTLY, WRONG, NOT_ATTEMPTED])
        found = pd.DataFrame(
            {
                "points": points.sum(axis=1),
                "percent": 100 * points.sum(axis=1) / known.where(known > 0),
                "waits": (outcomes == WAITS).sum(axis=1),
                "stuck_at": is_stuck.idxmax(axis=1).where(is_stuck.any(axis=1), ""),
                "minutes": times.reindex(points.index),
                "flags": own.groupby("student").size().reindex(points.index, fill_value=0),
                "process": [self.proofs.get((assignment, student), "") for student in points.index],
            }
        )
        return found.sort_values("points", ascending=False, kind="stable")

    def items(self, assignment: str) -> pd.DataFrame:
        """Return the statistics of each exercise.

        Columns: `students` who are marked, `difficulty` (the mean share of the points: low is hard), `discrimination`
        with the ends `low` and `high` of its 95 % interval, `verdict` on it (``""`` below ten students), how many are
        `right`, `partly`, `wrong`, `not attempted`, `to be marked`, and how many are `stuck` here first.
        """
        shares, outcomes = self.pivot(assignment, "share"), self.pivot(assignment, "outcome")
        found = measure_items(shares, self.pivot(assignment, "points"))
        for outcome in OUTCOMES:
            found[outcome] = (outcomes == outcome).sum()
        found["stuck"] = self.scores(assignment)["stuck_at"].value_counts().reindex(found.index, fill_value=0)
        return found

    def alpha(self, assignment: str) -> float:
        """Return Cronbach's alpha over the exercises that all are marked in; NaN where there are too few of them."""
        points = self.pivot(assignment, "points").dropna(axis=1)
        count, spread = points.shape[1], points.sum(axis=1).var()
        return count / (count - 1) * (1 - points.var().sum() / spread) if count > 1 and spread > 0 else math.nan

    def misconceptions(self, assignment: str) -> pd.DataFrame:
        """Return the wrong ideas that were met, the most frequent first: `students`, `exercises`, `text`, `cell`."""
        own = self.answers[(self.answers["assignment"] == assignment) & (self.answers["misconception"] != "")]
        known = find_assignment(assignment).misconceptions if assignment in MODULES else {}
        rows = {}
        for name, group in own.groupby("misconception"):
            exercises = ", ".join(dict.fromkeys(group["exercise"]))
            one = known.get(name)
            told = (one.text, one.cell) if one else ("", "")
            rows[name] = (group["student"].nunique(), exercises, *told)
        columns = ["students", "exercises", "text", "cell"]
        found = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("misconception")
        return found.sort_values("students", ascending=False, kind="stable")

    def to_dict(self) -> dict[str, object]:
        """Return all numbers, ready for JSON: None where there is none."""
        assignments = {
            name: {
                "handed_in": len(self.scores(name)),
                "missing": self.missing(name),
                "alpha": self.alpha(name),
                "scores": self.scores(name).reset_index().to_dict("records"),
                "items": self.items(name).reset_index().to_dict("records"),
                "misconceptions": self.misconceptions(name).reset_index().to_dict("records"),
            }
            for name in self.assignments
        }
        facts = {
            "format": "recipe-class-report/1",
            "students": list(self.students),
            "has_gradebook": self.has_gradebook,
            "assignments": assignments,
            **{name: getattr(self, name).to_dict("records") for name in ("answers", "flags", "progress")},
            "unread": self.unread,
            "shared": self.shared,
        }
        return json.loads(json.dumps(facts, default=lambda value: value.item()), parse_constant=lambda _: None)

    def write_csv(self, folder: Path) -> list[Path]:
        """Write the same as tables, and return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        tables = {"answers": self.answers, "flags": self.flags, "progress": self.progress}
        for name in ("scores", "items", "misconceptions"):
            made = {one: getattr(self, name)(one).reset_index() for one in self.assignments}
            tables[name] = pd.concat(made, names=["assignment"]).droplevel(1).reset_index() if made else pd.DataFrame()
        paths = []
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
            paths.append(folder / f"{name}.csv")
        return paths


def measure_items(shares: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return `students`, `difficulty`, `discrimination`, its `low` and `high`, and the `verdict` of each exercise.

    The discrimination is the correlation of the share with the points of all *other* exercises: for right and wrong
    alone the point-biserial one. Exercises that wait for a mark in somebody's notebook do not count among the others.

    Parameters
    ----------
    shares, points : students by exercises; NaN where a person has still to mark

    Examples
    --------
    >>> shares = pd.DataFrame({"a": [1.0, 1, 0, 0], "b": [1.0, 0.5, 0.5, 0], "c": [1.0, 1, 1, 1]})
    >>> items = measure_items(shares, 10 * shares)
    >>> items["difficulty"].to_list(), items["discrimination"].round(3).to_list()
    ([0.5, 0.5, 1.0], [0.707, 0.707, nan])
    """
    from scipy.stats import pearsonr

    counted, rows = points.dropna(axis=1), {}
    for name in shares:
        own = shares[name].dropna()
        rest = counted.drop(columns=name, errors="ignore").sum(axis=1)[own.index]
        correlation, low, high = math.nan, math.nan, math.nan
        if len(own) > 3 and own.nunique() > 1 and rest.nunique() > 1:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # numbers that differ by rounding alone
                told = pearsonr(own, rest)
                correlation, (low, high) = float(told.statistic), told.confidence_interval()
        verdict = ""
        if len(own) >= FEW and not math.isnan(correlation):
            verdict = next(word for limit, word in LIMITS if round(correlation, 2) >= limit)
        rows[name] = (len(own), own.mean(), correlation, float(low), float(high), verdict)
    columns = ["students", "difficulty", "discrimination", "low", "high", "verdict"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("exercise")


def read_class(folder: Path | str, assignment: str = "", progress: Path | str | None = None) -> ClassReport:
    """Read what became of a course.

    Parameters
    ----------
    folder : of the course, with ``autograded``, and what there is of ``submitted`` and ``gradebook.db``
    assignment : one alone, by its name or number
    progress : a folder of the files that students made by ``recipe progress --export``

    Raises
    ------
    ValueError
        If nothing was graded there.
    """
    folder, wanted = Path(folder), find_assignment(assignment).name if assignment else ""
    unread: list[str] = []
    marks, enrolled = _read_gradebook(folder / "gradebook.db", unread)
    students, rows, flags, proofs = set(enrolled), [], [], {}
    for path in sorted((folder / "autograded").glob("*/*/*.ipynb")):
        student, name = path.parts[-3], path.parts[-2]
        students.add(student)
        if path.stem != name or wanted not in ("", name):
            continue
        try:
            notebook = nbformat.read(path, as_version=4)
            rows += [(name, student, *row) for row in _read_answers(notebook, marks.get((name, student), {}))]
            flags += [(name, student, *flag) for flag in _read_flags(notebook, student)]
            proofs[name, student] = str(notebook.metadata.get(PROCESS, ""))
        except Exception as error:  # nbformat raises what it meets
            unread.append(f"{path.relative_to(folder)}: {type(error).__name__}: {str(error)[:200]}")
    if not rows:
        raise ValueError(f"Nothing was graded here: `make grade` first. Received: {str(folder)!r}. {' '.join(unread)}")
    minutes = []
    for path in sorted((folder / "submitted").glob("*/*/*.ipynb")):
        student, name = path.parts[-3], path.parts[-2]
        students.add(student)
        if path.stem == name and wanted in ("", name):
            minutes.append((name, student, _count_minutes(path)))
            if not (folder / "autograded" / student / name / path.name).is_file():
                unread.append(f"{path.relative_to(folder)}: handed in, and not graded.")
    return ClassReport(
        answers=pd.DataFrame(rows, columns=list(ANSWERS)),
        flags=pd.DataFrame(flags, columns=["assignment", "student", "kind", "text"]),
        minutes=pd.DataFrame(minutes, columns=["assignment", "student", "minutes"]).astype({"minutes": float}),
        progress=_read_progress(Path(progress), unread) if progress else pd.DataFrame(columns=list(_PROGRESS)),
        students=tuple(sorted(students)),
        unread=unread,
        has_gradebook=bool(marks),
        proofs=proofs,
        shared=find_shared_in(folder / "submitted"),
    )


def _read_gradebook(path: Path, unread: list[str]) -> tuple[dict[tuple[str, str], dict[str, tuple]], list[str]]:
    """Return of each submission the points of each cell, NaN where it waits, and whether anything was written."""
    if not path.is_file():
        return {}, []
    try:
        from nbgrader.api import Gradebook
    except ImportError:
        unread.append(f"{path.name}: nbgrader is not installed here, so points that people gave are not counted.")
        return {}, []
    marks: dict[tuple[str, str], dict[str, tuple]] = defaultdict(dict)
    try:
        with Gradebook(f"sqlite:///{path.resolve()}") as book:
            enrolled = [student.id for student in book.students]
            for assignment in book.assignments:
                for submission in assignment.submissions:
                    for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                        waits = grade.needs_manual_grade and grade.manual_score is None
                        is_empty = grade.manual_score is None and grade.auto_score == 0
                        points = math.nan if waits else float(grade.score)
                        marks[assignment.name, submission.student.id][grade.name] = points, is_empty
    except Exception as error:  # SQLAlchemy's, and nbgrader's own
        unread.append(f"{path.name}: {type(error).__name__}: {str(error)[:200]}")
        return {}, []
    return marks, enrolled


def _read_answers(notebook: nbformat.NotebookNode, marks: dict[str, tuple]) -> Iterator[tuple]:
    """Give the exercise, points, all points, share, outcome and misconception of each graded cell."""
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if not about.get("grade"):
            continue
        name, most = grade_id(cell), float(about.get("points", 0))
        said = next((out.data[VERDICT] for out in cell.get("outputs", []) if VERDICT in out.get("data", {})), None)
        judged = float(said["points"]) if said and not said["by_hand"] else math.nan
        points, is_empty = marks.get(name, (judged, False))
        share = points / most if most else math.nan
        is_empty = not said["attempted"] if said else is_empty
        if math.isnan(points):
            outcome = WAITS
        elif share >= 1:
            outcome = RIGHT
        elif share > 0:
            outcome = PARTLY
        else:
            outcome = NOT_ATTEMPTED if is_empty else WRONG
        # An idea that a person gave all the points for is none that was wrong.
        misconception = said["misconception"] if said and outcome != RIGHT else ""
        yield name, points, most, share, outcome, misconception


def _read_flags(notebook: nbformat.NotebookNode, student: str) -> Iterator[tuple[str, str]]:
    """Give the kind and the words of what the grader, and its mending, noted on top of a notebook."""
    for cell in notebook.cells[:2]:
        title, *lines = cell.source.splitlines() or [""]
        notes = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
        if cell.cell_type == "markdown" and title == "**Mended before it was graded**":
            yield from (("mended", note) for note in notes)
        elif cell.cell_type == "markdown" and title == "**For the instructor**":
            yield from ((_kind_of(note), note) for note in notes)
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("The file that was handed in: "):
            yield "no notebook", cell.source.removeprefix("The file that was handed in: ")[:300]
        for output in cell.get("outputs", []):
            said = output.get("data", {}).get(VERDICT, {})
            if said.get("by_hand"):
                yield "not judged", f"{grade_id(cell)}: the grader could not judge it; a person has to."
            elif said.get("message", "").startswith(STOPPED):
                yield _kind_of(said["message"]), f"{grade_id(cell)}: {said['message']}"
    claimed = opened_as(notebook)[1].strip()
    if claimed and claimed.lower() != student.strip().lower():
        yield "another's world", f"The notebook opens the world of {claimed!r}. It was judged in the student's own."


def _kind_of(note: str) -> str:
    return next((kind for kind, sign in SIGNS.items() if sign in note), "other")


def _count_minutes(path: Path) -> float:
    """Return the minutes between the cells' times that are no further apart than a break; NaN without two times."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
        told = [cell["metadata"].get("execution", {}) for cell in cells]
        times = sorted(_read_times(value for one in told for value in one.values()))
    except (ValueError, LookupError, TypeError, AttributeError, OSError):  # no notebook; the graded one says so
        return math.nan
    if len(times) < 2:
        return math.nan
    gaps = [after - before for before, after in itertools.pairwise(times)]
    return sum((gap for gap in gaps if gap <= PAUSE), timedelta()).total_seconds() / 60


def _read_times(values: Iterable[object]) -> Iterator[datetime]:
    for value in values:
        time = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        yield time if time.tzinfo else time.replace(tzinfo=UTC)


_PROGRESS = ("student", "minutes", "lessons_done", "predictions", "brier", "looks", "runs")


def _read_progress(folder: Path, unread: list[str]) -> pd.DataFrame:
    rows = []
    for path in sorted(folder.glob("*.json")):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if said["format"] != "recipe-progress/1":
                raise ValueError(f"of another format, {said['format']!r}")
            done = sum(lesson["state"] == "done" for lesson in said["lessons"])
            brier = math.nan if said["brier"] is None else float(said["brier"])
            numbers = (float(said["working_minutes"]), done, len(said["predictions"]), brier)
            looks = sum(map(int, said["looks"]))
            rows.append((str(said["student"]) or path.stem, *numbers, looks, int(said["runs"])))
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            unread.append(f"{path.name}: no export of `recipe progress`: {type(error).__name__}: {str(error)[:200]}")
    return pd.DataFrame(rows, columns=list(_PROGRESS))


def describe_class(report: ClassReport, assignment: str) -> list[str]:
    """Say in words what an instructor should know of an assignment first."""
    scores, items = report.scores(assignment), report.items(assignment)
    ideas, percent = report.misconceptions(assignment), scores["percent"]
    said = [f"{len(scores)} of {len(report.students)} students handed in."]
    if percent.notna().any():
        quarter, half, three = np.nanpercentile(percent, [25, 50, 75])
        said.append(
            f"Half of them have {half:.0f} % of the points or more; the middle half {quarter:.0f} to {three:.0f} %."
        )
    if items["difficulty"].notna().any():
        hard = items["difficulty"].idxmin()
        said.append(
            f"The hardest exercise is {hard}: {100 * items.loc[hard, 'difficulty']:.0f} % of its points on average."
        )
    if (items["stuck"] > 0).any():
        first = items["stuck"].idxmax()
        said.append(
            f"The first exercise without all the points is most often {first}: {items.loc[first, 'stuck']} students."
        )
    if len(ideas):
        said.append(f"The most frequent misconception is {ideas.index[0]}: {ideas.iloc[0]['students']} students.")
    if poor := list(items.index[items["verdict"] == "poor"]):
        said.append(f"To be looked at, for they hardly tell who can do the rest: {', '.join(poor)}.")
    if waits := int(scores["waits"].sum()):
        said.append(f"{waits} answers wait for a mark.")
    flagged = int((scores["flags"] > 0).sum())
    said.append(f"{flagged} notebooks have a flag." if flagged else "No notebook has a flag.")
    return said
