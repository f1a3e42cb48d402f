"""Data files on this machine: where they lie, what they must hold, and whether one of them may be used."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import re
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
# The arrays that a file must hold: name -> (shape, with n for any number; type; smallest and largest value).
_IMAGES, _DIGITS = (("n", 28, 28), np.uint8, 0, 255), (("n",), np.uint8, 0, 9)
_RANKS, _LABELS = (("n",), np.uint32, 1, 2**32 - 1), (("n",), np.uint8, 0, 1)
_OFFSETS = (("n",), np.uint32, 0, 2**32 - 1)
_LARGEST = float(np.finfo(np.float32).max)
LAYOUTS = MappingProxyType(
    {
        "mnist.npz": {"x_train": _IMAGES, "y_train": _DIGITS, "x_test": _IMAGES, "y_test": _DIGITS},
        "imdb.npz": {
            "train_tokens": _RANKS,
            "train_offsets": _OFFSETS,
            "train_labels": _LABELS,
            "test_tokens": _RANKS,
            "test_offsets": _OFFSETS,
            "test_labels": _LABELS,
        },
        "california_housing.npz": {
            "x": (("n", 8), np.float32, -_LARGEST, _LARGEST),
            "y": (("n",), np.float32, 1, HOUSING_CAP),  # dollars
        },
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
        what = str(error).split("\n")[0].rstrip(".")
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
        found = re.fullmatch(r"([0-9a-fA-F]{64}) [ *]?(?:\./)?(\S.*)", line.strip())
        if not found:
            raise ValueError(
                f"Line {number} of {SUMS_NAME} is not a SHA-256 and a file name. Received: {line[:80]!r}. "
                f"Write it with: sha256sum *.npz *.json > {SUMS_NAME}"
            )
        sums[found[2]] = found[1].lower()
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
    for key, (shape, dtype, low, high) in LAYOUTS[name].items():
        array = arrays[key]
        fits = array.ndim == len(shape) and array.shape[1:] == shape[1:]
        if not fits or array.dtype.kind not in ("f" if dtype is np.float32 else "iu"):
            wanted = f"({', '.join(map(str, shape))}), {np.dtype(dtype)}"
            raise ValueError(f"{key} is {array.shape}, {array.dtype}, not {wanted}")
        if array.size and not (low <= array.min() and array.max() <= high):  # so it is with a NaN among the values
            raise ValueError(
                f"{key} runs from {array.min():g} to {array.max():g}, and values lie in [{low:g}, {high:g}]"
            )
        arrays[key] = array.astype(dtype, copy=False)
    _check_counts(arrays)
    return arrays


def _check_counts(arrays: dict[str, np.ndarray]) -> None:
    """Refuse arrays that do not have one target a sample, or no samples at all."""
    pairs = [("x", "y"), ("x_train", "y_train"), ("x_test", "y_test")]
    counts = {y: (len(arrays[x]), len(arrays[y])) for x, y in pairs if x in arrays}
    for part in ("train", "test"):
        if f"{part}_tokens" in arrays:
            reviews = Reviews(tokens=arrays[f"{part}_tokens"], offsets=arrays[f"{part}_offsets"])
            counts[f"{part}_labels"] = len(reviews), len(arrays[f"{part}_labels"])
    for key, (samples, targets) in counts.items():
        if samples != targets or not samples:
            raise ValueError(f"{key} has {targets} targets for {samples} samples")


def _read_words(content: bytes) -> tuple[str, ...]:
    """Read a JSON object word -> rank as the word of each rank, with ``""`` for rank 0."""
    ranks = json.loads(content)
    whole = isinstance(ranks, dict) and set(map(type, ranks.values())) <= {int}
    if not whole or set(ranks.values()) != set(range(1, len(ranks) + 1)):
        raise ValueError("the ranks are not 1 to the number of words, each once")
    return ("", *sorted(ranks, key=ranks.get))
