"""The worlds in which models fail: the stated processes hold, and linear models fail as the lesson says."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.linear_model import LinearRegression

import recipe
from recipe.lessons.s1_problem.worlds import (
    FIRST_NAMES,
    MONTHS,
    NORTH_OF,
    clothing_sales,
    first_names_and_grades,
    shuffle_labels,
    split_north_south,
)


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


def test_first_names_say_nothing_about_grades():
    school = first_names_and_grades(pupils=6_000)
    groups = [school.y[column == 1] for column in school.x.T]
    assert len(groups) == len(FIRST_NAMES) == len(set(FIRST_NAMES))
    assert f_oneway(*groups).pvalue > 0.01
    assert school.y.mean() == pytest.approx(70, abs=0.5)
    assert school.y.std() == pytest.approx(12, abs=0.5)
    assert 0 <= school.y.min() <= school.y.max() <= 100


def test_each_pupil_has_one_name_and_the_story_says_simulated():
    school = first_names_and_grades(pupils=50)
    assert np.all(school.x.sum(axis=1) == 1)
    assert school.story.startswith("Simulated: 50 pupils, each with one of 60 first names")


@pytest.mark.parametrize("make", [first_names_and_grades, lambda **given: clothing_sales("May", **given)])
def test_same_seed_gives_the_same_world(make):
    assert np.array_equal(make(seed=3).y, make(seed=3).y)
    assert not np.array_equal(make(seed=3).y, make(seed=4).y)


def test_shuffle_labels_keeps_the_shares_and_cuts_the_bond(houses):
    shuffled = shuffle_labels(houses)
    assert np.array_equal(np.sort(shuffled.y_train), np.sort(houses.y_train))
    assert abs(np.corrcoef(shuffled.y_train, houses.y_train)[0, 1]) < 0.1
    assert shuffled.x_train is houses.x_train
    assert shuffled.test is houses.test
    assert houses.test.looks == 0


def test_clothing_sells_by_the_weather():
    for month, sign in (("January", 1), ("August", -1)):
        sales = clothing_sales(month, items=4_000)
        assert np.sign(np.corrcoef(sales.x[:, 0], np.log1p(sales.y))[0, 1]) == sign
        by_discount = LinearRegression().fit(sales.x, np.log1p(sales.y)).coef_
        assert by_discount[2] > 0 > by_discount[1]


def test_model_of_august_is_worse_than_a_guess_in_january_and_good_in_august():
    august, again, january = clothing_sales("August"), clothing_sales("August", seed=1), clothing_sales("January")
    model = LinearRegression().fit(august.x, np.log1p(august.y))
    errors, guesses = (
        [np.abs(month.y - answer(month)).mean() for month in (again, january)]
        for answer in (lambda month: np.expm1(model.predict(month.x)), lambda month: np.median(august.y))
    )
    assert errors[0] < 0.5 * guesses[0]
    assert errors[1] > guesses[1]


def test_every_month_has_its_story():
    for month in MONTHS:
        assert f"in {month}" in clothing_sales(month, items=2).story


def test_split_north_south_shares_the_training_part_and_keeps_the_sides_apart(houses):
    home, away = split_north_south(houses)
    assert np.array_equal(home.x_train, away.x_train)
    assert home.x_train[:, 1].min() > NORTH_OF
    assert home.x_val[:, 1].min() > NORTH_OF >= away.x_val[:, 1].max()
    assert len(home.y_train) + len(home.y_val) + len(away.y_val) == len(houses.y_train)
    assert len(home.y_val) == (len(home.y_train) + len(home.y_val)) // 5
    assert "north" in home.protocol
    assert "south" in away.protocol


def test_split_north_south_keeps_each_district_with_its_value(houses):
    home, away = split_north_south(houses, seed=5)
    value = {row.tobytes(): y for row, y in zip(houses.x_train, houses.y_train, strict=True)}
    for split in (home, away):
        assert [value[row.tobytes()] for row in split.x_val] == split.y_val.tolist()


def test_south_and_north_can_change_places(houses):
    turned = houses.x_train * np.where(np.arange(8) == 1, -1, 1).astype(np.float32)
    home, _ = split_north_south(dataclasses.replace(houses, x_train=turned), latitude=-36.0)
    assert home.x_train[:, 1].min() > -36


def test_wrong_arguments_are_refused(houses):
    with pytest.raises(ValueError, match=r"Received: pupils=1. Ask for more"):
        first_names_and_grades(pupils=1)
    with pytest.raises(ValueError, match="Received: items=0"):
        clothing_sales("May", items=0)
    with pytest.raises(ValueError, match=r"There is no such month. Received: month='Mai'. Choose from January"):
        clothing_sales("Mai")
    with pytest.raises(ValueError, match=r"Only housing has a north and a south. .*Pass load\('housing'\)"):
        split_north_south(recipe.load("mnist", source="sample"))
    with pytest.raises(ValueError, match=r"0 districts lie north and 1,600 south of it.* Received: latitude=50"):
        split_north_south(houses, latitude=50)
