"""Entries of the journal in order and written out; `recipe runs`; and how long thousands of them take."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal, default_journal
from recipe.journal.entries import COLUMNS, Entry
from recipe.journal.views import Filter, best_first, best_of_each, select, since, write_csv, write_json
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


def _entry(number: int = 0, **changes: object) -> Entry:
    usual = {
        "study": "mnist-0",
        "number": number,
        "state": "complete",
        "problem": "mnist",
        "source": "sample",
        "protocol": "hold-out",
        "data": "0",
        "spec": ModelSpec(hidden_units=(8, 4), dropout=0.25),
        "seed": 0,
        "origin": "notebook",
        "measure": "accuracy",
        "score": 0.5,
        "train_score": 0.6,
        "best_epoch": 1,
        "epochs": 2,
        "stopped": None,
        "seconds": 1.5,
        "backend": "jax",
        "versions": {"keras": "3"},
        "history": {"val_accuracy": [0.4, math.nan]},
        "time": f"2026-03-0{number + 1}T12:00:00+00:00",
    }
    return Entry(**usual | changes)


MAE = {"problem": "housing", "measure": "mae"}


def test_best_first_knows_which_way_a_measure_goes():
    entries = [
        _entry(0, score=0.5),
        _entry(1, score=math.nan, state="failed"),
        _entry(2, score=0.9),
        _entry(3, score=0.3, **MAE),
        _entry(4, score=0.2, **MAE),
    ]
    assert [entry.number for entry in best_first(entries)] == [4, 3, 2, 0, 1]


def test_best_of_each_takes_complete_runs_with_a_score():
    entries = [
        _entry(0, score=0.99, state="pruned"),
        _entry(1, score=math.nan, final=True),
        _entry(2, score=0.8),
        _entry(3, score=0.7),
        _entry(4, score=0.3, **MAE),
    ]
    assert [entry.number for entry in best_of_each(entries, 1)] == [4, 2]
    assert [entry.number for entry in best_of_each(entries, 5)] == [4, 2, 3]


def test_since_takes_days_and_times():
    entries = [_entry(number) for number in range(3)]
    assert [entry.number for entry in since(entries, "2026-03-02T12:00:00+00:00")] == [1, 2]
    assert [entry.number for entry in since(entries, "2026-03-05")] == []
    with pytest.raises(ValueError, match=r"That is no date\. Received: since='yesterday'\. Write it as 2026-03-01"):
        since(entries, "yesterday")


def test_select_puts_the_newest_first_and_honours_every_wish():
    entries = [_entry(0, pinned=True), _entry(1, origin="panel"), _entry(2, source="local")]
    assert [entry.number for entry in select(entries, Filter())] == [2, 1, 0]
    assert [entry.number for entry in select(entries, Filter(pinned=True))] == [0]
    assert [entry.number for entry in select(entries, Filter(origin="panel"))] == [1]
    assert [entry.number for entry in select(entries, Filter(source="local", since="2026-03-01"))] == [2]
    assert select(entries, Filter(problem="imdb")) == []


@pytest.mark.parametrize(("wish", "text"), [({"sort": "name"}, "sort='name'"), ({"problem": "iris"}, "name='iris'")])
def test_filter_refuses_what_there_is_not(wish, text):
    with pytest.raises(ValueError, match=f"Received: {text}. Choose from"):
        Filter(**wish)


def test_write_csv_has_a_row_a_run_and_names_even_for_none(tmp_path):
    path = write_csv(tmp_path / "runs.csv", [_entry(), _entry(1, score=math.nan)])
    first, second = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    assert tuple(first) == COLUMNS
    assert (first["score"], first["hidden_units"], first["best_epoch"], first["dropout"]) == ("0.5", "8-4", "2", "0.25")
    assert second["score"] == ""
    assert write_csv(path, []).read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"
    assert [file.name for file in tmp_path.iterdir()] == ["runs.csv"]


def test_write_json_is_strict_json_with_the_curves(tmp_path):
    path = write_json(tmp_path / "runs.json", [_entry()])
    (row,) = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert row["history"] == {"val_accuracy": [0.4, None]}
    assert ModelSpec.from_dict(row["spec"]) == _entry().spec


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
    lines = [line for line in done.stdout.splitlines() if "housing (sample)" in line]
    assert len(lines) == 2
    assert all("script" in line and f"{kept[0].epochs}" in line for line in lines)


def test_runs_shows_as_many_as_asked_for_and_says_what_is_left(kept):
    done = _runs("--limit", 1, "--sort", "score")
    assert "1 more: --limit 2 shows them." in done.stdout
    assert f"{min(run.score for run in kept):.4g}" in done.stdout


def test_runs_marks_and_filters_pinned_ones(kept):
    journal = default_journal()
    assert "No run is like that: 0 of 2 runs" in _runs("--pinned").stdout
    journal.pin(journal.entries()[0])
    done = _runs("--pinned")
    assert "1 of 2 runs" in done.stdout
    assert "* " in done.stdout


def test_runs_writes_what_was_chosen(kept, tmp_path):
    table, curves = tmp_path / "runs.csv", tmp_path / "runs.json"
    done = _runs("--best", 1, "--csv", table, "--json", curves)
    assert (done.exit_code, f"Written: {table}" in done.stdout) == (0, True)
    (row,) = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
    (entry,) = json.loads(curves.read_text(encoding="utf-8"))
    assert float(row["score"]) == entry["score"] == min(run.score for run in kept)


def test_runs_of_an_empty_journal_says_where_it_is_and_makes_none(tmp_path):
    done = _runs()
    assert done.exit_code == 0
    assert done.stdout.startswith(f"The journal is empty: {default_journal().location}. A run is recorded whenever")
    assert not Path(default_journal().location).exists()


def test_runs_says_that_the_journal_is_off(monkeypatch):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    assert "The journal is off: RECIPE_JOURNAL=off." in _runs().stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--since", "soon"], 2, "That is no date"),
        (["--sort", "name"], 2, "cannot be put in that order"),
        (["--problem", "iris"], 2, "There is no problem of that name"),
        (["--csv", "no/such/folder/runs.csv"], 1, "There is no such folder"),
        (["--best", "0"], 2, "--best"),
    ],
)
def test_runs_refuses_wrong_wishes_in_one_line(arguments, code, text):
    done = _runs(*arguments)
    assert done.exit_code == code
    assert text in done.stderr


def test_two_thousand_runs_are_opened_and_listed_in_a_second_or_so(kept, tmp_path):
    """Processor time, with room for a slow machine; a record and a look-up take a few milliseconds."""
    journal, run = Journal(tmp_path / "many.log"), dataclasses.replace(kept[0], history=_long(kept[0].history))
    began = time.process_time()
    for seed in range(200):
        journal.record(dataclasses.replace(run, spec=run.spec.replace(seed=seed)))
    recording = (time.process_time() - began) / 200
    text = (tmp_path / "many.log").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "many.log").write_text("".join(text + 9 * text[1:]), encoding="utf-8")
    journal = Journal(tmp_path / "many.log")
    began = time.process_time()
    entries = journal.entries()
    listing = time.process_time() - began
    assert len(entries) == 2_000
    assert recording < 0.02
    assert listing < 3


def _long(history: dict[str, list[float]]) -> dict[str, list[float]]:
    return {key: values * 40 for key, values in history.items()}
