"""How far does training get in a few batches, at learning rates from far too low to far too high?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.debugging.bench import STEPS, STRETCHES, Bench

if TYPE_CHECKING:
    import keras

RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
AROUND = tuple(10.0**power for power in range(-4, 5))  # of the rate used
WELL_CHOSEN = 0.25  # of the fall at the best rate


@dataclass(frozen=True, kw_only=True)
class RateSweep:
    """What each learning rate reached, each time from the same first weights.

    Attributes
    ----------
    optimizer : name
    rates : rising
    losses : on the validation rows after the last update, one a rate, without penalties, in inference mode; NaN where
        training diverged
    courses : of each rate, the same on the training rows after every 20 updates; infinite where it diverged
    first_loss : the same on the training rows before the first update
    guess : the same on the validation rows of the best answer that is the same for every sample
    updates : of the weights, one a batch of 32
    """

    optimizer: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    courses: tuple[tuple[float, ...], ...]
    first_loss: float
    guess: float
    updates: int

    @property
    def best_rate(self) -> float | None:
        """The rate with the lowest validation loss; None where all diverged."""
        return None if math.isnan(self.best_loss) else self.rates[self.losses.index(self.best_loss)]

    @property
    def best_loss(self) -> float:
        """The lowest validation loss; NaN where all diverged."""
        return min(filter(math.isfinite, self.losses), default=math.nan)

    @property
    def falls(self) -> dict[float, float]:
        """By how much the training loss fell at each rate; minus infinity where it exploded."""
        return {rate: self.first_loss - course[-1] for rate, course in zip(self.rates, self.courses, strict=True)}

    @property
    def fastest_rate(self) -> float:
        """The rate at which the training loss was lowest on the way: what is reached at the end may be chance."""
        return min(zip(self.rates, self.courses, strict=True), key=lambda pair: sum(pair[1]))[0]

    @property
    def good_rates(self) -> tuple[float, ...]:
        """The rates at which the loss fell at least by a quarter of what it fell at best, in rising order."""
        best = max(self.falls.values())
        return tuple(rate for rate, fall in self.falls.items() if fall >= WELL_CHOSEN * best)

    @property
    def advised_rate(self) -> float:
        """The next good rate below the fastest one: there the loss still falls well, and nothing explodes."""
        return max((rate for rate in self.good_rates if rate < self.fastest_rate), default=self.fastest_rate)


def sweep_rates(
    model: keras.Model,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_val: np.ndarray | None = None,
    y_val: np.ndarray | None = None,
    *,
    rates: Sequence[float] = RATES,
    updates: int = 100,
    problem: Problem | ProblemType | None = None,
    seed: int = 0,
) -> RateSweep:
    """Train copies of a compiled model for a few batches, once a learning rate.

    Parameters
    ----------
    model, x_train, y_train, x_val, y_val, problem, seed : as for `recipe.check_pipeline`
    updates : batches of 32, in steps of 20

    Raises
    ------
    ValueError
        If there is no rate or no update.

    Examples
    --------
    >>> import keras
    >>> x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> sweep_rates(model, x, x[:, 0], rates=(1e-6, 0.1)).best_rate
    0.1
    """
    if not len(rates) or updates < 1:
        raise ValueError(
            f"A sweep needs a rate and an update. Received: rates={tuple(rates)}, updates={updates}. "
            "Give rates such as (0.0001, 0.001, 0.01), and 100 updates."
        )
    bench = Bench(model, x_train, y_train, x_val, y_val, problem=problem, seed=seed)
    return sweep_bench(bench, rates, stretches=math.ceil(updates / STEPS))


def sweep_bench(bench: Bench, rates: Sequence[float], *, stretches: int = STRETCHES) -> RateSweep:
    """Do what `sweep_rates` does, for a pipeline that is on the bench."""
    rates = tuple(sorted(map(float, rates)))
    trained = [bench.train(f"rate {rate:g}", *bench.arrays, rate=rate, epochs=stretches) for rate in rates]
    whole = [one if len(one.losses) == stretches and math.isfinite(one.losses[-1]) else None for one in trained]
    return RateSweep(
        optimizer=bench.model.optimizer.name,
        rates=rates,
        losses=tuple(one.val_losses[-1] if one else math.nan for one in whole),
        courses=tuple(one.losses if one else (math.inf,) * stretches for one in whole),
        first_loss=bench.first_loss(min(map(len, bench.arrays))),  # on the rows that the engine measures
        guess=bench.constant_loss,
        updates=STEPS * stretches,
    )
