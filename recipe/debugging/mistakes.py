"""What a model gets wrong on held-out samples: the worst digits, reviews with the words that moved them, the houses.

Numbers only; `recipe.figures.mistakes` draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.dataset import Split
from recipe.core.measures import THRESHOLD
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem, ProblemType
from recipe.debugging.word_effects import ReviewMistake, explain_reviews, predict_rows

if TYPE_CHECKING:
    import keras

JUDGED_ROWS = 2_000  # held-out samples that are looked at: enough to find bad mistakes, and done at once
MOST_REVIEWS = 6  # each is asked about as often as it has words


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageMistakes:
    """The images that a model got wrong, the one it was surest of first.

    Attributes
    ----------
    samples, wrong : how many held-out samples were judged, and how many of them are wrong (in any label)
    rows : (count,), which rows of the validation part
    images : raw, (count, height, width)
    labels : true ones, (count,), or (count, outputs) where a sample has several
    outputs : probabilities as the network gave them, (count, outputs)
    """

    problem: Problem
    source: str
    samples: int
    wrong: int
    rows: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    outputs: np.ndarray

    @property
    def predictions(self) -> np.ndarray:
        """What the model says, in the shape of `labels`."""
        return _decide(self.problem, self.outputs)

    @property
    def sentence(self) -> str:
        """How many there are, in words."""
        return _count_in_words(self.wrong, self.samples, "images")


@dataclass(frozen=True, kw_only=True, eq=False)
class ReviewMistakes:
    """The reviews that a model got wrong, the one it was surest of first, each with what its words did."""

    problem: Problem
    source: str
    samples: int
    wrong: int
    reviews: tuple[ReviewMistake, ...]

    @property
    def sentence(self) -> str:
        """How many there are, in words."""
        return _count_in_words(self.wrong, self.samples, "reviews")


@dataclass(frozen=True, kw_only=True, eq=False)
class HouseMistakes:
    """How far off a model is in each district; of several outputs the first, the house value.

    Attributes
    ----------
    longitude, latitude : (samples,), in degrees
    truth, predictions : (samples,), in `unit`
    worst : the places of the largest errors in these arrays, the largest first
    rows : (samples,), which rows of the validation part
    """

    problem: Problem
    source: str
    unit: str
    rows: np.ndarray
    longitude: np.ndarray
    latitude: np.ndarray
    truth: np.ndarray
    predictions: np.ndarray
    worst: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """Prediction minus truth, (samples,): above 0 where the model says too much."""
        return self.predictions - self.truth

    @property
    def sentence(self) -> str:
        """How far off it is on average and at worst, in words."""
        errors = self.errors
        if not np.abs(errors).max() > 0:
            return f"Not a single error in {len(errors):,} held-out districts."
        worst = self.worst[0]
        side = "too high" if errors[worst] > 0 else "too low"
        return (
            f"Off by {np.abs(errors).mean():.2f} {self.unit} on average over {len(errors):,} held-out districts; at "
            f"worst {abs(errors[worst]):.2f} {side}, at {self.longitude[worst]:.2f}, {self.latitude[worst]:.2f}."
        )


Mistakes = ImageMistakes | ReviewMistakes | HouseMistakes


def find_mistakes(
    model: keras.Model,
    prepared: Prepared,
    split: Split,
    *,
    count: int = 12,
    vocabulary: Sequence[str] | None = None,
    judged_rows: int = JUDGED_ROWS,
) -> Mistakes:
    """Return the worst mistakes of a model on the validation part.

    Parameters
    ----------
    prepared, split : of the training: what the model read, and the same samples raw, to be shown
    count : of mistakes to return, 1 or more; six reviews at most, for each of their words is asked about
    vocabulary : the word of each rank; None takes the split's own
    judged_rows : of validation samples at most, spread evenly over the part

    Raises
    ------
    ValueError
        If the split is not the one that was prepared, or the model's outputs are not finite.
    """
    _check(prepared, split, count, judged_rows)
    problem, samples = prepared.problem, len(prepared.y_val)
    rows = np.unique(np.linspace(0, samples - 1, min(samples, judged_rows)).round().astype(int))
    outputs = predict_rows(model, prepared.x_val[rows], prepared.preparation)
    if not np.isfinite(outputs).all():
        raise ValueError(
            f"Nothing can be said of outputs that are not finite. Received: model={model.name!r}, without a number for "
            f"{(~np.isfinite(outputs).all(axis=1)).sum():,} of {len(rows):,} samples. Take a model that did not "
            "diverge: lower the learning rate, or scale the inputs."
        )
    if not problem.type.is_classification:
        return _find_houses(prepared, split, rows, outputs, count)
    labels = prepared.y_val[rows]
    wrong = (_decide(problem, outputs) != labels).reshape(len(rows), -1).any(axis=1)
    surest = np.argsort(-_surely_wrong(problem, labels, outputs), kind="stable")
    worst = surest[wrong[surest]][:count]
    common = {"problem": problem, "source": prepared.source, "samples": len(rows), "wrong": int(wrong.sum())}
    if problem.num_words:
        worst = worst[:MOST_REVIEWS]
        words = split.vocabulary if vocabulary is None else vocabulary
        reviews = explain_reviews(model, prepared, split.x_val, rows[worst], outputs[worst, 0], words)
        return ReviewMistakes(reviews=reviews, **common)
    return ImageMistakes(
        rows=rows[worst],
        images=split.x_val[rows[worst]],
        labels=labels[worst],
        outputs=outputs[worst],
        **common,
    )


def _decide(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    """Return what the outputs say, (n,), or (n, outputs) where a sample has several labels."""
    if problem.type is ProblemType.MULTICLASS:
        return outputs.argmax(axis=1)
    says = (outputs > THRESHOLD).astype(np.uint8)
    return says if problem.outputs > 1 else says[:, 0]


def _surely_wrong(problem: Problem, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how far the probability of the right answer is from 1, (n,); of several labels the worst."""
    if problem.type is ProblemType.MULTICLASS:
        return 1 - outputs[np.arange(len(outputs)), labels]
    return np.abs(outputs - labels.reshape(len(labels), -1)).max(axis=1)


