"""Step 8: a sound pipeline from the data to a compiled model, with the joints at which it can be broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.data.load import load
from recipe.debugging.basics import quiet
from recipe.debugging.bench import BATCH, STEPS, Bench, draw_order
from recipe.debugging.subject import VAL_ROWS
from recipe.engine.compile_cache import use_compile_cache
from recipe.engine.models import fixed_seed
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

if TYPE_CHECKING:
    import keras

BASES = ("mnist", "imdb", "housing")
HIDDEN = MappingProxyType({"mnist": (64, 32), "imdb": (16, 16), "housing": (64, 64)})
ROWS = 2_500  # of the data, of which a fifth is for validation
EPOCHS = 8


@dataclass(frozen=True, kw_only=True)
class Network:
    """The model of a pipeline, before it is built."""

    hidden: tuple[int, ...]
    activation: str | None = "relu"
    last_activation: str | None = None
    loss: str = "mse"
    learning_rate: float = 0.001
    dropout: float = 0.0
    bias: float = 0.0
    trainable: bool = True


@dataclass(kw_only=True, eq=False)
class Draft:
    """The arrays of a pipeline while a fault works on them."""

    split: Split
    prepared: Prepared
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    rng: np.random.Generator

    @property
    def base(self) -> str:
        """Which of the three datasets it is made from."""
        return self.prepared.problem.base


@dataclass(frozen=True, kw_only=True, eq=False)
class Pipeline:
    """A compiled model and its data, sound or broken.

    Attributes
    ----------
    problem : what is predicted
    model : compiled, not trained
    x_train, y_train, x_val, y_val : as they go to `fit`
    source : of the data
    fault : the name of what is broken, empty for nothing; repr does not show it, so that nobody reads it by accident
    """

    problem: Problem
    model: keras.Model = field(repr=False)
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_val: np.ndarray = field(repr=False)
    y_val: np.ndarray = field(repr=False)
    source: str
    seed: int = 0
    fault: str = field(default="", repr=False)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The data in the order in which `check_pipeline` takes them."""
        return self.x_train, self.y_train, self.x_val, self.y_val


def start_draft(dataset: Dataset, seed: int) -> tuple[Draft, Network]:
    """Return the arrays and the network of a sound pipeline, to be broken or put together as they are."""
    split = hold_out(dataset, seed=seed)
    prepared = prepare(split)
    draft = Draft(
        split=split,
        prepared=prepared,
        x_train=prepared.inputs("train"),
        y_train=prepared.y_train,
        x_val=prepared.inputs("val"),
        y_val=prepared.y_val,
        rng=np.random.default_rng(seed),
    )
    row = dataset.problem.last_layer
    hidden = HIDDEN[dataset.problem.base]
    return draft, Network(hidden=hidden, last_activation=row.activation, loss=row.loss)


def finish_draft(draft: Draft, network: Network, seed: int, fault: str = "") -> Pipeline:
    """Build the model and return the pipeline."""
    problem = draft.prepared.problem
    return Pipeline(
        problem=problem,
        model=build_network(network, draft.x_train.shape[1:], problem.outputs, seed),
        x_train=draft.x_train,
        y_train=draft.y_train,
        x_val=draft.x_val,
        y_val=draft.y_val,
        source=draft.prepared.source,
        seed=seed,
        fault=fault,
    )


def build_network(network: Network, shape: tuple[int, ...], outputs: int, seed: int) -> keras.Model:
    """Return the compiled model, as one would write it by hand."""
    import keras

    if keras.config.backend() == "jax":
        use_compile_cache()
    with quiet(), fixed_seed(seed):
        layers = [keras.Input(shape)]
        layers += [keras.layers.Flatten()] if len(shape) > 1 else []
        for number, units in enumerate(network.hidden, 1):
            bias = keras.initializers.Constant(network.bias) if network.bias else "zeros"
            dense = keras.layers.Dense(
                units, activation=network.activation, bias_initializer=bias, name=f"hidden_{number}"
            )
            dense.trainable = network.trainable
            layers += [dense, keras.layers.Dropout(network.dropout)] if network.dropout else [dense]
        layers.append(keras.layers.Dense(outputs, activation=network.last_activation, name="output"))
        model = keras.Sequential(layers)
        model.compile(optimizer=keras.optimizers.Adam(network.learning_rate), loss=network.loss)
    return model


def train_pipeline(pipeline: Pipeline, epochs: int = EPOCHS) -> dict[str, list[float]]:
    """Train a copy of the pipeline's model for about so many epochs; the model stays as it is.

    Returns
    -------
    dict of lists
        ``step``, and after that many steps ``loss`` (the mean over the last batches, as `fit` reports it),
        ``val_loss``, and ``accuracy`` or ``mae`` with ``val_`` beside it, on at most 500 samples of each part.
    """
    from recipe.debugging.programs import program_for, weights_of

    bench = Bench(pipeline.model, *pipeline.arrays, kind=pipeline.problem, seed=pipeline.seed)
    x, y, x_val, y_val = bench.arrays
    with quiet():
        program = program_for(pipeline.model, x.shape[1:])
        state = program.start(weights_of(pipeline.model), bench.used_rate)
        stretches = max(1, round(len(x) / (STEPS * BATCH)))
        rng, history = np.random.default_rng(pipeline.seed), {}
        for epoch in range(1, epochs + 1):
            losses = []
            for _ in range(stretches):
                state, stretch = program.train(state, x, y, draw_order(rng, len(x)))
                losses.append(stretch.mean())
            logs = {"step": epoch * stretches * STEPS, "loss": float(np.mean(losses))}
            for prefix, inputs, targets in (("", x[:VAL_ROWS], y[:VAL_ROWS]), ("val_", x_val, y_val)):
                each, outputs = program.judge(state, inputs, targets)
                logs.setdefault(f"{prefix}loss", float(each.mean()))
                name, value = _measure(pipeline.problem, targets, outputs)
                logs[prefix + name] = value
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
    return history


def _measure(problem: Problem, y: np.ndarray, outputs: np.ndarray) -> tuple[str, float]:
    """Return accuracy or mean absolute error, also where outputs and targets suit nothing."""
    if not problem.type.is_classification:
        return "mae", float(np.abs(outputs - y).mean())
    answers = outputs.argmax(axis=1)[:, None] if outputs.shape[1] > 1 else outputs > 0.5
    return "accuracy", float((answers == y).mean())


def load_for(problem: str | Dataset, source: str) -> Dataset:
    """Return the dataset of a pipeline, loaded where only its name is given."""
    dataset = problem
    if isinstance(problem, str):
        if problem not in BASES:
            raise ValueError(
                f"There is no pipeline of that name. Received: problem={problem!r}. Choose from {', '.join(BASES)}."
            )
        dataset = load(problem, source=source, rows=None if problem == "housing" else ROWS)
    if dataset.problem.name not in BASES:
        raise ValueError(
            f"Pipelines are made of {', '.join(BASES)}. Received: problem={dataset.problem.name!r}. Load one of these."
        )
    return dataset
