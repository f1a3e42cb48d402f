"""Step 7: from a diagnosis to what to try next, each piece with its reason, its number and the change that tries it."""

from __future__ import annotations

from collections.abc import Iterator

from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.engine.models import check_fit
from recipe.steps import s7_remedies as remedies
from recipe.steps.s6_histories import HistoryDiagnosis, Verdict
from recipe.steps.s6_scale_up import ErrorDiagnosis, show_percent, show_points
from recipe.steps.s7_remedies import Advice

__all__ = ["Advice", "advise"]


def advise(
    spec: ModelSpec,
    error_diagnosis: ErrorDiagnosis | None,
    history_diagnosis: HistoryDiagnosis | None = None,
    *,
    problem: Problem | None = None,
    n_train: int | None = None,
) -> tuple[Advice, ...]:
    """Say what to try next, the most promising first.

    A training that diverged or did not learn comes first: nothing else can be judged before it works. Then more
    epochs, if the loss was still falling. Then the larger of bias and variance, bias where they are equal: a model
    that cannot fit its training set has nothing to generalise. Where both are high, what helps the one at the cost of
    the other (a smaller network, less regularization) is left out. Nothing is proposed that the spec already has.

    Parameters
    ----------
    spec : the spec that was trained
    error_diagnosis : of its errors; None where there are none, as after a divergence
    history_diagnosis : of its curves, if known
    problem : needed to propose another architecture, and to leave out what does not suit the data
    n_train : number of training samples, if known

    Returns
    -------
    tuple of Advice
        Each with a `change` makes a valid, different spec out of `spec`. Never empty.

    Raises
    ------
    ValueError
        If there is no diagnosis at all, or the spec does not suit the problem, so that it cannot have been trained.

    References
    ----------
    F. Chollet, Deep Learning with Python, the universal workflow; A. Ng, Machine Learning Yearning, chapters 25 to 27.

    Examples
    --------
    >>> from recipe.steps.s6_scale_up import diagnose_errors
    >>> [piece.action for piece in advise(ModelSpec(), diagnose_errors(0.01, 0.11))][:3]
    ['get more data', 'add dropout of 0.25', 'add an L2 penalty of 0.001']
    """
    if error_diagnosis is None and history_diagnosis is None:
        raise ValueError(
            "There is no diagnosis to advise on. Received: error_diagnosis=None, history_diagnosis=None. "
            "Diagnose the errors or the history of the training first."
        )
    if problem is not None:
        check_fit(spec, problem)
    verdict = history_diagnosis.verdict if history_diagnosis else None
    if verdict == Verdict.DIVERGED:
        found = _after_divergence(spec, history_diagnosis)
    elif verdict == Verdict.NOT_LEARNING:
        found = _after_not_learning(spec, history_diagnosis)
    else:
        found = _after_training(spec, error_diagnosis, history_diagnosis, problem, n_train)
    chosen: list[Advice] = []
    for piece in found:
        is_new = piece.change is None or piece.change not in [other.change for other in chosen]
        if is_new and _is_possible(piece, spec, problem):
            chosen.append(piece)
    return tuple(chosen)


def _is_possible(piece: Advice, spec: ModelSpec, problem: Problem | None) -> bool:
    """Say whether the change changes something that can be built for the problem."""
    if piece.change is None:
        return True
    changed = piece.apply(spec)
    if problem is not None:
        try:
            check_fit(changed, problem)
        except ValueError:
            return False
    return changed != spec


