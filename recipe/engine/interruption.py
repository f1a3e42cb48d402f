"""Stopping between epochs, where the model is whole: Ctrl-C becomes a flag that the loop looks at.

A KeyboardInterrupt in the middle of `fit` on JAX destroys the model in about half of the cases, since its buffers were
already handed to the next step.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible(stop: threading.Event | None = None) -> Iterator[Callable[[], str | None]]:
    """Give a function that says whether to stop, and why: ``"interrupted"``, ``"asked"`` or None.

    The first Ctrl-C inside sets the flag, the second one raises KeyboardInterrupt as ever. Only the main thread can
    take signals; elsewhere the event alone counts.
    """
    interrupted = threading.Event()

    def look() -> str | None:
        return "interrupted" if interrupted.is_set() else "asked" if stop is not None and stop.is_set() else None

    if threading.current_thread() is not threading.main_thread():
        yield look
        return

    def take(number: int, frame: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, take)
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)
