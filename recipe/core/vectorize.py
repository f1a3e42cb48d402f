"""Step 4: reviews as numbers. How often each word stands in a text, and how much that says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.reviews import Reviews

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_COUNTED = 255  # what uint8 holds; the commonest word of a long review may stand there more often
BLOCK_TEXTS = 1_000  # texts that are weighed together: 40 MB of 10,000 words each


def count_words(reviews: Reviews, words: int) -> np.ndarray:
    """Return how often each of the most frequent words stands in each text.

    Parameters
    ----------
    words : number of columns; column ``j`` is the word of rank ``j``, rarer words are left out

    Returns
    -------
    uint8 array of shape (n, words); more than 255 of one word count as 255

    Examples
    --------
    >>> reviews = Reviews(tokens=np.array([5, 1, 1, 2], "uint32"), offsets=np.array([0, 1, 4]))
    >>> count_words(reviews, words=4).tolist()
    [[0, 0, 0, 0], [0, 2, 1, 0]]
    """
    counts = np.empty((len(reviews), words), np.uint8)
    for first in range(0, len(reviews), BLOCK_TEXTS):
        block = sparse_counts(reviews[first : first + BLOCK_TEXTS], words)
        block.data = np.minimum(block.data, MOST_COUNTED).astype(np.uint8)
        counts[first : first + BLOCK_TEXTS] = block.toarray()
    return counts


def fit_idf(reviews: Reviews, words: int) -> np.ndarray:
    """Return the inverse document frequency of each word: the fewer texts have it, the more it says.

    It is scikit-learn's smoothed one, ``ln((1 + texts) / (1 + texts with the word)) + 1``, as in `TfidfTransformer`.

    Returns
    -------
    float64 array of shape (words,), 1 or more

    Raises
    ------
    ValueError
        If there is no text.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    if not len(reviews):
        raise ValueError("How many texts have a word cannot be told from 0 texts. Received: reviews, empty. Give some.")
    return TfidfTransformer().fit(sparse_counts(reviews, words)).idf_


def weigh_words(reviews: Reviews, idf: np.ndarray) -> np.ndarray:
    """Return the TF-IDF of each word in each text: its count times its `idf`, each text scaled to length 1.

    Returns
    -------
    float16 array of shape (n, words): half the memory of float32, and off by 1 part in 2,000 at most
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    transformer = TfidfTransformer()
    transformer.idf_ = np.asarray(idf, np.float64)
    weights = np.empty((len(reviews), len(idf)), np.float16)
    for first in range(0, len(reviews), BLOCK_TEXTS):
        block = transformer.transform(sparse_counts(reviews[first : first + BLOCK_TEXTS], len(idf)))
        weights[first : first + BLOCK_TEXTS] = block.astype(np.float32).toarray()
    return weights


def sparse_counts(reviews: Reviews, words: int) -> csr_matrix:
    """Return the counts as a sparse matrix of shape (n, words), float64, which is what scikit-learn reads."""
    from scipy.sparse import csr_matrix

    kept = reviews.tokens < words
    kept_before = np.concatenate([[0], np.cumsum(kept)])  # (tokens + 1,): kept words left of each
    tokens = reviews.tokens[kept].astype(np.int32)
    matrix = csr_matrix((np.ones(len(tokens)), tokens, kept_before[reviews.offsets]), shape=(len(reviews), words))
    matrix.sum_duplicates()
    return matrix


def read_texts(texts: Sequence[str], vocabulary: Sequence[str]) -> Reviews:
    """Turn texts of one's own into ranks of words, as the reviews have them.

    Parameters
    ----------
    texts : any English sentences; only letters, digits and apostrophes count, and capitals do not
    vocabulary : the word of each rank, as `Dataset.vocabulary` has it; other words are left out

    Examples
    --------
    >>> read_texts(["A film, a good FILM!"], ["", "a", "film"])[0].tolist()
    [1, 2, 1, 2]
    """
    ranks = {word: rank for rank, word in enumerate(vocabulary) if word}
    rows = [[ranks[word] for word in re.findall(r"[a-z0-9']+", text.lower()) if word in ranks] for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
    return Reviews(tokens=np.array([rank for row in rows for rank in row], np.uint32), offsets=offsets)
