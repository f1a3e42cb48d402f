"""What lesson 5 claims: of guesses, rivals and small networks, of the last layer, and of the power of a test."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
from scipy import stats
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import recipe
from claims import Outcome, claim
from claims.networks import start

ROWS = {"mnist": 6_000, "imdb": 6_000, "housing": None}
SPECS = {
    "mnist": recipe.ModelSpec(hidden_units=(16,), batch_size=32, epochs=15),
    "imdb": recipe.ModelSpec(hidden_units=(16,), batch_size=32, epochs=4),
    "housing": recipe.ModelSpec(hidden_units=(16,), batch_size=32, epochs=20),
}


def _halve(*arrays: object, labels: np.ndarray | None = None, seed: int) -> list:
    half = round(len(arrays[-1]) / 2)
    return train_test_split(*arrays, test_size=half, stratify=labels, random_state=seed)


@cache
def _trained(name: str, source: str, seed: int) -> tuple[float, float, float]:
    """Return the mean measure of five networks, its standard deviation, and the guess's."""
    dataset = recipe.load(name, source=source, rows=ROWS[name], seed=seed)
    halves = recipe.prepare(recipe.hold_out(dataset, test_size=0.5, seed=seed))
    runs = recipe.train_seeds(SPECS[name], halves, range(10 * seed, 10 * seed + 5), journal=None)
    scores = [run.score for run in runs]
    return float(np.mean(scores)), float(np.std(scores)), runs[0].baseline


@cache
def _houses(source: str, seed: int) -> tuple[np.ndarray, ...]:
    """Return standardized columns and values in hundred thousand dollars: of both halves."""
    houses = recipe.load("housing", source=source, seed=seed)
    x_train, x_val, y_train, y_val = _halve(houses.x_train, houses.y_train / 100_000, seed=seed)
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), scaler.transform(x_val), y_train, y_val


@claim("05", "Where the mean absolute error counts, the median is a better guess than the mean.")
def median_is_the_hardest_guess(source: str, seed: int) -> Outcome:
    _, _, y_train, y_val = _houses(source, seed)
    median, mean = (float(np.abs(y_val - guess(y_train)).mean()) for guess in (np.median, np.mean))
    return {"median": median, "mean": mean}, median < mean


@claim("05", "Small networks err at most six tenths as much as a guess, on digits, reviews and houses.")
def networks_beat_the_guess(source: str, seed: int) -> Outcome:
    ratios = {}
    for name in ROWS:
        score, _, guess = _trained(name, source, seed)
        ratios[name] = score / guess if name == "housing" else (1 - score) / (1 - guess)
    return ratios, max(ratios.values()) <= 0.6


@claim("05", "Five networks differ little: the standard deviation is a tenth of the way from the guess, or less.")
def networks_differ_little(source: str, seed: int) -> Outcome:
    trained = {name: _trained(name, source, seed) for name in ROWS}
    shares = {name: std / abs(score - guess) for name, (score, std, guess) in trained.items()}
    return shares, max(shares.values()) <= 0.1


@claim("05", "On houses gradient boosting errs less than the mean of five small networks, by 0.05 or more.")
def boosting_beats_small_network(source: str, seed: int) -> Outcome:
    x_train, x_val, y_train, y_val = _houses(source, seed)
    boosted = HistGradientBoostingRegressor(random_state=seed).fit(x_train, y_train).predict(x_val)
    boosting, network = float(np.abs(boosted - y_val).mean()), _trained("housing", source, seed)[0]
    return {"boosting": boosting, "network": network}, boosting <= network - 0.05


@claim("05", "On reviews five small networks are right on at most 1.5 points more than TF-IDF and logistic regression.")
def tfidf_keeps_up(source: str, seed: int) -> Outcome:
    reviews = recipe.load("imdb", source=source, rows=ROWS["imdb"], seed=seed)
    texts = [" ".join(reviews.vocabulary[word] for word in review) for review in reviews.x_train]
    x_train, x_val, y_train, y_val = _halve(texts, reviews.y_train, labels=reviews.y_train, seed=seed)
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=300)).fit(x_train, y_train)
    rival, network = float(model.score(x_val, y_val)), _trained("imdb", source, seed)[0]
    return {"rival": rival, "network": network}, network - rival <= 0.015


@claim("05", "On digits the most similar training image errs less than the mean of five small networks.")
def nearest_digit_errs_less(source: str, seed: int) -> Outcome:
    digits = recipe.load("mnist", source=source, rows=ROWS["mnist"], seed=seed)
    x = digits.x_train.reshape(len(digits.x_train), -1) / digits.x_train.max()
    x_train, x_val, y_train, y_val = _halve(x, digits.y_train, labels=digits.y_train, seed=seed)
    nearest = 1 - float(KNeighborsClassifier(1).fit(x_train, y_train).score(x_val, y_val))
    network = 1 - _trained("mnist", source, seed)[0]
    return {"nearest": nearest, "network": network}, nearest < network


