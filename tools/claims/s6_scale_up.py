"""What lesson 6 claims: of bias and variance on digits, of the turn on reviews, of boundaries in two dimensions."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

import recipe
from claims import Outcome, claim

BEST_PUBLISHED = 0.002  # share of MNIST's test images that the best networks misread
IDEAS = {
    "first": {},
    "bigger": {"hidden_units": (256,)},
    "longer": {"hidden_units": (256,), "epochs": 20},
    "adam": {"hidden_units": (256,), "epochs": 20, "optimizer": "adam"},
    "layer": {"hidden_units": (256, 256), "epochs": 20, "optimizer": "adam"},
    "two layers": {"hidden_units": (256, 256), "epochs": 6, "optimizer": "adam"},
    "bottleneck": {"hidden_units": (256, 2, 256), "epochs": 6, "optimizer": "adam"},
}
SIZES = {"2": (2,), "8": (8,), "64-64": (64, 64)}
FITTED = {**{name: (units, 0) for name, units in SIZES.items()}, "64-64, L2": (SIZES["64-64"], 1)}


@cache
def _tried(source: str, seed: int, idea: str) -> tuple[float, float]:
    """Return the errors of an idea on both parts, means of five networks at their last epoch."""
    digits = recipe.load("mnist", source=source, rows=6_000, seed=seed)
    halves = recipe.prepare(recipe.hold_out(digits, test_size=0.5, seed=seed))
    spec = recipe.ModelSpec(
        **({"hidden_units": (16,), "optimizer": "sgd", "batch_size": 32, "epochs": 4} | IDEAS[idea])
    )
    runs = recipe.train_seeds(spec, halves, range(10 * seed, 10 * seed + 5), journal=None)
    return tuple(1 - np.mean([run.history[key][-1] for run in runs]) for key in ("accuracy", "val_accuracy"))


@claim(
    "06", "A bigger network, longer training and Adam, each on top of the last, lower the training error of the digits."
)
def bias_falls_idea_by_idea(source: str, seed: int) -> Outcome:
    training = {name: _tried(source, seed, name)[0] for name in ("first", "bigger", "longer", "adam")}
    return training, all(np.diff(list(training.values())) < 0)


@claim("06", "A network of 256 units has a lower validation error on the digits than one of 16, too.")
def bigger_network_errs_less(source: str, seed: int) -> Outcome:
    validation = {name: _tried(source, seed, name)[1] for name in ("first", "bigger")}
    return validation, validation["bigger"] < validation["first"]


@claim("06", "After these three ideas the variance is larger than the avoidable bias.")
def variance_is_left(source: str, seed: int) -> Outcome:
    training, validation = _tried(source, seed, "adam")
    bias = max(training - BEST_PUBLISHED, 0)
    return {"bias": bias, "variance": validation - training}, validation - training > bias


@claim("06", "Another layer then changes the validation error by less than a point and a half.")
def another_layer_gains_little(source: str, seed: int) -> Outcome:
    before, after = (_tried(source, seed, name)[1] for name in ("adam", "layer"))
    return {"before": before, "after": after}, abs(after - before) < 0.015


@claim("06", "A layer of two units between two of 256 raises the training error by five points or more.")
def bottleneck_loses_digits(source: str, seed: int) -> Outcome:
    training = {name: _tried(source, seed, name)[0] for name in ("two layers", "bottleneck")}
    return training, training["bottleneck"] >= training["two layers"] + 0.05


@cache
def _read(source: str, seed: int) -> list[recipe.Run]:
    """Return five trainings on reviews, over 15 epochs."""
    reviews = recipe.load("imdb", source=source, rows=6_000, seed=seed)
    halves = recipe.prepare(recipe.hold_out(reviews, test_size=0.5, seed=seed))
    spec = recipe.ModelSpec(hidden_units=(16, 16), batch_size=128, epochs=15)
    return recipe.train_seeds(spec, halves, range(10 * seed, 10 * seed + 5), journal=None)


def _mean_curve(source: str, seed: int, key: str) -> np.ndarray:
    return np.mean([run.history[key] for run in _read(source, seed)], axis=0)


@claim("06", "On reviews the validation loss turns within ten epochs, and ends a fifth or more above its lowest value.")
def validation_loss_turns(source: str, seed: int) -> Outcome:
    loss = _mean_curve(source, seed, "val_data_loss")
    turn, rise = int(loss.argmin()) + 1, loss[-1] / loss.min()
    return {"turn": turn, "rise": rise}, turn <= 10 and rise >= 1.2


@claim("06", "From that turn to the end the accuracy moves by six points at most.")
def accuracy_moves_little(source: str, seed: int) -> Outcome:
    accuracy = _mean_curve(source, seed, "val_accuracy")
    at_turn, at_end = accuracy[_mean_curve(source, seed, "val_data_loss").argmin()], accuracy[-1]
    return {"at the turn": at_turn, "at the end": at_end}, abs(at_end - at_turn) <= 0.06


@claim("06", "From the turn to the end the mean loss of a wrong answer grows by a fifth or more.")
def mistakes_become_surer(source: str, seed: int) -> Outcome:
    import keras

    reviews = recipe.load("imdb", source=source, rows=6_000, seed=seed)
    split = recipe.hold_out(reviews, test_size=0.5, seed=seed)
    num_words = reviews.problem.num_words
    words, held_out = split.x_train.multi_hot(num_words), split.x_val.multi_hot(num_words)
    keras.utils.set_random_seed(seed)
    hidden = [keras.layers.Dense(16, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((num_words,)), *hidden, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="rmsprop", loss="binary_crossentropy")
    losses, mistakes = [], []
    for _ in range(15):
        model.fit(words, split.y_train[:, None], batch_size=128, verbose=0)
        output = model.predict(held_out, verbose=0)[:, 0]
        p_true = np.where(split.y_val == 1, output, 1 - output)
        loss = -np.log(np.clip(p_true, 1e-7, 1))
        losses.append(loss.mean())
        mistakes.append(loss[p_true < 0.5].mean())
    at_turn = mistakes[int(np.argmin(losses))]
    return {"at the turn": at_turn, "at the end": mistakes[-1]}, mistakes[-1] > 1.2 * at_turn


def _fit(units: tuple[int, ...], x: np.ndarray, y: np.ndarray, seed: int, l2: float = 0) -> MLPClassifier:
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 500 steps may not be enough to fit every sample
        return MLPClassifier(units, solver="lbfgs", alpha=l2, max_iter=500, random_state=seed).fit(x, y)


@cache
def _drawn(seed: int) -> dict[str, dict[str, float]]:
    """Return bias, variance and error of ten networks of each kind, from ten draws of the made-up world."""
    side = np.linspace(-2, 2, 80)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    truth, found = grid[:, 1] > np.sin(2 * grid[:, 0]), {}
    for name, (units, l2) in FITTED.items():
        answers = []
        for draw in range(10 * seed, 10 * seed + 10):
            rng = np.random.default_rng(draw)
            x = rng.uniform(-2, 2, (150, 2))
            y = (x[:, 1] > np.sin(2 * x[:, 0])) ^ (rng.random(150) < 0.1)
            answers.append(_fit(units, x, y, draw, l2).predict(grid))
        usual = np.mean(answers, axis=0) > 0.5
        parts = {"bias": usual != truth, "variance": np.array(answers) != usual, "error": np.array(answers) != truth}
        found[name] = {part: float(is_so.mean()) for part, is_so in parts.items()}
    return found


def _by_size(seed: int, part: str) -> dict[str, float]:
    return {name: _drawn(seed)[name][part] for name in SIZES}


@claim(
    "06",
    "In the made-up world the bias of 2 units is larger than that of 8, and of two layers of 64.",
    sources=("made up",),
)
def bias_falls_with_size(source: str, seed: int) -> Outcome:
    bias = _by_size(seed, "bias")
    return bias, bias["2"] > max(bias["8"], bias["64-64"])


@claim(
    "06", "In the made-up world the variance of two layers of 64 is larger than that of 8 units.", sources=("made up",)
)
def variance_rises_with_size(source: str, seed: int) -> Outcome:
    variance = _by_size(seed, "variance")
    return variance, variance["64-64"] > max(variance["2"], variance["8"])


@claim(
    "06",
    "In the made-up world 8 units come closer to the truth than 2, and than two layers of 64.",
    sources=("made up",),
)
def middle_size_is_best(source: str, seed: int) -> Outcome:
    error = _by_size(seed, "error")
    return error, error["8"] < min(error["2"], error["64-64"])


@claim(
    "06",
    "In the made-up world two layers of 64 with L2 come closer to the truth than without, and than 8 units.",
    sources=("made up",),
)
def regularized_large_network_is_best(source: str, seed: int) -> Outcome:
    error = {name: parts["error"] for name, parts in _drawn(seed).items()}
    return error, error["64-64, L2"] < min(error["8"], error["64-64"])


def _on_houses(columns: list[int], source: str, seed: int) -> dict[str, np.ndarray]:
    """Return for each size the errors on 150 districts and on all others, means of five draws."""
    houses = recipe.load("housing", source=source)
    x, y = houses.x_train[:, columns], houses.y_train > np.median(houses.y_train)
    x, found = (x - x.mean(axis=0)) / x.std(axis=0), {}
    for name in ("8", "64-64"):
        errors = []
        for draw in range(10 * seed, 10 * seed + 5):
            few, rest = np.split(np.random.default_rng(draw).permutation(len(y)), [150])
            model = _fit(SIZES[name], x[few], y[few], draw)
            errors.append([1 - model.score(x[rows], y[rows]) for rows in (few, rest)])
        found[name] = np.mean(errors, axis=0)
    return found


@claim("06", "On age and income two layers of 64 fit 150 districts better than 8 units, and err more on all others.")
def largest_overfits_on_houses(source: str, seed: int) -> Outcome:
    (fit_8, error_8), (fit_64, error_64) = _on_houses([2, 7], source, seed).values()
    numbers = {"training, 8": fit_8, "training, 64-64": fit_64, "others, 8": error_8, "others, 64-64": error_64}
    return numbers, fit_64 < fit_8 and error_64 > error_8


@claim(
    "06", "On longitude and latitude two layers of 64 err less on all other districts than 8 units.", sources=("real",)
)
def place_needs_capacity(source: str, seed: int) -> Outcome:
    error_8, error_64 = (errors[1] for errors in _on_houses([0, 1], source, seed).values())
    return {"others, 8": error_8, "others, 64-64": error_64}, error_64 < error_8
