"""What the training panel's controls say, as one frozen value; and the way from there to a `ModelSpec` and back."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from types import MappingProxyType

from recipe.core.problem import Problem
from recipe.core.spec import ACTIVATIONS, MAX_SEED, OPTIMIZERS, ModelSpec
from recipe.data.problems import PROBLEMS
from recipe.engine.models import check_fit
from recipe.ui.settings import Settings, setting

QUESTIONS = MappingProxyType(
    {
        "digits (MNIST)": "mnist",
        "film reviews (IMDB)": "imdb",
        "houses (California)": "housing",
        "digits: is it a 5?": "mnist_five",
        "digits: even, above 4, closed": "mnist_multilabel",
        "houses: fraction of the cap": "housing_fraction",
        "houses: value and income": "housing_vector",
    }
)
NETWORKS = MappingProxyType(
    {
        "dense layers (mlp)": "mlp",
        "convolutions (convnet)": "convnet",
        "word vectors (embedding)": "embedding",
        "no hidden layer (linear)": "linear",
    }
)
LAYERS = (1, 2, 3, 4)
FULL_ROWS = 0  # all there are
KERAS_RATE = 0.0  # the optimizer's own default


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """Problem, network and training; `rows` 0 is all there are, `learning_rate` 0 the optimizer's own default."""

    problem: str = setting("mnist", choices=QUESTIONS, help="What is predicted, from what.")
    rows: int = setting(
        10_000, low=0, help="Rows to load, a fifth or so for the sealed test set; at most all there are."
    )
    architecture: str = setting("mlp", choices=NETWORKS, help="What the hidden layers are.")
    layer_1: bool = setting(True, label="layer 1", help="Switch the hidden layer on or off.")
    units_1: int = setting(64, label="units 1", low=1, high=4096)
    layer_2: bool = setting(False, label="layer 2", help="Switch the hidden layer on or off.")
    units_2: int = setting(64, label="units 2", low=1, high=4096)
    layer_3: bool = setting(False, label="layer 3", help="Switch the hidden layer on or off.")
    units_3: int = setting(64, label="units 3", low=1, high=4096)
    layer_4: bool = setting(False, label="layer 4", help="Switch the hidden layer on or off.")
    units_4: int = setting(64, label="units 4", low=1, high=4096)
    activation: str = setting("relu", choices=ACTIVATIONS, help="Of the hidden layers.")
    dropout_on: bool = setting(False, label="dropout", help="Leave units out at random while training.")
    dropout: float = setting(0.5, label="rate", low=0.01, high=0.95, help="The share of units that is left out.")
    l1_on: bool = setting(False, label="L1 penalty", help="A price on the weights' absolute values.")
    l1: float = setting(1e-4, label="L1", low=1e-9, high=10.0)
    l2_on: bool = setting(False, label="L2 penalty", help="A price on the weights' squares.")
    l2: float = setting(1e-3, label="L2", low=1e-9, high=10.0)
    optimizer: str = setting("rmsprop", choices=OPTIMIZERS)
    learning_rate: float = setting(KERAS_RATE, label="learning rate", low=0.0, high=100.0)
    batch_size: int = setting(128, label="batch size", low=1, high=65_536, help="Samples an update.")
    epochs: int = setting(20, low=1, high=100_000, help="Passes over the training set.")
    early_stopping: bool = setting(False, label="early stop", help="Stop after some epochs without a better val_loss.")
    patience: int = setting(5, low=1, high=100_000, help="Epochs without a better validation loss to wait.")
    seed: int = setting(0, low=0, high=MAX_SEED, help="Of the first weights, the order and the dropout.")
    seeds: int = setting(
        1, label="how often", choices={"once": 1, "3 seeds, as a band": 3}, help="What differs is luck."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_fit(self.spec, PROBLEMS[self.problem])

    @property
    def layers(self) -> tuple[int, ...]:
        """The units of the layers that are switched on."""
        return tuple(getattr(self, f"units_{number}") for number in LAYERS if getattr(self, f"layer_{number}"))

    @property
    def spec(self) -> ModelSpec:
        """The network and its training; dense layers that are all switched off are a linear model."""
        is_linear = self.architecture == "linear" or (self.architecture == "mlp" and not self.layers)
        return ModelSpec(
            architecture="linear" if is_linear else self.architecture,
            hidden_units=() if is_linear else self.layers,
            activation=self.activation,
            dropout=self.dropout if self.dropout_on else 0.0,
            l1=self.l1 if self.l1_on else 0.0,
            l2=self.l2 if self.l2_on else 0.0,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate or None,
            batch_size=self.batch_size,
            epochs=self.epochs,
            patience=self.patience if self.early_stopping else None,
            seed=self.seed,
        )

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds to train with: the one, or it and the two after it."""
        return tuple(range(self.seed, self.seed + self.seeds))

    def with_spec(self, spec: ModelSpec) -> typing.Self:
        """Return settings that train this spec; what it does not use keeps its value.

        Raises
        ------
        ValueError
            If the spec has more layers than the panel, or a last layer or loss of its own.
        """
        if len(spec.hidden_units) > len(LAYERS):
            raise ValueError(
                f"The panel has {len(LAYERS)} hidden layers to switch on. Received: hidden_units={spec.hidden_units}. "
                "Train deeper networks by recipe.train."
            )
        if (spec.last_activation, spec.loss) != ("auto", "auto"):
            raise ValueError(
                "The panel takes the last activation and the loss that suit the problem. Received: "
                f"last_activation={spec.last_activation!r}, loss={spec.loss!r}. Train others by recipe.train."
            )
        changes = {name: getattr(spec, name) for name in ("architecture", "activation", "optimizer")}
        changes |= {name: getattr(spec, name) for name in ("batch_size", "epochs", "seed")}
        changes["learning_rate"] = spec.learning_rate or KERAS_RATE
        for number in LAYERS if spec.hidden_units else ():
            changes[f"layer_{number}"] = is_on = number <= len(spec.hidden_units)
            changes |= {f"units_{number}": spec.hidden_units[number - 1]} if is_on else {}
        for name in ("dropout", "l1", "l2"):
            changes[f"{name}_on"] = is_on = getattr(spec, name) > 0
            changes |= {name: getattr(spec, name)} if is_on else {}
        changes["early_stopping"] = spec.patience is not None
        changes |= {"patience": spec.patience} if spec.patience is not None else {}
        return self.replace(**changes)

    def replace(self, **changes: object) -> typing.Self:
        """Return a copy with these fields changed; dense layers come with a problem that the network does not suit."""
        problem = PROBLEMS.get(typing.cast(str, changes.get("problem", self.problem)))
        if problem is not None and "architecture" not in changes and self.architecture not in suitable(problem):
            changes = {"architecture": "mlp"} | changes
        return super().replace(**changes)


def suitable(problem: Problem) -> tuple[str, ...]:
    """Return the architectures that can read a problem's input.

    Examples
    --------
    >>> suitable(PROBLEMS["imdb"]), suitable(PROBLEMS["housing"])
    (('mlp', 'embedding', 'linear'), ('mlp', 'linear'))
    """
    found = []
    for architecture in NETWORKS.values():
        try:
            check_fit(ModelSpec(architecture=architecture, hidden_units=(16,)), problem)
        except ValueError:
            continue
        found.append(architecture)
    return tuple(found)
