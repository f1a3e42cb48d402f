"""Learning curves, drawn: score over the number of training samples, for networks of several sizes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, VERMILION, finish, new_figure
from recipe.lessons.s6_scale_up.capacity import CapacityStudy, name_units

_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
_GROUNDS = {  # bias, variance: colour, words
    ("low", "low"): (GREEN, "neither is high"),
    ("high", "low"): (SKY, "high bias"),
    ("low", "high"): (ORANGE, "high variance"),
    ("high", "high"): (VERMILION, "both are high"),
}


def draw_learning_curves(study: CapacityStudy, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the measure after the last epoch over the number of training samples, a colour a network.

    Dashed is the training part, solid validation; each is the mean over the draws, the band goes from the lowest to the
    highest.
    """
    axes = axes or new_figure(width=7.0, height=4.2)[1][0]
    measure = MEASURES[study.problem.measure]
    for number, colour in zip(range(len(study.units)), _COLOURS, strict=False):
        for scores, style in ((study.train[number], "--"), (study.validation[number], "-")):
            axes.plot(study.sizes, scores.mean(axis=1), color=colour, linestyle=style, marker="o", markersize=4)
            low, high = scores.min(axis=1), scores.max(axis=1)
            axes.fill_between(study.sizes, low, high, color=colour, alpha=0.13, lw=0)
    axes.axhline(study.baseline, color=INK, linestyle=":", lw=1.6)
    axes.set_xscale("log")
    axes.set_xticks(study.sizes, [f"{size:,}" for size in study.sizes])
    axes.minorticks_off()
    if not measure.higher_is_better:
        axes.set_ylim(bottom=0)
    unit = measure.unit_of(study.problem)
    axes.set_xlabel("training samples")
    axes.set_ylabel(f"{measure.title}\n({unit})" if unit else measure.title)
    finish(axes, title or _title(study))
    handles = [
        Line2D([], [], color=colour, lw=2, label=name) for name, colour in zip(study.names, _COLOURS, strict=False)
    ]
    handles += [
        Line2D([], [], color=INK, linestyle=style, label=label)
        for style, label in (("--", "training"), ("-", "validation"))
    ]
    handles.append(Line2D([], [], color=INK, linestyle=":", label=f"baseline {study.baseline:.3g}"))
    axes.legend(
        handles=handles,
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        loc="upper left",
        bbox_to_anchor=(0, -0.17),
        ncols=2,
    )
    return axes


def draw_capacities(
    study: CapacityStudy, *, reachable_error: float = 0.0, title: str = "", axes: Axes | None = None
) -> Axes:
    """Draw a table of networks and training-set sizes: the scores, and whether bias or variance is high.

    Parameters
    ----------
    reachable_error : as `recipe.diagnose_errors` takes it: a share, or an error relative to the baseline's
    """
    axes = axes or new_figure(width=7.0, height=0.9 + 0.75 * len(study.units))[1][0]
    for network in range(len(study.units)):
        for size in range(len(study.sizes)):
            found = study.diagnose(network, size, reachable_error)
            colour, words = _GROUNDS[found.bias, found.variance]
            axes.fill_between((size - 0.5, size + 0.5), network - 0.5, network + 0.5, color=colour, alpha=0.25, lw=0)
            scores = " | ".join(f"{part[network, size].mean():.3g}" for part in (study.train, study.validation))
            axes.text(size, network, f"{scores}\n{words}", ha="center", va="center", fontsize=8, color=INK)
    axes.set_xticks(range(len(study.sizes)), [f"{size:,}" for size in study.sizes])
    axes.set_yticks(range(len(study.units)), [name_units(units) for units in study.units])
    axes.set_xlim(-0.5, len(study.sizes) - 0.5)
    axes.set_ylim(len(study.units) - 0.5, -0.5)
    axes.set_xlabel("training samples")
    finish(axes, title or f"{MEASURES[study.problem.measure].title}, training | validation{_source(study)}")
    axes.tick_params(length=0)
    axes.spines[["bottom", "left"]].set_visible(False)
    return axes


def describe_capacity(study: CapacityStudy) -> str:
    """Say in words what `draw_learning_curves` shows, for those who cannot see it."""
    measure = MEASURES[study.problem.measure]
    unit = f" in {measure.unit_of(study.problem)}" if measure.unit_of(study.problem) else ""
    told = []
    for number, name in enumerate(study.names):
        points = ", ".join(
            f"{size:,}: {study.train[number, place].mean():.3g} and {study.validation[number, place].mean():.3g}"
            for place, size in enumerate(study.sizes)
        )
        told.append(f"{name}: {points}")
    return (
        f"{measure.title}{unit} on training and on validation by the number of training samples, mean of "
        f"{study.train.shape[2]} draws, baseline {study.baseline:.3g}. {'. '.join(told)}."
    )


def _title(study: CapacityStudy) -> str:
    draws = study.train.shape[2]
    return f"{study.problem.name}{_source(study)}: {draws} draws, judged on {study.held_out:,} held-out samples"


def _source(study: CapacityStudy) -> str:
    return " (sample)" if study.source == "sample" else ""
