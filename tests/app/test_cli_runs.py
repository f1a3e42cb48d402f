"""`recipe runs`: the journal listed, filtered, put in order and written out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tuning_examples import make_run
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal


def _runs(*arguments: object):
    return CliRunner().invoke(app, ["runs", *map(str, arguments)], env={"COLUMNS": "110"})


def test_runs_lists_the_newest_first_says_what_is_left_and_writes_what_was_chosen(tmp_path, monkeypatch):
    for score in (0.25, 0.35):
        default_journal().record(make_run(ModelSpec(epochs=7), data="d", problem="housing", score=score))
    done = _runs()
    assert (done.exit_code, "2 of 2 runs in" in done.stdout) == (0, True)
    lines = [line for line in done.stdout.splitlines() if "housing" in line and "sample" in line]
    assert ["script" in line and "0.35" in line for line in lines] == [True, False]
    monkeypatch.setattr("recipe.app.cli.SHOWN_RUNS", 1)
    done = _runs("--best", 2, "--csv", tmp_path / "runs.csv")
    assert "1 more: --csv writes them all." in done.stdout
    assert f"Written: {tmp_path / 'runs.csv'}" in done.stdout
    rows = csv.DictReader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines())
    assert [row["score"] for row in rows] == ["0.25", "0.35"]


def test_runs_of_an_empty_journal_says_where_it_is_and_makes_none(tmp_path):
    done = _runs()
    assert done.exit_code == 0
    assert done.stdout.startswith(f"0 of 0 runs in {default_journal().location}. A run is recorded whenever")
    assert not Path(default_journal().location).exists()


def test_runs_says_that_the_journal_is_off(monkeypatch):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    assert "The journal is off. Received: RECIPE_JOURNAL=off." in _runs().stderr


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
    _runs(*wish, "--csv", tmp_path / "runs.csv")
    rows = csv.DictReader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines())
    assert [row["score"] for row in rows] == scores
