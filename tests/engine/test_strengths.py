"""Dropout and penalties as inputs of the program: Keras's own numbers, and one program for all strengths."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.engine.loop import _compile_for
from recipe.engine.strengths import Strengths, strengths_of
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


@pytest.fixture(scope="module")
def digits():
    return prepare(hold_out(load("mnist", source="sample", rows=200)))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_leaves_out_what_keras_leaves_out(rate):
    inputs, seed = jax.numpy.arange(1.0, 601.0).reshape(30, 20), np.array([7, 3], np.uint32)
    strengths = Strengths()
    with strengths.set(strengths_of(ModelSpec(dropout=rate))):
        ours = strengths.drop(inputs, jax.numpy.asarray(seed))
    theirs = keras.random.dropout(inputs, rate, seed=jax.numpy.asarray(seed))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.01, 0.02)])
def test_penalty_is_that_of_keras(l1, l2):
    weights = np.linspace(-2, 3, 12, dtype=np.float32).reshape(3, 4)
    strengths = Strengths()
    with strengths.set(strengths_of(ModelSpec(l1=l1, l2=l2))):
        ours = strengths.penalty(weights)
    assert float(ours) == pytest.approx(float(keras.regularizers.L1L2(l1, l2)(weights)), rel=1e-6)


def test_other_strengths_take_the_same_program_and_give_other_results(digits):
    specs = [
        ModelSpec(hidden_units=(9,), epochs=2, dropout=dropout, l1=l1, l2=l2)
        for dropout, l1, l2 in ((0.2, 0.0, 0.01), (0.6, 0.001, 0.0), (0.2, 0.02, 0.02))
    ]
    before = _compile_for.cache_info().misses
    runs = [train(spec, digits, journal=None) for spec in specs]
    assert _compile_for.cache_info().misses == before + 1
    penalties = [run.history["penalty"][-1] for run in runs]
    expected = [float(sum(run.model.losses)) for run in runs]  # of the fitted models, by Keras with their own strengths
    assert penalties == pytest.approx(expected, rel=1e-5)
    assert len({run.history["val_data_loss"][-1] for run in runs}) == 3
