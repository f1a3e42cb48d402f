"""Make the picture that opens the README: the training panel in a real browser, after two runs on the real data.

`RECIPE_DATASETS=FOLDER python tools/panel_screenshot.py`; it needs the extra `test` and a Chromium.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]

from harness import FLAGS, Visitor, find_browser  # noqa: E402
from servers import serve  # noqa: E402

TARGET = ROOT / "docs" / "training-panel.png"
NAME = "panel.ipynb"
CELLS = (
    # The server's kernels see the sample and none of the user's settings: the real data is asked for here.
    "import os\nos.environ |= {{'RECIPE_SOURCE': 'local', 'RECIPE_DATASETS': {datasets!r}}}",
    "from recipe.ui.training import TrainingPanel\n"
    "panel = TrainingPanel(rows=10_000, units_1=16, epochs=30)\nnone = panel.run()",
    "none = panel.run(guess='it overfits', units_1=256, layer_2=True, units_2=64)",
    "panel",
)


def main() -> None:
    """Train twice, look, and write the picture."""
    datasets = os.environ.get("RECIPE_DATASETS")
    if not datasets:
        raise SystemExit("The real data is needed. Set RECIPE_DATASETS to its folder.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = Path(folder) / "served"
        served.mkdir()
        code = [nbformat.v4.new_code_cell(cell.format(datasets=str(Path(datasets).resolve()))) for cell in CELLS]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=metadata), served / NAME)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        with serve("lab", served, Path(folder) / "home") as server:
            context = browser.new_context(viewport={"width": 1180, "height": 1300}, device_scale_factor=2)
            visitor = Visitor(context, server)
            visitor.open_notebook(NAME)
            visitor.hide_sidebar()
            visitor.run_all()
            panel = visitor.panel("Train a network", run="Train")
            panel.wait_until_done()
            visitor.page.wait_for_timeout(1000)  # until the page is laid out
            picture = Image.open(io.BytesIO(panel.root.screenshot()))
            context.close()
        browser.close()
    TARGET.parent.mkdir(exist_ok=True)
    # This method keeps the colours of the curves apart, however few pixels they have.
    small = picture.convert("RGB").quantize(160, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(TARGET, optimize=True)
    print(f"{TARGET}: {picture.width} x {picture.height} pixels, {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
