"""Step 7: a spec as the parameters of an Optuna trial.

One parameter has one distribution, here, for every trial of every study: so a run made by hand and one made by a
search are trials of the same study, and each search learns from all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from recipe.core.spec import ACTIVATIONS, ARCHITECTURES, DEFAULT_RATES, OPTIMIZERS, ModelSpec

if TYPE_CHECKING:
    import optuna

MOST_LAYERS = 8


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`, both included."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Limits(Range):
    """The widest range of a parameter; on a logarithmic scale twice as much is as far everywhere."""

    whole: bool
    log: bool


CHOICES = MappingProxyType({"architecture": ARCHITECTURES, "activation": ACTIVATIONS, "optimizer": OPTIMIZERS})
LIMITS = MappingProxyType(
    {
        "layers": Limits(1, MOST_LAYERS, whole=True, log=False),
        "units": Limits(1, 65_536, whole=True, log=True),
        "filters": Limits(1, 65_536, whole=True, log=True),
        "dropout": Limits(0.0, 0.99, whole=False, log=False),
        "l1": Limits(1e-12, 100.0, whole=False, log=True),
        "l2": Limits(1e-12, 100.0, whole=False, log=True),
        "learning_rate": Limits(1e-9, 1000.0, whole=False, log=True),
        "batch_size": Limits(1, 1_000_000, whole=True, log=True),
        "epochs": Limits(1, 1_000_000, whole=True, log=True),
    }
)
SWITCHES = ("l1_on", "l2_on")


def to_params(
    spec: ModelSpec,
) -> tuple[dict[str, object], dict[str, optuna.distributions.BaseDistribution]]:
    """Return a spec as an Optuna trial's parameters and their distributions.

    What has no effect is left out: the layers of a linear model, the strength of a penalty that is off. Seed and
    patience are no parameters. Both are empty for a spec that no distribution holds (more than 8 layers, say) and for
    one whose last layer or loss is not the problem's own: there is nothing that a search could learn from it.

    Examples
    --------
    >>> params, _ = to_params(ModelSpec(hidden_units=(16, 8), l2=0.001))
    >>> params["units_2"], params["l1_on"], params["l2"], params["learning_rate"]
    (8, False, 0.001, 0.001)
    """
    params: dict[str, object] = {"architecture": spec.architecture}
    if spec.hidden_units:
        params["layers"] = len(spec.hidden_units)
        params |= {f"units_{layer}": units for layer, units in enumerate(spec.hidden_units, start=1)}
        params |= {"activation": spec.activation, "dropout": spec.dropout}
        for name in ("l1", "l2"):
            strength = getattr(spec, name)
            params |= {f"{name}_on": strength > 0} | ({name: strength} if strength > 0 else {})
    params |= {
        "optimizer": spec.optimizer,
        "learning_rate": DEFAULT_RATES[spec.optimizer] if spec.learning_rate is None else spec.learning_rate,
        "batch_size": spec.batch_size,
        "epochs": spec.epochs,
    }
    is_own = (spec.last_activation, spec.loss) == ("auto", "auto")
    if not is_own or any(field_of(name) in LIMITS and value not in limits_of(name) for name, value in params.items()):
        return {}, {}
    return params, {name: distribution_of(name) for name in params}


def from_params(params: Mapping[str, object], base: ModelSpec | None = None) -> ModelSpec:
    """Return the spec that parameters such as those of `to_params` stand for; the rest is from `base`.

    An optimizer's usual learning rate becomes None.
    """
    values = {name: params[name] for name in ("architecture", "optimizer", "learning_rate", "batch_size", "epochs")}
    if values["learning_rate"] == DEFAULT_RATES[values["optimizer"]]:
        values["learning_rate"] = None
    values["hidden_units"] = tuple(params[f"units_{layer}"] for layer in range(1, params.get("layers", 0) + 1))
    values |= {name: params[name] for name in ("activation", "dropout") if name in params}
    values |= {name: params[name] if params[f"{name}_on"] else 0.0 for name in ("l1", "l2") if f"{name}_on" in params}
    return (base or ModelSpec()).replace(**values)


def limits_of(name: str) -> Limits:
    """Return the widest range of a number among the parameters."""
    return LIMITS[field_of(name)]


def distribution_of(name: str, within: Range | None = None) -> optuna.distributions.BaseDistribution:
    """Return the distribution of a parameter, narrowed to a range where it is a number."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if name in CHOICES:
        return CategoricalDistribution(CHOICES[name])
    if name in SWITCHES:
        return CategoricalDistribution((False, True))
    limits = limits_of(name)
    kind = IntDistribution if limits.whole else FloatDistribution
    low, high = (limits.low, limits.high) if within is None else (within.low, within.high)
    return kind(low, high, log=limits.log)


def field_of(name: str) -> str:
    """Return the name that the units of all layers share, or the parameter's own."""
    return "units" if name.startswith("units_") else name
