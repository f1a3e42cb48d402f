"""Data files on this machine: where they lie, and whether one of them may be used."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUMS_NAME = "SHA256SUMS"
KERAS_SHUFFLE_SEED = 113  # keras.datasets shuffles with RandomState(113)
# Arrays by name, as `ARRAYS` lists them for each file; of texts also ``words``, the word of each rank, "" for 0.
Content = dict[str, np.ndarray | tuple[str, ...]]

# The files that each dataset is made of.
FILES = {
    "mnist": ("mnist.npz",),
    "imdb": ("imdb.npz", "imdb_word_index.json"),
    "housing": ("california_housing.npz",),
}
# As in keras/src/datasets/*.py of Keras 3.15. Keras gives an MD5 for the word index (bfafd718b763782e994055a2d397834f);
# this is the SHA-256 of the file that has it.
OFFICIAL_SHA256 = {
    "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
    "california_housing.npz": "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
}
# The arrays that a file holds, and the types that they are read in. Reviews lie end to end, as ranks of words.
ARRAYS = {
    "mnist.npz": dict.fromkeys(("x_train", "y_train", "x_test", "y_test"), np.uint8),
    "imdb.npz": {
        f"{part}_{what}": dtype
        for part in ("train", "test")
        for what, dtype in (("tokens", np.uint32), ("offsets", np.uint32), ("labels", np.uint8))
    },
    "california_housing.npz": {"x": np.float32, "y": np.float32},  # y in dollars
}


class FetchedFile(NamedTuple):
    """A data file that was verified."""

    name: str  # such as "mnist.npz"
    path: Path
    bytes: int
    sha256: str  # 64 hexadecimal digits
    source: str  # "local" when it lay there already, "download" when it was downloaded now
    verified: str  # whose sum it met, in words


def search_folders() -> tuple[Path, ...]:
    """Return the folders that are searched for data files: ``$RECIPE_DATASETS``, then `storage_folder`."""
    shared = os.environ.get("RECIPE_DATASETS")  # may be read-only: the kit never writes there
    return (Path(shared).expanduser(), storage_folder()) if shared else (storage_folder(),)


def storage_folder() -> Path:
    """Return the folder of downloads: in ``$RECIPE_HOME``, else in the checkout that runs, else in the user's own."""
    is_checkout = (CHECKOUT / "pyproject.toml").is_file() and not os.environ.get("RECIPE_HOME")
    return (CHECKOUT if is_checkout else home_folder()) / "datasets"


def home_folder() -> Path:
    """Return the folder that what is kept goes to: ``$RECIPE_HOME``, else the user's own data folder."""
    from platformdirs import user_data_path

    home = os.environ.get("RECIPE_HOME")
    return Path(home).expanduser() if home else user_data_path("recipe", appauthor=False)


def find_verified(name: str) -> tuple[FetchedFile, Content] | None:
    """Return the first whole file of that name in `search_folders`, as `read_verified` does; warn of damaged ones."""
    for folder in search_folders():
        try:
            return read_verified(folder / name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            warnings.warn(f"{error} It is passed over.", RuntimeWarning, stacklevel=4)
    return None


def read_verified(path: Path) -> tuple[FetchedFile, Content]:
    """Read a data file whose SHA-256 is Keras's own, or stated by a ``SHA256SUMS`` beside it.

    Unpickling can run any code that a file's author wished: so only the ``imdb.npz`` that Keras publishes is unpickled.

    Parameters
    ----------
    path : the file; its name says what it must hold

    Returns
    -------
    (file, content): content is the arrays by name; of the word index ``words``, the word of each rank, ``""`` for 0

    Raises
    ------
    ValueError
        If the file has another sum, or is not what its name says.
    OSError
        If it cannot be read.
    """
    name, content = path.name, path.read_bytes()
    found, official = hashlib.sha256(content).hexdigest(), OFFICIAL_SHA256[name]
    if found not in (official, _stated_sum(path)):
        raise ValueError(
            f"The file is damaged, or not what its name says: its SHA-256, {found}, is not Keras's, nor one that "
            f"{SUMS_NAME} beside it states. Received: {path}. Delete it and fetch it again."
        )
    try:
        if name.endswith(".json"):
            ranks = json.loads(content)  # word -> rank, from 1 on
            values = {"words": ("", *sorted(ranks, key=ranks.get))}
        elif name == "imdb.npz" and found == official:
            values = _unpickle_reviews(content)
        else:
            with np.load(io.BytesIO(content)) as archive:  # a pickle inside is refused, not run
                values = {key: archive[key].astype(dtype, copy=False) for key, dtype in ARRAYS[name].items()}
    except Exception as error:  # whoever stated its sum vouched for the wrong file, and there are many of these
        raise ValueError(
            f"The file is not what its name says: {error!r}. Received: {path}. Put the right one in its place."
        ) from error
    verified = "SHA-256 is Keras's own" if found == official else f"SHA-256 as in {SUMS_NAME}"
    file = FetchedFile(name, path, bytes=len(content), sha256=found, source="local", verified=verified)
    return file, values


def parse_sums(text: str) -> dict[str, str]:
    """Read the lines of a ``SHA256SUMS`` as file name -> sum; of a name that stands there twice, the later line counts.

    Examples
    --------
    >>> parse_sums("# mine\\n" + 64 * "A" + "  mnist.npz\\n") == {"mnist.npz": 64 * "a"}
    True
    """
    lines = re.findall(r"^([0-9a-fA-F]{64}) [ *]?(?:\./)?(\S.*)$", text, flags=re.MULTILINE)
    return {name.strip(): digits.lower() for digits, name in lines}


def _stated_sum(path: Path) -> str | None:
    """Return the sum that a ``SHA256SUMS`` in the file's folder states for it, or None."""
    sums = path.parent / SUMS_NAME
    return parse_sums(sums.read_text(encoding="utf-8", errors="replace")).get(path.name) if sums.is_file() else None


def _unpickle_reviews(content: bytes) -> dict[str, np.ndarray]:
    """Turn Keras's own ``imdb.npz``, which holds pickled lists, into arrays, in the order of `keras.datasets.imdb`."""
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
