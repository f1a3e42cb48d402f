"""Training curves, drawn: the data loss beside the measure of success, and the penalty of the weights apart.

`collect_curves` gathers the numbers, `draw_curves` draws them, `describe_curves` says the same in words, and
`plot_runs` does all three for a notebook.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from recipe.core.measures import MEASURES
from recipe.core.run import Run, lowest_epoch
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, NotebookFigure, blank_figure, finish
from recipe.steps.s6_scale_up import diagnose_history

History = Mapping[str, Sequence[float]]

WIDE_RANGE = 30.0  # largest over smallest, from which on an axis is logarithmic
CURVES_SHARE = 0.3  # of the height: a baseline that would leave the curves less stands in the legend alone
NARROW = 5.5  # inches: a narrower figure has its axes below each other
FEW_EPOCHS = 10  # of so many each is marked by a dot
LONG_NAME = 24  # letters, from which on the names in the legend stand below each other
SIDES = (("", BLUE, "--", "training"), ("val_", ORANGE, "-", "validation"))
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK)
PAST = "#8c8c8c"
NO_MEASURE = ("loss", "data_loss", "penalty")


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """The curves of one training; of several with the same spec their mean, which are its `members`."""

    history: History
    members: tuple[History, ...] = ()
    name: str = ""

    @property
    def epochs(self) -> int:
        """How many epochs there are, in the longest of the members too."""
        return max(len(_read(one, side + "data_loss")) for one in (self.history, *self.members) for side, *_ in SIDES)

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
    measure, title, unit : the measure's key in a history, its name for people, and its unit
    baseline : what a guess that never looks at the input achieves; None if unknown
    overfitting_epoch : from 0, the first epoch of overfitting; None where there is none, or several curves
    past : earlier trainings; their validation curves are drawn faintly, as far as they fit in
    epochs : how far the axis goes while training runs; None goes as far as the longest history
    source : of the data; a sample is named as one
    """

    curves: tuple[Curve, ...]
    measure: str
    title: str
    unit: str = ""
    baseline: float | None = None
    overfitting_epoch: int | None = None
    past: tuple[History, ...] = ()
    epochs: int | None = None
    source: str = ""

    @property
    def histories(self) -> list[History]:
        """Every line that is drawn: the curves and their members."""
        return [one for curve in self.curves for one in (curve.history, *curve.members)]

    @property
    def compares(self) -> bool:
        """Whether there are several trainings, side by side."""
        return len(self.curves) > 1

    @property
    def last_epoch(self) -> int:
        """How far the axis goes; without a run under way as far as the past ones."""
        done = max((curve.epochs for curve in self.curves), default=0)
        past = [len(_read(one, "val_data_loss")) for one in self.past]
        return max(1, self.epochs or 0, done or max(past, default=0))

    @property
    def diverged_epoch(self) -> int | None:
        """The first epoch, from 0, with a loss that is no number."""
        bad = [np.flatnonzero(np.isnan(_read(one, side + "data_loss"))) for one in self.histories for side, *_ in SIDES]
        return min((int(epochs[0]) for epochs in bad if len(epochs)), default=None)

    @property
    def near_baseline(self) -> float | None:
        """The baseline where it can be drawn beside the curves, without making them flat."""
        values = self.finite((self.measure, "val_" + self.measure))
        if self.baseline is None or not len(values) or _wants_log(values, self.measure):
            return self.baseline
        all_of_it = np.append(values, self.baseline)
        return self.baseline if np.ptp(values) >= CURVES_SHARE * np.ptp(all_of_it) else None

    @property
    def has_penalty(self) -> bool:
        """Whether the weights of any of them have a price."""
        return any((_read(one, "penalty") > 0).any() for one in self.histories)

    def finite(self, keys: Iterable[str], histories: Sequence[History] | None = None) -> np.ndarray:
        """Return all finite values under these keys, in no order."""
        histories = self.histories if histories is None else histories
        parts = [_read(one, key)[: self.last_epoch] for one in histories for key in keys]
        values = np.concatenate([np.empty(0), *parts])
        return values[np.isfinite(values)]


