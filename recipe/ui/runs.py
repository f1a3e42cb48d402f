"""The tab of runs in the training panel: the journal's table of the runs on this data, put in order and compared."""

from __future__ import annotations

import math
import typing
from collections.abc import Sequence
from html import escape
from types import MappingProxyType

import ipywidgets as widgets

from recipe.core.measures import MEASURES
from recipe.core.run import Run
from recipe.journal import tabulate
from recipe.ui.controls import button
from recipe.ui.texts import scrolled, show_value, table_html

if typing.TYPE_CHECKING:
    import pandas as pd

SHOWN = 40  # rows; `TrainingPanel.runs` has all of them
SHOWN_COLUMNS = MappingProxyType(  # by what stands above them
    {
        "validation": "score",
        "training": "train_score",
        "spec": "spec",
        "epochs": "epochs",
        "best epoch": "best_epoch",
        "end": "stopped",
        "seed": "seed",
        "seconds": "seconds",
        "from": "origin",
        "time": "time",
    }
)
OUTCOME = ("score", "train_score", "epochs", "seconds")
LATEST, BEST = "latest first", "best first"


def table_of(runs: Sequence[Run]) -> pd.DataFrame:
    """Return runs as the journal's table, numbered from 1 in the order that they come in."""
    frame = tabulate(runs)
    frame.index = range(1, len(frame) + 1)
    return frame.rename_axis("run")


def compare_runs(frame: pd.DataFrame, first: int, second: int) -> pd.DataFrame:
    """Return what differs between two runs of a table, a row each: what was asked for, then what came of it."""
    for number in (first, second):
        check_number(frame, number)
    left_out = {"number", "time", "spec", "origin", "best_epoch", "state", "note", *OUTCOME}
    pair = frame.loc[[first, second]].T
    settings = pair.drop(index=left_out, errors="ignore")
    differs = settings.index[settings.nunique(axis="columns", dropna=False) > 1]
    return pair.loc[[*differs, *OUTCOME]].rename_axis("what")


def check_number(frame: pd.DataFrame, number: object) -> None:
    """Refuse a run that is not in the table."""
    if number not in frame.index:
        there = f"There are runs 1 to {len(frame)}" if len(frame) else "There is none yet: train first"
        raise ValueError(f"There is no such run on this data. Received: run {number!r}. {there}.")


class RunsTab:
    """The widgets of the tab; what its buttons do is set by the panel.

    Attributes
    ----------
    frame : the runs that are shown, oldest first, indexed by their numbers
    """

    def __init__(self) -> None:
        self.frame = table_of(())
        self.note = widgets.HTML("The runs on this data are listed here once it is loaded.")
        self.table, self.comparison = widgets.HTML(), widgets.HTML()
        self.order = _menu("order", [LATEST, BEST])
        self.order.observe(lambda change: self._fill(), names="value")
        # Two menus, not one list of several choices: JupyterLab takes Shift and an arrow key for its cells.
        self.first, self.second = _menu("run", []), _menu("and run", [])
        self.compare_button = button("Compare both", "Say what differs between the two runs")
        self.load_button = button("Use settings", "Put the settings of the first one into the controls")
        buttons = widgets.HBox([self.compare_button, self.load_button], layout=widgets.Layout(flex_flow="row wrap"))
        self.widgets = [self.note, self.order, self.table, self.first, self.second, buttons, self.comparison]

    def show(self, frame: pd.DataFrame, note: str) -> None:
        """Show these runs in the order that is asked for; a comparison of those before goes."""
        self.frame, self.comparison.value = frame, ""
        self.note.value = f"<div style='line-height:1.35; overflow-wrap:anywhere'>{escape(note)}</div>"
        self._fill()

    def compare(self, first: int, second: int) -> pd.DataFrame:
        """Show and return what differs between two runs."""
        pair = compare_runs(self.frame, first, second)
        heads = ["what differs", f"run {first}", f"run {second}"]
        table = table_html(pair.reset_index().set_axis(heads, axis="columns"))
        words = escape(_sentence(pair, MEASURES[self.frame.loc[first, "measure"]]))
        self.comparison.value = f"<div style='line-height:1.35'>{table}{words}</div>"
        return pair

    def _fill(self) -> None:
        """Write the table, and what can be chosen; what was chosen stays so."""
        ordered = self.frame[::-1]
        if self.order.value == BEST and len(ordered):
            is_high_better = MEASURES[ordered["measure"].iloc[0]].higher_is_better
            ordered = ordered.sort_values("score", ascending=not is_high_better, kind="stable")
        self.table.value = _table_html(ordered)
        numbers = ordered.index.tolist()
        for menu, usual in ((self.first, 0), (self.second, 1)):
            before = menu.value
            lines = [f"run {number}: {show_value(run['score'])}, {run['spec']}" for number, run in ordered.iterrows()]
            menu.options = list(zip(lines, numbers, strict=True))
            if numbers:
                menu.value = before if before in numbers else numbers[min(usual, len(numbers) - 1)]


def _menu(words: str, options: list) -> widgets.Dropdown:
    layout, style = widgets.Layout(width="calc(100% - 4px)"), {"description_width": "9ch"}
    return widgets.Dropdown(options=options, description=words, style=style, layout=layout)


def _table_html(ordered: pd.DataFrame) -> str:
    """Return the table, as far as it is shown."""
    if not len(ordered):
        return ""
    columns = ordered[:SHOWN][list(SHOWN_COLUMNS.values())].set_axis(list(SHOWN_COLUMNS), axis="columns")
    more = len(ordered) - SHOWN
    rest = f"<div>And {more} more.</div>" if more > 0 else ""
    return scrolled(table_html(columns.reset_index()), "Table of runs") + rest


def _sentence(pair: pd.DataFrame, measure: typing.Any) -> str:
    """Say which of two runs has the better validation score, and by how much."""
    (first, one), (second, other) = pair.loc["score"].items()
    gain = measure.gain(other, one)
    if not math.isfinite(gain):
        return "One of them has no score: its loss is not finite."
    if gain == 0:
        return f"Both have a validation {measure.title} of {one:.4g}."
    better, worse = (second, first) if gain > 0 else (first, second)
    side = "above" if measure.higher_is_better else "below"
    return f"Run {better} is better: its validation {measure.title} is {abs(gain):.3g} {side} that of run {worse}."
