"""The stand-ins: what they promise about words, noise, skew, and how far a network gets on them."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from recipe.core.reviews import Reviews
from recipe.data.files import ARRAYS, FILES
from recipe.data.load import load
from recipe.data.problems import HOUSING_CAP
from recipe.data.samples import LABEL_NOISE, make_sample

MAKER = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "make_samples.py"))
OPINIONS = MAKER["word_lists"]()["opinions"].values()


@pytest.fixture(scope="module")
def raw_reviews():
    return make_sample("imdb")


@pytest.fixture(scope="module")
def texts(raw_reviews):
    reviews = Reviews(tokens=raw_reviews["train_tokens"], offsets=raw_reviews["train_offsets"])
    return [" ".join(raw_reviews["words"][token] for token in reviews[row]) for row in range(len(reviews))]


@pytest.mark.parametrize(
    ("base", "make"), [("mnist", "take_digits"), ("imdb", "simulate_reviews"), ("housing", "simulate_housing")]
)
def test_make_sample_has_the_real_files_layout_and_what_its_process_makes(base, make):
    raw, made = make_sample(base), MAKER[make]()
    assert tuple(made.pop("words", ())) == raw.pop("words", ())
    assert {key: array.dtype for key, array in raw.items()} == dict(ARRAYS[FILES[base][0]])
    for name, array in made.items():
        np.testing.assert_allclose(raw[name], array, rtol=1e-6)  # another processor may round otherwise


# --- reviews ----------------------------------------------------------------------------------------------------------


def test_reviews_rank_words_by_their_frequency_in_training(raw_reviews):
    counts = np.bincount(raw_reviews["train_tokens"], minlength=len(raw_reviews["words"]))[1:]
    assert (np.diff(counts) <= 0).all()
    assert raw_reviews["words"][1] == "the"


def split_opinions(text: str) -> tuple[int, int]:
    """Count (praise, blame) as a careful reader does: a negated opinion means its opposite."""
    blame, praise = ({word for sides in OPINIONS for word in sides[side].split()} for side in ("bad", "good"))
    marks = ("not", "never", "nobody", "far", "hardly", "nothing")
    words, good, bad, negated = text.split(), 0, 0, False
    for word in words:
        if word in marks:
            negated = True
        elif word in praise or word in blame:
            good, bad = (good + 1, bad) if (word in praise) ^ negated else (good, bad + 1)
            negated = False
    return good, bad


def test_reviews_tell_a_careful_reader_all_but_the_noise(raw_reviews, texts):
    labels = raw_reviews["train_labels"]
    agrees = [(good > bad) == label for (good, bad), label in zip(map(split_opinions, texts), labels, strict=True)]
    # The reader here is a plain rule, and a verdict phrase may count twice: it comes within two points of the noise.
    assert np.mean(agrees) == pytest.approx(1 - LABEL_NOISE, abs=0.02)


# --- housing ----------------------------------------------------------------------------------------------------------


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
