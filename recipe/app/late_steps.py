"""The last steps of the workflow: scale up, regularize, and finish with the one look at the test set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recipe.app.steps import BaselineStep, Step, describe_spec, show_score
from recipe.app.trials import STOPPED, Bench, Stopped, Trial, find_best, report_epochs
from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.run import mean_run
from recipe.core.spec import ModelSpec
from recipe.steps.s5_baseline import Baseline
from recipe.steps.s6_plan import Plan
from recipe.steps.s6_scale_up import Verdict, diagnose_errors, has_errors
from recipe.steps.s7_final import FinalModel, FinalResult, evaluate_once, train_final
from recipe.steps.s7_regularize import Advice, advise

TOLERANCE = 0.005  # half a point: where a model is tuned, less than the usual two points count


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleStep(Step):
    """Step 6, with the models that were tried.

    Attributes
    ----------
    trials : in the order of their size
    best : the one with the best validation score
    overfitting_epoch : from 1, the epoch from which on the last of them overfits; None if it does not
    """

    trials: tuple[Trial, ...]
    best: Trial
    overfitting_epoch: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class TuneStep(Step):
    """Step 7, with the changes that were tried.

    Attributes
    ----------
    trials : in the order in which they were tried; empty if there was nothing to try
    best : the best model of all, in validation: what becomes the final model
    """

    trials: tuple[Trial, ...]
    best: Trial


@dataclass(frozen=True, kw_only=True, eq=False)
class FinalStep(Step):
    """The final model and what the test set said."""

    final: FinalModel
    result: FinalResult


def scale_up(bench: Bench, plan: Plan) -> ScaleStep:
    """Step 6: train larger networks, then for longer, until one learns the training set by heart."""
    trials, sentences, overfitting = [], [], None
    for spec in plan.ladder:
        is_longer = bool(trials) and spec.hidden_units == trials[-1].spec.hidden_units
        name = f"{trials[-1].name}, longer" if is_longer else "bigger model" if trials else "big model"
        trial = bench.try_spec(6, name, spec)
        trials.append(trial)
        sentences.append(
            f"The {trial.name} ({describe_spec(spec)}) reaches {show_score(bench.problem, trial.score)} in validation "
            f"at epoch {trial.epoch + 1}. {trial.diagnosis.sentence}"
        )
        if trial.diagnosis.verdict is Verdict.OVERFITTING:
            overfitting = trial
            break
    best = find_best(trials)
    since = overfitting.diagnosis.overfitting_epoch + 1 if overfitting else None
    sentences.append(
        f"It overfits from epoch {since} on, so it is big enough: from there on it learns the training set by heart."
        if overfitting
        else "None of these overfits beyond noise: a still larger network, or longer training, might do better."
    )
    return ScaleStep(
        number=6,
        sentences=tuple(sentences),
        numbers={"big": best.score, "overfitting_epoch": since},
        trials=tuple(trials),
        best=best,
        overfitting_epoch=since,
    )


def regularize(bench: Bench, plan: Plan, first: BaselineStep, scale: ScaleStep, reachable: float | None) -> TuneStep:
    """Step 7: try what the advice says, a change at a time, and keep what improves the validation score.

    Parameters
    ----------
    reachable : the error that the best possible model makes, in the problem's unit, where it is known
    """
    best, trials, tried, baseline = scale.best, [], {scale.best.spec}, first.baseline
    reachable, run = _reachable(reachable, baseline), mean_run(best.runs, spec=best.spec)
    sentences = [diagnose_errors(run, reachable, tolerance=TOLERANCE).sentence] if has_errors(run) else []
    while len(trials) < plan.trials:
        piece = next(_new_advice(best, reachable, plan, tried), None)
        if piece is None:
            break
        tried.add(piece.spec)
        spec = _with_time_to_learn(piece, best, len(bench.splits) == 1)
        trials.append(bench.try_spec(7, piece.title, spec, why=piece.reason))
        text, gained = _compare(trials[-1], best)
        sentences.append(text)
        best = trials[-1] if gained else best
    # The small model may be the best where there are so few samples that every larger one is lost on them.
    best = find_best((best, first.small))
    sentences.append(
        f"The best in validation is the {best.name if best.step < 7 else 'changed model'}: {describe_spec(best.spec)}, "
        f"{show_score(bench.problem, best.score)} after {best.epoch + 1} epochs. The score of a best one is flattered "
        "a little by the choice."
    )
    return TuneStep(
        number=7, sentences=tuple(sentences), numbers={"validation": best.score}, trials=tuple(trials), best=best
    )


def finish(bench: Bench, best: Trial, dataset: Dataset) -> FinalStep:
    """Train the best spec on training and validation data, for the epochs that validation found; then test it once.

    Raises
    ------
    Stopped
        If somebody wanted an end before the final model was ready: the test set stays sealed.
    """
    report = report_epochs(bench.on_event, 8, "final model", 1)
    final = train_final(best.spec, dataset, epochs=best.epoch + 1, on_epoch=report, stop=bench.stop)
    if final.run.stopped in STOPPED:
        raise Stopped(final.run.stopped)
    result = evaluate_once(
        final, dataset, validation_score=best.score, validation_samples=bench.val_samples, seed=best.spec.seed
    )
    first = (
        f"The final model ({describe_spec(final.spec)}) was trained on all {final.samples:,} samples, training and "
        f"validation part together, for {final.epochs} epochs, the number that validation found."
    )
    numbers = {"test": result.score, "looks": result.looks, "as_validation_promised": result.promise_kept}
    return FinalStep(number=8, sentences=(first, *result.sentences), numbers=numbers, final=final, result=result)


def _compare(trial: Trial, before: Trial) -> tuple[str, bool]:
    """Say what a change did, and whether validation improved."""
    gained = find_best((before, trial)) is trial
    text = (
        f"Tried: {trial.name}. {trial.why} It gives {show_score(trial.problem, trial.score)} at epoch "
        f"{trial.epoch + 1}, against {before.score:.4g} before: {'kept' if gained else 'not kept'}."
    )
    return text, gained


def _reachable(reachable: float | None, baseline: Baseline) -> float:
    """Return the reachable error as a share, or as a part of the baseline's error."""
    measure = MEASURES[baseline.measure]
    return (reachable or 0.0) if measure.higher_is_better else measure.error(reachable or 0.0, baseline.value)


def _new_advice(best: Trial, reachable: float, plan: Plan, tried: set[ModelSpec]) -> Iterator[Advice]:
    """Yield the advice that can be tried here and was not yet.

    When to stop is left out, since every trial is judged at its best epoch anyway.
    """
    for piece in advise(mean_run(best.runs, spec=best.spec), reachable, tolerance=TOLERANCE):
        if piece.spec is None or piece.spec in tried or piece.spec.epochs < best.spec.epochs:
            continue
        only_stops = piece.spec.replace(patience=best.spec.patience) == best.spec
        if not only_stops and (plan.architectures or piece.spec.architecture == best.spec.architecture):
            yield piece


def _with_time_to_learn(piece: Advice, best: Trial, can_stop_early: bool) -> ModelSpec:
    """Return the changed spec, with three times the epochs that the best model took: regularized ones learn slowly.

    Folds cannot stop early, each at its own time, for they share one number of epochs.
    """
    spec = piece.spec
    if spec.epochs == best.spec.epochs:
        spec = spec.replace(epochs=max(10, min(3 * (best.epoch + 1), best.spec.epochs * 3 // 2)))
    return spec.replace(patience=max(3, spec.epochs // 5) if can_stop_early else None)
