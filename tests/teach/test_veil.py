"""A course that a notebook's kernel cannot look into, although it runs as the same user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from recipe.teach.executor import run_notebook
from recipe.teach.judge import JudgeClient
from recipe.teach.veil import is_possible, veil

LOOK = """
import os, subprocess, sys
from pathlib import Path
course, other = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["umount", course / "hidden"], capture_output=True)
print(sorted(os.listdir(course / "hidden")), repr((course / "course_key.txt").read_text()), (course / "mine").exists())
for path in (f"/proc/{other}/root{course}/hidden/checks.py", f"/proc/{other}/environ"):
    try:
        print(open(path).read())
    except OSError as error:
        print(type(error).__name__)
"""


def test_veil_hides_a_course_and_nothing_else(tmp_path: Path) -> None:
    if not is_possible():
        pytest.skip("this system lets no user make namespaces")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "checks.py").write_text("secret")
    (tmp_path / "course_key.txt").write_text("secret")
    (tmp_path / "mine").touch()
    command = [*veil(tmp_path), sys.executable, "-c", LOOK, str(tmp_path), str(os.getpid())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["[] '' True", "PermissionError", "PermissionError"]
    assert (tmp_path / "hidden" / "checks.py").read_text() == "secret", "for others it is there"


def test_veil_of_nothing_is_nothing(tmp_path: Path) -> None:
    assert veil(None) == []
    assert veil(tmp_path) == []


def test_kernel_of_a_notebook_does_not_see_the_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_possible():
        pytest.skip("this system lets no user make namespaces")
    course = tmp_path / "course"
    shutil.copytree(Path(__file__).parents[2] / "assignments" / "hidden", course / "hidden")
    monkeypatch.delenv("JUPYTER_PATH", raising=False)  # a kernel of its own, no fork of a process that sees the course
    cell = new_code_cell(f"import os\nos.listdir({str(course / 'hidden')!r})")
    with JudgeClient(course / "hidden") as judge:
        ran = run_notebook(new_notebook(cells=[cell]), judge, "02", "ada")
    assert ran.notebook.cells[0].outputs[0].data["text/plain"] == "[]"
