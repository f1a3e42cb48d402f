"""Jupyter applications for the tests in the browser: on this machine only, with settings and folders of their own."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from forks import kernels

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
SECONDS = 60  # the longest that a server may take to start


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Jupyter application that serves a folder: ``"lab"``, ``"teacher"`` (their lab), ``"notebook"``, ``"voila"``."""

    kind: str
    url: str
    token: str
    folder: Path

    def address(self, name: str) -> str:
        """Return where a notebook of the folder is opened, in a fresh workspace."""
        path = {"notebook": "notebooks", "voila": "voila/render"}.get(self.kind, "lab/tree")
        fresh = "reset&" if path == "lab/tree" else ""
        return f"{self.url}/{path}/{quote(name)}?{fresh}token={self.token}"

    def end_kernels(self) -> None:
        """End all kernels: the next visit begins with a fresh one, and the memory is free."""
        for kernel in json.loads(self._ask("GET", "api/kernels") or "[]"):
            self._ask("DELETE", f"api/kernels/{kernel['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}/{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()


@contextmanager
def serve(kind: str, folder: Path, home: Path) -> Iterator[Server]:
    """Start a Jupyter application with settings of its own, wait until it answers, and end it with its kernels."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    server = Server(kind=kind, url=f"http://{HOST}:{port}", token=token, folder=folder)
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"{kind}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *_command(kind, port, token, folder)],
            cwd=folder,
            env=_environment(home, kind),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(server, process, log)
        yield server
    finally:
        _end(process)


def _command(kind: str, port: int, token: str, folder: Path) -> list[str]:
    common = [f"--ServerApp.ip={HOST}", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    common += ["--ServerApp.open_browser=False", f"--ServerApp.root_dir={folder}", "--ServerApp.allow_root=True"]
    if kind in ("lab", "teacher"):
        return ["jupyterlab", *common, "--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    if kind == "notebook":
        return ["notebook", *common, "--JupyterNotebookApp.expose_app_in_browser=True"]
    return [
        "voila",
        f"--Voila.ip={HOST}",
        f"--port={port}",
        "--no-browser",
        f"--token={token}",
        "--template=recipe",
        "--VoilaConfiguration.extension_denylist=@jupyter/nbgrader",
        "--VoilaConfiguration.extension_denylist=@jupyter-notebook/lab-extension",
        "--VoilaConfiguration.extension_denylist=@voila-dashboards/jupyterlab-preview",
        str(folder),
    ]


def _environment(home: Path, kind: str) -> dict[str, str]:
    """Return an environment in which no setting of the user's holds, and nothing is written outside `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RECIPE_", "JUPYTER", "XDG_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    if kind in ("lab", "teacher"):
        _write_settings(home / "settings")
    if kind != "teacher":
        kept["JUPYTER_CONFIG_PATH"] = str(ROOT / "tools/students")
    return kept | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        # Notebook's kernels start as a person's do, the others' as forks.
        "JUPYTER_PATH": os.pathsep.join([str(ROOT / "tools"), *(kernels() if kind != "notebook" else [])]),
        "RECIPE_SOURCE": "sample",
        "RECIPE_HOME": str(home / "recipe"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "share"),
    }


def _write_settings(folder: Path) -> None:
    """JupyterLab asks for news and updates on other hosts unless it is told not to."""
    file = folder / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")


def _wait_until_it_answers(server: Server, process: subprocess.Popen, log: Path) -> None:
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            server._ask("GET", "api/status")
            return
        except urllib.error.HTTPError:
            return  # it answers, and that is all that is asked
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{server.kind} does not answer. It wrote:\n{log.read_text(errors='replace')[-3000:]}")


def _end(process: subprocess.Popen) -> None:
    """End the application as a terminal would, then whatever of its process group is left (its kernels)."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
