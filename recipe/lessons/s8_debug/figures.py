"""Step 8's figures: what is seen of a broken pipeline, and what its checks say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.debugging.checks import Check
from recipe.figures import BLUE, INK, ORANGE, VERMILION, finish
from recipe.lessons.s8_debug.fault_game import Symptoms

SHOWN_ROWS = 6
WIDE_TABLE = 12  # columns; a wider one is shown as a picture


def draw_symptoms(figure: Figure, symptoms: Symptoms) -> None:
    """Draw loss and measure over the steps above, and the first training samples below."""
    above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
    left, right = above.subplots(1, 2)
    _draw_curves(left, symptoms.history, "loss")
    _draw_curves(right, symptoms.history, symptoms.measure)
    pipeline = symptoms.pipeline
    left.set_title(f"{pipeline.problem.name} ({pipeline.source})", loc="left", fontsize="medium", color=INK)
    left.legend(frameon=False, fontsize="small", labelcolor=INK)
    _draw_samples(below, pipeline.x_train[:SHOWN_ROWS], pipeline.y_train[:SHOWN_ROWS])


def describe_symptoms(symptoms: Symptoms) -> str:
    """Say in words what `draw_symptoms` shows."""
    parts = []
    for key in ("loss", symptoms.measure):
        train, val = symptoms.history[key], symptoms.history[f"val_{key}"]
        parts.append(
            f"{key} from {train[0]:.3g} to {train[-1]:.3g}, validation {key} from {val[0]:.3g} to {val[-1]:.3g}"
        )
    targets = ", ".join(_number(value) for value in symptoms.pipeline.y_train.reshape(-1)[:SHOWN_ROWS])
    name, steps = symptoms.pipeline.problem.name, symptoms.history["step"][-1]
    return f"{name}, {steps:,} steps: {'; '.join(parts)}. The first targets are {targets}."


def draw_matrix(found: Mapping[str, Sequence[Check]], *, axes: Axes) -> Axes:
    """Draw which checks (columns) find which pipelines (rows) broken: a cross where one fails.

    Parameters
    ----------
    found : for each pipeline's name its checks, the same ones in the same order; a dash is one that does not apply
    """
    names = [check.name for check in next(iter(found.values()))]
    for line, checks in enumerate(found.values()):
        for column, check in enumerate(checks):
            if check.failed:
                axes.plot(column, line, "X", color=VERMILION, markersize=8)
            elif not check.passed:
                axes.plot(column, line, "_", color=INK, alpha=0.4, markersize=6)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(found)), list(found))
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.grid(alpha=0.25)
    finish(axes, "")
    return axes


def _draw_curves(axes: Axes, history: Mapping[str, Sequence[float]], key: str) -> None:
    train, val = history[key], history[f"val_{key}"]
    steps = history["step"]
    axes.plot(steps, train, "--", color=BLUE, label="training")
    axes.plot(steps, val, "-", color=ORANGE, label="validation")
    values = np.asarray([*train, *val], float)
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "not a number", ha="center", va="center", transform=axes.transAxes, color=INK)
        axes.set_yticks([])
    elif key != "accuracy" and values.min() > 0 and values.max() > 20 * values.min():
        axes.set_yscale("log")
    axes.set_xlim(0, steps[-1] * 1.02)
    axes.set_xlabel("steps of training")
    axes.set_ylabel(key)
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, "")


def _draw_samples(figure: Figure, samples: np.ndarray, targets: np.ndarray) -> None:
    """Draw images side by side with their targets; a table as numbers or, where it is wide, as a picture."""
    labels = [_number(value) for value in targets.reshape(len(targets), -1)[:, 0]]
    if samples.ndim == 3:
        shown = figure.subplots(1, len(samples))
        for axes, image, label in zip(shown, samples, labels, strict=True):
            axes.imshow(image, cmap="Greys")
            axes.set_xlabel(f"target {label}", fontsize="small", color=INK)
            axes.set_xticks([])
            axes.set_yticks([])
        return
    axes = figure.subplots()
    if samples.shape[1] > WIDE_TABLE:
        _draw_picture(axes, samples)
    else:
        _draw_table(axes, samples)
    axes.set_yticks(range(len(samples)), [f"target {label}" for label in labels], fontsize="small")
    axes.set_title("first training samples", loc="left", fontsize="small", color=INK)
    axes.tick_params(colors=INK, length=0)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _draw_picture(axes: Axes, samples: np.ndarray) -> None:
    shown = samples[:, :120]
    high = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
    axes.imshow(shown, cmap="Greys", aspect="auto", vmin=0, vmax=high or 1.0, interpolation="nearest")
    axes.set_xlabel(
        f"input (the first {shown.shape[1]} of {samples.shape[1]:,}); black is {high:.4g}", fontsize="small"
    )
    axes.xaxis.label.set_color(INK)


def _draw_table(axes: Axes, samples: np.ndarray) -> None:
    for line, row in enumerate(samples):
        for column, value in enumerate(row):
            text = "nan" if math.isnan(value) else f"{value:.3g}"
            axes.annotate(text, (column, line), ha="center", va="center", fontsize="small", color=INK)
    axes.set_xticks(range(samples.shape[1]), [f"input {column + 1}" for column in range(samples.shape[1])])
    axes.tick_params(axis="x", labelsize="small")
    axes.set_xlim(-0.5, samples.shape[1] - 0.5)
    axes.set_ylim(len(samples) - 0.5, -0.5)
    axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
