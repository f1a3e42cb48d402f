"""Images and texts of one's own: a folder a class, lists of texts, arrays of pixels.

Keras's own folder readers need TensorFlow or grain; Pillow reads images here, and nothing in a file is run.
"""

from __future__ import annotations

import codecs
import operator
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.input_checks import Note
from recipe.data.texts import split_words

if TYPE_CHECKING:
    from PIL import Image

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
TEXTS = (".txt", ".md")
MOST_PIXELS = 50_000_000  # of one file; more is a mistake or a bomb: 1 MB of PNG may hold 3.6 billion pixels
MOST_BYTES = 20_000_000  # of one text
LONGEST_SIDE = 64  # pixels, where no size is asked for: 4,096 inputs a colour are what a small network can read
LARGEST_SIDE = 2_048  # pixels that may be asked for
MOST_WORDS = 10_000
COLOURS = {"L": "grey", "RGB": "in colour"}
NAMED = 5  # files that a note names; of the others it gives the number


@dataclass(frozen=True, kw_only=True, eq=False)
class Folder:
    """What was read of a folder.

    Attributes
    ----------
    kind : ``"image"`` or ``"text"``
    samples : uint8 (n, height, width) or (n, height, width, 3), or a list of n texts
    labels : (n,), numbers of the classes
    classes : the names of the folders, sorted
    notes : what was taken, and which files were left out
    """

    kind: str
    samples: np.ndarray | list[str] = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: tuple[str, ...]
    notes: tuple[Note, ...]


def read_folder(folder: str | Path, size: tuple[int, int] | None = None) -> Folder:
    """Read a folder that has one folder a class, with images (PNG, JPEG, ...) or texts in it.

    Parameters
    ----------
    size : height and width that images are brought to; None: the commonest size of the files, made smaller where its
        longer side has more than 64 pixels

    Raises
    ------
    OSError
        If there is no such folder.
    ValueError
        If it has fewer than two folders with images or texts, or both kinds.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NotADirectoryError(f"There is no such folder. Received: {folder}. The current folder is {Path.cwd()}.")
    if size is not None:
        size = _check_size(size)
    from tqdm.auto import tqdm

    left_out: list[str] = []
    files = {
        one.name: _list_files(one, folder, left_out)
        for one in sorted(folder.iterdir())
        if one.is_dir() and one.name[0] != "."
    }
    files = {name: paths for name, paths in files.items() if paths}
    if len(files) < 2:
        raise ValueError(
            f"Classes are folders, two or more, with images ({', '.join(IMAGES)}) or texts ({', '.join(TEXTS)}) in "
            f"them. Received: {folder.name} with {len(files)} such folder(s). Make one folder a class: "
            f"{folder.name}/cats, {folder.name}/dogs."
        )
    suffixes = Counter(path.suffix.lower() in IMAGES for paths in files.values() for path in paths)
    if len(suffixes) > 1:
        raise ValueError(
            f"Samples are images or texts, not both. Received: {folder.name} with {suffixes[True]:,} images and "
            f"{suffixes[False]:,} texts. Take the others out."
        )
    kind = "image" if suffixes[True] else "text"
    labelled = [(path, label) for label, paths in enumerate(files.values()) for path in paths]
    mode = ""
    if kind == "image":
        size, mode = _choose_form([path for path, _ in labelled], size)
    samples, labels = [], []
    for path, label in tqdm(labelled, desc=f"Reading {folder.name}", unit=" files", delay=2, leave=False):
        try:
            samples.append(_read_image(path, size, mode) if kind == "image" else _read_text(path))
            labels.append(label)
        except (OSError, ValueError, SyntaxError) as error:  # Pillow calls a broken PNG a syntax error
            left_out.append(f"{path.parent.name}/{path.name} ({error})")
    form = f", brought to {size[0]} x {size[1]} pixels, {COLOURS[mode]}" if kind == "image" else ""
    text = f"{folder.name}: {len(samples):,} {kind}s in {len(files)} folders, one a class{form}."
    notes = [Note(kind="read", text=text, count=len(samples))]
    if left_out:
        listed = ", ".join(left_out[:NAMED]) + (f" and {len(left_out) - NAMED:,} more" if left_out[NAMED:] else "")
        notes.append(Note(kind="left_out", text=f"Files that were left out: {listed}.", count=len(left_out)))
    if not samples:
        raise ValueError(f"None of the files can be read. Received: {folder.name}. {notes[-1]}")
    return Folder(
        kind=kind,
        samples=np.stack(samples) if kind == "image" else samples,
        labels=np.array(labels),
        classes=tuple(files),
        notes=tuple(notes),
    )


def learn_vocabulary(texts: Sequence[str], num_words: int = MOST_WORDS) -> tuple[str, ...]:
    """Return the most frequent words of texts, the most frequent one first; ``""`` stands at 0 for no word.

    Examples
    --------
    >>> learn_vocabulary(["A film, a film, a good film!", "Not a good one."], num_words=4)
    ('', 'a', 'film', 'good')
    """
    counts = Counter(word for text in texts for word in split_words(text))
    return ("", *(word for word, _ in counts.most_common(num_words - 1)))


def read_images(x: np.ndarray) -> tuple[np.ndarray, float, str]:
    """Return images as the kit keeps them, the value of a white pixel, and a sentence that says what was taken.

    Parameters
    ----------
    x : (n, height, width), or with 1, 3 or 4 channels behind; whole numbers or floats, 0 or more

    Returns
    -------
    Images uint8 where they are whole numbers up to 255, else float32: (n, height, width), in colour (n, height, width,
    3); the fourth channel, transparency, is left out.

    Raises
    ------
    ValueError
        If a pixel is below 0 or not finite, or the shape is none of images.
    """
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[-1] not in (1, 3, 4)) or min(x.shape[1:3]) < 2:
        raise ValueError(
            f"Images have the shape (n, height, width), in colour (n, height, width, 3). Received: x of shape "
            f"{x.shape}. Reshape it; colours that come first, as in PyTorch, go last by np.moveaxis(x, 1, -1)."
        )
    x = x[..., 0] if x.ndim == 4 and x.shape[-1] == 1 else x[..., :3] if x.ndim == 4 else x
    low, high = float(x.min()), float(x.max())
    if not (low >= 0 and np.isfinite(high)):  # NaN as well
        raise ValueError(
            f"A pixel is 0, black, or brighter. Received: x from {low:g} to {high:g}. Bring images to [0, 1], such as "
            "by (x - x.min()) / (x.max() - x.min())."
        )
    white = next((value for value in (1.0, 16.0, 255.0, 65_535.0) if high <= value), high)
    whole = 1 < white <= 255 and bool((x == np.floor(x)).all())
    colours = "in colour" if x.ndim == 4 else "grey"
    text = (
        f"{len(x):,} images of {x.shape[1]} x {x.shape[2]} pixels, {colours}; a white pixel is taken to be {white:g}."
    )
    return x.astype(np.uint8 if whole else np.float32), white, text


def _list_files(folder: Path, top: Path, left_out: list[str]) -> list[Path]:
    """Return the images and texts of a class, sorted; a link that leads out of the folder is left out."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in IMAGES + TEXTS or not path.is_file():
            continue
        if not path.resolve().is_relative_to(top.resolve()):
            left_out.append(f"{folder.name}/{path.name} (a link out of the folder)")
            continue
        found.append(path)
    return found


