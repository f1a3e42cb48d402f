"""Runs a notebook that nobody vouches for, and writes what the judge says into its graded cells.

The notebook runs on nbclient, in a throw-away folder, in a kernel that knows nothing of the course's key. Each cell has
so many seconds, so much memory and so much output. A cell that ends the kernel costs its own points and no more: the
kernel is started anew, the cells before are run again, and the one that ended it is left out.

No code of a hidden check enters a kernel. For each graded cell the kernel is asked to hand over the answer as plain
data; the judge, in its own process, says what it is worth. nbgrader's preprocessor and `recipe check` both run this.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook, new_output

from recipe.teach import handover
from recipe.teach.exercises import MODULES, Verdict, describe, object_to
from recipe.teach.judge import DAMAGED, JudgeClient
from recipe.teach.mending import HIDDEN, grade_id
from recipe.teach.veil import veil

VERDICT = "application/vnd.recipe.verdict+json"  # what the judge said, beside the points of a graded cell
PROCESS = "recipe_process"  # in the metadata of a graded notebook: what its proof of process is worth
LARGEST_ANSWER = 2**26  # bytes
POLL = 0.1  # seconds between two looks at a kernel's memory
WIDTH = 100  # of a message: a page of feedback breaks no lines
GRACE = 5.0  # seconds that an interrupted cell has to end
VISIBLE = re.compile(r"^\s*work\.(?:check|grade)\(.*\)\s*$", re.MULTILINE)
CUT = "[Cut out: this showed the grader's own files. The instructor is told.]"
STOPPED = "Your answer was used, and had to be stopped"
TELLING = 30  # characters that a line of a hidden check has at least to be told from any other

# Runs in the kernel, on the source of `handover` as the grader has it, whatever the notebook did to the module.
_HAND_OVER = """\
(lambda python: python.exec({source!r}, {{"__name__": "__main__", "NAMES": {asks!r}, "GIVEN": python.globals(), "TRIES":
{tries!r}, "TO": {answers!r}}}))(__import__("builtins"))
"""
_COLLECT = """
for given, to in zip(TRIES, TO):
    with open(given, encoding="utf-8") as file:
        tries = from_json(file.read())
    answer = collect(GIVEN, NAMES, tries)
    with open(to, "w", encoding="utf-8") as file:
        file.write(to_json(answer))
"""
_SOURCE = inspect.getsource(handover) + _COLLECT


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a notebook may take.

    Attributes
    ----------
    cell : seconds of the processor that one cell may take, which are the same on a busy machine
    waiting : seconds by the clock that one cell may take
    notebook, start : seconds by the clock of all cells together, and until a kernel answers
    memory : bytes of the kernel and what it started
    text, pictures : characters of one cell's output that are kept: of text, and of everything else
    restarts : how often a kernel that ended is started anew
    """

    cell: float = 45.0
    waiting: float = 240.0
    notebook: float = 900.0
    start: float = 120.0
    memory: int = 3 * 2**30
    text: int = 50_000
    pictures: int = 3_000_000
    restarts: int = 6


@dataclass
class Graded:
    """A notebook that was run.

    Attributes
    ----------
    notebook : with its outputs, and in each graded cell what the judge said
    verdicts : of each exercise that the notebook has a graded cell for
    points : of each exercise, all that can be had
    flags : what an instructor should know of: grader's text in an output, a notebook that ran out of time …
    """

    notebook: nbformat.NotebookNode
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


def run_notebook(
    notebook: nbformat.NotebookNode,
    judge: JudgeClient | None,
    assignment: str = "",
    student: str = "",
    *,
    limits: Limits | None = None,
    files: Path | str | None = None,
) -> Graded:
    """Run a notebook from top to bottom, and judge its graded cells.

    Parameters
    ----------
    notebook : stays as it is
    judge : None runs the notebook and judges nothing
    assignment, student : whose world it is; the kernel is told the student's id, and no other
    files : a folder with what lies beside the notebook: the kernel works in a copy of it

    Raises
    ------
    ValueError
        If there is no such assignment, or its hidden checks cannot be loaded.
    RuntimeError
        If no kernel starts.
    """
    exercises = judge.open(assignment, student) if judge else {}
    with tempfile.TemporaryDirectory(prefix="recipe-run-", ignore_cleanup_errors=True) as folder:
        work = Path(folder) / "work"
        if files:
            shutil.copytree(files, work, symlinks=True, ignore=shutil.ignore_patterns("*.ipynb"))
        work.mkdir(exist_ok=True)
        run = _Run(deepcopy(notebook), judge, exercises, student, limits or Limits(), work)
        # In a thread with a loop of its own: whoever calls may be in one already, as a Jupyter server is.
        thread = threading.Thread(target=run.start, daemon=True)
        thread.start()
        try:
            thread.join()
        except BaseException:  # Ctrl-C
            run.stopped = True
            thread.join(GRACE)
            raise
    if run.error:
        raise run.error
    return run.graded


