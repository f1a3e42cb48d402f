"""What a model gets wrong, drawn: digits with their probabilities, reviews with their words, houses on the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recipe.core.problem import ProblemType
from recipe.debugging.mistakes import HouseMistakes, ImageMistakes, Mistakes, ReviewMistakes
from recipe.debugging.word_effects import MovingWord, ReviewMistake
from recipe.figures import BLUE, GREEN, INK, SKY, VERMILION, finish

NARROW = 5.5  # inches
MOST_IMAGES, REVIEWS_SHOWN, WORDS_SHOWN, HOUSES_MARKED = 12, 3, 6, 5
_UNREAD = "#9a9a9a"
_MONO = 0.602  # width of a letter of DejaVu Sans Mono, as part of its size
_LINE = 1.45  # distance of lines, as part of the size


def draw_mistakes(figure: Figure, mistakes: Mistakes) -> None:
    """Fill a figure with the worst mistakes, or say that there is none."""
    if isinstance(mistakes, HouseMistakes):
        _draw_houses(figure, mistakes)
        return
    if not mistakes.wrong:
        figure.text(0.5, 0.5, mistakes.sentence, ha="center", va="center", color=INK)
        return
    title = f"{mistakes.sentence} The ones it was surest of{_mark(mistakes.source)}:"
    if isinstance(mistakes, ReviewMistakes):
        _draw_reviews(figure, mistakes, title)
    else:
        _draw_images(figure, mistakes, title)


def describe_mistakes(mistakes: Mistakes) -> str:
    """Say in words what `draw_mistakes` shows, for those who cannot see it."""
    told = [mistakes.sentence]
    if isinstance(mistakes, HouseMistakes):
        for place in mistakes.worst[:HOUSES_MARKED]:
            told.append(
                f"At {mistakes.longitude[place]:.2f}, {mistakes.latitude[place]:.2f} it says "
                f"{mistakes.predictions[place]:.2f} where the truth is {mistakes.truth[place]:.2f}."
            )
    elif isinstance(mistakes, ReviewMistakes):
        for review in mistakes.reviews[:REVIEWS_SHOWN]:
            words = ", ".join(f"{word.text} {word.effect:+.2f}" for word in review.strongest[:WORDS_SHOWN])
            told.append(f"{_head(review, mistakes)}; the words that moved it most, in log-odds: {words}.")
    else:
        captions = [_caption(mistakes, number) for number in range(min(MOST_IMAGES, len(mistakes.rows)))]
        told += [f"The worst: {'; '.join(caption.replace(chr(10), ', ') for caption in captions)}."] if captions else []
    return " ".join(told)


def _mark(source: str) -> str:
    return " (sample)" if source == "sample" else ""


def _percent(share: float) -> str:
    """Write a probability without pretending that it is certain."""
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{share:.0%}".replace("%", " %")


# Images.


def _caption(mistakes: ImageMistakes, number: int) -> str:
    """Say what an image is and what the model says, in two short lines."""
    problem, outputs, label = mistakes.problem, mistakes.outputs[number], mistakes.labels[number]
    names = problem.output_names
    if problem.type is ProblemType.MULTICLASS:
        says = mistakes.predictions[number]
        return f"is {names[label]}, says {names[says]}\n{_percent(outputs[says])}"
    if problem.outputs == 1:
        return f"is {names[label]}\nsays yes: {_percent(outputs[0])}"
    worst = int(np.abs(outputs - label).argmax())
    return f"{'is' if label[worst] else 'not'} {names[worst]}\nsays yes: {_percent(outputs[worst])}"


def _draw_images(figure: Figure, mistakes: ImageMistakes, title: str) -> None:
    """Draw the images in a grid, below each ten probabilities where there are ten classes."""
    is_narrow = figure.get_figwidth() < NARROW
    columns, shown = 4 if is_narrow else 6, min(MOST_IMAGES, len(mistakes.rows))
    _write_title(figure, mistakes.sentence if is_narrow else title)
    has_bars = mistakes.problem.type is ProblemType.MULTICLASS
    wide, high = 0.98 / columns, 0.93 / max(2, -(-shown // columns))
    for number in range(shown):
        row, column = divmod(number, columns)
        left, low = 0.01 + column * wide, 0.94 - (row + 1) * high
        foot = 0.27 if has_bars else 0.1
        # Places are given, not found: two dozen axes take the layout engine seconds.
        axes = figure.add_axes((left, low + foot * high, 0.94 * wide, (0.8 - foot) * high))
        axes.imshow(mistakes.images[number], cmap="gray_r")
        axes.set_axis_off()
        axes.set_title(_caption(mistakes, number), fontsize=8, color=INK, pad=3)
        if has_bars:
            bars = figure.add_axes((left + 0.03 * wide, low + 0.1 * high, 0.9 * wide, 0.15 * high))
            _draw_probabilities(bars, mistakes, number)


def _write_title(figure: Figure, title: str) -> None:
    figure.add_subplot(figure.add_gridspec(1, 1)[0]).set_axis_off()  # the layout engine misses a grid otherwise
    figure.text(0.01, 0.985, title, fontsize=9.5, color=INK, va="top")


def _draw_probabilities(axes: Axes, mistakes: ImageMistakes, number: int) -> None:
    """Draw the probability of each class: the true one green and hatched, the one that was said vermilion."""
    outputs, label, says = mistakes.outputs[number], mistakes.labels[number], mistakes.predictions[number]
    classes = range(len(outputs))
    bars = axes.bar(classes, outputs, color=[SKY if one not in (label, says) else VERMILION for one in classes])
    bars[label].set(color=GREEN, hatch="///")
    axes.set_ylim(0, 1.05)
    axes.set_yticks([])
    axes.set_xticks(classes, mistakes.problem.output_names, fontsize=6.5)
    finish(axes, "")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, pad=1)
    axes.get_xticklabels()[label].set(color=GREEN, fontweight="bold")
    axes.get_xticklabels()[says].set(color=VERMILION, fontweight="bold")


# Reviews.


def _head(review: ReviewMistake, mistakes: ReviewMistakes) -> str:
    names = mistakes.problem.output_names
    said = review.score if review.score > 0.5 else 1 - review.score
    return f"A {names[review.label]} review, called {names[1 - review.label]} with {_percent(said)}"


def _draw_reviews(figure: Figure, mistakes: ReviewMistakes, title: str) -> None:
    """Draw a part of each review with its strongest words in colour, and beside it what these words did."""
    _write_title(figure, mistakes.sentence if figure.get_figwidth() < NARROW else title)
    shown = mistakes.reviews[:REVIEWS_SHOWN]
    foot, top = 0.12, 0.925
    height = (top - foot) / REVIEWS_SHOWN
    limit = 1.1 * max(abs(word.effect) for review in shown for word in review.strongest[:WORDS_SHOWN])
    for number, review in enumerate(shown):
        low = top - (number + 1) * height
        _draw_text(figure, (0.01, low, 0.62, height), review, _head(review, mistakes) + ":")
        axes = figure.add_axes((0.66, low + 0.015, 0.31, height - 0.035))
        _draw_words(axes, review.strongest[:WORDS_SHOWN], max(limit, 1e-3))
        if number + 1 < len(shown):
            axes.set_xticklabels([])
    axes.set_xlabel("← negative     positive →\n(change of the log-odds)", fontsize=8, color=INK)


def _draw_words(axes: Axes, words: Sequence[MovingWord], limit: float) -> None:
    """Draw what each word did as a bar, its name on the other side of 0."""
    for line, word in enumerate(words):
        colour, side = (BLUE, -1) if word.effect > 0 else (VERMILION, 1)
        axes.barh(line, word.effect, color=colour, height=0.7, hatch="" if word.effect > 0 else "///", alpha=0.85)
        times = f" ×{word.count}" if word.count > 1 else ""
        where = "left" if side > 0 else "right"
        axes.text(0.03 * limit * side, line, word.text[:16] + times, ha=where, va="center", fontsize=8, color=INK)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlim(-limit, limit)
    axes.set_ylim(WORDS_SHOWN - 0.4, -0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=7, length=2)
    finish(axes, "")
    axes.spines["left"].set_visible(False)


def _draw_text(figure: Figure, place: tuple[float, float, float, float], review: ReviewMistake, head: str) -> None:
    """Write the stretch of a review that has the strongest words, letter by letter of one width, so that words can
    be coloured: blue and bold pulls to positive, vermilion and slanted to negative, grey is not read.
    """
    axes = figure.add_axes(place)
    axes.set_axis_off()
    size = 7.5
    wide, high = place[2] * 72 * figure.get_figwidth(), place[3] * 72 * figure.get_figheight()
    letters, lines = int(wide / (size * _MONO)), int(high / (size * _LINE)) - 2
    axes.annotate(
        head, (0, 1), (0, 0), "axes fraction", "offset points", va="top", fontsize=8.5, color=INK, weight="bold"
    )
    strongest = {word.text for word in review.strongest[:WORDS_SHOWN]}
    first, last = _choose_stretch(review, strongest, letters * lines * 9 // 10)
    words = [*(["…"] if first else []), *review.words[first:last], *(["…"] if last < len(review.words) else [])]
    effects = [*([0.0] if first else []), *review.effects[first:last], 0.0]
    line, column = 0, 0
    for word, effect in zip(words, effects, strict=False):
        if column and column + len(word) > letters:
            line, column = line + 1, 0
        if line >= lines:
            break
        offset = (column * size * _MONO, -(line + 1.35) * size * _LINE)
        style = _style(effect, is_strong=word in strongest)
        axes.annotate(
            word, (0, 1), offset, "axes fraction", "offset points", va="top", fontsize=size, family="monospace", **style
        )
        column += len(word) + 1


def _style(effect: float, *, is_strong: bool) -> dict[str, str]:
    if np.isnan(effect):
        return {"color": _UNREAD}
    if not is_strong:
        return {"color": INK}
    return (
        {"color": BLUE, "weight": "bold"} if effect > 0 else {"color": VERMILION, "weight": "bold", "style": "italic"}
    )


def _choose_stretch(review: ReviewMistake, strongest: set[str], letters: int) -> tuple[int, int]:
    """Return (first, last) of the stretch of so many letters in which the strongest words did most."""
    ends = np.cumsum([len(word) + 1 for word in review.words])
    effects = [
        abs(effect) if word in strongest else 0.0 for word, effect in zip(review.words, review.effects, strict=True)
    ]
    weight = np.concatenate([[0], np.cumsum(np.nan_to_num(effects))])
    starts = np.concatenate([[0], ends[:-1]])
    lasts = np.searchsorted(ends, starts + letters, side="right")  # words that fit in from each start on
    best = int(np.argmax(weight[lasts] - weight[:-1]))
    while best > 0 and ends[-1] - starts[best] < letters:  # fill the room at the end of a review
        best -= 1
    return best, int(lasts[best])


# Houses.


def _draw_houses(figure: Figure, mistakes: HouseMistakes) -> None:
    """Draw the errors on the map, and what was said against what is true."""
    is_narrow = figure.get_figwidth() < NARROW
    panes = figure.subplots(2, 1) if is_narrow else figure.subplots(1, 2, width_ratios=(1, 1.05))
    errors, few = mistakes.errors, len(mistakes.errors) < 400
    sizes = (14 if few else 5) + (110 if few else 45) * np.abs(errors) / max(np.abs(errors).max(), 1e-9)
    map_axes, scatter = panes
    for is_high, colour, mark, name in ((True, VERMILION, "^", "too high"), (False, BLUE, "v", "too low")):
        some = (errors > 0) == is_high
        style = {"c": colour, "marker": mark, "s": sizes[some], "alpha": 0.55, "linewidths": 0}
        map_axes.scatter(mistakes.longitude[some], mistakes.latitude[some], label=name, **style)
        scatter.scatter(mistakes.truth[some], mistakes.predictions[some], **style)
    worst = mistakes.worst[:HOUSES_MARKED]
    for rank, place in enumerate(worst, start=1):
        for axes, x, y in (
            (map_axes, mistakes.longitude, mistakes.latitude),
            (scatter, mistakes.truth, mistakes.predictions),
        ):
            axes.annotate(
                str(rank), (x[place], y[place]), (6, 4), textcoords="offset points", fontsize=9, weight="bold"
            )
    map_axes.set_aspect(1 / np.cos(np.radians(36.0)))
    map_axes.set(xlabel="longitude (degrees)", ylabel="latitude (degrees)")
    finish(map_axes, f"{len(errors):,} held-out districts{_mark(mistakes.source)}")
    ends = np.array([min(mistakes.truth.min(), 0.0), mistakes.truth.max()])
    scatter.plot(ends, ends, color=INK, linestyle=":", lw=1.2)
    unit = mistakes.unit
    scatter.set(xlabel=f"truth ({unit})", ylabel="prediction")
    finish(scatter, f"off by {np.abs(errors).mean():.2f} on average")
    map_axes.xaxis.set_major_locator(MaxNLocator(3))
    handles, labels = map_axes.get_legend_handles_labels()
    figure.legend(
        handles,
        [f"model says {label}" for label in labels],
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
