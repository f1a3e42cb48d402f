"""Hidden checks of assignment 7: on panes, trainings and a test set that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.s7_regularize import ASSIGNMENT, Factory, judge_flattery, judge_stops


def early(answer: SimpleNamespace, world: Factory, draw: dict) -> Verdict | None:
    return judge_stops(answer, draw["examples"])


def optimism(answer: SimpleNamespace, world: Factory, draw: dict) -> Verdict | None:
    return judge_flattery(answer, draw["flatteries"])


def tuned(answer: SimpleNamespace, world: Factory, draw: dict) -> Verdict | None:
    """Within 13 % of the best L2 penalty: cross-validation stays within 7 %, a model without penalty is 25 % off."""
    got, own = (np.ravel(one) for one in answer.predict.outputs)
    if got.shape != draw["y"].shape or not np.isfinite(got).all():
        return object_to("On new panes predict returns no number for each.")
    error = np.sqrt(np.mean((got - draw["y"]) ** 2))
    x, y = world.given["x_train"].astype(float), world.given["y_train"].astype(float)
    center = x - x.mean(axis=0)
    ridge = [
        np.linalg.solve(center.T @ center + alpha * np.eye(x.shape[1]), center.T @ (y - y.mean())) for alpha in ALPHAS
    ]
    reachable = min(np.sqrt(np.mean((y.mean() + (draw["x"] - x.mean(axis=0)) @ w - draw["y"]) ** 2)) for w in ridge)
    said = f"On new panes the error (RMSE) is {error:.2f}; {reachable:.2f} is what a good L2 penalty reaches."
    if error <= 1.13 * reachable:
        return None
    learned = np.sqrt(np.mean((own - y) ** 2))
    if learned < 0.75 * world.noise:
        return ASSIGNMENT.wrong("no_penalty", said, 0.2)
    if learned > 1.1 * world.noise:
        return ASSIGNMENT.wrong("penalty_too_large", said, 0.4)
    return object_to(f"{said} Search once more.", 0.5)


ALPHAS = np.geomspace(1, 1_000, 13)


def final(answer: SimpleNamespace, world: Factory, draw: dict) -> Verdict | None:
    """The accuracy is that of the chosen candidate on the test set."""
    x, y = world.given["test"].open()
    if abs(answer.test_accuracy - np.mean(world.given["candidates"][answer.chosen](x) == y)) > 0.002:
        return object_to("That is not the accuracy of the chosen candidate on the test set.", 0.4)
