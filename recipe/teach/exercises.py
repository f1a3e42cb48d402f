"""What an assignment asks, in which world, and what its visible checks object to.

An assignment is a module of this room, such as `recipe.teach.s2_measure`. It has a world, which is drawn anew for each
student, and a function an exercise, the *visible check*: it looks at a student's answer and returns a `Verdict` that
says what is wrong with it, or None where it sees nothing wrong. The *hidden checks* have the same form and lie apart,
in the grader's own folder: they see one thing more, a draw from the student's world that nobody else has.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from recipe.lessons.questions import Outcome
from recipe.teach.handover import collect, is_missing

MODULES = {  # of each assignment, in the order of the course: what holds its world and its visible checks
    "01_define_the_problem": "s1_problem",
    "02_choose_a_measure_of_success": "s2_measure",
    "03_decide_on_an_evaluation_protocol": "s3_protocol",
    "04_prepare_your_data": "s4_prepare",
    "05_beat_a_baseline": "s5_baseline",
    "06_scale_up_until_it_overfits": "s6_scale_up",
    "07_regularize_and_tune": "s7_regularize",
    "08_debug_the_pipeline": "s8_debug",
    "your_project": "project",
}


class World(Protocol):
    """What a student works on: `given` is what the student gets, everything else is what the checks know.

    It is made from a generator alone, `World(rng)`, so that the grader makes the same one again.
    """

    given: Mapping[str, object]

    def draw(self, rng: np.random.Generator) -> Mapping[str, object]:
        """Return new data from the same world: what the hidden checks judge on."""


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes
    ----------
    share : of the points, in [0, 1]
    message : what is wrong or right, in words for the student
    misconception : the name of the wrong idea behind the answer, a key of `Assignment.misconceptions`, or ``""``
    attempted : False where there was no answer to judge
    by_hand : True where the grader could not judge, and a person has to look
    """

    share: float
    message: str
    misconception: str = ""
    attempted: bool = True
    by_hand: bool = False

    @property
    def outcome(self) -> Outcome:
        """Correct with all the points, incorrect with less, or not attempted."""
        if not self.attempted:
            return Outcome.NOT_ATTEMPTED
        return Outcome.CORRECT if self.share >= 1 else Outcome.INCORRECT


RIGHT = Verdict(1.0, "All checks are satisfied.")
NOT_ATTEMPTED = Verdict(0.0, "There is no answer yet.", attempted=False)


def object_to(message: str, share: float = 0.0) -> Verdict:
    """Return the verdict on an answer whose fault is no misconception: a wrong form, a crash, a slip."""
    return Verdict(share, message)


@dataclass(frozen=True)
class Misconception:
    """A wrong idea, what it says to whoever has it, and where the lessons treat it.

    Attributes
    ----------
    text : one or two sentences to the student: what the idea is, and why it fails
    cell : ``"NOTEBOOK#CELL"``, such as ``"02_choose_a_measure_of_success#cost-read"``, in the folder of the lessons
    """

    text: str
    cell: str

    def __str__(self) -> str:
        notebook, cell = self.cell.split("#")
        return f"{self.text} See {notebook}.ipynb, cell {cell!r}."


