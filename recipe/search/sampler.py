"""Step 7: what a search tries next. Optuna's TPE, kept to the values that a space allows.

Optuna wants a categorical parameter to have the same choices in every trial of a study, and knows no choices among
numbers on a logarithmic scale. So a draw that the space does not allow is drawn again or moved to the nearest value
that it does allow.
"""

from __future__ import annotations

import math

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from recipe.core.parameters import Range, distribution_of, limits_of
from recipe.core.spec import ModelSpec
from recipe.search.space import SearchSpace

STARTUP_TRIALS = 6  # drawn at random, until so many are known; those by hand count
REDRAWS = 6  # of a choice that the space does not allow, before one is drawn at random
DIGITS = 2  # of a number from a range: 0.0013, not 0.00131799


class SpaceSampler(BaseSampler):
    """TPE, each parameter by itself, within a space; the seed and the number of trials decide what is drawn."""

    def __init__(self, space: SearchSpace, seed: int = 0) -> None:
        self.space = space
        self.seed = seed
        self.reseed(0)

    def reseed(self, *numbers: int) -> None:
        """Begin anew with random numbers that belong to the seed and to these numbers."""
        self._rng = np.random.default_rng([self.seed, *numbers])
        self._tpe = TPESampler(n_startup_trials=STARTUP_TRIALS, seed=int(self._rng.integers(2**31)))

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        self.reseed(trial.number)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, object]:
        return {}

    def sample_independent(self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution) -> object:
        allowed = self.space.values_of(name, trial.params.get("architecture", ""))
        if isinstance(allowed, Range):
            value = self._tpe.sample_independent(study, trial, name, distribution)
            return value if limits_of(name).whole else _round(value, allowed)
        if len(set(allowed)) == 1:
            return allowed[0]
        if not isinstance(distribution, CategoricalDistribution):
            value = self._tpe.sample_independent(study, trial, name, distribution)
            return _nearest(value, allowed, limits_of(name).log)
        for _ in range(REDRAWS):
            value = self._tpe.sample_independent(study, trial, name, distribution)
            if value in allowed:
                return value
        return allowed[int(self._rng.integers(len(allowed)))]


class Draft:
    """A trial that is not in any storage yet: it has the parameters that were drawn so far."""

    def __init__(self, study: Study, sampler: SpaceSampler) -> None:
        self._study = study
        self._sampler = sampler
        self._trial = create_trial(state=TrialState.RUNNING)

    @property
    def params(self) -> dict[str, object]:
        """The parameters that were drawn."""
        return self._trial.params

    def suggest_categorical(self, name: str, choices: tuple) -> object:
        return self._suggest(name, distribution_of(name))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        return self._suggest(name, distribution_of(name, Range(low, high)))

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        return self._suggest(name, distribution_of(name, Range(low, high)))

    def _suggest(self, name: str, distribution: BaseDistribution) -> object:
        if distribution.single() and not isinstance(distribution, CategoricalDistribution):
            value = distribution.low
        else:
            value = self._sampler.sample_independent(self._study, self._trial, name, distribution)
        self._trial.params |= {name: value}
        self._trial.distributions |= {name: distribution_of(name)}
        return value


def make_sampler(space: SearchSpace, seed: int = 0) -> SpaceSampler:
    """Return the sampler for a study of your own, whose objective calls `space.suggest(trial)`."""
    return SpaceSampler(space, seed)


def draw_spec(sampler: SpaceSampler, study: Study, *numbers: int) -> tuple[ModelSpec, dict[str, object]]:
    """Return the next spec to try and its parameters, as the study's trials suggest it; numbers are for `reseed`."""
    sampler.reseed(*numbers)
    draft = Draft(study, sampler)
    return sampler.space.suggest(draft), draft.params


def _round(value: float, allowed: Range) -> float:
    return min(max(float(f"{value:.{DIGITS}g}"), allowed.low), allowed.high)


def _nearest(value: float, allowed: tuple, log: bool) -> object:
    place = math.log if log else float
    return min(allowed, key=lambda one: abs(place(one) - place(value)))
