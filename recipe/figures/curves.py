"""The parts of a figure of training curves: numbers out of histories, and axes that suit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, finish

History = Mapping[str, Sequence[float]]

WIDE_RANGE = 30.0  # largest over smallest, from which on an axis is logarithmic
CURVES_SHARE = 0.3  # of the height: a baseline that would leave the curves less gets a strip of its own
NARROW = 5.5  # inches: a narrower figure has its axes below each other
FEW_EPOCHS = 10  # of so many each is marked by a dot
SIDES = (("", BLUE, "--", "training"), ("val_", ORANGE, "-", "validation"))
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK)


def read(history: History, key: str) -> np.ndarray:
    """Return one list of a history as floats, NaN where a number is not finite; empty where there is none."""
    if key.endswith("data_loss") and key not in history:
        key = key.replace("data_loss", "loss")  # a history of plain Keras
    values = np.asarray(history.get(key, ()), float)
    return np.where(np.isfinite(values), values, np.nan)


def length(history: History) -> int:
    return max(len(read(history, "data_loss")), len(read(history, "val_data_loss")))


def has_penalty(history: History) -> bool:
    return bool((read(history, "penalty") > 0).any())


def last_epoch(histories: Sequence[History], past: Sequence[History], epochs: int | None) -> int:
    """Return how far the axis goes; without a run under way as far as the past ones."""
    lengths = [length(one) for one in histories if length(one)] or [length(one) for one in past]
    return max([1, epochs or 0, *lengths])


def first_divergence(histories: Sequence[History]) -> int | None:
    """Return the first epoch, from 0, with a loss that is no number."""
    bad = [np.flatnonzero(np.isnan(read(one, key))) for one in histories for key in ("data_loss", "val_data_loss")]
    return min((int(epochs[0]) for epochs in bad if len(epochs)), default=None)


def finite(histories: Sequence[History], keys: Sequence[str], last: int | None = None) -> np.ndarray:
    """Return all finite values under these keys, in no order."""
    values = np.concatenate([np.empty(0), *(read(one, key)[:last] for one in histories for key in keys)])
    return values[np.isfinite(values)]


def wants_log(values: np.ndarray, key: str) -> bool:
    """Say whether the axis is logarithmic: never for shares, which end at 1."""
    is_share = key in MEASURES and MEASURES[key].higher_is_better
    return bool(len(values)) and not is_share and values.min() > 0 and values.max() > WIDE_RANGE * values.min()


def _strip_side(histories: Sequence[History], measure: str, baseline: float | None) -> str | None:
    """Say where a baseline that would squeeze the curves goes: "above", "below", or None."""
    values = finite(histories, (measure, "val_" + measure))
    if baseline is None or not np.isfinite(baseline) or not len(values) or wants_log(values, measure):
        return None
    low, high = float(values.min()), float(values.max())
    if high - low >= CURVES_SHARE * (max(high, baseline) - min(low, baseline)):
        return None
    return "below" if baseline < low else "above"


def lay_out(figure: Figure, histories: Sequence[History], measure: str, baseline: float | None) -> dict[str, Axes]:
    """Make the axes: side by side, or below each other in a narrow figure."""
    is_narrow = figure.get_figwidth() < NARROW
    outer = figure.add_gridspec(*((2, 1) if is_narrow else (1, 2)))
    panes = {}
    if any(map(has_penalty, histories)):
        inner = outer[0].subgridspec(2, 1, height_ratios=(2.6, 1))
        panes |= {"loss": figure.add_subplot(inner[0]), "penalty": figure.add_subplot(inner[1])}
    else:
        panes["loss"] = figure.add_subplot(outer[0])
    side = _strip_side(histories, measure, baseline)
    if side is None:
        return panes | {"measure": figure.add_subplot(outer[1])}
    ratios = (1, 9) if side == "above" else (9, 1)
    inner = outer[1].subgridspec(2, 1, height_ratios=ratios, hspace=0.02)
    order = ("strip", "measure") if side == "above" else ("measure", "strip")
    return panes | {name: figure.add_subplot(inner[row]) for row, name in enumerate(order)}


def plot(axes: Axes, values: np.ndarray, **style: object) -> None:
    """Draw one curve from epoch 1 on, with a dot an epoch where there are few."""
    if len(values):
        mark = "o" if np.isfinite(values).sum() <= FEW_EPOCHS else None
        axes.plot(range(1, len(values) + 1), values, marker=mark, markersize=4, **style)


def draw_sides(axes: Axes, histories: Sequence[History], key: str, names: Sequence[str] | None) -> None:
    for prefix, colour, style, _ in SIDES:
        curves = [read(one, prefix + key) for one in histories]
        if names is not None or len(curves) == 1:
            for number, values in enumerate(curves):
                own = colour if names is None else COLOURS[number % len(COLOURS)]
                plot(axes, values, color=own, linestyle=style, lw=1.8)
        elif curves:
            _draw_band(axes, curves, colour, style)


def _draw_band(axes: Axes, curves: Sequence[np.ndarray], colour: str, style: str) -> None:
    """Draw every seed thinly, and over the epochs that all of them have their mean and range."""
    for values in curves:
        axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, lw=0.7, alpha=0.45)
    together = np.array([values[: min(map(len, curves))] for values in curves])  # (seeds, epochs)
    epochs = range(1, together.shape[1] + 1)
    axes.fill_between(epochs, together.min(axis=0), together.max(axis=0), color=colour, alpha=0.18, lw=0)
    plot(axes, together.mean(axis=0), color=colour, linestyle=style, lw=2)


def scale(
    axes: Axes,
    histories: Sequence[History],
    past: Sequence[History],
    key: str,
    last: int,
    near: float | None,
) -> None:
    """Set the upright axis: the curves fill it, past ones are shown as far as they are not far away."""
    keys = (key, "val_" + key)
    values = finite(histories, keys, last)
    around = finite(past, keys[1:], last)
    if not len(values) and not len(around):
        _scale_empty(axes, key, near)
        if any(map(length, histories)):
            axes.text(0.5, 0.75, "no finite number", transform=axes.transAxes, ha="center", va="center", color=INK)
        return
    values = values if len(values) else around
    is_log = wants_log(values, key)
    if near is not None and (near > 0 or not is_log):
        values = np.append(values, near)
    if is_log:
        axes.set_yscale("log")
        if values.max() < 300 * values.min():  # or there would be two numbers on the axis
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    there, back = (np.log, np.exp) if is_log else (np.asarray, np.asarray)
    around = there(around[around > 0] if is_log else around)
    low, high = there(values).min(), there(values).max()
    reach = 0.5 * (high - low)
    low = min(low, max(around.min(initial=low), low - reach))
    high = max(high, min(around.max(initial=high), high + reach))
    room = 0.06 * (high - low) or 0.1 * abs(float(high)) or 0.1
    axes.set_ylim(back(low - room), back(high + room))


def _scale_empty(axes: Axes, key: str, near: float | None) -> None:
    """Set the upright axis before there is a number: shares go to 1, an error to what a guess makes."""
    if key in MEASURES and MEASURES[key].higher_is_better:
        axes.set_ylim(0, 1.02)
    elif near is not None and near > 0:
        axes.set_ylim(0, 1.1 * near)
    else:
        axes.set_yticks([])


def mark_epochs(axes: Axes, overfitting_epoch: int | None, diverged: int | None, last: int) -> None:
    """Mark where overfitting begins, and the first epoch whose loss is no number."""
    if overfitting_epoch is not None:
        axes.axvline(overfitting_epoch + 1, color=VERMILION, linestyle=(0, (4, 2, 1, 2)), lw=1.3, zorder=1)
        axes.axvspan(overfitting_epoch + 1, last + 1, color=VERMILION, alpha=0.08, lw=0, zorder=0)
    if diverged is not None:
        axes.axvspan(diverged + 1, last + 1, color=INK, alpha=0.1, lw=0, zorder=0)


def draw_baseline(panes: Mapping[str, Axes], baseline: float) -> None:
    """Draw what a guess achieves into the measure's axes, or into the strip beside them."""
    axes = panes.get("strip", panes["measure"])
    axes.axhline(baseline, color=INK, linestyle=":", lw=1.8)
    if "strip" not in panes:
        return
    measure = panes["measure"]
    axes.set_ylim(baseline - 1, baseline + 1)
    axes.set_yticks([baseline], [f"{baseline:.3g}"])
    finish(axes, "")
    is_below = axes.get_subplotspec().rowspan.start > 0
    gap = {"marker": [(-1, -0.6), (1, 0.6)], "markersize": 9, "linestyle": "none", "color": INK, "clip_on": False}
    for pane, side in ((measure, 0 if is_below else 1), (axes, 1 if is_below else 0)):
        pane.plot([0], [side], transform=pane.transAxes, **gap)
    if is_below:
        measure.spines["bottom"].set_visible(False)
    else:
        axes.set_title(measure.get_title(loc="left"), loc="left", fontsize="medium", color=INK)
        measure.set_title("", loc="left")
        axes.spines["bottom"].set_visible(False)


def set_epochs(panes: Mapping[str, Axes], last: int) -> None:
    """Give all axes the same epochs, as whole numbers, written below the lowest of each column."""
    room = max(0.5 if last < 5 else 0.0, 0.02 * last)
    written = {panes.get("penalty", panes["loss"])}
    strip = panes.get("strip")
    written |= {strip if strip is not None and strip.get_subplotspec().rowspan.start > 0 else panes["measure"]}
    for axes in panes.values():
        axes.set_xlim(1 - room, last + room)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        if axes in written:
            axes.set_xlabel("epoch", color=INK)
        else:
            axes.tick_params(axis="x", labelbottom=False, length=0 if axes is strip or strip is not None else 3)
