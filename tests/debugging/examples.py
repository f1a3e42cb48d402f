"""Pipelines as people write them, sound and broken: what `check_pipeline` is measured on.

Each function builds one: a compiled model and its data, as an `Example` where `fit` is told more. `SOUND` and `BROKEN`
hold them by name, to be built from a seed; a broken one says which check must fail, and with which words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import fixes
import keras
import numpy as np
from keras import layers
from sklearn import datasets
from sklearn.feature_extraction.image import extract_patches_2d


@dataclass
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
    """A broken pipeline: the check that must fail, what its text must hold, what mends it, and what nothing may say."""

    build: Callable[[int], Example]
    check: str
    says: str
    fix: Callable[[Example, str], None] | None
    never: tuple[str, ...] = ()


SOUND: dict[str, Callable[[int], Example]] = {}
BROKEN: dict[str, Fault] = {}


def sound(data: Callable | None = None, *args: object, **options: object) -> Callable:
    """Put a pipeline on such data among the sound ones, built from seeds of its own: no two draw the same rows."""

    def register(build: Callable) -> Callable:
        SOUND[build.__name__] = from_seed(build, data, *args, first=1_000 * len(SOUND), **options)
        return build

    return register


def broken(check: str, says: str, fix: Callable | None, data: Callable | None = None, *args, never=(), **options):
    """Put a pipeline on such data among the broken ones."""

    def register(build: Callable) -> Callable:
        seeded = from_seed(build, data, *args, **options)
        BROKEN[build.__name__] = Fault(build=seeded, check=check, says=says, fix=fix, never=never)
        return build

    return register


def from_seed(
    build: Callable, data: Callable | None, *args: object, first: int = 0, **options: object
) -> Callable[[int], Example]:
    """Return what builds an example from a seed; a function is handed what it asks for: x, y, x_val, y_val, seed."""

    def seeded(seed: int = 0) -> Example:
        keras.utils.set_random_seed(seed)
        parts = data(first + seed, *args, **options) if data else ()
        given = {"seed": first + seed} | dict(zip(("x", "y", "x_val", "y_val"), parts, strict=False))
        made = build(**{name: given[name] for name in inspect.signature(build).parameters})
        return made if isinstance(made, Example) else Example(*made)

    return seeded


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


def shares(seed, columns, favoured=0.0):
    """Shares of a whole that depend on the inputs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 6)).astype("float32")
    strength = np.exp(x @ rng.normal(size=(6, columns)) + favoured * (np.arange(columns) == 0))
    return x, strength / strength.sum(axis=1, keepdims=True)


def digits(seed, rows=600):
    """Images (rows, 8, 8) from 0 to 1, and their labels."""
    bunch = datasets.load_digits()
    drawn = np.random.default_rng(seed).permutation(len(bunch.target))[:rows]
    return (bunch.images[drawn] / 16).astype("float32"), bunch.target[drawn]


def shapes(seed, rows=600):
    """Noisy images (rows, 12, 12), around 0 to 1, of a lying line, a standing one or a cross, and which it is."""
    rng = np.random.default_rng(seed)
    y, row, column = rng.integers(0, 3, rows), *rng.integers(2, 10, (2, rows))
    drawn = np.zeros((rows, 12, 12))
    drawn[y != 1, row[y != 1], :] = 1
    drawn[y != 0, :, column[y != 0]] = 1
    return (drawn + 0.2 * rng.normal(size=drawn.shape)).astype("float32"), y


def patches(seed, rows=600):
    """Pieces (rows, 8, 8) of a grey photograph, from 0 to 1."""
    return extract_patches_2d(
        datasets.load_sample_image("china.jpg").mean(axis=-1) / 255, (8, 8), max_patches=rows, random_state=seed
    )


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


def relu(units, **options):
    return layers.Dense(units, activation="relu", **options)


def net(shape, outputs, last, loss, *hidden, rate=0.01, optimizer=None, **options):
    """A compiled Sequential: these layers, or one of 16 relu units, and the last one."""
    shape = shape if isinstance(shape, tuple) else (shape,)
    hidden = hidden or (relu(16),)
    model = keras.Sequential([keras.Input(shape), *hidden, layers.Dense(outputs, activation=last)])
    model.compile(optimizer=optimizer or keras.optimizers.Adam(rate), loss=loss, **options)
    return model


