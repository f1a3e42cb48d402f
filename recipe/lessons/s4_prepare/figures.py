"""Figures of step 4: what the network reads, and how training goes on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, finish, new_figure
from recipe.lessons.s4_prepare.preparations import PreparationTrial

WIDE = 20.0  # beyond this an axis is symmetrically logarithmic: one column would squeeze all the others
_EARLIER = ((SKY, "-."), (PURPLE, ":"), (GREEN, (0, (5, 1, 1, 1))))  # colour and line style, the latest first
_MANY = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (ORANGE, ":"), (PURPLE, (0, (5, 1, 1, 1))))


def draw_input_ranges(inputs: Sequence[tuple[str, float, float, float]], *, axes: Axes | None = None) -> Axes:
    """Draw the range of each column that the network reads: a line from the 5th to the 95th percentile, a dot between.

    Parameters
    ----------
    inputs : (name, 5th, 50th and 95th percentile) of each column, as `recipe.summarise_inputs` gives them
    """
    axes = axes or new_figure(height=1.2 + 0.28 * len(inputs))[1][0]
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
    return axes


def draw_validation_curves(
    histories: Mapping[str, Sequence[float]],
    *,
    quantity: str,
    unit: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw the same quantity of several trainings over the epochs, on a logarithmic axis where they differ much.

    Parameters
    ----------
    histories : numbers of each epoch by the name of the training, five trainings at most
    """
    axes = axes or new_figure()[1][0]
    for (name, values), (colour, style) in zip(histories.items(), _MANY, strict=False):
        axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, label=name)
    _label(axes, quantity, unit, [value for values in histories.values() for value in values])
    finish(axes, "")
    axes.legend(
        frameon=False, fontsize="small", labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(histories)
    )
    return axes


def draw_trial_curves(trial: PreparationTrial, earlier: Sequence[PreparationTrial] = (), *, axes: Axes) -> Axes:
    """Draw a trial's measure on both parts over the epochs, and beside it validation's in earlier trials, thinner."""
    name = trial.problem.measure
    shown: list[float] = []
    for key, colour, style, label in (
        (name, BLUE, "--", f"training: {trial.name}"),
        ("val_" + name, ORANGE, "-", f"validation: {trial.name}"),
    ):
        values = trial.history.get(key, ())
        axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, lw=2, label=label)
        shown.extend(values)
    for other, (colour, style) in zip(earlier, _EARLIER, strict=False):
        values = other.history.get("val_" + name, ())
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=colour,
            linestyle=style,
            lw=1.6,
            zorder=1,
            label=f"before: {other.name}",
        )
        shown.extend(values)
    _label(axes, MEASURES[name].title, MEASURES[name].unit_of(trial.problem), shown)
    finish(axes, "")
    return axes


def draw_preparation(figure: Figure, trial: PreparationTrial, earlier: Sequence[PreparationTrial] = ()) -> None:
    """Draw what the network reads on the left and the training curves on the right, their legend above them."""
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    draw_input_ranges(trial.inputs, axes=left)
    draw_trial_curves(trial, earlier, axes=right)
    source = "a sample" if trial.source == "sample" else "real data"
    left.set_title(f"{trial.samples[0]:,} training samples, {source}", loc="left", fontsize="medium", color=INK)
    right.legend(frameon=False, fontsize="small", labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1.0))


def describe_preparation(trial: PreparationTrial, earlier: Sequence[PreparationTrial] = ()) -> str:
    """Say in words what `draw_preparation` shows."""
    measure = MEASURES[trial.problem.measure]
    unit = f" {measure.unit_of(trial.problem)}" if measure.unit_of(trial.problem) else ""
    low = min(low for _, low, _, _ in trial.inputs)
    high = max(high for *_, high in trial.inputs)
    epochs = len(trial.history.get("val_" + measure.name, ()))
    before = "".join(f" Before, {other.name}: {other.score:.3g}." for other in earlier[: len(_EARLIER)])
    return (
        f"{trial.problem.name}, {trial.name}: the network reads numbers from {low:.4g} to {high:.4g}. After {epochs} "
        f"epochs on {trial.samples[0]:,} samples the {measure.title} on {trial.samples[1]:,} validation samples is "
        f"{trial.score:.3g}{unit}.{before}"
    )


def _label(axes: Axes, quantity: str, unit: str, values: Sequence[float]) -> None:
    """Name the axes; the upright one is logarithmic where the largest value is twenty times the smallest."""
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"{quantity} ({unit})" if unit else quantity)
    axes.xaxis.get_major_locator().set_params(integer=True)
    positive = [value for value in values if math.isfinite(value) and value > 0]
    if positive and quantity != "accuracy" and max(positive) > WIDE * min(positive):
        axes.set_yscale("log")
