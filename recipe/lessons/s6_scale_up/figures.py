"""Learning curves of networks of several sizes, and the plane of bias and variance with trainings as points."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, finish
from recipe.lessons.s6_scale_up.capacity import CapacityStudy
from recipe.steps.s6_scale_up import diagnose_errors, show_percent

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
Point = tuple[float, float]  # training error, validation error

# The four cases that bias and variance are taught with. The source: A. Ng, Machine Learning Yearning, 2018, chapter 21.
TEXTBOOK_CASES = MappingProxyType({"A": (0.01, 0.11), "B": (0.15, 0.14), "C": (0.15, 0.30), "D": (0.005, 0.01)})
GRID = 91  # points a side that the regions are computed at
SMALLEST_SIDE = 0.35
REGIONS = MappingProxyType(
    {
        ("low", "low"): (GREEN, "neither is high"),
        ("high", "low"): (SKY, "high bias"),
        ("low", "high"): (ORANGE, "high variance"),
        ("high", "high"): (VERMILION, "both are high"),
    }
)


def draw_learning_curves(study: CapacityStudy, *, axes: Axes) -> Axes:
    """Draw the measure over the number of training samples, a colour a network.

    Dashed is the training part, solid validation; each is the mean over the draws, the band goes from the lowest to the
    highest.
    """
    measure = MEASURES[study.problem.measure]
    for number, colour in zip(range(len(study.names)), _COLOURS, strict=False):
        for scores, style in ((study.train[number], "--"), (study.validation[number], "-")):
            axes.plot(study.sizes, scores.mean(axis=1), color=colour, linestyle=style, marker="o", markersize=4)
            low, high = scores.min(axis=1), scores.max(axis=1)
            axes.fill_between(study.sizes, low, high, color=colour, alpha=0.13, lw=0)
    axes.axhline(study.baseline, color=INK, linestyle=":", lw=1.6)
    axes.set_xscale("log")
    axes.set_xticks(study.sizes, [f"{size:,}" for size in study.sizes])
    axes.minorticks_off()
    if not measure.higher_is_better:
        axes.set_ylim(bottom=0)
    unit = measure.unit_of(study.problem)
    axes.set_xlabel("training samples")
    axes.set_ylabel(f"{measure.title}\n({unit})" if unit else measure.title)
    draws = study.train.shape[2]
    source = " (sample)" if study.source == "sample" else ""
    finish(axes, f"{study.problem.name}{source}: {draws} draws, judged on {study.held_out:,} held-out samples")
    handles = [
        Line2D([], [], color=colour, lw=2, label=name) for name, colour in zip(study.names, _COLOURS, strict=False)
    ]
    handles += [
        Line2D([], [], color=INK, linestyle=style, label=label)
        for style, label in (("--", "training"), ("-", "validation"))
    ]
    handles.append(Line2D([], [], color=INK, linestyle=":", label=f"baseline {study.baseline:.3g}"))
    axes.legend(
        handles=handles,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        loc="upper left",
        bbox_to_anchor=(0, -0.17),
        ncols=2,
    )
    return axes


def draw_capacities(study: CapacityStudy, *, axes: Axes, reachable_error: float = 0.0) -> Axes:
    """Draw a table of networks and training-set sizes: the scores, and whether bias or variance is high.

    Parameters
    ----------
    reachable_error : as `recipe.diagnose_errors` takes it: a share, or an error relative to the baseline's
    """
    for network in range(len(study.names)):
        for size in range(len(study.sizes)):
            found = study.diagnose(network, size, reachable_error)
            colour, words = REGIONS[found.bias, found.variance]
            axes.fill_between((size - 0.5, size + 0.5), network - 0.5, network + 0.5, color=colour, alpha=0.25, lw=0)
            scores = " | ".join(f"{part[network, size].mean():.3g}" for part in (study.train, study.validation))
            axes.text(size, network, f"{scores}\n{words}", ha="center", va="center", fontsize=8, color=INK)
    axes.set_xticks(range(len(study.sizes)), [f"{size:,}" for size in study.sizes])
    axes.set_yticks(range(len(study.names)), [name.partition(" (")[0] for name in study.names])
    axes.set_xlim(-0.5, len(study.sizes) - 0.5)
    axes.set_ylim(len(study.names) - 0.5, -0.5)
    axes.set_xlabel("training samples")
    finish(axes, f"{MEASURES[study.problem.measure].title}, training | validation")
    axes.tick_params(length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
    return axes


def draw_errors(
    runs: Mapping[str, Point],
    *,
    cases: Mapping[str, Point] = TEXTBOOK_CASES,
    chosen: Point | None = None,
    reachable_error: float = 0.0,
    axes: Axes,
) -> Axes:
    """Draw trainings as points in the plane of training error and validation error, on the regions of each diagnosis.

    Parameters
    ----------
    runs : (training error, validation error) of each, by its name, as `recipe.diagnose_errors` takes them
    cases : those of a textbook, as lettered squares
    chosen : a point of its own, as a star
    reachable_error : what the regions and the lines are drawn for
    """
    side = _side(runs, cases, chosen, reachable_error)
    grounds = ListedColormap([colour for colour, _ in REGIONS.values()])
    axes.imshow(
        _regions(round(side, 6), round(reachable_error, 6)),
        origin="lower",
        extent=(0, side, 0, side),
        cmap=grounds,
        vmin=0,
        vmax=3,
        alpha=0.28,
        interpolation="nearest",
        aspect="auto",
        zorder=0,
    )
    axes.plot((0, side), (0, side), color=INK, linestyle=":", lw=1.2)
    if reachable_error:
        for draw_line in (axes.axvline, axes.axhline):
            draw_line(reachable_error, color=INK, linestyle="--", lw=1.2)
    for letter, (train, validation) in cases.items():
        axes.plot(train, validation, "s", color="white", markeredgecolor=INK, markersize=13, clip_on=False)
        axes.annotate(letter, (train, validation), ha="center", va="center", fontsize=8.5, color=INK)
    for number, (train, validation) in enumerate(runs.values(), start=1):
        axes.plot(train, validation, "o", color=BLUE, markersize=13, clip_on=False, zorder=3)
        axes.annotate(str(number), (train, validation), ha="center", va="center", fontsize=8.5, color="white", zorder=4)
    if chosen is not None:
        axes.plot(*chosen, "*", color=VERMILION, markeredgecolor=INK, markersize=20, clip_on=False, zorder=5)
    axes.set_xlim(0, side)
    axes.set_ylim(0, side)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_xlabel("training error")
    axes.set_ylabel("validation error")
    finish(axes, f"reachable error {show_percent(reachable_error)}")
    axes.legend(
        handles=_handles(runs, cases, chosen is not None, bool(reachable_error)),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        borderaxespad=0,
    )
    return axes


def describe_errors(
    runs: Mapping[str, Point],
    *,
    cases: Mapping[str, Point] = TEXTBOOK_CASES,
    chosen: Point | None = None,
    reachable_error: float = 0.0,
) -> str:
    """Say in words what `draw_errors` shows, for those who cannot see it.

    Examples
    --------
    >>> describe_errors({"mine": (0.0, 0.1)}, cases={"C": (0.15, 0.3)}, reachable_error=0.15)
    'Training and validation error, with a reachable error of 15 %. mine: 0 % and 10 %, neither is high. C: 15 % and \
30 %, high variance.'
    """
    told = [] if chosen is None else [_tell("chosen", chosen, reachable_error)]
    told += [_tell(name, point, reachable_error) for name, point in {**runs, **cases}.items()]
    return f"Training and validation error, with a reachable error of {show_percent(reachable_error)}. {' '.join(told)}"


def _tell(name: str, point: Point, reachable_error: float) -> str:
    found = diagnose_errors(*point, reachable_error)
    return f"{name}: {show_percent(point[0])} and {show_percent(point[1])}, {REGIONS[found.bias, found.variance][1]}."


def _side(runs: Mapping[str, Point], cases: Mapping[str, Point], chosen: Point | None, reachable_error: float) -> float:
    """Return how far both axes go, in steps of five points so that a small change moves nothing."""
    points = [*runs.values(), *cases.values(), *([chosen] if chosen else []), (reachable_error, 0.0)]
    largest = max(max(point) for point in points)
    return max(SMALLEST_SIDE, 0.05 * np.ceil(1.04 * largest / 0.05))


@lru_cache(maxsize=64)
def _regions(side: float, reachable_error: float) -> np.ndarray:
    """Return the place in `REGIONS` of every point of the plane, (GRID, GRID), validation error upwards."""
    errors = (np.arange(GRID) + 0.5) / GRID * side
    order = list(REGIONS)
    found = [[diagnose_errors(train, validation, reachable_error) for train in errors] for validation in errors]
    return np.array([[order.index((one.bias, one.variance)) for one in row] for row in found])


def _handles(
    runs: Mapping[str, Point], cases: Mapping[str, Point], has_chosen: bool, has_reachable: bool
) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [Patch(color=colour, alpha=0.35, label=words) for colour, words in REGIONS.values()]
    handles.append(Line2D([], [], color=INK, linestyle=":", label="both errors equal"))
    if has_reachable:
        handles.append(Line2D([], [], color=INK, linestyle="--", label="reachable error"))
    if has_chosen:
        star = {"marker": "*", "markersize": 13, "linestyle": "none", "markeredgecolor": INK}
        handles.append(Line2D([], [], color=VERMILION, label="the sliders", **star))
    if cases:
        square = {"marker": "s", "markersize": 9, "linestyle": "none", "markeredgecolor": INK}
        label = f"{', '.join(cases)}: textbook" if len(cases) < 5 else "textbook"
        handles.append(Line2D([], [], color="white", label=label, **square))
    for number, name in enumerate(runs, start=1):
        handles.append(Line2D([], [], color=BLUE, marker=f"${number}$", linestyle="none", label=name))
    return handles
