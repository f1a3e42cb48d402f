"""What lesson 1 claims: of labels that people give, of inputs that hold no answer, and of worlds that move."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache

import keras
import numpy as np
from sklearn.model_selection import train_test_split

import recipe
from claims import Outcome, claim
from claims.networks import start

ROWS = {"mnist": 4_000, "imdb": 3_000, "housing": None}
SPEC = recipe.ModelSpec(hidden_units=(64,), optimizer="adam", batch_size=64, epochs=20)
Predict = Callable[[np.ndarray], np.ndarray]  # of rows (n, columns)
DEGREES = 36  # of latitude: what lies further north is the north


@claim(
    "01", "The majority of three who err on one sample in ten each errs on three in a hundred.", sources=("made up",)
)
def majority_errs_less(source: str, seed: int) -> Outcome:
    wrong = np.random.default_rng(seed).random((3, 100_000)) < 0.1
    one, three = float(wrong[0].mean()), float((wrong.sum(axis=0) > 1.5).mean())
    return {"one": one, "three": three}, 0.095 <= one <= 0.105 and 0.025 <= three <= 0.031


def _build(columns: int) -> keras.Model:
    hidden = keras.layers.Dense(32, activation="relu")
    model = keras.Sequential([keras.Input((columns,)), hidden, keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
    return model


def _train(x: np.ndarray, y: np.ndarray, seed: int) -> Predict:
    """Return what a network predicts that learned from standardized columns."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    model = start(_build, x.shape[1], seed=seed)
    model.fit((x - mean) / std, y, batch_size=64, epochs=40, verbose=0)
    w1, b1, w2, b2 = model.get_weights()
    return lambda new: np.maximum((new - mean) / std @ w1 + b1, 0) @ w2[:, 0] + b2


def _times_guess(predict: Predict, x: np.ndarray, y: np.ndarray, y_train: np.ndarray) -> float:
    """Return the mean absolute error as a multiple of that of the median of the training targets."""
    return float(np.abs(predict(x) - y).mean() / np.abs(y - np.median(y_train)).mean())


@claim(
    "01",
    "Of grades that no first name tells, five networks beat a guess, on average, on their own pupils, not on others.",
    sources=("made up",),
)
def names_are_learned_by_heart(source: str, seed: int) -> Outcome:
    found = []
    for number in range(10 * seed, 10 * seed + 5):
        rng = np.random.default_rng(number)
        x = np.eye(60, dtype="float32")[rng.integers(60, size=600)]
        y = np.clip(rng.normal(0.70, 0.12, 600), 0, 1)
        model = _train(x[:480], y[:480], number)
        found.append([_times_guess(model, x[part], y[part], y[:480]) for part in (slice(480), slice(480, None))])
    training, validation = np.transpose(found)
    return {"training": training.mean(), "validation": validation.mean()}, training.mean() < 1 < validation.mean()


@cache
def _folds(source: str, seed: int) -> dict[str, np.ndarray]:
    """Return the errors of five folds as multiples of a guess's, (folds, parts), with true and shuffled labels."""
    ratios = {}
    for name, rows in ROWS.items():
        data = recipe.load(name, source=source, rows=rows, seed=seed)
        shuffled = dataclasses.replace(data, y_train=np.random.default_rng(seed).permutation(data.y_train))
        for title, version in ((name, data), (f"{name}, shuffled", shuffled)):
            folds = recipe.k_fold(version, folds=5, seed=seed)
            runs = recipe.cross_validate(SPEC.replace(seed=10 * seed), folds, journal=None)
            errors = np.array([[run.history[key][-1] for key in (run.measure, f"val_{run.measure}")] for run in runs])
            guess = np.array([[run.baseline] for run in runs])
            if name != "housing":
                errors, guess = 1 - errors, 1 - guess
            ratios[title] = errors / guess
    return ratios


@claim("01", "On five folds a network errs at most 0.8 times as much as a guess; with shuffled labels no less than it.")
def shuffled_labels_end_at_the_guess(source: str, seed: int) -> Outcome:
    validation = {title: ratios[:, 1].mean() for title, ratios in _folds(source, seed).items()}
    true = max(mean for title, mean in validation.items() if title in ROWS)
    shuffled = min(mean for title, mean in validation.items() if title not in ROWS)
    return validation, true <= 0.8 and shuffled >= 0.95


@claim("01", "The shuffled reviews of a training part are learned by heart: at most a tenth of a guess's errors.")
def shuffled_reviews_are_learned_by_heart(source: str, seed: int) -> Outcome:
    training = {title: ratios[:, 0].mean() for title, ratios in _folds(source, seed).items() if title not in ROWS}
    return training, training["imdb, shuffled"] <= 0.1


