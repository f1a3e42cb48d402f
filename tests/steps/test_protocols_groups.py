"""Groups and time in the splits: nothing of a group on both sides, nothing of the future to learn from."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit, TimeSeriesSplit

import recipe
from recipe.steps.s3_protocol import hold_out, hold_out_latest, k_fold, time_folds


def numbered(name="housing", samples=120):
    """A dataset whose inputs are the numbers of its rows, so that a split can be read from them."""
    dataset = recipe.load(name, source="sample", rows=400)
    shape = (samples,) + (1,) * (dataset.x_train.ndim - 1)
    x = np.broadcast_to(np.arange(samples).reshape(shape), (samples, *dataset.x_train.shape[1:]))
    return dataclasses.replace(dataset, x_train=x.astype(np.float32), y_train=dataset.y_train[:samples])


def rows_of(x):
    return x.reshape(len(x), -1)[:, 0].astype(int)


GROUPS = np.arange(120) // 5  # 24 groups of 5


def test_hold_out_leaves_each_group_whole_and_takes_the_groups_of_scikit_learn():
    split = hold_out(numbered(), test_size=0.25, groups=GROUPS, seed=3)
    train, val = rows_of(split.x_train), rows_of(split.x_val)
    assert set(GROUPS[train]) & set(GROUPS[val]) == set()
    assert len(val) == 30
    expected = next(GroupShuffleSplit(1, test_size=6, random_state=3).split(np.zeros(120), groups=GROUPS))[1]
    np.testing.assert_array_equal(val, expected)


@pytest.mark.parametrize("name", ["housing", "mnist"])
def test_k_fold_leaves_each_group_whole_and_judges_every_sample_once_a_repetition(name):
    splits = k_fold(numbered(name), folds=4, repeats=2, groups=GROUPS)
    assert len(splits) == 8
    for repetition in (splits[:4], splits[4:]):
        judged = np.concatenate([rows_of(split.x_val) for split in repetition])
        np.testing.assert_array_equal(np.sort(judged), np.arange(120))
        for split in repetition:
            assert set(GROUPS[rows_of(split.x_train)]) & set(GROUPS[rows_of(split.x_val)]) == set()
    assert set(rows_of(splits[0].x_val)) != set(rows_of(splits[4].x_val))


def test_k_fold_with_groups_keeps_the_shares_of_the_classes():
    dataset = numbered("mnist", samples=240)
    y = np.repeat([0, 0, 0, 1], 60).astype(np.uint8)
    dataset = dataclasses.replace(dataset, y_train=y)
    for split in k_fold(dataset, folds=4, groups=np.arange(240) // 5):
        assert split.y_val.mean() == pytest.approx(0.25, abs=0.05)


def test_k_fold_refuses_more_folds_than_groups():
    message = "The training set has 3 groups, and folds must be between 2 and that. Received: folds=4. Ask for 3 folds."
    with pytest.raises(ValueError, match=re.escape(message)):
        k_fold(numbered(), folds=4, groups=np.arange(120) % 3)


@pytest.mark.parametrize("call", [hold_out, k_fold])
def test_groups_of_another_length_are_refused(call):
    with pytest.raises(ValueError, match=r"Each of the 120 training samples belongs to one group\. .* shape \(7,\)"):
        call(numbered(), groups=np.arange(7))


def test_hold_out_refuses_a_test_size_that_leaves_no_group():
    with pytest.raises(ValueError, match=r"Of 2 groups both parts need at least one\. Received: test_size=0\.1"):
        hold_out(numbered(), test_size=0.1, groups=np.arange(120) % 2)


def test_hold_out_latest_is_judged_on_the_latest_alone():
    times = np.random.default_rng(0).permutation(120)
    split = hold_out_latest(numbered(), times, test_size=0.25)
    assert times[rows_of(split.x_train)].max() < times[rows_of(split.x_val)].min()
    assert len(split.x_val) == 30
    assert split.protocol == "hold-out in time, the latest 30 of 120"


def test_hold_out_latest_keeps_samples_of_one_time_together():
    times = np.repeat(np.array(["2024-01", "2024-02", "2024-03"], "datetime64[M]"), 40)
    split = hold_out_latest(numbered(), times, test_size=0.1)
    assert sorted(rows_of(split.x_val)) == list(range(80, 120))


@pytest.mark.parametrize("test_size", [0.0, 1.0, 0.001])
def test_hold_out_latest_refuses_a_test_size_that_leaves_a_part_empty(test_size):
    with pytest.raises(ValueError, match=rf"Of 120 samples both parts need at least one\. Received: .*={test_size}"):
        hold_out_latest(numbered(), np.arange(120), test_size=test_size)


def test_hold_out_latest_refuses_times_that_cannot_be_cut():
    with pytest.raises(ValueError, match=r"No sample is older than the cut\. Received: times, 7 at the earliest"):
        hold_out_latest(numbered(), np.full(120, 7))


def test_time_folds_learn_from_the_past_as_scikit_learn_cuts_it():
    times = np.random.default_rng(1).permutation(120)
    order = np.argsort(times)
    splits = time_folds(numbered(), times, folds=3)
    for split, (train, val) in zip(splits, TimeSeriesSplit(3).split(order), strict=True):
        np.testing.assert_array_equal(rows_of(split.x_train), order[train])
        np.testing.assert_array_equal(rows_of(split.x_val), order[val])
        assert times[rows_of(split.x_train)].max() < times[rows_of(split.x_val)].min()


@pytest.mark.parametrize("folds", [1, 120])
def test_time_folds_refuse_too_few_and_too_many(folds):
    with pytest.raises(ValueError, match=rf"120 samples can be cut into 2 to 119 folds .* folds={folds}\."):
        time_folds(numbered(), np.arange(120), folds=folds)


@pytest.mark.parametrize("call", [hold_out_latest, time_folds])
def test_times_of_another_length_are_refused(call):
    with pytest.raises(ValueError, match=r"Each of the 120 training samples has one time\. .* shape \(2,\)"):
        call(numbered(), np.arange(2))
