"""Write into notebooks what their kernel says of itself: JupyterLab writes it anew where it differs, and asks to save.

`python tools/kernel_metadata.py [NOTEBOOK ...]`; without names, all of notebooks/. Python's version is part of it: on
another version than that of this Python JupyterLab still writes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ipykernel.ipkernel import IPythonKernel

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": dict(sorted(IPythonKernel.language_info.items())),
}


def stamp(path: Path) -> None:
    """Write the metadata into a notebook, and nothing else."""
    notebook = json.loads(path.read_text(encoding="utf-8")) | {"metadata": METADATA}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.rglob("[!.]*.ipynb"))):
        stamp(path)