class _Client(NotebookClient):
    """nbclient's, which keeps so much of a cell's output and no more."""

    def __init__(self, notebook: nbformat.NotebookNode, limits: Limits) -> None:
        super().__init__(notebook, kernel_name="python3", allow_errors=True, coalesce_streams=True)
        self.limits, self.raise_on_iopub_timeout, self.store_widget_state = limits, False, False
        self.begin()

    def begin(self) -> None:
        """Count anew."""
        self.text = self.pictures = 0

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> nbformat.NotebookNode | None:
        content = msg["content"]
        if "data" in content:
            content["data"] = {kind: data for kind, data in content["data"].items() if kind in _SAFE}
            self.pictures += sum(len(str(data)) for data in content["data"].values())
        else:
            self.text += len(str(content.get("text", ""))) + len("".join(content.get("traceback", ())))
        if self.text > self.limits.text or self.pictures > self.limits.pictures:
            note = "\n[There was more output than is kept.]\n"
            if outs and outs[-1].get("text") != note:
                outs.append(new_output("stream", name="stdout", text=note))
            elif not outs:
                text = str(content.get("text", ""))[: self.limits.text] + note
                outs.append(new_output("stream", name="stdout", text=text))
            return None
        return super().output(outs, msg, display_id, cell_index)

    def _update_display_id(self, display_id: str, msg: dict) -> None:
        with contextlib.suppress(IndexError, KeyError):  # what it belongs to was not kept
            super()._update_display_id(display_id, msg)


_SAFE = ("text/plain", "text/html", "image/png", "image/jpeg", "text/latex")


