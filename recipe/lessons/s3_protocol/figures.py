"""Step 3, drawn: what a protocol reports against the truth, parts told apart, and what choosing does to a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, VERMILION, finish, new_figure
from recipe.lessons.s3_protocol.selection import SelectionStudy
from recipe.lessons.s3_protocol.study import ProtocolStudy

JITTER_SEED = 0  # dots at one score are moved apart, always in the same way


def draw_reports(
    names: Sequence[str],
    reports: Sequence[np.ndarray],
    truth: np.ndarray,
    *,
    quantity: str,
    unit: str = "",
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw one dot for each time that a protocol reported a score, a line a protocol, and the truth below them.

    Parameters
    ----------
    names, reports : of each protocol, its name and the (draws,) scores that it reported
    truth : (draws,), what the score really was
    """
    axes = axes or new_figure(width=8.0, height=1.4 + 0.65 * (len(names) + 1))[1][0]
    rng = np.random.default_rng(JITTER_SEED)
    centre = float(np.mean(truth))
    axes.axvline(centre, color=GREEN, linestyle="--", linewidth=1.5, zorder=0)
    lines = [*zip(names, reports, strict=True), ("the truth", truth)]
    for line, (name, scores) in enumerate(lines):
        mark, colour = ("D", GREEN) if name == "the truth" else ("o", BLUE)
        heights = line + rng.uniform(-0.16, 0.16, len(scores))
        axes.plot(scores, heights, mark, color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
        mean, spread = float(np.mean(scores)), float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
        axes.plot((mean - spread, mean + spread), (line + 0.3, line + 0.3), color=INK, linewidth=2)
        axes.plot(mean, line + 0.3, "|", color=INK, markersize=10, markeredgewidth=2)
        axes.annotate(
            f"{mean:.3f} ± {spread:.3f}",
            (1.01, line),
            xycoords=("axes fraction", "data"),
            verticalalignment="center",
            color=INK,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    axes.set_ylim(len(lines) - 0.4, -0.5)
    axes.margins(x=0.06)
    axes.set_xlabel(f"{quantity} ({unit})" if unit else quantity)
    axes.grid(axis="x", alpha=0.2)
    finish(axes, title)
    return axes


def draw_studies(studies: Sequence[ProtocolStudy], *, axes: Axes | None = None) -> Axes:
    """Draw the reports of several protocols that had the same rows, and the truth below them."""
    first = studies[0]
    fresh = "other rows each time" if first.redraw == "rows" else "the same rows, cut anew each time"
    return draw_reports(
        [study.name for study in studies],
        [study.reported for study in studies],
        first.truth,
        quantity=MEASURES[first.problem.measure].title,
        unit=first.unit,
        title=f"{first.rows:,} rows, {first.draws} times: {fresh} (data: {first.source})",
        axes=axes,
    )


def describe_studies(studies: Sequence[ProtocolStudy]) -> str:
    """Say in words what `draw_studies` shows."""
    first = studies[0]
    names, reports = [study.name for study in studies], [study.reported for study in studies]
    quantity = MEASURES[first.problem.measure].title
    return describe_reports(names, reports, first.truth, quantity=quantity, unit=first.unit)


def describe_reports(
    names: Sequence[str], reports: Sequence[np.ndarray], truth: np.ndarray, *, quantity: str, unit: str = ""
) -> str:
    """Say in words what `draw_reports` shows.

    Examples
    --------
    >>> describe_reports(["4-fold"], [np.array([0.5, 0.7])], np.array([0.55, 0.57]), quantity="MAE")
    'MAE in 2 repetitions: 4-fold reports 0.600 on average, from 0.500 to 0.700; the truth is 0.560 on average, from \
0.550 to 0.570.'
    """
    parts = [
        f"{name} reports {np.mean(scores):.3f} on average, from {np.min(scores):.3f} to {np.max(scores):.3f}"
        for name, scores in zip(names, reports, strict=True)
    ]
    true = f"the truth is {np.mean(truth):.3f} on average, from {np.min(truth):.3f} to {np.max(truth):.3f}"
    of = f"{quantity}{f' in {unit}' if unit else ''}"
    return f"{of} in {len(truth)} repetitions: {'; '.join([*parts, true])}."


def draw_aucs(
    names: Sequence[str],
    aucs: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw how well two parts can be told apart, one pair a line, with its interval and the coin's 0.5."""
    axes = axes or new_figure(width=8.0, height=1.0 + 0.42 * len(names))[1][0]
    axes.axvline(0.5, color=INK, linestyle=":", linewidth=1.5)
    axes.annotate("a coin", (0.5, 1), (3, -2), xycoords=("data", "axes fraction"), textcoords="offset points", va="top")
    for line, (auc, (low, high)) in enumerate(zip(aucs, intervals, strict=True)):
        mark, colour = ("D", VERMILION) if low > 0.5 else ("o", BLUE)
        axes.plot((low, high), (line, line), color=colour, linewidth=2.5, alpha=0.6)
        axes.plot(auc, line, mark, color=colour, markersize=7)
        axes.annotate(
            f"{auc:.2f}",
            (1.01, line),
            xycoords=("axes fraction", "data"),
            va="center",
            color=INK,
            annotation_clip=False,
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.9)
    axes.set_xlim(min([0.4, *(low for low, _ in intervals)]), 1.02)
    axes.set_xlabel("AUC of telling the two parts apart (diamonds: told apart)")
    finish(axes, title)
    return axes


def draw_selection(study: SelectionStudy, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the score of the chosen model, on the dev set and in truth, over the number that it was chosen from."""
    axes = axes or new_figure(width=4.2)[1][0]
    dev, truth = np.transpose([study.chosen(count) for count in range(1, study.candidates + 1)])
    return draw_dev_and_truth(study, dev, truth, choices="candidates to choose from", title=title, axes=axes)


def draw_dev_and_truth(
    study: SelectionStudy, dev: np.ndarray, truth: np.ndarray, *, choices: str, title: str, axes: Axes
) -> Axes:
    """Draw a score on the dev set and in truth, each of shape (candidates,), over the number that was chosen from."""
    measure = MEASURES[study.problem.measure]
    counts = range(1, study.candidates + 1)
    axes.plot(counts, dev, color=ORANGE, linestyle="-", label="on the dev set")
    axes.plot(counts, truth, color=GREEN, linestyle="--", label="in truth")
    unit = measure.unit_of(study.problem)
    axes.set_xlabel(choices)
    axes.set_ylabel(f"{measure.title}\n({unit})" if unit else measure.title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, title or f"{study.problem.name} (data: {study.source})")
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes
