"""What lesson 7 claims: of regularization and more data on digits, of early stopping on reviews, of a search's luck."""

from __future__ import annotations

import dataclasses
from functools import cache

import keras
import numpy as np

import recipe
from claims import Outcome, claim
from claims.networks import start
from recipe.core.dataset import Split

WAYS = {
    "nothing": {},
    "dropout": {"dropout": 0.5},
    "L2": {"l2": 0.003},
    "L1": {"l1": 0.0003},
    "L1 and L2": {"l1": 0.0003, "l2": 0.003},
    "16 units": {"hidden_units": (16,)},
}
REGULARIZED = ("dropout", "L2", "L1", "L1 and L2")
BASE = recipe.ModelSpec(hidden_units=(256,), optimizer="adam", batch_size=40, epochs=20)


def _cut(source: str, seed: int) -> tuple[Split, Split]:
    """Return 400 digits to train on, and 800, with the same validation part."""
    digits = recipe.load("mnist", source=source, rows=3_000, seed=seed)
    cut = recipe.hold_out(digits, test_size=1 - 800 / len(digits.y_train), seed=seed)
    return dataclasses.replace(cut, x_train=cut.x_train[:400], y_train=cut.y_train[:400]), cut


@cache
def _digits(source: str, seed: int) -> tuple[recipe.Prepared, recipe.Prepared]:
    """Return both, prepared."""
    half, cut = _cut(source, seed)
    return recipe.prepare(half), recipe.prepare(cut)


def _train(source: str, seed: int, **changes: object) -> list[recipe.Run]:
    few, _ = _digits(source, seed)
    return recipe.train_seeds(BASE.replace(**changes), few, range(10 * seed, 10 * seed + 5), journal=None)


@cache
def _regularized(source: str, seed: int) -> dict[str, dict[str, float]]:
    """Return what five networks of each way show at their last epoch, in the mean."""
    runs = {name: _train(source, seed, **changes) for name, changes in WAYS.items()}
    _, more = _digits(source, seed)
    seeds = range(10 * seed, 10 * seed + 5)
    for name, changes in {"800": {}, "800, dropout": WAYS["dropout"]}.items():
        runs[name] = recipe.train_seeds(BASE.replace(epochs=10, **changes), more, seeds, journal=None)
    found = {}
    for name, some in runs.items():
        last = {key: float(np.mean([run.history[key][-1] for run in some])) for key in some[0].history}
        weights = np.abs([run.model.get_weights()[0] for run in some]) if name in ("nothing", "L1") else 1.0
        found[name] = last | {"zero": float(np.mean(weights == 0)), "tiny": float(np.mean(weights < 0.001))}
    return found


def _by_way(source: str, seed: int, key: str) -> dict[str, float]:
    return {name: last[key] for name, last in _regularized(source, seed).items()}


@claim("07", "Keras's val_loss of a network with a penalty is its data loss plus that penalty.")
def val_loss_is_data_loss_and_penalty(source: str, seed: int) -> Outcome:
    few, _ = _digits(source, seed)
    x, x_val = few.inputs("train"), few.inputs("val")
    keras.utils.set_random_seed(seed)
    penalty = keras.regularizers.L1L2(l2=0.003)
    hidden = keras.layers.Dense(256, activation="relu", kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Flatten(), hidden])
    model.add(keras.layers.Dense(10, activation="softmax"))
    data_loss = keras.metrics.SparseCategoricalCrossentropy(name="data_loss")
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=[data_loss])
    history = model.fit(x, few.y_train, validation_data=(x_val, few.y_val), batch_size=40, epochs=3, verbose=0).history
    total, data, asked = history["val_loss"][-1], history["val_data_loss"][-1], float(sum(model.losses))
    return {"val_loss": total, "data loss": data, "penalty": asked}, abs(total - data - asked) < 0.005


@claim("07", "With L1 less than one weight in a hundred is exactly zero.")
def no_weight_is_exactly_zero(source: str, seed: int) -> Outcome:
    zero = _regularized(source, seed)["L1"]["zero"]
    return {"zero": zero}, zero < 0.01


@claim("07", "With L1 more weights of the first layer are below 0.001 than without, twice as many at least.")
def l1_makes_more_tiny_weights(source: str, seed: int) -> Outcome:
    tiny = _by_way(source, seed, "tiny")
    return {name: tiny[name] for name in ("nothing", "L1")}, tiny["L1"] > 2 * tiny["nothing"]


@claim("07", "Twice the digits leave a lower validation error than dropout does.")
def more_data_gains_more_than_dropout(source: str, seed: int) -> Outcome:
    accuracy = _by_way(source, seed, "val_accuracy")
    shown = {name: 1 - accuracy[name] for name in ("dropout", "800")}
    return shown, shown["800"] < shown["dropout"]


@claim("07", "Twice the digits of MNIST lower the validation error by a tenth or more.", sources=("real",))
def more_data_lowers_the_error(source: str, seed: int) -> Outcome:
    accuracy = _by_way(source, seed, "val_accuracy")
    shown = {name: 1 - accuracy[name] for name in ("nothing", "800")}
    return shown, shown["800"] < 0.9 * shown["nothing"]


@claim(
    "07",
    "On 800 digits the variance, validation minus training error, is larger than the training error.",
    sources=("real",),
)
def variance_is_left_on_more_data(source: str, seed: int) -> Outcome:
    training, validation = (1 - _by_way(source, seed, key)["800"] for key in ("accuracy", "val_accuracy"))
    return {"training": training, "validation": validation}, validation - training > training


@claim("07", "Dropout, L2, L1, and both penalties at once change the validation error by three points at most.")
def regularized_errors_lie_close(source: str, seed: int) -> Outcome:
    accuracy = _by_way(source, seed, "val_accuracy")
    shown = {name: 1 - accuracy[name] for name in ("nothing", *REGULARIZED)}
    return shown, max(abs(shown[name] - shown["nothing"]) for name in REGULARIZED) <= 0.03


@claim("07", "A network of 16 units has a higher validation error than one of 256.")
def smaller_network_is_no_medicine(source: str, seed: int) -> Outcome:
    accuracy = _by_way(source, seed, "val_accuracy")
    shown = {name: 1 - accuracy[name] for name in ("nothing", "16 units")}
    return shown, shown["16 units"] > shown["nothing"]


@claim("07", "Early stopping on reviews ends with a validation loss a tenth lower, and an accuracy within six points.")
def early_stopping_saves_loss(source: str, seed: int) -> Outcome:
    reviews = recipe.load("imdb", source=source, rows=6_000, seed=seed)
    halves = recipe.prepare(recipe.hold_out(reviews, test_size=0.5, seed=seed))
    spec, seeds = recipe.ModelSpec(hidden_units=(16, 16), batch_size=128, epochs=15), range(10 * seed, 10 * seed + 5)
    whole, stopped = (
        recipe.train_seeds(spec.replace(patience=patience), halves, seeds, journal=None) for patience in (None, 2)
    )
    at_end = {key: np.mean([run.history[key][-1] for run in whole]) for key in ("val_data_loss", "val_accuracy")}
    best = {key: np.mean([run.history[key][run.best_epoch] for run in stopped]) for key in at_end}
    numbers = {
        f"{key}, {name}": values[key] for name, values in {"end": at_end, "best": best}.items() for key in values
    }
    is_close = abs(at_end["val_accuracy"] - best["val_accuracy"]) <= 0.06
    return numbers, best["val_data_loss"] < 0.9 * at_end["val_data_loss"] and is_close


@claim(
    "07",
    "The best of eight trials, trained anew with five seeds, lies within three points of a dropout of a half.",
    sources=("real",),
)
def searches_end_close(source: str, seed: int) -> Outcome:
    few, _ = _digits(source, seed)
    searched = {"dropout": (0.0, 0.7), "l2": (1e-5, 1e-2), "learning_rate": (3e-4, 1e-2)}
    space = {name: recipe.Range(*ends) for name, ends in searched.items()}
    space = recipe.SearchSpace(base=BASE.replace(patience=5, seed=seed), **space)
    found = recipe.tune(_cut(source, seed)[0], space, 8, pruning=False, journal=None, seed=seed)
    specs = {"best": found.best.spec, "dropout": BASE.replace(dropout=0.5, patience=5)}
    seeds = range(10 * seed, 10 * seed + 5)
    again = {
        name: float(np.mean([run.score for run in recipe.train_seeds(spec, few, seeds, journal=None)]))
        for name, spec in specs.items()
    }
    return again | {"search": found.best.score}, abs(again["best"] - again["dropout"]) <= 0.03


