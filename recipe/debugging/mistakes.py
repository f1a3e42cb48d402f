"""What a model gets wrong on held-out samples: the worst images, texts, and rows of a table.

Numbers and words; `recipe.figures.mistakes` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recipe.core.dataset import Samples, Split
from recipe.core.measures import THRESHOLD
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.engine.saving import predict

if TYPE_CHECKING:
    import keras

JUDGED_ROWS = 2_000  # held-out samples that are looked at: enough to find bad mistakes, and done at once
_SAMPLES_ARE = {"image": "images", "text": "texts", "table": "rows"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Mistakes:
    """The held-out samples that were judged, and which of them the model gets most wrong.

    Attributes
    ----------
    rows : (samples,), which rows of the validation part were judged
    inputs : these samples, raw: images (samples, height, width), a table (samples, columns), or texts
    truth : (samples,), or (samples, outputs) where a sample has several labels or quantities
    outputs : as the network gave them, (samples, outputs)
    wrong : how many are wrong: in any label, or off by anything at all
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
    wrong: int
    worst: np.ndarray
    texts: tuple[str, ...] = field(default=(), repr=False)

    @property
    def errors(self) -> np.ndarray:
        """Prediction minus truth of the first quantity, (samples,): above 0 where the model says too much."""
        return self.outputs[:, 0] - self.truth.reshape(len(self.truth), -1)[:, 0]

    @property
    def unit(self) -> str:
        """The unit of `errors`."""
        return self.problem.target_unit.split(", and ")[0]

    @property
    def sentence(self) -> str:
        """How many there are, or how far off it is on average and at worst, in words."""
        samples, is_label = len(self.rows), self.problem.type.is_classification
        held_out = f"{samples:,} held-out {_SAMPLES_ARE[self.problem.kind]}"
        if not self.wrong:
            return f"Not a single {'mistake' if is_label else 'error'} in {held_out}."
        if is_label:
            return f"{self.wrong:,} of {held_out} are wrong ({self.wrong / samples:.1%})."
        sizes = np.abs(self.errors)
        worst = sizes.argmax()
        return (
            f"Off by {f'{sizes.mean():.2f} {self.unit}'.rstrip()} on average over {held_out}; at worst "
            f"{sizes[worst]:.2f} too {'high' if self.errors[worst] > 0 else 'low'}, in row {self.rows[worst]:,}."
        )

    def describe(self, place: int) -> tuple[str, str]:
        """Say what the sample at a place is, and what the model says, how surely where it is a class."""
        names, outputs, truth = self.problem.output_names, self.outputs[place], np.atleast_1d(self.truth[place])
        if not self.problem.type.is_classification:
            return f"{truth[0]:.3g}", f"{outputs[0]:.3g}"
        if self.problem.type is ProblemType.MULTICLASS:
            return names[truth[0]], f"{names[outputs.argmax()]}, {_percent(outputs.max())}"
        worst = int(np.abs(outputs - truth).argmax())  # of several labels
        either = names if self.problem.outputs == 1 else (f"not {names[worst]}", names[worst])
        is_yes, says_yes = int(truth[worst]), int(outputs[worst] > THRESHOLD)
        return either[is_yes], f"{either[says_yes]}, {_percent(outputs[worst] if says_yes else 1 - outputs[worst])}"

    def to_frame(self) -> pd.DataFrame:
        """Return the worst ones as a table: what is true, what the model says, and the text or all columns by name."""
        told = np.array([self.describe(place) for place in self.worst], dtype=object).reshape(-1, 2)
        columns = {"truth": told[:, 0], "prediction": told[:, 1]}
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
    inputs = split.x_val[rows]
    outputs = predict(model, prepared.preparation, inputs)
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
        inputs=inputs,
        truth=truth,
        outputs=outputs,
        wrong=int((badness > 0).sum()),
        worst=worst,
        texts=tuple(" ".join(split.vocabulary[rank] for rank in inputs[place]) for place in shown),
    )


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


def _percent(share: float) -> str:
    """Write a probability without pretending that it is certain."""
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{share:.0%}".replace("%", " %")
