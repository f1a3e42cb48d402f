"""Data files on this machine: where they lie, what they must hold, and whether one of them may be used."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from recipe.core.reviews import Reviews
from recipe.data.problems import HOUSING_CAP

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUMS_NAME = "SHA256SUMS"
KERAS_SHUFFLE_SEED = 113  # keras.datasets shuffles with RandomState(113)
Content = dict[str, np.ndarray] | tuple[str, ...]  # what a file holds: arrays by name, or the words in order

# The files that each dataset is made of.
FILES = MappingProxyType(
    {
        "mnist": ("mnist.npz",),
        "imdb": ("imdb.npz", "imdb_word_index.json"),
        "housing": ("california_housing.npz",),
    }
)
# As in keras/src/datasets/*.py of Keras 3.15. Keras gives an MD5 for the word index (bfafd718b763782e994055a2d397834f);
# this is the SHA-256 of the file that has it.
OFFICIAL_SHA256 = {
    "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
    "california_housing.npz": "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
}
# The arrays that a file must hold: name -> (shape, with n for any number; type).
_PIXELS, _LABELS, _RANKS = (("n", 28, 28), np.uint8), (("n",), np.uint8), (("n",), np.uint32)
LAYOUTS = MappingProxyType(
    {
        "mnist.npz": {"x_train": _PIXELS, "y_train": _LABELS, "x_test": _PIXELS, "y_test": _LABELS},
        "imdb.npz": {
            "train_tokens": _RANKS,
            "train_offsets": _RANKS,
            "train_labels": _LABELS,
            "test_tokens": _RANKS,
            "test_offsets": _RANKS,
            "test_labels": _LABELS,
        },
        "california_housing.npz": {"x": (("n", 8), np.float32), "y": (("n",), np.float32)},
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


@dataclass(frozen=True, kw_only=True)
class FetchedFile:
    """A data file that was verified.

    Attributes
    ----------
    name : file name, such as ``"mnist.npz"``
    path : where it lies
    bytes : its size
    sha256 : its SHA-256, 64 hexadecimal digits
    source : ``"local"`` when it lay there already, ``"download"`` when it was downloaded now
    verified : what was verified, in words
    """

    name: str
    path: Path
    bytes: int
    sha256: str
    source: str
    verified: str


def search_folders() -> tuple[Path, ...]:
    """Return the folders that are searched for data files, in order.

    They are ``$RECIPE_DATASETS`` (may be shared and read-only: the kit never writes there), ``$RECIPE_HOME/datasets``,
    ``datasets/`` of the checkout that the package runs from, and the user's own data folder.
    """
    shared = os.environ.get("RECIPE_DATASETS")
    return tuple(dict.fromkeys([*([Path(shared).expanduser()] if shared else []), *_own_folders()]))


def storage_folder() -> Path:
    """Return the folder that downloads are written to: the first of `search_folders` after ``$RECIPE_DATASETS``."""
    return _own_folders()[0]


def home_folder() -> Path:
    """Return the folder that what is kept goes to: ``$RECIPE_HOME``, else the user's own data folder."""
    from platformdirs import user_data_path

    home = os.environ.get("RECIPE_HOME")
    return Path(home).expanduser() if home else user_data_path("recipe", appauthor=False)


def _own_folders() -> list[Path]:
    from platformdirs import user_data_path

    homes = [home_folder()] if os.environ.get("RECIPE_HOME") else []
    if (CHECKOUT / "pyproject.toml").is_file():
        homes.append(CHECKOUT)
    return [home / "datasets" for home in [*homes, user_data_path("recipe", appauthor=False)]]


def find_verified(name: str) -> tuple[tuple[FetchedFile, Content] | None, tuple[str, ...]]:
    """Look for a file in `search_folders` and return the first whole one.

    Returns
    -------
    (found, faults): what `read_verified` gives, or None; and what is wrong with the files that were passed over
    """
    faults = []
    for folder in search_folders():
        try:
            return read_verified(folder / name), tuple(faults)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            faults.append(str(error))
    return None, tuple(faults)


