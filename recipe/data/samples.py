"""The embedded stand-ins: data for a machine without a network, in the layouts of the real files.

Digits are real, but small. Reviews and housing are simulated from a process that `tools/make_samples.py` states, and
makes them by again, so that the error of the best possible model is known. A sample's provenance says that it is one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recipe.data.files import ARRAYS, FILES, Content

LABEL_NOISE = 0.06  # fraction of the reviews' labels that are wrong: what a reader of every word cannot know
# The mean absolute error of the best guess, the value without noise, in hundred thousand dollars: averaged over the
# districts and over 1,001 quantiles of the noise. Noise leaves the median where it is, so no guess has a smaller one.
HOUSING_ERROR = 0.2271665695773939
PROVENANCE = {
    "mnist": "A stand-in for MNIST: 1,797 real handwritten digits, 8 x 8 grey levels, that come with scikit-learn "
    "(Alpaydin and Kaynak, 1998, UCI repository; CC BY 4.0).",
    "imdb": "A stand-in, not real reviews: 6,000 + 2,000 film reviews simulated from sentence patterns and word lists, "
    f"{LABEL_NOISE:.0%} of the labels wrong on purpose (part of this package, Apache-2.0).",
    "housing": "A stand-in, not real prices: 2,000 districts simulated with the columns and units of the California "
    "housing data (part of this package, Apache-2.0).",
}


def make_sample(dataset: str) -> Content:
    """Return the stand-in for a dataset, ``"mnist"``, ``"imdb"`` or ``"housing"``, as its files would hold it.

    Examples
    --------
    >>> make_sample("mnist")["x_train"].shape
    (1437, 8, 8)
    """
    with np.load(Path(__file__).with_name(f"sample_{dataset}.npz")) as archive:
        content: Content = {key: archive[key].astype(dtype) for key, dtype in ARRAYS[FILES[dataset][0]].items()}
        return content | ({"words": tuple(archive["words"].tolist())} if "words" in archive else {})
