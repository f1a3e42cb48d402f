"""Download data files: verified by their SHA-256, once even if several processes ask, whole or not there at all."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import queue
import shutil
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
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
    sum_of,
    unpickle_reviews,
)
from recipe.data.problems import dataset_of
from recipe.data.safe_files import hold_lock

OFFICIAL_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
LOCK_SECONDS = 900.0  # how long to wait for another process that downloads into the same folder
CHUNK = 1 << 16  # bytes between two steps of the progress bar


class Patience(NamedTuple):
    """How long to wait for a server.

    `connect` and `read` are seconds to wait for a connection, and between two pieces of the file; `attempts` is how
    often to try (an answer that will not change, such as 404, is not asked for again). `answer` is the seconds until
    the first sign of life, name look-up and every address included; None: no such limit.
    """

    connect: float = 10.0
    read: float = 30.0
    attempts: int = 3
    answer: float | None = None


THOROUGH = Patience()  # for whoever asked for a download
QUICK = Patience(connect=3.0, read=8.0, attempts=2, answer=4.0)  # nobody asked: there is the sample


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
    datasets = dict.fromkeys(dataset_of(name) for name in asked)
    return tuple(_fetch_file(file) for dataset in datasets for file in FILES[dataset])


def _fetch_file(name: str) -> FetchedFile:
    found, faults = find_verified(name)
    for fault in faults:
        warnings.warn(fault, RuntimeWarning, stacklevel=4)
    return (found or download(name))[0]


def download(name: str, patience: Patience = THOROUGH) -> tuple[FetchedFile, Content]:
    """Download a file into `storage_folder`, once even if several processes ask for it at the same time.

    A whole file that lies there already is taken; a damaged one is replaced.

    Parameters
    ----------
    name : file name, such as ``"mnist.npz"``
    patience : how long to wait for the server

    Returns
    -------
    (file, content), as `recipe.data.files.read_verified`; ``file.source`` is ``"local"`` if it lay there already

    Raises
    ------
    ConnectionError
        If the server cannot be reached, stops in the middle or answers with an error.
    ValueError
        If what it gives has another SHA-256 than published, or is damaged.
    OSError
        If the folder cannot be written or the disk is full; no half-written file is left.
    """
    folder = storage_folder()
    with contextlib.suppress(OSError, ValueError):
        return read_verified(folder / name)
    if patience.answer is not None:
        _expect_answer(base_url() + name, patience)
    with _explained(folder), _alone_in(folder):
        with contextlib.suppress(OSError, ValueError):
            return read_verified(folder / name)  # another process was quicker
        incoming = folder / ".incoming"
        shutil.rmtree(incoming, ignore_errors=True)  # left by a process that was killed: the lock is ours
        incoming.mkdir()
        try:
            path = _retrieve(name, _expected_sum(name, incoming, patience), incoming, patience)
            if name == "imdb.npz" and sum_of(path.read_bytes()) == OFFICIAL_SHA256[name]:
                np.savez_compressed(path, **unpickle_reviews(path.read_bytes()))
            file, content = read_verified(path, source="download")
            path.replace(folder / name)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
    verified = f"SHA-256 as {'Keras' if base_url() == OFFICIAL_URL else 'the mirror'} states it; shapes and ranges"
    return dataclasses.replace(file, path=folder / name, verified=verified), content


def base_url() -> str:
    """Return the address that file names are appended to: ``$RECIPE_MIRROR``, else Keras's own.

    Raises
    ------
    ValueError
        If ``$RECIPE_MIRROR`` is not an http or https address.
    """
    mirror = os.environ.get("RECIPE_MIRROR", "")
    if mirror and (urlsplit(mirror).scheme not in ("http", "https") or not urlsplit(mirror).netloc):
        raise ValueError(
            f"A mirror is an http or https address. Received: RECIPE_MIRROR={mirror!r}. "
            "Give one such as http://192.168.0.10:8000/datasets, or unset it."
        )
    return mirror.rstrip("/") + "/" if mirror else OFFICIAL_URL


def _retrieve(name: str, sha256: str | None, folder: Path, patience: Patience) -> Path:
    """Let pooch download one file into a folder and hold it against its sum, if it has one; explain what fails."""
    import pooch
    import requests

    def ask(url: str, file: str, files: pooch.Pooch) -> None:
        try:
            downloader(url, file, files)
        except requests.HTTPError as error:
            if error.response.status_code >= 500:
                raise
            raise ConnectionError(_failure(url, _explain(error))) from error  # the next answer would be the same

    downloader = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty() or "ipykernel" in sys.modules,  # where somebody watches
        chunk_size=CHUNK,
        timeout=(patience.connect, patience.read),
    )
    pooch.get_logger().setLevel("WARNING")  # it would print the path of a temporary folder
    files = pooch.create(folder, base_url(), registry={name: sha256}, retry_if_failed=patience.attempts - 1)
    try:
        return Path(files.fetch(name, downloader=ask))
    except (requests.RequestException, ValueError) as error:
        kind = ConnectionError if isinstance(error, requests.RequestException) else ValueError
        what = f"{_explain(error)} (after {patience.attempts} attempts)"
        raise kind(_failure(files.get_url(name), what)) from error


def _expected_sum(name: str, folder: Path, patience: Patience) -> str:
    """Return the SHA-256 that the file must have: Keras's, or what the mirror's ``SHA256SUMS`` states."""
    if base_url() == OFFICIAL_URL:
        return OFFICIAL_SHA256[name]
    listed = _retrieve(SUMS_NAME, None, folder, patience)
    sums = parse_sums(listed.read_text(encoding="utf-8", errors="replace"))
    if name not in sums:
        raise ValueError(
            f"The mirror's {SUMS_NAME} lists {len(sums)} files, and {name} is not among them. Received: {base_url()}. "
            "Put the file there, or unset RECIPE_MIRROR to take Keras's own."
        )
    return sums[name]


def _expect_answer(url: str, patience: Patience) -> None:
    """Return if the server gives a sign of life within ``patience.answer`` seconds, whatever it says.

    A connection's own timeout does not bound the look-up of the name, and counts anew for every address of a server:
    so this waits beside a thread, for as long as it likes and no longer.
    """
    import requests

    answers: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def knock() -> None:
        try:
            requests.head(url, timeout=patience.connect).close()
            answers.put(None)
        except requests.RequestException as error:
            answers.put(error)

    threading.Thread(target=knock, daemon=True).start()
    try:
        error = answers.get(timeout=patience.answer)
    except queue.Empty:
        raise ConnectionError(_failure(url, f"it gave no answer within {patience.answer:g} s")) from None
    if error is not None:
        raise ConnectionError(_failure(url, _explain(error))) from error


def _explain(error: Exception) -> str:
    """Return in a few words what a failed request met with."""
    import requests

    text = str(error)
    if isinstance(error, requests.HTTPError):
        return f"it answered {error.response.status_code} {error.response.reason}"
    if not isinstance(error, requests.RequestException):
        return f"the file is not the one that was published: {text.splitlines()[0]}"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "it was silent for too long"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in text:
        return "it stopped in the middle of the file"
    if "resolve" in text or "getaddrinfo" in text:
        return "its name is not known here, as happens without a network"
    return "there is no connection to it"


def _failure(url: str, what: str) -> str:
    return (
        f"The download from {urlsplit(url).netloc} failed: {what}. Received: {url}. "
        "Check the network, set RECIPE_MIRROR to a server nearby, or take source='sample'."
    )


@contextlib.contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Say which folder could not be written, and the way out, where the system only gives a number."""
    way_out = "Set RECIPE_HOME to a folder that you can write to, or take source='sample'."
    try:
        yield
    except OSError as error:
        if error.errno is None:  # one of ours, or the network's: it explains itself
            raise
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            fact = "There is no space left for the data, which needs up to 200 MB while it is converted."
            way_out = f"Free some space. {way_out}"
        else:
            fact = f"The folder for downloaded data cannot be written: {error.strerror}."
        raise OSError(error.errno, f"{fact} Received: {folder}. {way_out}") from error


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: whoever writes there writes alone."""
    folder.mkdir(parents=True, exist_ok=True)
    waiting = {"seconds": LOCK_SECONDS, "poll_seconds": 0.05}
    with hold_lock(folder / ".recipe.lock", **waiting, doing="been downloading", way_out="Wait for it or end it"):
        yield
