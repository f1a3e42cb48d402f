"""Keys, names and focus of a panel on the page, where the notebook can load a widget of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

try:
    import anywidget
except ModuleNotFoundError:  # Colab has it not: panels work as ever, without what the script adds
    anywidget = None

if anywidget is not None:

    class Keyboard(anywidget.AnyWidget):
        """A script without a place on the page: see keyboard.js. It looks after the panel that it stands in."""

        _esm = Path(__file__).with_name("keyboard.js")


def keyboard_help() -> list[widgets.Widget]:
    """Return what a panel takes among its children so that it can be used by keyboard alone; hidden, or nothing.

    Where the page does not find anywidget's part in it, the box hides the message about that, too.
    """
    if anywidget is None:
        return []
    return [widgets.Box([Keyboard()], layout=widgets.Layout(display="none"))]


def copy_button(words: str, said: Callable[[], None], *, link: bool = False) -> widgets.Button:
    """Return a button that copies the text beside it, or a link, and calls this; hidden where no script does it."""
    button = widgets.Button(description=words, icon="copy", layout={"width": "auto"})
    button.add_class("recipe-copy")
    if link:
        button.add_class("recipe-link")
    button.on_click(lambda pressed: said())
    return button
