"""The kit's file layouts: arrays of numbers by name, nothing pickled, and each file checked before it is used."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from recipe.core.reviews import check_offsets
from recipe.data.problems import HOUSING_CAP

# The files that each dataset is made of.
FILES = MappingProxyType(
    {
        "mnist": ("mnist.npz",),
        "imdb": ("imdb.npz", "imdb_word_index.json"),
        "housing": ("california_housing.npz",),
    }
)
# The arrays that a file must hold: name -> (shape, with n for any number of samples; type).
LAYOUTS = MappingProxyType(
    {
        "mnist.npz": {
            "x_train": (("n", 28, 28), np.uint8),
            "y_train": (("n",), np.uint8),
            "x_test": (("n", 28, 28), np.uint8),
            "y_test": (("n",), np.uint8),
        },
        "imdb.npz": {
            "train_tokens": (("n",), np.uint32),
            "train_offsets": (("n",), np.uint32),
            "train_labels": (("n",), np.uint8),
            "test_tokens": (("n",), np.uint32),
            "test_offsets": (("n",), np.uint32),
            "test_labels": (("n",), np.uint8),
        },
        "california_housing.npz": {"x": (("n", 8), np.float32), "y": (("n",), np.float32)},
    }
)
PROVENANCE = MappingProxyType(
    {
        "mnist": "MNIST handwritten digits, 28 x 28 grey levels (LeCun, Cortes and Burges; CC BY-SA 3.0).",
        "imdb": "The Large Movie Review Dataset (Maas et al., 2011), tokenised as Keras does it.",
        "housing": "California housing, districts of the 1990 census (Pace and Barry, 1997; StatLib).",
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class RawData:
    """What a source gives for one dataset, before rows are chosen and the test set is sealed.

    Attributes
    ----------
    arrays : arrays by name, as `LAYOUTS` states them; a sample has the same names as the real file
    provenance : what it is, whence, and its licence; a sample says that it is one
    pixel_max : the largest pixel value, 0.0 where there are no pixels
    vocabulary : word of each rank, ``""`` for rank 0; empty where there are no words
    reachable_error : for samples, the error of the best possible model; None where nobody knows it
    """

    arrays: dict[str, np.ndarray]
    provenance: str
    pixel_max: float = 0.0
    vocabulary: tuple[str, ...] = ()
    reachable_error: float | None = None


def read_npz(path: Path, name: str) -> dict[str, np.ndarray]:
    """Read and check one of the kit's ``.npz`` files; a pickle inside is refused, not executed.

    Parameters
    ----------
    path : the file
    name : which layout it must have, a key of `LAYOUTS`

    Returns
    -------
    The arrays by name, in the types that `LAYOUTS` states

    Raises
    ------
    ValueError
        If the file is damaged, holds a pickle, or its arrays have the wrong shape, type or range.
    OSError
        If it cannot be opened.
    """
    path.open("rb").close()  # a file that is missing or may not be read says so itself
    try:
        arrays = _read_members(path, tuple(LAYOUTS[name]))
    # A damaged zip or a forged header provokes all kinds of errors in the readers below; to a user it is one thing.
    except Exception as error:
        raise ValueError(_damaged(path, str(error).split("\n")[0])) from error
    return check_arrays(arrays, name, str(path))


def _read_members(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Read the members side by side: most of the time goes into unpacking them, which takes a core each."""
    with zipfile.ZipFile(path) as archive:  # np.load would also take a lone array or a bare pickle
        missing = sorted(set(names) - {member.removesuffix(".npy") for member in archive.namelist()})
    if missing:
        raise ValueError(f"it has no array {', '.join(missing)}")
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(names, pool.map(lambda name: _read_member(path, name), names), strict=True))


def _read_member(path: Path, name: str) -> np.ndarray:
    with np.load(path, allow_pickle=False) as archive:
        return archive[name]


