"""Step 8: look at the model: whether Keras can train it, its end and its layers, and fresh weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator

import keras
import numpy as np

from recipe.core.problem import LAST_LAYERS, LastLayer, Problem, ProblemType
from recipe.debugging.bench import VAL_ROWS, Bench
from recipe.debugging.checks import Check, NotApplicable, judge
from recipe.debugging.loan import LINEAR, Call, activation_of, find_initializers, find_last, inner_layers, short_path

STRONG_DROPOUT = 0.8
DEAD = 0.75  # of a layer's units: some die in every network
VANISHED, EXPLODED = 1e-6, 1e3  # root mean square of a layer's gradient over its weights'
DRAWS = 3  # of first weights, before their loss is called too large or too small
NEAR_THEORY = (0.6, 4.0)  # times the loss that theory gives: inputs that vary by 2 or 3 are sound, and give 3 times
CHANCE = 4  # standard deviations by which two draws of the same weights may differ
GRADIENT_RATE = 2.0**20  # a step of plain gradient descent at this rate shows gradients far below a weight's rounding
MAPS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)  # linear by themselves
BENT = ("ReLU", "LeakyReLU", "PReLU", "ELU")  # layers that are an activation themselves
PREPARING = ("Normalization", "Rescaling", "StringLookup", "TextVectorization")  # no layers that learn
# Two linear layers with one of these between them are still no more than one (or nearly).
PASSING_ON = ("Dropout", "Flatten", "Reshape", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
_PUTS_OUT = {
    LINEAR: "any value",
    "sigmoid": "values from 0 to 1, each by itself",
    "softmax": "values from 0 to 1 that add up to 1",
    "tanh": "values from -1 to 1",
    "relu": "no value below 0, and nothing but 0 once its input is negative for every sample",
}
_SHORT = {"mean_squared_error": "mse", "mean_absolute_error": "mae"}
# Losses beside those of the table that fall as the output comes nearer to the target.
_FOR_LABELS = ("binary_focal_crossentropy", "dice", "tversky")
_FOR_QUANTITIES = (
    *("mae", "mse", "huber", "log_cosh", "mean_squared_logarithmic_error", "mean_absolute_percentage_error"),
    *("poisson", "cosine_similarity"),
)
_ALSO = {
    ProblemType.BINARY: (*_FOR_LABELS, "hinge", "squared_hinge"),
    ProblemType.MULTICLASS: ("categorical_focal_crossentropy", "kl_divergence", "categorical_hinge"),
    ProblemType.MULTILABEL: _FOR_LABELS,
    ProblemType.REGRESSION: _FOR_QUANTITIES,
    ProblemType.BOUNDED_REGRESSION: _FOR_QUANTITIES,
}
_RANGES = {"sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "softplus": (0, np.inf), "exponential": (0, np.inf)}
# What a metric of each kind cannot mean, by the beginning of its name.
_OF_CLASSES = ("acc", "binaryacc", "categoricalacc", "sparse", "topk", "auc", "precision", "recall", "f1", "fbeta")
_OF_QUANTITIES = ("mae", "mse", "meanabsolute", "meansquared", "rootmean", "r2score", "mape", "msle", "logcosh")


# What Keras refuses to train, and what it trains though two shapes do not belong together.


def check_can_be_trained(bench: Bench) -> Check:
    """Keras makes a training step on the data as they are, and compares one number of a target with one output."""
    said = f"\nKeras says: {bench.refusal}" if bench.refusal else ""
    fact, way_out = _why_refused(bench) or ("", "")
    if bench.refusal and not fact:
        fact = "Keras stops with an error at the first step."
        way_out = "Its message, and the shapes after each layer, say where."
    samples, shape = len(bench.x_train), bench.x_train.shape[1:]
    return judge(
        not fact,
        found=fact or f"Keras makes a training step on {samples:,} inputs of shape {shape} and their targets.",
        expected="a step of training without an error, and a target for each output.",
        cause=f"{way_out}{said}",
    )


def _why_refused(bench: Bench) -> tuple[str, str] | None:
    """Return what does not belong together, in plain words, and the way out; None where nothing is seen."""
    model, x, y = bench.model, bench.x_train, bench.y_train
    if bench.loss is None or model.optimizer is None:
        return "The model is not compiled.", "Call model.compile(optimizer=..., loss=...) first."
    if bench.unpaired:
        return bench.unpaired, "Rows were dropped from one and not from the other, or an axis was swapped."
    if bench.wrong_word is not None:
        last = bench.embeddings[0].input_dim - 1
        fact = f"There is a word number {bench.wrong_word:g}, and the embedding knows those from 0 to {last}."
        if x.min() < 0:
            return fact, "Number the words from 0 on; 0 is usually the padding."
        return fact, f"Give the embedding input_dim={int(x.max()) + 1}, or cut rarer words off."
    if bench.validated and x.shape[1:] != bench.x_val.shape[1:]:
        fact = f"A training sample has the shape {x.shape[1:]}, one of validation {bench.x_val.shape[1:]}."
        return fact, "Prepare both in the same way."
    inputs = (getattr(model, "inputs", None) if model.built else None) or ()
    if len(inputs) > 1 and bench.loan.structure is None:
        return f"The model has {len(inputs)} inputs, and one array was given.", "Give a list of arrays, one for each."
    reads = tuple(inputs[0].shape[1:]) if len(inputs) == 1 and bench.loan.structure is None else None
    sample = x.shape[1:]
    if reads and (len(reads) != len(sample) or [a or b for a, b in zip(reads, sample, strict=True)] != list(sample)):
        fact = f"The model reads samples of shape {reads}, and these have the shape {sample}."
        return fact, f"Begin the model with keras.Input({sample}), or bring the samples into that shape."
    if bench.validated and y.shape[1:] != bench.y_val.shape[1:]:
        fact = f"The targets of training and validation have different forms: {y.shape} and {bench.y_val.shape}."
        return fact, "Encode both in the same way."
    try:
        return _compare_targets(bench, bench.output_shape[1:])
    except NotApplicable:
        return None


def _compare_targets(bench: Bench, shape: tuple[int, ...]) -> tuple[str, str] | None:
    """Return why targets and outputs cannot be compared by the loss; shape: of a sample's output."""
    y, columns, is_sparse = bench.y_train, bench.target_columns, "sparse" in bench.loss_name
    if bench.has_own_loss and not bench.refusal:
        return None
    if len(shape) > max(1, y.ndim - 1 + (is_sparse and y.ndim > 1)):
        fact = f"For a sample the model puts out numbers of shape {shape}, and its target is of shape "
        fact += f"{y.shape[1:] or (1,)}: an axis too many."
        return fact, "A Flatten layer (or a pooling, or return_sequences=False) before the last layers is missing."
    if columns == (1 if is_sparse else bench.outputs):
        return None
    if is_sparse:
        fact = f"The labels are one-hot rows of {columns} numbers, and the loss wants whole numbers."
        return fact, 'Compile with loss="categorical_crossentropy", or take y.argmax(axis=1).'
    if columns == 1 and bench.type.is_classification:
        fact = f"The labels are whole numbers, and the loss wants {bench.outputs} numbers, one-hot."
        return fact, 'Compile with loss="sparse_categorical_crossentropy", or take keras.utils.to_categorical(y).'
    fact = f"A target has {columns} numbers, and the network puts out {bench.outputs}."
    return fact, "Give the last layer as many units as a target has numbers."