def _find_houses(prepared: Prepared, split: Split, rows: np.ndarray, outputs: np.ndarray, count: int) -> HouseMistakes:
    truth = prepared.y_val[rows].reshape(len(rows), -1)[:, 0]
    names = prepared.preparation.problem.column_names
    place = {name: split.x_val[rows, names.index(name)] for name in ("longitude", "latitude")}
    return HouseMistakes(
        problem=prepared.problem,
        source=prepared.source,
        unit=prepared.problem.target_unit.split(", and ")[0],  # of the first output
        rows=rows,
        truth=truth,
        predictions=outputs[:, 0],
        worst=np.argsort(-np.abs(outputs[:, 0] - truth), kind="stable")[:count],
        **place,
    )


def _count_in_words(wrong: int, samples: int, what: str) -> str:
    if not wrong:
        return f"Not a single mistake in {samples:,} held-out {what}."
    return f"{wrong:,} of {samples:,} held-out {what} are wrong ({wrong / samples:.1%})."


def _check(prepared: Prepared, split: Split, count: int, judged_rows: int) -> None:
    if count < 1 or judged_rows < 1:
        raise ValueError(
            f"There is nothing to show. Received: count={count}, judged_rows={judged_rows}. Ask for 1 or more."
        )
    ours, theirs = prepared.problem.name, split.problem.name
    if ours != theirs or len(prepared.y_val) != len(split.y_val):
        raise ValueError(
            f"The split is another one than was prepared. Received: split of {theirs} with {len(split.y_val):,} "
            f"validation samples, prepared of {ours} with {len(prepared.y_val):,}. Give the split that went to prepare."
        )
