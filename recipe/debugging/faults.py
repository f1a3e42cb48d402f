"""Pipelines from the data to a compiled model: sound ones, and each way in which one is broken for practice.

Each fault happens to people who know better. It is a function that breaks a pipeline before its model is built; its
docstring is what a learner is told about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType

import keras
import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.problem import Problem, ProblemType
from recipe.core.reviews import Reviews
from recipe.engine.compile_cache import use_compile_cache
from recipe.engine.first_weights import fixed_seed
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

HIDDEN = {"image": (64, 32), "text": (16, 16), "table": (64, 64)}
INDEX_SHIFT = 3  # by which Keras's own review files number their words otherwise than their word list does


@dataclass(kw_only=True, eq=False)
class Pipeline:
    """A compiled model and its data, sound or broken.

    Attributes
    ----------
    problem : what is predicted
    x_train, y_train, x_val, y_val : as they go to `fit`
    split : the same samples before they were prepared
    hidden : options of each hidden layer
    last_activation, dropout, loss, learning_rate : what else the model is built from
    model : compiled, not trained
    fault : the name of what is broken, empty for nothing; repr does not show it, so that nobody reads it by accident
    """

    problem: Problem
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_val: np.ndarray = field(repr=False)
    y_val: np.ndarray = field(repr=False)
    split: Split = field(repr=False)
    last_activation: str | None = field(repr=False)
    loss: str = field(repr=False)
    hidden: dict[str, object] = field(default_factory=lambda: {"activation": "relu"}, repr=False)
    dropout: float = field(default=0.0, repr=False)
    learning_rate: float = field(default=0.001, repr=False)
    model: keras.Model = field(init=False, repr=False)
    seed: int = 0
    fault: str = field(default="", repr=False)

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The data in the order in which `check_pipeline` takes them."""
        return self.x_train, self.y_train, self.x_val, self.y_val


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break a pipeline.

    Attributes
    ----------
    title : what is wrong, in a few words
    text : what it is and how it happens
    check : the name of the check that tells it, in `recipe.debugging.pipeline.CHECKS`; others may find it, too
    table_check : the one that tells it on a table, where that is another
    types : of problem that it can break
    breaks : what it does to a pipeline that has no model yet
    """

    title: str
    text: str
    check: str
    breaks: Callable[[Pipeline], None] = field(repr=False)
    table_check: str = ""
    types: tuple[ProblemType, ...] = tuple(ProblemType)

    def check_for(self, problem: Problem) -> str:
        """Return the name of the check that tells it on this problem."""
        return self.table_check if self.table_check and problem.kind == "table" else self.check


_faults: dict[str, Fault] = {}  # in the order in which they stand below
FAULTS = MappingProxyType(_faults)


def make_pipeline(dataset: Dataset, fault: str | None = None, seed: int = 0) -> Pipeline:
    """Return a pipeline that is sound, or broken in one way.

    Parameters
    ----------
    dataset : any
    fault : a name of `FAULTS`; None for a sound pipeline
    seed : of the split, of the first weights and of what the fault draws

    Raises
    ------
    ValueError
        If there is no such fault, or it cannot break this problem.

    Examples
    --------
    >>> import recipe
    >>> pipeline = make_pipeline(recipe.load("housing", source="sample"), "labels_out_of_step")
    >>> pipeline.x_train.shape[1:], pipeline.model.loss
    ((8,), 'mse')
    """
    kind, known = dataset.problem.type, faults_of(dataset.problem)
    if fault not in (None, *known):
        raise ValueError(f"No such fault can break a {kind}. Received: {fault=}. Choose from {', '.join(known)}.")
    split = hold_out(dataset, seed=seed)
    prepared, row = prepare(split), dataset.problem.last_layer
    pipeline = Pipeline(
        problem=prepared.problem,
        x_train=prepared.inputs("train"),
        y_train=prepared.y_train,
        x_val=prepared.inputs("val"),
        y_val=prepared.y_val,
        split=split,
        last_activation=row.activation,
        loss=row.loss,
        seed=seed,
        fault=fault or "",
    )
    if fault is not None:
        FAULTS[fault].breaks(pipeline)
    pipeline.model = _build(pipeline)
    return pipeline


def faults_of(problem: Problem) -> tuple[str, ...]:
    """Return the names of the faults that can break a problem."""
    return tuple(name for name, fault in FAULTS.items() if problem.type in fault.types)


def _build(pipeline: Pipeline) -> keras.Model:
    """Return the compiled model, as one would write it by hand."""
    use_compile_cache()
    shape = pipeline.x_train.shape[1:]
    with fixed_seed(pipeline.seed):
        layers = [keras.Input(shape)]
        layers += [keras.layers.Flatten()] if len(shape) > 1 else []
        for number, units in enumerate(HIDDEN[pipeline.problem.kind], 1):
            layers.append(keras.layers.Dense(units, name=f"hidden_{number}", **pipeline.hidden))
            layers += [keras.layers.Dropout(pipeline.dropout)] if pipeline.dropout else []
        layers.append(keras.layers.Dense(pipeline.problem.outputs, pipeline.last_activation, name="output"))
        model = keras.Sequential(layers)
        model.compile(optimizer=keras.optimizers.Adam(pipeline.learning_rate), loss=pipeline.loss)
    return model


def _fault(title: str, *, check: str, **where: object) -> Callable:
    """Put a function that breaks a pipeline among the faults, under its own name and with its docstring as the text."""

    def register(breaks: Callable[[Pipeline], None]) -> Callable[[Pipeline], None]:
        text = " ".join(breaks.__doc__.split())
        _faults[breaks.__name__] = Fault(title=title, text=text, check=check, breaks=breaks, **where)
        return breaks

    return register


@_fault("labels off by one", check="labels", types=(ProblemType.BINARY, ProblemType.MULTICLASS))
def labels_off_by_one(pipeline: Pipeline) -> None:
    """The classes are numbered from 1, as people count, where the network counts from 0."""
    pipeline.y_train, pipeline.y_val = (y.astype(np.int64) + 1 for y in (pipeline.y_train, pipeline.y_val))


@_fault("inputs not scaled", check="input scale")
def unscaled_input(pipeline: Pipeline) -> None:
    """Pixels from 0 to 255, columns in their own units, or the numbers of words taken for quantities."""
    raw = pipeline.split.x_train, pipeline.split.x_val
    if isinstance(raw[0], Reviews):
        raw = [part.sequences(length=256, num_words=pipeline.problem.num_words) for part in raw]
    pipeline.x_train, pipeline.x_val = (part.astype(np.float32) for part in raw)


@_fault("wrong axis", check="shuffled labels", table_check="axis of scaling")
def wrong_axis(pipeline: Pipeline) -> None:
    """A transposition or a reshape mixed the samples, or columns were normalised along the rows."""
    for name in ("x_train", "x_val"):
        x = getattr(pipeline, name)
        if pipeline.problem.kind == "table":
            raw = getattr(pipeline.split, name).astype(np.float64)
            mixed = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, keepdims=True)
        else:  # as if samples stood in columns
            mixed = np.ascontiguousarray(x.reshape(len(x), -1).T).reshape(x.shape)
        setattr(pipeline, name, mixed.astype(np.float32))


@_fault("inputs and targets mismatched", check="shuffled labels")
def labels_out_of_step(pipeline: Pipeline) -> None:
    """Samples or targets were shuffled, sorted or filtered alone: each sample has another one's target."""
    pipeline.y_train = pipeline.y_train[np.random.default_rng(pipeline.seed).permutation(len(pipeline.y_train))]


