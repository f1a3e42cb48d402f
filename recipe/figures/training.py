"""Step 6, drawn: training curves. The data loss beside the measure of success, and the penalty of the weights apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from recipe.figures import GREEN, INK, PURPLE, VERMILION, finish
from recipe.figures.curves import (
    COLOURS,
    NARROW,
    SIDES,
    History,
    draw_baseline,
    draw_sides,
    first_divergence,
    has_penalty,
    last_epoch,
    lay_out,
    length,
    mark_epochs,
    plot,
    read,
    scale,
    set_epochs,
)

_PAST = "#8c8c8c"


def draw_training(
    figure: Figure,
    histories: Sequence[History],
    *,
    measure: str,
    measure_title: str,
    unit: str = "",
    baseline: float | None = None,
    overfitting_epoch: int | None = None,
    past: Sequence[History] = (),
    epochs: int | None = None,
    source: str = "",
    names: Sequence[str] | None = None,
) -> dict[str, Axes]:
    """Draw the data loss and the measure of success over the epochs, on the training and on the validation part.

    Several histories are one spec with several seeds: thin lines, their mean, and the band between lowest and highest.
    With `names` they are trainings to be compared, each in a colour of its own. An axis is logarithmic where the curves
    span more than a factor of thirty. A baseline that is far from the curves stands in a strip of its own.

    Parameters
    ----------
    histories : lists of one number an epoch, as Keras and `Run.history` keep them; they may be empty still
    measure, measure_title, unit : the measure's key in a history, its name for people, and its unit
    baseline : what a guess without the input achieves
    overfitting_epoch : from 0, the first epoch of overfitting; the axis counts from 1
    past : earlier trainings; their validation curves are drawn faintly, as far as they fit in
    epochs : how far the axis goes while training runs; None goes as far as the longest history
    source : of the data; a sample is named as one
    names : of the histories, where they are to be compared

    Returns
    -------
    dict of Axes : ``"loss"``, ``"measure"``, ``"penalty"`` where any is above 0, ``"strip"`` where the baseline has one
    """
    shown, last = list(histories), last_epoch(histories, past, epochs)
    diverged = first_divergence(shown)
    panes = lay_out(figure, shown, measure, baseline)
    marked = " (sample)" if source == "sample" else ""
    title = f"{measure_title}\n({unit})" if len(unit) > 12 else f"{measure_title} ({unit})" if unit else measure_title
    for pane, key, text in (("loss", "data_loss", f"data loss{marked}"), ("measure", measure, title)):
        axes = panes[pane]
        for history in past:
            plot(axes, read(history, "val_" + key)[:last], color=_PAST, lw=1, alpha=0.55, zorder=1)
        draw_sides(axes, shown, key, names)
        near = baseline if pane == "measure" and "strip" not in panes else None
        scale(axes, shown, past, key, last, near)
        mark_epochs(axes, overfitting_epoch, diverged, last)
        finish(axes, text)
    if names is None:
        _mark_lowest(panes["loss"], shown, overfitting_epoch)
    if "penalty" in panes:
        _draw_penalty(panes["penalty"], shown, names)
    if baseline is not None and np.isfinite(baseline):
        draw_baseline(panes, baseline)
    set_epochs(panes, last)
    handles = _make_handles(len(shown), names, bool(past), baseline, overfitting_epoch, diverged, panes)
    is_narrow = figure.get_figwidth() < NARROW
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2 if is_narrow else 3,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    return panes


def describe_training(
    histories: Sequence[History],
    *,
    measure: str,
    measure_title: str,
    unit: str = "",
    baseline: float | None = None,
    overfitting_epoch: int | None = None,
    past: Sequence[History] = (),
    epochs: int | None = None,
    source: str = "",
    names: Sequence[str] | None = None,
) -> str:
    """Say in words what `draw_training` shows, for those who cannot see it.

    Examples
    --------
    >>> history = {"data_loss": [0.9, 0.4], "val_data_loss": [0.8, 0.6], "mae": [1, 0.5], "val_mae": [1, 0.7]}
    >>> describe_training([history], measure="mae", measure_title="mean absolute error", baseline=0.9)
    'Training curves over 2 epochs. data loss: training from 0.9 to 0.4, validation from 0.8 to 0.6, lowest 0.6 in \
epoch 2. mean absolute error: training from 1 to 0.5, validation from 1 to 0.7. The baseline is 0.9.'
    """
    done = last_epoch(histories, (), None) if any(map(length, histories)) else 0
    planned = f" of {epochs}" if epochs and epochs > done else ""
    sample = " on a sample" if source == "sample" else ""
    told_of = list(histories) if names else [_mean_of(histories)]
    labels = [f"{name}: " for name in names] if names else [f"mean of {len(histories)} seeds: "] * (len(histories) > 1)
    labels = labels or [""]
    parts = [f"Training curves{sample} over {done}{planned} epoch{'' if (epochs or done) == 1 else 's'}"]
    for key, title in (("data_loss", "data loss"), (measure, f"{measure_title}{f' in {unit}' if unit else ''}")):
        told = [label + _describe_sides(one, key) for label, one in zip(labels, told_of, strict=True) if length(one)]
        parts += [f"{title}: {'; '.join(told)}"] if told else []
    penalties = [read(one, "penalty") for one in histories if has_penalty(one)]
    parts += [f"The penalty goes from {some[0]:.3g} to {some[-1]:.3g}" for some in penalties[:1]]
    parts += [f"The baseline is {baseline:.3g}"] if baseline is not None else []
    parts += [f"Overfitting from epoch {overfitting_epoch + 1} on"] if overfitting_epoch is not None else []
    diverged = first_divergence(histories)
    parts += [f"Diverged: no finite number in epoch {diverged + 1}"] if diverged is not None else []
    parts += (
        [f"Behind them, faintly, the validation curves of {len(past)} earlier run{'s' * (len(past) > 1)}"]
        if past
        else []
    )
    return ". ".join(parts) + "."


def _mean_of(histories: Sequence[History]) -> History:
    """Return the mean over several seeds, as far as all of them went."""
    if len(histories) < 2:
        return histories[0] if histories else {}
    shortest = min(map(length, histories))
    return {key: np.mean([read(one, key)[:shortest] for one in histories], axis=0) for key in histories[0]}


def _describe_sides(history: History, key: str) -> str:
    told = []
    for prefix, _, _, side in SIDES:
        values = read(history, prefix + key)
        if len(values):
            first, last = ("not finite" if np.isnan(value) else f"{value:.3g}" for value in values[[0, -1]])
            told.append(f"{side} from {first} to {last}" if len(values) > 1 else f"{side} {first}")
    if prefix and key == "data_loss" and len(values) > 1 and np.isfinite(values).any():
        told[-1] += f", lowest {np.nanmin(values):.3g} in epoch {np.nanargmin(values) + 1}"
    return ", ".join(told)


def _mark_lowest(axes: Axes, histories: Sequence[History], overfitting_epoch: int | None) -> None:
    """Mark the epoch of the lowest validation loss, of the mean where there are several seeds.

    Where overfitting began is judged by the smoothed curve; a single lucky epoch after it is not worth a mark.
    """
    curves = [read(one, "val_data_loss") for one in histories]
    shortest = min(map(len, curves), default=0)
    if shortest < 2:
        return
    mean = np.mean([values[:shortest] for values in curves], axis=0)
    if np.isfinite(mean).any():
        best = int(np.nanargmin(mean))
        if overfitting_epoch is not None and best >= overfitting_epoch:
            return
        axes.plot(best + 1, mean[best], "D", color=GREEN, markersize=7, zorder=4, label=f"lowest: epoch {best + 1}")


def _draw_penalty(axes: Axes, histories: Sequence[History], names: Sequence[str] | None) -> None:
    """Draw the penalty of the weights, which is no part of the data loss."""
    for number, history in enumerate(histories):
        colour = PURPLE if names is None else COLOURS[number % len(COLOURS)]
        plot(axes, read(history, "penalty"), color=colour, linestyle="-.", lw=1.6)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=2))
    axes.set_ylim(bottom=0)
    finish(axes, "penalty of the weights")


def _make_handles(
    histories: int,
    names: Sequence[str] | None,
    has_past: bool,
    baseline: float | None,
    overfitting_epoch: int | None,
    diverged: int | None,
    panes: dict[str, Axes],
) -> list[Line2D]:
    """Say in a legend below the axes what each line is: there it covers no curve."""
    seeds = f" (mean of {histories})" if histories > 1 and names is None else ""
    ink = names is not None
    handles = [
        Line2D([], [], color=COLOURS[number % len(COLOURS)], lw=2, label=name)
        for number, name in enumerate(names or ())
    ]
    handles += [
        Line2D([], [], color=INK if ink else colour, linestyle=style, lw=1.8, label=side + seeds)
        for _, colour, style, side in SIDES
    ]
    handles += [line for line in panes["loss"].get_lines() if line.get_label().startswith("lowest")]
    if overfitting_epoch is not None:
        text = f"overfitting from epoch {overfitting_epoch + 1}"
        handles.append(Line2D([], [], color=VERMILION, linestyle=(0, (4, 2, 1, 2)), lw=1.3, label=text))
    if diverged is not None:
        handles.append(Line2D([], [], color=INK, alpha=0.15, lw=7, label=f"diverged in epoch {diverged + 1}"))
    if baseline is not None and np.isfinite(baseline):
        handles.append(Line2D([], [], color=INK, linestyle=":", lw=1.8, label=f"baseline {baseline:.3g}"))
    if has_past:
        handles.append(Line2D([], [], color=_PAST, alpha=0.7, lw=1, label="earlier runs (validation)"))
    return handles
