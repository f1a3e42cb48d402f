"""What a person does who takes the advice of a failed check.

Each function takes an example and the cause that the check told, and follows what the cause names first: where it
names a loss, a rate, a number of units or a column, that is read from its words.
"""

from __future__ import annotations

import re

import keras
import numpy as np
from keras import layers


def compile_anew(example, cause, **options):
    optimizer, loss = getattr(example.model, "optimizer", None), getattr(example.model, "loss", None)
    rate = 0.01 if optimizer is None else float(optimizer.learning_rate)
    given = {"optimizer": keras.optimizers.Adam(rate), "loss": loss or "sparse_categorical_crossentropy"}
    example.model.compile(**given | options)


def take_the_loss(example, cause):
    compile_anew(example, cause, loss=re.search(r'loss="(\w+)"', cause)[1])


def take_the_rate(example, cause):
    rate = float(re.search(r"Take about ([\de.+-]+)\.$", cause)[1])
    compile_anew(example, cause, optimizer=keras.optimizers.Adam(rate))


def take_the_metric(example, cause):
    compile_anew(example, cause, metrics=[re.search(r"take (\w+)\.", cause)[1]])


def leave_out_from_logits(example, cause):
    compile_anew(example, cause, loss=type(example.model.loss)())


def change_the_last_layer(example, cause, units=None, behind=()):
    """Give the last layer the units, the activation and the loss that the cause names; what it does not name stays."""
    *before, last = example.model.layers
    units = units or int((re.search(r"(\d+) units?", cause) or [0, last.units])[1])
    named = re.search(r'activation="(\w+)"|units? with (\w+)', cause)
    activation = next(filter(None, named.groups())) if named else last.activation
    activation = None if "Leave out the activation" in cause else activation
    loss = re.search(r'loss="(\w+)"', cause)
    shape, compiled = example.model.input_shape[1:], example.model.loss
    example.model = keras.Sequential([keras.Input(shape), *before, *behind, layers.Dense(units, activation=activation)])
    example.model.compile(keras.optimizers.Adam(0.01), loss[1] if loss else compiled)


def count_the_units(example, cause):
    change_the_last_layer(example, cause, units=example.y.shape[-1])


def add_flatten(example, cause):
    change_the_last_layer(example, cause, behind=[layers.Flatten()])


def begin_with_the_input(example, cause):
    shape = tuple(map(int, re.search(r"keras\.Input\(\((\d+),\)\)", cause).groups()))
    kept = [type(layer).from_config(layer.get_config()) for layer in example.model.layers]
    loss, example.model = example.model.loss, keras.Sequential([keras.Input(shape), *kept])
    example.model.compile("adam", loss)


def widen_the_embedding(example, cause):
    known, loss = int(re.search(r"input_dim=(\d+)", cause)[1]), example.model.loss
    behind = example.model.layers[1:]
    example.model = keras.Sequential([keras.Input((12,)), layers.Embedding(known, 8), *behind])
    example.model.compile("adam", loss)


def subtract_the_lowest(example, cause):
    lowest = example.y.min()
    example.y, example.y_val = (None if y is None else y - lowest for y in (example.y, example.y_val))


def make_labels_0_and_1(example, cause):
    rule = re.search(r"must be 0 and 1: (.+?)(?:,| makes)", cause)[1]
    example.y = eval(rule, {"y": example.y})


def encode_alike(example, cause):
    example.y_val = example.y_val.argmax(axis=1)


def drop_the_same_row(example, cause):
    example.y = example.y[1:]


def drop_rows_without_label(example, cause):
    known = np.isfinite(example.y)
    example.x, example.y = example.x[known], example.y[known]


def fill(example, cause):
    example.x = np.nan_to_num(example.x)


def drop_the_column(example, cause):
    column = int(re.search(r"column (\d+)", cause, re.IGNORECASE)[1])
    example.x = np.delete(example.x, column, axis=1)
    begin_with_the_input(example, f"keras.Input(({example.x.shape[1]},))")


def shuffle_first(example, cause):
    order = np.random.default_rng(0).permutation(len(example.x))
    example.x, example.y = example.x[order], example.y[order]


def shuffle_and_split_again(example, cause):
    cut = len(example.x)
    x, y = np.concatenate([example.x, example.x_val]), np.concatenate([example.y, example.y_val])
    order = np.random.default_rng(0).permutation(len(x))
    example.x, example.x_val = np.split(x[order], [cut])
    example.y, example.y_val = np.split(y[order], [cut])


def drop_duplicates(example, cause):
    seen = {row.tobytes() for row in example.x}
    kept = [row.tobytes() not in seen for row in example.x_val]
    example.x_val, example.y_val = example.x_val[kept], example.y_val[kept]


def weigh_by_rarity(example, cause):
    counts = np.bincount(example.y)
    example.fit = {"class_weight": dict(enumerate(len(example.y) / (len(counts) * counts)))}


def scale_the_columns(example, cause):
    mean, deviation = example.x.mean(axis=0), example.x.std(axis=0) + 1e-6
    example.x, example.x_val = (None if x is None else (x - mean) / deviation for x in (example.x, example.x_val))


def prepare_validation_alike(example, cause):
    example.x_val = (example.x_val - 50) / 100


def divide_the_targets(example, cause):
    by = np.float32(re.search(r"such as ([\d,]+) dollars", cause)[1].replace(",", ""))
    example.y, example.y_val = example.y / by, example.y_val / by


def multiply_the_targets(example, cause):
    example.y = example.y * np.float32(re.search(r"such as ([\d,]+),", cause)[1].replace(",", ""))


def thaw(example, cause):
    for layer in example.model.layers:
        layer.trainable = True
    compile_anew(example, cause)


def take_default_biases(example, cause):
    for layer in example.model.layers:
        if hasattr(layer, "bias_initializer"):
            layer.bias_initializer = keras.initializers.Zeros()
            if layer.built:
                layer.bias.assign(np.zeros(layer.units))


def give_hidden_layers_relu(example, cause):
    for layer in example.model.layers[:-1]:
        if hasattr(layer, "activation"):
            layer.activation = keras.activations.relu


def drop_half(example, cause):
    for layer in example.model.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.5


# Of `recipe.FAULTS`, by name; those left out are mended by taking the rows or the preparation of the sound pipeline.
FIXES = {
    "labels_off_by_one": subtract_the_lowest,
    "unscaled_input": scale_the_columns,
    "frozen_layers": thaw,
    "rate_too_high": take_the_rate,
    "rate_too_low": take_the_rate,
    "wrong_last_activation": change_the_last_layer,
    "wrong_loss": take_the_loss,
    "leak": drop_duplicates,
    "dead_units": take_default_biases,
    "dropout_too_strong": drop_half,
    "nan_in_input": fill,
    "sorted_data": shuffle_and_split_again,
    "missing_activation": give_hidden_layers_relu,
    "unscaled_target": divide_the_targets,
}
