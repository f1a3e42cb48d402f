"""Step 1: what is predicted, from what, and which output layer that wants.

The table `LAST_LAYERS` is the one place that says which last-layer activation and loss go with a type of problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


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
    usual one first. `integer_label_loss` is the same loss for labels kept as integers, where there is one.
    """

    activation: str | None
    losses: tuple[str, ...]
    integer_label_loss: str | None = None

    @property
    def loss(self) -> str:
        """The loss that the kit compiles with: the sparse one where labels are integers."""
        return self.integer_label_loss or self.losses[0]


# The source of the table: F. Chollet, Deep Learning with Python, the universal workflow of machine learning.
LAST_LAYERS = MappingProxyType(
    {
        ProblemType.BINARY: LastLayer(activation="sigmoid", losses=("binary_crossentropy",)),
        ProblemType.MULTICLASS: LastLayer(
            activation="softmax",
            losses=("categorical_crossentropy",),
            integer_label_loss="sparse_categorical_crossentropy",
        ),
        ProblemType.MULTILABEL: LastLayer(activation="sigmoid", losses=("binary_crossentropy",)),
        ProblemType.REGRESSION: LastLayer(activation=None, losses=("mse",)),
        ProblemType.BOUNDED_REGRESSION: LastLayer(activation="sigmoid", losses=("mse", "binary_crossentropy")),
    }
)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A question, its type and the measure of success, with the shapes that a model needs to know.

    Attributes
    ----------
    name : the key of `PROBLEMS`, such as ``"mnist"``
    base : the dataset that it is made from: ``"mnist"``, ``"imdb"`` or ``"housing"``
    question : one sentence that a reader understands
    type : what the last layer and the loss follow from
    outputs : units in the last layer
    output_names : what each output, or each class, stands for
    input_shape : shape of one prepared sample; `load` puts the shape of the data that it found here
    words : size of the vocabulary, for reviews; 0 otherwise
    measure : the measure of success, a name in `recipe.measures.MEASURES`
    target_scale : what each target column is divided by before training, in the target's raw unit
    target_unit : the unit of a prepared target and of the error, empty for labels
    run_rows : rows that `recipe run` takes when it is not told (None: all)
    """

    name: str
    base: str
    question: str
    type: ProblemType
    outputs: int
    output_names: tuple[str, ...]
    input_shape: tuple[int, ...]
    measure: str
    words: int = 0
    target_scale: tuple[float, ...] = (1.0,)
    target_unit: str = ""
    run_rows: int | None = None

    @property
    def last_layer(self) -> LastLayer:
        """The row of the table for this problem's type."""
        return LAST_LAYERS[self.type]


DIGITS = tuple(str(digit) for digit in range(10))
HOUSING_FEATURES = (
    "longitude",
    "latitude",
    "housing_median_age",
    "total_rooms",
    "total_bedrooms",
    "population",
    "households",
    "median_income",
)
HOUSING_CAP = 500_001.0  # dollars: the census file reports no block as dearer than this
SMALL_HOUSING_ROWS = 600  # Keras's small version: the first 600 rows of the file
IMDB_WORDS = 10_000  # the most frequent words; rarer ones are left out
REVIEW_LENGTH = 256  # words of a review that an embedding network reads

_housing = {"base": "housing", "input_shape": (8,), "run_rows": SMALL_HOUSING_ROWS}

PROBLEMS = MappingProxyType(
    {
        problem.name: problem
        for problem in (
            Problem(
                name="mnist",
                base="mnist",
                question="Which digit, 0 to 9, is written in this image?",
                type=ProblemType.MULTICLASS,
                outputs=10,
                output_names=DIGITS,
                input_shape=(28, 28),
                measure="accuracy",
            ),
            Problem(
                name="imdb",
                base="imdb",
                question="Is this film review positive or negative?",
                type=ProblemType.BINARY,
                outputs=1,
                output_names=("negative", "positive"),
                input_shape=(IMDB_WORDS,),
                words=IMDB_WORDS,
                measure="accuracy",
            ),
            Problem(
                name="housing",
                question="What is the median house value in this district of California?",
                type=ProblemType.REGRESSION,
                outputs=1,
                output_names=("median house value",),
                measure="mae",
                target_scale=(100_000.0,),
                target_unit="hundred thousand dollars",
                **_housing,
            ),
            Problem(
                name="mnist_five",
                base="mnist",
                question="Is the digit in this image a 5? (One image in ten or so is.)",
                type=ProblemType.BINARY,
                outputs=1,
                output_names=("not a 5", "a 5"),
                input_shape=(28, 28),
                measure="f1",
            ),
            Problem(
                name="mnist_multilabel",
                base="mnist",
                question="Is the digit even, is it above four, and does it have a closed loop?",
                type=ProblemType.MULTILABEL,
                outputs=3,
                output_names=("even", "above four", "closed loop"),
                input_shape=(28, 28),
                measure="f1",
            ),
            Problem(
                name="housing_fraction",
                question="Which fraction of the highest recorded value is the median house value here?",
                type=ProblemType.BOUNDED_REGRESSION,
                outputs=1,
                output_names=("fraction of the cap",),
                measure="mae",
                target_unit="of the cap",
                **_housing,
            ),
            Problem(
                name="housing_vector",
                question="What are the median house value and the median income in this district?",
                type=ProblemType.REGRESSION,
                outputs=2,
                output_names=("median house value", "median income"),
                measure="mae",
                target_scale=(100_000.0, 1.0),
                target_unit="hundred thousand dollars, and ten thousand dollars of income",
                **(_housing | {"input_shape": (7,)}),
            ),
        )
    }
)


def find_problem(name: str) -> Problem:
    """Return the problem of that name.

    Raises
    ------
    ValueError
        If there is no such problem; the message lists those there are.

    Examples
    --------
    >>> find_problem("imdb").last_layer.activation
    'sigmoid'
    """
    if name not in PROBLEMS:
        raise ValueError(
            f"There is no problem of that name. Received: name={name!r}. Choose from {', '.join(PROBLEMS)}."
        )
    return PROBLEMS[name]
