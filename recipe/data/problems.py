"""The three problems that come with the kit, and what can be derived from their data."""

from __future__ import annotations

from types import MappingProxyType

from recipe.core.preparation import Ratio
from recipe.core.problem import Problem, ProblemType

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
CLOSED_LOOPS = (0, 6, 8, 9)  # the digits written with a closed loop; a 4 is counted as open, as most hands write it
_housing = {
    "base": "housing",
    "kind": "table",
    "input_shape": (8,),
    "feature_names": HOUSING_FEATURES,
}
PROBLEMS = MappingProxyType(
    {
        problem.name: problem
        for problem in (
            Problem(
                name="mnist",
                base="mnist",
                kind="image",
                pixel_max=255.0,
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
                kind="text",
                question="Is this film review positive or negative?",
                type=ProblemType.BINARY,
                outputs=1,
                output_names=("negative", "positive"),
                input_shape=(IMDB_WORDS,),
                num_words=IMDB_WORDS,
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
                kind="image",
                pixel_max=255.0,
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
                kind="image",
                pixel_max=255.0,
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
                **(_housing | {"input_shape": (7,), "feature_names": HOUSING_FEATURES[:-1]}),
            ),
        )
    }
)


# The totals of a district say how large it is. What a house there is like stands in their ratios.
HOUSING_RATIOS = (
    Ratio(name="rooms_per_household", over="total_rooms", under="households"),
    Ratio(name="bedrooms_per_room", over="total_bedrooms", under="total_rooms"),
    Ratio(name="people_per_household", over="population", under="households"),
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


def dataset_of(name: str) -> str:
    """Return which of the three datasets a problem is made of: ``"mnist"``, ``"imdb"`` or ``"housing"``.

    Examples
    --------
    >>> dataset_of("housing_fraction")
    'housing'
    """
    return find_problem(name).name.partition("_")[0]


def default_rows(name: str) -> int | None:
    """Return how many samples `recipe run` and `recipe tune` take unless they are told; None: all of them."""
    return SMALL_HOUSING_ROWS if dataset_of(name) == "housing" else None
