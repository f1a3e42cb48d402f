"""Step 6's small panel: two errors and what can be reached, and what they say of bias and variance."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from recipe.figures import BLUE, GREEN, INK, ORANGE, SKY, VERMILION, finish
from recipe.steps.s6_scale_up import ErrorDiagnosis, diagnose_errors, show_percent
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.training_settings import ERRORS

Point = tuple[float, float]  # training error, validation error

# The four cases that bias and variance are taught with. The source: A. Ng, Machine Learning Yearning, 2018, chapter 21.
TEXTBOOK_CASES = {
    "textbook's A": (0.01, 0.11),
    "textbook's B": (0.15, 0.16),
    "textbook's C": (0.15, 0.30),
    "textbook's D": (0.005, 0.01),
}
GRID = 71  # points a side that the regions are computed at
SMALLEST_SIDE = 0.35
REGIONS = {  # by bias and variance
    ("low", "low"): (GREEN, "neither is high"),
    ("high", "low"): (SKY, "high bias"),
    ("low", "high"): (ORANGE, "high variance"),
    ("high", "high"): (VERMILION, "both are high"),
}


@dataclass(frozen=True, kw_only=True)
class ErrorsSettings(Settings):
    """What the panel's controls say, as shares; the first textbook case at first."""

    training: float = setting(0.01, label="training error", low=0, high=1, steps=ERRORS, help="Share of wrong answers.")
    validation: float = setting(0.11, label="validation error", low=0, high=1, steps=ERRORS, help="Measured alike.")
    reachable: float = setting(
        0.0, label="reachable error", low=0, high=1, steps=ERRORS, help="What people reach, say."
    )


class ErrorsPanel(Panel):
    """Bias and variance from three errors, on the plane with the textbook's cases and one's own runs.

    Parameters
    ----------
    runs : (training error, validation error) of one's own runs, by their names
    **settings : fields of `ErrorsSettings`
    """

    title = "Bias and variance from three numbers"
    settings_type = ErrorsSettings
    live = True

    def __init__(self, runs: Mapping[str, Point] | None = None, **settings: object) -> None:
        self.runs = runs or {}
        super().__init__(**settings)

    def arguments(self) -> tuple[object, ...]:
        """One's own runs, if there are any."""
        return (self.runs,) if self.runs else ()

    def compute(self, settings: ErrorsSettings, on_progress: OnProgress, stop: threading.Event) -> ErrorDiagnosis:
        """Diagnose the three errors."""
        return diagnose_errors(settings.training, settings.validation, settings.reachable)

    def draw(self, figure: Figure, result: ErrorDiagnosis) -> None:
        """All points on the regions of each diagnosis, with a star where the sliders are."""
        axes, points, reachable = figure.subplots(), self._points(result), result.reachable_error
        largest = max(reachable, *(max(point) for point in points.values()))
        side = max(SMALLEST_SIDE, 0.05 * np.ceil(1.04 * largest / 0.05))  # in steps: a small change moves nothing
        colours = ListedColormap([colour for colour, _ in REGIONS.values()])
        shown = {"origin": "lower", "extent": (0, side, 0, side), "aspect": "auto"}
        axes.imshow(_regions(side, reachable), cmap=colours, vmin=0, vmax=3, alpha=0.28, **shown)
        handles = [Patch(color=colour, alpha=0.35, label=words) for colour, words in REGIONS.values()]
        handles += axes.plot((0, side), (0, side), color=INK, linestyle=":", lw=1.2, label="both errors equal")
        handles.append(axes.axvline(reachable, color=INK, linestyle="--", lw=1.2, label="reachable error"))
        for number, (name, point) in enumerate(points.items()):
            # A star for the sliders; beside any other point a number, if it is one's own, or the textbook's letter.
            sign = name[-1] if name in TEXTBOOK_CASES else number
            colour = VERMILION if number == 0 else INK if name in TEXTBOOK_CASES else BLUE
            mark = {"marker": "o", "markersize": 4} if number else {"marker": "*", "markersize": 18, "zorder": 1.5}
            axes.plot(*point, color=colour, clip_on=False, **mark)
            if number:
                beside = {"xytext": (6, -6 if number % 2 else 6), "textcoords": "offset points", "va": "center"}
                axes.annotate(sign, point, color=colour, weight="bold", annotation_clip=False, **beside)
            sign = {"marker": f"${sign}$", "markersize": 9} if number else mark
            handles.append(Line2D([], [], color=colour, linestyle="none", label=name, **sign))
        axes.set(xlim=(0, side), ylim=(0, side), xlabel="training error", ylabel="validation error")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        finish(axes, f"reachable error {show_percent(reachable)}")
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.02), "borderaxespad": 0}
        axes.legend(handles=handles, frameon=False, fontsize=8.5, labelcolor=INK, **place)

    def describe(self, result: ErrorDiagnosis) -> str:
        """The diagnosis, and those of all other points."""
        told = [
            f"{name}: {show_percent(one.train_error)} and {show_percent(one.validation_error)}, "
            f"{REGIONS[one.bias, one.variance][1]}."
            for name, one in list(self._diagnose(result).items())[1:]
        ]
        return " ".join([result.sentence, *told])

    def tabulate(self, result: ErrorDiagnosis) -> pd.DataFrame:
        """The sliders, then one's own runs and the textbook's cases, all with this reachable error."""
        heads = ["train_error", "validation_error", "bias", "variance"]
        rows = {name: [getattr(one, head) for head in heads] for name, one in self._diagnose(result).items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=heads).rename_axis("name").reset_index()

    def summarise(self, result: ErrorDiagnosis) -> str:
        """The diagnosis in a sentence."""
        return result.sentence

    def _diagnose(self, result: ErrorDiagnosis) -> dict[str, ErrorDiagnosis]:
        return {name: diagnose_errors(*point, result.reachable_error) for name, point in self._points(result).items()}

    def _points(self, result: ErrorDiagnosis) -> dict[str, Point]:
        return {"the sliders": (result.train_error, result.validation_error), **self.runs, **TEXTBOOK_CASES}


def _regions(side: float, reachable_error: float) -> np.ndarray:
    """Return the place in `REGIONS` of every point of the plane, (GRID, GRID), validation error upwards."""
    errors, order = (np.arange(GRID) + 0.5) / GRID * side, list(REGIONS)
    found = [[diagnose_errors(train, validation, reachable_error) for train in errors] for validation in errors]
    return np.array([[order.index((one.bias, one.variance)) for one in row] for row in found])
