"""Run the claims of the lessons on seeds that no notebook uses, and write docs/claims.md.

    python tools/measure_claims.py --seeds 101 102 --lesson 06

Each claim runs once a seed on the embedded samples, and on the real data where that is on this machine: a claim that
holds in fewer than nine of ten does not belong in a lesson. With --lesson the other lessons keep their tables. Two
lessons are measured at a time.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["RECIPE_JOURNAL"] = "off"  # these trainings are nobody's own
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import numpy as np  # noqa: E402
from claims import Claim, all_claims  # noqa: E402

import recipe  # noqa: E402

PAGE = ROOT / "docs" / "claims.md"
PROCESSES = 2  # a lesson each: claims of one lesson share their trainings
ENOUGH = 0.9  # of the seeds: in fewer a claim does not hold
INTRODUCTION = """# How often the lessons' claims hold

Written by `make claims` (`tools/measure_claims.py`). A claim is a comparison that a lesson makes in prose. It is run
again on seeds that no notebook uses: the split of the data and the first weights of all networks are drawn anew each
time, and each run is of as many networks as the lesson's own. The numbers are means over the seeds; their names are
those of the claim's function, in `tools/claims/`. Where the real data has no line, the claim was not run on it yet.
"""


def measure(claim: Claim, source: str, seeds: Sequence[int]) -> str:
    """Return a claim's line of the table, for one source of data."""
    began, found = time.perf_counter(), []
    for seed in seeds:
        found.append(claim.run("auto" if source == "real" else source, seed))
    holds = sum(holds for _, holds in found)
    means = {name: np.mean([numbers[name] for numbers, _ in found]) for name in found[0][0]}
    told = ", ".join(f"{name} {mean:.3g}" for name, mean in means.items())
    verdict = f"{holds} of {len(seeds)}" if holds >= ENOUGH * len(seeds) else f"**{holds} of {len(seeds)}**"
    print(f"{claim.name}, {source}: {verdict}, {told} ({time.perf_counter() - began:.0f} s)", flush=True)
    return f"| `{claim.name}` | {claim.sentence} | {source} | {verdict} | {told} |"


def measure_lesson(lesson: str, seeds: Sequence[int]) -> list[str]:
    """Return the lines of one lesson's table."""
    is_real = recipe.load("housing").source != "sample"
    claims = [claim for claim in all_claims().values() if claim.lesson == lesson]
    pairs = [(claim, source) for claim in claims for source in claim.sources if is_real or source != "real"]
    return [measure(claim, source, seeds) for claim, source in pairs]


def write_page(tables: Mapping[str, Iterable[str]], page: Path = PAGE) -> None:
    """Write the tables of these lessons; those of all others stay as they are."""
    old = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:] if page.exists() else []
    sections = {section.split("\n")[0].removeprefix("Lesson "): section.strip() for section in old}
    head = "| claim | in words | data | holds in | numbers |\n| --- | --- | --- | --- | --- |"
    for lesson, lines in tables.items():
        sections[lesson] = "\n".join([f"Lesson {lesson}", "", head, *lines])
    parts = [INTRODUCTION.strip(), *(f"## {sections[lesson]}" for lesson in sorted(sections))]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(101, 111)))
    parser.add_argument("--lesson", default="", help="the claims of one lesson alone, such as 06")
    asked = parser.parse_args()
    lessons = sorted({claim.lesson for claim in all_claims().values() if claim.lesson.startswith(asked.lesson)})
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        tables = pool.map(partial(measure_lesson, seeds=asked.seeds), lessons)
        for lesson, lines in zip(lessons, tables, strict=True):
            write_page({lesson: lines})  # at once, so that nothing is lost where the rest is not waited for


if __name__ == "__main__":
    main()
