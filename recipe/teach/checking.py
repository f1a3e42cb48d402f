"""`recipe check`: an assignment is run and judged without nbgrader, for a self-learner and for a classroom's CI."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from recipe.lessons.questions import Outcome
from recipe.teach.executor import Graded, Limits, run_notebook
from recipe.teach.exercises import describe, find_assignment
from recipe.teach.judge import JudgeClient, read_key
from recipe.teach.mending import mark_checks, opened_as, read_notebook


@dataclass(frozen=True)
class Checked:
    """What became of each exercise of an assignment.

    Attributes
    ----------
    is_final : whether hidden checks were there: without them the points are what the visible checks leave
    """

    assignment: str
    student: str
    graded: Graded
    is_final: bool

    @property
    def points(self) -> float:
        """All that are given."""
        return sum(verdict.share * self.graded.points[name] for name, verdict in self.graded.verdicts.items())

    @property
    def exit_code(self) -> int:
        """0 with all the points, 1 where something is wrong, 2 where something was not attempted."""
        outcomes = {verdict.outcome for verdict in self.graded.verdicts.values()}
        return 1 if Outcome.INCORRECT in outcomes else 2 if Outcome.NOT_ATTEMPTED in outcomes else 0

    def __str__(self) -> str:
        lines = [f"{self.assignment}, {f'the world of {self.student!r}' if self.student else 'world 0'}"]
        for name, verdict in self.graded.verdicts.items():
            lines.append(describe(name, verdict, self.graded.points[name], self.is_final))
            if verdict.misconception:
                lines.append(f"    Misconception: {verdict.misconception}")
        total = sum(self.graded.points.values())
        sure = "" if self.is_final else " by the visible checks; hidden ones were not there"
        return "\n".join([*lines, *self.graded.flags, f"{self.points:.4g} of {total:g} points{sure}."])

    def to_json(self) -> str:
        """Return the same as JSON."""
        exercises = {
            name: {
                "outcome": str(verdict.outcome),
                "points": round(verdict.share * self.graded.points[name], 6),
                "max_points": self.graded.points[name],
                **asdict(verdict),
            }
            for name, verdict in self.graded.verdicts.items()
        }
        said = {
            "assignment": self.assignment,
            "student": self.student,
            "hidden_checks": self.is_final,
            "points": round(self.points, 6),
            "max_points": sum(self.graded.points.values()),
            "exercises": exercises,
            "flags": self.graded.flags,
        }
        return json.dumps(said, indent=2)


def check_notebook(
    path: Path | str, *, hidden: Path | str | None = None, student: str | None = None, limits: Limits | None = None
) -> Checked:
    """Run the notebook of an assignment, and judge each of its exercises.

    Parameters
    ----------
    hidden : the folder of the hidden checks. The key of the course is `$RECIPE_COURSE_KEY`, or what course_key.txt
        beside that folder holds, or one for practice
    student : whose world it is; None takes `$RECIPE_STUDENT`, else what the notebook says itself

    Raises
    ------
    ValueError
        If there is no notebook, or it is of no assignment.
    """
    notebook = read_notebook(path)
    named, said = opened_as(notebook)
    assignment = find_assignment(named or Path(path).stem)
    who = student if student is not None else os.environ.get("RECIPE_STUDENT", said)
    marked = mark_checks(notebook, assignment.exercises)
    with JudgeClient(hidden, read_key(Path(hidden).parent if hidden else None)) as judge:
        graded = run_notebook(marked, judge, assignment.name, who, limits=limits)
    return Checked(assignment.name, who, graded, is_final=hidden is not None)
