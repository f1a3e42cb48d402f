"""The command `recipe` as people call it: in a process of its own, on a terminal and into a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forks import PYTHON
from typer.testing import CliRunner

import recipe
from recipe.app.cli import app

COMMAND = [*PYTHON, "-c", "from recipe.cli import app; app()"]


def _recipe(*arguments: object, env: dict | None = None, timeout: float = 240) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        env=os.environ | {"COLUMNS": "100"} | (env or {}),
        encoding="utf-8",
        errors="replace",
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, no_journal: None) -> tuple[subprocess.CompletedProcess, Path]:
    """One whole run with the kit's own plan, into a pipe, with both files."""
    folder = tmp_path_factory.mktemp("run")
    report, numbers = folder / "report.html", folder / "run.json"
    done = _recipe("run", "housing", "--source", "sample", "--rows", 200, "--report", report, "--json", numbers)
    return done, folder


def test_run_walks_the_steps_and_ends_with_a_summary(finished):
    done, _ = finished
    assert (done.returncode, done.stderr) == (0, "")
    headings = re.findall(r"^Step (\d) of 7\. ", done.stdout, flags=re.MULTILINE)
    assert headings == list("1234567")
    for name in ("baseline", "small model", "big model", "final model"):
        assert re.search(rf"^\W+{name}\s+\W\s+\d", done.stdout, flags=re.MULTILINE), name
    assert "hundred thousand dollars, lower is better" in done.stdout
    assert "Validation had promised" in done.stdout


def test_run_always_shows_source_and_provenance(finished):
    words = " ".join(finished[0].stdout.split())
    assert "Source: sample." in words
    assert words.count("A stand-in, not real prices") == 2  # in step 1, and at the end where it is read


def test_run_into_a_pipe_is_plain_text(finished):
    assert "\x1b" not in finished[0].stdout
    assert "\r" not in finished[0].stdout


def test_run_writes_report_and_numbers_that_agree_with_what_it_shows(finished):
    done, folder = finished
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    html = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("baseline", "test"):
        assert f"{facts[name]:.4g}" in done.stdout
        assert f"{facts[name]:.4g}" in html
    assert f"Written: {folder / 'report.html'}" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.json"]


def test_run_refuses_an_unknown_problem_in_one_line():
    done = _recipe("run", "minst")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: There is no problem of that name. Received: name='minst'. Choose from mnist,")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mnist", "--source", "internet"], "There is no source of that name. Received: source='internet'"),
        (["mnist", "--source", "sample", "--rows", "3"], "Received: rows=3"),
        (["mnist", "--report", "missing/report.html"], "There is no such folder: missing."),
        (["mnist", "--json", "."], "this is a folder"),
        (["mnist", "--report", "same", "--json", "same"], "One file cannot hold both."),
    ],
)
def test_run_refuses_wrong_input_in_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = _recipe("run", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Step 2" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_run_says_in_one_line_that_a_source_cannot_be_had():
    done = _recipe("run", "mnist", "--source", "local")
    assert done.returncode == 1
    assert re.match(r"Error: .*mnist\.npz.* Received: source='local'", done.stderr)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_run_into_a_pipe_of_a_small_encoding_does_not_crash(encoding):
    done = _recipe("run", "housing", "--source", "nowhere", env={"PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr[:6]) == (2, "Error:")
    table = "from recipe.cli import main; main(); from recipe.app.cli.live import file_table; "
    table += "from rich.console import Console; "
    table += "Console(file=__import__('sys').stdout).print(file_table([])); print('→ é ✓')"
    shown = subprocess.run(
        [sys.executable, "-c", table],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        timeout=60,
    )
    assert shown.returncode == 0, shown.stderr
    assert b"Data that is ready" in shown.stdout


def _wait_for(process: subprocess.Popen, pattern: str, seconds: float = 120) -> str:
    """Read a process's output until a pattern stands in it."""
    seen, end = "", time.monotonic() + seconds
    while not re.search(pattern, seen):
        assert time.monotonic() < end, seen
        line = process.stdout.readline()
        assert line, seen
        seen += line
    return seen


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process alone there")
def test_run_interrupted_writes_what_was_done_and_ends_with_130(tmp_path):
    report, numbers = tmp_path / "report.html", tmp_path / "run.json"
    options = ["--source", "sample", "--report", report, "--json", numbers]
    process = subprocess.Popen(
        [*COMMAND, "run", "mnist", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    )
    _wait_for(process, "Step 6 of 7")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    facts = json.loads(numbers.read_text(encoding="utf-8"))
    assert (facts["interrupted"], facts["stopped"], facts["stopped_in_step"]) == (True, "interrupted", 6)
    assert facts["baseline"] > 0
    assert (facts["test"], facts["looks_at_the_test_set"]) == (None, 0)
    words = " ".join(rest.split())
    assert "Interrupted in step 6." in words
    assert "The test set stayed sealed." in words
    assert "small model" in words
    assert "Interrupted" in report.read_text(encoding="utf-8")


def test_help_loads_no_heavy_package_and_names_the_commands():
    heavy = "keras", "jax", "matplotlib", "optuna", "sklearn", "scipy"
    code = (
        f"import sys\nfrom recipe.cli import app\ntry: app(['--help'])\nfinally: print(set(sys.modules) & set({heavy}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout
    assert shown.rstrip().endswith("set()")
    for command in ("run", "fetch", "runs", "tune"):
        assert re.search(rf"^\W+{command} ", shown, re.MULTILINE)


def test_version_is_the_packages():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"recipe {recipe.__version__}\n")


def test_run_help_names_problems_and_options():
    result = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "160", "TERM": "dumb"})
    assert result.exit_code == 0
    for word in ("mnist_multilabel", "--source", "--seed", "--rows", "--report", "--json"):
        assert word in result.output


def test_fetch_refuses_an_unknown_name_in_one_line():
    result = CliRunner().invoke(app, ["fetch", "minst"])
    assert result.exit_code == 2
    assert "Error: There is no problem of that name. Received: name='minst'." in result.output


def test_fetch_says_in_one_line_that_the_server_cannot_be_reached(monkeypatch):
    monkeypatch.setenv("RECIPE_MIRROR", "http://127.0.0.1:9")  # the port of `discard`: nobody answers there
    result = CliRunner().invoke(app, ["fetch", "housing"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


@pytest.mark.real_data
def test_fetch_shows_a_table_of_what_was_verified(real_data, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, ["fetch", "housing", "mnist"])
    assert result.exit_code == 0
    assert "california_housing.npz" in result.output
    assert "mnist.npz" in result.output
    assert "imdb.npz" not in result.output
    assert "SHA-256" in result.output
