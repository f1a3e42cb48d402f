"""Reports of a run that is under way: as often as they come, shown only a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable

REDRAW_SECONDS = 0.2
REST = 2.0  # times as long as a figure took to draw, before the next: drawing takes a third of a run at most


class Progress:
    """What a panel hands to `compute` as `on_progress`: messages from the first report, figures a little later.

    Parameters
    ----------
    show : draws a partial result
    say : shows a message
    """

    def __init__(self, show: Callable[[object], None], say: Callable[[str], None]) -> None:
        self._show, self._say = show, say
        self._began = time.monotonic()
        self._next_message, self._next_figure = self._began, self._began + REDRAW_SECONDS

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self._began

    def __call__(self, partial: object | None, message: str = "") -> None:
        """Show what there is so far (None: only the message), unless the last report was shown a moment ago."""
        began = time.monotonic()
        if began < self._next_message:
            return
        self._say(f"{message or 'Running ...'} ({self.seconds:.1f} s)")
        if partial is not None and began >= self._next_figure:
            self._show(partial)
            took = time.monotonic() - began
            self._next_figure = began + took + max(REDRAW_SECONDS, REST * took)
        self._next_message = time.monotonic() + REDRAW_SECONDS
