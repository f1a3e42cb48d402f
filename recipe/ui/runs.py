"""The tab of runs in the training panel: a DataFrame that is sorted, pinned, compared and exported by buttons."""

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
from recipe.ui.texts import show_value, table_html

if typing.TYPE_CHECKING:
    import pandas as pd

SHOWN = 40  # rows; all of them are in the exported file
SORTED_BY = MappingProxyType(  # what is shown, and the column of the journal's table
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
_STYLE = {"description_width": "9ch"}


def table_of(runs: Sequence[Run]) -> pd.DataFrame:
    """Return runs as the journal's table, numbered from 1 in the order that they come in."""
    frame = tabulate(runs)
    frame.index = range(1, len(frame) + 1)
    return frame.rename_axis("run")


def compare_runs(frame: pd.DataFrame, first: int, second: int) -> pd.DataFrame:
    """Return what differs between two runs of a table, a row each: what was asked for, then what came of it.

    Raises
    ------
    ValueError
        If there is no such run.
    """
    for number in (first, second):
        check_number(frame, number)
    left_out = {"number", "time", "spec", "pinned", "origin", "best_epoch", "state", "note", *OUTCOME}
    pair = frame.loc[[first, second]].T
    settings = pair.drop(index=left_out, errors="ignore")
    differs = settings.index[settings.nunique(axis="columns", dropna=False) > 1]
    return pair.loc[[*differs, *OUTCOME]].rename_axis("what")


def check_number(frame: pd.DataFrame, number: object) -> None:
    """Refuse a run that is not in the table."""
    if isinstance(number, bool) or not isinstance(number, int) or number not in frame.index:
        there = f"There are runs 1 to {len(frame)}" if len(frame) else "There is none yet: train first"
        raise ValueError(f"There is no such run on this data. Received: run {number!r}. {there}.")


class RunsTab:
    """The widgets of the tab; what the buttons do is set by the panel.

    Attributes
    ----------
    frame : the runs that are shown, oldest first, indexed by their numbers
    """

    def __init__(self) -> None:
        self.frame = table_of(())
        self.note = widgets.HTML("The runs on this data are listed here once it is loaded.")
        self.table, self.comparison = widgets.HTML(), widgets.HTML()
        self.sort_by = _menu("sort by", list(SORTED_BY), "time")
        self.descending = widgets.Checkbox(
            value=True, description="highest or latest first", indent=False, layout=widgets.Layout(width="auto")
        )
        # Two menus, not one list of several choices: JupyterLab takes Shift and an arrow key for its cells.
        self.first, self.second = _menu("run", [], None), _menu("and run", [], None)
        self.compare_button = button("Compare both", "Say what differs between the two runs")
        self.pin_button = button("Pin or unpin", "The first one: pinned runs stay at the top, in later sessions too")
        self.load_button = button("Use settings", "Put the settings of the first one into the controls")
        self.path = widgets.Text(
            value="runs.csv",
            description="file",
            continuous_update=False,  # what is typed arrives whole
            style=_STYLE,
            layout=widgets.Layout(width="auto"),
        )
        self.export_button = button("Export CSV", "Write all runs on this data to the file")
        for control in (self.sort_by, self.descending):
            control.observe(lambda change: self.show(self.frame), names="value")
        wrap = widgets.Layout(flex_flow="row wrap", width="100%")
        self.widgets = [
            self.note,
            widgets.HBox([self.sort_by, self.descending], layout=wrap),
            self.table,
            self.first,
            self.second,
            widgets.HBox([self.compare_button, self.pin_button, self.load_button], layout=wrap),
            self.comparison,
            widgets.HBox([self.path, self.export_button], layout=wrap),
        ]

    def show(self, frame: pd.DataFrame, note: str = "") -> None:
        """Show these runs in the order that is asked for, pinned ones first; what was chosen stays chosen."""
        before, self.frame = [self.first.value, self.second.value], frame
        if note:
            self.note.value = f"<div style='line-height:1.35; overflow-wrap:anywhere'>{escape(note)}</div>"
        is_ascending = not self.descending.value
        ordered = frame.sort_values(SORTED_BY[self.sort_by.value], ascending=is_ascending, kind="stable")
        ordered = ordered.sort_values("pinned", ascending=False, kind="stable")
        self.table.value = self._html(ordered)
        numbers = ordered.index.tolist()
        for menu, number, usual in zip((self.first, self.second), before, (0, 1), strict=True):
            menu.options = [(_line(run), number) for number, run in ordered.iterrows()]
            if numbers:
                menu.value = number if number in numbers else numbers[min(usual, len(numbers) - 1)]

    def compare(self, first: int, second: int) -> pd.DataFrame:
        """Show and return what differs between two runs."""
        pair = compare_runs(self.frame, first, second)
        heads = ["what differs", f"run {first}", f"run {second}"]
        table = table_html(pair.reset_index().set_axis(heads, axis="columns"))
        words = escape(_sentence(pair, MEASURES[self.frame.loc[first, "measure"]]))
        self.comparison.value = f"<div style='line-height:1.35'>{table}{words}</div>"
        return pair

    def _html(self, ordered: pd.DataFrame) -> str:
        """Return the table; as wide as its place, not as its text: what is wider scrolls."""
        if not len(ordered):
            return ""
        shown = ordered[:SHOWN]
        columns = shown[list(SORTED_BY.values())].set_axis(list(SORTED_BY), axis="columns")
        columns.insert(0, "run", [f"{_star(run)}{number}" for number, run in shown.iterrows()])
        table = table_html(columns, sorted_by=self.sort_by.value, descending=self.descending.value)
        more = len(ordered) - SHOWN
        rest = f"<div>And {more} more, which are in the exported file.</div>" if more > 0 else ""
        return (
            "<div style='width:0; min-width:100%; overflow:auto; max-height:300px; line-height:1.35' tabindex='0' "
            f"role='region' aria-label='Table of runs'>{table}</div>{rest}"
        )


def _menu(words: str, options: list, value: object) -> widgets.Dropdown:
    layout = widgets.Layout(width="calc(100% - 4px)" if value is None else "auto")
    return widgets.Dropdown(options=options, value=value, description=words, style=_STYLE, layout=layout)


def _star(run: pd.Series) -> str:
    return "★ " if run["pinned"] else ""


def _line(run: pd.Series) -> str:
    return f"{_star(run)}run {run.name}: {show_value(run['score'])}, {run['spec']}"


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
