"""Step 1: what is predicted, from what, and which output layer that wants.

The table `LAST_LAYERS` is the one place that says which last-layer activation and loss go with a type of problem.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

REVIEW_LENGTH = 256  # words of a text that an embedding network reads


class ProblemType(StrEnum):
    """The types of problem that the last layer and the loss are chosen by."""

    BINARY = "binary classification"
    MULTICLASS = "multiclass, single-label classification"
    MULTILABEL = "multiclass, multilabel classification"
    REGRESSION = "regression to arbitrary values"
    BOUNDED_REGRESSION = "regression to values in [0, 1]"

    @property
    def is_classification(self) -> bool:
        """Whether the targets are labels, not quantities."""
        return "classification" in self.value


@dataclass(frozen=True, kw_only=True)
class LastLayer:
    """What the end of a network looks like for one type of problem.

    `activation` is None where the output must be free to take any value. `losses` holds every loss that fits, the
    usual one first.
    """

    activation: str | None
    losses: tuple[str, ...]

    @property
    def loss(self) -> str:
        """The loss that the kit compiles with."""
        return self.losses[0]


# Of labels that are kept as integers, as the kit keeps them, and of one-hot rows.
_CLASSES = ("sparse_categorical_crossentropy", "categorical_crossentropy")
# The source of the table: F. Chollet, Deep Learning with Python, the universal workflow of machine learning.
LAST_LAYERS = MappingProxyType(
    {
        ProblemType.BINARY: LastLayer(activation="sigmoid", losses=("binary_crossentropy",)),
        ProblemType.MULTICLASS: LastLayer(activation="softmax", losses=_CLASSES),
        ProblemType.MULTILABEL: LastLayer(activation="sigmoid", losses=("binary_crossentropy",)),
        ProblemType.REGRESSION: LastLayer(activation=None, losses=("mse",)),
        ProblemType.BOUNDED_REGRESSION: LastLayer(activation="sigmoid", losses=("mse", "binary_crossentropy")),
    }
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where one's own data is from and how it was read, so that new data, and a plain program, are read alike.

    Attributes
    ----------
    form : ``"csv"``, ``"frame"``, ``"arrays"`` or ``"folder"``
    file : the name of the CSV file or the folder, without the folders above it; empty for frames and arrays
    targets : the columns that are predicted; empty where there are no columns
    classes : the raw value of each class, in the order of the class numbers; empty for quantities
    reading : arguments of `pandas.read_csv` that the file needs, such as ``(("sep", ";"),)``; of texts, the encoding
    test_size, seed : of the split that sealed the test set away
    """

    form: str
    file: str = ""
    targets: tuple[str, ...] = ()
    classes: tuple[str | int | float | bool, ...] = ()
    reading: tuple[tuple[str, str], ...] = ()
    test_size: float = 0.2
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A question, its type and the measure of success, with the shapes that a model needs to know.

    Attributes
    ----------
    name : a short one, such as ``"mnist"``
    question : one sentence that a reader understands
    type : what the last layer and the loss follow from
    kind : of the input: ``"table"``, ``"image"`` or ``"text"``
    outputs : units in the last layer
    output_names : what each output, or each class, stands for
    input_shape : shape of one prepared sample
    measure : the measure of success, a name in `recipe.core.measures.MEASURES`
    feature_names : of a table's raw columns; empty for images and texts
    categories : of each raw column of a table the names of its categories, whose numbers stand in the column; ``()``
        for a column of numbers; empty where all columns are numbers
    gaps : the raw columns of a table, from 0, that have missing values in data of one's own. Each gets an indicator, a
        column that is 1 where the value was missing
    pixel_max : the value of a white pixel, such as 255.0; 0.0 where there are no pixels
    num_words : size of the vocabulary, for texts; 0 otherwise
    target_scale : what each target column is divided by before training, in the target's raw unit
    target_unit : the unit of a prepared target and of the error, empty for labels
    output_start : what each output begins with, in that unit: the mean target, as `prepare` finds it for data of one's
        own. From 0 a network would spend its first epochs on the way there; empty where it starts there
    origin : how one's own data was read; None for the problems of the kit
    """

    name: str
    question: str
    type: ProblemType
    outputs: int
    output_names: tuple[str, ...]
    input_shape: tuple[int, ...]
    measure: str
    kind: str = "table"
    feature_names: tuple[str, ...] = ()
    pixel_max: float = 0.0
    num_words: int = 0
    target_scale: tuple[float, ...] = (1.0,)
    target_unit: str = ""
    output_start: tuple[float, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    gaps: tuple[int, ...] = ()
    origin: Origin | None = None

    @property
    def last_layer(self) -> LastLayer:
        """The row of the table for this problem's type."""
        return LAST_LAYERS[self.type]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of a table's raw columns, ``"column 1"`` and so on where they have none; empty for other kinds."""
        if self.kind != "table":
            return ()
        return self.feature_names or tuple(f"column {number}" for number in range(1, self.input_shape[0] + 1))

    @property
    def number_columns(self) -> tuple[int, ...]:
        """The raw columns of a table that are numbers; the others are categories."""
        return tuple(column for column in range(len(self.column_names)) if column not in self.category_columns)

    @property
    def category_columns(self) -> tuple[int, ...]:
        """The raw columns of a table that become one column a category."""
        return tuple(column for column, names in enumerate(self.categories) if names)

    def name_columns(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the columns of a raw table (n, columns) by name, categories as the names that they stand for."""
        columns = dict(zip(self.column_names, x.T, strict=True))
        for name, known in zip(columns, self.categories, strict=False):
            if known:  # -1, an unknown category, is the last of the names
                columns[name] = np.array([*known, "unknown"], dtype=object)[columns[name].astype(int)]
        return columns

    def shares(self, y: np.ndarray) -> dict[str, float]:
        """Return the share of each class, or of the yes of each label, by its name; y: labels (n,) or (n, labels)."""
        counts = y.sum(axis=0) if y.ndim == 2 else np.bincount(y, minlength=len(self.output_names))
        return dict(zip(self.output_names, (counts / len(y)).tolist(), strict=True))

    def to_dict(self) -> dict[str, object]:
        """Return every field by name, ready for JSON: with it a file or a journal keeps the whole problem."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Problem:
        """Make a problem from what `to_dict` returned, or from what JSON has made of it."""
        known = as_tuples(values)
        origin = Origin(**known["origin"]) if known.get("origin") else None
        return cls(**known | {"type": ProblemType(known["type"]), "origin": origin})


def as_tuples(value: object) -> object:
    """Return lists, as JSON has them, as the tuples that they were, those in lists and dicts too."""
    if isinstance(value, dict):
        return {name: as_tuples(one) for name, one in value.items()}
    return tuple(map(as_tuples, value)) if isinstance(value, list | tuple) else value
