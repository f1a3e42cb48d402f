"""The journal: what is recorded, found again by another process, and never at the cost of a training."""

from __future__ import annotations

import dataclasses
import json
import math
import time

import pytest
from tuning_examples import make_run

from recipe.core.run import mean_run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal, default_journal
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate, train

SPEC = ModelSpec(hidden_units=(4,), epochs=2, batch_size=32)
RUN = make_run(SPEC, data="d" * 16, problem="housing", score=0.5)


@pytest.fixture(scope="module")
def prepared():
    return prepare(hold_out(load("housing", source="sample", rows=60)))


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal.log")


# What a training records.


def test_train_records_every_run_in_the_default_journal_and_returns_it_with_its_model(prepared):
    run = train(SPEC, prepared)
    train(SPEC.replace(seed=1), prepared, shuffle=False)
    cross_validate(SPEC.replace(seed=2), [prepared, dataclasses.replace(prepared, y_val=prepared.y_val + 1)])
    (first, *more) = default_journal().runs()
    assert [run.spec.seed for run in (first, *more)] == [0, 1, 2, 3]
    assert len({run.data for run in more}) == 2
    assert (first.problem, first.source, first.data) == (prepared.problem, "sample", prepared.data_key)
    assert (first.origin, first.state) == ("script", "complete")
    assert (run.time, run.data, first.model) == (first.time, first.data, None)
    assert run.model is not None


def test_train_records_nothing_where_the_journal_is_off(prepared, monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPE_JOURNAL", "OFF")
    assert default_journal() is None
    train(SPEC, prepared)
    monkeypatch.setenv("RECIPE_JOURNAL", str(tmp_path / "mine.log"))
    assert default_journal().runs() == []
    assert not (tmp_path / "mine.log").exists()


def test_journal_is_off_in_voila_whose_viewers_do_not_know_each_other(monkeypatch):
    monkeypatch.delenv("RECIPE_JOURNAL", raising=False)
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    assert default_journal() is None


def test_training_goes_on_where_the_journal_cannot_be_written(prepared, tmp_path):
    (tmp_path / "file").write_text("")
    broken = Journal(tmp_path / "file" / "journal.log")
    with pytest.warns(RuntimeWarning, match=r"The run is done, and it is not in the journal\. .* Set RECIPE_JOURNAL"):
        kept = train(SPEC, prepared, journal=broken)
    assert (kept.epochs, kept.time) == (2, "")


# What is recorded comes back.


def test_run_comes_back_as_it_was_with_its_members(journal):
    folds = [dataclasses.replace(RUN, spec=SPEC.replace(seed=seed)) for seed in range(3)]
    run = journal.record(mean_run(folds))
    (again,) = Journal(journal.location).runs()
    for name in ("spec", "problem", "source", "protocol", "history", "stopped", "backend", "versions", "data", "time"):
        assert getattr(again, name) == getattr(run, name)
    assert (again.score, again.train_score, again.origin) == (RUN.score, RUN.train_score, "script")
    assert again.time.endswith("+00:00")
    assert (again.scores, [member.spec.seed for member in again.members]) == (run.scores, [0, 1, 2])


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"history": {name: [1.0, math.nan] for name in ("mae", "val_mae", "val_data_loss")}}, "complete"),
        ({"history": {name: [math.nan] for name in ("mae", "val_mae", "val_data_loss")}}, "failed"),
        ({"stopped": "asked"}, "pruned"),
        ({"final": True}, "complete"),
    ],
)
def test_run_that_diverged_or_was_stopped_comes_back_with_its_state(journal, changes, state):
    journal.record(dataclasses.replace(RUN, **changes))
    (run,) = journal.runs()
    assert run.state == state
    assert math.isnan(run.score) == (state == "failed" or run.final)


def test_runs_are_those_on_the_data_that_is_asked_for(journal):
    journal.record(RUN)
    journal.record(dataclasses.replace(RUN, data="0" * 16))
    assert [run.data for run in journal.runs(data=RUN.data)] == [RUN.data]
    assert len(journal.runs()) == 2


def test_runs_that_another_version_wrote_are_passed_over(journal):
    journal.record(RUN)
    (line,) = journal.location.read_text(encoding="utf-8").splitlines()
    values = json.loads(line)
    values["run"]["spec"]["depth"] = 3
    journal.location.write_text("\n".join([json.dumps(values), "no json", "[1]", line, ""]), encoding="utf-8")
    assert [run.spec for run in Journal(journal.location).runs()] == [RUN.spec]


def test_journal_that_was_deleted_begins_anew(journal, tmp_path):
    journal.record(RUN)
    (tmp_path / "journal.log").unlink()
    assert journal.runs() == []
    journal.record(RUN)
    assert len(Journal(journal.location).runs()) == 1


# Looks, origins, tables.


def test_note_look_counts_each_test_set_by_itself(journal):
    assert [journal.note_look("ab"), journal.note_look("cd")] == [1, 1]
    assert Journal(journal.location).note_look("ab") == 2
    assert journal.runs() == []


def test_entries_are_all_lines_in_order_without_what_is_damaged(journal):
    journal.note_look("ab")
    journal.note_answer({"question": "q", "outcome": "correct"})
    with journal.location.open("ab") as file:
        file.write(b"no json\n[1]\n")
    journal.record(RUN)
    assert [list(entry) for entry in Journal(journal.location).entries()] == [["look"], ["answer"], ["run"]]
    assert len(journal.runs()) == 1


def test_to_frame_is_a_table_that_pandas_sorts_filters_and_writes(journal, tmp_path):
    columns = list(journal.to_frame())  # of an empty one
    assert list(tmp_path.iterdir()) == []
    for score in (0.5, 0.2, 0.9):
        journal.record(make_run(SPEC.replace(dropout=score / 2), data="d", problem="housing", score=score))
    frame = journal.to_frame()
    assert list(frame) == columns
    assert frame.sort_values("score")["dropout"].tolist() == [0.1, 0.25, 0.45]
    assert frame.query("dropout > 0.2 and epochs == 2")["best_epoch"].tolist() == [2, 2]
    assert frame["time"].is_monotonic_increasing
    assert frame.loc[0, "spec"] == journal.runs()[0].spec.describe()
    frame.to_csv(tmp_path / "runs.csv", index=False)
    assert (tmp_path / "runs.csv").read_text().startswith("time,problem,source,origin,state,measure,score")


def test_a_thousand_runs_are_read_in_a_second_or_so(journal):
    """Processor time, with room for a slow machine."""
    journal.record(make_run(SPEC.replace(epochs=80), data="d", problem="housing"))
    journal.location.write_text(1_000 * journal.location.read_text(encoding="utf-8"), encoding="utf-8")
    began = time.process_time()
    assert len(Journal(journal.location).runs()) == 1_000
    assert time.process_time() - began < 1.5
