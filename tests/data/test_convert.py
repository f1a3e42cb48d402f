"""Keras's pickled reviews: converted when they are Keras's, and never able to run anything."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from http_server import Payload, official_imdb, small_imdb

import recipe.data.convert
import recipe.data.folders
from recipe.data.convert import ArrayUnpickler, convert_official_imdb, flatten_texts, sha256_of
from recipe.data.folders import read_verified


@pytest.fixture
def call_official(monkeypatch):
    """Make a file the one that Keras publishes, so that its sum is right."""

    def call(path: Path) -> None:
        table = recipe.data.convert.OFFICIAL_SHA256 | {path.name: sha256_of(path)}
        monkeypatch.setattr(recipe.data.convert, "OFFICIAL_SHA256", table)
        monkeypatch.setattr(recipe.data.folders, "OFFICIAL_SHA256", table)

    return call


def test_convert_refuses_an_imdb_that_is_not_kerass_own(datasets):
    path = official_imdb(datasets, [[1], Payload(datasets / "executed")], [0, 1])
    with pytest.raises(ValueError, match=r"Only Keras's own imdb\.npz is unpickled, SHA-256 69664113be.*Received: "):
        convert_official_imdb(path)
    with pytest.raises(ValueError, match="it has no array test_labels"):
        read_verified(path)
    assert not (datasets / "executed").exists()


def test_convert_executes_nothing_even_if_the_sum_were_right(datasets, call_official):
    path = official_imdb(datasets, [[1], Payload(datasets / "executed")], [0, 1])
    call_official(path)
    with pytest.raises(ValueError, match=r"A pickle asks for pathlib.*\.touch|A pickle asks for builtins\.getattr"):
        convert_official_imdb(path)
    assert not (datasets / "executed").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"c_codecs\nencode\n.",
    ],
)
def test_array_unpickler_refuses_every_other_name(content):
    with pytest.raises(ValueError, match="A pickle asks for"):
        ArrayUnpickler(io.BytesIO(content)).load()


def test_convert_gives_the_reviews_in_kerass_order(datasets, call_official):
    texts, labels = [[1, 2], [3], [], [4, 4, 9], [7]], [0, 1, 1, 0, 1]
    path = official_imdb(datasets, texts, labels)
    call_official(path)
    arrays = convert_official_imdb(path)
    order = np.arange(5)
    np.random.RandomState(113).shuffle(order)
    tokens, offsets = arrays["train_tokens"], arrays["train_offsets"]
    assert [tokens[a:b].tolist() for a, b in itertools.pairwise(offsets)] == [texts[i] for i in order]
    assert arrays["train_labels"].tolist() == [labels[i] for i in order]
    assert arrays["test_tokens"].dtype == np.uint32


def test_a_local_official_file_is_converted_as_it_is_read(datasets, call_official):
    path = official_imdb(datasets, [[1, 2], [3]], [0, 1])
    call_official(path)
    file, arrays = read_verified(path)
    assert file.verified == "SHA-256 is Keras's own; shapes and ranges"
    assert sorted(arrays) == sorted(small_imdb())


@pytest.mark.parametrize("texts", [[[1.5]], [["a"]], ["ab"], [[1, [2]]], [[True]], [None]])
def test_flatten_texts_refuses_what_is_no_list_of_integers(texts):
    array = np.empty(len(texts), object)
    array[:] = texts
    with pytest.raises(ValueError, match="Reviews are lists of whole numbers"):
        flatten_texts(array)


@pytest.mark.parametrize("rank", [-1, 1 << 32])
def test_flatten_texts_refuses_ranks_that_do_not_fit(rank):
    array = np.empty(1, object)
    array[0] = [rank]
    with pytest.raises(ValueError, match="32 bits"):
        flatten_texts(array)
