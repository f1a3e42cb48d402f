"""Keeps a course's folders from a notebook that runs as the same user: on Linux, where namespaces may be made.

The notebook's kernel starts in a mount namespace of its own, in which the folders are empty and the files too; a second
one inside, in which it has no right to undo that, is where it runs. What other processes see stays as it is.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

# Of a course, what no student's code is to read: beside hidden checks and the key, the work of the other students.
VEILED = ("hidden", "answers", "source", "submitted", "autograded", "feedback", "course_key.txt", "gradebook.db")
LARGEST_FILE = 2**21  # blocks of 512 bytes that a notebook may write into one file
_OWN = ("unshare", "--user", "--map-root-user", "--mount", "--")


def veil(course: Path | None) -> list[str]:
    """Return what stands before a command so that it cannot look into a course; nothing where that is impossible."""
    paths = [course / name for name in VEILED if (course / name).exists()] if course else []
    return _prefix(paths) if paths and is_possible() else []


@cache
def is_possible() -> bool:
    """Tell whether this system lets a user veil folders."""
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "mount", "sh"))):
        return False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "seen").touch()
        looks = [*_prefix([Path(folder)]), "ls", folder]
        done = subprocess.run(looks, capture_output=True, timeout=30, check=False)
    return done.returncode == 0 and not done.stdout.strip()


def _prefix(paths: Iterable[Path]) -> list[str]:
    mounts = [
        f"mount -t tmpfs -o ro,size=4k veil {shlex.quote(str(path))}"
        if path.is_dir()
        else f"mount --bind /dev/null {shlex.quote(str(path))}"
        for path in (path.resolve() for path in paths)
    ]
    return [
        *_OWN,
        "sh",
        "-c",
        " && ".join([f"ulimit -f {LARGEST_FILE}", *mounts, f'exec {shlex.join(_OWN)} "$@"']),
        "sh",
    ]
