"""Step 8: look at the model, and at fresh weights before the first step."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.checks import Check
from recipe.core.problem import ProblemType
from recipe.debugging.basics import NotApplicable, judge, quiet
from recipe.debugging.bench import BATCH, STEPS, Bench
from recipe.debugging.last_layer import check_last_activation as _check_activation
from recipe.debugging.last_layer import check_loss as _check_loss
from recipe.engine.twins import copy_model

if TYPE_CHECKING:
    import keras

STRONG_DROPOUT = 0.8
DEAD = 0.75  # of a layer's units: some die in every network
VANISHED, EXPLODED = 1e-6, 1e3  # root mean square of a layer's gradient over its weights'
NEAR_THEORY = (0.6, 1.7)  # times the loss that theory gives
CHANCE = 4  # standard deviations by which two draws of the same weights may differ
LINEAR = "linear"


def check_last_activation(bench: Bench) -> Check:
    """The last layer's units and activation against the table of step 1."""
    return _check_activation(bench.twin_compiled, bench.problem)


def check_loss(bench: Bench) -> Check:
    """The loss against the table of step 1."""
    return _check_loss(bench.twin_compiled, bench.problem)


def check_hidden_activations(bench: Bench) -> Check:
    """No two layers of weights follow each other without anything bent between them."""
    layers, pairs = _chain(bench.twin), []
    for number, layer in enumerate(layers):
        if not _is_linear_map(layer) or activation_of(layer) != LINEAR:
            continue
        behind = next((other for other in layers[number + 1 :] if not _passes_on(other)), None)
        if behind is not None and _is_linear_map(behind):
            pairs.append(f"{_position(layers, layer)} and {_position(layers, behind)}")
    maps = sum(map(_is_linear_map, layers))
    if maps < 2:
        raise NotApplicable("there are no two layers of weights behind each other")
    return judge(
        "hidden activations",
        not pairs,
        found=f"Between layers {'; '.join(pairs)} there is no activation."
        if pairs
        else f"There is an activation behind every hidden layer of weights ({maps - 1}).",
        expected="an activation such as relu after every hidden layer.",
        cause='Two linear layers behind each other are no more than one. Give the hidden layers activation="relu".',
        value=float(len(pairs)),
    )


def check_dropout(bench: Bench) -> Check:
    """No layer throws nearly everything away."""
    rates = [float(layer.rate) for layer in flatten(bench.twin) if "Dropout" in type(layer).__name__]
    if not rates:
        raise NotApplicable("the model has no dropout")
    return judge(
        "dropout",
        max(rates) <= STRONG_DROPOUT,
        found=f"The strongest dropout is {max(rates):g}: {1 - max(rates):.0%} of the values are left.",
        expected=f"at most {STRONG_DROPOUT:g}; 0.2 to 0.5 is usual.",
        cause="The rate is the share that is dropped, not the one that is kept. Take 0.2 to 0.5, and none before the "
        "model overfits.",
        value=max(rates),
    )


def check_frozen(bench: Bench) -> Check:
    """No layer stays at the random weights that it was born with."""
    from recipe.debugging.programs import clone

    fresh = flatten(clone(_unfrozen(bench.twin), bench.input_shape, bench.seed))
    frozen, born = [], []
    for layer, other in zip(flatten(bench.twin), fresh, strict=True):
        if layer.weights and not layer.trainable and not _is_preparation(layer):
            frozen.append(layer.name)
            if _is_as_drawn(layer.get_weights(), other.get_weights()):
                born.append(layer.name)
    weights = sum(layer.count_params() for layer in flatten(bench.twin) if layer.name in born)
    return judge(
        "frozen layers",
        not born,
        found=f"{len(born)} frozen layer(s) ({weights:,} weights) hold random numbers as they were drawn."
        if born
        else f"{len(frozen)} frozen layer(s), with weights that were learned somewhere."
        if frozen
        else "No layer is frozen.",
        expected="that only layers are frozen whose weights were learned elsewhere.",
        cause="trainable=False was set and not taken back, or the learned weights were not loaded. Set "
        "layer.trainable = True and compile anew.",
        value=float(weights),
    )


