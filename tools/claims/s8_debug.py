"""What lesson 8 claims: of first losses, one batch, experiments with known results, rates, gradients and checks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import keras
import numpy as np

import recipe
from claims import Outcome, claim

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_train, y_train, x_val, y_val
KNOWN = float(np.log(10))  # the loss of ten equally likely classes
CHECKS = ("labels", "input scale", "duplicates", "initial loss", "overfit one batch", "zero input", "shuffled labels")
FOUND_BY = {
    "axes mixed": "shuffled labels",
    "labels from 1": "labels",
    "pixels not scaled": "input scale",
    "copies in validation": "duplicates",
    "one row too low": "shuffled labels",
}


@cache
def _pipelines(source: str, seed: int) -> dict[str, Parts]:
    """Return the lesson's six pipelines: one that is sound, and the same one broken in five ways."""
    digits = recipe.load("mnist", source=source, rows=6_000, seed=seed)
    images, labels, brightest = digits.x_train, digits.y_train, digits.x_train.max()
    rows, rows_val = np.array_split(np.random.default_rng(seed).permutation(len(labels)), 2)
    scaled, mixed = (
        (part.reshape(len(part), -1) / brightest).astype("float32")
        for part in (images, images.transpose(1, 2, 0).reshape(images.shape))
    )
    x, y, x_val, y_val = scaled[rows], labels[rows], scaled[rows_val], labels[rows_val]
    half = len(x_val) // 2
    copied = np.concatenate([x[:half], x_val[half:]]), np.concatenate([y[:half], y_val[half:]])
    return {
        "sound": (x, y, x_val, y_val),
        "axes mixed": (mixed[rows], y, mixed[rows_val], y_val),
        "labels from 1": (x, y + 1, x_val, y_val + 1),
        "pixels not scaled": (x * brightest, y, x_val * brightest, y_val),
        "copies in validation": (x, y, *copied),
        "one row too low": (x, np.roll(y, 1), x_val, y_val),
    }


def _network(pixels: int, units: Sequence[int] = (64, 32), activation: str = "relu", rate: float = 0.2) -> keras.Model:
    hidden = [keras.layers.Dense(width, activation=activation) for width in units]
    model = keras.Sequential([keras.Input((pixels,)), *hidden, keras.layers.Dense(10, activation="softmax")])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="sparse_categorical_crossentropy")
    return model


def _draw(seed: int, *network: object, bias: float = 0.0) -> list[list[np.ndarray]]:
    """Return five initializations of a network, with all biases at one number."""
    drawn = []
    for number in range(10 * seed, 10 * seed + 5):
        keras.utils.set_random_seed(number)
        drawn.append([array + bias * (array.ndim == 1) for array in _network(*network).get_weights()])
    return drawn


@cache
def _model(pixels: int) -> keras.Model:
    """Return the lesson's network, compiled once."""
    return _network(pixels)


def _first_losses(source: str, seed: int, name: str) -> float:
    x, y, *_ = _pipelines(source, seed)[name]
    model, loss, losses = _model(x.shape[1]), keras.losses.SparseCategoricalCrossentropy(), []
    for weights in _draw(seed, x.shape[1]):
        model.set_weights(weights)
        losses.append(float(loss(y, model(x))))
    return float(np.mean(losses))


@claim("08", "The first loss of the sound pipeline, and of mismatched rows, is within a tenth of ln 10.")
def first_loss_is_known(source: str, seed: int) -> Outcome:
    found = {name: _first_losses(source, seed, name) for name in ("sound", "one row too low")}
    return found, all(abs(loss / KNOWN - 1) < 0.1 for loss in found.values())


@claim("08", "Pixels that were not scaled raise the first loss to more than twice ln 10.")
def raw_pixels_raise_the_first_loss(source: str, seed: int) -> Outcome:
    loss = _first_losses(source, seed, "pixels not scaled")
    return {"first loss": loss}, loss > 2 * KNOWN


def _batch_loss(source: str, seed: int, name: str, bias: float) -> float:
    """Return the loss after 100 steps on one batch, the mean of five networks."""
    x, y, *_ = _pipelines(source, seed)[name]
    model, losses = _model(x.shape[1]), []
    for weights in _draw(seed, x.shape[1], bias=bias):
        model.set_weights(weights)
        losses.append(model.fit(x[:32], y[:32], batch_size=32, epochs=100, verbose=0).history["loss"][-1])
    return float(np.mean(losses))


@claim("08", "In 100 steps the loss of one batch falls below 0.5, with right labels and with mismatched ones.")
def batch_is_learned_by_heart(source: str, seed: int) -> Outcome:
    found = {name: _batch_loss(source, seed, name, 0) for name in ("sound", "one row too low")}
    return found, max(found.values()) < 0.5


