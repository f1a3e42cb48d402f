"""Draw the map of the steps into the first cell of every lesson, its own step marked: `python tools/draw_map.py`.

The picture is an attachment of the cell, so that it is there on a code host, on paper, and in a copy of the lesson.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from recipe.figures import BLUE, INK, ORANGE, blank_figure, to_png

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
STEPS = (
    ("Define the\nproblem", "what from what?"),
    ("Choose a\nmeasure", "what is success?"),
    ("Decide on a\nprotocol", "judged how?"),
    ("Prepare\nthe data", "fit for a network?"),
    ("Beat a\nbaseline", "can it be learned?"),
    ("Scale up until\nit overfits", "big enough?"),
    ("Regularize\nand tune", "how good?"),
)
WIDTH, HEIGHT = 1.5, 0.84  # of a box; the steps are two apart
ALT = "define, measure, protocol, prepare, baseline, scale up, regularize, and back"


def draw_map(step: int) -> bytes:
    """Return the map as PNG; 0 marks no step, 8 marks the debugging that leads back from any of them."""
    figure = blank_figure((10.0, 2.1))
    axes = figure.subplots()
    axes.set(xlim=(-0.9, 12.9), ylim=(-1.75, 0.95), aspect="equal")
    axes.axis("off")
    for number, (title, question) in enumerate(STEPS, start=1):
        x = 2 * (number - 1)
        _draw_box(axes, x, 0.35, f"{number}. {title}", is_marked=step == number)
        axes.text(x, -0.24, question, ha="center", va="center", fontsize=7.5, style="italic", color=INK)
        if number < len(STEPS):
            _draw_arrow(axes, (x + WIDTH / 2, 0.35), (x + 2 - WIDTH / 2, 0.35))
    _draw_box(
        axes,
        6,
        -1.2,
        "Idea → Code → Experiment: does it not work?\nDebug the pipeline, and go back",
        is_marked=step == 8,
        wide=6.4,
    )
    _draw_arrow(axes, (12, -0.4), (9.3, -1.2), bend=-0.35)
    _draw_arrow(axes, (2.7, -1.2), (0, -0.4), bend=-0.35)
    return to_png(figure, dpi=130)


def _draw_box(axes: Axes, x: float, y: float, text: str, *, is_marked: bool, wide: float = WIDTH) -> None:
    """Draw a box around a text; the marked one is filled, and its frame is thicker."""
    corner, style = (x - wide / 2, y - HEIGHT / 2), "round,pad=0.03,rounding_size=0.12"
    look = {"fc": ORANGE, "ec": INK, "lw": 2.2} if is_marked else {"fc": "white", "ec": BLUE, "lw": 1.2}
    axes.add_patch(FancyBboxPatch(corner, wide, HEIGHT, boxstyle=style, **look))
    weight = "bold" if is_marked else "normal"
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5, color="black", weight=weight)


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, bend: float = 0.0) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "color": INK, "linewidth": 1.2, "shrinkA": 3, "shrinkB": 3}
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=f"arc3,rad={bend}", **style))


def main() -> None:
    """Put the map into the first cell of each lesson and of the project, below its title."""
    for path in [*sorted(NOTEBOOKS.glob("0*.ipynb")), NOTEBOOKS / "your_project.ipynb"]:
        lesson, step = json.loads(path.read_text(encoding="utf-8")), int(path.name[1]) if path.name[0] == "0" else 0
        header, marked = lesson["cells"][0], f", {step} marked" if step else ""
        title, *lines = [line for line in header["source"] if not line.startswith("![Map of the recipe")]
        text = "".join(lines).lstrip().splitlines(keepends=True)
        picture = f"![Map of the recipe{marked}: {ALT}](attachment:map.png)\n"
        header["source"] = [title, "\n", picture, "\n", *text]
        header["attachments"] = {"map.png": {"image/png": base64.b64encode(draw_map(step)).decode("ascii")}}
        path.write_text(json.dumps(lesson, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
