"""The ways to prepare against scikit-learn's, on the training part alone; what is refused, filled in or noted."""

import dataclasses
import json
import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from recipe.core.prepared import ENCODINGS, Preparation
from recipe.core.problem import REVIEW_LENGTH, Origin
from recipe.core.reviews import Reviews
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

BASES = ("mnist", "housing", "imdb")


def sample_split(name, rows=300):
    return hold_out(load(name, source="sample", rows=rows))


def test_prepare_normalizes_tables_by_the_training_part_alone():
    split = sample_split("housing")
    # A validation part from another world: were it looked at, the mean would move.
    split = dataclasses.replace(split, x_val=split.x_val * 100 + 7)
    prepared = prepare(split)
    scaler = StandardScaler().fit(split.x_train.astype(np.float64))
    np.testing.assert_allclose(prepared.preparation.mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(prepared.preparation.std, scaler.scale_, rtol=1e-9)
    np.testing.assert_allclose(prepared.x_train, scaler.transform(split.x_train.astype(np.float64)), atol=1e-5)
    np.testing.assert_allclose(prepared.x_val, scaler.transform(split.x_val.astype(np.float64)), rtol=1e-5)
    assert (prepared.x_train.dtype, prepared.x_val.dtype) == (np.float32, np.float32)
    assert (prepared.preparation.encoding, prepared.preparation.input_scale) == ("normalize", 1.0)


def test_prepare_keeps_images_small_and_scales_them_for_the_network():
    split = sample_split("mnist")
    prepared = prepare(split)
    assert prepared.x_train is split.x_train  # uint8, not even copied
    assert (prepared.x_train.dtype, prepared.preparation.input_scale) == (np.uint8, 1 / 16)
    inputs = prepared.inputs("val")
    assert (inputs.dtype, inputs.min(), inputs.max()) == (np.float32, 0.0, 1.0)
    np.testing.assert_array_equal(inputs, split.x_val.astype(np.float32) / 16)
    np.testing.assert_array_equal(prepared.inputs(), split.x_train.astype(np.float32) / 16)
    full = prepare(dataclasses.replace(split, problem=dataclasses.replace(split.problem, pixel_max=255.0)))
    np.testing.assert_allclose(full.inputs(), split.x_train / 255, rtol=1e-6)


def test_prepare_makes_sequences_of_reviews_that_stay_whole_numbers():
    from keras.utils import pad_sequences

    split = sample_split("imdb")
    prepared = prepare(split, encoding="sequence")
    texts = [text.astype(np.int64) for text in split.x_val]
    reference = pad_sequences(texts, maxlen=REVIEW_LENGTH, padding="post", truncating="post")
    np.testing.assert_array_equal(prepared.x_val, reference)
    assert (prepared.x_val.dtype, prepared.inputs("val").dtype) == (np.uint16, np.int32)
    np.testing.assert_array_equal(prepared.inputs("val"), reference)


@pytest.mark.parametrize(
    ("name", "scale"), [("housing", 100_000), ("housing_fraction", 1), ("housing_vector", [100_000, 1])]
)
def test_prepare_gives_quantities_in_the_problem_s_unit(name, scale):
    split = sample_split(name)
    prepared = prepare(split)
    np.testing.assert_allclose(prepared.y_train, split.y_train / scale, rtol=1e-6)
    np.testing.assert_allclose(prepared.y_val, split.y_val / scale, rtol=1e-6)
    assert prepared.y_train.dtype == np.float32


@pytest.mark.parametrize("name", PROBLEMS)
def test_transform_applies_to_new_data_what_was_fitted(name):
    split = sample_split(name)
    prepared = prepare(split)
    np.testing.assert_array_equal(prepared.preparation.transform(split.x_val), prepared.x_val)
    np.testing.assert_array_equal(prepared.preparation.transform_target(split.y_val), prepared.y_val)
    np.testing.assert_array_equal(prepared.preparation.to_network(prepared.x_val), prepared.inputs("val"))
    assert (prepared.problem, prepared.source, prepared.protocol) == (split.problem, "sample", split.protocol)
    assert prepared.inputs("val").shape[1:] == split.problem.input_shape
    assert prepared.y_train.shape == split.y_train.shape
    assert (prepared.y_train is split.y_train) == split.problem.type.is_classification  # labels stay bytes


@pytest.mark.parametrize(
    ("name", "part", "where", "value", "message"),
    [
        ("housing", "x_train", np.s_[:, [2, 5]], 3.5, "2 columns are the same in every training sample, so they "
         "tell nothing and cannot be normalised. Received: split, columns 2 (housing_median_age), 5 (population). D"),
        ("housing", "x_train", np.s_[3:5, 4], np.nan, "2 values are not finite. Received: housing, x of shape (192,"
         ' 8), columns 4 (total_bedrooms). Drop these samples, or put numbers there first.'),
        ("housing", "y_val", 3, np.nan, "1 targets are not finite. Received: housing, y of shape (48,). Drop the"),
        ("mnist", "y_train", 0, 10, "Labels run from 0 to 9. Received: mnist, y of shape (214,), from 0 to 10"),
        ("mnist_multilabel", "y_train", (0, 0), 2, "Labels run from 0 to 1."),
    ],
)  # fmt: skip
def test_prepare_refuses_what_cannot_be_learned_from(name, part, where, value, message):
    split = sample_split(name)
    values = getattr(split, part).copy()
    values[where] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(dataclasses.replace(split, **{part: values}))


@pytest.mark.parametrize(
    ("name", "x", "error", "message"),
    [
        ("mnist", np.zeros((8, 8), np.float32), ValueError, r"shape \(8, 8\)\. Received: mnist, x of shape \(8, 8\)\."),
        ("mnist", np.full((2, 8, 8), 17.0, np.float32), ValueError, r"A pixel lies between 0 and 16\. Received: mnist"),
        ("housing", np.full((2, 8), "a"), TypeError, "Received: x, an array of <U1"),
        ("housing", Reviews.of([]), TypeError, r"numbers in a NumPy array. Received: x, Reviews"),
        ("imdb", np.zeros((5, 9), np.float32), TypeError, "texts, as Reviews. Received: x, an array of float32"),
    ],
)
def test_transform_refuses_samples_of_another_shape_range_or_kind(name, x, error, message):
    with pytest.raises(error, match=message):
        prepare(sample_split(name)).preparation.transform(x)


@pytest.mark.parametrize(("encoding", "limits"), [("scale", (0, 1)), ("scale_signed", (-1, 1))])
def test_prepare_scales_tables_as_scikit_learn_does(encoding, limits):
    split = sample_split("housing", 200)
    prepared = prepare(split, encoding=encoding)
    scaler = MinMaxScaler(limits).fit(split.x_train.astype(np.float64))
    np.testing.assert_allclose(prepared.x_train, scaler.transform(split.x_train.astype(np.float64)), atol=1e-6)
    np.testing.assert_allclose(prepared.x_val, scaler.transform(split.x_val.astype(np.float64)), atol=1e-6)
    assert (prepared.x_train.min(), prepared.x_train.max()) == limits


@pytest.mark.parametrize("encoding", ["raw", "scale_signed", "normalize"])
def test_prepare_brings_all_pixels_to_one_scale(encoding):
    split = sample_split("mnist", 200)
    prepared, pixels = prepare(split, encoding=encoding), split.x_val.astype(np.float64)
    expected = {
        "raw": pixels,
        "scale_signed": pixels / 8 - 1,
        "normalize": (pixels - split.x_train.mean()) / split.x_train.std(),
    }
    np.testing.assert_allclose(prepared.inputs("val"), expected[encoding], atol=1e-5)


def as_texts(reviews):
    return [" ".join(f"w{token}" for token in text) for text in reviews]


def test_prepare_finds_and_weighs_words_as_scikit_learn_does():
    split = sample_split("imdb", 200)
    words = split.problem.num_words
    shared = {"vocabulary": [f"w{rank}" for rank in range(words)], "token_pattern": r"\S+"}
    counts = CountVectorizer(**shared).transform(as_texts(split.x_val)).toarray()
    hot = prepare(split)
    np.testing.assert_array_equal(hot.x_val, counts > 0)
    assert hot.preparation.encoding == "multi_hot"
    assert hot.x_val.dtype == np.uint8
    reference = TfidfVectorizer(**shared).fit(as_texts(split.x_train))
    prepared = prepare(split, encoding="tfidf")
    np.testing.assert_allclose(prepared.preparation.idf, reference.idf_)
    np.testing.assert_allclose(
        prepared.inputs("val"), reference.transform(as_texts(split.x_val)).toarray(), rtol=5e-4, atol=1e-6
    )
    assert prepared.x_val.dtype == np.float16


def test_prepare_fills_gaps_with_the_training_median_as_scikit_learn_does():
    split = sample_split("housing", 200)
    x_train, x_val = split.x_train.copy(), split.x_val.copy()
    x_train[::5, 4] = x_val[::3, 0] = np.nan
    own = dataclasses.replace(split.problem, origin=Origin(form="arrays"))
    split = dataclasses.replace(split, x_train=x_train, x_val=x_val, problem=own)
    prepared = prepare(split, encoding="raw")
    imputer = SimpleImputer(strategy="median").fit(split.x_train)
    np.testing.assert_allclose(prepared.preparation.median, imputer.statistics_, rtol=1e-6)
    np.testing.assert_allclose(prepared.x_val, imputer.transform(split.x_val), rtol=1e-6)
    x_train[:, 4] = np.nan
    with pytest.raises(
        ValueError, match=r"1 columns have no value at all in the training part\. .* columns 4 \(total_b"
    ):
        prepare(split)


@pytest.mark.parametrize(
    ("name", "field", "value", "allowed"),
    [
        ("mnist", "encoding", "tfidf", "auto, scale, scale_signed, normalize, raw"),
        ("imdb", "encoding", "scale", "auto, multi_hot, tfidf, sequence"),
        ("housing", "encoding", "multi_hot", "auto, normalize, scale, scale_signed, raw"),
        ("housing", "fit_on", "val", "train, all"),
    ],
)
def test_prepare_refuses_what_does_not_suit_the_data(name, field, value, allowed):
    message = f"Inputs of {name} cannot be prepared so. Received: {field}={value!r}. Choose from {allowed}."
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(sample_split(name, 200), **{field: value})


@pytest.mark.parametrize(("name", "encoding"), [("housing", "normalize"), ("mnist", "normalize"), ("imdb", "tfidf")])
def test_prepare_leaks_only_when_told_to(name, encoding):
    split = sample_split(name, 200)
    honest, leaky = (prepare(split, encoding=encoding, fit_on=part) for part in ("train", "all"))
    learned = "idf" if name == "imdb" else "mean"
    assert getattr(honest.preparation, learned) != getattr(leaky.preparation, learned)


@pytest.mark.parametrize("name", BASES)
def test_preparation_comes_back_from_json_and_does_the_same(name):
    split = sample_split(name, 200)
    split = dataclasses.replace(split, problem=dataclasses.replace(split.problem, origin=Origin(form="arrays")))
    for encoding in ENCODINGS[split.problem.kind]:
        first = prepare(split, encoding=encoding).preparation
        second = Preparation.from_dict(json.loads(json.dumps(dataclasses.asdict(first))))
        assert dataclasses.asdict(first) == dataclasses.asdict(second)
        np.testing.assert_array_equal(first.transform(split.x_val), second.transform(split.x_val))
