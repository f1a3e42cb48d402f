"""Step 7: from a run to what to try next, each piece with its reason, its number and the spec that tries it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from recipe.core.input_checks import expect
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.engine.models import check_fit
from recipe.steps.s2_measure import is_right_or_wrong
from recipe.steps.s6_scale_up import (
    TOLERANCE,
    ErrorDiagnosis,
    HistoryDiagnosis,
    Verdict,
    diagnose_errors,
    diagnose_history,
    has_errors,
    show_percent,
)

MOST_UNITS, MOST_LAYERS = 1024, 4  # beyond that, more of the same is no longer the advice
FIRST_DROPOUT, FULL_DROPOUT, FIRST_L2, FULL_L2 = 0.25, 0.5, 0.001, 0.01
FIRST_LAYERS, HIGHEST_RATE, FAR_TOO_HIGH = (64,), 1.0, 100  # the last one times the optimizer's usual rate
FEW_UNITS = 16  # a layer of fewer may be too narrow for what comes in
FEW_STEPS = 1000  # of the optimizer: with fewer, ten times the rate gained more than three times it
FAST_FALL = 0.15  # of the level, in the last epoch: the training was cut short
STRONG_PENALTY = 0.25  # of the data loss
# The architecture that is made for a kind of input, and its first layers: it is told what an mlp is not, which pixels
# are neighbours, which words mean alike.
MADE_FOR = MappingProxyType({"image": ("convnet", (16, 32)), "text": ("embedding", (16, 16))})

Changes = dict[str, dict[str, object] | None]  # by title: the fields of the spec that change; None where none does it
Reasoned = tuple[str, Changes]  # the reason that several changes have in common
NO_REGULARIZATION: Changes = {"take the regularization away": {"dropout": 0.0, "l1": 0.0, "l2": 0.0}}


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
    """Say what to try next after a run, in the order of the gain to be expected.

    What counts is the score at the chosen epoch, so that to stop earlier is no gain in itself. A training that diverged
    or did not learn comes first: nothing else can be judged before it works. Then a lower learning rate, where it is a
    hundred times the optimizer's usual one, and a higher one, where it is below that and the validation loss was still
    falling; where the bias is high, wider layers in place of narrow ones, and no regularization where a penalty is a
    quarter of the data loss or a dropout above a half; then, where the validation loss was still falling, larger steps
    and more epochs (more epochs before the regularization where it fell by 15 % in the last one). Where nothing of that
    holds most changes gain nothing beyond noise any more, and the first piece is to stop. It is also where neither bias
    nor variance is high, or where so few answers are wrong that the validation samples cannot tell the error from the
    reachable one. What else might be tried stands behind that. Nothing is proposed that the spec already has.

    How often the first piece improved the score beyond noise, and made it worse, stands in ``docs/advice.md``.

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
    if history.verdict in (Verdict.DIVERGED, Verdict.NOT_LEARNING):
        found = _make_it_learn(run, history)
    else:
        found = _make_it_better(run, history, errors)
    chosen = {run.spec: None}
    for reason, changes in found:
        for title, fields in changes.items():
            spec = None if fields is None else run.spec.replace(**fields)
            if (spec or title) not in chosen:
                with suppress(ValueError):  # the image is too small for one more layer
                    if spec is not None:
                        check_fit(spec, run.problem)
                    chosen[spec or title] = Advice(title=title, reason=reason, spec=spec)
    return tuple(chosen.values())[1:]


