"""Pipelines as people write them, sound and broken: what `check_pipeline` is measured on.

Each function builds one from a seed: a compiled model, its data, and what `fit` is told besides. `SOUND` and `BROKEN`
hold them by name; a broken one says which check must fail, and with which words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine


@dataclass(kw_only=True)
class Example:
    """A pipeline: what goes to `check_pipeline`."""

    model: keras.Model
    x: object
    y: object
    x_val: object = None
    y_val: object = None
    fit: dict = field(default_factory=dict)

    @property
    def arrays(self) -> tuple:
        """The data in the order in which `check_pipeline` takes them."""
        return self.x, self.y, self.x_val, self.y_val


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A broken pipeline: the check that must fail, what its text must hold, and what no failed check may say."""

    build: Callable[[int], Example]
    check: str
    says: str
    never: tuple[str, ...] = ()


SOUND: dict[str, Callable[[int], Example]] = {}
BROKEN: dict[str, Fault] = {}


def sound(build: Callable[[int], Example]) -> Callable[[int], Example]:
    """Put a pipeline among the sound ones, built from a seed of its own."""

    def seeded(seed: int = 0) -> Example:
        keras.utils.set_random_seed(seed)
        return build(seed)

    SOUND[build.__name__] = seeded
    return build


def broken(check: str, says: str, never: tuple[str, ...] = ()) -> Callable:
    """Put a pipeline among the broken ones."""

    def register(build: Callable[[int], Example]) -> Callable[[int], Example]:
        def seeded(seed: int = 0) -> Example:
            keras.utils.set_random_seed(seed)
            return build(seed)

        BROKEN[build.__name__] = Fault(build=seeded, check=check, says=says, never=never)
        return build

    return register


# Data and models.


def groups(seed, classes=3, rows=400, columns=8):
    """One cloud of points a class."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    return (2 * rng.normal(size=(classes, columns))[y] + rng.normal(size=(rows, columns))).astype("float32"), y


def line(seed, rows=400, columns=6):
    """A quantity that is nearly linear in its inputs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns)).astype("float32")
    return x, (x @ rng.normal(size=columns) + 0.2 * rng.normal(size=rows)).astype("float32")


def digits(rows=600):
    """Images (rows, 8, 8) from 0 to 1, and their labels."""
    bunch = load_digits()
    return (bunch.images[:rows] / 16).astype("float32"), bunch.target[:rows]


def table(loader, seed, share=0.25):
    """A table of scikit-learn, shuffled, scaled by its training part, and cut: x, y, x_val, y_val."""
    x, y = loader(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    cut = int(len(x) * (1 - share))
    x, y = x[order], y[order]
    x = (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0)
    return x[:cut].astype("float32"), y[:cut], x[cut:].astype("float32"), y[cut:]


def words(seed, rows=400, known=50, length=12):
    """Numbers of words, and whether one of the frequent ones stands among them."""
    x = np.random.default_rng(seed).integers(1, known, (rows, length))
    return x, (x < 5).any(axis=1).astype(int)


def net(shape, outputs, last, loss, *hidden, rate=0.01, optimizer=None, **options):
    """A compiled Sequential: these layers, or one of 16 relu units, and the last one."""
    shape = shape if isinstance(shape, tuple) else (shape,)
    hidden = hidden or (layers.Dense(16, activation="relu"),)
    model = keras.Sequential([keras.Input(shape), *hidden, layers.Dense(outputs, activation=last)])
    model.compile(optimizer=optimizer or keras.optimizers.Adam(rate), loss=loss, **options)
    return model


SPARSE, ONE_HOT, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"


# Sound: tables.


@sound
def classes(seed):
    return Example(
        model=net(8, 3, "softmax", SPARSE, metrics=["accuracy"]), **dict(zip("xy", groups(seed), strict=True))
    )


@sound
def classes_one_hot_with_label_smoothing(seed):
    x, y = groups(seed)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return Example(model=net(8, 3, "softmax", loss, metrics=["accuracy"]), x=x, y=np.eye(3)[y])


@sound
def probabilities_as_targets(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", ONE_HOT), x=x, y=(0.8 * np.eye(3)[y] + 0.2 / 3).astype("float32"))


@sound
def logits_of_two_classes(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, None, keras.losses.BinaryCrossentropy(from_logits=True)), x=x, y=y)


@sound
def two_classes_by_softmax(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 2, "softmax", SPARSE), x=x, y=y)


