"""Measure the kit beside plain Keras, side by side in one run, and write the table: `make bench`.

Every number is of a whole process; the sides of a comparison take turns, so that a machine whose speed drifts slows all
of them. TensorFlow gets a virtual environment of its own, made at the first run. The real data must be there: fetch it
by `recipe fetch`, or name its folder in RECIPE_DATASETS.

    python benchmarks/run.py --against PATH --rounds 5

compares this checkout with another one at PATH instead, in turns, and writes no page: is the kit slower than before?
Each side runs its own `benchmarks/sides.py`, with a compile cache of its own. The table says, warm and cold, the median
seconds of both and the median of their ratios, by the clock and by the processor's time of the whole process: above 1,
this checkout is slower. On a busy machine the processor's is the steadier one, though imports dilute it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sides import WORK
from vectorise import write_usual_file

HERE = Path(__file__).resolve().parent
ENVIRONMENT = dict(os.environ)  # of the sides: this process imports the kit, which tells XLA how to compile
TENSORFLOW = HERE.parent / ".venv-tensorflow"
SHORT = 3  # turns a round for what takes seconds only, and so is noisier
# work, what to reach against Keras on TensorFlow and on JAX
TARGETS = {"housing": (40, 15), "imdb": (3, 1.8), "mnist": (2, 1.2), "convnet": (1, 3)}
TITLES = {
    "housing": "California small (480 × 8), 64-64-1, adam, batch 16, 4 folds × 200 epochs",
    "imdb": "IMDB 15,000 × 10,000, 16-16-1, rmsprop, batch 512, 20 epochs, validated on 10,000",
    "mnist": "MNIST 60,000, 512-10, rmsprop, batch 128, 5 epochs, validated on 10,000",
    "convnet": "MNIST 10,000, convnet 16-32, batch 128, 5 epochs, validated on 2,000",
}


def write_parts(folder: Path) -> Path:
    """Write the arrays that every side reads; return the folder of the data files."""
    from recipe.data.files import fetch
    from recipe.data.load import load

    files = {file.name: file for file in fetch()}
    for fold, split in enumerate(_housing_folds(load("housing", rows=600))):
        np.savez(folder / f"housing_{fold}.npz", **split)
    imdb = load("imdb")
    vectors, labels = imdb.x_train.multi_hot(10_000), imdb.y_train
    parts = {"x_train": vectors[10_000:], "y_train": labels[10_000:]}
    np.savez(folder / "imdb_0.npz", **parts, x_val=vectors[:10_000], y_val=labels[:10_000])
    mnist = load("mnist")
    x_test, y_test = mnist.test.open()  # a comparison of speed: what validates here decides nothing
    np.savez(folder / "mnist_0.npz", x_train=mnist.x_train, y_train=mnist.y_train, x_val=x_test, y_val=y_test)
    few = {"x_train": mnist.x_train[:10_000], "y_train": mnist.y_train[:10_000]}
    np.savez(folder / "convnet_0.npz", **few, x_val=x_test[:2_000], y_val=y_test[:2_000])
    return Path(files["imdb.npz"].path)


def _housing_folds(dataset) -> list[dict[str, np.ndarray]]:
    """Return four folds of 360 and 120 districts, normalised by their own training part, in 100,000 dollars."""
    from recipe.steps.s3_protocol import k_fold
    from recipe.steps.s4_prepare import prepare

    names = ("x_train", "y_train", "x_val", "y_val")
    return [{name: getattr(prepare(split), name) for name in names} for split in k_fold(dataset, folds=4)]


def run_side(
    python: Path, work: str, side: str, folder: Path, *, checkout: Path = HERE.parent, **variables: str
) -> dict:
    """Run one side of a checkout as a process; return what it printed."""
    shield = {"KERAS_BACKEND": "jax", "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
    command = [str(python), str(checkout / "benchmarks" / "sides.py"), work, side, str(folder)]
    done = subprocess.run(command, env=ENVIRONMENT | shield, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The side {side} of {work} failed.\n{done.stderr[-2000:]}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    check_quality(work, result["quality"], side)
    print(
        f"  {side:12} {result['backend']:11} {result['seconds']:8.2f} s   quality {result['quality']:.3f}",
        flush=True,
    )
    return result


def run_checkout(checkout: Path, work: str, folder: Path, home: str) -> tuple[float, float]:
    """Train by the kit of a checkout; return the seconds, and those of the processor in the whole process."""
    before = os.times()
    variables = {"PYTHONPATH": str(checkout), "RECIPE_HOME": home}
    seconds = run_side(Path(sys.executable), work, "recipe", folder, checkout=checkout, **variables)["seconds"]
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


def compare_checkouts(other: Path, works: list[str], folder: Path, rounds: int) -> str:
    """Return a table of this checkout beside another one, whose processes take turns."""
    rows = ["| work | before | now | ratio | ratio, processor |", "| --- | --- | --- | --- | --- |"]
    checkouts, warm = {"before": other, "now": HERE.parent}, {"before": tempfile.mkdtemp(), "now": tempfile.mkdtemp()}
    for work, cold in itertools.product(works, (False, True)):
        found: dict[str, list[tuple[float, float]]] = {"before": [], "now": []}
        for number in range(rounds + (not cold)):  # the first warm round fills the compile caches, and is left out
            for side, checkout in checkouts.items():
                with tempfile.TemporaryDirectory() as empty:
                    times = run_checkout(checkout, work, folder, empty if cold else warm[side])
                found[side] += [times] if cold or number else []
        before, now = (np.array(found[side]) for side in checkouts)  # (rounds, 2)
        (clock, processor), medians = np.median(now / before, axis=0), [np.median(one[:, 0]) for one in (before, now)]
        name = f"{TITLES[work]}{', cold' if cold else ''}"
        rows.append(f"| {name} | {medians[0]:.2f} s | {medians[1]:.2f} s | {clock:.2f} | {processor:.2f} |")
    return "\n".join(rows)


def check_quality(work: str, quality: float, side: str) -> None:
    """Fail where a side was fast because it did not learn."""
    measure, limit = WORK[work]["quality"]
    if (quality > limit) if measure == "mae" else (quality < limit):
        raise RuntimeError(f"{side} reached a {measure} of {quality:.4f} on {work}, beyond the limit of {limit}.")


def compare(work: str, folder: Path, rounds: int, tensorflow: Path) -> dict[str, list[float]]:
    """Return the seconds of every side, one a round."""
    seconds: dict[str, list[float]] = {"TensorFlow": [], "JAX": [], "kit": [], "kit, cold": []}
    python, keep = Path(sys.executable), tempfile.mkdtemp()
    run_side(python, work, "recipe", folder, RECIPE_HOME=keep)  # fills the compile cache that a second start finds
    for _ in range(rounds):
        seconds["TensorFlow"].append(run_side(tensorflow, work, "keras", folder, KERAS_BACKEND="tensorflow")["seconds"])
        seconds["JAX"].append(run_side(python, work, "keras", folder, KERAS_BACKEND="jax")["seconds"])
        seconds["kit"].append(run_side(python, work, "recipe", folder, RECIPE_HOME=keep)["seconds"])
        with tempfile.TemporaryDirectory() as empty:
            seconds["kit, cold"].append(run_side(python, work, "recipe", folder, RECIPE_HOME=empty)["seconds"])
    return seconds


def compare_with_limit(folder: Path, rounds: int) -> tuple[float, float]:
    """Return median seconds of four warm epochs of MNIST: by hand in pure JAX, and by the kit."""
    python, seconds = Path(sys.executable), {"pure-jax": [], "recipe-warm": []}
    for _ in range(rounds):
        for side, times in seconds.items():
            times.append(run_side(python, "mnist", side, folder)["seconds"])
    return tuple(statistics.median(times) for times in seconds.values())


def compare_vectorising(files: dict[str, Path], rounds: int) -> dict[str, tuple[float, float]]:
    """Return median seconds and peak bytes of loading and vectorising IMDB, by the kit and by the usual loop."""
    found: dict[str, list[dict]] = {"kit": [], "loop": []}
    for _ in range(rounds):
        for side, results in found.items():
            command = [sys.executable, str(HERE / "vectorise.py"), side, str(files[side])]
            results.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    ones = {result["ones"] for results in found.values() for result in results}
    if len(ones) != 1:
        raise RuntimeError(f"The two sides do not make the same vectors: {ones} ones.")
    return {
        side: tuple(statistics.median(result[name] for result in results) for name in ("seconds", "peak"))
        for side, results in found.items()
    }


def make_table(times: dict[str, dict[str, list[float]]], limit: tuple, vectorising: dict, rounds: int) -> str:
    """Return the page of results."""
    rows = ["| work | kit | kit, cold | Keras on TensorFlow | Keras on JAX |", "| --- | --- | --- | --- | --- |"]
    for work, seconds in times.items():
        ours, cold = (statistics.median(seconds[side]) for side in ("kit", "kit, cold"))
        cells = [f"{ours:.2f} s", f"{cold:.2f} s"]
        for side, target in zip(("TensorFlow", "JAX"), TARGETS[work], strict=True):
            pairs = [other / kit for other, kit in zip(seconds[side], seconds["kit"], strict=True)]
            median, colder = statistics.median(seconds[side]), statistics.median(seconds[side]) / cold
            cells.append(f"{median:.1f} s: **{statistics.median(pairs):.1f}×** ({colder:.1f}× cold; aim {target}×)")
        rows.append(f"| {TITLES[work]} | {' | '.join(cells)} |")
    (kit_seconds, kit_peak), (loop_seconds, loop_peak) = vectorising["kit"], vectorising["loop"]
    more = [
        f"- MNIST 512-10, four warm epochs: {limit[1]:.2f} s, against {limit[0]:.2f} s of a loop written by hand in "
        f"pure JAX for this one network: **{limit[0] / limit[1]:.2f}** of its speed (aim 0.9).",
        f"- IMDB, load and vectorise: {kit_seconds:.2f} s and {kit_peak / 1e6:.0f} MB at the peak, against "
        f"{loop_seconds:.2f} s and {loop_peak / 1e6:.0f} MB of Keras's lists and the usual loop: "
        f"**{loop_seconds / kit_seconds:.1f}×** as fast (aim 5×), "
        f"**1/{loop_peak / kit_peak:.1f}** of the memory (aim 1/6).",
    ]
    return "\n".join([_preface(rounds), *rows, "", *more, ""])


def _preface(rounds: int) -> str:
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    times = f"the median of {rounds} rounds" if rounds > 1 else "one round"
    return "\n".join(
        [
            "# How fast the kit trains, beside plain Keras",
            "",
            f"Made by `make bench` on {machine}; {times} in which the sides took turns. Ratios "
            "hold, seconds are of that machine and hour.",
            "",
            "Wall time of a process from after the imports to the fitted model, building and compiling included, "
            "every side validating after each epoch on the same data and reaching the same quality, which is checked. "
            "*Cold* is the first training ever on a machine; after that XLA's compiled programs come from its cache. "
            f"What stands below the table is the median of {SHORT * rounds} turns.",
            "",
            "",
        ]
    )


def find_tensorflow() -> Path:
    """Return the Python of TensorFlow's own environment, making it if need be."""
    python = TENSORFLOW / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        keras = next(line for line in (HERE.parent / "constraints.txt").read_text().splitlines() if "keras==" in line)
        print(f"Making {TENSORFLOW.name} with tensorflow-cpu and {keras} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(TENSORFLOW)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "tensorflow-cpu", keras], check=True)
    return python


def main() -> None:
    """Run all comparisons and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs="*", choices=list(WORK), default=list(WORK))
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    parser.add_argument("--against", type=Path, metavar="PATH", help="another checkout of the kit, to compare with")
    options = parser.parse_args()
    if options.against:
        with tempfile.TemporaryDirectory() as folder:
            write_parts(Path(folder))
            print(compare_checkouts(options.against.resolve(), options.work, Path(folder), options.rounds))
        return
    tensorflow = find_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        imdb = write_parts(Path(folder))
        times = {}
        for work in options.work:
            print(TITLES[work], flush=True)
            times[work] = compare(work, Path(folder), options.rounds, tensorflow)
        limit = compare_with_limit(Path(folder), SHORT * options.rounds)
        usual = Path(folder) / "usual.npz"
        write_usual_file(imdb, usual)
        vectorising = compare_vectorising({"kit": imdb, "loop": usual}, SHORT * options.rounds)
    page = make_table(times, limit, vectorising, options.rounds)
    options.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
