"""Step 3, drawn: what a protocol reports against the truth, and what choosing does to a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, VERMILION, finish
from recipe.lessons.s3_protocol.study import ProtocolStudy, SelectionStudy

JITTER_SEED = 0  # dots at one score are moved apart, always in the same way


def draw_studies(studies: Sequence[ProtocolStudy], *, axes: Axes) -> None:
    """Draw what several protocols reported on the same rows, a dot for each time, and the truth below them."""
    first, rng = studies[0], np.random.default_rng(JITTER_SEED)
    axes.axvline(float(np.mean(first.truth)), color=GREEN, linestyle="--", linewidth=1.5, zorder=0)
    lines = [(study.name, study.reported, "o", BLUE) for study in studies] + [("the truth", first.truth, "D", GREEN)]
    for line, (_, scores, mark, colour) in enumerate(lines):
        heights = line + rng.uniform(-0.16, 0.16, len(scores))
        axes.plot(scores, heights, mark, color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
        mean, spread = float(np.mean(scores)), float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0
        axes.plot((mean - spread, mean + spread), (line + 0.3, line + 0.3), color=INK, linewidth=2)
        axes.plot(mean, line + 0.3, "|", color=INK, markersize=10, markeredgewidth=2)
        beside = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
        axes.annotate(f"{mean:.3f} ± {spread:.3f}", (1.01, line), color=INK, **beside)
    axes.set_yticks(range(len(lines)), [name for name, *_ in lines])
    axes.set_ylim(len(lines) - 0.4, -0.5)
    axes.margins(x=0.06)
    quantity = MEASURES[first.problem.measure].title
    axes.set_xlabel(f"{quantity} ({first.unit})" if first.unit else quantity)
    axes.grid(axis="x", alpha=0.2)
    fresh = "other rows each time" if first.redraw == "rows" else "the same rows, cut anew each time"
    finish(axes, f"{first.rows:,} rows, {first.draws} times: {fresh} (data: {first.source})")


def describe_studies(studies: Sequence[ProtocolStudy]) -> str:
    """Say in words what `draw_studies` shows."""
    first = studies[0]
    lines = [(f"{study.name} reports", study.reported) for study in studies] + [("the truth is", first.truth)]
    parts = [
        f"{name} {np.mean(scores):.3f} on average, from {np.min(scores):.3f} to {np.max(scores):.3f}"
        for name, scores in lines
    ]
    quantity = f"{MEASURES[first.problem.measure].title}{f' in {first.unit}' if first.unit else ''}"
    return f"{quantity} in {first.draws} repetitions: {'; '.join(parts)}."


def draw_selection(study: SelectionStudy, *, choices: str = "candidates to choose from", axes: Axes) -> None:
    """Draw the score of the best of so many candidates: on the dev set that it was chosen by, and in truth.

    What the dev sets were too easy or too hard for all candidates alike is taken off: both lines begin at one score,
    and what lies between them comes from choosing alone.
    """
    measure, counts = MEASURES[study.problem.measure], range(1, study.candidates + 1)
    truth = np.array([study.expected(count)[1] for count in counts])
    optimism = np.array([study.optimism(count) for count in counts])
    dev = truth + (optimism if measure.higher_is_better else -optimism)
    axes.fill_between(counts, dev, truth, color=VERMILION, alpha=0.12, lw=0, label="selection optimism")
    axes.plot(counts, dev, color=ORANGE, linestyle="-", label="on the dev set")
    axes.plot(counts, truth, color=GREEN, linestyle="--", label="in truth")
    unit = measure.unit_of(study.problem)
    axes.set_xlabel(choices)
    axes.set_ylabel(f"{measure.title}\n({unit})" if unit else measure.title)
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, f"{study.problem.name} (data: {study.source})")
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
