"""The grader's side: hidden checks on answers that were handed over, with the key of the course.

A judge lives in a process of its own, `python -m recipe.teach.judge`, in which nothing of a student ever runs or is
unpickled. What goes in and out is JSON, a line a question:

    {"open": [ASSIGNMENT, STUDENT], "hidden": FOLDER, "key": KEY}    what the exercises ask for, and their points
    {"tries": EXERCISE}                                              on what its functions are tried: two JSON texts
    {"judge": EXERCISE, "answers": [TEXT, TEXT]}                     the verdict

The key comes through the pipe, or from $RECIPE_COURSE_KEY: other processes could read it from a command line.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import textwrap
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

from recipe.teach.exercises import MODULES, RIGHT, Verdict, find_assignment, make_rng, object_to, refuse, see
from recipe.teach.handover import from_json, to_json

PRACTICE_KEY = "practice"  # where a course has no key of its own: a self-learner checks with it
KEY = "RECIPE_COURSE_KEY"
LONGEST = 1_000  # characters of a message: it may quote what was handed over
SECONDS = 60.0  # that the judge may take for one question
DAMAGED = object_to(
    "What your kernel handed over to the grader cannot be read, so there is nothing to give points for."
)


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
        tries = asked.tries(self.world, self.draw)
        if (verdict := refuse(asked, hidden_answer, tries)) is not None:
            return verdict
        return check(SimpleNamespace(**hidden_answer), self.world, self.draw) or RIGHT

    def judge_namespace(self, exercise: str, namespace: Mapping[str, object]) -> Verdict:
        """Return the verdict on the answer in a namespace of this same process, handed over as a kernel would."""
        collect = self.assignment.exercises[exercise].collect
        sent = [from_json(to_json(tries)) for tries in self.tries(exercise)]
        return self.judge(exercise, *(from_json(to_json(collect(namespace, tries))) for tries in sent))


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"There are no hidden checks of this assignment. Received: {str(path)!r}.")
    spec = importlib.util.spec_from_file_location(f"hidden_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class JudgeClient:
    """A judge in a process of its own. It starts at the first question, and again after one that it did not survive.

    Parameters
    ----------
    hidden : the folder of the hidden checks; None where there is none
    key : of the course
    seconds : that one question may take

    Examples
    --------
    >>> with JudgeClient(hidden=None) as client:
    ...     exercises = client.open("02_choose_a_measure_of_success", student="ada")
    ...     client.judge("measure", [to_json({"measure": "accuracy"})] * 2).misconception
    'accuracy_for_rare'
    """

    def __init__(self, hidden: Path | str | None, key: str = PRACTICE_KEY, seconds: float = SECONDS) -> None:
        self.hidden, self.key, self.seconds = hidden and str(Path(hidden).resolve()), key, seconds
        self.assignment = ""
        self._opened: list[str] = []
        self._process: subprocess.Popen | None = None
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __enter__(self) -> JudgeClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self, name: str, student: str) -> dict[str, dict]:
        """Make a student's world, and return of each exercise of the assignment its ``points`` and what it ``asks``.

        Raises
        ------
        ValueError
            If there is no such assignment, or its hidden checks cannot be loaded.
        """
        self._opened = [name, student]
        if self._process is not None and self._process.poll() is not None:
            self.close()
        reply = self._ask({"open": self._opened, "hidden": self.hidden, "key": self.key})
        if "failed" in reply:
            raise ValueError(reply["failed"].strip().splitlines()[-1])
        self.assignment = reply["assignment"]
        return reply["exercises"]

    def tries(self, exercise: str) -> list[str]:
        """Return on what the functions of an exercise are to be tried, as JSON: the given data, and the hidden draw.

        Raises
        ------
        ValueError
            If the judge could not tell.
        """
        reply = self._ask_again({"tries": exercise})
        if "failed" in reply:
            raise ValueError(reply["failed"])
        return reply["tries"]

    def judge(self, exercise: str, answers: list[str]) -> Verdict:
        """Return the verdict on an answer: one JSON text a try, as a kernel handed them over.

        A check that fails, or takes too long, gives no points and takes none: a person has to look. Why it failed is
        written to the standard error of this process, for the instructor alone.
        """
        reply = self._ask_again({"judge": exercise, "answers": answers})
        if "failed" in reply:
            print(f"{' '.join(self._opened)}: the check of {exercise} failed.\n{reply['failed']}", file=sys.stderr)
            return Verdict(0.0, "The grader could not judge this answer by itself.", by_hand=True)
        return Verdict(**reply["verdict"])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def _ask_again(self, question: dict) -> dict:
        """Ask; a judge that has ended since is started anew, and makes the student's world again."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self.open(*self._opened)
        return self._ask(question)

    def _ask(self, question: dict) -> dict:
        if self._process is None:
            self._start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return json.loads(self._replies.get(timeout=self.seconds))
        except (OSError, queue.Empty, ValueError) as error:
            ended = self._process.poll()
            self.close()
            why = f"ended with code {ended}" if ended is not None else f"did not answer within {self.seconds:g} s"
            return {"failed": f"The judge {why} ({type(error).__name__})."}

    def _start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != KEY}
        command = [sys.executable, "-m", "recipe.teach.judge"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, encoding="utf-8", **pipes)
        self._replies = queue.SimpleQueue()
        threading.Thread(target=_pass_on, args=(self._process.stdout, self._replies), daemon=True).start()


