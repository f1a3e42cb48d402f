"""The load of a class on one machine: a real JupyterHub, n students, a real kernel each, training on the samples.

    python3 -m venv .venv-hub
    .venv-hub/bin/python -m pip install -c constraints.txt '.[lab]' jupyterhub
    npm install --prefix .venv-hub configurable-http-proxy
    .venv/bin/python benchmarks/hub_load.py --students 30

First comes the instructor, finds nothing compiled, and tries what the class will do: so XLA's programs lie in a folder
that all kernels share. Then the students come two at a time: the hub starts a server, the page of JupyterLab and a
lesson are fetched, a kernel starts, the first cell imports the kit and makes the training panel, and Train is pressed
once. When all are there, one trains alone, then ten at once press Train again and again, without a pause, until each of
the class has had its turn. The memory is the proportional set size (PSS): what processes share is counted in parts.
Beside the seconds by the clock stand the processor's, which the machine's other work hardly changes. Figures go to
benchmarks/hub_load.json, from which `benchmarks/lecture.py` writes docs/load.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import secrets
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).resolve().parent.parent
LESSON = "05_beat_a_baseline.ipynb"
HOST = "127.0.0.1"
PATIENCE = 900  # seconds that a step may take
# One thread a kernel: with more students than cores, several threads each only get in each other's way.
THREADS = ("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Without these, JAX keeps nothing on disk that compiles in less than a second.
KEEP_SMALL = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
FIRST_CELL = """
import recipe
panel = recipe.TrainingPanel(problem="mnist", journal=None)
display(panel)
"""
CLICK = "panel.controls[{control!r}].value = {value!r}; panel.start(); panel.wait(); clicks = {number}"
# What students change from click to click. A new seed trains the same program; another network is compiled first.
CLICKS = (("seed", 1), ("dropout_on", True), ("seed", 2), ("units_1", 32), ("seed", 3), ("layer_2", True))

CONFIG = """
c.JupyterHub.authenticator_class = "dummy"  # everyone is let in under any name: for a measurement on this machine alone
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"       # servers are processes of the user who started the hub
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.JupyterHub.bind_url = "http://{host}:{port}"
c.JupyterHub.hub_bind_url = "http://{host}:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://{host}:{proxy_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.services = [{{"name": "load", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "load", "services": ["load"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
c.JupyterHub.concurrent_spawn_limit = 0
c.Spawner.cmd = [{server!r}]
c.Spawner.args = {arguments!r}
c.Spawner.default_url = "/lab"
c.Spawner.environment = {environment!r}
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
"""


@dataclass
class Hub:
    """A JupyterHub that runs, and the seconds of every step that its students took."""

    url: str
    token: str
    homes: Path
    process: subprocess.Popen
    steps: list[dict] = field(default_factory=list)

    async def ask(self, path: str, method: str = "GET", body: object = None) -> object:
        """Ask the hub, or a student's server behind it; return what its JSON says."""
        request = HTTPRequest(
            f"{self.url}/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
            body=None if method in ("GET", "DELETE") else json.dumps(body or {}),
            request_timeout=PATIENCE,
            connect_timeout=PATIENCE,
        )
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if "json" in answer.headers.get("Content-Type", "") else None

    def note(self, step: str, began: float, cpu: float = 0.0) -> None:
        """Keep the seconds since `began`, by the clock, and those of the processor."""
        self.steps.append({"step": step, "seconds": time.monotonic() - began, "cpu": cpu})

    def processes(self) -> list[psutil.Process]:
        """Return the hub and its proxy."""
        hub = psutil.Process(self.process.pid)
        return [hub, *[child for child in hub.children() if "proxy" in " ".join(child.cmdline())]]


