"""Which source the data comes from: files on this machine, a download, or the sample; and why that one."""

from __future__ import annotations

import os
import warnings
from urllib.parse import urlsplit

import numpy as np

from recipe.data.fetch import download
from recipe.data.folders import Content, FetchedFile, find_verified, search_folders
from recipe.data.layouts import FILES, PROVENANCE, RawData
from recipe.data.transfer import QUICK, base_url

SOURCES = ("auto", "local", "download", "sample")
Found = tuple[FetchedFile, Content]


def take(base: str, source: str = "auto") -> tuple[RawData, str, str]:
    """Return a dataset from the source that was asked for, or from the first that has it.

    ``auto`` takes local files, else downloads, else takes the sample. A damaged file is never used: ``auto`` warns,
    goes on as if the file were missing, and says so in the reason, so that one bad copy does not stop a lesson.

    Parameters
    ----------
    base : ``"mnist"``, ``"imdb"`` or ``"housing"``
    source : one of `SOURCES`; ``$RECIPE_SOURCE`` stands in for ``"auto"``

    Returns
    -------
    (data, source, reason): source is ``"local"``, ``"download"`` or ``"sample"``; reason is a sentence

    Raises
    ------
    ValueError
        If there is no such source; if it was asked for by name and its file is damaged.
    OSError
        If it was asked for by name and cannot be had: FileNotFoundError, ConnectionError, PermissionError and so on.
    """
    asked, said_by = source, "source"
    if source == "auto":
        asked, said_by = os.environ.get("RECIPE_SOURCE") or "auto", "RECIPE_SOURCE"
    if asked not in SOURCES:
        raise ValueError(
            f"There is no source of that name. Received: {said_by}={asked!r}. Choose from {', '.join(SOURCES)}."
        )
    if asked == "local":
        return _take_local(base)
    if asked == "download":
        return _take_download(base)
    if asked == "sample":
        return _sample(base), "sample", f"{said_by}={asked} asks for it."
    return _take_first(base)


def _take_local(base: str) -> tuple[RawData, str, str]:
    found = {}
    for name in FILES[base]:
        found[name], faults = find_verified(name)
        if found[name] is None and faults:
            raise ValueError(faults[0])
        if found[name] is None:
            raise FileNotFoundError(
                f"{_absence([name])} Received: source='local'. Run `recipe fetch {base}`, set RECIPE_DATASETS to the "
                "folder that has it, or take source='sample'."
            )
    return _join(base, found), "local", _where(found)


def _take_download(base: str) -> tuple[RawData, str, str]:
    found = {name: download(name) for name in FILES[base]}
    return _join(base, found), "download", _where(found)


def _take_first(base: str) -> tuple[RawData, str, str]:
    """Try local files, a download and the sample in turn, and collect why each was passed over."""
    found, remarks = {}, []
    for name in FILES[base]:
        found[name], faults = find_verified(name)
        for fault in faults:
            warnings.warn(f"{fault} It is passed over.", RuntimeWarning, stacklevel=4)
            remarks.append(f"Passed over: {fault}")
    missing = [name for name, pair in found.items() if pair is None]
    if not missing:
        return _join(base, found), "local", " ".join([*remarks, _where(found)])
    if not remarks:
        remarks.append(_absence(missing))
    try:
        found |= {name: download(name, QUICK) for name in missing}
        return _join(base, found), "download", " ".join([*remarks, _where(found)])
    except (OSError, ValueError) as error:
        remarks.append(str(error))
    return _sample(base), "sample", " ".join(remarks)


def _sample(base: str) -> RawData:
    from recipe.data.samples import make_sample

    return make_sample(base)


def _join(base: str, found: dict[str, Found]) -> RawData:
    """Make one `RawData` of the files of a dataset.

    Raises
    ------
    ValueError
        If a review holds a rank that the word index does not have.
    """
    arrays: dict[str, np.ndarray] = found[FILES[base][0]][1]
    vocabulary: tuple[str, ...] = ()
    if base == "imdb":
        vocabulary = found["imdb_word_index.json"][1]
        largest = max(int(arrays[f"{part}_tokens"].max(initial=0)) for part in ("train", "test"))
        if largest >= len(vocabulary):
            raise ValueError(
                f"The word index has {len(vocabulary) - 1:,} words, and a review holds the rank {largest:,}. "
                f"Received: {found['imdb.npz'][0].path}. Fetch both files again."
            )
    return RawData(
        arrays=arrays,
        provenance=PROVENANCE[base],
        pixel_max=255.0 if base == "mnist" else 0.0,
        vocabulary=vocabulary,
    )


def _where(found: dict[str, Found]) -> str:
    """Say where each file lay or came from, and what was verified."""
    files = [file for file, _ in found.values()]
    parts = [
        f"{file.path} "
        + (f"was downloaded from {urlsplit(base_url()).netloc}" if file.source == "download" else "was there")
        + f" ({file.verified})"
        for file in files
    ]
    return "; ".join(parts) + "."


def _absence(names: list[str]) -> str:
    folders = search_folders()
    files = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
    return f"{files} in none of {len(folders)} folders: {', '.join(map(str, folders))}."
