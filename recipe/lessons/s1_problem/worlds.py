"""Step 1: why a problem may not be solvable. The input may not hold the answer, and the world may move.

Small data makers, to be learned from by a model that fails. What is simulated says so, and how, in its story.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.data.problems import HOUSING_FEATURES, dataset_of

_NAMES = """
    Ada Aiko Amir Anna Bao Ben Carla Chidi Clara Dan Diego Elif Emma Eva Farid Femi Finn Gita Greta Hana Hugo Ines Ivan
    Jana Jin Jonas Kemi Kofi Lara Lea Leo Lin Luis Maja Mara Marc Mei Mila Nadia Nina Noah Nuri Olga Omar Paul Pia Priya
    Rafa Rosa Sami Sara Sofia Tariq Tom Uma Vera Wei Yara Yusuf Zoe
"""
_MONTHS = "January February March April May June July August September October November December"
FIRST_NAMES, MONTHS = tuple(_NAMES.split()), tuple(_MONTHS.split())
NORTH_OF = 36.0  # degrees: San Francisco and Sacramento lie north of it, Los Angeles and San Diego south


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A small table of data.

    Attributes
    ----------
    story : what it is; what is simulated says so, and how
    columns : names of the columns of `x`
    x : float32 (n, columns)
    y : float32 (n,)
    y_unit : what is predicted, in which unit
    """

    story: str
    columns: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    y_unit: str

    def __repr__(self) -> str:
        return f"Table({len(self.y):,} rows, {len(self.columns)} columns -> {self.y_unit})"


def first_names_and_grades(pupils: int = 600, seed: int = 0) -> Table:
    """Simulate pupils, each with a first name and a grade that has nothing to do with it.

    The process: a name is drawn evenly from `FIRST_NAMES`; a grade from a normal distribution of mean 70 and standard
    deviation 12, rounded and kept within 0 to 100, whatever the name. So no model can do better than a guess.

    Parameters
    ----------
    pupils : rows, 2 or more
    seed : of both draws

    Returns
    -------
    Table; `x` has a column for each name, 1 in that of the pupil's own

    Raises
    ------
    ValueError
        If there are fewer than two pupils.

    Examples
    --------
    >>> first_names_and_grades(pupils=100)
    Table(100 rows, 60 columns -> grade, in points from 0 to 100)
    """
    _check_rows("pupils", pupils)
    rng = np.random.default_rng(seed)
    names = rng.integers(len(FIRST_NAMES), size=pupils)
    grades = np.clip(rng.normal(70, 12, pupils).round(), 0, 100)
    return Table(
        story=f"Simulated: {pupils:,} pupils, each with one of {len(FIRST_NAMES)} first names, and a grade that is "
        "drawn without a look at the name (normal, mean 70, standard deviation 12).",
        columns=FIRST_NAMES,
        x=np.eye(len(FIRST_NAMES), dtype=np.float32)[names],
        y=grades.astype(np.float32),
        y_unit="grade, in points from 0 to 100",
    )


def shuffle_labels(dataset: Dataset, seed: int = 0) -> Dataset:
    """Return the dataset with its training targets in random order: each input gets the answer of some other one.

    The shares of the classes stay as they are, and whatever the input said about the target is gone. The sealed test
    set is left alone.

    Examples
    --------
    >>> from recipe.data.load import load
    >>> digits = load("mnist", source="sample")
    >>> bool((shuffle_labels(digits).y_train == digits.y_train).mean() < 0.2)
    True
    """
    order = np.random.default_rng(seed).permutation(len(dataset.y_train))
    return dataclasses.replace(dataset, y_train=dataset.y_train[order])


def clothing_sales(month: str, items: int = 600, seed: int = 0) -> Table:
    """Simulate what a clothes shop of the northern hemisphere sells of each item in one month.

    The process, for each item: its warmth is drawn evenly from 0 (swimwear) to 1 (winter coats), its price is
    lognormal and rises with its warmth, its discount is drawn evenly from 0 to 0.5. The expected number of pieces sold
    is ``60 * exp(2.5 * (warmth - 0.5) * cold + 1.2 * discount) / (price / 50) ** 0.5``, where `cold` goes from 1 in
    January to -1 in July along a cosine; the number sold is drawn from a Poisson distribution. The month is not among
    the columns.

    Parameters
    ----------
    month : English name of the month
    items : rows, 2 or more
    seed : of everything random

    Raises
    ------
    ValueError
        If there is no such month, or there are fewer than two items.

    Examples
    --------
    >>> clothing_sales("August").columns
    ('warmth', 'price', 'discount')
    """
    if month not in MONTHS:
        raise ValueError(f"There is no such month. Received: month={month!r}. Choose from {', '.join(MONTHS)}.")
    _check_rows("items", items)
    rng = np.random.default_rng([seed, MONTHS.index(month)])
    warmth, discount = rng.random(items), 0.5 * rng.random(items)
    price = 30 * (1 + 1.5 * warmth) * np.exp(0.3 * rng.standard_normal(items))
    cold = np.cos(2 * np.pi * MONTHS.index(month) / 12)
    expected = 60 * np.exp(2.5 * (warmth - 0.5) * cold + 1.2 * discount) / np.sqrt(price / 50)
    return Table(
        story=f"Simulated: {items:,} items of a clothes shop in {month}. In the cold warm clothes sell, in the heat "
        "light ones, cheap and reduced ones always; the month is not among the columns.",
        columns=("warmth", "price", "discount"),
        x=np.column_stack([warmth, price, discount]).astype(np.float32),
        y=rng.poisson(expected).astype(np.float32),
        y_unit="pieces sold",
    )


def split_north_south(dataset: Dataset, latitude: float = NORTH_OF, seed: int = 0) -> tuple[Split, Split]:
    """Cut housing at a latitude: two splits with the same northern training part, judged at home and away.

    Parameters
    ----------
    dataset : of ``load("housing")``
    latitude : in degrees; a district north of it is of the north
    seed : of the draw of the fifth of the north that is kept for validation

    Returns
    -------
    (home, away): validated on northern districts that were kept back, and on all southern ones

    Raises
    ------
    ValueError
        If the dataset is not housing, or one side has fewer than 10 districts.
    """
    if dataset_of(dataset.problem.name) != "housing":
        raise ValueError(f"Only housing has a north and a south. Received: {dataset!r}. Pass load('housing').")
    is_north = dataset.x_train[:, HOUSING_FEATURES.index("latitude")] > latitude
    north, south = np.flatnonzero(is_north), np.flatnonzero(~is_north)
    if min(len(north), len(south)) < 10:
        raise ValueError(
            f"{len(north):,} districts lie north and {len(south):,} south of it, and each side needs 10. "
            f"Received: latitude={latitude!r}. California lies between 32.5 and 42 degrees: take one in the middle."
        )
    north = np.random.default_rng(seed).permutation(north)
    cut = len(north) // 5
    home = _cut(dataset, north[cut:], north[:cut], "trained in the north, judged on other districts of the north")
    away = _cut(dataset, north[cut:], south, "trained in the north, judged in the south")
    return home, away


def _cut(dataset: Dataset, train: np.ndarray, val: np.ndarray, protocol: str) -> Split:
    x, y = dataset.x_train, dataset.y_train
    return Split(
        problem=dataset.problem,
        source=dataset.source,
        x_train=x[train],
        y_train=y[train],
        x_val=x[val],
        y_val=y[val],
        protocol=protocol,
    )


def _check_rows(name: str, rows: int) -> None:
    if rows < 2:
        raise ValueError(f"A table to learn from has 2 rows at least. Received: {name}={rows}. Ask for more.")
