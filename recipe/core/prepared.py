"""Data as a network reads it, and what was learned from the training part to bring it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.input_checks import check_inputs, check_targets, expect
from recipe.core.problem import REVIEW_LENGTH, Problem, as_tuples
from recipe.core.spec import ModelSpec

# By the kind of input, the usual one first. An embedding network reads sequences, and every other network all the rest.
ENCODINGS = MappingProxyType(
    {
        "table": ("normalize", "scale", "scale_signed", "raw"),
        "image": ("scale", "scale_signed", "normalize", "raw"),
        "text": ("multi_hot", "tfidf", "sequence"),
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """What was learned from the training part, and how it is applied to any raw data.

    Attributes
    ----------
    problem : of the raw data
    encoding : ``"scale"`` (to [0, 1]), ``"scale_signed"`` (to [-1, 1]), ``"normalize"`` (mean 0, standard deviation 1),
        ``"raw"`` (as it is); for reviews ``"multi_hot"``, ``"tfidf"`` or ``"sequence"``
    mean, std, low, high : of each column of numbers of the training part; of images one number for all pixels, with
        black and white as low and high
    median : of each raw column, put in for a missing value; empty where a missing value is refused
    idf : inverse document frequency of each word, shape (words,)
    vocabulary : the word of each rank that a network knows, to read texts by; empty where there are no words
    """

    problem: Problem
    encoding: str
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    median: tuple[float, ...] = ()
    idf: tuple[float, ...] = ()
    vocabulary: tuple[str, ...] = ()

    @property
    def input_scale(self) -> float:
        """What a batch is multiplied by once it is float32: pixels are scaled so, and stay bytes until then."""
        return 1 / self.problem.pixel_max if self.problem.kind == "image" and self.encoding == "scale" else 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a prepared table: numbers, indicators of gaps, categories; else empty."""
        problem, names = self.problem, self.problem.column_names
        hot = (f"{names[one]} = {name}" for one in problem.category_columns for name in problem.categories[one])
        gaps = (f"{names[column]} is missing" for column in problem.gaps)
        return (*(names[column] for column in problem.number_columns), *gaps, *hot)

    @property
    def center_and_spread(self) -> tuple[np.ndarray, np.ndarray]:
        """What is subtracted from each column, and what the rest is divided by: float64 arrays of one shape."""
        mean, std, low, high = map(np.array, (self.mean, self.std, self.low, self.high))
        center, spread = {
            "normalize": (mean, std),
            "scale": (low, high - low),
            "scale_signed": ((low + high) / 2, (high - low) / 2),
            "raw": (0 * low, 0 * low),
        }[self.encoding]
        return center, np.where(spread == 0, 1.0, spread)  # a column that is the same everywhere becomes 0

    def transform(self, x: Samples) -> np.ndarray:
        """Return raw inputs as prepared ones, in a small dtype.

        Returns
        -------
        np.ndarray
            Images uint8 (n, height, width), float32 where they are scaled to [-1, 1] or normalised; tables float32
            (n, columns), see `columns`; reviews uint8 (n, words), float16 for TF-IDF, uint16 (n, 256) for sequences.
            Times `input_scale` it is what the network reads.

        Raises
        ------
        ValueError, TypeError
            If the samples have another shape or kind, a value is not finite, or a pixel is out of its range.
        """
        check_inputs(x, self.problem)
        if self.problem.kind == "text":
            words = self.problem.num_words
            if self.encoding == "sequence":
                return x.sequences(length=REVIEW_LENGTH, num_words=words)
            return x.weights(np.asarray(self.idf)) if self.encoding == "tfidf" else x.multi_hot(words)
        is_image = self.problem.kind == "image"
        if is_image and self.encoding in ("raw", "scale"):
            return x if x.dtype == np.uint8 else x.astype(np.float32)
        center, spread = self.center_and_spread
        scaled = (((x if is_image else self.complete(x)) - center) / spread).astype(np.float32)
        return np.hstack([scaled, self.flags(x)]) if self.problem.gaps or self.problem.category_columns else scaled

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        """Return raw targets in the problem's unit: labels as they are, dollars as hundred thousands of them."""
        y = check_targets(y, self.problem)
        if self.problem.type.is_classification:
            return y
        return (y / np.asarray(self.problem.target_scale).squeeze()).astype(np.float32)

    def complete(self, x: np.ndarray) -> np.ndarray:
        """Return the numbers of a raw table without gaps, not yet scaled: float64 (n, numbers)."""
        x = x.astype(np.float64)  # (n, features)
        if self.median:
            x = np.where(np.isnan(x), np.asarray(self.median), x)
        return x[:, list(self.problem.number_columns)]

    def flags(self, x: np.ndarray) -> np.ndarray:
        """Return the columns of 0 and 1 that a raw table gets, float32: indicators of gaps, then one a category."""
        problem, columns = self.problem, [np.isnan(x[:, list(self.problem.gaps)])]
        columns += [x[:, one, None] == np.arange(len(problem.categories[one])) for one in problem.category_columns]
        return np.hstack(columns).astype(np.float32)

    def to_network(self, x: np.ndarray) -> np.ndarray:
        """Return prepared inputs as the network reads them: float32 times the scale; sequences stay integers."""
        if self.encoding == "sequence":
            return x.astype(np.int32)
        return x.astype(np.float32) * np.float32(self.input_scale)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Preparation:
        """Make a preparation from its fields, as `dataclasses.asdict` gives them, or from what JSON has made of it."""
        return cls(**as_tuples(values) | {"problem": Problem.from_dict(values["problem"])})


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Training and validation data, ready for a network; made by `prepare`.

    Attributes
    ----------
    problem : with the shape of a prepared sample, so that a model can be built for it
    x_train, x_val : np.ndarray
        In a small dtype (see `Preparation.transform`). A batch is cast to float32 and multiplied by the preparation's
        `input_scale` when its turn comes; `inputs` does it for a whole part.
    y_train, y_val : np.ndarray of shape (n,) or (n, outputs), in the problem's unit
    preparation : what was fitted, to be applied to the test set and to new data
    """

    problem: Problem
    source: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    preparation: Preparation
    protocol: str = ""

    @cached_property
    def data_key(self) -> str:
        """Digits that stand for the data, both parts as a network reads them, and for the problem."""
        import joblib

        arrays = (self.x_train, self.y_train, self.x_val, self.y_val)
        return joblib.hash((self.problem.name, self.preparation.input_scale, arrays))

    def inputs(self, part: str = "train") -> np.ndarray:
        """Return ``"train"`` or ``"val"`` as the network reads it: float32 and scaled, or whole numbers of words."""
        return self.preparation.to_network(self.x_train if part == "train" else self.x_val)


def encoding_for(spec: ModelSpec, problem: Problem) -> str:
    """Return the usual encoding for an architecture: an embedding network reads sequences of words."""
    is_sequence = problem.kind == "text" and spec.architecture == "embedding"
    return "sequence" if is_sequence else ENCODINGS[problem.kind][0]


def check_trainable(spec: ModelSpec, prepared: Prepared) -> None:
    """Refuse what is no prepared data, and data in a form that the architecture cannot read.

    Raises
    ------
    TypeError, ValueError
    """
    for value, noun in ((spec, ModelSpec), (prepared, Prepared)):
        expect(value, noun, "A network is trained from its spec, on data that is prepared.")
    wanted, found = encoding_for(spec, prepared.problem), prepared.preparation.encoding
    if (wanted == "sequence") != (found == "sequence"):
        raise ValueError(
            f"A network of architecture {spec.architecture!r} reads reviews as {wanted}, and these are {found}. "
            f"Received: prepared, encoding={found!r}. Prepare them by prepare(split, encoding={wanted!r})."
        )