def _make_it_learn(run: Run, history: HistoryDiagnosis) -> Iterator[Reasoned]:
    """Give what to do about a training that diverged or did not learn, in the order of how often it is the cause."""
    spec, rate, usual = run.spec, *_rates_of(run.spec)
    # The last layer and the loss of the table, where the spec departs from it.
    by_table = {
        f"take the {name.replace('_', ' ')} that suits the problem": {name: "auto"}
        for name in ("last_activation", "loss")
        if getattr(spec, name) != "auto"
    }
    usual_optimizer = {"try the optimizer rmsprop": {"optimizer": "rmsprop", "learning_rate": None}}
    yield from _tame_rate(spec)
    if history.verdict is Verdict.DIVERGED:
        reason = f"The loss left all bounds in epoch {history.diverged_epoch + 1} at a learning rate of {rate:g}."
        yield reason, _set_rate(spec, rate / 10) | by_table | (usual_optimizer if spec.optimizer == "sgd" else {})
        scale = "values far from 1 make the steps too long. Scale pixels to [0, 1], normalise columns, divide targets"
        yield f"{reason[:-1]}; {scale} by their usual size.", {"check that inputs and targets are scaled": None}
        return
    if rate <= usual:  # steps that are too long make weights large, and so penalties
        yield from _release_brake(run)
    changes = by_table | _set_rate(spec, usual)
    changes |= usual_optimizer if spec.optimizer != "rmsprop" else {}
    changes |= _set_rate(spec, rate / 10) | _set_rate(spec, 10 * rate)
    if spec.activation in ("sigmoid", "linear") and spec.hidden_units:
        changes |= {"take relu units": {"activation": "relu"}}
    reason = f"The training loss is {run.history['data_loss'][-1]:.3g} after {run.epochs} epochs of no progress"
    yield f"{reason}.", changes | NO_REGULARIZATION
    look = "Look at the inputs and their scale. Then give the target as an input: if even that is not learned"
    reason = f"{reason}; the answer may not be in the inputs, or not get through. {look}, the pipeline is broken."
    yield reason, {"check the data": None}