def check_arrays(arrays: dict[str, np.ndarray], name: str, where: str) -> dict[str, np.ndarray]:
    """Return the arrays in the layout's types, or refuse them.

    A number is converted only where its value stays the same (float64 dollars to float32 apart, which rounds).

    Parameters
    ----------
    arrays : arrays by name
    name : a key of `LAYOUTS`
    where : the file, for the message

    Raises
    ------
    ValueError
        If an array has the wrong shape, kind or range.
    """
    checked = {}
    for key, (shape, dtype) in LAYOUTS[name].items():
        array = arrays[key]
        fits = array.ndim == len(shape) and array.shape[1:] == shape[1:]
        if not fits or array.dtype.kind not in ("f" if dtype is np.float32 else "iu"):
            wanted = f"({', '.join(map(str, shape))}), {np.dtype(dtype)}"
            raise ValueError(_damaged(where, f"{key} is {array.shape}, {array.dtype}, not {wanted}"))
        if array.dtype.kind in "iu" and array.size and not 0 <= array.min() <= array.max() <= np.iinfo(dtype).max:
            raise ValueError(_damaged(where, f"{key} runs from {array.min()} to {array.max()}"))
        checked[key] = array.astype(dtype, copy=False)
    fault = _FAULTS[name](checked)
    if fault:
        raise ValueError(_damaged(where, fault))
    return checked


def _mnist_fault(arrays: dict[str, np.ndarray]) -> str:
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        if len(images) != len(labels) or not len(labels):
            return f"{part} has {len(images)} images and {len(labels)} labels"
        if labels.max() > 9:
            return f"y_{part} has the label {labels.max()}, and the digits are 0 to 9"
    return ""


def _imdb_fault(arrays: dict[str, np.ndarray]) -> str:
    for part in ("train", "test"):
        tokens, offsets, labels = (arrays[f"{part}_{kind}"] for kind in ("tokens", "offsets", "labels"))
        try:
            check_offsets(offsets, len(tokens))
        except ValueError as error:
            return f"{part}_offsets: {error}"
        if len(offsets) != len(labels) + 1 or not len(labels):
            return f"{part} has {len(offsets)} offsets and {len(labels)} labels"
        if labels.max() > 1:
            return f"{part}_labels has the label {labels.max()}, and the labels are 0 and 1"
        if len(tokens) and tokens.min() < 1:
            return f"{part}_tokens has the rank 0, and the first word has rank 1"
    return ""


def _housing_fault(arrays: dict[str, np.ndarray]) -> str:
    x, y = arrays["x"], arrays["y"]
    if len(x) != len(y) or len(x) < 2:
        return f"x has {len(x)} rows and y has {len(y)}"
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        bad_rows = (~np.isfinite(np.column_stack([x, y]))).any(axis=1).sum()
        return f"{bad_rows} rows hold a value that is not finite"
    if y.min() <= 0 or y.max() > HOUSING_CAP:
        return f"y runs from {y.min():,.0f} to {y.max():,.0f} dollars, and values lie above 0 up to {HOUSING_CAP:,.0f}"
    return ""


_FAULTS = {"mnist.npz": _mnist_fault, "imdb.npz": _imdb_fault, "california_housing.npz": _housing_fault}


def read_word_index(path: Path) -> tuple[str, ...]:
    """Read a JSON object word -> rank as the word of each rank, with ``""`` for rank 0.

    Raises
    ------
    ValueError
        If it is not JSON, or the ranks are not 1 to the number of words, each once.
    """
    try:
        ranks = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(_damaged(path, str(error))) from error
    whole = isinstance(ranks, dict) and set(map(type, ranks.values())) <= {int}
    if not whole or set(ranks.values()) != set(range(1, len(ranks) + 1)):
        raise ValueError(_damaged(path, "the ranks are not 1 to the number of words, each once"))
    words = [""] * (len(ranks) + 1)
    for word, rank in ranks.items():
        words[rank] = word
    return tuple(words)


def _damaged(path: Path | str, what: str) -> str:
    return f"The file is damaged, or not what its name says: {what}. Received: {path}. Delete it and fetch it again."
