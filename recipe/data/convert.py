"""Keras's official files: their checksums, and the one of them that must be converted before the kit reads it.

The official ``imdb.npz`` holds pickled lists. Unpickling a file can run any code that its author wished, so it is
done only after the file's SHA-256 was found to be the one that Keras publishes, and even then by an unpickler that
knows how to rebuild an array of lists of whole numbers, and nothing else.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import pickle
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np

from recipe.data.layouts import check_arrays

OFFICIAL_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# As in keras/src/datasets/*.py of Keras 3.15. Keras gives an MD5 for the word index (bfafd718b763782e994055a2d397834f);
# this is the SHA-256 of the file that has it.
OFFICIAL_SHA256 = MappingProxyType(
    {
        "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
        "imdb_word_index.json": "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
        "california_housing.npz": "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    }
)
KERAS_SHUFFLE_SEED = 113  # keras.datasets shuffles with RandomState(113)
_ARRAY_PARTS = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
)


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that rebuilds NumPy arrays of plain values and refuses every other class or function."""

    def find_class(self, module: str, name: str) -> object:
        """Return the class or function, if an array of plain values needs it.

        Raises
        ------
        ValueError
            For any other name: rebuilding it could run code.
        """
        if (module, name) not in _ARRAY_PARTS:
            raise ValueError(
                f"A pickle asks for {module}.{name}, and an array of whole numbers needs no such thing. "
                "Received: a file that may be malicious. Delete it and fetch Keras's own."
            )
        return super().find_class(module, name)


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 as 64 hexadecimal digits, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def convert_official_imdb(path: Path) -> dict[str, np.ndarray]:
    """Turn Keras's official ``imdb.npz`` into the arrays of the kit's layout, in the order of `keras.datasets.imdb`.

    Parameters
    ----------
    path : the official file

    Returns
    -------
    ``train_tokens``, ``train_offsets``, ``train_labels``, and the same for ``test``, as in
    `recipe.data.layouts.LAYOUTS`

    Raises
    ------
    ValueError
        If its SHA-256 is not Keras's (nothing is unpickled then), or if it does not hold lists of whole numbers.
    """
    found = sha256_of(path)
    if found != OFFICIAL_SHA256["imdb.npz"]:
        raise ValueError(
            f"Only Keras's own imdb.npz is unpickled, SHA-256 {OFFICIAL_SHA256['imdb.npz']}. "
            f"Received: {path} with {found}. Delete it and fetch it again."
        )
    arrays: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        for part in ("train", "test"):
            texts = _read_member(archive.read(f"x_{part}.npy"))
            labels = _read_member(archive.read(f"y_{part}.npy"))
            order = np.arange(len(texts))
            np.random.RandomState(KERAS_SHUFFLE_SEED).shuffle(order)
            arrays[f"{part}_tokens"], arrays[f"{part}_offsets"] = flatten_texts(texts[order])
            arrays[f"{part}_labels"] = labels[order]
    return check_arrays(arrays, "imdb.npz", str(path))


def _read_member(content: bytes) -> np.ndarray:
    """Read one ``.npy`` member; objects in it go through `ArrayUnpickler`."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"An .npy header has version 1.0 or 2.0. Received: version={version}. Fetch the file again.")
    dtype = readers[version](stream)[2]
    if dtype.hasobject:
        return ArrayUnpickler(stream).load()
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def flatten_texts(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay lists of ranks end to end.

    Parameters
    ----------
    texts : object array of shape (n,), each item a list of whole numbers

    Returns
    -------
    (tokens, offsets): uint32 arrays of shape (total,) and (n + 1,)

    Raises
    ------
    ValueError
        If an item is not a list of whole numbers of 0 or more.

    Examples
    --------
    >>> tokens, offsets = flatten_texts(np.array([[3, 1], [2]], dtype=object))
    >>> tokens.tolist(), offsets.tolist()
    ([3, 1, 2], [0, 2, 3])
    """
    outer = set(map(type, texts))
    inner = set(map(type, itertools.chain.from_iterable(texts))) if outer <= {list} else set()
    if not outer <= {list} or not inner <= {int}:
        names = ", ".join(sorted(kind.__name__ for kind in outer | inner))
        raise ValueError(f"Reviews are lists of whole numbers. Received: {names}. Fetch the file again.")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    total = int(lengths.sum())
    try:
        tokens = np.fromiter(itertools.chain.from_iterable(texts), np.uint32, total)
    except OverflowError as error:
        raise ValueError(f"Ranks fit in 32 bits without a sign. Received: {error}. Fetch the file again.") from error
    return tokens, np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint32)
