"""Step 1: load the data that a problem is made of, from the first source that has it, with the test set sealed away.

The last source, embedded stand-ins for a machine without a network, has the layouts of the real files. Its digits are
real, but small. Reviews and housing are simulated from a process that `tools/make_samples.py` states, and makes them by
again, so that the error of the best possible model is known. A sample's provenance says that it is one.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from recipe.core.dataset import Dataset, Samples, SealedTest
from recipe.core.input_checks import expect_choice
from recipe.core.reviews import Reviews
from recipe.core.xla import compile_for_few_samples
from recipe.data.files import (
    ARRAYS,
    FILES,
    KERAS_SHUFFLE_SEED,
    Content,
    base_url,
    download,
    find_verified,
    search_folders,
)
from recipe.data.problems import HOUSING_CAP, IMDB_WORDS, SOURCES, dataset_of, derive, find_problem

KERAS_TEST_SPLIT = 0.2  # keras.datasets.california_housing keeps this fraction for the test
PROVENANCE = {
    "mnist": "MNIST handwritten digits, 28 x 28 grey levels (LeCun, Cortes and Burges; CC BY-SA 3.0).",
    "imdb": "The Large Movie Review Dataset (Maas et al., 2011), tokenised as Keras does it.",
    "housing": "California housing, districts of the 1990 census (Pace and Barry, 1997; StatLib).",
}
LABEL_NOISE = 0.06  # fraction of the reviews' labels that are wrong: what a reader of every word cannot know
# The mean absolute error of the best guess, the value without noise, in hundred thousand dollars: averaged over the
# districts and over 1,001 quantiles of the noise. Noise leaves the median where it is, so no guess has a smaller one.
HOUSING_ERROR = 0.2271665695773939
SAMPLE_PROVENANCE = {
    "mnist": "A stand-in for MNIST: 1,792 of the real handwritten digits, 8 x 8 grey levels, that come with "
    "scikit-learn (Alpaydin and Kaynak, 1998, UCI repository; CC BY 4.0).",
    "imdb": "A stand-in, not real reviews: 5,120 + 2,880 film reviews simulated from sentence patterns and word lists, "
    f"{LABEL_NOISE:.0%} of the labels wrong on purpose (part of this package, Apache-2.0).",
    "housing": "A stand-in, not real prices: 2,000 districts simulated with the columns and units of the California "
    "housing data (part of this package, Apache-2.0).",
}
# What the best possible model gets wrong on the samples, in the unit of the problem, where their process tells it.
SAMPLE_ERRORS = {
    "imdb": LABEL_NOISE,
    "housing": HOUSING_ERROR,
    "housing_fraction": HOUSING_ERROR * 1e5 / HOUSING_CAP,
}


def load(name: str, source: str = "auto", rows: int | None = None, seed: int = 0) -> Dataset:
    """Load the data of a problem.

    Parameters
    ----------
    name : ``"mnist"``, ``"imdb"``, ``"housing"``, or one that is derived: ``"mnist_five"``, ``"mnist_multilabel"``,
        ``"housing_fraction"``, ``"housing_vector"``
    source : ``"local"`` (files on this machine), ``"download"`` (Keras's files, or ``$RECIPE_MIRROR``), ``"sample"``
        (the embedded stand-in), or ``"auto"``: the first of the three that has the data. ``$RECIPE_SOURCE`` stands in
        for ``"auto"``. A damaged file is never used: ``"auto"`` warns and goes on as if it were missing
    rows : samples in all, training and test set together in the whole dataset's proportion; None: everything. Of
        images and reviews a random subset is drawn; of housing the first rows are taken, as Keras does: 600 rows are
        its ``version="small"``. A sample that has fewer is taken whole
    seed : of the random subset

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no such problem or source, the dataset has fewer rows, or a file is damaged.
    OSError
        If a source that was asked for by name cannot be had: FileNotFoundError, ConnectionError and so on.

    Examples
    --------
    >>> digits = load("mnist", source="sample", rows=500)
    >>> digits
    Dataset('mnist', source='sample', 446 to train on, SealedTest(54 samples, sealed, looks=0))
    >>> digits.problem.input_shape, digits.problem.pixel_max
    ((8, 8), 16.0)
    """
    problem, dataset = find_problem(name), dataset_of(name)
    content, taken, reason = _take(dataset, source)
    total = sum(len(values) for key, values in content.items() if key.startswith("y") or key.endswith("labels"))
    if rows is not None and rows > total and taken == "sample":
        reason, rows = f"{reason} It has {total:,} of the {rows:,} rows asked for.", None
    if rows is not None and not 10 <= rows <= total:
        raise ValueError(
            f"The dataset has {total:,} samples, and fewer than 10 cannot be shared out. "
            f"Received: rows={rows}. Ask for 10 to {total}, or None for all."
        )
    if taken == "sample":
        compile_for_few_samples()
    parts = _cut(dataset, content, None if rows == total else rows, seed)
    (x_train, y_train), (x_test, y_test) = (derive(name, x, y) for x, y in parts)
    if problem.kind == "text":  # the sizes of this data: a sample's images are smaller, and its words fewer
        words = min(len(content["words"]), IMDB_WORDS)
        problem = dataclasses.replace(problem, num_words=words, input_shape=(words,))
    else:
        white = float(content["x_train"].max()) if problem.kind == "image" else 0.0
        problem = dataclasses.replace(problem, input_shape=x_train.shape[1:], pixel_max=white)
    return Dataset(
        problem=problem,
        x_train=x_train,
        y_train=y_train,
        test=SealedTest(x_test, y_test),
        source=taken,
        provenance=(SAMPLE_PROVENANCE if taken == "sample" else PROVENANCE)[dataset],
        reason=reason,
        vocabulary=content.get("words", ()),
        reachable_error=SAMPLE_ERRORS.get(name) if taken == "sample" else None,
    )


def make_sample(dataset: str) -> Content:
    """Return the stand-in for a dataset, ``"mnist"``, ``"imdb"`` or ``"housing"``, as its files would hold it.

    Examples
    --------
    >>> make_sample("mnist")["x_train"].shape
    (1600, 8, 8)
    """
    with np.load(Path(__file__).with_name(f"sample_{dataset}.npz")) as archive:
        content: Content = {key: archive[key].astype(dtype) for key, dtype in ARRAYS[FILES[dataset][0]].items()}
        return content | ({"words": tuple(archive["words"].tolist())} if "words" in archive else {})


def _take(dataset: str, source: str) -> tuple[Content, str, str]:
    """Return a dataset's data, the source that it is from, and why that one: of ``"auto"`` the first that has it."""
    asked = os.environ.get("RECIPE_SOURCE") or "auto" if source == "auto" else source
    said_by = "source" if asked == source else "RECIPE_SOURCE"
    expect_choice(said_by, asked, SOURCES, "There is no source of that name.")
    if asked == "sample":
        return make_sample(dataset), asked, f"{said_by}={asked} asks for it."
    found = {file: download(file) if asked == "download" else find_verified(file) for file in FILES[dataset]}
    folders = search_folders()
    missing = " and ".join(file for file, pair in found.items() if pair is None)
    told = f"{missing}: not in one of {len(folders)} folders: {', '.join(map(str, folders))}. " if missing else ""
    if missing and asked == "local":
        raise FileNotFoundError(
            f"{told}Received: source='local'. Run `recipe fetch`, set RECIPE_DATASETS to the folder that has it, or "
            "take source='sample'."
        )
    try:
        found = {file: pair or download(file, quick=True) for file, pair in found.items()}
    except (OSError, ValueError) as error:
        return make_sample(dataset), "sample", f"{told}{error}"
    content = dict(itertools.chain.from_iterable(content.items() for _, content in found.values()))
    taken = "download" if "download" in {asked, *(file.source for file, _ in found.values())} else "local"
    came = {"local": "was there", "download": f"was downloaded from {urlsplit(base_url()).netloc}"}
    where = "; ".join(f"{file.path} {came[file.source]} ({file.verified})" for file, _ in found.values())
    return content, taken, f"{told}{where}."


def _cut(dataset: str, arrays: Content, rows: int | None, seed: int) -> list[tuple[Samples, np.ndarray]]:
    """Return (x, y) to train on and for the test: the two stored parts, or of housing those that Keras makes."""
    if dataset == "housing":  # exactly as `keras.datasets.california_housing` takes, shuffles and cuts the rows
        x, y = arrays["x"][:rows], arrays["y"][:rows]
        order = np.random.RandomState(KERAS_SHUFFLE_SEED).permutation(len(x))
        cut = int(len(x) * (1 - KERAS_TEST_SPLIT))
        return [(x[part], y[part]) for part in (order[:cut], order[cut:])]
    parts = []
    for part in ("train", "test"):
        if dataset == "imdb":
            reviews = Reviews(tokens=arrays[f"{part}_tokens"], offsets=arrays[f"{part}_offsets"].astype(np.int64))
            parts.append((reviews, arrays[f"{part}_labels"]))
        else:
            parts.append((arrays[f"x_{part}"], arrays[f"y_{part}"]))
    if rows is None:
        return parts
    train, test = (len(y) for _, y in parts)
    train_rows = min(max(round(rows * train / (train + test)), 1), rows - 1)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(train, train_rows, replace=False), rng.choice(test, rows - train_rows, replace=False)
    return [(x[which], y[which]) for (x, y), which in zip(parts, chosen, strict=True)]