def read_verified(path: Path, source: str = "local") -> tuple[FetchedFile, Content]:
    """Read a data file and verify it: its sum, its structure, and the range of every value.

    A file that has Keras's official sum is taken as that. A sum that a ``SHA256SUMS`` beside it states must be met
    (unless it is Keras's own, which a converted file cannot meet). The word index must have Keras's sum, or a stated
    one: a flipped byte in a word would not show otherwise. In an ``.npz`` it does, since every array has a CRC-32.

    Parameters
    ----------
    path : the file; its name says which layout it must have
    source : what to write into `FetchedFile.source`

    Returns
    -------
    (file, content): content is the arrays by name, or the word of each rank for the word index

    Raises
    ------
    ValueError
        If the file is damaged, or not what its name says.
    OSError
        If it cannot be read.
    """
    name, content = path.name, path.read_bytes()
    found, official, stated = sum_of(content), OFFICIAL_SHA256[name], _stated_sum(path)
    try:
        if found != official and stated not in (None, found, official):
            raise ValueError(f"{SUMS_NAME} beside it states the SHA-256 {stated}, and it has {found}")
        if name.endswith(".json") and found not in (stated, official):
            raise ValueError(f"Keras states the SHA-256 {official}, and it has {found}")
        values = _read_words(content) if name.endswith(".json") else _read_arrays(content, name)
    # A damaged zip or a forged header provokes all kinds of errors in NumPy; to a user it is one thing.
    except Exception as error:
        what = str(error).split("\n")[0]
        raise ValueError(
            f"The file is damaged, or not what its name says: {what}. Received: {path}. Delete it and fetch it again."
        ) from error
    how = {official: "SHA-256 is Keras's own", stated: f"SHA-256 as in {SUMS_NAME}"}.get(found, "CRC-32")
    verified = f"{how}; shapes and ranges"
    return FetchedFile(name=name, path=path, bytes=len(content), sha256=found, source=source, verified=verified), values


def sum_of(content: bytes) -> str:
    """Return the SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def parse_sums(text: str) -> dict[str, str]:
    """Read the lines of a ``SHA256SUMS`` as file name -> sum.

    Raises
    ------
    ValueError
        If a line is not 64 hexadecimal digits and a plain file name.

    Examples
    --------
    >>> parse_sums("# mine\\n" + 64 * "A" + "  mnist.npz\\n") == {"mnist.npz": 64 * "a"}
    True
    """
    sums = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        digest, _, name = line.strip().partition(" ")
        name = name.strip().removeprefix("*").removeprefix("./")
        if len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef") or not name:
            raise ValueError(
                f"Line {number} of {SUMS_NAME} is not a SHA-256 and a file name. Received: {line[:80]!r}. "
                f"Write it with: sha256sum *.npz *.json > {SUMS_NAME}"
            )
        sums[name] = digest.lower()
    return sums


def _stated_sum(path: Path) -> str | None:
    """Return the sum that a ``SHA256SUMS`` in the file's folder states for it, or None."""
    sums = path.parent / SUMS_NAME
    return parse_sums(sums.read_text(encoding="utf-8", errors="replace")).get(path.name) if sums.is_file() else None


def unpickle_reviews(content: bytes) -> dict[str, np.ndarray]:
    """Turn Keras's own ``imdb.npz``, which holds pickled lists, into arrays, in the order of `keras.datasets.imdb`.

    Unpickling a file can run any code that its author wished: so only the file that Keras publishes is unpickled.

    Parameters
    ----------
    content : of the official file

    Returns
    -------
    ``train_tokens``, ``train_offsets``, ``train_labels``, and the same for ``test``, as in `LAYOUTS`

    Raises
    ------
    ValueError
        If its SHA-256 is not Keras's; nothing is unpickled then.
    """
    if sum_of(content) != OFFICIAL_SHA256["imdb.npz"]:
        raise ValueError(
            f"Only Keras's own imdb.npz is unpickled, SHA-256 {OFFICIAL_SHA256['imdb.npz']}. "
            f"Received: a file with {sum_of(content)}. Delete it and fetch it again."
        )
    arrays: dict[str, np.ndarray] = {}
    with np.load(io.BytesIO(content), allow_pickle=True) as archive:
        for part in ("train", "test"):
            texts, labels = archive[f"x_{part}"], archive[f"y_{part}"]
            order = np.random.RandomState(KERAS_SHUFFLE_SEED).permutation(len(texts))
            ends = np.cumsum([len(text) for text in texts[order]])
            words = itertools.chain.from_iterable(texts[order])
            arrays[f"{part}_tokens"] = np.fromiter(words, np.uint32, ends[-1])
            arrays[f"{part}_offsets"] = np.concatenate([[0], ends]).astype(np.uint32)
            arrays[f"{part}_labels"] = labels[order].astype(np.uint8)
    return arrays