@sound
def hinge_with_tanh(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, "tanh", "hinge"), x=x, y=2 * y - 1)


@sound
def squared_hinge_without_activation(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, None, "squared_hinge"), x=x, y=y)


@sound
def focal_loss_of_two_classes(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, "sigmoid", "binary_focal_crossentropy"), x=x, y=y)


@sound
def focal_loss_of_three_classes(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", "categorical_focal_crossentropy"), x=x, y=np.eye(3)[y])


@sound
def several_labels(seed):
    x, _ = line(seed, columns=8)
    y = (x @ np.random.default_rng(seed).normal(size=(8, 4)) > 0).astype(int)
    return Example(model=net(8, 4, "sigmoid", BINARY, metrics=["binary_accuracy"]), x=x, y=y)


@sound
def counts_with_poisson(seed):
    x, y = line(seed)
    counts = np.random.default_rng(seed).poisson(np.exp(np.clip(y, -2, 2)))
    return Example(model=net(6, 1, "exponential", "poisson"), x=x, y=counts)


@sound
def quantity(seed):
    x, y = line(seed)
    return Example(model=net(6, 1, None, "mse", metrics=["mae"]), x=x, y=y)


@sound
def quantity_of_several_columns(seed):
    x, _ = line(seed)
    y = (x @ np.random.default_rng(seed).normal(size=(6, 3))).astype("float32")
    return Example(model=net(6, 3, None, "mae", layers.Dense(32, activation="relu")), x=x, y=y)


@sound
def share_with_sigmoid(seed):
    x, y = line(seed)
    return Example(model=net(6, 1, "sigmoid", "mse"), x=x, y=(y - y.min()) / np.ptp(y))


@sound
def quantity_from_minus_one_to_one_with_tanh(seed):
    x, y = line(seed)
    return Example(model=net(6, 1, "tanh", "huber"), x=x, y=y / np.abs(y).max())


@sound
def iris(seed):
    return Example(model=net(4, 3, "softmax", SPARSE), **named(table(load_iris, seed)))


@sound
def wine(seed):
    return Example(model=net(13, 3, "softmax", SPARSE, rate=0.003), **named(table(load_wine, seed)))


@sound
def breast_cancer(seed):
    drops = layers.Dense(32, activation="relu"), layers.Dropout(0.3)
    return Example(model=net(30, 1, "sigmoid", BINARY, *drops), **named(table(load_breast_cancer, seed)))


@sound
def diabetes(seed):
    x, y, x_val, y_val = table(load_diabetes, seed)
    return Example(model=net(10, 1, None, "mse"), x=x, y=y / 100, x_val=x_val, y_val=y_val / 100)


@sound
def rare_class_with_class_weights(seed):
    x, y = groups(seed, 2, rows=800)
    kept = (y == 0) | (np.random.default_rng(seed).random(len(y)) < 0.2)
    x, y = x[kept], y[kept]
    return Example(model=net(8, 1, "sigmoid", BINARY), x=x, y=y, fit={"class_weight": {0: 1.0, 1: 5.0}})


@sound
def sorted_rows_with_validation_of_their_own(seed):
    x, y = groups(seed)
    order = np.argsort(y[:300], kind="stable")
    return Example(model=net(8, 3, "softmax", SPARSE), x=x[order], y=y[order], x_val=x[300:], y_val=y[300:])


@sound
def forty_rows(seed):
    x, y = groups(seed, 2, rows=40)
    return Example(model=net(8, 1, "sigmoid", BINARY), x=x, y=y)


# Sound: layers, models and parts of one's own.


class Mixed(layers.Layer):
    """A dense layer as a book's third chapter writes it."""

    def __init__(self, units):
        super().__init__()
        self.units = units

    def build(self, shape):
        """Make the weights."""
        self.weight = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="mixing")

    def call(self, x):
        """Mix."""
        return keras.ops.relu(x @ self.weight)


