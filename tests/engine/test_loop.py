"""The door to the engine takes any compiled model, and trains it as plain Keras does."""

from __future__ import annotations

import os
import signal

import keras
import numpy as np
import pytest

from recipe.engine.loop import train_models
from recipe.engine.members import Job

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(100, 6)).astype(np.float32)
Y = (X[:, :1] + X[:, 1:2] > 0).astype(np.float32)


def sequential(*, loss="binary_crossentropy", metrics=("accuracy",), optimizer="adam", start=0.0):
    last = keras.layers.Dense(1, "sigmoid", bias_initializer=keras.initializers.Constant(start))
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="tanh"), last])
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return model


def functional():
    x = keras.Input((6,))
    side = keras.layers.Dense(4, activation="relu")(x)
    normal = keras.layers.BatchNormalization()(keras.layers.Concatenate()([x, side]))
    model = keras.Model(x, keras.layers.Dense(1, activation="sigmoid", kernel_regularizer="l2")(normal))
    model.compile(optimizer=keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 20)), loss="mse")
    return model


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.last = keras.layers.Dense(5, activation="relu"), keras.layers.Dense(1)

    def call(self, x):
        return keras.ops.sigmoid(self.last(self.hidden(x)))


def subclassed():
    model = Subclassed()
    model.compile(loss=keras.losses.Huber(), metrics=[keras.metrics.BinaryAccuracy(name="right")])
    model(X[:1])
    return model


def relu(x):  # as a learner writes it, with a slip
    return keras.ops.maximum(x, 0.1)


def own_parts():
    def loss(y, outputs):
        return keras.ops.mean((y - outputs) ** 4, axis=-1)

    def distance(y, outputs):
        return keras.ops.mean(keras.ops.abs(y - outputs), axis=-1)

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, relu), keras.layers.Dense(1)])
    model.compile(optimizer="nadam", loss=loss, metrics=[distance])
    return model


def summed():
    return sequential(loss=keras.losses.BinaryCrossentropy(from_logits=True, reduction="sum"), optimizer="sgd")


