"""Measure `recipe.check_pipeline`: how often a check fails on a sound pipeline, and whether it names a cause first.

    python tools/measure_checks.py --seeds 5 --minutes 60

The pipelines are those of tests/debugging/examples.py, from seeds that no test uses, and the sound ones that no limit
was set on, of tools/unseen_pipelines.py. What was found is kept in build/checks.jsonl as soon as it is known: a run
that was stopped, or whose minutes were over, goes on where it was. What is kept counts as long as neither a source of
recipe/debugging nor the function that builds the pipeline changes. At the end docs/checks.md is written of all that is
known by then; with ``--minutes 0`` at once.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "debugging"), str(ROOT / "tools")]

import jax  # noqa: E402
from examples import BROKEN, SOUND  # noqa: E402
from unseen_pipelines import UNSEEN  # noqa: E402

from recipe.debugging.pipeline import check_pipeline  # noqa: E402

KEPT, PAGE = ROOT / "build" / "checks.jsonl", ROOT / "docs" / "checks.md"
FIRST_SEED = 100  # those of the tests lie below
AT_ONCE = 20  # pipelines, after which the compiled programs are let go of
BUILDERS = UNSEEN | SOUND | {name: fault.build for name, fault in BROKEN.items()}


def main() -> None:
    """Check the pipelines, all with the first seed, then all with the next, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seeds", type=int, default=5, help="of each sound pipeline; three fifths of it of a broken one"
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    of_broken = max(1, 3 * options.seeds // 5)
    jobs = [
        (name, seed) for seed in range(options.seeds) for name in BUILDERS if name not in BROKEN or seed < of_broken
    ]
    KEPT.parent.mkdir(exist_ok=True)
    lines = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else ()
    found = {line["key"]: line for line in map(json.loads, lines)}
    keys = {(name, seed): f"{name} {seed} {_hash_sources(name)}" for name, seed in jobs}
    left, end = [job for job in jobs if keys[job] not in found], time.monotonic() + 60 * options.minutes
    for number, (name, seed) in enumerate(left):
        if time.monotonic() > end:
            break
        if number % AT_ONCE == 0:
            jax.clear_caches()
        line = {"key": keys[name, seed], "name": name} | measure(name, seed)
        found[line["key"]] = line
        with KEPT.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{name} {seed}:", *line["failed"], flush=True)
    PAGE.write_text(write_page([found[key] for key in keys.values() if key in found]), encoding="utf-8")


def measure(name: str, seed: int) -> dict[str, list[str]]:
    """Return the checks of a pipeline that could be made, and those that failed, in their order."""
    example = BUILDERS[name](FIRST_SEED + seed)
    report = check_pipeline(example.model, *example.arrays, fit=example.fit, seed=seed)
    names = {
        "made": [check.name for check in report.checks if check.passed or check.failed],
        "failed": [check.name for check in report.failed],
    }
    return {kind: [name.split(": ")[-1] for name in several] for kind, several in names.items()}


def _hash_sources(name: str) -> str:
    """Return what stands for the checks and for the function that builds a pipeline, as they are written now."""
    sources = [path.read_bytes() for path in sorted((ROOT / "recipe" / "debugging").glob("*.py"))]
    build = inspect.getclosurevars(BUILDERS[name]).nonlocals["build"]
    return hashlib.sha256(b"".join([*sources, inspect.getsource(build).encode()])).hexdigest()[:16]


def write_page(found: list[dict]) -> str:
    """Return docs/checks.md."""
    unseen, known, broken = ([line for line in found if line["name"] in group] for group in (UNSEEN, SOUND, BROKEN))
    return "\n".join(
        [
            "# What the checks of a pipeline are worth",
            "",
            "Written by `make checks` (`tools/measure_checks.py`), from seeds that no test uses. The pipelines of",
            "`tools/unseen_pipelines.py` were written before anybody looked at what the checks say of them, and no",
            "limit was set on them; those of `tests/debugging/examples.py` were known when the checks were written.",
            "",
            *_count_alarms("False alarms on kinds that no check was written for", unseen),
            "",
            *_count_alarms("False alarms on kinds that were known", known),
            "",
            *_count_causes(broken),
            "",
        ]
    )


def _count_alarms(title: str, sound: list[dict]) -> list[str]:
    """Return the table of the checks that failed on sound pipelines."""
    made, failed = (Counter(name for line in sound for name in line[kind]) for kind in ("made", "failed"))
    total, alarms = made.total(), failed.total()
    lines = [
        f"## {title}",
        "",
        f"{len(sound)} sound pipelines of {len({line['name'] for line in sound})} kinds, {total:,} checks made, "
        f"{alarms} failed ({alarms / max(1, total):.1%}).",
    ]
    if failed:
        lines += ["", "| check | made | failed wrongly | share |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {name} | {made[name]} | {count} | {count / made[name]:.1%} |" for name, count in failed.most_common()
        ]
        lines += ["", f"They failed on: {_list_names(line for line in sound if line['failed'])}."]
    return lines


def _count_causes(broken: list[dict]) -> list[str]:
    """Return how often the right check failed, and failed first."""
    late = [line for line in broken if line["failed"][:1] != [BROKEN[line["name"]].check]]
    among, count = sum(BROKEN[line["name"]].check in line["failed"] for line in broken), max(1, len(broken))
    return [
        "## Causes",
        "",
        f"{len(broken)} broken pipelines of {len({line['name'] for line in broken})} kinds: the right check fails in "
        f"{among / count:.0%}, and is the first that fails in {1 - len(late) / count:.0%}.",
        *(["", f"Another check fails before it on: {_list_names(late)}."] if late else []),
    ]


def _list_names(lines) -> str:
    names = Counter(line["name"].replace("_", " ") for line in lines)
    return "; ".join(f"{name} ({count})" for name, count in sorted(names.items()))


if __name__ == "__main__":
    main()
