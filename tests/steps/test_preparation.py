"""The ways to prepare against scikit-learn's, and what is refused, filled in or noted."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler

from recipe.core.features import HOUSING_RATIOS, Ratio
from recipe.core.preparation import Preparation
from recipe.core.prepared import encodings_of, readable_by
from recipe.core.reviews import Reviews
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.core.vectorize import count_words, fit_idf, read_texts
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.engine.models import build_model
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train

BASES = ("mnist", "housing", "imdb")


def sample_split(name, rows=200):
    return hold_out(load(name, source="sample", rows=rows))


def with_gaps(split, part="x_train", column=4, step=5):
    x = getattr(split, part).copy()
    x[::step, column] = np.nan
    return dataclasses.replace(split, **{part: x})


@pytest.mark.parametrize(("encoding", "limits"), [("scale", (0, 1)), ("scale_signed", (-1, 1))])
def test_prepare_scales_tables_as_scikit_learn_does(encoding, limits):
    split = sample_split("housing")
    prepared = prepare(split, encoding=encoding)
    scaler = MinMaxScaler(limits).fit(split.x_train.astype(np.float64))
    np.testing.assert_allclose(prepared.x_train, scaler.transform(split.x_train.astype(np.float64)), atol=1e-6)
    np.testing.assert_allclose(prepared.x_val, scaler.transform(split.x_val.astype(np.float64)), atol=1e-6)
    assert (prepared.x_train.min(), prepared.x_train.max()) == limits


def test_prepare_leaves_raw_values_alone():
    table, digits = sample_split("housing"), sample_split("mnist")
    np.testing.assert_array_equal(prepare(table, encoding="raw").inputs(), table.x_train)
    np.testing.assert_array_equal(prepare(digits, encoding="raw").inputs(), digits.x_train)


def test_prepare_scales_images_to_both_sides_of_zero_in_two_bytes_a_pixel():
    split = sample_split("mnist")
    prepared = prepare(split, encoding="scale_signed")
    assert prepared.x_train.dtype == np.int16
    np.testing.assert_allclose(prepared.inputs(), split.x_train / 8.0 - 1, atol=1e-6)


def test_prepare_normalizes_images_by_one_mean_and_one_deviation():
    split = sample_split("mnist")
    prepared = prepare(split, encoding="normalize")
    inputs = prepared.inputs()
    assert inputs.mean(dtype=np.float64) == pytest.approx(0, abs=1e-6)
    assert inputs.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(
        prepared.inputs("val"), (split.x_val - split.x_train.mean()) / split.x_train.std(), atol=1e-5
    )


def as_texts(reviews):
    return [" ".join(f"w{token}" for token in text) for text in reviews]


def test_prepare_counts_and_weighs_words_as_scikit_learn_does():
    split = sample_split("imdb")
    words = split.problem.num_words
    shared = {"vocabulary": [f"w{rank}" for rank in range(words)], "token_pattern": r"\S+"}
    counts = CountVectorizer(**shared).transform(as_texts(split.x_val)).toarray()
    prepared = prepare(split, encoding="counts")
    np.testing.assert_array_equal(prepared.x_val, counts)
    assert prepared.x_val.dtype == np.uint8
    reference = TfidfVectorizer(**shared).fit(as_texts(split.x_train))
    prepared = prepare(split, encoding="tfidf")
    np.testing.assert_allclose(prepared.preparation.idf, reference.idf_)
    np.testing.assert_allclose(
        prepared.inputs("val"), reference.transform(as_texts(split.x_val)).toarray(), rtol=5e-4, atol=1e-6
    )
    assert prepared.x_val.dtype == np.float16


def test_count_words_stops_at_what_a_byte_holds():
    reviews = Reviews(tokens=np.full(300, 2, np.uint32), offsets=np.array([0, 300]))
    assert count_words(reviews, words=3).tolist() == [[0, 0, 255]]


def test_fit_idf_refuses_to_learn_from_no_text():
    nothing = Reviews(tokens=np.zeros(0, np.uint32), offsets=np.array([0]))
    with pytest.raises(ValueError, match="cannot be told from 0 texts"):
        fit_idf(nothing, words=3)


def test_read_texts_leaves_out_unknown_words_and_takes_no_text_at_all():
    reviews = read_texts(["It's GOOD, really good.", "", "xyz"], ["", "good", "it's"])
    assert [text.tolist() for text in reviews] == [[2, 1, 1], [], []]
    assert len(read_texts([], ["", "good"])) == 0


@pytest.mark.parametrize("name", BASES)
def test_prepare_gives_what_trains_in_every_encoding(name):
    split = sample_split(name, rows=60)
    for encoding in encodings_of(split.problem):
        architecture = "embedding" if encoding == "sequence" else "mlp"
        spec = ModelSpec(architecture=architecture, hidden_units=(4,), epochs=1)
        assert encoding in readable_by(spec, split.problem)
        run = train(spec, prepare(split, encoding=encoding))
        assert isinstance(run, Run)
        assert np.isfinite(run.history["val_loss"]).all()


def test_prepare_fills_gaps_with_the_training_median_as_scikit_learn_does():
    split = with_gaps(with_gaps(sample_split("housing")), "x_val", column=0, step=3)
    prepared = prepare(split, encoding="raw", missing="median")
    imputer = SimpleImputer(strategy="median").fit(split.x_train)
    np.testing.assert_allclose(prepared.preparation.median, imputer.statistics_, rtol=1e-6)
    np.testing.assert_allclose(prepared.x_val, imputer.transform(split.x_val), rtol=1e-6)
    filled = [note for note in prepared.notes if note.kind == "filled"]
    assert [(note.feature, note.count) for note in filled] == [("total_bedrooms", 26), ("longitude", 11)]
    assert str(filled[0]).startswith("total_bedrooms: 26 of 128 values were missing, the training median ")


def test_transform_refuses_gaps_where_no_median_was_fitted_and_infinity_always():
    split = sample_split("housing")
    with pytest.raises(ValueError, match=re.escape("columns 4 (total_bedrooms). Drop these samples, or fill")):
        prepare(split).preparation.transform(with_gaps(split).x_train)
    endless = split.x_val.copy()
    endless[0, 2] = np.inf
    message = "1 values of the input are not finite. Received: housing, x of shape (32, 8), columns 2 (housing_median_a"
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(split, missing="median").preparation.transform(endless)


def test_prepare_refuses_a_column_without_any_value():
    message = "1 columns have no value at all in the training part. Received: housing, columns total_bedrooms. Drop"
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(with_gaps(sample_split("housing"), step=1), missing="median")


def test_prepare_makes_ratios_of_filled_columns_and_tells_the_model_their_number():
    split = with_gaps(sample_split("housing"))
    prepared = prepare(split, encoding="raw", ratios=HOUSING_RATIOS, missing="median")
    filled = prepare(split, encoding="raw", missing="median").x_train
    np.testing.assert_allclose(prepared.x_train[:, :8], filled)
    np.testing.assert_allclose(prepared.x_train[:, 8], filled[:, 3] / filled[:, 6], rtol=1e-6)
    np.testing.assert_allclose(prepared.x_train[:, 9], filled[:, 4] / filled[:, 3], rtol=1e-6)
    np.testing.assert_allclose(prepared.x_train[:, 10], filled[:, 5] / filled[:, 6], rtol=1e-6)
    assert prepared.preparation.columns[-1] == "people_per_household"
    assert (prepared.problem.input_shape, prepared.preparation.problem.input_shape) == ((11,), (8,))
    assert build_model(ModelSpec(), prepared.problem).input_shape == (None, 11)


def test_prepare_refuses_ratios_that_cannot_be_made():
    split = sample_split("housing")
    wrong = Ratio(name="cars_per_house", over="cars", under="households")
    message = "There is no column 'cars' to make cars_per_house from. Received: ratio='cars_per_house = cars / househo"
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(split, ratios=[wrong])
    nobody = split.x_train.copy()
    nobody[:2, 6] = 0
    with pytest.raises(ValueError, match="2 of 128 values of households are 0, and nothing can be divided by it"):
        prepare(dataclasses.replace(split, x_train=nobody), ratios=HOUSING_RATIOS)
    with pytest.raises(ValueError, match="Only a table has columns to make ratios of or to fill, and mnist is none"):
        prepare(sample_split("mnist"), ratios=HOUSING_RATIOS)


@pytest.mark.parametrize(
    ("field", "value", "allowed"), [("missing", "drop", "refuse, median"), ("fit_on", "val", "train, all")]
)
def test_prepare_refuses_an_unknown_way(field, value, allowed):
    with pytest.raises(ValueError, match=f"Received: {field}='{value}'. Choose from {allowed}."):
        prepare(sample_split("housing"), **{field: value})


@pytest.mark.parametrize(("name", "encoding"), [("housing", "normalize"), ("mnist", "normalize"), ("imdb", "tfidf")])
def test_prepare_leaks_only_when_told_to_and_says_so(name, encoding):
    split = sample_split(name)
    x_val = split.x_val[:0] if name == "imdb" else split.x_val
    honest, leaky = (prepare(split, encoding=encoding, fit_on=part) for part in ("train", "all"))
    learned = "idf" if name == "imdb" else "mean"
    assert getattr(honest.preparation, learned) != getattr(leaky.preparation, learned)
    without = prepare(dataclasses.replace(split, x_val=x_val, y_val=split.y_val[: len(x_val)]), encoding=encoding)
    assert getattr(without.preparation, learned) == getattr(honest.preparation, learned)
    assert [note.kind for note in leaky.notes][-1] == "leak"
    assert "leak" not in [note.kind for note in honest.notes]


def test_inspect_notes_values_that_training_never_showed():
    preparation = prepare(sample_split("housing")).preparation
    x = np.repeat(np.asarray(preparation.low, np.float32)[None], 3, axis=0)
    assert preparation.inspect(x) == ()
    x[1:, 7] = 90.0, 99.0
    (note,) = preparation.inspect(x)
    assert (note.kind, note.feature, note.count) == ("outside_range", "median_income", 2)
    assert re.fullmatch(
        r"median_income: 2 of 3 values lie outside .* to .*, the range .* \(the farthest: 99\)\.", str(note)
    )
    assert np.isfinite(preparation.transform(x)).all()


def test_inspect_notes_images_that_are_scaled_already_and_reviews_without_a_known_word():
    digits = prepare(sample_split("mnist")).preparation
    (note,) = digits.inspect(np.full((2, 8, 8), 0.5, np.float32))
    assert (note.kind, note.count) == ("scaled_twice", 2)
    words = prepare(sample_split("imdb")).preparation
    unknown = Reviews(tokens=np.array([60_000, 5, 60_000], np.uint32), offsets=np.array([0, 1, 3, 3]))
    (note,) = words.inspect(unknown)
    assert (note.kind, note.count) == ("no_known_word", 2)


@pytest.mark.parametrize("bad", [-1.0, 17.0, np.nan])
def test_transform_refuses_pixels_out_of_range(bad):
    preparation = prepare(sample_split("mnist")).preparation
    images = np.zeros((2, 8, 8), np.float32)
    images[1, 3, 3] = bad
    with pytest.raises(ValueError, match="A pixel of mnist lies between 0 and 16"):
        preparation.transform(images)


def test_prepare_refuses_images_without_a_white_and_images_of_one_grey():
    split = sample_split("mnist")
    with pytest.raises(ValueError, match="How bright white is must be known for images"):
        prepare(dataclasses.replace(split, problem=dataclasses.replace(split.problem, pixel_max=0.0)))
    with pytest.raises(ValueError, match="All pixels are 3, so there is nothing to see"):
        prepare(dataclasses.replace(split, x_train=np.full_like(split.x_train, 3)), encoding="normalize")


def test_transform_refuses_samples_of_another_kind():
    table, words = prepare(sample_split("housing")).preparation, prepare(sample_split("imdb")).preparation
    with pytest.raises(TypeError, match=r"The samples of imdb are texts. Received: x, ndarray"):
        words.transform(np.zeros((5, 9), np.float32))
    with pytest.raises(TypeError, match=r"The samples of housing are numbers in a NumPy array. Received: x, Reviews"):
        table.transform(sample_split("imdb").x_val)
    with pytest.raises(TypeError, match="Received: x, an array of <U1"):
        table.transform(np.full((2, 8), "a"))


@pytest.mark.parametrize(("name", "label", "classes"), [("mnist", 10, 9), ("imdb", 2, 1), ("mnist_multilabel", 2, 1)])
def test_prepare_refuses_labels_that_are_no_class(name, label, classes):
    split = sample_split(name)
    y_train = split.y_train.copy()
    y_train.flat[0] = label
    message = f"The labels of {name} run from 0 to {classes}. Received: y from 0 to {label} in the training part."
    with pytest.raises(ValueError, match=re.escape(message)):
        prepare(dataclasses.replace(split, y_train=y_train))


@pytest.mark.parametrize("name", BASES)
def test_preparation_comes_back_from_json_and_does_the_same(name):
    split = sample_split(name)
    extra = {"ratios": HOUSING_RATIOS, "missing": "median"} if name == "housing" else {}
    for encoding in encodings_of(find_problem(name)):
        first = prepare(split, encoding=encoding, **extra).preparation
        second = Preparation.from_json(first.to_json())
        assert dataclasses.asdict(first) == dataclasses.asdict(second)
        np.testing.assert_array_equal(first.transform(split.x_val), second.transform(split.x_val))
