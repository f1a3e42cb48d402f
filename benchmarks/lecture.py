"""The first five minutes of a lecture, simulated from the seconds that `benchmarks/hub_load.py` measured.

    .venv/bin/python benchmarks/lecture.py --core-hour 0.05 --gigabytes 4

writes the tables of docs/load.md: what was measured, what larger classes take, and how many wait how long. The price of
a core-hour, in your currency, and the memory that comes with a core are yours to name.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FIGURES, PAGE = ROOT / "benchmarks/hub_load.json", ROOT / "docs/load.md"
MINUTES = 5
HOURS = 36  # of a term: twelve weeks, three hours each
SIZES = {  # learners at the same time, and what serves them
    30: "The Littlest JupyterHub",
    300: "The Littlest JupyterHub on one large machine, or Zero to JupyterHub on Kubernetes",
    10_000: "Zero to JupyterHub on Kubernetes, or Google Colab",
    100_000: "static pages to read; Google Colab or the learners' own machines to run",
}
A_CORE = (15, 8, 4, 2)  # learners


@dataclass(frozen=True)
class Lecture:
    """How a class comes and clicks.

    Attributes
    ----------
    learners, cores : those that share the cores of one machine
    first : the processor's seconds from opening the link to the first result
    later : those of a click after that; each one is drawn from these
    arrive : seconds within which all open the link
    think : seconds, on average, that one looks at a result before the next click; 0 for no pause at all
    """

    learners: int
    cores: int
    first: float
    later: Sequence[float]
    arrive: float = 60.0
    think: float = 30.0

    def simulate(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return the seconds of waiting for first and for later results; who waits in the end counts as so far.

        The cores are shared in equal parts by all who wait, and nobody gets more than one. So all work goes on at the
        same rate, and one number serves for all, `done`: how much was done for whoever waited all the time. What begins
        at `done` = 3 and takes 2 seconds is ready at `done` = 5.
        """
        rng = np.random.default_rng(seed)
        presses = [(at, learner, 0) for learner, at in enumerate(rng.uniform(0, self.arrive, self.learners))]
        heapq.heapify(presses)  # (when, who, how many results before)
        waiting: list[tuple[float, float, int, int]] = []  # (`done` when ready, pressed when, who, how many before)
        waits: tuple[list[float], list[float]] = ([], [])
        now = done = 0.0
        while now < 60 * MINUTES:
            rate = min(1.0, self.cores / len(waiting)) if waiting else 1.0
            ready = now + (waiting[0][0] - done) / rate if waiting else math.inf
            pressed = presses[0][0] if presses else math.inf
            then = min(ready, pressed, 60 * MINUTES)
            now, done = then, done + (then - now) * rate
            if then == ready:
                _, since, learner, results = heapq.heappop(waiting)
                waits[results > 0].append(now - since)
                heapq.heappush(presses, (now + rng.exponential(self.think), learner, results + 1))
            elif then == pressed:
                _, learner, results = heapq.heappop(presses)
                work = rng.choice(self.later) if results else self.first
                heapq.heappush(waiting, (done + work, now, learner, results))
        for _, since, _, results in waiting:
            waits[results > 0].append(now - since)
        return np.array(waits[0]), np.array(waits[1])


