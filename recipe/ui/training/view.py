"""The widgets of the training panel: controls and buttons left; curves, mistakes, model, code, runs in tabs right."""

from __future__ import annotations

import typing
from html import escape
from types import MappingProxyType

import ipywidgets as widgets

from recipe.steps.s7_regularize import Advice
from recipe.ui.panel import FigureImage, Panel
from recipe.ui.training.table import RunTable

MOST_ADVICE = 14
REACHABLE = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
TABS = ("Curves", "Mistakes", "Model", "Code", "Runs")
GUESSES = MappingProxyType({None: "no guess", True: "yes", False: "no"})
_STYLE = {"description_width": "13ch"}


class AdviceLine:
    """One piece of advice with its button; the line is hidden while there is none."""

    def __init__(self, apply: typing.Callable[[], None]) -> None:
        self.text = widgets.HTML(layout=widgets.Layout(flex="1 1 auto", min_width="0"))
        self.button = widgets.Button(description="Apply", layout=widgets.Layout(width="72px", flex="0 0 72px"))
        self.button.on_click(lambda button: apply())
        self.row = widgets.HBox([self.button, self.text], layout=widgets.Layout(display="none", width="100%"))
        self._has_change = False

    def show(self, advice: Advice | None) -> None:
        """Show a piece of advice, or nothing."""
        self._has_change = advice is not None and advice.spec is not None
        self.row.layout.display = "none" if advice is None else "flex"
        self.button.layout.visibility = "visible" if self._has_change else "hidden"
        self.button.disabled = not self._has_change
        if advice is None:
            return
        title = advice.title[0].upper() + advice.title[1:]
        self.button.tooltip = f"Put it into the controls: {advice.title}"
        self.text.value = f"<div style='line-height:1.3'><b>{escape(title)}</b>. {escape(advice.reason)}</div>"

    def allow(self, allowed: bool) -> None:
        """Let the button be pressed, where it has something to change."""
        self.button.disabled = not (allowed and self._has_change)


class TrainingView:
    """All that is seen of the panel; created once, and changed by its values alone."""

    def __init__(self, apply: typing.Callable[[int], None]) -> None:
        self.again_button = widgets.Button(
            description="Train again", icon="repeat", tooltip="Train even if the journal has this run already"
        )
        self.overfits = _menu("overfits?")
        self.better = _menu("beats last run?")
        self.guess_text = widgets.HTML()
        self.reachable = widgets.SelectionSlider(
            options=[(f"{100 * error:g} %", error) for error in REACHABLE],
            value=0.0,
            description="reachable error",
            tooltip="What people reach on this problem: the errors are held against it at once.",
            style={"description_width": "15ch"},
            layout=widgets.Layout(width="100%", max_width="480px"),
        )
        self.diagnosis = widgets.HTML()
        self.advice_heading = widgets.HTML()
        self.advice = [AdviceLine(lambda number=number: apply(number)) for number in range(MOST_ADVICE)]
        self.mistakes_image, self.mistakes_text = FigureImage(7.8), widgets.HTML()
        self.mistakes_image.layout.display = "none"
        self.model_text, self.code_text = widgets.HTML(), widgets.HTML()
        self.table = RunTable()
        notes = (self.diagnosis, self.mistakes_text, self.model_text, self.code_text, self.table.note)
        self.notes = dict(zip(TABS, notes, strict=True))

    def make_left(self, panel: Panel, controls: list[widgets.Widget]) -> list[widgets.Widget]:
        """Controls, the guess, the buttons."""
        panel.run_button.tooltip = "Train the network that the controls describe"
        buttons = (panel.run_button, panel.stop_button, self.again_button)
        for button in buttons:
            button.layout = widgets.Layout(width="auto", flex="1 1 auto")
        guess = widgets.HTML("<b>Predict first</b> (if you like: it is scored after the run)")
        return [*controls, guess, self.overfits, self.better, self.guess_text, widgets.HBox(list(buttons))]

    def make_right(self, panel: Panel) -> list[widgets.Widget]:
        """The tabs."""
        lines = [line.row for line in self.advice]
        curves = [panel.image, self.diagnosis, self.reachable, self.advice_heading, *lines]
        pages = [
            curves,
            [self.mistakes_text, self.mistakes_image],
            [self.model_text],
            [self.code_text],
            self.table.widgets,
        ]
        page = widgets.Layout(width="100%", min_width="0", overflow="hidden")
        self.tabs = widgets.Tab(
            [widgets.VBox(children, layout=page) for children in pages],
            titles=TABS,
            layout=widgets.Layout(width="100%"),
        )
        return [self.tabs]

    @property
    def tab(self) -> str:
        """The name of the tab that is shown."""
        return TABS[self.tabs.selected_index or 0]

    def show_running(self, running: bool) -> None:
        """Enable Stop while a run is under way, and what starts one or changes its settings otherwise."""
        self.again_button.disabled = running
        for line in self.advice:
            line.allow(not running)

    def show_under_way(self) -> None:
        """Take the last run's diagnosis and advice away: the curves are another run's."""
        self.diagnosis.value = "The diagnosis follows when the run is done."
        self.show_advice(())

    def show_diagnosis(self, sentences: typing.Sequence[str], advice: typing.Sequence[Advice]) -> None:
        """Show what came out in words, and what to try next."""
        text = "<br>".join(map(escape, sentences))
        self.diagnosis.value = f"<div data-role='diagnosis' style='line-height:1.4'>{text}</div>"
        self.show_advice(advice)

    def offer_reachable(self, error: float) -> None:
        """Set the slider, which gets a step for any error."""
        if error not in [step for _, step in self.reachable.options]:
            steps = sorted({*(step for _, step in self.reachable.options), error})
            self.reachable.options = [(f"{100 * step:g} %", step) for step in steps]
        self.reachable.value = error

    def show_advice(self, advice: typing.Sequence[Advice]) -> None:
        """Show the pieces, a line each."""
        self.advice_heading.value = "<b>What to try next</b>" if advice else ""
        for number, line in enumerate(self.advice):
            line.show(advice[number] if number < len(advice) else None)

    def show_mistakes(self, png: bytes, words: str, note: str) -> None:
        """Show the figure of the mistakes with a note above it, or the note alone."""
        self.mistakes_text.value = note
        self.mistakes_image.put(png, words)


def _menu(description: str) -> widgets.Dropdown:
    layout = widgets.Layout(width="auto")
    return widgets.Dropdown(options=list(GUESSES.values()), description=description, style=_STYLE, layout=layout)