def check_dead_units(bench: Bench) -> Check:
    """The units of hidden layers answer to the data."""
    outputs = [(name, values) for name, values in hidden_outputs(bench) if values.ndim >= 2]
    if not outputs:
        raise NotApplicable("the model has no hidden layer with an activation")
    shares = {}
    for name, values in outputs:
        flat = values.reshape(-1, values.shape[-1])
        shares[name] = float((np.ptp(flat, axis=0) <= 1e-7 * max(1.0, float(np.abs(flat).max()))).mean())
    worst = max(shares, key=shares.get)
    return judge(
        "dead units",
        shares[worst] < DEAD,
        found=f"Of the units of {worst}, {shares[worst]:.0%} put out the same number for every sample.",
        expected=f"less than {DEAD:.0%} in every hidden layer.",
        cause="The weights or biases began too large or far below 0, or a large step threw them there: a relu that is "
        "0 everywhere has no gradient and never comes back. Take Keras's default initializers and a lower rate.",
        value=shares[worst],
    )


def check_gradients(bench: Bench) -> Check:
    """The first gradient reaches every layer, and blows up in none."""
    x, y, *_ = bench.arrays
    order = np.arange(STEPS * BATCH, dtype=np.int32).reshape(STEPS, BATCH) % len(x)
    with quiet():
        values = bench.program.gradient_sizes(bench.program.start(bench.fresh, 1e-12), x, y, order)
    variables = bench.twin.trainable_variables
    sizes = {
        _name(variable): float(value)
        for variable, value in zip(variables, values, strict=True)
        if len(variable.shape) >= 2
    }
    low, high = min(sizes, key=sizes.get), max(sizes, key=sizes.get)
    ok = all(map(math.isfinite, sizes.values())) and sizes[low] > VANISHED and sizes[high] < EXPLODED
    return judge(
        "gradients",
        ok,
        found=f"A gradient's typical size is from {sizes[low]:.2g} ({low}) to {sizes[high]:.2g} ({high}).",
        expected=f"between {VANISHED:g} and {EXPLODED:g} in every layer.",
        cause="Near 0: dead units, saturated sigmoids, or a loss that does not depend on the output. Huge: inputs or "
        "targets that were not scaled.",
        value=sizes[low] if sizes[low] <= VANISHED else sizes[high],
    )


def check_first_loss(bench: Bench) -> Check:
    """Fresh weights know nothing, and how large the loss is then is known beforehand."""
    theory, words = _first_loss_in_theory(bench)
    ratio = bench.first_loss / theory if theory else math.inf
    return judge(
        "initial loss",
        NEAR_THEORY[0] <= ratio <= NEAR_THEORY[1],
        found=f"The loss of fresh weights is {bench.first_loss:.3g}.",
        expected=f"about {words} = {theory:.3g} ({NEAR_THEORY[0]:g} to {NEAR_THEORY[1]:g} times it).",
        cause="Too large: the inputs are not scaled, so the first outputs are sure of themselves and wrong. Too small: "
        "the loss compares something else than you think. Check the last activation, the loss and the targets.",
        value=bench.first_loss,
    )


def _first_loss_in_theory(bench: Bench) -> tuple[float, str]:
    """Return what the loss should be before the first step, and the formula."""
    _, y, *_ = bench.arrays
    name = bench.loss_name
    if "crossentropy" in name and bench.kind is ProblemType.MULTICLASS:
        return math.log(bench.outputs), f"ln {bench.outputs}"
    if "crossentropy" in name and bench.kind in (ProblemType.BINARY, ProblemType.MULTILABEL):
        if bench.outputs == 2 and bench.kind is ProblemType.BINARY:
            return math.log(2), "ln 2"
        return math.log(2), "ln 2"
    if bench.kind.is_classification:
        raise NotApplicable(f"no theory for {name} on classes: see the check of the loss")
    neutral = 0.5 if bench.kind is ProblemType.BOUNDED_REGRESSION else 0.0
    theory = float(bench.row_losses(y, np.full((len(y), bench.outputs), neutral, np.float32)).mean())
    if not (math.isfinite(theory) and theory > 0):
        raise NotApplicable(f"an output of {neutral:g} has a loss of {theory:g}")
    return theory, f"the {name.replace('_', ' ')} of an output of {neutral:g}"


