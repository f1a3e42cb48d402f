"""A search, drawn: its trials in order, their curves, which parameter matters."""

from __future__ import annotations

import math
import warnings

import numpy as np
from matplotlib.axes import Axes

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, INK, ORANGE, SKY, VERMILION, finish
from recipe.search import Tuning

LEAST_TRIALS = 4  # to say which parameter matters
# How the curve of a trial is drawn, by what became of it: label, colour, style.
LOOKS = {
    "complete": ("to the end", SKY, "-"),
    "pruned": ("given up", VERMILION, "--"),
    "failed": ("failed", INK, ":"),
}


def draw_history(found: Tuning, *, axes: Axes) -> Axes:
    """Draw the score of each trial in the order in which they were made, and the best so far."""
    scores = np.array([run.score if run.state == "complete" else math.nan for run in found.trials])
    by_hand = np.array([run.origin != "search" for run in found.trials])
    best = np.fmax if MEASURES[found.problem.measure].higher_is_better else np.fmin
    numbers = np.arange(1, len(scores) + 1)
    axes.step(numbers, best.accumulate(scores), where="post", color=INK, linewidth=1.2, label="best so far")
    for label, mark, colour, chosen in (("by hand", "s", ORANGE, by_hand), ("by the search", "o", BLUE, ~by_hand)):
        if chosen.any():
            axes.plot(numbers[chosen], scores[chosen], mark, color=colour, markersize=6, label=label)
    axes.set_xlabel("trial")
    return _finish(axes, found)


def draw_trial_curves(found: Tuning, *, axes: Axes) -> Axes:
    """Draw the validation measure of every trial over its epochs; those that were given up end early."""
    for run in found.trials:
        curve = run.history.get("val_" + found.problem.measure, ())
        label, colour, style = LOOKS[run.state]
        mark = "o" if len(curve) == 1 else None
        axes.plot(range(1, len(curve) + 1), curve, style, color=colour, lw=1, marker=mark, ms=4, label=label)
    curve = found.best.history["val_" + found.problem.measure]
    axes.plot(range(1, len(curve) + 1), curve, color=BLUE, lw=2.4, label="the best")
    axes.set_xlabel("epoch")
    return _finish(axes, found)


def draw_importances(found: Tuning, *, axes: Axes) -> Axes:
    """Draw how much each parameter decides about the score, by Optuna's own estimate, the most important on top.

    Raises
    ------
    ValueError
        If fewer than LEAST_TRIALS trials have a score.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    complete = [run for run in found.trials if run.state == "complete"]
    if len(complete) < LEAST_TRIALS:
        raise ValueError(
            f"{len(complete)} trials have a score, too few to tell what matters. Received: found, {len(found.trials)} "
            f"trials. Search until {LEAST_TRIALS} have one."
        )
    values: dict[str, set] = {}
    for trial in found.study.get_trials(deepcopy=False):
        for name, value in trial.params.items():
            values.setdefault(name, set()).add(value)
    varied = [name for name, seen in values.items() if len(seen) > 1]  # Optuna refuses what never varied
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Some regimes for parameter", UserWarning)  # few trials: the lesson says so
        shares = get_param_importances(found.study, params=varied, evaluator=PedAnovaImportanceEvaluator())
    names = [name.replace("_", " ") for name in shares]
    bars = axes.barh(names, list(shares.values()), height=0.6, color=BLUE)
    axes.bar_label(bars, fmt="%.2f", padding=4, color=INK)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("importance (shares of 1)")
    finish(axes, _title(found))
    return axes


def _finish(axes: Axes, found: Tuning) -> Axes:
    """Write the axes of a figure whose y-axis is the score, and each label once."""
    measure = MEASURES[found.problem.measure]
    unit = measure.unit_of(found.problem)
    axes.set_ylabel(f"validation {measure.title}" + (f"\n({unit})" if unit else ""))
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, _title(found))
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles, frameon=False, fontsize="small", labelcolor=INK)
    return axes


def _title(found: Tuning) -> str:
    return f"{found.problem.name} (data: {found.source})"
