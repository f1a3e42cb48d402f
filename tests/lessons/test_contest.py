"""A small model beside the baseline: what is kept of it is what the public functions say."""

import dataclasses

import numpy as np
import pytest

import recipe
from recipe.lessons.judging import small_spec
from recipe.lessons.s5_baseline.contest import compete, hold_contest
from recipe.lessons.s5_baseline.power_curve import judge_few, power_curve
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare


@pytest.fixture(scope="module")
def digits():
    return recipe.load("mnist", source="sample", rows=400)


@pytest.fixture(scope="module")
def contest(digits):
    return hold_contest(digits, small_spec(digits.problem), trained_on=60)


def test_hold_contest_is_training_and_judging_by_hand(digits, contest):
    split = hold_out(digits, test_size=0.5)
    prepared = prepare(dataclasses.replace(split, x_train=split.x_train[:60], y_train=split.y_train[:60]))
    run = recipe.train(small_spec(digits.problem), prepared, journal=None)
    outputs = run.model.predict(prepared.inputs("val"), verbose=0)
    baseline = recipe.compute_baseline(prepared.problem, prepared.y_train, prepared.y_val)
    power = recipe.statistical_power(prepared.problem, prepared.y_val, outputs, baseline)
    assert np.allclose(contest.outputs, outputs, atol=1e-5)
    assert (contest.trained_on, contest.source) == (60, "sample")
    assert (contest.power.model, contest.power.p_value) == pytest.approx((power.model, power.p_value))
    assert compete(run, prepared).power == contest.power
    assert contest.curve.needed == power_curve(prepared.problem, prepared.y_val, outputs, baseline).needed


def test_contest_judges_a_part_of_the_samples_and_never_more_than_there_are(contest):
    few = contest.judge(20, seed=3)
    assert few.samples == 20
    assert few == judge_few(contest.problem, contest.y_val, contest.outputs, contest.baseline, 20, seed=3)
    everything = contest.judge(10_000)
    assert everything.samples == len(contest.y_val)
    assert everything.model == pytest.approx(contest.power.model)


def test_hold_contest_takes_all_that_is_not_held_out(digits):
    contest = hold_contest(digits, recipe.ModelSpec(architecture="linear", epochs=1), test_size=0.25)
    assert contest.trained_on + len(contest.y_val) == len(digits.y_train)


@pytest.mark.parametrize("trained_on", [0, 10_000])
def test_hold_contest_refuses_more_samples_than_there_are(digits, trained_on):
    with pytest.raises(ValueError, match=rf"samples are there to learn from. Received: trained_on={trained_on}"):
        hold_contest(digits, recipe.ModelSpec(epochs=1), trained_on=trained_on)
