"""What a model gets wrong, drawn: images, texts, quantities."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from recipe.debugging.mistakes import Mistakes
from recipe.figures import BLUE, INK, VERMILION, finish

MOST_SHOWN = {"image": 12, "text": 3, "table": 5}
LONGEST_LINE, LONGEST_TEXT = 22, 900  # letters above an image, and of a text


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
    shown = mistakes.worst[: MOST_SHOWN[mistakes.problem.kind]] if mistakes.wrong else ()
    told = (f"Row {mistakes.rows[place]:,} {', '.join(_caption(mistakes, place))}." for place in shown)
    return " ".join([mistakes.sentence, *told])


def _caption(mistakes: Mistakes, place: int) -> tuple[str, str]:
    truth, prediction = mistakes.describe(place)
    return f"is {truth}", f"says {prediction}"


def _draw_images(figure: Figure, mistakes: Mistakes) -> None:
    """Draw the images in a grid. Of the kit's digits ink is dark; images of one's own are shown as they are."""
    problem = mistakes.problem
    panes = figure.subplots(2, MOST_SHOWN["image"] // 2).ravel()
    for axes in panes:
        axes.set_axis_off()
    for axes, place in zip(panes, mistakes.worst, strict=False):
        image, white = mistakes.inputs[place], problem.pixel_max
        grey = "gray" if problem.origin else "gray_r"
        axes.imshow(image / white if image.ndim == 3 else image, cmap=grey, vmin=0, vmax=white)
        lines = (line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in _caption(mistakes, place))
        axes.set_title("\n".join(lines), fontsize=8, color=INK)


def _draw_texts(figure: Figure, mistakes: Mistakes) -> None:
    """Write each text, as far as there is room, below what it is and what the model says."""
    shown = mistakes.texts[: MOST_SHOWN["text"]]
    panes = figure.subplots(len(shown), squeeze=False)[:, 0]
    for axes, place, text in zip(panes, mistakes.worst, shown, strict=False):
        axes.set_axis_off()
        axes.set_title(": ".join(_caption(mistakes, place)), loc="left", fontsize=9, color=INK, weight="bold")
        words = textwrap.shorten(text, LONGEST_TEXT, placeholder=" …")
        axes.text(0, 1, words, va="top", fontsize=8.5, color=INK, transform=axes.transAxes, wrap=True)


def _draw_quantities(figure: Figure, mistakes: Mistakes) -> None:
    """Draw what was said against what is true, the worst ones numbered as they are told."""
    axes, errors, says = figure.subplots(), mistakes.errors, mistakes.outputs[:, 0]
    truth = says - errors
    for is_high, colour, mark, name in ((True, VERMILION, "^", "too high"), (False, BLUE, "v", "too low")):
        some = (errors > 0) == is_high
        axes.scatter(truth[some], says[some], c=colour, marker=mark, s=16, alpha=0.55, lw=0, label=f"says {name}")
    for rank, place in enumerate(mistakes.worst[: MOST_SHOWN["table"]], start=1):
        axes.annotate(str(rank), (truth[place], says[place]), (4, 4), textcoords="offset points", color=INK)
    axes.axline((truth[0], truth[0]), slope=1, color=INK, linestyle=":", lw=1.2)
    unit = f" ({mistakes.unit})" if mistakes.unit else ""
    axes.set(xlabel=f"truth{unit}", ylabel=f"prediction{unit}")
    finish(axes, "")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
