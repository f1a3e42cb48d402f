"""A course that a notebook's kernel cannot look into, although it runs as the same user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
