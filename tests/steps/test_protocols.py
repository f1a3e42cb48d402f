"""Splits against scikit-learn's own splitters; every sample in one part, none in both."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.model_selection import KFold, RepeatedKFold, RepeatedStratifiedKFold, StratifiedKFold, train_test_split

from recipe.core.problem import ProblemType
from recipe.data.load import load
from recipe.data.problems import PROBLEMS, find_problem
from recipe.steps.s3_protocol import hold_out, k_fold, take_split


def numbered(name, samples=120, y=None):
    """A dataset of whose samples each holds its own number, so that a split shows which it took."""
    full = load(name, source="sample")
    if y is None:
        y = full.y_train[:samples]
    x = np.arange(len(y), dtype=np.float32)[:, None]
    return dataclasses.replace(full, x_train=x, y_train=np.asarray(y))


def numbers(part):
    return part[:, 0].astype(int)


@pytest.mark.parametrize("name", PROBLEMS)
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


@pytest.mark.parametrize("name", PROBLEMS)
def test_hold_out_shares_out_every_sample_once(name):
    dataset = load(name, source="sample", rows=400)
    split = hold_out(dataset, test_size=0.2)
    samples = len(dataset.y_train)
    assert (len(split.x_val), len(split.x_train)) == (round(0.2 * samples), samples - round(0.2 * samples))
    assert (len(split.y_val), len(split.y_train)) == (len(split.x_val), len(split.x_train))
    assert (split.problem, split.source, split.vocabulary) == (dataset.problem, "sample", dataset.vocabulary)
    marked = numbered(name, y=dataset.y_train)
    taken = hold_out(marked, test_size=0.2)
    both = np.concatenate([numbers(taken.x_train), numbers(taken.x_val)])
    np.testing.assert_array_equal(np.sort(both), np.arange(samples))
    np.testing.assert_array_equal(taken.y_val, split.y_val)
    assert dataset.test.looks == 0


@pytest.mark.parametrize("name", ["mnist", "imdb", "mnist_five"])
def test_hold_out_keeps_the_share_of_each_class(name):
    split = hold_out(load(name, source="sample"), test_size=0.2)
    classes = np.unique(split.y_train)
    shares = [[np.mean(y == label) for label in classes] for y in (split.y_train, split.y_val)]
    np.testing.assert_allclose(*shares, atol=1 / len(split.y_val))


def test_hold_out_without_stratification_draws_from_all_alike():
    dataset = numbered("mnist")
    train, val = train_test_split(np.arange(120), test_size=24, random_state=0)
    split = hold_out(dataset, stratify=False)
    np.testing.assert_array_equal(numbers(split.x_val), val)
    np.testing.assert_array_equal(numbers(split.x_train), train)


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


def test_hold_out_is_fixed_by_its_seed():
    dataset = numbered("housing")
    first, again, other = (numbers(hold_out(dataset, seed=seed).x_val) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("test_size", [0, 1, 1.5, -0.2, float("nan"), 0.001, 0.999, 24])
def test_hold_out_refuses_a_test_size_that_leaves_a_part_empty(test_size):
    message = (
        f"Of 120 samples both parts need at least one. Received: test_size={test_size!r}. "
        "Give a number between 0 and 1, such as 0.2."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        hold_out(numbered("housing"), test_size=test_size)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize(("folds", "repeats"), [(4, 1), (5, 3)])
def test_k_fold_takes_what_scikit_learn_takes(name, folds, repeats):
    dataset = numbered(name, samples=203)
    one_label = dataset.problem.type in {ProblemType.BINARY, ProblemType.MULTICLASS}
    reference = RepeatedStratifiedKFold if one_label else RepeatedKFold
    parts = reference(n_splits=folds, n_repeats=repeats, random_state=5).split(np.arange(203), dataset.y_train)
    splits = k_fold(dataset, folds=folds, repeats=repeats, seed=5)
    assert len(splits) == folds * repeats
    for split, (train, val) in zip(splits, parts, strict=True):
        np.testing.assert_array_equal(numbers(split.x_train), train)
        np.testing.assert_array_equal(numbers(split.x_val), val)
        np.testing.assert_array_equal(split.y_val, dataset.y_train[val])


def test_k_fold_shuffles_each_repetition_anew_and_validates_every_sample_once_in_each():
    splits = k_fold(numbered("housing", samples=50), folds=5, repeats=2)
    repetitions = [np.concatenate([numbers(split.x_val) for split in splits[start : start + 5]]) for start in (0, 5)]
    for order in repetitions:
        np.testing.assert_array_equal(np.sort(order), np.arange(50))
    assert set(numbers(splits[0].x_val)) != set(numbers(splits[5].x_val))
    assert [split.protocol for split in splits][:1] + [split.protocol for split in splits][-1:] == [
        "fold 1 of 5, repetition 1",
        "fold 5 of 5, repetition 2",
    ]


@pytest.mark.parametrize(("name", "plain"), [("housing", KFold), ("mnist", StratifiedKFold)])
def test_k_fold_once_has_the_sizes_of_a_plain_k_fold(name, plain):
    dataset = numbered(name, samples=203)
    sizes = [len(val) for _, val in plain(4, shuffle=True, random_state=0).split(np.arange(203), dataset.y_train)]
    assert sorted(len(split.x_val) for split in k_fold(dataset, folds=4)) == sorted(sizes)


def test_k_fold_does_not_stratify_where_a_class_has_fewer_samples_than_folds():
    dataset = numbered("imdb", y=np.array([0] * 18 + [1] * 2, np.uint8))
    parts = RepeatedKFold(n_splits=4, n_repeats=1, random_state=0).split(np.arange(20))
    for split, (_, val) in zip(k_fold(dataset, folds=4), parts, strict=True):
        np.testing.assert_array_equal(numbers(split.x_val), val)


def test_k_fold_is_fixed_by_its_seed():
    dataset = numbered("mnist")
    first, again, other = ([numbers(s.x_val).tolist() for s in k_fold(dataset, seed=seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("folds", [1, 0, -4, 121])
def test_k_fold_refuses_fewer_than_two_folds_or_more_than_samples(folds):
    message = f"The training set has 120 samples, and folds must be between 2 and that. Received: folds={folds}."
    with pytest.raises(ValueError, match=re.escape(message)):
        k_fold(numbered("housing"), folds=folds)


@pytest.mark.parametrize("repeats", [0, -1])
def test_k_fold_refuses_no_repetition(repeats):
    with pytest.raises(ValueError, match=re.escape(f"Received: repeats={repeats}. Give 1 or more.")):
        k_fold(numbered("housing"), repeats=repeats)


def test_take_split_takes_reviews_in_the_order_asked_for():
    dataset = load("imdb", source="sample", rows=100)
    split = take_split(dataset, [3, 1], [2], protocol="by hand")
    assert [text.tolist() for text in split.x_train] == [dataset.x_train[row].tolist() for row in (3, 1)]
    assert [text.tolist() for text in split.x_val] == [dataset.x_train[2].tolist()]
    assert split.y_train.tolist() == dataset.y_train[[3, 1]].tolist()
    assert split.problem == dataset.problem != find_problem("imdb")  # the sample has a vocabulary of its own


def test_take_split_refuses_a_sample_in_both_parts():
    message = "2 samples stand in both parts. Received: protocol='by hand'. Give indices without overlap."
    with pytest.raises(ValueError, match=re.escape(message)):
        take_split(numbered("housing"), [1, 2, 3], [3, 2], protocol="by hand")
