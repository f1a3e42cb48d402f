"""The journal's file: killed processes, torn lines, several writers, a full disk."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from recipe.journal import JournalFile

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")


def _line(number: int) -> dict[str, object]:
    return {"op_code": 2, "worker_id": "w", "number": number}


def _numbers(path: Path) -> list[int]:
    return [log["number"] for log in JournalFile(path).read_logs(0)]


def _program(code: str, *arguments: object) -> subprocess.Popen:
    """Start a Python process that knows `JournalFile`, its path and how a line is made."""
    head = """
        import os, random, signal, sys, time
        from pathlib import Path
        from recipe.journal import JournalFile
        def line(number, **more): return {"op_code": 2, "worker_id": "w", "number": number, **more}
        path = Path(sys.argv[1])
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_lines_are_read_back_from_any_number_on(tmp_path):
    file = JournalFile(tmp_path / "new" / "journal.log")
    assert list(file.read_logs(0)) == []
    file.append_logs([_line(0), _line(1)])
    file.append_logs([_line(2)])
    assert [log["number"] for log in file.read_logs(0)] == [0, 1, 2]
    assert [log["number"] for log in file.read_logs(2)] == [2]


@pytest.mark.parametrize("torn", [b"{", b'{"op_code":2,"worker_id":"w","number":9}', b"\0" * 9_000], ids=range(3))
def test_torn_last_line_is_passed_over_and_taken_away_by_the_next_append(tmp_path, torn):
    path = tmp_path / "journal.log"
    file = JournalFile(path)
    file.append_logs([_line(0)])
    path.write_bytes(path.read_bytes() + torn)
    assert _numbers(path) == [0]
    file.append_logs([_line(1)])
    assert [log["number"] for log in file.read_logs(0)] == _numbers(path) == [0, 1]


@POSIX
def test_lock_of_a_killed_process_is_free_at_once(tmp_path):
    path = tmp_path / "journal.log"
    child = _program(
        """
        from filelock import FileLock
        FileLock(f"{path}.lock").acquire()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert child.wait(timeout=60) == -signal.SIGKILL
    assert Path(f"{path}.lock").exists()
    started = time.perf_counter()
    JournalFile(path).append_logs([_line(0)])
    assert time.perf_counter() - started < 2
    assert _numbers(path) == [0]


@POSIX
def test_processes_killed_at_any_moment_lose_nothing_that_they_were_told_is_kept(tmp_path):
    """A dozen writers of large lines, each killed wherever it then is: a line that one has told of must be there."""
    path = tmp_path / "journal.log"
    parent = _program(
        """
        rng, torn = random.Random(0), 0
        for child in range(12):
            out, inn = os.pipe()
            pid = os.fork()
            if pid == 0:
                file, number = JournalFile(path), 1000 * child
                while True:
                    file.append_logs([line(number, text="x" * 400_000)])
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
    told, kept = [int(text) for text in out.split()], _numbers(path)
    assert len(told) >= 12
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept)) <= len(told) + 12  # one may be killed between its write and its word
    JournalFile(path).append_logs([_line(-1)])
    assert _numbers(path) == [*kept, -1]


def test_several_processes_append_at_once_and_every_line_is_whole(tmp_path):
    path = tmp_path / "journal.log"
    code = """
        file = JournalFile(path)
        for number in range(40):
            file.append_logs([line([int(sys.argv[2]), number], text="x" * random.randrange(20_000))])
    """
    children = [_program(code, path, child) for child in range(3)]
    assert [child.wait(timeout=120) for child in children] == [0, 0, 0]
    found = _numbers(path)
    assert sorted(found) == [[child, number] for child in range(3) for number in range(40)]
    for child in range(3):
        assert [number for one, number in found if one == child] == list(range(40))


@POSIX
def test_line_that_a_full_disk_refuses_costs_that_line_alone(tmp_path):
    """RLIMIT_FSIZE refuses what a full disk refuses: the end of a line, after its beginning was taken."""
    path = tmp_path / "journal.log"
    child = _program(
        """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file = JournalFile(path)
        file.append_logs([line(0)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(path) + 500, resource.RLIM_INFINITY))
        try:
            file.append_logs([line(1, text="x" * 10_000)])
        except OSError as error:
            print(error.errno)
        file.append_logs([line(2)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        """,
        path,
    )
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert int(out) == errno.EFBIG
    assert _numbers(path) == [0, 2]


def test_optuna_keeps_its_studies_in_the_file(tmp_path):
    path = tmp_path / "journal.log"
    study = optuna.create_study(study_name="one", storage=JournalStorage(JournalFile(path)))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) ** 2, n_trials=5)
    again = optuna.load_study(study_name="one", storage=JournalStorage(JournalFile(path)))
    assert [trial.params for trial in again.trials] == [trial.params for trial in study.trials]
    reference = JournalStorage(JournalFileBackend(str(path)))  # the format is Optuna's own
    assert [trial.value for trial in reference.get_all_trials(0)] == [trial.value for trial in study.trials]
