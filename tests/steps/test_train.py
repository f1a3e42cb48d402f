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
from recipe.steps.training import cross_validate, train, train_seeds


def make_prepared(name, spec, rows=315):
    dataset = recipe.load(name, source="sample", rows=rows)
    return prepare(hold_out(dataset, test_size=0.2), encoding=encoding_for(spec, dataset.problem))


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
    ("housing", ModelSpec(hidden_units=(64, 64), optimizer="adam", batch_size=16, epochs=2)),
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
        # One of each kind of network and data; the others repeat.
        pytest.param(name, spec, id=f"{name}-{spec.describe()}", marks=[pytest.mark.slow] * (i not in (0, 6, 9, 10)))
        for i, (name, spec) in enumerate(SAME_AS_FIT)
    ],
)
def test_train_unshuffled_gives_the_weights_of_fit(name, spec):
    prepared = make_prepared(name, spec)
    assert len(prepared.y_train) % spec.batch_size, "the last batch must be a ragged one"
    run = train(spec, prepared, shuffle=False)
    reference = fit_with_keras(spec, prepared)
    untrained = build_model(spec, prepared.problem)
    assert relative_difference(run.model.get_weights(), reference.get_weights()) < 1e-4
    assert relative_difference(run.model.get_weights(), untrained.get_weights()) > 1e-2


def test_train_history_is_what_evaluate_measures():
    name, spec = SAME_AS_FIT[2]
    prepared = make_prepared(name, spec)
    run = train(spec, prepared)
    targets = make_targets(spec, prepared.problem, prepared.y_val)
    loss, measure = run.model.evaluate(prepared.inputs("val"), targets, verbose=0)
    assert run.history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
    assert run.history["val_" + run.measure][-1] == pytest.approx(measure, rel=1e-4)
    penalty = float(sum(run.model.losses))
    assert run.history["penalty"][-1] == pytest.approx(penalty, rel=1e-4, abs=1e-9)
    assert run.history["val_data_loss"][-1] == pytest.approx(loss - penalty, rel=1e-3)
    rows = len(prepared.y_val)
    loss, measure = run.model.evaluate(
        prepared.inputs("train")[:rows], make_targets(spec, prepared.problem, prepared.y_train[:rows]), verbose=0
    )
    assert run.history["loss"][-1] == pytest.approx(loss, rel=1e-4)
    assert run.history[run.measure][-1] == pytest.approx(measure, rel=1e-4)


@pytest.mark.slow
def test_train_with_dropout_and_shuffling_agrees_with_fit_statistically():
    spec = ModelSpec(hidden_units=(32,), dropout=0.5, epochs=8, batch_size=32)
    prepared = make_prepared("mnist", spec, rows=590)
    x_val, y_val = prepared.inputs("val"), prepared.y_val
    ours = [run.history["val_data_loss"][-1] for run in train_seeds(spec, prepared, range(8))]
    theirs = [
        fit_with_keras(spec, prepared, shuffle=True, seed=seed).evaluate(x_val, y_val, verbose=0)[0]
        for seed in range(8)
    ]
    spread = np.hypot(np.std(ours, ddof=1), np.std(theirs, ddof=1)) / np.sqrt(8)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * spread
    without = train(spec.replace(dropout=0.0), prepared).history["val_data_loss"][-1]
    assert np.mean(ours) - without > 4 * spread, "dropout must have been on while training"


def test_train_same_seed_gives_the_same_numbers_bit_for_bit():
    spec = ModelSpec(hidden_units=(16,), dropout=0.3, epochs=3)
    prepared = make_prepared("mnist", spec)
    first, second = train(spec, prepared), train(spec, prepared)
    assert first.history == second.history
    assert (first.spec, first.source, first.backend, first.stopped) == (spec, "sample", "jax", None)
    assert (first.versions["keras"], first.versions["recipe"]) == (keras.__version__, recipe.__version__)
    for one, other in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert train(spec.replace(seed=1), prepared).history != first.history


def test_train_in_two_threads_gives_the_numbers_of_one():
    spec = ModelSpec(hidden_units=(13,), dropout=0.3, epochs=4)
    prepared = make_prepared("mnist", spec)
    found = {}
    threads = [
        threading.Thread(target=lambda n=seed: found.update({n: train(spec.replace(seed=n), prepared).history}))
        for seed in (0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {seed: train(spec.replace(seed=seed), prepared).history for seed in (0, 1)}


def test_train_early_stopping_brings_the_best_weights_back():
    spec = ModelSpec(hidden_units=(64,), epochs=200, patience=5, l2=1e-4, batch_size=32)
    prepared = make_prepared("imdb", spec)
    run = train(spec, prepared)
    losses = run.history["val_data_loss"]
    assert run.stopped == "early"
    assert run.best_epoch == int(np.argmin(losses)) == run.epochs - 6
    loss, accuracy = run.model.evaluate(prepared.inputs("val"), prepared.y_val, verbose=0)
    assert loss - float(sum(run.model.losses)) == pytest.approx(losses[run.best_epoch], rel=1e-3)
    assert run.score == pytest.approx(accuracy, abs=1e-6)


def test_train_stops_within_an_epoch_when_asked_from_another_thread():
    spec = ModelSpec(epochs=100_000)
    prepared = make_prepared("housing", spec)
    stop, seen = threading.Event(), []

    def on_epoch(report):
        seen.append(report.epoch)
        if report.epoch == 20:
            asker = threading.Thread(target=stop.set)
            asker.start()
            asker.join()

    run = train(spec, prepared, on_epoch=on_epoch, stop=stop)
    assert (run.stopped, run.epochs, seen) == ("asked", 21, list(range(21)))


def test_train_ctrl_c_ends_the_training_and_keeps_what_there_is():
    spec = ModelSpec(epochs=100_000)
    prepared = make_prepared("housing", spec)
    before = signal.getsignal(signal.SIGINT)
    run = train(spec, prepared, on_epoch=lambda told: told.epoch == 3 and os.kill(os.getpid(), signal.SIGINT))
    assert (run.stopped, run.epochs) == ("interrupted", 4)
    assert np.isfinite(run.model.predict(prepared.inputs("val"), verbose=0)).all()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("engine", ["auto", "fit"])
def test_train_ctrl_c_in_the_last_epoch_is_told_all_the_same(engine):
    spec = ModelSpec(epochs=2)
    prepared = make_prepared("housing", spec)
    press = lambda told: told.epoch == 1 and os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
    run = train(spec, prepared, on_epoch=press, engine=engine)
    assert (run.stopped, run.epochs) == ("interrupted", 2)


def test_train_a_second_ctrl_c_raises():
    def twice(report):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    spec = ModelSpec(epochs=100_000)
    with pytest.raises(KeyboardInterrupt):
        train(spec, make_prepared("housing", spec), on_epoch=twice)


def test_train_keras_callbacks_act_between_epochs(tmp_path):
    spec = ModelSpec(epochs=6, optimizer="sgd", learning_rate=0.1)
    prepared = make_prepared("housing", spec)
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0 if epoch >= 2 else rate)
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    run = train(spec, prepared, callbacks=[rates, checkpoint])
    losses = run.history["val_data_loss"]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[5], rel=1e-6), "at a rate of 0 nothing changes any more"
    assert len(list(tmp_path.glob("*.keras"))) == 6