def _check_size(size: object) -> tuple[int, int]:
    try:
        height, width = map(operator.index, size)
        if min(height, width) >= 2 and max(height, width) <= LARGEST_SIDE:
            return height, width
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"A size is a height and a width, whole numbers from 2 to {LARGEST_SIDE:,}. Received: size={size!r}. Give "
        "both, such as size=(64, 64)."
    )


def _choose_form(paths: Sequence[Path], size: tuple[int, int] | None) -> tuple[tuple[int, int], str]:
    """Return the size that all images are brought to, and Pillow's mode: grey only where all of them are."""
    from PIL import ExifTags

    sizes, modes = Counter(), set()
    for path in paths:
        try:
            with _open(path) as image:
                lies = image.getexif().get(ExifTags.Base.Orientation, 1) > 4  # a camera was held upright
                sizes[image.size[::-1] if lies else image.size] += 1
                modes.add(image.mode)
        except (OSError, ValueError, SyntaxError):
            continue  # it is named when it is read
    mode = "L" if modes <= {"1", "L", "LA", "I", "I;16", "F"} else "RGB"
    if size is not None:
        return size, mode
    width, height = sizes.most_common(1)[0][0] if sizes else (LONGEST_SIDE, LONGEST_SIDE)
    shrink = min(1.0, LONGEST_SIDE / max(width, height))
    return (max(2, round(height * shrink)), max(2, round(width * shrink))), mode


def _open(path: Path) -> Image.Image:
    """Open an image without reading its pixels; ValueError where it has too many of them."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large images; here they are refused
        try:
            image = Image.open(path)
        except Image.UnidentifiedImageError as error:
            raise ValueError("no image that can be read") from error
        except Image.DecompressionBombError as error:
            raise ValueError(f"too large: {error}") from error
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise ValueError(f"too large: {image.width:,} x {image.height:,} pixels")
    return image


def _read_image(path: Path, size: tuple[int, int], mode: str) -> np.ndarray:
    """Return an image of that size, (height, width), as uint8 (height, width) or (height, width, 3)."""
    from PIL import Image, ImageOps

    with _open(path) as image:
        if image.mode in {"I", "I;16", "F"}:  # more than 256 greys, which Pillow would cut off
            values = np.asarray(image, np.float64)
            white = 65_535 if image.mode != "F" else max(1.0, min(values.max(), 255.0))
            image = Image.fromarray((values.clip(0, white) / white * 255).astype(np.uint8))
        upright = ImageOps.exif_transpose(image).convert(mode)
        return np.asarray(upright.resize((size[1], size[0])), np.uint8)


def _read_text(path: Path) -> str:
    """Return a text, in UTF-8 where it is that, else in Latin-1; ValueError where it is none."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"too large: {path.stat().st_size:,} bytes")
    raw = path.read_bytes()
    if b"\0" in raw and not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("no text")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
