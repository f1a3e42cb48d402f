"""`recipe runs`: the journal listed, filtered, put in order and written out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tuning_examples import make_run
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import default_journal
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


@pytest.fixture
def kept() -> list[Run]:
    """Two runs in the default journal."""
    prepared = prepare(hold_out(load("housing", source="sample", rows=60)))
    return [train(ModelSpec(hidden_units=(4,), epochs=1, seed=seed), prepared) for seed in (0, 1)]


def _runs(*arguments: object):
    return CliRunner().invoke(app, ["runs", *map(str, arguments)], env={"COLUMNS": "110"})


def test_runs_lists_the_newest_first(kept):
    done = _runs()
    assert done.exit_code == 0
    assert "2 of 2 runs in" in done.stdout
    lines = [line for line in done.stdout.splitlines() if "housing" in line and "sample" in line]
    assert len(lines) == 2
    assert all("script" in line and f"{kept[0].epochs}" in line for line in lines)


def test_runs_shows_the_first_and_says_how_many_are_left(kept, monkeypatch):
    monkeypatch.setattr("recipe.app.cli.SHOWN_RUNS", 1)
    done = _runs("--best", 2)
    assert "1 more: --csv writes them all." in done.stdout
    assert f"{min(run.score for run in kept):.4g}" in done.stdout


def test_runs_writes_what_was_chosen(kept, tmp_path):
    done = _runs("--best", 1, "--csv", tmp_path / "runs.csv")
    assert (done.exit_code, f"Written: {tmp_path / 'runs.csv'}" in done.stdout) == (0, True)
    (row,) = csv.DictReader((tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines())
    assert float(row["score"]) == pytest.approx(min(run.score for run in kept))


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
