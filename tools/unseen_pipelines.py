"""Sound pipelines that were written without looking at what the checks say of them, and that no limit was set on.

Each function builds one from a seed, as those of tests/debugging/examples.py. `UNSEEN` holds them by name.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from examples import BINARY, ONE_HOT, SPARSE, Example, net, shapes
from keras import layers
from sklearn import datasets
from sklearn.feature_extraction.image import extract_patches_2d

import recipe

UNSEEN: dict[str, Callable[[int], Example]] = {}


def unseen(build: Callable[[int], Example]) -> Callable[[int], Example]:
    """Put a pipeline among them, built from a seed of its own."""

    def seeded(seed: int = 0) -> Example:
        keras.utils.set_random_seed(seed)
        return build(seed)

    UNSEEN[build.__name__] = seeded
    return build


def dense(units, activation="relu", **options):
    return layers.Dense(units, activation=activation, **options)


def scaled(x, *rest):
    """Scale columns by their own mean and deviation: float32."""
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32"), *rest


def named(parts):
    """Name the parts of the data."""
    return dict(zip(("x", "y", "x_val", "y_val"), parts, strict=False))


def cut(x, y, share=0.2):
    """Shuffled rows in two parts."""
    rows = int(len(x) * (1 - share))
    return named((x[:rows], y[:rows], x[rows:], y[rows:]))


# Tables of scikit-learn's makers.


@unseen
def moons_with_tanh(seed):
    x, y = datasets.make_moons(500, noise=0.2, random_state=seed)
    return Example(model=net(2, 1, "sigmoid", BINARY, dense(16, "tanh"), dense(16, "tanh")), **named(scaled(x, y)))


@unseen
def circles_with_selu_and_two_softmax_units(seed):
    x, y = datasets.make_circles(600, noise=0.1, factor=0.5, random_state=seed)
    start = {"kernel_initializer": "lecun_normal"}
    model = net(2, 2, "softmax", SPARSE, dense(32, "selu", **start), dense(32, "selu", **start))
    return Example(model=model, **cut(*scaled(x, y)))


@unseen
def friedman_two_in_thousands(seed):
    x, y = datasets.make_friedman2(500, noise=50.0, random_state=seed)
    return Example(model=net(4, 1, None, "mae", dense(32)), **named(scaled(x, y / 1000)))


@unseen
def labels_of_which_a_tenth_is_wrong(seed):
    x, y = datasets.make_classification(1000, 20, n_informative=6, n_redundant=4, flip_y=0.1, random_state=seed)
    return Example(model=net(20, 1, "sigmoid", BINARY, dense(16), metrics=[keras.metrics.AUC()]), **cut(*scaled(x, y)))


@unseen
def six_classes_in_clusters(seed):
    options = {"n_informative": 10, "n_classes": 6, "n_clusters_per_class": 2, "class_sep": 1.5, "random_state": seed}
    x, y = datasets.make_classification(1800, 15, **options)
    return Example(model=net(15, 6, "softmax", SPARSE, dense(64), metrics=["accuracy"]), **named(scaled(x, y)))


@unseen
def few_columns_of_many_matter(seed):
    x, y = datasets.make_sparse_uncorrelated(600, 30, random_state=seed)
    return Example(model=net(30, 1, None, "mse", dense(32)), **named((x.astype("float32"), y)))


@unseen
def place_on_an_s_curve(seed):
    x, y = datasets.make_s_curve(700, noise=0.05, random_state=seed)
    return Example(model=net(3, 1, None, "mse", dense(32, "elu"), dense(16, "elu")), **named((x.astype("float32"), y)))


@unseen
def swiss_roll_with_huber(seed):
    x, y = datasets.make_swiss_roll(900, noise=0.1, random_state=seed)
    return Example(model=net(3, 1, None, "huber", dense(64), dense(32)), **named(scaled(x, y / 10)))


@unseen
def shells_of_a_gaussian(seed):
    x, y = datasets.make_gaussian_quantiles(n_samples=900, n_features=3, n_classes=3, random_state=seed)
    return Example(model=net(3, 3, "softmax", ONE_HOT, dense(48)), x=x.astype("float32"), y=np.eye(3)[y])


@unseen
def hastie_with_gelu(seed):
    x, y = datasets.make_hastie_10_2(3000, random_state=seed)
    return Example(model=net(10, 1, "sigmoid", BINARY, dense(64, "gelu")), **cut(x.astype("float32"), y > 0))


@unseen
def several_labels_of_word_counts(seed):
    x, y = datasets.make_multilabel_classification(800, 30, n_classes=5, random_state=seed)
    return Example(model=net(30, 5, "sigmoid", BINARY, dense(32), metrics=["binary_accuracy"]), **named(scaled(x, y)))


@unseen
def wide_table_of_thirty_rows(seed):
    x, y = datasets.make_blobs(30, 60, centers=2, cluster_std=4.0, random_state=seed)
    return Example(model=net(60, 1, "sigmoid", BINARY, dense(8)), **named(scaled(x, y)))


@unseen
def quantity_of_thirty_rows(seed):
    x, y = datasets.make_regression(30, 4, noise=5.0, random_state=seed)
    return Example(model=net(4, 1, None, "mse", dense(16)), **named(scaled(x, y / 100)))


@unseen
def two_hundred_columns_with_a_penalty(seed):
    x, y = datasets.make_classification(240, 200, n_informative=20, n_redundant=0, class_sep=2.0, random_state=seed)
    hidden = dense(16, kernel_regularizer=keras.regularizers.L2(0.01))
    return Example(model=net(200, 1, "sigmoid", BINARY, hidden), **named(scaled(x, y)), fit={"validation_split": 0.25})


@unseen
def twenty_thousand_rows(seed):
    x, y = datasets.make_moons(20_000, noise=0.3, random_state=seed)
    return Example(model=net(2, 1, "sigmoid", BINARY, dense(32), dense(32), rate=0.001), **cut(*scaled(x, y)))


@unseen
def linear_regression_by_plain_gradient_descent(seed):
    x, y = datasets.make_regression(300, 8, noise=10.0, random_state=seed)
    model = keras.Sequential([keras.Input((8,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return Example(model=model, **named(scaled(x, y / y.std())))


@unseen
def logistic_regression_on_wine_with_adamw(seed):
    x, y = datasets.load_wine(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    model = keras.Sequential([keras.Input((13,)), layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.AdamW(0.02), SPARSE, metrics=["accuracy"])
    return Example(model=model, **named(scaled(x[order], y[order])))


# Targets of other kinds.


@unseen
def rare_class_with_balanced_weights(seed):
    x, y = datasets.make_classification(2000, 12, n_informative=6, weights=[0.9], class_sep=1.5, random_state=seed)
    weights = dict(enumerate(len(y) / (2 * np.bincount(y))))
    model = net(12, 1, "sigmoid", BINARY, dense(24), metrics=[keras.metrics.Precision(), keras.metrics.Recall()])
    return Example(model=model, **cut(*scaled(x, y)), fit={"class_weight": weights})


@unseen
def share_behind_a_cross_entropy(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(700, 5)).astype("float32")
    y = 1 / (1 + np.exp(-(x @ rng.normal(size=5) + 0.3 * rng.normal(size=700))))
    return Example(model=net(5, 1, "sigmoid", BINARY, dense(16)), x=x, y=y)


@unseen
def heavy_tails_with_huber(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(800, 6)).astype("float32")
    y = 2 * x[:, 0] - x[:, 1] + x[:, 2] * x[:, 3] + 0.5 * rng.standard_t(3, 800)
    return Example(model=net(6, 1, None, keras.losses.Huber(), dense(32)), **cut(x, y))


@unseen
def positive_quantity_with_softplus(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(600, 4)).astype("float32")
    y = np.exp(0.5 * x[:, 0] - 0.4 * x[:, 1] + 0.2 * rng.normal(size=600))
    return Example(model=net(4, 1, "softplus", "mean_squared_logarithmic_error", dense(32)), x=x, y=y)


@unseen
def quantile_by_a_loss_of_ones_own(seed):
    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return keras.ops.mean(keras.ops.maximum(0.8 * error, -0.2 * error), axis=-1)

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(500, 5)).astype("float32")
    y = (x @ rng.normal(size=5) + rng.normal(size=500) * 0.3)[:, None]
    return Example(model=net(5, 1, None, pinball, dense(16)), x=x, y=y)


@unseen
def labels_in_a_column(seed):
    x, y = datasets.make_blobs(400, 6, centers=4, cluster_std=3.0, random_state=seed)
    return Example(model=net(6, 4, "softmax", SPARSE), **named(scaled(x, y[:, None])))


@unseen
def yes_or_no_as_two_one_hot_columns(seed):
    x, y = datasets.make_classification(500, 10, class_sep=1.5, random_state=seed)
    model = net(10, 2, "softmax", ONE_HOT, metrics=["accuracy"])
    return Example(model=model, **cut(*scaled(x, np.eye(2, dtype="float32")[y])))


@unseen
def logits_of_five_classes(seed):
    x, y = datasets.make_blobs(700, 8, centers=5, cluster_std=4.0, random_state=seed)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return Example(model=net(8, 5, None, loss, dense(32), dense(32)), **cut(*scaled(x, y)))


@unseen
def grades_as_a_quantity(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(900, 7)).astype("float32")
    y = np.clip(np.round(2 + x @ rng.normal(size=7) / 2 + 0.4 * rng.normal(size=900)), 0, 4)
    return Example(model=net(7, 1, None, "mse", dense(32), metrics=["mae"]), **cut(x, y))


@unseen
def places_as_angles_of_two_columns(seed):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, 700)
    x = np.stack([np.cos(angle), np.sin(angle), angle / 2], axis=1) + 0.1 * rng.normal(size=(700, 3))
    y = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=1)
    return Example(model=net(3, 2, "tanh", "mse", dense(32), dense(32)), **cut(x.astype("float32"), y))


@unseen
def three_arms_of_a_spiral_behind_dropout(seed):
    rng = np.random.default_rng(seed)
    y, far = rng.integers(0, 3, 1200), rng.uniform(0.3, 2, 1200)
    angle = 1.5 * far + 2 * np.pi * y / 3 + 0.15 * rng.normal(size=1200)
    x = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1).astype("float32")
    hidden = dense(64), layers.Dropout(0.1), dense(64), layers.Dropout(0.1)
    return Example(model=net(2, 3, "softmax", SPARSE, *hidden, metrics=["accuracy"]), x=x, y=y)


# Other architectures.


@unseen
def two_tables_in_a_list(seed):
    rng = np.random.default_rng(seed)
    houses, streets = rng.normal(size=(600, 5)).astype("float32"), rng.normal(size=(600, 2)).astype("float32")
    y = houses @ rng.normal(size=5) + houses[:, 0] * streets[:, 0] + 0.3 * rng.normal(size=600)
    inputs = keras.Input((5,)), keras.Input((2,))
    joined = layers.Concatenate()([dense(16)(inputs[0]), dense(8)(inputs[1])])
    model = keras.Model(list(inputs), layers.Dense(1)(dense(16)(joined)))
    model.compile(keras.optimizers.Adam(0.01), "mae")
    return Example(model=model, x=[houses, streets], y=y / y.std())


@unseen
def noise_taken_out_of_pieces_of_a_photograph(seed):
    photo = datasets.load_sample_image("flower.jpg").mean(axis=-1) / 255
    clean = extract_patches_2d(photo, (8, 8), max_patches=800, random_state=seed)[..., None]
    noisy = clean + 0.1 * np.random.default_rng(seed).normal(size=clean.shape)
    hidden = [layers.Conv2D(filters, 3, padding="same", activation="relu") for filters in (12, 12)]
    return Example(model=net((8, 8, 1), 1, "sigmoid", "mse", *hidden), x=noisy.astype("float32"), y=clean)


@unseen
def dilated_causal_convolutions_forecast_a_season(seed):
    time = np.arange(900)
    series = np.sin(time / 6) + 0.5 * np.cos(time / 17) + 0.1 * np.random.default_rng(seed).normal(size=900)
    windows = np.lib.stride_tricks.sliding_window_view(series, 25).astype("float32")
    hidden = [layers.Conv1D(16, 2, padding="causal", dilation_rate=rate, activation="relu") for rate in (1, 2, 4, 8)]
    x, y = windows[:, :24, None], windows[:, 24]
    model = net((24, 1), 1, None, "mse", *hidden, layers.Flatten(), rate=0.003)
    return Example(model=model, x=x[:700], y=y[:700], x_val=x[700:], y_val=y[700:])


@unseen
def residual_blocks(seed):
    x, y = datasets.make_friedman1(700, noise=0.5, random_state=seed)
    inputs = keras.Input((10,))
    values = layers.Dense(32)(inputs)
    for _ in range(3):
        values = layers.Add()([values, layers.Dense(32)(dense(32)(layers.LayerNormalization()(values)))])
    model = keras.Model(inputs, layers.Dense(1)(values))
    model.compile(keras.optimizers.Adam(0.003), "mse")
    return Example(model=model, x=scaled(x)[0], y=(y - y.mean()) / y.std())


def waves(seed, rows=500, steps=24):
    """Noisy sines, and squares of the same length."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, rows)
    angle = np.linspace(0, 4 * np.pi, steps) + rng.uniform(0, 2 * np.pi, (rows, 1))
    wave = np.where(y[:, None], np.sign(np.sin(angle)), np.sin(angle)) + 0.1 * rng.normal(size=angle.shape)
    return wave[..., None].astype("float32"), y


