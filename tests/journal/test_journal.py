"""The journal: what is recorded, found again by another process, and never at the cost of a training."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import threading

import numpy as np
import optuna
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal, current_origin, default_journal, entry_attributes, keep, origin_of
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate, train, train_seeds

SPEC = ModelSpec(hidden_units=(4,), epochs=2, batch_size=32)


@pytest.fixture(scope="module")
def houses():
    return load("housing", source="sample", rows=60)


@pytest.fixture(scope="module")
def prepared(houses):
    return prepare(hold_out(houses))


@pytest.fixture(scope="module")
def run(prepared):
    return dataclasses.replace(train(SPEC, prepared, journal=None), data=prepared.data_key)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal.log")


def test_data_key_tells_data_and_scale_and_problem_apart(houses, prepared):
    assert len(prepared.data_key) == 16
    assert int(prepared.data_key, 16) >= 0
    again = prepare(hold_out(houses))
    assert again.data_key == prepared.data_key
    changed = prepared.x_val.copy()
    changed[0, 0] += 1
    others = [
        dataclasses.replace(prepared, x_val=changed),
        dataclasses.replace(prepared, y_train=prepared.y_train.astype(np.float64)),
        dataclasses.replace(prepared, x_train=prepared.x_val, x_val=prepared.x_train),
        dataclasses.replace(prepared, preparation=dataclasses.replace(prepared.preparation, input_scale=0.5)),
        dataclasses.replace(prepared, problem=dataclasses.replace(prepared.problem, name="other")),
    ]
    assert len({prepared.data_key, *(other.data_key for other in others)}) == 6


def test_train_records_every_run_in_the_default_journal(prepared):
    train(SPEC, prepared)
    train_seeds(SPEC, prepared, (1, 2))
    (first, *more) = default_journal().entries()
    assert [entry.seed for entry in (first, *more)] == [0, 1, 2]
    assert (first.problem, first.source, first.data) == ("housing", "sample", prepared.data_key)
    assert (first.origin, first.state, first.stopped) == ("script", "complete", None)


def test_train_records_in_the_journal_that_is_given_and_nowhere_for_none(prepared, journal):
    inside = train(SPEC, prepared, journal=journal)
    outside = train(SPEC, prepared, journal=None)
    assert (inside.data, outside.data) == (prepared.data_key, "")
    assert len(journal.entries()) == 1
    assert default_journal().entries() == []


def test_train_records_nothing_where_the_journal_is_off(prepared, monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPE_JOURNAL", "OFF")
    assert default_journal() is None
    train(SPEC, prepared)
    monkeypatch.setenv("RECIPE_JOURNAL", str(tmp_path / "mine.log"))
    assert default_journal().entries() == []
    train(SPEC, prepared)
    assert (tmp_path / "mine.log").is_file()


@pytest.mark.parametrize("units", [(4,), (300, 300)])  # side by side, and one after the other
def test_cross_validate_records_a_run_a_split(houses, journal, units):
    runs = cross_validate(SPEC.replace(hidden_units=units), k_fold(houses, folds=3), journal=journal)
    entries = journal.entries()
    assert sorted(entry.seed for entry in entries) == [0, 1, 2]
    assert {entry.data for entry in entries} == {run.data for run in runs}
    assert len({entry.study for entry in entries}) == 3


def test_entry_has_what_the_run_had(run, journal):
    entry = journal.record(run, extra={"guess": "overfits"})
    assert (entry.spec, entry.seed, entry.measure, entry.protocol) == (run.spec, 0, "mae", run.protocol)
    assert (entry.score, entry.epochs, entry.best_epoch) == (run.score, 2, run.best_epoch)
    assert entry.train_score == run.history["mae"][-1]
    assert (entry.backend, entry.versions, entry.extra) == (run.backend, run.versions, {"guess": "overfits"})
    for key, values in run.history.items():
        np.testing.assert_allclose(entry.history[key], values, rtol=1e-6)
    assert entry.time.endswith("+00:00")
    assert journal.entries() == [entry]


def test_entry_is_a_trial_of_the_datas_study_with_the_specs_parameters(run, journal):
    journal.record(run)
    study = optuna.load_study(study_name=f"housing-{run.data}", storage=journal.storage)
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.best_value == run.score
    assert study.best_params["units_1"] == 4
    assert study.best_trial.intermediate_values == pytest.approx(dict(enumerate(run.history["val_mae"])), rel=1e-6)


def test_run_of_a_rising_measure_makes_a_study_that_is_maximized(run, journal):
    digits = prepare(hold_out(load("mnist", source="sample", rows=60)))
    train(SPEC, digits, journal=journal)
    study = optuna.load_study(study_name=f"mnist-{digits.data_key}", storage=journal.storage)
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE


def test_spec_that_no_search_can_reach_is_kept_without_parameters(run, journal):
    wrong = dataclasses.replace(run, spec=run.spec.replace(last_activation="relu"))
    assert journal.record(wrong).spec.last_activation == "relu"
    assert journal.storage.get_all_trials(0)[0].params == {}


def test_run_that_diverged_is_kept_as_failed(run, journal):
    nan = {key: [1.0, math.nan] for key in run.history}
    entry = journal.record(dataclasses.replace(run, history=nan))
    assert entry.state == "failed"
    assert math.isnan(entry.score)
    assert entry.history["val_mae"][0] == 1.0
    assert entry.to_row()["score"] is None


def test_run_that_was_stopped_is_kept_as_pruned_and_not_found_again(prepared, journal):
    stop = threading.Event()
    stop.set()
    stopped = train(SPEC, prepared, stop=stop, journal=journal)
    assert stopped.stopped == "asked"
    assert journal.entries()[0].state == "pruned"
    assert journal.find(SPEC, prepared) is None


def test_find_gives_the_last_run_of_the_same_spec_data_and_versions(prepared, run, journal):
    assert journal.find(SPEC, prepared) is None
    journal.record(run)
    last = journal.record(run, origin="panel")
    assert journal.find(SPEC, prepared) == last
    assert journal.find(SPEC.replace(seed=1), prepared) is None
    other = dataclasses.replace(prepared, y_val=prepared.y_val + 1)
    assert journal.find(SPEC, other) is None


@pytest.mark.parametrize("change", [{"versions": {"keras": "2.0"}}, {"backend": "torch"}])
def test_find_passes_over_runs_of_other_versions(prepared, run, journal, change):
    journal.record(dataclasses.replace(run, **change))
    assert journal.find(SPEC, prepared) is None


def test_find_passes_over_runs_that_the_spec_alone_does_not_decide(prepared, journal):
    train(SPEC, prepared, shuffle=False, journal=journal)
    train(SPEC, prepared, engine="fit", journal=journal)
    assert [entry.by_spec for entry in journal.entries()] == [False, False]
    assert journal.find(SPEC, prepared) is None


def test_entries_are_found_by_another_process(run, journal):
    mine = journal.record(run)
    code = f"from recipe import Journal; print(*[e.score for e in Journal({journal.location!r}).entries()])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) == mine.score


def test_entries_of_another_process_appear_in_an_open_journal(run, journal):
    journal.record(run)
    other = Journal(journal.location)
    other.record(run, origin="panel")
    assert [entry.origin for entry in journal.entries()] == ["script", "panel"]
    assert [entry.number for entry in journal.entries()] == [0, 1]


def test_entries_are_chosen_by_what_is_asked_for(run, journal):
    journal.record(run, origin="panel")
    journal.record(dataclasses.replace(run, source="local"))
    assert [entry.origin for entry in journal.entries(source="sample")] == ["panel"]
    assert [entry.source for entry in journal.entries(origin="script")] == ["local"]
    assert len(journal.entries(problem="housing", data=run.data)) == 2
    assert journal.entries(problem="mnist") == journal.entries(data="0" * 16) == []


def test_trials_that_optuna_made_are_entries_too_and_running_ones_are_not(run, journal):
    name = journal.open_study(run.problem, run.data)
    study = optuna.load_study(study_name=name, storage=journal.storage)
    distributions = journal_parameters()
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, **distributions))
    study.ask()
    (entry,) = journal.entries()
    assert (entry.state, entry.origin, entry.spec.hidden_units) == ("failed", "search", (4,))
    assert math.isnan(entry.score)


def journal_parameters() -> dict[str, object]:
    from recipe.core.parameters import to_params

    params, distributions = to_params(SPEC)
    return {"params": params, "distributions": distributions}


def test_origin_of_holds_inside_and_in_its_own_thread_alone(run, journal):
    seen = []
    with origin_of("panel"):
        thread = threading.Thread(target=lambda: seen.append(current_origin()))
        thread.start()
        thread.join()
        assert journal.record(run).origin == "panel"
    assert (seen, current_origin()) == (["script"], "script")
    assert entry_attributes(run, origin="search")["run"]["origin"] == "search"


def test_pin_is_kept_and_taken_away(run, journal):
    entry = journal.record(run)
    assert journal.pin(entry).pinned
    assert [one.pinned for one in Journal(journal.location).entries()] == [True]
    assert journal.find(run.spec, _Same(run)).pinned
    assert not journal.pin(entry, pinned=False).pinned
    assert [one.pinned for one in journal.entries()] == [False]


class _Same:
    """Stands for the prepared data of a run."""

    def __init__(self, run) -> None:
        self.problem, self.data_key = run.problem, run.data


def test_journal_that_was_deleted_begins_anew(run, journal, tmp_path):
    journal.record(run)
    (tmp_path / "journal.log").unlink()
    assert journal.entries() == []
    journal.record(run, origin="panel")
    assert [entry.origin for entry in Journal(journal.location).entries()] == ["panel"]


def test_journal_in_a_database_works_alike(run, tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/runs.db")
    entry = journal.record(run)
    journal.pin(entry)
    assert [one.pinned for one in journal.entries()] == [True]
    assert dataclasses.replace(journal.entries()[0], pinned=False) == entry
    assert journal.note_looks(run.problem, "ab", 2) == 2
    assert len(journal.entries()) == 1


def test_run_without_its_data_is_refused(run, journal):
    with pytest.raises(ValueError, match=r"does not say which data it was trained on\. Received: run, data=''"):
        journal.record(dataclasses.replace(run, data=""))


def test_journal_that_cannot_be_written_costs_a_warning_and_not_the_run(prepared, tmp_path):
    (tmp_path / "file").write_text("")
    broken = Journal(tmp_path / "file" / "journal.log")
    with pytest.warns(RuntimeWarning, match=r"The run is done, and it is not in the journal\. .*cannot be written"):
        kept = train(SPEC, prepared, journal=broken)
    assert kept.epochs == 2


def test_keep_without_a_journal_does_nothing(run):
    keep([run], None)


def test_optuna_stays_as_talkative_as_it_was(run, tmp_path, capfd):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        Journal(tmp_path / "journal.log").record(run)
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
        assert "study created" not in capfd.readouterr().err
    finally:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
