"""Downloads from a real server on 127.0.0.1: whole or not at all, once, and with a clear word when it fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
import types

import filelock
import numpy as np
import pytest
from http_server import Server, official_imdb, small_mnist, write_npz

from recipe.data.download import OFFICIAL_URL, Patience, base_url, download, fetch
from recipe.data.files import OFFICIAL_SHA256, storage_folder, sum_of

BRIEF, IMPATIENT = Patience(read=5.0, attempts=2), Patience(read=0.4, attempts=2)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    """Between two attempts pooch waits a second; the tests don't."""
    monkeypatch.setattr("pooch.core.time", types.SimpleNamespace(sleep=lambda seconds: None))


def stored() -> list[str]:
    """Names of what lies in the storage folder, the lock aside."""
    folder = storage_folder()
    return sorted(path.name for path in folder.iterdir() if path.name != ".recipe.lock") if folder.is_dir() else []


def test_fetch_downloads_verifies_and_reports(server: Server, datasets):
    (file,) = fetch(["mnist"])
    assert file.path == storage_folder() / "mnist.npz"
    assert file.path.read_bytes() == server.files["mnist.npz"]
    assert (file.name, file.source, file.bytes) == ("mnist.npz", "download", len(server.files["mnist.npz"]))
    assert file.sha256 == sum_of(server.files["mnist.npz"])
    assert file.verified == "SHA-256 as the mirror states it; shapes and ranges"
    assert stored() == ["mnist.npz"]
    assert list(datasets.iterdir()) == []  # $RECIPE_DATASETS, which may be shared and read-only
    again = fetch("mnist_five")
    assert (again[0].source, again[0].sha256) == ("local", file.sha256)
    assert server.requests["GET mnist.npz"] == 1


def test_fetch_takes_each_dataset_once_whatever_its_problems(server: Server):
    files = fetch(["housing", "mnist", "housing_vector"])
    assert [file.name for file in files] == ["california_housing.npz", "mnist.npz"]


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
        ("404", r"it answered 404 Not Found\. ", 1),
        ("500", r"it answered 500 Internal Server Error \(after 2 attempts\)", 2),
        ("hang", r"it was silent for too long \(after 2 attempts\)", 2),
        ("stop", r"it stopped in the middle of the file \(after 2 attempts\)", 2),
    ],
)
def test_download_explains_a_server_that_fails(server: Server, fault, message, tries):
    server.faults["mnist.npz"] = fault
    with pytest.raises(ConnectionError, match=message) as caught:
        download("mnist.npz", IMPATIENT if fault == "hang" else BRIEF)
    assert str(caught.value).startswith(f"The download from 127.0.0.1:{server.server_port} failed: ")
    assert "set RECIPE_MIRROR to a server nearby, or take source='sample'" in str(caught.value)
    assert server.requests["GET mnist.npz"] == tries
    assert stored() == []


def test_download_tries_again_after_a_break(server: Server):
    server.faults["mnist.npz"] = "once"
    file, _ = download("mnist.npz", BRIEF)
    assert file.path.read_bytes() == server.files["mnist.npz"]
    assert server.requests["GET mnist.npz"] == 2


def publish_another_sum(server, folder):
    server.publish(folder / "origin", ["mnist.npz"], sums={"mnist.npz": "0" * 64})


def publish_another_shape(server, folder):
    write_npz(folder / "wrong", "mnist.npz", small_mnist() | {"y_train": np.zeros(3, np.uint8)})
    server.publish(folder / "wrong", ["mnist.npz"])


def publish_a_pickle(server, folder):
    server.publish(official_imdb(folder / "forged", [[1, 2], [3]], [0, 1]).parent, ["imdb.npz"])


@pytest.mark.parametrize(
    ("publish", "name", "message"),
    [
        (publish_another_sum, "mnist.npz", r"the file is not the one that was published: .*\(after 2 attempts\)"),
        (publish_another_shape, "mnist.npz", "y_train has 3 targets for 60 samples"),
        (publish_a_pickle, "imdb.npz", "it has no array test_labels"),
    ],
)
def test_download_refuses_a_file_that_is_not_what_it_should_be(server: Server, tmp_path, publish, name, message):
    publish(server, tmp_path)
    with pytest.raises(ValueError, match=message):
        download(name, BRIEF)
    assert stored() == []