class Own(keras.Model):
    """A subclassed model whose last step is a function, with state beside its weights."""

    def __init__(self):
        super().__init__()
        self.answer = layers.Dense(3)
        self.hidden, self.norm = layers.Dense(16, activation="relu"), layers.BatchNormalization()

    def call(self, x, training=False):
        """Return a probability for each class."""
        return keras.ops.softmax(self.answer(self.norm(self.hidden(x), training=training)))


def mean_error(y_true, y_pred):
    """A loss, or a metric, of one's own."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


def bend(values):
    """An activation of one's own."""
    return values * keras.ops.sigmoid(values)


@sound
def subclassed_model_not_built(seed):
    model = Own()
    model.compile(keras.optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    return Example(model=model, **named(groups(seed)))


@sound
def subclassed_model_already_trained(seed):
    example = SOUND["subclassed_model_not_built"](seed)
    example.model.fit(example.x, example.y, verbose=0)
    return example


@sound
def everything_of_ones_own(seed):
    hidden = layers.Lambda(lambda x: x / 2), Mixed(16), layers.Dense(8, activation=bend)
    x, y = line(seed)
    return Example(model=net(6, 1, None, mean_error, *hidden, metrics=[mean_error]), x=x, y=y[:, None])


@sound
def normalization_adapted_to_raw_columns(seed):
    x, y = groups(seed)
    raw, scale = 1000 * x + 500, layers.Normalization()
    scale.adapt(raw)
    return Example(model=net(8, 3, "softmax", SPARSE, scale, layers.Dense(16, activation="relu")), x=raw, y=y)


@sound
def convnet_on_raw_pixels(seed):
    x, y = digits()
    hidden = (
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Flatten(),
    )
    return Example(model=net((8, 8, 1), 10, "softmax", SPARSE, *hidden), x=255 * x[..., None], y=y)


@sound
def learned_base_frozen_in_a_functional_model(seed):
    x, y = digits()
    base = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(32, activation="relu")])
    net((8, 8), 10, "softmax", SPARSE, base).fit(x, y, epochs=5, verbose=0)
    base.trainable = False
    inputs = keras.Input((8, 8))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(base(inputs)))
    model.compile(keras.optimizers.Adam(0.01), SPARSE)
    return Example(model=model, x=x, y=y)


@sound
def frozen_word_vectors(seed):
    x, _ = words(seed)
    vectors = np.random.default_rng(seed).normal(size=(50, 8)).astype("float32")
    look_up = layers.Embedding(50, 8, embeddings_initializer=keras.initializers.Constant(vectors), trainable=False)
    hidden = look_up, layers.GlobalAveragePooling1D(), layers.Dense(16, activation="relu")
    y = (vectors[x].mean(axis=1)[:, 0] > 0).astype(int)
    return Example(model=net(12, 1, "sigmoid", BINARY, *hidden), x=x, y=y)


@sound
def bidirectional_lstm(seed):
    x, y = words(seed)
    return Example(
        model=net(12, 1, "sigmoid", BINARY, layers.Embedding(50, 8), layers.Bidirectional(layers.LSTM(8))), x=x, y=y
    )


@sound
def gru_on_series(seed):
    x = np.random.default_rng(seed).normal(size=(400, 10, 2)).astype("float32")
    return Example(model=net((10, 2), 1, None, "mse", layers.GRU(16)), x=x, y=x[:, -3:].sum(axis=(1, 2)) / 2)


