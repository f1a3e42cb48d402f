"""A real HTTP server on 127.0.0.1 that can misbehave, and small data files, good and evil, to serve."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np


class Server(ThreadingHTTPServer):
    """Serves `files`, name -> content; `faults` says which it spoils: "404", "hang" or "stop"."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, str] = {}
        self.requests: Counter[str] = Counter()  # "GET mnist.npz" -> how often
        self.release = threading.Event()  # lets hanging answers go
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data"

    def publish(self, folder: Path, names: list[str], sums: dict[str, str] | None = None) -> None:
        """Serve these files of a folder, and a SHA256SUMS with their sums or those given."""
        self.files |= {name: (folder / name).read_bytes() for name in names}
        stated = {name: hashlib.sha256(self.files[name]).hexdigest() for name in names} | (sums or {})
        self.files["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in stated.items()).encode()


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        name = self.path.removeprefix("/data/")
        self.server.requests[f"{self.command} {name}"] += 1
        fault, content = self.server.faults.get(name), self.server.files.get(name)
        if fault == "hang":
            self.server.release.wait(20)
            return
        if content is None or fault == "404":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content[: len(content) // 2] if fault == "stop" else content)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server for the length of a with-block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def small_mnist(seed: int = 0, train: int = 60, test: int = 10) -> dict[str, np.ndarray]:
    """Return arrays in the layout of mnist.npz."""
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (train, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, train, np.uint8),
        "x_test": rng.integers(0, 256, (test, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, test, np.uint8),
    }


def small_housing(seed: int = 0, rows: int = 40) -> dict[str, np.ndarray]:
    """Return arrays in the layout of california_housing.npz."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(rows, 8)).astype(np.float32),
        "y": rng.uniform(15_000, 500_001, rows).astype(np.float32),
    }


def small_imdb() -> dict[str, np.ndarray]:
    """Return arrays in the layout of imdb.npz: three reviews to train on, two to test on, ranks 1 to 5."""
    return {
        "train_tokens": np.array([1, 2, 1, 5, 3, 4], np.uint32),
        "train_offsets": np.array([0, 3, 4, 6], np.uint32),
        "train_labels": np.array([1, 0, 1], np.uint8),
        "test_tokens": np.array([2, 2, 5], np.uint32),
        "test_offsets": np.array([0, 2, 3], np.uint32),
        "test_labels": np.array([0, 1], np.uint8),
    }


def write_npz(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> Path:
    """Write arrays to a file of a folder that is made if need be, state its sum beside it, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / name, **arrays)
    return state_sum(folder / name)


def state_sum(path: Path) -> Path:
    """Add the sum of a file to the SHA256SUMS beside it."""
    with (path.parent / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return path


def official_imdb(folder: Path, texts: list, labels: list) -> Path:
    """Write an imdb.npz as Keras does, object arrays of pickled lists, the same for training and test."""
    lists = np.empty(len(texts), object)
    lists[:] = texts
    arrays = {"x_train": lists, "y_train": np.array(labels), "x_test": lists, "y_test": np.array(labels)}
    return write_npz(folder, "imdb.npz", arrays)


class Payload:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)
