"""A model's twin: the same variables in the same order, in layers that are fast in a compiled program.

A twin gives nothing but the computation: its own weights are zeros, and no model of the user's is touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import keras

from recipe.engine.bags import PIECE, read_bags
from recipe.engine.first_weights import fast_first_weights, without_first_weights
from recipe.engine.strengths import has_rate, has_strengths_config

Exchange = Callable[[keras.layers.Layer], keras.layers.Layer | None]


def make_twin(model: keras.Model, *exchanges: Exchange, as_bags: bool = False) -> keras.Model:
    """Return a twin of a built model, each layer the first that an exchange offers for it, or a copy.

    A model that is more than Keras's own layers, or whose twin would have other variables, is returned itself.
    """
    if not is_plain(model):
        return model

    def change(layer: keras.layers.Layer) -> keras.layers.Layer:
        if as_bags and layer is model.layers[0]:
            return without_first_weights(read_bags(layer, model.input_shape[-1]))
        offers = (other for exchange in exchanges if (other := exchange(layer)) is not None)
        return without_first_weights(next(offers, None) or copy_layer(layer))

    if as_bags:
        twin = keras.Sequential([keras.Input((None, PIECE + 1), dtype="int32"), *map(change, model.layers)])
    else:
        twin = keras.models.clone_model(model, clone_function=change)
    return twin if _shapes(twin) == _shapes(model) else model


def copy_model(model: keras.Model) -> keras.Model:
    """Return a copy with first weights of its own, as `keras.models.clone_model` draws them, but fast."""
    if not isinstance(model, keras.Sequential):
        return keras.models.clone_model(model)
    with fast_first_weights() as drawn:
        return keras.models.clone_model(model, clone_function=lambda layer: drawn(copy_layer(layer)))


def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a layer of the same configuration."""
    return layer.__class__.from_config(layer.get_config())


def is_plain(model: keras.Model) -> bool:
    """Say whether a model is made of Keras's own parts alone, and its variables are all it knows."""
    return (
        _is_keras(type(model))
        and all(is_plain(layer) if isinstance(layer, keras.Model) else _is_keras(type(layer)) for layer in model.layers)
        and all(_is_keras(getattr(layer, "activation", None) or keras.Model) for layer in model.layers)
        and not any(hasattr(layer, "adapt") for layer in model.layers)  # it learns outside of its variables
        and _names_keras_only(model.get_config())
    )


def signature(model: keras.Model) -> str:
    """Return a text that is equal for compiled models that compute the same of the same variables and strengths.

    Names, seeds, strengths and a constant learning rate are no part of it. Where it cannot be told, as with a loss of
    the user's own, the text is the model's alone.
    """
    simple = isinstance(model, keras.Sequential) and not any(isinstance(layer, keras.Model) for layer in model.layers)
    simple = simple and is_plain(model) and (isinstance(model.loss, str) or _is_keras(model.loss))
    compiled, flags = model.get_compile_config() if simple else {}, [variable.trainable for variable in model.variables]
    if not (compiled and _names_keras_only(compiled)):
        parts = (model, model.loss, model.optimizer, *model.metrics)
        return json.dumps([flags, *(f"{type(part).__name__} {id(part)}" for part in parts)])
    layers = [[type(layer).__name__, _without_inputs(layer)] for layer in model.layers]
    optimizer = compiled["optimizer"]["config"]
    optimizer["name"] = ""
    if isinstance(optimizer.get("learning_rate"), float):  # it is one of the optimizer's variables
        optimizer["learning_rate"] = "given"
    return json.dumps([list(model.input_shape), model.inputs[0].dtype, layers, compiled, flags], default=repr)


def _without_inputs(layer: keras.layers.Layer) -> dict:
    """Return a layer's configuration without what is an input of the program."""

    def strip(value: object) -> object:
        if isinstance(value, dict):
            if has_strengths_config(value):
                return "given"
            return {name: strip(part) for name, part in value.items() if name != "seed"}
        return [strip(part) for part in value] if isinstance(value, list | tuple) else value

    config = strip(layer.get_config() | {"name": ""})
    return config | {"rate": "given"} if has_rate(layer) else config


def _names_keras_only(config: object) -> bool:
    """Say whether every object in a configuration is one of Keras's own, which can be made from it again."""
    if isinstance(config, dict):
        kind = config.get("class_name", "__keras_tensor__")  # which says how the layers are connected
        own = kind == "__keras_tensor__" or str(config.get("module")).startswith("keras")
        return own and all(_names_keras_only(part) for part in config.values())
    return all(map(_names_keras_only, config)) if isinstance(config, list | tuple) else True


def _is_keras(thing: object) -> bool:
    return getattr(thing, "__module__", type(thing).__module__).startswith("keras.")


def _shapes(model: keras.Model) -> list[tuple]:
    groups = model.trainable_variables, model.non_trainable_variables
    return [[(tuple(variable.shape), variable.dtype) for variable in group] for group in groups]
