"""Trials on threads, on processes and on dask's workers, also where a worker is killed in the middle."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from tuning_examples import (
    BASE,
    SEARCH_ON_PROCESSES,
    SPACE,
    all_trials,
    look_around,
    start_process,
    train_and_report,
    train_at_once,
)

import recipe
from recipe.core.spec import ModelSpec
from recipe.journal import default_journal
from recipe.search import tune
from recipe.search.data import take_data
from recipe.search.executors import open_team
from recipe.search.space import Range, SearchSpace
from recipe.search.summary import outcome_of, reason_of

pytestmark = pytest.mark.timeout(240)
LONG = SearchSpace(base=BASE.replace(epochs=600), learning_rate=Range(1e-4, 1e-2))


@pytest.fixture(scope="module")
def split():
    return recipe.hold_out(recipe.load("mnist", source="sample", rows=300))


class Unlucky(Executor):
    """An executor that works at once; the jobs that `dies` names lose their worker, so many times each."""

    def __init__(self, dies, closed_after=None):
        self.dies = dict(dies)
        self.closed_after = closed_after
        self.together = self.most_together = 0

    def submit(self, function, *arguments):
        if self.closed_after == 0:
            raise BrokenProcessPool("closed")
        if self.closed_after is not None:
            self.closed_after -= 1
        future, job = Future(), arguments[0]
        if self.dies.get(job.trial_id, 0):
            self.dies[job.trial_id] -= 1
            future.set_exception(BrokenProcessPool("a worker was killed"))
        else:
            future.set_result(train_at_once(job))
        return future


def kill_while_both_train(find_pids, killed):
    """Wait until both workers have a trial and one of them has reported an epoch; then kill the first of the two."""
    for _ in range(4000):
        time.sleep(0.02)
        running = [trial for trial in all_trials(default_journal()) if trial.state.name == "RUNNING"]
        if len(running) == 2 and any(trial.intermediate_values for trial in running):
            killed.append(find_pids()[0])
            os.kill(killed[0], signal.SIGKILL)
            return


def tune_while_a_worker_is_killed(split, space, find_pids, **settings):
    killed = []
    killer = threading.Thread(target=kill_while_both_train, args=(find_pids, killed), daemon=True)
    killer.start()
    found = tune(split, space, 3, **settings)
    killer.join(1)
    assert len(killed) == 1
    assert len(found.new) == 3
    assert {entry.number for entry in found.new} == {0, 1, 2}
    assert {trial.state.name for trial in all_trials(default_journal())} <= {"COMPLETE", "PRUNED"}
    assert all(entry.history["val_accuracy"] for entry in found.new)
    return found


def test_threads_train_several_trials_and_come_to_the_same_scores(split):
    space = SearchSpace(base=BASE, learning_rate=(0.001, 0.01))
    with ThreadPoolExecutor(2) as pool:
        found = tune(split, space, 4, executor=pool, storage="memory")
    assert found.counts == {"complete": 4}
    prepared = recipe.prepare(split)
    for entry in found.new:
        assert recipe.train(entry.spec, prepared, journal=None).score == pytest.approx(entry.score, abs=1e-6)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_processes_train_what_a_name_or_arrays_say_and_a_killed_one_costs_no_trial(split):
    def find_pids():
        return [child.pid for child in multiprocessing.active_children()]

    found = tune_while_a_worker_is_killed(split, LONG, find_pids, executor="processes", workers=2)
    named = recipe.prepare(split)
    for entry in found.new[:1]:
        again = recipe.train(entry.spec, named, journal=None)
        assert again.history["val_data_loss"][: entry.epochs] == pytest.approx(entry.history["val_data_loss"], rel=1e-3)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("is_real", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["quick", "real"])
def test_dask_workers_train_and_a_killed_one_costs_no_trial(split, monkeypatch, is_real):
    """A real scheduler and real workers; quick trainings only take time, so that no worker has to import Keras."""
    distributed = pytest.importorskip("distributed")
    if not is_real:
        monkeypatch.setattr("recipe.search.loop.train_trial", train_and_report)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = list(client.run(os.getpid).values())
        slow = SearchSpace(base=BASE.replace(epochs=15), learning_rate=Range(1e-4, 1e-2))
        found = tune_while_a_worker_is_killed(split, LONG if is_real else slow, lambda: pids, executor=client)
    if is_real:
        assert all(0.5 < entry.score <= 1 for entry in found.new)


def test_a_ready_pool_gets_the_data_by_name_and_stays_open():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = tune("mnist", SearchSpace(base=BASE), 1, rows=100, source="sample", executor=pool, storage="memory")
        assert found.counts == {"complete": 1}
        assert found.new[0].data == take_data("mnist", rows=100, source="sample").cuts(BASE).data_key
        stop = threading.Event()
        threading.Timer(1.0, stop.set).start()
        long = SearchSpace(base=BASE.replace(epochs=1_000_000))
        found = tune("mnist", long, 3, rows=100, source="sample", executor=pool, storage="memory", stop=stop)
        assert found.stopped == "asked"
        assert {outcome_of(entry) for entry in found.new} == {"stopped"}
        assert pool.submit(abs, -1).result() == 1


def test_workers_end_with_a_search_that_is_killed(tmp_path):
    main = start_process(SEARCH_ON_PROCESSES, tmp_path)
    assert [main.stdout.readline() for _ in range(2)] == ["training\n"] * 2
    main.kill()
    main.communicate(timeout=30)  # comes back when nobody is left who could write


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forks on Linux")
def test_workers_begin_with_keras_imported_and_with_the_environment_of_now(monkeypatch):
    parents = set()
    for home in ("first", "second"):
        monkeypatch.setenv("RECIPE_HOME", home)
        with open_team("processes", 1) as team:
            parent, seen, imported = team.submit(look_around).result(timeout=60)
        assert (seen, imported) == (home, True)
        parents.add(parent)
    assert len(parents) == 1  # both are forks of the same process,
    assert os.getpid() not in parents  # which has not begun to compute


def test_a_lost_trial_is_begun_again_alone(split):
    found = tune(split, SPACE, 6, executor=Unlucky({1: 1, 2: 1}), workers=3, storage="memory")
    assert found.counts == {"complete": 6}


def test_a_trial_that_loses_its_worker_twice_has_failed(split):
    found = tune(split, SPACE, 6, executor=Unlucky({1: 9, 4: 9}), workers=2)
    assert found.counts == {"complete": 4, "failed": 2}
    failed = [entry for entry in found.new if entry.state == "failed"]
    expected = "its worker was killed 2 times: BrokenProcessPool: a worker was killed"
    assert [reason_of(entry) for entry in failed] == [expected] * 2
    assert [entry.number for entry in failed] == [1, 4]


def test_an_executor_that_takes_nothing_more_ends_the_search(split):
    found = tune(split, SPACE, 6, executor=Unlucky({}, closed_after=3), workers=2)
    assert found.stopped == "broken"
    assert found.counts == {"complete": 3, "failed": 1}
    assert "It ended early: the executor takes no more work." in found.sentences
    assert "RUNNING" not in {trial.state.name for trial in all_trials(default_journal())}


def test_a_process_with_other_data_says_so(split):
    data = take_data("mnist", source="sample", rows=100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recipe.search.study.SearchStudies._data_key", lambda *_: "0123456789abcdef")
        found = tune(split, SearchSpace(base=BASE), 1, storage="memory")
    assert data.named is not None
    assert reason_of(found.new[0]).startswith("RuntimeError: This process loads other data than the search did.")


@pytest.mark.parametrize("folds", [None, 3])
@pytest.mark.parametrize("architectures", [("mlp",), ("mlp", "embedding")])
def test_data_for_workers_is_the_same_on_their_side(architectures, folds, tmp_path):
    dataset = recipe.load("imdb", source="sample", rows=100)
    data = take_data(dataset, folds=folds)
    stored = data.for_workers(tmp_path, architectures)
    for name in architectures:
        spec = ModelSpec(architecture=name, hidden_units=(8, 8))
        assert len(stored.cuts(spec).each) == len(data.cuts(spec).each) == (folds or 1)
        assert stored.cuts(spec).data_key == data.cuts(spec).data_key
        assert stored.cuts(spec) is stored.cuts(spec)
        ours, theirs = ([one.preparation for one in side.cuts(spec).each] for side in (data, stored))
        assert ours == theirs
    assert all(len(shell.x_train) == 0 for cuts in stored.shells.values() for shell in cuts.each)
    named = take_data("imdb", source="sample", rows=100, folds=folds).for_workers(tmp_path, architectures)
    assert named.cuts(ModelSpec()).data_key == data.cuts(ModelSpec()).data_key


def test_open_team_counts_the_workers():
    with ThreadPoolExecutor(3) as pool, open_team(pool) as team:
        assert (team.size, team.shares_memory) == (3, True)
    with open_team("threads", 2) as team:
        assert team.size == 2
    with pytest.raises(RuntimeError, match="shutdown"):
        team.submit(abs, 1)
    with open_team(None) as team:
        assert team is None
