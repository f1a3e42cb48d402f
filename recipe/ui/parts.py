"""What a subclass says of a panel: its settings, what is computed, how it is drawn and put into words."""

from __future__ import annotations

import threading
import typing
from collections.abc import Callable

import ipywidgets as widgets

from recipe.core.dataset import Dataset
from recipe.ui.controls import make_controls
from recipe.ui.settings import Settings
from recipe.ui.texts import describe_source
from recipe.ui.view import View

if typing.TYPE_CHECKING:
    from recipe.ui.figure import PanelFigure

OnProgress = Callable[[object, str], None]  # a partial result or None, and a message


class PanelParts:
    """The parts of a panel that differ from step to step; `Panel` is what they are put into."""

    title: typing.ClassVar[str] = "Panel"
    settings_type: typing.ClassVar[type[Settings]] = Settings
    live: typing.ClassVar[bool] = False  # True: a change of a control runs at once; for what takes under half a second
    figure_size: typing.ClassVar[tuple[float, float]] = (7.0, 4.4)  # inches; 100 pixels each

    datasets: tuple[Dataset, ...] = ()

    def make_controls(self, settings: Settings) -> dict[str, widgets.Widget]:
        """Return one widget with a `value` for each setting; by default as `setting` declares them."""
        return make_controls(settings)

    def make_view(self, *, controls: dict[str, widgets.Widget], **parts: typing.Any) -> View:
        """Return the widgets around the controls; by default the controls stand one below the other."""
        return View(controls=list(controls.values()), **parts)

    def compute(self, settings: typing.Any, on_progress: OnProgress, stop: threading.Event) -> object:
        """Call one public function of the kit and return what it returns. It touches no widget.

        Parameters
        ----------
        on_progress : call it with (what there is so far or None, a short message); it redraws a few times a second
        stop : look at it often; once it is set, return what there is so far, or None
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what to compute: write compute().")

    def draw(self, figure: PanelFigure, result: typing.Any) -> None:
        """Draw the result on an empty figure."""
        raise NotImplementedError(f"{type(self).__name__} does not say how to draw: write draw().")

    def describe(self, result: typing.Any) -> str:
        """Return in one to three sentences what the figure shows, numbers in it: the alternative text."""
        raise NotImplementedError(f"{type(self).__name__} does not put its figure into words: write describe().")

    def rows(self, result: typing.Any) -> list[dict[str, object]]:
        """Return the numbers of the figure as rows of a table."""
        raise NotImplementedError(f"{type(self).__name__} has no table: write rows().")

    def summarise(self, result: typing.Any) -> str:
        """Return a few words for the status line; none by default."""
        return ""

    def source_text(self) -> str:
        """Return what the data is and whence, as plain text."""
        return describe_source(*self.datasets)