@dataclass
class Student:
    """A student with a server, a lesson and a kernel."""

    hub: Hub
    name: str
    kernel: str = ""
    socket: WebSocketClientConnection | None = None
    processes: tuple[psutil.Process, ...] = ()  # the server's and the kernel's
    clicks: int = 0

    async def arrive(self, remark: str = "") -> None:
        """Start the server, fetch the page and the lesson, start the kernel, run the first cell, train once."""
        base = f"user/{self.name}"
        began = time.monotonic()
        await self.hub.ask(f"hub/api/users/{self.name}", "POST")
        await self.hub.ask(f"hub/api/users/{self.name}/server", "POST")
        while not (await self.hub.ask(f"hub/api/users/{self.name}"))["servers"].get("", {}).get("ready"):
            await asyncio.sleep(0.1)
        server_ready = time.monotonic()
        await self.hub.ask(f"{base}/lab")
        await self.hub.ask(f"{base}/api/contents/{LESSON}")
        page_there = time.monotonic()
        session = {"path": LESSON, "name": LESSON, "type": "notebook", "kernel": {"name": "python3"}}
        self.kernel = (await self.hub.ask(f"{base}/api/sessions", "POST", session))["kernel"]["id"]
        address = f"{self.hub.url.replace('http', 'ws')}/{base}/api/kernels/{self.kernel}/channels"
        headers = {"Authorization": f"token {self.hub.token}"}
        opening = HTTPRequest(address, headers=headers, connect_timeout=PATIENCE, request_timeout=PATIENCE)
        self.socket = await websocket_connect(opening, max_message_size=1 << 28)
        kernel = psutil.Process(int(await self.execute("import os; print(os.getpid())")))
        self.processes = (kernel.parent(), kernel)
        kernel_ready = time.monotonic()
        server_cpu, kernel_cpu = self.cpu()
        for step, seconds, cpu in (
            ("server starts", server_ready - began, server_cpu),
            ("page and lesson", page_there - server_ready, 0.0),
            ("kernel starts", kernel_ready - page_there, kernel_cpu),
        ):
            self.hub.steps.append({"step": step, "seconds": seconds, "cpu": cpu})
        await self.timed("first cell (imports)", FIRST_CELL)
        await self.click(("seed", 0), f"first click{remark}")

    async def click(self, change: tuple[str, object], step: str) -> None:
        """Change a control and press Train; wait for the run, its curves and its diagnosis."""
        self.clicks += 1
        await self.timed(step, CLICK.format(control=change[0], value=change[1], number=self.clicks))

    async def timed(self, step: str, source: str) -> None:
        began, before = time.monotonic(), sum(self.cpu())
        await self.execute(source)
        self.hub.note(step, began, sum(self.cpu()) - before)

    async def execute(self, source: str) -> str:
        """Run a cell as JupyterLab does; return what it printed. Raise RuntimeError if it failed."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "username": self.name, "session": self.name, "version": "5.3"}
        message = {
            "header": header | {"msg_type": "execute_request"},
            "parent_header": {},
            "metadata": {},
            "content": {"code": source, "silent": False, "store_history": True, "allow_stdin": False},
            "channel": "shell",
        }
        await self.socket.write_message(json.dumps(message))
        printed, waits_for = "", {"execute_reply", "idle"}
        while waits_for:
            answer = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
            if answer is None:
                raise RuntimeError(f"{self.name}'s kernel is gone.")
            if isinstance(answer, bytes):  # a picture of a widget: no message says there that the cell is done
                continue
            answer = json.loads(answer)
            if answer["parent_header"].get("msg_id") != number:
                continue
            kind, content = answer["header"]["msg_type"], answer["content"]
            if kind == "error":
                raise RuntimeError(f"{self.name}'s cell failed: {content['ename']}: {content['evalue']}")
            printed += content["text"] if kind == "stream" and content["name"] == "stdout" else ""
            waits_for -= {kind, content.get("execution_state")}
        return printed

    def cpu(self) -> tuple[float, ...]:
        """Return the processor's seconds so far, of the server and of the kernel."""
        times = [process.cpu_times() for process in self.processes]
        return tuple(spent.user + spent.system for spent in times)

    async def kept_its_kernel(self) -> bool:
        """Tell whether the kernel is the one that it began with, and knows of every click."""
        kernels = await self.hub.ask(f"user/{self.name}/api/kernels")
        return [kernel["id"] for kernel in kernels] == [self.kernel] and int(
            await self.execute("print(clicks)")
        ) == self.clicks


def named(change: tuple[str, object]) -> str:
    return "another seed" if change[0] == "seed" else "another network"


def memory_of(process: psutil.Process) -> float:
    """Return the proportional set size of a process in MB."""
    return process.memory_full_info().pss / 1e6