@sound
def attention_over_time(seed):
    x = np.random.default_rng(seed).normal(size=(300, 10, 3)).astype("float32")
    inputs = keras.Input((10, 3))
    seen = layers.LayerNormalization()(inputs + layers.Dense(3)(layers.MultiHeadAttention(2, 4)(inputs, inputs)))
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(seen)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return Example(model=model, x=x, y=5 * x.mean(axis=(1, 2)))


@sound
def autoencoder_of_pixels(seed):
    x, _ = digits()
    x = x.reshape(len(x), 64)
    return Example(model=net(64, 64, "sigmoid", BINARY, layers.Dense(32, activation="relu")), x=x, y=x)


@sound
def autoencoder_of_images_with_mse(seed):
    x, _ = digits()
    hidden = (
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
    )
    return Example(model=net((8, 8, 1), 1, "sigmoid", "mse", *hidden), x=x[..., None], y=x[..., None])


@sound
def two_inputs_by_name_one_of_words(seed):
    x, y = groups(seed, rows=400)
    numbers, sentence = keras.Input((8,), name="numbers"), keras.Input((4,), name="words")
    joined = layers.Concatenate()([numbers, layers.Flatten()(layers.Embedding(20, 2)(sentence))])
    model = keras.Model(
        {"numbers": numbers, "words": sentence},
        layers.Dense(3, activation="softmax")(layers.Dense(16, activation="relu")(joined)),
    )
    model.compile(keras.optimizers.Adam(0.01), SPARSE)
    drawn = np.random.default_rng(seed).integers(0, 20, (400, 4))
    return Example(model=model, x={"numbers": x, "words": drawn}, y=y)


@sound
def two_outputs_by_name(seed):
    x, y = groups(seed)
    inputs = keras.Input((8,))
    hidden = layers.Dense(16, activation="relu")(inputs)
    model = keras.Model(
        inputs, [layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden)]
    )
    model.compile(keras.optimizers.Adam(0.01), {"kind": SPARSE, "size": "mse"})
    return Example(model=model, x=x, y={"kind": y, "size": x.sum(axis=1) / 4})


@sound
def a_class_for_each_step_of_a_sequence(seed):
    x, _ = words(seed)
    model = net(12, 2, "softmax", SPARSE, layers.Embedding(50, 8), layers.Dense(16, activation="relu"))
    return Example(model=model, x=x, y=(x > 25).astype(int))


@sound
def falling_learning_rate_and_momentum(seed):
    x, y = groups(seed)
    falling = keras.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.9)
    return Example(model=net(8, 3, "softmax", SPARSE, optimizer=keras.optimizers.SGD(falling, momentum=0.9)), x=x, y=y)


def named(parts):
    """Name the parts of the data."""
    return dict(zip(("x", "y", "x_val", "y_val"), parts, strict=False))


# Broken: Keras refuses to train these, or compares what does not belong together.

SWAPPED = ("axis was swapped", "rows were dropped")


@broken("can be trained", "sparse_categorical_crossentropy", SWAPPED)
def whole_labels_with_the_loss_for_one_hot(seed):
    return Example(model=net(8, 3, "softmax", ONE_HOT), **named(groups(seed)))


@broken("can be trained", "y.argmax(axis=1)", SWAPPED)
def one_hot_labels_with_the_loss_for_whole_numbers(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=np.eye(3)[y])


@broken("can be trained", "Flatten", SWAPPED)
def flatten_forgotten(seed):
    return Example(model=net((8, 8), 10, "softmax", SPARSE), **named(digits()))


@broken("can be trained", "different forms: (300,) and (100, 3)", SWAPPED)
def labels_of_validation_in_another_form(seed):
    x, y = groups(seed)
    parts = x[:300], y[:300], x[300:], np.eye(3)[y[300:]]
    return Example(model=net(8, 3, "softmax", SPARSE), **named(parts))


@broken("can be trained", "399 inputs and 400 targets")
def a_row_dropped(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), x=x[1:], y=y)


