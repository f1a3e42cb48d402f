"""Files that are written whole or not at all, and tables in which no cell is a formula."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def write_whole(path: str | Path, text: str) -> Path:
    """Write a text under a temporary name beside its place, then put it there in one go: whole or not at all."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def to_safe_csv(frame: pd.DataFrame, **options: object) -> str:
    """Return a table as CSV in which no text is a formula: a spreadsheet would run a cell that begins with ``=``.

    An apostrophe stands before such texts, as spreadsheets write it themselves; numbers stay as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> to_safe_csv(pd.DataFrame({"note": ["=1+1", "fine"], "score": [-1.0, 2.0]}), index=False)
    "note,score\\n'=1+1,-1.0\\nfine,2.0\\n"
    """

    def quote(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r")) else cell

    texts = frame.select_dtypes(exclude="number").columns
    safe = frame.assign(**{str(name): frame[name].map(quote) for name in texts})
    return safe.rename(columns=quote).to_csv(**options)
