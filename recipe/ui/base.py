"""What every panel is made of: controls left, a figure right, Run and Stop, one line of status, the data's source."""

from __future__ import annotations

import logging
import threading
import typing
from contextlib import suppress

import ipywidgets as widgets

from recipe.core.dataset import Dataset
from recipe.ui.parts import OnProgress, PanelParts
from recipe.ui.progress import Progress
from recipe.ui.settings import Settings
from recipe.ui.texts import error_html, source_html, status_html
from recipe.ui.worker import LatestWins

if typing.TYPE_CHECKING:
    from recipe.ui.figure import PanelFigure
    from recipe.ui.view import View

# A run begins this long after it was asked for. Changes in quick succession lead to one run, and a press of Run finds
# what was typed just before: JupyterLab may hand the two to different threads of the kernel, in any order.
GATHER_SECONDS = 0.1
NO_RESULT = "No result yet."

__all__ = ["OnProgress", "Panel"]
log = logging.getLogger("recipe.ui")
log.addHandler(logging.NullHandler())  # the status line shows it; a handler of the user's own gets it too


class Panel(PanelParts):
    """The base of all panels. A subclass says what the settings are, what is computed and how it is drawn.

    A subclass gives `title`, `settings_type`, `compute`, `draw`, `describe` and `rows`, and where it wants to
    `make_controls`, `summarise`, `source_text`, `figure_size` and `live`.

    Parameters
    ----------
    *datasets : where the numbers come from; their source stands on the panel
    **settings : what the controls say at first

    Attributes
    ----------
    settings : what the controls say; assign a `Settings` (or its text) to change them without a run
    result : what the last run returned, or None
    error : the exception that ended the last run, or None
    controls : the control of each setting, by its name
    """

    def __init__(self, *datasets: Dataset, **settings: object) -> None:
        self.datasets = datasets
        self.result: typing.Any = None
        self.error: BaseException | None = None
        self._writer: int | None = None  # the thread in which the panel itself writes the controls
        self._stop_here = threading.Event()  # ends what run() computes
        self._computing, self._drawing = threading.RLock(), threading.RLock()
        self._worker = LatestWins(self._work, self._show_running)
        self._view: View | None = None
        self._build(self.settings_type().replace(**settings))

    # What Python, tests and notebooks use.

    @property
    def settings(self) -> typing.Any:
        """What the controls say now; raises ValueError where they say what makes no sense together."""
        return self.settings_type(**{name: control.value for name, control in self.controls.items()})

    @settings.setter
    def settings(self, settings: Settings | str) -> None:
        wanted = self.settings_type.from_text(settings) if isinstance(settings, str) else settings
        self._writer = threading.get_ident()
        try:
            for name, control in self.controls.items():
                control.value = getattr(wanted, name)
        finally:
            self._writer = None
        if self.settings != wanted:
            raise ValueError(f"The controls cannot show these settings. Received: {wanted}. They show {self.settings}.")

    def run(self, **changes: object) -> typing.Any:
        """Change these settings, compute here and now, show the result and return it.

        A run of the panel's own thread ends first. What goes wrong is raised, and stands in the status line too.
        """
        self._worker.stop()
        self._worker.wait()
        self.settings = self.settings.replace(**changes)
        self._stop_here = threading.Event()
        self._show_running(True)
        try:
            self._compute(self._stop_here)
        except BaseException as error:
            self._show_error(error)
            raise
        finally:
            self._show_running(self._worker.running)
        return self.result

    def start(self) -> None:
        """Do what the button Run does: compute in a thread. A run that is under way is cut short."""
        self._worker.ask(delay=GATHER_SECONDS, cut_short=True)

    def stop(self) -> None:
        """Do what the button Stop does: ask the run to end soon; what was computed so far is shown."""
        self._stop_here.set()
        self._worker.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the thread to end, and raise what went wrong in it.

        Raises
        ------
        TimeoutError
            If it takes longer than `timeout` seconds.
        """
        if not self._worker.wait(timeout):
            raise TimeoutError(f"The run is not done. Received: timeout={timeout!r}. Wait longer, or call stop().")
        if self.error is not None:
            raise self.error

    def figure(self) -> PanelFigure:
        """Return the last result as a figure of its own, which a notebook shows."""
        from recipe.ui.figure import new_panel_figure

        figure = new_panel_figure(self.figure_size)
        self.draw(figure, self._last_result())
        return figure

    def table(self) -> list[dict[str, object]]:
        """Return the numbers of the last result, a dict a row."""
        return self.rows(self._last_result())

    def alt_text(self) -> str:
        """Return the last result's figure in words."""
        return self.describe(self._last_result())

    def close(self) -> None:
        """End the thread and take the widgets away; to show the panel again makes new ones."""
        self._worker.stop()
        self._worker.wait()
        if self._view is not None:
            self._view.close()
            self._view = None

    @property
    def widget(self) -> widgets.VBox:
        """The whole panel as one widget."""
        if self._view is None:
            self._build(self.settings)
        return self._view.root

    def __repr__(self) -> str:
        try:
            return f"{type(self).__name__}({self.settings.to_text()!r})"
        except (TypeError, ValueError):
            return f"{type(self).__name__}(settings that are not valid)"

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, object]:
        # The first result of a live panel comes before it is shown: Voilà reads the state of the widgets once, when the
        # page is loaded, and what a thread changes meanwhile never arrives there.
        if self.live and self.result is None and not self._worker.running:
            with suppress(Exception):  # it stands in the status line
                self.run()
        return self.widget._repr_mimebundle_(**kwargs) | {"text/plain": repr(self)}

    # The widgets.

    def _build(self, settings: Settings) -> None:
        """Make the widgets, with the result that there is."""
        from recipe.ui.figure import new_panel_figure

        self._canvas = new_panel_figure(self.figure_size)
        self.controls = self.make_controls(settings)
        if set(self.controls) != set(settings.names()):
            raise ValueError(
                f"Each setting needs one control. Received: controls={sorted(self.controls)}, "
                f"settings={sorted(settings.names())}. Return a control for each from make_controls()."
            )
        for control in self.controls.values():
            control.observe(self._on_change, names="value")
        view = self.make_view(
            title=self.title,
            source=self.source_text(),
            ready="Ready." if self.live else "Ready: press Run.",
            controls=self.controls,
            width=self.figure_size[0] * 100,
        )
        self.run_button, self.stop_button, self.source_label = view.run_button, view.stop_button, view.source_label
        self.status, self.image, self._view = view.status, view.image, view
        self.run_button.on_click(lambda button: self.start())
        self.stop_button.on_click(lambda button: self.stop())
        self._show(self.result)

    def _on_change(self, change: object) -> None:
        if self.live and self._writer != threading.get_ident():
            self._worker.ask(delay=GATHER_SECONDS)

    def _show(self, result: object | None) -> None:
        """Draw a result, or that there is none yet, and say the same in words."""
        from recipe.ui.figure import placeholder_png, screen_png

        with self._drawing:
            self._canvas.clear()
            if result is not None:
                self.draw(self._canvas, result)
            if self._view is not None and result is None:
                self._view.show_figure(placeholder_png(self.figure_size, NO_RESULT), NO_RESULT)
            elif self._view is not None:
                self._view.show_figure(screen_png(self._canvas), self.describe(result))

    def _show_running(self, running: bool) -> None:
        if self._view is not None:
            self._view.show_running(running)

    def _show_error(self, error: BaseException) -> None:
        self.error = error
        self.status.value = error_html(error)
        log.error("%s: the run failed", type(self).__name__, exc_info=error)

    # One run, here or in the thread.

    def _work(self, stop: threading.Event) -> None:
        try:
            self._compute(stop)
        except BaseException as error:  # a thread has nobody to raise it to
            self._show_error(error)

    def _compute(self, stop: threading.Event) -> None:
        with self._computing:  # a button may be pressed while a cell computes
            self._compute_alone(stop)

    def _compute_alone(self, stop: threading.Event) -> None:
        self.error = None
        settings = self.settings
        self._say("Running ...")
        progress = Progress(self._show, self._say)
        result = self.compute(settings, progress, stop)
        if result is None and not stop.is_set():
            raise TypeError(f"The run gave nothing to show. Received: None from {type(self).__name__}.compute().")
        self.result = self.result if result is None else result
        self._show(self.result)
        self.source_label.value = source_html(self.source_text())  # the settings may have chosen another dataset
        outcome = f"{'Stopped after' if stop.is_set() else 'Done in'} {progress.seconds:.1f} s."
        summary = self.summarise(result) if result is not None else ""
        self._say(f"{outcome} {summary}".strip(), settings=settings.to_text())

    def _say(self, message: str, *, settings: str = "") -> None:
        self.status.value = status_html(message, settings=settings)

    def _last_result(self) -> object:
        if self.result is None:
            raise RuntimeError(f"This panel has no result yet. Received: {self!r}. Call run() first.")
        return self.result
