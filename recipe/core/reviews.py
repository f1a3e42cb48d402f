"""Reviews of different lengths, kept as one long row of word ranks and turned into arrays a network can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Work is done on this many words at a time: the indices that it needs then stay in the processor's cache, and the
# array that is asked for is all but the whole of the memory that is used.
BLOCK_TOKENS = 1 << 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Reviews:
    """Many texts in two arrays, like a list of lists without the lists.

    Text ``i`` is ``tokens[offsets[i]:offsets[i + 1]]``. A token is a word's frequency rank: 1 is the most frequent
    word, 0 stands for no word.

    Attributes
    ----------
    tokens : unsigned or signed integers of shape (total,), the ranks of all words of all texts
    offsets : integers of shape (n + 1,), from 0 to total, never falling

    Raises
    ------
    ValueError
        If the offsets do not cut the tokens into texts.

    Examples
    --------
    >>> reviews = Reviews(tokens=np.array([5, 1, 1, 2], "uint32"), offsets=np.array([0, 1, 4]))
    >>> len(reviews), reviews[1].tolist()
    (2, [1, 1, 2])
    >>> reviews.multi_hot(words=4).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0]]
    >>> reviews.sequences(length=4, words=6).tolist()
    [[5, 0, 0, 0], [1, 1, 2, 0]]
    """

    tokens: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        check_offsets(self.offsets, len(self.tokens))

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
        return self._take(np.arange(len(self))[which])

    def multi_hot(self, words: int) -> np.ndarray:
        """Return which of the most frequent words stand in each text.

        Parameters
        ----------
        words : number of columns; column ``j`` is the word of rank ``j``, and ranks of `words` or more are left out

        Returns
        -------
        uint8 array of shape (n, words): 1 where the text has the word at least once, else 0

        Raises
        ------
        ValueError
            If `words` is below 1.
        """
        _require_positive("words", words)
        hot = np.zeros((len(self), words), np.uint8)
        for first, last in self._blocks():
            tokens = self.tokens[self.offsets[first] : self.offsets[last]]
            row_starts = np.arange(0, (last - first) * words, words)
            cells = np.repeat(row_starts, np.diff(self.offsets[first : last + 1])) + tokens
            hot[first:last].reshape(-1)[cells[tokens < words]] = 1
        return hot

    def sequences(self, length: int, words: int) -> np.ndarray:
        """Return the first words of each text that are among the most frequent ones, in the order they stand in.

        Parameters
        ----------
        length : columns, the number of words kept; a shorter text is filled up with 0 at its end
        words : ranks of `words` or more are skipped; 65,536 at most, which is what uint16 can hold

        Returns
        -------
        uint16 array of shape (n, length)

        Raises
        ------
        ValueError
            If `length` or `words` is below 1, or `words` above 65,536.
        """
        _require_positive("length", length)
        _require_positive("words", words)
        if words > 65_536:
            raise ValueError(f"uint16 holds ranks below 65,536. Received: words={words}. Ask for 65536 words or fewer.")
        columns = np.zeros((len(self), length), np.uint16)
        for first, last in self._blocks():
            tokens = self.tokens[self.offsets[first] : self.offsets[last]]
            starts = self.offsets[first : last + 1] - self.offsets[first]
            kept = tokens < words
            kept_before = np.concatenate([[0], np.cumsum(kept)])  # (block tokens + 1,): kept words left of each
            rows = np.repeat(np.arange(last - first), np.diff(starts))
            place = kept_before[:-1] - kept_before[starts[:-1]][rows]
            kept &= place < length
            columns[first:last][rows[kept], place[kept]] = tokens[kept]
        return columns

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Yield (first, last) text numbers: whole texts of BLOCK_TOKENS words together, one text at the least."""
        first = 0
        while first < len(self):
            limit = int(self.offsets[first]) + BLOCK_TOKENS
            last = max(first + 1, int(np.searchsorted(self.offsets, limit, side="right")) - 1)
            yield first, last
            first = last

    def _take(self, rows: np.ndarray) -> Reviews:
        """Return the texts of these numbers, in this order."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        taken = Reviews(tokens=np.empty(offsets[-1], self.tokens.dtype), offsets=offsets)
        for first, last in taken._blocks():
            # The i-th word of a text stands at its start in the source plus i: shift whole texts, then count on.
            shift = self.offsets[rows[first:last]].astype(np.int64) - offsets[first:last]
            source = np.repeat(shift, lengths[first:last]) + np.arange(offsets[first], offsets[last])
            taken.tokens[offsets[first] : offsets[last]] = self.tokens[source]
        return taken


def check_offsets(offsets: np.ndarray, total: int) -> None:
    """Refuse offsets that do not run from 0 to `total` without falling.

    Raises
    ------
    ValueError
        With the first and last offset and the number of tokens.
    """
    if offsets.ndim != 1 or len(offsets) < 1 or not np.issubdtype(offsets.dtype, np.integer):
        raise ValueError(
            "Offsets are one row of whole numbers. "
            f"Received: offsets of shape {offsets.shape}, {offsets.dtype}. Give n + 1 integers for n texts."
        )
    if offsets[0] != 0 or offsets[-1] != total or np.any(offsets[1:] < offsets[:-1]):
        raise ValueError(
            f"Offsets rise from 0 to the number of tokens, {total}. "
            f"Received: {len(offsets)} offsets from {offsets[0]} to {offsets[-1]}. "
            "The file may be damaged: fetch it again."
        )


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"An array needs 1 column at least. Received: {name}={value}. Ask for 1 or more.")
