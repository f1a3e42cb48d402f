"""Trials on threads, on processes and on dask's workers, also where a worker is killed; and a study that is shared."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from tuning_examples import BASE, SPACE, Instant, check_two_processes, start_process

import recipe
from recipe.journal import open_storage
from recipe.search import Range, SearchSpace, tune
from recipe.search.workers import open_team

pytestmark = pytest.mark.timeout(240)
LONG = SearchSpace(base=BASE.replace(epochs=200), learning_rate=Range(1e-4, 1e-2))
CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")


@pytest.fixture(scope="module")
def split():
    return recipe.hold_out(recipe.load("mnist", source="sample", rows=300))


def kill_while_both_train(storage, find_pids, killed):
    """Wait until both workers have a trial and one of them has reported an epoch; then kill the first of the two."""
    opened = open_storage(str(storage))  # once: it reads what is new, not the whole file each time
    for _ in range(2000):
        time.sleep(0.05)
        running = [trial for trial in _trials(opened) if trial.state.name == "RUNNING"]
        if len(running) == 2 and any(trial.intermediate_values for trial in running):
            killed.append(find_pids()[0])
            os.kill(killed[0], signal.SIGKILL)
            return


def _trials(opened):
    return [trial for study in opened.get_all_studies() for trial in opened.get_all_trials(study._study_id)]


def tune_while_a_worker_is_killed(split, storage, find_pids, **settings):
    killed = []
    killer = threading.Thread(target=kill_while_both_train, args=(storage, find_pids, killed), daemon=True)
    killer.start()
    found = tune(split, LONG, 2, storage=storage, **settings)
    killer.join(1)
    assert len(killed) == 1
    assert {trial.state.name for trial in found.study.trials} <= {"COMPLETE", "PRUNED"}
    assert len(found.new) == 2
    assert all(run.history["val_accuracy"] for run in found.new)
    return found


def test_threads_train_several_trials_and_come_to_the_same_scores(split):
    space = SearchSpace(base=BASE, learning_rate=(0.001, 0.01))
    with ThreadPoolExecutor(2) as pool:
        found = tune(split, space, 4, executor=pool, journal=None)
    assert found.counts == {"complete": 4}
    prepared = recipe.prepare(split)
    for run in found.new[:2]:
        assert recipe.train(run.spec, prepared, journal=None).score == pytest.approx(run.score, abs=1e-6)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_processes_train_and_a_killed_one_costs_no_trial(split, tmp_path):
    def find_pids():
        return [child.pid for child in multiprocessing.active_children()]

    found = tune_while_a_worker_is_killed(split, tmp_path / "study.log", find_pids, executor="processes", workers=2)
    run = found.new[0]
    again = recipe.train(run.spec, recipe.prepare(split), journal=None)
    assert again.history["val_data_loss"][: run.epochs] == pytest.approx(run.history["val_data_loss"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_dask_workers_train_and_a_killed_one_costs_no_trial(split, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = list(client.run(os.getpid).values())
        found = tune_while_a_worker_is_killed(split, tmp_path / "study.log", lambda: pids, executor=client)
    assert all(0.5 < run.score <= 1 for run in found.new)


def test_a_ready_pool_trains_by_folds_stops_and_stays_open():
    folds = recipe.k_fold(recipe.load("housing", source="sample", rows=125), folds=3)
    with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
        far, near = (tune(folds, SearchSpace(base=BASE), 1, executor=one, journal=None) for one in (pool, None))
        assert far.counts == near.counts == {"complete": 1}
        assert far.score == pytest.approx(near.score, rel=1e-4)
        assert len(far.study.trials[0].intermediate_values) == BASE.epochs
        stop = threading.Event()
        threading.Timer(1.0, stop.set).start()
        long = SearchSpace(base=BASE.replace(epochs=1_000_000))
        found = tune(folds, long, 3, executor=pool, journal=None, stop=stop)
        assert (found.stopped, set(found.counts)) == ("asked", {"stopped"})
        assert pool.submit(abs, -1).result() == 1


def test_workers_end_with_their_main_process_when_it_is_killed(tmp_path):
    main = start_process(
        """
        import os, time
        from recipe.search import workers

        if __name__ == "__main__":
            workers.IMPORTED.clear()  # Keras takes seconds, and nothing is trained here
            with workers.open_team("processes", 2) as team:
                print(team.submit(os.getpid).result(), flush=True)
                team.submit(time.sleep, 600).result()
        """,
        tmp_path,
    )
    assert main.stdout.readline().strip(), main.stderr.read()
    main.kill()
    main.communicate(timeout=30)  # comes back when nobody is left who could write


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forks on Linux")
def test_workers_begin_with_keras_imported_and_with_the_environment_of_now(monkeypatch):
    parents = set()
    for home in ("first", "second"):
        monkeypatch.setenv("RECIPE_HOME", home)
        with open_team("processes", 1) as team:
            parent, seen, imported = team.submit(_look_around).result(timeout=60)
        assert (seen, imported) == (home, True)
        parents.add(parent)
    assert len(parents) == 1  # both are forks of the same process,
    assert os.getpid() not in parents  # which has not begun to compute


def _look_around():
    return os.getppid(), os.environ.get("RECIPE_HOME"), "keras" in sys.modules


def test_a_lost_trial_is_begun_again_alone_and_has_failed_when_it_is_lost_twice(split):
    found = tune(split, SPACE, 6, executor=Instant(dies={1: 1, 2: 1, 4: 9}), workers=3, journal=None)
    assert found.counts == {"complete": 5, "failed": 1}
    (note,) = [run.note for run in found.new if run.state == "failed"]
    assert note == "its worker was killed 2 times: BrokenProcessPool: a worker was killed"


def test_an_executor_that_takes_nothing_more_ends_the_search(split, tmp_path):
    found = tune(split, SPACE, 6, executor=Instant(closed_after=3), workers=2, storage=tmp_path / "study.log")
    assert found.counts == {"complete": 3, "failed": 1}
    assert found.stopped == "broken"
    assert "It ended early: the executor takes no more work." in found.sentences
    assert "RUNNING" not in {trial.state.name for trial in found.study.trials}


def test_open_team_counts_the_workers():
    with ThreadPoolExecutor(3) as pool, open_team(pool) as team:
        assert (team.size, team.shares_memory) == (3, True)
    with open_team("threads", 2) as team:
        assert team.size == 2
    with pytest.raises(RuntimeError, match="shutdown"):
        team.submit(abs, 1)


# A study that several processes share.


@pytest.mark.parametrize("prefix", ["", pytest.param("sqlite:///", marks=pytest.mark.slow)])
def test_two_processes_share_a_study(tmp_path, prefix):
    check_two_processes(f"{prefix}{tmp_path.as_posix()}/study.log", tmp_path)


def test_runs_of_the_journal_are_put_into_a_shared_study_once(split, tmp_path):
    prepared = recipe.prepare(split)
    recipe.train(BASE, prepared)
    for _ in range(2):
        found = tune(prepared, SPACE, 1, executor=Instant(), storage=tmp_path / "study.log")
    assert len(found.study.trials) == 3