class _Run:
    def __init__(
        self,
        notebook: nbformat.NotebookNode,
        judge: JudgeClient | None,
        exercises: Mapping[str, dict],
        student: str,
        limits: Limits,
        folder: Path,
    ) -> None:
        self.graded = Graded(notebook, points={name: one["points"] for name, one in exercises.items()})
        self.judge, self.exercises, self.limits, self.folder = judge, exercises, limits, folder
        self.started_with = {
            "cwd": str(folder),
            "env": _environment(student, folder.parent),
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        }
        self.error: Exception | None = None
        self.stopped = False
        self.harmful: set[int] = set()  # the cells that are not run again
        self.ended: dict[int, str] = {}  # of each cell that did not come to its end: why
        self.restarts = 0
        self.secrets = _secret_lines(judge, exercises)
        # One cell more than the notebook has: in it the kernel hands over.
        cells = [*notebook.cells, new_code_cell()]
        self.client = _Client(new_notebook(cells=cells, metadata=notebook.metadata), limits)
        self.process: psutil.Process | None = None

    def start(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:
            self.error = error

    async def _run(self) -> None:
        cells = self.graded.notebook.cells
        self.deadline = time.monotonic() + self.limits.notebook
        try:
            await self._start_kernel()
            for at, cell in enumerate(cells):
                if cell.cell_type != "code":
                    continue
                if self._is_graded(cell):
                    await self._judge(at, grade_id(cell))
                else:
                    await self._run_cell(at)
                    self._mend_outputs(at)
        finally:
            await self._end_kernel()

    def _is_graded(self, cell: nbformat.NotebookNode) -> bool:
        return grade_id(cell) in self.exercises and bool(cell.metadata.nbgrader.get("grade"))

    # ---- a kernel

    async def _start_kernel(self) -> None:
        client = self.client
        self.folder.mkdir(parents=True, exist_ok=True)  # a notebook may have removed it
        client.create_kernel_manager()
        hidden = self.judge and self.judge.hidden
        command = client.km.kernel_spec.argv
        if Path(command[0]).stem in ("python", "python3"):  # Jupyter does so itself only where nothing stands before
            command[0] = sys.executable
        command[:0] = [*veil(Path(hidden).parent if hidden else None), *_tie()]
        try:
            client.startup_timeout = int(self.limits.start)
            await client.async_start_new_kernel(**self.started_with)
            await client.async_start_new_kernel_client()
        except RuntimeError as error:
            raise RuntimeError(f"No kernel started within {self.limits.start:g} s: {error}") from error
        # Before anything of the notebook runs, the kernel's word on its own number can be trusted.
        reply = await self._ask("", {"pid": "__import__('os').getpid()"})
        self.process = psutil.Process(int(reply["user_expressions"]["pid"]["data"]["text/plain"]))

    async def _ask(self, code: str, expressions: Mapping[str, str]) -> dict:
        asked = self.client.kc.execute(code, silent=True, store_history=False, user_expressions=dict(expressions))
        while True:
            reply = await self.client.kc.get_shell_msg(timeout=self.limits.start)
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"]

    def _kill(self) -> None:
        """End the kernel and what it started, at once."""
        for process in _family(self.process):
            with contextlib.suppress(psutil.Error):
                process.kill()

    async def _end_kernel(self) -> None:
        client, self.process, process = self.client, None, self.process
        if client.km is None:
            return
        started = _family(process)
        with contextlib.suppress(Exception):
            await client.km.shutdown_kernel(now=True)
        for one in started:
            with contextlib.suppress(psutil.Error):
                one.kill()
        if client.kc is not None:
            client.kc.stop_channels()
        client.kc = client.km = None

    async def _start_again(self, upto: int) -> None:
        """Start the kernel anew, and run the cells before this one again, but for those that did harm."""
        while self.restarts < self.limits.restarts and not self.stopped and time.monotonic() < self.deadline:
            self.restarts += 1
            await self._end_kernel()
            try:
                await self._start_kernel()
            except (RuntimeError, OSError, psutil.Error) as error:
                self._flag(f"The kernel could not be started again: {error}")
                await self._end_kernel()
                return
            kept = {at: deepcopy(cell.get("outputs", [])) for at, cell in enumerate(self.graded.notebook.cells)}
            for at, cell in enumerate(self.graded.notebook.cells[:upto]):
                graded = self._is_graded(cell)
                if cell.cell_type == "code" and at not in self.harmful and not graded:
                    why = await self._execute(at, cell.source)
                    cell.outputs = kept[at]
                    if why:
                        self.harmful.add(at)
                    if self.process is None:
                        break
            if self.process is not None:
                return
        self._flag("The kernel ended too often: the rest of the notebook was not run.")

    # ---- a cell

    async def _run_cell(self, at: int) -> None:
        """Run a cell; where it did not come to its end, say so in its place, and go on without it."""
        cell = self.graded.notebook.cells[at]
        cell.outputs, cell.execution_count = [], None
        if self.process is None or self.stopped or time.monotonic() > self.deadline:
            if time.monotonic() > self.deadline:
                self._flag(f"The notebook took more than {self.limits.notebook:g} s: the rest was not run.")
            return
        if why := await self._execute(at, cell.source):
            self.harmful.add(at)
            self.ended[at] = why
            self._flag(f"Cell {at + 1} was stopped: {why}.")
            kept = [output for output in cell.outputs if output.get("ename") != "KeyboardInterrupt"]
            said = f"This cell was stopped: {why}."
            cell.outputs = [*kept, new_output("error", ename="Stopped", evalue=why, traceback=[said])]
            if self.process is None:
                await self._start_again(at)

    def _flag(self, said: str) -> None:
        if said not in self.graded.flags:
            self.graded.flags.append(said)

    async def _execute(self, at: int, source: str) -> str:
        """Run source as the cell at this place; return why it did not come to its end, "" where it did.

        A kernel that did not survive is None afterwards.
        """
        client, limits = self.client, self.limits
        client.begin()
        cell = client.nb.cells[at]
        code, cell.source = cell.source, source
        spent, began, interrupted, why = _processor_seconds(self.process), time.monotonic(), 0.0, ""
        task = asyncio.ensure_future(client.async_execute_cell(cell, at))
        while not task.done():
            await asyncio.wait([task], timeout=POLL)
            now = time.monotonic()
            if task.done():
                break
            if not why and _memory(self.process) > limits.memory:
                why = f"it took more than {limits.memory / 2**30:.3g} GB of memory"
                self._kill()
            elif not why and (seconds := self._overdue(spent, began)):
                why, interrupted = f"it took more than {seconds:g} s", now
                await client.km.interrupt_kernel()
            elif interrupted and now - interrupted > GRACE:
                interrupted = 0.0
                self._kill()
        cell.source = code
        try:
            task.result()
        except DeadKernelError:
            why = why or "it ended the kernel"
            await self._end_kernel()
        except Exception as error:  # a message of the kernel that no kernel sends
            why = why or f"its output could not be read ({type(error).__name__})"
            await self._end_kernel()
        return why

    def _overdue(self, spent: float, began: float) -> float:
        """Return how many seconds a cell had that has taken too many, else 0."""
        if _processor_seconds(self.process) - spent > self.limits.cell:
            return self.limits.cell
        return self.limits.waiting if self.stopped or time.monotonic() - began > self.limits.waiting else 0.0

    # ---- a graded cell

    async def _judge(self, at: int, name: str) -> None:
        """Have the kernel hand over an answer, have it judged, and write the verdict into the cell."""
        cell = self.graded.notebook.cells[at]
        # The visible check is part of what the judge does; only what else stands in the cell is run.
        rest = VISIBLE.sub("", HIDDEN.sub("", cell.source)).strip()
        if rest and self.process is not None:
            await self._execute(at, rest)
        verdict = await self._find_verdict(at, name)
        cell.execution_count = None
        cell.outputs = show_verdict(name, verdict, self.graded.points[name])
        self.graded.verdicts[name] = verdict

    async def _find_verdict(self, at: int, name: str) -> Verdict:
        if self.process is None:
            return object_to("The notebook had been stopped before this point, so there is no answer to judge.")
        tries = [self.folder.parent / f"{secrets.token_hex(8)}.json" for _ in range(2)]
        answers = [path.with_suffix(".answer") for path in tries]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path, text in zip(tries, self.judge.tries(name), strict=True):
                path.write_text(text, encoding="utf-8")
        except ValueError as error:
            self.graded.flags.append(f"{name} could not be judged: {str(error).strip().splitlines()[-1]}")
            return Verdict(0.0, "The grader could not judge this answer by itself.", by_hand=True)
        code = _HAND_OVER.format(
            source=_SOURCE,
            asks=tuple(self.exercises[name]["asks"]),
            tries=[str(path) for path in tries],
            answers=[str(path) for path in answers],
        )
        last = len(self.client.nb.cells) - 1
        why = await self._execute(last, code)
        if self.process is None:
            # The answer itself ends the kernel when it is used. What comes after it is to have its chance.
            self._leave_out_answer(at, name)
            await self._start_again(at)
            return object_to(f"{STOPPED}: {why}.")
        if why:
            return object_to(f"{STOPPED}: {why}.")
        try:
            texts = [_read(path) for path in answers]
        except (OSError, ValueError):
            return DAMAGED
        verdict = self.judge.judge(name, texts)
        return verdict if verdict.attempted else self._explain_missing(at, name, verdict)

    def _answer_cells(self, at: int) -> list[int]:
        """Return the code cells that belong to a graded cell: from the answer above it on."""
        found: list[int] = []
        for above in range(at - 1, -1, -1):
            cell = self.graded.notebook.cells[above]
            if cell.cell_type == "code" and self._is_graded(cell):
                return []
            if cell.cell_type == "code":
                found.append(above)
            if grade_id(cell) == f"{grade_id(self.graded.notebook.cells[at])}-answer":
                return found
        return []

    def _leave_out_answer(self, at: int, name: str) -> None:
        """An answer that ended the kernel when it was used is not run again."""
        cells = self.graded.notebook.cells
        self.harmful.update([above for above in self._answer_cells(at) if grade_id(cells[above]) == f"{name}-answer"])

    def _explain_missing(self, at: int, name: str, verdict: Verdict) -> Verdict:
        """Tell an answer that is missing because its cell failed from one that nobody wrote."""
        for above in self._answer_cells(at):
            cell = self.graded.notebook.cells[above]
            if above in self.ended:
                return object_to(f"The cell of your answer was stopped: {self.ended[above]}.")
            for output in cell.outputs:
                if output.output_type == "error" and grade_id(cell) == f"{name}-answer":
                    said = f"{output.ename}: {output.evalue}"[:300]
                    return object_to(f"The cell of your answer ended in an error, so there is no answer. {said}")
        return verdict

    # ---- what an output may show

    def _mend_outputs(self, at: int) -> None:
        """Cut out what shows the grader's own text, and whatever would run in the browser of who reads it."""
        for output in self.graded.notebook.cells[at].outputs:
            data = output.get("data", {})
            texts = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", []), *data.values()]
            shown = " ".join(str(text) for text in texts)
            if any(line in shown for line in self.secrets):
                self.graded.flags.append(f"Cell {at + 1} showed text of the hidden checks, or the course's key.")
                for name in ("text", "evalue"):
                    if name in output:
                        output[name] = CUT
                if "traceback" in output:
                    output.traceback = [CUT]
                if data:
                    output.data = {"text/plain": CUT}
            elif "text/html" in data:
                output.data["text/html"] = clean_html(data["text/html"])


def show_verdict(name: str, verdict: Verdict, points: float) -> list[nbformat.NotebookNode]:
    """Return the outputs of a graded cell: the verdict in words, and its points with everything in numbers."""
    data = {
        "exercise": name,
        "outcome": str(verdict.outcome),
        "points": round(verdict.share * points, 6),
        "max_points": points,
        **asdict(verdict),
    }
    text = textwrap.fill(describe(name, verdict, points, is_final=True), WIDTH) + "\n"
    shown = {"text/plain": repr(data["points"]), VERDICT: data}
    return [
        new_output("stream", name="stdout", text=text),
        new_output("execute_result", shown, execution_count=None),
    ]


_TAGS = [
    "a",
    "b",
    "blockquote",
    "br",
    "caption",
    "code",
    "col",
    "colgroup",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
]


def clean_html(text: str) -> str:
    """Return HTML without anything that runs, loads or styles; tables and text stay.

    Examples
    --------
    >>> clean_html("<style>b {color: red}</style><b onclick='x()'>bold</b><script>alert(1)</script>")
    '<b>bold</b>'
    """
    import bleach

    text = re.sub(r"(?is)<(style|script)\b.*?(</\1\s*>|$)", "", str(text))
    return bleach.clean(text, tags=_TAGS, attributes={"*": ["class", "colspan", "rowspan"]}, strip=True)


def _tie() -> list[str]:
    """Return what stands before a command so that it ends with the thread that started it, where the system can do so.

    A kernel looks by itself whether its parent is there, but not while one call, such as a search for a regular
    expression, holds Python's lock: when the grader was killed, it would go on for ever.
    """
    return ["setpriv", "--pdeathsig", "KILL"] if sys.platform == "linux" and shutil.which("setpriv") else []


def _environment(student: str, folder: Path) -> dict[str, str]:
    """Return the environment of a kernel: the samples, one thread, the student's id, and nothing of the course."""
    hidden = ("RECIPE_", "NBGRADER_", "JUPYTERHUB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    threads = dict.fromkeys(("NPROC", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return (
        kept
        | threads
        | {
            "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "jax"),
            "RECIPE_STUDENT": student,
            "RECIPE_JOURNAL": "off",
            "RECIPE_SOURCE": "sample",
            "RECIPE_HOME": str(folder / "home"),
        }
    )


def _secret_lines(judge: JudgeClient | None, exercises: Mapping[str, dict]) -> list[str]:
    """Return the course's key, and each line of the hidden checks that a student could not have from elsewhere."""
    if judge is None or not judge.hidden:
        return []
    found = [judge.key] if len(judge.key) >= 16 else []
    module = MODULES.get(judge.assignment, "")
    path = Path(judge.hidden) / f"{module}.py"
    if path.is_file():
        public = (Path(handover.__file__).parent / f"{module}.py").read_text(encoding="utf-8")
        lines = {line.strip() for line in path.read_text(encoding="utf-8").splitlines()}
        found += [line for line in lines if len(line) >= TELLING and line not in public and "import" not in line]
    return found


def _read(path: Path) -> str:
    """Return the text of a file that a kernel wrote; it may have put anything in its place.

    Raises
    ------
    OSError, ValueError
        If it is no plain file, too large, or no text.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(file, "rb") as stream:  # noqa: PTH123 (a file that is open already)
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_ANSWER:
            raise ValueError("no plain file, or too large")
        return stream.read(LARGEST_ANSWER).decode("utf-8")


def _family(process: psutil.Process | None) -> list[psutil.Process]:
    if process is None:
        return []
    with contextlib.suppress(psutil.Error):
        return [*process.children(recursive=True), process]
    return []


def _memory(process: psutil.Process | None) -> int:
    total = 0
    for one in _family(process):
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def _processor_seconds(process: psutil.Process | None) -> float:
    total = 0.0
    for one in _family(process):
        with contextlib.suppress(psutil.Error):
            times = one.cpu_times()
            total += times.user + times.system
    return total