def _after_divergence(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    reason = f"The loss left all bounds in epoch {history.diverged_epoch + 1}"
    yield from remedies.change_rate(spec, reason, 0.1)
    yield from remedies.follow_the_table(spec, reason)
    if spec.optimizer == "sgd":
        yield from remedies.change_optimizer(spec, reason, "rmsprop")
    yield Advice(
        action="check that inputs and targets are scaled",
        reason=f"{reason}; values far from 1 make the steps too long.",
        do="Scale pixels to [0, 1], normalise columns, divide targets by their usual size.",
    )


def _after_not_learning(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    """The checklist, in the order of how often it is the cause."""
    reason = f"The training loss is {history.last_train_loss:.3g} after {history.epochs} epochs of no progress"
    yield from remedies.follow_the_table(spec, reason)
    if remedies.rate_of(spec) != remedies.DEFAULT_RATES[spec.optimizer]:
        usual = remedies.DEFAULT_RATES[spec.optimizer]
        yield Advice(
            action=f"go back to the optimizer's usual learning rate, {usual:g}",
            reason=f"{reason} at {spec.learning_rate:g}.",
            change={"learning_rate": None},
        )
    yield from remedies.change_optimizer(spec, reason, "rmsprop")
    yield from remedies.change_rate(spec, reason, 0.1)
    yield from remedies.change_rate(spec, reason, 10)
    if spec.activation in ("sigmoid", "linear") and spec.hidden_units:
        change = {"activation": "relu"}
        yield Advice(action="take relu units", reason=f"{reason} with {spec.activation} units.", change=change)
    yield from remedies.less_regularization(spec, reason)
    yield Advice(
        action="check the data",
        reason=f"{reason}; the answer may not be in the inputs, or not get through.",
        do="Look at the inputs and their scale. Then give the target as an input: if even that is not learned, the "
        "pipeline is broken.",
    )


def _after_training(
    spec: ModelSpec,
    errors: ErrorDiagnosis | None,
    history: HistoryDiagnosis | None,
    problem: Problem | None,
    n_train: int | None,
) -> Iterator[Advice]:
    """Advice on a training that worked."""
    verdict = history.verdict if history else None
    is_biased = errors is not None and errors.bias == "high"
    is_variable = errors is not None and errors.variance == "high"
    if verdict == Verdict.IMPROVING:
        yield from remedies.train_longer(spec, f"{history.monitor} was still falling, to {history.last_loss:.3g},")
    if not is_biased and not is_variable:
        yield from _at_the_end(spec, errors, history)
        return
    parts = []
    if is_biased:
        parts.append(_against_bias(spec, errors, verdict, problem, is_alone=not is_variable))
    if is_variable:
        parts.append(_against_variance(spec, errors, history, problem, n_train, is_alone=not is_biased))
    if is_biased and is_variable and errors.variance_gap > errors.avoidable_bias + 1e-9:
        parts.reverse()
    for part in parts:
        yield from part


def _against_bias(
    spec: ModelSpec, errors: ErrorDiagnosis, verdict: Verdict | None, problem: Problem | None, *, is_alone: bool
) -> Iterator[Advice]:
    reason = f"High bias: the training error is {show_points(errors.avoidable_bias)} above the reachable one"
    if is_alone:
        yield from remedies.less_regularization(spec, reason)
    yield from remedies.bigger_network(spec, reason)
    yield from remedies.other_architecture(spec, reason, problem)
    if verdict != Verdict.OVERFITTING:
        yield from remedies.train_longer(spec, reason)
    yield from remedies.change_optimizer(spec, reason, "rmsprop" if spec.optimizer == "adam" else "adam")
    yield from remedies.change_rate(spec, reason, 0.3)


def _against_variance(
    spec: ModelSpec,
    errors: ErrorDiagnosis,
    history: HistoryDiagnosis | None,
    problem: Problem | None,
    n_train: int | None,
    *,
    is_alone: bool,
) -> Iterator[Advice]:
    reason = f"High variance: the validation error is {show_points(errors.variance_gap)} above the training error"
    yield from remedies.stop_in_time(spec, history)
    samples = "more samples" if n_train is None else f"{2 * n_train} samples"
    yield Advice(
        action="get more data",
        reason=f"{reason}{'' if n_train is None else f' of {n_train} samples'}; nothing generalises better than more.",
        do=f"Train on {samples} if there are so many: raise the rows, collect, or make variants of what there is.",
    )
    yield from remedies.more_regularization(spec, reason)
    yield from remedies.set_patience(spec, reason)
    yield from remedies.other_architecture(spec, reason, problem)
    if is_alone:
        yield from remedies.smaller_network(spec, reason)


def _at_the_end(spec: ModelSpec, errors: ErrorDiagnosis | None, history: HistoryDiagnosis | None) -> Iterator[Advice]:
    yield from remedies.stop_in_time(spec, history)
    reason = "The curves ask for nothing else; the errors were not given."
    if errors is not None:
        reason = f"Neither bias nor variance is high: the validation error is {show_percent(errors.validation_error)}."
    yield Advice(
        action="go on to the final model",
        reason=reason,
        do="Train on training and validation data together, then look at the test set once.",
    )
