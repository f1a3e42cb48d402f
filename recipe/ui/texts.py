"""The words that stand on every panel: source of the data, status, tables; and what a notebook keeps of a panel."""

from __future__ import annotations

import base64
import re
import sys
import typing
from html import escape

import pandas as pd
from IPython.display import display

from recipe.core.dataset import Dataset

if typing.TYPE_CHECKING:
    from recipe.ui.panel import Panel

VIEW = "application/vnd.jupyter.widget-view+json"
MOST_ROWS = 12  # of the table that is kept
HOW_TO_WORK = "Run this cell to work with it."
SOURCES = {
    "own": "your own data",
    "local": "real data, from files on this machine",
    "download": "real data, downloaded",
    "sample": "an embedded sample, not the real data",
}
# Tables; on a dark page figures become dark ones of the same hues, and menus get arrows that are seen; and a panel says
# that its kernel is gone, in place of the broken links that JupyterLab draws beside each of its widgets.
STYLE = """<style>
.recipe-table {border-collapse: collapse}
.recipe-table :is(th, td) {padding: 2px 8px; text-align: right; border-bottom: 1px solid var(--jp-border-color2, #ddd)}
.recipe-table :is(th, td):first-child {text-align: left}
.recipe-table th button {all: unset; cursor: pointer}
.recipe-table th button:focus-visible {outline: 2px solid}
.recipe-table [aria-sort=ascending] button::after {content: "▲"}
.recipe-table [aria-sort=descending] button::after {content: "▼"}
[data-jp-theme-light="false"] .recipe-panel img {filter: invert(0.93) hue-rotate(180deg)}
[data-jp-theme-light="false"] .recipe-panel select {appearance: auto; background-image: none; color-scheme: dark}
.recipe-present {font-size: 26px; --jp-widgets-font-size: 26px; --jp-widgets-inline-height: 44px}
.recipe-present :is(.recipe-extra, .lm-TabBar) {display: none !important}
.recipe-present :is(button, .widget-checkbox) {width: auto !important; flex-basis: auto !important}
.recipe-present img {max-width: none !important; width: auto !important; max-height: calc(100vh - 420px); margin: auto}
.recipe-panel .lm-TabBar-tabLabel {color: var(--jp-ui-font-color1, #000)}
.recipe-panel:not(.recipe-script) .recipe-copy {display: none}
.recipe-panel:not(.recipe-script) th button {pointer-events: none}
@media (max-height: 560px) {
  .recipe-panel {font-size: 11px; --jp-widgets-font-size: 11px; --jp-widgets-inline-height: 22px}
  .recipe-panel {--jp-widgets-inline-width-tiny: 44px; --jp-widgets-container-padding: 4px}
  .recipe-controls {flex: 0 0 236px !important}
  .recipe-controls .widget-hbox .widget-checkbox {width: 84px !important; flex-basis: 84px !important}
  .recipe-stage {flex: 1 1 300px !important}
  .recipe-stage .widget-tab-contents {padding: 4px !important}
  .recipe-stage .widget-html-content > div {font-size: 10px; line-height: 1.25 !important}
  .recipe-stage img {max-width: 100% !important; max-height: calc(100vh - 240px)}
  .recipe-stage img {width: auto !important; align-self: start}
  .recipe-stage .widget-tab img {max-height: calc(100vh - 304px)}
  .recipe-stage [role=status] span {display: none}
}
.recipe-panel.jupyter-widgets-disconnected::before {
  content: "The kernel of this panel is gone. Run its cell again to work with it.";
  font: bold 1em sans-serif; color: inherit; padding: 0 0 6px
}
.recipe-panel.jupyter-widgets-disconnected > * {opacity: 0.6; pointer-events: none}
.recipe-panel .jupyter-widgets-disconnected::before {display: none}
</style>"""
# Where the page shows the panel, what is kept of it is hidden; where it cannot, its message about that is.
KEPT_STYLE = """<style>
.jp-OutputArea:has(.recipe-panel) .jp-OutputArea-child:has(.recipe-kept),
.jp-OutputArea:has(.recipe-panel) .jp-OutputArea-child:has(+ .jp-OutputArea-child .recipe-kept) {display: none}
.jp-OutputArea:not(:has(.recipe-panel)) .jp-OutputArea-child:has(+ * + * .recipe-kept) {display: none}
.recipe-kept {line-height: 1.35}
.recipe-kept table {margin: 6px 0}
</style>"""


def describe_source(dataset: Dataset) -> str:
    """Say what the data is and whence.

    Examples
    --------
    >>> from recipe.data.load import load
    >>> print(describe_source(load("mnist", source="sample")))  # doctest: +ELLIPSIS
    mnist: an embedded sample, not the real data. ...
    """
    return f"{dataset.problem.name}: {SOURCES[dataset.source]}. {dataset.provenance}"


