"""Few rows and the truth about them, and many small models trained side by side."""

import re
import threading

import numpy as np
import pytest

import recipe
from recipe.lessons import judging
from recipe.lessons.judging import (
    draw_rows,
    measure_truth,
    prepare_all_of,
    prepare_rest,
    small_spec,
    train_groups,
    with_words,
)

SPEC = recipe.ModelSpec(hidden_units=(4,), optimizer="adam", learning_rate=0.02, batch_size=32, epochs=3)


@pytest.fixture(scope="module")
def houses():
    return recipe.load("housing", source="sample")


@pytest.fixture(scope="module")
def reviews():
    return with_words(recipe.load("imdb", source="sample", rows=1_000), 200)


@pytest.fixture
def groups(houses):
    """Three groups of two prepared splits."""
    return [[recipe.prepare(split) for split in recipe.k_fold(draw_rows(houses, 40).few, folds=2)] for _ in range(3)]


def test_draw_rows_shares_no_row_with_the_rest_and_leaves_the_test_sealed(houses):
    drawn = draw_rows(houses, 100, seed=4, truth_rows=500)
    assert (len(drawn.few.y_train), len(drawn.y_rest)) == (100, 500)
    assert recipe.find_duplicates(drawn.few.x_train, drawn.x_rest).in_second == 0
    assert recipe.find_duplicates(houses.x_train, drawn.x_rest).in_second == 500
    assert houses.test.looks == 0


def test_draw_rows_takes_targets_along(reviews):
    drawn = draw_rows(reviews, 50)
    words = {reviews.x_train[row].tobytes(): label for row, label in enumerate(reviews.y_train)}
    assert all(words[drawn.few.x_train[row].tobytes()] == drawn.few.y_train[row] for row in range(50))


@pytest.mark.parametrize("rows", [9, 801])
def test_draw_rows_refuses_too_few_and_more_than_half(houses, rows):
    message = "Of 1,600 training samples 10 to 800 can be drawn, so that the rest is large enough to be the truth. "
    with pytest.raises(ValueError, match=re.escape(f"{message}Received: rows={rows}.")):
        draw_rows(houses, rows)


def test_with_words_makes_a_smaller_problem_of_the_same_reviews(reviews):
    assert (reviews.problem.num_words, reviews.problem.input_shape) == (200, (200,))
    assert recipe.prepare(recipe.hold_out(reviews)).x_train.shape == (600, 200)
    with pytest.raises(ValueError, match=r"imdb has 200 words\. Received: words=201"):
        with_words(reviews, 201)
    with pytest.raises(ValueError, match=r"housing has 0 words\. Received: words=10"):
        with_words(recipe.load("housing", source="sample"), 10)


def test_small_spec_is_small_enough_to_train_side_by_side(houses):
    for name in ("mnist", "imdb", "housing"):
        dataset = recipe.load(name, source="sample")
        dataset = with_words(dataset, 1_000) if name == "imdb" else dataset
        assert recipe.build_model(small_spec(dataset.problem), dataset.problem).count_params() <= 20_000


def test_prepare_all_of_learns_from_all_rows_and_no_other(houses):
    drawn = draw_rows(houses, 60)
    prepared = prepare_all_of(drawn)
    assert len(prepared.y_train) == 60
    np.testing.assert_allclose(prepared.preparation.mean, drawn.few.x_train.mean(axis=0, dtype=np.float64))


def test_measure_truth_agrees_with_keras(reviews):
    drawn = draw_rows(reviews, 60)
    prepared = prepare_all_of(drawn)
    run = recipe.train(SPEC, prepared)
    x, y = prepare_rest(prepared, drawn)
    accuracy = np.mean((run.model.predict(x, verbose=0)[:, 0] > 0.5) == y)
    assert measure_truth(run, (x, y)) == pytest.approx(accuracy)


def test_train_groups_in_two_programs_gives_what_one_gives(groups, monkeypatch):
    told = []
    whole = list(train_groups(SPEC, groups, on_message=told.append))
    assert told == [f"models 1 to 6 of 6, epoch {epoch} of 3" for epoch in (1, 2, 3)]
    monkeypatch.setattr(judging, "MODELS_TOGETHER", 4)
    parts = list(train_groups(SPEC, groups, on_message=told.append))
    assert told[-1] == "models 5 to 6 of 6, epoch 3 of 3"
    scores = [[[run.score for run in group] for group in groups] for groups in (whole, parts)]
    assert np.shape(scores) == (2, 3, 2)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)


def test_train_groups_that_is_stopped_yields_whole_groups_alone(groups, monkeypatch):
    monkeypatch.setattr(judging, "MODELS_TOGETHER", 2)
    stop = threading.Event()

    def stop_in_the_second(message):
        if message == "models 3 to 4 of 6, epoch 2 of 3":
            stop.set()

    assert len(list(train_groups(SPEC, groups, on_message=stop_in_the_second, stop=stop))) == 1
