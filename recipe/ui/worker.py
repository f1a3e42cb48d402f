"""Work beside the kernel's main thread: the latest of what was asked for, and reports of it a few times a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

# A run begins this long after it was asked for. Changes in quick succession lead to one run, and a press of Run finds
# what was typed just before: JupyterLab may hand the two to different threads of the kernel, in any order.
GATHER_SECONDS = 0.1
SAY_SECONDS = 0.2
REDRAW_SECONDS = 1.0  # before the first figure of what there is so far, and the next
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
        self._asked = self._under_way = threading.Event()  # one for each time that something was asked for

    @property
    def running(self) -> bool:
        """Whether a run is under way or waits."""
        return self._thread is not None

    def ask(self, *, cut_short: bool = False) -> None:
        """Ask for a run with what holds when it begins; `cut_short` stops the one under way, or else it ends first."""
        if "google.colab" in sys.modules:  # what a thread sends never arrives there: the button works until it is done
            self._on_change(True)
            self._work(threading.Event())
            self._on_change(False)
            return
        with self._lock:
            self._asked = threading.Event()
            if cut_short:
                self._under_way.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="recipe-panel", daemon=True)
                self._on_change(True)
                self._thread.start()

    def stop(self) -> None:
        """Ask the run under way to end, and forget what waits."""
        with self._lock:
            self._asked.set()
            self._under_way.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; False if that takes longer than `timeout` seconds."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _loop(self) -> None:
        while True:
            asked = self._asked
            if not asked.wait(GATHER_SECONDS):  # stop() sets it
                with self._lock:
                    asked = self._under_way = self._asked  # what came meanwhile is done with it
                if not asked.is_set():
                    self._work(asked)
            with self._lock:
                if self._asked is asked:
                    self._thread = None
                    self._on_change(False)
                    return


class Progress:
    """What a panel hands to `compute` as `on_progress`: it shows a report, unless it showed one a moment ago.

    Parameters
    ----------
    show : draws a partial result
    say : shows a message
    """

    def __init__(self, show: Callable[[object], None], say: Callable[[str], None]) -> None:
        self._show, self._say = show, say
        self._began = self._next = time.monotonic()
        self._next_figure = self._began + REDRAW_SECONDS

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self._began

    def __call__(self, partial: object | None, message: str = "") -> None:
        """Say the message and draw what there is so far, if anything; what is done at once is not drawn twice."""
        if (now := time.monotonic()) < self._next:
            return
        self._say(f"{message or 'Running ...'} ({self.seconds:.1f} s)")
        if partial is not None and now >= self._next_figure:
            self._show(partial)
            ended = time.monotonic()
            self._next_figure = ended + max(REDRAW_SECONDS, REST * (ended - now))
        self._next = time.monotonic() + SAY_SECONDS
