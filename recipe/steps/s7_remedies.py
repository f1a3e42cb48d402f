"""Step 7: the single pieces of advice, each a change of one spec; `recipe.steps.s7_regularize` chooses among them.

A function yields a piece only where the spec leaves room for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from recipe.core.problem import Problem
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.steps.s6_histories import HistoryDiagnosis, Verdict

MOST_UNITS, MOST_LAYERS, MOST_EPOCHS = 1024, 4, 2000  # beyond that, more of the same is no longer the advice
FEWEST_UNITS, LEAST_RATE, HIGHEST_RATE = 4, 1e-6, 1.0
FIRST_DROPOUT, FULL_DROPOUT, FIRST_L2, FULL_L2 = 0.25, 0.5, 0.001, 0.01
FIRST_LAYERS = MappingProxyType({"mlp": (64,), "convnet": (16, 32), "embedding": (16, 16)})


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing to try.

    Attributes
    ----------
    action : what to try, such as ``"add dropout"``
    reason : why, with the number behind it
    change : fields of `ModelSpec` and their new values; None where no setting does it
    do : what to do by hand where `change` is None; else empty
    """

    action: str
    reason: str
    change: dict[str, object] | None = None
    do: str = ""

    def apply(self, spec: ModelSpec) -> ModelSpec:
        """Return the spec with the change made.

        Raises
        ------
        ValueError
            If no setting does it.
        """
        if self.change is None:
            raise ValueError(f"No setting of a model does this. Received: advice to {self.action}. {self.do}")
        return spec.replace(**self.change)


def rate_of(spec: ModelSpec) -> float:
    """Return the learning rate that the spec trains at."""
    return DEFAULT_RATES[spec.optimizer] if spec.learning_rate is None else spec.learning_rate


def show_layers(units: tuple[int, ...]) -> str:
    """Write the units a layer, as in ``"64-64"``."""
    return "-".join(map(str, units)) or "no hidden"


