"""What a kernel hands over to the grader: answers as plain data, and nothing that could run.

A student's kernel is not to be trusted, so no object of it is: numbers, text, arrays, tables, lists and dictionaries
are copied; a function, a model or an estimator becomes what it answers to given inputs, and what it is made of.
`to_json` and `from_json` carry all of it over a pipe, without pickles.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

LARGEST = 5_000_000  # numbers in one array: what no answer needs is not carried
DEEPEST = 6  # of lists in lists


@dataclass(frozen=True)
class Handed:
    """What can be told of an object that itself stays in the kernel.

    Attributes
    ----------
    kind : ``"function"``, ``"model"`` (of Keras), ``"estimator"`` (of scikit-learn), or ``"object"``
    outputs : what it answered to each of its tries: what a function returned, a model's or an estimator's prediction
    made_of : of a model its ``layers`` in the order in which they were called (class, units, activation, rate, l1,
        l2 …), its ``loss`` by name, what that said (``losses``), ``optimizer``, ``learning_rate`` and ``params``; of an
        estimator its steps by class and their parameters
    error : why it could not be used, in words; ``""`` where it could
    """

    kind: str
    outputs: tuple = ()
    made_of: Mapping[str, object] = field(default_factory=dict)
    error: str = ""


def is_missing(value: object) -> bool:
    """Tell whether there is no answer: nothing, an ellipsis, or a function that returns nothing to anything."""
    if isinstance(value, Handed) and value.kind == "function" and value.outputs:
        return all(is_missing(output) for output in value.outputs)
    return value is None or (isinstance(value, str) and value.strip() in ("", "..."))


def collect(
    namespace: Mapping[str, object], names: Sequence[str], tries: Mapping[str, Sequence[tuple]]
) -> dict[str, object]:
    """Return what stands under some names as plain data.

    Parameters
    ----------
    tries : under ``"NAME"`` the arguments that a function, a model or an estimator is called with, a tuple a call;
        under ``"NAME()"`` the same of the model that the function NAME returns; under ``"NAME.loss"`` the targets and
        outputs that the loss of the model NAME compares, a pair a call
    """
    return {
        name: hand_over(
            namespace.get(name), tries.get(name, ()), tries.get(f"{name}()", ()), tries.get(f"{name}.loss", ())
        )
        for name in names
    }


def hand_over(
    value: object, tries: Sequence[tuple] = (), returned: Sequence[tuple] = (), pairs: Sequence[tuple] = ()
) -> object:
    """Return a value of a kernel as plain data.

    Parameters
    ----------
    tries : the arguments that a function, a model or an estimator is called with, a tuple a call. They are copied for
        each call: what a function does to its arguments changes nothing
    returned : the tries of what a function returns
    pairs : of targets and outputs that a model's loss compares
    """
    try:
        if (plain := _copy(value)) is not _NOT_PLAIN:
            return plain
        return _describe(value, tries, returned, pairs)
    except Exception as error:  # whatever a student's object does when it is looked at
        return Handed("object", error=f"{type(error).__name__}: {error}"[:500])


_NOT_PLAIN = object()


def _copy(value: object, depth: int = 0) -> object:
    """Return numbers, text, arrays, tables and collections of them, copied; `_NOT_PLAIN` for everything else."""
    import pandas as pd

    if value is ...:
        return None
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, pd.DataFrame):
        columns = {str(name): _copy(value.iloc[:, at].to_numpy(), depth + 1) for at, name in enumerate(value.columns)}
        return pd.DataFrame(columns, index=_copy(value.index.to_numpy(), depth + 1))
    if isinstance(value, pd.Series):
        return pd.Series(_copy(value.to_numpy(), depth + 1), index=_copy(value.index.to_numpy(), depth + 1))
    if depth > DEEPEST:
        raise ValueError("lists in lists in lists: no answer is as deep as that")
    if isinstance(value, Mapping):
        return {str(key): hand_over(one) if depth == 0 else _copy(one, depth + 1) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_copy(one, depth + 1) for one in value), key=str)
    if isinstance(value, list | tuple | range):
        return [hand_over(one) if depth == 0 else _copy(one, depth + 1) for one in value]
    if isinstance(value, type):  # such as the dtype that an encoder has among its parameters
        return _NOT_PLAIN
    if hasattr(value, "__array__") and hasattr(value, "shape"):  # of NumPy, JAX, Keras, SciPy
        array = np.asarray(value)
        if array.size > LARGEST:
            raise ValueError(f"an array of {array.size:,} numbers is larger than any answer needs")
        return array.copy() if array.dtype.kind in "biuf" else _copy(array.tolist(), depth + 1)
    return _NOT_PLAIN


def _describe(value: object, tries: Sequence[tuple], returned: Sequence[tuple], pairs: Sequence[tuple]) -> Handed:
    """Return what can be told of a function, a model or an estimator."""
    # A class of one's own is a model, too, where one of Keras's is behind it.
    is_model = hasattr(value, "layers") and any(one.__module__.startswith("keras") for one in type(value).__mro__)
    if is_model:
        made_of, call, kind = {}, lambda *inputs: value.predict(*inputs, verbose=0), "model"
    elif hasattr(value, "get_params") and hasattr(value, "fit"):
        made_of, call, kind = _take_estimator_apart(value), getattr(value, "predict", None), "estimator"
    elif callable(value):
        made_of, call, kind = {}, value, "function"
    else:
        looks = getattr(value, "looks", None)  # of a sealed test set: how often it was opened
        return Handed("object", made_of={"class": type(value).__name__} | ({} if looks is None else {"looks": looks}))
    outputs = []
    for arguments in tries:
        try:
            outputs.append(hand_over(call(*copy.deepcopy(arguments)), returned))
        except Exception as error:
            return Handed(kind, made_of=made_of, error=f"{type(error).__name__}: {error}"[:500])
    if is_model:  # one of a class of one's own has no weights before it was called
        made_of = _take_model_apart(value, tries[:1], pairs)
    return Handed(kind, tuple(outputs), made_of)


def _take_model_apart(model: object, tries: Sequence[tuple], pairs: Sequence[tuple]) -> dict[str, object]:
    """Return a Keras model's layers, with what a lesson changes in them, and how it was compiled."""
    layers = []
    for layer in _find_called(model, tries):
        own = {"class": type(layer).__name__, "params": layer.count_params() if layer.built else 0}
        for name in ("units", "filters", "rate"):
            if hasattr(layer, name):
                own[name] = _copy(getattr(layer, name))
        if hasattr(layer, "activation"):
            own["activation"] = getattr(layer.activation, "__name__", "")
        if regularizer := getattr(layer, "kernel_regularizer", None):
            # A weight of 1 costs l1 + l2, one of 2 twice and four times as much.
            one, two = (float(regularizer(np.full((1, 1), weight, "float32"))) for weight in (1, 2))
            own |= {"l1": 2 * one - two / 2, "l2": two / 2 - one}
        layers.append(own)
    optimizer = getattr(model, "optimizer", None)
    loss = getattr(model, "loss", None)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    compiled = {"loss": snake_case(name), "losses": _ask_loss(model, pairs)}
    if optimizer is not None:
        compiled |= {
            "optimizer": type(optimizer).__name__.lower(),
            "learning_rate": float(np.asarray(optimizer.learning_rate)),
        }
    return {"layers": layers, "params": model.count_params() if model.built else 0, **compiled}


