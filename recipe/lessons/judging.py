"""Step 3: what a model is really worth, measured on a part so large that luck no longer counts.

Many small models are trained side by side on few rows each, and judged on the many rows that none of them has seen.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate

if TYPE_CHECKING:
    import keras

OnProgress = Callable[[object, str], None]

MODELS_TOGETHER = 60  # in one program: enough to be quick, few enough that results come in while it goes on
TRUTH_ROWS = 20_000  # luck moves an accuracy of 0.9 by 0.2 points on so many
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
    epochs = 40 if problem.base == "housing" else 15
    return ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=epochs)


def prepare_all_of(draw: Draw) -> Prepared:
    """Prepare all the rows of a draw for a final model; some of the rest stand where the validation part does."""
    few, rows = draw.few, len(draw.few.y_train)
    shown = slice(0, max(1, rows // 5))  # what is measured here is never read: the truth is measured at the end
    split = take_split(few, np.arange(rows), [], protocol="final model, all rows")
    return prepare(dataclasses.replace(split, x_val=draw.x_rest[shown], y_val=draw.y_rest[shown]))


def train_in_batches(
    spec: ModelSpec,
    batches: Sequence[Sequence[Prepared]],
    *,
    on_message: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> Iterator[list[Run]]:
    """Train one model for each prepared split and yield the runs, one batch after the other; a stop ends it.

    Every batch goes through the compiled engine as one program, so batches of one size share it. A smaller last one is
    filled up with models that are thrown away, which takes less time than compiling again.
    """
    total = sum(map(len, batches))
    done = 0
    for batch in batches:
        filled = [*batch, *[batch[0]] * (len(batches[0]) - len(batch))]

        def report(told: EpochReport, first: int = done, count: int = len(batch)) -> None:
            if on_message is not None and told.member == 0:
                on_message(f"models {first + 1} to {first + count} of {total}, epoch {told.epoch + 1} of {told.epochs}")

        seeded = spec.replace(seed=spec.seed + done)
        runs = cross_validate(seeded, filled, on_epoch=report, stop=stop, journal=None)[: len(batch)]
        if len(runs) < len(batch) or any(run.stopped in {"asked", "interrupted"} for run in runs):
            return
        done += len(batch)
        yield runs
        if stop is not None and stop.is_set():
            return


def prepare_rest(prepared: Prepared, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Return the rest of the data as a network reads it, (x, y); nothing is fitted to it."""
    preparation = prepared.preparation
    return preparation.to_network(preparation.transform(draw.x_rest)), preparation.transform_target(draw.y_rest)


def measure_truth(run: Run, rest: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the measure of a trained model on `prepare_rest`, which neither it nor its preparation has seen."""
    x, y = rest
    return MEASURES[run.measure].compute(run.problem, y, predict(run, x))


def predict(run: Run, x: np.ndarray) -> np.ndarray:
    """Return a model's outputs, (n, outputs). Models of one spec share one compiled function: `predict` compiles each.

    Parameters
    ----------
    x : as the network reads it, see `Preparation.to_network`
    """
    if run.backend != "jax":
        return np.asarray(run.model.predict(x, verbose=0))
    forward = _compile_forward(run.spec.replace(seed=0, epochs=1, patience=None, learning_rate=None), run.problem)
    weights, rest = ([v.value for v in some] for some in _variables_of(run.model))
    with _TRACING:  # two threads must not trace one model at the same time
        return np.asarray(forward(weights, rest, x))


def _variables_of(model: keras.Model) -> tuple[list, list]:
    return model.trainable_variables, model.non_trainable_variables


@lru_cache(maxsize=16)
def _compile_forward(spec: ModelSpec, problem: Problem) -> Callable:
    import jax

    model = build_model(spec, problem)
    return jax.jit(lambda weights, rest, x: model.stateless_call(weights, rest, x, training=False)[0])
