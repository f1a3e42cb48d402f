"""Load IMDB's training reviews and turn them into multi-hot vectors: `python vectorise.py kit|loop FILE`.

Prints seconds and the peak memory of the process, imports included, in bytes.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np


def with_kit(file: Path) -> np.ndarray:
    """Return uint8 (25000, 10000), by the kit."""
    import os

    os.environ["RECIPE_DATASETS"] = str(file.parent)
    from recipe.data.load import load

    return load("imdb", source="local").x_train.multi_hot(10_000)


def with_loop(file: Path) -> np.ndarray:
    """Return float64 (25000, 10000), as the usual code does: Keras's own loading, then a loop over the words."""
    # Keras's file holds pickled lists; this one was written by `write_usual_file` a moment ago.
    with np.load(file, allow_pickle=True) as arrays:
        lists = [arrays["x_train"], arrays["x_test"]]
    train, _ = ([[word for word in review if word < 10_000] for review in part] for part in lists)
    vectors = np.zeros((len(train), 10_000))
    for row, review in enumerate(train):
        for word in review:
            vectors[row, word] = 1.0
    return vectors


def write_usual_file(source: Path, target: Path) -> None:
    """Write the reviews in the layout of Keras's own file: arrays of lists, pickled."""
    with np.load(source) as arrays:
        parts = {part: (arrays[f"{part}_tokens"], arrays[f"{part}_offsets"]) for part in ("train", "test")}
    lists = {
        f"x_{part}": np.array([tokens[a:b].tolist() for a, b in itertools.pairwise(offsets)], dtype=object)
        for part, (tokens, offsets) in parts.items()
    }
    np.savez(target, **lists)


def peak_memory() -> int:
    """Return the largest memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it forked
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    side, file = sys.argv[1], Path(sys.argv[2])
    started = time.perf_counter()
    vectors = {"kit": with_kit, "loop": with_loop}[side](file)
    seconds = time.perf_counter() - started
    peak = peak_memory()
    ones = int(np.count_nonzero(vectors))
    print(json.dumps({"side": side, "seconds": seconds, "peak": peak, "shape": vectors.shape, "ones": ones}))
