"""Start processes as forks of one that has imported Keras, where the system can fork: see fork_server.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FORKS = sys.platform == "linux"
# In place of sys.executable, for -m and -c. Without a server it is Python itself.
PYTHON = [sys.executable, *(["-S", str(Path(__file__).parent / "fork_client.py")] if FORKS else [])]
ADDRESS = "TESTS_FORK_SERVER"
OPTIMIZATION = "--xla_backend_optimization_level="


class ForkServer:
    """The server's process, with its folder: its socket, and a kernel named python3 that is a fork.

    It is told to end when this object is closed, or this process ends in whatever way.

    Parameters
    ----------
    **environment : variables of the kernels, beside those of whoever starts one
    """

    def __init__(self, **environment: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="recipe-forks-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        self.address = folder / "socket"
        kernel = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
        kernel.parent.mkdir(parents=True)
        command = [*PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        names = {"display_name": "Python 3 (ipykernel)", "language": "python"}
        kernel.write_text(json.dumps({"argv": command, "env": environment} | names))
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "fork_server.py"), str(self.address)], stdin=subprocess.PIPE
        )

    def offer(self) -> None:
        """Tell this process, and those that it starts, where the server is."""
        os.environ[ADDRESS] = str(self.address)
        os.environ["JUPYTER_PATH"] = os.pathsep.join([*kernels(), *filter(None, [os.environ.get("JUPYTER_PATH")])])

    def close(self) -> None:
        """End the server, with the forks that still run."""
        self._process.stdin.close()
        self._process.wait(10)
        self._folder.cleanup()


def kernels() -> list[str]:
    """Return the folder with the kernel that is a fork, for JUPYTER_PATH; none where nothing is forked."""
    return [str(Path(os.environ[ADDRESS]).parent / "jupyter")] if ADDRESS in os.environ else []


def for_long_trainings() -> str:
    """Return XLA_FLAGS for a process that trains for longer than it compiles: its code is a little faster."""
    return os.environ.get("XLA_FLAGS", "").replace(f"{OPTIMIZATION}0", f"{OPTIMIZATION}1")
