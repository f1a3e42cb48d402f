"""Ragged reviews are indexed as lists are; their encodings stand beside scikit-learn's in steps/test_prepare.py."""

from __future__ import annotations

import numpy as np
import pytest

from recipe.core.reviews import Reviews


def make_reviews() -> tuple[Reviews, list[list[int]]]:
    rng = np.random.default_rng(0)
    texts = [rng.integers(1, 60, rng.integers(0, 30)).tolist() for _ in range(200)]  # some are empty
    return Reviews.of(np.array(text, np.uint32) for text in texts), texts


def test_sequences_hold_ranks_beyond_two_bytes():
    reviews = Reviews.of([np.array([7, 70_000], np.uint32)])
    assert reviews.sequences(length=3, num_words=80_000).tolist() == [[7, 70_000, 0]]


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


def test_read_leaves_out_unknown_words_and_takes_no_text_at_all():
    reviews = Reviews.read(["It's GOOD, really good.", "", "xyz"], ["", "good", "it's"])
    assert [text.tolist() for text in reviews] == [[2, 1, 1], [], []]
    assert len(Reviews.read([], ["", "good"])) == 0
