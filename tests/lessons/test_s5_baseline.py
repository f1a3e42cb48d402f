"""Lesson 5: the power of a test beside simulation, wrong last layers, the figures, and the panel that shows it."""

import dataclasses
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

import recipe
from recipe.data.problems import find_problem
from recipe.lessons.judging import small_spec, with_words
from recipe.lessons.s5_baseline import figures
from recipe.lessons.s5_baseline.contest import Contest, compete, hold_contest, mcnemar_power, normal_power
from recipe.lessons.s5_baseline.last_layers import compare_last_layers, count_nonsense
from recipe.lessons.s5_baseline.panel import SAMPLES, BaselinePanel


def make_contest(name, y, outputs):
    problem = find_problem(name)
    baseline = recipe.compute_baseline(problem, y, y)
    return Contest(problem=problem, source="sample", trained_on=1, y_val=y, outputs=outputs, baseline=baseline)


def judge_reviews(samples=400, accuracy=0.62):
    """A model that is right as often as asked for, on as many reviews of each kind."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], samples // 2)).astype(np.uint8)
    is_right = rng.permutation(samples) < round(accuracy * samples)
    return make_contest("imdb", y, np.where(is_right, y, 1 - y).astype(np.float32)[:, None])


def judge_houses(samples=2000):
    """Guesses that are off a little less than the median is."""
    rng = np.random.default_rng(0)
    y = rng.gamma(4, 0.5, samples).astype(np.float32)
    outputs = (np.median(y) + 0.1 * (y - np.median(y)) + rng.normal(0, 0.2, samples))[:, None]
    return make_contest("housing", y, outputs)


@pytest.fixture(scope="module")
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.mark.parametrize(("win", "loss", "samples"), [(0.3, 0.1, 40), (0.6, 0.4, 100), (0.05, 0.0, 150)])
def test_mcnemar_power_agrees_with_simulated_validation_sets(win, loss, samples):
    drawn = np.random.default_rng(0).multinomial(samples, (win, loss, 1 - win - loss), size=4000)[:, :2]
    p_values = stats.binom.sf(drawn[:, 0] - 1, drawn.sum(axis=1), 0.5)
    assert mcnemar_power(win, loss, samples) == pytest.approx((p_values <= 0.05).mean(), abs=0.035)


def test_mcnemar_power_of_equal_models_stays_below_the_level():
    powers = [mcnemar_power(0.2, 0.2, samples) for samples in (20, 100, 10_000)]
    assert max(powers) <= 0.05
    assert powers[-1] > 0.045  # an exact test of many samples uses nearly all that it may
    assert mcnemar_power(0.0, 0.0, 1000) == 0.0


def test_normal_power_agrees_with_scipys_simulated_test_of_a_mean():
    draws = np.random.default_rng(1).normal(0.2, 1, (4000, 200))
    p_values = stats.ttest_1samp(draws, 0, axis=1, alternative="greater").pvalue
    assert normal_power(0.2, 200) == pytest.approx((p_values <= 0.05).mean(), abs=0.03)
    assert normal_power(5.0, 4) == 0.0  # four wins of four are a chance of one in sixteen
    assert normal_power(5.0, 5) > 0.999


def test_curve_of_right_and_wrong_answers_is_exact_and_shows_the_rise():
    contest = judge_reviews()
    curve = contest.curve
    guess = contest.baseline.outputs[:, 0] > 0.5
    ours, theirs = (contest.outputs[:, 0] > 0.5) == contest.y_val, guess == contest.y_val
    rates = (ours & ~theirs).mean(), (theirs & ~ours).mean()
    assert curve.power == pytest.approx([mcnemar_power(*rates, int(samples)) for samples in curve.samples])
    assert mcnemar_power(*rates, curve.needed) >= 0.8 > mcnemar_power(*rates, curve.needed - 1)
    assert (curve.samples[0], curve.samples[-1]) == (5, pytest.approx(4 * curve.needed, abs=1))
    assert f"{curve.needed:,} validation samples; there are 400." in curve.sentence


@pytest.mark.parametrize("contest", [judge_reviews(2000), judge_houses()], ids=["imdb", "housing"])
def test_curve_foretells_how_often_few_samples_show_the_difference(contest):
    needed = contest.curve.needed
    assert 20 < needed < 400  # few of the 2,000: drawing without replacement is then as good as with it
    shown = [contest.judge(needed, seed=seed).beats_baseline for seed in range(60)]
    assert np.mean(shown) == pytest.approx(0.8, abs=0.15)


def test_curve_of_a_worse_model_finds_no_number_that_helps():
    curve = judge_reviews(accuracy=0.4).curve
    assert curve.needed is None
    assert curve.power.max() < 0.05
    assert curve.sentence.startswith("No number of validation samples")


def test_hold_contest_is_training_and_judging_by_hand():
    digits = recipe.load("mnist", source="sample", rows=400)
    contest = hold_contest(digits, small_spec(digits.problem), trained_on=60)
    split = recipe.hold_out(digits, test_size=0.5)
    few = dataclasses.replace(split, x_train=split.x_train[:60], y_train=split.y_train[:60])
    prepared = recipe.prepare(few)
    run = recipe.train(small_spec(digits.problem), prepared, journal=None)
    assert (contest.trained_on, contest.source) == (60, "sample")
    assert compete(run, prepared).power == contest.power
    assert contest.judge(20, seed=3).samples == 20
    assert contest.judge(10_000).samples == len(contest.y_val)
    with pytest.raises(ValueError, match=r"samples are there to learn from. Received: trained_on=10000"):
        hold_contest(digits, small_spec(digits.problem), trained_on=10_000)


@pytest.fixture(scope="module")
def houses():
    prepared = recipe.prepare(recipe.hold_out(recipe.load("housing", source="sample", rows=300)))
    spec = recipe.ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=16, epochs=40)
    return compare_last_layers(prepared, spec, [("sigmoid", "mse"), ("softmax", "mse")])


def test_sigmoid_for_dollars_is_cut_off_at_one(houses):
    right, sigmoid, softmax = houses
    assert (right.is_right, sigmoid.is_right) == (True, False)
    assert right.beats_baseline
    assert right.outputs.max() > 2
    assert sigmoid.outputs.max() <= 1
    assert not sigmoid.beats_baseline
    assert sigmoid.nonsense == pytest.approx((sigmoid.y_val > 1).mean())
    assert "the true value lies where no output can get to" in sigmoid.sentence
    assert softmax.sentence.endswith("Every output is 1, whatever the input.")


def test_softmax_for_labels_cannot_say_two_at_once():
    prepared = recipe.prepare(recipe.hold_out(recipe.load("mnist_multilabel", source="sample", rows=600)))
    spec = recipe.ModelSpec(learning_rate=0.005, epochs=12)
    right, softmax = compare_last_layers(prepared, spec, [("softmax", "categorical_crossentropy")])
    assert softmax.nonsense == pytest.approx((softmax.y_val.sum(axis=1) >= 2).mean())
    assert right.nonsense < 0.1
    assert softmax.score < right.score


def test_training_that_diverges_says_so():
    prepared = recipe.prepare(recipe.hold_out(recipe.load("housing", source="sample", rows=300)))
    spec = recipe.ModelSpec(hidden_units=(16,), optimizer="sgd", learning_rate=50.0, batch_size=16, epochs=20)
    right, wrong = compare_last_layers(prepared, spec, [("none", "mae")])
    assert math.isnan(right.score)
    assert right.sentence == "Right (no activation, mse): training diverged, and the outputs are no numbers."
    assert not wrong.is_right


@pytest.mark.parametrize(
    ("name", "activation", "y", "outputs", "expected"),
    [
        ("imdb", None, [0, 1, 1, 0], [[0.0], [1.0], [1.2], [-0.1]], 0.5),
        ("imdb", None, [0, 1], [[0.5], [np.nan]], 0.5),
        ("mnist_multilabel", "softmax", [[1, 1, 0], [1, 0, 0]], [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], 0.5),
        ("housing", "sigmoid", [0.5, 2.0], [[0.5], [1.0]], 0.5),
        ("housing", "tanh", [-0.5, 0.5], [[-0.5], [0.5]], 0.0),
        ("housing", None, [0.5, 2.0], [[0.5], [1.0]], 0.0),
    ],
)
def test_count_nonsense_counts_what_cannot_be_right(name, activation, y, outputs, expected):
    share, why = count_nonsense(find_problem(name), activation, np.array(y), np.array(outputs))
    assert share == pytest.approx(expected)
    assert why


def test_figures_say_what_the_numbers_say(houses, axes):
    contest = judge_reviews()
    figures.draw_against_baseline(contest.power, axes=axes)
    texts = {text.get_text() for text in axes.texts}
    assert texts == {f"model {contest.power.model:.3g}", f"baseline {contest.power.baseline:.3g}"}
    axes.clear()
    figures.draw_power(contest.curve, chosen=50, simulated={50: 0.5}, name="mine", axes=axes)
    labels = axes.get_legend_handles_labels()[1]
    assert labels == [f"mine: {contest.curve.needed:,} samples for 80%", "sets that were drawn", "50 samples"]
    axes.clear()
    figures.draw_last_layer(houses[1], axes=axes)
    assert axes.get_title(loc="left").startswith("wrong: sigmoid, mse")
    axes.clear()
    figures.draw_scores_by_epoch(houses, axes=axes)
    assert list(axes.lines[0].get_ydata()) == houses[0].run.history["val_mae"]


@pytest.fixture(scope="module")
def panel():
    reviews = with_words(recipe.load("imdb", source="sample", rows=900), 500)
    panel = BaselinePanel(reviews, recipe.load("housing", source="sample", rows=300), trained_on=50)
    panel.run()
    yield panel
    panel.close()


def test_panel_run_returns_what_the_public_functions_return(panel):
    result = panel.run(problem="imdb", samples=100, draw=2)
    reviews = panel.datasets[0]
    expected = hold_contest(reviews, small_spec(reviews.problem), trained_on=50)
    assert result.power == expected.judge(100, seed=2)
    assert result.power.sentence in panel.alt_text()
    assert panel.table()[0]["samples"] == 100
    assert "This set of 100" in panel.status.value
    assert panel.run(problem="housing", samples=2_000).power.samples == len(panel.result.contest.y_val)


def test_panel_recomputes_on_a_change_and_trains_nothing_anew(panel):
    before = panel.run(problem="imdb", samples=20, draw=1)
    picture = panel.image.value
    panel.controls["samples"].value = 200
    panel.wait(timeout=60)
    assert panel.result.power.samples == 200
    assert panel.result.contest is before.contest
    assert panel.image.value != picture
    assert [value for _, value in panel.controls["samples"].options] == list(SAMPLES)


def test_panel_refuses_a_problem_without_data(panel):
    with pytest.raises(ValueError, match=r"no such data. Received: problem='mnist'. It has: imdb, housing"):
        panel.run(problem="mnist")
    assert "no such data" in panel.status.value
