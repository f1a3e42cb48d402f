"""A model's twin: the same variables in the same order, in layers that are fast in a compiled program."""

from __future__ import annotations

from collections.abc import Callable

import keras

from recipe.engine.first_weights import drawn_by_numpy, without_first_weights

Exchange = Callable[[keras.layers.Layer], keras.layers.Layer | None]


def exchange_by(*exchanges: Exchange) -> Callable[[keras.layers.Layer], keras.layers.Layer]:
    """Return a function from a layer to the one that takes its place: the first that is offered, or itself.

    Its weights are not drawn: a twin only says what is computed.
    """

    def change(layer: keras.layers.Layer) -> keras.layers.Layer:
        found = (other for exchange in exchanges if (other := exchange(layer)) is not None)
        return without_first_weights(next(found, layer))

    return change


def copy_without_weights(model: keras.Model, *exchanges: Exchange) -> keras.Model:
    """Return a copy of a model with its layers exchanged, and weights of zeros."""
    return keras.models.clone_model(model, clone_function=exchange_by(*exchanges, _copy))


def copy_model(model: keras.Model) -> keras.Model:
    """Return a copy with first weights of its own, as `keras.models.clone_model` draws them, but fast."""
    if not isinstance(model, keras.Sequential):
        return keras.models.clone_model(model)
    with drawn_by_numpy() as drawn:
        return keras.models.clone_model(model, clone_function=lambda layer: drawn(_copy(layer)))


def _copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    return layer.__class__.from_config(layer.get_config())
