"""Step 5, drawn: a model against its baseline, the power of a validation set, right and wrong last layers, rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from recipe.core.measures import MEASURES
from recipe.core.problem import ProblemType
from recipe.debugging.rate_sweep import RateSweep
from recipe.figures import BLUE, GREEN, INK, ORANGE, SKY, VERMILION, finish
from recipe.lessons.s5_baseline.contest import WANTED, Contest, PowerCurve
from recipe.lessons.s5_baseline.last_layers import LastLayerTrial
from recipe.steps.s5_baseline import StatisticalPower

POINTS = 1_000  # so many are drawn of a scatter; more would only be ink
COLOURS, STYLES = (BLUE, VERMILION, ORANGE, GREEN, INK), ("-", "--", "-.", ":", (0, (1, 4)))


def draw_against_baseline(power: StatisticalPower, *, axes: Axes, unit: str = "", title: str = "") -> Axes:
    """Draw a model's score beside the baseline's, with the interval of how much better it is.

    Parameters
    ----------
    unit : of the measure; empty for shares
    """
    measure = MEASURES[power.measure]
    sign = 1 if measure.higher_is_better else -1
    axes.axvline(power.baseline, color=INK, linestyle=":", linewidth=1.5)
    if math.isfinite(power.model):
        ends = [power.baseline + sign * end for end in power.interval]
        axes.plot(ends, (0, 0), color=BLUE, linewidth=3, alpha=0.6, solid_capstyle="butt")
        axes.plot(power.model, 0, "o", color=BLUE, markersize=8)
        _write(axes, power.model, 0, f"model {power.model:.3g}")
        axes.plot((power.baseline, power.model, *ends), np.zeros(4), alpha=0)  # room for all of them
    axes.plot(power.baseline, 1, "D", color=VERMILION, markersize=7)
    _write(axes, power.baseline, 1, f"baseline {power.baseline:.3g}")
    axes.set_ylim(1.5, -0.8)
    axes.set_yticks(())
    axes.margins(x=0.25)
    better = "right is better" if measure.higher_is_better else "left is better"
    axes.set_xlabel("\n".join(filter(None, [f"{measure.title} ({better})", unit])))
    finish(axes, title)
    axes.spines["left"].set_visible(False)
    return axes


def draw_power(
    curve: PowerCurve,
    *,
    simulated: dict[int, float] | None = None,
    chosen: int | None = None,
    name: str = "",
    colour: str = BLUE,
    title: str = "",
    axes: Axes,
) -> Axes:
    """Draw which share of validation sets of a size would show that the model is better.

    Parameters
    ----------
    simulated : of some sizes, the share of sets that were drawn and showed it
    chosen : a size to mark
    name : of the model, where several curves are drawn into one figure
    """
    axes.axhline(WANTED, color=INK, linestyle=":", linewidth=1.2)
    needs = f"{curve.needed:,} samples for {WANTED:.0%}" if curve.needed else "no number helps"
    label = f"{name}: {needs}" if name else needs
    axes.plot(curve.samples, curve.power, color=colour, label=label)
    if simulated:
        axes.plot(*zip(*simulated.items(), strict=True), "D", color=ORANGE, label="sets that were drawn", zorder=3)
    if chosen is not None:
        at_chosen = float(np.interp(chosen, curve.samples, curve.power))
        axes.plot(chosen, at_chosen, "o", color=VERMILION, markersize=9, label=f"{chosen:,} samples", zorder=3)
    _count_on_log_axis(axes)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel("validation samples (log scale)")
    axes.set_ylabel("share of sets that show it")
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="best")
    return axes


def draw_last_layer(trial: LastLayerTrial, *, axes: Axes) -> Axes:
    """Draw what a last layer puts out, in the way that shows what is wrong with it.

    Quantities: predicted against true values of the first output. A yes or no: how the outputs of both lie. Classes
    and labels: what the outputs of a sample add up to; of labels, only samples of which two or more are true.
    """
    kind = trial.problem.type
    if not np.isfinite(trial.outputs).all():
        axes.text(0.5, 0.5, "diverged:\nno numbers", ha="center", va="center", color=INK, transform=axes.transAxes)
    elif not kind.is_classification:
        _draw_predicted(trial, axes)
    elif kind is ProblemType.BINARY:
        _draw_outputs(trial, axes)
    else:
        _draw_sums(trial, axes)
    measure = MEASURES[trial.problem.measure]
    short = {"mean absolute error": "MAE", "mean squared error": "MSE"}.get(measure.title, measure.title)
    head = f"{'right' if trial.is_right else 'wrong'}: {trial.name}"
    finish(axes, f"{head}\n{short} {trial.score:.3g}, a guess {trial.baseline:.3g}")
    return axes


def draw_scores_by_epoch(trials: Sequence[LastLayerTrial], *, axes: Axes, title: str = "") -> Axes:
    """Draw how fast each row learns: the measure of success on the validation part after each epoch."""
    measure = MEASURES[trials[0].problem.measure]
    for number, trial in enumerate(trials):
        colour, style = COLOURS[number % 5], STYLES[number % 5]
        scores = trial.run.history["val_" + measure.name]
        axes.plot(range(1, len(scores) + 1), scores, color=colour, linestyle=style, label=trial.name)
    axes.axhline(trials[0].baseline, color=INK, linestyle=":", linewidth=1.2, label="baseline")
    axes.set_xlabel("epoch")
    axes.set_ylabel("\n".join(filter(None, [f"validation {measure.title}", measure.unit_of(trials[0].problem)])))
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(0, -0.16))
    return axes


def draw_rates(sweep: RateSweep, *, own: float | None = None, axes: Axes, title: str = "") -> Axes:
    """Draw the loss that each learning rate reached, and that of a guess.

    Parameters
    ----------
    own : the model's own rate, to be marked
    """
    losses = np.array(sweep.losses)
    finite = np.isfinite(losses)
    top = 2.0 * sweep.guess  # what is far above a guess is as useless as what is a little above
    axes.axhline(sweep.guess, color=INK, linestyle=":", label=f"a guess: {sweep.guess:.3g}")
    axes.plot(sweep.rates, np.where(finite, np.minimum(losses, top), np.nan), "o-", color=BLUE, label="validation loss")
    beyond = ~finite | (losses > top)
    if beyond.any():
        rates = np.array(sweep.rates)[beyond]
        axes.plot(rates, np.full(len(rates), top), "x", color=VERMILION, markersize=10, label="beyond, or diverged")
    if own is not None:
        axes.axvline(own, color=ORANGE, linestyle="--", label=f"its own rate: {own:g}")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.08 * top)
    axes.set_xlabel(f"learning rate of {sweep.optimizer} (log scale)")
    axes.set_ylabel(f"validation loss after {sweep.updates} batches")
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_judgement(figure: Figure, contest: Contest, power: StatisticalPower) -> None:
    """Fill a figure with a model against its baseline on a few samples, and the power of such sets."""
    panes = figure.subplots(1, 2, width_ratios=(1, 1.2))
    marked = " (sample data)" if contest.source == "sample" else ""
    verdict = "beats it" if power.beats_baseline else "may be chance" if power.difference > 0 else "does not beat it"
    unit = MEASURES[power.measure].unit_of(contest.problem)
    title = f"{power.samples:,} samples: {verdict}\nconfidence {_share(power.confidence)}{marked}"
    draw_against_baseline(power, unit=unit, title=title, axes=panes[0])
    draw_power(contest.curve, chosen=power.samples, title="how many sets of a size would show it", axes=panes[1])


def _draw_predicted(trial: LastLayerTrial, axes: Axes) -> None:
    """Predicted against true, the diagonal where both are the same."""
    true, predicted = np.asarray(trial.y_val).reshape(len(trial.outputs), -1)[:, 0], trial.outputs[:, 0]
    rows = np.random.default_rng(0).permutation(len(true))[:POINTS]
    ends = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    axes.plot(ends, ends, color=INK, linestyle=":", linewidth=1.2)
    colour = BLUE if trial.is_right else VERMILION
    axes.plot(true[rows], predicted[rows], ".", color=colour, alpha=0.35, markersize=5)
    name, unit = trial.problem.output_names[0], trial.problem.target_unit
    axes.set_xlabel(f"true {name}" + (f"\n({unit})" if unit and trial.problem.outputs == 1 else ""))
    axes.set_ylabel(f"predicted {name}")


def _draw_outputs(trial: LastLayerTrial, axes: Axes) -> None:
    """The outputs of the no and of the yes, and where probabilities end."""
    y, outputs = np.asarray(trial.y_val).reshape(-1), trial.outputs[:, 0]
    edges = np.linspace(min(-0.05, outputs.min()), max(1.05, outputs.max()), 41)
    for label, colour, style in ((0, SKY, {"histtype": "stepfilled", "alpha": 0.6}), (1, VERMILION, {"linewidth": 2})):
        axes.hist(
            outputs[y == label],
            bins=edges,
            color=colour,
            label=f"is {trial.problem.output_names[label]}",
            **{"histtype": "step"} | style,
        )
    for end in (0, 1):
        axes.axvline(end, color=INK, linestyle=":", linewidth=1.2)
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlabel("output (dotted: 0 and 1)")
    axes.set_ylabel("samples")
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)


def _draw_sums(trial: LastLayerTrial, axes: Axes) -> None:
    """What the outputs add up to."""
    is_labels = trial.problem.type is ProblemType.MULTILABEL
    rows = np.asarray(trial.y_val).sum(axis=1) >= 2 if is_labels else slice(None)
    sums = trial.outputs[rows].sum(axis=1)
    edges = np.linspace(min(0.0, sums.min()), max(3.0 if is_labels else 2.0, sums.max()), 41)
    axes.hist(sums, bins=edges, color=BLUE if trial.is_right else VERMILION, alpha=0.6)
    axes.axvline(1, color=INK, linestyle=":", linewidth=1.2)
    axes.set_xlabel("sum of the outputs (dotted: 1)")
    axes.set_ylabel("samples with two labels or more" if is_labels else "samples")


def _count_on_log_axis(axes: Axes) -> None:
    """Write numbers of samples in full on a logarithmic axis, and no more of them than fit."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 40 * low else (1,)))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _write(axes: Axes, x: float, y: float, text: str) -> None:
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    place = {"textcoords": "offset points", "ha": "center"}
    axes.annotate(text, (x, y), (0, 10), fontsize="small", color=INK, bbox=ground, **place)


def _share(confidence: float) -> str:
    """Write a confidence so that it never reads as certainty."""
    return "> 99.9 %" if confidence > 0.999 else f"{100 * confidence:.1f} %"
