"""Trainings that take no time, for tests of the search around them."""

from __future__ import annotations

import math
import os
import subprocess
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from forks import PYTHON

from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.data.problems import find_problem
from recipe.search import Range, SearchSpace

BEST_RATE = 0.03
BASE = ModelSpec(hidden_units=(8,), epochs=3, batch_size=32)
SPACE = SearchSpace(base=BASE, learning_rate=Range(1e-6, 10.0))


def score_of(spec: ModelSpec) -> float:
    """An accuracy that falls with each power of ten between the learning rate and the best one."""
    rate = spec.learning_rate or DEFAULT_RATES[spec.optimizer]
    return max(0.0, 0.9 - 0.1 * abs(math.log10(rate / BEST_RATE)))


def make_run(spec: ModelSpec, *, data: str, problem: str = "mnist", score: float | None = None, **changes) -> Run:
    """A run that nobody trained, whose measure rises to its score in equal steps."""
    problem = find_problem(problem)
    score = score_of(spec) if score is None else score
    rising = [score * (epoch + 1) / spec.epochs for epoch in range(spec.epochs)]
    falling = [1.0 / (epoch + 1) for epoch in range(spec.epochs)]
    measures = {problem.measure: rising, f"val_{problem.measure}": rising}
    values = {
        "spec": spec,
        "problem": problem,
        "source": "sample",
        "protocol": "hold-out",
        "history": measures | {"data_loss": falling, "val_data_loss": falling},
        "seconds": 0.01,
        "backend": "jax",
        "data": data,
    }
    return Run(**values | changes)


class Instant(Executor):
    """An executor that trains nothing: the run of a trial is made from its spec, as `make` says.

    Parameters
    ----------
    make : of a job; None: `make_run`, whose score depends on the learning rate alone
    dies : how often the worker of a trial is killed, by the number of the trial
    closed_after : how many trials are taken before it is shut down
    """

    def __init__(
        self,
        make: Callable[[object], Run] | None = None,
        *,
        problem: str = "mnist",
        dies: dict[int, int] | None = None,
        closed_after: int | None = None,
    ) -> None:
        self._make = make or (lambda job: make_run(job.spec, data="d", problem=problem, origin="search"))
        self._dies, self._left = dict(dies or {}), closed_after

    def submit(self, function: object, job: object, *data: object) -> Future:
        future = Future()
        if self._left == 0:
            raise BrokenProcessPool("closed")
        self._left = None if self._left is None else self._left - 1
        try:
            if self._dies.get(job.number, 0):
                self._dies[job.number] -= 1
                raise BrokenProcessPool("a worker was killed")
            future.set_result(self._make(job))
        except Exception as error:
            future.set_exception(error)
        return future


def start_process(code: str, home: Path, *arguments: str) -> subprocess.Popen:
    """Run code in a process of its own that finds this module, and has its own RECIPE_HOME."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECIPE_")}
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [environment.get("PYTHONPATH")])])
    environment |= {"PYTHONPATH": path, "RECIPE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [*PYTHON, "-c", textwrap.dedent(code), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class Slow(Instant):
    """The same after a while, so that processes get into each other's way."""

    def submit(self, function: object, job: object, *data: object) -> Future:
        time.sleep(0.05)
        return super().submit(function, job, *data)


SEARCH = """
    import sys
    import recipe
    import tuning_examples

    prepared = recipe.prepare(recipe.hold_out(recipe.load("mnist", source="sample", rows=100)))
    trials = int(sys.argv[2])
    found = recipe.tune(
        prepared, tuning_examples.SPACE, trials, executor=tuning_examples.Slow(), workers=1, storage=sys.argv[1]
    )
    print(len(found.new), len({trial.number for trial in found.study.trials}))
"""


def check_two_processes(storage: str, home: Path, trials: int = 5) -> None:
    """Let two processes search in one storage at the same time: no trial is lost, none counted twice."""
    running = [start_process(SEARCH, home, storage, str(trials)) for _ in range(2)]
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert output.split()[0] == str(trials)
    from recipe.journal import open_storage

    opened = open_storage(storage)
    (study,) = [study for study in opened.get_all_studies() if study.study_name.startswith("mnist-")]
    found = opened.get_all_trials(study._study_id)
    assert sorted(trial.number for trial in found) == list(range(2 * trials))
    assert {trial.state.name for trial in found} == {"COMPLETE"}
    assert len({trial.params["learning_rate"] for trial in found}) == 2 * trials
