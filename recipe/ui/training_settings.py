"""What the training panel's controls say, as one frozen value; and the way from there to a `ModelSpec` and back."""

from __future__ import annotations

import typing
from contextlib import suppress
from dataclasses import dataclass

import ipywidgets as widgets

from recipe.core.problem import Problem
from recipe.core.spec import ACTIVATIONS, MAX_SEED, OPTIMIZERS, ModelSpec
from recipe.engine.models import check_fit
from recipe.steps.s6_scale_up import show_percent
from recipe.ui.settings import Settings, setting

NETWORKS = {
    "dense layers (mlp)": "mlp",
    "convolutions (convnet)": "convnet",
    "word vectors (embedding)": "embedding",
    "no hidden layer (linear)": "linear",
}
FULL_ROWS = 0  # all there are
KERAS_RATE = 0.0  # the optimizer's own default
LAYERS = {f"layer_{number}": f"units_{number}" for number in (1, 2, 3, 4)}
OPTIONS = {"dropout_on": "dropout", "l1_on": "l1", "l2_on": "l2", "early_stopping": "patience"}
SWITCHES = LAYERS | OPTIONS  # what has a check box
USUAL = ModelSpec()  # in which every option is off
AS_IN_SPEC = ("activation", "optimizer", "batch_size", "epochs", "seed")

ROWS = {f"{rows:,}": rows for rows in (300, 600, 1_000, 3_000, 10_000)} | {"all": FULL_ROWS}
STRENGTHS = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1)
RATES = {"default": KERAS_RATE} | {f"{rate:g}": rate for rate in (*STRENGTHS[2:], 0.3, 1.0)}
SHARES = tuple(round(0.05 * step, 2) for step in range(1, 19))
ERRORS = {show_percent(points / 1000): points / 1000 for points in (*range(0, 50, 5), *range(50, 510, 10))}
NO_GUESS = "no guess"
GUESSES = (NO_GUESS, "it overfits", "it does not overfit", "it beats the last run", "it does not beat the last run")
EPOCHS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80, 100, 150, 200, 300, 500)
PRESENTED = ("layer_1", "layer_2", "dropout_on", "l2_on", "epochs")  # what is left of the controls in a presentation
_LABEL, _SWITCH = "14ch", "108px"


def can_read(problem: Problem, architecture: str) -> bool:
    """Say whether an architecture can read a problem's input.

    Examples
    --------
    >>> from recipe.data.problems import PROBLEMS
    >>> can_read(PROBLEMS["imdb"], "embedding"), can_read(PROBLEMS["housing"], "embedding")
    (True, False)
    """
    with suppress(ValueError):
        check_fit(ModelSpec(architecture=architecture, hidden_units=(16,)), problem)
        return True
    return False


def _layer(number: int) -> typing.Any:
    return setting(number == 1, label=f"layer {number}", help="Switch the hidden layer on or off.")


