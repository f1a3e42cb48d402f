"""The controls of a panel, made from what its settings declare, and what the page does for them by a script."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from recipe.ui.settings import Settings, show_step

# What a control says where the mouse rests on it: Colab's ipywidgets 7 has another name for it.
HINT = "tooltip" if hasattr(widgets.DOMWidget, "tooltip") else "description_tooltip"


class StepSlider(widgets.SelectionSlider):
    """A slider over given values: it sends the number of a step, so that 0.1 stays 0.1."""

    def offer(self, value: float) -> None:
        """Give a value that is not among the steps a step of its own; what stands for all of something stays last."""
        values = [step for _, step in self.options]
        if value not in values:
            last = len(values) - (values[-1] < values[0])
            place = next((number for number, step in enumerate(values) if step > value), last)
            self.options = (*self.options[:place], (show_step(value), value), *self.options[place:])
            # The key End finds a new last step only in a slider that the page makes anew, as it does for a turned one.
            self.orientation = "vertical"
            self.orientation = "horizontal"


def make_controls(settings: Settings) -> dict[str, widgets.Widget]:
    """Make a control for each field, by name, as the field declares: a slider, a check box or a menu."""
    fields, hints = dataclasses.fields(settings), typing.get_type_hints(type(settings))
    words = {field.name: field.metadata.get("label") or field.name.replace("_", " ") for field in fields}
    # A check box has its words behind it: they take no room from the other controls.
    widest = max((len(words[name]) for name, hint in hints.items() if hint is not bool), default=0)
    controls = {}
    for field in fields:
        common = {
            "value": getattr(settings, field.name),
            "description": words[field.name],
            HINT: field.metadata.get("help") or None,
            "style": {"description_width": f"{widest + 1}ch"},
            "layout": widgets.Layout(width="auto"),
        }
        controls[field.name] = _make_control(field.metadata, hints[field.name], common)
    return controls


def _make_control(given: typing.Mapping[str, typing.Any], hint: type, common: dict[str, typing.Any]) -> widgets.Widget:
    if given.get("steps"):
        value, steps = common.pop("value"), list(given["steps"].items())
        slider = StepSlider(options=steps, continuous_update=False, **common)
        slider.offer(value)
        slider.value = value
        return slider
    if hint is bool:
        return widgets.Checkbox(**common | {"style": {"description_width": "0px"}}, indent=False)
    if hint is int and not given.get("choices"):
        return widgets.IntSlider(min=given["low"], max=given["high"], step=given["step"], **common)
    # A text without choices is one that the panel chooses the options of, such as its problems.
    return widgets.Dropdown(options=list(given.get("choices", {}).items()) or [common["value"]], **common)


def keyboard_help() -> list[widgets.Widget]:
    """Return what a panel takes among its children so that it can be used by keyboard alone; hidden, or nothing.

    Where the page does not find anywidget's part in it, the box hides the message about that, too.
    """
    try:
        import anywidget
    except ModuleNotFoundError:  # Colab has it not: panels work as ever, without what the script adds
        return []

    class Keyboard(anywidget.AnyWidget):
        """A script without a place on the page: see keyboard.js. It looks after the panel that it stands in."""

        _esm = Path(__file__).with_name("keyboard.js")

    return [widgets.Box([Keyboard()], layout=widgets.Layout(display="none"))]


def copy_button(words: str, said: Callable[[], None]) -> widgets.Button:
    """Return a button that copies the text beside it, and calls this; hidden where no script does it."""
    button = widgets.Button(description=words, icon="copy", layout={"width": "auto"})
    button.add_class("recipe-copy")
    button.on_click(lambda pressed: said())
    return button
