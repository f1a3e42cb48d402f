"""Figures of mistakes: each shows its numbers, and nothing is cut."""

import numpy as np
import pytest

from recipe.data.problems import find_problem
from recipe.debugging.mistakes import HouseMistakes, ImageMistakes, ReviewMistakes
from recipe.debugging.word_effects import MovingWord, ReviewMistake
from recipe.figures import blank_figure, to_png
from recipe.figures.mistakes import describe_mistakes, draw_mistakes


def make_images(problem="mnist", count=12):
    rng = np.random.default_rng(0)
    problem = find_problem(problem)
    outputs = (
        rng.dirichlet(np.ones(problem.outputs), count)
        if problem.outputs == 10
        else rng.random((count, problem.outputs))
    )
    labels = {"mnist": outputs.argsort(axis=1)[:, 0], "mnist_five": np.ones(count, int)}.get(problem.name)
    return ImageMistakes(
        problem=problem,
        source="sample",
        samples=100,
        wrong=count,
        rows=np.arange(count),
        images=rng.integers(0, 256, (count, 8, 8)),
        labels=1 - (outputs > 0.5) if labels is None else labels,
        outputs=outputs,
    )


def make_reviews(reviews=2):
    words = ("a", "truly", "dreadful", "film", "that", "i", "love") * 30
    effect = {"dreadful": -1.5, "love": 0.75, "truly": 0.1, "film": np.nan}
    strongest = tuple(
        MovingWord(text=text, count=30, effect=value, score_without=0.5)
        for text, value in effect.items()
        if value == value
    )
    one = ReviewMistake(
        row=7,
        label=1,
        score=0.02,
        words=words,
        effects=tuple(effect.get(word, 0.0) for word in words),
        strongest=strongest,
    )
    return ReviewMistakes(
        problem=find_problem("imdb"), source="local", samples=50, wrong=reviews, reviews=(one,) * reviews
    )


def make_houses(samples=60):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.5, 5, samples)
    predictions = truth + rng.normal(0, 0.4, samples)
    return HouseMistakes(
        problem=find_problem("housing"),
        source="sample",
        unit="hundred thousand dollars",
        rows=np.arange(samples),
        longitude=rng.uniform(-124, -115, samples),
        latitude=rng.uniform(33, 41, samples),
        truth=truth,
        predictions=predictions,
        worst=np.argsort(-np.abs(predictions - truth))[:12],
    )


def draw(mistakes, size=(7.0, 4.4)):
    figure = blank_figure(size)
    draw_mistakes(figure, mistakes)
    to_png(figure, dpi=50)
    return figure


def test_draw_mistakes_shows_images_with_what_they_are_and_all_probabilities():
    mistakes = make_images()
    figure = draw(mistakes)
    pictures, bars = figure.axes[1::2], figure.axes[2::2]
    assert len(pictures) == 12
    assert pictures[3].images[0].get_array().tolist() == mistakes.images[3].tolist()
    heights = [bar.get_height() for bar in bars[3].patches]
    assert heights == pytest.approx(mistakes.outputs[3].tolist())
    is_, says = mistakes.labels[3], mistakes.predictions[3]
    assert pictures[3].get_title() == f"is {is_}, says {says}\n{mistakes.outputs[3].max():.0%}".replace("%", " %")
    hatched = [number for number, bar in enumerate(bars[3].patches) if bar.get_hatch()]
    assert hatched == [is_]
    title = "12 of 100 held-out images are wrong (12.0%). The ones it was surest of (sample):"
    assert [text.get_text() for text in figure.texts] == [title]


@pytest.mark.parametrize(
    ("problem", "starts"),
    [("mnist_five", {"is a 5"}), ("mnist_multilabel", {"is even", "not even", "is above four", "not above four"})],
)
def test_draw_mistakes_of_yes_or_no_answers_says_what_was_said(problem, starts):
    titles = [axes.get_title() for axes in draw(make_images(problem)).axes[1:]]
    assert len(titles) == 12
    assert starts & {title.split("\n")[0] for title in titles}
    assert all("says yes: " in title for title in titles)