def test_train_a_callback_watches_what_is_measured_and_can_stop_it():
    spec = ModelSpec(epochs=300, hidden_units=(64,), optimizer="adam", batch_size=16)
    prepared = make_prepared("housing", spec, rows=200)
    early = keras.callbacks.EarlyStopping(
        "val_data_loss", mode="min", patience=3, restore_best_weights=True, min_delta=1.0
    )
    run = train(spec, prepared, callbacks=[early])
    assert run.stopped == "callback"
    assert run.epochs < 300


def test_train_by_fit_gives_the_same_history_as_compiled():
    spec = ModelSpec(hidden_units=(16,), l2=1e-3, epochs=4, patience=3)
    prepared = make_prepared("housing", spec)
    compiled, fitted = (train(spec, prepared, shuffle=False, engine=engine) for engine in ("auto", "fit"))
    assert set(compiled.history) == set(fitted.history)
    for name, values in compiled.history.items():
        np.testing.assert_allclose(fitted.history[name], values, rtol=1e-3, err_msg=name)
    assert (fitted.best_epoch, fitted.stopped, fitted.epochs) == (compiled.best_epoch, compiled.stopped, 4)


def test_train_refuses_an_unknown_engine_and_the_wrong_encoding():
    spec = ModelSpec(architecture="embedding", hidden_units=(8,))
    prepared = make_prepared("imdb", ModelSpec())
    with pytest.raises(ValueError, match="reads reviews as sequence, and these are multi_hot"):
        train(spec, prepared)
    with pytest.raises(ValueError, match=r"no such engine. Received: engine='turbo'"):
        train(ModelSpec(), prepared, engine="turbo")


def test_train_says_what_it_wants_of_data_that_is_not_prepared():
    split = recipe.hold_out(recipe.load("housing", source="sample", rows=100))
    with pytest.raises(TypeError, match=r"Received: a Split\. Give what prepare\(split\) returns"):
        train(ModelSpec(), split)
    with pytest.raises(TypeError, match=r"Received: a Prepared\. Give a ModelSpec"):
        train(recipe.prepare(split), ModelSpec())
    with pytest.raises(TypeError, match=r"Received: a Split"):
        recipe.train_seeds(ModelSpec(), split, (0, 1))


def test_cross_validate_side_by_side_gives_what_each_fold_gives_alone():
    # 502 rows make folds of 301 and 302 training samples; batches of 7 then differ by a step between them.
    spec = ModelSpec(hidden_units=(8,), batch_size=7, epochs=5, patience=2)
    folds = k_fold(recipe.load("housing", source="sample", rows=502), folds=4, seed=1)
    together = cross_validate(spec, folds)
    alone = [train(spec.replace(seed=number), prepare(fold)) for number, fold in enumerate(folds)]
    for one, other in zip(together, alone, strict=True):
        assert one.protocol == other.protocol
        for name, values in other.history.items():
            np.testing.assert_allclose(one.history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
        assert relative_difference(one.model.get_weights(), other.model.get_weights()) < 1e-3


def test_cross_validate_reports_each_member_and_stops():
    spec, stop, seen = ModelSpec(hidden_units=(4,), epochs=50), threading.Event(), []

    def on_epoch(report):
        seen.append((report.epoch, report.member))
        if report.epoch == 2:
            stop.set()

    runs = cross_validate(spec, k_fold(recipe.load("housing", source="sample", rows=100)), on_epoch=on_epoch, stop=stop)
    assert seen == [(epoch, member) for epoch in range(3) for member in range(4)]
    assert [run.stopped for run in runs] == ["asked"] * 4


def test_cross_validate_large_networks_in_turn():
    spec, seen = ModelSpec(hidden_units=(300, 300), epochs=2), []
    dataset = recipe.load("mnist", source="sample", rows=200)
    runs = cross_validate(spec, k_fold(dataset, folds=2), on_epoch=lambda told: seen.append((told.member, told.epoch)))
    assert seen == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [run.seed for run in runs] == [0, 1]
