"""What deeper/learning_curves claims: of fewer samples, of small and large networks, of the peak and what is beyond."""

from __future__ import annotations

import dataclasses
import warnings
from functools import cache

import numpy as np
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import recipe
from claims import Outcome, claim

LESSON = "learning_curves"
WIDTHS = (10, 30, 60, 90, 100, 300, 3_000)


@claim(LESSON, "On a tenth of the digits the same network has a larger gap, and a larger validation error.")
def a_tenth_generalizes_less(source: str, seed: int) -> Outcome:
    digits = recipe.load("mnist", source=source, rows=6_000, seed=seed)
    split = recipe.hold_out(digits, test_size=0.5, seed=seed)
    gaps, errors = {}, {}
    for step in (1, 10):
        part = dataclasses.replace(split, x_train=split.x_train[::step], y_train=split.y_train[::step])
        spec = recipe.ModelSpec(hidden_units=(128,), optimizer="adam", batch_size=32, epochs=8 * step)
        runs = recipe.train_seeds(spec, recipe.prepare(part), range(10 * seed, 10 * seed + 5), journal=None)
        training, errors[step] = (
            1 - np.mean([run.history[key][-1] for run in runs]) for key in ("accuracy", "val_accuracy")
        )
        gaps[step] = errors[step] - training
    return {"gap, all": gaps[1], "gap, a tenth": gaps[10]}, gaps[10] > gaps[1] and errors[10] > errors[1]


@cache
def _gaps(source: str, seed: int) -> dict[str, np.ndarray]:
    """Return validation minus training error at 50 and 1,000 districts, means of five draws."""
    houses, found = recipe.load("housing", source=source), {}
    draws = ShuffleSplit(5, train_size=1_000, test_size=500, random_state=seed)
    for name, units in {"small": (2,), "large": (64, 64)}.items():
        network = MLPRegressor(hidden_layer_sizes=units, solver="lbfgs", alpha=0.0, max_iter=150, random_state=seed)
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 150 steps are not enough to fit every sample
            _, training, validation = learning_curve(
                make_pipeline(StandardScaler(), network),
                houses.x_train,
                houses.y_train / 100_000,
                train_sizes=[50, 1_000],
                cv=draws,
                scoring="neg_mean_absolute_error",
            )
        found[name] = (training - validation).mean(axis=1)
    return found


@claim(LESSON, "At 1,000 districts the gap of two units is less than half of that of 64-64.")
def small_curves_meet(source: str, seed: int) -> Outcome:
    small, large = (float(gaps[-1]) for gaps in _gaps(source, seed).values())
    return {"small": small, "large": large}, small < large / 2


@claim(LESSON, "From 50 districts to 1,000 the gap of 64-64 falls to less than half.")
def large_gap_closes(source: str, seed: int) -> Outcome:
    first, last = (float(gap) for gap in _gaps(source, seed)["large"])
    return {"50": first, "1,000": last}, last < first / 2


@cache
def _descent(seed: int) -> dict[int, float]:
    """Return the validation error for each number of random units: medians of ten draws."""
    errors = {width: [] for width in WIDTHS}
    for draw in range(10 * seed, 10 * seed + 10):
        rng = np.random.default_rng(draw)
        x = rng.normal(size=(1_100, 10))
        y = np.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.5 * rng.normal(size=1_100)
        for width in WIDTHS:
            weights = rng.normal(size=(11, width)) / np.sqrt(11)
            units = np.maximum(np.column_stack([x, np.ones(1_100)]) @ weights, 0)
            output = np.linalg.lstsq(units[:100], y[:100])[0]
            errors[width].append(np.mean((units[100:] @ output - y[100:]) ** 2))
    return {width: float(np.median(some)) for width, some in errors.items()}


@claim(LESSON, "The validation error is largest where there are as many random units as samples.", sources=("made up",))
def error_peaks_where_all_samples_are_just_fitted(source: str, seed: int) -> Outcome:
    errors = _descent(seed)
    return {str(width): error for width, error in errors.items()}, max(errors, key=errors.get) == 100


@claim(
    LESSON, "With thirty times as many units as samples it is lower than with fewer than samples.", sources=("made up",)
)
def far_beyond_the_peak_is_best(source: str, seed: int) -> Outcome:
    errors = _descent(seed)
    before = min(error for width, error in errors.items() if width < 100)
    return {"best before the peak": before, "3,000 units": errors[3_000]}, errors[3_000] < before
