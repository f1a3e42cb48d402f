"""Ragged reviews against plain Python loops."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from recipe.core.reviews import Reviews


def make_reviews(seed: int = 0, count: int = 200, top: int = 60) -> tuple[Reviews, list[list[int]]]:
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, top, rng.integers(0, 30)).tolist() for _ in range(count)]  # some are empty
    return Reviews.of(np.array(text, np.uint32) for text in texts), texts


def test_multi_hot_and_counts_equal_a_loop_over_words():
    reviews, texts = make_reviews(count=450)
    expected = np.zeros((len(texts), 40), np.uint8)
    for row, text in enumerate(texts):
        for token in text:
            if token < 40:
                expected[row, token] += 1
    hot, counts = reviews.multi_hot(num_words=40), reviews.counts(num_words=40)
    assert hot.dtype == counts.dtype == np.uint8
    np.testing.assert_array_equal(hot, expected > 0)
    np.testing.assert_array_equal(counts, expected)


def test_counts_stop_at_what_a_byte_holds():
    reviews = Reviews.of([np.full(300, 2, np.uint32)])
    assert reviews.counts(num_words=3).tolist() == [[0, 0, 255]]


@pytest.mark.parametrize("length", [1, 5, 50])
def test_sequences_equal_a_loop_over_words(length):
    reviews, texts = make_reviews()
    expected = np.zeros((len(texts), length), np.uint16)
    for row, text in enumerate(texts):
        kept = [token for token in text if token < 40][:length]
        expected[row, : len(kept)] = kept
    columns = reviews.sequences(length=length, num_words=40)
    assert columns.dtype == np.uint16
    np.testing.assert_array_equal(columns, expected)


def test_multi_hot_uses_little_more_memory_than_it_returns():
    rng = np.random.default_rng(0)
    reviews = Reviews(tokens=rng.integers(1, 5_000, 600_000).astype(np.uint32), offsets=np.arange(0, 600_001, 200))
    tracemalloc.start()
    hot = reviews.multi_hot(num_words=10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert hot.nbytes == 30_000_000
    assert peak < hot.nbytes + 8_000_000


@pytest.mark.parametrize("offset_type", [np.uint32, np.int64])
def test_getitem_takes_what_a_list_or_an_array_would(offset_type):
    reviews, texts = make_reviews()
    reviews = Reviews(tokens=reviews.tokens, offsets=reviews.offsets.astype(offset_type))
    assert reviews[3].tolist() == texts[3]
    assert reviews[np.int64(-1)].tolist() == texts[-1]
    order = np.random.default_rng(1).permutation(len(texts))
    mask = order % 3 == 0
    for which, expected in (
        (slice(10, 90, 7), texts[10:90:7]),
        (slice(None, None, -1), texts[::-1]),
        (order, [texts[row] for row in order]),
        ([5, 5, -2], [texts[5], texts[5], texts[-2]]),
        (mask, [text for text, kept in zip(texts, mask, strict=True) if kept]),
        (slice(0, 0), []),
    ):
        taken = reviews[which]
        assert [taken[row].tolist() for row in range(len(taken))] == expected


def test_sequences_hold_ranks_above_what_two_bytes_hold():
    reviews = Reviews.of([np.array([7, 70_000], np.uint32)])
    assert reviews.sequences(length=3, num_words=80_000).tolist() == [[7, 70_000, 0]]


def test_repr_counts_texts_and_words():
    assert repr(Reviews(tokens=np.ones(4, np.uint32), offsets=np.array([0, 1, 4]))) == "Reviews(2 texts, 4 words)"
