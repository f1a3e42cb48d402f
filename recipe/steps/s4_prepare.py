"""Step 4: from raw data to what a network can learn from, with statistics from the training part alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from recipe.core.dataset import Split
from recipe.core.input_checks import check_inputs, expect, expect_choice, list_columns
from recipe.core.prepared import ENCODINGS, Preparation, Prepared
from recipe.core.problem import ProblemType
from recipe.core.reviews import Reviews


def prepare(split: Split, *, encoding: str = "auto", fit_on: str = "train") -> Prepared:
    """Fit the preparation on the training part, and apply it to both.

    In tables of one's own missing values become the training part's median (see `Problem.gaps`); elsewhere they are
    refused.

    Parameters
    ----------
    encoding : ``"auto"``, or one of `ENCODINGS` for the problem's kind of input (see `Preparation`)
    fit_on : ``"train"``; ``"all"`` takes the statistics from the validation part, too. That is a **leak**, for the
        lesson that measures how much it matters

    Raises
    ------
    ValueError, TypeError
        If an argument does not suit the data, a feature is constant, or a value or target is not finite.
    """
    expect(split, Split, "What is prepared is a split: its training part alone says how.")
    problem, kind = split.problem, split.problem.kind
    fact = f"Inputs of {problem.name} cannot be prepared so."
    expect_choice("encoding", encoding, ("auto", *ENCODINGS[kind]), fact)
    expect_choice("fit_on", fit_on, ("train", "all"), fact)
    encoding = ENCODINGS[kind][0] if encoding == "auto" else encoding
    x = split.x_train
    if fit_on == "all":
        x = Reviews.of([*x, *split.x_val]) if kind == "text" else np.concatenate([x, split.x_val])
    check_inputs(x, problem)
    empty = Preparation(problem=problem, encoding=encoding, vocabulary=split.vocabulary[: problem.num_words])
    fit = {"text": _fit_texts, "image": _fit_images, "table": _fit_table}[kind]
    preparation = fit(x, empty)
    x_train, y_train = preparation.transform(split.x_train), preparation.transform_target(split.y_train)
    if kind == "table":
        problem = dataclasses.replace(problem, input_shape=x_train.shape[1:])
    if problem.origin and problem.type is ProblemType.REGRESSION:  # of one's own: what the outputs begin with
        start = np.atleast_1d(y_train.mean(axis=0, dtype=np.float64)).tolist()
        problem = dataclasses.replace(problem, output_start=tuple(start))
    return Prepared(
        problem=problem,
        source=split.source,
        x_train=x_train,
        y_train=y_train,
        x_val=preparation.transform(split.x_val),
        y_val=preparation.transform_target(split.y_val),
        preparation=preparation,
        protocol=split.protocol,
    )


def _fit_texts(x: Reviews, empty: Preparation) -> Preparation:
    """Ranks of words need no statistics, but TF-IDF the inverse document frequency: rare words say more."""
    if empty.encoding != "tfidf":
        return empty
    from sklearn.feature_extraction.text import TfidfTransformer

    idf = TfidfTransformer().fit(x.sparse_counts(empty.problem.num_words)).idf_
    return dataclasses.replace(empty, idf=tuple(idf.tolist()))


def _fit_images(x: np.ndarray, empty: Preparation) -> Preparation:
    """Images need no statistics to be scaled; to be normalised, one mean and one deviation of all pixels."""
    empty = dataclasses.replace(empty, low=(0.0,), high=(empty.problem.pixel_max,))
    if empty.encoding != "normalize":
        return empty
    mean, std = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
    return dataclasses.replace(empty, mean=(mean,), std=(std,))


def _fit_table(x: np.ndarray, empty: Preparation) -> Preparation:
    """The median of each raw column, then mean, deviation and range of each column of numbers."""
    problem = empty.problem
    if problem.origin:  # a table of one's own
        _refuse(np.isnan(x).all(axis=0), problem.column_names, "have no value at all in the training part")
        empty = dataclasses.replace(empty, median=tuple(np.nanmedian(x.astype(np.float64), axis=0).tolist()))
    full = empty.complete(x)  # (n, numbers)
    if not problem.origin:  # in data of one's own a fold may have lost the few values that differ
        fact = "are the same in every training sample, so they tell nothing and cannot be normalised"
        _refuse(np.ptp(full, axis=0) == 0, empty.columns, fact)
    statistics = {"mean": full.mean(axis=0), "std": full.std(axis=0), "low": full.min(axis=0), "high": full.max(axis=0)}
    return dataclasses.replace(empty, **{name: tuple(values.tolist()) for name, values in statistics.items()})


def _refuse(columns: np.ndarray, names: Sequence[str], fact: str) -> None:
    """Refuse a table of which columns, marked by a mask, have nothing to learn from."""
    if columns.any():
        raise ValueError(
            f"{int(columns.sum())} columns {fact}. Received: split, columns {list_columns(columns, names)}. Drop them."
        )
