"""What the workflow found, as one HTML page with the figures inside and as JSON for other programs."""

from __future__ import annotations

import json
from dataclasses import replace

from recipe.app.workflow import RecipeResult, Trial
from recipe.core.measures import MEASURES, name_measure
from recipe.core.run import collect_versions
from recipe.engine.codegen import TEMPLATES
from recipe.figures import to_base64
from recipe.figures.training import plot_runs


def render_json(result: RecipeResult) -> str:
    """Return the numbers of a run as JSON.

    ``scores`` holds the rows of `RecipeResult.to_frame`; each of the ``trials`` is what `Run.to_dict` gives, with its
    place in the workflow. Epochs count from 1. What was not reached is missing or null.
    """
    problem, dataset = result.problem, result.dataset
    facts = {
        "problem": problem.name,
        "measure": problem.measure,
        "unit": MEASURES[problem.measure].unit_of(problem),
        **{name: getattr(dataset, name) for name in ("source", "provenance", "reason", "reachable_error")},
        **{name: getattr(result, name) for name in ("seed", "overfitting_epoch", "stopped_in", "seconds")},
        "scores": result.to_frame().to_dict("index"),
        "statistical_power": result.power and vars(result.power) | {"beats_baseline": result.power.beats_baseline},
        "looks_at_the_test_set": result.test.looks if result.test else dataset.test.looks,
        "steps": list(map(vars, result.steps)),
        "trials": [
            # Without the members, whose curves of hundreds of epochs say little that the mean does not.
            {"step": trial.step, "name": trial.name, "why": trial.why, "verdict": trial.diagnosis.verdict}
            | replace(trial.run, members=()).to_dict()
            for trial in result.trials
        ],
        "versions": collect_versions(),
    }
    # What JSON has no number for, such as the score of a network that diverged, becomes null.
    finite = json.loads(json.dumps(facts), parse_constant=lambda _: None)
    return json.dumps(finite, indent=2, ensure_ascii=False) + "\n"


def render_html(result: RecipeResult) -> str:
    """Return the report as one HTML page that needs nothing from outside."""
    template = TEMPLATES.overlay(autoescape=True).get_template("app/report.html.jinja")
    return template.render(
        result=result,
        measure_name=name_measure(result.problem),
        higher_is_better=MEASURES[result.problem.measure].higher_is_better,
        figures=[_draw_trial(trial, result) for trial in result.trials],
        lines=result.to_frame().reset_index().to_dict("records"),
        versions=collect_versions(),
    )


def _draw_trial(trial: Trial, result: RecipeResult) -> dict[str, object]:
    """Return the mean curves of a trial as a picture, with the baseline, and their words beside them."""
    # Without the members, whose curves of hundreds of epochs say little that the mean does not.
    measure, run = MEASURES[result.problem.measure], replace(trial.run, members=())
    figure = plot_runs(run, baseline=result.baseline.value if result.baseline else None, size=(9.6, 3.9))
    told = f"{trial.name}. {figure.alt} {measure.title} in validation at epoch {run.best_epoch + 1}: {run.score:.4g}."
    return {"trial": trial, "picture": to_base64(figure), "alt": told}
