"""Looking words up in place of multiplying by zeros: the same numbers, whatever the reviews and the order."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from recipe.engine.bags import NO_WORD, PIECE, make_bags, pieces_a_row, suits_bags, take_pieces
from recipe.engine.loop import train_models
from recipe.engine.members import Job


def make_reviews(rows: int = 40) -> np.ndarray:
    """Multi-hot reviews over 900 words: of none to 60 words."""
    draw = np.random.default_rng(0)
    x = np.zeros((rows, 900), np.uint8)
    for row, size in zip(x, draw.integers(0, 60, rows), strict=True):
        row[draw.choice(900, size, replace=False)] = 1
    x[3] = 0
    x[4, :PIECE] = 1  # exactly a piece
    return x


@pytest.fixture(scope="module")
def reviews() -> np.ndarray:
    return make_reviews()


def make_job(x: np.ndarray) -> Job:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(6, activation="relu", kernel_regularizer="l2"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    y = (x[:, :450].sum(axis=1) > x[:, 450:].sum(axis=1)).astype(np.uint8)
    cut = len(x) * 4 // 5
    return Job(model=model, x=x[:cut], y=y[:cut], x_val=x[cut:], y_val=y[cut:], batch_size=7, epochs=3)


def _words_of(pieces: np.ndarray) -> list[int]:
    return sorted(int(word) for word in pieces.reshape(-1) if word != NO_WORD)


def test_make_bags_holds_the_words_of_each_review(reviews):
    made = make_bags(reviews)
    assert made.words.dtype == np.uint16
    for number, row in enumerate(reviews):
        assert _words_of(made.words[made.first[number] : made.first[number + 1]]) == np.flatnonzero(row).tolist()
    assert made.counts.tolist() == [-(-int(size) // PIECE) for size in reviews.sum(axis=1)]
    assert _words_of(made.words[-1]) == []


def test_make_bags_of_several_parts_is_the_bags_of_all_reviews_together(reviews):
    joined, together = make_bags(reviews[:15], reviews[15:]), make_bags(reviews)
    np.testing.assert_array_equal(joined.words, together.words)
    np.testing.assert_array_equal(joined.first, together.first)


def test_take_pieces_gives_each_row_its_own_and_pads_with_the_empty_one(reviews):
    made = make_bags(reviews)
    order = np.array([[5, 3, 39, 4], [0, 0, -1, -1], [-1, -1, -1, -1]])
    pieces, rows = take_pieces(made, order, quota=4)
    assert pieces.shape == rows.shape == (3, 4, 4)
    for step, batch in enumerate(order):
        assert (np.diff(rows[step].reshape(-1)) >= 0).all(), "the sums count on sorted rows"
        for place, review in enumerate(batch):
            expected = [] if review < 0 else np.flatnonzero(reviews[review]).tolist()
            assert _words_of(made.words[pieces[step][rows[step] == place]]) == expected


def test_take_pieces_makes_room_where_the_quota_is_too_small(reviews):
    made = make_bags(reviews)
    pieces, _ = take_pieces(made, np.arange(40).reshape(4, 10), quota=1)
    assert pieces.shape[2] == max(-(-int(part.sum()) // 10) for part in made.counts.reshape(4, 10))


def test_pieces_a_row_is_seldom_too_few(reviews):
    counts, draw = make_bags(reviews).counts, np.random.default_rng(1)
    quota = pieces_a_row(counts, 10)
    sums = [draw.choice(counts, 10, replace=False).sum() for _ in range(2_000)]
    assert max(sums) <= 10 * quota
    assert pieces_a_row(np.zeros(5, int), 4) == 1


def test_training_by_bags_gives_what_multiplying_gives(reviews):
    by_bags, by_product = make_job(reviews), make_job(reviews.astype(np.float32))
    assert [suits_bags(job) for job in (by_bags, by_product)] == [True, False]
    (ours,), (theirs,) = (list(train_models([job])) for job in (by_bags, by_product))
    for name, values in theirs.history.items():
        assert ours.history[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name
    for one, other in zip(by_bags.model.get_weights(), by_product.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_suits_bags_wants_few_ones_and_nothing_but_zeros_and_ones(reviews):
    job = make_job(reviews)
    unfit = [
        dataclasses.replace(job, x=job.x * np.uint8(2)),
        dataclasses.replace(job, x=np.ones_like(job.x)),
        dataclasses.replace(job, x=np.tile(job.x, (1, 80))),  # more words than their numbers have room for
        dataclasses.replace(job, input_scale=0.5),
    ]
    assert [suits_bags(one) for one in (job, *unfit)] == [True, False, False, False, False]