def plot_runs(
    runs: object, *, measure: str | None = None, baseline: float | None = None, size: tuple[float, float] = (9.0, 4.4)
) -> NotebookFigure:
    """Draw the training curves of one run or several: data loss on the left, the measure of success on the right.

    A run that is the mean of several (of `cross_validate`, `train_seeds`) is drawn with the band of its members.
    Several runs have a colour each. A diamond marks the chosen epoch, at which a run is scored.

    Parameters
    ----------
    runs : Run, history (a dict of lists) or Keras History
        Or a sequence of them, or a dict of them by the names that the legend shows.
    measure : the key of the history on the right; None takes the problem's, or the first metric of a plain history
    baseline : what a guess achieves; None takes what the runs know of it
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
        If there is nothing to draw, or the runs are judged by different measures.

    Examples
    --------
    >>> history = {"loss": [0.9, 0.4], "val_loss": [0.8, 0.6], "mae": [1, 0.5], "val_mae": [1, 0.7]}
    >>> print(plot_runs(history).alt)  # doctest: +NORMALIZE_WHITESPACE
    Training curves over 2 epochs. data loss: training from 0.9 to 0.4, validation from 0.8 to 0.6, best 0.6 in
    epoch 2. mean absolute error: training from 1 to 0.5, validation from 1 to 0.7.
    """
    curves = collect_curves(runs, measure=measure, baseline=baseline)
    figure = blank_figure(size, alt=describe_curves(curves))
    draw_curves(figure, curves)
    return figure


def collect_curves(
    runs: object,
    *,
    measure: str | None = None,
    baseline: float | None = None,
    past: Sequence[History] = (),
    epochs: int | None = None,
) -> TrainingCurves:
    """Gather what a figure of these runs shows; `past` and `epochs` are those of `TrainingCurves`."""
    named = _name_each(runs)
    records = [run for run in named.values() if isinstance(run, Run)]
    curves = tuple(_make_curve(name, run) for name, run in named.items())
    measure = measure or _find_measure(records, curves)
    known = {run.baseline for run in records if np.isfinite(run.baseline)}
    if baseline is None and len(known) == 1:  # runs on other validation samples have another
        baseline = known.pop()
    title = MEASURES[measure].title if measure in MEASURES else measure
    unit = MEASURES[measure].unit_of(records[0].problem) if records and measure in MEASURES else ""
    since = None
    if len(curves) == 1 and epochs is None and curves[0].epochs:
        since = diagnose_history(curves[0].history).overfitting_epoch
    return TrainingCurves(
        curves=curves,
        measure=measure,
        title=title,
        unit=unit,
        baseline=baseline,
        overfitting_epoch=since,
        past=tuple(past),
        epochs=epochs,
        source=records[0].source if records else "",
    )


def draw_curves(figure: Figure, curves: TrainingCurves) -> dict[str, Axes]:
    """Draw training curves into an empty figure.

    An axis is logarithmic where the curves span more than a factor of thirty. A baseline so far from the curves that
    it would flatten them stands in the legend alone.

    Returns
    -------
    dict of Axes : ``"loss"``, ``"measure"``, and ``"penalty"`` where any is above 0
    """
    panes = _lay_out(figure, curves)
    sample = " (sample)" if curves.source == "sample" else ""
    unit = f"\n({curves.unit})" if len(curves.unit) > 12 else f" ({curves.unit})" if curves.unit else ""
    loss, measure = ("loss", "data_loss", f"data loss{sample}"), ("measure", curves.measure, curves.title + unit)
    for pane, key, title in (loss, measure):
        axes = panes[pane]
        for history in curves.past:
            _plot(axes, _read(history, "val_" + key)[: curves.last_epoch], color=PAST, lw=1, alpha=0.55, zorder=1)
        for number, curve in enumerate(curves.curves):
            _draw_curve(axes, curve, key, COLOURS[number % len(COLOURS)] if curves.compares else None)
        _scale(axes, curves, key, curves.near_baseline if pane == "measure" else None)
        _mark_epochs(axes, curves)
        finish(axes, title)
    if "penalty" in panes:
        _draw_penalty(panes["penalty"], curves)
    if curves.near_baseline is not None:
        panes["measure"].axhline(curves.near_baseline, color=INK, linestyle=":", lw=1.8)
    _number_epochs(panes, curves.last_epoch)
    handles = _make_handles(curves)
    has_long_names = any(len(curve.name) > LONG_NAME for curve in curves.curves)
    columns = 2 if has_long_names or figure.get_figwidth() < NARROW else 3
    look = {"frameon": False, "fontsize": 9, "labelcolor": INK}
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **look)  # below: it covers no curve
    return panes


