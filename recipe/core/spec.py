"""What a model is to look like and how it is to be trained: one frozen value, checked when it is made."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType

import numpy as np

ARCHITECTURES = ("linear", "mlp", "convnet", "embedding")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "linear")
OPTIMIZERS = ("rmsprop", "adam", "sgd", "adamw", "nadam", "adagrad")
# Keras's own rates, which learning_rate=None stands for.
DEFAULT_RATES = MappingProxyType(
    {"rmsprop": 0.001, "adam": 0.001, "sgd": 0.01, "adamw": 0.001, "nadam": 0.001, "adagrad": 0.001}
)
LAST_ACTIVATIONS = ("auto", "sigmoid", "softmax", "none", "relu", "tanh")
LOSSES = (
    "auto",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "mse",
    "mae",
)
MAX_SEED = 2**32 - 1

# Words for the kinds of hidden layers.
_KINDS = {"linear": "linear", "mlp": "dense", "convnet": "convnet", "embedding": "embedding"}


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A network and its training, as values that can be compared, stored and shared.

    Attributes
    ----------
    architecture : ``"mlp"`` (dense layers), ``"convnet"`` (for images), ``"embedding"`` (for reviews), or ``"linear"``
        (the last layer alone, no hidden ones)
    hidden_units : one number a layer: units of a dense layer; filters of a 3x3 convolution of a convnet; for an
        embedding network the width of the word vectors, then the dense layers behind the pooling
    activation : of the hidden layers
    dropout : fraction of units dropped while training, in [0, 1); behind every hidden dense layer, in a convnet and
        an embedding network once, before the dense part
    l1, l2 : strength of the penalty on the hidden layers' weights, 0 or more
    optimizer, learning_rate : None is Keras's own default rate of that optimizer
    batch_size, epochs : samples an update, passes over the training set
    patience : epochs without a better ``val_data_loss`` (the loss without the penalty) until training stops and the
        best weights come back; None never stops early
    seed : fixes the first weights, the shuffling and the dropout
    last_activation, loss : ``"auto"`` takes the row of the table for the problem's type; anything else is for lessons
        that show what the wrong choice does

    Raises
    ------
    ValueError, TypeError
        If a field makes no sense; the message names the field, the value and what is allowed.

    Examples
    --------
    >>> spec = ModelSpec(hidden_units=(16, 16), dropout=0.5)
    >>> spec.describe()
    'dense 16-16, dropout 0.5, rmsprop'
    """

    architecture: str = "mlp"
    hidden_units: tuple[int, ...] = (64,)
    activation: str = "relu"
    dropout: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    optimizer: str = "rmsprop"
    learning_rate: float | None = None
    batch_size: int = 128
    epochs: int = 20
    patience: int | None = None
    seed: int = 0
    last_activation: str = "auto"
    loss: str = "auto"

    def __post_init__(self) -> None:
        _check_choice("architecture", self.architecture, ARCHITECTURES)
        _check_choice("activation", self.activation, ACTIVATIONS)
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("last_activation", self.last_activation, LAST_ACTIVATIONS)
        _check_choice("loss", self.loss, LOSSES)
        # Lists come from JSON and from widgets; a tuple keeps the spec hashable.
        object.__setattr__(self, "hidden_units", _check_units(self.architecture, self.hidden_units))
        for field, low, high in (("dropout", 0.0, 1.0), ("l1", 0.0, math.inf), ("l2", 0.0, math.inf)):
            object.__setattr__(self, field, _check_number(field, getattr(self, field), low, high))
        if self.learning_rate is not None:
            rate = _check_number("learning_rate", self.learning_rate, 0.0, math.inf)
            if rate == 0:
                raise ValueError("A learning rate of 0 learns nothing. Received: learning_rate=0. Give one above 0.")
            object.__setattr__(self, "learning_rate", rate)
        for field, least in (("batch_size", 1), ("epochs", 1), ("seed", 0), ("patience", 1)):
            if field != "patience" or self.patience is not None:
                object.__setattr__(self, field, _check_whole(field, getattr(self, field), least))
        if self.seed > MAX_SEED:
            raise ValueError(f"NumPy takes no larger seed. Received: seed={self.seed}. Allowed: 0 to {MAX_SEED}.")

    def replace(self, **changes: object) -> ModelSpec:
        """Return a copy with these fields changed, checked like a new one."""
        if unknown := sorted(set(changes) - set(self.to_dict())):
            raise TypeError(
                f"A spec has no such field. Received: {', '.join(unknown)}. It has: {', '.join(self.to_dict())}."
            )
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, object]:
        """Return every field by name, ready for JSON."""
        return dataclasses.asdict(self) | {"hidden_units": list(self.hidden_units)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> ModelSpec:
        """Make a spec from a dict such as `to_dict` returns; fields that are left out take their default."""
        return cls().replace(**values)

    def describe(self) -> str:
        """Return the spec in words, for people: the network, the optimizer, and all that is not at its default.

        Examples
        --------
        >>> ModelSpec(hidden_units=(32, 64), dropout=0.07, optimizer="adam", learning_rate=0.003).describe()
        'dense 32-64, dropout 0.07, adam at 0.003'
        """
        layers = " ".join(filter(None, (_KINDS[self.architecture], "-".join(map(str, self.hidden_units)))))
        optimizer = self.optimizer if self.learning_rate is None else f"{self.optimizer} at {self.learning_rate:.3g}"
        usual = {field.name: field.default for field in dataclasses.fields(self)}
        words = {
            "activation": f"{self.activation} units",
            "dropout": f"dropout {self.dropout:.3g}",
            "l1": f"L1 {self.l1:.3g}",
            "l2": f"L2 {self.l2:.3g}",
            "optimizer": optimizer,
            "batch_size": f"batches of {self.batch_size}",
            "epochs": "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs",
            "patience": f"patience {self.patience}",
            "seed": f"seed {self.seed}",
            "last_activation": f"last activation {self.last_activation}",
            "loss": f"loss {self.loss}",
        }
        said = [text for name, text in words.items() if name == "optimizer" or getattr(self, name) != usual[name]]
        return ", ".join([layers, *said])


def _check_choice(field: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"There is no such {field}. Received: {field}={value!r}. Choose from {', '.join(allowed)}.")


def _check_number(field: str, value: object, low: float, high: float) -> float:
    """Return the value, NumPy's numbers included, as a float in [low, high)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{field} must be a number. Received: {field}={value!r}.")
    number = float(value)
    if not low <= number < high:
        allowed = f"from {low:g} up to, not including, {high:g}" if high < math.inf else f"{low:g} or more, and finite"
        raise ValueError(f"{field} is out of range. Received: {field}={number}. Allowed: {allowed}.")
    return number


def _check_whole(field: str, value: object, least: int) -> int:
    """Return the value, NumPy's integers included, as an int from `least` up."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{field} must be a whole number. Received: {field}={value!r}. Allowed: {least} or more.")
    number = int(value)
    if number < least:
        raise ValueError(f"{field} is too small. Received: {field}={number}. Allowed: {least} or more.")
    return number


def _check_units(architecture: str, units: object) -> tuple[int, ...]:
    """Return the units a layer as a tuple of whole numbers from 1 up."""
    if not isinstance(units, (tuple, list, np.ndarray)):
        raise TypeError(
            f"hidden_units must be a tuple, one number a layer. Received: hidden_units={units!r}. "
            "Give units such as (64,) or (16, 16)."
        )
    if architecture == "linear":
        return ()
    if len(units) == 0:
        raise ValueError(
            f"A network of architecture {architecture!r} needs at least one layer. Received: hidden_units=(). "
            'Give units such as (64,), or take architecture="linear" for a model without hidden layers.'
        )
    return tuple(_check_whole("hidden_units", number, 1) for number in units)
