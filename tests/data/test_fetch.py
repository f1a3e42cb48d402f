"""Downloads from a real server on 127.0.0.1: whole or not at all, once, and with a clear word when it fails."""

from __future__ import annotations

import errno
import importlib
import os
import subprocess
import sys
import threading

import filelock
import numpy as np
import pytest
from http_server import Server, official_imdb, small_imdb, small_mnist, write_npz

from recipe.data.convert import OFFICIAL_SHA256, sha256_of
from recipe.data.fetch import download, fetch
from recipe.data.folders import storage_folder
from recipe.data.transfer import Patience

BRIEF = Patience(connect=1.0, read=0.3, attempts=2, pause=0.01)


def stored() -> list[str]:
    """Names of what lies in the storage folder, the lock aside."""
    folder = storage_folder()
    return sorted(path.name for path in folder.iterdir() if path.name != ".recipe.lock") if folder.is_dir() else []


def test_fetch_downloads_verifies_and_reports(server: Server, tmp_path):
    (file,) = fetch(["mnist"])
    assert file.path == storage_folder() / "mnist.npz"
    assert file.path.read_bytes() == server.files["mnist.npz"]
    assert (file.name, file.source, file.bytes) == ("mnist.npz", "download", len(server.files["mnist.npz"]))
    assert file.sha256 == sha256_of(tmp_path / "origin" / "mnist.npz")
    assert file.verified == "SHA-256 as on the mirror; shapes and ranges"
    assert stored() == ["mnist.npz"]
    again = fetch("mnist_five")
    assert (again[0].source, again[0].sha256) == ("local", file.sha256)
    assert server.requests["GET mnist.npz"] == 1


def test_fetch_takes_each_dataset_once_whatever_its_problems(server: Server):
    assert [file.name for file in fetch(["housing", "mnist", "housing_vector"])] == [
        "california_housing.npz",
        "mnist.npz",
    ]


def test_fetch_refuses_an_unknown_problem():
    with pytest.raises(ValueError, match=r"no problem of that name\. Received: name='cifar'"):
        fetch(["cifar"])


def test_fetch_replaces_a_damaged_file_with_a_warning(server: Server):
    storage_folder().mkdir(parents=True)
    (storage_folder() / "mnist.npz").write_bytes(b"PK")
    with pytest.warns(RuntimeWarning, match=r"The file is damaged.*mnist\.npz"):
        (file,) = fetch(["mnist"])
    assert file.source == "download"
    assert file.path.read_bytes() == server.files["mnist.npz"]


@pytest.mark.parametrize(
    ("fault", "message", "tries"),
    [
        ("404", r"it answered 404 Not Found \(1 of 2 attempts\)", 1),
        ("500", r"it answered 500 Internal Server Error \(2 of 2 attempts\)", 2),
        ("hang", r"it was silent for too long \(2 of 2 attempts\)", 2),
        ("stop", r"it stopped in the middle of the file \(2 of 2 attempts\)", 2),
    ],
)
def test_download_explains_a_server_that_fails(server: Server, fault, message, tries):
    server.faults["mnist.npz"] = fault
    with pytest.raises(ConnectionError, match=message) as caught:
        download("mnist.npz", BRIEF)
    assert str(caught.value).startswith(f"The download from 127.0.0.1:{server.server_port} failed: ")
    assert "set RECIPE_MIRROR to a server nearby, or take source='sample'" in str(caught.value)
    assert server.requests["GET mnist.npz"] == tries
    assert stored() == []


def test_download_tries_again_after_a_break(server: Server):
    server.faults["mnist.npz"] = "once"
    file, _ = download("mnist.npz", BRIEF)
    assert file.path.read_bytes() == server.files["mnist.npz"]
    assert server.requests["GET mnist.npz"] == 2


def test_download_refuses_another_sum_than_the_mirror_states(server: Server, tmp_path):
    server.publish(tmp_path / "origin", ["mnist.npz"], sums={"mnist.npz": "0" * 64})
    with pytest.raises(ValueError, match=r"the file is not the one that was published: .*\(2 of 2 attempts\)"):
        download("mnist.npz", BRIEF)
    assert stored() == []


def test_download_refuses_a_file_of_the_wrong_shape(server: Server, tmp_path):
    path = write_npz(tmp_path / "wrong", "mnist.npz", small_mnist() | {"y_train": np.zeros(3, np.uint8)})
    server.publish(path.parent, ["mnist.npz"])
    with pytest.raises(ValueError, match="train has 60 images and 3 labels"):
        download("mnist.npz", BRIEF)
    assert stored() == []


@pytest.mark.parametrize("fault", ["404", "hang"])
def test_download_explains_a_mirror_without_sums(server: Server, fault):
    server.faults["SHA256SUMS"] = fault
    with pytest.raises(ConnectionError, match=r"failed: it (answered 404|was silent).*Received: .*SHA256SUMS"):
        download("mnist.npz", BRIEF)


def test_download_explains_sums_that_do_not_list_the_file(server: Server):
    with pytest.raises(ValueError, match=r"lists 2 files, and imdb\.npz is not among them\. Received: http"):
        download("imdb.npz", BRIEF)
    server.files["SHA256SUMS"] = b"<html>log in first</html>"
    with pytest.raises(ValueError, match="Line 1 of SHA256SUMS"):
        download("imdb.npz", BRIEF)


