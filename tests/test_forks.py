"""A fork is to its caller what a process of its own would be: files, folder, environment, signals, end."""

from __future__ import annotations

import os
import subprocess
import textwrap
import time

import pytest
from forks import ADDRESS, PYTHON

pytestmark = pytest.mark.skipif(ADDRESS not in os.environ, reason="nothing is forked here")

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


def test_forks_have_keras_and_what_their_caller_gives_them_and_random_numbers_of_their_own(tmp_path):
    code = """
        import os, random, sys, numpy
        print(sys.argv[1:], os.getcwd(), os.environ["WORD"], input(), "keras" in sys.modules, "recipe" in sys.modules)
        print("so", random.random(), numpy.random.random(), file=sys.stderr)
    """
    environment = os.environ | {"WORD": "here"}
    running = [_start(textwrap.dedent(code), "a b", "ü", cwd=tmp_path, env=environment) for _ in range(2)]
    (out, errors), other = (one.communicate("asked\n", timeout=60) for one in running)
    assert out == other[0] == f"['a b', 'ü'] {tmp_path} here asked True False\n"
    assert len({*errors.split(), *other[1].split()}) == 5


@pytest.mark.parametrize(("code", "status"), [("import sys; sys.exit(3)", 3), ("1 / 0", 1), ("os.abort()", -6)])
def test_fork_ends_as_a_process_of_its_own_would(code, status):
    running = _start(f"import os; {code}")
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == status
    assert ("ZeroDivisionError" in errors) == (status == 1)


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
