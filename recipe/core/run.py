"""What a training leaves behind: the one record of it, for notebooks, panels, searches, the journal and reports."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from recipe import __version__
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec

if TYPE_CHECKING:
    import keras
    import pandas as pd

WISHES = ("asked", "interrupted", "callback")  # how a run ends that did not get as far as its spec says
DIGITS = 7  # significant ones of each number of a stored history: what float32 has


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
    """One training, as it was asked for and as it went; or the mean of several, which are its `members`.

    Attributes
    ----------
    source, protocol : where the data is from, and how it was cut
    history : lists of one number an epoch, as Keras keeps them, both sides in inference mode: ``data_loss``,
        ``penalty``, their sum ``loss`` (what Keras calls loss), the measure, and the same with ``val_`` in front
    stopped : None (all epochs done), ``"early"`` (patience), ``"asked"`` (the stop event), ``"callback"`` (a Keras
        callback), ``"interrupted"`` (Ctrl-C) or ``"pruned"`` (given up by a search)
    seconds : wall time, compiling included
    versions : of Python and of the packages that the numbers depend on
    fitted : makes `model`, once; None where there are no weights
    data : the `Prepared.data_key` of what it was trained on; empty where no journal asked for it
    baseline : what a guess that never looks at the input achieves on the same validation samples; NaN if unknown
    train_samples, val_samples : how many there were
    members : the runs that this one is the mean of, one a fold or a seed; empty for a single training
    origin : who asked for it: ``"notebook"``, ``"script"`` or ``"search"``
    time : when it ended, ISO 8601 in UTC
    final : whether nothing was held out, so that there is no score
    note : why there is no more to tell, such as the error of a trial that failed
    """

    spec: ModelSpec
    problem: Problem
    source: str
    protocol: str
    history: dict[str, list[float]] = field(repr=False)
    stopped: str | None = None
    seconds: float = 0.0
    backend: str = ""
    versions: dict[str, str] = field(default_factory=dict, repr=False)
    fitted: Callable[[], keras.Model] | None = field(default=None, repr=False)
    data: str = ""
    baseline: float = math.nan
    train_samples: int = 0
    val_samples: int = 0
    members: tuple[Run, ...] = field(default=(), repr=False)
    origin: str = ""
    time: str = ""
    final: bool = False
    note: str = ""

    @property
    def model(self) -> keras.Model | None:
        """The fitted Keras model, after the last epoch or, with patience, after the best one.

        None where the run is from the journal, which keeps no weights, or a mean. Of several that trained together each
        is built when it is first asked for: most are for their scores.
        """
        return None if self.fitted is None else self.fitted()

    @property
    def epochs(self) -> int:
        """How many whole epochs were trained."""
        return len(self.history.get("val_data_loss", ()))

    @property
    def best_epoch(self) -> int:
        """The chosen epoch, from 0: the one of the smallest ``val_data_loss``, the first of equals."""
        return lowest_epoch(self.history.get("val_data_loss", ()))

    @property
    def measure(self) -> str:
        """The name of the measure of success, a key of `history`."""
        return self.problem.measure

    @property
    def score(self) -> float:
        """The measure on the validation part at the chosen epoch; NaN where nothing was held out, or it diverged."""
        return math.nan if self.final else self._at_best("val_" + self.measure)

    @property
    def train_score(self) -> float:
        """The measure on the training part at the chosen epoch, in inference mode as on the validation part."""
        return self._at_best(self.measure)

    @property
    def scores(self) -> tuple[float, ...]:
        """One score a member, each at that member's own chosen epoch; of a single training its score alone."""
        return tuple(run.score for run in self.members or (self,))

    @property
    def state(self) -> str:
        """``"complete"``; ``"pruned"`` (ended before its last epoch by a search or a wish); ``"failed"`` (no score)."""
        if self.stopped in WISHES or self.stopped == "pruned":
            return "pruned"
        return "complete" if self.final or math.isfinite(self.score) else "failed"

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a table: a row an epoch, counted from 1, a column a curve."""
        import pandas as pd

        frame = pd.DataFrame(self.history)
        return frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="epoch"))

    def to_dict(self) -> dict[str, object]:
        """Return all but the model, ready for JSON: no NaN, and numbers of a history to 7 significant digits."""
        values = {name: value for name, value in vars(self).items() if name != "fitted"}
        return values | {
            "spec": self.spec.to_dict(),
            "problem": self.problem.to_dict(),
            "history": {name: [_short(value) for value in curve] for name, curve in self.history.items()},
            "baseline": _short(self.baseline),
            "seconds": round(self.seconds, 3),
            "members": [run.to_dict() for run in self.members],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Run:
        """Make a run from what `to_dict` returned; it has no model."""
        made = {
            "spec": ModelSpec.from_dict(values["spec"]),
            "problem": Problem.from_dict(values["problem"]),
            "history": {name: [_long(value) for value in curve] for name, curve in values["history"].items()},
            "baseline": _long(values["baseline"]),
            "members": tuple(cls.from_dict(one) for one in values["members"]),
        }
        return cls(**values | made)

    def _at_best(self, key: str) -> float:
        curve = self.history.get(key, ())
        return float(curve[self.best_epoch]) if self.best_epoch < len(curve) else math.nan


def mean_run(runs: Sequence[Run], *, spec: ModelSpec | None = None) -> Run:
    """Return one run that is the mean of several, such as those of `cross_validate` or `train_seeds`.

    Its history is the mean, epoch by epoch, as far as all of them go, so its chosen epoch is that of the mean curve.

    Parameters
    ----------
    spec : what they have in common; None takes that of the first
    """
    first, epochs = runs[0], min(len(curve) for run in runs for curve in run.history.values())
    history = {name: np.mean([run.history[name][:epochs] for run in runs], axis=0).tolist() for name in first.history}
    return dataclasses.replace(
        first,
        spec=spec or first.spec,
        protocol=f"mean over {len(runs)} runs, such as {first.protocol}" if len(runs) > 1 else first.protocol,
        history=history,
        stopped=next((run.stopped for run in runs if run.stopped in (*WISHES, "pruned")), first.stopped),
        seconds=sum(run.seconds for run in runs),
        fitted=None,
        baseline=float(np.mean([run.baseline for run in runs])),
        val_samples=sum(run.val_samples for run in runs),
        members=tuple(runs),
    )


def lowest_epoch(losses: Sequence[float]) -> int:
    """Return the epoch, from 0, of the lowest finite loss, the first of equals; 0 where there is none."""
    return int(np.nanargmin(np.where(np.isfinite(losses), losses, np.inf))) if np.isfinite(losses).any() else 0


@cache  # it reads files, and a hundred small models are a second
def collect_versions() -> dict[str, str]:
    """Return the versions that the numbers of a run depend on: of Python, the kit, Keras, NumPy and the backend."""
    import keras

    packages = ("keras", "numpy", keras.config.backend())
    own = {"python": platform.python_version(), "recipe": __version__}
    return own | {name: importlib.metadata.version(name) for name in packages}


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _long(value: float | None) -> float:
    return math.nan if value is None else float(value)