@asynccontextmanager
async def start_hub(environment: Path, proxy: Path, folder: Path, variables: dict[str, str]) -> AsyncIterator[Hub]:
    """Start a JupyterHub with a folder of its own, wait until it answers, end it with all servers and kernels."""
    ports = [free_port() for _ in range(3)]
    token, homes = secrets.token_hex(16), folder / "homes"
    homes.mkdir()
    settings = {
        "homes": str(homes),
        "host": HOST,
        "port": ports[0],
        "hub_port": ports[1],
        "proxy_port": ports[2],
        "proxy": str(proxy.resolve()),
        "token": token,
        "server": str((environment / "bin/jupyterhub-singleuser").absolute()),
        "arguments": ["--allow-root"] if os.geteuid() == 0 else [],
        "environment": {"KERAS_BACKEND": "jax", "RECIPE_SOURCE": "sample"} | variables,
        "patience": PATIENCE,
    }
    (folder / "jupyterhub_config.py").write_text(CONFIG.format(**settings), encoding="utf-8")
    shield = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER", "JAX"))}
    shield["PATH"] = f"{(environment / 'bin').absolute()}:{shield['PATH']}"
    with (folder / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [environment.absolute() / "bin/jupyterhub"],
            cwd=folder,
            env=shield,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    hub = Hub(f"http://{HOST}:{ports[0]}", token, homes, process)
    try:
        for _ in range(PATIENCE):
            try:
                await hub.ask("hub/api/")
                break
            except (OSError, HTTPClientError):  # nobody there yet, or the proxy alone
                if process.poll() is not None:
                    raise RuntimeError((folder / "hub.log").read_text(errors="replace")[-3000:]) from None
                await asyncio.sleep(1)
        yield hub
    finally:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        for left in [child for child in family if child.is_running()]:
            left.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return free.getsockname()[1]


@dataclass
class Busy:
    """How much of the processor was used, by the class and by whatever else runs on the machine, since it was made."""

    hub: Hub
    students: list[Student]

    def __post_init__(self) -> None:
        self._began, self._all, self._ours = self._now()

    def _now(self) -> tuple[float, float, float]:
        spent = psutil.cpu_times()
        hub = [process.cpu_times() for process in self.hub.processes()]
        ours = sum(one.user + one.system for one in hub) + sum(sum(student.cpu()) for student in self.students)
        return time.monotonic(), spent.user + spent.nice + spent.system, ours

    def spent(self) -> dict[str, float]:
        """Return the class's seconds of the processor, and the shares of all cores that the class and others had."""
        now, spent, ours = self._now()
        room = (now - self._began) * psutil.cpu_count()
        ours -= self._ours
        others = max(0.0, spent - self._all - ours)
        return {"seconds": now - self._began, "cpu": ours, "class": ours / room, "others": others / room}


async def measure(hub: Hub, students: int, training: int, clicks: int, at_once: int) -> dict:
    """Let the students come, train alone, train together; return the figures."""
    everyone = [Student(hub, f"student-{number:02d}") for number in range(students)]
    (hub.homes.parent / "xla").mkdir()
    for student in everyone:
        home = hub.homes / student.name
        home.mkdir()
        (home / LESSON).write_bytes((ROOT / "notebooks" / LESSON).read_bytes())
    door = asyncio.Semaphore(at_once)

    async def come(student: Student) -> None:
        async with door:
            await student.arrive()
        print(f"{student.name} is there", flush=True)

    # Who comes first finds nothing compiled, as an instructor does who tries everything before the lecture.
    figures, (instructor, *_) = {}, everyone
    await instructor.arrive(", nothing compiled yet")
    for change in CLICKS[:clicks]:
        await instructor.click(change, f"{named(change)}, alone{', nothing compiled yet' * (change[0] != 'seed')}")
    busy = Busy(hub, everyone)
    await asyncio.gather(*map(come, everyone[1:]))
    figures["arriving"] = busy.spent()
    figures["memory after the first click"] = memory(hub, everyone[1:])
    for change in CLICKS[:clicks]:
        await everyone[-1].click(change, f"{named(change)}, alone")

    async def train(student: Student) -> None:
        for change in CLICKS[:clicks]:
            await student.click(change, f"{named(change)}, {training} at once")

    busy = Busy(hub, everyone)
    for first in range(0, students, training):
        await asyncio.gather(*map(train, everyone[first : first + training]))
        print(f"students {first} to {min(first + training, students) - 1} have trained", flush=True)
    figures["training"] = busy.spent()
    figures["memory after all clicks"] = memory(hub, everyone)
    figures["kernels kept"] = sum([await student.kept_its_kernel() for student in everyone])
    return figures


def memory(hub: Hub, students: list[Student]) -> dict[str, list[float]]:
    """Return the PSS in MB: of the hub with its proxy, and of each server and each kernel."""
    servers, kernels = zip(*[map(memory_of, student.processes) for student in students], strict=True)
    hub_itself, left = sum(map(memory_of, hub.processes())), psutil.virtual_memory().available / 1e6
    return {"hub": [hub_itself], "servers": list(servers), "kernels": list(kernels), "left on the machine": [left]}


def versions(environment: Path, proxy: Path) -> dict[str, str]:
    """Return what was measured: Python and the packages of the environment, the proxy."""
    names = ("jupyterhub", "jupyterlab", "keras", "jax")
    code = "import importlib.metadata as m, platform; print(platform.python_version(), *map(m.version, {names!r}))"
    python = [environment / "bin/python", "-c", code.format(names=names)]
    found = subprocess.run(python, capture_output=True, text=True, check=True).stdout.split()
    version = subprocess.run([proxy, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return dict(zip(("Python", *names), found, strict=True)) | {"configurable-http-proxy": version}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=3)
    parser.add_argument("--training", type=int, default=10, help="how many train at once")
    parser.add_argument("--clicks", type=int, default=len(CLICKS), help="on Train, a student, after the first")
    parser.add_argument("--at-once", type=int, default=psutil.cpu_count(), help="how many come at the same time")
    parser.add_argument("--threads", type=int, default=1, help="a kernel; 0 leaves it to the libraries")
    parser.add_argument("--own-caches", action="store_true", help="share no compiled programs between kernels")
    parser.add_argument("--stay", action="store_true", help="leave the hub running, to look at it; writes no figures")
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-hub", help="with the kit and JupyterHub")
    parser.add_argument("--proxy", type=Path, default=ROOT / ".venv-hub/node_modules/.bin/configurable-http-proxy")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/hub_load.json")
    options = parser.parse_args()
    variables = dict.fromkeys(THREADS, str(options.threads)) if options.threads else {}

    async def run() -> dict:
        with tempfile.TemporaryDirectory() as folder:
            cache = {} if options.own_caches else {"JAX_COMPILATION_CACHE_DIR": f"{folder}/xla"} | KEEP_SMALL
            async with start_hub(options.environment, options.proxy, Path(folder), variables | cache) as hub:
                figures = await measure(hub, options.students, options.training, options.clicks, options.at_once)
                if options.stay:
                    print(f"The hub stays until Ctrl-C. Log in as student-00, with any password: {hub.url}", flush=True)
                    await asyncio.Event().wait()
                return figures | {"steps": hub.steps}

    AsyncHTTPClient.configure(None, max_clients=1_000)
    figures = asyncio.run(run()) | {
        "students": options.students,
        "training at once": options.training,
        "threads": options.threads,
        "shared cache": not options.own_caches,
        "cores": psutil.cpu_count(),
        "memory of the machine": psutil.virtual_memory().total / 1e6,
        "system": platform.system(),
        "versions": versions(options.environment, options.proxy),
    }
    options.output.write_text(json.dumps(figures, indent=1, default=float) + "\n", encoding="utf-8")
    for step in dict.fromkeys(entry["step"] for entry in figures["steps"]):
        taken = sorted(entry["seconds"] for entry in figures["steps"] if entry["step"] == step)
        cpu = sorted(entry["cpu"] for entry in figures["steps"] if entry["step"] == step)
        print(
            f"{step:28} n={len(taken):3} median {taken[len(taken) // 2]:6.2f} s, longest {taken[-1]:6.2f} s,"
            f" processor {cpu[len(cpu) // 2]:6.2f} s"
        )
    for moment in ("memory after the first click", "memory after all clicks"):
        print(moment, {name: [round(min(mb)), round(max(mb))] for name, mb in figures[moment].items()})
    print({name: figures[name] for name in ("arriving", "training", "kernels kept")})


if __name__ == "__main__":
    main()
