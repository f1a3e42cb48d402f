"""A few samples to learn from and others to judge on: what the panels of lessons 2 to 5 train their networks on."""

from __future__ import annotations

import threading

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.spec import ModelSpec
from recipe.engine.codegen import keras_code
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train

NOTE = (
    "The same in plain Python, on the same samples. The batches come in another order: expect scores within 0.05, of "
    "inputs that are not prepared within a fifth."
)


def draw_few(
    dataset: Dataset, rows: int | None = None, *, test_size: float = 0.5, most: int = 20_000, seed: int = 0
) -> Split:
    """Hold a part of the training samples out, and draw a few of the others to learn from.

    The validation part does not depend on `rows`, and more rows hold those of fewer. The test set stays sealed.

    Parameters
    ----------
    rows : to learn from; None: all that are not held out
    test_size : part of the training samples that is held out to judge on, in (0, 1)
    most : samples that are held out at most; the standard error of an accuracy of 0.9 is 0.2 points on 20,000
    seed : of the draw

    Raises
    ------
    ValueError
        If there are not so many rows.

    Examples
    --------
    >>> from recipe.data.load import load
    >>> draw_few(load("housing", source="sample", rows=500), 20).protocol
    '20 samples to learn from, 200 to judge on'
    """
    samples = len(dataset.y_train)
    held_out = min(int(test_size * samples), most)
    rows = samples - held_out if rows is None else rows
    if rows > samples - held_out:
        raise ValueError(
            f"Of {samples:,} samples {held_out:,} are held out to judge on. Received: rows={rows}. "
            f"Take {samples - held_out:,} or fewer."
        )
    order = np.random.default_rng(seed).permutation(samples)
    protocol = f"{rows:,} samples to learn from, {held_out:,} to judge on"
    return take_split(dataset, order[held_out : held_out + rows], order[:held_out], protocol=protocol)


def predict_held_out(split: Split, spec: ModelSpec, stop: threading.Event | None = None) -> tuple[Prepared, np.ndarray]:
    """Train a network on a split, and return the prepared data and its outputs on the validation part, (n, outputs)."""
    prepared = prepare(split, encoding=encoding_for(spec, split.problem))
    run = train(spec, prepared, stop=stop, journal=None)
    return prepared, run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)


def few_code(
    template: str, spec: ModelSpec, dataset: Dataset, few: Split, *, draw: int = 0, **values: object
) -> tuple[str, str]:
    """Return what to expect of a plain program that trains a network on samples drawn as `draw_few` does, and it.

    Parameters
    ----------
    template : the folder of the lesson, whose ``program.py.jinja`` has what the program does besides
    few, draw : what `draw_few` returned, and its seed
    values : what else the template takes
    """
    sizes = {"held_out": len(few.y_val), "learned": len(few.y_train), "draw": draw}
    loaded = {"source": dataset.source, "rows": len(dataset.y_train) + len(dataset.test)}
    template = f"lessons/{template}/program.py.jinja"
    return NOTE, keras_code(spec, dataset.problem, **loaded, template=template, **sizes, **values)