SPARSE, ONE_HOT, BINARY = "sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy"


# Sound: tables.


@sound(groups)
def classes(x, y):
    return net(8, 3, "softmax", SPARSE, metrics=["accuracy"]), x, y


@sound(groups)
def classes_one_hot_with_label_smoothing(x, y):
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return net(8, 3, "softmax", loss, metrics=["accuracy"]), x, np.eye(3)[y]


@sound(groups)
def probabilities_as_targets(x, y):
    return net(8, 3, "softmax", ONE_HOT), x, (0.8 * np.eye(3)[y] + 0.2 / 3).astype("float32")


@sound(shares, 3)
def shares_of_three_by_their_divergence(x, y):
    return net(6, 3, "softmax", "kl_divergence", metrics=["mae"]), x, y


@sound(shares, 10, favoured=6.0)
def shares_of_ten_of_which_one_is_always_the_largest(x, y):
    return net(6, 10, "softmax", keras.losses.KLDivergence()), x, y


@sound(shares, 2)
def shares_of_two_by_squared_error(x, y):
    return net(6, 2, "softmax", "mse"), x, y


@sound(groups)
def mixed_images_with_mixed_labels(x, y, seed):
    rng = np.random.default_rng(seed)
    other, weight = rng.permutation(len(x)), rng.beta(0.4, 0.4, (len(x), 1))
    x, y = (weight * part + (1 - weight) * part[other] for part in (x, np.eye(3)[y]))
    return net(8, 3, "softmax", ONE_HOT, metrics=["accuracy"]), x.astype("float32"), y


@sound(groups, 2)
def logits_of_two_classes(x, y):
    return net(8, 1, None, keras.losses.BinaryCrossentropy(from_logits=True)), x, y


@sound(groups, 2)
def two_classes_by_softmax(x, y):
    return net(8, 2, "softmax", SPARSE), x, y


@sound(groups, 2)
def hinge_with_tanh(x, y):
    return net(8, 1, "tanh", "hinge"), x, 2 * y - 1


@sound(groups, 2)
def squared_hinge_without_activation(x, y):
    return net(8, 1, None, "squared_hinge"), x, y


@sound(groups, 2)
def focal_loss_of_two_classes(x, y):
    return net(8, 1, "sigmoid", "binary_focal_crossentropy"), x, y


@sound(groups)
def focal_loss_of_three_classes(x, y):
    return net(8, 3, "softmax", "categorical_focal_crossentropy"), x, np.eye(3)[y]


@sound()
def several_labels(seed):
    x, _ = line(seed, columns=8)
    y = (x @ np.random.default_rng(seed).normal(size=(8, 4)) > 0).astype(int)
    return net(8, 4, "sigmoid", BINARY, metrics=["binary_accuracy"]), x, y


@sound(line)
def counts_with_poisson(x, y, seed):
    counts = np.random.default_rng(seed).poisson(np.exp(np.clip(y, -2, 2)))
    return net(6, 1, "exponential", "poisson"), x, counts


@sound(line)
def quantity(x, y):
    return net(6, 1, None, "mse", metrics=["mae"]), x, y


@sound()
def friedman_one_in_its_own_units(seed):
    x, y = datasets.make_friedman1(800, noise=1.0, random_state=seed)
    hidden = relu(64), relu(64)
    return net(10, 1, None, "mse", *hidden, metrics=["mae"]), x, y


@sound(line)
def quantity_around_fifty(x, y):
    return net(6, 1, None, "mae", relu(64)), x, 50 + 10 * y


@sound(line)
def quantity_of_hundredths(x, y):
    return net(6, 1, None, "mse", rate=0.001), x, y / 50


@sound(line)
def quantity_with_outliers(x, y):
    return net(6, 1, None, "mae"), x, np.where(np.arange(len(y)) % 40 == 0, 8 * y, y)


@sound()
def quantity_of_several_columns(seed):
    x, _ = line(seed)
    y = (x @ np.random.default_rng(seed).normal(size=(6, 3))).astype("float32")
    return net(6, 3, None, "mae", relu(32)), x, y


@sound(line)
def share_with_sigmoid(x, y):
    return net(6, 1, "sigmoid", "mse"), x, (y - y.min()) / np.ptp(y)


@sound(line)
def quantity_from_minus_one_to_one_with_tanh(x, y):
    return net(6, 1, "tanh", "huber"), x, y / np.abs(y).max()


