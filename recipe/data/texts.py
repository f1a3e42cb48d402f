"""Texts of one's own as ranks of words, as the film reviews have them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from recipe.core.reviews import Reviews

_WORD = re.compile(r"(?:[^\W_]|')+")


def read_texts(texts: Sequence[str], vocabulary: Sequence[str]) -> Reviews:
    """Turn texts of one's own into ranks of words, as the reviews have them.

    Parameters
    ----------
    texts : any sentences; only letters, digits and apostrophes count, and capitals do not
    vocabulary : the word of each rank, as `Dataset.vocabulary` has it; other words are left out

    Examples
    --------
    >>> read_texts(["A film, a good FILM!"], ["", "a", "film"])[0].tolist()
    [1, 2, 1, 2]
    """
    ranks = {word: rank for rank, word in enumerate(vocabulary) if word}
    rows = ([ranks[word] for word in split_words(text) if word in ranks] for text in texts)
    return Reviews.of(np.array(row, np.uint32) for row in rows)


def split_words(text: str) -> list[str]:
    """Return the words of a text in small letters: letters of any script, digits and apostrophes.

    Examples
    --------
    >>> split_words("Don't miss it, c'est très bon!")
    ["don't", 'miss', 'it', "c'est", 'très', 'bon']
    """
    return _WORD.findall(text.lower())
