"""A model's twin: the same variables in the same order, in layers that are fast in a compiled program."""

from __future__ import annotations

from collections.abc import Callable

import keras

from recipe.first_weights import without_first_weights

Exchange = Callable[[keras.layers.Layer], keras.layers.Layer | None]


def exchange_by(*exchanges: Exchange) -> Callable[[keras.layers.Layer], keras.layers.Layer]:
    """Return a function from a layer to the one that takes its place: the first that is offered, or itself.

    Its weights are not drawn: a twin only says what is computed.
    """

    def change(layer: keras.layers.Layer) -> keras.layers.Layer:
        found = (other for exchange in exchanges if (other := exchange(layer)) is not None)
        return without_first_weights(next(found, layer))

    return change


def make_twin(model: keras.Model, *exchanges: Exchange) -> keras.Model:
    """Return a copy of a model with its layers exchanged, and weights of zeros."""
    change = exchange_by(*exchanges, lambda layer: layer.__class__.from_config(layer.get_config()))
    return keras.models.clone_model(model, clone_function=change)
