"""Small helpers for files: a lock between processes, writing whole or not at all, finding out early that it can be."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@contextlib.contextmanager
def hold_lock(path: Path, *, seconds: float, poll_seconds: float, doing: str, way_out: str) -> Iterator[None]:
    """Hold the lock in this file; its folder must be there.

    Parameters
    ----------
    seconds, poll_seconds : how long to wait for another process, and how often to try
    doing, way_out : what that process has done all the while, and what to do about it, for the error

    Raises
    ------
    TimeoutError
        If another process keeps it for so long.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=seconds)
    try:
        lock.acquire(poll_interval=poll_seconds)
    except Timeout as error:
        raise TimeoutError(
            f"Another process has {doing} for {seconds:g} s. Received: {lock.lock_file} is locked. {way_out}, then try "
            "again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def check_targets(*paths: Path | None) -> None:
    """Find out before the work whether files can be written there after it; old ones are left as they are.

    Raises
    ------
    ValueError
        If a folder is missing, a path is a folder, or nothing can be written there.
    """
    for path in filter(None, paths):
        try:
            if path.is_dir():
                raise IsADirectoryError(0, "this is a folder")
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise ValueError(
                f"The file cannot be written: {error.strerror}. Received: {path}. Give another folder and a file name."
            ) from error


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
