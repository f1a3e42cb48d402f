"""Sentences become ranks of words."""

from recipe.data.texts import read_texts


def test_read_texts_leaves_out_unknown_words_and_takes_no_text_at_all():
    reviews = read_texts(["It's GOOD, really good.", "", "xyz"], ["", "good", "it's"])
    assert [text.tolist() for text in reviews] == [[2, 1, 1], [], []]
    assert len(read_texts([], ["", "good"])) == 0
