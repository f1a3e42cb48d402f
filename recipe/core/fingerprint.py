"""Sixteen digits that tell one set of data from another, so that what was found on it can be found again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

DIGITS = 16  # hexadecimal: 64 bits, so that among a million sets of data two are taken for one once in 37 million times


def fingerprint(name: str, arrays: Iterable[np.ndarray]) -> str:
    """Return 16 hexadecimal digits of a name and of what arrays hold: their dtypes, shapes and bytes, in order.

    Examples
    --------
    >>> digits = fingerprint("mnist", [np.zeros((2, 2), np.uint8)])
    >>> len(digits), digits == fingerprint("mnist", [np.zeros((4, 1), np.uint8)])
    (16, False)
    """
    # SHA-1 is the fastest that hashlib has here, and nobody gains by forging this: 250 MB take 0.3 s.
    digest = hashlib.sha1(name.encode(), usedforsecurity=False)
    for array in arrays:
        digest.update(f"|{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:DIGITS]
