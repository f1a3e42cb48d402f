"""The journal's file: killed processes, torn lines, several writers, a full disk, files that are not what they were."""

from __future__ import annotations

import errno
import json
import os
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

from recipe.journal import TAIL_BYTES, JournalFile

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")


def _line(number: int, **more: object) -> dict[str, object]:
    return {"op_code": 2, "worker_id": "w", "number": number, **more}


def _numbers(path: Path) -> list[int]:
    return [log["number"] for log in JournalFile(path).read_logs(0)]


def _program(code: str, *arguments: object) -> subprocess.Popen:
    """Start a Python process that knows `JournalFile`, its arguments and how a line is made."""
    head = """
        import os, random, signal, sys, time
        from recipe.journal import JournalFile
        def line(number, **more): return {"op_code": 2, "worker_id": "w", "number": number, **more}
        path = sys.argv[1]
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
    assert [json.loads(line)["number"] for line in file.path.read_text().splitlines()] == [0, 1, 2]


@pytest.mark.parametrize(
    "torn",
    [b"{", b'{"op_code":2,"wor', b'{"op_code":2,"worker_id":"w","number":9}', b"\0" * 9_000, b"x" * 3 * TAIL_BYTES],
    ids=range(5),
)
def test_torn_last_line_is_passed_over_and_taken_away_by_the_next_append(tmp_path, torn):
    path = tmp_path / "journal.log"
    JournalFile(path).append_logs([_line(0)])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert _numbers(path) == [0]
    JournalFile(path).append_logs([_line(1)])
    assert _numbers(path) == [0, 1]
    assert path.read_bytes().startswith(whole + b'{"op_code"')


@POSIX
def test_lock_of_a_killed_process_is_free_at_once(tmp_path):
    path = tmp_path / "journal.log"
    child = _program(
        """
        from filelock import FileLock
        FileLock(path + ".lock").acquire()
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


@pytest.mark.parametrize("damage", [b"no json", b'{"op_code":99,"worker_id":"w"}', b"[1, 2]", b'{"op_code":2}'])
def test_damaged_line_in_the_middle_costs_that_line_alone(tmp_path, damage):
    path = tmp_path / "journal.log"
    file = JournalFile(path)
    file.append_logs([_line(0)])
    with path.open("ab") as raw:
        raw.write(damage + b"\n")
    with pytest.warns(RuntimeWarning, match="1 of 2 lines of the journal are damaged"):
        assert [log["number"] for log in file.read_logs(0)] == [0]
    file.append_logs([_line(1)])
    assert [log["number"] for log in file.read_logs(1)] == [1]


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
def test_full_disk_takes_the_line_back_and_says_so(tmp_path):
    """RLIMIT_FSIZE refuses what a full disk refuses: the end of a line, after its beginning was taken."""
    path = tmp_path / "journal.log"
    child = _program(
        """
        import resource
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file = JournalFile(path)
        file.append_logs([line(0)])
        size = os.path.getsize(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, resource.RLIM_INFINITY))
        try:
            file.append_logs([line(1, text="x" * 10_000)])
        except OSError as error:
            print(error.errno, error.strerror)
        assert os.path.getsize(path) == size
        file.append_logs([line(2)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        """,
        path,
    )
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    number, text = out.strip().split(" ", 1)
    assert int(number) == errno.EFBIG
    assert text.startswith("There is no space left for the journal; it holds what it held before. Received: ")
    assert _numbers(path) == [0, 2]


def test_sync_that_fails_takes_the_line_back(tmp_path, monkeypatch):
    path = tmp_path / "journal.log"
    file = JournalFile(path)
    file.append_logs([_line(0)])

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="There is no space left for the journal"):
            file.append_logs([_line(1)])
    file.append_logs([_line(2)])
    assert _numbers(path) == [0, 2]


def test_folder_that_cannot_be_made_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"The journal cannot be written: .* set RECIPE_JOURNAL to another file, or"):
        JournalFile(tmp_path / "file" / "journal.log").append_logs([_line(0)])


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only for this user")
def test_read_only_folder_can_be_read_and_refuses_a_line(tmp_path):
    file = JournalFile(tmp_path / "journal.log")
    file.append_logs([_line(0)])
    file.path.chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        assert _numbers(file.path) == [0]
        with pytest.raises(OSError, match="The journal cannot be written: Permission denied"):
            file.append_logs([_line(1)])
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("change", ["deleted", "replaced", "emptied"])
def test_file_that_is_not_the_one_that_was_read_is_noticed(tmp_path, change):
    file = JournalFile(tmp_path / "journal.log")
    file.append_logs([_line(0)])
    assert len(list(file.read_logs(0))) == 1
    assert file.is_current
    other = tmp_path / "other.log"
    other.write_bytes(file.path.read_bytes())
    if change == "deleted":
        file.path.unlink()
    elif change == "replaced":
        other.replace(file.path)
    else:
        file.path.write_bytes(b"")
    assert not file.is_current


def test_optuna_keeps_its_studies_in_the_file(tmp_path):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = tmp_path / "journal.log"
    study = optuna.create_study(study_name="one", storage=JournalStorage(JournalFile(path)))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) ** 2, n_trials=5)
    again = optuna.load_study(study_name="one", storage=JournalStorage(JournalFile(path)))
    assert [trial.params for trial in again.trials] == [trial.params for trial in study.trials]
    reference = JournalStorage(JournalFileBackend(str(path)))  # the format is Optuna's own
    assert [trial.value for trial in reference.get_all_trials(0)] == [trial.value for trial in study.trials]
