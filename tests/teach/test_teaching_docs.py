"""The pages for instructors: their commands run, their examples hold, and what is not run says so."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/teaching.md", "docs/load.md")
NOTE = "**Not run by the tests**"


def _blocks(page: str) -> Iterator[tuple[str, str, str, bool]]:
    """Give each block of code: its page, its language, its text, and whether the paragraph before it is the note."""
    parts = re.split(r"^```(\w*)\n(.*?)^```\n", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    for before, language, text in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        yield page, language, text.strip(), before.rstrip().split("\n\n")[-1].lstrip().startswith(NOTE)


BLOCKS = [block for page in PAGES for block in _blocks(page)]
COMMANDS = [(page, text) for page, language, text, is_left_out in BLOCKS if language == "sh" and not is_left_out]
# What this machine is taken to have already; the whole check makes both before any test.
SHELL = 'make() { command make -o .venv/.ready -o .venv/.ready-to-teach "$@"; }\n'


def test_commands_that_no_test_runs_are_these_and_say_so():
    left_out = [text.split("\n")[0] for _, language, text, is_left_out in BLOCKS if language == "sh" and is_left_out]
    assert left_out == [
        "curl -L https://tljh.jupyter.org/bootstrap.py | sudo python3 - --admin teacher",
        "git clone --branch TAG ADDRESS recipe",
        "python3 -m venv .venv-hub",
        "recipe fetch",
        "python3 -m http.server --directory datasets 8000",
        "git push origin term-2027-spring",
    ]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the kit, as a checkout of its own: what commands write goes there."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the kit is no git checkout: which files are tracked is not known")
    folder = tmp_path_factory.mktemp("course")
    for name in filter(None, _git("ls-files", "-z", folder=ROOT).split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
    _git("init", "--quiet", folder=folder)
    _git("add", "--all", folder=folder)
    _git(
        "-c",
        "user.name=teacher",
        "-c",
        "user.email=teacher@example.org",
        "commit",
        "--quiet",
        "-m",
        "Term",
        folder=folder,
    )
    return folder


def _git(*arguments: str, folder: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
@pytest.mark.parametrize(("page", "text"), COMMANDS, ids=[text.split("\n")[0] for _, text in COMMANDS])
def test_command_of_the_page_runs(page, text, checkout):
    variables = {"RECIPE_HOME": str(checkout / "home"), "RECIPE_SOURCE": "sample", "PYTHONPATH": str(checkout)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SHELL + text],
        cwd=checkout,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"{page}: {text}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_examples_of_the_page_hold(page, monkeypatch):
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    module.c = types.SimpleNamespace(Spawner=types.SimpleNamespace())  # JupyterHub's settings
    for number, (_, language, text, _) in enumerate(block for block in BLOCKS if block[0] == page):
        if language == "python":
            exec(compile(text, f"{page}, block {number}", "exec"), module.__dict__)
    for misconception in getattr(module, "ferry", types.SimpleNamespace(misconceptions={})).misconceptions.values():
        notebook, cell = misconception.cell.split("#")
        cells = json.loads((ROOT / f"notebooks/{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
        assert cell in [one["id"] for one in cells]


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_page_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text) if "://" not in target]
    assert [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()] == []
