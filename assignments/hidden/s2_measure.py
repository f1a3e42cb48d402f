"""Hidden checks of assignment 2: on parcels that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.s2_measure import ASSIGNMENT, CustomsOffice, judge_count, price_of


def count(answer: SimpleNamespace, world: CustomsOffice, draw: dict) -> Verdict | None:
    return judge_count(answer, world, draw)


def threshold(answer: SimpleNamespace, world: CustomsOffice, draw: dict) -> Verdict | None:
    """Within 15 % of the cheapest cost: a choice by the given parcels is off by up to 10 % in 200 worlds."""
    costs = {
        at: price_of(draw["smuggled"], draw["probability"] > at, world.price)
        for at in (answer.threshold, 1 / (1 + world.price), *np.arange(0.01, 1, 0.01))
    }
    excess = costs[answer.threshold] / min(costs.values()) - 1
    if excess <= 0.15:
        return None
    said = f"On new parcels this threshold costs {excess:.0%} more than the cheapest one."
    if answer.threshold > 0.6:
        return ASSIGNMENT.wrong("prices_swapped", said)
    if answer.threshold > 0.2:
        return ASSIGNMENT.wrong("half_is_no_law", said, share=0.3)
    if answer.threshold < 0.02:
        return ASSIGNMENT.wrong("one_never_misses", said, share=0.3)
    return object_to(said, share=0.4)
