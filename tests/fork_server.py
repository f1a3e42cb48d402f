"""Python processes for the tests, forked from one that has imported Keras: an import costs seconds, a fork none.

The tests start some fifty processes: kernels of notebooks, and commands. Each is a fork of this process, with the
environment, the folder and the open files of the client that asked for it (fork_client.py), and ends with its client.
Nothing of the kit is imported before the fork, and JAX starts its threads only when it begins to compute.

    python fork_server.py ADDRESS    serve on a Unix socket until standard input is closed
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import sys
import threading
import types
from pathlib import Path
from typing import NamedTuple

IMPORTED = (
    "keras",
    "scipy.stats",
    "sklearn.metrics",
    "sklearn.model_selection",
    "matplotlib.figure",
    "matplotlib_inline.backend_inline",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipywidgets",
    "optuna",
)
# What holds from the import on. A client whose own differ is sent away, and imports for itself.
READ_AT_IMPORT = ("JAX_", "KERAS_", "LANG", "LC_", "LD_", "OMP_", "OPENBLAS_", "PYTHON", "XLA_")
OBEYED = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}  # a fork does as these say
# Kernels draw with it. Matplotlib reads it once, from the variable that ipykernel sets.
BACKEND = "module://matplotlib_inline.backend_inline"


class Request(NamedTuple):
    """A process that a client asks for: the arguments that Python would get, and where it runs."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]


class Watched(NamedTuple):
    """A fork, its client's connection, and the handle that becomes readable at its end."""

    process: int
    client: socket.socket
    handle: int


def settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the part of an environment that holds from the import on."""
    read = {name for name in environment if name.startswith(READ_AT_IMPORT)} - OBEYED
    return {name: environment[name] for name in read}


def serve(listener: socket.socket) -> Request:
    """Fork for every client and watch over the forks; return only in a fork, with what its client asked for."""
    mine, imported = settings(dict(os.environ)), False
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(0, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj == 0:  # the tests are over
                for watched in {open_key.data for open_key in selector.get_map().values()} - {None}:
                    os.kill(watched.process, signal.SIGKILL)
                sys.exit()
            if isinstance(key.data, Watched):
                if key.fileobj == key.data.handle:
                    _tell_end(selector, key.data)
                else:
                    _obey(key.data)
                continue
            client, _ = listener.accept()
            request = _receive(client)
            if request is None or settings(request.environment) != mine:
                _close_all(client, *(request.files if request else ()))
                continue
            if not imported:
                _import_all()
                imported = True
            process = os.fork()
            if process == 0:
                _close_all(client, *(open_key.fileobj for open_key in selector.get_map().values()))
                selector.close()
                return request
            _close_all(*request.files)
            with contextlib.suppress(OSError):  # a client that is gone already is seen as such below
                client.sendall(b"y")
            watched = Watched(process, client, os.pidfd_open(process))
            selector.register(watched.handle, selectors.EVENT_READ, watched)
            selector.register(client, selectors.EVENT_READ, watched)


def _import_all() -> None:
    """Import what takes long; it must leave no thread behind, for a fork would lose it."""
    os.environ["MPLBACKEND"] = BACKEND
    for name in IMPORTED:
        importlib.import_module(name)
    del os.environ["MPLBACKEND"]
    assert threading.active_count() == 1, f"A fork would lose a thread: {threading.enumerate()}."


def _close_all(*files: int | socket.socket) -> None:
    for file in files:
        if isinstance(file, socket.socket):
            file.close()
        elif file != 0:
            os.close(file)


def _receive(client: socket.socket) -> Request | None:
    """Read what a client sends: the length, and with it its standard files, then the request as JSON."""
    client.settimeout(10)
    files = []
    try:
        head, files, _, _ = socket.recv_fds(client, 8, 3)
        text = b""
        while len(text) < int.from_bytes(head, "big"):
            part = client.recv(1 << 16)
            if not part:
                raise ConnectionError("The client went away.")
            text += part
        return Request(**json.loads(text), files=files)
    except OSError:
        _close_all(*files)
        return None


def _obey(watched: Watched) -> None:
    """Pass on the signal that a client was sent; end the fork whose client is gone."""
    try:
        said = watched.client.recv(1)
    except OSError:
        said = b""
    with contextlib.suppress(ProcessLookupError):  # both may have ended at once
        os.kill(watched.process, said[0] if said else signal.SIGKILL)


def _tell_end(selector: selectors.BaseSelector, watched: Watched) -> None:
    """Tell a client how its process ended."""
    _, status = os.waitpid(watched.process, 0)
    selector.unregister(watched.client)
    selector.unregister(watched.handle)
    os.close(watched.handle)
    with contextlib.suppress(OSError):  # it may be gone already
        watched.client.sendall(status.to_bytes(4, "big"))
    watched.client.close()


def become(request: Request) -> None:
    """Make this fork the process that was asked for, and run its program as Python's command line would."""
    os.setsid()
    for number, file in enumerate(request.files):
        os.dup2(file, number)
        os.close(file)
    unbuffered = bool(request.environment.get("PYTHONUNBUFFERED"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        errors = "backslashreplace" if number == 2 else "strict"
        file = open(number, "w" if number else "r", encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        if number:
            file.reconfigure(line_buffering=number == 2 or file.isatty(), write_through=unbuffered)
        setattr(sys, name, file)
        setattr(sys, f"__{name}__", file)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    sys.dont_write_bytecode = bool(request.environment.get("PYTHONDONTWRITEBYTECODE"))
    random.seed()
    sys.modules["numpy"].random.seed()
    _run(request.arguments, [path for path in request.environment.get("PYTHONPATH", "").split(os.pathsep) if path])


def _run(arguments: list[str], paths: list[str]) -> None:
    kind, program, *rest = arguments
    sys.path[0:1] = [str(Path.cwd()) if kind == "-m" else "", *paths]
    sys.argv = [kind, *rest]
    if kind == "-m":
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(program, "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        asked = serve(listening)
    become(asked)