def adapted():
    normalization = keras.layers.Normalization()
    normalization.adapt(3 * X + 5)
    model = keras.Sequential([keras.Input((6,)), normalization, keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


def twice(make):
    """Two models with the same weights."""
    ours, theirs = make(), make()
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def make_job(model, x=X, **options):
    # Batches of one size, so that a kind of model is compiled once.
    return Job(model=model, x=x[:80], y=Y[:80], x_val=x[80:], y_val=Y[80:], **{"batch_size": 20} | options)


def train_one(job, **options):
    return next(train_models([job], **options))


def assert_same_weights(ours, theirs, rtol=2e-4):
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-5)


def convolutional():
    layers = [keras.layers.Conv2D(3, 3, padding="same", activation="relu"), keras.layers.MaxPooling2D(2)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


def recurrent():
    layers = [keras.layers.Embedding(20, 3, mask_zero=True), keras.layers.Bidirectional(keras.layers.SimpleRNN(4))]
    model = keras.Sequential([keras.Input((7,), dtype="int32"), *layers, keras.layers.Dense(1)])
    model.compile(loss="mse")
    return model


INPUTS = {convolutional: DRAW.normal(size=(100, 8, 8, 1)).astype(np.float32), recurrent: DRAW.integers(0, 20, (100, 7))}
SLOW = [pytest.param(make, marks=pytest.mark.slow) for make in (summed, adapted, recurrent)]


@pytest.mark.parametrize("make", [sequential, functional, subclassed, own_parts, convolutional, *SLOW])
def test_train_models_gives_what_fit_and_evaluate_give(make):
    (ours, theirs), x = twice(make), INPUTS.get(make, X)
    for _ in range(2):  # a training goes on where the one before it ended
        history = train_one(make_job(ours, x, epochs=2, shuffle=False)).history
        assert ours.train_function is None  # it was not trained by `fit`
        fitted = theirs.fit(
            x[:80], Y[:80], batch_size=20, epochs=2, shuffle=False, verbose=0, validation_data=(x[80:], Y[80:])
        )
    assert_same_weights(ours, theirs, rtol=1e-3)
    for name in set(fitted.history) - {"loss", "val_loss"} if make is summed else fitted.history:
        if name.startswith("val_"):
            assert history[name] == pytest.approx(fitted.history[name], rel=1e-3), name
    assert {name.removeprefix("val_") for name in history} - {"data_loss", "penalty"} == {
        name for name in fitted.history if not name.startswith("val_")
    }


def test_train_models_gives_what_fit_gives_where_the_last_batch_is_smaller_and_its_mean_counts():
    ours, theirs = twice(functional)
    train_one(make_job(ours, shuffle=False, batch_size=30))
    theirs.fit(X[:80], Y[:80], batch_size=30, shuffle=False, verbose=0)
    assert_same_weights(ours, theirs, rtol=1e-3)


def test_train_models_takes_a_given_number_of_steps_from_few_rows():
    theirs, rows = sequential(), np.resize(np.arange(6), 20)
    start = theirs.get_weights()
    theirs.fit(X[rows], Y[rows], batch_size=4, shuffle=False, verbose=0)
    few = {"x": X[:6], "y": Y[:6], "x_val": X[80:], "y_val": Y[80:]}
    for callbacks in ([], [keras.callbacks.Callback()]):  # on the compiled engine, and by fit
        ours = sequential()
        ours.set_weights(start)
        job = Job(model=ours, **few, batch_size=4, steps_per_epoch=5, shuffle=False)
        train_one(job, callbacks=callbacks)
        assert_same_weights(ours, theirs)


def test_train_models_scales_and_casts_what_it_keeps_in_a_small_dtype():
    ours, theirs = twice(sequential)
    x = DRAW.integers(0, 256, (100, 6), np.uint8)
    history = train_one(make_job(ours, x, input_scale=1 / 255, shuffle=False)).history
    theirs.fit(x[:80] / np.float32(255), Y[:80], batch_size=20, shuffle=False, verbose=0)
    assert_same_weights(ours, theirs)
    assert history["val_loss"][0] == pytest.approx(
        theirs.evaluate(x[80:] / np.float32(255), Y[80:], verbose=0)[0], rel=1e-4
    )


def test_train_models_side_by_side_gives_what_each_gives_alone():
    rates, alone = (0.001, 0.01, 0.1), []
    # Networks that would begin otherwise are of one kind all the same, as those of folds of one's own data.
    together = [sequential(optimizer=keras.optimizers.Adam(rate), start=rate) for rate in rates]
    for model in together[1:]:
        model.set_weights(together[0].get_weights())
    for model, rate in zip(together, rates, strict=True):
        alone.append(sequential(optimizer=keras.optimizers.Adam(rate)))
        alone[-1].set_weights(model.get_weights())
    seen = []
    jobs = [make_job(model, epochs=2) for model in together]
    found = list(train_models(jobs, on_epoch=lambda told: seen.append((told.epoch, told.member))))
    assert seen == [(epoch, member) for epoch in range(2) for member in range(3)]
    for progress, model, single in zip(found, together, alone, strict=True):
        expected = train_one(make_job(single, epochs=2)).history
        assert progress.history["val_data_loss"] == pytest.approx(expected["val_data_loss"], rel=1e-4)
        assert_same_weights(model, single)


def test_train_models_of_different_kinds_takes_them_in_turn_until_it_is_stopped():
    seen = []

    def on_epoch(told):
        seen.append((told.epoch, told.member))
        if told.member == 1:
            os.kill(os.getpid(), signal.SIGINT)

    jobs = [make_job(make(), epochs=2) for make in (sequential, functional, subclassed)]
    found = list(train_models(jobs, on_epoch=on_epoch))
    assert [progress.stopped for progress in found] == [None, "interrupted"]
    assert seen == [(0, 0), (1, 0), (0, 1)]


def test_train_models_leaves_a_training_step_of_ones_own_to_fit():
    class Counted(Subclassed):
        steps = 0

        def train_step(self, *arguments):
            Counted.steps += 1
            return super().train_step(*arguments)

    model = Counted()
    model.compile(loss="mse")
    train_one(make_job(model))
    assert Counted.steps > 0
