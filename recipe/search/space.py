"""Step 7: which specs a search may try, as parameters of Optuna's."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from numbers import Real
from typing import TYPE_CHECKING

from recipe.core.problem import Problem
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.search.plan import make_plan

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution

DIGITS = 3  # of a number that is drawn from a range: 0.00132, not 0.00131799
WHOLE = ("layers", "units", "filters", "batch_size", "epochs")
LOGARITHMIC = ("units", "filters", "l1", "l2", "learning_rate", "batch_size", "epochs")  # twice as much is a step
NAMED = ("architecture", "activation", "optimizer")  # by choice alone: there is no range of names


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included.

    Raises
    ------
    ValueError, TypeError
        If they are no numbers, or in the wrong order.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not all(isinstance(end, Real) and not isinstance(end, bool) for end in (self.low, self.high)):
            raise TypeError(f"A range goes from number to number. Received: low={self.low!r}, high={self.high!r}.")
        if not self.low <= self.high:
            raise ValueError(f"A range goes upwards. Received: low={self.low}, high={self.high}. Swap them.")


Values = Range | tuple


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Which specs a search may try: a base, and what may be otherwise.

    Attributes
    ----------
    base : what stays as it is
    architecture, activation, optimizer : tuples of names
    layers, units, dropout, l1, l2, learning_rate, batch_size, epochs : `Range`, or a tuple of numbers to choose from;
        None leaves the base's. A penalty's range includes none at all, as 0 among its numbers does
    filters : of a convnet's layers, in place of `units`; None takes those

    Raises
    ------
    ValueError
        If there is nothing to choose from, or no spec can have such a value.

    Examples
    --------
    >>> space = SearchSpace(dropout=Range(0.0, 0.5), units=(16, 64), optimizer=("adam",))
    >>> list(space.distributions("mlp", layers=1))
    ['units_1', 'dropout', 'optimizer']
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
        for name in _FIELDS:
            values = getattr(self, name)
            if isinstance(values, list):
                values = tuple(values)
                object.__setattr__(self, name, values)
            if values is not None:
                self._check(name, values)

    @property
    def architectures(self) -> tuple[str, ...]:
        """The architectures that may be tried."""
        return self.architecture or (self.base.architecture,)

    @property
    def most_layers(self) -> int:
        """The most layers that a spec may have."""
        return max(_ends(self.layers)) if self.layers is not None else max(len(self.base.hidden_units), 1)

    @property
    def most_epochs(self) -> int:
        """The most epochs that a spec may have."""
        return max(_ends(self.epochs)) if self.epochs is not None else self.base.epochs

    def suggest(self, trial: Trial) -> ModelSpec:
        """Return the spec that Optuna wants to try next: it draws one parameter after the other.

        Examples
        --------
        >>> import optuna
        >>> trial = optuna.trial.FixedTrial({"units_1": 16, "dropout": 0.25})
        >>> SearchSpace(units=(16, 64), dropout=Range(0.0, 0.5)).suggest(trial).describe()
        'dense 16, dropout 0.25, rmsprop'
        """
        layers = max(len(self.base.hidden_units), 1)
        drawn: dict[str, object] = {"architecture": self.base.architecture, "layers": layers}
        for name in ("architecture", "layers"):  # on these it depends which others there are
            distribution = self.distributions(drawn["architecture"]).get(name)
            if distribution is not None:
                drawn[name] = _draw(trial, name, distribution)
        for name, distribution in self.distributions(drawn["architecture"], drawn["layers"]).items():
            if name not in ("architecture", "layers") and drawn.get(f"{name}_on", True):
                drawn[name] = _draw(trial, name, distribution)
        return self._to_spec(drawn)

    def distributions(self, architecture: str, layers: int = 0) -> dict[str, BaseDistribution]:
        """Return the parameters that a trial of this architecture has, in the order in which they are drawn."""
        values: dict[str, Values | None] = {"architecture": self.architecture}
        if architecture != "linear":
            own = architecture == "convnet" and self.filters is not None
            name, units = ("filters", self.filters) if own else ("units", self.units)
            values |= {"layers": self.layers} | {f"{name}_{layer}": units for layer in range(1, layers + 1)}
            values |= {"activation": self.activation, "dropout": self.dropout}
            for penalty in ("l1", "l2"):
                strength = getattr(self, penalty)
                values[f"{penalty}_on"] = (False, True) if isinstance(strength, Range) else None
                values[penalty] = strength
        values |= {name: getattr(self, name) for name in ("optimizer", "learning_rate", "batch_size", "epochs")}
        return {name: _distribution(name, some) for name, some in values.items() if some is not None}

    def to_params(self, spec: ModelSpec) -> tuple[dict[str, object], dict[str, BaseDistribution]]:
        """Return a spec that was made elsewhere as the parameters of a trial in this space, and their distributions.

        What lies outside of the space is left out, and the rest can be learned from; of a spec with another last layer
        or loss nothing can.
        """
        if (spec.last_activation, spec.loss) != (self.base.last_activation, self.base.loss):
            return {}, {}
        own = self.distributions(spec.architecture, len(spec.hidden_units))
        params = {name: _value_of(spec, name) for name in own}
        params = {name: value for name, value in params.items() if _holds(own[name], value)}
        return params, {name: own[name] for name in params}

    def _to_spec(self, drawn: dict[str, object]) -> ModelSpec:
        """Put a spec together; a layer beyond the base's has the units of the base's last one."""
        units = self.base.hidden_units or (64,)
        hidden = [
            drawn.get(f"units_{layer}", drawn.get(f"filters_{layer}", units[min(layer, len(units)) - 1]))
            for layer in range(1, drawn["layers"] + 1)
        ]
        off = {name: 0.0 for name in ("l1", "l2") if not drawn.get(f"{name}_on", True)}
        own = {one.name for one in fields(ModelSpec)}
        return self.base.replace(
            **{name: drawn[name] for name in drawn if name in own} | off, hidden_units=tuple(hidden)
        )

    def _check(self, name: str, values: Values) -> None:
        """Refuse values that no spec can have."""
        wrong = f"{name} cannot be searched so. Received: {name}={values!r}."
        allowed = tuple if name in NAMED else (tuple, Range)
        if not isinstance(values, allowed) or values == ():
            kinds = "a tuple of names" if name in NAMED else "Range(low, high), or a tuple of numbers"
            raise ValueError(f"{wrong} Give {kinds}.")
        if isinstance(values, Range) and name in LOGARITHMIC and values.low <= 0:
            raise ValueError(f"{wrong} Its range is logarithmic, so it begins above 0.")
        for value in _ends(values):
            try:
                if name in ("units", "filters", "layers"):
                    ModelSpec(hidden_units=(8,) * value if name == "layers" else (value,))
                else:
                    self.base.replace(**{name: value})
            except (TypeError, ValueError) as error:
                raise ValueError(f"{wrong} {error}") from error


_FIELDS = tuple(one.name for one in fields(SearchSpace) if one.name != "base")


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
        l2=Range(1e-6, 1e-2),
        optimizer=("rmsprop", "adam"),
        learning_rate=Range(2e-4, 1e-2),
    )


def _distribution(name: str, values: Values) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, tuple):
        return CategoricalDistribution(values)
    named = name.partition("_")[0] if name.startswith(("units_", "filters_")) else name
    kind = IntDistribution if named in WHOLE else FloatDistribution
    return kind(values.low, values.high, log=named in LOGARITHMIC)


def _draw(trial: Trial, name: str, distribution: BaseDistribution) -> object:
    """Let the trial suggest a parameter; a number from a range has few digits, as one that a person types."""
    if hasattr(distribution, "choices"):
        return trial.suggest_categorical(name, distribution.choices)
    low, high, log = distribution.low, distribution.high, distribution.log
    if isinstance(low, int):
        return trial.suggest_int(name, low, high, log=log)
    return min(max(float(f"{trial.suggest_float(name, low, high, log=log):.{DIGITS}g}"), low), high)


def _value_of(spec: ModelSpec, name: str) -> object:
    """Return the value that a parameter has in a spec."""
    if name.startswith(("units_", "filters_")):
        return spec.hidden_units[int(name.partition("_")[2]) - 1]
    if name.endswith("_on"):
        return getattr(spec, name.removesuffix("_on")) > 0
    if name == "layers":
        return len(spec.hidden_units)
    rate = spec.learning_rate
    return (DEFAULT_RATES[spec.optimizer] if rate is None else rate) if name == "learning_rate" else getattr(spec, name)


def _holds(distribution: BaseDistribution, value: object) -> bool:
    if hasattr(distribution, "choices"):
        return value in distribution.choices
    return distribution.low <= value <= distribution.high


def _ends(values: Values) -> tuple:
    return (values.low, values.high) if isinstance(values, Range) else values
