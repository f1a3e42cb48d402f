"""`recipe tune`, as people call it."""

import os
import subprocess
import threading

import pytest
from forks import PYTHON
from tuning_examples import train_at_once
from typer.testing import CliRunner

import recipe
from recipe.app.cli import app
from recipe.journal import default_journal
from recipe.search.data import take_data

ARGUMENTS = ["tune", "mnist", "--source", "sample", "--rows", "100"]


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr("recipe.search.loop.train_trial", train_at_once)


def call(*arguments):
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, [*ARGUMENTS, *arguments])


def test_tune_shows_the_best_trials_and_keeps_all_in_the_journal(at_once):
    done = call("--trials", "12")
    assert done.exit_code == 0, done.output
    assert "mnist: the first 10 of 12 trials, accuracy, higher is better (data: sample)" in " ".join(
        done.output.split()
    )
    assert "12 trials in" in done.output
    assert "Only the test set can say how good it is." in done.output
    entries = default_journal().runs(origin="search")
    assert len(entries) == 12
    assert f"{max(entry.score for entry in entries):.4g}" in done.output
    assert "remaining" not in done.output  # no live line where no terminal is


def test_tune_goes_on_from_what_the_journal_holds(at_once):
    call("--trials", "2")
    done = call("--trials", "1", "--seed", "3")
    assert "The study holds 2 other runs, 0 made by hand" in done.output


def test_tune_takes_a_storage_and_a_time(at_once, tmp_path):
    done = call("--storage", str(tmp_path / "mine.log"), "--seconds", "0")
    assert (done.exit_code, "Its time was up." in done.output) == (0, True)
    assert default_journal().runs() == []


def test_tune_judges_by_folds_where_it_is_told_to(at_once):
    assert call("--trials", "1", "--folds", "3").exit_code == 0
    (entry,) = default_journal().runs(origin="search")
    dataset = recipe.load("mnist", source="sample", rows=100)
    assert entry.data == take_data(dataset, folds=3).cuts(entry.spec).data_key


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--folds", "1"], 2, "--folds"),
        (["--storage", "nothing://here"], 2, "Error: This is no address of a database"),
        (["--source", "moon"], 2, "Error: "),
        (["--rows", "3"], 2, "Received: rows=3"),
        (["--trials", "0"], 2, "--trials"),
        (["--workers", "0"], 2, "--workers"),
    ],
    ids=str,
)
def test_tune_refuses_wrong_input_in_one_line(arguments, code, message):
    done = call(*arguments)
    assert done.exit_code == code
    assert message in done.output
    assert "Traceback" not in done.output


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_tune_ends_cleanly_on_ctrl_c(tmp_path):
    """In a process of its own, on the real training: what was found so far is shown, and nothing stays running."""
    import signal

    code = (
        "import recipe.search.worker as w\n"
        "real = w._Watch.__call__\n"
        "def tell(self, report):\n"
        "    print('epoch', flush=True)\n"
        "    real(self, report)\n"
        "w._Watch.__call__ = tell\n"
        "from recipe.cli import app\n"
        "app()\n"
    )
    environment = os.environ | {"RECIPE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        [*PYTHON, "-c", code, *ARGUMENTS, "--trials", "50"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(3):
        assert running.stdout.readline() == "epoch\n", running.stderr.read()
    running.send_signal(signal.SIGINT)
    killer = threading.Timer(60, running.kill)
    killer.start()
    output, errors = running.communicate()
    killer.cancel()
    assert (running.returncode, errors) == (130, "")
    assert "Ctrl-C ended it early." in output
    states = [trial.state.name for trial in _trials(recipe.Journal(tmp_path / "journal.log"))]
    assert states == ["FAIL"]


def _trials(journal):
    from tuning_examples import all_trials

    return all_trials(journal)
