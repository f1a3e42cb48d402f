"""The controls of a panel, made from what its settings declare."""

from __future__ import annotations

import dataclasses
import math
import typing

import ipywidgets as widgets

from recipe.ui.settings import Settings, show_step


class StepSlider(widgets.SelectionSlider):
    """A slider over given values: it sends the number of a step, so that 0.1 stays 0.1."""

    def offer(self, value: float) -> None:
        """Give a value that is not among the steps a step of its own; what stands for all of something stays last."""
        values = [step for _, step in self.options]
        if value not in values:
            last = len(values) - (values[-1] < values[0])
            place = next((number for number, step in enumerate(values) if step > value), last)
            self.options = (*self.options[:place], (show_step(value), value), *self.options[place:])


def make_controls(settings: Settings, names: typing.Iterable[str] | None = None) -> dict[str, widgets.Widget]:
    """Make a control for each field, by name: a slider, a check box, a menu or a text field, as the field declares."""
    fields = {field.name: field for field in dataclasses.fields(settings)}
    names = list(fields if names is None else names)
    hints = typing.get_type_hints(type(settings))
    # A check box has its words behind it: they take no room from the other controls.
    widest = max((len(_label(fields[name])) for name in names if hints[name] is not bool), default=0)
    return {
        name: _make_control(fields[name], getattr(settings, name), hints[name], f"{widest + 1}ch") for name in names
    }


def button(words: str, tip: str = "", icon: str = "", **options: typing.Any) -> widgets.Button:
    """Return a button as wide as its words."""
    return widgets.Button(
        description=words, tooltip=tip or None, icon=icon, layout=widgets.Layout(width="auto"), **options
    )


def _label(field: dataclasses.Field) -> str:
    return field.metadata.get("label") or field.name.replace("_", " ")


def _make_control(field: dataclasses.Field, value: object, hint: object, label_width: str) -> widgets.Widget:
    given = field.metadata
    common = {
        "value": value,
        "description": _label(field),
        "tooltip": given.get("help") or None,
        "style": {"description_width": label_width},
        "layout": widgets.Layout(width="auto"),
    }
    if given.get("steps"):
        common["value"], steps = next(iter(given["steps"].values())), list(given["steps"].items())
        slider = StepSlider(options=steps, continuous_update=False, **common)
        slider.offer(value)
        slider.value = value
        return slider
    if given.get("choices"):
        return widgets.Dropdown(options=list(given["choices"].items()), **common)
    if hint is bool:
        return widgets.Checkbox(**common | {"style": {"description_width": "0px"}}, indent=False)
    if hint is str:
        return widgets.Text(**common, continuous_update=False)
    low, high = given.get("low"), given.get("high")
    if hint not in (int, float) or low is None:
        raise TypeError(
            f"There is no control of its own for the setting {field.name}. Received: type {hint}, low={low}. Give it a "
            "low and a high end, steps or choices, or make its control in make_controls()."
        )
    if hint is int:
        return widgets.IntSlider(min=low, max=high, step=given.get("step") or 1, **common)
    step = given.get("step") or (high - low) / 100
    digits = max(0, math.ceil(-math.log10(step) - 1e-9))
    return widgets.FloatSlider(min=low, max=high, step=step, readout_format=f".{digits}f", **common)
