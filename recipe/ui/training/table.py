"""The table of runs in the training panel: sorted, pinned, compared and exported, by mouse, keyboard or Python."""

from __future__ import annotations

import math
import typing
from html import escape

import ipywidgets as widgets

from recipe.core.run import Run
from recipe.ui.experiment.run_table import COLUMNS, compare_runs, sentence_of, sort_runs, to_rows

SHOWN = 40  # rows; all of them are in the exported file
LABEL = {"description_width": "9ch"}
_CELL = "padding:2px 8px; text-align:{align}; white-space:nowrap; border-bottom:1px solid var(--jp-border-color2, #ddd)"


class RunTable:
    """The widgets of the table; what the buttons do is set by the panel.

    Attributes
    ----------
    entries : what is shown, oldest first; a run's number is its place, from 1
    """

    def __init__(self) -> None:
        self.entries: tuple[Run, ...] = ()
        self._order: list[int] = []
        self.note = widgets.HTML("The runs on this data are listed here once it is loaded.")
        self.table = widgets.HTML()
        self.sort_by = widgets.Dropdown(
            options=list(COLUMNS), value="time", description="sort by", style=LABEL, layout=widgets.Layout(width="auto")
        )
        self.descending = widgets.Checkbox(
            value=True, description="highest or latest first", indent=False, layout=widgets.Layout(width="auto")
        )
        # Two menus, not one list of several choices: JupyterLab takes Shift and an arrow key for its cells.
        self.first, self.second = (
            widgets.Dropdown(
                options=[], description=words, style=LABEL, layout=widgets.Layout(width="calc(100% - 4px)")
            )
            for words in ("run", "and run")
        )
        self.compare_button = _button("Compare both", "Say what differs between the two runs")
        self.pin_button = _button("Pin or unpin", "The first one: pinned runs stay at the top, in later sessions too")
        self.load_button = _button("Use settings", "Put the settings of the first one into the controls")
        self.path = widgets.Text(
            value="runs.csv",
            description="file",
            continuous_update=False,  # what is typed arrives whole
            style=LABEL,
            layout=widgets.Layout(width="auto"),
        )
        self.export_button = _button("Export CSV", "Write all runs on this data to the file")
        self.comparison = widgets.HTML()
        self.sort_by.observe(lambda change: self.show(self.entries), names="value")
        self.descending.observe(lambda change: self.show(self.entries), names="value")

    @property
    def widgets(self) -> list[widgets.Widget]:
        """All of them, from top to bottom."""
        wrap = widgets.Layout(flex_flow="row wrap", width="100%")
        return [
            self.note,
            widgets.HBox([self.sort_by, self.descending], layout=wrap),
            self.table,
            self.first,
            self.second,
            widgets.HBox([self.compare_button, self.pin_button, self.load_button], layout=wrap),
            self.comparison,
            widgets.HBox([self.path, self.export_button], layout=wrap),
        ]

    def show(self, entries: typing.Sequence[Run], note: str = "") -> None:
        """Show these runs in the order that is asked for; what was chosen stays chosen."""
        is_same_data = [(one.problem.name, one.number) for one in (*self.entries[:1], *entries[:1])]
        before = [self.first.value, self.second.value] if len(set(is_same_data)) == 1 else [None, None]
        self.entries = tuple(entries)
        if note:
            self.note.value = f"<div style='line-height:1.35; overflow-wrap:anywhere'>{escape(note)}</div>"
        self._order = sort_runs(self.entries, self.sort_by.value, descending=self.descending.value)
        rows = {row["run"]: row for row in to_rows(self.entries)}
        shown = [rows[number] for number in self._order]
        self.table.value = _table_html(shown[:SHOWN], len(shown), self.sort_by.value, self.descending.value)
        for menu, number, usual in zip((self.first, self.second), before, (0, 1), strict=True):
            menu.options = [(_line(row), row["run"]) for row in shown]
            if shown:
                menu.value = number or self._order[min(usual, len(shown) - 1)]

    def compare(self, first: int, second: int) -> list[dict[str, object]]:
        """Show and return what differs between two runs."""
        one, other = (self.entry(number) for number in (first, second))
        rows = compare_runs(one, other)
        left = _CELL.format(align="left")
        heads = ("what differs", f"run {first}", f"run {second}")
        head = "".join(f"<th scope='col' style='{left}'>{text}</th>" for text in heads)
        lines = ("".join(f"<td style='{left}'>{escape(_show(value))}</td>" for value in row.values()) for row in rows)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        words = escape(sentence_of(one, other, names=(f"run {first}", f"run {second}")))
        table = f"<table style='border-collapse:collapse'><tr>{head}</tr>{body}</table>"
        self.comparison.value = f"<div style='line-height:1.35'>{table}{words}</div>"
        return rows

    def entry(self, number: int) -> Run:
        """Return the run of this number.

        Raises
        ------
        ValueError
            If there is no such run.
        """
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(self.entries):
            there = f"There are runs 1 to {len(self.entries)}" if self.entries else "There is none yet: train first"
            raise ValueError(f"There is no such run on this data. Received: run {number!r}. {there}.")
        return self.entries[number - 1]


def _button(words: str, tip: str) -> widgets.Button:
    return widgets.Button(description=words, tooltip=tip, layout=widgets.Layout(width="auto"))


def _line(row: dict[str, object]) -> str:
    pin = "★ " if row["pinned"] else ""
    parts = (_show(row["validation"]), *(row[name] for name in ("network", "regularization", "optimizer")))
    epochs = f"{row['epochs']} epoch{'' if row['epochs'] == 1 else 's'}"
    return f"{pin}run {row['run']}: {', '.join(map(str, parts))}, {epochs}, seed {row['seed']}"


def _table_html(rows: list[dict[str, object]], total: int, by: str, descending: bool) -> str:
    if not rows:
        return ""
    names = [name for name in rows[0] if name != "pinned"]
    head = "".join(_head(name, by, descending) for name in names)
    body = "".join(f"<tr>{''.join(_cell(name, row) for name in names)}</tr>" for row in rows)
    rest = f"<div>And {total - len(rows)} more, which are in the exported file.</div>" if total > len(rows) else ""
    table = f"<table style='border-collapse:collapse'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    region = "tabindex='0' role='region' aria-label='Table of runs'"
    # As wide as its place, not as its text: what is wider scrolls.
    style = "width:0; min-width:100%; overflow:auto; max-height:300px; line-height:1.35"
    return f"<div style='{style}' {region}>{table}</div>{rest}"


def _head(name: str, by: str, descending: bool) -> str:
    is_sorted = name == by
    sorted_as = f" aria-sort='{'descending' if descending else 'ascending'}'" if is_sorted else ""
    arrow = (" ▼" if descending else " ▲") if is_sorted else ""
    return f"<th scope='col'{sorted_as} style='{_CELL.format(align='left')}'>{escape(name)}{arrow}</th>"


def _cell(name: str, row: dict[str, object]) -> str:
    value = row[name]
    align = "right" if isinstance(value, int | float) else "left"
    pin = "★ " if name == "run" and row["pinned"] else ""
    return f"<td style='{_CELL.format(align=align)}'>{pin}{escape(_show(value))}</td>"


def _show(value: object) -> str:
    """Write a value of the table: four digits of a number, units joined, a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
