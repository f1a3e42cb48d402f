"""Telling two parts of a split apart, and duplicates across them: against counting by hand and known processes."""

from __future__ import annotations

import numpy as np
import pytest

import recipe
from recipe.core.reviews import Reviews
from recipe.debugging.splits import find_duplicates, same_distribution


def texts(*rows):
    return Reviews.of([np.array(row, np.uint32) for row in rows])


@pytest.mark.parametrize("name", ["mnist", "imdb"])
def test_random_split_is_not_told_apart(name):
    split = recipe.hold_out(recipe.load(name, source="sample"))
    check = same_distribution(split.x_train, split.x_val, rows=300)
    assert check.same
    assert check.auc == pytest.approx(0.5, abs=0.1)
    assert check.sentence.startswith("A classifier cannot tell the two parts apart: AUC ")


@pytest.mark.slow
def test_fair_splits_are_flagged_about_as_seldom_as_the_level_says():
    dataset = recipe.load("housing", source="sample")
    flagged = 0
    for seed in range(20):
        split = recipe.hold_out(dataset, seed=seed, test_size=0.5)
        flagged += not same_distribution(split.x_train, split.x_val, rows=300, seed=seed).same
    assert flagged <= 3  # 0.5 are expected; more than 3 in one case of a thousand


def test_north_and_south_of_the_houses_are_told_apart():
    dataset = recipe.load("housing", source="sample")
    north = dataset.x_train[:, 1] > np.median(dataset.x_train[:, 1])
    check = same_distribution(dataset.x_train[north], dataset.x_train[~north], rows=400)
    assert not check.same
    assert check.auc > 0.95
    assert f"tells the two parts apart: AUC {check.auc:.3f} (p < 0.001)" in check.sentence


@pytest.mark.parametrize("sizes", [((9, 2), (50, 2)), ((20, 2), (20, 3))])
def test_same_distribution_refuses_what_cannot_be_compared(sizes):
    words = r"of at least 10 samples of one shape can be compared\. Received: \d+ of \(2,\) and \d+ of \(\d,\)\."
    with pytest.raises(ValueError, match=words):
        same_distribution(*map(np.zeros, sizes))


def test_find_duplicates_counts_images_tables_and_reviews():
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    assert find_duplicates(images[:4], images[2:]).in_second == 2
    table = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    assert find_duplicates(table, np.array([[-0.0, 1.0]], np.float32)).in_second == 1
    reviews = texts([5, 1], [7], [5, 1], [1, 5])
    found = find_duplicates(reviews[:2], reviews[2:])
    assert (found.in_second, found.size, found.share) == (1, 2, 0.5)


def test_find_duplicates_counts_each_sample_once():
    found = find_duplicates(np.array([[1], [1], [2]]), np.array([[1], [3], [2]]))
    assert found.sentence == "2 of 3 samples (66.67%) have a duplicate in the other part."
    assert find_duplicates(np.array([[1]]), np.array([[2]])).in_second == 0


@pytest.mark.real_data
def test_real_data_has_the_duplicates_that_the_lesson_speaks_of(real_data):
    reviews, houses = recipe.load("imdb").x_train, recipe.load("housing").x_train
    assert len(reviews) - len({text.tobytes() for text in reviews}) == 98
    assert len(np.unique(houses, axis=0)) == len(houses)
    assert len(np.unique(houses[:, :2], axis=0)) == 10_814


@pytest.mark.real_data
def test_real_small_housing_is_no_fair_picture_of_california(real_data):
    small, houses = recipe.load("housing", rows=600).x_train, recipe.load("housing").x_train
    known = {row.tobytes() for row in small}
    others = houses[[row.tobytes() not in known for row in houses]]
    assert same_distribution(small, others).auc > 0.9
