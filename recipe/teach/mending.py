"""Mends what became of a notebook's cells on their way to the grader.

Graded cells may be deleted, copied, split, moved or of another kind, ids and metadata changed or lost, and the notebook
may come from another version of Jupyter.

What the student wrote runs in the student's own order. Only where an answer is judged, and what a cell is called, is
set right, by the version that was released.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

_CHECKS = re.compile(r"""^\s*work\.check\(\s*["'](\w+)["']\s*\)""", re.MULTILINE)
_NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
_OPENS = re.compile(r"""open_assignment\(\s*["']([^"']+)["']\s*(?:,\s*(?:student\s*=\s*)?["']([^"']*)["'])?""")


def read_notebook(path: Path | str) -> nbformat.NotebookNode:
    """Return a notebook of any version as one of the newest.

    Raises
    ------
    ValueError
        If it is no notebook, or there is none.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace") as file:
            notebook = nbformat.reads(file.read(), as_version=4)
        return new_notebook(cells=[copy_cell(cell) for cell in notebook.cells], metadata=_keep_kernel(notebook))
    except Exception as error:  # nbformat raises what it meets
        raise ValueError(f"This is no notebook: {type(error).__name__}: {error}. Received: {str(path)!r}.") from error


def _keep_kernel(notebook: nbformat.NotebookNode) -> dict:
    return {name: notebook.metadata[name] for name in ("kernelspec",) if isinstance(notebook.metadata.get(name), dict)}


def copy_cell(cell: nbformat.NotebookNode, kind: str = "") -> nbformat.NotebookNode:
    """Return a cell made anew of a cell's kind, source, id and metadata, whatever else it held."""
    source = cell.get("source", "")
    source = "".join(source) if isinstance(source, list) else str(source)
    kind = kind or cell.get("cell_type", "")
    new = _NEW.get(kind, new_raw_cell)(source=source)
    new.metadata = deepcopy(cell.metadata) if isinstance(cell.get("metadata"), dict) else nbformat.NotebookNode()
    if isinstance(cell.get("id"), str) and re.fullmatch(r"[\w-]{1,64}", cell.id, re.ASCII):
        new.id = cell.id
    return new


def opened_as(notebook: nbformat.NotebookNode) -> tuple[str, str]:
    """Return of which assignment a notebook is, and for which student, as it says itself; "" where it does not."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := _OPENS.search(cell.source)):
            return found[1], found[2] or ""
    return "", ""


def mark_checks(notebook: nbformat.NotebookNode, exercises: Iterable[str]) -> nbformat.NotebookNode:
    """Return a notebook in which the last check of each exercise is a graded cell, for want of a released version.

    A notebook without such a cell gets one at its end.
    """
    marked = deepcopy(notebook)
    for cell in marked.cells:
        if grade_id(cell) and cell.metadata.nbgrader.get("grade"):
            del cell.metadata["nbgrader"]
    last = {name: cell for cell in marked.cells if cell.cell_type == "code" for name in _CHECKS.findall(cell.source)}
    for name in exercises:
        if name not in last:
            last[name] = new_code_cell(f'work.check("{name}")')
            marked.cells.append(last[name])
        last[name].metadata["nbgrader"] = {"grade": True, "solution": False, "locked": True, "grade_id": name}
    return marked


def grade_id(cell: nbformat.NotebookNode) -> str:
    """Return the id that nbgrader knows a cell by, "" where there is none."""
    about = cell.metadata.get("nbgrader")
    return str(about.get("grade_id") or "") if isinstance(about, dict) else ""
