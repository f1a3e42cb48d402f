"""Images and texts of one's own: a folder a class, lists of texts, arrays of pixels.

Keras's own folder readers need TensorFlow or grain; Pillow reads images here, and nothing in a file is run.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from recipe.core.input_checks import Note
from recipe.core.reviews import Reviews, split_words
from recipe.data.tables import Inputs

SUFFIXES = {"image": (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"), "text": (".txt", ".md")}
LONGEST_SIDE = 64  # pixels, where no size is asked for: 4,096 inputs a colour are what a small network can read
MOST_WORDS = 10_000
NAMED = 5  # files that a note names; of the others it gives the number
UNREADABLE = (OSError, ValueError, SyntaxError)  # Pillow calls a broken PNG a syntax error


class Folder(NamedTuple):
    """What was read of a folder: images, uint8 (n, height, width) or (n, height, width, 3), or texts (n,)."""

    kind: str
    samples: np.ndarray
    labels: np.ndarray  # the names of the folders that they lie in
    reading: tuple[tuple[str, str], ...]  # of texts, their encoding
    notes: list[Note]


def read_folder(folder: str | Path, size: tuple[int, int] | None = None) -> Folder:
    """Read a folder that has one folder a class, with images (PNG, JPEG, ...) in it, or else texts.

    Parameters
    ----------
    size : height and width that images are brought to; None: those of the first image, made smaller where its longer
        side has more than 64 pixels

    Raises
    ------
    ValueError
        If it is no folder, has fewer than two folders with images or texts, or none of them can be read.
    """
    from tqdm.auto import tqdm

    folder = Path(folder)
    left_out: list[str] = []
    kind, files = _list_files(folder, left_out)
    read, labels = [], []
    for path in tqdm(files, desc=f"Reading {folder.name}", unit=" files", delay=2, leave=False):
        try:
            if kind == "image":
                read.append(_read_image(path, size))
                size = size or read[0].shape[:2]
            else:
                read.append(path.read_bytes())
            labels.append(path.parent.name)
        except UNREADABLE as error:
            left_out.append(f"{path.parent.name}/{path.name} ({error})")
    listed = ", ".join(left_out[:NAMED]) + (f" and {len(left_out) - NAMED:,} more" if left_out[NAMED:] else "")
    if not read:
        raise ValueError(f"None of the files can be read. Received: {folder.name}, with {listed}. Look at one of them.")
    if kind == "image":
        x = np.stack(read)
        samples, reading = x[..., 0].copy() if (x == x[..., :1]).all() else x, ()  # grey where all of them are
    else:
        texts, reading = _decode(read)
        samples = np.array(texts, dtype=object)
    notes = [Note(f"{folder.name}: {len(read):,} {kind}s in {len(set(labels))} folders, one per class.")]
    if left_out:
        notes.append(Note(f"Files that were left out: {listed}.", is_warning=True))
    return Folder(kind, samples, np.array(labels), reading, notes)


def learn_texts(texts: Sequence[str], train: int, num_words: int = MOST_WORDS) -> Inputs:
    """Take texts as the ranks of their words: 1 for the most frequent one of the first `train` texts.

    Raises
    ------
    ValueError
        If there is no word in them.

    Examples
    --------
    >>> learn_texts(["A film, a film, a good film!", "Not a good one."], 2, num_words=4).vocabulary
    ('', 'a', 'film', 'good')
    """
    counts = Counter(word for text in texts[:train] for word in split_words(text))
    vocabulary = ("", *(word for word, _ in counts.most_common(num_words - 1)))  # "" stands at 0 for no word
    if len(vocabulary) < 2:
        raise ValueError(f"No text has a word in it. Received: {texts[0][:40]!r}. Give texts with letters or digits.")
    text = f"Words that were learned, the most frequent ones of the training part alone: {len(vocabulary) - 1:,}."
    return Inputs(
        x=Reviews.read(texts, vocabulary),
        of_problem={"kind": "text", "input_shape": (len(vocabulary),), "num_words": len(vocabulary)},
        notes=(Note(text),),
        vocabulary=vocabulary,
    )


def read_images(x: np.ndarray) -> Inputs:
    """Take images, and find out the value of a white pixel.

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
    size = f"{x.shape[1]} x {x.shape[2]} pixels"
    text = f"{len(x):,} {'colour' if x.ndim == 4 else 'grey'} images of {size}; a white pixel is taken to be {white:g}."
    return Inputs(
        x=x.astype(np.uint8 if whole else np.float32),
        of_problem={"kind": "image", "input_shape": x.shape[1:], "pixel_max": white},
        notes=(Note(text),),
    )


def _list_files(folder: Path, left_out: list[str]) -> tuple[str, list[Path]]:
    """Return the kind of samples, and their files, class by class, sorted; links that lead out of the folder are not.

    Hidden folders are those of version control and file managers, and no classes.
    """
    top = folder.resolve()
    for kind, suffixes in SUFFIXES.items():
        paths = [path for path in sorted(folder.glob("[!.]*/[!.]*")) if path.suffix.lower() in suffixes]
        files = [path for path in paths if path.is_file() and path.resolve().is_relative_to(top)]
        if len({path.parent for path in files}) > 1:
            links = [path for path in paths if not path.resolve().is_relative_to(top)]
            left_out += [f"{path.parent.name}/{path.name} (a link out of the folder)" for path in links]
            return kind, files
    raise ValueError(
        f"Classes are folders, two or more, with images ({', '.join(SUFFIXES['image'])}) or texts "
        f"({', '.join(SUFFIXES['text'])}) in them. Received: {folder.name}. Make one folder a class: "
        f"{folder.name}/cats, {folder.name}/dogs."
    )


def _read_image(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    """Return an image of that size, as it was held: uint8 (height, width, 3); `keras_code` has a program read it alike.

    ValueError where it is none, or has too many pixels to be unpacked.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)  # 1 MB of PNG may hold 3.6 billion pixels
        try:
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file)
        except Image.UnidentifiedImageError as error:  # whose text names the folder
            raise ValueError("no image that can be read") from error
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise ValueError(f"too large: {error}") from error
    shrink = min(1.0, LONGEST_SIDE / max(image.size))
    height, width = size or (max(2, round(image.height * shrink)), max(2, round(image.width * shrink)))
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    return np.asarray(image.convert("RGB").resize((width, height)))


def _decode(texts: list[bytes]) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Return texts and how they were read: as UTF-8 where all of them are, else as Latin-1."""
    try:
        return [text.decode("utf-8-sig") for text in texts], (("encoding", "utf-8-sig"),)
    except UnicodeDecodeError:
        return [text.decode("latin-1") for text in texts], (("encoding", "latin-1"),)
