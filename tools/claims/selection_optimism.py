"""What deeper/selection_optimism claims: of the best of thirty trained networks, on few validation samples."""

from __future__ import annotations

import dataclasses

import numpy as np

import recipe
from claims import Outcome, claim


@claim("selection_optimism", "The best of thirty networks flatters more than one of them does, on 40 districts.")
def optimism_grows_with_trials(source: str, seed: int) -> Outcome:
    houses = recipe.load("housing", source=source)
    spec = recipe.ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=40)
    gaps = []
    for draw in range(6):
        order = np.random.default_rng([seed, draw]).permutation(len(houses.y_train))
        x, y = houses.x_train[order], houses.y_train[order]
        few = recipe.prepare(recipe.hold_out(dataclasses.replace(houses, x_train=x[:200], y_train=y[:200]), seed=seed))
        x_rest = few.preparation.transform(x[200:])
        y_rest = few.preparation.transform_target(y[200:])
        judged, truth = [], []
        for run in recipe.train_seeds(spec, few, range(30 * seed, 30 * seed + 30), journal=None):
            for errors, inputs, target in ((judged, few.inputs("val"), few.y_val), (truth, x_rest, y_rest)):
                w1, b1, w2, b2 = run.model.get_weights()
                output = np.maximum(inputs @ w1 + b1, 0) @ w2[:, 0] + b2
                errors.append(np.abs(output - target).mean())
        best = int(np.argmin(judged))
        gaps.append([np.mean(truth) - np.mean(judged), truth[best] - judged[best]])
    one, thirty = np.mean(gaps, axis=0)
    return {"one": one, "best of thirty": thirty}, thirty > one
