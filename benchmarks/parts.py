"""What each fast part of the engine is worth, on this machine: `python benchmarks/parts.py [PART ...]`.

Each part is timed as it is and without it, in turns, in one process; a line says the median seconds of a warm epoch (or
of what it names), of the processor and by the clock, and the ratio. The docstrings of `recipe/engine/` quote these
numbers. The real data must be there, as for `make bench`.
"""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["RECIPE_HOME"] = tempfile.mkdtemp()  # with an empty compile cache
os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from unittest.mock import patch

import jax
import numpy as np

import recipe
from recipe.core.prepared import Prepared
from recipe.engine import bags, batches, epoch, first_weights, loop, models
from recipe.steps.training import train_seeds

ROUNDS = 5
Time = tuple[float, float]  # of the processor, by the clock


def now() -> Time:
    """Return both clocks."""
    return time.process_time(), time.perf_counter()


def took(work: Callable[[], object]) -> Time:
    """Return what something takes once."""
    before = now()
    work()
    return tuple(np.subtract(now(), before))


def warm_epoch(spec: recipe.ModelSpec, prepared: Prepared, seeds: int = 1) -> Time:
    """Train anew and return what an epoch takes once all is compiled; of several seeds, an epoch of all of them."""
    epoch.PROGRAMS.clear()
    marks = []
    train_seeds(spec, prepared, range(seeds), on_epoch=lambda report: marks.append((now(), report)), journal=None)
    ends = [mark for mark, report in marks if report.epoch == spec.epochs - 1]
    starts = [mark for mark, report in marks if report.epoch == 0]
    side_by_side = marks[0][1].member != marks[1][1].member if seeds > 1 else True
    pairs = [(starts[-1], ends[-1])] if side_by_side else zip(starts, ends, strict=True)
    spans = [np.subtract(end, start) for start, end in pairs]
    return tuple(np.sum(spans, axis=0) / (spec.epochs - 1))


def compare(title: str, measure: Callable[[], Time], without: Callable[[], object], rounds: int = ROUNDS) -> None:
    """Take turns with and without a part, and print the medians and their ratio."""
    ours, others = [], []
    for _ in range(rounds):
        ours.append(measure())
        with without():
            others.append(measure())
    (used, clock), (other_used, other_clock) = np.median(ours, axis=0), np.median(others, axis=0)
    print(
        f"{title}: {used:.3f} s (clock {clock:.3f}) with, {other_used:.3f} s (clock {other_clock:.3f}) without: "
        f"{other_used / used:.2f} times (clock {other_clock / clock:.2f})",
        flush=True,
    )


def images(rows: int) -> Prepared:
    """Return digits."""
    return recipe.prepare(recipe.hold_out(recipe.load("mnist", rows=rows)))


def measure_strengths() -> None:
    """A training with other strengths, beside one whose program is traced again and read from the disk."""
    houses = recipe.prepare(recipe.hold_out(recipe.load("housing", rows=600)))
    spec = recipe.ModelSpec(hidden_units=(64, 64), dropout=0.2, l2=0.001, epochs=20)
    train = lambda **changes: took(lambda: recipe.train(spec.replace(**changes), houses, journal=None))  # noqa: E731
    first, others = train(), [train(dropout=0.1 + step / 20, l2=0.01 / (step + 1)) for step in range(ROUNDS)]
    again = []
    for _ in range(ROUNDS):
        epoch.PROGRAMS.clear()
        again.append(train())
    (other, _), (traced, _) = np.median(others, axis=0), np.median(again, axis=0)
    print(f"a training of 20 epochs: the first ever {first[0]:.2f} s (clock {first[1]:.2f}), with other strengths")
    print(f"    {other:.2f} s, traced again and read from the disk {traced:.2f} s")


def measure_bags() -> None:
    """Words that are looked up, beside the product with zeros and ones."""
    reviews = recipe.prepare(recipe.hold_out(recipe.load("imdb", rows=5_000)))
    table = bags.make_bags(reviews.x_train)
    print(f"bags: {reviews.x_train.nbytes / table.words.nbytes:.0f} times less memory")
    for units in (16, 64):
        spec = recipe.ModelSpec(hidden_units=(units, units), batch_size=512, epochs=4)
        without = lambda: patch.object(loop, "suits_bags", lambda job: False)  # noqa: E731
        compare(f"bags, {units} units, an epoch", lambda spec=spec: warm_epoch(spec, reviews), without, 3)


def measure_convolutions() -> None:
    """Convolutions as matrix products."""
    spec, digits = recipe.ModelSpec(architecture="convnet", hidden_units=(16, 32), epochs=2), images(500)
    plain = lambda: patch.object(epoch, "exchange_convolution", lambda layer: None)  # noqa: E731
    compare("convolutions, an epoch", lambda: warm_epoch(spec, digits), plain, 1)


def measure_members() -> None:
    """Networks side by side, beside one after the other."""
    houses = recipe.prepare(recipe.hold_out(recipe.load("housing", rows=600)))
    one = recipe.ModelSpec(hidden_units=(64, 64), batch_size=16, epochs=20)
    in_turn = lambda: patch.object(loop, "SIDE_BY_SIDE_WEIGHTS", 0)  # noqa: E731
    for units, seeds in ((64, 4), (64, 16), (128, 4), (192, 4)):
        spec = one.replace(hidden_units=(units, units))
        with patch.object(loop, "SIDE_BY_SIDE_WEIGHTS", 10**9):
            title = f"{seeds} networks {units}-{units} side by side, an epoch of all"
            compare(title, lambda spec=spec, seeds=seeds: warm_epoch(spec, houses, seeds), in_turn, 3)


def measure_slices() -> None:
    """Slices of rows that stay in the processor's cache while both sides are measured, beside larger ones."""
    large = lambda: patch.object(batches, "SLICE_OF_LARGE_ROWS", batches.SLICE_OF_SMALL_ROWS)  # noqa: E731
    digits, one = images(4_000), recipe.ModelSpec(epochs=3)
    for spec in (one, one.replace(architecture="convnet", hidden_units=(16, 32))):
        compare(f"slices, {spec.architecture}, an epoch", lambda spec=spec: warm_epoch(spec, digits), large, 2)


def measure_first_weights() -> None:
    """First weights cut from one draw, beside Keras's own, nothing compiled before."""
    spec, problem = recipe.ModelSpec(hidden_units=(64, 64)), recipe.load("housing", source="sample").problem

    def build() -> Time:
        jax.config.update("jax_enable_compilation_cache", False)
        jax.clear_caches()
        return took(lambda: recipe.build_model(spec, problem))

    def plain() -> ExitStack:
        stack, build = ExitStack(), lambda optimizer, variables: optimizer.build(variables)
        stack.enter_context(patch.object(models, "fast_first_weights", lambda layers: nullcontext()))
        stack.enter_context(patch.object(models, "build_optimizer", build))
        return stack

    compare("first weights of 64-64-1, nothing compiled", build, plain)
    first_weights.draw_uniform(0, (64, 64), 0.1)
    print(f"first weights, a later draw: {took(lambda: first_weights.draw_uniform(1, (64, 64), 0.1))[0] * 1000:.1f} ms")


PARTS = {name.removeprefix("measure_"): value for name, value in globals().items() if name.startswith("measure_")}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
