"""Step 7, drawn: Optuna's plots of a search, in the kit's own style, and how tuning flatters.

Optuna draws with pyplot, in a style of its own, into a figure that nobody sees; what it drew is read from there.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, INK, ORANGE, SKY, VERMILION, finish, new_figure
from recipe.lessons.s3_protocol.figures import draw_selection
from recipe.lessons.s3_protocol.study import SelectionStudy
from recipe.search.summary import SEARCH, Tuning

LEAST_TRIALS = 4  # to say which parameter matters
MOST_SLICES = 4
MOST_TICKS = 6
_DRAWING = threading.Lock()
NAMES = {
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "l1_on": "L1 on",
    "l2_on": "L2 on",
    "l1": "L1",
    "l2": "L2",
}


def draw_history(found: Tuning, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the score of each trial in the order in which they were made, and the best so far.

    Raises
    ------
    ValueError
        If no trial has a score.
    """
    _check_trials(found, 1)
    with _drawn_by_optuna("plot_optimization_history", found) as theirs:
        points = np.asarray(theirs.collections[0].get_offsets(), dtype=float)
        best = theirs.lines[0].get_xydata()
    axes = axes or new_figure(width=7.0)[1][0]
    by_hand = {trial.number for trial in found.study.trials if _origin(trial) != SEARCH}
    axes.step(best[:, 0] + 1, best[:, 1], where="post", color=INK, linewidth=1.2, label="best so far")
    for label, mark, colour, is_hand in (("by hand", "s", ORANGE, True), ("by the search", "o", BLUE, False)):
        some = np.array([point for point in points if (int(point[0]) in by_hand) is is_hand])
        if len(some):
            axes.plot(some[:, 0] + 1, some[:, 1], mark, color=colour, markersize=6, label=label)
    axes.set_xlabel("trial")
    axes.set_ylabel(_score_label(found))
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, title or _title(found))
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_importances(found: Tuning, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw how much each parameter decides about the score (PED-ANOVA), the most important on top.

    Raises
    ------
    ValueError
        If fewer than LEAST_TRIALS trials have a score, or nothing varies among them.
    """
    _check_trials(found, LEAST_TRIALS)
    names = _varied(found)
    with _drawn_by_optuna("plot_param_importances", found, params=names) as theirs:
        bars = [(patch.get_y() + patch.get_height() / 2, patch.get_width()) for patch in theirs.patches]
        labels = [label.get_text() for label in theirs.get_yticklabels()]
    axes = axes or new_figure(width=6.5, height=1.0 + 0.36 * len(bars))[1][0]
    for place, share in bars:
        axes.barh(place, share, height=0.6, color=BLUE)
        axes.annotate(f"{share:.2f}", (share, place), (4, 0), textcoords="offset points", va="center", color=INK)
    axes.set_yticks([place for place, _ in bars], [_name(label) for label in labels])
    axes.set_xlim(0, 1.12 * max(share for _, share in bars))
    axes.set_xlabel("importance (shares of 1)")
    finish(axes, title or _title(found))
    return axes


def draw_slices(found: Tuning, names: tuple[str, ...] | None = None, *, title: str = "") -> Figure:
    """Draw the scores over each of a few parameters; later trials are darker.

    Parameters
    ----------
    names : parameters, such as ``"learning_rate"``; None: up to four that vary, the most important first

    Raises
    ------
    ValueError
        If no trial has a score, or a parameter does not vary.
    """
    _check_trials(found, 1)
    varied = _varied(found)
    names = tuple(names or _most_important(found, varied))
    if unknown := [name for name in names if name not in varied]:
        raise ValueError(
            f"It does not vary among the trials. Received: names, {', '.join(unknown)}. Choose from "
            f"{', '.join(varied)}."
        )
    figure, every = new_figure(len(names), width=max(2.6, 6.0 / len(names)), height=3.2)
    for axes, name in zip(every, names, strict=True):
        with _drawn_by_optuna("plot_slice", found, params=[name]) as theirs:
            drawn = theirs.collections[0]
            points, order = np.asarray(drawn.get_offsets(), dtype=float), np.asarray(drawn.get_array(), dtype=float)
            scale = theirs.get_xscale()
            labels = theirs.xaxis.get_major_formatter().format_ticks(sorted({*points[:, 0]}))
        axes.scatter(points[:, 0], points[:, 1], c=order, cmap="Blues", vmin=-len(order) / 2, edgecolors=INK, lw=0.5)
        if _is_categorical(found, name):
            axes.set_xticks(sorted({*points[:, 0]}), [label.strip("'") for label in labels])
            axes.margins(x=0.25)
        else:
            axes.set_xscale(scale)
            axes.margins(x=0.1)
            _show_whole_numbers(axes, points[:, 0])
        axes.set_xlabel(_name(name))
        axes.set_ylabel(_score_label(found) if axes is every[0] else "")
        if axes is not every[0]:
            axes.sharey(every[0])
        finish(axes, f"{title or _title(found)}; darker: later" if axes is every[0] else "")
    return figure


def draw_trial_curves(found: Tuning, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the validation measure of every trial over its epochs; those that were given up end early.

    Raises
    ------
    ValueError
        If no trial has reported an epoch.
    """
    if not any(trial.intermediate_values for trial in found.study.trials):
        raise ValueError("No trial has reported an epoch. Received: found. Search with epochs and trials.")
    states = {trial.number: trial.state.name for trial in found.study.trials}
    best = next((trial.number for trial in found.study.best_trials), None) if _scores(found) else None
    with _drawn_by_optuna("plot_intermediate_values", found) as theirs:
        curves = [(int(re.sub(r"\D", "", line.get_label())), line.get_xydata()) for line in theirs.lines]
    axes = axes or new_figure(width=7.0)[1][0]
    looks = {"COMPLETE": ("to the end", SKY, "-", 1.0), "PRUNED": ("given up", VERMILION, "--", 1.0)}
    looks |= {"best": ("the best", BLUE, "-", 2.4), "other": ("failed or stopped", INK, ":", 1.0)}
    for number, curve in sorted(curves, key=lambda one: one[0] == best):
        kind = "best" if number == best else states[number] if states[number] in looks else "other"
        label, colour, style, width = looks[kind]
        mark = "o" if len(curve) == 1 else None
        axes.plot(curve[:, 0] + 1, curve[:, 1], style, color=colour, lw=width, marker=mark, ms=4, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel(_score_label(found))
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, title or _title(found))
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(handles.values(), handles, frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_leak(study: SelectionStudy, *, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw the score of the best of so many trials: on the dev set that it was chosen by, and in truth."""
    return draw_selection(study, choices="trials to choose the best from", title=title, axes=axes)


def describe_leak(study: SelectionStudy) -> str:
    """Say in words what `draw_leak` shows."""
    measure = MEASURES[study.problem.measure]
    truths = [study.expected(count)[1] for count in (1, study.candidates)]
    unit = measure.unit_of(study.problem)
    return (
        f"{measure.title}{f' in {unit}' if unit else ''} of the best of 1 to {study.candidates} trials: in truth from "
        f"{truths[0]:.3f} to {truths[1]:.3f}; on the dev set it looks better than that, by 0 with one trial and by "
        f"{study.optimism(study.candidates):.3f} with {study.candidates}."
    )


@contextmanager
def _drawn_by_optuna(name: str, found: Tuning, **settings: object) -> Iterator[Axes]:
    """Give what Optuna drew; its figure, its style and its warnings that it may change leave no trace."""
    import matplotlib.pyplot as plt
    import optuna.visualization.matplotlib as optuna_plots
    from optuna.exceptions import ExperimentalWarning

    function: Callable[..., Axes] = getattr(optuna_plots, name)
    with _DRAWING, mpl.rc_context(), plt.ioff(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Some regimes for parameter", UserWarning)  # few trials: the lesson says so
        before = set(plt.get_fignums())
        try:
            yield function(found.study, **settings)
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


def _show_whole_numbers(axes: Axes, values: np.ndarray) -> None:
    """Mark the values themselves where they are few whole numbers."""
    few = sorted({*values})
    if len(few) <= MOST_TICKS and all(value == int(value) for value in few):
        axes.set_xticks(few, [f"{value:.0f}" for value in few])
        axes.set_xticks([], minor=True)


def _most_important(found: Tuning, names: list[str]) -> list[str]:
    """Return a few parameters, by importance where there are trials enough to tell."""
    if len(_scores(found)) >= LEAST_TRIALS:
        from optuna.importance import get_param_importances

        names = list(get_param_importances(found.study, params=names))
    return names[:MOST_SLICES]


def _varied(found: Tuning) -> list[str]:
    """Return the parameters that have more than one value among the trials with a score.

    Raises
    ------
    ValueError
        If there is none.
    """
    values: dict[str, set] = {}
    for trial in _scores(found):
        for name, value in trial.params.items():
            values.setdefault(name, set()).add(value)
    if names := [name for name, some in values.items() if len(some) > 1]:
        return names
    raise ValueError("All trials have the same parameters. Received: found. Search in a space where something varies.")


def _scores(found: Tuning) -> list:
    return [trial for trial in found.study.trials if trial.state.name == "COMPLETE"]


def _check_trials(found: Tuning, least: int) -> None:
    if len(_scores(found)) < least:
        raise ValueError(
            f"{len(_scores(found))} trials have a score, too few to draw. Received: found, {len(found.trials)} trials. "
            f"Search until {least} have one."
        )


def _is_categorical(found: Tuning, name: str) -> bool:
    return any(hasattr(trial.distributions.get(name), "choices") for trial in _scores(found))


def _origin(trial: object) -> str:
    return trial.user_attrs.get("run", {}).get("origin", SEARCH)


def _name(parameter: str) -> str:
    layer = parameter.removeprefix("units_")
    return NAMES.get(parameter, f"units of layer {layer}" if layer != parameter else parameter)


def _score_label(found: Tuning) -> str:
    measure = MEASURES[found.problem.measure]
    unit = measure.unit_of(found.problem)
    return "\n".join([f"validation {measure.title}", *([f"({unit})"] if unit else [])])


def _title(found: Tuning) -> str:
    return f"{found.problem.name} (data: {found.source})"