# The end of the model against the table of step 1.


def check_last_activation(bench: Bench) -> Check:
    """The last layer's units and activation against the table of step 1."""
    activation, seen = bench.last_activation, bench.seen_by_loss
    if bench.has_own_loss and bench.type.is_classification and seen == LINEAR:
        raise NotApplicable(f"the loss {bench.loss_name} is none of Keras's, and may hold the activation")
    row, units = _row_for(bench, seen)
    wanted = row.activation or LINEAR
    if bench.loss_name == "poisson":  # takes the logarithm of the output
        wanted = seen if seen in ("exponential", "softplus") else "exponential"
    if bench.type is ProblemType.BINARY and "hinge" in bench.loss_name:
        wanted = LINEAR if seen == LINEAR else "tanh"
    units_fit, activation_fits = bench.outputs == units, seen == wanted or _spans_targets(bench, seen)
    found = f"{_named(activation)} in {_units(bench.outputs)}"
    if seen != activation:
        found += f", with the {seen} inside the loss"
    if units_fit and not activation_fits and activation in _PUTS_OUT:
        found += f" puts out {_PUTS_OUT[activation]}"
    cause = f'Give the last layer activation="{wanted}".'
    if not units_fit:
        cause = f"Give the last layer {_units(units)}{'' if activation_fits else f' with {wanted}'}."
    elif wanted == LINEAR:
        cause = "Leave out the activation of the last layer."
    return judge(
        units_fit and activation_fits,
        found=f"{found[0].upper()}{found[1:]}.",
        expected=f"{_named(wanted)} in {_units(units)}, for a {bench.type}.",
        cause=cause,
    )


def _spans_targets(bench: Bench, activation: str) -> bool:
    """Say whether quantities, where nobody said that they may be any, all lie where an activation can put out."""
    if bench.given is not None or bench.type.is_classification or activation not in _RANGES:
        return False
    if activation == "softmax" and not bench.has_shares:
        return False
    low, high = _RANGES[activation]
    targets = bench.known_targets
    return bool(len(targets) and targets.min() >= low and targets.max() <= high)


