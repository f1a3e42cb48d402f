"""Keras networks of the claims, compiled once: for a small network to be compiled costs more than to be trained."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache

import keras
import numpy as np


@cache
def _compiled(build: Callable[..., keras.Model], *arguments: Hashable) -> tuple[keras.Model, list[np.ndarray]]:
    """Return one network for all seeds, and its optimizer as it is before the first step."""
    model = build(*arguments)
    model.optimizer.build(model.trainable_variables)
    return model, [np.array(variable) for variable in model.optimizer.variables]


def start(build: Callable[..., keras.Model], *arguments: Hashable, seed: int) -> keras.Model:
    """Return a compiled network with the first weights that `build` would give it with this seed.

    It is the same object for the same `build` and arguments: read what it says before the next start. (The very first
    training sees the samples in another order than later ones with the same seed.)
    """
    model, fresh = _compiled(build, *arguments)
    keras.utils.set_random_seed(seed)
    model.set_weights(build(*arguments).get_weights())
    for variable, value in zip(model.optimizer.variables, fresh, strict=True):
        variable.assign(value)
    return model
