"""Have data files ready: verify what is there, download the rest, and leave each file whole or not there at all."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from recipe.core.files import hold_lock
from recipe.data.convert import OFFICIAL_SHA256, convert_official_imdb, sha256_of
from recipe.data.folders import Content, FetchedFile, find_verified, read_verified, storage_folder
from recipe.data.layouts import FILES
from recipe.data.problems import find_problem
from recipe.data.transfer import THOROUGH, Patience, base_url, expect_answer, retrieve

LOCK_SECONDS = 900.0  # how long to wait for another process that downloads into the same folder


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
    if isinstance(names, str):
        names = [names]
    bases = list(FILES) if names is None else [find_problem(name).base for name in names]
    return tuple(_fetch_file(name) for base in dict.fromkeys(bases) for name in FILES[base])


def _fetch_file(name: str) -> FetchedFile:
    found, faults = find_verified(name)
    for fault in faults:
        warnings.warn(fault, RuntimeWarning, stacklevel=3)
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
    (file, content), as `recipe.data.folders.read_verified`; ``file.source`` is ``"local"`` if it lay there already

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
        expect_answer(base_url() + name, patience)
    with _explained(folder), _locked(folder):
        with contextlib.suppress(OSError, ValueError):
            return read_verified(folder / name)  # another process was quicker
        for left_over in folder.glob(".incoming-*"):  # by a process that was killed: the lock is ours
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
            path = retrieve(name, Path(incoming), patience)
            verified = _convert(path)
            file, content = read_verified(path, source="download")
            path.replace(folder / name)
    return dataclasses.replace(file, path=folder / name, verified=verified), content


def _convert(path: Path) -> str:
    """Bring a download, whose sum was right, into the kit's layout where it stands, and say what was verified."""
    if sha256_of(path) != OFFICIAL_SHA256[path.name]:
        return "SHA-256 as on the mirror; shapes and ranges"
    if path.name == "imdb.npz":
        np.savez_compressed(path, **convert_official_imdb(path))
        return "SHA-256 was Keras's own; converted to arrays without pickles; shapes and ranges"
    return "SHA-256 is Keras's own; shapes and ranges"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: whoever writes there writes alone.

    Raises
    ------
    TimeoutError
        If another process keeps it for LOCK_SECONDS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = {"seconds": LOCK_SECONDS, "poll_seconds": 0.05}
    with hold_lock(folder / ".recipe.lock", **waiting, doing="been downloading", way_out="Wait for it or end it"):
        yield


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