def _pass_on(stream: object, replies: queue.SimpleQueue) -> None:
    with contextlib.suppress(ValueError, OSError):  # the stream was closed
        for line in stream:
            replies.put(line)
    replies.put("")  # no JSON: the process has ended


def read_key(folder: Path | str | None) -> str:
    """Return the key of the course: $RECIPE_COURSE_KEY, else what stands in the folder's course_key.txt, else none."""
    path = Path(folder or ".") / "course_key.txt"
    return os.environ.get(KEY) or (path.read_text(encoding="utf-8").strip() if path.is_file() else "") or PRACTICE_KEY


def serve(lines: object, answer: object) -> None:
    """Answer each question on a line, until there are no more."""
    judge = None
    for line in lines:
        question = json.loads(line)
        try:
            if "open" in question:
                key = question.get("key") or os.environ.get(KEY) or PRACTICE_KEY
                judge = Judge(*question["open"], question.get("hidden"), key)
                exercises = judge.assignment.exercises.items()
                asked = {name: {"points": one.points, "asks": one.asks} for name, one in exercises}
                reply = {"assignment": judge.assignment.name, "exercises": asked}
            elif "tries" in question:
                reply = {"tries": [to_json(tries) for tries in judge.tries(question["tries"])]}
            else:
                reply = {"verdict": asdict(_judge_texts(judge, question["judge"], question["answers"]))}
        except Exception:
            reply = {"failed": traceback.format_exc()}
        answer.write(to_json(reply) + "\n")
        answer.flush()


def _judge_texts(judge: Judge, exercise: str, texts: list[str]) -> Verdict:
    """Read what a kernel handed over, of which nothing is believed, and judge it."""
    asks = judge.assignment.exercises[exercise].asks
    try:
        answers = [from_json(text) for text in texts]
    except (ValueError, ArithmeticError, AttributeError, LookupError, MemoryError):
        return DAMAGED
    if not all(isinstance(answer, dict) and set(answer) == set(asks) for answer in answers):
        return DAMAGED
    verdict = judge.judge(exercise, *answers)
    share = (
        min(max(float(verdict.share), 0.0), 1.0) if verdict.share == verdict.share else 0.0
    )  # NaN: nbgrader gives all
    return replace(verdict, share=share, message=textwrap.shorten(verdict.message, LONGEST, placeholder=" …"))


if __name__ == "__main__":
    replies = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # whatever a check prints is no answer
        serve(sys.stdin, replies)