def _units(number: int) -> typing.Any:
    return setting(64, label=f"units {number}", low=1, high=4096, steps=(4, 8, 16, 32, 64, 128, 256, 512, 1024))


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """Problem, network and training; `rows` 0 is all there are, `learning_rate` 0 the optimizer's own default."""

    problem: str = setting("", help="What is predicted, from what; empty is the one that stands there.")
    rows: int = setting(
        10_000, low=0, high=10_000_000, steps=ROWS, help="Rows to load, a fifth or so for the sealed test set."
    )
    architecture: str = setting("mlp", choices=NETWORKS, suits=can_read, help="What the hidden layers are.")
    layer_1: bool = _layer(1)
    units_1: int = _units(1)
    layer_2: bool = _layer(2)
    units_2: int = _units(2)
    layer_3: bool = _layer(3)
    units_3: int = _units(3)
    layer_4: bool = _layer(4)
    units_4: int = _units(4)
    activation: str = setting("relu", choices=ACTIVATIONS, help="Of the hidden layers.")
    dropout_on: bool = setting(False, label="dropout", help="Leave units out at random while training.")
    dropout: float = setting(
        0.5, label="rate", low=0.01, high=0.95, steps=SHARES, help="The share of units that is left out."
    )
    l1_on: bool = setting(False, label="L1 penalty", help="A price on the weights' absolute values.")
    l1: float = setting(1e-4, label="L1", low=1e-9, high=10.0, steps=STRENGTHS)
    l2_on: bool = setting(False, label="L2 penalty", help="A price on the weights' squares.")
    l2: float = setting(1e-3, label="L2", low=1e-9, high=10.0, steps=STRENGTHS)
    optimizer: str = setting("rmsprop", choices=OPTIMIZERS)
    learning_rate: float = setting(KERAS_RATE, low=0.0, high=100.0, steps=RATES)
    batch_size: int = setting(
        128, low=1, high=65_536, steps=(1, 4, 8, 16, 32, 64, 128, 256, 512, 1024), help="Samples an update."
    )
    epochs: int = setting(20, low=1, high=100_000, steps=EPOCHS, help="Passes over the training set.")
    early_stopping: bool = setting(False, label="early stop", help="Stop after some epochs without a better val_loss.")
    patience: int = setting(
        5, low=1, high=100_000, steps=EPOCHS[:10], help="Epochs without a better validation loss to wait."
    )
    seed: int = setting(0, low=0, high=MAX_SEED, steps=range(10), help="Of the first weights, the order and dropout.")
    seeds: int = setting(
        1, label="how often", choices={"once": 1, "3 seeds, as a band": 3}, help="What differs is luck."
    )

    reachable: float = setting(
        0.0, label="reachable error", low=0, high=1, steps=ERRORS, help="What people reach, say."
    )
    guess: str = setting(NO_GUESS, label="your guess", choices=GUESSES, help="It is judged after the run.")

    @property
    def spec(self) -> ModelSpec:
        """The network and its training; layers that are all switched off are a linear model, of whatever kind."""
        units = tuple(getattr(self, units) for layer, units in LAYERS.items() if getattr(self, layer))
        is_linear = self.architecture == "linear" or not units
        options = {name: getattr(self if getattr(self, on) else USUAL, name) for on, name in OPTIONS.items()}
        return ModelSpec(
            architecture="linear" if is_linear else self.architecture,
            hidden_units=() if is_linear else units,
            learning_rate=self.learning_rate or None,
            **{name: getattr(self, name) for name in AS_IN_SPEC},
            **options,
        )

    def with_spec(self, spec: ModelSpec) -> typing.Self:
        """Return settings that train this spec; what it does not use keeps its value.

        Raises
        ------
        ValueError
            If the panel has no control for something: a fifth layer, or a last layer or loss of its own.
        """
        changes = {name: getattr(spec, name) for name in ("architecture", *AS_IN_SPEC)}
        changes["learning_rate"] = spec.learning_rate or KERAS_RATE
        if spec.hidden_units:
            changes |= {layer: number < len(spec.hidden_units) for number, layer in enumerate(LAYERS)}
            changes |= dict(zip(LAYERS.values(), spec.hidden_units, strict=False))
        for on, name in OPTIONS.items():
            changes[on] = getattr(spec, name) != getattr(USUAL, name)
            changes |= {name: getattr(spec, name)} if changes[on] else {}
        settings = self.replace(**changes)
        if settings.spec != spec:
            raise ValueError(
                f"The panel has no controls for that. Received: {spec.describe()}. Train it by recipe.train."
            )
        return settings


def connect(controls: dict[str, widgets.Widget]) -> None:
    """Let numbers follow the switches that they are on for, and the switches of the layers the network."""

    def follow_switches(change: object = None) -> None:
        for switch, slider in SWITCHES.items():
            controls[switch].disabled = switch in LAYERS and controls["architecture"].value == "linear"
            controls[slider].disabled = controls[switch].disabled or not controls[switch].value

    for name in ("architecture", *SWITCHES):
        controls[name].observe(follow_switches, names="value")
    follow_switches()


def arrange(controls: dict[str, widgets.Widget]) -> widgets.Box:
    """Put each switch and its slider on one line; data and network, then training: abreast where there is room."""
    lines: dict[str, widgets.Widget] = {}
    for name, control in controls.items():
        if name in SWITCHES:
            control.layout = widgets.Layout(width=_SWITCH, flex=f"0 0 {_SWITCH}")
            slider = controls[SWITCHES[name]]
            slider.layout, slider.style.description_width = widgets.Layout(flex="1 1 0", min_width="0"), "8ch"
            lines[name] = widgets.HBox([control, slider], layout=widgets.Layout(width="100%"))
        elif name not in SWITCHES.values():
            control.style.description_width = _LABEL
            lines[name] = control
    for name in lines.keys() - set(PRESENTED):
        lines[name].add_class("recipe-extra")
    cut = list(lines).index("dropout_on")
    halves = [list(lines.values())[:cut], list(lines.values())[cut:]]
    columns = [widgets.VBox(half, layout=widgets.Layout(flex="1 1 300px", min_width="0")) for half in halves]
    return widgets.Box(columns, layout=widgets.Layout(display="flex", flex_flow="row wrap", grid_gap="0 16px"))
