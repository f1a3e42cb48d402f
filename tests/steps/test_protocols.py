"""Splits against scikit-learn's own splitters: every sample in one part, none in both, no group and no time torn."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from recipe.core.problem import ProblemType
from recipe.data.load import load
from recipe.data.problems import PROBLEMS, find_problem
from recipe.steps.s3_protocol import (
    hold_out,
    hold_out_latest,
    k_fold,
    standard_error,
    take_split,
    time_folds,
)


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


GROUPS = np.arange(120) // 5  # 24 groups of 5


def test_hold_out_leaves_each_group_whole_and_takes_the_groups_of_scikit_learn():
    split = hold_out(numbered("housing"), test_size=0.25, groups=GROUPS, seed=3)
    train, val = numbers(split.x_train), numbers(split.x_val)
    assert set(GROUPS[train]) & set(GROUPS[val]) == set()
    assert len(val) == 30
    expected = next(GroupShuffleSplit(1, test_size=6, random_state=3).split(np.zeros(120), groups=GROUPS))[1]
    np.testing.assert_array_equal(val, expected)


@pytest.mark.parametrize("name", ["housing", "mnist"])
def test_k_fold_leaves_each_group_whole_and_judges_every_sample_once_a_repetition(name):
    splits = k_fold(numbered(name), folds=4, repeats=2, groups=GROUPS)
    assert len(splits) == 8
    for repetition in (splits[:4], splits[4:]):
        judged = np.concatenate([numbers(split.x_val) for split in repetition])
        np.testing.assert_array_equal(np.sort(judged), np.arange(120))
        for split in repetition:
            assert set(GROUPS[numbers(split.x_train)]) & set(GROUPS[numbers(split.x_val)]) == set()
    assert set(numbers(splits[0].x_val)) != set(numbers(splits[4].x_val))


def test_k_fold_with_groups_keeps_the_shares_of_the_classes():
    dataset = numbered("mnist", samples=240)
    y = np.repeat([0, 0, 0, 1], 60).astype(np.uint8)
    dataset = dataclasses.replace(dataset, y_train=y)
    for split in k_fold(dataset, folds=4, groups=np.arange(240) // 5):
        assert split.y_val.mean() == pytest.approx(0.25, abs=0.05)


def test_k_fold_refuses_more_folds_than_groups():
    message = "The training set has 3 groups, and folds must be between 2 and that. Received: folds=4. Ask for 3 folds."
    with pytest.raises(ValueError, match=re.escape(message)):
        k_fold(numbered("housing"), folds=4, groups=np.arange(120) % 3)


@pytest.mark.parametrize("call", [hold_out, k_fold])
def test_groups_of_another_length_are_refused(call):
    with pytest.raises(ValueError, match=r"one entry of groups for each of the 120 training samples\. .* shape \(7,\)"):
        call(numbered("housing"), groups=np.arange(7))


def test_hold_out_refuses_a_test_size_that_leaves_no_group():
    with pytest.raises(ValueError, match=r"Of 2 groups both parts need at least one\. Received: test_size=0\.1"):
        hold_out(numbered("housing"), test_size=0.1, groups=np.arange(120) % 2)


def test_hold_out_latest_is_judged_on_the_latest_alone():
    times = np.random.default_rng(0).permutation(120)
    split = hold_out_latest(numbered("housing"), times, test_size=0.25)
    assert times[numbers(split.x_train)].max() < times[numbers(split.x_val)].min()
    assert len(split.x_val) == 30
    assert split.protocol == "hold-out in time, the latest 30 of 120"


def test_hold_out_latest_keeps_samples_of_one_time_together():
    times = np.repeat(np.array(["2024-01", "2024-02", "2024-03"], "datetime64[M]"), 40)
    split = hold_out_latest(numbered("housing"), times, test_size=0.1)
    assert sorted(numbers(split.x_val)) == list(range(80, 120))


@pytest.mark.parametrize("test_size", [0.0, 1.0, 0.001])
def test_hold_out_latest_refuses_a_test_size_that_leaves_a_part_empty(test_size):
    with pytest.raises(ValueError, match=rf"Of 120 samples both parts need at least one\. Received: .*={test_size}"):
        hold_out_latest(numbered("housing"), np.arange(120), test_size=test_size)


def test_hold_out_latest_refuses_times_that_cannot_be_cut():
    with pytest.raises(ValueError, match=r"No sample is older than the cut\. Received: times, 7 at the earliest"):
        hold_out_latest(numbered("housing"), np.full(120, 7))


def test_time_folds_learn_from_the_past_as_scikit_learn_cuts_it():
    times = np.random.default_rng(1).permutation(120)
    order = np.argsort(times)
    splits = time_folds(numbered("housing"), times, folds=3)
    for split, (train, val) in zip(splits, TimeSeriesSplit(3).split(order), strict=True):
        np.testing.assert_array_equal(numbers(split.x_train), order[train])
        np.testing.assert_array_equal(numbers(split.x_val), order[val])
        assert times[numbers(split.x_train)].max() < times[numbers(split.x_val)].min()


@pytest.mark.parametrize("folds", [1, 120])
def test_time_folds_refuse_too_few_and_too_many(folds):
    with pytest.raises(ValueError, match=rf"120 samples can be cut into 2 to 119 folds .* folds={folds}\."):
        time_folds(numbered("housing"), np.arange(120), folds=folds)


@pytest.mark.parametrize("call", [hold_out_latest, time_folds])
def test_times_of_another_length_are_refused(call):
    with pytest.raises(ValueError, match=r"one entry of times for each of the 120 training samples\. .* shape \(2,\)"):
        call(numbered("housing"), np.arange(2))


def test_standard_error_is_the_spread_of_simulated_accuracies():
    accuracies = np.random.default_rng(0).binomial(400, 0.8, 20_000) / 400
    assert standard_error(0.8, 400) == pytest.approx(accuracies.std(), rel=0.02)


@pytest.mark.parametrize(("accuracy", "samples"), [(1.1, 10), (-0.1, 10), (0.5, 0)])
def test_standard_error_refuses_what_is_no_accuracy(accuracy, samples):
    with pytest.raises(ValueError, match=re.escape(f"Received: accuracy={accuracy}, samples={samples}.")):
        standard_error(accuracy, samples)