def check_loss(bench: Bench) -> Check:
    """The loss against the table of step 1; others that fall as the output comes nearer pass, too."""
    if bench.has_own_loss:
        raise NotApplicable(f"the loss {bench.loss_name} is none of Keras's, and what it wants cannot be read")
    activation = bench.last_activation
    row, _ = _row_for(bench, bench.seen_by_loss)
    loss = _SHORT.get(bench.loss_name, bench.loss_name)
    found, cause = f"The loss is {loss}", f'Compile with loss="{row.loss}".'
    is_other = loss not in row.losses and loss in _ALSO[bench.type]
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


def check_metrics(bench: Bench) -> Check:
    """Every metric means something for the problem."""
    config = bench.model.get_compile_config() or {}
    said = keras.tree.flatten([config.get("metrics"), config.get("weighted_metrics")])  # names and classes among it
    others = _OF_CLASSES if not bench.type.is_classification else _OF_QUANTITIES
    others = () if bench.type in (ProblemType.BINARY, ProblemType.MULTILABEL) or bench.has_shares else others
    idle = [name for name in said if isinstance(name, str) and name.lower().replace("_", "").startswith(others)]
    what, other = ("a quantity", "mae") if not bench.type.is_classification else ("a class", "accuracy")
    return judge(
        not idle,
        found=f"{idle[0] if idle else 'No metric'} is one of another kind of problem.",
        expected=f"metrics of {what}, such as {other}.",
        cause=f"It says nothing of {what}: take {other}.",
    )


def _row_for(bench: Bench, seen: str) -> tuple[LastLayer, int]:
    """Return the row of the table and the units; a yes or no may be written as two classes: a softmax of two units."""
    if bench.type is ProblemType.BINARY and bench.outputs == 2 and seen == "softmax":
        return LAST_LAYERS[ProblemType.MULTICLASS], 2
    row, units = LAST_LAYERS[bench.type], bench.target_columns
    if isinstance(bench.given, Problem):
        units = bench.given.outputs
    elif bench.type is ProblemType.MULTICLASS and bench.target_columns == 1:
        # Of integer classes there are as many as the network has outputs, but never a single one.
        units = bench.outputs if bench.outputs > 1 else len(np.unique(bench.known_targets))
    return row, units


def _named(activation: str | None) -> str:
    return f"{activation} activation" if activation not in (None, LINEAR) else "no activation"


def _units(number: int) -> str:
    return f"{number} unit{'' if number == 1 else 's'}"


# The layers.


def check_hidden_activations(bench: Bench) -> Check:
    """No two layers of weights follow each other without anything bent between them."""
    calls = [call for call in bench.heard[0] if not inner_layers(call.layer)]
    maps = [call for call in calls if isinstance(call.layer, MAPS)]
    if len(maps) < 2:
        raise NotApplicable("there are no two layers of weights behind each other")
    pairs = [
        f"{_position(calls, call)} and {_position(calls, behind)}"
        for call in maps
        if activation_of(call.layer) == LINEAR
        for behind in _readers(calls, call.outputs)
        if isinstance(behind.layer, MAPS)
    ]
    return judge(
        not pairs,
        found=f"Between layers {'; '.join(pairs)} there is no activation."
        if pairs
        else f"There is an activation behind every hidden layer of weights ({len(maps) - 1}).",
        expected="an activation such as relu after every hidden layer.",
        cause='Two linear layers behind each other are no more than one. Give the hidden layers activation="relu".',
    )


def _readers(calls: list[Call], array: object) -> Iterator[Call]:
    """Yield the calls that read an array, be it behind layers that only pass it on."""
    for call in calls:
        if call.inputs is array and call.outputs is not array:
            yield from _readers(calls, call.outputs) if type(call.layer).__name__ in PASSING_ON else [call]
        # Dropout puts out the very array that it is given, so whoever reads one reads the other.


def check_dropout(bench: Bench) -> Check:
    """No layer throws nearly everything away."""
    rates = [float(layer.rate) for layer in inner_layers(bench.model) if "Dropout" in type(layer).__name__]
    if not rates:
        raise NotApplicable("the model has no dropout")
    return judge(
        max(rates) <= STRONG_DROPOUT,
        found=f"The strongest dropout is {max(rates):g}: {1 - max(rates):.0%} of the values are left.",
        expected=f"at most {STRONG_DROPOUT:g}; 0.2 to 0.5 is usual.",
        cause="The rate is the share that is dropped, not the one that is kept. Take 0.2 to 0.5, and none before the "
        "model overfits.",
    )


