"""The controls of the training panel: layers and penalties with a switch each, numbers in useful steps."""

from __future__ import annotations

import typing
from types import MappingProxyType

import ipywidgets as widgets

from recipe.data.problems import PROBLEMS
from recipe.ui.controls import make_controls
from recipe.ui.training.settings import (
    FULL_ROWS,
    KERAS_RATE,
    LAYERS,
    NETWORKS,
    QUESTIONS,
    TrainingSettings,
    suitable,
)

_UNITS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
_STRENGTHS = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1)
STEPS = MappingProxyType(
    {
        "rows": (300, 600, 1_000, 3_000, 10_000, 30_000, FULL_ROWS),
        **{f"units_{number}": _UNITS for number in LAYERS},
        "dropout": tuple(round(0.05 * step, 2) for step in range(1, 19)),
        "l1": _STRENGTHS,
        "l2": _STRENGTHS,
        "learning_rate": (KERAS_RATE, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0),
        "batch_size": (1, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
        "epochs": (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80, 100, 150, 200, 300, 500),
        "patience": (1, 2, 3, 5, 8, 10, 15, 20, 30, 50),
        "seed": tuple(range(10)),
    }
)
_WORDS = MappingProxyType({("rows", FULL_ROWS): "all", ("learning_rate", KERAS_RATE): "default"})
SWITCHES = MappingProxyType(  # what each check box switches on
    {f"layer_{number}": f"units_{number}" for number in LAYERS}
    | {"dropout_on": "dropout", "l1_on": "l1", "l2_on": "l2", "early_stopping": "patience"}
)
_LABEL, _SWITCH = "13ch", "108px"


def make_training_controls(settings: TrainingSettings, problems: typing.Iterable[str]) -> dict[str, widgets.Widget]:
    """Make a control for each setting; a slider in steps sends the step's number, so that 0.1 stays 0.1.

    Parameters
    ----------
    problems : the names of the problems to choose from
    """
    plain = [name for name in settings.names() if name not in STEPS]
    controls = make_controls(settings, plain)
    for name in plain:
        if not isinstance(controls[name], widgets.Checkbox):
            controls[name].style.description_width = _LABEL
    for name in STEPS:
        controls[name] = _make_slider(settings, name)
    controls = {name: controls[name] for name in settings.names()}
    controls["problem"].options = [(words, name) for words, name in QUESTIONS.items() if name in set(problems)]
    controls["problem"].value = settings.problem
    _couple(controls)
    controls["architecture"].value = settings.architecture
    return controls


def offer(controls: dict[str, widgets.Widget], settings: TrainingSettings) -> None:
    """Give each slider a step for its value in the settings, where it has none yet: a spec may have any number."""
    for name in STEPS:
        value, slider = getattr(settings, name), controls[name]
        if value not in [step for _, step in slider.options]:
            slider.options = _options(name, {*(step for _, step in slider.options), value})


def arrange(controls: dict[str, widgets.Widget]) -> list[widgets.Widget]:
    """Put each switch and its slider on one line; data and network, then training: abreast where there is room."""
    lines: dict[str, widgets.Widget] = {}
    for name, control in controls.items():
        if name in SWITCHES:
            control.layout.width, control.layout.flex = _SWITCH, f"0 0 {_SWITCH}"
            lines[name] = widgets.HBox([control, controls[SWITCHES[name]]], layout=widgets.Layout(width="100%"))
        elif name not in SWITCHES.values():
            lines[name] = control
    cut = list(lines).index("dropout_on")
    halves = [list(lines.values())[:cut], list(lines.values())[cut:]]
    columns = [widgets.VBox(half, layout=widgets.Layout(flex="1 1 300px", min_width="0")) for half in halves]
    return [widgets.Box(columns, layout=widgets.Layout(display="flex", flex_flow="row wrap", grid_gap="0 16px"))]


def _make_slider(settings: TrainingSettings, name: str) -> widgets.SelectionSlider:
    field = settings.__dataclass_fields__[name]
    value = getattr(settings, name)
    behind_switch = name in SWITCHES.values()
    return widgets.SelectionSlider(
        options=_options(name, {*STEPS[name], value}),
        value=value,
        description=field.metadata["label"] or name.replace("_", " "),
        tooltip=field.metadata["help"] or None,
        continuous_update=False,
        style={"description_width": "8ch" if behind_switch else _LABEL},
        layout=widgets.Layout(width="auto", min_width="0", flex="1 1 0" if behind_switch else "none"),
    )


def _options(name: str, values: set[float]) -> list[tuple[str, float]]:
    """Return the steps in order with their words; what stands for all rows comes last."""
    ordered = sorted(values, key=lambda value: float("inf") if (name, value) == ("rows", FULL_ROWS) else value)
    return [
        (_WORDS.get((name, value)) or (f"{value:,}" if name == "rows" else f"{value:g}"), value) for value in ordered
    ]


def _couple(controls: dict[str, widgets.Widget]) -> None:
    """Offer the networks that suit the problem, and let what is switched off not be moved."""
    problem, network = controls["problem"], controls["architecture"]

    def follow_problem(change: object = None) -> None:
        fitting, before = suitable(PROBLEMS[problem.value]), network.value
        network.options = [(words, name) for words, name in NETWORKS.items() if name in fitting]
        network.value = before if before in fitting else fitting[0]

    def follow_switches(change: object = None) -> None:
        for switch, slider in SWITCHES.items():
            is_layer = switch.startswith("layer_")
            controls[switch].disabled = is_layer and network.value == "linear"
            controls[slider].disabled = controls[switch].disabled or not controls[switch].value

    problem.observe(follow_problem, names="value")
    for name in ("architecture", *SWITCHES):
        controls[name].observe(follow_switches, names="value")
    follow_problem()
    follow_switches()
