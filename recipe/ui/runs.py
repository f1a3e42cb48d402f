"""The tab of runs in the training panel: the table of the runs on this data, best first, and two of them compared."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets
import pandas as pd

from recipe.core.measures import MEASURES
from recipe.core.run import Run
from recipe.journal import tabulate
from recipe.ui.texts import scrolled, show_value, sortable, table_html

SHOWN = 40  # rows; `TrainingPanel.runs` has all of them
COLUMNS = ["score", "train_score", "best_epoch", "spec", "seconds", "time"]
OUTCOME = ["score", "train_score", "epochs", "seconds"]


def table_of(runs: Sequence[Run]) -> pd.DataFrame:
    """Return runs as the journal's table, numbered from 1 in the order that they come in."""
    return tabulate(runs).set_axis(range(1, len(runs) + 1)).rename_axis("run")


def compare_runs(frame: pd.DataFrame, first: int, second: int) -> pd.DataFrame:
    """Return what differs between two runs of a table, a row each: what was asked for, then what came of it."""
    pair = frame.loc[[first, second]].T
    left_out = ["time", "spec", "origin", "best_epoch", "state", "note", *OUTCOME]
    settings = pair.drop(index=left_out, errors="ignore")
    differs = settings.index[settings.nunique(axis="columns", dropna=False) > 1]
    return pair.loc[[*differs, *OUTCOME]].rename_axis(index="what differs", columns=None)


class RunsTab:
    """The widgets of the tab; what its button does is set by the panel.

    Attributes
    ----------
    frame : the runs that are shown, oldest first, indexed by their numbers
    """

    def __init__(self) -> None:
        self.frame = table_of(())
        self.note = widgets.HTML("The runs on this data are listed here once it is loaded.")
        self.table, self.comparison = widgets.HTML(), widgets.HTML()
        # Two menus, not one list of several choices: JupyterLab takes Shift and an arrow key for its cells.
        look = {"layout": {"width": "calc(100% - 4px)"}, "style": {"description_width": "10ch"}}
        self.first, self.second = (widgets.Dropdown(description=words, **look) for words in ("run", "beside run"))
        self.load_button = widgets.Button(description="Use settings", disabled=True)
        self.load_button.tooltip = "Put the settings of the first run into the controls"
        for menu in (self.first, self.second):
            menu.observe(lambda change: self._compare(), names="value")
        self.widgets = [self.note, self.table, self.first, self.load_button, self.second, self.comparison]

    def show(self, frame: pd.DataFrame, note: str) -> None:
        """Show these runs, best first, and what can be chosen of them; what was chosen stays so."""
        self.frame = frame
        self.note.value = f"<div style='line-height:1.35; overflow-wrap:anywhere'>{escape(note)}</div>"
        lower_is_better = len(frame) > 0 and not MEASURES[frame["measure"].iloc[0]].higher_is_better
        ordered = frame[::-1].sort_values("score", ascending=lower_is_better, kind="stable")  # equals: the latest first
        shown = ordered[:SHOWN][COLUMNS].rename(columns=lambda name: name.replace("_", " ")).reset_index()
        table = sortable(table_html(shown), "score", ascending=lower_is_better)
        self.table.value = scrolled(table, "Table of runs") if len(ordered) else ""
        self.load_button.disabled = not len(ordered)
        numbers = ordered.index.tolist()
        for menu, usual in ((self.first, 0), (self.second, 1)):
            before = menu.value
            lines = [f"run {number}: {show_value(run['score'])}, {run['spec']}" for number, run in ordered.iterrows()]
            menu.options = list(zip(lines, numbers, strict=True))
            if numbers:
                menu.value = before if before in numbers else numbers[min(usual, len(numbers) - 1)]
        self._compare()

    def _compare(self) -> None:
        """Write what differs between the two runs that are chosen."""
        first, second = self.first.value, self.second.value
        self.comparison.value = ""
        if first in self.frame.index and second in self.frame.index and first != second:
            pair = compare_runs(self.frame, first, second)
            self.comparison.value = table_html(pair.rename(columns=lambda number: f"run {number}").reset_index())
