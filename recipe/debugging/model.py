"""Step 8: look at the model, and at fresh weights before the first step."""

from __future__ import annotations

import itertools
import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import LAST_LAYERS, LastLayer, ProblemType
from recipe.debugging.bench import CANNOT_RUN, VAL_ROWS, Bench, NotApplicable, judge, refusals, short_path
from recipe.debugging.checks import Check

if TYPE_CHECKING:
    import keras

STRONG_DROPOUT = 0.8
DEAD = 0.75  # of a layer's units: some die in every network
VANISHED, EXPLODED = 1e-6, 1e3  # root mean square of a layer's gradient over its weights'
NEAR_THEORY = (0.6, 4.0)  # times the loss that theory gives: inputs that vary by 2 or 3 are sound, and give 3 times
CHANCE = 4  # standard deviations by which two draws of the same weights may differ
GRADIENT_RATE = 2.0**20  # a step of plain gradient descent at this rate shows gradients far below a weight's rounding
LINEAR = "linear"
BENT = ("ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax")  # layers that are an activation themselves
PREPARING = ("Normalization", "Rescaling", "StringLookup", "TextVectorization")  # no layers that learn
# Two linear layers with one of these between them are still no more than one (or nearly).
PASSING_ON = ("Dropout", "Flatten", "Reshape", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
_PUTS_OUT = MappingProxyType(
    {
        LINEAR: "any value",
        "sigmoid": "values from 0 to 1, each by itself",
        "softmax": "values from 0 to 1 that add up to 1",
        "tanh": "values from -1 to 1",
        "relu": "no value below 0, and nothing but 0 once its input is negative for every sample",
    }
)
_IS_WANTED = MappingProxyType(
    {
        ProblemType.BINARY: "the probability of a yes",
        ProblemType.MULTICLASS: "a probability for each class, which add up to 1",
        ProblemType.MULTILABEL: "a probability for each label by itself, for several may be true",
        ProblemType.REGRESSION: "any value",
        ProblemType.BOUNDED_REGRESSION: "a value from 0 to 1",
    }
)
_FOR_QUANTITIES = ("mae", "mse", "huber", "log_cosh", "mean_squared_logarithmic_error")
_SHORT = MappingProxyType({"mean_squared_error": "mse", "mean_absolute_error": "mae"})


# The end of the model against the table of step 1.


def check_last_activation(bench: Bench) -> Check:
    """The last layer's units and activation against the table of step 1."""
    activation = _last_activation(bench)
    seen = _seen_by_loss(bench, activation)
    row, units = _row_for(bench, seen)
    units_fit, activation_fits = bench.outputs == units, seen == (row.activation or LINEAR)
    found = f"{_named(activation)} in {_units(bench.outputs)}"
    if seen != activation:
        found += f", with the {seen} inside the loss"
    if units_fit and not activation_fits and activation in _PUTS_OUT:
        found += f" puts out {_PUTS_OUT[activation]}"
    cause = f'Give the last layer activation="{row.activation}".'
    if not units_fit:
        cause = f"Give the last layer {_units(units)}."
    elif row.activation is None:
        cause = "Leave out the activation of the last layer."
    return judge(
        units_fit and activation_fits,
        found=f"{found[0].upper()}{found[1:]}.",
        expected=f"{_named(row.activation)} in {_units(units)}: a {bench.type} wants {_IS_WANTED[bench.type]}.",
        cause=cause,
    )


def check_loss(bench: Bench) -> Check:
    """The loss against the table of step 1; for quantities others that fall as the output comes nearer pass, too."""
    activation = _last_activation(bench)
    if bench.has_own_loss:
        raise NotApplicable(f"the loss {bench.loss_name} is no one of Keras's, and what it wants cannot be read")
    row, _ = _row_for(bench, _seen_by_loss(bench, activation))
    loss = _SHORT.get(bench.loss_name, bench.loss_name)
    found, cause = f"The loss is {loss}", f'Compile with loss="{row.loss}".'
    is_other = loss not in row.losses and not bench.type.is_classification and loss in _FOR_QUANTITIES
    is_twice = bench.from_logits and activation != LINEAR
    if is_twice:
        found += f" with from_logits=True, behind {_named(activation)}"
        cause = f"Leave out from_logits=True: else the {activation} is followed by a second one."
    elif is_other:
        found += ": not the usual one, but it falls as the output comes nearer to the target"
    return judge(
        not is_twice and (loss in row.losses or is_other),
        found=f"{found}.",
        expected=f"{' or '.join(row.losses)}, for a {bench.type}.",
        cause=cause,
    )


def _last_activation(bench: Bench) -> str:
    """Return the name of the activation that puts out, "linear" where there is none."""
    import keras

    if isinstance(bench.copy.output_shape, (list, dict)):
        raise NotApplicable(f"the model has {len(bench.copy.output_shape)} outputs, and this checks one")
    layer = _last_layer(bench.copy)
    if isinstance(layer, (keras.layers.Softmax, keras.layers.ReLU)):
        return type(layer).__name__.lower()
    if not callable(getattr(layer, "activation", None)):
        raise NotApplicable(f"the last layer is a {type(layer).__name__}, and what it puts out cannot be read")
    return activation_of(layer)


def _last_layer(model: keras.Model) -> keras.layers.Layer:
    """Return the layer that puts out: that of an inner model, and not one that only shapes or drops."""
    import keras

    names = getattr(model, "output_names", None)
    layer = model.get_layer(names[0]) if names else model.layers[-1]
    if isinstance(layer, keras.Model):
        return _last_layer(layer)
    passes_on = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Dropout)
    if isinstance(layer, passes_on) and isinstance(model, keras.Sequential):
        before = [other for other in model.layers if not isinstance(other, passes_on)]
        return before[-1] if before else layer
    return layer


