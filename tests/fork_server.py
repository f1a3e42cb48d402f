"""Python processes for the tests, forked from one that has imported Keras: an import costs seconds, a fork none.

The tests start some fifty processes: kernels of notebooks, and commands. Each is a fork of this process, with the
environment, the folder and the open files of the client that asked for it (fork_client.py), and ends with its client.
Nothing of the kit is imported before the fork, and JAX starts its threads only when it begins to compute.

    python fork_server.py ADDRESS    serve on a Unix socket until standard input is closed
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import sys
import threading
import types
from pathlib import Path

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
# XLA reads its flags when it begins.
READ_AT_IMPORT = ("JAX_", "KERAS_", "LANG", "LC_", "LD_", "OMP_", "OPENBLAS_", "PYTHON")
OBEYED = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}  # a fork does as these say
# Kernels draw with it. Matplotlib reads it once, from the variable that ipykernel sets.
BACKEND = "module://matplotlib_inline.backend_inline"
PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the part of an environment that holds from the import on."""
    return {
        name: value for name, value in environment.items() if name.startswith(READ_AT_IMPORT) and name not in OBEYED
    }


def serve(listener: socket.socket) -> tuple[dict, list[int]] | None:
    """Fork for every client until standard input is closed; return only in a fork, with what its client asked for."""
    mine = settings(dict(os.environ))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # attendants that end leave nothing behind
    while 0 not in select.select([listener, 0], [], [])[0]:
        client, _ = listener.accept()
        asked = None
        with contextlib.suppress(OSError):  # a client may be gone at any time
            asked = receive(client)
        if asked and settings(asked[0]["environment"]) == mine:
            import_all()
            if os.fork() == 0:
                listener.close()
                attend(client, asked[1])
                return asked
        client.close()
        close_all(asked[1] if asked else [])
    return None


def receive(client: socket.socket) -> tuple[dict, list[int]]:
    """Read what a client sends: the length, and with it its standard files, then the request as JSON."""
    client.settimeout(10)
    head, files, _, _ = socket.recv_fds(client, 8, 3)
    with client.makefile("rb") as stream:
        text = stream.read(int.from_bytes(head, "big"))
    client.settimeout(None)
    return json.loads(text), files


def import_all() -> None:
    """Import what takes long, once; it must leave no thread behind, for a fork would lose it."""
    if "keras" in sys.modules:
        return
    os.environ["MPLBACKEND"] = BACKEND
    for name in IMPORTED:
        importlib.import_module(name)
    del os.environ["MPLBACKEND"]
    gc.freeze()  # no fork looks for garbage in what all of them share, nor as often as Python does: see conftest.py
    gc.set_threshold(50_000, 20, 20)
    assert threading.active_count() == 1, f"A fork would lose a thread: {threading.enumerate()}."


def close_all(files: list[int]) -> None:
    for file in files:
        os.close(file)


def attend(client: socket.socket, files: list[int]) -> None:
    """Fork, and return in the fork; pass on to it the signals of its client, and tell the client how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    attendant = os.getpid()
    process = os.fork()
    if process == 0:
        # A program that loops for ever hears of nothing: Linux is to kill it when its attendant was killed.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != attendant:
            os._exit(1)
        client.close()
        return
    close_all(files)
    ended = os.pidfd_open(process)
    with contextlib.suppress(OSError):
        client.sendall(b"y")
    watched = [ended, client, 0]
    while True:
        ready = select.select(watched, [], [])[0]
        if ended in ready:
            with contextlib.suppress(OSError):
                client.sendall(os.waitpid(process, 0)[1].to_bytes(4, "big"))
            os._exit(0)
        try:
            said = client.recv(1) if client in ready else b""
        except OSError:
            said = b""
        if not said:  # the client is gone, or the tests are over
            watched = [ended]
        os.kill(process, said[0] if said else signal.SIGKILL)


def become(request: dict, files: list[int]) -> None:
    """Make this fork the process that was asked for, and run its program as Python's command line would."""
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    close_all(files)
    environment = request["environment"]
    unbuffered = bool(environment.get("PYTHONUNBUFFERED"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        errors = "backslashreplace" if number == 2 else "strict"
        file = open(number, "w" if number else "r", encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        if number:
            file.reconfigure(line_buffering=number == 2 or file.isatty(), write_through=unbuffered)
        setattr(sys, name, file)
        setattr(sys, f"__{name}__", file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(request["folder"])
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    random.seed()
    sys.modules["numpy"].random.seed()
    kind, program, *rest = request["arguments"]
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[0:1] = [str(Path.cwd()) if kind == "-m" else "", *paths]
    sys.argv = [kind, *rest]
    try:
        if kind == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            main = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(program, "<string>", "exec"), main.__dict__)
    except SystemExit as end:
        leave(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        if sys.exc_info()[0] is KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        leave(1)
    leave(0)


def leave(code: object) -> None:
    """End as Python would, but for taking all modules apart: in a fork of Keras that copies memory for a second."""
    threading._shutdown()  # waits for the threads that are no daemons
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
    for file in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            file.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        asked_for = serve(listening)
    if asked_for:
        become(*asked_for)
