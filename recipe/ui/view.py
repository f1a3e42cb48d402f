"""The widgets of a panel around its controls: heading, source, Run and Stop, the figure and the status line."""

from __future__ import annotations

import typing
from html import escape

import ipywidgets as widgets
from traitlets import Unicode

from recipe.ui.texts import source_html, status_html

CONTROLS_WIDTH = "330px"
FIGURE_WIDTH = "430px"  # with less room than this the figure goes below the controls


class FigureImage(widgets.Image):
    """An image whose `tooltip` arrives in the browser, where it is the alternative text that screen readers speak.

    The view of `Image` gives its element a title only where the model has a description, and that an empty one.
    """

    description = Unicode("", help="Always empty.").tag(sync=True)


class View:
    """The widgets; only `value`, `tooltip` and `disabled` are changed later, which is safe from any thread."""

    widest_controls: typing.ClassVar[str] = "420px"

    def __init__(self, *, title: str, source: str, ready: str, controls: list[widgets.Widget], width: float) -> None:
        self.run_button = widgets.Button(description="Run", icon="play", button_style="primary")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.source_label = widgets.HTML(source_html(source))
        self.status = widgets.HTML(status_html(ready))
        self.image = FigureImage(layout=widgets.Layout(width="100%", max_width=f"{width:.0f}px", height="auto"))
        heading = widgets.HTML(f"<b style='font-size:1.1em'>{escape(title)}</b>")
        left = widgets.VBox(
            self.make_left(controls),
            layout=widgets.Layout(flex=f"1 1 {CONTROLS_WIDTH}", max_width=self.widest_controls, min_width="0"),
        )
        right = widgets.Box(self.make_right(), layout=widgets.Layout(flex=f"3 1 {FIGURE_WIDTH}", min_width="0"))
        body = widgets.Box(
            [left, right],
            layout=widgets.Layout(display="flex", flex_flow="row wrap", align_items="flex-start", grid_gap="8px 20px"),
        )
        frame = widgets.Layout(border="1px solid var(--jp-border-color2, #ccc)", padding="8px 12px", overflow="hidden")
        self.root = widgets.VBox([heading, self.source_label, body, self.status], layout=frame)
        self.root.add_class("recipe-panel")  # by which a test in the browser finds it

    def make_left(self, controls: list[widgets.Widget]) -> list[widgets.Widget]:
        """Return what stands on the left: the controls, and below them the buttons."""
        return [*controls, widgets.HBox([self.run_button, self.stop_button])]

    def make_right(self) -> list[widgets.Widget]:
        """Return what stands on the right: the figure."""
        return [self.image]

    def show_figure(self, png: bytes, words: str) -> None:
        """Replace the figure and its alternative text at one stroke."""
        with self.image.hold_sync():
            self.image.value, self.image.tooltip = png, words

    def show_running(self, running: bool) -> None:
        """Enable Stop while a run is under way, and Run otherwise."""
        self.run_button.disabled, self.stop_button.disabled = running, not running

    def close(self) -> None:
        """Take the widgets away, wherever they are shown."""
        _close(self.root)


def _close(widget: widgets.Widget) -> None:
    for child in getattr(widget, "children", ()):
        _close(child)
    widget.close()
