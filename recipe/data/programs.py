"""The lines of a plain Keras program that load the data of a problem, without the kit where Keras has the data."""

from __future__ import annotations

from recipe.core.problem import Problem
from recipe.data.problems import CLOSED_LOOPS, HOUSING_CAP, PROBLEMS, dataset_of

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
# What `recipe.data.problems.derive` does, in plain NumPy.
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
    >>> from recipe.data.problems import find_problem
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
