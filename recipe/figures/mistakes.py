"""What a model gets wrong, drawn: images with their probabilities, texts with their words, rows of a table."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recipe.core.measures import THRESHOLD
from recipe.core.problem import Problem, ProblemType
from recipe.debugging.mistakes import Mistakes, TextMistake
from recipe.figures import BLUE, GREEN, INK, SKY, VERMILION, finish

LONGEST_LINE = 22  # letters above an image
MOST_IMAGES, TEXTS_SHOWN, WORDS_SHOWN, ROWS_MARKED, COLUMNS_SHOWN = 12, 3, 6, 5, 6
_UNREAD = "#9a9a9a"
_MONO = 0.602  # width of a letter of DejaVu Sans Mono, as part of its size
_LINE = 1.45  # distance of lines, as part of the size


def draw_mistakes(figure: Figure, mistakes: Mistakes) -> None:
    """Fill a figure with the worst mistakes, or say that there is none."""
    if not mistakes.wrong:
        figure.text(0.5, 0.5, mistakes.sentence, ha="center", va="center", color=INK)
    elif mistakes.texts:
        _draw_texts(figure, mistakes)
    elif not mistakes.problem.type.is_classification:
        _draw_quantities(figure, mistakes)
    elif mistakes.problem.kind == "image":
        _draw_images(figure, mistakes)
    else:
        _draw_rows(figure, mistakes)


def describe_mistakes(mistakes: Mistakes) -> str:
    """Say in words what `draw_mistakes` shows, for those who cannot see it."""
    told = [mistakes.sentence]
    if mistakes.texts:
        for text in mistakes.texts[:TEXTS_SHOWN]:
            words = ", ".join(f"{word} {effect:+.2f}" for word, effect in _strongest(text))
            told.append(f"{_head(text, mistakes)}; the words that moved it most: {words}.")
    elif not mistakes.problem.type.is_classification:
        truth = mistakes.truth.reshape(mistakes.samples, -1)[:, 0]
        for place in mistakes.worst[:ROWS_MARKED]:
            says = f"it says {mistakes.outputs[place, 0]:.2f} where the truth is {truth[place]:.2f}"
            told.append(f"Of row {mistakes.rows[place]:,} {says}.")
    elif mistakes.wrong:
        captions = [_caption(mistakes, place).replace("\n", ", ") for place in mistakes.worst[:MOST_IMAGES]]
        told.append(f"The worst: {'; '.join(captions)}.")
    return " ".join(told)


def _mark(source: str) -> str:
    return " (sample)" if source == "sample" else ""


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(1, most - 1)]}{'…' if most > 2 else ''}"


def _percent(share: float) -> str:
    """Write a probability without pretending that it is certain."""
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{share:.0%}".replace("%", " %")


# Images.


def _caption(mistakes: Mistakes, place: int) -> str:
    """Say what a sample is and what the model says, in two short lines."""
    problem, outputs, label = mistakes.problem, mistakes.outputs[place], mistakes.truth[place]
    names = problem.output_names
    if problem.type is ProblemType.MULTICLASS:
        says = outputs.argmax()
        is_says = f"is {names[label]}, says {names[says]}"
        if len(is_says) > LONGEST_LINE:  # names of one's own classes
            return f"is {_shorten(names[label], 18)}\nsays {_shorten(names[says], 12)}, {_percent(outputs[says])}"
        return f"{is_says}\n{_percent(outputs[says])}"
    if problem.outputs == 1:
        says = int(outputs[0] > THRESHOLD)
        share = outputs[0] if says else 1 - outputs[0]
        return f"is {_shorten(names[label], 18)}\nsays {_shorten(names[says], 12)}: {_percent(share)}"
    worst = int(np.abs(outputs - label).argmax())
    return f"{'is' if label[worst] else 'not'} {names[worst]}\nsays yes: {_percent(outputs[worst])}"


def _draw_images(figure: Figure, mistakes: Mistakes) -> None:
    """Draw the images in a grid, below each ten probabilities where there are ten classes."""
    columns, shown = 6, mistakes.worst[:MOST_IMAGES]
    _write_title(figure, mistakes)
    has_bars = mistakes.problem.type is ProblemType.MULTICLASS
    wide, high = 0.98 / columns, 0.93 / max(2, -(-len(shown) // columns))
    for number, place in enumerate(shown):
        row, column = divmod(number, columns)
        left, low = 0.01 + column * wide, 0.94 - (row + 1) * high
        foot = 0.27 if has_bars else 0.1
        # Places are given, not found: two dozen axes take the layout engine seconds.
        axes = figure.add_axes((left, low + foot * high, 0.94 * wide, (0.8 - foot) * high))
        # Of the kit's digits ink is dark; images of one's own are shown as they are.
        grey, white = "gray" if mistakes.problem.origin else "gray_r", mistakes.problem.pixel_max
        image = mistakes.inputs[place]
        axes.imshow(image / white if image.ndim == 3 else image, cmap=grey, vmin=0, vmax=white)
        axes.set_axis_off()
        axes.set_title(_caption(mistakes, place), fontsize=8, color=INK, pad=3)
        if has_bars:
            bars = figure.add_axes((left + 0.03 * wide, low + 0.1 * high, 0.9 * wide, 0.15 * high))
            _draw_probabilities(bars, mistakes, place)


def _write_title(figure: Figure, mistakes: Mistakes) -> None:
    figure.add_subplot(figure.add_gridspec(1, 1)[0]).set_axis_off()  # the layout engine misses a grid otherwise
    title = f"{mistakes.sentence} The ones it was surest of{_mark(mistakes.source)}:"
    figure.text(0.01, 0.985, title, fontsize=9.5, color=INK, va="top")


def _draw_probabilities(axes: Axes, mistakes: Mistakes, place: int) -> None:
    """Draw the probability of each class: the true one green and hatched, the one that was said vermilion."""
    outputs, label = mistakes.outputs[place], mistakes.truth[place]
    says = outputs.argmax()
    classes = range(len(outputs))
    bars = axes.bar(classes, outputs, color=[SKY if one not in (label, says) else VERMILION for one in classes])
    bars[label].set(color=GREEN, hatch="///")
    axes.set_ylim(0, 1.05)
    axes.set_yticks([])
    most = max(1, LONGEST_LINE // len(outputs))
    axes.set_xticks(classes, [_shorten(name, most) for name in mistakes.problem.output_names], fontsize=6.5)
    finish(axes, "")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0, pad=1)
    axes.get_xticklabels()[label].set(color=GREEN, fontweight="bold")
    axes.get_xticklabels()[says].set(color=VERMILION, fontweight="bold")


# Texts.


def _head(text: TextMistake, mistakes: Mistakes) -> str:
    """Say what a text is and what it was called, with which probability; of a quantity, what is true and said."""
    problem, names = mistakes.problem, mistakes.problem.output_names
    place = int(np.flatnonzero(mistakes.rows == text.row)[0])
    truth = mistakes.truth[place]
    if not problem.type.is_classification:
        return f"A text of {np.ravel(truth)[0]:.3g}, said to be {text.score:.3g}"
    if problem.type is ProblemType.MULTICLASS:
        says = mistakes.outputs[place].argmax()
        return f"A text of class {names[truth]}, called {names[says]} with {_percent(mistakes.outputs[place, says])}"
    said = text.score if text.score > 0.5 else 1 - text.score
    if problem.outputs > 1:
        is_, not_ = ("is", "not") if truth[text.output] else ("not", "yes")
        return f"A text that is{' not' * (is_ == 'not')} {names[text.output]}, called {not_} with {_percent(said)}"
    return f"A text that is {names[truth]}, called {names[1 - truth]} with {_percent(said)}"


def _draw_texts(figure: Figure, mistakes: Mistakes) -> None:
    """Draw a part of each text with its strongest words in colour, and beside it what these words did."""
    _write_title(figure, mistakes)
    shown = mistakes.texts[:TEXTS_SHOWN]
    foot, top = 0.12, 0.925
    height = (top - foot) / TEXTS_SHOWN
    limit = 1.1 * max(abs(effect) for text in shown for _, effect in _strongest(text))
    for number, text in enumerate(shown):
        low = top - (number + 1) * height
        _draw_text(figure, (0.01, low, 0.62, height), text, _head(text, mistakes) + ":")
        axes = figure.add_axes((0.66, low + 0.015, 0.31, height - 0.035))
        _draw_words(axes, text, max(limit, 1e-3))
        if number + 1 < len(shown):
            axes.set_xticklabels([])
    axes.set_xlabel(_effect_label(mistakes.problem), fontsize=8, color=INK)


def _effect_label(problem: Problem) -> str:
    if not problem.type.is_classification:
        return f"← less     more →\n(change of the prediction, {problem.target_unit})"
    no, yes = problem.output_names if len(problem.output_names) == 2 else ("another class", "the true class")
    return f"← {no}     {yes} →\n(change of the log-odds)"


def _strongest(text: TextMistake) -> list[tuple[str, float]]:
    """Return the words that are shown, with their effects."""
    return list(text.strongest.items())[:WORDS_SHOWN]


def _draw_words(axes: Axes, text: TextMistake, limit: float) -> None:
    """Draw what each of the strongest words did as a bar, its name on the other side of 0."""
    for line, (word, effect) in enumerate(_strongest(text)):
        colour, side = (BLUE, -1) if effect > 0 else (VERMILION, 1)
        axes.barh(line, effect, color=colour, height=0.7, hatch="" if effect > 0 else "///", alpha=0.85)
        times = f" ×{text.words.count(word)}" if text.words.count(word) > 1 else ""
        where = "left" if side > 0 else "right"
        axes.text(0.03 * limit * side, line, word[:16] + times, ha=where, va="center", fontsize=8, color=INK)
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_xlim(-limit, limit)
    axes.set_ylim(WORDS_SHOWN - 0.4, -0.6)
    axes.set_yticks([])
    axes.tick_params(labelsize=7, length=2)
    finish(axes, "")
    axes.spines["left"].set_visible(False)


def _draw_text(figure: Figure, place: tuple[float, float, float, float], text: TextMistake, head: str) -> None:
    """Write the stretch of a text that has the strongest words, letter by letter of one width, so that words can
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
    strongest = {word for word, _ in _strongest(text)}
    first, last = _choose_stretch(text, strongest, letters * lines * 9 // 10)
    words = [*(["…"] if first else []), *text.words[first:last], *(["…"] if last < len(text.words) else [])]
    effects = [*([0.0] if first else []), *text.effects[first:last], 0.0]
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


def _choose_stretch(text: TextMistake, strongest: set[str], letters: int) -> tuple[int, int]:
    """Return (first, last) of the stretch of so many letters in which the strongest words did most."""
    ends = np.cumsum([len(word) + 1 for word in text.words])
    effects = [abs(effect) if word in strongest else 0.0 for word, effect in zip(text.words, text.effects, strict=True)]
    weight = np.concatenate([[0], np.cumsum(np.nan_to_num(effects))])
    starts = np.concatenate([[0], ends[:-1]])
    lasts = np.searchsorted(ends, starts + letters, side="right")  # words that fit in from each start on
    best = int(np.argmax(weight[lasts] - weight[:-1]))
    while best > 0 and ends[-1] - starts[best] < letters:  # fill the room at the end of a text
        best -= 1
    return best, int(lasts[best])


# Quantities and rows of a table.


def _draw_quantities(figure: Figure, mistakes: Mistakes) -> None:
    """Draw what was said against what is true, and on a map where the table says where each row lies."""
    names = list(mistakes.problem.feature_names)
    has_map = mistakes.problem.kind == "table" and {"longitude", "latitude"} <= set(names)
    truth, says, errors = mistakes.truth.reshape(mistakes.samples, -1)[:, 0], mistakes.outputs[:, 0], mistakes.errors
    panes = figure.subplots(1, 2 if has_map else 1, squeeze=False).ravel()
    places = [(truth, says)]
    if has_map:
        places = [tuple(mistakes.inputs[:, names.index(name)] for name in ("longitude", "latitude")), *places]
    few = len(errors) < 400
    sizes = (14 if few else 5) + (110 if few else 45) * np.abs(errors) / max(np.abs(errors).max(), 1e-9)
    for axes, (x, y) in zip(panes, places, strict=True):
        for is_high, colour, mark, name in ((True, VERMILION, "^", "too high"), (False, BLUE, "v", "too low")):
            some = (errors > 0) == is_high
            style = {"c": colour, "marker": mark, "s": sizes[some], "alpha": 0.55, "linewidths": 0}
            axes.scatter(x[some], y[some], label=f"model says {name}", **style)
        for rank, place in enumerate(mistakes.worst[:ROWS_MARKED], start=1):
            axes.annotate(
                str(rank), (x[place], y[place]), (6, 4), textcoords="offset points", fontsize=9, weight="bold"
            )
    scatter, ends = panes[-1], np.array([min(truth.min(), 0.0), truth.max()])
    scatter.plot(ends, ends, color=INK, linestyle=":", lw=1.2)
    scatter.set(xlabel=f"truth ({mistakes.unit})" if mistakes.unit else "truth", ylabel="prediction")
    title = f"{len(errors):,} held-out samples{_mark(mistakes.source)}"
    off = f"off by {np.abs(errors).mean():.2f} on average"
    finish(scatter, off if has_map else f"{title}: {off}")
    if has_map:
        panes[0].set_aspect(1 / np.cos(np.radians(places[0][1].mean())))
        panes[0].set(xlabel="longitude (degrees)", ylabel="latitude (degrees)")
        panes[0].xaxis.set_major_locator(MaxNLocator(3))
        finish(panes[0], title)
    handles, labels = scatter.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)


def _show_value(value: object) -> str:
    """Write a number, or a category by its name."""
    if isinstance(value, str):
        return _shorten(value, 16)
    return "missing" if np.isnan(value) else f"{value:.4g}"


def _draw_rows(figure: Figure, mistakes: Mistakes) -> None:
    """Write the worst rows of a table as one: what each is, what the model says, and the first of its columns."""
    _write_title(figure, mistakes)
    columns = mistakes.problem.name_columns(mistakes.inputs)
    names = list(columns)[:COLUMNS_SHOWN]
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.9))
    axes.set_axis_off()
    cells = []
    for place in mistakes.worst:
        values = [_show_value(columns[name][place]) for name in names]
        cells.append([_caption(mistakes, place).replace("\n", ", "), *values])
    widths = [0.26, *[0.74 / len(names)] * len(names)]
    heads = ["", *(_shorten(name, 16) for name in names)]
    table = axes.table(cells, colLabels=heads, colWidths=widths, loc="upper left", cellLoc="right", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(8)
