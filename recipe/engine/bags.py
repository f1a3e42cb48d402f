"""Reviews as bags of words: a first layer that looks up the weights of the words that are there.

A multi-hot review is 10,000 numbers, of which some 130 are 1: a matrix product multiplies 10,000 weights for each unit,
nearly all of them by 0. Looking up 130 rows of the same weights and adding them gives the same numbers: an epoch of
16-16-1 takes a quarter of the processor's time, one of 64-64-1 half, and the reviews a thirtieth of the memory. On a
GPU the product is the fast one.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import keras
import numpy as np

from recipe.engine.members import Job

PIECE = 16  # words looked up together: a review is cut into pieces of so many, the last one filled up
NO_WORD = np.iinfo(np.uint16).max
# Looking up a word costs as much as some 20 numbers of a matrix product for 16 units, some 40 for 64 units:
# where more than this share of the numbers are ones, the product is faster for any network.
MOST_ONES, SOME_REVIEWS = 1 / 16, 500


@dataclass(frozen=True, kw_only=True, eq=False)
class Bags:
    """The reviews of one part."""

    words: np.ndarray  # uint16 (pieces + 1, PIECE), the word numbers, filled up with NO_WORD; the last piece is empty
    counts: np.ndarray  # int64 (reviews,), how many pieces each review has
    first: np.ndarray  # int64 (reviews,), which one is its first


def suits_bags(job: Job) -> bool:
    """Say whether words may be looked up in place of multiplying: a `Dense` reads zeros and ones, few of them ones."""
    x, model = job.x, job.model
    reads_dense = isinstance(model, keras.Sequential) and type(model.layers[0]) is keras.layers.Dense
    if not reads_dense or x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] >= NO_WORD or job.input_scale != 1:
        return False
    is_binary = max(x.max(initial=0), job.x_val.max(initial=0)) <= 1
    return bool(is_binary and x[:SOME_REVIEWS].mean() < MOST_ONES)


def make_bags(*parts: np.ndarray) -> Bags:
    """Cut multi-hot reviews into pieces; of several parts, (n, words) of zeros and ones each, one after the other."""
    width = parts[0].shape[1]
    places = [np.flatnonzero(x.reshape(-1).view(bool)) for x in parts]
    ends = [np.searchsorted(found, np.arange(len(x) + 1) * width) for found, x in zip(places, parts, strict=True)]
    sizes = np.concatenate([np.diff(each) for each in ends])
    counts = -(-sizes // PIECE)
    first = np.cumsum(counts) - counts
    table = np.full((counts.sum() + 1, PIECE), NO_WORD, np.uint16)
    # Behind the words of a review its last piece stays as it is.
    starts = first * PIECE - (np.cumsum(sizes) - sizes)
    words = np.concatenate(places) % width
    table.reshape(-1)[np.arange(len(words)) + np.repeat(starts, sizes)] = words
    return Bags(words=table, counts=counts, first=first)


def pieces_a_row(counts: np.ndarray, batch_size: int) -> int:
    """Return how many pieces a review of a batch has on average, at most: six standard deviations above the mean.

    A batch that has more all the same is taken as it is: the program is then compiled once more.
    """
    above = 6 * counts.std() / np.sqrt(min(batch_size, len(counts)))
    return max(1, min(int(counts.max(initial=1)), int(np.ceil(counts.mean() + above))))


def take_pieces(bags: Bags, order: np.ndarray, quota: int) -> tuple[np.ndarray, np.ndarray]:
    """Say which pieces make up each batch, and to which of its rows they belong.

    Parameters
    ----------
    order : (steps, batch_size), the reviews of each batch; a negative number is a row without a review
    quota : pieces a row, on average, that a batch has room for; more where a batch needs it

    Returns
    -------
    pieces, rows : int32 (steps, batch_size, quota), filled up with the empty piece, at the last row
    """
    steps, batch_size = order.shape
    counts = np.where(order < 0, 0, bags.counts[order])
    sizes = counts.sum(axis=1)
    quota = max(quota, -(-int(sizes.max(initial=0)) // batch_size))
    flat = counts.reshape(-1)
    starts = np.cumsum(flat) - flat
    entries = np.arange(flat.sum())
    pieces_in_order = np.repeat(bags.first[order.reshape(-1)] - starts, flat) + entries
    slots = np.repeat(np.arange(steps) * batch_size * quota - (np.cumsum(sizes) - sizes), sizes) + entries
    pieces = np.full(steps * batch_size * quota, len(bags.words) - 1, np.int32)
    rows = np.full(steps * batch_size * quota, batch_size - 1, np.int32)
    pieces[slots] = pieces_in_order
    rows[slots] = np.repeat(np.tile(np.arange(batch_size), steps), flat)
    shape = steps, batch_size, quota
    return pieces.reshape(shape), rows.reshape(shape)


class BagDense(keras.layers.Dense):
    """A `Dense` that reads pieces of bags: (batch, quota, PIECE + 1) -> (batch, units).

    The first numbers of each piece are words, the last one is the row of the batch that the piece belongs to.
    """

    def __init__(self, units: int, *, words: int, **options) -> None:
        super().__init__(units, **options)
        self.words = words

    def build(self, input_shape: tuple) -> None:
        """Make the weights of a `Dense` behind multi-hot reviews, (words, units)."""
        super().build((input_shape[0], self.words))
        self.input_spec = None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return (batch, units)."""
        return input_shape[0], self.units

    def call(self, inputs, training=None):
        """Add up the weights of the words of each row."""
        pieces = inputs.reshape(-1, PIECE + 1)
        weights = jnp.take(self.kernel.value, pieces[:, :PIECE], axis=0, mode="fill", fill_value=0)
        sums = jax.ops.segment_sum(weights.sum(axis=1), pieces[:, PIECE], len(inputs), indices_are_sorted=True)
        return self.activation(sums + self.bias.value if self.use_bias else sums)