@sound()
def iris(seed):
    return net(4, 3, "softmax", SPARSE), *table(datasets.load_iris, seed)


@sound()
def wine(seed):
    return net(13, 3, "softmax", SPARSE, rate=0.003), *table(datasets.load_wine, seed)


@sound()
def breast_cancer(seed):
    drops = relu(32), layers.Dropout(0.3)
    return net(30, 1, "sigmoid", BINARY, *drops), *table(datasets.load_breast_cancer, seed)


@sound()
def diabetes(seed):
    x, y, x_val, y_val = table(datasets.load_diabetes, seed)
    return net(10, 1, None, "mse"), x, y / 100, x_val, y_val / 100


@sound()
def rare_class_with_class_weights(seed):
    x, y = groups(seed, 2, rows=800)
    kept = (y == 0) | (np.random.default_rng(seed).random(len(y)) < 0.2)
    x, y = x[kept], y[kept]
    return Example(net(8, 1, "sigmoid", BINARY), x=x, y=y, fit={"class_weight": {0: 1.0, 1: 5.0}})


@sound(groups)
def sorted_rows_with_validation_of_their_own(x, y):
    order = np.argsort(y[:300], kind="stable")
    return net(8, 3, "softmax", SPARSE), x[order], y[order], x[300:], y[300:]


@sound(groups, 2, rows=40)
def forty_rows(x, y):
    return net(8, 1, "sigmoid", BINARY), x, y


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
        self.hidden, self.norm = relu(16), layers.BatchNormalization()

    def call(self, x, training=False):
        """Return a probability for each class."""
        return keras.ops.softmax(self.answer(self.norm(self.hidden(x), training=training)))


def mean_error(y_true, y_pred):
    """A loss, or a metric, of one's own."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


def bend(values):
    """An activation of one's own."""
    return values * keras.ops.sigmoid(values)


@sound(groups)
def subclassed_model_not_built(x, y):
    model = Own()
    model.compile(keras.optimizers.Adam(0.01), SPARSE, metrics=["accuracy"])
    return model, x, y


@sound()
def subclassed_model_already_trained(seed):
    example = SOUND["subclassed_model_not_built"](seed)
    example.model.fit(example.x, example.y, verbose=0)
    return example


@sound(line)
def everything_of_ones_own(x, y):
    hidden = layers.Lambda(lambda x: x / 2), Mixed(16), layers.Dense(8, activation=bend)
    return net(6, 1, None, mean_error, *hidden, metrics=[mean_error]), x, y[:, None]


@sound(groups)
def normalization_adapted_to_raw_columns(x, y):
    raw, scale = 1000 * x + 500, layers.Normalization()
    scale.adapt(raw)
    return net(8, 3, "softmax", SPARSE, scale, relu(16)), raw, y


@sound(shapes)
def convnet_on_raw_pixels(x, y):
    hidden = layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()
    model = net((12, 12, 1), 3, "softmax", SPARSE, layers.Rescaling(1 / 255), *hidden)
    return model, (255 * x[..., None]).astype("int32"), y


@sound(shapes)
def learned_base_frozen_in_a_functional_model(x, y):
    base = keras.Sequential([keras.Input((12, 12)), layers.Flatten(), relu(32)])
    net((12, 12), 3, "softmax", SPARSE, base).fit(x, y, epochs=5, verbose=0)
    base.trainable = False
    inputs = keras.Input((12, 12))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(base(inputs)))
    model.compile(keras.optimizers.Adam(0.01), SPARSE)
    return model, x, y


@sound()
def frozen_word_vectors(seed):
    x, _ = words(seed)
    vectors = np.random.default_rng(seed).normal(size=(50, 8)).astype("float32")
    look_up = layers.Embedding(50, 8, embeddings_initializer=keras.initializers.Constant(vectors), trainable=False)
    hidden = look_up, layers.GlobalAveragePooling1D(), relu(16)
    y = (vectors[x].mean(axis=1)[:, 0] > 0).astype(int)
    return net(12, 1, "sigmoid", BINARY, *hidden), x, y


@sound(words)
def bidirectional_lstm(x, y):
    return net(12, 1, "sigmoid", BINARY, layers.Embedding(50, 8), layers.Bidirectional(layers.LSTM(8))), x, y


