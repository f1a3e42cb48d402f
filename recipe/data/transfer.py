"""One file over HTTP: from where, with how much patience, with which SHA-256, and what went wrong in plain words."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from recipe.data.convert import OFFICIAL_SHA256, OFFICIAL_URL
from recipe.data.folders import SUMS_NAME, parse_sums

SUMS_LIMIT = 1 << 20  # bytes that are read of a SHA256SUMS, which is a few lines
CHUNK = 1 << 16  # bytes between two steps of the progress bar


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a server.

    Attributes
    ----------
    connect, read : seconds to wait for a connection, and between two pieces of the file
    attempts : how often to try; an answer that will not change, such as 404, is not asked for again
    pause : seconds between the first two attempts; one more pause each time after that
    answer : seconds until the first sign of life, name look-up and every address included; None: no such limit
    """

    connect: float = 10.0
    read: float = 30.0
    attempts: int = 3
    pause: float = 1.0
    answer: float | None = None


THOROUGH = Patience()  # for whoever asked for a download
QUICK = Patience(connect=3.0, read=8.0, attempts=2, pause=0.5, answer=4.0)  # nobody asked: there is the sample


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


def expect_answer(url: str, patience: Patience) -> None:
    """Return if the server gives a sign of life within ``patience.answer`` seconds, whatever it says.

    A connection's own timeout does not bound the look-up of the name, and counts anew for every address of a server:
    so this waits beside a thread, for as long as it likes and no longer.

    Raises
    ------
    ConnectionError
        If there is no answer in time, or no network.
    """
    import requests

    outcome: list[Exception | None] = []

    def knock() -> None:
        try:
            requests.head(url, timeout=(patience.connect, patience.connect)).close()
            outcome.append(None)
        except requests.RequestException as error:
            outcome.append(error)

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(patience.answer)
    if not outcome:
        raise ConnectionError(_failure(url, f"it gave no answer within {patience.answer:g} s"))
    if outcome[0] is not None:
        raise ConnectionError(_failure(url, explain(outcome[0]))) from outcome[0]


def expected_sum(name: str, patience: Patience) -> str:
    """Return the SHA-256 that the file must have: Keras's, or what the mirror's ``SHA256SUMS`` states.

    Raises
    ------
    ConnectionError
        If the mirror does not give its ``SHA256SUMS``.
    ValueError
        If that does not list the file, or is no such list.
    """
    if base_url() == OFFICIAL_URL:
        return OFFICIAL_SHA256[name]
    import requests

    url = base_url() + SUMS_NAME
    try:
        with requests.get(url, timeout=(patience.connect, patience.read), stream=True) as response:
            response.raise_for_status()
            text = response.raw.read(SUMS_LIMIT, decode_content=True).decode("utf-8", errors="replace")
    except requests.RequestException as error:
        raise ConnectionError(_failure(url, explain(error))) from error
    sums = parse_sums(text)
    if name not in sums:
        raise ValueError(
            f"The mirror's {SUMS_NAME} lists {len(sums)} files, and {name} is not among them. Received: {url}. "
            "Put the file there, or unset RECIPE_MIRROR to take Keras's own."
        )
    return sums[name]


def retrieve(name: str, folder: Path, patience: Patience) -> Path:
    """Download one file into a folder and hold it against its SHA-256, with a progress bar on a terminal or notebook.

    Parameters
    ----------
    name : file name, such as ``"mnist.npz"``
    folder : where to put it; after a failure it holds no part of the file

    Raises
    ------
    ConnectionError
        If the server cannot be reached, stops in the middle or answers with an error, at the last attempt.
    ValueError
        If the file has another SHA-256, at the last attempt.
    OSError
        If the file cannot be written.
    """
    import pooch
    import requests

    url, known_hash = base_url() + name, f"sha256:{expected_sum(name, patience)}"
    pooch.get_logger().setLevel("WARNING")  # it would print the path of a temporary folder
    for attempt in range(1, patience.attempts + 1):
        try:
            with _progress_bar(name) as bar:
                timeout = (patience.connect, patience.read)
                downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=timeout)
                return Path(pooch.retrieve(url, known_hash, fname=name, path=folder, downloader=downloader))
        except (requests.RequestException, ValueError) as error:
            refused = getattr(getattr(error, "response", None), "status_code", 0) in range(400, 500)
            if refused or attempt == patience.attempts:
                kind = ConnectionError if isinstance(error, requests.RequestException) else ValueError
                raise kind(_failure(url, f"{explain(error)} ({attempt} of {patience.attempts} attempts)")) from error
        time.sleep(patience.pause * attempt)
    raise ValueError(f"A download takes one attempt at least. Received: attempts={patience.attempts}. Allow 1 or more.")


def explain(error: Exception) -> str:
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


def _progress_bar(name: str) -> object:
    """Return a tqdm bar, silent where nobody watches: standard error is no terminal and this is no notebook."""
    from tqdm.auto import tqdm

    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    return tqdm(total=1, desc=name, unit="B", unit_scale=True, disable=not watched)