def test_download_takes_a_mirrors_imdb_in_the_kits_layout(server: Server, tmp_path):
    server.publish(write_npz(tmp_path / "kit", "imdb.npz", small_imdb()).parent, ["imdb.npz"])
    file, arrays = download("imdb.npz", BRIEF)
    assert file.verified == "SHA-256 as on the mirror; shapes and ranges"
    np.testing.assert_array_equal(arrays["train_tokens"], small_imdb()["train_tokens"])


def test_download_converts_kerass_imdb_once(server: Server, tmp_path, monkeypatch):
    path = official_imdb(tmp_path / "keras", [[1, 2], [3]], [0, 1])
    table = OFFICIAL_SHA256 | {"imdb.npz": sha256_of(path)}
    for module in ("convert", "fetch", "folders", "transfer"):
        monkeypatch.setattr(importlib.import_module(f"recipe.data.{module}"), "OFFICIAL_SHA256", table)
    server.publish(path.parent, ["imdb.npz"])
    file, _ = download("imdb.npz", BRIEF)
    assert file.verified.startswith("SHA-256 was Keras's own; converted to arrays without pickles")
    assert file.sha256 == sha256_of(file.path) != table["imdb.npz"]
    assert file.bytes == file.path.stat().st_size
    with np.load(file.path, allow_pickle=False) as archive:
        assert sorted(archive["train_tokens"].tolist()) == [1, 2, 3]
    assert download("imdb.npz", BRIEF)[0].source == "local"


def test_download_refuses_a_pickled_imdb_that_is_not_kerass(server: Server, tmp_path):
    server.publish(official_imdb(tmp_path / "forged", [[1, 2], [3]], [0, 1]).parent, ["imdb.npz"])
    with pytest.raises(ValueError, match="it has no array test_labels"):
        download("imdb.npz", BRIEF)
    assert stored() == []


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (errno.ENOSPC, OSError, r"no space left for the data.*Received: .*datasets\. Free some space\. Set"),
        (errno.EACCES, PermissionError, r"cannot be written: Permission denied\. Received: .*datasets\. Set"),
        (errno.EROFS, OSError, r"cannot be written: Read-only file system\. Received: .*datasets\. Set RECIPE_HOME"),
    ],
)  # fmt: skip
def test_download_explains_a_disk_that_takes_no_more(server: Server, monkeypatch, code, kind, message):
    class FullFile:
        """A file on a disk that is full after the first piece."""

        def __init__(self, *args, **kwargs) -> None:
            self.file = open(*args, **kwargs)  # noqa: PTH123, SIM115 (stands in for the built-in)

        def write(self, data: bytes) -> int:
            self.file.write(data[:100])
            raise OSError(code, os.strerror(code))

        def __getattr__(self, name):
            return getattr(self.file, name)

    monkeypatch.setattr("pooch.downloaders.open", FullFile, raising=False)
    with pytest.raises(kind, match=message):
        download("mnist.npz", BRIEF)
    assert stored() == []


def test_download_explains_a_file_in_the_folders_place(server: Server, monkeypatch, tmp_path):
    (tmp_path / "home").write_text("not a folder")
    monkeypatch.setenv("RECIPE_HOME", str(tmp_path / "home"))
    with pytest.raises(OSError, match=r"cannot be written: .*Received: .*home.datasets\. Set RECIPE_HOME"):
        download("mnist.npz", BRIEF)


def test_download_clears_what_a_killed_process_left(server: Server):
    left_over = storage_folder() / ".incoming-dead"
    left_over.mkdir(parents=True)
    (left_over / "mnist.npz").write_bytes(b"half")
    download("mnist.npz", BRIEF)
    assert stored() == ["mnist.npz"]


def test_several_processes_download_once(server: Server):
    code = "import recipe; d = recipe.load('mnist'); print(d.source, len(d.y_train))"
    environment = os.environ | {"RECIPE_MIRROR": server.url}
    command = [sys.executable, "-c", code]
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate(timeout=60)[0].split() for process in running]
    assert server.requests["GET mnist.npz"] == 1
    assert {answer[1] for answer in answers} == {"60"}
    assert {answer[0] for answer in answers} <= {"download", "local"}
    assert "download" in {answer[0] for answer in answers}
    assert stored() == ["mnist.npz"]


def test_several_threads_download_once(server: Server):
    found = []
    threads = [threading.Thread(target=lambda: found.append(download("mnist.npz", BRIEF))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert server.requests["GET mnist.npz"] == 1


def test_download_says_who_holds_the_lock(server: Server, monkeypatch):
    monkeypatch.setattr(importlib.import_module("recipe.data.fetch"), "LOCK_SECONDS", 0.1)
    storage_folder().mkdir(parents=True)
    held = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with filelock.FileLock(storage_folder() / ".recipe.lock"):
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    try:
        with pytest.raises(
            TimeoutError, match=r"Another process has been downloading for 0\.1 s\. Received: .*\.recipe\.lock"
        ):
            download("mnist.npz", BRIEF)
    finally:
        done.set()
        thread.join()


def test_recipe_datasets_is_never_written_to(server: Server, monkeypatch, tmp_path):
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("RECIPE_DATASETS", str(tmp_path / "shared"))
    fetch(["mnist"])
    assert list((tmp_path / "shared").iterdir()) == []
    assert stored() == ["mnist.npz"]