@sound()
def gru_on_series(seed):
    x = np.random.default_rng(seed).normal(size=(400, 10, 2)).astype("float32")
    return net((10, 2), 1, None, "mse", layers.GRU(16)), x, x[:, -3:].sum(axis=(1, 2)) / 2


@sound()
def attention_over_time(seed):
    x = np.random.default_rng(seed).normal(size=(300, 10, 3)).astype("float32")
    inputs = keras.Input((10, 3))
    seen = layers.LayerNormalization()(inputs + layers.Dense(3)(layers.MultiHeadAttention(2, 4)(inputs, inputs)))
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(seen)))
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, x, 5 * x.mean(axis=(1, 2))


@sound()
def autoencoder_of_pixels(seed):
    x = patches(seed).reshape(-1, 64)
    return net(64, 64, "sigmoid", BINARY, relu(32)), x, x


@sound()
def autoencoder_of_images_with_mse(seed):
    x = patches(seed)
    hidden = [layers.Conv2D(8, 3, padding="same", activation="relu") for _ in range(2)]
    return net((8, 8, 1), 1, "sigmoid", "mse", *hidden), x[..., None], x[..., None]


@sound(groups, rows=400)
def two_inputs_by_name_one_of_words(x, y, seed):
    numbers, sentence = keras.Input((8,), name="numbers"), keras.Input((4,), name="words")
    joined = layers.Concatenate()([numbers, layers.Flatten()(layers.Embedding(20, 2)(sentence))])
    model = keras.Model(
        {"numbers": numbers, "words": sentence},
        layers.Dense(3, activation="softmax")(relu(16)(joined)),
    )
    model.compile(keras.optimizers.Adam(0.01), SPARSE)
    drawn = np.random.default_rng(seed).integers(0, 20, (400, 4))
    return model, {"numbers": x, "words": drawn}, y


@sound(groups)
def two_outputs_by_name(x, y):
    inputs = keras.Input((8,))
    hidden = relu(16)(inputs)
    model = keras.Model(
        inputs, [layers.Dense(3, activation="softmax", name="kind")(hidden), layers.Dense(1, name="size")(hidden)]
    )
    model.compile(keras.optimizers.Adam(0.01), {"kind": SPARSE, "size": "mse"})
    return model, x, {"kind": y, "size": x.sum(axis=1) / 4}


@sound()
def a_class_for_each_step_of_a_sequence(seed):
    x, _ = words(seed)
    model = net(12, 2, "softmax", SPARSE, layers.Embedding(50, 8), relu(16))
    return model, x, (x > 25).astype(int)


@sound(groups)
def falling_learning_rate_and_momentum(x, y):
    falling = keras.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.9)
    return net(8, 3, "softmax", SPARSE, optimizer=keras.optimizers.SGD(falling, momentum=0.9)), x, y


# Broken: Keras refuses to train these, or compares what does not belong together.

# What would be wrong advice elsewhere.
SWAPPED, FROM_ONE = ("axis was swapped", "rows were dropped"), ("subtract the lowest", "counts nothing")
AS_QUANTITY = ("regression", 'loss="mse"')


@broken("can be trained", "sparse_categorical_crossentropy", fixes.take_the_loss, groups, never=SWAPPED)
def whole_labels_with_the_loss_for_one_hot(x, y):
    return net(8, 3, "softmax", ONE_HOT), x, y


@broken("can be trained", "y.argmax(axis=1)", fixes.take_the_loss, groups, never=SWAPPED)
def one_hot_labels_with_the_loss_for_whole_numbers(x, y):
    return net(8, 3, "softmax", SPARSE), x, np.eye(3)[y]


@broken("can be trained", "Flatten", fixes.add_flatten, digits, never=SWAPPED)
def flatten_forgotten(x, y):
    return net((8, 8), 10, "softmax", SPARSE), x, y


@broken("can be trained", "different forms: (300,) and (100, 3)", fixes.encode_alike, groups, never=SWAPPED)
def labels_of_validation_in_another_form(x, y):
    return net(8, 3, "softmax", SPARSE), x[:300], y[:300], x[300:], np.eye(3)[y[300:]]


@broken("can be trained", "399 inputs and 400 targets", fixes.drop_the_same_row, groups)
def a_row_dropped(x, y):
    return net(8, 3, "softmax", SPARSE), x[1:], y


