"""One process at a time: a lock that the system takes back from a process that is killed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


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
