"""The user's own model on loan: its weights and its state are kept, drawn anew for a check, and put back.

No configuration holds all of a model, so none is copied through one.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import keras
import numpy as np

from recipe.debugging.checks import refusals
from recipe.engine.first_weights import fixed_seed

LINEAR = "linear"
DRAW_APART = 10_007  # between the seeds of two draws
SHAPING = ("Reshape", "Flatten", "Dropout")  # layers that put out what they are given


class Call(NamedTuple):
    """A layer with what it was given and what it gave, arrays of the backend: the same array is the same object."""

    layer: keras.layers.Layer
    inputs: object
    outputs: object


class Loan:
    """A model that checks may run with other weights, until it is put back.

    Parameters
    ----------
    model : the user's own
    structure : what goes into it, where that is several arrays: a list or a dict of them; else None
    sample : inputs as the checks hold them, (n, ...); several arrays lie flat, side by side
    seed : of the weights that are drawn

    Attributes
    ----------
    shuffled : the variables that no initializer is known of, and whose numbers were shuffled instead
    """

    def __init__(self, model: keras.Model, structure: object, sample: np.ndarray, seed: int) -> None:
        self.model, self.structure, self.sample, self.seed = model, structure, sample, seed
        self.shuffled: set[str] = set()

    @cached_property
    def _ends(self) -> tuple:
        """The symbolic input and output of the model itself."""
        if self.structure is None and self.model.built and getattr(self.model, "inputs", None):
            return self.model.inputs[0], self.model.outputs[0]
        first = keras.Input(self.sample.shape[1:], dtype=self.sample.dtype.name)
        with fixed_seed(self.seed):
            return first, keras.tree.flatten(self.model(self._unpack(first)))[0]

    def _unpack(self, flat: keras.KerasTensor) -> object:
        """Return the several inputs of the model, cut out of one: (n, all numbers) -> (n, ...) each."""
        if self.structure is None:
            return flat
        pieces, start = [], 0
        for part in map(np.asarray, keras.tree.flatten(self.structure)):
            end = start + int(np.prod(part.shape[1:]))
            piece = keras.ops.reshape(flat[:, start:end], (-1, *part.shape[1:]))
            pieces.append(keras.ops.cast(piece, "int32") if part.dtype.kind in "iu" else piece)
            start = end
        return keras.tree.pack_sequence_as(self.structure, pieces)

    @cached_property
    def _kept(self) -> list[tuple[keras.Variable, np.ndarray]]:
        """The model's variables, with what they held before anything was drawn."""
        return [(variable, np.array(variable)) for variable in self.model.variables]

    def put_back(self) -> None:
        """Give the model the weights and the state back that it came with."""
        for variable, value in vars(self).get("_kept", ()):
            variable.assign(value)

    @refusals("the model cannot read the inputs")
    def as_it_is(self) -> keras.Model:
        """Return the model with the weights that it came with, to be run or compiled: the user's stays uncompiled."""
        borrowed = keras.Model(*self._ends)  # before the weights are kept, for it builds what is not built yet
        for variable, value in self._kept:
            variable.assign(value)
        return borrowed

    @refusals("the model cannot read the inputs")
    def draw_anew(self, *, frozen_too: bool = False, draw: int = 0) -> keras.Model:
        """Return the model with weights drawn from the seed and the number of the draw.

        Those of frozen layers stay as they came, unless they are asked for, too: a part that is not trained has its
        weights from somewhere else.
        """
        borrowed, rng = self.as_it_is(), np.random.default_rng(self.seed + DRAW_APART * draw)
        initializers = find_initializers(self.model)
        for variable, value in self._kept:
            initializer = initializers.get(variable.path)
            if not (variable.trainable or (frozen_too and initializer)):
                continue
            if initializer is None:
                self.shuffled.add(short_path(variable))
                variable.assign(rng.permutation(value.ravel()).reshape(value.shape))
                continue
            seed = int(rng.integers(2**31))
            config = initializer.get_config() if hasattr(initializer, "get_config") else {}
            if "seed" in config:  # with its own it would repeat itself
                initializer = type(initializer).from_config(config | {"seed": seed})
            variable.assign(initializer(value.shape, variable.dtype))
        return borrowed


def find_initializers(model: keras.Model) -> dict[str, object]:
    """Return what each variable was drawn by, as its layer keeps it; a variable whose layer keeps none is left out."""
    found = {}
    for layer in (model, *inner_layers(model)):  # the innermost comes last, and knows best
        for variable in layer.variables:
            names = (f"{variable.name}_initializer", f"{variable.name.removesuffix('_kernel')}_initializer")
            own = next(filter(None, (getattr(layer, name, None) for name in names)), None)
            found |= {variable.path: own} if own else {}
    return found


def inner_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return all layers inside one, at any depth: `layers` of a model does not go into cells and wrappers."""
    return list(dict.fromkeys(layer._flatten_layers(include_self=False)))


def short_path(variable: keras.Variable) -> str:
    """Return the name of a variable with its layer's, such as ``"dense/kernel"``."""
    return "/".join(variable.path.split("/")[-2:])


def listen(model: keras.Model, x: np.ndarray) -> tuple[list[Call], object]:
    """Run a model in inference mode; return each layer's call, the inner ones first, and what the model put out."""
    calls = []

    def overhear(layer: keras.layers.Layer) -> object:
        call = layer.call

        def heard(*args: object, **options: object) -> object:
            outputs = call(*args, **options)
            calls.append(Call(layer, args[0] if args else None, outputs))
            return outputs

        return heard

    layers = inner_layers(model)
    for layer in layers:
        vars(layer)["call"] = overhear(layer)
    try:
        return calls, model(x, training=False)
    finally:
        for layer in layers:
            del vars(layer)["call"]


def activation_of(layer: keras.layers.Layer) -> str:
    """Return the name of a layer's activation, "linear" where it has none."""
    if type(layer).__name__ in ("Softmax", "ReLU"):
        return type(layer).__name__.lower()
    function = getattr(layer, "activation", None)
    return getattr(function, "__name__", type(function).__name__) if callable(function) else LINEAR


def find_last(calls: list[Call], outputs: object) -> keras.layers.Layer | None:
    """Return the innermost layer that puts out what the model does; None where a function outside all layers does."""
    last = None
    for layer, given, put_out in reversed(calls):  # an inner layer is met after the one that it is in
        if put_out is not outputs:
            continue
        if type(layer).__name__ in SHAPING:
            outputs = given
        else:
            last = layer
    return last
