"""Step 5: how far does training get in a few batches, at learning rates from far too low to far too high?"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec
from recipe.engine.models import loss_name, make_targets
from recipe.steps.training import train

RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
UPDATES = 100
VAL_ROWS = 2_000  # so many tell one rate from a ten times larger one


@dataclass(frozen=True, kw_only=True)
class RateSweep:
    """What each learning rate reached.

    Attributes
    ----------
    optimizer : name
    rates : rising
    losses : data loss on the validation part after the last update, one a rate; NaN where training diverged
    guess : the same loss of the best guess without the input
    updates : of the weights, one a batch
    """

    optimizer: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    guess: float
    updates: int

    @property
    def best(self) -> int | None:
        """Which rate has the lowest loss; None where all diverged."""
        finite = [number for number, loss in enumerate(self.losses) if math.isfinite(loss)]
        return min(finite, key=lambda number: self.losses[number]) if finite else None

    @property
    def best_rate(self) -> float | None:
        """The rate with the lowest loss."""
        return None if self.best is None else self.rates[self.best]

    @property
    def best_loss(self) -> float:
        """The lowest loss; NaN where all diverged."""
        return math.nan if self.best is None else self.losses[self.best]


def sweep_rates(
    spec: ModelSpec,
    prepared: Prepared,
    rates: Sequence[float] = RATES,
    *,
    updates: int = UPDATES,
    val_rows: int = VAL_ROWS,
) -> RateSweep:
    """Train a spec for a few batches once a learning rate, each time from the same first weights.

    Parameters
    ----------
    updates : batches, at least; whole passes where the training part has fewer
    val_rows : validation samples that the loss is taken on, at most

    Returns
    -------
    RateSweep

    Raises
    ------
    ValueError
        If there is no rate or no update, or a rate makes no sense.
    """
    if not len(rates) or updates < 1:
        raise ValueError(
            f"A sweep needs a rate and an update. Received: rates={tuple(rates)}, updates={updates}. "
            "Give rates such as (0.0001, 0.001, 0.01), and 100 updates."
        )
    few, epochs = _cut(prepared, spec, updates, val_rows)
    losses = []
    for rate in sorted(rates):
        run = train(spec.replace(learning_rate=rate, epochs=epochs, patience=None), few, journal=None)
        losses.append(float(run.history["val_data_loss"][-1]))
    return RateSweep(
        optimizer=spec.optimizer,
        rates=tuple(sorted(float(rate) for rate in rates)),
        losses=tuple(loss if math.isfinite(loss) else math.nan for loss in losses),
        guess=guess_loss(spec, few),
        updates=epochs * -(-len(few.y_train) // spec.batch_size),
    )


def guess_loss(spec: ModelSpec, prepared: Prepared) -> float:
    """Return the data loss, on the validation part, of the best guess without the input.

    The guess is the mean target of the training part (the shares of the classes, where there are classes), or the
    median where the loss is the absolute error.

    Examples
    --------
    Half of the reviews are positive: a guess of 0.5 has a loss of ln 2.

    >>> import recipe
    >>> reviews = recipe.prepare(recipe.hold_out(recipe.load("imdb", source="sample", rows=200)))
    >>> round(guess_loss(ModelSpec(), reviews), 1)
    0.7
    """
    import keras

    problem, name = prepared.problem, loss_name(spec, prepared.problem)
    # One-hot, also for a sparse loss: what is guessed is a share for each class.
    one_hot = spec.replace(loss=name.removeprefix("sparse_"))
    targets = make_targets(one_hot, problem, prepared.y_train).astype(np.float64)
    guess = np.median(targets, axis=0) if name == "mae" else targets.mean(axis=0)
    y_val = make_targets(spec, problem, prepared.y_val).astype(np.float32)
    outputs = np.tile(guess, (len(y_val), 1)).astype(np.float32)
    return float(np.mean(keras.ops.convert_to_numpy(keras.losses.get(name)(y_val, outputs))))


def _cut(prepared: Prepared, spec: ModelSpec, updates: int, val_rows: int) -> tuple[Prepared, int]:
    """Return as many training samples, drawn at random, as the updates want, and how many passes over them."""
    rng = np.random.default_rng(spec.seed)
    train_rows = rng.permutation(len(prepared.y_train))[: updates * spec.batch_size]
    val = rng.permutation(len(prepared.y_val))[:val_rows]
    few = dataclasses.replace(
        prepared,
        x_train=prepared.x_train[train_rows],
        y_train=prepared.y_train[train_rows],
        x_val=prepared.x_val[val],
        y_val=prepared.y_val[val],
    )
    return few, math.ceil(updates / -(-len(train_rows) // spec.batch_size))
