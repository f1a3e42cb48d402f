"""What the tests of the generated programs stand on: data in Keras's own layouts, and the specs that are run."""

import contextlib
import io
import re

import numpy as np
import pytest

from recipe.core.dataset import Dataset, SealedTest
from recipe.core.prepared import encoding_for
from recipe.core.reviews import Reviews
from recipe.core.spec import ACTIVATIONS, LAST_ACTIVATIONS, OPTIMIZERS, ModelSpec
from recipe.data.load import load, make_sample
from recipe.data.problems import dataset_of, find_problem
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

ROWS = 500  # samples in each file of Keras's; the sample form takes the whole sample
RARE_WORD = 12_345  # beyond the 10,000 words that are kept


def keras_arrays(base):
    """The sample's data in the arrays that Keras's own file of that name holds."""
    raw = make_sample(base)
    if base == "housing":
        return {"x": raw["x"][:700], "y": raw["y"][:700]}
    if base == "mnist":
        large = np.kron(raw["x_train"][:ROWS] * np.uint8(15), np.ones((1, 3, 3), np.uint8))
        x, y = np.pad(large, [(0, 0), (2, 2), (2, 2)]), raw["y_train"][:ROWS]
    else:
        reviews = Reviews(tokens=raw["train_tokens"], offsets=raw["train_offsets"].astype(np.int64))
        x, y = np.empty(ROWS, object), raw["train_labels"][:ROWS].astype(np.int64)
        for row in range(ROWS):
            x[row] = [RARE_WORD, *reviews[row].tolist()]
    return {"x_train": x, "y_train": y, "x_test": x[:9], "y_test": y[:9]}


def shuffled_by_keras(*columns):
    """Keras shuffles housing and reviews on loading, by the same generator."""
    order = np.arange(len(columns[0]))
    np.random.RandomState(113).shuffle(order)
    return [column[order] for column in columns]


def from_keras_file(name, arrays):
    """What the kit would load from these files: inputs and targets, made here by hand."""
    content = arrays[dataset_of(name)]
    if name == "imdb":
        texts, y = shuffled_by_keras(content["x_train"], content["y_train"])
        offsets = np.cumsum([0, *map(len, texts)])
        return Reviews(tokens=np.concatenate(list(texts)).astype(np.uint32), offsets=offsets), y
    if name.startswith("mnist"):
        x, digits = content["x_train"], content["y_train"]
        loops = np.array([digit in (0, 6, 8, 9) for digit in digits])
        many = np.column_stack([digits % 2 == 0, digits > 4, loops])
        return x, {"mnist": digits, "mnist_five": digits == 5, "mnist_multilabel": many}[name].astype(np.uint8)
    x, y = (part[:480] for part in shuffled_by_keras(content["x"][:600], content["y"][:600]))
    income = np.column_stack([y, x[:, 7]])
    targets = {"housing": y, "housing_fraction": y / np.float32(500_001), "housing_vector": income}
    return (x[:, :7] if name == "housing_vector" else x), targets[name]


def load_as_kit(name, source, arrays):
    if source == "sample":
        return load(name, source="sample")
    x, y = from_keras_file(name, arrays)
    return Dataset(
        problem=find_problem(name),
        x_train=x,
        y_train=y,
        test=SealedTest(x[:1], y[:1]),
        source="local",
        provenance="made for this test",
        reason="made for this test",
    )


def prepare_as_program(spec, dataset):
    """The kit's preparation of the split that the program makes, too."""
    return prepare(hold_out(dataset), encoding=encoding_for(spec, dataset.problem))


def train_with_each_seed(program, seeds):
    """Run a program with each of these seeds in place of its own: its model after each training, with its history.

    The first network is trained with the first weights of each: to compile each anew takes ten times as long.
    """
    seeded, fit = r"keras\.utils\.set_random_seed\(\d+\)", "history = model.fit("
    data, network, training = re.split(rf"(?={seeded})|(?={re.escape(fit)})", program)
    found, first = {}, None
    with contextlib.redirect_stdout(io.StringIO()):
        exec(data, found)
        for seed in seeds:
            exec(re.sub(seeded, f"keras.utils.set_random_seed({seed})", network), found)
            first, weights = first or found["model"], found["model"].get_weights()
            first.set_weights(weights)
            for state in first.optimizer.variables:
                if state is not first.optimizer.learning_rate:
                    state.assign(np.zeros(state.shape))
            exec(training, found | {"model": first})
            yield first


MLP = {"hidden_units": (8, 6)}
CONVNET = {"architecture": "convnet", "hidden_units": (4, 3)}
EMBEDDING = {"architecture": "embedding", "hidden_units": (6, 5)}
LINEAR = {"architecture": "linear"}
# Every architecture and kind of problem, early stopping with and without a penalty, and what lessons show as mistakes.
PROGRAMS = [
    ("mnist", CONVNET | {"dropout": 0.25, "l1": 1e-5, "l2": 1e-4}),
    ("imdb", LINEAR),
    ("imdb", MLP | {"patience": 1, "l2": 1e-3}),
    ("imdb", EMBEDDING | {"dropout": 0.5, "l2": 0.01, "patience": 1}),
    ("housing", LINEAR | {"l2": 0.1, "dropout": 0.5, "patience": 1}),
    ("housing", MLP | {"dropout": 0.5, "l1": 0.01, "l2": 0.001, "loss": "mae", "patience": 1}),
    ("mnist_five", MLP | {"l2": 0.01, "patience": 1}),
    ("mnist_multilabel", LINEAR),
    ("mnist_multilabel", MLP | {"last_activation": "softmax", "patience": 1}),
    ("housing_fraction", MLP | {"loss": "binary_crossentropy"}),
    ("housing_vector", MLP | {"l1": 0.01, "patience": 2}),
    ("mnist", MLP | {"last_activation": "sigmoid", "loss": "mse"}),
    ("mnist", MLP | {"loss": "categorical_crossentropy", "l2": 1e-3, "patience": 1}),
    *[
        ("mnist", MLP | {"activation": activation, "optimizer": optimizer})
        for activation, optimizer in zip(ACTIVATIONS, OPTIMIZERS, strict=False)
    ],
    *[("mnist", MLP | {"last_activation": name}) for name in LAST_ACTIVATIONS],
]
# The same once more, in other company: for the slow tests. An activation is one name in the program, whichever it is.
REPEATED = [
    *[("mnist", MLP | {"activation": name}) for name in ACTIVATIONS[len(OPTIMIZERS) :]],
    ("imdb", EMBEDDING | {"hidden_units": (6,), "l2": 0.1, "patience": 1}),
    ("mnist_five", CONVNET | {"patience": 3}),
    ("housing_fraction", LINEAR),
    ("housing_vector", LINEAR),
    *[("mnist", MLP | {"optimizer": name, "learning_rate": 0.002, "seed": 7}) for name in OPTIMIZERS],
]


def cases():
    """Each program loads its data in one of both forms, in turn."""
    found = []
    for number, (name, values) in enumerate(PROGRAMS + REPEATED):
        spec, source = ModelSpec(**({"epochs": 1, "batch_size": 64} | values)), ("download", "sample")[number % 2]
        marks = [pytest.mark.slow] if number >= len(PROGRAMS) else []
        found.append(pytest.param(name, spec, source, id=f"{name}-{source}-{spec.describe()}", marks=marks))
    return found
