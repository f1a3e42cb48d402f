"""Every figure of the kit: functions that take numbers, draw them on Axes and return the Axes.

No figure is shown here and no setting is changed: figures are `matplotlib.figure.Figure`, which works in any thread.
Colours are those of Okabe and Ito, which most colour-blind people tell apart; the style of a line says the same again.
"""

from __future__ import annotations

import base64
import io
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK = "#333333"  # text, ticks and frames
DPI = 100
WIDE_RANGE = 10.0  # largest over smallest loss, from which on the axis is logarithmic


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its backends; `alt` says the same in words."""

    alt = ""

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, str], dict[str, object]]:
        picture = base64.b64encode(to_png(self)).decode("ascii")
        text = {"text/plain": self.alt or repr(self)}
        return {"image/png": picture} | text, {"image/png": {"alt": self.alt}} if self.alt else {}


def blank_figure(size: tuple[float, float] = (7.0, 4.4), *, alt: str = "") -> NotebookFigure:
    """Return an empty figure of this size in inches; `alt` is its alternative text, once something is drawn."""
    figure = NotebookFigure(figsize=size, dpi=DPI, layout="constrained")
    figure.alt = alt
    return figure


def new_figure(columns: int = 1, *, width: float = 6.0, height: float = 3.6) -> tuple[NotebookFigure, list[Axes]]:
    """Return an empty figure with Axes side by side; width and height of each are in inches."""
    figure = blank_figure((width * columns, height))
    return figure, list(np.atleast_1d(figure.subplots(1, columns)))


def draw_training_curves(
    train: Sequence[float],
    val: Sequence[float],
    *,
    quantity: str,
    unit: str = "",
    best_epoch: int | None = None,
    overfitting_epoch: int | None = None,
    baseline: float | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw one quantity over the epochs, on the training and on the validation part.

    Parameters
    ----------
    train, val : one number an epoch; either may be empty
    quantity, unit : what the numbers are, for the axis
    best_epoch, overfitting_epoch : from 0; the axis counts from 1
    baseline : what a guess without the input achieves
    axes : where to draw; None makes a figure
    """
    axes = axes or new_figure()[1][0]
    if baseline is not None and math.isfinite(baseline):
        axes.axhline(baseline, color=INK, linestyle=":", linewidth=1.5, label="baseline")
    for values, colour, style, label in ((train, BLUE, "--", "training"), (val, ORANGE, "-", "validation")):
        if len(values):
            mark = "o" if len(values) == 1 else None
            axes.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, marker=mark, label=label)
    if overfitting_epoch is not None:
        axes.axvspan(
            overfitting_epoch + 1, max(len(train), len(val)), color=VERMILION, alpha=0.12, lw=0, label="overfitting"
        )
    if best_epoch is not None and best_epoch < len(val) and math.isfinite(val[best_epoch]):
        label = f"best epoch: {best_epoch + 1}"
        axes.plot(best_epoch + 1, val[best_epoch], "D", color=GREEN, markersize=7, linestyle="none", label=label)
    axes.set_xlabel("epoch")
    if quantity.endswith("loss"):
        _show_small_values(axes, np.concatenate([np.asarray(train, float), np.asarray(val, float)]))
    axes.set_ylabel("\n".join([quantity, *textwrap.wrap(f"({unit})", 34)] if unit else [quantity]))
    axes.xaxis.get_major_locator().set_params(integer=True)
    finish(axes, title)
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
    return axes


