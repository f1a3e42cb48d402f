"""Figures of step 4: the lines are the numbers, and the scale of the axes follows them."""

import numpy as np
import pytest

from recipe.data.problems import find_problem
from recipe.figures import blank_figure
from recipe.lessons.s4_prepare.figures import (
    describe_preparation,
    draw_input_ranges,
    draw_preparation,
    draw_validation_curves,
)
from recipe.lessons.s4_prepare.preparations import PreparationTrial


def make_trial(name="raw", scores=(0.9, 0.5), problem="housing", inputs=(("a", -1.0, 0.0, 1.0),)):
    measure = find_problem(problem).measure
    history = {measure: [score / 2 for score in scores], "val_" + measure: list(scores)}
    return PreparationTrial(
        problem=find_problem(problem),
        source="sample",
        name=name,
        inputs=inputs,
        history=history,
        notes=(),
        samples=(1_200, 80),
    )


def test_draw_input_ranges_draws_a_line_and_a_dot_a_column():
    axes = draw_input_ranges([("small", -1.0, 0.5, 2.0), ("other", 0.0, 1.0, 1.5)])
    lines = [line.get_xdata() for line in axes.get_lines()]
    np.testing.assert_array_equal(lines[0], [-1.0, 2.0])
    np.testing.assert_array_equal(lines[1], [0.5])
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["small", "other"]
    assert axes.get_xscale() == "linear"


def test_draw_input_ranges_takes_a_logarithmic_axis_for_unlike_columns():
    axes = draw_input_ranges([("longitude", -124.0, -118.0, -114.0), ("rooms", 12.0, 2_000.0, 40_000.0)])
    assert axes.get_xscale() == "symlog"


@pytest.mark.parametrize(("worst", "scale"), [(0.9, "linear"), (90.0, "log")])
def test_draw_validation_curves_draws_all_in_their_order(worst, scale):
    axes = draw_validation_curves({"raw": [worst, 0.5], "normalised": [0.4, 0.3]}, quantity="MAE", unit="dollars")
    assert {line.get_label(): list(line.get_ydata()) for line in axes.get_lines()} == {
        "raw": [worst, 0.5],
        "normalised": [0.4, 0.3],
    }
    assert len({line.get_linestyle() for line in axes.get_lines()}) == 2
    assert (axes.get_yscale(), axes.get_ylabel(), axes.get_xlabel()) == (scale, "MAE (dollars)", "epoch")


def test_draw_preparation_shows_the_trial_and_three_before_it():
    figure = blank_figure()
    earlier = [make_trial(name) for name in ("first", "second", "third", "fourth")]
    draw_preparation(figure, make_trial("now"), earlier)
    left, right = figure.axes
    assert [line.get_label() for line in right.get_lines()] == [
        "training: now",
        "validation: now",
        "before: first",
        "before: second",
        "before: third",
    ]
    assert left.get_title(loc="left") == "1,200 training samples, a sample"


def test_draw_preparation_keeps_accuracy_linear_and_bears_a_trial_without_an_epoch():
    figure = blank_figure()
    draw_preparation(figure, make_trial("now", scores=(0.01, 0.9), problem="imdb"), [make_trial(scores=())])
    assert figure.axes[1].get_yscale() == "linear"


def test_describe_preparation_says_the_range_the_score_and_what_was_before():
    words = describe_preparation(make_trial("now"), [make_trial("raw", scores=(12.0,))])
    assert words == (
        "housing, now: the network reads numbers from -1 to 1. After 2 epochs on 1,200 samples the mean absolute error "
        "on 80 validation samples is 0.5 hundred thousand dollars. Before, raw: 12."
    )
