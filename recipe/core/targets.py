"""Files that are written at the end of long work: whether they can be is found out at its start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def check_target(path: str | Path) -> None:
    """Find out before the work whether a file can be written there after it; an old one is left as it is.

    Raises
    ------
    OSError
        If the folder is missing, the path is a folder, or nothing can be written there.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"A report is a file, and this is a folder. Received: {path}. Add a file name.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no such folder: {path.parent}. Received: {path}. Make it first.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise PermissionError(
            f"Nothing can be written to the folder {path.parent}: {error.strerror}. Received: {path}. Take another."
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
