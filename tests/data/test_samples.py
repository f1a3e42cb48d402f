"""The stand-ins: they are what their stated process makes, and what they promise about words and noise."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from recipe.data.files import ARRAYS, FILES
from recipe.data.load import load, make_sample
from recipe.data.problems import HOUSING_CAP

MAKER = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "make_samples.py"))


@pytest.mark.parametrize(
    ("base", "make"), [("mnist", "take_digits"), ("imdb", "simulate_reviews"), ("housing", "simulate_housing")]
)
def test_make_sample_has_the_real_files_layout_and_what_its_process_makes(base, make):
    raw, made = make_sample(base), MAKER[make]()
    assert tuple(made.pop("words", ())) == raw.pop("words", ())
    assert {key: array.dtype for key, array in raw.items()} == dict(ARRAYS[FILES[base][0]])
    for name, array in made.items():
        np.testing.assert_allclose(raw[name], array, rtol=1e-6)  # another processor may round otherwise


def test_reviews_rank_words_by_their_frequency_in_training():
    raw = make_sample("imdb")
    assert (np.diff(np.bincount(raw["train_tokens"], minlength=len(raw["words"]))[1:]) <= 0).all()
    assert raw["words"][1] == "the"


def test_reachable_housing_error_is_what_the_noise_leaves():
    """The value without noise is the median of the values with it, drawn many times for the same districts."""
    rng = np.random.default_rng(0)
    x, inland, bay = MAKER["simulate_districts"](2_000, rng)
    value = MAKER["value_without_noise"](x, inland, bay)
    guess, noise = np.minimum(value, HOUSING_CAP), np.exp(0.15 * rng.standard_normal((1_000, 1)))
    drawn = np.minimum(value * noise, HOUSING_CAP)
    assert load("housing", source="sample").reachable_error == pytest.approx(
        np.abs(drawn - guess).mean() / 100_000, rel=0.03
    )
