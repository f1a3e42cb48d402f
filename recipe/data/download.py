"""Download data files: verified by their SHA-256, once even if several processes ask, whole or not there at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import threading
import warnings
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
    files = []
    for name in [file for dataset in dict.fromkeys(map(dataset_of, asked)) for file in FILES[dataset]]:
        found, faults = find_verified(name)
        for fault in faults:
            warnings.warn(fault, RuntimeWarning, stacklevel=2)
        files.append((found or download(name))[0])
    return tuple(files)


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
    if quick:
        _expect_answer(base_url() + name)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".recipe.lock", timeout=LOCK_SECONDS):
        with contextlib.suppress(OSError, ValueError):
            return read_verified(folder / name)  # another process was quicker
        incoming = folder / ".incoming"
        shutil.rmtree(incoming, ignore_errors=True)  # left by a process that was killed: the lock is ours
        incoming.mkdir()
        try:
            file, content = _receive(name, incoming)
            file.path.replace(folder / name)
            with (folder / SUMS_NAME).open("a", encoding="utf-8") as sums:  # what it was held against is stated here
                sums.write(f"{file.sha256}  {name}\n")
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    return file._replace(path=folder / name), content


def base_url() -> str:
    """Return the address that file names are appended to: ``$RECIPE_MIRROR``, else Keras's own."""
    mirror = os.environ.get("RECIPE_MIRROR")
    return mirror.rstrip("/") + "/" if mirror else OFFICIAL_URL


def _receive(name: str, folder: Path) -> tuple[FetchedFile, Content]:
    """Download a file into an empty folder; Keras's reviews, which are a pickle, are stored as plain arrays."""
    sums = OFFICIAL_SHA256
    if base_url() != OFFICIAL_URL:
        sums = parse_sums(_retrieve(SUMS_NAME, None, folder).read_text(encoding="utf-8", errors="replace"))
    if name not in sums:
        raise ValueError(
            f"The mirror's {SUMS_NAME} lists {len(sums)} files, and {name} is not among them. Received: {base_url()}. "
            "Put the file there, or unset RECIPE_MIRROR to take Keras's own."
        )
    file, content = read_verified(_retrieve(name, sums[name], folder), source="download")
    if name == "imdb.npz" and file.sha256 == OFFICIAL_SHA256[name]:
        np.savez_compressed(file.path, **content)
        stored = file.path.read_bytes()
        file = file._replace(bytes=len(stored), sha256=hashlib.sha256(stored).hexdigest())
    return file, content


def _retrieve(name: str, sha256: str | None, folder: Path) -> Path:
    """Let pooch download one file into a folder and hold it against its sum, if it has one; explain what fails."""
    import pooch
    import requests

    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    pooch.get_logger().setLevel("WARNING")  # it would print the path of a temporary folder
    files = pooch.create(folder, base_url(), registry={name: sha256}, retry_if_failed=ATTEMPTS - 1)
    try:
        return Path(files.fetch(name, downloader=pooch.HTTPDownloader(progressbar=watched, timeout=TIMEOUT)))
    except requests.HTTPError as error:
        fault, what = error, f"it answered {error.response.status_code} {error.response.reason}"
    except requests.RequestException as error:
        fault, what = error, f"there is no connection to it, or it broke off ({type(error).__name__})"
    raise ConnectionError(_failure(files.get_url(name), what)) from fault


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
        raise ConnectionError(_failure(url, f"there is no connection to it, or no answer within {QUICK_SECONDS:g} s"))


def _failure(url: str, what: str) -> str:
    return (
        f"The download from {urlsplit(url).netloc} failed: {what}. Received: {url}. "
        "Check the network, set RECIPE_MIRROR to a server nearby, or take source='sample'."
    )