@_fault("frozen layers", check="frozen layers")
def frozen_layers(pipeline: Pipeline) -> None:
    """The hidden layers were set to trainable=False, and stay at the random weights they were born with."""
    pipeline.hidden["trainable"] = False


@_fault("learning rate too high", check="learning rate")
def rate_too_high(pipeline: Pipeline) -> None:
    """The steps are so long that they jump over every valley."""
    pipeline.learning_rate = 3.0


@_fault("learning rate too low", check="learning rate")
def rate_too_low(pipeline: Pipeline) -> None:
    """The steps are so short that training would take days."""
    pipeline.learning_rate = 1e-6


@_fault("wrong last activation", check="last activation")
def wrong_last_activation(pipeline: Pipeline) -> None:
    """The last layer cannot put out what the problem wants: no softmax for classes, relu for yes or no, sigmoid for
    dollars.
    """
    pipeline.last_activation = {
        ProblemType.MULTICLASS: None,
        ProblemType.BINARY: "relu",
        ProblemType.MULTILABEL: "softmax",
        ProblemType.REGRESSION: "sigmoid",
        ProblemType.BOUNDED_REGRESSION: "relu",
    }[pipeline.problem.type]


@_fault("wrong loss", check="loss")
def wrong_loss(pipeline: Pipeline) -> None:
    """The loss compares something else than the problem asks: mse on class numbers, a loss for several classes on one
    output, cross-entropy on dollars.
    """
    kind = pipeline.problem.type
    losses = {ProblemType.MULTICLASS: "mse", ProblemType.REGRESSION: "binary_crossentropy"}
    pipeline.loss = losses.get(kind, "categorical_crossentropy")
    if kind is ProblemType.MULTICLASS:  # a column of labels is compared with all outputs, and nothing complains
        pipeline.y_train, pipeline.y_val = pipeline.y_train[:, None], pipeline.y_val[:, None]