def _read_arrays(content: bytes, name: str) -> dict[str, np.ndarray]:
    """Read an ``.npz`` in the types that `LAYOUTS` states, or refuse it; a pickle inside is refused, not executed.

    A number is converted only where its value stays the same (float64 dollars to float32 apart, which rounds).
    """
    if name == "imdb.npz" and sum_of(content) == OFFICIAL_SHA256[name]:
        return unpickle_reviews(content)
    with np.lib.npyio.NpzFile(io.BytesIO(content)) as archive:  # np.load would also take a lone array
        missing = sorted(set(LAYOUTS[name]) - set(archive.files))
        if missing:
            raise ValueError(f"it has no array {', '.join(missing)}")
        arrays = {key: archive[key] for key in LAYOUTS[name]}
    for key, (shape, dtype) in LAYOUTS[name].items():
        array = arrays[key]
        fits = array.ndim == len(shape) and array.shape[1:] == shape[1:]
        if not fits or array.dtype.kind not in ("f" if dtype is np.float32 else "iu"):
            wanted = f"({', '.join(map(str, shape))}), {np.dtype(dtype)}"
            raise ValueError(f"{key} is {array.shape}, {array.dtype}, not {wanted}")
        if array.dtype.kind in "iu" and array.size and not 0 <= array.min() <= array.max() <= np.iinfo(dtype).max:
            raise ValueError(f"{key} runs from {array.min()} to {array.max()}")
        arrays[key] = array.astype(dtype, copy=False)
    for fault in _housing_faults(**arrays) if "x" in arrays else _label_faults(arrays):
        raise ValueError(fault)
    return arrays


def _label_faults(arrays: dict[str, np.ndarray]) -> Iterator[str]:
    """Yield what is wrong with digits or reviews, whose arrays have the right shapes and types."""
    for part in ("train", "test"):
        if f"x_{part}" in arrays:
            samples, labels, highest = len(arrays[f"x_{part}"]), arrays[f"y_{part}"], 9
        else:
            tokens, offsets, labels = (arrays[f"{part}_{kind}"] for kind in ("tokens", "offsets", "labels"))
            samples, highest = len(Reviews(tokens=tokens, offsets=offsets)), 1
            if len(tokens) and tokens.min() < 1:
                yield f"{part}_tokens has the rank 0, and the first word has rank 1"
        if samples != len(labels) or not samples:
            yield f"{part} has {samples} samples and {len(labels)} labels"
        if labels.max() > highest:
            yield f"the labels of {part} run up to {labels.max()}, and the highest there is is {highest}"


def _housing_faults(x: np.ndarray, y: np.ndarray) -> Iterator[str]:
    if len(x) != len(y) or len(x) < 2:
        yield f"x has {len(x)} rows and y has {len(y)}"
    elif bad_rows := (~np.isfinite(np.column_stack([x, y]))).any(axis=1).sum():
        yield f"{bad_rows} rows hold a value that is not finite"
    elif y.min() <= 0 or y.max() > HOUSING_CAP:
        yield f"y runs from {y.min():,.0f} to {y.max():,.0f} dollars, and values lie above 0 up to {HOUSING_CAP:,.0f}"


def _read_words(content: bytes) -> tuple[str, ...]:
    """Read a JSON object word -> rank as the word of each rank, with ``""`` for rank 0."""
    ranks = json.loads(content)
    whole = isinstance(ranks, dict) and set(map(type, ranks.values())) <= {int}
    if not whole or set(ranks.values()) != set(range(1, len(ranks) + 1)):
        raise ValueError("the ranks are not 1 to the number of words, each once")
    return ("", *sorted(ranks, key=ranks.get))
