"""The data of the training panel: loaded, split and prepared when it is first asked for, then kept."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.ui.training.settings import FULL_ROWS, TrainingSettings

MOST_KEPT = 3  # a quarter of a gigabyte each, for all reviews


@dataclass(kw_only=True, eq=False)
class TrainingData:
    """One problem's data: a fifth of the training samples is held out for validation, the test set stays sealed."""

    dataset: Dataset
    split: Split
    prepared: dict[str, Prepared] = field(default_factory=dict)

    @property
    def keys(self) -> set[str]:
        """The fingerprints of the data: one for each way in which it was prepared so far."""
        return {prepared.data_key for prepared in self.prepared.values()}

    def prepare(self, spec: ModelSpec) -> Prepared:
        """Return the data as the spec's architecture reads it."""
        encoding = encoding_for(spec, self.dataset.problem)
        if encoding not in self.prepared:
            self.prepared[encoding] = prepare(self.split, encoding=encoding)
        return self.prepared[encoding]


class DataShelf:
    """What was loaded so far, by problem and rows; safe for several threads.

    Parameters
    ----------
    given : a dataset to work on, whatever the rows; None loads
    """

    def __init__(self, given: Dataset | None) -> None:
        self.given = given
        # The last used stand last.
        self._kept: dict[tuple[str, int], TrainingData] = {}
        self._lock = threading.RLock()

    def find(self, problem: str, rows: int) -> TrainingData | None:
        """Return what is there already, or None."""
        return self._kept.get((problem, rows))

    def of(self, prepared: Prepared) -> TrainingData | None:
        """Return the data that was prepared so, None where it had to make room."""
        with self._lock:
            found = [data for data in self._kept.values() if any(one is prepared for one in data.prepared.values())]
            return found[0] if found else None

    def take(self, settings: TrainingSettings) -> tuple[TrainingData, Prepared]:
        """Return the data that the settings ask for, loaded and prepared if that was not done yet."""
        key = settings.problem, settings.rows
        with self._lock:
            data = self._kept.pop(key, None)
            if data is None:
                dataset = self.given or _load(*key)
                data = TrainingData(dataset=dataset, split=hold_out(dataset))
            self._kept[key] = data
            for old in list(self._kept)[:-MOST_KEPT]:
                del self._kept[old]
            return data, data.prepare(settings.spec)


def _load(problem: str, rows: int) -> Dataset:
    """Load so many rows, or all where there are not so many."""
    if rows == FULL_ROWS:
        return load(problem)
    try:
        return load(problem, rows=rows)
    except ValueError:
        whole = load(problem)
        if len(whole.y_train) + len(whole.test) < rows:
            return whole
        raise
