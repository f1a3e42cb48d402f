"""Step 4: from raw data to what a network can learn from, with statistics from the training part alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.problems import REVIEW_LENGTH, Problem
from recipe.protocols import Inputs, Split
from recipe.reviews import Reviews
from recipe.spec import ModelSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """What was learned from the training part, and how it is applied to any raw data.

    Attributes
    ----------
    encoding : ``"scale"`` (images), ``"normalize"`` (tables), ``"multi_hot"`` or ``"sequence"`` (reviews)
    input_scale : what a batch is multiplied by once it is float32, such as 1/255
    mean, std : of each feature of the training part, shape (features,); empty where nothing is normalised
    """

    problem: Problem
    encoding: str
    input_scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def transform(self, x: Inputs) -> np.ndarray:
        """Return raw inputs as prepared ones, in a small dtype: images and multi-hot stay uint8.

        Returns
        -------
        np.ndarray
            uint8 (n, height, width), float32 (n, features), uint8 (n, words) or uint16 (n, 256); times
            `input_scale` it is what the network reads.
        """
        if isinstance(x, Reviews):
            if self.encoding == "sequence":
                return x.sequences(length=REVIEW_LENGTH, words=self.problem.words)
            return x.multi_hot(self.problem.words)
        if x.shape[1:] != self.problem.input_shape:
            raise ValueError(
                f"A sample of {self.problem.name} has the shape {self.problem.input_shape}. Received: x of shape "
                f"{x.shape}. Give an array of shape (n, {', '.join(map(str, self.problem.input_shape))})."
            )
        if self.encoding == "normalize":
            return ((x - np.asarray(self.mean, np.float64)) / np.asarray(self.std, np.float64)).astype(np.float32)
        return x

    def transform_target(self, y: np.ndarray) -> np.ndarray:
        """Return raw targets in the problem's unit: labels as they are, dollars as hundred thousands of them."""
        if self.problem.type.is_classification:
            return y
        return (y / np.asarray(self.problem.target_scale).squeeze()).astype(np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Training and validation data, ready for a network; made by `prepare`.

    Attributes
    ----------
    x_train, x_val : np.ndarray
        In a small dtype (see `Preparation.transform`). A batch is cast to float32 and multiplied by `input_scale`
        when its turn comes; `inputs` does it for a whole part.
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

    @property
    def input_scale(self) -> float:
        """What a batch is multiplied by once it is float32."""
        return self.preparation.input_scale

    def inputs(self, part: str = "train") -> np.ndarray:
        """Return ``"train"`` or ``"val"`` as the network reads it: float32 and scaled, or whole numbers of words."""
        return to_network(self.x_train if part == "train" else self.x_val, self.preparation)


def prepare(split: Split, *, encoding: str = "auto") -> Prepared:
    """Fit the preparation on the training part, and apply it to both.

    Parameters
    ----------
    encoding : ``"auto"``, or for reviews ``"multi_hot"`` (the default there) or ``"sequence"``, which an embedding
        network reads

    Raises
    ------
    ValueError
        If the encoding does not suit the data, a feature is constant, or a value is not finite.
    """
    preparation = _fit(split, encoding)
    return Prepared(
        problem=split.problem,
        source=split.source,
        x_train=preparation.transform(split.x_train),
        y_train=preparation.transform_target(split.y_train),
        x_val=preparation.transform(split.x_val),
        y_val=preparation.transform_target(split.y_val),
        preparation=preparation,
        protocol=split.protocol,
    )


def encoding_for(spec: ModelSpec, problem: Problem) -> str:
    """Return the encoding that an architecture reads: an embedding network wants sequences of words."""
    if problem.words:
        return "sequence" if spec.architecture == "embedding" else "multi_hot"
    return "normalize" if problem.base == "housing" else "scale"


def to_network(x: np.ndarray, preparation: Preparation) -> np.ndarray:
    """Return prepared inputs as the network reads them: float32 times the scale; sequences of words stay integers."""
    if preparation.encoding == "sequence":
        return x.astype(np.int32)
    return x.astype(np.float32) * np.float32(preparation.input_scale)


def _fit(split: Split, encoding: str) -> Preparation:
    """Learn from the training part what `Preparation` needs."""
    problem, x = split.problem, split.x_train
    suitable = ("multi_hot", "sequence") if problem.words else ("scale",) if split.pixel_max else ("normalize",)
    if encoding not in ("auto", *suitable):
        raise ValueError(
            f"The inputs of {problem.name} cannot be encoded so. Received: encoding={encoding!r}. "
            f"Choose from auto, {', '.join(suitable)}."
        )
    encoding = suitable[0] if encoding == "auto" else encoding
    if encoding == "scale":
        return Preparation(problem=problem, encoding=encoding, input_scale=1 / split.pixel_max)
    if encoding != "normalize":
        return Preparation(problem=problem, encoding=encoding)
    _check_table(x, problem)
    mean, std = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    return Preparation(problem=problem, encoding=encoding, mean=tuple(mean.tolist()), std=tuple(std.tolist()))


def _check_table(x: np.ndarray, problem: Problem) -> None:
    """Refuse what cannot be normalised: values that are not finite, features that never change."""
    if bad := int((~np.isfinite(x)).sum()):
        raise ValueError(
            f"{bad} values of the training part are not finite. Received: {problem.name}, x_train of shape {x.shape}. "
            "Fill or drop them first."
        )
    constant = np.flatnonzero(np.ptp(x, axis=0) == 0).tolist()
    if constant:
        raise ValueError(
            f"{len(constant)} features are the same in every training sample, so they tell nothing and cannot be "
            f"normalised. Received: {problem.name}, columns {constant}. Drop them."
        )