def describe_curves(curves: TrainingCurves) -> str:
    """Say in words what `draw_curves` shows, for those who cannot see it."""
    done = max((curve.epochs for curve in curves.curves), default=0)
    planned = f" of {curves.epochs}" if curves.epochs and curves.epochs > done else ""
    sample = " on a sample" if curves.source == "sample" else ""
    parts = [f"Training curves{sample} over {done}{planned} epoch{'' if (curves.epochs or done) == 1 else 's'}"]
    title = f"{curves.title}{f' in {curves.unit}' if curves.unit else ''}"
    for key, words in (("data_loss", "data loss"), (curves.measure, title)):
        told = [_describe_curve(curve, key) for curve in curves.curves if curve.epochs]
        parts += [f"{words}: {'; '.join(told)}"] if told else []
    penalties = [penalty for one in curves.curves if (penalty := _read(one.history, "penalty")).any()]
    parts += [f"The penalty goes from {some[0]:.3g} to {some[-1]:.3g}" for some in penalties[:1]]
    parts += [f"The baseline is {curves.baseline:.3g}"] if curves.baseline is not None else []
    if curves.overfitting_epoch is not None:
        parts.append(f"Overfitting from epoch {curves.overfitting_epoch + 1} on")
    if curves.diverged_epoch is not None:
        parts.append(f"Diverged: no finite number in epoch {curves.diverged_epoch + 1}")
    if curves.past:
        runs = f"{len(curves.past)} earlier run{'s' * (len(curves.past) > 1)}"
        parts.append(f"Behind them, faintly, the validation curves of {runs}")
    return ". ".join(parts) + "."


# The numbers.


def _name_each(runs: object) -> dict[str, object]:
    """Return the runs by their names; one that is alone needs none."""
    if isinstance(runs, Mapping) and not _is_history(runs):
        named = dict(runs)
    elif isinstance(runs, Run | Mapping) or hasattr(runs, "history"):
        named = {"": runs}
    else:
        listed = list(runs)
        named = {_name(run, number) if len(listed) > 1 else "": run for number, run in enumerate(listed, 1)}
    if not named:
        raise ValueError(f"There is nothing to draw. Received: runs={runs!r}. Give a run, a history or several.")
    return named


def _is_history(values: Mapping[str, object]) -> bool:
    return all(isinstance(one, Sequence | np.ndarray) and not isinstance(one, str) for one in values.values())


def _name(run: object, number: int) -> str:
    return f"{number}: {run.spec.describe()}" if isinstance(run, Run) else f"run {number}"


def _make_curve(name: str, run: object) -> Curve:
    history = run if isinstance(run, Mapping) else getattr(run, "history", None)  # Keras keeps its own under that name
    if not isinstance(history, Mapping) or not _is_history(history):
        raise TypeError(
            f"Training curves are drawn of runs and histories. Received: {type(run).__name__}. Give what recipe.train "
            "returned, or the history of model.fit."
        )
    members = tuple(one.history for one in getattr(run, "members", ()))
    return Curve(name=str(name), history=history, members=members)


def _find_measure(records: Sequence[Run], curves: Sequence[Curve]) -> str:
    measures = sorted({run.measure for run in records})
    if len(measures) > 1:
        raise ValueError(
            f"Runs in one figure need one measure. Received: {', '.join(measures)}. Draw those of each problem apart."
        )
    keys = [key for curve in curves for key in curve.history if "val_" + key in curve.history and key not in NO_MEASURE]
    return measures[0] if measures else keys[0] if keys else "loss"


