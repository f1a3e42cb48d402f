"""The grader's side: hidden checks on answers that were handed over, with the key of the course.

A judge lives in a process of its own, `python -m recipe.teach.judge`, in which nothing of a student ever runs. What
goes in and out is JSON, a line a question.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace

from recipe.teach.exercises import MODULES, RIGHT, Verdict, find_assignment, make_rng, refuse, see
from recipe.teach.handover import from_json, to_json

PRACTICE_KEY = "practice"  # where a course has no key of its own: a self-learner checks with it


class Judge:
    """Gives the points of one student's assignment.

    Parameters
    ----------
    name : of the assignment, or its number
    student : whose world it is
    hidden : the folder of the hidden checks, a module an assignment; None where there is none: then what the visible
        check does not object to is right
    key : of the course, which seeds the hidden draw
    """

    def __init__(self, name: str, student: str, hidden: Path | str | None, key: str = PRACTICE_KEY) -> None:
        self.assignment = find_assignment(name)
        self.world = self.assignment.world(make_rng(self.assignment.name, student))
        self.draw = self.world.draw(make_rng(self.assignment.name, student, key))
        self._hidden = _load(Path(hidden) / f"{MODULES[self.assignment.name]}.py") if hidden else None

    def tries(self, exercise: str) -> list[Mapping[str, object]]:
        """Return on what an exercise's functions are to be tried: of the student's data, and of the hidden draw."""
        make = self.assignment.exercises[exercise].tries
        return [make(self.world, self.world.given), make(self.world, self.draw)]

    def judge(self, exercise: str, answer: Mapping[str, object], hidden_answer: Mapping[str, object]) -> Verdict:
        """Return the verdict on an answer; `hidden_answer` is the same, with functions tried on the hidden draw."""
        asked = self.assignment.exercises[exercise]
        if (verdict := see(asked, answer, self.world)) is not RIGHT:
            return verdict
        if (check := getattr(self._hidden, exercise, None)) is None:
            return RIGHT
        return refuse(asked, hidden_answer) or check(SimpleNamespace(**hidden_answer), self.world, self.draw) or RIGHT

    def judge_namespace(self, exercise: str, namespace: Mapping[str, object]) -> Verdict:
        """Return the verdict on the answer in a namespace of this same process, handed over as a kernel would."""
        collect = self.assignment.exercises[exercise].collect
        answers = [from_json(to_json(collect(namespace, tries))) for tries in self.tries(exercise)]
        return self.judge(exercise, *answers)


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"There are no hidden checks of this assignment. Received: {str(path)!r}.")
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