@dataclass(frozen=True)
class Measured:
    """What benchmarks/hub_load.json holds."""

    figures: dict

    def take(self, name: str, kind: str = "cpu") -> np.ndarray:
        """Return the seconds of all steps of that name: ``"seconds"`` by the clock, or ``"cpu"``."""
        return np.array([step[kind] for step in self.figures["steps"] if step["step"] == name])

    def later(self, remark: str, kind: str = "cpu") -> np.ndarray:
        """Return the seconds of later clicks under this remark, whatever was changed before them."""
        return np.concatenate([self.take(f"{what}, {remark}", kind) for what in ("another seed", "another network")])

    def memory(self, what: str, moment: str = "memory after all clicks") -> np.ndarray:
        """Return megabytes."""
        return np.array(self.figures[moment][what])

    @property
    def a_student(self) -> np.ndarray:
        """The megabytes of each student: server and kernel."""
        return self.memory("servers") + self.memory("kernels")

    @property
    def together(self) -> str:
        """How the steps are called that were taken while some trained at once."""
        return f"{self.figures['training at once']} at once"

    def first(self, *, has_server: bool = False, is_compiled: bool = True) -> float:
        """Return the processor's seconds from the link to the first result, the hub's own included."""
        arriving = self.figures["arriving"]
        seconds = arriving["cpu"] / (self.figures["students"] - 1)
        seconds -= np.median(self.take("server starts")) if has_server else 0
        cold = np.median(self.take("first click, nothing compiled yet"))
        return seconds + (0 if is_compiled else cold - np.median(self.take("first click")))


def make_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def write_steps(measured: Measured) -> str:
    """Return the table of steps: by the clock, and by the processor."""
    rows = []
    for step in dict.fromkeys(entry["step"] for entry in measured.figures["steps"]):
        entries = [entry for entry in measured.figures["steps"] if entry["step"] == step]
        seconds, cpu = (np.array([entry[kind] for entry in entries]) for kind in ("seconds", "cpu"))
        median, late = np.quantile(seconds, [0.5, 0.95])
        rows.append((step, len(entries), f"{median:.1f}", f"{late:.1f}", f"{np.median(cpu):.1f}" if cpu.any() else ""))
    return make_table(("step", "times", "seconds, median", "95 % are done in", "of the processor, median"), rows)


def write_memory(measured: Measured) -> str:
    """Return the table of memory."""
    rows = []
    for title, what in (("hub and proxy", "hub"), ("a server", "servers"), ("a kernel", "kernels")):
        before, after = measured.memory(what, "memory after the first click"), measured.memory(what)
        rows.append((title, f"{np.median(before):.0f} MB", f"{np.median(after):.0f} MB", f"{after.max():.0f} MB"))
    student = measured.a_student
    rows.append(("a student: both", "", f"{np.median(student):.0f} MB", f"{student.max():.0f} MB"))
    return make_table(("", "after the first click, median", "after all clicks, median", "largest"), rows)


def write_goals(measured: Measured) -> str:
    """Return the goals beside what was found, and what the processor's seconds say of a machine without other work."""
    figures, at_once = measured.figures, measured.figures["training at once"]
    late = np.quantile(measured.later(measured.together, "seconds"), 0.95)
    # On a machine of their own, they press again at once, or look first; the work is what the processor did.
    alone = Lecture(at_once, figures["cores"], 0.0, measured.later(measured.together), arrive=0.01, think=1e-9)
    expected, looking = (np.quantile(one.simulate()[1], 0.95) for one in (alone, replace(alone, think=10.0)))
    rows = [
        ("students on the machine", "30", figures["students"]),
        ("a kernel", "< 600 MB", f"{measured.memory('kernels').max():.0f} MB at most"),
        ("a student with the server", "< 750 MB", f"{measured.a_student.max():.0f} MB at most"),
        (f"a later click, {measured.together}", "95 % in < 5 s", f"95 % in {late:.1f} s"),
        ("the same, on a machine without other work (simulated)", "95 % in < 5 s", f"95 % in {expected:.1f} s"),
        ("and each result is looked at for ten seconds (simulated)", "95 % in < 5 s", f"95 % in {looking:.1f} s"),
        ("kernels lost", "0", figures["students"] - figures["kernels kept"]),
    ]
    return make_table(("", "goal", "found"), rows)


