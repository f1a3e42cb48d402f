"""Runs that nobody trained, for tests of the journal, the command and the search."""

from __future__ import annotations

import math

from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.data.problems import find_problem
from recipe.search.space import Range, SearchSpace

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
        "val_samples": 16,
        "data": data,
    }
    return Run(**values | changes)
