"""What is trained, and what is known of it so far: the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recipe.core.prepared import Prepared
from recipe.core.spec import ModelSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True, eq=False)
class Member:
    """One model and its data, to be trained alone or beside others with the same architecture."""

    spec: ModelSpec
    prepared: Prepared
    model: keras.Model


@dataclass(kw_only=True, eq=False)
class Progress:
    """What is known of one member while it trains; `history` holds whole epochs only."""

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    stopped: str | None = None

    @property
    def epochs(self) -> int:
        """How many whole epochs were trained."""
        return len(self.history.get("val_data_loss", ()))

    def record(self, logs: dict[str, float], patience: int | None) -> bool:
        """Add an epoch; return whether it is the best so far by the data loss on the validation part."""
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        losses = self.history["val_data_loss"]
        is_best = len(losses) == 1 or losses[-1] < losses[self.best_epoch]
        if is_best:
            self.best_epoch = len(losses) - 1
        elif patience is not None and len(losses) - 1 - self.best_epoch >= patience:
            self.stopped = "early"
        return is_best

    def last_logs(self) -> dict[str, float]:
        """Return the numbers of the last epoch."""
        return {name: values[-1] for name, values in self.history.items()}
