"""The compiled engine against plain Keras, and the ways in which a training can end."""

import os
import signal
import threading

import keras
import numpy as np
import pytest

import recipe
from recipe.core.prepared import encoding_for
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model, make_targets
from recipe.steps.s3_protocol import hold_out, k_fold
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import cross_validate, train

# One network on one set of data, so that it is compiled once.
SPEC = ModelSpec(hidden_units=(8,), dropout=0.3, l2=1e-3, optimizer="adam", batch_size=16, epochs=3)
ENDLESS = SPEC.replace(epochs=100_000)


def make_prepared(name, spec, rows=315):
    dataset = recipe.load(name, source="sample", rows=rows)
    return prepare(hold_out(dataset, test_size=0.2), encoding=encoding_for(spec, dataset.problem))


@pytest.fixture(scope="module")
def houses():
    return make_prepared("housing", SPEC, rows=90)


@pytest.fixture(scope="module")
def trained(houses):
    return train(SPEC, houses, journal=None)


def fit_with_keras(spec, prepared, *, shuffle=False, seed=None):
    model = build_model(spec if seed is None else spec.replace(seed=seed), prepared.problem)
    targets = make_targets(spec, prepared.problem, prepared.y_train)
    if seed is not None:
        keras.utils.set_random_seed(seed)
    model.fit(
        prepared.inputs("train"), targets, batch_size=spec.batch_size, epochs=spec.epochs, shuffle=shuffle, verbose=0
    )
    return model


def relative_difference(weights, reference):
    return max(np.abs(a - b).max() / max(np.abs(b).max(), 1e-6) for a, b in zip(weights, reference, strict=True))


SAME_AS_FIT = [
    ("housing", SPEC),
    ("housing", ModelSpec(architecture="linear", optimizer="sgd", batch_size=1000, epochs=2)),
    ("housing_vector", ModelSpec(hidden_units=(8,), activation="tanh", l1=1e-3, l2=1e-3, batch_size=8, epochs=2)),
    ("housing_fraction", ModelSpec(hidden_units=(8,), optimizer="nadam", loss="binary_crossentropy", epochs=2)),
    ("mnist", ModelSpec(hidden_units=(32,), epochs=2)),
    ("mnist", ModelSpec(hidden_units=(16,), loss="mse", optimizer="adamw", learning_rate=0.01, epochs=2)),
    ("mnist", ModelSpec(architecture="convnet", hidden_units=(4, 8), l2=1e-3, batch_size=50, epochs=2)),
    ("mnist_multilabel", ModelSpec(hidden_units=(16,), optimizer="adagrad", epochs=2)),
    ("mnist_five", ModelSpec(hidden_units=(16,), optimizer="sgd", learning_rate=0.1, epochs=2)),
    ("imdb", ModelSpec(hidden_units=(16, 16), l2=1e-3, epochs=2)),
    ("imdb", ModelSpec(architecture="embedding", hidden_units=(8, 8), epochs=2)),
]


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        # Convolutions and sequences stand beside plain fit in tests/engine/test_loop.py; the others repeat.
        pytest.param(name, spec, id=f"{name}-{spec.describe()}", marks=[pytest.mark.slow] * (i > 0))
        for i, (name, spec) in enumerate(SAME_AS_FIT)
    ],
)
def test_train_unshuffled_gives_the_weights_of_fit(name, spec):
    prepared = make_prepared(name, spec, rows=90 if name == "housing" else 315)
    assert len(prepared.y_train) % spec.batch_size, "the last batch must be a ragged one"
    run = train(spec, prepared, shuffle=False)
    reference = fit_with_keras(spec, prepared)
    untrained = build_model(spec, prepared.problem)
    assert relative_difference(run.model.get_weights(), reference.get_weights()) < 1e-4
    assert relative_difference(run.model.get_weights(), untrained.get_weights()) > 1e-2


def test_train_history_is_what_evaluate_measures(trained, houses):
    run, rows = trained, len(houses.y_val)
    loss, measure = run.model.evaluate(houses.inputs("val"), houses.y_val, verbose=0)
    penalty = float(sum(run.model.losses))
    train_loss, train_measure = run.model.evaluate(houses.inputs("train")[:rows], houses.y_train[:rows], verbose=0)
    expected = {"val_loss": loss, f"val_{run.measure}": measure, "penalty": penalty, "val_data_loss": loss - penalty}
    expected |= {"loss": train_loss, run.measure: train_measure}
    assert {name: run.history[name][-1] for name in expected} == pytest.approx(expected, rel=1e-3)


