"""The three datasets that come with the kit, the seven problems that are made of them, and what loads them in Keras."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from recipe.core.dataset import Samples
from recipe.core.input_checks import expect_choice
from recipe.core.problem import Problem, ProblemType

SOURCES = ("auto", "local", "download", "sample")
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

_DIGITS = Problem(
    name="mnist",
    question="Which digit, 0 to 9, is written in this image?",
    type=ProblemType.MULTICLASS,
    outputs=10,
    output_names=tuple("0123456789"),
    measure="accuracy",
    kind="image",
    input_shape=(28, 28),
    pixel_max=255.0,
)
_REVIEWS = Problem(
    name="imdb",
    question="Is this film review positive or negative?",
    type=ProblemType.BINARY,
    outputs=1,
    output_names=("negative", "positive"),
    measure="accuracy",
    kind="text",
    input_shape=(IMDB_WORDS,),
    num_words=IMDB_WORDS,
)
_DISTRICTS = Problem(
    name="housing",
    question="What is the median house value in this district of California?",
    type=ProblemType.REGRESSION,
    outputs=1,
    output_names=("median house value",),
    measure="mae",
    input_shape=(8,),
    feature_names=HOUSING_FEATURES,
    target_scale=(100_000.0,),
    target_unit="hundred thousand dollars",
)
_FIVE = replace(
    _DIGITS,
    name="mnist_five",
    question="Is the digit in this image a 5? (One image in ten or so is.)",
    type=ProblemType.BINARY,
    outputs=1,
    output_names=("not a 5", "a 5"),
    measure="f1",
)
_THREE_LABELS = replace(
    _DIGITS,
    name="mnist_multilabel",
    question="Is the digit even, is it above four, and does it have a closed loop?",
    type=ProblemType.MULTILABEL,
    outputs=3,
    output_names=("even", "above four", "closed loop"),
    measure="f1",
)
_FRACTION = replace(
    _DISTRICTS,
    name="housing_fraction",
    question="Which fraction of the highest recorded value is the median house value here?",
    type=ProblemType.BOUNDED_REGRESSION,
    output_names=("fraction of the cap",),
    target_scale=(1.0,),
    target_unit="of the cap",
)
_VALUE_AND_INCOME = replace(
    _DISTRICTS,
    name="housing_vector",
    question="What are the median house value and the median income in this district?",
    outputs=2,
    output_names=("median house value", "median income"),
    input_shape=(7,),
    feature_names=HOUSING_FEATURES[:-1],  # without the income
    target_scale=(100_000.0, 1.0),
    target_unit="hundred thousand dollars, and ten thousand dollars of income",
)
_PROBLEMS = (_DIGITS, _REVIEWS, _DISTRICTS, _FIVE, _THREE_LABELS, _FRACTION, _VALUE_AND_INCOME)
PROBLEMS = MappingProxyType({problem.name: problem for problem in _PROBLEMS})


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
    expect_choice("name", name, PROBLEMS, "There is no problem of that name.")
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


def derive(name: str, x: Samples, y: np.ndarray) -> tuple[Samples, np.ndarray]:
    """Turn a dataset's own inputs and targets into those of one of its problems.

    Parameters
    ----------
    name : of the problem
    x : images (n, height, width), reviews, or districts (n, 8)
    y : digits, labels or dollars, (n,)
    """
    if name == "mnist_five":
        return x, (y == 5).astype(np.uint8)
    if name == "mnist_multilabel":
        return x, np.column_stack([y % 2 == 0, y > 4, np.isin(y, CLOSED_LOOPS)]).astype(np.uint8)
    if name == "housing_fraction":
        return x, (y / HOUSING_CAP).astype(np.float32)
    if name == "housing_vector":
        return np.ascontiguousarray(x[:, :-1]), np.column_stack([y, x[:, -1]])  # the income is the last column
    return x, y


# The lines of a plain Keras program that load the data of a problem, without the kit where Keras has the data.
_LOAD = """\
dataset = recipe.load("{name}", source="{source}"{rows})
x, y = dataset.x_train, dataset.y_train
"""
_LOADED_WORDS = """\
x = np.array([review[review < {num_words}] for review in x], dtype="object")  # a row of words for each review
"""
_KERAS = {
    "mnist": "(x, y), _ = keras.datasets.mnist.load_data()\n",
    "imdb": """\
# A review is a list of words, and a word the rank of its frequency: 1 is the most frequent one.
(x, y), _ = keras.datasets.imdb.load_data(num_words={num_words}, index_from=0, start_char=None, oov_char=None)
""",
    "housing": '(x, y), _ = keras.datasets.california_housing.load_data(version="small")\n',
}
# What `derive` does, in plain NumPy.
_DERIVED = {
    "mnist_five": 'y = (y == 5).astype("uint8")\n',
    "mnist_multilabel": f"""\
y = np.stack([y % 2 == 0, y > 4, np.isin(y, {list(CLOSED_LOOPS)})], axis=1).astype("uint8")
""",
    "housing_fraction": f"y = y / {HOUSING_CAP:.0f}  # dollars: no district is recorded as dearer\n",
    "housing_vector": """\
x, y = x[:, :-1], np.stack([y, x[:, -1]], axis=1)  # the last feature, the median income, is predicted as well
""",
}


def loading_code(problem: Problem, source: str = "auto", rows: int | None = None) -> str:
    """Return the lines of a program that load ``x`` and ``y``, raw, as `recipe.load` gives them to train on.

    They use ``np`` and ``keras``, or ``np`` and ``recipe`` for a sample and where `rows` are asked for.

    Parameters
    ----------
    problem : as `recipe.load` returns it in ``dataset.problem``, so that its shape is that of the data
    source, rows : as for `keras_code`

    Examples
    --------
    >>> print(loading_code(find_problem("mnist_five")), end="")
    (x, y), _ = keras.datasets.mnist.load_data()
    y = (y == 5).astype("uint8")
    """
    if problem.name not in PROBLEMS:
        return 'x, y = np.load("x.npy"), np.load("y.npy")  # your own data, one row a sample\n'
    if source == "auto" and problem.input_shape != PROBLEMS[problem.name].input_shape:
        source = "sample"
    if source == "sample" or rows is not None:
        lines = _LOAD + (_LOADED_WORDS if problem.kind == "text" else "")
    else:
        lines = _KERAS[dataset_of(problem.name)] + _DERIVED.get(problem.name, "")
    asked = "" if rows is None else f", rows={rows}"
    return lines.format(name=problem.name, source=source, rows=asked, num_words=problem.num_words)
