"""Step 3: how to judge honestly. Parts of the training data to learn from, and parts to measure on.

Hold-out while its validation part is large enough; K-fold when it is not, since then every sample is judged on once;
iterated K-fold when even all samples together are few (F. Chollet, Deep Learning with Python). Large enough is what
makes the standard error of the score as small as wanted. The test set is not touched here: it stays sealed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import expect

CUT = "What is cut into parts is a dataset, before it is prepared: load, then hold_out or k_fold, then prepare."


def hold_out(dataset: Dataset, *, test_size: float = 0.2, seed: int = 0) -> Split:
    """Keep a random part of the training data for validation, with the share of each class the same in both parts.

    Samples that belong together, such as a patient's, are kept so by scikit-learn's splitters for groups: `take_split`
    makes a split of the indices that they give.

    Parameters
    ----------
    test_size : part of the training samples that validation gets, in (0, 1)
    seed : fixes which samples

    Raises
    ------
    ValueError
        If the test size leaves a part without samples: scikit-learn's own.
    """
    from sklearn.model_selection import train_test_split  # scikit-learn takes a second: a panel is there before

    expect(dataset, Dataset, CUT)
    rows = np.arange(len(dataset.y_train))
    held_out = round(test_size * len(rows))
    try:
        train, val = train_test_split(rows, test_size=held_out, random_state=seed, stratify=_strata(dataset))
    except ValueError:  # there are too few samples for each part to have each class
        train, val = train_test_split(rows, test_size=held_out, random_state=seed)
    return take_split(dataset, train, val, protocol=f"hold-out, {len(val):,} of {len(rows):,} samples for validation")


def k_fold(dataset: Dataset, *, folds: int = 4, repeats: int = 1, seed: int = 0) -> tuple[Split, ...]:
    """Cut the training data into folds, each of them the validation part once; with repeats, shuffled anew each time.

    Parameters
    ----------
    folds : parts to cut into, 2 or more
    repeats : times to do it; more than one is iterated K-fold
    seed : fixes which sample falls into which fold

    Returns
    -------
    tuple of Split, ``folds * repeats`` long; the folds of one repetition stand together. The share of each class is
    the same in every fold, where the target is one label a sample.

    Raises
    ------
    ValueError
        If there are fewer than two folds, or fewer samples than folds: scikit-learn's own.
    """
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    expect(dataset, Dataset, CUT)
    labels = _strata(dataset, least=folds)
    splitter = RepeatedKFold if labels is None else RepeatedStratifiedKFold
    cuts = splitter(n_splits=folds, n_repeats=repeats, random_state=seed).split(dataset.y_train, labels)
    names = [f"fold {fold + 1} of {folds}, repetition {turn + 1}" for turn in range(repeats) for fold in range(folds)]
    return tuple(take_split(dataset, train, val, protocol=name) for name, (train, val) in zip(names, cuts, strict=True))


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
        If there are fewer than two folds, or too few samples or times for them: scikit-learn's own.
    """
    from sklearn.model_selection import TimeSeriesSplit
    from sklearn.utils import check_consistent_length

    expect(dataset, Dataset, CUT)
    check_consistent_length(times, dataset.y_train)
    order = np.argsort(times, kind="stable")
    return tuple(
        take_split(dataset, order[train], order[val], protocol=f"fold {number + 1} of {folds} in time order")
        for number, (train, val) in enumerate(TimeSeriesSplit(n_splits=folds).split(order))
    )


def take_split(
    dataset: Dataset, train: Sequence[int], val: Sequence[int], *, protocol: str, may_share: bool = False
) -> Split:
    """Make a split from the indices of its two parts.

    Raises
    ------
    ValueError
        If a sample stands in both parts: the score would be flattered. `may_share` is for curves that no score is of.
    """
    if not may_share and (shared := len(np.intersect1d(train, val))):
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


def _strata(dataset: Dataset, *, least: int = 2) -> np.ndarray | None:
    """Return the labels to stratify by, or None where a target is no single label or a class is too small for it."""
    y = dataset.y_train
    if not dataset.problem.type.is_classification or y.ndim > 1 or np.unique(y, return_counts=True)[1].min() < least:
        return None
    return y
