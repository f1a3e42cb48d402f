"""Texts as ranks of words: kept as one long row, and turned into arrays that a network reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_WORD = re.compile(r"(?:[^\W_]|')+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reviews:
    """Many texts in two arrays, like a list of lists without the lists.

    Text ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``. A token is a word's frequency rank: 1 is the most frequent
    word, 0 stands for no word.

    Attributes
    ----------
    tokens : unsigned or signed integers of shape (total,), the ranks of all words of all texts
    offsets : integers of shape (n + 1,), from 0 to total, never falling

    Examples
    --------
    >>> reviews = Reviews(tokens=np.array([5, 1, 1, 2], "uint32"), offsets=np.array([0, 1, 4]))
    >>> len(reviews), reviews[1].tolist()
    (2, [1, 1, 2])
    >>> reviews.multi_hot(num_words=4).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0]]
    >>> reviews.sequences(length=4, num_words=6).tolist()
    [[5, 0, 0, 0], [1, 1, 2, 0]]
    """

    tokens: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[np.ndarray]) -> Reviews:
        """Put texts together, each of them a row of ranks."""
        texts = list(texts)
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        return cls(tokens=np.concatenate([np.zeros(0, np.uint32), *texts]), offsets=offsets)

    @classmethod
    def read(cls, texts: Sequence[str], vocabulary: Sequence[str]) -> Reviews:
        """Turn texts of one's own into ranks of words.

        Parameters
        ----------
        texts : any sentences; only letters, digits and apostrophes count, and capitals do not
        vocabulary : the word of each rank, as `Dataset.vocabulary` has it; other words are left out

        Examples
        --------
        >>> Reviews.read(["A film, a good FILM!"], ["", "a", "film"])[0].tolist()
        [1, 2, 1, 2]
        """
        ranks = {word: rank for rank, word in enumerate(vocabulary) if word}
        rows = ([ranks[word] for word in split_words(text) if word in ranks] for text in texts)
        return cls.of(np.array(row, np.uint32) for row in rows)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"Reviews({len(self):,} texts, {len(self.tokens):,} words)"

    def __getitem__(self, which: int | slice | np.ndarray) -> np.ndarray | Reviews:
        """Return one text's tokens for a number, or the chosen texts for a slice, an index array or a mask."""
        if isinstance(which, int | np.integer):
            row = range(len(self))[which]
            return self.tokens[self.offsets[row] : self.offsets[row + 1]]
        # Indexing the row numbers lets NumPy judge slices, masks and numbers out of range by its own rules.
        return Reviews.of(self[row] for row in np.arange(len(self))[which].tolist())

    def multi_hot(self, num_words: int) -> np.ndarray:
        """Return which of the most frequent words stand in each text.

        Parameters
        ----------
        num_words : number of columns; column ``j`` is the word of rank ``j``, rarer words are left out

        Returns
        -------
        uint8 array of shape (n, num_words): 1 where the text has the word at least once, else 0
        """
        hot = np.zeros((len(self), num_words), np.uint8)
        for row, text in zip(hot, self, strict=True):  # all texts at once would hold three more arrays of all words
            row[text[text < num_words]] = 1
        return hot

    def weights(self, idf: np.ndarray) -> np.ndarray:
        """Return the TF-IDF of each word in each text: its count times its `idf`, each text scaled to length 1.

        Returns
        -------
        float16 array of shape (n, words): half the memory of float32, and off by 1 part in 2,000 at most
        """
        from sklearn.preprocessing import normalize

        found = normalize(self.sparse_counts(len(idf)).multiply(idf)).tocoo()
        weights = np.zeros(found.shape, np.float16)
        weights[found.row, found.col] = found.data  # SciPy has no sparse float16
        return weights

    def sequences(self, length: int, num_words: int) -> np.ndarray:
        """Return the first words of each text that are among the most frequent ones, in the order they stand in.

        Parameters
        ----------
        length : columns, the number of words kept; a shorter text is filled up with 0 at its end
        num_words : rarer words, of this rank or more, are skipped

        Returns
        -------
        uint16 array of shape (n, length); uint32 where uint16 cannot hold so many ranks
        """
        columns = np.zeros((len(self), length), np.result_type(np.uint16, np.min_scalar_type(num_words - 1)))
        for row, text in enumerate(self):
            known = text[text < num_words][:length]
            columns[row, : len(known)] = known
        return columns

    def sparse_counts(self, num_words: int) -> csr_matrix:
        """Return the counts as a sparse matrix of shape (n, num_words), float64, which is what scikit-learn reads."""
        from scipy.sparse import csr_matrix

        kept = self.tokens < num_words
        kept_before = np.concatenate([[0], np.cumsum(kept)])  # (tokens + 1,): kept words left of each
        tokens = self.tokens[kept].astype(np.int32)
        matrix = csr_matrix((np.ones(len(tokens)), tokens, kept_before[self.offsets]), shape=(len(self), num_words))
        matrix.sum_duplicates()
        return matrix


def split_words(text: str) -> list[str]:
    """Return the words of a text in small letters: letters of any script, digits and apostrophes.

    Examples
    --------
    >>> split_words("Don't miss it, c'est très bon!")
    ["don't", 'miss', 'it', "c'est", 'très', 'bon']
    """
    return _WORD.findall(text.lower())
