"""Download data files: verified by their SHA-256, once even if several processes ask, whole or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from recipe.data.files import (
    FILES,
    OFFICIAL_SHA256,
    SUMS_NAME,
    Content,
    FetchedFile,
    find_verified,
    parse_sums,
    read_verified,
    storage_folder,
)
from recipe.data.problems import dataset_of

OFFICIAL_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
LOCK_SECONDS = 900.0  # how long to wait for another process that downloads into the same folder
TIMEOUT = (10.0, 30.0)  # seconds to wait for a connection, and between two pieces of a file
ATTEMPTS = 3
QUICK_SECONDS = 4.0  # for a first sign of life, where nobody asked for a download: there is the sample


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
    (file, content), as `recipe.data.files.read_verified`; ``file.source`` is ``"local"`` if it lay there already

    Raises
    ------
    ConnectionError
        If the server cannot be reached, stops in the middle or answers with an error.
    ValueError
        If what it gives has another SHA-256 than published.
    OSError
        If the folder cannot be written or the disk is full; no half-written file is left.
    """
    from filelock import FileLock

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