@unseen
def gru_tells_waves_apart(seed):
    return Example(model=net((24, 1), 1, "sigmoid", BINARY, layers.GRU(16)), **named(waves(seed)))


@unseen
def convolution_over_time(seed):
    hidden = layers.Conv1D(16, 5, activation="relu"), layers.MaxPooling1D(2), layers.GlobalAveragePooling1D()
    return Example(model=net((24, 1), 1, "sigmoid", BINARY, *hidden), **cut(*waves(seed)))


@unseen
def stacked_lstm_forecasts_the_next_value(seed):
    series = np.sin(np.arange(700) / 5) + 0.1 * np.random.default_rng(seed).normal(size=700)
    windows = np.lib.stride_tricks.sliding_window_view(series, 13).astype("float32")
    hidden = layers.LSTM(16, return_sequences=True), layers.LSTM(8)
    order = np.random.default_rng(seed).permutation(len(windows))
    windows = windows[order]
    return Example(model=net((12, 1), 1, None, "mse", *hidden), x=windows[:, :12, None], y=windows[:, 12])


def pictures(rows=1000, seed=0):
    """Digits of scikit-learn, shuffled, from 0 to 1."""
    bunch = datasets.load_digits()
    order = np.random.default_rng(seed).permutation(len(bunch.target))[:rows]
    return (bunch.images[order] / 16).astype("float32"), bunch.target[order]