@_fault("samples in both parts", check="duplicates")
def leak(pipeline: Pipeline) -> None:
    """Half of the validation samples stand in the training part, too: data were copied before the split."""
    size = len(pipeline.x_val)
    copied = np.random.default_rng(pipeline.seed).permutation(len(pipeline.x_train))[: size // 2]
    kept = size - len(copied)
    pipeline.x_val = np.concatenate([pipeline.x_val[:kept], pipeline.x_train[copied]])
    pipeline.y_val = np.concatenate([pipeline.y_val[:kept], pipeline.y_train[copied]])


@_fault("validation prepared otherwise", check="validation inputs")
def validation_prepared_otherwise(pipeline: Pipeline) -> None:
    """Scaling was forgotten on the validation part, or its words are numbered otherwise."""
    if pipeline.problem.kind == "text":
        pipeline.x_val = np.roll(pipeline.x_val, INDEX_SHIFT, axis=1)
    else:
        pipeline.x_val = pipeline.split.x_val.astype(np.float32)


@_fault("dead units", check="dead units")
def dead_units(pipeline: Pipeline) -> None:
    """The biases begin far below 0, so that every relu is 0 for every sample and has no gradient."""
    pipeline.hidden["bias_initializer"] = keras.initializers.Constant(-30.0)


@_fault("dropout of 0.95", check="dropout")
def dropout_too_strong(pipeline: Pipeline) -> None:
    """The share that is kept was given where the share that is dropped is meant."""
    pipeline.dropout = 0.95


@_fault("NaN among the inputs", check="finite numbers")
def nan_in_input(pipeline: Pipeline) -> None:
    """Five numbers of the training part are missing."""
    pipeline.x_train = np.array(pipeline.x_train, np.float32, order="C")  # a copy that can be seen as flat
    flat = pipeline.x_train.reshape(-1)
    flat[np.random.default_rng(pipeline.seed).choice(flat.size, size=5, replace=False)] = np.nan


@_fault("sorted before the split", check="validation targets")
def sorted_data(pipeline: Pipeline) -> None:
    """The samples were sorted by their target and cut in order: validation has what training never showed."""
    x = np.concatenate([pipeline.x_train, pipeline.x_val])
    y = np.concatenate([pipeline.y_train, pipeline.y_val])
    order, cut = np.argsort(y.reshape(len(y), -1)[:, 0], kind="stable"), len(pipeline.x_train)
    pipeline.x_train, pipeline.x_val = x[order[:cut]], x[order[cut:]]
    pipeline.y_train, pipeline.y_val = y[order[:cut]], y[order[cut:]]


@_fault("no hidden activation", check="hidden activations")
def missing_activation(pipeline: Pipeline) -> None:
    """Without one, all layers together are no more than a single linear one."""
    pipeline.hidden["activation"] = None


@_fault("targets not scaled", check="labels", types=(ProblemType.REGRESSION,))
def unscaled_target(pipeline: Pipeline) -> None:
    """Prices in dollars: the network begins near 0 and has a way of 200,000 to go."""
    pipeline.y_train, pipeline.y_val = (y * np.float32(100_000) for y in (pipeline.y_train, pipeline.y_val))
