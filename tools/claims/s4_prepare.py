"""What lesson 4 claims: of raw pixels and columns, of categories and gaps, of counted words, and of new columns."""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import recipe
from claims import Outcome, claim
from claims.networks import start

PRAISE = {"great", "excellent", "wonderful", "best", "perfect", "brilliant", "beautiful", "superb", "amazing"}
BLAME = {"bad", "worst", "boring", "awful", "terrible", "waste", "poor", "stupid", "dull", "horrible"}


def _read_by(pixels: int, activation: str | None) -> keras.Model:
    hidden, last = keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation=activation)
    model = keras.Sequential([keras.Input((pixels,)), hidden, last])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation is None)
    model.compile(optimizer="rmsprop", loss=loss)
    return model


@cache
def _read_digits(source: str, seed: int) -> dict[str, float]:
    """Return the share of digits read rightly from raw levels by softmax, from their logits, and from scaled levels."""
    digits = recipe.load("mnist", source=source, rows=6_000, seed=seed)
    grey = (digits.x_train.reshape(len(digits.x_train), -1) * (255 / digits.x_train.max())).astype("float32")
    half = round(len(grey) / 2)
    x_train, x_val, y_train, y_val = train_test_split(
        grey, digits.y_train, test_size=half, stratify=digits.y_train, random_state=seed
    )
    found = {}
    for name, divisor, activation in (("softmax", 1, "softmax"), ("logits", 1, None), ("scaled", 255, "softmax")):
        right = []
        for first in range(10 * seed, 10 * seed + 5):
            model = start(_read_by, grey.shape[1], activation, seed=first)
            model.fit(x_train / divisor, y_train, batch_size=32, epochs=5, verbose=0)
            right.append(np.mean(np.asarray(model(x_val / divisor)).argmax(axis=1) == y_val))
        found[name] = float(np.mean(right))
    return found


@claim("04", "From raw grey levels a softmax learns to read fewer digits than from scaled ones, by a tenth or more.")
def raw_pixels_saturate_softmax(source: str, seed: int) -> Outcome:
    right = _read_digits(source, seed)
    return right, right["softmax"] <= right["scaled"] - 0.1


@claim(
    "04", "From the logits of raw levels it reads more than through the softmax, by a tenth or more, not yet as many."
)
def logits_learn_more_from_raw_pixels(source: str, seed: int) -> Outcome:
    right = _read_digits(source, seed)
    return right, right["softmax"] + 0.1 <= right["logits"] <= right["scaled"]


@cache
def _fit_houses(source: str, seed: int) -> dict[str, float]:
    """Return the mean absolute error of five networks for each way to prepare the columns, and of the guess."""
    houses = recipe.load("housing", source=source, seed=seed)
    split = recipe.hold_out(houses, test_size=0.5, seed=seed)
    spec, found = recipe.ModelSpec(hidden_units=(16,), batch_size=32, epochs=20), {}
    for encoding in ("raw", "scale", "normalize"):
        prepared = recipe.prepare(split, encoding=encoding)
        runs = recipe.train_seeds(spec, prepared, range(10 * seed, 10 * seed + 5), journal=None)
        found[encoding] = float(np.mean([run.history["val_mae"][-1] for run in runs]))
        found["guess"] = runs[0].baseline
    return found


@claim("04", "On raw columns five networks are on average no better than a guess.")
def raw_columns_are_no_better_than_a_guess(source: str, seed: int) -> Outcome:
    errors = _fit_houses(source, seed)
    return {name: errors[name] for name in ("guess", "raw")}, errors["raw"] >= errors["guess"]


@claim("04", "On standardized columns they err less than on columns from 0 to 1, by 0.03 or more.")
def standardized_columns_win(source: str, seed: int) -> Outcome:
    errors = _fit_houses(source, seed)
    return {name: errors[name] for name in ("scale", "normalize")}, errors["normalize"] <= errors["scale"] - 0.03


@cache
def _table(source: str, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    houses = recipe.load("housing", source=source, seed=seed)
    table = pd.DataFrame(houses.x_train, columns=list(houses.problem.feature_names))
    table["region"] = pd.cut(table["latitude"], [0, 34.5, 37, 39, 90], labels=["south", "middle", "bay", "north"])
    return table, houses.y_train / 100_000


def _cost(model: object, x: object, y: np.ndarray, seed: int, folds: int = 5) -> np.ndarray:
    """Return the mean absolute error in each fold."""
    cut = KFold(folds, shuffle=True, random_state=seed)
    return -cross_val_score(model, x, y, cv=cut, scoring="neg_mean_absolute_error")


@claim("04", "Regions as one-hot columns give a linear model a smaller error than regions as numbers, in every fold.")
def one_hot_beats_numbers(source: str, seed: int) -> Outcome:
    table, prices = _table(source, seed)
    number = _cost(LinearRegression(), table["region"].cat.codes.to_frame(), prices, seed)
    one_hot = _cost(make_pipeline(OneHotEncoder(), LinearRegression()), table[["region"]], prices, seed)
    return {"number": number.mean(), "one-hot": one_hot.mean()}, bool((one_hot < number).all())


def _pipeline(*, add_indicator: bool = False) -> object:
    names = ["housing_median_age", "total_rooms", "total_bedrooms", "population", "households", "median_income"]
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=add_indicator), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(ColumnTransformer([("numbers", numbers, names), ("words", words, ["region"])]), Ridge())