# What the model is made of.


def flatten(model: keras.Model) -> list[keras.layers.Layer]:
    """Return all layers in order, those of inner models among them."""
    layers = []
    for layer in model.layers:
        layers += flatten(layer) if hasattr(layer, "layers") else [layer]
    return layers


def activation_of(layer: keras.layers.Layer) -> str:
    """Return the name of a layer's activation, "linear" where it has none."""
    function = getattr(layer, "activation", None)
    return getattr(function, "__name__", type(function).__name__) if callable(function) else LINEAR


def hidden_outputs(bench: Bench) -> list[tuple[str, np.ndarray]]:
    """Return the outputs of the hidden layers that have an activation, on at most 256 rows."""
    import keras

    bench.check_runnable()
    layers = [layer for layer in flatten(bench.twin)[:-1] if _has_activation(layer)]
    try:
        tensors = [layer.output for layer in layers]
    except (AttributeError, ValueError) as error:
        raise NotApplicable("a layer is used more than once") from error
    if not layers:
        return []
    inner = keras.Model(bench.twin.inputs, tensors)
    outputs = bench.guard(
        lambda: inner([bench.arrays[0][:256]], training=False), "the model cannot be run on these data"
    )
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    names = [_position(layers, layer) for layer in layers]
    return [
        (f"hidden layer {name}", keras.ops.convert_to_numpy(values))
        for name, values in zip(names, outputs, strict=True)
    ]


def _has_activation(layer: keras.layers.Layer) -> bool:
    return activation_of(layer) != LINEAR or type(layer).__name__ in ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")


def _is_linear_map(layer: keras.layers.Layer) -> bool:
    import keras

    kinds = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    return isinstance(layer, kinds)


def _passes_on(layer: keras.layers.Layer) -> bool:
    """Say whether two linear layers with this one between them are still no more than one (or nearly)."""
    kinds = ("Dropout", "Flatten", "Reshape", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
    return type(layer).__name__ in kinds


def _chain(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers where each reads the one before it."""
    layers = [layer for layer in flatten(model) if type(layer).__name__ != "InputLayer"]
    import keras

    if isinstance(model, keras.Sequential):
        return layers
    try:
        follows = all(b.input is a.output for a, b in itertools.pairwise(layers))
    except (AttributeError, ValueError):
        follows = False
    if not follows:
        raise NotApplicable("the layers do not stand in one row")
    return layers


def _position(layers: list, layer: object) -> str:
    return f"{next(number for number, other in enumerate(layers, 1) if other is layer)} ({type(layer).__name__})"


def _name(variable: keras.Variable) -> str:
    return "/".join(variable.path.split("/")[-2:])


def _is_preparation(layer: keras.layers.Layer) -> bool:
    return type(layer).__name__ in ("Normalization", "Rescaling", "StringLookup", "TextVectorization")


def _is_as_drawn(weights: list[np.ndarray], fresh: list[np.ndarray]) -> bool:
    """Say whether a layer's weights have the spread and mean of newly drawn ones, and its biases their start.

    Two draws of n weights differ in their mean by the square root of 2 / n standard deviations, and in their spread by
    less; what is within four times as much may well be chance.
    """
    for now, new in zip(weights, fresh, strict=True):
        chance = CHANCE * np.sqrt(2 / new.size) * new.std() + 1e-12
        if now.ndim < 2:
            if not np.array_equal(now, new):
                return False
        elif abs(now.std() - new.std()) > chance or abs(now.mean() - new.mean()) > chance:
            return False
    return True


def _unfrozen(model: keras.Model) -> keras.Model:
    """Return a copy of the layers, all of them trainable, so that all their weights are drawn."""
    copy = copy_model(model)
    copy.trainable = True
    return copy
