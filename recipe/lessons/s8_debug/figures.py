"""Step 8's figure: what is seen of a broken pipeline without any check."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from recipe.figures import INK
from recipe.figures.training import collect_curves, describe_curves, draw_curves
from recipe.lessons.s8_debug.fault_game import Round

SHOWN_ROWS, SHOWN_COLUMNS = 6, 120
WIDE_TABLE = 12  # columns; a wider one is shown as a picture


def draw_round(figure: Figure, round: Round) -> None:
    """Draw the training curves above, and the first training samples below."""
    above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
    draw_curves(above, collect_curves(round.history))
    pipeline = round.pipeline
    _draw_samples(below, pipeline.x_train[:SHOWN_ROWS], _first_targets(round))
    below.suptitle(f"First training samples ({pipeline.problem.name}, {pipeline.source})", fontsize=9, color=INK)


def describe_round(round: Round) -> str:
    """Say in words what `draw_round` shows."""
    curves = describe_curves(collect_curves(round.history))
    return f"{round.pipeline.problem.name}. {curves} The first targets are {', '.join(_first_targets(round))}."


def _first_targets(round: Round) -> list[str]:
    targets = round.pipeline.y_train[:SHOWN_ROWS]
    values = targets.reshape(len(targets), -1)[:, 0]
    return [f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}" for value in values]


def _draw_samples(figure: Figure, samples: np.ndarray, targets: list[str]) -> None:
    """Draw images side by side; a table as numbers or, where it is wide, as a picture of a line a sample."""
    if samples.ndim == 3:
        for axes, image, target in zip(figure.subplots(1, len(samples)), samples, targets, strict=True):
            axes.imshow(image, cmap="Greys")
            axes.set(xlabel=f"target {target}", xticks=[], yticks=[])
        return
    axes, lines = figure.subplots(), [f"target {target}" for target in targets]
    if samples.shape[1] <= WIDE_TABLE:
        axes.set_axis_off()
        names = [f"input {column + 1}" for column in range(samples.shape[1])]
        cells = [[f"{value:.3g}" for value in row] for row in samples]
        axes.table(cells, rowLabels=lines, colLabels=names, loc="center", edges="open").scale(1, 1.2)
        return
    shown = samples[:, :SHOWN_COLUMNS]
    highest = float(np.nan_to_num(np.abs(shown)).max())
    axes.imshow(shown, cmap="Greys", aspect="auto", vmin=0, vmax=highest or 1.0, interpolation="nearest")
    axes.set_yticks(range(len(samples)), lines)
    axes.set_xlabel(f"input (the first {shown.shape[1]} of {samples.shape[1]:,}); black is {highest:.4g}")
