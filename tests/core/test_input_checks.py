"""The wrong thing handed to a step: one sentence says what it is, and what to give instead."""

import re

import keras
import numpy as np
import pytest

import recipe

HOUSES = recipe.load("housing", source="sample", rows=60)
SPLIT = recipe.hold_out(HOUSES)
PREPARED = recipe.prepare(SPLIT)
SPEC = recipe.ModelSpec()
MODEL = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])

SPLITS = "Give what hold_out(dataset) returns, or one by one what k_fold(dataset) does."
ORDER = "before it is prepared: load, then hold_out or k_fold, then prepare. Received: a Prepared. Give what load"
CALLS = [
    (
        lambda: recipe.prepare(HOUSES),
        f"What is prepared is a split: its training part alone says how. Received: a Dataset. {SPLITS}",
    ),
    (lambda: recipe.hold_out(PREPARED), ORDER),
    (lambda: recipe.k_fold(PREPARED), ORDER),
    (lambda: recipe.time_folds(PREPARED, np.arange(48)), ORDER),
    (lambda: recipe.suggest_measure(HOUSES, HOUSES.y_train), "Give the problem of a dataset, dataset.problem."),
    (lambda: recipe.build_model(HOUSES.problem, SPEC), "Received: a Problem. Give a ModelSpec"),
    (lambda: recipe.build_model(SPEC, "mnist"), "Received: a str. Give the problem of a dataset"),
    (lambda: recipe.compute_baseline("housing"), "on prepared data. Received: a str. Give what prepare(split) returns"),
    (lambda: recipe.train(SPEC, SPLIT), "Received: a Split. Give what prepare(split) returns"),
    (lambda: recipe.train(PREPARED, SPEC), "Received: a Prepared. Give a ModelSpec"),
    (lambda: recipe.train_seeds(SPEC, SPLIT, (0, 1)), "Received: a Split. Give what prepare(split) returns"),
    (lambda: recipe.advise(SPEC), "Advice is given on a run; "),
    (lambda: recipe.advise(None), "Received: a NoneType. Give what train returns"),
    (lambda: recipe.train_final(HOUSES, SPEC), "Received: a Dataset. Give a ModelSpec"),
    (lambda: recipe.train_final(SPEC, SPLIT), "Received: a Split. Give what load returns"),
    (lambda: recipe.evaluate_once(MODEL, HOUSES), "Received: a Sequential. Give what train_final"),
    (lambda: recipe.save_model(MODEL, "model.keras"), "saved by its own save(path). Received: a "),
    (lambda: recipe.find_duplicates(SPLIT, SPLIT), "Received: a Split and a Split. Give arrays or reviews, such as"),
    (lambda: recipe.tune("housing"), "Received: data, a str."),
    (lambda: recipe.run_recipe(SPEC), "with the data itself. Received: a ModelSpec. Give what load"),
]


@pytest.mark.parametrize(("call", "message"), CALLS)
def test_step_says_what_it_takes(call, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        call()
