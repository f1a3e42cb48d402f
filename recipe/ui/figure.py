"""The one figure of a panel: made without pyplot, so that a thread can redraw it."""

from __future__ import annotations

from functools import lru_cache

from matplotlib.figure import Figure

from recipe.figures import INK, to_png

PANEL_DPI, SCREEN_DPI = 100, 150  # of its layout in inches; of the picture, which the page shows smaller
PANEL_SIZE = (7.0, 4.4)  # inches


class PanelFigure(Figure):
    """A figure that a notebook shows by itself, without pyplot and its backends."""

    def _repr_png_(self) -> bytes:
        return to_png(self)


def new_panel_figure(size: tuple[float, float] = PANEL_SIZE) -> PanelFigure:
    """Return an empty figure of this size in inches."""
    return PanelFigure(figsize=size, dpi=PANEL_DPI, layout="constrained")


def screen_png(figure: Figure) -> bytes:
    """Return a figure as the picture that stands in a panel until the next one."""
    return to_png(figure, dpi=SCREEN_DPI, fast=True)


@lru_cache(maxsize=16)
def placeholder_png(size: tuple[float, float], text: str) -> bytes:
    """Return a picture of nothing but a few words, for a panel that has no result yet."""
    figure = new_panel_figure(size)
    figure.text(0.5, 0.5, text, ha="center", va="center", color=INK, alpha=0.7)
    return screen_png(figure)
