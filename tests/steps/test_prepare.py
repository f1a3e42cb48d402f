"""Preparation against scikit-learn's scaler, with statistics that the validation part must not touch."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.preprocessing import MultiLabelBinarizer, StandardScaler

from recipe.core.prepared import encoding_for
from recipe.core.problem import REVIEW_LENGTH
from recipe.core.reviews import Reviews
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import HOUSING_CAP, PROBLEMS, find_problem
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

TABLES = ["housing", "housing_fraction", "housing_vector"]
IMAGES = ["mnist", "mnist_five", "mnist_multilabel"]


def sample_split(name, rows=300):
    return hold_out(load(name, source="sample", rows=rows))


@pytest.mark.parametrize("name", TABLES)
def test_prepare_normalizes_tables_by_the_training_part_alone(name):
    split = sample_split(name)
    # A validation part from another world: were it looked at, the mean would move.
    split = dataclasses.replace(split, x_val=split.x_val * 100 + 7)
    prepared = prepare(split)
    scaler = StandardScaler().fit(split.x_train.astype(np.float64))
    np.testing.assert_allclose(prepared.preparation.mean, scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(prepared.preparation.std, scaler.scale_, rtol=1e-9)
    np.testing.assert_allclose(prepared.x_train, scaler.transform(split.x_train.astype(np.float64)), atol=1e-5)
    np.testing.assert_allclose(prepared.x_val, scaler.transform(split.x_val.astype(np.float64)), rtol=1e-5)
    np.testing.assert_allclose(prepared.x_train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(prepared.x_train.std(axis=0), 1, atol=1e-5)
    assert (prepared.x_train.dtype, prepared.x_val.dtype) == (np.float32, np.float32)
    assert (prepared.preparation.encoding, prepared.input_scale) == ("normalize", 1.0)


@pytest.mark.parametrize("name", IMAGES)
def test_prepare_keeps_images_small_and_scales_them_for_the_network(name):
    split = sample_split(name)
    prepared = prepare(split)
    assert prepared.x_train is split.x_train  # uint8, not even copied
    assert (prepared.x_train.dtype, prepared.input_scale) == (np.uint8, 1 / 16)
    inputs = prepared.inputs("val")
    assert (inputs.dtype, inputs.min(), inputs.max()) == (np.float32, 0.0, 1.0)
    np.testing.assert_array_equal(inputs, split.x_val.astype(np.float32) / 16)
    np.testing.assert_array_equal(prepared.inputs(), split.x_train.astype(np.float32) / 16)
    full = prepare(dataclasses.replace(split, problem=dataclasses.replace(split.problem, pixel_max=255.0)))
    np.testing.assert_allclose(full.inputs(), split.x_train / 255, rtol=1e-6)


def test_prepare_makes_multi_hot_vectors_of_reviews():
    split = sample_split("imdb")
    prepared = prepare(split)
    words = split.problem.num_words
    reference = MultiLabelBinarizer(classes=range(words)).fit_transform([set(text.tolist()) for text in split.x_val])
    np.testing.assert_array_equal(prepared.x_val, reference)
    assert prepared.x_val.dtype == np.uint8
    assert prepared.preparation.encoding == prepare(split, encoding="multi_hot").preparation.encoding == "multi_hot"
    np.testing.assert_array_equal(prepared.inputs("val"), reference.astype(np.float32))


def test_prepare_makes_sequences_of_reviews_that_stay_whole_numbers():
    from keras.utils import pad_sequences

    split = sample_split("imdb")
    prepared = prepare(split, encoding="sequence")
    texts = [text.astype(np.int64) for text in split.x_val]
    reference = pad_sequences(texts, maxlen=REVIEW_LENGTH, padding="post", truncating="post")
    np.testing.assert_array_equal(prepared.x_val, reference)
    assert (prepared.x_val.dtype, prepared.inputs("val").dtype) == (np.uint16, np.int32)
    np.testing.assert_array_equal(prepared.inputs("val"), reference)


def test_prepare_leaves_out_rare_words_and_what_is_behind_the_limit():
    split = sample_split("imdb", rows=20)
    long = Reviews(tokens=np.tile(np.arange(1, 600, dtype=np.uint32), 2), offsets=np.array([0, 599, 1198]))
    problem = dataclasses.replace(split.problem, num_words=400, input_shape=(400,))
    split = dataclasses.replace(split, problem=problem, x_train=long, y_train=np.array([0, 1], np.uint8))
    assert prepare(split).x_train.sum(axis=1).tolist() == [399, 399]  # words 1 to 399
    np.testing.assert_array_equal(prepare(split, encoding="sequence").x_train[1], np.arange(1, REVIEW_LENGTH + 1))


@pytest.mark.parametrize("name", PROBLEMS)
def test_prepare_carries_over_what_belongs_to_the_split(name):
    split = sample_split(name)
    prepared = prepare(split)
    assert (prepared.problem, prepared.source, prepared.protocol) == (split.problem, "sample", split.protocol)
    assert len(prepared.x_train) == len(prepared.y_train) == len(split.y_train)
    assert len(prepared.x_val) == len(prepared.y_val) == len(split.y_val)
    assert prepared.inputs("val").shape[1:] == split.problem.input_shape


@pytest.mark.parametrize("name", ["mnist", "imdb", "mnist_five", "mnist_multilabel"])
def test_prepare_keeps_labels_as_they_are(name):
    split = sample_split(name)
    assert prepare(split).y_train is split.y_train
    assert split.y_train.dtype == np.uint8


@pytest.mark.parametrize(
    ("name", "scale"), [("housing", 100_000), ("housing_fraction", 1), ("housing_vector", [100_000, 1])]
)
def test_prepare_gives_quantities_in_the_problem_s_unit(name, scale):
    split = sample_split(name)
    prepared = prepare(split)
    np.testing.assert_allclose(prepared.y_train, split.y_train / scale, rtol=1e-6)
    np.testing.assert_allclose(prepared.y_val, split.y_val / scale, rtol=1e-6)
    assert prepared.y_train.dtype == np.float32
    assert prepared.y_train.shape == split.y_train.shape
    assert prepared.y_train.max() <= 15.01  # a few hundred thousand dollars; 15 is the largest income
    if name == "housing_fraction":
        dollars = sample_split("housing").y_train
        np.testing.assert_allclose(prepared.y_train, dollars / HOUSING_CAP, rtol=1e-6)


@pytest.mark.parametrize("name", PROBLEMS)
def test_transform_applies_to_new_data_what_was_fitted(name):
    split = sample_split(name)
    prepared = prepare(split)
    np.testing.assert_array_equal(prepared.preparation.transform(split.x_val), prepared.x_val)
    np.testing.assert_array_equal(prepared.preparation.transform_target(split.y_val), prepared.y_val)
    np.testing.assert_array_equal(prepared.preparation.to_network(prepared.x_val), prepared.inputs("val"))


@pytest.mark.parametrize(
    ("name", "architecture", "encoding"),
    [
        ("imdb", "mlp", "multi_hot"),
        ("imdb", "linear", "multi_hot"),
        ("imdb", "embedding", "sequence"),
        ("mnist", "mlp", "scale"),
        ("mnist_five", "convnet", "scale"),
        ("housing", "mlp", "normalize"),
        ("housing_vector", "linear", "normalize"),
    ],
)
def test_encoding_for_says_what_an_architecture_reads(name, architecture, encoding):
    assert encoding_for(ModelSpec(architecture=architecture), find_problem(name)) == encoding
    prepared = prepare(sample_split(name), encoding=encoding)
    assert prepared.preparation.encoding == encoding


@pytest.mark.parametrize(
    ("name", "encoding", "allowed"),
    [
        ("mnist", "tfidf", "auto, scale, scale_signed, normalize, raw"),
        ("imdb", "scale", "auto, multi_hot, counts, tfidf, sequence"),
        ("housing", "multi_hot", "auto, normalize, scale, scale_signed, raw"),
        ("housing", "", "auto, normalize, scale, scale_signed, raw"),
    ],
)
def test_prepare_refuses_an_encoding_that_does_not_suit(name, encoding, allowed):
    message = f"The inputs of {name} cannot be encoded so. Received: encoding={encoding!r}. Choose from {allowed}."
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(sample_split(name), encoding=encoding)


def test_prepare_refuses_a_constant_feature_and_names_its_column():
    split = sample_split("housing")
    x_train = split.x_train.copy()
    x_train[:, [2, 5]] = 3.5
    message = (
        "2 features are the same in every training sample, so they tell nothing and cannot be normalised. "
        "Received: housing, columns 2 (housing_median_age), 5 (population). Drop them."
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(dataclasses.replace(split, x_train=x_train))


@pytest.mark.parametrize("part", ["x_train", "x_val"])
def test_prepare_refuses_inputs_that_are_not_finite(part):
    split = sample_split("housing")
    x = getattr(split, part).copy()
    x[3, 4], x[5, 1] = np.nan, np.inf
    where = {"x_train": "training part", "x_val": "input"}[part]
    message = (
        f"2 values of the {where} are not finite. Received: housing, x of shape {x.shape}, columns "
        "1 (latitude), 4 (total_bedrooms). Drop these samples, or fill missing values by prepare(split, "
        'missing="median").'
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(dataclasses.replace(split, **{part: x}))


@pytest.mark.parametrize("name", TABLES)
def test_prepare_refuses_targets_that_are_not_finite(name):
    split = sample_split(name)
    y = split.y_val.copy()
    y[3] = np.nan
    message = f"{y[3].size} targets of the validation part are not finite. Received: {name}, y of shape {y.shape}."
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(dataclasses.replace(split, y_val=y))


@pytest.mark.parametrize(
    ("name", "shape"), [("mnist", (5, 28, 28)), ("mnist", (8, 8)), ("housing", (5, 7)), ("housing", (8,))]
)
def test_transform_refuses_samples_of_another_shape(name, shape):
    preparation = prepare(sample_split(name)).preparation
    wanted = preparation.problem.input_shape
    message = f"A sample of {name} has the shape {wanted}. Received: x of shape {shape}. Give an array of shape (n, "
    with pytest.raises(ValueError, match=re.escape(message)):
        preparation.transform(np.zeros(shape, np.float32))
