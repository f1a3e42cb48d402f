"""A panel as small as can be: the tests of the common ground and the one in the browser drive it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

UNLUCKY = 13


@dataclass(frozen=True, kw_only=True)
class CountSettings(Settings):
    """How far to count."""

    steps: int = setting(2, label="number of steps", low=1, high=200, help="One step takes the pause.")
    pause: float = setting(0.01, label="pause (seconds)", low=0.0, high=0.2, steps=(0.0, 0.01, 0.02, 0.1, 0.2))
    scale: float = setting(1.0, label="scale", low=0.0, high=10.0, steps=(1.0, 2.0, 5.0))
    shape: str = setting("line", label="shape", choices={"a line": "line", "dots": "o"})
    grid: bool = setting(True, label="draw a grid")


@dataclass(frozen=True, kw_only=True)
class Count:
    """What was counted; `asked` is what the settings wanted."""

    values: tuple[float, ...]
    asked: int
    shape: str
    grid: bool


def count(
    settings: CountSettings,
    on_progress: OnProgress = lambda partial, message: None,
    stop: threading.Event | None = None,
) -> Count | None:
    """Count in steps, with a pause before each, until it is done or stopped; None if it came to nothing."""
    stop = stop or threading.Event()
    if settings.steps == UNLUCKY:
        raise ValueError("<b>13</b> is unlucky. Received: steps=13. Take another number.")
    values: list[float] = []
    for step in range(1, settings.steps + 1):
        if stop.wait(settings.pause):
            break
        values.append(step * settings.scale)
        on_progress(_as_count(values, settings), f"Step {step} of {settings.steps}")
    return _as_count(values, settings) if values else None


def _as_count(values: list[float], settings: CountSettings) -> Count:
    return Count(values=tuple(values), asked=settings.steps, shape=settings.shape, grid=settings.grid)


class CountPanel(Panel):
    """Counts and draws what it counted."""

    title = "Count"
    settings_type = CountSettings

    def __init__(self, *datasets: object, **settings: object) -> None:
        self.computed: list[CountSettings] = []
        super().__init__(*datasets, **settings)

    def compute(self, settings: CountSettings, on_progress: OnProgress, stop: threading.Event) -> Count | None:
        """Keep a note of each run, and count."""
        self.computed.append(settings)
        return count(settings, on_progress, stop)

    def draw(self, figure: Figure, result: Count) -> None:
        """Draw one point a step."""
        axes = figure.subplots()
        axes.plot(result.values, "o" if result.shape == "o" else "o-")
        axes.set(xlabel="step", ylabel="counted", xlim=(-1, result.asked))
        axes.grid(result.grid)

    def describe(self, result: Count) -> str:
        """Say how far it came."""
        return f"{len(result.values)} of {result.asked} steps, the last at {result.values[-1]:g}."

    def tabulate(self, result: Count) -> pd.DataFrame:
        """Return a row a step."""
        return pd.DataFrame({"step": range(1, len(result.values) + 1), "counted": result.values})

    def summarise(self, result: Count) -> str:
        """Say how many steps there are."""
        return f"{len(result.values)} steps."


class LiveCountPanel(CountPanel):
    """The same, as soon as a control moves."""

    title = "Live count"
    live = True
