"""Step 4: what was learned from the training part, as a value that is applied to any raw data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.input_checks import Note, check_inputs, check_targets
from recipe.core.problem import REVIEW_LENGTH, Problem
from recipe.core.reviews import Reviews

# By the kind of input, the usual one first. An embedding network reads sequences, and every other network all the rest.
ENCODINGS = MappingProxyType(
    {
        "table": ("normalize", "scale", "scale_signed", "raw"),
        "image": ("scale", "scale_signed", "normalize", "raw"),
        "text": ("multi_hot", "counts", "tfidf", "sequence"),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """What was learned from the training part, and how it is applied to any raw data.

    Attributes
    ----------
    problem : of the raw data
    encoding : ``"scale"`` (to [0, 1]), ``"scale_signed"`` (to [-1, 1]), ``"normalize"`` (mean 0, standard deviation 1),
        ``"raw"`` (as it is); for reviews ``"multi_hot"``, ``"counts"``, ``"tfidf"`` or ``"sequence"``
    input_scale : what a batch is multiplied by once it is float32, such as 1/255
    mean, std, low, high : of each column of numbers of the training part; of images one number for all pixels, with
        black and white as low and high
    median : of each raw column, put in for a missing value; empty where a missing value is refused
    idf : inverse document frequency of each word, shape (words,)
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
    vocabulary: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a prepared table: numbers, indicators of gaps, categories; else empty."""
        names = self.problem.column_names
        hot = (f"{names[column]} = {name}" for column in self.hot for name in self.problem.categories[column])
        gaps = (f"{names[column]} is missing" for column in self.problem.gaps)
        return (*(names[column] for column in self.numbers), *gaps, *hot)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The raw columns of a table that are numbers; the others are categories."""
        categories = self.problem.categories or ((),) * len(self.problem.column_names)
        return tuple(column for column, names in enumerate(categories) if not names)

    @property
    def hot(self) -> tuple[int, ...]:
        """The raw columns of a table that become one column a category."""
        return tuple(column for column, names in enumerate(self.problem.categories) if names)

    @property
    def center_and_spread(self) -> tuple[np.ndarray, np.ndarray]:
        """What is subtracted from each column, and what the rest is divided by: float64 arrays of one shape."""
        mean, std, low, high = (np.asarray(values) for values in (self.mean, self.std, self.low, self.high))
        if self.encoding == "raw":
            return np.zeros_like(low), np.ones_like(low)
        center, spread = {
            "normalize": (mean, std),
            "scale": (low, high - low),
            "scale_signed": ((low + high) / 2, (high - low) / 2),
        }[self.encoding]
        return center, np.where(spread == 0, 1.0, spread)  # a column that is the same everywhere becomes 0

    def transform(self, x: Samples) -> np.ndarray:
        """Return raw inputs as prepared ones, in the smallest dtype that holds them.

        Returns
        -------
        np.ndarray
            Images uint8 (n, height, width), int16 where they are scaled to [-1, 1], float32 where they are normalised;
            tables float32 (n, columns), see `columns`; reviews uint8 (n, words), float16 for TF-IDF, uint16 (n, 256)
            for sequences. Times `input_scale` it is what the network reads.

        Raises
        ------
        ValueError, TypeError
            If the samples have another shape or kind, a value is not finite, or a pixel is out of its range.
        """
        check_inputs(x, self.problem, allow_missing=bool(self.median))
        if self.problem.kind == "text":
            return self._transform_reviews(x)
        if self.problem.kind == "image":
            return self._transform_images(x)
        center, spread = self.center_and_spread
        scaled = ((self.complete(x) - center) / spread).astype(np.float32)
        return np.hstack([scaled, self.flags(x)]) if self.problem.gaps or self.hot else scaled

    def transform_target(self, y: np.ndarray, part: str = "given") -> np.ndarray:
        """Return raw targets in the problem's unit: labels as they are, dollars as hundred thousands of them."""
        y = check_targets(y, self.problem, part)
        if self.problem.type.is_classification:
            return y
        return (y / np.asarray(self.problem.target_scale).squeeze()).astype(np.float32)

    def inspect(self, x: Samples) -> tuple[Note, ...]:
        """Say what is odd about a raw table though `transform` takes it: values that training never showed."""
        if self.problem.kind != "table":
            return ()
        names, notes = self.problem.column_names, []

        def note(kind: str, columns: Iterable[int], found: np.ndarray, tell: Callable[[int], str]) -> None:
            for place, column in enumerate(columns):
                if count := int(found[:, place].sum()):
                    text = f"{names[column]}: {count:,} of {len(x):,} {tell(place)}"
                    notes.append(Note(kind=kind, text=text, feature=names[column], count=count))

        if self.median:
            filled = "values were missing, the training median {:,.7g} is there.".format
            note("filled", range(len(names)), np.isnan(x), lambda place: filled(self.median[place]))
        unknown = "categories are unknown, so that all their columns are 0."
        note("unknown_category", self.hot, x[:, list(self.hot)] < 0, lambda place: unknown)
        outside = "values lie outside {:,.7g} to {:,.7g}, the range of the training part.".format
        numbers = self.complete(x)
        is_outside = (numbers < np.array(self.low)) | (numbers > np.array(self.high))
        note("outside_range", self.numbers, is_outside, lambda place: outside(self.low[place], self.high[place]))
        return tuple(notes)

    def complete(self, x: np.ndarray) -> np.ndarray:
        """Return the numbers of a raw table without gaps, not yet scaled: float64 (n, numbers)."""
        x = x.astype(np.float64)  # (n, features)
        if self.median:
            x = np.where(np.isnan(x), np.asarray(self.median), x)
        return x[:, list(self.numbers)]

    def flags(self, x: np.ndarray) -> np.ndarray:
        """Return the columns of 0 and 1 that a raw table gets, float32: indicators of gaps, then one a category."""
        columns = [np.isnan(x[:, list(self.problem.gaps)])]
        columns += [x[:, column, None] == np.arange(len(self.problem.categories[column])) for column in self.hot]
        return np.hstack(columns).astype(np.float32)

    def to_network(self, x: np.ndarray) -> np.ndarray:
        """Return prepared inputs as the network reads them: float32 times the scale; sequences stay integers."""
        if self.encoding == "sequence":
            return x.astype(np.int32)
        return x.astype(np.float32) * np.float32(self.input_scale)

    def to_dict(self) -> dict[str, object]:
        """Return all that was learned, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"problem": self.problem.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Preparation:
        """Make a preparation from what `to_dict` returned, or from what JSON has made of it."""
        known = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**known | {"problem": Problem.from_dict(values["problem"])})

    def _transform_reviews(self, x: Reviews) -> np.ndarray:
        words = self.problem.num_words
        if self.encoding == "sequence":
            return x.sequences(length=REVIEW_LENGTH, num_words=words)
        if self.encoding == "tfidf":
            return x.weights(np.asarray(self.idf))
        return x.counts(words) if self.encoding == "counts" else x.multi_hot(words)

    def _transform_images(self, x: np.ndarray) -> np.ndarray:
        if self.encoding == "normalize":
            return ((x - self.mean[0]) / self.std[0]).astype(np.float32)
        if self.encoding == "scale_signed":  # 2 x - max, which input_scale = 1 / max brings to [-1, 1]
            return x.astype(np.int16 if x.dtype == np.uint8 else np.float32) * 2 - round(self.problem.pixel_max)
        return x if x.dtype == np.uint8 else x.astype(np.float32)
