"""`recipe tune`, as people call it."""

import os
import signal
import subprocess
import threading
import time

import pytest
from forks import PYTHON
from tuning_examples import Instant, make_run
from typer.testing import CliRunner

import recipe.search
from recipe.app.cli import app
from recipe.journal import Journal, default_journal, open_storage

ARGUMENTS = ["tune", "mnist", "--source", "sample", "--rows", "100"]


@pytest.fixture
def at_once(monkeypatch):
    """Searches train nothing; the data that they were given."""
    given, search = [], recipe.search.tune

    def tune(data, **settings):
        given.append(data)
        prepared = recipe.prepare(recipe.hold_out(data)) if isinstance(data, recipe.Dataset) else None
        key = prepared.data_key if prepared else "folds"
        make = lambda job: make_run(job.spec, data=key, origin="search")  # noqa: E731
        return search(data, **settings | {"executor": Instant(make)})

    monkeypatch.setattr("recipe.search.tune", tune)
    return given


def call(*arguments):
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, [*ARGUMENTS, *arguments])


def test_tune_shows_the_best_trials_and_keeps_all_in_the_journal(at_once):
    done = call("--trials", "12")
    assert done.exit_code == 0, done.output
    title = "mnist: the first 10 of 12 trials, accuracy, higher is better (data: sample)"
    assert title in " ".join(done.output.split())
    assert "12 trials in" in done.output
    assert "Only the test set can say how good it is." in done.output
    runs = default_journal().runs(origin="search")
    assert len(runs) == 12
    assert f"{max(run.score for run in runs):.4g}" in done.output
    assert "remaining" not in done.output  # no live line where no terminal is


def test_tune_goes_on_from_what_the_journal_holds(at_once):
    call("--trials", "2")
    done = call("--trials", "1", "--seed", "3")
    assert "The search knew 2 runs of the journal on this data, 0 made by hand." in done.output


def test_tune_takes_a_storage_and_a_time(at_once, tmp_path):
    done = call("--storage", str(tmp_path / "mine.log"), "--seconds", "0")
    assert (done.exit_code, "Its time was up." in done.output) == (0, True)
    assert default_journal().runs() == []
    assert len(open_storage(str(tmp_path / "mine.log")).get_all_studies()) == 1


def test_tune_judges_by_folds_where_it_is_told_to(at_once):
    assert call("--trials", "1", "--folds", "3").exit_code == 0
    (folds,) = at_once
    assert [split.protocol for split in folds] == [f"fold {number} of 3, repetition 1" for number in (1, 2, 3)]


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
    place = tmp_path / "study.log"
    running = subprocess.Popen(
        [*PYTHON, "-c", "from recipe.app.cli import app; app()", *ARGUMENTS, "--trials", "50", "--storage", str(place)],
        env=os.environ | {"RECIPE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(90, running.kill)
    killer.start()
    while running.poll() is None and not any(trial.intermediate_values for trial in _trials(place)):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    output, errors = running.communicate()
    killer.cancel()
    assert (running.returncode, errors) == (130, "")
    assert "Ctrl-C ended it early." in output
    runs = Journal(tmp_path / "journal.log").runs()
    assert runs[-1].stopped == "interrupted"
    assert "RUNNING" not in {trial.state.name for trial in _trials(place)}


def _trials(place):
    storage = open_storage(str(place))
    return [trial for study in storage.get_all_studies() for trial in storage.get_all_trials(study._study_id)]
