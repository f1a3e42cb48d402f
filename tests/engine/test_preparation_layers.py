"""A model with its preparation inside reads raw data and says what the model said of prepared data."""

import keras
import numpy as np
import pytest

from recipe.core.prepared import ENCODINGS
from recipe.core.reviews import Reviews
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.engine.models import build_model
from recipe.engine.preparation_layers import attach_preparation
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare

WAYS = [(name, encoding) for name in ("mnist", "housing", "imdb") for encoding in ENCODINGS[find_problem(name).kind]]


def prepared_model(name, encoding):
    split = hold_out(load(name, source="sample", rows=80))
    prepared = prepare(split, encoding=encoding)
    architecture = "embedding" if encoding == "sequence" else "mlp"
    return build_model(ModelSpec(architecture=architecture, hidden_units=(8,)), prepared.problem), prepared, split


@pytest.mark.parametrize(("name", "encoding"), WAYS)
def test_attach_preparation_predicts_the_same_of_raw_data_and_survives_the_file(name, encoding, tmp_path):
    model, prepared, split = prepared_model(name, encoding)
    raw = split.x_val.sequences(length=2_000, num_words=2**16) if name == "imdb" else split.x_val
    expected = model.predict(prepared.inputs("val"), verbose=0)
    whole = attach_preparation(model, prepared.preparation)
    # Raw values such as 40,000 in float32 instead of float64: rounding, no more.
    np.testing.assert_allclose(whole.predict(raw, verbose=0), expected, rtol=1e-4, atol=1e-4)
    whole.save(tmp_path / "whole.keras")
    loaded = keras.saving.load_model(tmp_path / "whole.keras")
    np.testing.assert_array_equal(loaded.predict(raw, verbose=0), whole.predict(raw, verbose=0))


@pytest.mark.parametrize("encoding", ["multi_hot", "tfidf", "sequence"])
def test_attach_preparation_reads_empty_reviews_rare_words_and_words_that_stand_too_often(encoding):
    model, prepared, _ = prepared_model("imdb", encoding)
    words = prepared.problem.num_words
    texts = [[], [words, words + 5], [3] * 300 + [4], [5, words, 6] * 200]
    offsets = np.cumsum([0, *map(len, texts)])
    reviews = Reviews(tokens=np.array(sum(texts, []), np.uint32), offsets=offsets)  # noqa: RUF017
    expected = model.predict(prepared.preparation.to_network(prepared.preparation.transform(reviews)), verbose=0)
    whole = attach_preparation(model, prepared.preparation)
    ranks = reviews.sequences(length=400, num_words=words + 6)
    np.testing.assert_allclose(whole.predict(ranks, verbose=0), expected, rtol=1e-3, atol=1e-4)


def test_attach_preparation_shares_the_layers_so_that_training_on_goes_into_both():
    model, prepared, split = prepared_model("housing", "normalize")
    whole = attach_preparation(model, prepared.preparation)
    before = whole.predict(split.x_val, verbose=0)
    model.layers[-1].bias.assign([10.0])
    np.testing.assert_allclose(whole.predict(split.x_val, verbose=0), before + 10, rtol=1e-5)
