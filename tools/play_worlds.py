"""Plays all answers of the assignments in many worlds: is each solvable, and are they equally hard?

    python tools/play_worlds.py [--count 200] [--assignment 02]

In each student's world the reference is to get all the points, and each other answer the points and the misconception
that it stands for; the total of one set of answers may differ by less than 5 points between any two worlds. It runs in
this process, without kernels, on the repository's own answers. The exit code is 1 where something is off.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from recipe.teach.exercises import MODULES, find_assignment
from recipe.teach.play import Answer, play, read_answers

FOLDER = Path("assignments")
SPREAD = 5.0  # points of a hundred


def main() -> None:
    """Play the assignments that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="worlds an assignment")
    parser.add_argument("--assignment", default="", help="its name or number; all of them if left out")
    options = parser.parse_args()
    there = [name for name in MODULES if (FOLDER / "source" / name).is_dir()]
    names = [find_assignment(options.assignment).name] if options.assignment else there
    sys.exit(int(sum(play_assignment(name, options.count) for name in names) > 0))


def play_assignment(name: str, count: int) -> int:
    """Play each set of answers of an assignment in so many worlds; return how many things are off."""
    answers = read_answers(FOLDER, name)
    off = 0
    for k in range(max(map(len, answers.values()))):
        chosen = {key: found[min(k, len(found) - 1)] for key, found in answers.items()}
        began, totals, wrong = time.monotonic(), [], Counter()
        for world in range(count):
            total, unlike = play_world(name, chosen, f"student{world}" if world else "")
            totals.append(total)
            wrong.update(unlike)
        is_even = max(totals) - min(totals) < SPREAD
        off += sum(wrong.values()) + (not is_even)
        seconds = (time.monotonic() - began) / count
        said = f"{name}, answers {k}: {min(totals):g} to {max(totals):g} points, {seconds:.2f} s a world"
        print(said + ("" if is_even else ", NOT EQUALLY HARD") + "".join(f"\n  {one}" for one in wrong), flush=True)
    return off


def play_world(name: str, chosen: dict[str, Answer], student: str) -> tuple[float, list[str]]:
    """Return the points of these answers in a student's world, and which exercises got something else than they say."""
    exercises = find_assignment(name).exercises
    verdicts = play(FOLDER, name, {key: answer.code for key, answer in chosen.items()}, student=student)
    unlike, total = [], 0.0
    for key, answer in chosen.items():
        verdict, points = verdicts[key], verdicts[key].share * exercises[key].points
        total += points
        is_met = verdict.misconception == answer.misconception if answer.misconception else True
        if abs(points - answer.points) > 1e-6 or not is_met or answer.says not in verdict.message:
            wanted = f"{answer.points:g} {answer.misconception}".strip()
            unlike.append(f"{key} in the world of {student!r}: {points:g} {verdict.misconception}, not {wanted}")
    return total, unlike


if __name__ == "__main__":
    main()
