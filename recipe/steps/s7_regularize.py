"""Step 7: from a run to what to try next, each piece with its reason, its number and the spec that tries it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from recipe.core.input_checks import expect
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.engine.models import check_fit
from recipe.steps.s6_scale_up import (
    TOLERANCE,
    ErrorDiagnosis,
    HistoryDiagnosis,
    Verdict,
    diagnose_errors,
    diagnose_history,
    has_errors,
    show_percent,
    show_points,
)

MOST_UNITS, MOST_LAYERS = 1024, 4  # beyond that, more of the same is no longer the advice
FIRST_DROPOUT, FULL_DROPOUT, FIRST_L2, FULL_L2 = 0.25, 0.5, 0.001, 0.01
FIRST_LAYERS, HIGHEST_RATE = (64,), 1.0
STRONG_PENALTY = 0.25  # of the data loss
# The architecture that is made for a kind of input, and its first layers: it is told what an mlp is not, which pixels
# are neighbours, which words mean alike.
MADE_FOR = MappingProxyType({"image": ("convnet", (16, 32)), "text": ("embedding", (16, 16))})

Changes = dict[str, dict[str, object]]  # by title: the fields of the spec that change


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing to try.

    Attributes
    ----------
    title : what to try, such as ``"add dropout of 0.25"``
    reason : why, with the number behind it; and how, where no setting does it
    spec : the spec that tries it; None where no setting does it
    """

    title: str
    reason: str
    spec: ModelSpec | None = None


def advise(run: Run, reachable_error: float = 0.0, *, tolerance: float = TOLERANCE) -> tuple[Advice, ...]:
    """Say what to try next after a run, the most promising first.

    A training that diverged or did not learn comes first: nothing else can be judged before it works. Then more
    epochs, if the loss was still falling. Then the larger of bias and variance, bias where they are equal: a model
    that cannot fit its training set has nothing to generalise. Where both are high, what helps the one at the cost of
    the other is left out. First of all comes to take away what may cause the bias, or that nothing is learned: a
    penalty of a quarter of the data loss, or a dropout above a half. Each of eight such networks on the three problems,
    of three seeds each, had a better validation score without it. Nothing is proposed that the spec already has.

    Parameters
    ----------
    run : of one training, or the mean of several
    reachable_error, tolerance : as for `diagnose_errors`

    Returns
    -------
    tuple of Advice
        Each with a `spec` that is valid and differs from the run's, or with none. Never empty.

    Raises
    ------
    TypeError
        If that is no run.

    References
    ----------
    F. Chollet, Deep Learning with Python, the universal workflow; A. Ng, Machine Learning Yearning, chapters 25 to 27.
    """
    expect(run, Run, "Advice is given on a run; of several, on their mean, recipe.core.run.mean_run(runs).")
    history = diagnose_history(run)
    errors = diagnose_errors(run, reachable_error, tolerance=tolerance) if has_errors(run) else None
    if history.verdict is Verdict.DIVERGED:
        found = _after_divergence(run.spec, history)
    elif history.verdict is Verdict.NOT_LEARNING:
        found = _after_not_learning(run, history)
    else:
        found = _after_training(run, errors, history)
    chosen, tried = [], {run.spec}
    for piece in found:
        if piece.spec is None or (piece.spec not in tried and _fits(piece.spec, run.problem)):
            chosen.append(piece)
            tried.add(piece.spec)
    return tuple(chosen)


def _fits(spec: ModelSpec, problem: Problem) -> bool:
    try:
        check_fit(spec, problem)
    except ValueError:
        return False
    return True


def _try(spec: ModelSpec, reason: str, changes: Changes) -> Iterator[Advice]:
    """Make a piece of advice of each change, all for one reason."""
    for title, fields in changes.items():
        yield Advice(title=title, reason=f"{reason}.", spec=spec.replace(**fields))


