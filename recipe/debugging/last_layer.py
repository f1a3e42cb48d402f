"""Step 5's checklist, first half: do the last layer and the loss suit the problem? For a spec or any Keras model."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from recipe.core.checks import Check, Status
from recipe.core.problem import LAST_LAYERS, LastLayer, Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.engine.models import last_activation, loss_name

if TYPE_CHECKING:
    import keras

LAST_ACTIVATION, LOSS = "last activation", "loss"

_PUTS_OUT = MappingProxyType(
    {
        None: "any value",
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


@dataclass(frozen=True, kw_only=True)
class LastPart:
    """The end of a model, as far as it can be read.

    Attributes
    ----------
    units : in the last layer
    activation : of the last layer; None where there is none
    loss : None where the model is not compiled
    from_logits : whether the loss applies the sigmoid or softmax itself
    """

    units: int
    activation: str | None
    loss: str | None
    from_logits: bool = False

    @property
    def probabilities(self) -> str | None:
        """The activation that the loss sees, its own included."""
        if not self.from_logits or self.activation is not None:
            return self.activation
        return "sigmoid" if self.loss == "binary_crossentropy" else "softmax"


def check_last_activation(model: ModelSpec | keras.Model, problem: Problem) -> Check:
    """Check the units and the activation of the last layer against the table of `recipe.core.problem`.

    Parameters
    ----------
    model : a spec, or any Keras model with one output
    problem : Problem

    Returns
    -------
    Check; not applicable where the last layer of a Keras model cannot be read

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> check = check_last_activation(ModelSpec(last_activation="sigmoid"), find_problem("housing"))
    >>> check.failed, check.cause
    (True, 'Leave out the activation of the last layer.')
    """
    part = read_last_part(model, problem)
    if isinstance(part, str):
        return Check(name=LAST_ACTIVATION, status=Status.NOT_APPLICABLE, found=part)
    row, is_pair = _row_for(part, problem)
    wanted = f"{_named(row.activation)} in {_units(2 if is_pair else problem.outputs)}"
    expected = f"{wanted}: a {problem.type} wants {_IS_WANTED[problem.type]}."
    found = f"{_named(part.activation)} in {_units(part.units)}"
    if part.from_logits and part.activation is None:
        found += f", with the {part.probabilities} inside the loss"
    found = found[0].upper() + found[1:]
    if part.units != problem.outputs and not is_pair:
        return _fail(LAST_ACTIVATION, f"{found}.", expected, f"Give the last layer {_units(problem.outputs)}.")
    if part.probabilities == row.activation:
        return Check(name=LAST_ACTIVATION, status=Status.PASSED, found=f"{found}.", expected=expected)
    puts_out = _PUTS_OUT.get(part.activation)
    found += f" puts out {puts_out}." if puts_out else "."
    way_out = f'Give the last layer activation="{row.activation}".'
    return _fail(
        LAST_ACTIVATION, found, expected, way_out if row.activation else "Leave out the activation of the last layer."
    )


def check_loss(model: ModelSpec | keras.Model, problem: Problem) -> Check:
    """Check the loss against the table of `recipe.core.problem`.

    For quantities other losses that fall as the output comes nearer pass, too, such as ``"mae"``.

    Parameters
    ----------
    model : a spec, or any Keras model with one output
    problem : Problem

    Returns
    -------
    Check; not applicable where a Keras model is not compiled, or its last layer cannot be read

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> check_loss(ModelSpec(loss="mse"), find_problem("mnist")).found
    'The loss is mse.'
    """
    part = read_last_part(model, problem)
    if isinstance(part, str) or part.loss is None:
        why = part if isinstance(part, str) else "The model is not compiled, so it has no loss."
        return Check(name=LOSS, status=Status.NOT_APPLICABLE, found=why)
    row, _ = _row_for(part, problem)
    fitting = [*row.losses, *filter(None, [row.integer_label_loss])]
    expected = f"{' or '.join(fitting)}, for a {problem.type}."
    found = f"The loss is {part.loss}"
    if part.from_logits and part.activation is not None:
        cause = f"Leave out from_logits=True: else the {part.activation} is followed by a second one."
        return _fail(LOSS, f"{found} with from_logits=True, behind {_named(part.activation)}.", expected, cause)
    if part.loss in fitting:
        return Check(name=LOSS, status=Status.PASSED, found=f"{found}.", expected=expected)
    if not problem.type.is_classification and part.loss in _FOR_QUANTITIES:
        found += ": not the usual one, but it falls as the output comes nearer to the target"
        return Check(name=LOSS, status=Status.PASSED, found=f"{found}.", expected=expected)
    return _fail(LOSS, f"{found}.", expected, f'Compile with loss="{row.loss}".')


def read_last_part(model: ModelSpec | keras.Model, problem: Problem) -> LastPart | str:
    """Return the end of a model, or a sentence that says why it cannot be read.

    Raises
    ------
    TypeError
        If `model` is neither a spec nor a Keras model.
    """
    if isinstance(model, ModelSpec):
        activation, loss = last_activation(model, problem), loss_name(model, problem)
        return LastPart(units=problem.outputs, activation=activation, loss=loss)
    import keras

    if not isinstance(model, keras.Model):
        raise TypeError(
            f"Only a spec or a Keras model has a last layer. Received: model of type {type(model).__name__}. "
            "Pass a ModelSpec or a keras.Model."
        )
    if not model.built:
        return "The model is not built yet, so its last layer has no shape."
    if isinstance(model.output_shape, (list, dict)):
        return f"The model has {len(model.output_shape)} outputs, and this checks one."
    layer = _last_layer(model)
    if isinstance(layer, (keras.layers.Softmax, keras.layers.ReLU)):
        activation = type(layer).__name__.lower()
    elif callable(getattr(layer, "activation", None)):
        activation = getattr(layer.activation, "__name__", type(layer.activation).__name__.lower())
    else:
        return f"The last layer is a {type(layer).__name__}, and what it puts out cannot be read."
    loss, from_logits = _read_loss(model)
    activation = None if activation == "linear" else activation
    return LastPart(units=int(model.output_shape[-1]), activation=activation, loss=loss, from_logits=from_logits)


def _last_layer(model: keras.Model) -> keras.layers.Layer:
    """Return the layer that puts out: that of an inner model, and not one that only shapes or drops."""
    import keras

    names = getattr(model, "output_names", None)
    layer = model.get_layer(names[0]) if names else model.layers[-1]
    if isinstance(layer, keras.Model):
        return _last_layer(layer)
    passes_on = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Dropout)
    if isinstance(layer, passes_on) and len(model.layers) > 1:
        before = [other for other in model.layers if not isinstance(other, passes_on)]
        return before[-1] if isinstance(model, keras.Sequential) and before else layer
    return layer


def _read_loss(model: keras.Model) -> tuple[str | None, bool]:
    """Return the short name of the loss, and whether it takes logits."""
    import keras

    if getattr(model, "loss", None) is None:
        return None, False
    loss = keras.losses.get(model.loss)
    function = getattr(loss, "fn", loss)
    name = getattr(function, "__name__", type(function).__name__)
    from_logits = isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits", False))
    return _SHORT.get(name, name), from_logits


def _row_for(part: LastPart, problem: Problem) -> tuple[LastLayer, bool]:
    """Return the row of the table, and whether a yes or no is written as two classes: a softmax of two units."""
    if problem.type is ProblemType.BINARY and part.units == 2 and part.probabilities == "softmax":
        return LAST_LAYERS[ProblemType.MULTICLASS], True
    return problem.last_layer, False


def _named(activation: str | None) -> str:
    return f"{activation} activation" if activation else "no activation"


def _units(number: int) -> str:
    return f"{number} unit{'' if number == 1 else 's'}"


def _fail(name: str, found: str, expected: str, cause: str) -> Check:
    return Check(name=name, status=Status.FAILED, found=found, expected=expected, cause=cause)
