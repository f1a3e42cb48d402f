"""The checklist on pipelines that are sound, broken in one place, or asked for what is not in the data."""

import math
from dataclasses import replace

import numpy as np
import pytest

import recipe
from recipe.core.checks import Status
from recipe.core.spec import ModelSpec
from recipe.debugging.checklist import check_optimizer, check_output_as_input, give_output_as_input, run_checklist
from recipe.debugging.rate_sweep import RateSweep, guess_loss, sweep_rates

HOUSES = ModelSpec(hidden_units=(16,), batch_size=16, epochs=40, optimizer="adam", learning_rate=0.01)
DIGITS = ModelSpec(hidden_units=(16,), batch_size=16, epochs=10, learning_rate=0.01)


def prepared(name, rows, *, shuffled=False, encoding="auto"):
    dataset = recipe.load(name, source="sample", rows=rows)
    if shuffled:
        dataset = replace(dataset, y_train=np.random.default_rng(0).permutation(dataset.y_train))
    return recipe.prepare(recipe.hold_out(dataset), encoding=encoding)


@pytest.fixture(scope="module")
def houses():
    return prepared("housing", 300)


@pytest.fixture(scope="module")
def digits():
    return prepared("mnist", 500)


def outcome(checklist):
    return [check.status.name for check in checklist.checks]


PASSED, FAILED = Status.PASSED.name, Status.FAILED.name


def test_run_checklist_of_a_sound_pipeline_finds_nothing(houses, digits):
    for data, spec in ((houses, HOUSES), (digits, DIGITS)):
        checklist = run_checklist(spec, data)
        assert outcome(checklist) == [PASSED] * 4
        assert checklist.sentence.startswith("There is nothing to repair. The model beats the baseline:")
        assert not checklist.answer_may_be_missing


@pytest.mark.parametrize(("name", "rows", "spec"), [("housing", 300, HOUSES), ("mnist", 500, DIGITS)])
def test_run_checklist_of_shuffled_labels_passes_all_and_says_what_that_means(name, rows, spec):
    checklist = run_checklist(spec, prepared(name, rows, shuffled=True))
    assert outcome(checklist) == [PASSED] * 4
    assert checklist.first_failed is None
    assert not checklist.power.beats_baseline
    assert checklist.answer_may_be_missing
    assert "the answer may not be in the data" in checklist.sentence