@pytest.mark.parametrize("fault", ["404", "hang"])
def test_download_explains_a_mirror_without_sums(server: Server, fault):
    server.faults["SHA256SUMS"] = fault
    with pytest.raises(ConnectionError, match=r"failed: it (answered 404|was silent).*Received: .*SHA256SUMS"):
        download("mnist.npz", IMPATIENT)


def test_download_explains_sums_that_do_not_list_the_file(server: Server):
    with pytest.raises(ValueError, match=r"lists 2 files, and imdb\.npz is not among them\. Received: http"):
        download("imdb.npz", BRIEF)
    server.files["SHA256SUMS"] = b"<html>log in first</html>"
    with pytest.raises(ValueError, match="Line 1 of SHA256SUMS"):
        download("imdb.npz", BRIEF)


def test_download_converts_kerass_imdb_once(server: Server, tmp_path, monkeypatch):
    path = official_imdb(tmp_path / "keras", [[1, 2], [3]], [0, 1])
    monkeypatch.setitem(OFFICIAL_SHA256, "imdb.npz", sum_of(path.read_bytes()))
    server.publish(path.parent, ["imdb.npz"])
    file, _ = download("imdb.npz", BRIEF)
    assert file.sha256 == sum_of(file.path.read_bytes()) != OFFICIAL_SHA256["imdb.npz"]
    assert file.bytes == file.path.stat().st_size
    with np.load(file.path, allow_pickle=False) as archive:
        assert sorted(archive["train_tokens"].tolist()) == [1, 2, 3]
    assert download("imdb.npz", BRIEF)[0].source == "local"


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (errno.ENOSPC, OSError, r"no space left for the data.*Received: .*datasets\. Free some space\. Set"),
        (errno.EACCES, PermissionError, r"cannot be written: Permission denied\. Received: .*datasets\. Set"),
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
    left_over = storage_folder() / ".incoming"
    left_over.mkdir(parents=True)
    (left_over / "mnist.npz").write_bytes(b"half")
    download("mnist.npz", BRIEF)
    assert stored() == ["mnist.npz"]


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
    monkeypatch.setattr("recipe.data.download.LOCK_SECONDS", 0.1)
    storage_folder().mkdir(parents=True)
    message = r"Another process has been downloading for 0\.1 s\. Received: .*\.recipe\.lock"
    with filelock.FileLock(storage_folder() / ".recipe.lock"), pytest.raises(TimeoutError, match=message):
        download("mnist.npz", BRIEF)


def test_quick_download_gives_up_on_a_silent_server_in_time(server: Server):
    server.faults["mnist.npz"] = "hang"
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"it gave no answer within 0\.3 s"):
        download("mnist.npz", Patience(connect=9.0, read=9.0, answer=0.3))
    assert time.monotonic() - start < 3
    assert server.requests["GET mnist.npz"] == 0


def test_quick_download_says_that_a_name_is_unknown(monkeypatch):
    monkeypatch.setenv("RECIPE_MIRROR", "http://nowhere.invalid/")
    with pytest.raises(ConnectionError, match=r"from nowhere\.invalid failed: (its name is not known here|it gave no)"):
        download("mnist.npz", Patience(answer=4.0))


@pytest.mark.parametrize("mirror", ["ftp://x/y", "127.0.0.1:8000", "/srv/data"])
def test_base_url_refuses_what_is_no_web_address(monkeypatch, mirror):
    monkeypatch.setenv("RECIPE_MIRROR", mirror)
    with pytest.raises(ValueError, match=r"A mirror is an http or https address\. Received: RECIPE_MIRROR="):
        base_url()


def test_base_url_is_kerass_unless_there_is_a_mirror(monkeypatch):
    assert base_url() == OFFICIAL_URL
    monkeypatch.setenv("RECIPE_MIRROR", "http://10.0.0.1/kit")
    assert base_url() == "http://10.0.0.1/kit/"
