"""What the workflow found, as one HTML file with the figures inside and as JSON for other programs."""

from __future__ import annotations

import json
from pathlib import Path

from recipe import figures as plots
from recipe.app.facts import collect_facts
from recipe.app.late_steps import FinalStep
from recipe.app.steps import BaselineStep, describe_spec
from recipe.app.trials import Trial
from recipe.app.workflow import RecipeResult
from recipe.core.files import write_whole
from recipe.core.measures import MEASURES
from recipe.figures.training import Curve, TrainingCurves, describe_curves, draw_curves

TEMPLATE = "report.html.jinja"


def write_json(result: RecipeResult, path: str | Path) -> Path:
    """Write `collect_facts` to a file, whole or not at all."""
    return write_whole(path, json.dumps(collect_facts(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_html(result: RecipeResult, path: str | Path) -> Path:
    """Write the report to a file, whole or not at all."""
    return write_whole(path, render_html(result))


def render_html(result: RecipeResult) -> str:
    """Return the report as one HTML page that needs nothing from outside."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recipe.app", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["score"] = lambda value: f"{value:.4g}"
    return environment.get_template(TEMPLATE).render(
        result=result,
        measure=MEASURES[result.problem.measure],
        unit=MEASURES[result.problem.measure].unit_of(result.problem),
        figures=_figures(result),
        scores=_score_figure(result),
        last=result.find(FinalStep),
        describe_spec=describe_spec,
    )


def draw_trial(trial: Trial, *, baseline: float | None = None, overfitting_epoch: int | None = None) -> plots.Figure:
    """Return a figure of a trial's curves: the data loss on the left, the measure with the baseline on the right.

    `overfitting_epoch` counts from 0.
    """
    measure = MEASURES[trial.problem.measure]
    curves = TrainingCurves(
        curves=(Curve(history=trial.history),),
        measure=measure.name,
        title=measure.title,
        unit=measure.unit_of(trial.problem),
        baseline=baseline,
        overfitting_epoch=overfitting_epoch,
    )
    figure = plots.blank_figure((9.6, 3.9), alt=describe_curves(curves))
    draw_curves(figure, curves)
    return figure


def draw_summary(result: RecipeResult) -> plots.Figure:
    """Return a figure of the scores, from the baseline to the test set."""
    measure, lines = MEASURES[result.problem.measure], result.lines
    figure, (axes,) = plots.new_figure(1, width=7.2, height=0.9 + 0.45 * len(lines))
    plots.draw_scores(
        [f"{line.name}\n({line.part})" for line in lines],
        [line.score for line in lines],
        quantity=measure.title,
        unit=measure.unit_of(result.problem),
        higher_is_better=measure.higher_is_better,
        intervals=[line.interval for line in lines],
        on_test=[line.part == "test" for line in lines],
        axes=axes,
    )
    return figure


def _figures(result: RecipeResult) -> list[dict[str, object]]:
    """Return a figure for every training, as the template wants it."""
    first, measure = result.find(BaselineStep), MEASURES[result.problem.measure]
    baseline = first.baseline.value if first else None
    figures = []
    for trial in result.trials:
        since = trial.diagnosis.overfitting_epoch
        figure = draw_trial(trial, baseline=baseline, overfitting_epoch=since)
        alt = f"{figure.alt} {measure.title} in validation at epoch {trial.epoch + 1}: {trial.score:.4g}."
        svg = plots.to_inline_svg(figure, alt)
        figures.append({"step": trial.step, "trial": trial, "svg": svg, "alt": alt})
    return figures


def _score_figure(result: RecipeResult) -> str:
    """Return the figure of the scores, or nothing where there is no score yet."""
    if not result.lines:
        return ""
    measure = MEASURES[result.problem.measure]
    names, scores = zip(*((f"{line.name} ({line.part})", line.score) for line in result.lines), strict=True)
    alt = plots.describe_scores(names, scores, quantity=measure.title, unit=measure.unit_of(result.problem))
    return plots.to_inline_svg(draw_summary(result), alt)