def _after_divergence(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    reason = f"The loss left all bounds in epoch {history.diverged_epoch + 1} at a learning rate of {_rate_of(spec):g}"
    tamer = _change_optimizer(spec, "rmsprop") if spec.optimizer == "sgd" else {}
    yield from _try(spec, reason, _change_rate(spec, 0.1) | _follow_the_table(spec) | tamer)
    yield Advice(
        title="check that inputs and targets are scaled",
        reason=f"{reason}; values far from 1 make the steps too long. Scale pixels to [0, 1], normalise columns, "
        "divide targets by their usual size.",
    )


def _after_not_learning(run: Run, history: HistoryDiagnosis) -> Iterator[Advice]:
    """The checklist, in the order of how often it is the cause."""
    spec = run.spec
    yield from _release_brake(run)
    loss = run.history["data_loss"][-1]
    reason = f"The training loss is {loss:.3g} after {history.epochs} epochs of no progress"
    usual = f"go back to the optimizer's usual learning rate, {DEFAULT_RATES[spec.optimizer]:g}"
    changes = _follow_the_table(spec)
    if _rate_of(spec) != DEFAULT_RATES[spec.optimizer]:
        changes |= {usual: {"learning_rate": None}}
    changes |= _change_optimizer(spec, "rmsprop") | _change_rate(spec, 0.1) | _change_rate(spec, 10)
    if spec.activation in ("sigmoid", "linear") and spec.hidden_units:
        changes |= {"take relu units": {"activation": "relu"}}
    yield from _try(spec, reason, changes | _less_regularization(spec))
    yield Advice(
        title="check the data",
        reason=f"{reason}; the answer may not be in the inputs, or not get through. Look at the inputs and their "
        "scale. Then give the target as an input: if even that is not learned, the pipeline is broken.",
    )


def _after_training(run: Run, errors: ErrorDiagnosis | None, history: HistoryDiagnosis) -> Iterator[Advice]:
    """Advice on a training that worked."""
    spec = run.spec
    is_biased = errors is not None and errors.bias == "high"
    is_variable = errors is not None and errors.variance == "high"
    if history.verdict is Verdict.SUSPECT:
        yield Advice(title="check the data and its preparation", reason=history.sentence)
    if is_biased:
        yield from _release_brake(run)
    if history.verdict is Verdict.IMPROVING:
        last = run.history[history.monitor][-1]
        reason = f"{history.monitor} was still falling, to {last:.3g}, after {spec.epochs} epochs"
        yield from _try(spec, reason, _train_longer(spec))
    parts = []
    if is_biased:
        parts.append(_against_bias(run, errors, history, is_alone=not is_variable))
    if is_variable:
        parts.append(_against_variance(run, errors, history, is_alone=not is_biased))
    if is_biased and is_variable and errors.variance_gap > errors.avoidable_bias + 1e-9:
        parts.reverse()
    for part in parts or [_at_the_end(run, errors, history)]:
        yield from part


def _release_brake(run: Run) -> Iterator[Advice]:
    """Take away a regularization that is so strong that it may be the cause of a high training error."""
    spec, penalty, loss = run.spec, run.history.get("penalty", [0.0])[-1], run.history["data_loss"][-1]
    if penalty >= STRONG_PENALTY * loss:
        reason = f"The penalty is {penalty / loss:.0%} of the data loss: it may keep the network from learning"
        yield from _try(spec, reason, _less_regularization(spec))
    elif spec.dropout > FULL_DROPOUT:
        reason = f"A dropout of {spec.dropout:g} leaves few units at a time: it may keep the network from learning"
        yield from _try(spec, reason, _less_regularization(spec))


def _against_bias(run: Run, errors: ErrorDiagnosis, history: HistoryDiagnosis, *, is_alone: bool) -> Iterator[Advice]:
    spec = run.spec
    reason = f"High bias: the training error is {show_points(errors.avoidable_bias)} above the reachable one"
    changes = _less_regularization(spec) if is_alone else {}
    changes |= _bigger_network(spec) | _other_architecture(spec, run.problem)
    if history.verdict is not Verdict.OVERFITTING:
        changes |= _train_longer(spec)
    changes |= _change_optimizer(spec, "rmsprop" if spec.optimizer == "adam" else "adam") | _change_rate(spec, 0.3)
    yield from _try(spec, reason, changes)


def _against_variance(
    run: Run, errors: ErrorDiagnosis, history: HistoryDiagnosis, *, is_alone: bool
) -> Iterator[Advice]:
    spec, samples = run.spec, run.train_samples
    reason = f"High variance: the validation error is {show_points(errors.variance_gap)} above the training error"
    yield from _stop_in_time(run, history)
    yield Advice(
        title="get more data",
        reason=f"{reason} on {samples:,} samples, and more of them is the surest cure. Train on {2 * samples:,} if "
        "there are so many: raise the rows, collect, or make variants of what there is.",
    )
    changes = _more_regularization(spec) | _set_patience(spec) | _other_architecture(spec, run.problem)
    if is_alone:
        narrower = tuple(max(1, width // 2) for width in spec.hidden_units)
        changes |= {f"make the network smaller: {_show_layers(narrower)}": {"hidden_units": narrower}}
    yield from _try(spec, reason, changes)


def _at_the_end(run: Run, errors: ErrorDiagnosis | None, history: HistoryDiagnosis) -> Iterator[Advice]:
    yield from _stop_in_time(run, history)
    reason = "The curves ask for nothing else; the errors are not known."
    if errors is not None:
        reason = f"Neither bias nor variance is high: the validation error is {show_percent(errors.validation_error)}."
    yield Advice(
        title="go on to the final model",
        reason=f"{reason} Train on training and validation data together, then look at the test set once.",
    )


def _stop_in_time(run: Run, history: HistoryDiagnosis) -> Iterator[Advice]:
    """As many epochs as did good; with patience the best weights came back already."""
    spec, epochs, losses = run.spec, history.overfitting_epoch, run.history[history.monitor]
    if epochs and spec.patience is None and epochs < spec.epochs:
        rise = f"{history.monitor} rose from {losses[history.best_epoch]:.3g} to {losses[-1]:.3g}"
        reason = f"Overfitting since epoch {epochs + 1}: {rise}"
        yield from _try(spec, reason, {f"stop after epoch {epochs}": {"epochs": epochs}})


# The single changes. Each is empty where the spec leaves no room for it.


def _rate_of(spec: ModelSpec) -> float:
    return DEFAULT_RATES[spec.optimizer] if spec.learning_rate is None else spec.learning_rate


def _show_layers(units: tuple[int, ...]) -> str:
    return f"{'-'.join(map(str, units))} units"


def _follow_the_table(spec: ModelSpec) -> Changes:
    """The last layer and the loss of the table, where the spec departs from it."""
    set_by_hand = [name for name in ("last_activation", "loss") if getattr(spec, name) != "auto"]
    return {f"take the {name.replace('_', ' ')} that suits the problem": {name: "auto"} for name in set_by_hand}


def _change_rate(spec: ModelSpec, factor: float) -> Changes:
    """A learning rate that is so many times the present one."""
    rate = float(f"{factor * _rate_of(spec):.3g}")
    if rate > HIGHEST_RATE:
        return {}
    return {f"{'lower' if factor < 1 else 'raise'} the learning rate to {rate:g}": {"learning_rate": rate}}


def _change_optimizer(spec: ModelSpec, name: str) -> Changes:
    """Another optimizer, at its usual rate."""
    if spec.optimizer == name:
        return {}
    return {f"try the optimizer {name}": {"optimizer": name, "learning_rate": None}}


def _bigger_network(spec: ModelSpec) -> Changes:
    """Twice the units, one more layer; hidden layers where there are none."""
    if spec.architecture == "linear":
        return {"add a hidden layer": {"architecture": "mlp", "hidden_units": FIRST_LAYERS}}
    units = spec.hidden_units
    wider, deeper = tuple(max(width, min(2 * width, MOST_UNITS)) for width in units), (*units, units[-1])
    changes = {f"make the network bigger: {_show_layers(wider)}": {"hidden_units": wider}}
    if len(units) < MOST_LAYERS:
        changes |= {f"add a layer: {_show_layers(deeper)}": {"hidden_units": deeper}}
    return changes


def _other_architecture(spec: ModelSpec, problem: Problem) -> Changes:
    name, units = MADE_FOR.get(problem.kind, (spec.architecture, ()))
    if spec.architecture == name:
        return {}
    return {f"take the architecture {name}": {"architecture": name, "hidden_units": units}}


def _train_longer(spec: ModelSpec) -> Changes:
    return {f"train for {2 * spec.epochs} epochs": {"epochs": 2 * spec.epochs}}


def _set_patience(spec: ModelSpec) -> Changes:
    """Early stopping, with a patience of a tenth of the epochs."""
    patience = max(2, spec.epochs // 10)
    return {f"stop early, with a patience of {patience} epochs": {"patience": patience}} if not spec.patience else {}


def _more_regularization(spec: ModelSpec) -> Changes:
    """Dropout and an L2 penalty, first or more of them. Both act on hidden layers only."""
    changes = {}
    if spec.hidden_units and spec.dropout < FULL_DROPOUT:
        dropout = FIRST_DROPOUT if spec.dropout < FIRST_DROPOUT else FULL_DROPOUT
        title = f"raise the dropout to {dropout:g}" if spec.dropout else f"add dropout of {dropout:g}"
        changes[title] = {"dropout": dropout}
    if spec.hidden_units and spec.l2 < FULL_L2:
        l2 = max(FIRST_L2, min(FULL_L2, float(f"{3 * spec.l2:.3g}")))
        title = f"raise the L2 penalty to {l2:g}" if spec.l2 else f"add an L2 penalty of {l2:g}"
        changes[title] = {"l2": l2}
    return changes


def _less_regularization(spec: ModelSpec) -> Changes:
    """No dropout, no penalties; where the spec has none it stays as it is, and `advise` leaves that out."""
    return {"take the regularization away": {"dropout": 0.0, "l1": 0.0, "l2": 0.0}}