def test_draw_mistakes_never_calls_a_probability_certain():
    mistakes = make_images("mnist_five", 2)
    mistakes.outputs[:] = [[0.9999], [0.0001]]
    titles = [axes.get_title() for axes in draw(mistakes).axes[1:]]
    assert titles == ["is a 5\nsays yes: > 99 %", "is a 5\nsays yes: < 1 %"]


def test_draw_mistakes_colours_the_words_that_moved_a_review_and_draws_what_they_did():
    figure = draw(make_reviews())
    _, text, bars, *_ = figure.axes
    looks = {one.get_text(): (one.get_color(), one.get_fontweight(), one.get_fontstyle()) for one in text.texts}
    assert looks["dreadful"][1:] == ("bold", "italic")
    assert looks["love"][1:] == ("bold", "normal")
    assert len({looks[word][0] for word in ("dreadful", "love", "film", "a")}) == 4  # not read and not moving differ
    assert "A positive review, called negative with 98 %:" in looks
    assert [bar.get_width() for bar in bars.patches] == [-1.5, 0.75, 0.1]
    assert [one.get_text() for one in bars.texts] == ["dreadful ×30", "love ×30", "truly ×30"]


def test_draw_mistakes_shows_the_stretch_of_a_review_that_moved_it_most():
    mistakes = make_reviews(1)
    review = mistakes.reviews[0]
    words = ("plain",) * 300 + ("dreadful",) + ("plain",) * 300
    changed = {"words": words, "effects": (0.0,) * 300 + (-1.5,) + (0.0,) * 300}
    moved = ReviewMistake(**(vars(review) | changed))
    figure = draw(ReviewMistakes(**(vars(mistakes) | {"reviews": (moved,)})))
    shown = [one.get_text() for one in figure.axes[1].texts]
    assert "dreadful" in shown
    assert shown[1] == "…"


def test_draw_mistakes_puts_houses_on_the_map_and_beside_the_truth():
    mistakes = make_houses()
    map_axes, scatter = draw(mistakes).axes
    places = np.concatenate([dots.get_offsets() for dots in map_axes.collections])
    assert sorted(places[:, 0]) == pytest.approx(sorted(mistakes.longitude))
    high, low = (len(dots.get_offsets()) for dots in map_axes.collections)
    assert (high, low) == ((mistakes.errors > 0).sum(), (mistakes.errors <= 0).sum())
    points = np.concatenate([dots.get_offsets() for dots in scatter.collections])
    assert sorted(points[:, 1]) == pytest.approx(sorted(mistakes.predictions))
    assert map_axes.get_title(loc="left") == "60 held-out districts (sample)"
    ranks = {one.get_text(): one.xy for one in map_axes.texts}
    assert ranks["1"] == (mistakes.longitude[mistakes.worst[0]], mistakes.latitude[mistakes.worst[0]])


@pytest.mark.parametrize("make", [make_images, make_reviews, make_houses])
def test_draw_mistakes_fits_into_a_narrow_figure(make):
    figure = draw(make(), size=(4.3, 5.6))
    width, _ = figure.canvas.get_width_height()
    for text in figure.texts:
        assert text.get_window_extent().x1 <= width


def test_draw_mistakes_says_so_where_there_is_none():
    none = make_images(count=0)
    figure = draw(none)
    assert [text.get_text() for text in figure.texts] == ["Not a single mistake in 100 held-out images."]
    assert describe_mistakes(none) == none.sentence


def test_describe_mistakes_says_what_is_drawn():
    images, reviews, houses = make_images(), make_reviews(1), make_houses()
    told = describe_mistakes(images)
    assert told.startswith("12 of 100 held-out images are wrong (12.0%). The worst: is ")
    assert told.count("says") == 12
    assert describe_mistakes(reviews) == (
        "1 of 50 held-out reviews are wrong (2.0%). A positive review, called negative with 98 %; the words that moved "
        "it most, in log-odds: dreadful -1.50, love +0.75, truly +0.10."
    )
    assert describe_mistakes(houses).startswith(houses.sentence)
    assert describe_mistakes(houses).count("where the truth is") == 5