def _build(columns: int, outputs: int, activation: str | None, loss: str) -> keras.Model:
    last = keras.layers.Dense(outputs, activation=activation)
    model = keras.Sequential([keras.Input((columns,)), keras.layers.Dense(16, activation="relu"), last])
    model.compile(optimizer="rmsprop", loss=loss)
    return model


def _network(
    x: np.ndarray, y: np.ndarray, outputs: int, activation: str | None, loss: str, seed: int, epochs: int
) -> keras.Model:
    model = start(_build, x.shape[1], outputs, activation, loss, seed=seed)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)
    return model


@claim("05", "One-hot targets with their loss give the same network as class numbers: one answer in 200 may differ.")
def one_hot_is_the_same(source: str, seed: int) -> Outcome:
    digits = recipe.load("mnist", source=source, rows=ROWS["mnist"], seed=seed)
    x = digits.x_train.reshape(len(digits.x_train), -1).astype("float32") / digits.x_train.max()
    x_train, x_val, y_train, _ = _halve(x, digits.y_train, labels=digits.y_train, seed=seed)
    losses = {"sparse_categorical_crossentropy": y_train, "categorical_crossentropy": np.eye(10)[y_train]}
    answers = [
        _network(x_train, y, 10, "softmax", loss, seed, 5).predict(x_val, verbose=0).argmax(axis=1)
        for loss, y in losses.items()
    ]
    differ = float((answers[0] != answers[1]).mean())
    return {"differ": differ}, differ <= 0.005


@cache
def _error_by_end(source: str, seed: int) -> dict[str, float]:
    """Return the MAE of four ends of a network on houses, in hundred thousand dollars, and of a guess."""
    x_train, x_val, y_train, y_val = _houses(source, seed)
    top, ends = y_train.max(), {"dollars": (None, "mse", 1e-5), "ceiling": ("sigmoid", "mse", 1.0)}
    ends |= {"share, mse": ("sigmoid", "mse", top), "share, cross-entropy": ("sigmoid", "binary_crossentropy", top)}
    found = {"guess": float(np.abs(y_val - np.median(y_train)).mean())}
    for name, (activation, loss, unit) in ends.items():
        model = _network(x_train, y_train / unit, 1, activation, loss, seed, 20)
        found[name] = float(np.abs(model.predict(x_val, verbose=0)[:, 0] * unit - y_val).mean())
    return found


@claim("05", "With targets in dollars a network errs more than a guess.")
def dollars_teach_nothing(source: str, seed: int) -> Outcome:
    errors = _error_by_end(source, seed)
    return {name: errors[name] for name in ("guess", "dollars")}, errors["dollars"] > errors["guess"]


@claim("05", "A sigmoid for values from 0 to 5 errs more than a guess.")
def ceiling_is_worse_than_a_guess(source: str, seed: int) -> Outcome:
    errors = _error_by_end(source, seed)
    return {name: errors[name] for name in ("guess", "ceiling")}, errors["ceiling"] > errors["guess"]


@claim("05", "For values in [0, 1] mse and binary cross-entropy end within 0.03 of each other, far below a guess.")
def both_losses_fit_a_share(source: str, seed: int) -> Outcome:
    errors = _error_by_end(source, seed)
    mse, entropy = errors["share, mse"], errors["share, cross-entropy"]
    return errors, abs(mse - entropy) <= 0.03 and max(mse, entropy) <= 0.6 * errors["guess"]


@claim("power_of_a_validation_set", "A weak network beats a guess on 200 reviews more often than on 20, by a fifth.")
def power_grows_with_samples(source: str, seed: int) -> Outcome:
    reviews = recipe.load("imdb", source=source, rows=ROWS["imdb"], seed=seed)
    hot, good = reviews.x_train.multi_hot(reviews.problem.num_words), reviews.y_train
    x_train, x_val, y_train, y_val = _halve(hot, good, labels=good, seed=seed)
    model = _network(x_train[:100], y_train[:100], 1, "sigmoid", "binary_crossentropy", seed, 15)
    is_right = (model.predict(x_val, verbose=0)[:, 0] > 0.5) == y_val
    gain = is_right.astype(int) - (y_val == np.bincount(y_train[:100]).argmax())
    rng, shares = np.random.default_rng(seed), {}
    for size in (20, 200):
        drawn = rng.choice(gain, (200, size))
        wins, losses = (drawn == 1).sum(axis=1), (drawn == -1).sum(axis=1)
        shares[str(size)] = float((stats.binom.sf(wins - 1, wins + losses, 0.5) <= 0.05).mean())
    return shares, shares["200"] >= shares["20"] + 0.2