@broken("can be trained", "reads samples of shape (5,), and these have the shape (8,)", SWAPPED)
def other_number_of_columns(seed):
    return Example(model=net(5, 3, "softmax", SPARSE), **named(groups(seed)))


@broken("can be trained", "input_dim=50", SWAPPED)
def word_number_beyond_the_embedding(seed):
    hidden = layers.Embedding(40, 8), layers.Flatten()
    return Example(model=net(12, 1, "sigmoid", BINARY, *hidden), **named(words(seed)))


@broken("can be trained", "not compiled")
def not_compiled(seed):
    return Example(model=keras.Sequential([keras.Input((8,)), layers.Dense(3)]), **named(groups(seed)))


@broken("can be trained", "A target has 1 numbers, and the network puts out 3", SWAPPED)
def quantity_behind_three_units(seed):
    x, y = line(seed)
    return Example(model=net(6, 3, None, "mse"), x=x, y=y[:, None])


# Broken: labels, targets and the end of the model.


@broken("labels", "Subtract the lowest label")
def labels_from_one(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=y + 1)


@broken("labels", "(y + 1) / 2, or y > 0", ("subtract the lowest", "counts nothing"))
def labels_minus_one_and_one(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, "sigmoid", BINARY), x=x, y=2 * y - 1)


@broken("labels", "The labels must be 0 and 1", ("subtract the lowest", "counts nothing"))
def labels_zero_and_two(seed):
    x, y = groups(seed, 2)
    return Example(model=net(8, 1, "sigmoid", BINARY), x=x, y=2 * y)


@broken("labels", "3 units with softmax", ("regression", 'loss="mse"'))
def one_softmax_unit(seed):
    return Example(model=net(8, 1, "softmax", SPARSE), **named(groups(seed)))


@broken("labels", "3 units with softmax", ("regression", 'loss="mse"'))
def three_classes_behind_a_sigmoid(seed):
    return Example(model=net(8, 1, "sigmoid", BINARY), **named(groups(seed)))


@broken("labels", "Give the last layer 5 units")
def fewer_outputs_than_classes(seed):
    return Example(model=net(8, 3, "softmax", SPARSE), **named(groups(seed, 5)))


@broken("labels", "Give the last layer 3 units")
def more_outputs_than_classes(seed):
    return Example(model=net(8, 10, "softmax", SPARSE), **named(groups(seed)))


@broken("finite numbers", "y_train holds 1", ("regression", 'loss="mse"', *SWAPPED))
def a_label_is_missing(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=np.where(np.arange(400) == 5, np.nan, y))


@broken("finite numbers", "column 2 (7)", SWAPPED)
def a_column_with_gaps(seed):
    x, y = groups(seed)
    x[:7, 2] = np.nan
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=y)


@broken("last activation", "Leave out the activation")
def sigmoid_for_any_quantity(seed):
    return Example(model=net(6, 1, "sigmoid", "mse"), **named(line(seed)))


@broken("last activation", 'activation="exponential"')
def poisson_without_activation(seed):
    x, y = line(seed)
    counts = np.random.default_rng(seed).poisson(np.exp(np.clip(y, -2, 2)))
    return Example(model=net(6, 1, None, "poisson"), x=x, y=counts)


@broken("loss", "Leave out from_logits=True")
def softmax_twice(seed):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Example(model=net(8, 3, "softmax", loss), **named(groups(seed)))


@broken("loss", "binary_crossentropy")
def squared_error_of_labels(seed):
    return Example(model=net(8, 1, "sigmoid", "mse"), **named(groups(seed, 2)))


@broken("metrics", "says nothing of a quantity: take mae")
def accuracy_of_a_quantity(seed):
    return Example(model=net(6, 1, None, "mse", metrics=["accuracy"]), **named(line(seed)))


@broken("metrics", "says nothing of a class: take accuracy")
def mean_error_of_classes(seed):
    return Example(model=net(8, 3, "softmax", SPARSE, metrics=["mae"]), **named(groups(seed)))


