"""Step 4: what was learned from the training part, as a value that is applied to any raw data."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.features import Ratio, add_ratios
from recipe.core.input_checks import (
    Note,
    check_finite,
    check_pixels,
    check_samples,
    note_images,
    note_outside,
    note_reviews,
)
from recipe.core.problem import REVIEW_LENGTH, Problem
from recipe.core.reviews import Reviews
from recipe.core.vectorize import count_words, weigh_words

# The usual one first. An embedding network reads sequences, and every other network all the rest.
REVIEW_ENCODINGS = ("multi_hot", "counts", "tfidf", "sequence")
IMAGE_ENCODINGS = ("scale", "scale_signed", "normalize", "raw")
TABLE_ENCODINGS = ("normalize", "scale", "scale_signed", "raw")


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """What was learned from the training part, and how it is applied to any raw data.

    Attributes
    ----------
    problem : of the raw data
    encoding : ``"scale"`` (to [0, 1]), ``"scale_signed"`` (to [-1, 1]), ``"normalize"`` (mean 0, standard deviation 1),
        ``"raw"`` (as it is); for reviews ``"multi_hot"``, ``"counts"``, ``"tfidf"`` or ``"sequence"``
    input_scale : what a batch is multiplied by once it is float32, such as 1/255
    mean, std, low, high : of each column of the training part, ratios included, shape (columns,); of images only mean
        and std, one number for all pixels
    median : of each raw column, put in for a missing value; empty where a missing value is refused
    idf : inverse document frequency of each word, shape (words,)
    ratios : columns that are made from others
    vocabulary : the word of each rank that a network knows, to read texts by; empty where there are no words
    """

    problem: Problem
    encoding: str
    input_scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    median: tuple[float, ...] = ()
    idf: tuple[float, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    vocabulary: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a prepared table, ratios included; empty for images and reviews."""
        return self.problem.column_names + tuple(ratio.name for ratio in self.ratios)

    @property
    def center_and_spread(self) -> tuple[np.ndarray, np.ndarray]:
        """What is subtracted from each column, and what the rest is divided by: float64 arrays of one shape."""
        mean, std, low, high = (np.asarray(values) for values in (self.mean, self.std, self.low, self.high))
        if self.encoding == "normalize":
            return mean, std
        if self.encoding == "scale":
            return low, high - low
        if self.encoding == "scale_signed":
            return (low + high) / 2, (high - low) / 2
        return np.zeros_like(low), np.ones_like(low)

    def transform(self, x: Samples) -> np.ndarray:
        """Return raw inputs as prepared ones, in the smallest dtype that holds them.

        Returns
        -------
        np.ndarray
            Images uint8 (n, height, width), int16 where they are scaled to [-1, 1], float32 where they are normalised;
            tables float32 (n, columns); reviews uint8 (n, words), float16 for TF-IDF, uint16 (n, 256) for sequences.
            Times `input_scale` it is what the network reads.

        Raises
        ------
        ValueError, TypeError
            If the samples have another shape or kind, a value is not finite, or a pixel is out of its range.
        """
        check_samples(x, self.problem)
        if isinstance(x, Reviews):
            return self._transform_reviews(x)
        if self.problem.kind == "image":
            return self._transform_images(x)
        center, spread = self.center_and_spread
        return ((self.complete(x) - center) / spread).astype(np.float32)

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        """Return raw targets in the problem's unit: labels as they are, dollars as hundred thousands of them."""
        y = self.problem.read_targets(y)
        if self.problem.type.is_classification:
            return y
        return (y / np.asarray(self.problem.target_scale).squeeze()).astype(np.float32)

    def inspect(self, x: Samples) -> tuple[Note, ...]:
        """Say what is odd about raw inputs though `transform` takes them: values that training never showed.

        Raises
        ------
        ValueError, TypeError
            As `transform` does.
        """
        check_samples(x, self.problem)
        if isinstance(x, Reviews):
            return tuple(note_reviews(x, self.problem.num_words))
        if self.problem.kind == "image":
            check_pixels(x, self.problem)
            return tuple(note_images(x, self.problem.pixel_max))
        full = self.complete(x)
        filled = [
            Note(
                kind="filled",
                text=f"{name}: {count:,} of {len(x):,} values were missing, the training median {value:,.7g} is there.",
                feature=name,
                count=count,
            )
            for name, value, count in zip(self.columns, self.median, np.isnan(x).sum(axis=0).tolist(), strict=False)
            if count
        ]
        return (*filled, *note_outside(full, self.low, self.high, self.columns))

    def to_json(self) -> str:
        """Return all that was learned as one line of JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        values["problem"] = self.problem.to_dict()
        return json.dumps(values | {"ratios": [dataclasses.asdict(ratio) for ratio in self.ratios]})

    @classmethod
    def from_json(cls, text: str) -> Preparation:
        """Make a preparation from what `to_json` returned."""
        values = json.loads(text)
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
        values["problem"] = Problem.from_dict(values["problem"])
        return cls(**values | {"ratios": tuple(Ratio(**ratio) for ratio in values["ratios"])})

    def to_network(self, x: np.ndarray) -> np.ndarray:
        """Return prepared inputs as the network reads them: float32 times the scale; sequences stay integers."""
        if self.encoding == "sequence":
            return x.astype(np.int32)
        return x.astype(np.float32) * np.float32(self.input_scale)

    def _transform_reviews(self, x: Reviews) -> np.ndarray:
        words = self.problem.num_words
        if self.encoding == "sequence":
            return x.sequences(length=REVIEW_LENGTH, words=words)
        if self.encoding == "tfidf":
            return weigh_words(x, np.asarray(self.idf))
        return count_words(x, words) if self.encoding == "counts" else x.multi_hot(words)

    def _transform_images(self, x: np.ndarray) -> np.ndarray:
        check_pixels(x, self.problem)
        if self.encoding == "normalize":
            return ((x - self.mean[0]) / self.std[0]).astype(np.float32)
        if self.encoding == "scale_signed":  # 2 x - max, which input_scale = 1 / max brings to [-1, 1]
            return x.astype(np.int16 if x.dtype == np.uint8 else np.float32) * 2 - round(self.problem.pixel_max)
        return x if x.dtype == np.uint8 else x.astype(np.float32)

    def complete(self, x: np.ndarray, part: str = "input") -> np.ndarray:
        """Return a raw table without gaps and with its ratios, float64 of shape (n, columns), not yet scaled."""
        names = self.problem.column_names
        check_finite(x, self.problem, names, part=part, allow_nan=bool(self.median))
        x = x.astype(np.float64)
        if self.median:
            x = np.where(np.isnan(x), np.asarray(self.median), x)
        return add_ratios(x, self.ratios, names) if self.ratios else x