@claim("04", "Incomes with three gaps in ten, filled in, cost something, and less than to leave the incomes out.")
def filling_keeps_a_part(source: str, seed: int) -> Outcome:
    table, prices = _table(source, seed)
    lost = np.random.default_rng(seed).random(len(table)) < 0.3
    gaps = table.assign(median_income=table["median_income"].mask(lost))
    tables = {"complete": table, "filled": gaps, "left out": table.assign(median_income=0.0)}
    cost = {name: float(_cost(_pipeline(), one, prices, seed).mean()) for name, one in tables.items()}
    return cost, cost["complete"] + 0.02 < cost["filled"] < cost["left out"] - 0.02


@claim("04", "Where the richest incomes are missing, an indicator makes up for more than half of what the gaps cost.")
def gaps_that_tell_want_an_indicator(source: str, seed: int) -> Outcome:
    table, prices = _table(source, seed)
    rich = table["median_income"] > table["median_income"].quantile(0.7)
    silent = table.assign(median_income=table["median_income"].mask(rich))
    complete = float(_cost(_pipeline(), table, prices, seed).mean())
    filled, told = (float(_cost(_pipeline(add_indicator=one), silent, prices, seed).mean()) for one in (False, True))
    numbers = {"complete": complete, "filled": filled, "with an indicator": told}
    return numbers, told <= filled - 0.05 and filled - told > (filled - complete) / 2


@claim(
    "04", "On 4,000 random districts logarithms of ratios lower the mean error of ridge regression over eight folds."
)
def log_ratios_pay(source: str, seed: int) -> Outcome:
    table, prices = _table(source, seed)
    chosen = np.random.default_rng(seed).permutation(len(table))[:4_000]
    x, y = table.drop(columns="region").to_numpy()[chosen], prices[chosen]
    rooms, bedrooms, people, households = x[:, 3:7].T
    ratios = np.stack([rooms / households, bedrooms / rooms, people / households], axis=1)
    ridge = make_pipeline(StandardScaler(), Ridge())
    without, told = (_cost(ridge, one, y, seed, folds=8) for one in (x, np.hstack([x, np.log(ratios)])))
    numbers = {"without": without.mean(), "with": told.mean(), "folds": float((told < without).sum())}
    return numbers, numbers["with"] < numbers["without"]


@cache
def _texts(source: str, seed: int) -> tuple[list[str], np.ndarray]:
    reviews = recipe.load("imdb", source=source, rows=6_000, seed=seed)
    return [" ".join(reviews.vocabulary[word] for word in review) for review in reviews.x_train], reviews.y_train


@claim("04", "With logistic regression TF-IDF is at most a point behind multi-hot on reviews, and at most eight ahead.")
def tfidf_is_level_or_ahead(source: str, seed: int) -> Outcome:
    texts, good = _texts(source, seed)
    right = {"multi-hot": [], "TF-IDF": []}
    for split in range(10 * seed, 10 * seed + 5):
        x_train, x_val, y_train, y_val = train_test_split(texts, good, test_size=0.5, stratify=good, random_state=split)
        ways = {"multi-hot": CountVectorizer(binary=True, max_features=10_000)}
        for name, way in (ways | {"TF-IDF": TfidfVectorizer(max_features=10_000)}).items():
            model = make_pipeline(way, LogisticRegression(solver="liblinear")).fit(x_train, y_train)
            right[name].append(model.score(x_val, y_val))
    hot, weighed = (float(np.mean(shares)) for shares in right.values())
    return {"multi-hot": hot, "TF-IDF": weighed}, -0.01 <= weighed - hot <= 0.08


@cache
def _learn_words(source: str, seed: int) -> dict[str, float]:
    """Return the accuracy of two counts by hand, and of all words, from 20 reviews and from 1,000."""
    texts, good = _texts(source, seed)
    by_hand = np.array([[sum(word in some for word in text.split()) for some in (PRAISE, BLAME)] for text in texts])
    inputs = {"by hand": by_hand, "all words": CountVectorizer(binary=True).fit_transform(texts)}
    right: dict[str, list[float]] = {}
    for split in range(10 * seed, 10 * seed + 5):
        rest, held_out = train_test_split(np.arange(len(good)), test_size=0.5, stratify=good, random_state=split)
        for size in (20, 1_000):
            few = np.concatenate([rest[good[rest] == label][: size // 2] for label in (0, 1)])
            for name, x in inputs.items():
                model = LogisticRegression(solver="liblinear").fit(x[few], good[few])
                right.setdefault(f"{name}, {size:,}", []).append(model.score(x[held_out], good[held_out]))
    return {name: float(np.mean(shares)) for name, shares in right.items()}


@claim("04", "From 20 reviews two counts by hand are right more often than all words, by five points or more.")
def hand_columns_win_on_few(source: str, seed: int) -> Outcome:
    right = _learn_words(source, seed)
    return right, right["by hand, 20"] >= right["all words, 20"] + 0.05


@claim("04", "From 1,000 reviews all words are right more often, and more data does not help the two counts much.")
def all_words_win_on_many(source: str, seed: int) -> Outcome:
    right = _learn_words(source, seed)
    return right, right["all words, 1,000"] > right["by hand, 1,000"] and right["by hand, 1,000"] < 0.8
