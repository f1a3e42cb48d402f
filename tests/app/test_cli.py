"""The command `recipe` as people call it: on problems of the kit and on data of one's own, and into a pipe."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from forks import PYTHON, for_long_trainings
from tuning_examples import make_run
from typer.testing import CliRunner, Result

import recipe
from recipe.app.cli import app
from recipe.core.spec import ModelSpec
from recipe.data.examples import CHURN, SHAPES
from recipe.journal import default_journal
from recipe.search.plan import Plan

COMMAND = [*PYTHON, "-c", "from recipe.app.cli import app; app()"]
RECORDED = json.loads((Path(__file__).parent / "public_doors.json").read_text(encoding="utf-8"))["workflow"]


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


def _call(*arguments: object) -> Result:
    """Call the command in this process."""
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def quick(no_journal: None) -> Iterator[None]:
    """A plan whose networks train in a moment."""
    small = ModelSpec(hidden_units=(8,), optimizer="adam", batch_size=16, epochs=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recipe.app.workflow.make_plan", lambda *_: Plan(small=small, ladder=(small,), trials=0))
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, quick: None) -> tuple[Result, Path]:
    """One whole run, with both files."""
    folder = tmp_path_factory.mktemp("run")
    wishes = ("--source", "sample", "--rows", 200, "--report", folder / "report.html", "--json", folder / "run.json")
    return _call("run", "housing", *wishes), folder


def test_run_walks_the_steps_and_ends_with_a_summary(finished):
    done, _ = finished
    assert (done.exit_code, done.stderr) == (0, "")
    headings = re.findall(r"^Step (\d) of 7\. ", done.stdout, flags=re.MULTILINE)
    assert headings == list("1234567")
    for name in ("baseline", "small model", "big model", "final model"):
        assert re.search(rf"^\W*{name}\s+\d", done.stdout, flags=re.MULTILINE), name
    assert "housing: mean absolute error (hundred thousand dollars)" in done.stdout
    assert "Lower is better." in done.stdout
    assert "Validation had promised" in done.stdout
    words = " ".join(done.stdout.split())
    assert "Source: sample." in words
    assert words.count("A stand-in, not real prices") == 2  # in step 1, and at the end where it is read
    assert not {"\x1b", "\r"} & set(done.stdout)  # into a pipe goes plain text


def test_run_writes_report_and_numbers_that_agree_with_what_it_shows(finished):
    done, folder = finished
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    html = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("baseline", "final model"):
        assert f"{facts['scores'][name]['score']:.4g}" in done.stdout
        assert f"{facts['scores'][name]['score']:.4g}" in html
    assert f"Written: {folder / 'report.html'}" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.json"]


@pytest.mark.slow
def test_run_with_the_kits_own_plan_finds_the_recorded_numbers(tmp_path):
    wishes = ("--source", "sample", "--rows", 200, "--json", tmp_path / "run.json")
    done = _recipe("run", "housing", *wishes, env={"XLA_FLAGS": for_long_trainings()})
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert facts["scores"]["baseline"]["score"] == pytest.approx(RECORDED["baseline"], rel=1e-3)
    final = facts["scores"]["final model"]
    # Trained for a few epochs more or less, it differs by less than the noise.
    assert final["low"] <= RECORDED["test"] <= final["high"]
    assert facts["looks_at_the_test_set"] == RECORDED["looks_at_the_test_set"] == 1
    assert len(facts["trials"]) == RECORDED["trials"]


def test_run_walks_the_steps_on_a_csv_file_and_says_what_it_took(quick, tmp_path):
    report = tmp_path / "made" / "with" / "it.html"
    done = _call("run", CHURN, "--target", "left", "--json", tmp_path / "run.json", "--report", report)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Data: customer_id looks like an identifier" in done.stdout
    assert "Data: last_bill alone tells the target almost without fail." in done.stdout
    assert "rival" in done.stdout
    facts = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert facts["problem"] == "churn"
    assert facts["scores"]["rival"]["score"] > facts["scores"]["baseline"]["score"]
    assert str(Path(CHURN).parent) not in report.read_text(encoding="utf-8") + done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("run", "minst"), 2, "There is no problem of that name. Received: name='minst'. Choose from mnist,"),
        (("run", "mnist", "--source", "internet"), 2, "no source of that name. Received: source='internet'"),
        (("run", "mnist", "--source", "sample", "--rows", 3), 2, "Received: rows=3"),
        (("run", "mnist", "--source", "local"), 1, "mnist.npz"),
        (("run", CHURN), 2, "no column of that name. Received: target=''. Choose from: customer_id, age"),
        (("run", CHURN, "--target", "lef"), 2, "Did you mean: left?"),
        (("run", "nothing.csv", "--target", "left"), 1, "No such file or directory: 'nothing.csv'"),
        (("run", "nowhere", "--target", "x"), 1, "No such file or directory: 'nowhere'"),
        (("run", SHAPES / "circle"), 2, "Classes are folders, two or more"),
        (("tune", SHAPES / "circle"), 2, "Classes are folders, two or more"),
        (("tune", "mnist", "--source", "moon"), 2, "no source of that name"),
        (("tune", "mnist", "--source", "sample", "--rows", 3), 2, "Received: rows=3"),
        (("fetch", "housing"), 1, "there is no connection to it"),
    ],
)
def test_command_refuses_wrong_input_in_one_line(arguments, code, message, tmp_path, monkeypatch, no_network):
    monkeypatch.chdir(tmp_path)
    done = _call(*arguments)
    assert (done.exit_code, done.output.count("\n")) == (code, 1)
    assert done.output.startswith("Error: ")
    assert message in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "mnist", "--json", "."), "is a directory"),
        (("runs", "--csv", "."), "is a directory"),
        (("tune", "mnist", "--folds", 1), "--folds"),
    ],
)
def test_command_refuses_an_option_before_the_work(arguments, message):
    done = _call(*arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_command_into_a_pipe_of_a_small_encoding_does_not_crash():
    default_journal().record(make_run(ModelSpec(hidden_units=(8,)), data="d", problem="mnist", score=0.5))
    done = _recipe("runs", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "dense 8" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process alone there")
def test_run_interrupted_writes_what_was_done_and_ends_with_130(tmp_path):
    report, numbers = tmp_path / "report.html", tmp_path / "run.json"
    process = _start("run", "mnist", "--source", "sample", "--report", report, "--json", numbers)
    seen = ""
    while "Step 6 of 7" not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    facts = json.loads(numbers.read_text(encoding="utf-8"))
    assert (facts["stopped_in"], facts["overfitting_epoch"], facts["looks_at_the_test_set"]) == (6, None, 0)
    assert list(facts["scores"])[:3] == ["baseline", "rival", "small model"]
    words = " ".join(rest.split())
    assert "Interrupted in step 6." in words
    assert "The test set stayed sealed." in words
    assert "small model" in words
    page = BeautifulSoup(report.read_text(encoding="utf-8"), "html.parser").get_text(" ", strip=True)
    assert "Interrupted. The work was stopped in step 6." in page
    assert "Step 6. Scale up until it overfits, interrupted" in page


def _start(*arguments: object) -> subprocess.Popen:
    command = [*COMMAND, *map(str, arguments)]
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)


def test_help_loads_no_heavy_package_and_names_the_commands():
    heavy = "keras", "jax", "matplotlib", "optuna", "sklearn", "scipy", "pandas"
    code = (
        "import sys\nfrom recipe.app.cli import app\n"
        f"try: app(['--help'])\nfinally: print(set(sys.modules) & set({heavy}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout
    assert shown.rstrip().endswith("set()")
    for command in ("run", "fetch", "runs", "tune"):
        assert re.search(rf"^\W+{command} ", shown, re.MULTILINE)


def test_version_is_the_packages():
    result = _call("--version")
    assert (result.exit_code, result.output) == (0, f"recipe {recipe.__version__}\n")


@pytest.mark.real_data
def test_fetch_shows_a_table_of_what_was_verified(real_data):
    result = _call("fetch", "housing", "mnist")
    assert result.exit_code == 0
    assert "california_housing.npz" in result.output
    assert "mnist.npz" in result.output
    assert "imdb.npz" not in result.output
    assert "SHA-256" in result.output


# The journal listed, filtered, put in order and written out.


def test_runs_lists_the_newest_first_says_what_is_left_and_writes_what_was_chosen(tmp_path, monkeypatch):
    for score in (0.25, 0.35):
        default_journal().record(make_run(ModelSpec(epochs=7), data="d", problem="housing", score=score))
    done = _call("runs")
    assert (done.exit_code, "2 of 2 runs in" in done.stdout) == (0, True)
    lines = [line for line in done.stdout.splitlines() if "housing" in line and "sample" in line]
    assert ["script" in line and "0.35" in line for line in lines] == [True, False]
    monkeypatch.setattr("recipe.app.cli.SHOWN_RUNS", 1)
    done = _call("runs", "--best", 2, "--csv", tmp_path / "runs.csv")
    assert "1 more: --csv writes them all." in done.stdout
    assert f"Written: {tmp_path / 'runs.csv'}" in done.stdout
    rows = csv.DictReader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines())
    assert [row["score"] for row in rows] == ["0.25", "0.35"]


def test_runs_of_an_empty_journal_says_where_it_is_and_makes_none(tmp_path):
    done = _call("runs")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"0 of 0 runs in {default_journal().location}. A run is recorded whenever")
    assert not Path(default_journal().location).exists()


def test_runs_says_that_the_journal_is_off(monkeypatch):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    assert "The journal is off. Received: RECIPE_JOURNAL=off." in _call("runs").stderr


@pytest.mark.parametrize(
    ("wish", "scores"),
    [
        ((), ["0.2", "0.4", "0.9", "0.5"]),
        (("--best", 1), ["0.2", "0.9"]),
        (("--problem", "mnist"), ["0.9", "0.5"]),
        (("--problem", "wine"), []),
    ],
)
def test_runs_takes_what_is_asked_for_in_order(tmp_path, wish, scores):
    for problem, score in (("mnist", 0.5), ("mnist", 0.9), ("housing", 0.4), ("housing", 0.2)):
        default_journal().record(make_run(ModelSpec(epochs=2), data="d", problem=problem, score=score))
    _call("runs", *wish, "--csv", tmp_path / "runs.csv")
    rows = csv.DictReader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines())
    assert [row["score"] for row in rows] == scores


# A search.


TUNE = ("tune", "mnist", "--source", "sample", "--rows", 100)


def test_tune_shows_the_best_trials_keeps_all_and_goes_on_from_there():
    done = _call(*TUNE, "--trials", 2)
    assert done.exit_code == 0, done.output
    assert "mnist: accuracy (data: sample)" in done.output
    assert "2 trials in" in done.output
    assert "Only the test set can say how good it is." in done.output
    runs = default_journal().runs()
    assert len(runs) == 2
    assert "Trial 2 of 2: " in done.output
    assert "knew 2 runs" in _call(*TUNE, "--trials", 1).output
    assert _call(*TUNE, "--trials", 1, "--folds", 3).exit_code == 0
    assert len(default_journal().runs()[-1].members) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process alone there")
def test_tune_ends_cleanly_on_ctrl_c():
    """In a process of its own: what was found so far is shown and kept, and nothing stays running."""
    process = _start(*TUNE, "--trials", 500)
    end = time.monotonic() + 120
    while not default_journal().runs():
        assert time.monotonic() < end
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "")
    assert "Ctrl-C ended it early." in output