@unseen
def separable_convolutions(seed):
    x, y = shapes(seed, 1000)
    hidden = (
        layers.SeparableConv2D(16, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.SeparableConv2D(32, 3, activation="relu"),
        layers.GlobalAveragePooling2D(),
    )
    return Example(model=net((12, 12, 1), 3, "softmax", SPARSE, *hidden), **cut(x[..., None], y))


@unseen
def deep_network_of_leaky_units_on_flat_pixels(seed):
    x, y = pictures(1500, seed)
    hidden = [part for units in (64, 48, 32) for part in (layers.Dense(units), layers.LeakyReLU(negative_slope=0.1))]
    model = net(64, 10, "softmax", SPARSE, *hidden, rate=0.003, metrics=["accuracy"])
    return Example(model=model, **cut(x.reshape(-1, 64), y))


@unseen
def class_and_parity_of_pictures(seed):
    x, y = pictures(900, seed)
    inputs = keras.Input((8, 8))
    hidden = dense(48)(layers.Flatten()(inputs))
    digit = layers.Dense(10, activation="softmax", name="digit")(hidden)
    odd = layers.Dense(1, activation="sigmoid", name="odd")(hidden)
    model = keras.Model(inputs, [digit, odd])
    model.compile(keras.optimizers.Adam(0.005), [SPARSE, BINARY])
    return Example(model=model, x=x, y=[y, y % 2])


@unseen
def bottleneck_of_a_scaled_table(seed):
    x, _ = datasets.load_breast_cancer(return_X_y=True)
    x = scaled(x[np.random.default_rng(seed).permutation(len(x))])[0]
    return Example(model=net(30, 30, None, "mse", dense(16, "tanh"), dense(6, "tanh"), dense(16, "tanh")), x=x, y=x)


def topics(seed, rows=600, known=200, length=20):
    """Numbers of words, some of each topic more often; the ends are padding."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, rows)
    own = 1 + 10 * y[:, None] + rng.integers(0, 10, (rows, length))
    x = np.where(rng.random((rows, length)) < 0.3, own, rng.integers(1, known, (rows, length)))
    return np.where(np.arange(length) < rng.integers(8, length + 1, rows)[:, None], x, 0), y


@unseen
def mean_of_word_vectors_without_padding(seed):
    hidden = layers.Embedding(200, 16, mask_zero=True), layers.GlobalAveragePooling1D(), dense(16)
    return Example(model=net(20, 4, "softmax", SPARSE, *hidden, metrics=["accuracy"]), **named(topics(seed)))


@unseen
def transformer_block_over_words(seed):
    x, y = topics(seed)
    inputs = keras.Input((20,), dtype="int32")
    words = layers.Embedding(200, 16)(inputs)
    words = layers.LayerNormalization()(words + layers.MultiHeadAttention(2, 8)(words, words))
    words = layers.LayerNormalization()(words + layers.Dense(16)(dense(32)(words)))
    answer = layers.Dense(4, activation="softmax")(layers.Dropout(0.2)(layers.GlobalMaxPooling1D()(words)))
    model = keras.Model(inputs, answer)
    model.compile(keras.optimizers.Adam(0.003), SPARSE)
    return Example(model=model, x=x, y=y)


# The kit's own data, behind networks of the book's kinds.


def prepared(name, seed, rows=None, **options):
    return recipe.prepare(recipe.hold_out(recipe.load(name, source="sample", rows=rows), seed=seed), **options)


@unseen
def convnet_of_the_kit_on_digits(seed):
    data = prepared("mnist", seed, 1_500)
    model = recipe.build_model(recipe.ModelSpec(architecture="convnet", hidden_units=(8, 16), seed=seed), data.problem)
    return Example(model=model, **named((data.inputs("train"), data.y_train, data.inputs("val"), data.y_val)))


@unseen
def tfidf_of_reviews(seed):
    data = prepared("imdb", seed, encoding="tfidf")
    model = recipe.build_model(recipe.ModelSpec(hidden_units=(16,), dropout=0.3, seed=seed), data.problem)
    return Example(model=model, **named((data.inputs("train"), data.y_train, data.inputs("val"), data.y_val)))


@unseen
def houses_behind_a_penalty(seed):
    data = prepared("housing", seed)
    model = recipe.build_model(recipe.ModelSpec(hidden_units=(64, 64), l2=0.001, seed=seed), data.problem)
    return Example(model=model, **named((data.inputs("train"), data.y_train, data.inputs("val"), data.y_val)))
