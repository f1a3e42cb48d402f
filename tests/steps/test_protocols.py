"""Splits against scikit-learn's own splitters: every sample in one part, none in both, and no time torn."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.model_selection import (
    RepeatedKFold,
    RepeatedStratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from recipe.core.problem import ProblemType
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.steps.s3_protocol import hold_out, k_fold, take_split, time_folds


def numbered(name, samples=120, y=None):
    """A dataset of whose samples each holds its own number, so that a split shows which it took."""
    full = load(name, source="sample")
    if y is None:
        y = full.y_train[:samples]
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return dataclasses.replace(full, x_train=x, y_train=np.asarray(y))


def numbers(part):
    return part[:, 0].astype(int)


@pytest.mark.parametrize("name", ["mnist", "imdb", "housing", "mnist_multilabel"])
def test_hold_out_takes_what_scikit_learn_takes(name):
    dataset = numbered(name)
    split = hold_out(dataset, test_size=0.25, seed=3)
    one_label = dataset.problem.type in {ProblemType.BINARY, ProblemType.MULTICLASS}
    train, val = train_test_split(
        np.arange(120), test_size=30, random_state=3, stratify=dataset.y_train if one_label else None
    )
    np.testing.assert_array_equal(numbers(split.x_train), train)
    np.testing.assert_array_equal(numbers(split.x_val), val)
    np.testing.assert_array_equal(split.y_train, dataset.y_train[train])
    np.testing.assert_array_equal(split.y_val, dataset.y_train[val])
    assert split.protocol == "hold-out, 30 of 120 samples for validation"


@pytest.mark.parametrize(
    ("y", "test_size"),
    [
        ([0] * 19 + [1], 0.2),  # one sample alone of its class cannot stand in both parts
        (list(range(10)) * 2, 0.2),  # four places for ten classes
        (list(range(10)) * 2, 0.8),
    ],
)
def test_hold_out_does_not_stratify_where_classes_are_too_small(y, test_size):
    dataset = numbered("mnist", y=np.array(y, np.uint8))
    split = hold_out(dataset, test_size=test_size)
    _, val = train_test_split(np.arange(20), test_size=test_size, random_state=0)
    np.testing.assert_array_equal(numbers(split.x_val), val)


@pytest.mark.parametrize("name", ["mnist", "imdb", "housing", "mnist_multilabel"])
def test_k_fold_takes_what_scikit_learn_takes(name):
    dataset, folds, repeats = numbered(name, samples=203), 5, 3
    one_label = dataset.problem.type in {ProblemType.BINARY, ProblemType.MULTICLASS}
    reference = RepeatedStratifiedKFold if one_label else RepeatedKFold
    parts = reference(n_splits=folds, n_repeats=repeats, random_state=5).split(np.arange(203), dataset.y_train)
    splits = k_fold(dataset, folds=folds, repeats=repeats, seed=5)
    assert len(splits) == folds * repeats
    for split, (train, val) in zip(splits, parts, strict=True):
        np.testing.assert_array_equal(numbers(split.x_train), train)
        np.testing.assert_array_equal(numbers(split.x_val), val)
        np.testing.assert_array_equal(split.y_val, dataset.y_train[val])
    assert splits[-1].protocol == f"fold {folds} of {folds}, repetition {repeats}"


def test_k_fold_does_not_stratify_where_a_class_has_fewer_samples_than_folds():
    dataset = numbered("imdb", y=np.array([0] * 18 + [1] * 2, np.uint8))
    parts = RepeatedKFold(n_splits=4, n_repeats=1, random_state=0).split(np.arange(20))
    for split, (_, val) in zip(k_fold(dataset, folds=4), parts, strict=True):
        np.testing.assert_array_equal(numbers(split.x_val), val)


@pytest.mark.parametrize(
    ("cut", "options"),
    [
        *((hold_out, {"test_size": size}) for size in (0, 1, -0.2, float("nan"), 0.001, 24)),
        *((k_fold, {"folds": folds}) for folds in (1, 121)),
        (k_fold, {"repeats": 0}),
        (time_folds, {"times": np.arange(2)}),
        *((time_folds, {"times": np.arange(120), "folds": folds}) for folds in (1, 120)),
    ],
)
def test_cutting_refuses_what_leaves_a_part_empty_or_does_not_fit(cut, options):
    with pytest.raises(ValueError, match=r"test_size|n_splits|folds|repetitions|inconsistent|NaN"):
        cut(numbered("housing"), **options)


def test_take_split_takes_reviews_in_the_order_asked_for():
    dataset = load("imdb", source="sample", rows=100)
    split = take_split(dataset, [3, 1], [2], protocol="by hand")
    assert [text.tolist() for text in split.x_train] == [dataset.x_train[row].tolist() for row in (3, 1)]
    assert [text.tolist() for text in split.x_val] == [dataset.x_train[2].tolist()]
    assert split.y_train.tolist() == dataset.y_train[[3, 1]].tolist()
    assert split.problem == dataset.problem != find_problem("imdb")  # the sample has a vocabulary of its own
    assert (split.source, split.vocabulary, dataset.test.looks) == ("sample", dataset.vocabulary, 0)


def test_take_split_refuses_a_sample_in_both_parts():
    message = "2 samples stand in both parts. Received: protocol='by hand'. Give indices without overlap."
    with pytest.raises(ValueError, match=re.escape(message)):
        take_split(numbered("housing"), [1, 2, 3], [3, 2], protocol="by hand")


def test_time_folds_learn_from_the_past_as_scikit_learn_cuts_it():
    times = np.random.default_rng(1).permutation(120)
    order = np.argsort(times)
    splits = time_folds(numbered("housing"), times, folds=3)
    for split, (train, val) in zip(splits, TimeSeriesSplit(3).split(order), strict=True):
        np.testing.assert_array_equal(numbers(split.x_train), order[train])
        np.testing.assert_array_equal(numbers(split.x_val), order[val])
        assert times[numbers(split.x_train)].max() < times[numbers(split.x_val)].min()
