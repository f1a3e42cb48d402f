"""What a model is to look like and how it is to be trained: one frozen value, checked when it is made."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from types import MappingProxyType

from recipe.core.input_checks import expect_choice

ARCHITECTURES = ("linear", "mlp", "convnet", "embedding")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "linear")
# Keras's own rates, which learning_rate=None stands for.
DEFAULT_RATES = MappingProxyType(
    {"rmsprop": 0.001, "adam": 0.001, "sgd": 0.01, "adamw": 0.001, "nadam": 0.001, "adagrad": 0.001}
)
OPTIMIZERS = tuple(DEFAULT_RATES)
LAST_ACTIVATIONS = ("auto", "sigmoid", "softmax", "none", "relu", "tanh")
CROSSENTROPIES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
LOSSES = ("auto", *CROSSENTROPIES, "mse", "mae")
MAX_SEED = 2**32 - 1  # NumPy takes no larger one
LEAST_RATE = 1e-30  # a rate of 0 learns nothing
MOST_DROPOUT = 0.999  # of 1 nothing is left
MOST = sys.float_info.max  # finite


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
    dropout : fraction of units dropped while training, below 1; behind every hidden dense layer, in a convnet and
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
        choices = {
            "architecture": ARCHITECTURES,
            "activation": ACTIVATIONS,
            "optimizer": OPTIMIZERS,
            "last_activation": LAST_ACTIVATIONS,
            "loss": LOSSES,
        }
        for field, allowed in choices.items():
            expect_choice(field, getattr(self, field), allowed, f"There is no such {field}.")
        numbers = {
            "dropout": (float, 0.0, MOST_DROPOUT),
            "l1": (float, 0.0, MOST),
            "l2": (float, 0.0, MOST),
            "learning_rate": (float, LEAST_RATE, MOST),
            "batch_size": (int, 1, MOST),
            "epochs": (int, 1, MOST),
            "seed": (int, 0, MAX_SEED),
            "patience": (int, 1, MOST),
        }
        checked = {"hidden_units": _check_units(self.architecture, self.hidden_units)}
        for field, limits in numbers.items():
            if getattr(self, field) is not None or field not in ("learning_rate", "patience"):
                checked[field] = _check_number(field, getattr(self, field), *limits)
        for field, value in checked.items():  # a list that becomes a tuple keeps the spec hashable
            object.__setattr__(self, field, value)

    def replace(self, **changes: object) -> ModelSpec:
        """Return a copy with these fields changed, checked like a new one."""
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
        kind = "dense" if self.architecture == "mlp" else self.architecture
        layers = f"{kind} {'-'.join(map(str, self.hidden_units))}".rstrip()
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


def _check_number(field: str, value: object, kind: type, least: float, most: float) -> float | int:
    """Return the value, NumPy's numbers included, as `kind`, float or int, from `least` to `most`."""
    noun = "a whole number" if kind is int else "a number"
    limits = f"{least:.10g} or more" if most == MOST else f"from {least:.10g} to {most:.10g}"
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        raise TypeError(f"{field} must be {noun}. Received: {field}={value!r}. Allowed: {limits}.")
    number = kind(value)
    if not least <= number <= most:
        raise ValueError(f"{field} is out of range. Received: {field}={number}. Allowed: {limits}.")
    return number


def _check_units(architecture: str, units: object) -> tuple[int, ...]:
    """Return the units a layer as a tuple of whole numbers from 1 up; one number is one layer."""
    if architecture == "linear":
        return ()
    units = tuple(units) if isinstance(units, Iterable) else (units,)
    if not units:
        raise ValueError(
            f"A network of architecture {architecture!r} needs at least one layer. Received: hidden_units=(). "
            'Give units such as (64,), or take architecture="linear" for a model without hidden layers.'
        )
    return tuple(_check_number("hidden_units", number, int, 1, MOST) for number in units)
