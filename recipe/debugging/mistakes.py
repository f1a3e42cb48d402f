"""What a model gets wrong on held-out samples: the worst images, texts, and rows of a table.

Numbers only; `recipe.figures.mistakes` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Samples, Split
from recipe.core.measures import THRESHOLD
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType

if TYPE_CHECKING:
    import keras
    import pandas as pd

JUDGED_ROWS = 2_000  # held-out samples that are looked at: enough to find bad mistakes, and done at once
ROWS_AT_ONCE = 500  # that go through the network
_SAMPLES_ARE = MappingProxyType({"image": "images", "text": "texts", "table": "rows"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The held-out samples that were judged, and which of them the model gets most wrong.

    Attributes
    ----------
    rows : (samples,), which rows of the validation part were judged
    inputs : these samples, raw: images (samples, height, width), a table (samples, columns), or texts
    truth : (samples,), or (samples, outputs) where a sample has several labels or quantities
    outputs : as the network gave them, (samples, outputs)
    worst : places of the worst mistakes in these arrays, the worst first: the wrong answer that the model was surest
        of, or the largest error; of several quantities the first counts
    texts : the words of each of `worst`, where the samples are texts
    """

    problem: Problem
    source: str
    rows: np.ndarray = field(repr=False)
    inputs: Samples = field(repr=False)
    truth: np.ndarray = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    worst: np.ndarray
    texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def samples(self) -> int:
        """How many held-out samples were judged."""
        return len(self.rows)

    @property
    def predictions(self) -> np.ndarray:
        """What the model says, in the shape of `truth`: labels, or quantities."""
        if self.problem.type is ProblemType.MULTICLASS:
            return self.outputs.argmax(axis=1)
        says = (self.outputs > THRESHOLD).astype(np.uint8) if self.problem.type.is_classification else self.outputs
        return says if self.truth.ndim > 1 else says[:, 0]

    @property
    def wrong(self) -> int:
        """How many of them are wrong: in any label, or off by anything at all."""
        return int((self.predictions != self.truth).reshape(self.samples, -1).any(axis=1).sum())

    @property
    def errors(self) -> np.ndarray:
        """Prediction minus truth of the first quantity, (samples,): above 0 where the model says too much."""
        return self.outputs[:, 0] - self.truth.reshape(self.samples, -1)[:, 0]

    @property
    def unit(self) -> str:
        """The unit of `errors`."""
        return self.problem.target_unit.split(", and ")[0]

    @property
    def sentence(self) -> str:
        """How many there are, or how far off it is on average and at worst, in words."""
        held_out = f"{self.samples:,} held-out {_SAMPLES_ARE[self.problem.kind]}"
        if self.problem.type.is_classification:
            if not self.wrong:
                return f"Not a single mistake in {held_out}."
            return f"{self.wrong:,} of {held_out} are wrong ({self.wrong / self.samples:.1%})."
        if not self.wrong:
            return f"Not a single error in {held_out}."
        sizes = np.abs(self.errors)
        worst = sizes.argmax()
        return (
            f"Off by {f'{sizes.mean():.2f} {self.unit}'.rstrip()} on average over {held_out}; at worst "
            f"{sizes[worst]:.2f} too {'high' if self.errors[worst] > 0 else 'low'}, in row {self.rows[worst]:,}."
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the worst ones as a table: what is true, what the model says, and the text or all columns by name."""
        import pandas as pd

        truth, says = (part[self.worst].reshape(len(self.worst), -1) for part in (self.truth, self.predictions))
        columns = {"truth": truth[:, 0], "prediction": says[:, 0]}
        if truth.shape[1] > 1:
            named = dict(enumerate(self.problem.output_names))
            columns = {
                f"{what}: {named.get(number, number + 1)}": part[:, number]
                for number in range(truth.shape[1])
                for what, part in (("truth", truth), ("prediction", says))
            }
        if not self.problem.type.is_classification:
            columns["error"] = self.errors[self.worst]
        if self.texts:
            columns["text"] = self.texts
        if self.problem.kind == "table":
            columns |= self.problem.name_columns(self.inputs[self.worst])
        return pd.DataFrame(columns, index=pd.Index(self.rows[self.worst], name="row"))


def find_mistakes(model: keras.Model, prepared: Prepared, split: Split, *, count: int = 12) -> Mistakes:
    """Return the worst mistakes of a model on the validation part: at most 2,000 samples, spread evenly over it.

    Parameters
    ----------
    prepared, split : of the training: what the model read, and the same samples raw, to be shown
    count : of mistakes to return

    Raises
    ------
    ValueError
        If the split is not the one that was prepared, or the model's outputs are not finite.
    """
    problem, samples = prepared.problem, len(prepared.y_val)
    if problem.name != split.problem.name or samples != len(split.y_val):
        raise ValueError(
            f"The split is another one than was prepared. Received: split of {split.problem.name} with "
            f"{len(split.y_val):,} validation samples, prepared of {problem.name} with {samples:,}. Give the split "
            "that went to prepare."
        )
    rows = np.unique(np.linspace(0, samples - 1, min(samples, JUDGED_ROWS)).round().astype(int))
    outputs = _predict(model, prepared, rows)
    if not np.isfinite(outputs).all():
        raise ValueError(
            f"Nothing can be said of outputs that are not finite. Received: model={model.name!r}, without a number for "
            f"{(~np.isfinite(outputs).all(axis=1)).sum():,} of {len(rows):,} samples. Take a model that did not "
            "diverge: lower the learning rate, or scale the inputs."
        )
    truth = prepared.y_val[rows]
    badness = _measure_badness(problem, truth, outputs)
    worst = np.argsort(-badness, kind="stable")
    worst = (worst[badness[worst] > 0] if problem.type.is_classification else worst)[:count]
    shown = worst if problem.kind == "text" else ()
    return Mistakes(
        problem=problem,
        source=prepared.source,
        rows=rows,
        inputs=split.x_val[rows],
        truth=truth,
        outputs=outputs,
        worst=worst,
        texts=tuple(" ".join(split.vocabulary[rank] for rank in split.x_val[rows[place]]) for place in shown),
    )


def _predict(model: keras.Model, prepared: Prepared, rows: np.ndarray) -> np.ndarray:
    """Return a model's outputs for rows of the validation part, (rows, outputs)."""
    import keras

    parts = np.array_split(rows, -(-len(rows) // ROWS_AT_ONCE))  # of one size as far as it goes: each compiles anew
    said = [model(prepared.preparation.to_network(prepared.x_val[part]), training=False) for part in parts]
    return np.concatenate([np.asarray(keras.ops.convert_to_numpy(one)) for one in said])


def _measure_badness(problem: Problem, truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how far each sample is from the truth, (n,): the first quantity's error, or how sure a wrong answer was.

    What is right has 0. Of several labels the worst one counts, though the model may be wrong in another.
    """
    columns = truth.reshape(len(truth), -1)
    if problem.type is ProblemType.MULTICLASS:
        is_wrong, doubt = outputs.argmax(axis=1) != truth, np.take_along_axis(outputs, columns.astype(int), axis=1)
        return np.where(is_wrong, 1 - doubt[:, 0], 0.0)
    errors = np.abs(outputs - columns)
    if not problem.type.is_classification:
        return errors[:, 0]
    is_wrong = ((outputs > THRESHOLD) != columns).any(axis=1)
    return np.where(is_wrong, errors.max(axis=1), 0.0)
