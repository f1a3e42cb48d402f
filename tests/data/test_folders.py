"""Where files are looked for, and which of them may be used."""

from __future__ import annotations

import json

import pytest
from http_server import small_imdb, small_mnist, write_npz

import recipe.data.convert
import recipe.data.folders
from recipe.data.convert import sha256_of
from recipe.data.folders import find_verified, parse_sums, read_verified, search_folders, storage_folder


def test_search_folders_come_in_the_documented_order(tmp_path, monkeypatch):
    monkeypatch.setenv("RECIPE_DATASETS", str(tmp_path / "a"))
    monkeypatch.setenv("RECIPE_HOME", str(tmp_path / "b"))
    monkeypatch.setattr(recipe.data.folders, "CHECKOUT", tmp_path / "c")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "pyproject.toml").touch()
    folders = search_folders()
    assert folders[:3] == (tmp_path / "a", tmp_path / "b" / "datasets", tmp_path / "c" / "datasets")
    assert len(folders) == 4
    assert storage_folder() == tmp_path / "b" / "datasets"


def test_storage_folder_is_the_checkouts_without_recipe_home(tmp_path, monkeypatch):
    monkeypatch.delenv("RECIPE_HOME")
    assert storage_folder().name == "datasets"
    assert "recipe" in storage_folder().parts
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(recipe.data.folders, "CHECKOUT", tmp_path)
    assert storage_folder() == tmp_path / "datasets"


def test_find_verified_takes_the_first_whole_file_and_names_the_damaged(datasets):
    (datasets / "mnist.npz").write_bytes(b"PK broken")
    stored = write_npz(storage_folder(), "mnist.npz", small_mnist())
    found, faults = find_verified("mnist.npz")
    assert found[0].path == stored
    assert found[0].bytes == stored.stat().st_size
    assert found[0].sha256 == sha256_of(stored)
    assert len(faults) == 1
    assert str(datasets) in faults[0]


def test_read_verified_holds_a_file_against_the_sums_beside_it(datasets):
    path = write_npz(datasets, "mnist.npz", small_mnist())
    (datasets / "SHA256SUMS").write_text(f"{sha256_of(path)}  mnist.npz\n")
    assert read_verified(path)[0].verified == "SHA-256 as in SHA256SUMS; shapes and ranges"
    write_npz(datasets, "mnist.npz", small_mnist(seed=1))
    with pytest.raises(ValueError, match=r"damaged: SHA256SUMS beside it states the SHA-256 [0-9a-f]{64}\. Received: "):
        read_verified(path)


def test_read_verified_lets_a_converted_file_stand_beside_kerass_sums(datasets):
    write_npz(datasets, "imdb.npz", small_imdb())
    (datasets / "SHA256SUMS").write_text(f"{recipe.data.convert.OFFICIAL_SHA256['imdb.npz']}  imdb.npz\n")
    assert read_verified(datasets / "imdb.npz")[0].verified == "CRC-32; shapes and ranges"


def test_read_verified_refuses_a_word_index_that_nobody_vouches_for(datasets):
    path = datasets / "imdb_word_index.json"
    path.write_text(json.dumps({"the": 1, "film": 2}))
    with pytest.raises(ValueError, match="damaged: Keras states the SHA-256 027313fe"):
        read_verified(path)
    (datasets / "SHA256SUMS").write_text(f"{sha256_of(path)} *imdb_word_index.json\n")
    assert read_verified(path)[1] == ("", "the", "film")


def test_parse_sums_names_the_line_that_is_none():
    with pytest.raises(ValueError, match=r"Line 2 of SHA256SUMS is not.*Received: '<html>'"):
        parse_sums("0" * 64 + "  a.npz\n<html>\n")
