"""Figures of mistakes: each shows its numbers, and nothing is cut."""

import dataclasses

import numpy as np
import pytest

from recipe.core.problem import ProblemType
from recipe.data.problems import find_problem
from recipe.debugging.mistakes import Mistakes
from recipe.figures import blank_figure, to_png
from recipe.figures.mistakes import describe_mistakes, draw_mistakes


def make_mistakes(problem, inputs, truth, outputs, worst, **given):
    """Mistakes among these samples of a kit's problem by its name, or of any other."""
    problem = find_problem(problem) if isinstance(problem, str) else problem
    given = {"source": "sample", "rows": np.arange(len(outputs)), "wrong": len(worst)} | given
    return Mistakes(problem=problem, inputs=inputs, truth=truth, outputs=outputs, worst=worst, **given)


def make_images(problem="mnist", count=12):
    """A hundred images of which the first are wrong."""
    rng = np.random.default_rng(0)
    problem = find_problem(problem)
    shape = (100, problem.outputs)
    outputs = rng.dirichlet(np.ones(problem.outputs), 100) if problem.outputs == 10 else rng.random(shape)
    is_wrong = np.arange(100) < count
    if problem.outputs == 10:
        truth = np.where(is_wrong, outputs.argmin(axis=1), outputs.argmax(axis=1))
    else:
        truth = ((outputs > 0.5) ^ is_wrong[:, None]).astype(int)
    truth = truth[:, 0] if problem.outputs == 1 else truth
    return make_mistakes(problem, rng.integers(0, 256, (100, 8, 8)), truth, outputs, np.arange(count))


def make_reviews(reviews=2):
    text = "a truly dreadful film that i love " * 50
    truth, worst = (np.arange(50) == 7).astype(np.uint8), np.full(reviews, 7)
    outputs = np.full((50, 1), 0.02)
    return make_mistakes("imdb", (), truth, outputs, worst, wrong=1, source="local", texts=(text,) * reviews)


def make_houses(samples=60):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.5, 5, samples)
    predictions = truth + rng.normal(0, 0.4, samples)
    places = np.column_stack([rng.uniform(-124, -115, samples), rng.uniform(33, 41, samples)])
    inputs = np.hstack([places, np.zeros((samples, 6))])  # the other columns of the districts
    worst = np.argsort(-np.abs(predictions - truth))[:12]
    return make_mistakes("housing", inputs, truth, predictions[:, None], worst)


def make_rows():
    classes = {"type": ProblemType.MULTICLASS, "outputs": 3, "output_names": ("a", "b", "c"), "measure": "accuracy"}
    problem = dataclasses.replace(find_problem("housing"), **classes)
    outputs = np.array([[0.1, 0.2, 0.7], [0.9, 0.1, 0.0]])
    return make_mistakes(problem, np.zeros((2, 8)), np.zeros(2, int), outputs, np.array([0]), rows=np.array([3, 9]))


def draw(mistakes, size=(7.0, 4.4)):
    figure = blank_figure(size)
    draw_mistakes(figure, mistakes)
    to_png(figure, dpi=50)
    return figure


def test_draw_mistakes_shows_images_with_what_they_are_and_what_the_model_says():
    mistakes = make_images()
    figure = draw(mistakes)
    pictures = figure.axes
    assert len(pictures) == 12
    assert pictures[3].images[0].get_array().tolist() == mistakes.inputs[3].tolist()
    says, share = mistakes.outputs[3].argmax(), f"{mistakes.outputs[3].max():.0%}".replace("%", " %")
    assert pictures[3].get_title() == f"is {mistakes.truth[3]}\nsays {says}, {share}"
    assert figure.get_suptitle() == "12 of 100 held-out images are wrong (12.0%). The worst (sample):"


@pytest.mark.parametrize(
    ("problem", "labels"), [("mnist_five", ("a 5",)), ("mnist_multilabel", ("even", "above four", "closed loop"))]
)
def test_draw_mistakes_of_yes_or_no_answers_says_of_a_label_what_it_is_and_the_opposite(problem, labels):
    told = [axes.get_title().split(",")[0].split("\n") for axes in draw(make_images(problem)).axes]
    opposites = [[f"is {label}", f"says not {label}"] for label in labels]
    opposites += [[f"is not {label}", f"says {label}"] for label in labels]
    assert len(told) == 12
    assert all(pair in opposites for pair in told)


def test_draw_mistakes_never_calls_a_probability_certain():
    mistakes = make_images("mnist_five", 2)
    mistakes.outputs[:2] = [[0.9999], [0.0001]]
    mistakes.truth[:2] = (0, 1)
    titles = [axes.get_title() for axes in draw(mistakes).axes[:2]]
    assert titles == ["is not a 5\nsays a 5, > 99 %", "is a 5\nsays not a 5, > 99 %"]


def test_draw_mistakes_writes_each_text_below_what_the_model_says_as_far_as_there_is_room():
    panes = draw(make_reviews(2)).axes
    assert [axes.get_title(loc="left") for axes in panes] == ["is positive: says negative, 98 %"] * 2
    words = panes[0].texts[0].get_text().split()
    assert words[:4] == ["a", "truly", "dreadful", "film"]
    assert (words[-1], len(words) > 100) == ("…", True)


def test_draw_mistakes_puts_predictions_beside_the_truth_and_numbers_the_worst_rows():
    mistakes = make_houses()
    (axes,) = draw(mistakes).axes
    points = np.concatenate([dots.get_offsets() for dots in axes.collections])
    assert sorted(points[:, 0]) == pytest.approx(sorted(mistakes.truth))
    assert sorted(points[:, 1]) == pytest.approx(sorted(mistakes.outputs[:, 0]))
    high, low = (len(dots.get_offsets()) for dots in axes.collections)
    assert (high, low) == ((mistakes.errors > 0).sum(), (mistakes.errors <= 0).sum())
    ranks = {one.get_text(): one.xy for one in axes.texts}
    worst = mistakes.worst[0]
    assert ranks["1"] == pytest.approx((mistakes.truth[worst], mistakes.outputs[worst, 0]))


def test_draw_mistakes_of_a_table_with_classes_says_how_many_there_are():
    mistakes = make_rows()
    assert [text.get_text() for text in draw(mistakes).texts] == [mistakes.sentence]
    assert describe_mistakes(mistakes) == f"{mistakes.sentence} Row 3 is a, says c, 70 %."


def test_draw_mistakes_says_so_where_there_is_none():
    none = make_images(count=0)
    figure = draw(none)
    assert [text.get_text() for text in figure.texts] == ["Not a single mistake in 100 held-out images."]
    assert describe_mistakes(none) == none.sentence


def test_describe_mistakes_says_what_is_drawn():
    images, reviews, houses = make_images(), make_reviews(1), make_houses()
    told = describe_mistakes(images)
    assert told.startswith("12 of 100 held-out images are wrong (12.0%). Row 0 is ")
    assert told.count("says") == 12
    assert describe_mistakes(reviews) == (
        "1 of 50 held-out texts are wrong (2.0%). Row 7 is positive, says negative, 98 %."
    )
    assert describe_mistakes(houses).startswith(houses.sentence)
    assert describe_mistakes(houses).count("says") == 5
