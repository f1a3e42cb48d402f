"""Step 2, drawn: counts, the trade-off at a threshold, and what a loss follows where a measure stands still."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.figures import BLUE, GREEN, INK, ORANGE, SKY, VERMILION, finish, new_figure
from recipe.lessons.s2_measure.thresholds import ConfusionMatrix, PrecisionRecall, ThresholdReport


def draw_confusion(counts: ConfusionMatrix, names: Sequence[str], *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the four counts as a table, right answers on blue ground and wrong ones on orange.

    Parameters
    ----------
    names : what a no and what a yes is called, such as ``("not a 5", "a 5")``
    """
    axes = axes or new_figure(width=3.6, height=3.0)[1][0]
    table = counts.table()  # (2, 2): true row, said column
    words = (("right", "false alarms"), ("missed", "found"))
    for row in range(2):
        share = table[row] / max(table[row].sum(), 1)
        for column in range(2):
            colour = SKY if row == column else ORANGE
            axes.fill_between((column - 0.5, column + 0.5), row - 0.5, row + 0.5, color=colour, lw=0, alpha=0.25)
            text = f"{table[row, column]:,}\n{words[row][column]} ({share[column]:.0%})"
            axes.text(column, row, text, ha="center", va="center", color=INK)
    axes.set_xticks((0, 1), [f"said: {name}" for name in names])
    axes.set_yticks((0, 1), [f"is\n{name}" for name in names])
    axes.set_xlim(-0.5, 1.5)
    axes.set_ylim(1.5, -0.5)
    finish(axes, title)
    axes.tick_params(length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
    return axes


def draw_precision_recall(
    curve: PrecisionRecall,
    counts: ConfusionMatrix,
    *,
    threshold: float,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw precision against recall at all thresholds, the chosen one as a dot, and what a guess achieves.

    Parameters
    ----------
    counts : the answers at the chosen threshold
    """
    axes = axes or new_figure(width=4.2)[1][0]
    # The last point is the threshold above all scores: nothing is found, and what is said is right by convention.
    recall, precision = np.append(curve.recall, 0.0), np.append(curve.precision, 1.0)
    axes.plot(recall, precision, color=BLUE, label=f"all thresholds: AP {curve.average_precision:.2f}")
    axes.axhline(curve.share, color=INK, linestyle=":", label=f"a guess: {curve.share:.2f}")
    label = f"threshold {threshold:.2f}: F1 {counts.f1:.2f}"
    axes.plot(counts.recall, counts.precision, "D", color=VERMILION, markersize=9, label=label, clip_on=False, zorder=3)
    axes.set_xlabel("recall: share of the yes that is found")
    axes.set_ylabel("precision: share of alarms that are right")
    axes.set_xlim(-0.02, 1.03)
    axes.set_ylim(-0.02, 1.05)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(0, -0.16))
    return axes


def draw_trade_off(curve: PrecisionRecall, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw precision, recall and F1 against the threshold."""
    axes = axes or new_figure()[1][0]
    lines = (("precision", curve.precision, BLUE, "-"), ("recall", curve.recall, ORANGE, "--"))
    for name, values, colour, style in (*lines, ("F1", curve.f1, GREEN, "-.")):
        axes.plot(curve.thresholds, values, color=colour, linestyle=style, label=name)
    best = curve.best_threshold
    axes.axvline(best, color=INK, linestyle=":", label=f"best F1 at {best:.2f}")
    axes.set_xlabel("threshold: a score above it is a yes")
    axes.set_ylabel("share")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.05)
    finish(axes, title)
    axes.legend(framealpha=0.85, edgecolor="none", fontsize="small", labelcolor=INK, loc="lower center")
    return axes


def draw_score_histogram(
    y_true: np.ndarray,
    scores: np.ndarray,
    names: Sequence[str],
    *,
    threshold: float,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw how the scores of the two classes lie, in counts on a logarithmic axis, and the threshold between them."""
    axes = axes or new_figure()[1][0]
    edges = np.linspace(0, 1, 41)
    for label, colour, filled in ((0, SKY, True), (1, VERMILION, False)):
        style = {"histtype": "stepfilled", "alpha": 0.5} if filled else {"histtype": "step", "linewidth": 2}
        axes.hist(scores[y_true == label], bins=edges, color=colour, label=f"is {names[label]}", **style)
    axes.axvline(threshold, color=INK, linestyle=":", label=f"threshold {threshold:.2f}")
    axes.set_yscale("log")
    axes.set_xlabel("score of the model, from surely not to surely")
    axes.set_ylabel("samples (log scale)")
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_against_weight(
    shifts: np.ndarray,
    values: np.ndarray,
    *,
    quantity: str,
    smooth: bool,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw a loss or a measure against one weight of a network: a line where it is smooth, steps where it is not."""
    axes = axes or new_figure()[1][0]
    style = "default" if smooth else "steps-mid"
    axes.plot(shifts, values, color=BLUE if smooth else VERMILION, drawstyle=style)
    axes.set_xlabel("one weight, moved by")
    axes.set_ylabel(quantity)
    axes.ticklabel_format(axis="y", useOffset=False)
    finish(axes, title)
    return axes


def draw_outlier(
    factors: np.ndarray, errors: dict[str, np.ndarray], *, title: str = "", axes: Axes | None = None
) -> Axes:
    """Draw how two errors grow, in per cent of what they were, while one single target moves away.

    Parameters
    ----------
    factors : what the target is multiplied by, beginning with 1
    errors : two of them by name, in any unit; one value a factor
    """
    axes = axes or new_figure()[1][0]
    for (name, values), colour, style in zip(errors.items(), (BLUE, VERMILION), ("-", "--"), strict=True):
        axes.plot(factors, 100 * (np.asarray(values) / values[0] - 1), color=colour, linestyle=style, label=name)
    axes.set_xlabel("one target, multiplied by")
    axes.set_ylabel("growth of the error (%)")
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_threshold_report(figure: Figure, report: ThresholdReport, names: Sequence[str], *, source: str = "") -> None:
    """Fill a figure with the model's counts, those of "never a yes" below them, and the precision-recall curve.

    Parameters
    ----------
    names : what a no and what a yes is called, such as ``("not a 5", "a 5")``
    source : of the data; a sample is named as one
    """
    panes = figure.subplot_mosaic([["model", "curve"], ["never", "curve"]], width_ratios=(1, 1.15))
    for pane, counts, name in (("model", report.model, "the network"), ("never", report.never, f"never {names[1]}")):
        title = f"{name}: accuracy {counts.accuracy:.1%}, F1 {counts.f1:.2f}"
        draw_confusion(counts, names, title=title, axes=panes[pane])
    marked = " (sample)" if source == "sample" else ""
    title = f"{report.model.samples:,} held-out samples, {report.curve.share:.1%} {names[1]}{marked}"
    draw_precision_recall(report.curve, report.model, threshold=report.threshold, title=title, axes=panes["curve"])


def describe_threshold_report(report: ThresholdReport, names: Sequence[str]) -> str:
    """Say in words what `draw_threshold_report` shows, for those who cannot see it."""
    model, never, curve = report.model, report.never, report.curve
    return (
        f"Of {model.samples:,} samples {curve.share:.1%} are {names[1]}. At the threshold {report.threshold:.2f} the "
        f"network finds {model.true_positives:,} and misses {model.false_negatives:,} of them, with "
        f"{model.false_positives:,} false alarms: precision {model.precision:.2f}, recall {model.recall:.2f}, "
        f"F1 {model.f1:.2f}, accuracy {model.accuracy:.1%}. Never saying {names[1]} has an accuracy of "
        f"{never.accuracy:.1%} and an F1 of {never.f1:.2f}. Over all thresholds the average precision is "
        f"{curve.average_precision:.2f}."
    )
