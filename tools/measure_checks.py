"""Measure `recipe.check_pipeline`: how often a check fails on a sound pipeline, and whether it names a cause first.

    python tools/measure_checks.py --seeds 5 --minutes 60

The pipelines are those of tests/debugging/examples.py, from seeds that no test uses, and the sound ones that no limit
was set on, of tools/unseen_pipelines.py; what is found is written to docs/checks.md. Where the minutes are over before
all were checked, the table says how many were.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "debugging"), str(ROOT / "tools")]

import numpy as np  # noqa: E402
from examples import BROKEN, SOUND  # noqa: E402
from unseen_pipelines import UNSEEN  # noqa: E402

from recipe.debugging import check_pipeline  # noqa: E402

FIRST_SEED = 100  # those of the tests lie below


def main() -> None:
    """Check the pipelines in a random order, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seeds", type=int, default=5, help="of each sound pipeline; three fifths of it of a broken one"
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    jobs = [(name, seed) for name in (*SOUND, *UNSEEN) for seed in range(options.seeds)]
    jobs += [(name, seed) for name in BROKEN for seed in range(max(1, 3 * options.seeds // 5))]
    builders = SOUND | UNSEEN | {name: fault.build for name, fault in BROKEN.items()}
    started, reports = time.monotonic(), []
    for number in np.random.default_rng(0).permutation(len(jobs)):
        if time.monotonic() - started > 60 * options.minutes:
            break
        name, seed = jobs[number]
        example = builders[name](FIRST_SEED + seed)
        report = check_pipeline(example.model, *example.arrays, fit=example.fit, seed=seed)
        reports.append((name, report))
        print(f"{name} {seed}:", *(check.name for check in report.failed), flush=True)
    seen, unseen, broken = ([one for one in reports if one[0] in group] for group in (SOUND, UNSEEN, BROKEN))
    parts = [
        *HEAD,
        *_count_alarms("False alarms on kinds that no check was written for", unseen),
        "",
        *_count_alarms("False alarms on kinds that were known", seen),
        "",
        *_count_causes(broken),
        "",
    ]
    (ROOT / "docs" / "checks.md").write_text("\n".join(parts), encoding="utf-8")


HEAD = (
    "# What the checks of a pipeline are worth",
    "",
    "Written by `make checks` (`tools/measure_checks.py`), from seeds that no test uses. The pipelines of",
    "`tools/unseen_pipelines.py` were written before anybody looked at what the checks say of them, and no limit was",
    "set on them; the kinds of `tests/debugging/examples.py` were known when the checks were written.",
    "",
)


def _count_alarms(title: str, sound: list) -> list[str]:
    """Return the table of the checks that failed on sound pipelines."""
    made, failed = Counter(), Counter()
    for _, report in sound:
        made.update(check.name.split(": ")[-1] for check in report.checks if check.passed or check.failed)
        failed.update(check.name.split(": ")[-1] for check in report.failed)
    kinds, total = len({name for name, _ in sound}), sum(made.values())
    lines = [
        f"## {title}",
        "",
        f"{len(sound)} sound pipelines of {kinds} kinds, {total:,} checks made, {sum(failed.values())} failed "
        f"({sum(failed.values()) / max(1, total):.1%}).",
    ]
    if failed:
        lines += ["", "| check | made | failed wrongly | share |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {name} | {made[name]} | {count} | {count / made[name]:.1%} |" for name, count in failed.most_common()
        ]
        names = sorted({name.replace("_", " ") for name, report in sound if report.failed})
        lines += ["", f"They failed on: {'; '.join(names)}."]
    return lines


def _count_causes(broken: list) -> list[str]:
    """Return how often the right check failed, and failed first."""
    first = [report.failed and report.failed[0].name == BROKEN[name].check for name, report in broken]
    among = [BROKEN[name].check in {check.name for check in report.failed} for name, report in broken]
    late = sorted({name.replace("_", " ") for (name, _), is_first in zip(broken, first, strict=True) if not is_first})
    kinds, count = len({name for name, _ in broken}), max(1, len(broken))
    return [
        "## Causes",
        "",
        f"{len(broken)} broken pipelines of {kinds} kinds: the right check fails in {sum(among) / count:.0%}, and is "
        f"the first that fails in {sum(map(bool, first)) / count:.0%}.",
        *(["", f"Another check fails before it on: {'; '.join(late)}."] if late else []),
    ]


if __name__ == "__main__":
    main()
