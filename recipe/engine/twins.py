"""A model's twin: the same variables in the same order, in layers that are fast in a compiled program.

A twin gives nothing but the computation: its own weights are zeros, and no model of the user's is touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import keras

from recipe.engine.bags import PIECE, BagDense
from recipe.engine.first_weights import without_first_weights

# In a model's configuration: what Keras could not make again by itself.
FOREIGN = re.compile(r'"module": (?!"keras)|"__lambda__"')
SEEDS = re.compile(r'"seed": \d+, ')
PENALTIES = ("kernel_regularizer", "bias_regularizer", "embeddings_regularizer")
Exchange = Callable[[keras.layers.Layer], keras.layers.Layer | None]


def make_twin(model: keras.Model, *exchanges: Exchange, as_bags: bool = False) -> keras.Model:
    """Return a twin of a built model, each layer the first that an exchange offers for it, or a copy.

    A model that is more than Keras's own layers, or whose twin would have other variables, is returned itself.
    """
    if _configuration(model) is None:
        return model

    def change(layer: keras.layers.Layer) -> keras.layers.Layer:
        if as_bags and layer is model.layers[0]:
            return without_first_weights(BagDense(words=model.input_shape[-1], **layer.get_config()))
        offers = (other for exchange in exchanges if (other := exchange(layer)) is not None)
        return without_first_weights(next(offers, None) or type(layer).from_config(layer.get_config()))

    if isinstance(model, keras.Sequential):  # `clone_model` would compile an optimizer's zeros, shape by shape
        shape, dtype = ((None, None, PIECE + 1), "int32") if as_bags else (model.input_shape, model.inputs[0].dtype)
        twin = keras.Sequential([keras.Input(batch_shape=shape, dtype=dtype), *map(change, model.layers)])
    else:
        twin = keras.models.clone_model(model, clone_function=change)
    return twin if _shapes(twin) == _shapes(model) else model


def signature(model: keras.Model) -> str:
    """Return a text that is equal for compiled models that compute the same of the same variables and strengths.

    Names, seeds, first weights, strengths and a constant learning rate are no part of it. Where it cannot be told, as
    with a loss of the user's own, the text is the model's alone.
    """
    flags = [variable.trainable for variable in model.variables]
    text = _configuration(model) if isinstance(model, keras.Sequential) else None
    if text is None or not isinstance(model.loss, str | keras.losses.Loss):
        parts = (model, model.loss, model.optimizer, *model.metrics)
        return " ".join(f"{type(part).__name__} {id(part)}" for part in parts) + str(flags)
    plan = json.loads(SEEDS.sub("", text))
    plan["config"]["name"] = plan["compile_config"]["optimizer"]["config"]["name"] = ""
    if isinstance(model.optimizer.learning_rate, keras.Variable):
        plan["compile_config"]["optimizer"]["config"]["learning_rate"] = "given"
    for part in plan["config"]["layers"]:
        config = part["config"]
        given = [name for name in PENALTIES if (config.get(name) or {}).get("class_name") in ("L1", "L2", "L1L2")]
        given += [name for name in config if name.endswith("_initializer")]
        given += ["rate"] if part["class_name"] == "Dropout" and config["rate"] and not config["noise_shape"] else []
        config |= {"name": ""} | dict.fromkeys(given, "given")
    return json.dumps([plan, flags])


def _configuration(model: keras.Model) -> str | None:
    """Return all that there is to know of a model, as JSON; None where that is more than Keras's own parts."""
    if not _has_own_parts(model):
        return None
    text = model.to_json()
    return None if FOREIGN.search(text) else text


def _has_own_parts(layer: keras.layers.Layer) -> bool:
    """Say whether a layer, or a model and all of its layers, is Keras's."""
    if isinstance(layer, keras.Model):
        return type(layer).__module__.startswith("keras.") and all(map(_has_own_parts, layer.layers))
    activation = getattr(layer, "activation", None) or layer  # a function called "relu" need not be Keras's
    own = all(part.__module__.startswith("keras.") for part in (type(layer), activation))
    return own and not hasattr(layer, "adapt")  # what such a layer learned is not in its variables alone


def _shapes(model: keras.Model) -> list[tuple]:
    groups = model.trainable_variables, model.non_trainable_variables
    return [[(tuple(variable.shape), variable.dtype) for variable in group] for group in groups]
