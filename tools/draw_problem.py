"""Draw what the three problems are made of into the cell of lesson 1 that shows it: `python tools/draw_problem.py`.

The picture is an attachment of the cell, as the map of the steps is.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from recipe.figures import BLUE, INK, ORANGE, blank_figure, to_png

LESSON = Path(__file__).parent.parent / "notebooks" / "01_define_the_problem.ipynb"
CELL = "parts"
HEADS = ("input", "network", "last layer", "loss", "target")
ROWS = (
    (
        "grey levels\nof an image",
        "hidden\nlayers",
        "10 units,\nsoftmax",
        "categorical\ncross-entropy",
        "a digit:\n0 to 9",
    ),
    ("words\nof a text", "hidden\nlayers", "1 unit,\nsigmoid", "binary\ncross-entropy", "liked it:\n1 or 0"),
    ("8 columns\nof a table", "hidden\nlayers", "1 unit,\nno activation", "mean\nsquared error", "a value\nin dollars"),
)
ALT = (
    "Three rows, each from an input over hidden layers and a last layer to a loss, which also gets the target. "
    "Image: 10 units with softmax, categorical cross-entropy, a digit. Text: 1 unit with sigmoid, binary "
    "cross-entropy, liked it or not. Table: 1 unit without activation, mean squared error, a value in dollars."
)


def draw_problem() -> bytes:
    """Return the picture as PNG: a row a problem; what the target decides is filled."""
    figure = blank_figure((9.0, 2.6))
    axes = figure.subplots()
    axes.set(xlim=(-0.6, 8.6), ylim=(-2.6, 0.9))
    axes.axis("off")
    for column, head in enumerate(HEADS):
        axes.text(2 * column, 0.7, head, ha="center", va="center", weight="bold", fontsize=9.5, color=INK)
        for row, texts in enumerate(ROWS):
            is_decided = head in ("last layer", "loss")
            box = {
                "boxstyle": "round,pad=0.45",
                "fc": ORANGE if is_decided else "white",
                "ec": INK if is_decided else BLUE,
            }
            axes.text(2 * column, -row, texts[column], ha="center", va="center", fontsize=8.5, bbox=box)
            if column:  # the target's arrow points back, to the loss that compares it with the output
                ends = (2 * column - 1.25, 2 * column - 0.75)
                begin, end = ends[::-1] if head == "target" else ends
                look = {"arrowstyle": "-|>", "color": INK}
                axes.annotate("", (end, -row), (begin, -row), arrowprops=look)
    return to_png(figure, dpi=130)


def main() -> None:
    """Attach the picture to its cell."""
    lesson = json.loads(LESSON.read_text(encoding="utf-8"))
    cell = next(cell for cell in lesson["cells"] if cell["id"] == CELL)
    cell["attachments"] = {"parts.png": {"image/png": base64.b64encode(draw_problem()).decode("ascii")}}
    LESSON.write_text(json.dumps(lesson, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
