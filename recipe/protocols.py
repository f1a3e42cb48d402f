"""Step 3: how to judge honestly. Parts of the training data to learn from, and parts to measure on.

The test set is not touched here: it stays sealed in the dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recipe.datasets import Dataset
from recipe.problems import Problem
from recipe.reviews import Reviews

Inputs = np.ndarray | Reviews


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Training and validation part of a dataset, raw, as they were loaded.

    Attributes
    ----------
    x_train, x_val : images uint8 (n, height, width), tables float32 (n, features), or reviews
    y_train, y_val : labels or quantities, raw, (n,) or (n, outputs)
    protocol : what made this split, for people to read
    pixel_max : the value of a white pixel, 0.0 where there are no pixels
    """

    problem: Problem
    source: str
    x_train: Inputs
    y_train: np.ndarray
    x_val: Inputs
    y_val: np.ndarray
    protocol: str
    pixel_max: float = 0.0


def hold_out(dataset: Dataset, *, fraction: float = 0.2, seed: int = 0, stratify: bool = True) -> Split:
    """Keep a random part of the training data for validation.

    Parameters
    ----------
    fraction : part of the training samples that validation gets, in (0, 1)
    seed : fixes which samples
    stratify : keep the share of each class the same in both parts, where the target is one label a sample

    Raises
    ------
    ValueError
        If the fraction is not between 0 and 1, or leaves a part without samples.
    """
    from sklearn.model_selection import train_test_split

    samples = len(dataset.y_train)
    held_out = round(fraction * samples) if 0 < fraction < 1 else 0
    if not 0 < held_out < samples:
        raise ValueError(
            f"Of {samples} samples both parts need at least one. Received: fraction={fraction!r}. "
            "Give a number between 0 and 1, such as 0.2."
        )
    labels = _strata(dataset, least=2) if stratify else None
    train, val = train_test_split(np.arange(samples), test_size=held_out, random_state=seed, stratify=labels)
    return take_split(dataset, train, val, protocol=f"hold-out, {held_out:,} of {samples:,} samples for validation")


def k_fold(dataset: Dataset, *, folds: int = 4, repeats: int = 1, seed: int = 0) -> tuple[Split, ...]:
    """Cut the training data into folds, each of them the validation part once; with repeats, shuffled anew each time.

    Returns
    -------
    tuple of Split, ``folds * repeats`` long; the folds of one repetition stand together.

    Raises
    ------
    ValueError
        If there are fewer than two folds, fewer samples than folds, or no repetition.
    """
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    samples = len(dataset.y_train)
    if not 2 <= folds <= samples:
        raise ValueError(
            f"The training set has {samples} samples, and folds must be between 2 and that. Received: folds={folds}. "
            f"Ask for {min(samples, 4)} folds."
        )
    if repeats < 1:
        raise ValueError(
            f"There is nothing to do in {repeats} repetitions. Received: repeats={repeats}. Give 1 or more."
        )
    labels = _strata(dataset, least=folds)
    splitter = RepeatedKFold if labels is None else RepeatedStratifiedKFold
    parts = splitter(n_splits=folds, n_repeats=repeats, random_state=seed).split(np.arange(samples), labels)
    return tuple(
        take_split(
            dataset, train, val, protocol=f"fold {number % folds + 1} of {folds}, repetition {number // folds + 1}"
        )
        for number, (train, val) in enumerate(parts)
    )


def take_split(dataset: Dataset, train: Sequence[int], val: Sequence[int], *, protocol: str) -> Split:
    """Make a split from the indices of its two parts.

    Raises
    ------
    ValueError
        If a sample stands in both parts: the score would be flattered.
    """
    if shared := len(np.intersect1d(train, val)):
        raise ValueError(
            f"{shared} samples stand in both parts. Received: protocol={protocol!r}. Give indices without overlap."
        )
    return Split(
        problem=dataset.problem,
        source=dataset.source,
        x_train=dataset.x_train[train],
        y_train=dataset.y_train[train],
        x_val=dataset.x_train[val],
        y_val=dataset.y_train[val],
        protocol=protocol,
        pixel_max=dataset.pixel_max,
    )


def _strata(dataset: Dataset, *, least: int) -> np.ndarray | None:
    """Return the labels to stratify by, or None where a target is no single label or a class is too small for it."""
    y = dataset.y_train
    if not dataset.problem.type.is_classification or y.ndim > 1 or np.bincount(y)[np.unique(y)].min() < least:
        return None
    return y