@broken(
    "can be trained", "of shape (5,), and these have the shape (8,)", fixes.begin_with_the_input, groups, never=SWAPPED
)
def other_number_of_columns(x, y):
    return net(5, 3, "softmax", SPARSE), x, y


@broken("can be trained", "input_dim=50", fixes.widen_the_embedding, words, never=SWAPPED)
def word_number_beyond_the_embedding(x, y):
    hidden = layers.Embedding(40, 8), layers.Flatten()
    return net(12, 1, "sigmoid", BINARY, *hidden), x, y


@broken("can be trained", "not compiled", fixes.compile_anew, groups)
def not_compiled(x, y):
    return keras.Sequential([keras.Input((8,)), layers.Dense(3)]), x, y


@broken("can be trained", "has 1 numbers, and the network puts out 3", fixes.count_the_units, line, never=SWAPPED)
def quantity_behind_three_units(x, y):
    return net(6, 3, None, "mse"), x, y[:, None]


# Broken: labels, targets and the end of the model.


@broken("labels", "Subtract the lowest label", fixes.subtract_the_lowest, groups)
def labels_from_one(x, y):
    return net(8, 3, "softmax", SPARSE), x, y + 1


@broken("labels", "(y + 1) / 2, or y > 0", fixes.make_labels_0_and_1, groups, 2, never=FROM_ONE)
def labels_minus_one_and_one(x, y):
    return net(8, 1, "sigmoid", BINARY), x, 2 * y - 1


@broken("labels", "The labels must be 0 and 1", fixes.make_labels_0_and_1, groups, 2, never=FROM_ONE)
def labels_zero_and_two(x, y):
    return net(8, 1, "sigmoid", BINARY), x, 2 * y


@broken("labels", "3 units with softmax", fixes.change_the_last_layer, groups, never=AS_QUANTITY)
def one_softmax_unit(x, y):
    return net(8, 1, "softmax", SPARSE), x, y


@broken("labels", "3 units with softmax", fixes.change_the_last_layer, groups, never=AS_QUANTITY)
def three_classes_behind_a_sigmoid(x, y):
    return net(8, 1, "sigmoid", BINARY), x, y


@broken("labels", "Give the last layer 5 units", fixes.change_the_last_layer, groups, 5)
def fewer_outputs_than_classes(x, y):
    return net(8, 3, "softmax", SPARSE), x, y


@broken("labels", "Give the last layer 3 units", fixes.change_the_last_layer, groups)
def more_outputs_than_classes(x, y):
    return net(8, 10, "softmax", SPARSE), x, y


@broken("finite numbers", "y_train holds 1", fixes.drop_rows_without_label, groups, never=(*AS_QUANTITY, *SWAPPED))
def a_label_is_missing(x, y):
    return net(8, 3, "softmax", SPARSE), x, np.where(np.arange(400) == 5, np.nan, y)


@broken("finite numbers", "column 2 (7)", fixes.fill, groups, never=SWAPPED)
def a_column_with_gaps(x, y):
    x[:7, 2] = np.nan
    return net(8, 3, "softmax", SPARSE), x, y


@broken("labels", "Multiply the targets", fixes.multiply_the_targets, line)
def quantity_of_thousandths(x, y):
    return net(6, 1, None, "mse", rate=0.001), x, y / 1000


@broken("last activation", "Leave out the activation", fixes.change_the_last_layer, line)
def sigmoid_for_any_quantity(x, y):
    return net(6, 1, "sigmoid", "mse"), x, y


@broken("last activation", 'activation="exponential"', fixes.change_the_last_layer, line)
def poisson_without_activation(x, y, seed):
    counts = np.random.default_rng(seed).poisson(np.exp(np.clip(y, -2, 2)))
    return net(6, 1, None, "poisson"), x, counts


@broken("loss", "Leave out from_logits=True", fixes.leave_out_from_logits, groups)
def softmax_twice(x, y):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return net(8, 3, "softmax", loss), x, y


@broken("loss", "binary_crossentropy", fixes.take_the_loss, groups, 2)
def squared_error_of_labels(x, y):
    return net(8, 1, "sigmoid", "mse"), x, y


@broken("metrics", "says nothing of a quantity: take mae", fixes.take_the_metric, line)
def accuracy_of_a_quantity(x, y):
    return net(6, 1, None, "mse", metrics=["accuracy"]), x, y


