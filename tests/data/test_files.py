"""Where data files are looked for, and which of them may be used: damaged, forged and ill-shaped ones are refused."""

from __future__ import annotations

import itertools
import json
import pickle

import numpy as np
import pytest
from http_server import Payload, official_imdb, small_housing, small_imdb, small_mnist, write_npz

from recipe.data.files import (
    OFFICIAL_SHA256,
    find_verified,
    home_folder,
    parse_sums,
    read_verified,
    search_folders,
    storage_folder,
    sum_of,
    unpickle_reviews,
)


def test_search_folders_come_in_the_documented_order(tmp_path, monkeypatch):
    monkeypatch.setenv("RECIPE_DATASETS", str(tmp_path / "a"))
    monkeypatch.setenv("RECIPE_HOME", str(tmp_path / "b"))
    monkeypatch.setattr("recipe.data.files.CHECKOUT", tmp_path / "c")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "pyproject.toml").touch()
    folders = search_folders()
    assert folders[:3] == (tmp_path / "a", tmp_path / "b" / "datasets", tmp_path / "c" / "datasets")
    assert len(folders) == 4
    assert (storage_folder(), home_folder()) == (tmp_path / "b" / "datasets", tmp_path / "b")


def test_storage_folder_is_the_checkouts_without_recipe_home(tmp_path, monkeypatch):
    monkeypatch.delenv("RECIPE_HOME")
    assert storage_folder() == home_folder() / "datasets"
    assert "recipe" in storage_folder().parts
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr("recipe.data.files.CHECKOUT", tmp_path)
    assert storage_folder() == tmp_path / "datasets"


def test_find_verified_takes_the_first_whole_file_and_names_the_damaged(datasets):
    (datasets / "mnist.npz").write_bytes(b"PK broken")
    stored = write_npz(storage_folder(), "mnist.npz", small_mnist())
    (file, _), faults = find_verified("mnist.npz")
    assert (file.path, file.bytes) == (stored, stored.stat().st_size)
    assert file.sha256 == sum_of(stored.read_bytes())
    assert len(faults) == 1
    assert str(datasets) in faults[0]


def test_read_verified_holds_a_file_against_the_sums_beside_it(datasets):
    path = write_npz(datasets, "mnist.npz", small_mnist())
    (datasets / "SHA256SUMS").write_text(f"{sum_of(path.read_bytes())}  mnist.npz\n")
    assert read_verified(path)[0].verified == "SHA-256 as in SHA256SUMS; shapes and ranges"
    write_npz(datasets, "mnist.npz", small_mnist(seed=1))
    with pytest.raises(ValueError, match=r"damaged.*SHA256SUMS beside it states the SHA-256 [0-9a-f]{64}.*Received: "):
        read_verified(path)


def test_read_verified_lets_a_converted_file_stand_beside_kerass_sums(datasets):
    write_npz(datasets, "imdb.npz", small_imdb())
    (datasets / "SHA256SUMS").write_text(f"{OFFICIAL_SHA256['imdb.npz']}  imdb.npz\n")
    assert read_verified(datasets / "imdb.npz")[0].verified == "CRC-32; shapes and ranges"


def test_read_verified_refuses_a_word_index_that_nobody_vouches_for(datasets):
    path = datasets / "imdb_word_index.json"
    path.write_text(json.dumps({"film": 2, "the": 1}))
    with pytest.raises(ValueError, match=r"damaged.*Keras states the SHA-256 027313fe"):
        read_verified(path)
    (datasets / "SHA256SUMS").write_text(f"{sum_of(path.read_bytes())} *imdb_word_index.json\n")
    assert read_verified(path)[1] == ("", "the", "film")


def test_parse_sums_names_the_line_that_is_none():
    with pytest.raises(ValueError, match=r"Line 2 of SHA256SUMS is not.*Received: '<html>'"):
        parse_sums("0" * 64 + "  a.npz\n<html>\n")


# --- layouts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "small"), [("mnist.npz", small_mnist), ("imdb.npz", small_imdb)])
def test_read_verified_returns_what_was_written(tmp_path, name, small):
    read = read_verified(write_npz(tmp_path, name, small()))[1]
    for key, array in small().items():
        np.testing.assert_array_equal(read[key], array)
        assert read[key].dtype == array.dtype


def test_read_verified_brings_wider_numbers_into_the_layout(tmp_path):
    wide = {key: array.astype(np.float64) for key, array in small_housing().items()}
    assert read_verified(write_npz(tmp_path, "california_housing.npz", wide))[1]["x"].dtype == np.float32
    wide = {key: array.astype(np.int64) for key, array in small_mnist().items()}
    assert read_verified(write_npz(tmp_path, "mnist.npz", wide))[1]["y_train"].dtype == np.uint8


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_read_verified_refuses_a_truncated_file(tmp_path, share):
    path = write_npz(tmp_path, "mnist.npz", small_mnist())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=r"The file is damaged.*Received: .*mnist\.npz\. Delete it and fetch it again"):
        read_verified(path)


def test_read_verified_refuses_a_flipped_byte_wherever_it_matters(tmp_path):
    path = write_npz(tmp_path, "california_housing.npz", small_housing())
    whole, expected, refused = path.read_bytes(), small_housing(), 0
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        try:
            # Where it is read, the byte was a date or an attribute of the archive: the data is what it was.
            read = read_verified(path)[1]
            assert all(np.array_equal(read[key], expected[key]) for key in expected)
        except ValueError:
            refused += 1
    assert refused > len(whole) / 7 * 0.7


