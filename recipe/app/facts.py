"""The numbers of a run of the workflow, by name, for other programs."""

from __future__ import annotations

import math

from recipe.app.late_steps import FinalStep, ScaleStep, TuneStep
from recipe.app.steps import BaselineStep, Step
from recipe.app.trials import Trial
from recipe.app.workflow import RecipeResult
from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES


def collect_facts(result: RecipeResult) -> dict[str, object]:
    """Return the numbers of a run, ready for JSON.

    What was not reached is None, and so is what is no number. ``baseline``, ``validation`` and ``test`` are values of
    the measure in ``unit``; ``validation`` is the best score that validation gave. Epochs count from 1.
    ``statistical_power`` is the confidence, from 0 to 1, that the small model is better than the baseline.
    """
    measure, first = MEASURES[result.problem.measure], result.find(BaselineStep)
    scale, tune, last = (result.find(kind) for kind in (ScaleStep, TuneStep, FinalStep))
    best = tune.best if tune else scale.best if scale else first.small if first else None
    dataset = result.dataset
    facts = {
        "problem": result.problem.name,
        **_data_facts(dataset),
        "seed": result.seed,
        "rows": result.rows,
        "measure": measure.name,
        "unit": measure.unit_of(result.problem),
        "higher_is_better": measure.higher_is_better,
        "baseline": first.baseline.value if first else None,
        "statistical_power": first.power.confidence if first else None,
        "overfitting_epoch": scale.overfitting_epoch if scale else None,
        "overfitting_epoch_counts_from": 1,
        "validation": best.score if best else None,
        "test": last.result.score if last else None,
        "seconds": result.seconds,
        "interrupted": result.stopped is not None,
        "stopped": result.stopped,
        "stopped_in_step": result.stopped_in,
        "looks_at_the_test_set": last.result.looks if last else dataset.test.looks if dataset else 0,
        "statistical_power_details": _power_facts(first) if first else None,
        "test_details": _test_facts(last) if last else None,
        "spec": best.spec.replace(epochs=best.epoch + 1, patience=None).to_dict() if best else None,
        "steps": [_step_facts(step) for step in result.steps],
        "trials": [_trial_facts(trial) for trial in result.trials],
        "versions": result.versions,
    }
    return _without_nan(facts)


def _data_facts(dataset: Dataset | None) -> dict[str, object]:
    names = ("source", "provenance", "reason", "reachable_error")
    return {name: getattr(dataset, name) if dataset else None for name in names}


def _power_facts(step: BaselineStep) -> dict[str, object]:
    power = step.power
    names = ("model", "baseline", "difference", "interval", "p_value", "test", "samples", "samples_needed", "level")
    return {"beats_baseline": power.beats_baseline} | {name: getattr(power, name) for name in names}


def _test_facts(step: FinalStep) -> dict[str, object]:
    result = step.result
    return {
        "interval": [result.uncertainty.low, result.uncertainty.high],
        "interval_level": result.uncertainty.level,
        "interval_method": result.uncertainty.method,
        "samples": result.samples,
        "epochs": step.final.epochs,
        "trained_on": step.final.samples,
        "as_validation_promised": result.promise_kept,
    }


def _step_facts(step: Step) -> dict[str, object]:
    return {"number": step.number, "title": step.title, "sentences": step.sentences, "numbers": step.numbers}


def _trial_facts(trial: Trial) -> dict[str, object]:
    return {
        "step": trial.step,
        "name": trial.name,
        "spec": trial.spec.to_dict(),
        "why": trial.why,
        "verdict": str(trial.diagnosis.verdict),
        "epoch": trial.epoch + 1,
        "epochs": trial.epochs,
        "validation": trial.score,
        "training": trial.train_score,
        "seconds": trial.seconds,
        "stopped": trial.stopped,
        "history": trial.history,
    }


def _without_nan(value: object) -> object:
    """Return the same with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
