"""Splits against scikit-learn's own splitters: every sample in one part, none in both, no group and no time torn."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.model_selection import (
    GroupShuffleSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
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


def test_hold_out_carries_over_what_belongs_to_the_dataset_and_leaves_the_test_set_sealed():
    dataset = load("imdb", source="sample", rows=400)
    split = hold_out(dataset)
    assert (split.problem, split.source, split.vocabulary) == (dataset.problem, "sample", dataset.vocabulary)
    assert dataset.test.looks == 0


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
    assert splits[-1].protocol == f"fold {folds} of {folds}, repetition {repeats}"


def test_k_fold_does_not_stratify_where_a_class_has_fewer_samples_than_folds():
    dataset = numbered("imdb", y=np.array([0] * 18 + [1] * 2, np.uint8))
    parts = RepeatedKFold(n_splits=4, n_repeats=1, random_state=0).split(np.arange(20))
    for split, (_, val) in zip(k_fold(dataset, folds=4), parts, strict=True):
        np.testing.assert_array_equal(numbers(split.x_val), val)


@pytest.mark.parametrize(
    ("cut", "options", "message"),
    [
        *(
            (
                hold_out,
                {"test_size": size},
                f"Of 120 samples both parts need at least one. Received: test_size={size!r}. Give",
            )
            for size in (0, 1, 1.5, -0.2, float("nan"), 0.001, 0.999, 24)
        ),
        *(
            (
                k_fold,
                {"folds": folds},
                f"has 120 samples, and folds must be between 2 and that. Received: folds={folds}.",
            )
            for folds in (1, 0, -4, 121)
        ),
        (k_fold, {"repeats": 0}, "Received: repeats=0. Give 1 or more."),
        (
            k_fold,
            {"groups": np.arange(120) % 3},
            "has 3 groups, and folds must be between 2 and that. Received: folds=4.",
        ),
        (
            hold_out,
            {"groups": np.arange(120) % 2, "test_size": 0.1},
            "Of 2 groups both parts need at least one. Received: tes",
        ),
        (hold_out, {"groups": np.arange(7)}, "one entry of groups for each of the 120 training samples."),
        (k_fold, {"groups": np.arange(7)}, "one entry of groups for each of the 120 training samples."),
        (hold_out_latest, {"times": np.arange(2)}, "one entry of times for each of the 120 training samples."),
        (
            hold_out_latest,
            {"times": np.arange(120), "test_size": 0.001},
            "Of 120 samples both parts need at least one.",
        ),
        (
            hold_out_latest,
            {"times": np.full(120, 7)},
            "No sample is older than the cut. Received: times, 7 at the earliest",
        ),
        (time_folds, {"times": np.arange(2)}, "one entry of times for each of the 120 training samples."),
        (time_folds, {"times": np.arange(120), "folds": 1}, "120 samples can be cut into 2 to 119 folds along time."),
        (time_folds, {"times": np.arange(120), "folds": 120}, "120 samples can be cut into 2 to 119 folds along time."),
    ],
)
def test_cutting_refuses_what_leaves_a_part_empty_or_does_not_fit(cut, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        cut(numbered("housing"), **options)


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


def test_time_folds_learn_from_the_past_as_scikit_learn_cuts_it():
    times = np.random.default_rng(1).permutation(120)
    order = np.argsort(times)
    splits = time_folds(numbered("housing"), times, folds=3)
    for split, (train, val) in zip(splits, TimeSeriesSplit(3).split(order), strict=True):
        np.testing.assert_array_equal(numbers(split.x_train), order[train])
        np.testing.assert_array_equal(numbers(split.x_val), order[val])
        assert times[numbers(split.x_train)].max() < times[numbers(split.x_val)].min()


def test_standard_error_is_the_spread_of_simulated_accuracies():
    accuracies = np.random.default_rng(0).binomial(400, 0.8, 20_000) / 400
    assert standard_error(0.8, 400) == pytest.approx(accuracies.std(), rel=0.02)


@pytest.mark.parametrize(("accuracy", "samples"), [(1.1, 10), (-0.1, 10), (0.5, 0)])
def test_standard_error_refuses_what_is_no_accuracy(accuracy, samples):
    with pytest.raises(ValueError, match=re.escape(f"Received: accuracy={accuracy}, samples={samples}.")):
        standard_error(accuracy, samples)