def _find_called(model: object, tries: Sequence[tuple]) -> list[object]:
    """Return the layers of Keras that a model calls in training, in their order: those of models within it, too."""
    import keras

    called, call = [], keras.layers.Layer.__call__

    def note(layer: object, *arguments: object, **named: object) -> object:
        outputs = call(layer, *arguments, **named)
        if type(layer).__module__.startswith("keras") and not hasattr(layer, "layers"):
            called.append(layer)
        return outputs

    keras.layers.Layer.__call__ = note
    try:
        # Moving averages stay as they are; and who can predict, but not train, has answered all the same.
        with keras.StatelessScope(), contextlib.suppress(Exception):
            for arguments in tries:
                model(*(np.asarray(one[:2]) for one in arguments), training=True)
    finally:
        keras.layers.Layer.__call__ = call
    return called


def _ask_loss(model: object, pairs: Sequence[tuple]) -> list[float]:
    """Return what a model's loss says of each pair of targets and outputs; nothing where it cannot compare them."""
    try:
        return [float(model.compute_loss(None, targets, outputs)) for targets, outputs in pairs]
    except Exception:  # a loss of a student's own
        return []


def _take_estimator_apart(estimator: object) -> dict[str, object]:
    """Return the classes of a pipeline's steps in their order, and all parameters that are plain."""
    steps = [type(step).__name__ for _, step in getattr(estimator, "steps", [("", estimator)])]
    params = {name: _copy(value) for name, value in estimator.get_params().items() if not hasattr(value, "get_params")}
    plain = {name: value for name, value in params.items() if value is not _NOT_PLAIN}
    return {"class": type(estimator).__name__, "steps": steps, "parameters": plain}


def snake_case(name: str) -> str:
    """Return a class's name as Keras writes it in short: ``"BinaryCrossentropy"`` is ``"binary_crossentropy"``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def to_json(value: object) -> str:
    """Return what was handed over as JSON.

    Examples
    --------
    >>> sent = to_json({"x": np.arange(3, dtype=np.float32), "f": Handed("function", (1.5, float("nan")))})
    >>> received = from_json(sent)
    >>> received["x"], received["f"].outputs
    (array([0., 1., 2.], dtype=float32), (1.5, nan))
    """
    return json.dumps(value, default=_encode)


def from_json(text: str) -> object:
    """Return what `to_json` made JSON of.

    Raises
    ------
    ValueError
        If the text is no such JSON.
    """
    try:
        return json.loads(text, object_hook=_decode)
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"This is nothing that was handed over. {type(error).__name__}: {error}") from error


def _encode(value: object) -> dict[str, object]:
    import pandas as pd

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            return value.tolist()
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"__array__": data, "dtype": value.dtype.str, "shape": value.shape}
    if isinstance(value, pd.DataFrame):
        columns = [[str(name), value.iloc[:, at].to_numpy()] for at, name in enumerate(value.columns)]
        return {"__table__": columns, "index": value.index.to_numpy()}
    if isinstance(value, pd.Series):
        return {"__series__": value.to_numpy(), "index": value.index.to_numpy()}
    if isinstance(value, Handed):
        return {"__handed__": [value.kind, list(value.outputs), dict(value.made_of), value.error]}
    raise TypeError(f"{type(value).__name__} cannot be handed over")


def _decode(value: dict[str, object]) -> object:
    import pandas as pd

    if "__array__" in value:
        dtype = np.dtype(value["dtype"])
        if dtype.kind not in "biuf":  # an array of objects would be a pickle
            raise ValueError(f"An array of {dtype} is not handed over.")
        return np.frombuffer(base64.b64decode(value["__array__"]), dtype).reshape(value["shape"]).copy()
    if "__table__" in value:
        return pd.DataFrame(dict(value["__table__"]), index=value["index"])
    if "__series__" in value:
        return pd.Series(value["__series__"], index=value["index"])
    if "__handed__" in value:
        kind, outputs, made_of, error = value["__handed__"]
        return Handed(kind, tuple(outputs), made_of, str(error))
    return value
