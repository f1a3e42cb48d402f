"""Damaged, forged and ill-shaped files against the reader of the kit's layouts."""

from __future__ import annotations

import contextlib
import pickle

import numpy as np
import pytest
from http_server import Payload, small_housing, small_imdb, small_mnist, write_npz

from recipe.data.layouts import read_npz, read_word_index


def test_read_npz_returns_what_was_written(tmp_path):
    for name, arrays in (("mnist.npz", small_mnist()), ("imdb.npz", small_imdb())):
        read = read_npz(write_npz(tmp_path, name, arrays), name)
        for key, array in arrays.items():
            np.testing.assert_array_equal(read[key], array)
            assert read[key].dtype == array.dtype


def test_read_npz_brings_wider_numbers_into_the_layout(tmp_path):
    wide = {key: array.astype(np.float64) for key, array in small_housing().items()}
    assert read_npz(write_npz(tmp_path, "california_housing.npz", wide), "california_housing.npz")["x"].dtype == "f4"
    wide = {key: array.astype(np.int64) for key, array in small_mnist().items()}
    assert read_npz(write_npz(tmp_path, "mnist.npz", wide), "mnist.npz")["y_train"].dtype == np.uint8


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_read_npz_refuses_a_truncated_file(tmp_path, share):
    path = write_npz(tmp_path, "mnist.npz", small_mnist())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=r"The file is damaged.*Received: .*mnist\.npz\. Delete it and fetch it again"):
        read_npz(path, "mnist.npz")


def test_read_npz_refuses_a_flipped_byte_wherever_it_stands(tmp_path):
    path = write_npz(tmp_path, "california_housing.npz", small_housing())
    whole = path.read_bytes()
    expected = read_npz(path, "california_housing.npz")
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        with contextlib.suppress(ValueError):
            # Where it is read, the byte was a date or an attribute of the archive: the data is what it was.
            read = read_npz(path, "california_housing.npz")
            np.testing.assert_array_equal(read["x"], expected["x"])
            np.testing.assert_array_equal(read["y"], expected["y"])


IMAGES, REVIEWS, ROWS = "mnist.npz", "imdb.npz", "california_housing.npz"
ONES = np.ones(4, np.float32)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        (IMAGES, {"x_train": np.zeros((60, 28, 27), np.uint8)}, r"\(60, 28, 27\), uint8, not \(n, 28, 28\), uint8"),
        (IMAGES, {"x_train": np.zeros((60, 28, 28), np.float32)}, "float32, not"),
        (IMAGES, {"x_test": np.zeros((9, 28, 28), np.uint8)}, "test has 9 images and 10 labels"),
        (IMAGES, {"y_train": np.full(60, 10, np.uint8)}, "label 10, and the digits are 0 to 9"),
        (IMAGES, {"y_train": np.full(60, -1)}, "y_train runs from -1 to -1"),
        (IMAGES, {"y_train": None, "x_test": None}, "it has no array x_test, y_train"),
        (REVIEWS, {"train_labels": np.array([0, 1, 2], np.uint8)}, "label 2, and the labels are 0 and 1"),
        (REVIEWS, {"train_offsets": np.array([0, 4, 3, 6], np.uint32)}, "train_offsets: Offsets rise"),
        (REVIEWS, {"test_offsets": np.array([0, 2, 9], np.uint32)}, "number of tokens, 3"),
        (REVIEWS, {"test_labels": np.array([0], np.uint8)}, "3 offsets and 1 labels"),
        (REVIEWS, {"test_tokens": np.array([2, 0, 5], np.uint32)}, "the rank 0"),
        (ROWS, {"x": np.ones((4, 7), np.float32), "y": ONES}, r"\(4, 7\), float32, not \(n, 8\), float32"),
        (ROWS, {"x": np.ones((4, 8), np.float32), "y": ONES[:3]}, "x has 4 rows and y has 3"),
        (ROWS, {"x": np.full((4, 8), np.nan), "y": ONES}, "4 rows hold a value that is not finite"),
        (ROWS, {"x": np.ones((4, 8)), "y": 6e5 * ONES}, "600,000 dollars"),
        (ROWS, {"x": np.ones((4, 8)), "y": 0 * ONES}, "y runs from 0 to 0 dollars"),
    ],
)
def test_read_npz_refuses_wrong_shapes_types_and_ranges(tmp_path, name, changes, message):
    whole = {IMAGES: small_mnist, REVIEWS: small_imdb, ROWS: small_housing}[name]()
    path = write_npz(tmp_path, name, {key: array for key, array in (whole | changes).items() if array is not None})
    with pytest.raises(ValueError, match=message):
        read_npz(path, name)


def test_read_npz_refuses_a_lone_array(tmp_path):
    np.save(tmp_path / "mnist.npy", np.zeros(3))
    with pytest.raises(ValueError, match="not a zip file"):
        read_npz(tmp_path / "mnist.npy", "mnist.npz")


@pytest.mark.parametrize("text", ["{", "[1]", '{"the": 2}', '{"the": 1, "film": 1}', '{"the": "x"}', '{"the": 1.5}'])
def test_read_word_index_refuses_what_is_no_ranking(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(ValueError, match="The file is damaged"):
        read_word_index(tmp_path / "index.json")


def test_read_npz_never_executes_a_pickle(tmp_path):
    arrays = small_mnist() | {"x_train": np.array([Payload(tmp_path / "executed")], object)}
    path = write_npz(tmp_path, "mnist.npz", arrays)
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_npz(path, "mnist.npz")
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    with pytest.raises(ValueError, match="The file is damaged"):
        read_npz(tmp_path / "bare.npz", "mnist.npz")
    assert not (tmp_path / "executed").exists()
