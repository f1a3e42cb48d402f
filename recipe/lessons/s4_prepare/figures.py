"""Step 4, drawn: what the network reads, and how training goes on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, finish
from recipe.lessons.s4_prepare.study import PreparationTrial

WIDE = 20.0  # largest over smallest, from which on an axis is logarithmic: one column would squeeze all the others
_EARLIER = ((SKY, "-."), (PURPLE, ":"), (GREEN, (0, (5, 1, 1, 1))))  # colour and line style, the latest first


def draw_input_ranges(inputs: Sequence[tuple[str, float, float, float]], *, axes: Axes) -> None:
    """Draw the range of each column that the network reads: a line from the 5th to the 95th percentile, a dot between.

    Parameters
    ----------
    inputs : (name, 5th, 50th and 95th percentile) of each column, as `summarise_inputs` gives them
    """
    for line, (_, low, middle, high) in enumerate(inputs):
        axes.plot((low, high), (line, line), color=BLUE, linewidth=3, alpha=0.7, solid_capstyle="butt")
        axes.plot(middle, line, "o", color=BLUE, markersize=5)
    axes.set_yticks(range(len(inputs)), [name for name, *_ in inputs])
    axes.set_ylim(len(inputs) - 0.5, -0.5)
    if max(abs(value) for _, *values in inputs for value in values) > WIDE:
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([-100, -1, 1, 100, 10_000], ["-100", "-1", "1", "100", "10,000"])
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    axes.grid(axis="x", alpha=0.25)
    axes.set_xlabel("what the network reads (5 % to 95 %)")
    finish(axes, "")


def draw_preparation(figure: Figure, trials: Sequence[PreparationTrial]) -> None:
    """Draw what the network reads, and beside it the measure over the epochs, with validation's in earlier trials.

    Parameters
    ----------
    trials : on the same problem, the latest first
    """
    trial, *earlier = trials
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    draw_input_ranges(trial.inputs, axes=left)
    source = "a sample" if trial.run.source == "sample" else "real data"
    left.set_title(f"{trial.run.train_samples:,} training samples, {source}", loc="left", fontsize="medium", color=INK)
    measure, history = MEASURES[trial.run.measure], trial.run.history
    curves = [
        (history.get(measure.name, ()), BLUE, "--", 2.0, f"training: {trial.name}"),
        (history.get("val_" + measure.name, ()), ORANGE, "-", 2.0, f"validation: {trial.name}"),
    ]
    for other, (colour, style) in zip(earlier, _EARLIER, strict=False):
        curves.append((other.run.history.get("val_" + measure.name, ()), colour, style, 1.6, f"before: {other.name}"))
    for values, colour, style, width, label in curves:
        right.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, lw=width, label=label)
    positive = [value for values, *_ in curves for value in values if math.isfinite(value) and value > 0]
    if positive and not measure.higher_is_better and max(positive) > WIDE * min(positive):
        right.set_yscale("log")
    unit = measure.unit_of(trial.run.problem)
    right.set_xlabel("epoch")
    right.set_ylabel(f"{measure.title} ({unit})" if unit else measure.title)
    right.xaxis.get_major_locator().set_params(integer=True)
    finish(right, "")
    right.legend(frameon=False, fontsize="small", labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1.0))


def describe_preparation(trials: Sequence[PreparationTrial]) -> str:
    """Say in words what `draw_preparation` shows."""
    trial, *earlier = trials
    run, measure = trial.run, MEASURES[trial.run.measure]
    unit = f" {measure.unit_of(run.problem)}" if measure.unit_of(run.problem) else ""
    low = min(low for _, low, _, _ in trial.inputs)
    high = max(high for *_, high in trial.inputs)
    before = "".join(f" Before, {other.name}: {other.run.score:.3g}." for other in earlier[: len(_EARLIER)])
    return (
        f"{run.problem.name}, {trial.name}: the network reads numbers from {low:.4g} to {high:.4g}. In the best of "
        f"{run.epochs} epochs on {run.train_samples:,} samples the {measure.title} on {run.val_samples:,} validation "
        f"samples is {run.score:.3g}{unit}.{before}"
    )
