"""`load`: the sources and why one is taken, rows, derived problems, and the real data where it is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from http_server import Server, small_housing, small_imdb, small_mnist, write_npz

from recipe.core.reviews import Reviews
from recipe.data.files import storage_folder
from recipe.data.load import load
from recipe.data.problems import HOUSING_CAP, HOUSING_FEATURES, PROBLEMS, dataset_of, default_rows


@pytest.fixture
def small(datasets) -> Path:
    """Small files in the layouts of mnist.npz (700 + 100 images) and california_housing.npz (1,000 rows)."""
    write_npz(datasets, "mnist.npz", small_mnist(train=700, test=100))
    write_npz(datasets, "california_housing.npz", small_housing(rows=1_000))
    return datasets


# --- sources ----------------------------------------------------------------------------------------------------------


def test_load_prefers_local_files_and_says_where_they_lie(small, no_network):
    data = load("housing")
    assert data.source == "local"
    assert data.reason == f"{small / 'california_housing.npz'} was there (SHA-256 as in SHA256SUMS)."
    assert "census" in data.provenance
    assert data.reachable_error is None


def test_load_falls_to_the_sample_and_says_why(datasets, no_network):
    data = load("housing")
    assert data.source == "sample"
    assert data.reason.startswith(f"california_housing.npz: not in one of 2 folders: {datasets}, ")
    assert "failed: there is no connection to it" in data.reason
    assert data.provenance.startswith("A stand-in, not real prices")


def test_load_downloads_what_is_missing(server: Server):
    data = load("mnist")
    assert (data.source, data.problem.pixel_max) == ("download", 255.0)
    assert f"was downloaded from 127.0.0.1:{server.server_port} (SHA-256 as in SHA256SUMS)" in data.reason
    assert load("mnist").source == "local"
    assert server.requests["GET mnist.npz"] == 1


def test_load_never_uses_a_damaged_file_and_says_so(datasets, no_network):
    (datasets / "mnist.npz").write_bytes(b"PK cut off")
    with pytest.warns(RuntimeWarning, match=r"The file is damaged.*It is passed over\."):
        data = load("mnist")
    assert data.source == "sample"
    assert data.reason.startswith("mnist.npz: not in one of 2 folders: ")
    with pytest.warns(RuntimeWarning), pytest.raises(OSError, match=r"mnist\.npz: not in.*Received: source='local'"):
        load("mnist", source="local")
    whole = write_npz(storage_folder(), "mnist.npz", small_mnist())
    with pytest.warns(RuntimeWarning, match=rf"The file is damaged.*{datasets}.*It is passed over\."):
        assert load("mnist").reason == f"{whole} was there (SHA-256 as in SHA256SUMS)."


def test_load_local_names_the_file_the_folders_and_the_way_out(datasets):
    message = r"mnist\.npz: not in one of 2 folders: .*Run `recipe fetch`, set RECIPE_DATASETS"
    with pytest.raises(FileNotFoundError, match=message):
        load("mnist", source="local")
    write_npz(datasets, "imdb.npz", small_imdb())
    with pytest.raises(FileNotFoundError, match=r"imdb_word_index\.json: not in one of 2 folders"):
        load("imdb", source="local")


def test_recipe_source_stands_in_for_auto_only(small, monkeypatch):
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    assert load("housing").reason == "RECIPE_SOURCE=sample asks for it."
    assert load("housing", source="local").source == "local"
    assert load("housing", source="sample").reason == "source=sample asks for it."
    monkeypatch.setenv("RECIPE_SOURCE", "auto")
    assert load("housing").source == "local"


# --- problems and rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROBLEMS)
def test_load_gives_every_problem_in_the_shapes_it_states(name):
    data = load(name, source="sample")
    outputs = (data.problem.outputs,) if data.problem.outputs > 1 and name != "mnist" else ()
    for x, y in ((data.x_train, data.y_train), data.test.open()):
        assert len(x) == len(y)
        assert y.shape[1:] == outputs
        assert y.dtype == (np.float32 if data.problem.kind == "table" else np.uint8)
        inputs = x.multi_hot(data.problem.num_words) if isinstance(x, Reviews) else x
        assert inputs.shape[1:] == data.problem.input_shape
    assert data.source == "sample"
    assert "stand-in" in data.provenance
    assert (data.problem.name, data.problem.type) == (name, PROBLEMS[name].type)
    assert default_rows(name) == (600 if dataset_of(name) == "housing" else None)


def test_load_derives_the_digit_problems_from_the_same_images(small):
    digits, five, labels = load("mnist"), load("mnist_five"), load("mnist_multilabel")
    np.testing.assert_array_equal(five.x_train, digits.x_train)
    assert [int(y == 5) for y in digits.y_train] == five.y_train.tolist()
    for y, row in zip(digits.y_train.tolist(), labels.y_train.tolist(), strict=True):
        assert row == [int(y in (0, 2, 4, 6, 8)), int(y in (5, 6, 7, 8, 9)), int(y in (0, 6, 8, 9))]
    np.testing.assert_array_equal(five.test.open()[1], digits.test.open()[1] == 5)
    assert (digits.problem.pixel_max, digits.source, digits.reachable_error) == (255.0, "local", None)


def test_load_derives_the_housing_problems_from_the_same_districts(small):
    value, fraction, vector = load("housing"), load("housing_fraction"), load("housing_vector")
    np.testing.assert_allclose(fraction.y_train, value.y_train / HOUSING_CAP, rtol=1e-6)
    assert 0 <= fraction.y_train.min() <= fraction.y_train.max() <= 1
    np.testing.assert_array_equal(vector.x_train, value.x_train[:, :7])
    np.testing.assert_array_equal(vector.y_train, np.column_stack([value.y_train, value.x_train[:, 7]]))
    assert value.problem.feature_names == HOUSING_FEATURES
    assert vector.problem.feature_names == HOUSING_FEATURES[:7]
    assert vector.x_train.flags["C_CONTIGUOUS"]


def test_load_states_the_reachable_error_in_the_problems_unit():
    housing, fraction = load("housing", source="sample"), load("housing_fraction", source="sample")
    assert fraction.reachable_error == pytest.approx(housing.reachable_error * 100_000 / HOUSING_CAP)
    assert load("housing_vector", source="sample").reachable_error is None
    assert load("mnist", source="sample").reachable_error is None


@pytest.mark.parametrize("rows", [10, 200, 799])
def test_load_draws_rows_without_replacement_in_proportion(small, rows):
    data, everything = load("mnist", rows=rows, seed=3), load("mnist")
    x_test, y_test = data.test.open()
    assert len(data.y_train) + len(y_test) == rows
    assert len(data.y_train) == round(rows * 7 / 8)
    known = {image.tobytes(): label for image, label in zip(everything.x_train, everything.y_train, strict=True)}
    drawn = [image.tobytes() for image in data.x_train]
    assert len(set(drawn)) == len(drawn)
    assert [known[image] for image in drawn] == data.y_train.tolist()
    assert len({image.tobytes() for image in x_test}) == len(y_test)


def test_load_draws_by_the_seed_and_keeps_the_stored_order_without_rows(small):
    first, again, other = (load("mnist", rows=100, seed=seed).x_train for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(load("mnist", seed=5).x_train, small_mnist(train=700, test=100)["x_train"])


@pytest.mark.parametrize("rows", [600, 10, None])
def test_load_splits_housing_exactly_as_keras_does(small, rows):
    stored = small_housing(rows=1_000)
    x, y = stored["x"][:rows], stored["y"][:rows]
    # As in keras/src/datasets/california_housing.py.
    indices = np.arange(len(x))
    np.random.RandomState(113).shuffle(indices)
    x, y = x[indices], y[indices]
    cut = int(len(x) * (1 - 0.2))
    data = load("housing", rows=rows, seed=9)
    x_test, y_test = data.test.open()
    for mine, keras_own in ((data.x_train, x[:cut]), (data.y_train, y[:cut]), (x_test, x[cut:]), (y_test, y[cut:])):
        np.testing.assert_array_equal(mine, keras_own)


@pytest.mark.parametrize("rows", [9, 0, -5, 801])
def test_load_refuses_rows_that_are_not_there(small, rows):
    with pytest.raises(ValueError, match=rf"has 800 samples.*Received: rows={rows}\. Ask for 10 to 800"):
        load("mnist", rows=rows)


def test_load_takes_a_sample_whole_when_more_is_asked_for():
    data = load("mnist", source="sample", rows=20_000)
    assert len(data.y_train) + len(data.test) == 1_792
    assert data.reason == "source=sample asks for it. It has 1,792 of the 20,000 rows asked for."


def test_loading_imports_no_framework():
    heavy = "keras", "jax", "sklearn", "matplotlib", "scipy", "pandas", "IPython", "pooch", "requests"
    code = (
        "import sys, recipe, recipe.steps.s4_prepare; recipe.load('imdb', source='sample');"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


# --- the real data ----------------------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.parametrize("name", PROBLEMS)
def test_load_reads_the_real_data(real_data, name):
    data = load(name)
    sizes = {"mnist": (60_000, 10_000), "imdb": (25_000, 25_000), "housing": (16_512, 4_128)}[dataset_of(name)]
    assert (len(data.y_train), len(data.test)) == sizes
    assert data.source == "local"
    assert str(real_data) in data.reason
    assert data.reachable_error is None
    assert data.problem == PROBLEMS[name]


@pytest.mark.real_data
def test_load_knows_the_real_words(real_data):
    imdb = load("imdb")
    assert imdb.vocabulary[:4] == ("", "the", "and", "a")
    assert len(imdb.vocabulary) == 88_585
    # How often a word stands in the training texts decides its rank: the first hundred fall, but for a few near ties.
    frequencies = np.bincount(imdb.x_train.tokens)[1:101]
    assert (np.diff(frequencies.astype(int)) <= 0).mean() > 0.8