def draw_scores(
    names: Sequence[str],
    scores: Sequence[float],
    *,
    quantity: str,
    unit: str = "",
    higher_is_better: bool,
    intervals: Sequence[tuple[float, float] | None] | None = None,
    on_test: Sequence[bool] | None = None,
    title: str = "",
    axes: Axes | None = None,
) -> Axes:
    """Draw scores as dots, one a line from the top, with their confidence intervals.

    Dots, not bars: scores such as 0.978 and 0.981 are told apart on an axis that need not begin at 0.

    Parameters
    ----------
    names, scores : of each line; a score may be NaN
    intervals : (low, high) of each, or None
    on_test : which of them are of the test set; they get a shape and colour of their own
    """
    axes = axes or new_figure(height=0.8 + 0.42 * len(names))[1][0]
    intervals = intervals or [None] * len(names)
    on_test = on_test or [False] * len(names)
    for line, (score, interval, test) in enumerate(zip(scores, intervals, on_test, strict=True)):
        if interval is not None:
            axes.plot(interval, (line, line), color=VERMILION if test else BLUE, linewidth=2.5, alpha=0.6)
        mark, colour = ("D", VERMILION) if test else ("o", BLUE)
        axes.plot(score, line, mark, color=colour, markersize=8)
        axes.annotate(
            f"{score:.4g}",
            (score, line),
            (0, 7),
            textcoords="offset points",
            horizontalalignment="center",
            fontsize="small",
            color=INK,
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.margins(x=0.12)
    direction = "right is better" if higher_is_better else "left is better"
    axes.set_xlabel(f"{quantity} ({f'{unit}; ' if unit else ''}{direction})")
    axes.grid(axis="y", alpha=0.25)
    finish(axes, title)
    return axes


def describe_training_curves(
    train: Sequence[float],
    val: Sequence[float],
    *,
    quantity: str,
    best_epoch: int | None = None,
    overfitting_epoch: int | None = None,
) -> str:
    """Say in words what `draw_training_curves` shows, for those who cannot see it.

    Examples
    --------
    >>> describe_training_curves([1.0, 0.5], [1.2, 0.9], quantity="data loss", best_epoch=1)
    'data loss over 2 epochs: training from 1 to 0.5; validation from 1.2 to 0.9, best at epoch 2 with 0.9.'
    """
    parts = []
    for name, values in (("training", train), ("validation", val)):
        if len(values):
            parts.append(f"{name} from {values[0]:.3g} to {values[-1]:.3g}")
    if best_epoch is not None and best_epoch < len(val):
        parts[-1] += f", best at epoch {best_epoch + 1} with {val[best_epoch]:.3g}"
    if overfitting_epoch is not None:
        parts.append(f"overfitting from epoch {overfitting_epoch + 1} on")
    return f"{quantity} over {max(len(train), len(val))} epochs: {'; '.join(parts)}."


def describe_scores(names: Sequence[str], scores: Sequence[float], *, quantity: str, unit: str = "") -> str:
    """Say in words what `draw_scores` shows."""
    listed = ", ".join(f"{name} {score:.4g}" for name, score in zip(names, scores, strict=True))
    return f"{quantity}{f' in {unit}' if unit else ''}: {listed}."


def to_png(figure: Figure, *, dpi: int = 2 * DPI, fast: bool = False) -> bytes:
    """Return the figure as a PNG on white; `fast` for a picture that is soon replaced: a tenth larger, sooner made."""
    buffer, options = io.BytesIO(), {"compress_level": 1} if fast else {}
    with _laid_out(figure, dpi):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", pil_kwargs=options)
    return buffer.getvalue()


@contextmanager
def _laid_out(figure: Figure, dpi: float) -> Iterator[None]:
    """Lay a figure out, and let nobody do so again inside: `savefig` would do it twice, and draw once for nothing."""
    engine, before = figure.get_layout_engine(), figure.dpi
    figure.dpi = dpi
    try:
        if engine is not None and figure.axes:
            engine.execute(figure)
        figure.set_layout_engine(None)
        yield
    finally:
        figure.set_layout_engine(engine)
        figure.dpi = before


def to_inline_svg(figure: Figure, alt: str) -> str:
    """Return the figure as an ``<svg>`` element to be put into HTML, with its alternative text.

    Text and frames take the colour of the page's text and the ground is clear, so it suits a light page, and a dark
    one that sets ``--curve-blue`` to a lighter blue. It refers to nothing outside itself.
    """
    from html import escape

    buffer = io.StringIO()
    # Equal figures give equal files: no date inside, and names that follow from the alternative text.
    with mpl.rc_context({"svg.hashsalt": alt, "svg.fonttype": "path"}):
        figure.savefig(
            buffer, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = svg.replace(BLUE.lower(), f"var(--curve-blue, {BLUE})")  # too dark for a dark page, which may lighten it
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)  # an HTML page knows these by itself
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)


def _show_small_values(axes: Axes, values: np.ndarray) -> None:
    """Take a logarithmic axis where a curve falls so far that its end would lie flat on the bottom."""
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > WIDE_RANGE * values.min():
        axes.set_yscale("log")


def finish(axes: Axes, title: str) -> None:
    """Give every Axes of the kit the same look: ink in one colour, no frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.tick_params(colors=INK, which="both")
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)
    axes.set_title(title, loc="left", fontsize="medium", color=INK)
