"""Which source is taken, and why."""

from __future__ import annotations

import hashlib
import json

import pytest
from http_server import serving, small_housing, small_imdb, small_mnist, write_npz

from recipe.data.sources import take


def test_take_prefers_local_files_and_says_where_they_lie(datasets, no_network):
    path = write_npz(datasets, "california_housing.npz", small_housing())
    raw, source, reason = take("housing")
    assert source == "local"
    assert reason == f"{path} was there (CRC-32; shapes and ranges)."
    assert "census" in raw.provenance
    assert raw.reachable_error is None


def test_take_falls_to_the_sample_and_says_why(datasets, no_network):
    raw, source, reason = take("housing")
    assert source == "sample"
    assert reason.startswith(f"california_housing.npz is in none of 3 folders: {datasets}, ")
    assert "failed: there is no connection to it" in reason
    assert raw.provenance.startswith("A stand-in, not real prices")


def test_take_downloads_what_is_missing(monkeypatch, tmp_path):
    write_npz(tmp_path, "mnist.npz", small_mnist())
    with serving() as server:
        server.publish(tmp_path, ["mnist.npz"])
        monkeypatch.setenv("RECIPE_MIRROR", server.url)
        raw, source, reason = take("mnist")
        assert source == "download"
        assert f"was downloaded from 127.0.0.1:{server.server_port} (SHA-256 as on the mirror" in reason
        assert raw.pixel_max == 255.0
        assert take("mnist")[1] == "local"
        assert server.requests["GET mnist.npz"] == 1


def test_take_never_uses_a_damaged_file_and_says_so(datasets, no_network):
    (datasets / "mnist.npz").write_bytes(b"PK cut off")
    with pytest.warns(RuntimeWarning, match=r"The file is damaged.*It is passed over\."):
        _, source, reason = take("mnist")
    assert source == "sample"
    assert reason.startswith("Passed over: The file is damaged")
    assert str(datasets / "mnist.npz") in reason
    with pytest.raises(ValueError, match="The file is damaged"):
        take("mnist", source="local")


def test_take_local_names_the_file_the_folders_and_the_way_out(datasets):
    with pytest.raises(
        FileNotFoundError, match=r"mnist\.npz is in none of 3 folders: .*Run `recipe fetch mnist`, set RECIPE_DATASETS"
    ):
        take("mnist", source="local")


def test_take_local_needs_the_word_index_too(datasets):
    write_npz(datasets, "imdb.npz", small_imdb())
    with pytest.raises(FileNotFoundError, match=r"imdb_word_index\.json is in none of 3 folders"):
        take("imdb", source="local")


def test_take_refuses_ranks_that_the_word_index_lacks(datasets):
    write_npz(datasets, "imdb.npz", small_imdb())
    index = datasets / "imdb_word_index.json"
    index.write_text(json.dumps({"the": 1, "film": 2, "was": 3, "good": 4}))
    (datasets / "SHA256SUMS").write_text(f"{hashlib.sha256(index.read_bytes()).hexdigest()}  {index.name}\n")
    with pytest.raises(ValueError, match="has 4 words, and a review holds the rank 5"):
        take("imdb", source="local")


def test_take_download_raises_when_there_is_no_server(no_network):
    with pytest.raises(
        ConnectionError, match=r"The download from 127\.0\.0\.1:\d+ failed: there is no connection to it"
    ):
        take("housing", source="download")


def test_recipe_source_stands_in_for_auto_only(datasets, monkeypatch):
    write_npz(datasets, "california_housing.npz", small_housing())
    monkeypatch.setenv("RECIPE_SOURCE", "sample")
    assert take("housing")[1:] == ("sample", "RECIPE_SOURCE=sample asks for it.")
    assert take("housing", source="local")[1] == "local"
    assert take("housing", source="sample")[2] == "source=sample asks for it."
    monkeypatch.setenv("RECIPE_SOURCE", "auto")
    assert take("housing")[1] == "local"


def test_take_refuses_an_unknown_source(monkeypatch):
    with pytest.raises(ValueError, match=r"Received: source='web'\. Choose from auto, local, download, sample"):
        take("mnist", source="web")
    monkeypatch.setenv("RECIPE_SOURCE", "ful")
    with pytest.raises(ValueError, match="Received: RECIPE_SOURCE='ful'"):
        take("mnist")