Check = Callable[[SimpleNamespace, World], Verdict | None]
HiddenCheck = Callable[[SimpleNamespace, World, Mapping[str, object]], Verdict | None]
Tries = Callable[[World, Mapping[str, object]], Mapping[str, Sequence[tuple]]]


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    name : also the ``grade_id`` of the cell that checks it
    points : of the assignment's hundred that code is graded by
    asks : the names of the variables that answer it
    check : the visible check. It sees the answer as plain data: `answer.NAME` for each name asked for
    tries : of the world and of data (`given`, or a hidden draw): for each function or model among the names the
        arguments that it is tried on, a tuple a call, and what else `handover.collect` tries
    errors : of words in the error that a try ended in: the verdict that tells the wrong idea behind it
    """

    name: str
    points: float
    asks: tuple[str, ...]
    check: Check
    tries: Tries
    errors: Mapping[str, Verdict] = field(default_factory=dict)

    def collect(self, namespace: Mapping[str, object], tries: Mapping[str, Sequence[tuple]]) -> dict[str, object]:
        """Return the answer in a namespace as plain data, each function called on its tries."""
        return collect(namespace, self.asks, tries)


@dataclass
class Assignment:
    """An assignment: its world, its exercises and the misconceptions that its checks know.

    Examples
    --------
    >>> class Coin:
    ...     def __init__(self, rng):
    ...         self.given = {"tosses": rng.integers(0, 2, 20)}
    ...     def draw(self, rng):
    ...         return {"tosses": rng.integers(0, 2, 20)}
    >>> half = Misconception("A half is what to expect, not what was seen.", "05_beat_a_baseline#guess")
    >>> coin = Assignment("coin", Coin, {"expected": half})
    >>> @coin.exercise(points=10, asks=("heads",))
    ... def heads(answer, world):
    ...     if answer.heads == 10:
    ...         return coin.wrong("expected")
    ...     if answer.heads != world.given["tosses"].sum():
    ...         return object_to("Count the ones.")
    >>> work = Work(coin, student="ada")
    >>> work.judge("heads", {"heads": None}).outcome, work.judge("heads", {"heads": 10}).misconception
    (<Outcome.NOT_ATTEMPTED: 'not attempted'>, 'expected')
    """

    name: str
    world: Callable[[np.random.Generator], World]
    misconceptions: Mapping[str, Misconception]
    exercises: dict[str, Exercise] = field(default_factory=dict)

    def exercise(
        self,
        *,
        points: float,
        asks: tuple[str, ...],
        tries: Tries = lambda world, data: {},
        errors: Mapping[str, str] | None = None,
    ) -> Callable[[Check], Check]:
        """Register the function below as the visible check of an exercise, under its own name.

        No check sees an answer that raised: `errors` names the misconception behind words of such an error.
        """
        known = {words: self.wrong(misconception) for words, misconception in (errors or {}).items()}

        def register(check: Check) -> Check:
            name = check.__name__
            self.exercises[name] = Exercise(name, points, asks, check, tries, known)
            return check

        return register

    def wrong(self, misconception: str, detail: str = "", share: float = 0.0) -> Verdict:
        """Return the verdict on an answer behind which this misconception stands; `detail` says what was seen."""
        text = f"{detail} {self.misconceptions[misconception]}".strip()
        return Verdict(share, text, misconception)


def find_assignment(name: str) -> Assignment:
    """Return the assignment of that name; the number alone will do.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = [key for key in MODULES if name and (key == name or key.startswith(f"{name}_"))]
    if len(found) != 1:
        raise ValueError(f"There is no such assignment. Received: {name!r}. Choose from {', '.join(MODULES)}.")
    return importlib.import_module(f"recipe.teach.{MODULES[found[0]]}").ASSIGNMENT


def make_rng(assignment: str, student: str, key: str = "") -> np.random.Generator:
    """Return the generator of a student's world; with the course's key, that of the hidden draw.

    The world of one student tells nothing of another's, and nobody without the key can make a hidden draw
    (HMAC-SHA-256, RFC 2104).
    """
    said = f"{assignment}\n{student.strip().lower()}".encode()
    digest = hmac.digest(key.encode(), said, "sha256") if key else hashlib.sha256(said).digest()
    return np.random.default_rng(np.frombuffer(digest, np.uint32))


