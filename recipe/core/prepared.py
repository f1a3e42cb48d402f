"""Training and validation data as a network reads them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipe.core.dataset import fingerprint
from recipe.core.input_checks import Note, expect
from recipe.core.preparation import ENCODINGS, Preparation
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Training and validation data, ready for a network; made by `prepare`.

    Attributes
    ----------
    problem : with the shape of a prepared sample, so that a model can be built for it
    x_train, x_val : np.ndarray
        In a small dtype (see `Preparation.transform`). A batch is cast to float32 and multiplied by `input_scale`
        when its turn comes; `inputs` does it for a whole part.
    y_train, y_val : np.ndarray of shape (n,) or (n, outputs), in the problem's unit
    preparation : what was fitted, to be applied to the test set and to new data
    notes : what is odd about the data: values that were filled in, validation values that training never showed
    """

    problem: Problem
    source: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    preparation: Preparation
    protocol: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def input_scale(self) -> float:
        """What a batch is multiplied by once it is float32."""
        return self.preparation.input_scale

    @cached_property
    def data_key(self) -> str:
        """Sixteen digits that stand for the data, both parts as a network reads them, and for the problem."""
        arrays = (self.x_train, self.y_train, self.x_val, self.y_val)
        return fingerprint(f"{self.problem.name} times {self.input_scale!r}", arrays)

    def inputs(self, part: str = "train") -> np.ndarray:
        """Return ``"train"`` or ``"val"`` as the network reads it: float32 and scaled, or whole numbers of words."""
        return self.preparation.to_network(self.x_train if part == "train" else self.x_val)


def readable_by(spec: ModelSpec, problem: Problem) -> tuple[str, ...]:
    """Return the encodings that an architecture reads, the usual one first: an embedding network reads sequences."""
    if problem.kind == "text" and spec.architecture == "embedding":
        return ("sequence",)
    return tuple(encoding for encoding in ENCODINGS[problem.kind] if encoding != "sequence")


def encoding_for(spec: ModelSpec, problem: Problem) -> str:
    """Return the usual encoding for an architecture."""
    return readable_by(spec, problem)[0]


def check_trainable(spec: ModelSpec, prepared: Prepared) -> None:
    """Refuse what is no prepared data, and data in a form that the architecture cannot read.

    Raises
    ------
    TypeError, ValueError
    """
    for value, noun in ((spec, ModelSpec), (prepared, Prepared)):
        expect(value, noun, "A network is trained from its spec, on data that is prepared.")
    readable, found = readable_by(spec, prepared.problem), prepared.preparation.encoding
    if found not in readable:
        wanted = readable[0]
        raise ValueError(
            f"A network of architecture {spec.architecture!r} reads reviews as {wanted}, and these are {found}. "
            f"Received: prepared, encoding={found!r}. Prepare them by prepare(split, encoding={wanted!r})."
        )
