"""Step 1: one question put to a dataset: this target, from these inputs, on so many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.problem import ProblemType
from recipe.core.reviews import Reviews
from recipe.data.problems import HOUSING_FEATURES, derive, find_problem
from recipe.steps.s1_problem import TargetDescription, describe_target, format_number

HOUSE_VALUE = "median_house_value"
COLUMN_UNITS = MappingProxyType(
    {
        "longitude": "degrees",
        "latitude": "degrees",
        "housing_median_age": "years",
        "total_rooms": "rooms",
        "total_bedrooms": "bedrooms",
        "population": "people",
        "households": "households",
        "median_income": "tens of thousands of dollars",
        HOUSE_VALUE: "dollars",
    }
)
# What can be asked of each dataset: name of the target -> what it is. The first is the usual one.
TARGETS = MappingProxyType(
    {
        "mnist": {
            "digit": "which digit it is",
            "is_five": "whether it is a 5",
            "three_labels": "even? above four? a closed loop?",
        },
        "imdb": {"sentiment": "whether the writer liked it", "length": "how many words it has"},
        "housing": {HOUSE_VALUE: "the median house value"}
        | {"fraction_of_cap": "its fraction of the highest value", "value_and_income": "house value and income"}
        | {name: f"the column {name}" for name in HOUSING_FEATURES},
    }
)
_PROBLEMS = {
    "digit": "mnist",
    "is_five": "mnist_five",
    "three_labels": "mnist_multilabel",
    "sentiment": "imdb",
    HOUSE_VALUE: "housing",
    "fraction_of_cap": "housing_fraction",
    "value_and_income": "housing_vector",
}
_TARGET_COLUMNS = {"fraction_of_cap": (HOUSE_VALUE,), "value_and_income": (HOUSE_VALUE, "median_income")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Framing:
    """A question put to a dataset, and what its target says.

    Attributes
    ----------
    dataset : that it is put to
    question : one sentence
    target : a name in `TARGETS`
    inputs : the chosen columns; ``("pixels",)`` and ``("words",)`` for images and reviews
    x : images, reviews, or float32 (n, columns)
    description : type, last layer, balance and guess, from `describe_target`
    closeness : rank correlation of each input column with the target (its first column), from -1 to 1; empty where the
        input is no table. What one column says by itself: two columns together may say much more
    """

    dataset: Dataset
    question: str
    target: str
    inputs: tuple[str, ...]
    x: np.ndarray | Reviews
    description: TargetDescription
    closeness: tuple[float, ...] = ()

    @property
    def input_text(self) -> str:
        """The input in words: what one sample is made of."""
        kind = self.dataset.problem.kind
        if kind == "text":
            return f"{len(self.x):,} reviews, each a list of words"
        if kind == "image":
            return f"{len(self.x):,} images of {self.x.shape[1]} × {self.x.shape[2]} grey levels"
        return f"{len(self.x):,} districts, {len(self.inputs)} column{'s' if len(self.inputs) > 1 else ''} each"

    def answer(self, row: int) -> str:
        """The target of one sample in words."""
        y, problem = self.description.targets[row], self.description.problem
        if problem.type is ProblemType.MULTILABEL:
            return ", ".join(name for name, yes in zip(problem.output_names, y, strict=True) if yes) or "none"
        if problem.type.is_classification:
            return problem.output_names[int(y)]
        return f"{' and '.join(map(format_number, np.atleast_1d(y)))} {problem.target_unit}".rstrip()


def frame_problem(
    dataset: Dataset, *, target: str = "", inputs: Sequence[str] = (), rows: int | None = None, seed: int = 0
) -> Framing:
    """Put one question to a dataset and describe it. Nothing is trained, and the test set stays sealed.

    Parameters
    ----------
    dataset : of ``load("mnist")``, ``load("imdb")`` or ``load("housing")``
    target : a name in ``TARGETS[dataset.problem.name]``; the first of them where it is empty
    inputs : columns of the table; all that are not the target where it is empty
    rows : how many training samples are drawn, without replacement; None, or more than there are: all
    seed : of the draw. More rows hold those of fewer rows

    Raises
    ------
    ValueError
        If the dataset is not one of the three, has no such target or column, the target is among the inputs, there
        are fewer than two rows, or all targets are the same.

    Examples
    --------
    >>> from recipe.data.load import load
    >>> framing = frame_problem(load("housing", source="sample"), target="latitude", inputs=("longitude",))
    >>> framing.question
    'What is the latitude of a district, from its longitude?'
    """
    data = dataset.problem.name
    if data not in TARGETS:
        raise ValueError(
            f"This dataset is for one question already. Received: {dataset!r}. Take load() of {', '.join(TARGETS)}, "
            "and its targets."
        )
    target = target or next(iter(TARGETS[data]))
    inputs = check_inputs(data, target, inputs)
    if rows is not None and rows < 2:
        raise ValueError(f"It takes two samples to differ. Received: rows={rows}. Ask for 2 or more, or None for all.")
    order = np.random.default_rng(seed).permutation(len(dataset.y_train))[:rows]
    x, y = dataset.x_train[order], dataset.y_train[order]
    description, closeness = _describe(target, x, y), ()
    if data == "housing":
        x = np.column_stack([x, y])[:, [list(COLUMN_UNITS).index(name) for name in inputs]]
        closeness = _rank_correlations(x, description.targets)
    return Framing(
        dataset=dataset,
        question=_question(target, inputs),
        target=target,
        inputs=inputs,
        x=x,
        description=description,
        closeness=closeness,
    )


def input_columns(data: str, target: str) -> tuple[str, ...]:
    """Return what may be the input when this is the target: in a table every column that is not the target.

    Raises
    ------
    ValueError
        If the dataset has no such target.

    Examples
    --------
    >>> input_columns("housing", "latitude")[:3], input_columns("mnist", "digit")
    (('longitude', 'housing_median_age', 'total_rooms'), ('pixels',))
    """
    if target not in TARGETS[data]:
        raise ValueError(
            f"{data} has no such target. Received: target={target!r}. Choose from {', '.join(TARGETS[data])}."
        )
    if data != "housing":
        return ("pixels",) if data == "mnist" else ("words",)
    taken = _TARGET_COLUMNS.get(target, (target,))
    return tuple(name for name in COLUMN_UNITS if name not in taken)


def check_inputs(data: str, target: str, inputs: Sequence[str]) -> tuple[str, ...]:
    """Return the inputs, all where none are given; refuse the target itself and what is not there.

    Raises
    ------
    ValueError
        If the target or an input does not exist, or the target is among the inputs.
    """
    allowed = input_columns(data, target)
    if refused := [name for name in inputs if name not in allowed]:
        is_target = data == "housing" and refused[0] in COLUMN_UNITS
        fact = f"{refused[0]} is what is asked for: as an input it would be the answer itself." if is_target else ""
        raise ValueError(
            f"{fact or f'{data} has no input {refused[0]!r}.'} Received: target={target!r}, inputs={tuple(inputs)}. "
            f"Choose from {', '.join(allowed)}."
        )
    return tuple(name for name in allowed if name in inputs) or allowed


def _describe(target: str, x: np.ndarray | Reviews, y: np.ndarray) -> TargetDescription:
    if target == "length":
        return describe_target(np.diff(x.offsets), names=("length",), unit="words")
    if target in HOUSING_FEATURES:
        column = x[:, HOUSING_FEATURES.index(target)]
        return describe_target(column, names=(target,), unit=COLUMN_UNITS[target])
    problem = find_problem(_PROBLEMS[target])
    unit = {HOUSE_VALUE: "dollars", "fraction_of_cap": "of the cap"}.get(target, "")
    return describe_target(derive(problem.name, x, y)[1], names=problem.output_names, unit=unit)


def _question(target: str, inputs: tuple[str, ...]) -> str:
    if target in _PROBLEMS:
        return find_problem(_PROBLEMS[target]).question
    if target == "length":
        return "How many words does this film review have?"
    listed = f"its {inputs[0]}" if len(inputs) == 1 else f"{len(inputs)} other columns"
    return f"What is the {target} of a district, from {listed}?"


def _rank_correlations(x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Spearman's correlation of each column of x with y, or with its first column; 0 where a column is constant."""
    from scipy.stats import rankdata

    ranks = rankdata(np.column_stack([y if y.ndim == 1 else y[:, 0], x]), axis=0)
    with np.errstate(invalid="ignore"):
        correlations = np.corrcoef(ranks, rowvar=False)[0, 1:]
    return tuple(np.nan_to_num(correlations).tolist())