class Work:
    """A student's copy of an assignment: the world of that student, and the visible checks.

    What the world gives are attributes: ``work.x_train``.
    """

    def __init__(self, assignment: Assignment, student: str = "") -> None:
        self.student = student.strip()
        self._assignment = assignment
        self._world = assignment.world(make_rng(assignment.name, student))

    def __repr__(self) -> str:
        whose = f"the world of {self.student!r}" if self.student else "world 0, which everybody without an id gets"
        return f"{self._assignment.name}: {whose}. It has {', '.join(self._world.given)}."

    def __getattr__(self, name: str) -> object:
        given = self.__dict__.get("_world", SimpleNamespace(given={})).given
        if name not in given:
            raise AttributeError(f"This assignment has no {name!r}. It has {', '.join(given)}.")
        return given[name]

    def check(self, name: str) -> float | None:
        """Print what the visible check says to the answer that stands in the notebook.

        Under nbgrader alone it returns the points, so that a check that was not satisfied is never taken for one that
        was.
        """
        verdict = self.judge(name, sys._getframe(1).f_globals)
        points = self._assignment.exercises[name].points
        print(describe(name, verdict, points))
        return verdict.share * points if os.environ.get("NBGRADER_EXECUTION") == "autograde" else None

    def grade(self, name: str) -> None:
        """Stand for the hidden check of an exercise: the grader takes this line out, and judges in its own process.

        Raises
        ------
        RuntimeError
            Always: in a kernel no work is graded.
        """
        raise RuntimeError("Hidden checks never run in a kernel. Grade with `make grade` or `recipe check`.")

    def judge(self, name: str, namespace: Mapping[str, object]) -> Verdict:
        """Return the verdict of the visible check on the answer in a namespace.

        Raises
        ------
        ValueError
            If the assignment has no such exercise.
        """
        if name not in self._assignment.exercises:
            known = ", ".join(self._assignment.exercises)
            raise ValueError(f"There is no such exercise. Received: {name!r}. Choose from {known}.")
        exercise = self._assignment.exercises[name]
        answer = exercise.collect(namespace, exercise.tries(self._world, self._world.given))
        return see(exercise, answer, self._world)


def see(exercise: Exercise, answer: Mapping[str, object], world: World) -> Verdict:
    """Return the verdict of an exercise's visible check on an answer that was handed over."""
    tries = exercise.tries(world, world.given)
    return refuse(exercise, answer, tries) or exercise.check(SimpleNamespace(**answer), world) or RIGHT


def refuse(exercise: Exercise, answer: Mapping[str, object], tries: Mapping[str, Sequence[tuple]]) -> Verdict | None:
    """Return the verdict on an answer that no check can judge: a part is missing or no function, or it raised."""
    missing = [name for name, value in answer.items() if is_missing(value)]
    # A sealed test set is there from the beginning: it says how often it was opened, and is no answer.
    sealed = [name for name, value in answer.items() if "looks" in getattr(value, "made_of", {})]
    if missing and len(missing) + len(sealed) == len(exercise.asks):
        return NOT_ATTEMPTED
    if missing:
        return object_to(f"There is no {', no '.join(missing)} yet.")
    for name, value in answer.items():
        if error := getattr(value, "error", ""):
            said = f"{name} could not be used: {error}"
            known = next((verdict for words, verdict in exercise.errors.items() if words in error), None)
            return replace(known, message=f"{said} {known.message}") if known else object_to(said)
        if len(getattr(value, "outputs", ())) < len(tries.get(name, ())):
            return object_to(f"{name} is to be something that can be called. Received: {str(value)[:100]}.")
    return None


def describe(name: str, verdict: Verdict, points: float, is_final: bool = False) -> str:
    """Say a verdict in words: the exercise, its outcome, the points, and why."""
    if verdict.by_hand:
        return f"{name}: to be looked at by a person. {verdict.message}"
    if not verdict.attempted:
        return f"{name}: not attempted (0 of {points:g} points). {verdict.message}"
    if verdict.share >= 1 and not is_final:
        return f"{name}: nothing to object to. The points are given when the work is graded, on data that is not here."
    return f"{name}: {verdict.outcome} ({verdict.share * points:.3g} of {points:g} points). {verdict.message}"


def open_assignment(name: str, student: str | None = None) -> Work:
    """Return a student's copy of an assignment; a notebook of the course calls this first.

    Parameters
    ----------
    name : of the assignment, or its number, ``"02"``
    student : the id that the course knows the student by. None takes ``$RECIPE_STUDENT``, which the grader sets, else
        the name on a JupyterHub, else none: world 0. The grader's word goes before all others, so that no one hands in
        the world of somebody else

    Raises
    ------
    ValueError
        If there is no such assignment.
    """
    asked = os.environ.get("RECIPE_STUDENT", student)
    return Work(find_assignment(name), os.environ.get("JUPYTERHUB_USER", "") if asked is None else asked)
