"""Dropout and penalties as inputs of the program: Keras's own numbers, and one program for all strengths."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.problems import find_problem
from recipe.engine.epoch import PROGRAMS
from recipe.engine.loop import train_models
from recipe.engine.members import Job
from recipe.engine.models import build_model
from recipe.engine.strengths import strengths_of

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(90, 8)).astype(np.float32), DRAW.normal(size=(90, 1)).astype(np.float32)


def train_once(model, **options):
    parts = {"x": X[:60], "y": Y[:60], "x_val": X[60:], "y_val": Y[60:], "epochs": 2}
    job = Job(model=model, shuffle=False, **parts | options)
    return next(train_models([job])).history


def test_other_strengths_take_the_same_program_and_give_other_results():
    specs = [
        ModelSpec(hidden_units=(11,), dropout=dropout, l1=l1, l2=l2, learning_rate=rate)
        for dropout, l1, l2, rate in ((0.2, 0.0, 0.01, 0.01), (0.6, 0.001, 0.0, 0.1), (0.2, 0.02, 0.02, 0.01))
    ]
    models, before = [build_model(spec, find_problem("housing")) for spec in specs], set(PROGRAMS)
    histories = [train_once(model) for model in models]
    assert len(set(PROGRAMS) - before) == 1
    # The penalties of the fitted models, by Keras with their own strengths.
    expected = [float(sum(model.losses)) for model in models]
    assert [history["penalty"][-1] for history in histories] == pytest.approx(expected, rel=1e-5)
    assert len({history["val_data_loss"][-1] for history in histories}) == 3


def test_penalty_of_activities_is_computed_as_keras_does():
    for strength in (0.1, 0.2):  # no weight's penalty: a constant of the program, which must not be taken for another
        layer = keras.layers.Dense(1, activity_regularizer=keras.regularizers.L2(strength))
        model = keras.Sequential([keras.Input((8,)), layer])
        model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
        assert strengths_of(model).size == 0
        penalty = train_once(model, x=X, y=Y, x_val=X, y_val=Y)["penalty"][0]  # one set: no draw of rows
        assert penalty == pytest.approx(strength * float((np.asarray(model(X)) ** 2).sum() / 90), rel=1e-3)