def source_html(text: str) -> str:
    """Return the source as small print."""
    lines = "<br>".join(escape(line) for line in text.splitlines())
    return f"<div data-role='source' style='line-height:1.35; font-size:0.9em'><b>Data</b> {lines}</div>" * bool(text)


def status_html(message: str, *, settings: str = "") -> str:
    """Return a status line that screen readers speak; the settings' text stands at its end, to be copied."""
    shared = f" <span style='opacity:0.75'>Settings: <code>{escape(settings)}</code></span>" if settings else ""
    return f"<div role='status' style='line-height:1.35; overflow-wrap:anywhere'>{escape(message)}{shared}</div>"


def error_html(error: BaseException) -> str:
    """Return an exception in words for who uses the mouse, marked as an alert."""
    # The kit's own messages tell a caller what was received; who moves a control sees it.
    words = re.sub(r"Received: .*?\.(?: |$)", "", str(error))
    if words == str(error):  # Python's words, or a library's, which say nothing to them
        words = "This came to no result: the fault is the program's, not yours. The panel's attribute error holds it."
    style = "line-height:1.35; border-left:4px solid #D55E00; padding-left:8px"
    return f"<div role='alert' style='{style}'>{escape(words.strip())}</div>"


def table_html(frame: pd.DataFrame, max_rows: int | None = None) -> str:
    """Return a table without its index, as a notebook shows a DataFrame; of more rows the first and the last ones."""
    return frame.map(show_value).to_html(index=False, border=0, classes="recipe-table", max_rows=max_rows)


def sortable(table: str, column: str, *, ascending: bool) -> str:
    """Return a table with a button in each heading, which the script of the page sorts by; `column` is in order now."""
    buttons = re.sub("<th>(.*?)</th>", r"<th aria-sort='none'><button type='button'>\1</button></th>", table)
    order = "ascending" if ascending else "descending"
    return buttons.replace(f"'none'><button type='button'>{column}<", f"'{order}'><button type='button'>{column}<")


def scrolled(html: str, name: str) -> str:
    """Return HTML in a region that is as wide as its place, not as its content: what is wider or higher scrolls."""
    style = "width:0; min-width:100%; overflow:auto; max-height:min(400px, 44vh); line-height:1.35"
    return f"<div style='{style}' tabindex='0' role='region' aria-label='{name}'>{html}</div>"


def program_html(note: str, program: str) -> str:
    """Return a program with a note above it."""
    pre = f"<pre style='white-space:pre'>{escape(program)}</pre>"
    return f"<div style='line-height:1.35'>{escape(note)}</div>{scrolled(pre, 'Program')}"


def show_value(value: object) -> str:
    """Write a value for people: four digits of a number, a time to the minute, a dash where there is nothing."""
    if value is None or value != value:  # NaN equals nothing
        return "–"
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_with_twin(panel: Panel, *, update: bool = False) -> None:
    """Show a panel in the output of a cell, and beside it what the notebook keeps of it; or bring that up to date.

    A picture, then words and numbers, seen wherever the panel itself cannot be. The picture is an output of its own:
    code hosts and paper leave out pictures that stand inside HTML.
    """
    if not update:
        view = {"version_major": 2, "version_minor": 0, "model_id": panel.widget.model_id}
        display({VIEW: view, "text/plain": repr(panel)}, raw=True)
    if "google.colab" in sys.modules:  # its page hides neither
        return
    words, table = "No result yet.", None
    if panel.result is not None:
        words, table = f"{panel.summarise(panel.result)} {panel.image.tooltip}".strip(), panel.table()
    html = f"<b>{escape(panel.title)}</b>: a stored panel. {HOW_TO_WORK}<br>{escape(words)}"
    text = f"{panel.title}: a stored panel. {HOW_TO_WORK}\n{words}"
    if table is not None:
        html += table_html(table, max_rows=MOST_ROWS)
        text += f"\n{table.to_string(index=False, max_rows=MOST_ROWS)}"
    picture = {"image/png": base64.b64encode(panel.image.value).decode("ascii"), "text/plain": panel.image.tooltip}
    look = {"image/png": {"alt": panel.image.tooltip, "width": round(100 * panel.figure_size[0])}}
    kept = {"text/html": f"{KEPT_STYLE}<div class='recipe-kept'>{html}</div>", "text/plain": text}
    for part, data, metadata in (("picture", picture, look), ("words", kept, {})):
        shown = f"{panel.widget.model_id}-{part}"
        display(data, metadata=metadata, raw=True, display_id=shown, update=update)
