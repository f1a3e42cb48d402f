"""The power of a test against simulation, and against SciPy where it has the same thing."""

import math

import numpy as np
import pytest
from scipy import stats

import recipe
from recipe.data.problems import find_problem
from recipe.lessons.s5_baseline.power_curve import judge_few, mcnemar_power, normal_power, power_curve
from recipe.steps.s5_baseline import sign_test

IMDB, HOUSING = find_problem("imdb"), find_problem("housing")


def make_reviews(samples=400, accuracy=0.62, seed=0):
    """Labels, outputs of a middling model that is right as often as asked for, and the baseline on the same labels."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat([0, 1], samples // 2)).astype(np.uint8)
    is_right = rng.permutation(samples) < round(accuracy * samples)
    outputs = np.where(is_right, y, 1 - y).astype(np.float32)[:, None]
    return y, outputs, recipe.compute_baseline(IMDB, y, y)


def make_houses(samples=200, error=0.9, seed=0):
    """Values, guesses that are off a little less than the median is, and the baseline on the same values."""
    rng = np.random.default_rng(seed)
    y = rng.gamma(4, 0.5, samples).astype(np.float32)
    outputs = (np.median(y) + (1 - error) * (y - np.median(y)) + rng.normal(0, 0.2, samples))[:, None]
    return y, outputs, recipe.compute_baseline(HOUSING, y, y)


@pytest.mark.parametrize(("win", "loss", "samples"), [(0.3, 0.1, 40), (0.6, 0.4, 100), (0.05, 0.0, 150)])
def test_mcnemar_power_agrees_with_simulated_validation_sets(win, loss, samples):
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(samples, (win, loss, 1 - win - loss), size=4000)[:, :2]
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    significant = [sign_test(int(wins), int(losses)) <= 0.05 for wins, losses in kinds]
    simulated = counts[significant].sum() / counts.sum()
    assert mcnemar_power(win, loss, samples) == pytest.approx(simulated, abs=4 * math.sqrt(0.25 / 4000))


def test_mcnemar_power_of_two_equal_models_stays_below_the_level_that_is_asked_for():
    powers = [mcnemar_power(0.2, 0.2, samples) for samples in (20, 100, 1000, 10_000)]
    assert max(powers) <= 0.05
    assert powers[-1] > 0.045  # an exact test of many samples uses nearly all that it may


def test_mcnemar_power_of_two_models_that_never_differ_is_zero():
    assert mcnemar_power(0.0, 0.0, 1000) == 0.0


def test_normal_power_agrees_with_scipys_simulated_test_of_a_mean():
    rng = np.random.default_rng(1)
    p_values = stats.ttest_1samp(rng.normal(0.2, 1, (4000, 200)), 0, axis=1, alternative="greater").pvalue
    assert normal_power(0.2, 200) == pytest.approx((p_values <= 0.05).mean(), abs=0.03)
    assert normal_power(5.0, 4) == 0.0  # four wins of four are a chance of one in sixteen
    assert normal_power(5.0, 5) > 0.999


def test_power_curve_of_right_and_wrong_answers_is_exact():
    y, outputs, baseline = make_reviews()
    curve = power_curve(IMDB, y, outputs, baseline, (10, 50, 200))
    guess = baseline.outputs[:, 0] > 0.5
    ours, theirs = (outputs[:, 0] > 0.5) == y, guess == y
    rates = (ours & ~theirs).mean(), (theirs & ~ours).mean()
    assert curve.power == pytest.approx([mcnemar_power(*rates, samples) for samples in (10, 50, 200)])
    assert curve.test == "exact McNemar test"
    assert curve.difference == pytest.approx(0.12)
    assert mcnemar_power(*rates, curve.needed) >= 0.8 > mcnemar_power(*rates, curve.needed - 1)


@pytest.mark.parametrize(
    ("problem", "data"), [(IMDB, make_reviews(2000)), (HOUSING, make_houses(2000))], ids=["imdb", "housing"]
)
def test_power_curve_foretells_how_often_few_samples_show_the_difference(problem, data):
    y, outputs, baseline = data
    needed = power_curve(problem, y, outputs, baseline).needed
    assert 20 < needed < 400  # few of the 2,000: drawing without replacement is then as good as with it
    shown = [
        judge_few(problem, y, outputs, baseline, needed, seed=seed, resamples=400).beats_baseline for seed in range(150)
    ]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.1)


def test_power_curve_chooses_sizes_that_show_the_rise():
    curve = power_curve(IMDB, *make_reviews())
    assert curve.samples[0] == 5
    assert curve.samples[-1] == pytest.approx(4 * curve.needed, abs=1)
    assert curve.power[0] < 0.2
    assert curve.power[-1] > 0.99
    assert (np.diff(curve.samples) > 0).all()
    assert f"{curve.needed:,} validation samples; there are 400." in curve.sentence


def test_power_curve_of_a_worse_model_finds_no_number_that_helps():
    curve = power_curve(IMDB, *make_reviews(accuracy=0.4))
    assert curve.needed is None
    assert curve.difference < 0
    assert curve.power.max() < 0.05
    assert curve.sentence == "The model is not better, so that no number of samples will show that it is."


def test_power_curve_of_a_difference_too_small_to_count_gives_up():
    y = np.repeat([1, 0], (6000, 6001))
    outputs = np.repeat([1.0, 0.0, 1.0, 0.0], (5001, 999, 5000, 1001))[:, None]  # 5,001 wins, 5,000 losses
    curve = power_curve(IMDB, y, outputs, recipe.compute_baseline(IMDB, y, y), (10,))
    assert curve.difference > 0
    assert curve.needed is None
    assert "100,000,000 validation samples would not be enough" in curve.sentence


def test_judge_few_of_all_samples_is_the_test_of_all():
    y, outputs, baseline = make_reviews()
    few, all_of_them = judge_few(IMDB, y, outputs, baseline, 400), recipe.statistical_power(IMDB, y, outputs, baseline)
    assert (few.p_value, few.model, few.samples_needed) == pytest.approx(
        (all_of_them.p_value, all_of_them.model, all_of_them.samples_needed)
    )


def test_judge_few_draws_other_samples_with_another_seed():
    y, outputs, baseline = make_reviews()
    scores = {judge_few(IMDB, y, outputs, baseline, 50, seed=seed).model for seed in range(10)}
    assert len(scores) > 3
    assert judge_few(IMDB, y, outputs, baseline, 50, seed=3) == judge_few(IMDB, y, outputs, baseline, 50, seed=3)


@pytest.mark.parametrize("samples", [0, 401])
def test_judge_few_refuses_more_samples_than_there_are(samples):
    with pytest.raises(ValueError, match=f"There are 400 validation samples.*Received: samples={samples}"):
        judge_few(IMDB, *make_reviews(), samples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 1.0}, r"A confidence lies in \[0.5, 1\). Received: level=1.0"),
        ({"wanted": 0.2}, r"A power lies in \[0.5, 1\). Received: wanted=0.2"),
        ({"samples": ()}, r"1 sample or more. Received: samples=\[\]"),
        ({"samples": (0, 5)}, r"1 sample or more. Received: samples=\[0, 5\]"),
    ],
)
def test_power_curve_refuses_numbers_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        power_curve(IMDB, *make_reviews(), **arguments)


def test_power_curve_refuses_outputs_that_are_not_finite():
    y, outputs, baseline = make_reviews()
    outputs[3] = np.nan
    with pytest.raises(ValueError, match=r"not finite beat nothing.*1 of 400"):
        power_curve(IMDB, y, outputs, baseline)
