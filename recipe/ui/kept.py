"""What a notebook keeps of a panel: its last picture and its numbers, seen wherever the panel itself cannot be."""

from __future__ import annotations

import base64
import sys
import typing
from html import escape

from IPython.display import display

from recipe.ui.texts import table_html

if typing.TYPE_CHECKING:
    from recipe.ui.panel import Panel

VIEW = "application/vnd.jupyter.widget-view+json"
MOST_ROWS = 12  # of the table that is kept
HOW_TO_WORK = "Run this cell to work with it."
# Where the page shows the panel, what is kept of it is hidden; where it cannot, its message about that is.
STYLE = """<style>
.jp-OutputArea:has(.recipe-panel) .jp-OutputArea-child:has(.recipe-kept),
.jp-OutputArea:has(.recipe-panel) .jp-OutputArea-child:has(+ .jp-OutputArea-child .recipe-kept) {display: none}
.jp-OutputArea:not(:has(.recipe-panel)) .jp-OutputArea-child:has(+ * + * .recipe-kept) {display: none}
.recipe-kept {line-height: 1.35}
.recipe-kept table {margin: 6px 0}
</style>"""


def show_with_twin(panel: Panel) -> None:
    """Show a panel in the output of a cell, and beside it what the notebook keeps of it."""
    view = {"version_major": 2, "version_minor": 0, "model_id": panel.widget.model_id}
    display({VIEW: view, "text/plain": repr(panel)}, raw=True)
    show_twin(panel)


def show_twin(panel: Panel, *, update: bool = False) -> None:
    """Show what the notebook keeps, or bring it up to date where it was shown: a picture, then words and numbers.

    The picture is an output of its own: code hosts and paper leave out pictures that stand inside HTML.
    """
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
    kept = {"text/html": f"{STYLE}<div class='recipe-kept'>{html}</div>", "text/plain": text}
    for part, data, metadata in (("picture", picture, look), ("words", kept, {})):
        shown = f"{panel.widget.model_id}-{part}"
        display(data, metadata=metadata, raw=True, display_id=shown, update=update)