def check_frozen(bench: Bench) -> Check:
    """No layer stays at the random weights that it was born with."""
    model = bench.loan.draw_anew(frozen_too=True)
    layers = [layer for layer in inner_layers(model) if layer.weights and not inner_layers(layer)]
    drawn = [layer.get_weights() for layer in layers]
    bench.loan.put_back()
    initializers, frozen, born = find_initializers(model), [], []
    for layer, fresh in zip(layers, drawn, strict=True):
        if not layer.trainable and type(layer).__name__ not in PREPARING:
            frozen.append(layer)
            given = {type(initializers.get(weight.path)).__name__ for weight in layer.weights if len(weight.shape) > 1}
            # Of weights of unknown origin, or given as a constant such as word vectors, nothing can be told.
            if not given & {"NoneType", "Constant"} and _is_as_drawn(layer.get_weights(), fresh):
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
    )


def check_dead_units(bench: Bench) -> Check:
    """The units of hidden layers answer to the data."""
    calls, put_out = bench.heard
    last, shares = find_last(calls, put_out), {}
    bent = [call for call in calls if activation_of(call.layer) != LINEAR or type(call.layer).__name__ in BENT]
    for call in bent:
        if call.layer is last or not hasattr(call.outputs, "shape") or "Tracer" in type(call.outputs).__name__:
            continue  # the cell of a recurrent layer is heard while it is compiled
        values = keras.ops.convert_to_numpy(call.outputs)
        flat = values.reshape(-1, values.shape[-1])
        share = float((np.ptp(flat, axis=0) <= 1e-7 * max(1.0, float(np.abs(flat).max()))).mean())
        shares[f"hidden layer {_position(bent, call)}"] = share
    if not shares:
        raise NotApplicable("the model has no hidden layer with an activation")
    worst = max(shares, key=shares.get)
    return judge(
        shares[worst] < DEAD,
        found=f"Of the units of {worst}, {shares[worst]:.0%} put out the same number for every sample.",
        expected=f"less than {DEAD:.0%} in every hidden layer.",
        cause="The weights or biases began too large or far below 0, or a large step threw them there: a relu that is "
        "0 everywhere has no gradient and never comes back. Take Keras's default initializers and a lower rate.",
    )


def check_gradients(bench: Bench) -> Check:
    """The first gradient reaches every layer, and blows up in none."""
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
    )


def check_first_loss(bench: Bench) -> Check:
    """Fresh weights know nothing, and how large the loss is then is known beforehand."""
    theory, one_away, words = _first_loss_in_theory(bench)
    low, high = (factor * theory for factor in NEAR_THEORY)
    limits = f"{NEAR_THEORY[0]:g} to {NEAR_THEORY[1]:g} times it"
    if one_away > high:
        high, limits = one_away, f"at most {one_away:.3g}, for the outputs of fresh weights are of the order of 1"
    # The first of three draws that is near: by luck a network may tell two clear groups apart at once, or confuse them.
    losses = [bench.first_loss()]
    while not low <= losses[-1] <= high and len(losses) < DRAWS:
        losses.append(bench.first_loss(draw=len(losses)))
    is_near = low <= losses[-1] <= high
    loss = losses[-1] if is_near else losses[0]
    return judge(
        is_near,
        found=f"The loss of fresh weights is {loss:.3g}.",
        expected=f"about {words} = {theory:.3g} ({limits}).",
        cause="Too large: the inputs are not scaled, so the first outputs are sure of themselves and wrong. Too small: "
        "the loss compares something else than you think. Check the last activation, the loss and the targets.",
    )


def _first_loss_in_theory(bench: Bench) -> tuple[float, float, str]:
    """Return the loss before the first step in theory, of quantities also that of outputs 1 higher, and the formula."""
    _, y, *_ = bench.arrays
    name, is_multiclass = bench.loss_name, bench.type is ProblemType.MULTICLASS
    if bench.type.is_classification:
        if "crossentropy" not in name or "focal" in name or (is_multiclass and bench.outputs < 2):
            raise NotApplicable(f"no theory for {name} on such classes")
        outputs = bench.outputs if is_multiclass else 2
        return math.log(outputs), 0.0, f"ln {outputs}"
    neutral = 0.0  # what the last activation makes of 0; taken for 0 of one that is the user's own
    with contextlib.suppress(NotApplicable, ValueError, TypeError):
        activation = keras.activations.get(bench.last_activation)
        neutral = float(activation(keras.ops.zeros((1, bench.outputs)))[0, 0]) + 0.0
    theory, one_away = (
        bench.mean_loss(y, np.full((len(y), *bench.output_shape[1:]), neutral + away)) for away in (0, 1)
    )
    if not (math.isfinite(theory) and theory > 0):
        raise NotApplicable(f"an output of {neutral:g} has a loss of {theory:g}")
    return theory, one_away, f"the {name.replace('_', ' ')} of an output of {neutral:g}"


def _position(calls: list[Call], call: Call) -> str:
    return f"{next(number for number, other in enumerate(calls, 1) if other is call)} ({type(call.layer).__name__})"


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
