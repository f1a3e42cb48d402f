"""Step 7: which specs a search may try."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import TYPE_CHECKING

from recipe.core.parameters import (
    CHOICES,
    LIMITS,
    MOST_LAYERS,
    SWITCHES,
    Limits,
    Range,
    field_of,
    from_params,
    to_params,
)
from recipe.core.problem import Problem
from recipe.core.spec import DEFAULT_RATES, ModelSpec
from recipe.steps.s6_plan import make_plan

if TYPE_CHECKING:
    import optuna

__all__ = ["Range", "SearchSpace", "default_space", "from_params", "to_params"]

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
        If values are not among those that any study holds, or there is nothing to choose from.

    Examples
    --------
    >>> space = SearchSpace(dropout=Range(0.0, 0.5), units=(16, 64), optimizer=("adam",))
    >>> space.varied
    ('units', 'dropout')
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
                _check_values(name, values)
        if not to_params(self.base)[0]:
            raise ValueError(
                f"No study holds the base: it has more than {MOST_LAYERS} layers, a number out of all bounds, or a "
                f"last layer or loss of its own. Received: base={self.base.describe()!r}. Take a usual one."
            )

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of the fields that have more than one value."""
        several = {name: getattr(self, name) for name in _FIELDS if getattr(self, name) is not None}
        return tuple(name for name, values in several.items() if isinstance(values, Range) or len(set(values)) > 1)

    def values_of(self, name: str, architecture: str) -> Values:
        """Return the values that a parameter of a trial may have, once the architecture is known."""
        named = field_of(name)
        if named in SWITCHES:
            return self._switch(named.removesuffix("_on"))
        if named == "units" and architecture == "convnet" and self.filters is not None:
            named = "filters"
        values = getattr(self, named)
        if values is None:
            return (self._base_value(name),)
        return tuple(value for value in values if value) if named in ("l1", "l2") and type(values) is tuple else values

    def suggest(self, trial: optuna.Trial) -> ModelSpec:
        """Return the spec that Optuna wants to try next.

        The study needs a sampler that keeps to the choices: that of `recipe.search.sampler.make_sampler`.

        Raises
        ------
        ValueError
            If the sampler has drawn a value that is none of the choices.
        """
        params: dict[str, object] = {}
        self._draw(trial, params, "architecture")
        if params["architecture"] != "linear":
            self._draw(trial, params, "layers")
            names = [f"units_{layer}" for layer in range(1, params["layers"] + 1)]
            for name in (*names, "activation", "dropout", "l1_on", "l2_on"):
                self._draw(trial, params, name)
            for name in ("l1", "l2"):
                if params[f"{name}_on"]:
                    self._draw(trial, params, name)
        self._draw(trial, params, "optimizer")
        if self.learning_rate is None and self.base.learning_rate is None:
            rate = DEFAULT_RATES[params["optimizer"]]
            params["learning_rate"] = _ask(trial, "learning_rate", Range(rate, rate))
        for name in ("learning_rate", "batch_size", "epochs"):
            if name not in params:
                self._draw(trial, params, name)
        return from_params(params, self.base)

    def _draw(self, trial: optuna.Trial, params: dict[str, object], name: str) -> None:
        """Ask for one parameter, and refuse what the space does not hold."""
        values = self.values_of(name, params.get("architecture", ""))
        params[name] = _ask(trial, name, values)
        if params[name] not in values:
            raise ValueError(
                f"The study's sampler drew what the space does not hold. Received: {name}={params[name]!r}, allowed: "
                f"{_show(values)}. Make the study with sampler=recipe.search.sampler.make_sampler(space)."
            )

    def _switch(self, name: str) -> tuple[bool, ...]:
        """Return whether a penalty may be off, on or both."""
        values = getattr(self, name)
        if values is None:
            return (getattr(self.base, name) > 0,)
        return (False, True) if isinstance(values, Range) else tuple(sorted({value > 0 for value in values}))

    def _base_value(self, name: str) -> object:
        """Return the base's value; where a layer goes beyond the base's, that of its last layer."""
        if name == "layers":
            return max(len(self.base.hidden_units), 1)
        if field_of(name) == "units":
            units = self.base.hidden_units or (64,)
            return units[min(int(name.removeprefix("units_")), len(units)) - 1]
        return getattr(self.base, name)


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
    base = base.replace(patience=max(3, base.epochs // 5))
    other = {"mnist": ("convnet",), "imdb": ("embedding",)}.get(problem.base, ()) if plan.architectures else ()
    return SearchSpace(
        base=base,
        architecture=("mlp", *other),
        layers=Range(1, 2 if problem.num_words else 3),
        units=(4, 8, 16, 32, 64) if problem.num_words else (16, 32, 64, 128, 256, 512),
        filters=(8, 16, 32) if problem.base == "mnist" else None,
        dropout=Range(0.0, 0.6),
        l2=Range(1e-6, 1e-2),
        optimizer=("rmsprop", "adam"),
        learning_rate=Range(2e-4, 1e-2),
    )


def _ask(trial: optuna.Trial, name: str, values: Values) -> object:
    """Let the trial suggest a parameter; only numbers can have a narrower distribution."""
    if name in CHOICES:
        return trial.suggest_categorical(name, CHOICES[name])
    if name in SWITCHES:
        return trial.suggest_categorical(name, (False, True))
    low, high = (values.low, values.high) if isinstance(values, Range) else (min(values), max(values))
    limits = LIMITS[field_of(name)]
    return (trial.suggest_int if limits.whole else trial.suggest_float)(name, low, high, log=limits.log)


def _show(values: Values) -> str:
    return str(values) if isinstance(values, Range) else ", ".join(map(str, values))


def _check_values(name: str, values: Values) -> None:
    """Refuse values that the parameter's distribution does not hold."""
    if name in CHOICES:
        allowed, wrong = _show(CHOICES[name]), not isinstance(values, tuple) or set(values) - set(CHOICES[name])
    else:
        limits = LIMITS[name]
        allowed = f"{'whole numbers' if limits.whole else 'numbers'} from {limits}, as Range(low, high) or a tuple"
        wrong = not _is_inside(values, limits, zero=name in ("l1", "l2"))
    if wrong or values == ():
        raise ValueError(f"{name} cannot be searched so. Received: {name}={values!r}. Allowed: {allowed}.")


def _is_inside(values: object, limits: Limits, *, zero: bool) -> bool:
    """Say whether all values are numbers within the limits."""
    if not isinstance(values, (Range, tuple)):
        return False
    ends = (values.low, values.high) if isinstance(values, Range) else values
    may_be_zero = zero and isinstance(values, tuple)
    sound = all(
        isinstance(number, Real)
        and (number in limits or (may_be_zero and number == 0))
        and (not limits.whole or number == math.floor(number))
        for number in ends
    )
    return sound and (not isinstance(values, Range) or values.low <= values.high)
