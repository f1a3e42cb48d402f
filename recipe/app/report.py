"""What the workflow found, as one HTML page with the figures inside and as JSON for other programs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

from recipe import figures as plots
from recipe.app.workflow import RecipeResult, Trial
from recipe.core.measures import MEASURES
from recipe.figures.training import plot_runs
from recipe.steps.s2_measure import LEVEL


def render_json(result: RecipeResult) -> str:
    """Return `collect_facts` as JSON."""
    return json.dumps(collect_facts(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def render_html(result: RecipeResult) -> str:
    """Return the report as one HTML page that needs nothing from outside."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recipe.app", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["score"] = lambda value: f"{value:.4g}"
    measure = MEASURES[result.problem.measure]
    return environment.get_template("report.html.jinja").render(
        result=result,
        measure=measure,
        unit=measure.unit_of(result.problem),
        figures=[{"trial": trial, "svg": _draw_trial(trial, result)} for trial in result.trials],
        lines=result.to_frame().reset_index().to_dict("records"),
    )


def collect_facts(result: RecipeResult) -> dict[str, object]:
    """Return the numbers of a run, ready for JSON.

    What was not reached is None, and so is what is no number. ``baseline``, ``validation`` and ``test`` are values of
    the measure in ``unit``; ``validation`` is the best score that validation gave, and ``rival`` the best simple model
    that is no network. Epochs count from 1.
    ``beats_baseline`` says whether the small model does, beyond chance; ``statistical_power`` has the test.
    """
    measure, dataset, test = MEASURES[result.problem.measure], result.dataset, result.test
    best = result.best.run if result.best else None
    facts = {
        "problem": result.problem.name,
        **{name: getattr(dataset, name) for name in ("source", "provenance", "reason", "reachable_error")},
        "seed": result.seed,
        "rows": result.rows,
        "measure": measure.name,
        "unit": measure.unit_of(result.problem),
        "higher_is_better": measure.higher_is_better,
        "baseline": result.baseline.value if result.baseline else None,
        "rival": {"name": result.rival.name, "validation": result.rival.value} if result.rival else None,
        "beats_baseline": result.power.beats_baseline if result.power else None,
        "overfitting_epoch": result.overfitting_epoch,
        "validation": best.score if best else None,
        "test": test.score if test else None,
        "seconds": result.seconds,
        "interrupted": result.stopped is not None,
        "stopped": result.stopped,
        "stopped_in_step": result.stopped_in,
        "looks_at_the_test_set": test.looks if test else dataset.test.looks,
        "statistical_power": result.power and vars(result.power) | {"interval_level": round(2 * LEVEL - 1, 12)},
        "test_details": test
        and {
            **vars(test.uncertainty),
            "samples": test.samples,
            "trained_on": result.final.run.train_samples,
            "differs_from_validation": test.differs_from_validation,
        },
        "spec": best.spec.replace(epochs=best.best_epoch + 1, patience=None).to_dict() if best else None,
        "steps": list(map(vars, result.steps)),
        "trials": [_trial_facts(trial) for trial in result.trials],
        "versions": result.versions,
    }
    return _without_nan(facts)


def _trial_facts(trial: Trial) -> dict[str, object]:
    run = trial.run
    return {
        **{name: getattr(trial, name) for name in ("step", "name", "why")},
        **{name: getattr(run, name) for name in ("epochs", "seconds", "stopped", "history")},
        "spec": run.spec.to_dict(),
        "verdict": str(trial.diagnosis.verdict),
        "epoch": run.best_epoch + 1,
        "validation": run.score,
        "training": run.train_score,
    }


def _without_nan(value: object) -> object:
    """Return the same with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _draw_trial(trial: Trial, result: RecipeResult) -> str:
    """Return the mean curves of a trial as SVG, with the baseline, and their words beside them."""
    # Without the members, whose curves of hundreds of epochs would make the page four times as large.
    measure, run = MEASURES[result.problem.measure], replace(trial.run, members=())
    figure = plot_runs(run, baseline=result.baseline.value if result.baseline else None, size=(9.6, 3.9))
    told = f"{trial.name}. {figure.alt} {measure.title} in validation at epoch {run.best_epoch + 1}: {run.score:.4g}."
    return plots.to_inline_svg(figure, told)