def write_conditions(measured: Measured) -> str:
    """Return in words what was measured on what, and how busy the machine was."""
    figures = measured.figures
    names = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    compiled = "shared" if figures["shared cache"] else "not shared"
    arriving, training = figures["arriving"], figures["training"]
    return (
        f"{figures['students']} students, {figures['cores']} cores, {figures['memory of the machine'] / 1e3:.0f} GB of "
        f"memory, {figures['threads']} thread a kernel, compiled programs {compiled}; {names}.\n\n"
        f"**Other work ran on the machine**: it took {arriving['others']:.0%} of the cores while the class came "
        f"(the class {arriving['class']:.0%}) and {training['others']:.0%} while it trained (the class "
        f"{training['class']:.0%}). The seconds by the clock are longer for it, those of the processor hardly."
    )


def write_sizes(measured: Measured, core_hour: float, gigabytes: float) -> str:
    """Return what classes of several sizes take, by the learners of a core that memory and clicks allow."""
    student, click = np.quantile(measured.a_student, 0.95) / 1e3, measured.later("alone").mean()
    by_memory = gigabytes / student
    by_clicks = 0.7 * (30 + click) / click  # a click each half minute keeps a core busy for 70 % of the time
    a_core = min(by_memory, by_clicks)
    rows = []
    for learners, served_by in SIZES.items():
        cores = max(2, math.ceil(learners / a_core))
        price = cores * HOURS * core_hour / learners
        rows.append(
            (
                f"{learners:,}",
                served_by,
                f"{learners * student:,.0f} GB",
                f"{cores:,}",
                f"{price:.2f}",
            )
        )
    table = make_table(
        ("learners at once", "served by", "memory", "cores", f"on a hub, {HOURS} hours cost a learner"), rows
    )
    return (
        f"Named inputs: a core-hour costs {core_hour:g}, and {gigabytes:g} GB come with a core. A learner takes "
        f"{student:.2f} GB, so the memory of a core holds {by_memory:.1f} of them; at a click in 30 seconds its time "
        f"does for {by_clicks:.0f}.\n\n{table}"
    )


def write_lecture(measured: Measured) -> str:
    """Return the waits of the first five minutes, for several ways of preparing the lecture."""
    later, compiles = measured.later("alone"), measured.take("another network, alone, nothing compiled yet")
    ways = {
        "as it comes": (measured.first(is_compiled=False), [*measured.take("another seed, alone"), *compiles]),
        "programs compiled beforehand": (measured.first(), later),
        "and servers started beforehand": (measured.first(has_server=True), later),
    }
    rows = []
    for a_core in A_CORE:
        for way, (seconds, clicks_cost) in ways.items():
            lecture = Lecture(learners=a_core * 16, cores=16, first=seconds, later=clicks_cost)
            first, clicks = lecture.simulate()
            spread = replace(lecture, arrive=180.0).simulate()[0]
            waits = [f"{np.quantile(first, share):.0f}" for share in (0.5, 0.95)]
            rows.append(
                (
                    a_core,
                    way,
                    f"{seconds:.0f}",
                    *waits,
                    f"{np.mean(first > 60):.0%}",
                    f"{np.quantile(spread, 0.95):.0f}",
                    f"{np.quantile(clicks, 0.95):.1f}" if len(clicks) else "none came to it",
                )
            )
    head = ("learners a core", "prepared", "work until the first result", "median wait", "95 % wait less than")
    return make_table(
        (*head, "wait over a minute", "95 %, all within 3 minutes", "later clicks, 95 % wait less than"), rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core-hour", type=float, default=0.05, help="the price of a core for an hour")
    parser.add_argument("--gigabytes", type=float, default=8.0, help="of memory that come with a core")
    options = parser.parse_args()
    measured = Measured(json.loads(FIGURES.read_text(encoding="utf-8")))
    blocks = {
        "conditions": write_conditions(measured),
        "goals": write_goals(measured),
        "steps": write_steps(measured),
        "memory": write_memory(measured),
        "sizes": write_sizes(measured, options.core_hour, options.gigabytes),
        "lecture": write_lecture(measured),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in blocks.items():
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = block.sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page)
    PAGE.write_text(page, encoding="utf-8")
    print(f"Written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
