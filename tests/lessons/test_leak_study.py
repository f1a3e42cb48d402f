"""How tuning flatters, against counting by hand."""

import itertools
import threading

import numpy as np
import pytest

import recipe
from recipe.data.problems import find_problem
from recipe.journal import default_journal
from recipe.lessons.s3_protocol.study import SelectionStudy
from recipe.lessons.s7_regularize.leak import draw_specs, small_space, study_leak
from recipe.search.space import SearchSpace


def make_study(problem="mnist", draws=3, candidates=6, seed=0):
    rng = np.random.default_rng(seed)
    dev, truth = rng.random((2, draws, candidates))
    return SelectionStudy(problem=find_problem(problem), source="sample", dev=dev, truth=truth, dev_rows=20)


@pytest.mark.parametrize("problem", ["mnist", "housing"])
@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_expected_is_the_mean_over_every_choice_of_so_many(problem, count):
    study = make_study(problem)
    best = np.argmax if problem == "mnist" else np.argmin
    pairs = []
    for dev, truth in zip(study.dev, study.truth, strict=True):
        for some in itertools.combinations(range(6), count):
            chosen = some[best(dev[list(some)])]
            pairs.append((dev[chosen], truth[chosen]))
    assert study.expected(count) == pytest.approx(np.mean(pairs, axis=0))


@pytest.mark.parametrize("count", [0, 7])
def test_expected_refuses_more_than_there_are(count):
    with pytest.raises(ValueError, match=f"There are 6 candidates. Received: candidates={count}"):
        make_study().expected(count)


def test_study_leak_measures_a_leak_that_grows():
    dataset = recipe.load("mnist", source="sample")
    space = SearchSpace(base=small_space(dataset.problem).base.replace(epochs=6), learning_rate=(0.005, 0.01, 0.02))
    messages = []
    study = study_leak(
        dataset, space, trials=6, rows=60, draws=4, on_progress=lambda _, message: messages.append(message)
    )
    assert study.dev.shape == study.truth.shape == (4, 6)
    assert study.dev_rows == 12
    flattered = [study.expected(count)[0] for count in range(1, 7)]
    assert flattered == sorted(flattered)
    assert study.optimism(6) > 0
    assert messages[-1] == "spec 6 of 6"
    assert default_journal().runs() == []  # they are no runs of the learner's


def test_study_leak_says_that_it_was_stopped_too_early():
    stop = threading.Event()
    stop.set()
    dataset = recipe.load("mnist", source="sample", rows=300)
    with pytest.raises(ValueError, match="A choice needs 2 trials, and 0 came to an end before the stop"):
        study_leak(dataset, trials=2, rows=40, draws=1, stop=stop)


@pytest.mark.parametrize("arguments", [{"trials": 1}, {"draws": 0}], ids=str)
def test_study_leak_refuses_what_is_no_choice(arguments):
    with pytest.raises(ValueError, match="A choice needs 2 trials and 1 draw"):
        study_leak(recipe.load("mnist", source="sample", rows=300), **arguments)


@pytest.mark.parametrize("name", ["mnist", "imdb", "housing"])
def test_draw_specs_differ(name):
    specs = draw_specs(small_space(find_problem(name)), 12)
    assert len(set(specs)) == 12
    assert len({spec.hidden_units for spec in specs}) == 3
    assert len(draw_specs(SearchSpace(units=(8, 16)), 5)) == 5  # there are but two
