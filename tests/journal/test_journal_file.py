"""The journal's file: killed processes, torn lines, several writers, a full disk."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tuning_examples import make_run

from recipe.core.spec import ModelSpec
from recipe.journal import Journal

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
RUN = make_run(ModelSpec(hidden_units=(4,)), data="d" * 16, problem="housing", score=0.5)


def _notes(path: Path) -> list[str]:
    return [run.note for run in Journal(path).runs()]


def _program(code: str, *arguments: object) -> subprocess.Popen:
    """Start a Python process that knows the journal, and how a run with a note is made."""
    head = """
        import os, random, signal, sys, time
        from dataclasses import replace
        from recipe.core.problem import Problem
        from recipe.core.run import Run
        from recipe.core.spec import ModelSpec
        from recipe.data.problems import find_problem
        from recipe.journal import Journal
        path = sys.argv[1]
        empty = Run(spec=ModelSpec(), problem=find_problem("housing"), source="", protocol="", history={}, data="d")
        def made(note, text=""): return replace(empty, note=str(note), protocol=text)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("torn", [b"{", b'{"look":"ab"}', b"\0" * 9_000], ids=range(3))
def test_torn_last_line_is_passed_over_and_taken_away_by_the_next_one(tmp_path, torn):
    path = tmp_path / "new" / "journal.log"
    journal = Journal(path)
    journal.record(RUN)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert len(journal.runs()) == len(Journal(path).runs()) == 1
    journal.record(RUN)
    assert len(journal.runs()) == len(Journal(path).runs()) == 2
    assert path.read_bytes().startswith(whole + b'{"run"')


@POSIX
def test_processes_killed_at_any_moment_lose_nothing_that_they_were_told_is_kept(tmp_path):
    """A dozen writers of large lines, each killed wherever it then is: a run that one has told of must be there."""
    path = tmp_path / "journal.log"
    parent = _program(
        """
        rng = random.Random(0)
        for child in range(12):
            out, inn = os.pipe()
            pid = os.fork()
            if pid == 0:
                journal, number = Journal(path), 1000 * child
                while True:
                    journal.record(made(number, "x" * 400_000))
                    os.write(inn, b"%d " % number)
                    number += 1
            os.close(inn)
            first = os.read(out, 100)
            time.sleep(rng.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            print((first + os.read(out, 100_000)).decode())
            os.close(out)
        """,
        path,
    )
    out, err = parent.communicate(timeout=120)
    assert parent.returncode == 0, err
    told, kept = out.split(), _notes(path)
    assert len(told) >= 12
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept)) <= len(told) + 12  # one may be killed between its write and its word


def test_several_processes_write_at_once_and_no_run_is_lost(tmp_path):
    path = tmp_path / "journal.log"
    code = """
        for number in range(20):
            Journal(path).record(made(sys.argv[2], "x" * random.randrange(20_000)))
    """
    for child in [_program(code, path, child) for child in range(2)]:
        child.communicate(timeout=120)
    assert sorted(_notes(path)) == [str(child) for child in range(2) for _ in range(20)]