IMAGES, REVIEWS, ROWS = "mnist.npz", "imdb.npz", "california_housing.npz"
ONES = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (IMAGES, {"x_train": np.zeros((60, 28, 27), np.uint8)}, r"\(60, 28, 27\), uint8, not \(n, 28, 28\), uint8"),
        (IMAGES, {"x_train": np.zeros((60, 28, 28), np.float32)}, "float32, not"),
        (IMAGES, {"x_test": np.zeros((9, 28, 28), np.uint8)}, "y_test has 10 targets for 9 samples"),
        (IMAGES, {"y_train": np.full(60, 10, np.uint8)}, r"y_train runs from 10 to 10, and values lie in \[0, 9\]"),
        (IMAGES, {"y_train": np.full(60, -1)}, "y_train runs from -1 to -1"),
        (IMAGES, {"y_train": None, "x_test": None}, "it has no array x_test, y_train"),
        (REVIEWS, {"train_labels": np.array([0, 1, 2], np.uint8)}, r"runs from 0 to 2, and values lie in \[0, 1\]"),
        (REVIEWS, {"train_offsets": np.array([0, 4, 3, 6], np.uint32)}, "that rise from 0 to"),
        (REVIEWS, {"test_offsets": np.array([0, 2, 9], np.uint32)}, "number of tokens, 3"),
        (REVIEWS, {"test_labels": np.array([0], np.uint8)}, "test_labels has 1 targets for 2 samples"),
        (REVIEWS, {"test_tokens": np.array([2, 0, 5], np.uint32)}, "test_tokens runs from 0 to 5"),
        (ROWS, {"x": np.ones((4, 7), np.float32), "y": ONES}, r"\(4, 7\), float32, not \(n, 8\), float32"),
        (ROWS, {"x": np.ones((4, 8), np.float32), "y": ONES[:3]}, "y has 3 targets for 4 samples"),
        (ROWS, {"x": np.full((4, 8), np.nan), "y": ONES}, "x runs from nan to nan"),
        (ROWS, {"x": np.ones((4, 8)), "y": 6e5 * ONES}, "y runs from 600000 to 600000"),
        (ROWS, {"x": np.ones((4, 8)), "y": 0 * ONES}, r"y runs from 0 to 0, and values lie in \[1, 500001\]"),
    ],
)
def test_read_verified_refuses_wrong_shapes_types_and_ranges(tmp_path, name, changes, message):
    whole = {IMAGES: small_mnist, REVIEWS: small_imdb, ROWS: small_housing}[name]()
    path = write_npz(tmp_path, name, {key: array for key, array in (whole | changes).items() if array is not None})
    with pytest.raises(ValueError, match=message):
        read_verified(path)


@pytest.mark.parametrize("text", ["{", "[1]", '{"the": 2}', '{"the": 1, "film": 1}', '{"the": "x"}', '{"the": 1.5}'])
def test_read_verified_refuses_what_is_no_ranking(datasets, text):
    path = datasets / "imdb_word_index.json"
    path.write_text(text)
    (datasets / "SHA256SUMS").write_text(f"{sum_of(text.encode())}  {path.name}\n")
    with pytest.raises(ValueError, match="The file is damaged"):
        read_verified(path)


# --- pickles ----------------------------------------------------------------------------------------------------------


def test_read_verified_never_executes_a_pickle(tmp_path):
    payload = Payload(tmp_path / "executed")
    forged = write_npz(tmp_path, "mnist.npz", small_mnist() | {"x_train": np.array([payload], object)})
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_verified(forged)
    forged.write_bytes(pickle.dumps(payload))
    with pytest.raises(ValueError, match="The file is damaged"):
        read_verified(forged)
    assert not payload.path.exists()


def test_only_kerass_own_reviews_are_unpickled(datasets):
    payload = Payload(datasets / "executed")
    path = official_imdb(datasets, [[1], payload], [0, 1])
    with pytest.raises(ValueError, match=r"Only Keras's own imdb\.npz is unpickled, SHA-256 69664113be.*Received: "):
        unpickle_reviews(path.read_bytes())
    with pytest.raises(ValueError, match="it has no array test_labels"):
        read_verified(path)
    assert not payload.path.exists()


def test_kerass_own_reviews_are_read_in_kerass_order(datasets, monkeypatch):
    texts, labels = [[1, 2], [3], [], [4, 4, 9], [7]], [0, 1, 1, 0, 1]
    path = official_imdb(datasets, texts, labels)
    monkeypatch.setitem(OFFICIAL_SHA256, "imdb.npz", sum_of(path.read_bytes()))
    file, arrays = read_verified(path)
    assert file.verified == "SHA-256 is Keras's own; shapes and ranges"
    assert {name: array.dtype for name, array in arrays.items()} == {n: a.dtype for n, a in small_imdb().items()}
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    tokens, offsets = arrays["train_tokens"], arrays["train_offsets"]
    assert [tokens[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [texts[i] for i in order]
    assert arrays["train_labels"].tolist() == [labels[i] for i in order]