def _seen_by_loss(bench: Bench, activation: str) -> str:
    """Return the activation that the loss sees, its own included."""
    if not bench.from_logits or activation != LINEAR:
        return activation
    return "sigmoid" if bench.loss_name == "binary_crossentropy" else "softmax"


def _row_for(bench: Bench, seen: str) -> tuple[LastLayer, int]:
    """Return the row of the table and the units; a yes or no may be written as two classes: a softmax of two units."""
    if bench.type is ProblemType.BINARY and bench.outputs == 2 and seen == "softmax":
        return LAST_LAYERS[ProblemType.MULTICLASS], 2
    return LAST_LAYERS[bench.type], bench.wanted_outputs


def _named(activation: str | None) -> str:
    return f"{activation} activation" if activation not in (None, LINEAR) else "no activation"


def _units(number: int) -> str:
    return f"{number} unit{'' if number == 1 else 's'}"


# The layers.


def check_hidden_activations(bench: Bench) -> Check:
    """No two layers of weights follow each other without anything bent between them."""
    layers, pairs = _chain(bench.copy), []
    for number, layer in enumerate(layers):
        if not _is_linear_map(layer) or activation_of(layer) != LINEAR:
            continue
        behind = next((other for other in layers[number + 1 :] if type(other).__name__ not in PASSING_ON), None)
        if behind is not None and _is_linear_map(behind):
            pairs.append(f"{_position(layers, layer)} and {_position(layers, behind)}")
    maps = sum(map(_is_linear_map, layers))
    if maps < 2:
        raise NotApplicable("there are no two layers of weights behind each other")
    return judge(
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
    rates = [float(layer.rate) for layer in flatten(bench.copy) if "Dropout" in type(layer).__name__]
    if not rates:
        raise NotApplicable("the model has no dropout")
    return judge(
        max(rates) <= STRONG_DROPOUT,
        found=f"The strongest dropout is {max(rates):g}: {1 - max(rates):.0%} of the values are left.",
        expected=f"at most {STRONG_DROPOUT:g}; 0.2 to 0.5 is usual.",
        cause="The rate is the share that is dropped, not the one that is kept. Take 0.2 to 0.5, and none before the "
        "model overfits.",
        value=max(rates),
    )


def check_frozen(bench: Bench) -> Check:
    """No layer stays at the random weights that it was born with."""
    drawn = [layer.get_weights() for layer in flatten(bench.draw_anew(frozen_too=True))]
    frozen, born = [], []
    for layer, fresh in zip(flatten(bench.copy), drawn, strict=True):
        if layer.weights and not layer.trainable and type(layer).__name__ not in PREPARING:
            frozen.append(layer)
            if _is_as_drawn(layer.get_weights(), fresh):
                born.append(layer)
    weights = sum(layer.count_params() for layer in born)
    found = "No layer is frozen."
    if born:
        found = f"{len(born)} frozen layer(s) ({weights:,} weights) hold random numbers as they were drawn."
    elif frozen:
        found = f"{len(frozen)} frozen layer(s), with weights that were learned somewhere."
    return judge(
        not born,
        found=found,
        expected="that only layers are frozen whose weights were learned elsewhere.",
        cause="trainable=False was set and not taken back, or the learned weights were not loaded. Set "
        "layer.trainable = True and compile anew.",
        value=float(weights),
    )


def check_dead_units(bench: Bench) -> Check:
    """The units of hidden layers answer to the data."""
    shares = {}
    for name, values in _hidden_outputs(bench).items():
        flat = values.reshape(-1, values.shape[-1])
        shares[name] = float((np.ptp(flat, axis=0) <= 1e-7 * max(1.0, float(np.abs(flat).max()))).mean())
    if not shares:
        raise NotApplicable("the model has no hidden layer with an activation")
    worst = max(shares, key=shares.get)
    return judge(
        shares[worst] < DEAD,
        found=f"Of the units of {worst}, {shares[worst]:.0%} put out the same number for every sample.",
        expected=f"less than {DEAD:.0%} in every hidden layer.",
        cause="The weights or biases began too large or far below 0, or a large step threw them there: a relu that is "
        "0 everywhere has no gradient and never comes back. Take Keras's default initializers and a lower rate.",
        value=shares[worst],
    )


def check_gradients(bench: Bench) -> Check:
    """The first gradient reaches every layer, and blows up in none."""
    import keras

    bench.check_runnable()
    x, y = (part[:VAL_ROWS] for part in bench.arrays[:2])
    model = bench.compile_anew(keras.optimizers.SGD(GRADIENT_RATE))
    before = [np.array(variable) for variable in model.trainable_variables]
    bench.fit(model, x, y, x, y, batch_size=len(x), steps_per_epoch=1)
    sizes = {
        short_path(variable): float(np.sqrt(np.mean(((old - np.array(variable)) / GRADIENT_RATE) ** 2)))
        for old, variable in zip(before, model.trainable_variables, strict=True)
        if len(variable.shape) >= 2 and variable.name != "bias"  # attention does not see the bias of its keys
    }
    low, high = min(sizes, key=sizes.get), max(sizes, key=sizes.get)
    ok = all(map(math.isfinite, sizes.values())) and sizes[low] > VANISHED and sizes[high] < EXPLODED
    return judge(
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
    loss = bench.first_loss()
    ratio = loss / theory if theory else math.inf
    return judge(
        NEAR_THEORY[0] <= ratio <= NEAR_THEORY[1],
        found=f"The loss of fresh weights is {loss:.3g}.",
        expected=f"about {words} = {theory:.3g} ({NEAR_THEORY[0]:g} to {NEAR_THEORY[1]:g} times it).",
        cause="Too large: the inputs are not scaled, so the first outputs are sure of themselves and wrong. Too small: "
        "the loss compares something else than you think. Check the last activation, the loss and the targets.",
        value=loss,
    )


def _first_loss_in_theory(bench: Bench) -> tuple[float, str]:
    """Return what the loss should be before the first step, and the formula."""
    _, y, *_ = bench.arrays
    name = bench.loss_name
    if "crossentropy" in name and bench.type is ProblemType.MULTICLASS:
        return math.log(bench.outputs), f"ln {bench.outputs}"
    if "crossentropy" in name and bench.type in (ProblemType.BINARY, ProblemType.MULTILABEL):
        return math.log(2), "ln 2"
    if bench.type.is_classification:
        raise NotApplicable(f"no theory for {name} on classes: see the check of the loss")
    neutral = 0.5 if bench.type is ProblemType.BOUNDED_REGRESSION else 0.0
    theory = bench.mean_loss(y, np.full((len(y), bench.outputs), neutral))
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


def _hidden_outputs(bench: Bench) -> dict[str, np.ndarray]:
    """Return the outputs of the hidden layers that have an activation, on at most 256 rows."""
    import keras

    bench.check_runnable()
    layers = [
        layer for layer in flatten(bench.copy)[:-1] if activation_of(layer) != LINEAR or type(layer).__name__ in BENT
    ]
    try:
        inner = keras.Model(bench.copy.inputs, [layer.output for layer in layers]) if layers else None
    except (AttributeError, ValueError) as error:
        raise NotApplicable("a layer is used more than once") from error
    if inner is None:
        return {}
    with refusals(CANNOT_RUN):
        outputs = map(keras.ops.convert_to_numpy, keras.tree.flatten(inner([bench.arrays[0][:256]], training=False)))
    return {f"hidden layer {_position(layers, layer)}": each for layer, each in zip(layers, outputs, strict=True)}


def _is_linear_map(layer: keras.layers.Layer) -> bool:
    import keras

    kinds = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    return isinstance(layer, kinds)


def _chain(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers where each reads the one before it."""
    import keras

    layers = [layer for layer in flatten(model) if type(layer).__name__ != "InputLayer"]
    try:
        follows = isinstance(model, keras.Sequential) or all(b.input is a.output for a, b in itertools.pairwise(layers))
    except (AttributeError, ValueError):
        follows = False
    if not follows:
        raise NotApplicable("the layers do not stand in one row")
    return layers


def _position(layers: list, layer: object) -> str:
    return f"{next(number for number, other in enumerate(layers, 1) if other is layer)} ({type(layer).__name__})"


def _is_as_drawn(weights: list[np.ndarray], fresh: list[np.ndarray]) -> bool:
    """Say whether a layer's weights are distributed like newly drawn ones, and its biases still at their start.

    Two draws of n weights differ in their mean by the square root of 2 / n standard deviations, and in their standard
    deviation by less; what is within four times as much may well be chance.
    """
    for now, new in zip(weights, fresh, strict=True):
        chance = CHANCE * np.sqrt(2 / new.size) * new.std() + 1e-12
        if now.ndim < 2:
            if not np.array_equal(now, new):
                return False
        elif abs(now.std() - new.std()) > chance or abs(now.mean() - new.mean()) > chance:
            return False
    return True