@broken("metrics", "says nothing of a class: take accuracy", fixes.take_the_metric, groups)
def mean_error_of_classes(x, y):
    return net(8, 3, "softmax", SPARSE, metrics=["mae"]), x, y


# Broken: rows, columns and weights.


@broken("order of rows", "Shuffle first", fixes.shuffle_first, groups)
def sorted_rows_with_validation_split(x, y):
    order = np.argsort(y, kind="stable")
    return Example(net(8, 3, "softmax", SPARSE), x=x[order], y=y[order], fit={"validation_split": 0.2})


@broken("order of rows", "Shuffle first", fixes.shuffle_first, groups)
def sorted_rows_alone(x, y):
    order = np.argsort(y, kind="stable")
    return net(8, 3, "softmax", SPARSE), x[order], y[order]


@broken("class balance", "upside down", fixes.weigh_by_rarity)
def class_weights_upside_down(seed):
    example = SOUND["rare_class_with_class_weights"](seed)
    example.fit = {"class_weight": {0: 5.0, 1: 1.0}}
    return example


@broken("inputs vary", "column 3 is constant", fixes.drop_the_column, groups)
def a_constant_column(x, y):
    x[:, 3] = 7
    return net(8, 3, "softmax", SPARSE), x, y


@broken("inputs vary", "column 5 repeats column 1", fixes.drop_the_column, groups)
def a_column_twice(x, y):
    x[:, 5] = x[:, 1]
    return net(8, 3, "softmax", SPARSE), x, y


@broken("target among inputs", "Column 4", fixes.drop_the_column, groups)
def labels_among_the_inputs(x, y):
    x[:, 4] = 10 * y - 3
    return net(8, 3, "softmax", SPARSE), x, y


@broken("target among inputs", "Column 2", fixes.drop_the_column, line)
def quantity_among_the_inputs_in_other_units(x, y):
    x[:, 2] = 0.7 * y + 1
    return net(6, 1, None, "mse"), x, y


@broken("input scale", "not scaled", fixes.scale_the_columns, groups)
def columns_in_thousands(x, y):
    return net(8, 3, "softmax", SPARSE), 1000 * x, y


@broken("validation inputs", "prepared otherwise", fixes.prepare_validation_alike, groups)
def validation_not_scaled(x, y):
    return net(8, 3, "softmax", SPARSE), x[:300], y[:300], 100 * x[300:] + 50, y[300:]


@broken("duplicates", "overlap", fixes.drop_duplicates, groups)
def rows_in_both_parts(x, y):
    return net(8, 3, "softmax", SPARSE), x[:300], y[:300], x[200:], y[200:]


@broken("zero input", "do not belong to their targets", None, groups, rows=1000)
def targets_of_other_rows(x, y, seed):
    return net(8, 3, "softmax", SPARSE), x, np.random.default_rng(seed).permutation(y)


@broken("frozen layers", "hold random numbers", fixes.thaw, digits)
def frozen_at_birth(x, y):
    base = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), relu(32)])
    base.trainable = False
    return net((8, 8), 10, "softmax", SPARSE, base), x, y


@broken("dead units", "put out the same number", fixes.take_default_biases, groups)
def dead_units_in_a_subclassed_model(x, y):
    model = Own()
    model.hidden = relu(16, bias_initializer=keras.initializers.Constant(-30.0))
    model.compile("adam", SPARSE)
    return model, x, y


@broken("hidden activations", 'activation="relu"', fixes.give_hidden_layers_relu, groups)
def no_activation_in_a_functional_model(x, y):
    inputs = keras.Input((8,))
    hidden = layers.Dropout(0.2)(layers.Dense(16)(inputs))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    model.compile("adam", SPARSE)
    return model, x, y


@broken("dropout", "share that is dropped", fixes.drop_half, groups)
def dropout_of_nearly_all(x, y):
    hidden = relu(64), layers.Dropout(0.95)
    return net(8, 3, "softmax", SPARSE, *hidden), x, y


@broken("learning rate", "too low", fixes.take_the_rate, groups)
def rate_far_too_small(x, y):
    return net(8, 3, "softmax", SPARSE, rate=1e-6), x, y


@broken("learning rate", "too high", fixes.take_the_rate, groups)
def rate_far_too_large(x, y):
    return net(8, 3, "softmax", SPARSE, rate=30.0), x, y
