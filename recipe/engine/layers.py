"""What a network is made of: its layers, their shapes and how many numbers each of them learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of a network.

    Attributes
    ----------
    kind : the class in Keras, such as ``"Dense"``
    output_shape : of one sample, the batch left out
    parameters : how many weights and biases it has
    activation : its function, ``""`` where it has none
    """

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int
    activation: str = ""


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return the layers of a built model in their order; the parameters of all are those of the model.

    Raises
    ------
    ValueError
        If the model has no input shape yet.

    Examples
    --------
    >>> from recipe.engine.models import build_model
    >>> from recipe.data.problems import find_problem
    >>> from recipe.core.spec import ModelSpec
    >>> for layer in describe_layers(build_model(ModelSpec(hidden_units=(16,)), find_problem("housing"))):
    ...     print(layer.kind, layer.output_shape, layer.parameters)
    Dense (16,) 144
    Dense (1,) 17
    """
    if not model.built:
        raise ValueError(
            f"A model that has not seen an input has no shapes. Received: model={model.name!r}, not built. "
            "Give it a keras.Input first, or call model.build(input_shape)."
        )
    return tuple(
        Layer(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=_output_shape(layer),
            parameters=layer.count_params(),
            activation=getattr(getattr(layer, "activation", None), "__name__", ""),
        )
        for layer in model.layers
    )


def _output_shape(layer: keras.layers.Layer) -> tuple[int | None, ...]:
    """Return the shape of what a layer gives for one sample; of several outputs the first."""
    import keras

    return tuple(keras.tree.flatten(layer.output)[0].shape[1:])
