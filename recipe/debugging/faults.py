"""Pipelines from the data to a compiled model: sound ones, and each way in which one is broken for practice.

Each fault happens to people who know better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared
from recipe.core.problem import KINDS, Problem, ProblemType
from recipe.core.reviews import Reviews
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.engine.compile_cache import use_compile_cache
from recipe.engine.models import fixed_seed
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

if TYPE_CHECKING:
    import keras

HIDDEN = MappingProxyType({"image": (64, 32), "text": (16, 16), "table": (64, 64)})
ROWS = 2_500  # of images and texts, of which a fifth is for validation
INDEX_SHIFT = 3  # by which Keras's own review files number their words otherwise than their word list does


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


class Draft:
    """The arrays of a pipeline while a fault works on them; at first they are sound."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.split: Split = hold_out(dataset, seed=seed)
        self.prepared: Prepared = prepare(self.split)
        self.problem, self.rng = self.prepared.problem, np.random.default_rng(seed)
        self.x_train, self.y_train = self.prepared.inputs("train"), self.prepared.y_train
        self.x_val, self.y_val = self.prepared.inputs("val"), self.prepared.y_val


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break a pipeline.

    Attributes
    ----------
    name : short, the key of `FAULTS`
    title : what is wrong, in a few words
    text : what it is and how it happens
    mend : how to mend it
    check : the name of the check that tells it, in `recipe.debugging.CHECKS`; others may find it, too
    kinds, types : of input and of problem that it can break
    """

    name: str
    title: str
    text: str
    mend: str
    check: str
    kinds: tuple[str, ...] = KINDS
    types: tuple[ProblemType, ...] = tuple(ProblemType)
    _check_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    _network: Callable[[Network, Problem], Network] | None = field(default=None, repr=False)
    _arrays: Callable[[Draft], None] | None = field(default=None, repr=False)

    def suits(self, problem: Problem) -> bool:
        """Say whether it can break a pipeline of this problem."""
        return problem.kind in self.kinds and problem.type in self.types

    def check_for(self, problem: Problem) -> str:
        """Return the name of the check that tells it on this problem."""
        return self._check_of.get(problem.kind, self.check)


def make_pipeline(problem: str | Dataset, fault: str | None = None, seed: int = 0, *, source: str = "auto") -> Pipeline:
    """Return a pipeline that is sound, or broken in one way.

    Parameters
    ----------
    problem : a name that `load` knows, such as ``"mnist"``, or any dataset
    fault : a name of `FAULTS`; None for a sound pipeline
    seed : of the split, of the first weights and of what the fault draws
    source : of the data, where a name is given (see `recipe.load`)

    Raises
    ------
    ValueError
        If there is no such problem or fault, or the fault cannot break this problem.

    Examples
    --------
    >>> pipeline = make_pipeline("housing", "labels_out_of_step", source="sample")
    >>> pipeline.x_train.shape[1:], pipeline.model.loss
    ((8,), 'mse')
    """
    dataset = load_for(problem, source) if isinstance(problem, str) else problem
    broken, row = _find(fault, dataset.problem), dataset.problem.last_layer
    network = Network(hidden=HIDDEN[dataset.problem.kind], last_activation=row.activation, loss=row.loss)
    if broken is not None and broken._network is not None:
        network = broken._network(network, dataset.problem)
    draft = Draft(dataset, seed)
    if broken is not None and broken._arrays is not None:
        broken._arrays(draft)
    return Pipeline(
        problem=draft.problem,
        model=_build(network, draft.x_train.shape[1:], draft.problem.outputs, seed),
        x_train=draft.x_train,
        y_train=draft.y_train,
        x_val=draft.x_val,
        y_val=draft.y_val,
        source=draft.prepared.source,
        seed=seed,
        fault=fault or "",
    )


def load_for(name: str, source: str) -> Dataset:
    """Load the dataset of a pipeline: a part of it, but all rows of a table, whose first ones may lie in one corner."""
    return load(name, source=source, rows=None if find_problem(name).kind == "table" else ROWS)


def faults_of(problem: Problem) -> tuple[str, ...]:
    """Return the names of the faults that can break a problem."""
    return tuple(name for name, fault in FAULTS.items() if fault.suits(problem))


def _find(fault: str | None, problem: Problem) -> Fault | None:
    if fault is None:
        return None
    if fault not in FAULTS:
        raise ValueError(f"There is no such fault. Received: fault={fault!r}. Choose from {', '.join(FAULTS)}.")
    if not FAULTS[fault].suits(problem):
        raise ValueError(
            f"This fault cannot break a {problem.type} from a{'n' * (problem.kind == 'image')} {problem.kind}. "
            f"Received: fault={fault!r} for {problem.name}. Choose from {', '.join(faults_of(problem))}."
        )
    return FAULTS[fault]


def _build(network: Network, shape: tuple[int, ...], outputs: int, seed: int) -> keras.Model:
    """Return the compiled model, as one would write it by hand."""
    import keras

    if keras.config.backend() == "jax":
        use_compile_cache()
    with fixed_seed(seed):
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


# How a fault breaks the arrays.


def _raise_labels(draft: Draft) -> None:
    """Number the classes from 1."""
    draft.y_train, draft.y_val = (y.astype(np.int64) + 1 for y in (draft.y_train, draft.y_val))


def _leave_unscaled(draft: Draft) -> None:
    """Take pixels, columns and the numbers of words as they are."""
    raw = draft.split.x_train, draft.split.x_val
    if isinstance(raw[0], Reviews):
        raw = [part.sequences(length=256, num_words=draft.problem.num_words) for part in raw]
    draft.x_train, draft.x_val = (part.astype(np.float32) for part in raw)


def _mix_axes(draft: Draft) -> None:
    """Normalise a table by row; reshape everything else as if samples stood in columns."""
    for name in ("x_train", "x_val"):
        x = getattr(draft, name)
        if draft.problem.kind == "table":
            raw = getattr(draft.split, name).astype(np.float64)
            mixed = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, keepdims=True)
        else:
            mixed = np.ascontiguousarray(x.reshape(len(x), -1).T).reshape(x.shape)
        setattr(draft, name, mixed.astype(np.float32))


def _shuffle_targets(draft: Draft) -> None:
    """Shuffle the training targets without their inputs."""
    draft.y_train = draft.y_train[draft.rng.permutation(len(draft.y_train))]


def _leak(draft: Draft) -> None:
    """Put copies of training samples into half of the validation part."""
    size = len(draft.x_val)
    copied = draft.rng.permutation(len(draft.x_train))[: size // 2]
    draft.x_val = np.concatenate([draft.x_val[: size - len(copied)], draft.x_train[copied]])
    draft.y_val = np.concatenate([draft.y_val[: size - len(copied)], draft.y_train[copied]])


def _prepare_otherwise(draft: Draft) -> None:
    """Leave validation unscaled, or number its words otherwise."""
    is_text = draft.problem.kind == "text"
    draft.x_val = np.roll(draft.x_val, INDEX_SHIFT, axis=1) if is_text else draft.split.x_val.astype(np.float32)


def _lose_values(draft: Draft) -> None:
    """Put five NaN into the training inputs."""
    draft.x_train = draft.x_train.astype(np.float32)
    flat = draft.x_train.reshape(-1)
    flat[draft.rng.choice(flat.size, size=5, replace=False)] = np.nan


def _sort(draft: Draft) -> None:
    """Sort all samples by their target, and cut in order."""
    x = np.concatenate([draft.x_train, draft.x_val])
    y = np.concatenate([draft.y_train, draft.y_val])
    order, cut = np.argsort(y.reshape(len(y), -1)[:, 0], kind="stable"), len(draft.x_train)
    x, y = x[order], y[order]
    draft.x_train, draft.y_train, draft.x_val, draft.y_val = x[:cut], y[:cut], x[cut:], y[cut:]


def _leave_target_unscaled(draft: Draft) -> None:
    """Take prices in dollars."""
    draft.y_train, draft.y_val = (y * np.float32(100_000) for y in (draft.y_train, draft.y_val))


def _as_column(draft: Draft) -> None:
    """Make class labels a column: it is compared with all outputs, and nothing complains."""
    if draft.problem.type is ProblemType.MULTICLASS:
        draft.y_train, draft.y_val = draft.y_train[:, None], draft.y_val[:, None]


_CLASSES = (ProblemType.BINARY, ProblemType.MULTICLASS)
_WRONG_ACTIVATION = MappingProxyType(
    {
        ProblemType.MULTICLASS: None,
        ProblemType.BINARY: "relu",
        ProblemType.MULTILABEL: "softmax",
        ProblemType.REGRESSION: "sigmoid",
        ProblemType.BOUNDED_REGRESSION: "relu",
    }
)
_WRONG_LOSS = MappingProxyType(
    {
        ProblemType.MULTICLASS: "mse",
        ProblemType.BINARY: "categorical_crossentropy",
        ProblemType.MULTILABEL: "categorical_crossentropy",
        ProblemType.REGRESSION: "binary_crossentropy",
        ProblemType.BOUNDED_REGRESSION: "categorical_crossentropy",
    }
)

_FAULTS = (
    Fault(
        name="labels_off_by_one",
        check="labels",
        title="labels off by one",
        text="The classes are numbered from 1, as people count, where the network counts from 0.",
        mend="Subtract the lowest label, so that the first class is 0.",
        types=_CLASSES,
        _arrays=_raise_labels,
    ),
    Fault(
        name="unscaled_input",
        check="input scale",
        title="inputs not scaled",
        text="Pixels from 0 to 255, columns in their own units, or the numbers of words taken for quantities.",
        mend="Divide pixels by 255, normalise columns, encode words as multi-hot.",
        _arrays=_leave_unscaled,
    ),
    Fault(
        name="wrong_axis",
        check="shuffled labels",
        _check_of={"table": "axis of scaling"},
        title="wrong axis",
        text="A transposition or a reshape mixed the samples, or columns were normalised along the rows.",
        mend="Keep samples on axis 0; take mean and spread of a table along axis=0. Look at a few samples.",
        _arrays=_mix_axes,
    ),
    Fault(
        name="labels_out_of_step",
        check="zero input",
        title="targets out of step",
        text="Samples or targets were shuffled, sorted or filtered alone: each sample has another one's target.",
        mend="Shuffle both by one permutation: order = rng.permutation(n); x[order], y[order].",
        _arrays=_shuffle_targets,
    ),
    Fault(
        name="frozen_layers",
        check="frozen layers",
        title="frozen layers",
        text="The hidden layers were set to trainable=False, and stay at the random weights they were born with.",
        mend="Set layer.trainable = True and compile anew.",
        _network=lambda network, problem: replace(network, trainable=False),
    ),
    Fault(
        name="rate_too_high",
        check="learning rate",
        title="learning rate too high",
        text="The steps are so long that they jump over every valley.",
        mend="Go down by factors of 10 until the loss falls steadily.",
        _network=lambda network, problem: replace(network, learning_rate=3.0),
    ),
    Fault(
        name="rate_too_low",
        check="learning rate",
        title="learning rate too low",
        text="The steps are so short that training would take days.",
        mend="Go up by factors of 10 until the loss explodes, then back by 10.",
        _network=lambda network, problem: replace(network, learning_rate=1e-6),
    ),
    Fault(
        name="wrong_last_activation",
        check="last activation",
        title="wrong last activation",
        text="The last layer cannot put out what the problem wants: no softmax for classes, relu for yes or no, "
        "sigmoid for dollars.",
        mend="Softmax for classes, sigmoid for yes or no, none for quantities.",
        _network=lambda network, problem: replace(network, last_activation=_WRONG_ACTIVATION[problem.type]),
    ),
    Fault(
        name="wrong_loss",
        check="loss",
        title="wrong loss",
        text="The loss compares something else than the problem asks: mse on class numbers, a loss for several "
        "classes on one output, cross-entropy on dollars.",
        mend="Take the loss of the table in lesson 1 for this type of problem.",
        _network=lambda network, problem: replace(network, loss=_WRONG_LOSS[problem.type]),
        _arrays=_as_column,
    ),
    Fault(
        name="leak",
        check="duplicates",
        title="samples in both parts",
        text="Half of the validation samples stand in the training part, too: data were copied before the split.",
        mend="Drop duplicates, then split, and copy (augment, oversample) the training part alone.",
        _arrays=_leak,
    ),
    Fault(
        name="validation_prepared_otherwise",
        check="validation inputs",
        title="validation prepared otherwise",
        text="Scaling was forgotten on the validation part, or its words are numbered otherwise.",
        mend="Fit the preparation on the training part, and apply that same one to every other part.",
        _arrays=_prepare_otherwise,
    ),
    Fault(
        name="dead_units",
        check="dead units",
        title="dead units",
        text="The biases begin far below 0, so that every relu is 0 for every sample and has no gradient.",
        mend="Take Keras's default initializers: biases of 0.",
        _network=lambda network, problem: replace(network, bias=-30.0),
    ),
    Fault(
        name="dropout_too_strong",
        check="dropout",
        title="dropout of 0.95",
        text="The share that is kept was given where the share that is dropped is meant.",
        mend="Take 0.2 to 0.5, and no dropout before the model overfits.",
        _network=lambda network, problem: replace(network, dropout=0.95),
    ),
    Fault(
        name="nan_in_input",
        check="finite numbers",
        title="NaN among the inputs",
        text="Five numbers of the training part are missing.",
        mend="Fill or drop missing values in step 4.",
        _arrays=_lose_values,
    ),
    Fault(
        name="sorted_data",
        check="validation targets",
        title="sorted before the split",
        text="The samples were sorted by their target and cut in order: validation has what training never showed.",
        mend="Shuffle before splitting, both parts by one permutation.",
        _arrays=_sort,
    ),
    Fault(
        name="missing_activation",
        check="hidden activations",
        title="no hidden activation",
        text="Without one, all layers together are no more than a single linear one.",
        mend='Give the hidden layers activation="relu".',
        _network=lambda network, problem: replace(network, activation=None),
    ),
    Fault(
        name="unscaled_target",
        check="labels",
        title="targets not scaled",
        text="Prices in dollars: the network begins near 0 and has a way of 200,000 to go.",
        mend="Divide the targets by 100,000 and say the error in hundred thousand dollars.",
        types=(ProblemType.REGRESSION,),
        _arrays=_leave_target_unscaled,
    ),
)
FAULTS = MappingProxyType({fault.name: fault for fault in _FAULTS})