def _make_it_better(run: Run, history: HistoryDiagnosis, errors: ErrorDiagnosis | None) -> Iterator[Reasoned]:
    """Give what to do about a training that worked: what may well gain, or to stop; then what seldom gains any more."""
    spec, losses, verdict = run.spec, run.history[history.monitor], history.verdict
    is_biased = errors is not None and errors.bias == "high"
    is_variable = errors is not None and errors.variance == "high"
    told = "The errors are not known." if errors is None else errors.sentence
    (rate, usual), steps = _rates_of(spec), spec.epochs * math.ceil(run.train_samples / spec.batch_size)
    faster = _set_rate(spec, max((10 if steps < FEW_STEPS else 3) * rate, usual) if rate <= usual else 3 * rate)
    gains = list(_tame_rate(spec))
    if verdict is Verdict.SUSPECT:
        gains.append((history.sentence, {"check the data and its preparation": None}))
    fall = f"{history.monitor} was still falling, to {losses[-1]:.3g}, after {spec.epochs} epochs."
    if verdict is Verdict.IMPROVING and rate < usual:
        gains.append((fall, faster))
    if is_biased and spec.architecture in ("linear", "mlp") and min(spec.hidden_units, default=0) < FEW_UNITS:
        gains.append((told, _bigger_network(spec)))
    longer = {f"train for {2 * spec.epochs} epochs": {"epochs": 2 * spec.epochs}}
    if verdict is Verdict.IMPROVING and losses[-2:][0] - losses[-1] > FAST_FALL * abs(losses[-1]):
        gains.append((fall, longer))
    if is_biased:
        gains += _release_brake(run)
    if verdict is Verdict.IMPROVING:
        gains.append((fall, longer | faster if rate > usual else faster | longer))
    blur = _noise_of(run, errors)
    is_good = errors is not None and (not (is_biased or is_variable) or blur)
    if not gains or (is_good and verdict is not Verdict.SUSPECT):
        rest = "" if is_good else " Where it was measured, few changes gained more than noise from here on."
        end = "Train on training and validation data together, then look at the test set once."
        yield f"This is about as good as it gets with {spec.describe()}.{rest} {told}{blur} {end}", {"stop here": None}
    yield from gains

    # What helps the one part at the cost of the other is left out where both are high.
    against_bias = ({} if is_variable else NO_REGULARIZATION) | _bigger_network(spec) | _made_for(spec, run.problem)
    against_variance = {f"get more data than {run.train_samples:,} samples": None} | _more_regularization(spec)
    against_variance |= _made_for(spec, run.problem)
    if not is_biased:
        against_variance |= _set_units("make the network smaller", tuple(max(1, n // 2) for n in spec.hidden_units))
    parts = []
    if is_biased:
        parts += [(f"Against the bias: the training error is {show_percent(errors.train_error)}.", against_bias)]
    if is_variable:
        found = show_percent(errors.validation_error)
        parts += [(f"Against the variance: the validation error is {found}.", against_variance)]
    yield from reversed(parts) if errors and errors.variance_gap > errors.avoidable_bias else parts
    if verdict is Verdict.OVERFITTING and not spec.patience:
        patience, epochs = max(2, spec.epochs // 10), history.overfitting_epoch or 1
        early = {f"stop early, with a patience of {patience} epochs": {"patience": patience}}
        yield history.sentence, early | {f"stop after epoch {epochs}": {"epochs": epochs}}


def _noise_of(run: Run, errors: ErrorDiagnosis | None) -> str:
    """Say so where the validation samples are too few to tell their share of wrong answers from the reachable one."""
    if errors is None or not run.val_samples or not is_right_or_wrong(run.problem):
        return ""
    wrong = errors.validation_error
    margin = 1.96 * math.sqrt(wrong * (1 - wrong) / run.val_samples)
    if wrong - errors.reachable_error > margin:
        return ""
    return f" {run.val_samples:,} validation samples cannot tell that from the reachable error (95 % interval)."


def _tame_rate(spec: ModelSpec) -> Iterator[Reasoned]:
    """Lower a learning rate that is far above the optimizer's usual one, to ten times that."""
    rate, usual = _rates_of(spec)
    if rate >= FAR_TOO_HIGH * usual:
        reason = f"A learning rate of {rate:g} is {rate / usual:.0f} times the usual one of {spec.optimizer}."
        yield reason, _set_rate(spec, 10 * usual)


def _release_brake(run: Run) -> Iterator[Reasoned]:
    """Take away a regularization that is so strong that it may be the cause of a high training error."""
    penalty, loss = run.history.get("penalty", [0.0])[-1], run.history["data_loss"][-1]
    if penalty > STRONG_PENALTY * loss:
        reason = f"The penalty is {penalty / max(loss, 1e-9):.0%} of the data loss"
    elif run.spec.dropout > FULL_DROPOUT:
        reason = f"A dropout of {run.spec.dropout:g} leaves few units at a time"
    else:
        return
    yield f"{reason}: it may hold the network back.", NO_REGULARIZATION


# The single changes. Each is empty where the spec leaves no room for it.


def _rates_of(spec: ModelSpec) -> tuple[float, float]:
    """The learning rate of a spec, and the usual one of its optimizer."""
    usual = DEFAULT_RATES[spec.optimizer]
    return usual if spec.learning_rate is None else spec.learning_rate, usual


def _set_rate(spec: ModelSpec, rate: float) -> Changes:
    (now, usual), rate = _rates_of(spec), float(f"{rate:.3g}")
    if rate == now or rate > HIGHEST_RATE:
        return {}
    title = f"{'lower' if rate < now else 'raise'} the learning rate to {rate:g}"
    return {f"{title}, the usual one" if rate == usual else title: {"learning_rate": None if rate == usual else rate}}


def _set_units(what: str, units: tuple[int, ...]) -> Changes:
    return {f"{what}: {'-'.join(map(str, units))} units": {"hidden_units": units}}


def _bigger_network(spec: ModelSpec) -> Changes:
    """Four times the units, one more layer; hidden layers where there are none."""
    if spec.architecture == "linear":
        return {"add a hidden layer": {"architecture": "mlp", "hidden_units": FIRST_LAYERS}}
    units = spec.hidden_units
    wider = tuple(max(width, *FIRST_LAYERS, min(4 * width, MOST_UNITS)) for width in units)
    deeper = _set_units("add a layer", (*units, units[-1])) if len(units) < MOST_LAYERS else {}
    return _set_units("make the network bigger", wider) | deeper


def _made_for(spec: ModelSpec, problem: Problem) -> Changes:
    """The architecture that is made for the kind of input."""
    name, units = MADE_FOR.get(problem.kind, (spec.architecture, ()))
    return {f"take the architecture {name}": {"architecture": name, "hidden_units": units}} if units else {}


def _more_regularization(spec: ModelSpec) -> Changes:
    """Dropout and an L2 penalty, first or more of them. Both act on hidden layers only."""
    changes = {}
    if spec.hidden_units and spec.dropout < FULL_DROPOUT:
        dropout = FIRST_DROPOUT if spec.dropout < FIRST_DROPOUT else FULL_DROPOUT
        changes[f"{'raise the dropout to' if spec.dropout else 'add dropout of'} {dropout:g}"] = {"dropout": dropout}
    if spec.hidden_units and spec.l2 < FULL_L2:
        l2 = max(FIRST_L2, min(FULL_L2, float(f"{3 * spec.l2:.3g}")))
        changes[f"{'raise the L2 penalty to' if spec.l2 else 'add an L2 penalty of'} {l2:g}"] = {"l2": l2}
    return changes
