"""Figures of mistakes: each shows its numbers, and nothing is cut."""

import numpy as np
import pytest
from mistake_examples import make_answers, make_houses, make_images, make_reviews, make_rows

from recipe.debugging.mistakes import find_mistakes
from recipe.figures import blank_figure, to_png
from recipe.figures.mistakes import describe_mistakes, draw_mistakes


def draw(mistakes):
    figure = blank_figure((7.0, 4.4))
    draw_mistakes(figure, mistakes)
    to_png(figure, dpi=50)
    return figure


def test_draw_mistakes_shows_images_with_what_they_are_and_what_the_model_says():
    mistakes = find_mistakes(*make_images())
    figure = draw(mistakes)
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert titles == ["is 5\nsays 9, > 99 %", "is 1\nsays 7, 80 %", "is 1\nsays 7, 60 %"]
    assert figure.axes[1].images[0].get_array().tolist() == mistakes.inputs[1].tolist()
    assert figure.get_suptitle() == f"{mistakes.sentence} The worst (sample):"
    rows = "Row 4 is 5, says 9, > 99 %. Row 1 is 1, says 7, 80 %. Row 3 is 1, says 7, 60 %."
    assert describe_mistakes(mistakes) == f"{mistakes.sentence} {rows}"


@pytest.mark.parametrize(("problem", "label"), [("mnist_five", "a 5"), ("mnist_multilabel", "even")])
def test_draw_mistakes_of_yes_or_no_answers_says_of_a_label_what_it_is_and_the_opposite(problem, label):
    for yes, bias, says in (
        (2, -2.0, f"is {label}\nsays not {label}, 88 %"),
        (0, 2.0, f"is not {label}\nsays {label}, 88 %"),
    ):
        drawn = draw(find_mistakes(*make_answers(problem, yes, bias)))
        assert {axes.get_title() for axes in drawn.axes if axes.images} == {says}


def test_draw_mistakes_writes_each_text_below_what_the_model_says_as_far_as_there_is_room():
    mistakes = find_mistakes(*make_reviews(["bad film " * 300, "bad"], [1, 1]))
    panes = draw(mistakes).axes
    assert [axes.get_title(loc="left") for axes in panes] == ["is positive: says negative, 95 %"] * 2
    words = max((axes.texts[0].get_text().split() for axes in panes), key=len)
    assert words[:2] == ["bad", "film"]
    assert (words[-1], len(words) > 100) == ("…", True)
    assert describe_mistakes(mistakes).endswith("is positive, says negative, 95 %.")


def test_draw_mistakes_puts_predictions_beside_the_truth_and_numbers_the_worst_rows():
    mistakes = find_mistakes(*make_houses(errors=(0.5, -2.0, 0.1, 1.0, -0.2, 0.3, -0.4)))
    (axes,) = draw(mistakes).axes
    high, low = (dots.get_offsets() for dots in axes.collections)
    assert (len(high), len(low)) == (4, 3)
    points = np.concatenate([high, low])
    assert sorted(points[:, 0]) == pytest.approx(sorted(mistakes.truth))
    assert sorted(points[:, 1]) == pytest.approx(sorted(mistakes.outputs[:, 0]))
    ranks = {one.get_text(): one.xy for one in axes.texts}
    assert list(ranks) == ["1", "2", "3", "4", "5"]
    assert ranks["1"] == pytest.approx((mistakes.truth[1], mistakes.outputs[1, 0]))
    told = describe_mistakes(mistakes)
    assert (told.startswith(mistakes.sentence), told.count("says")) == (True, 5)


def test_draw_mistakes_of_a_table_with_classes_says_how_many_there_are():
    mistakes = find_mistakes(*make_rows())
    assert [text.get_text() for text in draw(mistakes).texts] == [mistakes.sentence]
    assert describe_mistakes(mistakes).startswith(f"{mistakes.sentence} Row 2 is a, says c, 70 %.")


def test_draw_mistakes_says_so_where_there_is_none():
    none = find_mistakes(*make_images(labels=(3, 7, 4, 7, 9)))
    assert [text.get_text() for text in draw(none).texts] == ["Not a single mistake in 5 held-out images."]
    assert describe_mistakes(none) == none.sentence
