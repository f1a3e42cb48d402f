"""Lesson 5's figures are true to their numbers, and their words too."""

import math

import numpy as np
import pytest

import recipe
from recipe.data.problems import find_problem
from recipe.debugging.rate_sweep import RateSweep
from recipe.figures import blank_figure, new_figure, to_png
from recipe.lessons.s5_baseline import figures
from recipe.lessons.s5_baseline.power_curve import PowerCurve, power_curve
from recipe.lessons.s5_baseline.wrong_rows import LastLayerTrial, count_nonsense


def make_power(accuracy=0.7, samples=100, seed=0):
    """A test of a model that is right as often as asked for, and its curve."""
    problem, rng = find_problem("imdb"), np.random.default_rng(seed)
    y = np.arange(samples) % 2
    outputs = np.where(rng.permutation(samples) < accuracy * samples, y, 1 - y)[:, None].astype(float)
    baseline = recipe.compute_baseline(problem, y, y)
    return recipe.statistical_power(problem, y, outputs, baseline), power_curve(problem, y, outputs, baseline)


def make_trial(name, outputs, y, *, is_right=True, activation="sigmoid", scores=(0.5, 0.6)):
    problem, outputs, y = find_problem(name), np.asarray(outputs, float), np.asarray(y)
    nonsense, why = count_nonsense(problem, activation, y, outputs)
    return LastLayerTrial(
        problem=problem,
        last_activation=activation,
        loss="mse",
        is_right=is_right,
        score=recipe.MEASURES[problem.measure].compute(problem, y, outputs),
        baseline=0.5,
        scores=scores,
        outputs=outputs,
        y_val=y,
        nonsense=nonsense,
        why=why,
    )


def texts(axes):
    legend = axes.get_legend()
    shown = [*axes.texts, axes.title, axes._left_title, axes.xaxis.label, axes.yaxis.label]
    return " ".join(text.get_text() for text in [*shown, *(legend.get_texts() if legend else ())])


def test_draw_against_baseline_puts_the_interval_beside_the_baseline():
    power, _ = make_power()
    axes = figures.draw_against_baseline(power, title="reviews")
    interval = next(line for line in axes.lines if line.get_linewidth() == 3)
    assert interval.get_xdata() == pytest.approx([0.5 + power.interval[0], 0.5 + power.interval[1]])
    assert "model 0.7" in texts(axes)
    assert "baseline 0.5" in texts(axes)
    assert "right is better" in texts(axes)


def test_draw_against_baseline_of_an_error_turns_the_interval_round():
    problem, rng = find_problem("housing"), np.random.default_rng(0)
    y = rng.gamma(4, 0.5, 200)
    baseline = recipe.compute_baseline(problem, y, y)
    power = recipe.statistical_power(problem, y, (y + rng.normal(0, 0.3, 200))[:, None], baseline)
    axes = figures.draw_against_baseline(power, unit="hundred thousand dollars")
    interval = next(line for line in axes.lines if line.get_linewidth() == 3)
    low, high = sorted(interval.get_xdata())
    assert low < power.model < high < power.baseline
    assert "left is better" in texts(axes)
    assert "hundred thousand dollars" in texts(axes)


def test_draw_against_baseline_leaves_out_a_model_that_diverged():
    power, _ = make_power()
    nowhere = {"model": math.nan, "difference": math.nan, "interval": (math.nan, math.nan)}
    axes = figures.draw_against_baseline(type(power)(**(vars(power) | nowhere)))
    assert "model" not in texts(axes)
    assert to_png(axes.figure)


def test_draw_power_draws_the_curve_what_was_drawn_and_the_chosen_size():
    _, curve = make_power()
    axes = figures.draw_power(curve, simulated={20: 0.5, 40: 0.7}, chosen=30, name="reviews")
    line = next(line for line in axes.lines if len(line.get_xdata()) == len(curve.samples))
    assert (line.get_ydata() == curve.power).all()
    shown = texts(axes)
    assert f"reviews: {curve.needed:,} samples for 80%" in shown
    assert "sets that were drawn" in shown
    assert "30 samples" in shown
    at_chosen = next(line for line in axes.lines if list(line.get_xdata()) == [30])
    assert at_chosen.get_ydata()[0] == pytest.approx(np.interp(30, curve.samples, curve.power))


def test_draw_power_of_a_worse_model_says_that_no_number_helps():
    _, curve = make_power(accuracy=0.4)
    assert "no number helps" in texts(figures.draw_power(curve))


