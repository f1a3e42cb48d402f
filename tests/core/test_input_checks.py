"""The wrong thing handed to a step: one sentence says what it is, and what to give instead."""

import re

import numpy as np
import pytest

from recipe import hold_out, k_fold, load, prepare, suggest_measure, time_folds


@pytest.fixture(scope="module")
def dataset():
    return load("housing", source="sample", rows=60)


def _message(call, *arguments):
    with pytest.raises(TypeError) as caught:
        call(*arguments)
    return str(caught.value)


def test_prepare_asks_for_a_split(dataset):
    assert _message(prepare, dataset) == (
        "What is prepared is a split: its training part alone says how. Received: a Dataset. "
        "Give what hold_out(dataset) returns, or one by one what k_fold(dataset) does."
    )


@pytest.mark.parametrize("cut", [hold_out, k_fold, time_folds], ids=lambda cut: cut.__name__)
def test_cutting_says_the_order_of_the_steps(dataset, cut):
    times = (np.arange(48),) if cut is time_folds else ()
    message = _message(cut, prepare(hold_out(dataset)), *times)
    order = "before it is prepared: load, then hold_out or k_fold, then prepare. Received: a Prepared. Give what load"
    assert re.search(re.escape(order), message)


def test_suggest_measure_asks_for_the_problem(dataset):
    assert _message(suggest_measure, dataset, dataset.y_train).endswith(
        "Give the problem of a dataset, dataset.problem."
    )
