"""Ragged reviews against plain Python loops."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.core.reviews import Reviews


def make_reviews(seed: int = 0, count: int = 200, top: int = 60) -> tuple[Reviews, list[list[int]]]:
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, top, rng.integers(0, 30)).tolist() for _ in range(count)]  # some are empty
    return Reviews.of(np.array(text, np.uint32) for text in texts), texts


def test_multi_hot_equals_a_loop_over_words():
    reviews, texts = make_reviews(count=450)
    expected = np.zeros((len(texts), 40), np.uint8)
    for row, text in enumerate(texts):
        for token in text:
            if token < 40:
                expected[row, token] = 1
    hot = reviews.multi_hot(num_words=40)
    assert hot.dtype == np.uint8
    np.testing.assert_array_equal(hot, expected)


def test_sequences_hold_ranks_beyond_two_bytes():
    reviews = Reviews.of([np.array([7, 70_000], np.uint32)])
    assert reviews.sequences(length=3, num_words=80_000).tolist() == [[7, 70_000, 0]]


def test_sequences_equal_a_loop_over_words():
    (reviews, texts), length = make_reviews(), 5
    expected = np.zeros((len(texts), length), np.uint16)
    for row, text in enumerate(texts):
        kept = [token for token in text if token < 40][:length]
        expected[row, : len(kept)] = kept
    columns = reviews.sequences(length=length, num_words=40)
    assert columns.dtype == np.uint16
    np.testing.assert_array_equal(columns, expected)


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
