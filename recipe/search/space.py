"""Step 7: which specs a search may try, as parameters of Optuna's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recipe.core.problem import Problem
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.search.plan import make_plan

DIGITS = 3  # of a number that is drawn from a range: 0.00132, not 0.00131799
SIZES = ("layers", "units", "filters")
WHOLE = (*SIZES, "batch_size", "epochs")
LOGARITHMIC = ("units", "filters", "l1", "l2", "learning_rate", "batch_size", "epochs")  # twice as much is a step
OF_HIDDEN_LAYERS = ("activation", "dropout", "l1", "l2")


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included."""

    low: float
    high: float


Values = Range | tuple


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Which specs a search may try: a base, and what may be otherwise.

    Attributes
    ----------
    base : what stays as it is
    architecture, activation, optimizer : tuples of names
    layers, units, dropout, l1, l2, learning_rate, batch_size, epochs : `Range`, or a tuple of numbers to choose from;
        None leaves the base's
    filters : of a convnet's layers, in place of `units`; None takes those

    Raises
    ------
    ValueError
        If there is nothing to choose from, or no spec can have such a value.

    Examples
    --------
    >>> space = SearchSpace(dropout=Range(0.0, 0.5), units=(16, 64), optimizer=("adam",))
    >>> list(space.distributions)
    ['units_1', 'dropout', 'optimizer']
    >>> space.to_spec({"units_1": 16, "dropout": 0.25, "optimizer": "adam"}).describe()
    'dense 16, dropout 0.25, adam'
    """

    base: ModelSpec = field(default_factory=ModelSpec)
    architecture: tuple[str, ...] | None = None
    layers: Values | None = None
    units: Values | None = None
    filters: Values | None = None
    activation: tuple[str, ...] | None = None
    dropout: Values | None = None
    l1: Values | None = None
    l2: Values | None = None
    optimizer: tuple[str, ...] | None = None
    learning_rate: Values | None = None
    batch_size: Values | None = None
    epochs: Values | None = None

    def __post_init__(self) -> None:
        for name, values in self._given().items():
            wrong = f"{name} cannot be searched so. Received: {name}={values!r}."
            if not isinstance(values, list | tuple | Range):
                raise ValueError(f"{wrong} Give Range(low, high), or a tuple to choose from.")
            try:
                _distribution(name, values)
                for value in _ends(values):  # the spec refuses what none can have
                    hidden = (8,) * value if name == "layers" else (value,)
                    self.base.replace(**({"hidden_units": hidden} if name in SIZES else {name: value}))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{wrong} {error}") from error

    @property
    def most_layers(self) -> int:
        """The most layers that a spec may have."""
        return max(len(self.base.hidden_units), 1) if self.layers is None else max(_ends(self.layers))

    @property
    def most_epochs(self) -> int:
        """The most epochs that a spec may have."""
        return self.base.epochs if self.epochs is None else max(_ends(self.epochs))

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The parameters of every trial, those of layers that a smaller network does not have among them."""
        found = {}
        for name, values in self._given().items():
            each_layer = name in ("units", "filters")
            names = [f"{name}_{layer}" for layer in range(1, self.most_layers + 1)] if each_layer else [name]
            found |= dict.fromkeys(names, _distribution(name, values))
        return found

    def to_spec(self, params: Mapping[str, object]) -> ModelSpec:
        """Return the spec that parameters describe, a layer beyond the base's with the units of the base's last one.

        A number from a range gets few digits, as one that a person types.
        """
        architecture = params.get("architecture", self.base.architecture)
        units, named = self.base.hidden_units or (64,), self._name_of_units(architecture)
        layers = params.get("layers", max(len(self.base.hidden_units), 1))
        hidden = [params.get(f"{named}_{layer + 1}", units[min(layer, len(units) - 1)]) for layer in range(layers)]
        unused = OF_HIDDEN_LAYERS if architecture == "linear" else ()
        changes = {
            one.name: self._round(one.name, params[one.name])
            for one in fields(ModelSpec)
            if one.name in params and one.name not in unused
        }
        return self.base.replace(**changes, hidden_units=tuple(hidden))

    def to_params(self, spec: ModelSpec) -> dict[str, object]:
        """Return a spec that was made elsewhere as parameters of this space.

        What lies outside of the space is left out, and the rest can be learned from; of a spec with another last layer
        or loss nothing can.
        """
        if (spec.last_activation, spec.loss) != (self.base.last_activation, self.base.loss):
            return {}
        named, rate = self._name_of_units(spec.architecture), spec.learning_rate
        values = spec.to_dict() | {"layers": len(spec.hidden_units)}
        values["learning_rate"] = DEFAULT_RATES[spec.optimizer] if rate is None else rate
        values |= {f"{named}_{layer}": units for layer, units in enumerate(spec.hidden_units, start=1)}
        return {
            name: values[name]
            for name, distribution in self.distributions.items()
            if name in values and _holds(distribution, values[name])
        }

    def _given(self) -> dict[str, Values]:
        """Return what may be otherwise than in the base, in the order in which it is drawn."""
        named = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "base"}
        return {name: values for name, values in named.items() if values is not None}

    def _name_of_units(self, architecture: str) -> str:
        return "filters" if architecture == "convnet" and self.filters is not None else "units"

    def _round(self, name: str, value: object) -> object:
        values = getattr(self, name)
        if not isinstance(value, float) or not isinstance(values, Range):
            return value
        return min(max(float(f"{value:.{DIGITS}g}"), values.low), values.high)


def default_space(problem: Problem, samples: int, seed: int = 0) -> SearchSpace:
    """Return what is worth searching for a problem, given the number of training samples.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> default_space(find_problem("imdb"), samples=15_000).architecture
    ('mlp', 'embedding')
    """
    plan = make_plan(problem, samples, seed)
    base = plan.ladder[0]
    is_text, is_image = problem.kind == "text", problem.kind == "image"
    other = {"image": ("convnet",), "text": ("embedding",)}.get(problem.kind, ()) if plan.architectures else ()
    return SearchSpace(
        base=base.replace(patience=max(3, base.epochs // 5)),
        architecture=("mlp", *other),
        layers=Range(1, 2 if is_text else 3),
        units=(4, 8, 16, 32, 64) if is_text else (16, 32, 64, 128, 256, 512),
        filters=(8, 16, 32) if is_image else None,
        dropout=Range(0.0, 0.6),
        l2=(0.0, 1e-5, 1e-4, 1e-3, 1e-2),  # no penalty at all is one of the choices
        optimizer=("rmsprop", "adam"),
        learning_rate=Range(2e-4, 1e-2),
    )


def _distribution(name: str, values: Values) -> BaseDistribution:
    if not isinstance(values, Range):
        return CategoricalDistribution(values)
    kind = IntDistribution if name in WHOLE else FloatDistribution
    return kind(values.low, values.high, log=name in LOGARITHMIC)


def _holds(distribution: BaseDistribution, value: object) -> bool:
    if hasattr(distribution, "choices"):
        return value in distribution.choices
    return distribution.low <= value <= distribution.high


def _ends(values: Values) -> tuple:
    return (values.low, values.high) if isinstance(values, Range) else tuple(values)
