"""Step 2, drawn: the four counts of a yes-or-no model, and the trade-off at its threshold."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.figures import BLUE, INK, ORANGE, SKY, VERMILION, finish
from recipe.lessons.s2_measure.study import ConfusionMatrix, ThresholdReport


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
        _draw_confusion(counts, names, title, panes[pane])
    axes, at = panes["curve"], report.model
    label = f"all thresholds: AP {report.average_precision:.2f}"
    axes.plot(report.recall, report.precision, color=BLUE, label=label)
    axes.axhline(report.share, color=INK, linestyle=":", label=f"a guess: {report.share:.2f}")
    label = f"threshold {report.threshold:.2f}: F1 {at.f1:.2f}"
    axes.plot(at.recall, at.precision, "D", color=VERMILION, markersize=9, label=label, clip_on=False, zorder=3)
    axes.set_xlabel("recall: share of the yes that is found")
    axes.set_ylabel("precision: share of alarms that are right")
    axes.set_xlim(-0.02, 1.03)
    axes.set_ylim(-0.02, 1.05)
    marked = " (sample)" if source == "sample" else ""
    finish(axes, f"{at.samples:,} held-out samples, {report.share:.1%} {names[1]}{marked}")
    axes.legend(frameon=False, fontsize="small", labelcolor=INK, loc="upper left", bbox_to_anchor=(0, -0.16))


def describe_threshold_report(report: ThresholdReport, names: Sequence[str]) -> str:
    """Say in words what `draw_threshold_report` shows, for those who cannot see it."""
    model, never = report.model, report.never
    return (
        f"Of {model.samples:,} samples {report.share:.1%} are {names[1]}. At the threshold {report.threshold:.2f} the "
        f"network finds {model.true_positives:,} and misses {model.false_negatives:,} of them, with "
        f"{model.false_positives:,} false alarms: precision {model.precision:.2f}, recall {model.recall:.2f}, "
        f"F1 {model.f1:.2f}, accuracy {model.accuracy:.1%}. Never saying {names[1]} has an accuracy of "
        f"{never.accuracy:.1%} and an F1 of {never.f1:.2f}. Over all thresholds the average precision is "
        f"{report.average_precision:.2f}."
    )


def _draw_confusion(counts: ConfusionMatrix, names: Sequence[str], title: str, axes: Axes) -> None:
    """Draw the four counts as a table, right answers on blue ground and wrong ones on orange."""
    table = ((counts.true_negatives, counts.false_positives), (counts.false_negatives, counts.true_positives))
    words = (("right", "false alarms"), ("missed", "found"))
    for row, pair in enumerate(table):
        for column, count in enumerate(pair):
            colour = SKY if row == column else ORANGE
            axes.fill_between((column - 0.5, column + 0.5), row - 0.5, row + 0.5, color=colour, lw=0, alpha=0.25)
            text = f"{count:,}\n{words[row][column]} ({count / max(sum(pair), 1):.0%})"
            axes.text(column, row, text, ha="center", va="center", color=INK)
    axes.set_xticks((0, 1), [f"said: {name}" for name in names])
    axes.set_yticks((0, 1), [f"is\n{name}" for name in names])
    axes.set_xlim(-0.5, 1.5)
    axes.set_ylim(1.5, -0.5)
    finish(axes, title)
    axes.tick_params(length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
