"""Work beside the kernel's main thread: the latest of what was asked for, and reports of it a few times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

REDRAW_SECONDS = 0.2
REST = 2.0  # times as long as a figure took to draw, before the next: drawing takes a third of a run at most


class LatestWins:
    """Runs a piece of work beside the kernel's main thread, one at a time.

    Whatever is asked for while a run is under way waits, and only the last of it is done: a slider that is dragged
    through a hundred values leads to a few runs, and always to one for the value where it came to rest.

    Parameters
    ----------
    work : called in the thread with an Event; it looks at it and returns soon after it is set. It raises nothing
    on_change : called with True when the thread begins and with False when there is nothing left to do
    """

    def __init__(self, work: Callable[[threading.Event], None], on_change: Callable[[bool], None]) -> None:
        self._work, self._on_change = work, on_change
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._asked = threading.Event()  # one Event for each time that something was asked for: the latest of them
        self._under_way: threading.Event | None = None
        self._due = 0.0

    @property
    def running(self) -> bool:
        """Whether a run is under way or waits."""
        return self._thread is not None

    def ask(self, *, delay: float = 0.0, cut_short: bool = False) -> None:
        """Ask for a run with what holds at that time.

        Parameters
        ----------
        delay : seconds to wait before it begins, so that changes in quick succession are done in one
        cut_short : stop the run that is under way, instead of letting it end first
        """
        with self._lock:
            self._asked = threading.Event()
            self._due = time.monotonic() + delay
            if cut_short and self._under_way is not None:
                self._under_way.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="recipe-panel", daemon=True)
                self._on_change(True)
                self._thread.start()

    def stop(self) -> None:
        """Ask the run under way to end, and forget what waits."""
        with self._lock:
            self._asked.set()
            if self._under_way is not None:
                self._under_way.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; False if that takes longer than `timeout` seconds."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            return not thread.is_alive()
        return True

    def _loop(self) -> None:
        while True:
            with self._lock:
                asked = self._under_way = self._asked
                due = self._due
            # An Event that stop() sets ends this pause at once.
            if not asked.wait(max(0.0, due - time.monotonic())):
                with self._lock:
                    asked = self._under_way = self._asked  # what came during the pause is done with it
                if not asked.is_set():
                    self._work(asked)
            with self._lock:
                self._under_way = None
                if self._asked is asked:
                    self._thread = None
                    self._on_change(False)
                    return


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
