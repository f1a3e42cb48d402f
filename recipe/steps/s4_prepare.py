"""Step 4: from raw data to what a network can learn from, with statistics from the training part alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from recipe.core.dataset import Samples, Split
from recipe.core.expect import expect
from recipe.core.features import Ratio
from recipe.core.input_checks import (
    Note,
    check_columns,
    check_finite,
    check_pixels,
    check_samples,
    check_targets,
)
from recipe.core.preparation import Preparation
from recipe.core.prepared import Prepared, encodings_of
from recipe.core.problem import Problem
from recipe.core.reviews import Reviews
from recipe.core.vectorize import fit_idf


def prepare(
    split: Split,
    *,
    encoding: str = "auto",
    ratios: Sequence[Ratio] = (),
    missing: str = "refuse",
    fit_on: str = "train",
) -> Prepared:
    """Fit the preparation on the training part, and apply it to both.

    Parameters
    ----------
    encoding : ``"auto"``, or one of IMAGE_ENCODINGS, TABLE_ENCODINGS or REVIEW_ENCODINGS (see `Preparation`)
    ratios : new columns of a table, such as `HOUSING_RATIOS`
    missing : ``"refuse"``, or ``"median"`` to fill a table's missing values with the training part's median
    fit_on : ``"train"``; ``"all"`` takes the statistics from the validation part, too. That is a **leak**, for the
        lesson that measures how much it matters

    Raises
    ------
    ValueError, TypeError
        If an argument does not suit the data, a feature is constant, or a value or target is not finite.
    """
    expect(split, Split, "What is prepared is a split: its training part alone says how.")
    preparation = _fit(split, encoding, tuple(ratios), missing, fit_on)
    x_train, notes = preparation.transform(split.x_train), list(preparation.inspect(split.x_train))
    notes += [note for note in preparation.inspect(split.x_val) if note.kind != "scaled_twice"]
    if fit_on == "all":
        notes.append(Note(kind="leak", text="The statistics are from validation data, too: a leak, made on purpose."))
    problem = split.problem
    if ratios:
        problem = dataclasses.replace(problem, input_shape=x_train.shape[1:])
    return Prepared(
        problem=problem,
        source=split.source,
        x_train=x_train,
        y_train=preparation.transform_target(split.y_train),
        x_val=preparation.transform(split.x_val),
        y_val=preparation.transform_target(split.y_val),
        preparation=preparation,
        protocol=split.protocol,
        notes=tuple(notes),
    )


def _fit(split: Split, encoding: str, ratios: tuple[Ratio, ...], missing: str, fit_on: str) -> Preparation:
    """Learn from the training part what `Preparation` needs."""
    problem = split.problem
    suitable = encodings_of(problem)
    _check_choice("encoding", encoding, ("auto", *suitable), f"The inputs of {problem.name} cannot be encoded so.")
    _check_choice("missing", missing, ("refuse", "median"), "Missing values cannot be treated so.")
    _check_choice("fit_on", fit_on, ("train", "all"), "There is no such part to take statistics from.")
    if (ratios or missing == "median") and problem.kind != "table":
        raise ValueError(
            f"Only a table has columns to make ratios of or to fill, and {problem.name} is none. "
            f"Received: ratios={ratios!r}, missing={missing!r}. Leave both out."
        )
    for part, y in (("training", split.y_train), ("validation", split.y_val)):
        check_targets(problem.read_targets(y), problem, part)
    for x in (split.x_train, split.x_val):
        check_samples(x, problem)
    x = _concatenate(split.x_train, split.x_val) if fit_on == "all" else split.x_train
    encoding = suitable[0] if encoding == "auto" else encoding
    if problem.num_words:
        idf = tuple(fit_idf(x, problem.num_words).tolist()) if encoding == "tfidf" else ()
        words = split.vocabulary[: problem.num_words]
        return Preparation(problem=problem, encoding=encoding, idf=idf, vocabulary=words)
    if problem.kind == "image":
        return _fit_images(x, Preparation(problem=problem, encoding=encoding))
    return _fit_table(x, Preparation(problem=problem, encoding=encoding, ratios=ratios), fill=missing == "median")


def _fit_images(x: np.ndarray, empty: Preparation) -> Preparation:
    """Images need no statistics to be scaled; to be normalised, one mean and one deviation of all pixels."""
    if empty.problem.pixel_max <= 0:
        raise ValueError(
            f"How bright white is must be known for images. Received: {empty.problem.name}, "
            f"pixel_max={empty.problem.pixel_max}. Give the value of a white pixel, such as 255.0."
        )
    check_pixels(x, empty.problem)
    if empty.encoding != "normalize":
        scale = 1.0 if empty.encoding == "raw" else 1 / empty.problem.pixel_max
        return dataclasses.replace(empty, input_scale=scale)
    mean, std = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
    if std == 0:
        raise ValueError(
            f"All pixels are {mean:g}, so there is nothing to see. Received: {empty.problem.name}, x_train of shape "
            f"{x.shape}. Look at the images."
        )
    return dataclasses.replace(empty, mean=(mean,), std=(std,))


def _fit_table(x: np.ndarray, empty: Preparation, *, fill: bool) -> Preparation:
    """The median of each raw column, then mean, deviation and range of each column, ratios included."""
    names = empty.problem.column_names
    check_finite(x, empty.problem, names, part="training part", allow_nan=fill)
    if fill:
        empty = dataclasses.replace(empty, median=_fit_median(x, empty.problem, names))
    full = empty.complete(x, "training part")
    check_columns(full, empty.problem, empty.columns)
    return dataclasses.replace(
        empty,
        mean=tuple(full.mean(axis=0).tolist()),
        std=tuple(full.std(axis=0).tolist()),
        low=tuple(full.min(axis=0).tolist()),
        high=tuple(full.max(axis=0).tolist()),
    )


def _fit_median(x: np.ndarray, problem: Problem, names: tuple[str, ...]) -> tuple[float, ...]:
    """Return the median of what is there of each column."""
    from sklearn.impute import SimpleImputer

    empty = np.isnan(x).all(axis=0)
    if empty.any():
        raise ValueError(
            f"{int(empty.sum())} columns have no value at all in the training part. Received: {problem.name}, columns "
            f"{', '.join(np.asarray(names)[empty])}. Drop them."
        )
    return tuple(SimpleImputer(strategy="median").fit(x.astype(np.float64)).statistics_.tolist())


def _concatenate(first: Samples, second: Samples) -> Samples:
    """Return both parts as one."""
    if not isinstance(first, Reviews):
        return np.concatenate([first, second])
    offsets = np.concatenate([first.offsets, second.offsets[1:] + first.offsets[-1]])
    return Reviews(tokens=np.concatenate([first.tokens, second.tokens]), offsets=offsets)


def _check_choice(field: str, value: str, allowed: tuple[str, ...], fact: str) -> None:
    if value not in allowed:
        raise ValueError(f"{fact} Received: {field}={value!r}. Choose from {', '.join(allowed)}.")
