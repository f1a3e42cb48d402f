"""Hidden checks of assignment 5: on houses and trainings that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.s5_baseline import ASSIGNMENT, Waterworks


def predict(answer: SimpleNamespace, world: Waterworks, draw: dict) -> Verdict | None:
    """A third less than the guess's error; less is paid in part, down to what chance could do."""
    got = np.ravel(answer.predict.outputs[0])
    if got.shape != draw["y"].shape or not np.isfinite(got).all():
        return ASSIGNMENT.wrong("unscaled", "On new houses, some of the predictions are no numbers.")
    off = np.abs(got - draw["y"])
    guess = np.abs(np.median(world.given["y_train"]) - draw["y"])
    gain = guess - off
    standard_error = gain.std() / np.sqrt(len(gain))
    said = (
        f"On {len(gain):,} new houses the mean error is {off.mean():.0f} litres, that of the guess {guess.mean():.0f}."
    )
    if off.mean() > 3 * guess.mean() or np.median(got) < 0.2 * np.median(draw["y"]):
        return ASSIGNMENT.wrong("unscaled", said)
    if gain.mean() < max(3 * standard_error, 0.01 * guess.mean()):  # rounding alone makes a gain, too
        return ASSIGNMENT.wrong("no_better_than_guess", said)
    if off.mean() > 0.67 * guess.mean():
        return object_to(f"{said} Beyond chance, and a third less is within reach.", share=0.6)


def name_case(answer: SimpleNamespace, world: Waterworks, draw: dict) -> Verdict | None:
    """Nine of ten trainings."""
    right = [got == one["case"] for got, one in zip(answer.name_case.outputs, draw["histories"], strict=True)]
    if np.mean(right) < 0.9:
        share = 0.4 if np.mean(right) >= 0.6 else 0.0
        return object_to(f"Of {len(right)} other trainings, {sum(right)} are called by their name.", share)
