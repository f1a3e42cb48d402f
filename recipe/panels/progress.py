"""Reports of a run that is under way: as often as they come, shown only a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

REDRAW_SECONDS = 0.2


class Progress:
    """What a panel hands to `compute` as `on_progress`; the first report is shown at once.

    Parameters
    ----------
    show : draws a partial result
    say : shows a message
    """

    def __init__(self, show: Callable[[object], None], say: Callable[[str], None]) -> None:
        self._show, self._say = show, say
        self._began = time.monotonic()
        self._next = self._began

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self._began

    def __call__(self, partial: object | None, message: str = "") -> None:
        """Show what there is so far (None: only the message), unless the last report was shown a moment ago."""
        if time.monotonic() < self._next:
            return
        if partial is not None:
            self._show(partial)
        self._say(f"{message or 'Running ...'} ({self.seconds:.1f} s)")
        self._next = time.monotonic() + REDRAW_SECONDS