def test_run_checklist_of_an_embedding_network_says_what_does_not_apply():
    spec = ModelSpec(architecture="embedding", hidden_units=(4,), batch_size=32, epochs=2)
    checklist = run_checklist(spec, prepared("imdb", 300, shuffled=True, encoding="sequence"))
    assert outcome(checklist)[3] == Status.NOT_APPLICABLE.name
    assert not checklist.power.beats_baseline
    assert checklist.sentence.startswith("3 checks passed, the rest do not apply, and still: ")


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"last_activation": "sigmoid"}, [FAILED, PASSED, PASSED, FAILED]),
        ({"loss": "binary_crossentropy"}, [PASSED, FAILED, PASSED, FAILED]),
        ({"learning_rate": 1e-7}, [PASSED, PASSED, FAILED, FAILED]),
        ({"learning_rate": 30.0}, [PASSED, PASSED, FAILED, FAILED]),
        ({"dropout": 0.99}, [PASSED, PASSED, PASSED, FAILED]),
        ({"l1": 30.0}, [PASSED, PASSED, PASSED, FAILED]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_run_checklist_begins_with_what_is_broken(houses, change, failed):
    checklist = run_checklist(HOUSES.replace(**change), houses)
    found = outcome(checklist)
    # A wrong last layer or loss may drag the rates along; what counts is that it is named first.
    assert [found[0], found[1], found[3]] == [failed[0], failed[1], failed[3]]
    assert checklist.first_failed.name == checklist.checks[failed.index(FAILED)].name
    assert checklist.sentence.startswith(f"Begin with the {checklist.first_failed.name}. ")
    assert checklist.first_failed.cause in checklist.sentence
    assert not checklist.answer_may_be_missing


def test_run_checklist_finds_inputs_that_were_never_scaled():
    checklist = run_checklist(HOUSES, prepared("housing", 300, encoding="raw"))
    assert outcome(checklist)[3] == FAILED
    assert "the scale of the inputs" in checklist.checks[3].cause


def test_run_checklist_takes_a_training_that_was_done(houses):
    run = recipe.train(HOUSES, houses, journal=None)
    assert run_checklist(HOUSES, houses, run=run).run is run


def test_checklist_says_that_a_model_beats_the_baseline_all_the_same(digits):
    slow = run_checklist(DIGITS.replace(learning_rate=0.0002), digits)
    assert slow.power.beats_baseline
    assert slow.sentence.startswith("The model beats the baseline, and could do better. Begin with the optimizer")


@pytest.mark.parametrize(("rate", "direction"), [(1e-7, "low"), (1.0, "high")])
def test_check_optimizer_says_which_way_to_go(digits, rate, direction):
    check = check_optimizer(DIGITS.replace(learning_rate=rate), digits)
    assert check.failed
    assert check.value < 0.5
    assert f"The rate is too {direction}: take 0.01" in check.cause
    assert f"With rmsprop at a rate of {rate:g}, " in check.found


def test_check_optimizer_sees_that_training_diverged(houses):
    spec = HOUSES.replace(optimizer="sgd", learning_rate=50.0, epochs=20)
    run = recipe.train(spec, houses, journal=None)
    assert not math.isfinite(run.history["val_data_loss"][-1])
    check = check_optimizer(spec, houses, run=run)
    assert check.failed
    assert "training diverged" in check.found
    assert "too high" in check.cause


def test_check_optimizer_of_a_divergence_at_every_rate_blames_no_rate(houses):
    spec = HOUSES.replace(optimizer="sgd", learning_rate=50.0, epochs=20)
    nothing = RateSweep(optimizer="sgd", rates=(0.1, 1.0), losses=(math.nan, math.nan), guess=1.0, updates=10)
    check = check_optimizer(spec, houses, sweep=nothing)
    assert check.failed
    assert check.cause.startswith("No rate helps")
    assert math.isnan(check.value)


def test_check_output_as_input_leaves_hardly_any_error(houses, digits):
    for data, spec in ((houses, HOUSES), (digits, DIGITS)):
        check = check_output_as_input(spec, data)
        assert check.passed
        assert 0 <= check.value < 0.25


def test_check_output_as_input_has_no_place_in_a_sequence_of_words():
    check = check_output_as_input(
        ModelSpec(architecture="embedding", hidden_units=(8,)), prepared("imdb", 200, encoding="sequence")
    )
    assert check.status is Status.NOT_APPLICABLE
    assert "reads words" in check.found


@pytest.mark.parametrize("name", ["mnist", "mnist_multilabel", "mnist_five", "imdb", "housing", "housing_vector"])
def test_give_output_as_input_writes_the_target_as_the_network_reads_it(name):
    data = prepared(name, 300)
    given = give_output_as_input(data)
    outputs = data.problem.outputs
    for part, y in (("train", data.y_train), ("val", data.y_val)):
        before, after = data.inputs(part), given.inputs(part)
        assert (after[:, : before.shape[1]] == before).all()
        written = after[:, before.shape[1] :].reshape(len(after), -1)[:, :outputs]  # an image has a whole row below
        expected = np.eye(10)[y] if name == "mnist" else y.reshape(len(y), -1)
        assert np.allclose(written, expected, atol=1e-6)
    assert given.x_train.dtype == data.x_train.dtype
    assert given.problem.input_shape == given.x_train.shape[1:]


def test_give_output_as_input_refuses_a_sequence_of_words():
    with pytest.raises(ValueError, match=r"no place for a target.*encoding=.sequence.*multi_hot"):
        give_output_as_input(prepared("imdb", 200, encoding="sequence"))


def test_sweep_rates_finds_the_rate_that_learns(digits):
    sweep = sweep_rates(DIGITS, digits, (1.0, 1e-5, 0.01), updates=50)
    assert sweep.rates == (1e-5, 0.01, 1.0)
    assert sweep.best_rate == 0.01
    assert sweep.losses[1] < 0.6 * sweep.guess
    assert sweep.losses[0] == pytest.approx(sweep.guess, abs=0.4)
    assert sweep.updates >= 50


def test_sweep_rates_takes_no_more_batches_than_were_asked_for(digits):
    assert sweep_rates(DIGITS, digits, (0.01,), updates=5).updates == 5


@pytest.mark.parametrize("arguments", [{"rates": ()}, {"updates": 0}])
def test_sweep_rates_refuses_to_do_nothing(digits, arguments):
    with pytest.raises(ValueError, match="A sweep needs a rate and an update"):
        sweep_rates(DIGITS, digits, **arguments)


def test_sweep_in_which_all_diverged_has_no_best_rate():
    sweep = RateSweep(optimizer="sgd", rates=(0.1,), losses=(math.nan,), guess=1.0, updates=10)
    assert sweep.best_rate is None
    assert math.isnan(sweep.best_loss)


@pytest.mark.parametrize("name", ["mnist", "mnist_multilabel", "imdb", "housing", "housing_vector"])
def test_guess_loss_agrees_with_the_loss_by_hand(name):
    data = prepared(name, 300)
    train, val = (y.reshape(len(y), -1).astype(np.float64) for y in (data.y_train, data.y_val))
    if name == "mnist":
        shares = np.bincount(data.y_train, minlength=10) / len(data.y_train)
        expected = -np.log(shares[data.y_val]).mean()
    elif data.problem.type.is_classification:
        shares = train.mean(axis=0)
        expected = -(val * np.log(shares) + (1 - val) * np.log(1 - shares)).mean()
    else:
        expected = ((val - train.mean(axis=0)) ** 2).mean()
    assert guess_loss(ModelSpec(), data) == pytest.approx(expected, rel=1e-4)


def test_guess_loss_of_the_absolute_error_is_the_medians():
    data = prepared("housing", 300)
    expected = np.abs(data.y_val - np.median(data.y_train)).mean()
    assert guess_loss(ModelSpec(loss="mae"), data) == pytest.approx(expected, rel=1e-4)
