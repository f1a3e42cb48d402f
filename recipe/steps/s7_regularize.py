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

MOST_UNITS, MOST_LAYERS, MOST_EPOCHS = 1024, 4, 2000  # beyond that, more of the same is no longer the advice
FEWEST_UNITS, LEAST_RATE, HIGHEST_RATE = 4, 1e-6, 1.0
FIRST_DROPOUT, FULL_DROPOUT, FIRST_L2, FULL_L2 = 0.25, 0.5, 0.001, 0.01
FIRST_LAYERS = (64,)
# The architecture that is made for a kind of input, its first layers, and what it is told that an mlp is not.
MADE_FOR = MappingProxyType(
    {
        "image": ("convnet", (16, 32), "take a convnet", "which pixels are neighbours"),
        "text": ("embedding", (16, 16), "take an embedding network", "which words mean alike"),
    }
)


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
    the other is left out. Nothing is proposed that the spec already has.

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
        found = _after_not_learning(run.spec, history)
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


def _after_divergence(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    reason = f"The loss left all bounds in epoch {history.diverged_epoch + 1}"
    yield from _change_rate(spec, reason, 0.1)
    yield from _follow_the_table(spec, reason)
    if spec.optimizer == "sgd":
        yield from _change_optimizer(spec, reason, "rmsprop")
    yield Advice(
        title="check that inputs and targets are scaled",
        reason=f"{reason}; values far from 1 make the steps too long. Scale pixels to [0, 1], normalise columns, "
        "divide targets by their usual size.",
    )


def _after_not_learning(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    """The checklist, in the order of how often it is the cause."""
    reason = f"The training loss is {history.last_train_loss:.3g} after {history.epochs} epochs of no progress"
    yield from _follow_the_table(spec, reason)
    if _rate_of(spec) != (usual := DEFAULT_RATES[spec.optimizer]):
        title = f"go back to the optimizer's usual learning rate, {usual:g}"
        yield _piece(spec, title, f"{reason} at {spec.learning_rate:g}.", learning_rate=None)
    yield from _change_optimizer(spec, reason, "rmsprop")
    yield from _change_rate(spec, reason, 0.1)
    yield from _change_rate(spec, reason, 10)
    if spec.activation in ("sigmoid", "linear") and spec.hidden_units:
        yield _piece(spec, "take relu units", f"{reason} with {spec.activation} units.", activation="relu")
    yield from _less_regularization(spec, reason)
    yield Advice(
        title="check the data",
        reason=f"{reason}; the answer may not be in the inputs, or not get through. Look at the inputs and their "
        "scale. Then give the target as an input: if even that is not learned, the pipeline is broken.",
    )


def _after_training(run: Run, errors: ErrorDiagnosis | None, history: HistoryDiagnosis) -> Iterator[Advice]:
    """Advice on a training that worked."""
    is_biased = errors is not None and errors.bias == "high"
    is_variable = errors is not None and errors.variance == "high"
    if history.verdict is Verdict.SUSPECT:
        yield Advice(title="check the data and its preparation", reason=history.sentence)
    if history.verdict is Verdict.IMPROVING:
        yield from _train_longer(run.spec, f"{history.monitor} was still falling, to {history.last_loss:.3g},")
    parts = []
    if is_biased:
        parts.append(_against_bias(run, errors, history, is_alone=not is_variable))
    if is_variable:
        parts.append(_against_variance(run, errors, history, is_alone=not is_biased))
    if is_biased and is_variable and errors.variance_gap > errors.avoidable_bias + 1e-9:
        parts.reverse()
    for part in parts or [_at_the_end(run.spec, errors, history)]:
        yield from part


def _against_bias(run: Run, errors: ErrorDiagnosis, history: HistoryDiagnosis, *, is_alone: bool) -> Iterator[Advice]:
    spec = run.spec
    reason = f"High bias: the training error is {show_points(errors.avoidable_bias)} above the reachable one"
    if is_alone:
        yield from _less_regularization(spec, reason)
    yield from _bigger_network(spec, reason)
    yield from _other_architecture(spec, reason, run.problem)
    if history.verdict is not Verdict.OVERFITTING:
        yield from _train_longer(spec, reason)
    yield from _change_optimizer(spec, reason, "rmsprop" if spec.optimizer == "adam" else "adam")
    yield from _change_rate(spec, reason, 0.3)


def _against_variance(
    run: Run, errors: ErrorDiagnosis, history: HistoryDiagnosis, *, is_alone: bool
) -> Iterator[Advice]:
    spec, samples = run.spec, run.train_samples
    reason = f"High variance: the validation error is {show_points(errors.variance_gap)} above the training error"
    yield from _stop_in_time(spec, history)
    there, more = (f" of {samples} samples", f"{2 * samples} samples") if samples else ("", "more samples")
    yield Advice(
        title="get more data",
        reason=f"{reason}{there}; nothing generalises better than more. Train on {more} if there are so many: raise "
        "the rows, collect, or make variants of what there is.",
    )
    yield from _more_regularization(spec, reason)
    yield from _set_patience(spec, reason)
    yield from _other_architecture(spec, reason, run.problem)
    if is_alone:
        yield from _smaller_network(spec, reason)


def _at_the_end(spec: ModelSpec, errors: ErrorDiagnosis | None, history: HistoryDiagnosis) -> Iterator[Advice]:
    yield from _stop_in_time(spec, history)
    reason = "The curves ask for nothing else; the errors are not known."
    if errors is not None:
        reason = f"Neither bias nor variance is high: the validation error is {show_percent(errors.validation_error)}."
    yield Advice(
        title="go on to the final model",
        reason=f"{reason} Train on training and validation data together, then look at the test set once.",
    )


# The single pieces. Each yields one only where the spec leaves room for it.


def _piece(spec: ModelSpec, title: str, reason: str, **changes: object) -> Advice:
    return Advice(title=title, reason=reason, spec=spec.replace(**changes))


def _rate_of(spec: ModelSpec) -> float:
    return DEFAULT_RATES[spec.optimizer] if spec.learning_rate is None else spec.learning_rate


def _show_layers(units: tuple[int, ...]) -> str:
    return f"{'-'.join(map(str, units))} units"


def _follow_the_table(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """The last layer and the loss of the table, where the spec departs from it."""
    for name in ("last_activation", "loss"):
        if (value := getattr(spec, name)) != "auto":
            title = f"take the {name.replace('_', ' ')} that suits the problem"
            yield _piece(spec, title, f"{reason} with {value}, which was set by hand.", **{name: "auto"})


def _change_rate(spec: ModelSpec, reason: str, factor: float) -> Iterator[Advice]:
    """A learning rate that is so many times the present one."""
    present = _rate_of(spec)
    rate = float(f"{factor * present:.3g}")
    if LEAST_RATE <= rate <= HIGHEST_RATE:
        title = f"{'lower' if factor < 1 else 'raise'} the learning rate to {rate:g}"
        yield _piece(spec, title, f"{reason} at {present:g}.", learning_rate=rate)


def _change_optimizer(spec: ModelSpec, reason: str, name: str) -> Iterator[Advice]:
    """Another optimizer, at its usual rate."""
    if spec.optimizer != name:
        reason = f"{reason} under {spec.optimizer}."
        yield _piece(spec, f"try the optimizer {name}", reason, optimizer=name, learning_rate=None)


def _bigger_network(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Twice the units, one more layer; hidden layers where there are none."""
    if spec.architecture == "linear":
        reason = f"{reason} with no hidden layer."
        yield _piece(spec, "add a hidden layer", reason, architecture="mlp", hidden_units=FIRST_LAYERS)
        return
    units, reason = spec.hidden_units, f"{reason} with {_show_layers(spec.hidden_units)}."
    wider = tuple(max(width, min(2 * width, MOST_UNITS)) for width in units)
    yield _piece(spec, f"make the network bigger: {_show_layers(wider)}", reason, hidden_units=wider)
    if len(units) < MOST_LAYERS:
        deeper = (*units, units[-1])
        yield _piece(spec, f"add a layer: {_show_layers(deeper)}", reason, hidden_units=deeper)


def _smaller_network(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Half the units."""
    narrower = tuple(min(width, max(FEWEST_UNITS, width // 2)) for width in spec.hidden_units)
    reason = f"{reason} with {_show_layers(spec.hidden_units)}."
    yield _piece(spec, f"make the network smaller: {_show_layers(narrower)}", reason, hidden_units=narrower)


def _other_architecture(spec: ModelSpec, reason: str, problem: Problem) -> Iterator[Advice]:
    """A convnet for images, an embedding network for texts."""
    name, units, title, why = MADE_FOR.get(problem.kind, (spec.architecture, (), "", ""))
    if spec.architecture != name:
        reason = f"{reason} with {spec.architecture}, which is not told {why}."
        yield _piece(spec, title, reason, architecture=name, hidden_units=units)


def _train_longer(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Twice the epochs."""
    epochs = min(2 * spec.epochs, MOST_EPOCHS)
    if epochs > spec.epochs:
        yield _piece(spec, f"train for {epochs} epochs", f"{reason} after {spec.epochs} epochs.", epochs=epochs)


def _stop_in_time(spec: ModelSpec, history: HistoryDiagnosis) -> Iterator[Advice]:
    """As many epochs as did good; with patience the best weights came back already."""
    epochs = history.overfitting_epoch
    if epochs and spec.patience is None and epochs < spec.epochs:
        rise = f"{history.monitor} rose from {history.best_loss:.3g} to {history.last_loss:.3g}"
        yield _piece(
            spec, f"stop after epoch {epochs}", f"Overfitting since epoch {epochs + 1}: {rise}.", epochs=epochs
        )


def _set_patience(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Early stopping, with a patience of a tenth of the epochs."""
    if spec.patience is None:
        patience = max(2, spec.epochs // 10)
        title = f"stop early, with a patience of {patience} epochs"
        yield _piece(spec, title, f"{reason} after all {spec.epochs} epochs.", patience=patience)


def _more_regularization(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Dropout and an L2 penalty, first or more of them. Both act on hidden layers only."""
    if not spec.hidden_units:
        return
    if spec.dropout < FULL_DROPOUT:
        dropout = FIRST_DROPOUT if spec.dropout < FIRST_DROPOUT else FULL_DROPOUT
        title = f"raise the dropout to {dropout:g}" if spec.dropout else f"add dropout of {dropout:g}"
        yield _piece(spec, title, f"{reason} with dropout {spec.dropout:g}.", dropout=dropout)
    if spec.l2 < FULL_L2:
        l2 = max(FIRST_L2, min(FULL_L2, float(f"{3 * spec.l2:.3g}")))
        title = f"raise the L2 penalty to {l2:g}" if spec.l2 else f"add an L2 penalty of {l2:g}"
        yield _piece(spec, title, f"{reason} with L2 {spec.l2:g}.", l2=l2)


def _less_regularization(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """No dropout, no penalties, where the spec has them."""
    there = {name: getattr(spec, name) for name in ("dropout", "l1", "l2") if getattr(spec, name)}
    if there:
        present = ", ".join(f"{name} {value:g}" for name, value in there.items())
        nothing = dict.fromkeys(there, 0.0)
        yield _piece(spec, "take the regularization away", f"{reason} with {present}.", **nothing)