def test_train_same_seed_gives_the_same_numbers_bit_for_bit_in_whatever_thread(trained, houses):
    found = {}
    threads = [
        threading.Thread(target=lambda n=seed: found.update({n: train(SPEC.replace(seed=n), houses)}))
        for seed in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0].history == trained.history != found[1].history
    for one, other in zip(found[0].model.get_weights(), trained.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (trained.spec, trained.source, trained.backend, trained.stopped) == (SPEC, "sample", "jax", None)
    assert (trained.versions["keras"], trained.versions["recipe"]) == (keras.__version__, recipe.__version__)


def test_train_early_stopping_brings_the_best_weights_back(houses):
    run = train(SPEC.replace(epochs=500, patience=5, learning_rate=0.03), houses)
    losses = run.history["val_data_loss"]
    assert run.stopped == "early"
    assert run.best_epoch == int(np.argmin(losses)) == run.epochs - 6
    loss, error = run.model.evaluate(houses.inputs("val"), houses.y_val, verbose=0)
    assert loss - float(sum(run.model.losses)) == pytest.approx(losses[run.best_epoch], rel=1e-3)
    assert run.score == pytest.approx(error, rel=1e-5)


def test_train_stops_within_an_epoch_when_asked_from_another_thread(houses):
    stop, seen = threading.Event(), []

    def on_epoch(report):
        seen.append(report.epoch)
        if report.epoch == 20:
            asker = threading.Thread(target=stop.set)
            asker.start()
            asker.join()

    run = train(ENDLESS, houses, on_epoch=on_epoch, stop=stop)
    assert (run.stopped, run.epochs, seen) == ("asked", 21, list(range(21)))


def press(report, epoch=1, times=1):
    """Press Ctrl-C at the end of an epoch."""
    for _ in range(times if report.epoch == epoch else 0):
        os.kill(os.getpid(), signal.SIGINT)


BY_FIT = [keras.callbacks.Callback()]  # one that does nothing


@pytest.mark.parametrize(("callbacks", "epochs"), [([], 100_000), ([], 2), (BY_FIT, 2)])
def test_train_ctrl_c_ends_the_training_is_told_and_keeps_what_there_is(callbacks, epochs, houses):
    before = signal.getsignal(signal.SIGINT)
    run = train(SPEC.replace(epochs=epochs), houses, on_epoch=press, callbacks=callbacks)  # 2 epochs: in the last one
    assert (run.stopped, run.epochs) == ("interrupted", 2)
    assert np.isfinite(run.model.predict(houses.inputs("val"), verbose=0)).all()
    assert signal.getsignal(signal.SIGINT) is before


def test_train_a_second_ctrl_c_raises(houses):
    with pytest.raises(KeyboardInterrupt):
        train(ENDLESS, houses, on_epoch=lambda report: press(report, times=2))


def test_train_keras_callbacks_act_between_epochs_and_can_stop_it(houses, tmp_path):
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0 if epoch >= 2 else rate)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    early = keras.callbacks.EarlyStopping("val_data_loss", mode="min", patience=3, restore_best_weights=True)
    run = train(SPEC.replace(epochs=30), houses, callbacks=[rates, checkpoint, early])
    losses = run.history["val_data_loss"]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[-1], rel=1e-6), "at a rate of 0 nothing changes any more"
    assert (run.stopped, len(list(tmp_path.glob("*.keras")))) == ("callback", run.epochs)
    assert run.epochs < 30


def test_train_by_fit_gives_the_same_history_as_compiled(houses):
    spec = SPEC.replace(patience=3)
    compiled, fitted = (train(spec, houses, shuffle=False, callbacks=how) for how in ([], BY_FIT))
    assert set(compiled.history) == set(fitted.history)
    for name, values in compiled.history.items():
        np.testing.assert_allclose(fitted.history[name], values, rtol=1e-3, err_msg=name)
    assert (fitted.best_epoch, fitted.stopped, fitted.epochs) == (compiled.best_epoch, compiled.stopped, 3)


def test_train_refuses_the_wrong_encoding():
    with pytest.raises(ValueError, match="reads reviews as sequence, and these are multi_hot"):
        train(ModelSpec(architecture="embedding", hidden_units=(8,)), make_prepared("imdb", SPEC, rows=20))


@pytest.fixture(scope="module")
def folds():
    """Of 46 and 47 training samples: batches of 46 differ by a step between them."""
    return k_fold(recipe.load("housing", source="sample", rows=78), folds=4, seed=1)


def test_cross_validate_side_by_side_gives_what_each_fold_gives_alone(folds):
    spec, seen = SPEC.replace(batch_size=46, epochs=5, patience=2), []
    together = cross_validate(spec, folds, on_epoch=lambda told: seen.append((told.epoch, told.member)))
    assert seen[:8] == [(epoch, member) for epoch in range(2) for member in range(4)]
    alone = [train(spec.replace(seed=number), prepare(fold)) for number, fold in enumerate(folds)]
    for one, other in zip(together, alone, strict=True):
        assert one.protocol == other.protocol
        for name, values in other.history.items():
            np.testing.assert_allclose(one.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
        assert relative_difference(one.model.get_weights(), other.model.get_weights()) < 1e-3
        assert one.model is one.model  # built when it was asked for, once


def test_cross_validate_stops_all_members_with_their_epoch(folds):
    stop, seen = threading.Event(), []

    def on_epoch(report):
        seen.append(report.member)
        if report.epoch == 2:
            stop.set()

    runs = cross_validate(ENDLESS.replace(batch_size=46), folds, on_epoch=on_epoch, stop=stop)
    assert seen == 3 * [0, 1, 2, 3]
    assert [run.stopped for run in runs] == ["asked"] * 4
