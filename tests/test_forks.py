"""A fork is to its caller what a process of its own would be: files, folder, environment, signals, end."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from forks import ADDRESS, PYTHON

pytestmark = pytest.mark.skipif(ADDRESS not in os.environ, reason="nothing is forked here")

IS_FORK = "import sys; print('keras' in sys.modules, 'recipe' in sys.modules)"
SLEEP = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


def _start(code, *arguments, **options):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*PYTHON, "-c", code, *arguments], **(pipes | options))


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_fork_has_keras_imported_and_nothing_of_the_kit():
    assert _start(IS_FORK).communicate(timeout=60) == ("True False\n", "")


def test_fork_has_its_callers_arguments_files_folder_and_environment(tmp_path):
    code = "import os, sys; print(sys.argv[1:], os.getcwd(), os.environ['WORD'], input()); print('so', file=sys.stderr)"
    running = _start(code, "a b", "ü", cwd=tmp_path, env=os.environ | {"WORD": "here"})
    assert running.communicate("asked\n", timeout=60) == (f"['a b', 'ü'] {tmp_path} here asked\n", "so\n")


@pytest.mark.parametrize(("code", "status"), [("import sys; sys.exit(3)", 3), ("1 / 0", 1), ("os.abort()", -6)])
def test_fork_ends_as_a_process_of_its_own_would(code, status):
    running = _start(f"import os; {code}")
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == status
    assert ("ZeroDivisionError" in errors) == (status == 1)


def test_fork_is_interrupted_by_the_signal_that_its_caller_sends():
    running = _start(f"try:\n    {SLEEP}\nexcept KeyboardInterrupt:\n    os._exit(130)")
    assert running.stdout.readline()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 130


def test_fork_ends_with_a_caller_that_is_killed():
    running = _start(SLEEP)
    pid = int(running.stdout.readline())
    assert pid != running.pid
    assert _is_alive(pid)
    running.kill()
    running.communicate(timeout=60)
    end = time.monotonic() + 60
    while _is_alive(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_other_settings_of_what_is_imported_get_a_process_of_their_own():
    running = _start(IS_FORK, env=os.environ | {"KERAS_BACKEND": "torch"})
    assert running.communicate(timeout=60) == ("False False\n", "")


def test_forks_draw_random_numbers_of_their_own():
    both = [_start("import random, numpy; print(random.random(), numpy.random.random())") for _ in range(2)]
    assert len({number for one in both for number in one.communicate(timeout=60)[0].split()}) == 4