def follow_the_table(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """The last layer and the loss of the table, where the spec departs from it."""
    for field, words in (("last_activation", "last activation"), ("loss", "loss")):
        if (value := getattr(spec, field)) != "auto":
            yield Advice(
                action=f"take the {words} that suits the problem",
                reason=f"{reason} with {value}, which was set by hand.",
                change={field: "auto"},
            )


def change_rate(spec: ModelSpec, reason: str, factor: float) -> Iterator[Advice]:
    """A learning rate that is so many times the present one."""
    rate = float(f"{factor * rate_of(spec):.3g}")
    if LEAST_RATE <= rate <= HIGHEST_RATE:
        action = f"{'lower' if factor < 1 else 'raise'} the learning rate to {rate:g}"
        yield Advice(action=action, reason=f"{reason} at {rate_of(spec):g}.", change={"learning_rate": rate})


def change_optimizer(spec: ModelSpec, reason: str, optimizer: str) -> Iterator[Advice]:
    """Another optimizer, at its usual rate."""
    if spec.optimizer != optimizer:
        change = {"optimizer": optimizer, "learning_rate": None}
        yield Advice(action=f"try the optimizer {optimizer}", reason=f"{reason} under {spec.optimizer}.", change=change)


def bigger_network(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Twice the units, one more layer; hidden layers where there are none."""
    present = f"{reason} with {show_layers(spec.hidden_units)} units."
    if spec.architecture == "linear":
        change = {"architecture": "mlp", "hidden_units": FIRST_LAYERS["mlp"]}
        yield Advice(action="add a hidden layer", reason=f"{reason} with no hidden layer.", change=change)
        return
    wider = tuple(max(units, min(2 * units, MOST_UNITS)) for units in spec.hidden_units)
    if wider != spec.hidden_units:
        action = f"make the network bigger: {show_layers(wider)} units"
        yield Advice(action=action, reason=present, change={"hidden_units": wider})
    if len(spec.hidden_units) < MOST_LAYERS:
        deeper = (*spec.hidden_units, spec.hidden_units[-1])
        action = f"add a layer: {show_layers(deeper)} units"
        yield Advice(action=action, reason=present, change={"hidden_units": deeper})


def smaller_network(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Half the units."""
    narrower = tuple(min(units, max(FEWEST_UNITS, units // 2)) for units in spec.hidden_units)
    if narrower != spec.hidden_units:
        yield Advice(
            action=f"make the network smaller: {show_layers(narrower)} units",
            reason=f"{reason} with {show_layers(spec.hidden_units)} units.",
            change={"hidden_units": narrower},
        )


def other_architecture(spec: ModelSpec, reason: str, problem: Problem | None) -> Iterator[Advice]:
    """A convnet for images, an embedding network for reviews."""
    is_image = problem is not None and len(problem.input_shape) == 2
    if not is_image and not (problem and problem.num_words):
        return
    name, why = ("convnet", "which pixels are neighbours") if is_image else ("embedding", "which words mean alike")
    if spec.architecture != name:
        change = {"architecture": name, "hidden_units": FIRST_LAYERS[name]}
        action = "take a convnet" if is_image else "take an embedding network"
        reason = f"{reason} with {spec.architecture}, which is not told {why}."
        yield Advice(action=action, reason=reason, change=change)


def train_longer(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Twice the epochs."""
    epochs = min(2 * spec.epochs, MOST_EPOCHS)
    if epochs > spec.epochs:
        action = f"train for {epochs} epochs"
        yield Advice(action=action, reason=f"{reason} after {spec.epochs} epochs.", change={"epochs": epochs})


def stop_in_time(spec: ModelSpec, history: HistoryDiagnosis | None) -> Iterator[Advice]:
    """As many epochs as did good; with patience the best weights came back already."""
    if history is None or history.verdict is not Verdict.OVERFITTING or spec.patience is not None:
        return
    epochs = history.overfitting_epoch
    if epochs < spec.epochs:
        rise = f"from {history.best_loss:.3g} to {history.last_loss:.3g}"
        yield Advice(
            action=f"stop after epoch {epochs}",
            reason=f"Overfitting since epoch {epochs + 1}: {history.monitor} rose {rise}.",
            change={"epochs": epochs},
        )


def set_patience(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Early stopping, with a patience of a tenth of the epochs."""
    if spec.patience is None:
        patience = max(2, spec.epochs // 10)
        action = f"stop early, with a patience of {patience} epochs"
        yield Advice(action=action, reason=f"{reason} after all {spec.epochs} epochs.", change={"patience": patience})


def more_regularization(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """Dropout and an L2 penalty, first or more of them. Both act on hidden layers only."""
    if not spec.hidden_units:
        return
    if spec.dropout < FULL_DROPOUT:
        dropout = FIRST_DROPOUT if spec.dropout < FIRST_DROPOUT else FULL_DROPOUT
        action = "raise the dropout" if spec.dropout else "add dropout"
        yield Advice(
            action=f"{action} to {dropout:g}" if spec.dropout else f"{action} of {dropout:g}",
            reason=f"{reason} with dropout {spec.dropout:g}.",
            change={"dropout": dropout},
        )
    if spec.l2 < FULL_L2:
        l2 = max(FIRST_L2, min(FULL_L2, float(f"{3 * spec.l2:.3g}")))
        action = f"raise the L2 penalty to {l2:g}" if spec.l2 else f"add an L2 penalty of {l2:g}"
        yield Advice(action=action, reason=f"{reason} with L2 {spec.l2:g}.", change={"l2": l2})


def less_regularization(spec: ModelSpec, reason: str) -> Iterator[Advice]:
    """No dropout, no penalties, where the spec has them."""
    change = {name: 0.0 for name in ("dropout", "l1", "l2") if getattr(spec, name)}
    if change:
        present = ", ".join(f"{name} {getattr(spec, name):g}" for name in change)
        yield Advice(action="take the regularization away", reason=f"{reason} with {present}.", change=change)
