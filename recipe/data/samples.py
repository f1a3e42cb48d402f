"""The embedded stand-ins: data for a machine without a network, in the layouts of the real files.

Digits are real, but small. Reviews and housing are simulated from a stated process, so that the error of the best
possible model is known. A sample's provenance says that it is one.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from statistics import NormalDist

import numpy as np

from recipe.data.layouts import RawData
from recipe.data.problems import HOUSING_CAP
from recipe.data.sample_reviews import simulate_reviews

DIGITS_TEST = 360  # of scikit-learn's 1,797 digits, a fifth
DIGITS_SEED = 0
HOUSING_ROWS = 2_000
HOUSING_NOISE = 0.15  # standard deviation of the noise in the logarithm of the value: about 15 %
NOISE_STEPS = 1_001  # points of the noise's distribution that the reachable error is averaged over


def make_sample(base: str) -> RawData:
    """Return the stand-in for a dataset, the same one each time.

    Parameters
    ----------
    base : ``"mnist"``, ``"imdb"`` or ``"housing"``
    """
    made = _made(base)
    return replace(made, arrays={name: values.copy() for name, values in made.arrays.items()})


@cache
def _made(base: str) -> RawData:
    """Make a stand-in once a process: up to a third of a second, and panels and lessons ask for it again and again."""
    return {"mnist": digits, "imdb": simulate_reviews, "housing": simulate_housing}[base]()


def digits() -> RawData:
    """Return scikit-learn's 1,797 handwritten digits, in random order, the last 360 of them for the test.

    Images are uint8 of shape (n, 8, 8), with grey levels from 0 to 16.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(DIGITS_SEED).permutation(len(bunch.target))
    images, labels = bunch.images[order].astype(np.uint8), bunch.target[order].astype(np.uint8)
    return RawData(
        arrays={
            "x_train": images[:-DIGITS_TEST],
            "y_train": labels[:-DIGITS_TEST],
            "x_test": images[-DIGITS_TEST:],
            "y_test": labels[-DIGITS_TEST:],
        },
        provenance=(
            "A stand-in for MNIST: 1,797 real handwritten digits, 8 x 8 grey levels, that come with scikit-learn "
            "(Alpaydin and Kaynak, 1998, UCI repository; CC BY 4.0)."
        ),
        pixel_max=16.0,
    )


def simulate_housing(rows: int = HOUSING_ROWS, seed: int = 0) -> RawData:
    """Simulate districts of California, with the columns and units of the real file.

    The process, for each district:

    1. Four in ten lie inland, along the Central Valley; the others at the coast, around San Francisco or Los Angeles.
    2. Households, people per household, rooms per household and bedrooms per household are lognormal, so that a few
       districts are huge and the four totals rise together. Richer districts have more rooms.
    3. The median income is lognormal, a little higher at the coast. Districts at the coast are older, and older
       districts are smaller.
    4. The median house value is a product: it rises with income, falls inland and with crowding, rises a little with
       age, and is higher around San Francisco. That is what a model can learn.
    5. It is multiplied by a lognormal noise of HOUSING_NOISE, which nothing in the columns tells, and cut off at
       500,001 dollars.

    The best guess is the value without noise, and its mean absolute error is ``reachable_error``.

    Parameters
    ----------
    rows : number of districts
    seed : of everything random; the same seed gives the same districts

    Returns
    -------
    RawData in the layout of ``california_housing.npz``; ``reachable_error`` in hundred thousand dollars

    Examples
    --------
    >>> raw = simulate_housing(rows=50)
    >>> raw.arrays["x"].shape, raw.arrays["y"].dtype
    ((50, 8), dtype('float32'))
    """
    rng = np.random.default_rng(seed)
    x, inland, bay = _simulate_districts(rows, rng)
    value = _value_without_noise(x, inland, bay)
    noisy = np.minimum(value * np.exp(HOUSING_NOISE * rng.standard_normal(rows)), HOUSING_CAP)
    return RawData(
        arrays={"x": x.astype(np.float32), "y": noisy.astype(np.float32)},
        provenance=(
            f"A stand-in, not real prices: {rows:,} districts simulated with the columns and units of the California "
            "housing data (part of this package, Apache-2.0)."
        ),
        reachable_error=reachable_housing_error(value),
    )


def _simulate_districts(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns (rows, 8), and which districts lie inland and which around San Francisco."""
    inland = rng.random(rows) < 0.4
    bay = ~inland & (rng.random(rows) < 0.4)
    along = rng.random(rows)  # where along the valley, from Bakersfield (0) to Redding (1)
    east, north = rng.normal(0, 0.3, (2, rows))
    longitude = np.select([inland, bay], [-119.0 - 3.2 * along, -122.2], -118.2) + east
    latitude = np.select([inland, bay], [35.4 + 5.0 * along, 37.7], 34.0) + north - 0.5 * east
    age = np.clip(np.where(inland, 23, 32) + 11 * rng.standard_normal(rows), 1, 52).round()
    income = np.clip(np.where(inland, 3.1, 3.9) * np.exp(0.45 * rng.standard_normal(rows)), 0.5, 15.0)
    households = np.clip(420 * (age / 28) ** -0.3 * np.exp(0.65 * rng.standard_normal(rows)), 2, 6_000).round()
    rooms = households * 5.2 * (income / 3.6) ** 0.25 * np.exp(0.18 * rng.standard_normal(rows))
    bedrooms = households * 1.06 * np.exp(0.08 * rng.standard_normal(rows))
    people = households * 2.85 * np.exp(0.25 * rng.standard_normal(rows))
    columns = [longitude, latitude, age, rooms.round(), bedrooms.round(), people.round(), households, income]
    return np.column_stack(columns), inland, bay


def _value_without_noise(x: np.ndarray, inland: np.ndarray, bay: np.ndarray) -> np.ndarray:
    """Return each district's value in dollars, shape (rows,), before the noise and the cap."""
    age, people, households, income = x[:, 2], x[:, 5], x[:, 6], x[:, 7]
    place = np.select([inland, bay], [115_000.0, 255_000.0], 215_000.0)
    crowding = people / households / 2.85
    return place * (income / 3.6) ** 0.85 * crowding**-0.4 * np.exp(0.004 * (age - 28))


def reachable_housing_error(value: np.ndarray) -> float:
    """Return the mean absolute error of the best guess, in hundred thousand dollars.

    The noise leaves the median where it is, so no guess has a smaller mean absolute error than the value without
    noise, cut off at the cap. What is left is averaged over the distribution of the noise.

    Parameters
    ----------
    value : float array of shape (rows,), each district's value in dollars before the noise and the cap
    """
    shares = (np.arange(NOISE_STEPS) + 0.5) / NOISE_STEPS
    noise = np.exp([NormalDist(0, HOUSING_NOISE).inv_cdf(share) for share in shares])
    noisy = np.minimum(value[:, None] * noise, HOUSING_CAP)  # (rows, NOISE_STEPS)
    best_guess = np.minimum(value, HOUSING_CAP)[:, None]
    return float(np.abs(noisy - best_guess).mean() / 100_000)
