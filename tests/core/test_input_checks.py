"""The wrong thing handed to a step: one sentence says what it is, and what to give instead."""

import re

import numpy as np
import pytest

from recipe import hold_out, k_fold, load, prepare, suggest_measure, time_folds

ORDER = "before it is prepared: load, then hold_out or k_fold, then prepare. Received: a Prepared. Give what load"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda dataset, _: prepare(dataset),
            "What is prepared is a split: its training part alone says how. Received: a Dataset. "
            "Give what hold_out(dataset) returns, or one by one what k_fold(dataset) does.",
        ),
        (lambda _, prepared: hold_out(prepared), ORDER),
        (lambda _, prepared: k_fold(prepared), ORDER),
        (lambda _, prepared: time_folds(prepared, np.arange(48)), ORDER),
        (
            lambda dataset, _: suggest_measure(dataset, dataset.y_train),
            "Give the problem of a dataset, dataset.problem.",
        ),
    ],
)
def test_step_says_what_it_takes(call, message):
    dataset = load("housing", source="sample", rows=60)
    with pytest.raises(TypeError, match=re.escape(message)):
        call(dataset, prepare(hold_out(dataset)))