def _read(history: History, key: str) -> np.ndarray:
    """Return one list of a history as floats, NaN where a number is not finite; empty where there is none."""
    if key.endswith("data_loss") and key not in history:
        key = key.replace("data_loss", "loss")  # a history of plain Keras
    values = np.asarray(history.get(key, ()), float)
    return np.where(np.isfinite(values), values, np.nan)


def _wants_log(values: np.ndarray, key: str) -> bool:
    """Say whether the axis is logarithmic: never for shares, which end at 1."""
    is_share = key in MEASURES and MEASURES[key].higher_is_better
    return bool(len(values)) and not is_share and values.min() > 0 and values.max() > WIDE_RANGE * values.min()


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


def _lay_out(figure: Figure, curves: TrainingCurves) -> dict[str, Axes]:
    """Make the axes: side by side, or below each other in a narrow figure."""
    left, right = figure.add_gridspec(*((2, 1) if figure.get_figwidth() < NARROW else (1, 2)))
    panes = {"measure": figure.add_subplot(right)}
    if not curves.has_penalty:
        return panes | {"loss": figure.add_subplot(left)}
    upper, lower = left.subgridspec(2, 1, height_ratios=(2.6, 1))
    panes["loss"] = figure.add_subplot(upper)
    return panes | {"penalty": figure.add_subplot(lower, sharex=panes["loss"])}


def _plot(axes: Axes, values: np.ndarray, **style: object) -> None:
    """Draw one curve from epoch 1 on, with a dot an epoch where there are few."""
    if len(values):
        mark = "o" if np.isfinite(values).sum() <= FEW_EPOCHS else None
        axes.plot(range(1, len(values) + 1), values, marker=mark, markersize=4, **style)


def _draw_curve(axes: Axes, curve: Curve, key: str, own: str | None) -> None:
    """Draw both sides of a training, the band of its members, its chosen epoch; in its own colour or each side's."""
    for prefix, side_colour, style, _ in SIDES:
        colour, values = own or side_colour, _read(curve.history, prefix + key)
        for member in curve.members:
            _plot(axes, _read(member, prefix + key), color=colour, linestyle=style, lw=0.7, alpha=0.45)
        if curve.members and len(values):
            together = np.array([_read(member, prefix + key)[: len(values)] for member in curve.members])
            band = {"color": colour, "alpha": 0.18, "lw": 0}  # (members, epochs) -> from the lowest to the highest
            axes.fill_between(range(1, len(values) + 1), together.min(axis=0), together.max(axis=0), **band)
        _plot(axes, values, color=colour, linestyle=style, lw=2 if prefix or not own else 1.4)
    if curve.best_epoch is not None and curve.best_epoch < len(values):
        mark = {"color": own or GREEN, "markersize": 7, "zorder": 4}
        axes.plot(curve.best_epoch + 1, values[curve.best_epoch], "D", **mark)


def _draw_penalty(axes: Axes, curves: TrainingCurves) -> None:
    """Draw the penalty of the weights, which is no part of the data loss."""
    for number, curve in enumerate(curves.curves):
        colour = COLOURS[number % len(COLOURS)] if curves.compares else PURPLE
        penalty = _read(curve.history, "penalty")
        _plot(axes, penalty if penalty.any() else penalty[:0], color=colour, linestyle="-.", lw=1.6)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=2))
    axes.set_ylim(bottom=0)
    finish(axes, "penalty of the weights")


