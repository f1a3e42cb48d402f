"""What deeper/features_that_pay claims: of clocks that are read from angles, and of ratios on houses."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import recipe
from claims import Outcome, claim

LESSON = "features_that_pay"


def _draw_clocks(samples: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return pictures (n, 256) and angles (n, 2) of random clocks, and the hour that each shows."""
    times = np.random.default_rng(seed).uniform(0, 12, samples)
    angles = 2 * np.pi * np.stack([times / 12, times % 1], axis=1)
    tips = np.stack([np.sin(angles), -np.cos(angles)], axis=2) * [[0.5], [0.9]]
    pictures = np.zeros((samples, 16, 16))
    for along in np.linspace(0, 1, 30):
        place = np.rint(7.5 + 7.5 * along * tips).astype(int)
        pictures[np.arange(samples)[:, None], place[..., 1], place[..., 0]] = 1
    return {"pixels": pictures.reshape(samples, -1), "angles": angles}, times.astype(int)


@claim(LESSON, "From 100 clocks a tree reads angles better than pixels from 1,000.", sources=("made up",))
def angles_need_few_clocks(source: str, seed: int) -> Outcome:
    new, new_hours = _draw_clocks(2_000, seed)
    right = {"angles": [], "pixels": []}
    for draw in range(10 * seed, 10 * seed + 5):
        inputs, hours = _draw_clocks(1_000, draw)
        for kind, size in (("angles", 100), ("pixels", 1_000)):
            tree = DecisionTreeClassifier(random_state=draw).fit(inputs[kind][:size], hours[:size])
            right[kind].append(tree.score(new[kind], new_hours))
    means = {kind: float(np.mean(scores)) for kind, scores in right.items()}
    return means, means["angles"] > means["pixels"]


def _inputs(source: str) -> tuple[recipe.Dataset, dict[str, np.ndarray], np.ndarray]:
    houses = recipe.load("housing", source=source)
    columns = houses.x_train.astype("float64")
    rooms, bedrooms, people, households = columns[:, 3:7].T
    ratios = np.stack([rooms / households, bedrooms / rooms, people / households], axis=1)
    inputs = {"eight": columns, "ratios": np.hstack([columns, ratios]), "logs": np.hstack([columns, np.log(ratios)])}
    return houses, inputs, houses.y_train / 100_000


@cache
def _lines(source: str, seed: int) -> dict[str, np.ndarray]:
    """Return the mean error of a line over five draws of 100, 300 and 1,000 districts, shape (3,) each."""
    _, inputs, prices = _inputs(source)
    errors = {name: np.zeros((5, 3)) for name in inputs}
    for draw in range(5):
        order = np.random.default_rng(10 * seed + draw).permutation(len(prices))
        others = order[1_000:5_000]
        for name, x in inputs.items():
            for column, size in enumerate((100, 300, 1_000)):
                model = make_pipeline(StandardScaler(), Ridge()).fit(x[order[:size]], prices[order[:size]])
                errors[name][draw, column] = np.abs(model.predict(x[others]) - prices[others]).mean()
    return {name: values.mean(axis=0) for name, values in errors.items()}


@claim(
    LESSON,
    "On the real houses a line errs less with logarithms of ratios than with the ratios, by 0.01 or more on average.",
    sources=("real",),
)
def logarithms_beat_ratios(source: str, seed: int) -> Outcome:
    errors = {name: float(values.mean()) for name, values in _lines(source, seed).items()}
    return errors, errors["logs"] <= errors["ratios"] - 0.01


@claim(
    LESSON,
    "On the real houses the logarithms lower the mean error of a line, on 100, 300 and 1,000.",
    sources=("real",),
)
def log_ratios_help_a_line(source: str, seed: int) -> Outcome:
    errors = _lines(source, seed)
    numbers = {name: float(errors[name].mean()) for name in ("eight", "logs")}
    return numbers, bool((errors["logs"] < errors["eight"]).all())


@claim(LESSON, "On 4,000 districts logarithms of ratios lower the mean error of ridge regression and of boosting.")
def log_ratios_pay_for_line_and_trees(source: str, seed: int) -> Outcome:
    _, inputs, prices = _inputs(source)
    models = {"line": make_pipeline(StandardScaler(), Ridge()), "trees": HistGradientBoostingRegressor(max_iter=50)}
    gains = {name: [] for name in models}
    for draw in range(10 * seed, 10 * seed + 5):
        chosen = np.random.default_rng(draw).permutation(len(prices))[:4_000]
        folds = KFold(4, shuffle=True, random_state=draw)
        for name, model in models.items():
            without, told = (
                -cross_val_score(
                    model, inputs[kind][chosen], prices[chosen], cv=folds, scoring="neg_mean_absolute_error"
                )
                for kind in ("eight", "logs")
            )
            gains[name].append(without.mean() - told.mean())
    means = {name: float(np.mean(gain)) for name, gain in gains.items()}
    return means, min(means.values()) > 0


@claim(LESSON, "On 4,000 real districts they lower the mean error of a 64-64 network, too.", sources=("real",))
def log_ratios_pay_for_a_network(source: str, seed: int) -> Outcome:
    houses, inputs, prices = _inputs(source)
    names = (*houses.problem.feature_names, "rooms per household", "bedrooms per room", "people per household")
    wide = dataclasses.replace(houses.problem, input_shape=(11,), feature_names=names)
    spec, scores = recipe.ModelSpec(hidden_units=(64, 64), batch_size=32, epochs=20), {}
    for kind, problem in (("eight", houses.problem), ("logs", wide)):
        splits = []
        for draw in range(10 * seed, 10 * seed + 5):
            chosen = np.random.default_rng(draw).permutation(len(prices))[:4_000]
            x, y = inputs[kind][chosen].astype("float32"), houses.y_train[chosen]
            few = dataclasses.replace(houses, x_train=x, y_train=y, problem=problem)
            splits += recipe.k_fold(few, folds=4, seed=draw)
        runs = recipe.cross_validate(spec.replace(seed=seed), splits, journal=None)
        scores[kind] = float(np.mean([run.score for run in runs]))
    return scores, scores["logs"] < scores["eight"]
