"""What a training leaves behind: the spec, the history, the versions and the model."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from recipe.problems import Problem
from recipe.spec import ModelSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """What `on_epoch` is told after each epoch; `epoch` counts from 0, `seconds` from the start of the training."""

    epoch: int
    epochs: int
    logs: dict[str, float]
    seconds: float
    member: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One training, as it was asked for and as it went.

    Attributes
    ----------
    history : lists of one number an epoch, as Keras keeps them, both sides in inference mode: ``data_loss``,
        ``penalty``, their sum ``loss`` (what Keras calls loss), the measure, and the same with ``val_`` in front
    best_epoch : from 0, the epoch of the smallest ``val_data_loss``
    stopped : None (all epochs done), ``"early"`` (patience), ``"asked"`` (the stop event), ``"callback"`` (a Keras
        callback) or ``"interrupted"`` (Ctrl-C, in the last epoch too)
    seconds : wall time, compiling included
    versions : of Python and of the packages that the numbers depend on
    model : the fitted Keras model; with patience, at the weights of the best epoch
    data : the `Prepared.data_key` of what it was trained on; empty where no journal asked for it
    """

    spec: ModelSpec
    problem: Problem
    seed: int
    source: str
    protocol: str
    history: dict[str, list[float]]
    best_epoch: int
    stopped: str | None
    seconds: float
    backend: str
    versions: dict[str, str]
    model: keras.Model
    data: str = ""

    @property
    def epochs(self) -> int:
        """How many whole epochs were trained."""
        return len(self.history.get("val_data_loss", ()))

    @property
    def measure(self) -> str:
        """The name of the measure of success, a key of `history`."""
        return self.problem.measure

    @property
    def score(self) -> float:
        """The measure on the validation part, of the weights that `model` has."""
        scores = self.history["val_" + self.measure]
        return scores[self.best_epoch if self.spec.patience is not None else -1]


def mean_history(histories: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, list[float]]:
    """Return the mean of training histories, epoch by epoch, as far as all of them go.

    Examples
    --------
    >>> mean_history([{"val_loss": [3.0, 2.0, 1.0]}, {"val_loss": [1.0, 0.0]}])
    {'val_loss': [2.0, 1.0]}
    """
    epochs = min(len(values) for history in histories for values in history.values())
    return {name: np.mean([history[name][:epochs] for history in histories], axis=0).tolist() for name in histories[0]}


def lowest_epoch(losses: Sequence[float]) -> int:
    """Return the epoch, from 0, of the lowest finite loss, the first of equals; 0 where there is none."""
    return int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0


def collect_versions() -> dict[str, str]:
    """Return the versions that the numbers of a run depend on."""
    names = ("recipe", "keras", "numpy", "jax", "tensorflow", "torch")
    found = {name: version for name in names if (version := _version(name))}
    return {"python": platform.python_version()} | found


@cache  # it reads files, and a hundred small models are a second
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