# Broken: rows, columns and weights.


@broken("order of rows", "Shuffle first")
def sorted_rows_with_validation_split(seed):
    x, y = groups(seed)
    order = np.argsort(y, kind="stable")
    return Example(model=net(8, 3, "softmax", SPARSE), x=x[order], y=y[order], fit={"validation_split": 0.2})


@broken("order of rows", "Shuffle first")
def sorted_rows_alone(seed):
    x, y = groups(seed)
    order = np.argsort(y, kind="stable")
    return Example(model=net(8, 3, "softmax", SPARSE), x=x[order], y=y[order])


@broken("class balance", "upside down")
def class_weights_upside_down(seed):
    example = SOUND["rare_class_with_class_weights"](seed)
    example.fit = {"class_weight": {0: 5.0, 1: 1.0}}
    return example


@broken("inputs vary", "column 3 is constant")
def a_constant_column(seed):
    x, y = groups(seed)
    x[:, 3] = 7
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=y)


@broken("inputs vary", "column 5 repeats column 1")
def a_column_twice(seed):
    x, y = groups(seed)
    x[:, 5] = x[:, 1]
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=y)


@broken("target among inputs", "Column 4")
def labels_among_the_inputs(seed):
    x, y = groups(seed)
    x[:, 4] = 10 * y - 3
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=y)


@broken("target among inputs", "Column 2")
def quantity_among_the_inputs_in_other_units(seed):
    x, y = line(seed)
    x[:, 2] = 0.7 * y + 1
    return Example(model=net(6, 1, None, "mse"), x=x, y=y)


@broken("input scale", "not scaled")
def columns_in_thousands(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), x=1000 * x, y=y)


@broken("validation inputs", "prepared otherwise")
def validation_not_scaled(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), **named((x[:300], y[:300], 100 * x[300:] + 50, y[300:])))


@broken("duplicates", "overlap")
def rows_in_both_parts(seed):
    x, y = groups(seed)
    return Example(model=net(8, 3, "softmax", SPARSE), **named((x[:300], y[:300], x[200:], y[200:])))


@broken("zero input", "do not belong to their targets")
def targets_of_other_rows(seed):
    x, y = groups(seed, rows=1000)
    return Example(model=net(8, 3, "softmax", SPARSE), x=x, y=np.random.default_rng(seed).permutation(y))


@broken("frozen layers", "hold random numbers")
def frozen_at_birth(seed):
    x, y = digits()
    base = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(32, activation="relu")])
    base.trainable = False
    return Example(model=net((8, 8), 10, "softmax", SPARSE, base), x=x, y=y)


@broken("dead units", "put out the same number")
def dead_units_in_a_subclassed_model(seed):
    model = Own()
    model.hidden = layers.Dense(16, activation="relu", bias_initializer=keras.initializers.Constant(-30.0))
    model.compile("adam", SPARSE)
    return Example(model=model, **named(groups(seed)))


@broken("hidden activations", 'activation="relu"')
def no_activation_in_a_functional_model(seed):
    inputs = keras.Input((8,))
    hidden = layers.Dropout(0.2)(layers.Dense(16)(inputs))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile("adam", SPARSE)
    return Example(model=model, **named(groups(seed)))


@broken("dropout", "share that is dropped")
def dropout_of_nearly_all(seed):
    hidden = layers.Dense(64, activation="relu"), layers.Dropout(0.95)
    return Example(model=net(8, 3, "softmax", SPARSE, *hidden), **named(groups(seed)))


@broken("learning rate", "too low")
def rate_far_too_small(seed):
    return Example(model=net(8, 3, "softmax", SPARSE, rate=1e-6), **named(groups(seed)))


@broken("learning rate", "too high")
def rate_far_too_large(seed):
    return Example(model=net(8, 3, "softmax", SPARSE, rate=30.0), **named(groups(seed)))
