"""Data files: where they lie on this machine, whether one of them may be used, and how they are downloaded.

A download is held against its SHA-256, made once even if several processes ask, and whole or not there at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock
from platformdirs import user_data_path

from recipe.core.reviews import Reviews
from recipe.data.problems import dataset_of

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUMS_NAME = "SHA256SUMS"
KERAS_SHUFFLE_SEED = 113  # keras.datasets shuffles with RandomState(113)
OFFICIAL_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
LOCK_SECONDS = 900.0  # how long to wait for another process that downloads into the same folder
TIMEOUT = (10.0, 30.0)  # seconds to wait for a connection, and between two pieces of a file
ATTEMPTS = 3
QUICK_SECONDS = 4.0  # for a first sign of life, where nobody asked for a download: there is the sample
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
    home = os.environ.get("RECIPE_HOME")
    return Path(home).expanduser() if home else user_data_path("recipe", appauthor=False)


def fetch(names: Iterable[str] | None = None) -> tuple[FetchedFile, ...]:
    """Have datasets ready before they are needed: verify what is there, download what is not.

    A damaged file is named in a warning and fetched again.

    Parameters
    ----------
    names : names of problems, such as ``["mnist"]``; None: every dataset

    Returns
    -------
    One `FetchedFile` for each file: where it lies, its size and SHA-256, and what was verified

    Raises
    ------
    ValueError
        If there is no problem of a name, or what the server gives is not what it should be.
    OSError
        If a file can be neither found nor downloaded nor written.
    """
    asked = FILES if names is None else [names] if isinstance(names, str) else names
    files = [file for dataset in dict.fromkeys(map(dataset_of, asked)) for file in FILES[dataset]]
    return tuple((find_verified(name) or download(name))[0] for name in files)


def download(name: str, *, quick: bool = False) -> tuple[FetchedFile, Content]:
    """Download a file into `storage_folder`, once even if several processes ask for it at the same time.

    A whole file that lies there already is taken; a damaged one is replaced.

    Parameters
    ----------
    name : file name, such as ``"mnist.npz"``
    quick : give up where the server says nothing within QUICK_SECONDS

    Returns
    -------
    (file, content), as `read_verified`; ``file.source`` is ``"local"`` if it lay there already

    Raises
    ------
    ConnectionError
        If the server cannot be reached, stops in the middle or answers with an error.
    ValueError
        If what it gives has another SHA-256 than published.
    OSError
        If the folder cannot be written or the disk is full; no half-written file is left.
    """
    folder = storage_folder()
    path = folder / name
    if quick:
        _expect_answer(base_url() + name)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".recipe.lock", timeout=LOCK_SECONDS):
        with contextlib.suppress(OSError, ValueError):
            return read_verified(path)  # another process was quicker
        _retrieve(name, folder)
        try:
            file, content = read_verified(path)
        except ValueError:
            path.unlink()
            raise
        if name == "imdb.npz" and file.sha256 == OFFICIAL_SHA256[name]:  # a pickle, slow to read: plain arrays are kept
            np.savez_compressed(arrays := folder / ".imdb.npz", **content)
            _state_sum(path, hashlib.sha256(arrays.read_bytes()).hexdigest())
            arrays.replace(path)
            file, content = read_verified(path)
    return file._replace(source="download"), content


def base_url() -> str:
    """Return the address that file names are appended to: ``$RECIPE_MIRROR``, else Keras's own."""
    mirror = os.environ.get("RECIPE_MIRROR")
    return mirror.rstrip("/") + "/" if mirror else OFFICIAL_URL


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
    found, official, sums = hashlib.sha256(content).hexdigest(), OFFICIAL_SHA256[name], path.with_name(SUMS_NAME)
    stated = parse_sums(sums.read_text(encoding="utf-8", errors="replace")) if sums.is_file() else {}
    if found not in (official, stated.get(name)):
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


def _unpickle_reviews(content: bytes) -> dict[str, np.ndarray]:
    """Turn Keras's own ``imdb.npz``, which holds pickled lists, into arrays, in the order of `keras.datasets.imdb`."""
    arrays: dict[str, np.ndarray] = {}
    with np.load(io.BytesIO(content), allow_pickle=True) as archive:
        for part in ("train", "test"):
            texts, labels = archive[f"x_{part}"], archive[f"y_{part}"]
            order = np.random.RandomState(KERAS_SHUFFLE_SEED).permutation(len(texts))
            reviews = Reviews.of(np.array(text, np.uint32) for text in texts[order])
            arrays[f"{part}_tokens"], arrays[f"{part}_offsets"] = reviews.tokens, reviews.offsets.astype(np.uint32)
            arrays[f"{part}_labels"] = labels[order].astype(np.uint8)
    return arrays


def _retrieve(name: str, folder: Path) -> None:
    """Let pooch download one file under a temporary name, hold it against its sum, and put it in its place."""
    import pooch
    import requests

    url, sums, watched = base_url(), OFFICIAL_SHA256, sys.stderr.isatty() or "ipykernel" in sys.modules
    pooch.get_logger().setLevel("WARNING")  # it would say what `load` gives as its reason
    try:
        if url != OFFICIAL_URL:
            answer = requests.get(url + SUMS_NAME, timeout=TIMEOUT)
            answer.raise_for_status()
            sums = parse_sums(answer.text)
        if name not in sums:
            raise ValueError(
                f"The mirror's {SUMS_NAME} lists {len(sums)} files, and {name} is not among them. Received: {url}. Put "
                "the file there, or unset RECIPE_MIRROR to take Keras's own."
            )
        _state_sum(folder / name, sums[name])  # first: the file is never in its place without its sum
        files = pooch.create(folder, url, registry={name: sums[name]}, retry_if_failed=ATTEMPTS - 1)
        files.fetch(name, downloader=pooch.HTTPDownloader(progressbar=watched, timeout=TIMEOUT))
    except requests.RequestException as error:
        if (answer := error.response) is not None:
            raise _failure(answer.url, f"it answered {answer.status_code} {answer.reason}") from error
        what = f"there is no connection to it, or it broke off ({type(error).__name__})"
        raise _failure(url + name, what) from error


def _state_sum(path: Path, sha256: str) -> None:
    """Write down the sum of a file in its folder's ``SHA256SUMS``."""
    with (path.parent / SUMS_NAME).open("a", encoding="utf-8") as sums:
        sums.write(f"{sha256}  {path.name}\n")


def _expect_answer(url: str) -> None:
    """Return if the server says something, whatever it is, within QUICK_SECONDS.

    A connection's own timeout does not bound the look-up of the name, and counts anew for every address of a server:
    so this waits beside a thread, and no longer than it likes.
    """
    import requests

    answers = []

    def knock() -> None:
        with contextlib.suppress(requests.RequestException):
            answers.append(requests.head(url, timeout=QUICK_SECONDS))

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(QUICK_SECONDS)
    if not answers:
        raise _failure(url, f"there is no connection to it, or no answer within {QUICK_SECONDS:g} s")


def _failure(url: str, what: str) -> ConnectionError:
    return ConnectionError(
        f"The download from {urlsplit(url).netloc} failed: {what}. Received: {url}. "
        "Check the network, set RECIPE_MIRROR to a server nearby, or take source='sample'."
    )
