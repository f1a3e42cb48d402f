"""Where data files lie on this machine, and whether one of them may be used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recipe.data.convert import OFFICIAL_SHA256, convert_official_imdb, sha256_of
from recipe.data.layouts import read_npz, read_word_index

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUMS_NAME = "SHA256SUMS"
Content = dict[str, np.ndarray] | tuple[str, ...]  # what a file holds: arrays by name, or the words in order


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
    named = [os.environ.get("RECIPE_DATASETS"), *([_home() / "datasets"] if _home() else [])]
    folders = [Path(folder).expanduser() for folder in named if folder]
    return tuple(dict.fromkeys([*folders, *_checkout_folder(), _user_folder()]))


def storage_folder() -> Path:
    """Return the folder that downloads are written to: the first of `search_folders` after ``$RECIPE_DATASETS``."""
    if _home():
        return _home() / "datasets"
    return next(iter(_checkout_folder()), _user_folder())


def home_folder() -> Path:
    """Return the folder that what is kept goes to: ``$RECIPE_HOME``, else the user's own data folder."""
    return _home() or _user_folder().parent


def _home() -> Path | None:
    home = os.environ.get("RECIPE_HOME")
    return Path(home).expanduser() if home else None


def _checkout_folder() -> list[Path]:
    """Return ``datasets/`` beside the package where that is a checkout, known by its ``pyproject.toml``."""
    return [CHECKOUT / "datasets"] if (CHECKOUT / "pyproject.toml").is_file() else []


def _user_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("recipe", appauthor=False) / "datasets"


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
    (file, content): content is the arrays by name, or the vocabulary for the word index

    Raises
    ------
    ValueError
        If the file is damaged, or not what its name says.
    OSError
        If it cannot be read.
    """
    name, found = path.name, sha256_of(path)
    official, stated = found == OFFICIAL_SHA256[name], _stated_sum(path)
    if not official and stated not in (None, found, OFFICIAL_SHA256[name]):
        raise ValueError(_wrong_sum(path, found, stated, f"{SUMS_NAME} beside it"))
    if name.endswith(".json"):
        if not official and stated != found:
            raise ValueError(_wrong_sum(path, found, OFFICIAL_SHA256[name], "Keras"))
        content = read_word_index(path)
    elif official and name == "imdb.npz":
        content = convert_official_imdb(path)
    else:
        content = read_npz(path, name)
    how = "SHA-256 is Keras's own" if official else f"SHA-256 as in {SUMS_NAME}" if stated == found else "CRC-32"
    file = FetchedFile(
        name=name,
        path=path,
        bytes=path.stat().st_size,
        sha256=found,
        source=source,
        verified=f"{how}; shapes and ranges",
    )
    return file, content


def _stated_sum(path: Path) -> str | None:
    """Return the sum that a ``SHA256SUMS`` in the file's folder states for it, or None."""
    sums = path.parent / SUMS_NAME
    return parse_sums(sums.read_text(encoding="utf-8", errors="replace")).get(path.name) if sums.is_file() else None


def _wrong_sum(path: Path, found: str, stated: str | None, by: str) -> str:
    return (
        f"The file is damaged: {by} states the SHA-256 {stated}. Received: {path} with {found}. "
        "Delete it and fetch it again."
    )