def test_draw_last_layer_of_quantities_draws_predicted_against_true():
    y, outputs = [0.5, 1.5, 2.5], [[0.4], [1.0], [1.0]]
    axes = figures.draw_last_layer(make_trial("housing", outputs, y, is_right=False))
    points = next(line for line in axes.lines if line.get_marker() == ".")
    drawn = sorted(zip(points.get_xdata(), points.get_ydata(), strict=True))
    assert drawn == [(0.5, 0.4), (1.5, 1.0), (2.5, 1.0)]
    assert "wrong: sigmoid, mse\nMAE 0.7" in texts(axes)


def test_draw_last_layer_of_labels_counts_sums_of_samples_with_two_labels():
    y = [[1, 1, 0], [1, 1, 1], [1, 0, 0], [0, 1, 1]]
    outputs = [[0.9, 0.9, 0.1], [0.9, 0.9, 0.9], [0.9, 0.0, 0.0], [0.2, 0.3, 0.5]]
    axes = figures.draw_last_layer(make_trial("mnist_multilabel", outputs, y))
    assert sum(patch.get_height() for patch in axes.patches) == 3
    assert "two labels or more" in texts(axes)


def test_draw_last_layer_of_a_yes_or_no_counts_every_sample():
    y, outputs = [0, 0, 1, 1, 1], [[-0.3], [0.2], [0.4], [0.9], [1.3]]
    axes = figures.draw_last_layer(make_trial("imdb", outputs, y, is_right=False), title="a title")
    assert "is positive" in texts(axes)
    assert "a title" in texts(axes)
    assert axes.get_xlim()[0] < -0.3 < 1.3 < axes.get_xlim()[1]


def test_draw_last_layer_of_classes_and_of_what_diverged():
    outputs = np.eye(10)[:4]
    axes = figures.draw_last_layer(make_trial("mnist", outputs, [0, 1, 2, 3], activation="softmax"))
    assert sum(patch.get_height() for patch in axes.patches) == 4
    outputs[0] = np.nan
    assert "diverged" in texts(figures.draw_last_layer(make_trial("mnist", outputs, [0, 1, 2, 3])))


def test_draw_scores_by_epoch_draws_a_line_a_row():
    trials = [
        make_trial("imdb", [[0.2], [0.9]], [0, 1], scores=scores) for scores in ((0.5, 0.7, 0.9), (0.5, 0.5, 0.6))
    ]
    axes = figures.draw_scores_by_epoch(trials, title="speed")
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[0.5, 0.7, 0.9], [0.5, 0.5, 0.6]]
    assert "baseline" in texts(axes)


def test_draw_rates_marks_what_diverged_at_the_top():
    sweep = RateSweep(
        optimizer="sgd", rates=(0.001, 0.01, 0.1, 1.0), losses=(2.2, 0.4, 9.0, math.nan), guess=2.3, updates=100
    )
    axes = figures.draw_rates(sweep, own=0.001)
    crosses = next(line for line in axes.lines if line.get_marker() == "x")
    assert list(crosses.get_xdata()) == [0.1, 1.0]
    assert axes.get_ylim()[1] > 2 * 2.3
    assert "its own rate: 0.001" in texts(axes)
    assert "after 100 batches" in texts(axes)


@pytest.mark.parametrize(
    ("accuracy", "verdict"), [(0.75, "beats it"), (0.53, "may be chance"), (0.4, "does not beat it")]
)
def test_draw_judgement_says_the_verdict_and_names_a_sample(accuracy, verdict):
    power, curve = make_power(accuracy)
    figure = blank_figure()
    figures.draw_judgement(figure, find_problem("imdb"), power, curve, source="sample")
    shown = " ".join(map(texts, figure.axes))
    assert verdict in shown
    assert "(sample data)" in shown
    words = figures.describe_judgement(power, curve)
    assert power.sentence in words
    assert curve.sentence in words
    assert "Of all sets of 100 samples" in words


def test_describe_last_layers_says_each_sentence():
    trial = make_trial("imdb", [[0.2], [0.9]], [0, 1])
    assert figures.describe_last_layers([trial, trial]) == f"{trial.sentence} {trial.sentence}"


def test_figures_can_be_drawn_side_by_side():
    _, axes = new_figure(2)
    assert figures.draw_power(make_power()[1], axes=axes[1]) is axes[1]


def test_power_curve_without_a_power_is_drawn():
    curve = PowerCurve(
        samples=np.array([10, 20]),
        power=np.zeros(2),
        difference=0.0,
        seen=5,
        needed=None,
        level=0.95,
        wanted=0.8,
        test="",
    )
    assert to_png(figures.draw_power(curve).figure)
