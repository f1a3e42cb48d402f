"""Step 3: how to judge honestly. Parts of the training data to learn from, and parts to measure on.

The test set is not touched here: it stays sealed in the dataset.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.expect import expect

CUT = "What is cut into parts is a dataset, before it is prepared: load, then hold_out or k_fold, then prepare."


def hold_out(
    dataset: Dataset,
    *,
    test_size: float = 0.2,
    seed: int = 0,
    stratify: bool = True,
    groups: np.ndarray | None = None,
) -> Split:
    """Keep a random part of the training data for validation.

    Parameters
    ----------
    test_size : part of the training samples that validation gets, in (0, 1); with groups, part of the groups
    seed : fixes which samples
    stratify : keep the share of each class the same in both parts, where the target is one label a sample
    groups : of shape (n,), which group a sample belongs to; a group stands whole in one part, and is not stratified

    Raises
    ------
    ValueError
        If the test size is not between 0 and 1, or leaves a part without samples.
    """
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    expect(dataset, Dataset, CUT)
    samples = len(dataset.y_train)
    parts = samples if groups is None else _count_groups(groups, samples)
    held_out = round(test_size * parts) if 0 < test_size < 1 else 0
    if not 0 < held_out < parts:
        raise ValueError(
            f"Of {parts} {'samples' if groups is None else 'groups'} both parts need at least one. "
            f"Received: test_size={test_size!r}. Give a number between 0 and 1, such as 0.2."
        )
    rows = np.arange(samples)
    if groups is None:
        labels = _strata(dataset, least=2) if stratify else None
        if labels is not None and min(held_out, samples - held_out) < len(np.unique(labels)):
            labels = None  # a part smaller than the number of classes cannot have each of them
        train, val = train_test_split(rows, test_size=held_out, random_state=seed, stratify=labels)
    else:
        train, val = next(GroupShuffleSplit(1, test_size=held_out, random_state=seed).split(rows, groups=groups))
    return take_split(dataset, train, val, protocol=f"hold-out, {len(val):,} of {samples:,} samples for validation")


def k_fold(
    dataset: Dataset, *, folds: int = 4, repeats: int = 1, seed: int = 0, groups: np.ndarray | None = None
) -> tuple[Split, ...]:
    """Cut the training data into folds, each of them the validation part once; with repeats, shuffled anew each time.

    Parameters
    ----------
    folds : parts to cut into, 2 or more
    repeats : times to do it; more than one is iterated K-fold
    seed : fixes which sample falls into which fold
    groups : of shape (n,), which group a sample belongs to; a group stands whole in one fold

    Returns
    -------
    tuple of Split, ``folds * repeats`` long; the folds of one repetition stand together. The share of each class is
    the same in every fold, where the target is one label a sample.

    Raises
    ------
    ValueError
        If there are fewer than two folds, fewer samples or groups than folds, or no repetition.
    """
    expect(dataset, Dataset, CUT)
    samples = len(dataset.y_train)
    parts = samples if groups is None else _count_groups(groups, samples)
    if not 2 <= folds <= parts:
        of = f"{samples} samples" if groups is None else f"{parts} groups"
        raise ValueError(
            f"The training set has {of}, and folds must be between 2 and that. Received: folds={folds}. "
            f"Ask for {min(parts, 4)} folds."
        )
    if repeats < 1:
        raise ValueError(
            f"There is nothing to do in {repeats} repetitions. Received: repeats={repeats}. Give 1 or more."
        )
    labels = _strata(dataset, least=folds)
    splitters = _fold_splitters(folds, repeats, seed, stratify=labels is not None, grouped=groups is not None)
    cuts = [cut for splitter in splitters for cut in splitter.split(np.arange(samples), labels, groups)]
    return tuple(
        take_split(
            dataset, train, val, protocol=f"fold {number % folds + 1} of {folds}, repetition {number // folds + 1}"
        )
        for number, (train, val) in enumerate(cuts)
    )


def hold_out_latest(dataset: Dataset, times: np.ndarray, *, test_size: float = 0.2) -> Split:
    """Keep the latest part of the training data for validation: learn from the past, be judged on the future.

    Parameters
    ----------
    times : of shape (n,), when each sample was taken; anything that can be sorted
    test_size : part of the training samples that validation gets, in (0, 1)

    Raises
    ------
    ValueError
        If the test size leaves a part without samples, or all samples of the cut have the same time.
    """
    expect(dataset, Dataset, CUT)
    times = _checked_times(times, len(dataset.y_train))
    held_out = round(test_size * len(times)) if 0 < test_size < 1 else 0
    if not 0 < held_out < len(times):
        raise ValueError(
            f"Of {len(times)} samples both parts need at least one. Received: test_size={test_size!r}. "
            "Give a number between 0 and 1, such as 0.2."
        )
    cut = np.sort(times, kind="stable")[-held_out]
    if not (times < cut).any():
        raise ValueError(f"No sample is older than the cut. Received: times, {cut} at the earliest. Take a finer time.")
    # Samples of one time stand on one side: those at the cut are judged on.
    train, val = np.flatnonzero(times < cut), np.flatnonzero(times >= cut)
    return take_split(dataset, train, val, protocol=f"hold-out in time, the latest {len(val):,} of {len(times):,}")


def time_folds(dataset: Dataset, times: np.ndarray, *, folds: int = 4) -> tuple[Split, ...]:
    """Cut the training data along time; each fold is validated on what comes after all that it was trained on.

    Parameters
    ----------
    times : of shape (n,), when each sample was taken; samples of the same time keep their order

    Returns
    -------
    tuple of Split, `folds` long, the training part growing from one to the next

    Raises
    ------
    ValueError
        If there are fewer than two folds, or too few samples for them.
    """
    from sklearn.model_selection import TimeSeriesSplit

    expect(dataset, Dataset, CUT)
    times = _checked_times(times, len(dataset.y_train))
    if not 2 <= folds < len(times):
        raise ValueError(
            f"{len(times)} samples can be cut into 2 to {len(times) - 1} folds along time. Received: folds={folds}. "
            "Ask for 4."
        )
    order = np.argsort(times, kind="stable")
    return tuple(
        take_split(dataset, order[train], order[val], protocol=f"fold {number + 1} of {folds} in time order")
        for number, (train, val) in enumerate(TimeSeriesSplit(n_splits=folds).split(order))
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
        vocabulary=dataset.vocabulary,
    )


def _strata(dataset: Dataset, *, least: int) -> np.ndarray | None:
    """Return the labels to stratify by, or None where a target is no single label or a class is too small for it."""
    y = dataset.y_train
    if not dataset.problem.type.is_classification or y.ndim > 1 or np.unique(y, return_counts=True)[1].min() < least:
        return None
    return y


def _fold_splitters(folds: int, repeats: int, seed: int, *, stratify: bool, grouped: bool) -> list:
    """Return scikit-learn's splitters, to be gone through in turn."""
    from sklearn import model_selection as sk

    if not grouped:
        splitter = sk.RepeatedStratifiedKFold if stratify else sk.RepeatedKFold
        return [splitter(n_splits=folds, n_repeats=repeats, random_state=seed)]
    splitter = sk.StratifiedGroupKFold if stratify else sk.GroupKFold
    return [splitter(n_splits=folds, shuffle=True, random_state=seed + turn) for turn in range(repeats)]


def _count_groups(groups: np.ndarray, samples: int) -> int:
    if np.shape(groups) != (samples,):
        raise ValueError(
            f"Each of the {samples} training samples belongs to one group. Received: groups of shape "
            f"{np.shape(groups)}. Give one name or number a sample."
        )
    return len(np.unique(groups))


def _checked_times(times: np.ndarray, samples: int) -> np.ndarray:
    if np.shape(times) != (samples,):
        raise ValueError(
            f"Each of the {samples} training samples has one time. Received: times of shape {np.shape(times)}. "
            "Give one a sample."
        )
    return np.asarray(times)