def _clothing_sales(month: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, month])
    warmth, discount = rng.random(600), 0.5 * rng.random(600)
    price = 30 * (1 + 1.5 * warmth) * np.exp(0.3 * rng.standard_normal(600))
    cold = np.cos(2 * np.pi * month / 12)
    expected = 60 * np.exp(2.5 * (warmth - 0.5) * cold + 1.2 * discount) / np.sqrt(price / 50)
    return np.column_stack([warmth, price, discount]).astype("float32"), rng.poisson(expected) / 100


@cache
def _shop(seed: int) -> dict[str, float]:
    """Return the errors of five networks as multiples of a guess's, and what they order as a multiple of what sells."""
    (x, y), (x_january, y_january) = (_clothing_sales(month, seed) for month in (7, 0))
    models = [_train(x[:480], y[:480], number) for number in range(10 * seed, 10 * seed + 5)]
    parts = {"August": (x[480:], y[480:]), "January": (x_january, y_january)}
    found = {
        part: float(np.mean([_times_guess(model, *new, y[:480]) for model in models])) for part, new in parts.items()
    }
    ordered = np.mean([predict(x_january) for predict in models], axis=0)
    for name, is_chosen in (("swimwear", x_january[:, 0] < 1 / 3), ("coats", x_january[:, 0] > 2 / 3)):
        found[name] = float(ordered[is_chosen].mean() / y_january[is_chosen].mean())
    return found


@claim("01", "A shop's networks beat a guess by far in August, and are worse than it in January.", sources=("made up",))
def january_is_worse_than_a_guess(source: str, seed: int) -> Outcome:
    found = _shop(seed)
    return {part: found[part] for part in ("August", "January")}, found["August"] <= 0.4 and found["January"] > 1.2


@claim(
    "01",
    "For January they order more than twice as much swimwear as sells, and less than half of the coats.",
    sources=("made up",),
)
def swimwear_is_left_over(source: str, seed: int) -> Outcome:
    found = _shop(seed)
    return {name: found[name] for name in ("swimwear", "coats")}, found["swimwear"] > 2 and found["coats"] < 0.5


@claim("01", "Trained on both months, a column for the month halves the shop's error, or better.", sources=("made up",))
def month_column_halves_the_error(source: str, seed: int) -> Outcome:
    (x, y), (x_january, y_january) = (_clothing_sales(month, seed) for month in (7, 0))
    x, y = np.concatenate([x, x_january]), np.concatenate([y, y_january])
    months, found = np.repeat([7, 0], 600).astype("float32"), {}
    for name, columns in (("without", x), ("with", np.column_stack([x, months]))):
        x_train, x_val, y_train, y_val = train_test_split(columns, y, test_size=0.2, random_state=seed)
        found[name] = _times_guess(_train(x_train, y_train, seed), x_val, y_val, y_train)
    return found, found["with"] <= 0.5 * found["without"]


@cache
def _moved(source: str, seed: int, first_column: int) -> dict[str, float]:
    """Return what five networks that learned in the north err there and in the south, as multiples of a guess."""
    houses = recipe.load("housing", source=source)
    is_north = houses.x_train[:, 1] > DEGREES
    x, y = houses.x_train[:, first_column:], houses.y_train / 100_000
    x_home, x_val, y_home, y_val = train_test_split(x[is_north], y[is_north], test_size=0.2, random_state=seed)
    models = [_train(x_home, y_home, number) for number in range(10 * seed, 10 * seed + 5)]
    parts = {"north": (x_val, y_val), "south": (x[~is_north], y[~is_north])}
    return {
        part: float(np.mean([_times_guess(model, *new, y_home) for model in models])) for part, new in parts.items()
    }


@claim("01", "Networks that learned in the north beat a guess there by far, and err in the south 1.5 times as much.")
def south_is_another_world(source: str, seed: int) -> Outcome:
    found = _moved(source, seed, 0)
    return found, found["north"] <= 0.6 and found["south"] >= 1.5 * found["north"]


@claim("01", "Without longitude and latitude the networks err less in the south than with them, and more in the north.")
def without_place_the_south_is_nearer(source: str, seed: int) -> Outcome:
    ways = {"with": _moved(source, seed, 0), "without": _moved(source, seed, 2)}
    found = {f"{part}, {name}": errors[part] for name, errors in ways.items() for part in ("south", "north")}
    is_nearer = found["south, without"] <= found["south, with"] - 0.1
    return found, is_nearer and found["north, without"] > found["north, with"]
