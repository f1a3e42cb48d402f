"""Every figure of the kit: functions that take numbers, draw them on Axes.

No figure is shown here and no setting is changed: figures are `matplotlib.figure.Figure`, which works in any thread.
Colours are those of Okabe and Ito, which most colour-blind people tell apart; the style of a line says the same again.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter
from PIL import Image

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
INK = "#333333"  # text, ticks and frames
DPI = 100


class NotebookFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its backends; `alt` says the same in words."""

    alt = ""

    def draw(self, renderer: RendererBase) -> None:
        """Draw every text as it stands: in names of columns and classes ``$`` is no mathematics."""
        for axis in (axis for axes in self.axes for axis in (axes.xaxis, axes.yaxis)):
            if isinstance(axis.get_major_formatter(), FixedFormatter):  # names, which reach their ticks only now
                axis.get_majorticklabels()
        for text in self.findobj(Text):
            words = text.get_text()
            if "$" in words and not words.startswith(r"$\mathdefault{"):  # so Matplotlib writes powers of ten itself
                text.set_parse_math(False)
        super().draw(renderer)

    def _repr_mimebundle_(self, **kwargs: object) -> tuple[dict[str, str], dict[str, object]]:
        text = {"text/plain": self.alt or repr(self)}
        return {"image/png": to_base64(self)} | text, {"image/png": {"alt": self.alt}} if self.alt else {}


def blank_figure(size: tuple[float, float] = (7.0, 4.4), *, alt: str = "") -> NotebookFigure:
    """Return an empty figure of this size in inches; `alt` is its alternative text, once something is drawn."""
    figure = NotebookFigure(figsize=size, dpi=DPI, layout="constrained", facecolor="white")
    figure.alt = alt
    return figure


def to_png(figure: Figure, *, dpi: int = 2 * DPI, fast: bool = False) -> bytes:
    """Return the figure as a PNG on white; `fast` for one that is soon replaced: of 256 colours, a third as large."""
    # Not `savefig`, which draws everything twice: the first time for the layout alone.
    canvas, before, buffer = FigureCanvasAgg(figure), figure.dpi, io.BytesIO()
    figure.set_dpi(dpi)
    canvas.draw()
    figure.set_dpi(before)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])  # nothing shines through
    picture = picture.quantize(method=Image.Quantize.FASTOCTREE) if fast else picture
    picture.save(buffer, "png", compress_level=1 if fast else 6)
    return buffer.getvalue()


def to_base64(figure: Figure) -> str:
    """Return the figure as a PNG that a page or a notebook holds as text, as large as those of Matplotlib."""
    return base64.b64encode(to_png(figure, dpi=DPI)).decode("ascii")


def finish(axes: Axes, title: str) -> None:
    """Give every Axes of the kit the same look: ink in one colour, no frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.tick_params(colors=INK, which="both")
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)
    axes.set_title(title, loc="left", fontsize="medium", color=INK, y=1.0)  # or all ticks are measured to place it
    axes.yaxis.set_offset_position("right")  # of numbers such as 1e6: away from the title
