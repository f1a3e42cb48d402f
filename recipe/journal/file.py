"""The journal as one file that is only ever added to: safe for several processes, `kill -9` and a full disk.

It is a backend for Optuna's journal storage, one JSON object a line. Optuna has one of its own, and it falls short of
what a journal of months needs: a process that is killed leaves its lock behind for 30 seconds, and a line that was torn
in the middle is glued to the next one, after which nothing behind it can be read.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from optuna.storages.journal import BaseJournalBackend

from recipe.core.files import hold_lock

LOCK_SECONDS = 30.0
TAIL_BYTES = 1 << 16  # how far back a look for the last whole line goes at a time
OPERATIONS = range(11)  # Optuna's numbers of what a line can say
REPORT = 7  # the number of "the value after an epoch", which a power cut may take
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class JournalFile(BaseJournalBackend):
    """Lines of JSON in one file, as `optuna.storages.JournalStorage` wants them.

    Nothing is written until the first line is: a folder is made then. A file that is not there is an empty journal, and
    one in a read-only folder can be read.

    Parameters
    ----------
    path : of the file; its lock lies beside it, with ``.lock`` behind the name
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._starts = [0]  # the byte where each line begins that was read so far, and where the next one will
        self._identity: tuple[int, int] | None = None

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, object]]:
        """Yield the lines from this number on, each as the dict that it holds.

        A line that is damaged is passed over, with a RuntimeWarning: the others stay readable.

        Raises
        ------
        OSError
            If the file cannot be read, or another one lies in its place.
        """
        start = self._starts[log_number_from]
        data = self._read_from(start)
        *lines, _ = data.split(b"\n")  # what stands behind the last end of line is torn, or on its way
        found, damaged = [], 0
        del self._starts[log_number_from + 1 :]
        for line in lines:
            start += len(line) + 1
            log = _parse(line)
            if log is None:
                damaged += 1
                self._starts[-1] = start
                continue
            self._starts.append(start)
            found.append(log)
        if damaged:
            warnings.warn(
                f"{damaged} of {len(lines)} lines of the journal are damaged and were passed over: {self.path}.",
                RuntimeWarning,
                stacklevel=4,
            )
        yield from found

    def append_logs(self, logs: list[dict[str, object]]) -> None:
        """Write each dict as a line, all of them or none.

        Raises
        ------
        OSError
            If there is no space left, nothing can be written there, or another file lies in its place: the journal is
            then what it was before.
        TimeoutError
            If another process keeps the lock for LOCK_SECONDS.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode()
        lasting = any(log["op_code"] != REPORT for log in logs)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._append(lines, lasting)
        except OSError as error:
            if error.errno is None:  # one of ours, which explains itself
                raise
            raise OSError(error.errno, self._explain(error)) from error

    @property
    def is_current(self) -> bool:
        """Whether the file is the one that was read, not one that somebody put in its place or emptied."""
        try:
            status = self.path.stat()
        except OSError:
            return self._identity is None
        return self._is_current(status)

    def _append(self, lines: bytes, lasting: bool) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self.path, flags, 0o644), "r+b", buffering=0) as file:
            self._check_identity(os.fstat(file.fileno()))
            end = _end_of_last_line(file)
            try:
                file.truncate(end)  # a torn line is of a process that was killed: nobody was told that it is kept
                file.seek(end)
                _write_all(file, lines)
                if lasting:
                    os.fsync(file.fileno())
            except BaseException:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise

    def _read_from(self, start: int) -> bytes:
        try:
            # Under the lock, so that no line is read that its writer takes back.
            with self._locked_if_possible(), self.path.open("rb") as file:
                self._check_identity(os.fstat(file.fileno()))
                file.seek(start)
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            self._check_identity(None)
            return b""

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        return hold_lock(
            Path(f"{self.path}.lock"),
            seconds=LOCK_SECONDS,
            poll_seconds=0.002,
            doing="kept the journal",
            way_out="End that process",
        )

    @contextlib.contextmanager
    def _locked_if_possible(self) -> Iterator[None]:
        """Hold the lock; where the folder is missing or read-only nobody writes there, and none is needed."""
        with contextlib.ExitStack() as stack:
            if self.path.parent.is_dir() and os.access(self.path.parent, os.W_OK):
                with contextlib.suppress(PermissionError):  # the lock is another user's
                    stack.enter_context(self._locked())
            yield

    def _is_current(self, status: os.stat_result | None) -> bool:
        if status is None:
            return self._identity is None
        same = self._identity in (None, (status.st_dev, status.st_ino))
        return same and status.st_size >= self._starts[-1]

    def _check_identity(self, status: os.stat_result | None) -> None:
        """Raise OSError where the file was deleted, replaced or cut: its lines would belong to nothing."""
        if not self._is_current(status):
            raise OSError(
                f"The journal was deleted or replaced while it was open. Received: {self.path}. Open it anew: "
                "recipe.Journal()."
            )
        self._identity = None if status is None else (status.st_dev, status.st_ino)

    def _explain(self, error: OSError) -> str:
        if error.errno in NO_SPACE:
            fact, way_out = "There is no space left for the journal", "Free some space"
        else:
            fact, way_out = f"The journal cannot be written: {error.strerror}", "Give it a folder that you can write to"
        return (
            f"{fact}; it holds what it held before. Received: {self.path}. {way_out}, set RECIPE_JOURNAL to another "
            "file, or to off."
        )


def _write_all(file: object, data: bytes) -> None:
    view = memoryview(data)
    while view:  # a disk that becomes full takes a part, and refuses the rest
        view = view[file.write(view) :]


def _end_of_last_line(file: object) -> int:
    """Return the size of the file without a torn line at its end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - TAIL_BYTES)
        file.seek(start)
        place = file.read(end - start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0


def _parse(line: bytes) -> dict[str, object] | None:
    """Return what a line holds; None where it is damaged."""
    try:
        log = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(log, dict) and log.get("op_code") in OPERATIONS and "worker_id" in log
    return log if whole else None
