"""What a search refuses, and where its trials are kept: in memory, a file or a database, by one process or several."""

import pytest
from tuning_examples import (
    BASE,
    SEARCH,
    SPACE,
    all_trials,
    check_two_processes,
    start_process,
    train_at_once,
)

import recipe
from recipe.journal import Journal, default_journal
from recipe.search import tune
from recipe.search.space import Range, SearchSpace
from recipe.search.summary import reason_of


@pytest.fixture(scope="module")
def digits():
    return recipe.prepare(recipe.hold_out(recipe.load("mnist", source="sample", rows=100)))


@pytest.fixture
def at_once(monkeypatch):
    """Trainings take no time; their score depends on the learning rate alone."""
    monkeypatch.setattr("recipe.search.loop.train_trial", train_at_once)


def test_tune_ends_the_trials_of_a_search_that_was_killed(at_once, digits, tmp_path):
    path = str(tmp_path / "journal.log")
    victim = start_process(SEARCH, tmp_path, path, "train_until_killed", "3")
    try:
        assert victim.stdout.readline() == "training\n", victim.stderr.read()
        assert [trial.state.name for trial in all_trials(Journal(path))] == ["RUNNING"]
        beside = tune(digits, SPACE, 1, storage=path)  # it lives: nobody takes its trial away
        assert [trial.state.name for trial in all_trials(Journal(path))] == ["RUNNING", "COMPLETE"]
        assert len(beside.trials) == 1
    finally:
        victim.kill()
        victim.communicate()
    found = tune(digits, SPACE, 1, storage=path)
    assert [trial.state.name for trial in all_trials(Journal(path))] == ["FAIL", "COMPLETE", "COMPLETE"]
    reasons = {entry.number: reason_of(entry) for entry in found.trials}  # the oldest first, by when they ended
    assert reasons[0] == "the process of its search ended"
    assert len(found.trials) == 3


def test_two_processes_share_a_study_in_one_file(tmp_path):
    check_two_processes(str(tmp_path / "journal.log"), tmp_path)


def test_two_processes_share_a_study_in_sqlite(tmp_path):
    check_two_processes(f"sqlite:///{(tmp_path / 'search.db').as_posix()}", tmp_path)


def test_tune_goes_nowhere_but_to_memory_where_the_journal_is_off(at_once, digits, monkeypatch, tmp_path):
    monkeypatch.setenv("RECIPE_JOURNAL", "off")
    monkeypatch.setenv("RECIPE_HOME", str(tmp_path))
    assert len(tune(digits, SPACE, 2).trials) == len(tune(digits, SPACE, 2).trials) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        ("nothing://here", ValueError, r"no address of a database: .*Received: nothing://here. Give one"),
        ("sqlite:///missing/folder/x.db", OSError, r"does not answer as it should: unable to open database file."),
        ("postgresql+psycopg://ada:secret@127.0.0.1:1/x", OSError, r"Received: postgresql\+psycopg://ada:\*\*\*@127"),
        ("mysql+nodriver://host/x", ValueError, r"no address of a database"),
    ],
)
def test_tune_says_what_is_wrong_with_a_database(address, kind, message, digits, monkeypatch):
    monkeypatch.setattr("recipe.journal.databases.RETRY_SECONDS", (0.0,))
    with pytest.raises(kind, match=message):
        tune(digits, SPACE, 1, storage=address)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trials": 0}, r"nothing to search in 0 trials. Received: trials=0"),
        ({"pruning": "best"}, r"given up so. Received: pruning='best'. Choose from True, False and 'halving'"),
        ({"seconds": -1}, r"A time is 0 s or more. Received: seconds=-1"),
        ({"workers": 0}, r"Nobody would work. Received: workers=0"),
        ({"workers": 2}, r'one trial at a time. Received: executor=None, workers=2. Take executor="processes"'),
        ({"executor": "gpu"}, r"no such executor. Received: executor='gpu'"),
        ({"rows": 50}, r"this is loaded. Received: rows=50, source='auto'. Leave them out"),
        ({"base": BASE}, r"A space has its own base. Received: space and base"),
        ({"space": SearchSpace(architecture=("embedding",))}, r"An embedding network needs words"),
        ({"space": SearchSpace(architecture=("convnet",), layers=Range(1, 5))}, r"too small for 5"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_tune_refuses_what_cannot_work_before_it_begins(arguments, message, digits):
    with pytest.raises(ValueError, match=message):
        tune(digits, **{"space": SPACE, "trials": 1} | arguments)
    assert default_journal().entries() == []


@pytest.mark.parametrize(("arguments", "message"), [({"problem": 3}, "a int"), ({"executor": 3}, "executor, a int")])
def test_tune_refuses_what_is_no_data_and_no_executor(arguments, message, digits):
    with pytest.raises(TypeError, match=message):
        tune(**{"problem": digits, "trials": 1} | arguments)


def test_tune_refuses_an_architecture_that_cannot_read_what_is_prepared():
    reviews = recipe.prepare(recipe.hold_out(recipe.load("imdb", source="sample", rows=100)))
    with pytest.raises(ValueError, match=r"'embedding' cannot read what was prepared for another one.*Give the split"):
        tune(reviews, SearchSpace(architecture=("mlp", "embedding")), 1)


def test_tune_without_a_space_takes_what_the_data_allows(at_once):
    reviews = recipe.prepare(recipe.hold_out(recipe.load("imdb", source="sample", rows=100)))
    found = tune(reviews, trials=2, base=BASE)
    assert found.space.base == BASE
    assert found.space.architecture == ("mlp",)
    assert {entry.spec.batch_size for entry in found.new} == {BASE.batch_size}
