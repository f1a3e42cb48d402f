"""Looking words up in place of multiplying by zeros: the same numbers, whatever the reviews and the order."""

from __future__ import annotations

import dataclasses

import jax
import keras
import numpy as np
import pytest

import recipe
from recipe.core.spec import ModelSpec
from recipe.engine import bags, loop
from recipe.engine.bags import NO_WORD, PIECE, join_bags, make_bags, pieces_a_row, read_bags, suits_bags, take_pieces
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


@pytest.fixture(scope="module")
def reviews() -> np.ndarray:
    """Forty multi-hot reviews over 300 words: of none to 60 words, one of them without any."""
    draw = np.random.default_rng(0)
    x = np.zeros((40, 300), np.uint8)
    for row, size in zip(x, draw.integers(0, 60, 40), strict=True):
        row[draw.choice(300, size, replace=False)] = 1
    x[3] = 0
    x[4, :PIECE] = 1  # exactly a piece
    return x


@pytest.fixture(scope="module")
def prepared():
    return prepare(hold_out(recipe.load("imdb", source="sample", rows=600)))


def _words_of(pieces: np.ndarray) -> list[int]:
    return sorted(int(word) for word in pieces.reshape(-1) if word != NO_WORD)


def test_make_bags_holds_the_words_of_each_review(reviews):
    made = make_bags(reviews)
    assert made.words.dtype == np.uint16
    for number, row in enumerate(reviews):
        assert _words_of(made.words[made.first[number] : made.first[number + 1]]) == np.flatnonzero(row).tolist()
    assert made.counts.tolist() == [-(-int(size) // PIECE) for size in reviews.sum(axis=1)]
    assert _words_of(made.words[-1]) == []


def test_join_bags_is_the_bags_of_all_reviews_together(reviews):
    joined, together = join_bags(make_bags(reviews[:15]), make_bags(reviews[15:])), make_bags(reviews)
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


@pytest.mark.parametrize("units", [1, 7])
def test_bag_layer_gives_outputs_and_gradients_of_a_dense_one(reviews, units):
    plain = keras.Sequential([keras.Input((300,)), keras.layers.Dense(units, activation="relu")])
    twin = keras.Sequential(read_bags([keras.Input((300,)), keras.layers.Dense(units, activation="relu")]))
    draw = np.random.default_rng(2)
    weights = [draw.normal(size=(300, units)).astype(np.float32), draw.normal(size=units).astype(np.float32)]
    made = make_bags(reviews)
    pieces, rows = take_pieces(made, np.arange(40)[None], quota=1)
    x = np.concatenate([made.words[pieces[0]].astype(np.int32), rows[0][..., None]], axis=-1)

    def total(model, inputs):
        return lambda values: (model.stateless_call(values, [], inputs)[0] ** 2).sum()

    np.testing.assert_allclose(
        twin.stateless_call(weights, [], x)[0], plain.stateless_call(weights, [], reviews)[0], rtol=1e-5, atol=1e-5
    )
    ours, theirs = (jax.grad(total(model, inputs))(weights) for model, inputs in ((twin, x), (plain, reviews)))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("architecture", ["mlp", "linear"])
def test_train_by_bags_gives_what_multiplying_gives(prepared, architecture, monkeypatch):
    hidden = {"hidden_units": (8,), "dropout": 0.2, "l2": 1e-3} if architecture == "mlp" else {}
    spec = ModelSpec(architecture=architecture, epochs=3, batch_size=50, **hidden)
    assert suits_bags(prepared)
    by_bags = train(spec, prepared, journal=None)
    monkeypatch.setattr(loop, "suits_bags", lambda prepared: False)
    by_product = train(spec, prepared, journal=None)
    for name, values in by_product.history.items():
        assert by_bags.history[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name


def test_train_by_bags_goes_on_where_a_batch_needs_more_room(prepared, monkeypatch):
    spec = ModelSpec(hidden_units=(4,), epochs=2, batch_size=7)
    roomy = train(spec, prepared, journal=None)
    monkeypatch.setattr("recipe.engine.batches.pieces_a_row", lambda counts, batch_size: 1)
    narrow = train(spec, prepared, journal=None)
    for name, values in roomy.history.items():
        assert narrow.history[name] == pytest.approx(values, rel=1e-5), name


def test_suits_bags_wants_few_ones_and_nothing_but_zeros_and_ones(prepared, monkeypatch):
    counts = dataclasses.replace(prepared, x_train=prepared.x_train * np.uint8(2))
    dense = dataclasses.replace(prepared, x_train=np.ones_like(prepared.x_train))
    floats = dataclasses.replace(prepared, x_val=prepared.x_val, x_train=prepared.x_train.astype(np.float32))
    assert [suits_bags(one) for one in (prepared, counts, dense, floats)] == [True, False, False, False]
    split = hold_out(recipe.load("imdb", source="sample", rows=600))
    assert not suits_bags(prepare(split, encoding="tfidf"))
    monkeypatch.setattr(bags, "NO_WORD", prepared.x_train.shape[1])
    assert not suits_bags(prepared)
