"""Trainings that take no time, for tests of the search around them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from forks import PYTHON

from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.data.problems import find_problem
from recipe.journal import Journal
from recipe.search.space import Range, SearchSpace
from recipe.search.worker import Job, Outcome

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
    values = {
        "spec": spec,
        "problem": problem,
        "source": "sample",
        "protocol": "hold-out",
        "history": {
            problem.measure: rising,
            f"val_{problem.measure}": rising,
            "data_loss": falling,
            "val_data_loss": falling,
        },
        "stopped": None,
        "seconds": 0.01,
        "backend": "jax",
        "versions": {},
        "model": None,
        "data": data,
    }
    return Run(**values | changes)


def train_at_once(job: Job, on_epoch: object = None) -> Outcome:
    """What `train_trial` returns, without a training."""
    return Outcome(run=make_run(job.spec, data=job.data_key))


def train_slowly(job: Job, on_epoch: object = None) -> Outcome:
    """The same after a while, so that processes get into each other's way."""
    time.sleep(0.05)
    return train_at_once(job)


def train_and_report(job: Job, on_epoch: object = None) -> Outcome:
    """The same, slowly, with a report of each epoch to the study, as a real training does it."""
    _, storage = job.place.open(job.pruning.make())
    known = storage.get_trial(job.trial_id).intermediate_values
    for epoch in range(job.spec.epochs):
        time.sleep(0.1)
        if epoch not in known:
            storage.set_trial_intermediate_value(job.trial_id, epoch, 0.1)
    return train_at_once(job)


def train_until_killed(job: Job, on_epoch: object = None) -> Outcome:
    """Never ends, and says that it has begun."""
    print("training", flush=True)
    time.sleep(600)
    raise AssertionError


def look_around() -> tuple[int, str | None, bool]:
    """What a worker sees: the process that it comes from, its RECIPE_HOME, and whether Keras is imported."""
    return os.getppid(), os.environ.get("RECIPE_HOME"), "keras" in sys.modules


def all_trials(journal: Journal) -> list:
    """The trials of all studies, those that still run among them."""
    storage = journal.storage
    return [trial for study in storage.get_all_studies() for trial in storage.get_all_trials(study._study_id)]


def start_process(code: str, home: Path, *arguments: str) -> subprocess.Popen:
    """Run code in a process of its own that finds this module, and has its own RECIPE_HOME."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECIPE_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parent), "RECIPE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [*PYTHON, "-c", textwrap.dedent(code), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SEARCH_ON_PROCESSES = """
    import sys
    import recipe.search.loop
    import tuning_examples
    from recipe.search import tune

    if __name__ == "__main__":
        recipe.search.loop.train_trial = tuning_examples.train_until_killed
        tune("mnist", tuning_examples.SPACE, 2, source="sample", rows=100, executor="processes", workers=2)
"""

SEARCH = """
    import sys
    import recipe.search.loop
    import recipe.search.sampler
    import tuning_examples
    from recipe.search import tune

    recipe.search.sampler.DIGITS = 12  # rates with two digits would now and then be the same by chance
    recipe.search.loop.train_trial = getattr(tuning_examples, sys.argv[2])
    found = tune("mnist", tuning_examples.SPACE, int(sys.argv[3]), source="sample", rows=100, storage=sys.argv[1])
    print(len(found.new), len(found.trials))
"""


def check_two_processes(storage: str, home: Path, trials: int = 5) -> None:
    """Let two processes search in one storage at the same time: no trial is lost, none counted twice."""
    running = [start_process(SEARCH, home, storage, "train_slowly", str(trials)) for _ in range(2)]
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert output.split()[0] == str(trials)
    entries = Journal(storage).entries()
    assert len(entries) == 2 * trials
    assert sorted(entry.number for entry in entries) == list(range(2 * trials))
    assert {entry.state for entry in entries} == {"complete"}
    assert len({entry.study for entry in entries}) == 1
    # Only their first ones may be the same, drawn before either knew of the other.
    assert len({entry.spec.learning_rate for entry in entries}) >= 2 * trials - 1
