"""Step 8: short trainings of copies of a model, each made when a check first asks for it, and then kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import ProblemType
from recipe.debugging.basics import quiet
from recipe.debugging.subject import VAL_ROWS, Subject

if TYPE_CHECKING:
    from recipe.debugging.programs import State

STEPS, BATCH = 20, 32  # of one stretch of training, after which it is judged
STRETCHES, LONGEST = 3, 9
RATES = tuple(10.0**power for power in range(-4, 5))  # of the rate used
WELL_CHOSEN = 0.25  # of the fall at the best rate
LEARNED = 0.05  # of the first loss: a smaller fall is no learning


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A short training from fresh weights.

    Attributes
    ----------
    losses : of each step's batch, float (steps,)
    val_losses : on the validation rows in inference mode, after each stretch of 20 steps
    state : after the last step
    """

    losses: np.ndarray
    val_losses: np.ndarray
    state: State

    @property
    def best(self) -> float:
        """The lowest validation loss: a short training may overfit, too."""
        finite = self.val_losses[np.isfinite(self.val_losses)]
        return float(finite.min()) if len(finite) else math.inf


class Bench(Subject):
    """A model and its data, with what short trainings of copies say."""

    @cached_property
    def _trained(self) -> dict[str, Outcome]:
        return {}

    def row_losses(self, y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return the loss of each row."""
        import keras

        from recipe.debugging.programs import row_losses

        with quiet():
            return keras.ops.convert_to_numpy(row_losses(self.program.loss, y, outputs))

    @cached_property
    def used_rate(self) -> float:
        """The learning rate that the model is compiled with."""
        return float(self.model.optimizer.learning_rate)

    def train(
        self,
        name: str,
        x: np.ndarray,
        y: np.ndarray,
        x_val: np.ndarray,
        y_val: np.ndarray,
        *,
        rate: float,
        stretches: int = STRETCHES,
        enough: float = -math.inf,
        one_batch: bool = False,
    ) -> Outcome:
        """Train from fresh weights and keep the outcome under its name.

        Parameters
        ----------
        stretches : of 20 steps each, at most
        enough : a validation loss at which it ends
        one_batch : take the first rows at every step
        """
        if name in self._trained:
            return self._trained[name]
        state, losses, val_losses = self.program.start(self.fresh, rate), [], []
        rng = np.random.default_rng(self.seed)
        with quiet():
            for _ in range(stretches):
                order = _first(len(x)) if one_batch else draw_order(rng, len(x))
                state, stretch = self.program.train(state, x, y, order)
                losses.append(stretch)
                val_losses.append(float(self.program.losses(state, x_val, y_val).mean()))
                if val_losses[-1] <= enough or not math.isfinite(val_losses[-1]):
                    break
        outcome = Outcome(losses=np.concatenate(losses), val_losses=np.array(val_losses), state=state)
        self._trained[name] = outcome
        return outcome

    @cached_property
    def true(self) -> Outcome:
        """The training on the data as they are, until it is clearly better than a constant answer."""
        return self.train("true", *self.arrays, rate=self.good_rate, stretches=LONGEST, enough=0.8 * self.constant_loss)

    @cached_property
    def sweep(self) -> dict[float, Outcome]:
        """A short training at each of a range of learning rates, by the rate."""
        x, y, *_ = self.arrays
        return {
            rate: self.train(f"rate {rate:g}", x, y, x[:2], y[:2], rate=rate)
            for rate in (self.used_rate * factor for factor in RATES)
        }

    def fall(self, outcome: Outcome) -> float:
        """Return by how much the training loss fell in a short training; minus infinity where it exploded."""
        last = float(outcome.losses[-STEPS // 2 :].mean())
        whole = len(outcome.losses) == STRETCHES * STEPS
        return self.first_loss - last if whole and math.isfinite(last) else -math.inf

    @cached_property
    def first_loss(self) -> float:
        """The loss of fresh weights on the training rows (at most 500)."""
        x, y, *_ = self.arrays
        state = self.program.start(self.fresh, 0.001)
        with quiet():
            return float(self.program.losses(state, x[:VAL_ROWS], y[:VAL_ROWS]).mean())

    @cached_property
    def fastest_rate(self) -> float:
        """The rate at which the loss falls most."""
        return max(self.sweep, key=lambda rate: self.fall(self.sweep[rate]))

    @cached_property
    def good_rates(self) -> tuple[float, ...]:
        """The rates at which the loss falls at least by a quarter of what it falls at best, in rising order."""
        best = self.fall(self.sweep[self.fastest_rate])
        return tuple(rate for rate, outcome in self.sweep.items() if self.fall(outcome) >= WELL_CHOSEN * best)

    @cached_property
    def advised_rate(self) -> float:
        """The next good rate below the fastest one: there the loss still falls well, and nothing explodes."""
        return max((rate for rate in self.good_rates if rate < self.fastest_rate), default=self.fastest_rate)

    @cached_property
    def good_rate(self) -> float:
        """The rate used where it is a good one, else the advised one: so that one fault shows only once."""
        return self.used_rate if self.used_rate in self.good_rates else self.advised_rate

    @cached_property
    def constant_loss(self) -> float:
        """The validation loss of the answer that, of all that are the same for every sample, suits these rows best."""
        y_val = self.arrays[3]
        return min(
            float(self.row_losses(y_val, np.tile(answer, (len(y_val), 1))).mean()) for answer in self.constants(y_val)
        )

    def constants(self, y: np.ndarray) -> list[np.ndarray]:
        """Return the candidates for the best constant output, each of shape (outputs,)."""
        if self.kind is ProblemType.MULTICLASS:
            counts = np.bincount(y[:, 0].astype(int), minlength=self.outputs) if y.shape[1] == 1 else y.sum(axis=0)
            shares = (counts[: self.outputs] + 1e-3) / (counts[: self.outputs] + 1e-3).sum()
            return [(np.log(shares) if self.from_logits else shares).astype(np.float32)]
        middle = y.mean(axis=0)
        if self.kind.is_classification and self.from_logits:
            middle = np.log((middle + 1e-3) / (1 - middle + 1e-3))
        candidates = [middle] if self.kind.is_classification else [middle, np.median(y, axis=0)]
        return [np.broadcast_to(each, (self.outputs,)).astype(np.float32) for each in candidates]


def draw_order(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Return the rows of each batch of a stretch, int32 (steps, batch): each once before one comes again."""
    rounds = -(-STEPS * BATCH // rows)
    order = np.concatenate([rng.permutation(rows) for _ in range(rounds)])[: STEPS * BATCH]
    return order.reshape(STEPS, BATCH).astype(np.int32)


def _first(rows: int) -> np.ndarray:
    """Return the order in which every batch is the same."""
    return np.tile(np.arange(BATCH, dtype=np.int32) % min(rows, BATCH), (STEPS, 1))
