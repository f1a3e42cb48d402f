"""Hidden checks of assignment 6: on berries, trainings and projects that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.s6_scale_up import ASSIGNMENT, HIDDEN_ROWS, SIZES, Berries, judge_cases, judge_epochs, read_labels


def best_epoch(answer: SimpleNamespace, world: Berries, draw: dict) -> Verdict | None:
    return judge_epochs(answer, draw["curves"])


def first_work(answer: SimpleNamespace, world: Berries, draw: dict) -> Verdict | None:
    return judge_cases(answer, draw["projects"])


def sizes(answer: SimpleNamespace, world: Berries, draw: dict) -> Verdict | None:
    """On new berries: the right size within eight points of the wrong labels, the large one behind it.

    Two points more are let go: on 240 validation berries nobody can tell an error to less than that.
    """
    errors = {}
    for name in SIZES:
        handed = getattr(answer, name)
        labels = read_labels(handed, HIDDEN_ROWS, at=1)
        if labels is None:
            return object_to(f"On new berries {name} returns no number for each.", share=0.3)
        errors[name] = float(np.mean(labels != draw["y"]))
    said = ", ".join(f"{name} errs on {error:.0%}" for name, error in errors.items()) + " of new berries."
    if errors["right_size"] > world.wrong + 0.1:
        own = np.mean(read_labels(answer.right_size, len(world.given["y_train"])) != world.given["y_train"])
        if own < 0.5 * world.wrong:
            return ASSIGNMENT.wrong("by_heart_is_right", said, 0.4)
        return object_to(f"{said} A fitting model comes closer.", 0.4)
    if errors["too_large"] <= errors["right_size"]:
        return ASSIGNMENT.wrong("not_overfitted", said, 0.6)
