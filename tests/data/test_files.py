"""Where data files are looked for, and which of them may be used: damaged and forged ones are refused."""

from __future__ import annotations

import hashlib
import itertools
import json
import pickle

import numpy as np
import pytest
from http_server import Payload, official_imdb, small_housing, small_imdb, small_mnist, state_sum, write_npz

from recipe.data.files import (
    OFFICIAL_SHA256,
    home_folder,
    read_verified,
    search_folders,
    storage_folder,
)


def test_folders_are_those_that_the_environment_names_else_the_checkouts_else_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("RECIPE_DATASETS", str(tmp_path / "a"))
    monkeypatch.setenv("RECIPE_HOME", str(tmp_path / "b"))
    assert search_folders() == (tmp_path / "a", tmp_path / "b" / "datasets")
    assert (storage_folder(), home_folder()) == (tmp_path / "b" / "datasets", tmp_path / "b")
    monkeypatch.delenv("RECIPE_HOME")
    assert storage_folder() == home_folder() / "datasets"
    assert "recipe" in storage_folder().parts
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr("recipe.data.files.CHECKOUT", tmp_path)
    assert storage_folder() == tmp_path / "datasets"


def test_read_verified_reads_only_what_keras_or_the_sums_beside_it_vouch_for(datasets):
    path = write_npz(datasets, "mnist.npz", small_mnist())
    assert read_verified(path)[0].verified == "SHA-256 as in SHA256SUMS"
    np.savez(path, **small_mnist(seed=1))
    with pytest.raises(ValueError, match=r"damaged.*its SHA-256, [0-9a-f]{64}, is not Keras's.*Received: .*Delete it"):
        read_verified(path)
    state_sum(path)  # of a file that is stated twice, the later line counts
    assert read_verified(path)[1]["x_train"][0, 0, 0] == small_mnist(seed=1)["x_train"][0, 0, 0]


def test_read_verified_reads_the_word_of_each_rank(datasets):
    path = datasets / "imdb_word_index.json"
    path.write_text(json.dumps({"film": 2, "the": 1}))
    with pytest.raises(ValueError, match="The file is damaged"):
        read_verified(path)
    assert read_verified(state_sum(path))[1] == {"words": ("", "the", "film")}


@pytest.mark.parametrize(("name", "small"), [("mnist.npz", small_mnist), ("imdb.npz", small_imdb)])
def test_read_verified_returns_what_was_written(tmp_path, name, small):
    read = read_verified(write_npz(tmp_path, name, small()))[1]
    for key, array in small().items():
        np.testing.assert_array_equal(read[key], array)
        assert read[key].dtype == array.dtype


def test_read_verified_brings_wider_numbers_into_the_kits_types(tmp_path):
    wide = {key: array.astype(np.float64) for key, array in small_housing().items()}
    assert read_verified(write_npz(tmp_path, "california_housing.npz", wide))[1]["x"].dtype == np.float32


def test_read_verified_never_executes_a_pickle(tmp_path):
    payload = Payload(tmp_path / "executed")
    forged = write_npz(tmp_path, "mnist.npz", small_mnist() | {"x_train": np.array([payload], object)})
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        read_verified(forged)
    forged.write_bytes(pickle.dumps(payload))
    with pytest.raises(ValueError, match="The file is not what its name says"):
        read_verified(state_sum(forged))
    with pytest.raises(ValueError, match="The file is not what its name says"):
        read_verified(official_imdb(tmp_path, [[1], payload], [0, 1]))
    assert not payload.path.exists()


def test_kerass_own_reviews_are_read_in_kerass_order(datasets, monkeypatch):
    texts, labels = [[1, 2], [3], [], [4, 4, 9], [7]], [0, 1, 1, 0, 1]
    path = official_imdb(datasets, texts, labels)
    monkeypatch.setitem(OFFICIAL_SHA256, "imdb.npz", hashlib.sha256(path.read_bytes()).hexdigest())
    file, arrays = read_verified(path)
    assert file.verified == "SHA-256 is Keras's own"
    assert {name: array.dtype for name, array in arrays.items()} == {n: a.dtype for n, a in small_imdb().items()}
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    tokens, offsets = arrays["train_tokens"], arrays["train_offsets"]
    assert [tokens[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [texts[i] for i in order]
    assert arrays["train_labels"].tolist() == [labels[i] for i in order]
