"""The plane of bias and variance: every point lies on the ground of its own diagnosis."""

import numpy as np
import pytest

import recipe
from recipe.figures import to_png
from recipe.lessons.s6_scale_up.figures import REGIONS, TEXTBOOK_CASES, describe_errors, draw_errors


def ground(axes, train, validation):
    """Return the (bias, variance) that is drawn below a point."""
    image = axes.images[0].get_array()
    side = axes.get_xlim()[1]
    row, column = (int(len(image) * error / side) for error in (validation, train))
    return list(REGIONS)[image[row, column]]


@pytest.mark.parametrize("reachable_error", [0.0, 0.15])
def test_draw_errors_puts_every_case_on_the_ground_of_its_diagnosis(reachable_error):
    axes = draw_errors({"mine": (0.30, 0.31)}, reachable_error=reachable_error)
    for point in (*TEXTBOOK_CASES.values(), (0.30, 0.31), (0.05, 0.25), (0.2, 0.1)):
        found = recipe.diagnose_errors(*point, reachable_error)
        assert ground(axes, *point) == (found.bias, found.variance)
    to_png(axes.figure, dpi=50)


def test_textbook_cases_mean_what_the_textbook_says():
    def verdicts(reachable_error):
        found = [recipe.diagnose_errors(*point, reachable_error) for point in TEXTBOOK_CASES.values()]
        return [(one.bias, one.variance) for one in found]

    assert verdicts(0.0) == [("low", "high"), ("high", "low"), ("high", "high"), ("low", "low")]
    assert verdicts(0.15)[1:3] == [("low", "low"), ("low", "high")]


def test_draw_errors_draws_cases_runs_and_the_chosen_point():
    axes = draw_errors({"small": (0.2, 0.22), "large": (0.0, 0.3)}, chosen=(0.1, 0.2), reachable_error=0.05)
    points = [tuple(line.get_xydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) == 1]
    assert points == [*TEXTBOOK_CASES.values(), (0.2, 0.22), (0.0, 0.3), (0.1, 0.2)]
    assert [text.get_text() for text in axes.texts] == ["A", "B", "C", "D", "1", "2"]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [
        *("neither is high", "high bias", "high variance", "both are high", "both errors equal", "reachable error"),
        *("the sliders", "A, B, C, D: textbook", "small", "large"),
    ]
    lines = [line.get_xdata() for line in axes.get_lines() if line.get_linestyle() == "--"]
    assert [0.05, 0.05] in [list(line) for line in lines]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("training error", "validation error")


@pytest.mark.parametrize(("largest", "side"), [(0.3, 0.35), (0.5, 0.55), (1.2, 1.25)])
def test_draw_errors_shows_all_points(largest, side):
    assert draw_errors({"mine": (0.1, largest)}).get_ylim() == (0, pytest.approx(side))


def test_draw_errors_without_a_reachable_error_has_no_line_for_it():
    axes = draw_errors({}, cases={})
    assert [line.get_linestyle() for line in axes.get_lines()] == [":"]
    assert axes.get_title(loc="left") == "reachable error 0 %"
    assert np.unique(axes.images[0].get_array()).tolist() == [0, 1, 2, 3]


def test_describe_errors_names_every_point():
    told = describe_errors({"mine": (0.02, 0.25)}, chosen=(0.01, 0.11))
    assert told == (
        "Training and validation error, with a reachable error of 0 %. chosen: 1 % and 11 %, high variance. mine: 2 % "
        "and 25 %, high variance. A: 1 % and 11 %, high variance. B: 15 % and 14 %, high bias. C: 15 % and 30 %, both "
        "are high. D: 0.5 % and 1 %, neither is high."
    )