def _flattery(seed: int, samples: int) -> float:
    """Return by how much the best of thirty scores is too high, the mean of 2,000 searches."""
    scores = np.random.default_rng(seed).binomial(samples, 0.9, (2_000, 30)) / samples
    return float(scores.max(axis=1).mean() - 0.9)


@claim(
    "07",
    "The best of thirty, each right on 90 %, shows 94 to 97 % on a hundred validation samples.",
    sources=("made up",),
)
def best_of_thirty_flatters(source: str, seed: int) -> Outcome:
    best = 0.9 + _flattery(seed, 100)
    return {"best of thirty": best}, 0.94 <= best <= 0.97


@claim(
    "07", "On a thousand validation samples the best of thirty flatters less than half as much.", sources=("made up",)
)
def more_validation_samples_flatter_less(source: str, seed: int) -> Outcome:
    some, many = (_flattery(seed, samples) for samples in (100, 1_000))
    return {"100": some, "1,000": many}, many < some / 2


@claim("07", "Trained on all digits the network errs on the test set at most three points more than validation said.")
def final_keeps_what_validation_said(source: str, seed: int) -> Outcome:
    digits = recipe.load("mnist", source=source, rows=3_000, seed=seed)
    said = float(np.mean([run.score for run in _train(source, seed, dropout=0.5, patience=5)]))
    final = recipe.train_final(BASE.replace(dropout=0.5, seed=seed), digits, journal=None)
    score = recipe.evaluate_once(final, digits, journal=None).score
    return {"validation": said, "test": score}, score > said - 0.03


def _val_error(runs: list[recipe.Run]) -> float:
    return float(1 - np.mean([run.history["val_accuracy"][-1] for run in runs]))


@claim("07", "On 28 x 28 pixels a quarter of the features errs at most a point more; on 8 x 8 by five points or more.")
def fewer_features_may_do(source: str, seed: int) -> Outcome:
    half, _ = _cut(source, seed)
    side = half.x_train.shape[1]

    def shrink(images: np.ndarray) -> np.ndarray:
        return images.reshape(-1, side // 2, 2, side // 2, 2).mean(axis=(2, 4)).astype("float32")

    problem = dataclasses.replace(half.problem, input_shape=(side // 2, side // 2))
    small = dataclasses.replace(half, x_train=shrink(half.x_train), x_val=shrink(half.x_val), problem=problem)
    runs = recipe.train_seeds(BASE, recipe.prepare(small), range(10 * seed, 10 * seed + 5), journal=None)
    errors = {"all features": _val_error(_train(source, seed)), "a quarter": _val_error(runs)}
    more = errors["a quarter"] - errors["all features"]
    return errors, more <= 0.01 if side == 28 else more >= 0.05


def _build_convnet(side: int) -> keras.Model:
    model = keras.Sequential([keras.Input((side, side, 1))])
    for filters in (16, 32):
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@claim(
    "07",
    "On 400 digits of MNIST a convnet with a tenth of the weights errs no more than the dense network.",
    sources=("real",),
)
def convnet_needs_fewer_weights(source: str, seed: int) -> Outcome:
    few, _ = _digits(source, seed)
    x, x_val = (few.inputs(part)[..., None] for part in ("train", "val"))  # (n, side, side, 1)
    errors = []
    for number in range(10 * seed, 10 * seed + 3):
        model = start(_build_convnet, x.shape[1], seed=number)
        model.fit(x, few.y_train, batch_size=40, epochs=20, verbose=0)
        errors.append(1 - model.evaluate(x_val, few.y_val, batch_size=len(x_val), verbose=0)[1])
    shown = {"dense": _val_error(_train(source, seed)), "convnet": float(np.mean(errors))}
    return shown, shown["convnet"] <= shown["dense"]