def _scale(axes: Axes, curves: TrainingCurves, key: str, near: float | None) -> None:
    """Set the upright axis: the curves fill it, past ones are shown as far as they are not far away."""
    values, around = curves.finite((key, "val_" + key)), curves.finite(("val_" + key,), curves.past)
    if not len(values) and not len(around):
        _scale_empty(axes, key, near)
        if any(curve.epochs for curve in curves.curves):
            axes.text(0.5, 0.75, "no finite number", transform=axes.transAxes, ha="center", va="center", color=INK)
        return
    values = values if len(values) else around
    is_log = _wants_log(values, key)
    if near is not None and (near > 0 or not is_log):
        values = np.append(values, near)
    if is_log:
        axes.set_yscale("log")
        if values.max() < 300 * values.min():  # or there would be two numbers on the axis
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        values, around = np.log(values), np.log(around[around > 0])
    span = np.ptp(values)
    shown = np.append(values, around.clip(values.min() - span / 2, values.max() + span / 2))
    room = 0.06 * np.ptp(shown) or 0.1 * abs(float(shown[0])) or 0.1
    ends = np.array([shown.min() - room, shown.max() + room])
    axes.set_ylim(np.exp(ends) if is_log else ends)


def _scale_empty(axes: Axes, key: str, near: float | None) -> None:
    """Set the upright axis before there is a number: shares go to 1, an error to what a guess makes."""
    if key in MEASURES and MEASURES[key].higher_is_better:
        axes.set_ylim(0, 1.02)
    elif near is not None and near > 0:
        axes.set_ylim(0, 1.1 * near)
    else:
        axes.set_yticks([])


def _mark_epochs(axes: Axes, curves: TrainingCurves) -> None:
    """Mark where overfitting begins, and the first epoch whose loss is no number."""
    end = curves.last_epoch + 1
    if (since := curves.overfitting_epoch) is not None:
        axes.axvline(since + 1, color=VERMILION, linestyle=(0, (4, 2, 1, 2)), lw=1.3, zorder=1)
        axes.axvspan(since + 1, end, color=VERMILION, alpha=0.08, lw=0, zorder=0)
    if (diverged := curves.diverged_epoch) is not None:
        axes.axvspan(diverged + 1, end, color=INK, alpha=0.1, lw=0, zorder=0)


def _number_epochs(panes: Mapping[str, Axes], last: int) -> None:
    """Give all axes the same epochs, as whole numbers."""
    room = max(0.5 if last < 5 else 0.0, 0.02 * last)
    for name, axes in panes.items():
        axes.set_xlim(1 - room, last + room)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
        if name == "loss" and "penalty" in panes:  # they share the axis below
            axes.tick_params(axis="x", labelbottom=False)
        else:
            axes.set_xlabel("epoch", color=INK)


def _make_handles(curves: TrainingCurves) -> list[Line2D]:
    """Say in the legend what each line is."""
    compares, first = curves.compares, curves.curves[0]
    mean = f" (mean of {len(first.members)})" if first.members and not compares else ""
    names = [curve.name for curve in curves.curves] if compares else []
    looks = [(name, {"color": COLOURS[number % len(COLOURS)], "lw": 2}) for number, name in enumerate(names)]
    for _, own, style, side in SIDES:
        looks.append((side + mean, {"color": INK if compares else own, "linestyle": style, "lw": 1.8}))
    if any(curve.best_epoch is not None for curve in curves.curves):
        words = "best epoch" if compares else f"best epoch: {first.best_epoch + 1}"
        looks.append((words, {"color": INK if compares else GREEN, "marker": "D", "linestyle": "none"}))
    if (since := curves.overfitting_epoch) is not None:
        words = f"overfitting from epoch {since + 1}"
        looks.append((words, {"color": VERMILION, "linestyle": (0, (4, 2, 1, 2)), "lw": 1.3}))
    if (diverged := curves.diverged_epoch) is not None:
        looks.append((f"diverged in epoch {diverged + 1}", {"color": INK, "alpha": 0.15, "lw": 7}))
    if curves.baseline is not None:
        far = "" if curves.near_baseline is not None else ", far off"
        looks.append((f"baseline {curves.baseline:.3g}{far}", {"color": INK, "linestyle": ":", "lw": 1.8}))
    if curves.past:
        looks.append(("earlier runs (validation)", {"color": PAST, "alpha": 0.7, "lw": 1}))
    return [Line2D([], [], label=label, **look) for label, look in looks]
