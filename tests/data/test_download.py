"""Downloads from a real server on 127.0.0.1: whole or not at all, once, and with a clear word when it fails."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from http_server import Server, official_imdb

from recipe.data.files import ATTEMPTS, OFFICIAL_SHA256, download, fetch, storage_folder


def stored() -> list[str]:
    """Names of what lies in the storage folder, the lock and the sums aside."""
    others, folder = {".recipe.lock", "SHA256SUMS"}, storage_folder()
    return sorted(path.name for path in folder.iterdir() if path.name not in others) if folder.is_dir() else []


def sum_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_fetch_downloads_verifies_and_reports(server: Server, datasets):
    (file,) = fetch(["mnist"])
    assert file.path == storage_folder() / "mnist.npz"
    assert file.path.read_bytes() == server.files["mnist.npz"]
    assert (file.name, file.source, file.bytes) == ("mnist.npz", "download", len(server.files["mnist.npz"]))
    assert file.sha256 == sum_of(server.files["mnist.npz"])
    assert file.verified == "SHA-256 as in SHA256SUMS"
    assert stored() == ["mnist.npz"]
    assert list(datasets.iterdir()) == []  # $RECIPE_DATASETS, which may be shared and read-only
    again = fetch("mnist_five")
    assert (again[0].source, again[0].sha256) == ("local", file.sha256)
    assert server.requests["GET mnist.npz"] == 1


def test_fetch_replaces_a_damaged_file_with_a_warning(server: Server):
    storage_folder().mkdir(parents=True)
    (storage_folder() / "mnist.npz").write_bytes(b"PK")
    with pytest.warns(RuntimeWarning, match=r"The file is damaged.*mnist\.npz"):
        (file,) = fetch(["mnist"])
    assert file.source == "download"
    assert file.path.read_bytes() == server.files["mnist.npz"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("404", r"it answered 404 Not Found\. "),
        ("hang", r"there is no connection to it, or it broke off \(ReadTimeout\)"),
        ("stop", r"there is no connection to it, or it broke off \(ChunkedEncodingError\)"),
    ],
)
def test_download_explains_a_server_that_fails(server: Server, monkeypatch, fault, message):
    server.faults["mnist.npz"] = fault
    monkeypatch.setattr("recipe.data.files.TIMEOUT", (9.0, 0.3 if fault == "hang" else 9.0))
    with pytest.raises(ConnectionError, match=message) as caught:
        download("mnist.npz")
    assert str(caught.value).startswith(f"The download from 127.0.0.1:{server.server_port} failed: ")
    assert "set RECIPE_MIRROR to a server nearby, or take source='sample'" in str(caught.value)
    assert server.requests["GET mnist.npz"] == ATTEMPTS
    assert stored() == []


def test_download_refuses_a_file_that_is_not_what_it_should_be(server: Server, tmp_path):
    server.publish(tmp_path / "origin", ["mnist.npz"], sums={"mnist.npz": "0" * 64})
    with pytest.raises(ValueError, match="does not match the known hash"):
        download("mnist.npz")
    server.publish(official_imdb(tmp_path / "forged", [[1, 2], [3]], [0, 1]).parent, ["imdb.npz"])
    with pytest.raises(ValueError, match=r"The file is not what its name says: .*train_tokens"):  # a pickle
        download("imdb.npz")
    assert stored() == []


def test_download_explains_a_mirror_without_sums(server: Server):
    server.faults["SHA256SUMS"] = "404"
    with pytest.raises(ConnectionError, match=r"failed: it answered 404.*Received: .*SHA256SUMS"):
        download("mnist.npz")


def test_download_explains_sums_that_do_not_list_the_file(server: Server):
    with pytest.raises(ValueError, match=r"lists 2 files, and imdb\.npz is not among them\. Received: http"):
        download("imdb.npz")
    server.files["SHA256SUMS"] = b"<html>log in first</html>"
    with pytest.raises(ValueError, match="lists 0 files"):
        download("imdb.npz")


def test_download_converts_kerass_imdb_once(server: Server, tmp_path, monkeypatch):
    path = official_imdb(tmp_path / "keras", [[1, 2], [3]], [0, 1])
    monkeypatch.setitem(OFFICIAL_SHA256, "imdb.npz", sum_of(path.read_bytes()))
    server.publish(path.parent, ["imdb.npz"])
    file, _ = download("imdb.npz")
    assert file.sha256 == sum_of(file.path.read_bytes()) != OFFICIAL_SHA256["imdb.npz"]
    assert file.bytes == file.path.stat().st_size
    with np.load(file.path, allow_pickle=False) as archive:
        assert sorted(archive["train_tokens"].tolist()) == [1, 2, 3]
    assert download("imdb.npz")[0].source == "local"


def test_several_processes_download_once(server: Server):
    code = "import recipe; d = recipe.load('mnist'); print(d.source, len(d.y_train))"
    environment = os.environ | {"RECIPE_MIRROR": server.url}
    command = [sys.executable, "-c", code]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=60)[0].split() for process in running]
    assert server.requests["GET mnist.npz"] == 1
    assert {answer[1] for answer in answers} == {"60"}
    assert "download" in {answer[0] for answer in answers} <= {"download", "local"}
    assert stored() == ["mnist.npz"]


def test_quick_download_gives_up_on_a_silent_server_in_time(server: Server, monkeypatch):
    server.faults["mnist.npz"] = "hang"
    monkeypatch.setattr("recipe.data.files.QUICK_SECONDS", 0.3)
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"there is no connection to it, or no answer within 0\.3 s"):
        download("mnist.npz", quick=True)
    assert time.monotonic() - start < 3
    assert server.requests["GET mnist.npz"] == 0
