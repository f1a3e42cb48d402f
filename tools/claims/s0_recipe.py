"""What lesson 0 claims: of the smallest network, of one that is large enough, and of dropout."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

import recipe
from claims import Outcome, claim

SPEC = recipe.ModelSpec(hidden_units=(256,), optimizer="adam", batch_size=64, epochs=60)


@cache
def _train(source: str, seed: int, spec: recipe.ModelSpec, step: int = 1) -> list[recipe.Run]:
    """Train five seeds of a network on 7,000 digits, a fifth of the training samples held out; or on every tenth."""
    digits = recipe.load("mnist", source=source, rows=7_000, seed=seed)
    cut = recipe.hold_out(digits, test_size=0.2, seed=seed)
    prepared = recipe.prepare(dataclasses.replace(cut, x_train=cut.x_train[::step], y_train=cut.y_train[::step]))
    return recipe.train_seeds(spec, prepared, range(10 * seed, 10 * seed + 5), journal=None)


@claim("00", "The smallest network is right on more than 75 % of the digits, a guess on less than 15 %.")
def smallest_network_beats_the_guess(source: str, seed: int) -> Outcome:
    runs = _train(source, seed, recipe.ModelSpec(architecture="linear", optimizer="adam", batch_size=64, epochs=30))
    lowest, guess = min(run.score for run in runs), runs[0].baseline
    return {"network": lowest, "guess": guess}, lowest > 0.75 and guess < 0.15


@claim("00", "With 256 units the validation loss ends a twentieth or more above its lowest value.", sources=("real",))
def large_network_overfits(source: str, seed: int) -> Outcome:
    losses = np.array([run.history["val_loss"] for run in _train(source, seed, SPEC)])  # (5, epochs)
    rise = float(np.mean(losses[:, -1] / losses.min(axis=1)))
    return {"turn": float(losses.argmin(axis=1).mean() + 1), "rise": rise}, rise >= 1.05


def _lowest(source: str, seed: int, dropout: float) -> tuple[float, float]:
    """Return the mean validation loss of the best epochs, and the mean accuracy there."""
    runs = _train(source, seed, SPEC.replace(dropout=dropout, patience=5))
    loss = np.mean([run.history["val_loss"][run.best_epoch] for run in runs])
    return float(loss), float(np.mean([run.score for run in runs]))


@claim("00", "At the best epoch half of the units dropped lower the validation loss by 3 % or more.", sources=("real",))
def dropout_lowers_the_loss(source: str, seed: int) -> Outcome:
    (without, _), (dropped, _) = (_lowest(source, seed, dropout) for dropout in (0.0, 0.5))
    return {"without": without, "with": dropped}, dropped <= 0.97 * without


@claim("00", "The accuracy there moves by a point and a half at most.")
def dropout_moves_accuracy_little(source: str, seed: int) -> Outcome:
    (_, without), (_, dropped) = (_lowest(source, seed, dropout) for dropout in (0.0, 0.5))
    return {"without": without, "with": dropped}, abs(dropped - without) <= 0.015


@claim("00", "On a tenth of the digits the lowest validation loss of 256 units is half as high again, or more.")
def tenth_raises_the_lowest_loss(source: str, seed: int) -> Outcome:
    runs = {"all": _train(source, seed, SPEC), "a tenth": _train(source, seed, SPEC, 10)}
    lowest = {name: float(np.mean([min(run.history["val_loss"]) for run in some])) for name, some in runs.items()}
    return lowest, lowest["a tenth"] >= 1.5 * lowest["all"]
