"""The checklist of step 5 and the sweep of rates: pipelines that are sound, or broken in one place."""

import dataclasses

import keras
import numpy as np
import pytest

import recipe
from recipe.core.spec import ModelSpec
from recipe.debugging.checklist import CHECKLIST, run_checklist
from recipe.debugging.rate_sweep import RateSweep, sweep_rates

HOUSES = ModelSpec(hidden_units=(16,), batch_size=16, epochs=40, optimizer="adam", learning_rate=0.01)
DIGITS = ModelSpec(hidden_units=(16,), batch_size=16, epochs=10, learning_rate=0.01)


def prepared(name, rows, *, shuffled=False, encoding="auto"):
    dataset = recipe.load(name, source="sample", rows=rows)
    if shuffled:
        dataset = dataclasses.replace(dataset, y_train=np.random.default_rng(0).permutation(dataset.y_train))
    return recipe.prepare(recipe.hold_out(dataset), encoding=encoding)


@pytest.fixture(scope="module")
def houses():
    return prepared("housing", 300)


@pytest.fixture(scope="module")
def digits():
    return prepared("mnist", 500)


def arrays(data):
    return data.inputs("train"), data.y_train, data.inputs("val"), data.y_val


def test_run_checklist_of_a_sound_pipeline_finds_nothing(houses, digits):
    for data, spec in ((houses, HOUSES), (digits, DIGITS)):
        checklist = run_checklist(spec, data)
        assert [check.name for check in checklist.checks] == list(CHECKLIST)
        assert all(check.passed for check in checklist.checks)
        assert checklist.sentence.startswith("There is nothing to repair. The model beats the baseline:")
        assert not checklist.answer_may_be_missing


@pytest.mark.parametrize(("name", "rows", "spec"), [("housing", 300, HOUSES), ("mnist", 500, DIGITS)])
def test_run_checklist_of_shuffled_labels_passes_all_and_says_what_that_means(name, rows, spec):
    checklist = run_checklist(spec, prepared(name, rows, shuffled=True))
    assert checklist.first_failed is None
    assert not checklist.power.beats_baseline
    assert checklist.answer_may_be_missing
    assert "the answer may not be in the data" in checklist.sentence


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"last_activation": "sigmoid"}, "last activation"),
        ({"loss": "binary_crossentropy"}, "loss"),
        ({"learning_rate": 1e-7}, "learning rate"),
        ({"learning_rate": 30.0}, "learning rate"),
        ({"dropout": 0.99}, "output as input"),
        ({"l1": 30.0}, "output as input"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_run_checklist_begins_with_what_is_broken(houses, change, failed):
    checklist = run_checklist(HOUSES.replace(**change), houses)
    assert checklist.first_failed.name == failed
    assert f"Begin with the {failed}. " in checklist.sentence
    assert checklist.first_failed.cause in checklist.sentence
    assert not checklist.answer_may_be_missing


def test_run_checklist_finds_inputs_that_were_never_scaled():
    checklist = run_checklist(HOUSES, prepared("housing", 300, encoding="raw"))
    assert checklist.first_failed.name == "output as input"


def test_sweep_rates_finds_the_rate_that_learns(digits):
    model = recipe.build_model(DIGITS, digits.problem)
    before = model.get_weights()
    sweep = sweep_rates(model, *arrays(digits), rates=(1.0, 1e-5, 0.01))
    assert sweep.rates == (1e-5, 0.01, 1.0)
    assert sweep.best_rate == 0.01
    assert sweep.losses[1] < 0.6 * sweep.guess
    assert sweep.losses[0] == pytest.approx(sweep.first_loss, abs=0.4)
    assert sweep.updates == 100
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("arguments", [{"rates": ()}, {"updates": 0}])
def test_sweep_rates_refuses_to_do_nothing(digits, arguments):
    model = recipe.build_model(DIGITS, digits.problem)
    with pytest.raises(ValueError, match="A sweep needs a rate and an update"):
        sweep_rates(model, *arrays(digits), **arguments)


def test_sweep_in_which_all_diverged_has_no_best_rate(houses):
    sweep = RateSweep(
        optimizer="sgd", rates=(0.1,), losses=(np.nan,), courses=((np.inf,),), first_loss=1.0, guess=1.0, updates=20
    )
    assert sweep.best_rate is None
    assert np.isnan(sweep.best_loss)
    model = recipe.build_model(HOUSES.replace(optimizer="sgd"), houses.problem)
    assert np.isnan(sweep_rates(model, *arrays(houses), rates=(1e4,)).losses[0])


@pytest.mark.parametrize(("name", "loss"), [("mnist", None), ("imdb", None), ("housing", "mse"), ("housing", "mae")])
def test_guess_of_a_sweep_is_the_best_constant_on_the_validation_part(name, loss):
    data = prepared(name, 300)
    model = recipe.build_model(ModelSpec(hidden_units=(4,)), data.problem)
    model.compile(keras.optimizers.Adam(), loss or model.loss)
    y = data.y_val.astype(np.float64)
    if name == "mnist":
        shares = np.bincount(data.y_val, minlength=10) / len(y)
        expected = -np.log(shares[data.y_val]).mean()
    elif name == "imdb":
        expected = -(y * np.log(y.mean()) + (1 - y) * np.log(1 - y.mean())).mean()
    else:
        expected = y.var() if loss == "mse" else np.abs(y - np.median(y)).mean()
    sweep = sweep_rates(model, *arrays(data), rates=(0.001,), updates=1)
    assert sweep.guess == pytest.approx(expected, rel=1e-2)


def test_rates_that_fell_well_are_good_and_the_one_below_the_fastest_is_advised():
    sweep = RateSweep(
        optimizer="adam",
        rates=(0.001, 0.01, 0.1, 1.0),
        losses=(0.9, 0.3, 0.2, np.nan),
        courses=((0.95, 0.9), (0.6, 0.3), (0.3, 0.35), (np.inf, np.inf)),
        first_loss=1.0,
        guess=0.9,
        updates=40,
    )
    assert (sweep.best_rate, sweep.fastest_rate, sweep.good_rates, sweep.advised_rate) == (0.1, 0.1, (0.01, 0.1), 0.01)
    exploded = dataclasses.replace(sweep, courses=(*sweep.courses[:2], *[(np.inf, np.inf)] * 2))
    assert exploded.fastest_rate == 0.01
