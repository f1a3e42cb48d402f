"""What a model is really worth: judged on so many rows that chance no longer counts, many small models at a time."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import WISHES, EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate

MODELS_TOGETHER = 60  # in one program: enough to be quick, few enough that results come in while it goes on
TRUTH_ROWS = 20_000  # the standard error of an accuracy of 0.9 is 0.2 points on so many
_TRACING = threading.Lock()


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """A few rows to work with, as if they were all there is, and the others to know the truth from.

    Attributes
    ----------
    few : the dataset with those rows alone; its test set stays sealed
    x_rest, y_rest : inputs and targets, raw, of rows that are not among the few
    """

    few: Dataset
    x_rest: object
    y_rest: np.ndarray


def draw_rows(dataset: Dataset, rows: int, *, seed: int = 0, truth_rows: int = TRUTH_ROWS) -> Draw:
    """Draw rows of the training data at random; the others, `truth_rows` at most, are the truth.

    Raises
    ------
    ValueError
        If there are fewer than 10 rows to be drawn, or the rest would be smaller than they are.
    """
    samples = len(dataset.y_train)
    if not 10 <= rows <= samples // 2:
        raise ValueError(
            f"Of {samples:,} training samples 10 to {samples // 2:,} can be drawn, so that the rest is large enough to "
            f"be the truth. Received: rows={rows}. Take {min(200, samples // 2)}."
        )
    order = np.random.default_rng(seed).permutation(samples)
    chosen, rest = np.sort(order[:rows]), order[rows : rows + truth_rows]
    few = dataclasses.replace(dataset, x_train=dataset.x_train[chosen], y_train=dataset.y_train[chosen])
    return Draw(few=few, x_rest=dataset.x_train[rest], y_rest=dataset.y_train[rest])


def with_words(dataset: Dataset, words: int) -> Dataset:
    """Return reviews of which only the most frequent words are read: a network of a tenth of the size.

    Raises
    ------
    ValueError
        If the dataset has no words, or fewer.
    """
    problem = dataset.problem
    if not 1 <= words <= problem.num_words:
        raise ValueError(
            f"{problem.name} has {problem.num_words} words. Received: words={words}. Take so many or fewer."
        )
    return dataclasses.replace(dataset, problem=dataclasses.replace(problem, num_words=words, input_shape=(words,)))


def small_spec(problem: Problem) -> ModelSpec:
    """Return a network that learns quickly from a few hundred rows: what is studied is the protocol, not the model."""
    epochs = 40 if problem.kind == "table" else 15
    return ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=epochs)


def prepare_all_of(draw: Draw) -> Prepared:
    """Prepare all the rows of a draw for a final model; some of the rest stand where the validation part does."""
    few, rows = draw.few, len(draw.few.y_train)
    shown = slice(0, max(1, rows // 5))  # what is measured here is never read: the truth is measured at the end
    split = take_split(few, np.arange(rows), [], protocol="final model, all rows")
    return prepare(dataclasses.replace(split, x_val=draw.x_rest[shown], y_val=draw.y_rest[shown]))


def train_groups(
    spec: ModelSpec,
    groups: Sequence[Sequence[Prepared]],
    *,
    on_message: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[list[Run]]:
    """Train one model for each prepared split and yield the runs, one group after the other; a stop ends it.

    Several groups, all of one size, go through the compiled engine as one program. The last program is filled up with
    models that are thrown away, which takes less time than compiling a smaller one.
    """
    size, total = len(groups[0]), sum(map(len, groups))
    together = math.ceil(len(groups) / math.ceil(total / MODELS_TOGETHER))  # programs of about the same size
    for first in range(0, len(groups), together):
        jobs = [job for group in groups[first : first + together] for job in group]
        done, last = first * size, first * size + len(jobs)

        def report(told: EpochReport, done: int = done, last: int = last) -> None:
            if on_message is not None and told.member == 0:
                on_message(f"models {done + 1} to {last} of {total}, epoch {told.epoch + 1} of {told.epochs}")

        filled = jobs + [jobs[0]] * (together * size - len(jobs))
        seeded = spec.replace(seed=spec.seed + done)
        runs = cross_validate(seeded, filled, on_epoch=report, stop=stop, journal=None)[: len(jobs)]
        if len(runs) < len(jobs) or any(run.stopped in WISHES for run in runs):
            return
        for start in range(0, len(jobs), size):
            yield runs[start : start + size]


def prepare_rest(prepared: Prepared, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Return the rest of the data as a network reads it, (x, y); nothing is fitted to it."""
    preparation = prepared.preparation
    return preparation.to_network(preparation.transform(draw.x_rest)), preparation.transform_target(draw.y_rest)


def measure_truth(run: Run, rest: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the measure of a trained model on `prepare_rest`, which neither it nor its preparation has seen."""
    x, y = rest
    return MEASURES[run.measure].compute(run.problem, y, _predict(run, x))


def _predict(run: Run, x: np.ndarray) -> np.ndarray:
    """Return a model's outputs, (n, outputs). Models of one spec share a compiled function: `predict` compiles each."""
    if run.backend != "jax":
        return np.asarray(run.model.predict(x, verbose=0))
    forward = _compile_forward(run.spec.replace(seed=0, epochs=1, patience=None, learning_rate=None), run.problem)
    variables = run.model.trainable_variables, run.model.non_trainable_variables
    weights, others = ([variable.value for variable in some] for some in variables)
    with _TRACING:  # two threads must not trace one model at the same time
        return np.asarray(forward(weights, others, x))


@lru_cache(maxsize=16)
def _compile_forward(spec: ModelSpec, problem: Problem) -> Callable:
    import jax

    model = build_model(spec, problem)
    return jax.jit(lambda weights, others, x: model.stateless_call(weights, others, x, training=False)[0])
