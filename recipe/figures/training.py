"""Training curves, drawn: the data loss beside the measure of success.

`collect_curves` gathers the numbers, `draw_curves` draws them, `describe_curves` says the same in words, and
`plot_runs` does all three for a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from recipe.core.measures import MEASURES, name_measure
from recipe.core.run import Run, lowest_epoch
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, NotebookFigure, blank_figure, finish
from recipe.steps.s6_scale_up import diagnose_history

History = Mapping[str, Sequence[float]]

WIDE_RANGE = 30.0  # largest over smallest, from which on an axis is logarithmic
CURVES_SHARE = 0.3  # of the height: a baseline that would leave the curves less stands in the legend alone
FEW_EPOCHS = 10  # of so many each is marked by a dot
LONG_NAME = 32  # letters, from which on the legend has two columns
SIDES = (("", BLUE, "--", "training"), ("val_", ORANGE, "-", "validation"))
LOOKS = ((BLUE, "D"), (VERMILION, "s"), (GREEN, "P"), (ORANGE, "^"), (PURPLE, "v"), (SKY, "X"), (INK, "*"))
REFERENCES = {"baseline": ":", "rival": (0, (5, 1, 1, 1))}  # what curves are held against, and how it is drawn
PAST = {"color": "#8c8c8c", "lw": 1, "alpha": 0.55, "zorder": 1}
NO_MEASURE = ("loss", "data_loss", "penalty")


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """The curves of one training; of several with the same spec their mean, which are its `members`."""

    history: History
    members: tuple[History, ...] = ()
    name: str = ""

    @property
    def best_epoch(self) -> int | None:
        """The chosen epoch, from 0; None where no validation loss is finite, or there is one epoch alone."""
        losses = _read(self.history, "val_data_loss")
        return lowest_epoch(losses) if len(losses) > 1 and np.isfinite(losses).any() else None


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingCurves:
    """All that a figure of training curves shows.

    Attributes
    ----------
    curves : what is drawn: one, or several to be compared, each in a colour of its own
    measure, title : the measure's key in a history, and its name for people, with its unit
    references : what a guess that never looks at the input achieves, and the best simple model that is no network,
        as far as they are known: the keys of `REFERENCES`
    overfitting_epoch : from 0, the first epoch of overfitting; None where there is none, or several curves
    past : earlier trainings; their validation curves are drawn faintly, as far as they fit in
    epochs : how many are planned while training runs, else None
    source : of the data; a sample is named as one
    """

    curves: tuple[Curve, ...]
    measure: str
    title: str
    references: Mapping[str, float]
    overfitting_epoch: int | None = None
    past: Sequence[History] = ()
    epochs: int | None = None
    source: str = ""

    @property
    def histories(self) -> list[History]:
        """Every line that is drawn: the curves and their members."""
        return [one for curve in self.curves for one in (curve.history, *curve.members)]

    @property
    def done(self) -> int:
        """How many epochs there are, in the longest of the curves."""
        return max((len(curve) for one in self.histories for curve in one.values()), default=0)

    @property
    def last_epoch(self) -> int:
        """How far the axis goes: before the first epoch as far as the past runs."""
        past = max((len(_read(one, "val_data_loss")) for one in self.past), default=0)
        return max(1, self.epochs or 0, self.done or past)


def plot_runs(
    runs: object, *, baseline: float | None = None, rival: float | None = None, size: tuple[float, float] = (9.0, 4.4)
) -> NotebookFigure:
    """Draw the training curves of one run or several: data loss on the left, the measure of success on the right.

    A run that is the mean of several (of `cross_validate`, `train_seeds`) is drawn with the band of its members.
    Several runs have a colour and a mark each. The mark is at the chosen epoch, at which a run is scored.

    Parameters
    ----------
    runs : Run, history (a dict of lists) or Keras History
        Or a list of them, or a dict of them by the names that the legend shows.
    baseline : what a guess achieves; None takes what the runs know of it
    rival : what a simple model that is no network achieves, such as ``compute_baseline(prepared).rival.value``
    size : of the figure, in inches

    Returns
    -------
    matplotlib.figure.Figure
        Its `alt` is the alternative text: the curves in words.

    Raises
    ------
    TypeError
        If something among `runs` is neither a run nor a history.
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> history = {"loss": [0.9, 0.4], "val_loss": [0.8, 0.6], "mae": [1, 0.5], "val_mae": [1, 0.7]}
    >>> print(plot_runs(history).alt)  # doctest: +NORMALIZE_WHITESPACE
    Training curves over 2 epochs. data loss: training from 0.9 to 0.4, validation from 0.8 to 0.6, best 0.6 in
    epoch 2. mean absolute error: training from 1 to 0.5, validation from 1 to 0.7.
    """
    curves = collect_curves(runs, baseline=baseline, rival=rival)
    figure = blank_figure(size, alt=describe_curves(curves))
    draw_curves(figure, curves)
    return figure


def collect_curves(
    runs: object,
    *,
    baseline: float | None = None,
    rival: float | None = None,
    past: Sequence[History] = (),
    epochs: int | None = None,
) -> TrainingCurves:
    """Gather what a figure of these runs shows; `past` and `epochs` are those of `TrainingCurves`."""
    named = _name_each(runs)
    curves = tuple(_make_curve(name, run) for name, run in named.items())
    records = [run for run in named.values() if isinstance(run, Run)]
    keys = [key for curve in curves for key in curve.history if "val_" + key in curve.history and key not in NO_MEASURE]
    measure = [*(run.measure for run in records), *keys, "loss"][0]
    known = {run.baseline for run in records if np.isfinite(run.baseline)}
    if baseline is None and len(known) == 1:  # runs on other validation samples have another
        baseline = known.pop()
    is_one = len(curves) == 1 and epochs is None and any(curves[0].history.values())
    judged = records[0] if records else curves[0].history  # a run knows its baseline, too
    title = MEASURES[measure].title if measure in MEASURES else measure
    references = {"baseline": baseline, "rival": rival}
    return TrainingCurves(
        curves=curves,
        measure=measure,
        title=name_measure(records[0].problem) if records else title,
        references={name: value for name, value in references.items() if value is not None},
        overfitting_epoch=diagnose_history(judged).overfitting_epoch if is_one else None,
        past=past,
        epochs=epochs,
        source=records[0].source if records else "",
    )


def draw_curves(figure: Figure, curves: TrainingCurves) -> None:
    """Draw training curves into an empty figure, or over those that it has: the loss left, the measure right.

    An axis is logarithmic where the curves span more than a factor of thirty. A baseline so far from the curves that
    it would flatten them stands in the legend alone.
    """
    panes = figure.axes or figure.subplots(1, 2)  # new ones, with all their ticks, would take half of the time
    for old in (*figure.legends, *(old for axes in panes for old in (*axes.lines, *axes.patches, *axes.collections))):
        old.remove()
    sample = " (sample)" if curves.source == "sample" else ""
    _draw_pane(panes[0], curves, "data_loss", f"data loss{sample}")
    _draw_pane(panes[1], curves, curves.measure, curves.title.replace(" (", "\n("))
    named = {label: line for axes in panes for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    columns = 2 if any(len(label) > LONG_NAME for label in named) else 3
    look = {"frameon": False, "fontsize": 9, "labelcolor": INK, "ncols": columns}
    figure.legend(named.values(), named, loc="outside lower center", **look)  # below: it covers no curve


def describe_curves(curves: TrainingCurves) -> str:
    """Say in words what `draw_curves` shows, for those who cannot see it."""
    planned = f" of {curves.epochs}" if curves.epochs and curves.epochs > curves.done else ""
    sample = " on a sample" if curves.source == "sample" else ""
    plural = "" if (curves.epochs or curves.done) == 1 else "s"
    parts = [f"Training curves{sample} over {curves.done}{planned} epoch{plural}"]
    for key, words in (("data_loss", "data loss"), (curves.measure, curves.title)):
        if curves.done:
            parts.append(f"{words}: {'; '.join(_describe_curve(curve, key) for curve in curves.curves)}")
    parts += [f"The {name} is {value:.3g}" for name, value in curves.references.items()]
    if curves.overfitting_epoch is not None:
        parts.append(f"Overfitting from epoch {curves.overfitting_epoch + 1} on")
    if curves.past:
        runs = f"{len(curves.past)} earlier run{'s' * (len(curves.past) > 1)}"
        parts.append(f"Behind them, faintly, the validation curves of {runs}")
    return ". ".join(parts) + "."


# The numbers.


def _name_each(runs: object) -> dict[str, object]:
    """Return the runs by their names; one that is alone needs none."""
    if isinstance(runs, Mapping) and any(isinstance(one, Mapping) or hasattr(one, "history") for one in runs.values()):
        return dict(runs)
    several = runs if isinstance(runs, list | tuple) else [runs]
    if not several:
        raise ValueError("There is nothing to draw. Received: no run. Give a run, a history or several.")
    names = [run.spec.describe() if isinstance(run, Run) else "history" for run in several]
    names = [f"{number}: {name}" for number, name in enumerate(names, 1)] if len(several) > 1 else [""]
    return dict(zip(names, several, strict=True))


def _make_curve(name: str, run: object) -> Curve:
    history = run if isinstance(run, Mapping) else getattr(run, "history", None)  # Keras keeps its own under that name
    if not isinstance(history, Mapping):
        raise TypeError(
            f"Training curves are drawn of runs and histories. Received: {type(run).__name__}. Give what recipe.train "
            "returned, or the history of model.fit."
        )
    members = tuple(one.history for one in getattr(run, "members", ()))
    return Curve(name=str(name), history=history, members=members if len(members) > 1 else ())


def _read(history: History, key: str) -> np.ndarray:
    """Return one list of a history as floats, NaN where a number is not finite; empty where there is none."""
    if key.endswith("data_loss") and key not in history:
        key = key.replace("data_loss", "loss")  # a history of plain Keras
    values = np.asarray(history.get(key, ()), float)
    return np.where(np.isfinite(values), values, np.nan)


def _describe_curve(curve: Curve, key: str) -> str:
    told = []
    for prefix, _, _, side in SIDES:
        values = _read(curve.history, prefix + key)
        if len(values):
            first, last = ("not finite" if np.isnan(value) else f"{value:.3g}" for value in values[[0, -1]])
            told.append(f"{side} from {first} to {last}" if len(values) > 1 else f"{side} {first}")
    if key == "data_loss" and curve.best_epoch is not None:
        told[-1] += f", best {values[curve.best_epoch]:.3g} in epoch {curve.best_epoch + 1}"
    mean = f"mean of {len(curve.members)}: " if curve.members else ""
    return f"{f'{curve.name}: ' if curve.name else ''}{mean}{', '.join(told)}"


# The drawing.


def _draw_pane(axes: Axes, curves: TrainingCurves, key: str, title: str) -> None:
    """Draw all that is known of one quantity, each thing with its label for the legend."""
    compares = len(curves.curves) > 1
    axes.relim()
    axes.autoscale()
    for number, curve in enumerate(curves.curves):
        colour, mark = LOOKS[number % len(LOOKS)]
        _draw_curve(axes, curve, key, colour if compares else None, mark)
    if compares:  # the styles mean the same in every colour
        for _, _, style, side in SIDES:
            axes.plot([], [], color=INK, linestyle=style, label=side)
        axes.plot([], [], "D", color=INK, label="best epoch, each its own mark")
    if (since := curves.overfitting_epoch) is not None:
        words = f"overfitting from epoch {since + 1}"
        axes.axvline(since + 1, color=VERMILION, linestyle=(0, (4, 2, 1, 2)), lw=1.3, zorder=1, label=words)
        axes.axvspan(since + 1, curves.last_epoch + 1, color=VERMILION, alpha=0.08, lw=0, zorder=0)
    values = np.concatenate([_read(one, side + key) for one in curves.histories for side, *_ in SIDES])
    values = values[np.isfinite(values)]
    _scale(axes, values, key)
    if key == curves.measure:
        _draw_references(axes, values, curves.references)
    if len(values):
        axes.set_ylim(axes.get_ylim())  # as it is: an earlier run that exploded changes nothing
    elif not curves.past:
        axes.set_ylim(0, 1.02)
    for history in curves.past:
        _plot(axes, _read(history, "val_" + key), label="earlier runs (validation)", **PAST)
    room = max(0.5 if curves.last_epoch < 5 else 0.0, 0.02 * curves.last_epoch)
    axes.set_xlim(1 - room, curves.last_epoch + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axes.set_xlabel("epoch")
    axes.yaxis.set_label_coords(0, 0)  # there is none: Matplotlib would measure all tick labels to place it
    finish(axes, title)


def _plot(axes: Axes, values: np.ndarray, **style: object) -> None:
    """Draw one curve from epoch 1 on, with a dot an epoch where there are few."""
    if len(values):
        mark = "o" if np.isfinite(values).sum() <= FEW_EPOCHS else None
        axes.plot(range(1, len(values) + 1), values, marker=mark, markersize=4, **style)


def _draw_curve(axes: Axes, curve: Curve, key: str, own: str | None, mark: str) -> None:
    """Draw both sides of a training, the band of its members, its chosen epoch; in its own colour or each side's."""
    mean = f" (mean of {len(curve.members)})" if curve.members else ""
    for prefix, side_colour, style, side in SIDES:
        values, look = _read(curve.history, prefix + key), {"color": own or side_colour, "linestyle": style}
        for member in curve.members:
            _plot(axes, _read(member, prefix + key), lw=0.7, alpha=0.45, **look)
        if curve.members and len(values):
            together = np.array([_read(member, prefix + key)[: len(values)] for member in curve.members])
            lows, highs = together.min(axis=0), together.max(axis=0)  # (members, epochs) -> (epochs,)
            axes.fill_between(range(1, len(values) + 1), lows, highs, color=look["color"], alpha=0.18, lw=0)
        _plot(axes, values, lw=2 if prefix or not own else 1.4, label=None if own else side + mean, **look)
    if own:
        axes.plot([], [], color=own, lw=2, marker=mark, markersize=7, label=curve.name + mean)
    if (best := curve.best_epoch) is not None and best < len(values):
        words = None if own else f"best epoch: {best + 1}"
        axes.plot(best + 1, values[best], mark, color=own or GREEN, markersize=7, zorder=4, label=words)


def _scale(axes: Axes, values: np.ndarray, key: str) -> None:
    """Choose the upright axis: logarithmic where the values span much, but for shares, which end at 1."""
    is_share = key in MEASURES and MEASURES[key].higher_is_better
    is_wide = len(values) and not is_share and 0 < WIDE_RANGE * values.min() < values.max()
    if axes.get_yscale() != (scale := "log" if is_wide else "linear"):
        axes.set_yscale(scale)
    if is_wide:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if values.max() < 300 * values.min() else (1,)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_references(axes: Axes, values: np.ndarray, references: Mapping[str, float]) -> None:
    """Draw what the measure is held against; what would flatten the curves stands in the legend alone."""
    for name, value in references.items():
        span = np.ptp(np.append(values, value))
        is_near = axes.get_yscale() == "log" or not len(values) or np.ptp(values) >= CURVES_SHARE * span
        style = {"color": INK, "linestyle": REFERENCES[name], "lw": 1.8}
        axes.plot([], [], label=f"{name} {value:.3g}{'' if is_near else ', far off'}", **style)
        if is_near:
            axes.axhline(value, **style)
