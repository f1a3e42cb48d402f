"""Trials in processes of their own: the same runs as in this one, and an end to all of them whatever happens."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from forks import PYTHON
from tuning_examples import BASE

import recipe
from recipe.search import Range, SearchSpace, tune
from recipe.search.workers import open_pool

pytestmark = pytest.mark.timeout(240)
ENDLESS = SearchSpace(base=BASE.replace(epochs=1_000_000), learning_rate=Range(1e-4, 1e-2))


@pytest.fixture(scope="module")
def folds():
    return recipe.k_fold(recipe.load("housing", source="sample", rows=125), folds=3)


def find_workers():
    return [child.pid for child in multiprocessing.active_children()]


def test_processes_train_what_this_one_trains(folds):
    space = SearchSpace(base=BASE, learning_rate=(0.001, 0.01))
    far, near = (tune(folds, space, 3, workers=workers, journal=None) for workers in (2, 1))
    assert far.counts == near.counts == {"complete": 3}
    by_rate = [{run.spec.learning_rate: run.score for run in found.new} for found in (far, near)]
    assert by_rate[0] == pytest.approx(by_rate[1], rel=1e-4)
    assert far.best.score == far.study.best_value
    assert all(len(trial.intermediate_values) == BASE.epochs for trial in far.study.trials)
    assert find_workers() == []


def test_a_wish_to_stop_ends_all_processes_with_their_epoch(folds):
    stop = threading.Event()

    def ask_to_stop():
        while len(find_workers()) < 2:
            time.sleep(0.05)
        time.sleep(1)  # by then they have their trials
        stop.set()

    threading.Thread(target=ask_to_stop, daemon=True).start()
    found = tune(folds, ENDLESS, 3, workers=2, journal=None, stop=stop)
    assert (found.stopped, set(found.counts)) == ("asked", {"pruned"})
    assert all(run.epochs for run in found.new)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_worker_ends_the_search_which_says_so_and_the_next_one_goes_on(folds):
    def kill_one():
        while len(find_workers()) < 2:
            time.sleep(0.05)
        os.kill(find_workers()[0], signal.SIGKILL)

    threading.Thread(target=kill_one, daemon=True).start()
    recipe.tune(folds, SearchSpace(base=BASE), 1)
    found = tune(folds, ENDLESS, 2, workers=2)
    assert (found.stopped, found.new, len(found.trials)) == ("broken", (), 1)
    assert any("a worker was killed" in sentence for sentence in found.sentences)
    assert [trial.state.name for trial in found.study.trials] == ["COMPLETE", "FAIL", "FAIL"]


def test_workers_end_with_their_main_process_when_it_is_killed():
    code = """
        import os, time
        from recipe.search import workers

        if __name__ == "__main__":
            workers.IMPORTED.clear()  # Keras takes seconds, and nothing is trained here
            pool, _ = workers.open_pool(1, None, None)
            print(pool.submit(os.getpid).result(), flush=True)
            pool.submit(time.sleep, 600).result()
    """
    main = subprocess.Popen(
        [*PYTHON, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert main.stdout.readline().strip(), main.stderr.read()
    main.kill()
    main.communicate(timeout=30)  # comes back when nobody is left who could write


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forks on Linux")
def test_workers_begin_with_keras_imported_and_with_the_environment_of_now(monkeypatch):
    parents = set()
    for home in ("first", "second"):
        monkeypatch.setenv("RECIPE_HOME", home)
        with open_pool(1, None, None)[0] as pool:
            parent, seen, imported = pool.submit(_look_around).result(timeout=60)
        assert (seen, imported) == (home, True)
        parents.add(parent)
    assert len(parents) == 1  # both are forks of the same process,
    assert os.getpid() not in parents  # which has not begun to compute


def _look_around():
    return os.getppid(), os.environ.get("RECIPE_HOME"), "keras" in sys.modules
