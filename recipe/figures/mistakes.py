"""What a model gets wrong, drawn: images, texts with the words that moved them, quantities."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.figure import Figure

from recipe.core.measures import THRESHOLD
from recipe.core.problem import ProblemType
from recipe.debugging.mistakes import Mistakes, TextMistake
from recipe.figures import BLUE, INK, VERMILION, finish

MOST_IMAGES, TEXTS_SHOWN, WORDS_SHOWN, ROWS_MARKED = 12, 3, 6, 5
LONGEST_LINE = 22  # letters above an image
STRETCH = 45  # words of a text that are shown before and behind its strongest one
TEXT_WIDTH = 88  # letters


def draw_mistakes(figure: Figure, mistakes: Mistakes) -> None:
    """Fill a figure with the worst mistakes, or say that there is none."""
    is_table = mistakes.problem.kind == "table" and mistakes.problem.type.is_classification
    if not mistakes.wrong or is_table:  # whose worst rows are read, not looked at: `Mistakes.to_frame`
        figure.text(0.5, 0.5, mistakes.sentence, ha="center", va="center", color=INK)
        return
    mark = " (sample)" if mistakes.source == "sample" else ""
    title = f"{mistakes.sentence} The worst{mark}:"
    figure.suptitle(textwrap.fill(title, 100), x=0.01, ha="left", fontsize=9.5, color=INK)
    if mistakes.texts:
        _draw_texts(figure, mistakes)
    elif not mistakes.problem.type.is_classification:
        _draw_quantities(figure, mistakes)
    else:
        _draw_images(figure, mistakes)


def describe_mistakes(mistakes: Mistakes) -> str:
    """Say in words what `draw_mistakes` shows, for those who cannot see it."""
    told = [mistakes.sentence]
    most = TEXTS_SHOWN if mistakes.texts else MOST_IMAGES if mistakes.problem.kind == "image" else ROWS_MARKED
    for number, place in enumerate(mistakes.worst[:most] if mistakes.wrong else ()):
        words = ", ".join(f"{word} {effect:+.2f}" for word, effect in _strongest(mistakes.texts[number : number + 1]))
        moved = f"; the words that moved it most: {words}" if words else ""
        told.append(f"Row {mistakes.rows[place]:,} {', '.join(caption(mistakes, place))}{moved}.")
    return " ".join(told)


def caption(mistakes: Mistakes, place: int) -> tuple[str, str]:
    """Say what a sample is, and what the model says, how surely where it is a class."""
    problem, outputs, truth = mistakes.problem, mistakes.outputs[place], mistakes.truth[place]
    names = problem.output_names
    if not problem.type.is_classification:
        return f"is {np.ravel(truth)[0]:.3g}", f"says {outputs[0]:.3g}"
    if problem.type is ProblemType.MULTICLASS:
        return f"is {names[truth]}", f"says {names[outputs.argmax()]}, {_percent(outputs.max())}"
    worst = int(np.abs(outputs - truth).argmax())  # of several labels
    is_yes, says_yes = int(np.ravel(truth)[worst]), int(outputs[worst] > THRESHOLD)
    share = _percent(outputs[worst] if says_yes else 1 - outputs[worst])
    if problem.outputs == 1:
        return f"is {names[is_yes]}", f"says {names[says_yes]}, {share}"
    return f"{'is' if is_yes else 'not'} {names[worst]}", f"says {'yes' if says_yes else 'no'}, {share}"


def _percent(share: float) -> str:
    """Write a probability without pretending that it is certain."""
    return "> 99 %" if share > 0.995 else "< 1 %" if share < 0.005 else f"{share:.0%}".replace("%", " %")


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 1]}…"


def _draw_images(figure: Figure, mistakes: Mistakes) -> None:
    """Draw the images in a grid. Of the kit's digits ink is dark; images of one's own are shown as they are."""
    problem = mistakes.problem
    panes = figure.subplots(2, MOST_IMAGES // 2).ravel()
    for axes in panes:
        axes.set_axis_off()
    for axes, place in zip(panes, mistakes.worst, strict=False):
        image, white = mistakes.inputs[place], problem.pixel_max
        grey = "gray" if problem.origin else "gray_r"
        axes.imshow(image / white if image.ndim == 3 else image, cmap=grey, vmin=0, vmax=white)
        axes.set_title("\n".join(map(_shorten, caption(mistakes, place))), fontsize=8, color=INK)


def _draw_texts(figure: Figure, mistakes: Mistakes) -> None:
    """Write a part of each text, its strongest words in capitals, and draw beside it what these words did."""
    shown = mistakes.texts[:TEXTS_SHOWN]
    panes = figure.subplots(len(shown), 2, width_ratios=(1.9, 1), squeeze=False, sharex="col")
    for (left, right), place, text in zip(panes, mistakes.worst, shown, strict=False):
        left.set_axis_off()
        left.set_title(": ".join(caption(mistakes, place)), loc="left", fontsize=8.5, color=INK, weight="bold")
        words = textwrap.fill(_excerpt(text), TEXT_WIDTH)
        left.text(0, 1, words, va="top", fontsize=7.5, color=INK, transform=left.transAxes)
        effects = {_shorten(word): effect for word, effect in _strongest((text,))}
        colours = [BLUE if effect > 0 else VERMILION for effect in effects.values()]
        right.barh(list(effects), list(effects.values()), color=colours)
        right.invert_yaxis()
        right.tick_params(labelsize=8, length=2)
        right.axvline(0, color=INK, lw=0.8)
        finish(right, "")
    names = mistakes.problem.output_names
    truth = names[1] if len(names) == 2 else "the true class"
    what = f"log-odds of {truth}" if mistakes.problem.type.is_classification else "prediction"
    panes[-1, 1].set_xlabel(f"change of the {what}", fontsize=8)


def _strongest(texts: tuple[TextMistake, ...]) -> list[tuple[str, float]]:
    """Return the words of these texts that are shown, with their effects."""
    return [pair for text in texts for pair in list(text.strongest.items())[:WORDS_SHOWN]]


def _excerpt(text: TextMistake) -> str:
    """Return the stretch of a text around the word that moved it most."""
    strong = [word for word, _ in _strongest((text,))]
    middle = text.words.index(strong[0]) if strong else 0
    first, last = max(0, middle - STRETCH), middle + STRETCH
    words = [word.upper() if word in strong else word for word in text.words[first:last]]
    return " ".join([*["…"] * (first > 0), *words, *["…"] * (last < len(text.words))])


def _draw_quantities(figure: Figure, mistakes: Mistakes) -> None:
    """Draw what was said against what is true, the worst ones numbered as they are told."""
    axes, errors, says = figure.subplots(), mistakes.errors, mistakes.outputs[:, 0]
    truth = says - errors
    for is_high, colour, mark, name in ((True, VERMILION, "^", "too high"), (False, BLUE, "v", "too low")):
        some = (errors > 0) == is_high
        axes.scatter(truth[some], says[some], c=colour, marker=mark, s=16, alpha=0.55, lw=0, label=f"says {name}")
    for rank, place in enumerate(mistakes.worst[:ROWS_MARKED], start=1):
        axes.annotate(str(rank), (truth[place], says[place]), (4, 4), textcoords="offset points", color=INK)
    axes.axline((truth[0], truth[0]), slope=1, color=INK, linestyle=":", lw=1.2)
    unit = f" ({mistakes.unit})" if mistakes.unit else ""
    axes.set(xlabel=f"truth{unit}", ylabel=f"prediction{unit}")
    finish(axes, "")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