@claim("08", "With all biases at -10 it stays above 1.5.")
def dead_units_learn_no_batch(source: str, seed: int) -> Outcome:
    loss = _batch_loss(source, seed, "sound", -10)
    return {"loss": loss}, loss > 1.5


@cache
def _experiments(source: str, seed: int, name: str) -> dict[str, float]:
    """Return the lowest validation loss of three epochs: labels as they are, shuffled, and with a constant input."""
    x, y, x_val, y_val = _pipelines(source, seed)[name]
    model, shuffled = _model(x.shape[1]), np.random.default_rng(seed).permutation(y)
    cases = {"as they are": (x, y, x_val), "shuffled": (x, shuffled, x_val), "constant": (0 * x, y, 0 * x_val)}
    found = {}
    for case, (inputs, targets, inputs_val) in cases.items():
        losses = []
        for weights in _draw(seed, x.shape[1]):
            model.set_weights(weights)
            fitted = model.fit(inputs, targets, epochs=3, validation_data=(inputs_val, y_val), verbose=0)
            losses.append(min(fitted.history["val_loss"]))
        found[case] = float(np.mean(losses))
    return found


@claim("08", "Shuffled labels leave the validation loss within a twentieth of ln 10; true ones come below half of it.")
def shuffled_labels_teach_nothing(source: str, seed: int) -> Outcome:
    found = _experiments(source, seed, "sound")
    return found, abs(found["shuffled"] / KNOWN - 1) < 0.05 and found["as they are"] < 0.5 * KNOWN


@claim("08", "So does a constant input.")
def constant_input_teaches_nothing(source: str, seed: int) -> Outcome:
    loss = _experiments(source, seed, "sound")["constant"]
    return {"constant": loss}, abs(loss / KNOWN - 1) < 0.05


@claim("08", "Where rows are mismatched, or axes mixed, labels as they are gain less than a tenth on shuffled ones.")
def mismatched_rows_teach_no_more(source: str, seed: int) -> Outcome:
    gains = {}
    for name in ("one row too low", "axes mixed"):
        found = _experiments(source, seed, name)
        gains[name] = 1 - found["as they are"] / found["shuffled"]
    return gains, max(gains.values()) < 0.1


@claim("08", "Over rates the loss has a valley between 0.001 and 1: at 0.00001 nothing is learned, at 10 less.")
def rates_have_a_valley(source: str, seed: int) -> Outcome:
    x, y, *_ = _pipelines(source, seed)["sound"]
    model, found = _network(x.shape[1]), {}
    for rate in 10.0 ** np.arange(-5, 2):
        model.optimizer.learning_rate = rate
        losses = []
        for weights in _draw(seed, x.shape[1]):
            model.set_weights(weights)
            model.fit(x[:500], y[:500], epochs=3, verbose=0)
            losses.append(model.evaluate(x[:500], y[:500], verbose=0))
        found[f"{rate:g}"] = float(np.nan_to_num(np.mean(losses), nan=np.inf))
    low, *middle, high = found.values()
    return found, min(middle) < 0.8 * low and low > 0.9 * KNOWN and high > KNOWN and found["1e-05"] > min(middle)


@claim("08", "Through six layers of sigmoids the first gradient is below a twentieth of the last; of relus above it.")
def sigmoids_make_gradients_vanish(source: str, seed: int) -> Outcome:
    x, y, *_ = _pipelines(source, seed)["sound"]
    found = {}
    for activation in ("relu", "sigmoid"):
        network = (x.shape[1], (32,) * 6, activation, 1_000.0)
        net, ratios = _network(*network), []
        for weights in _draw(seed, *network):
            net.set_weights(weights)
            net.train_on_batch(x[:500], y[:500])
            steps = [old - new for old, new in zip(weights, net.get_weights(), strict=True) if old.ndim == 2]
            sizes = [np.sqrt(np.mean(step**2)) for step in steps]
            ratios.append(sizes[0] / sizes[-1])
        found[activation] = float(np.mean(ratios))
    return found, found["sigmoid"] < 0.05 < found["relu"]


@claim("08", "Of the lesson's checks the sound pipeline fails none, and each broken one fails the check of its fault.")
def check_pipeline_finds_what_we_broke(source: str, seed: int) -> Outcome:
    found, is_right = {}, True
    for name, arrays in _pipelines(source, seed).items():
        model = _model(arrays[0].shape[1])
        failed = [check.name for check in recipe.check_pipeline(model, *arrays, checks=CHECKS, seed=seed).failed]
        found[name] = len(failed)
        is_right &= FOUND_BY[name] in failed if name in FOUND_BY else not failed
    return found, is_right
