"""Step 4: prepare a part of the data in one way, train on it, and keep what the network read and how it went."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import Note
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train

MOST_READ = 500  # samples that the range of the inputs is taken from
MOST_VALIDATION = 1_000  # samples that a trial holds out: enough for a curve, and quickly measured


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationTrial:
    """One way to prepare a part of the data, and the training that followed.

    Attributes
    ----------
    name : the way, in words
    inputs : what `summarise_inputs` says of what the network reads
    notes : what is odd about the data
    run : the training, with the epochs that were trained so far
    """

    name: str
    inputs: tuple[tuple[str, float, float, float], ...]
    notes: tuple[Note, ...]
    run: Run


def try_preparation(
    dataset: Dataset,
    spec: ModelSpec,
    *,
    name: str,
    rows: int,
    on_epoch: Callable[[PreparationTrial], object] | None = None,
    stop: threading.Event | None = None,
    **arguments: object,
) -> PreparationTrial:
    """Prepare a part of the data in one way, and train on it.

    Parameters
    ----------
    name : the way, in words
    rows : training samples to take. Validation gets a quarter of the samples, 1,000 at most, and the same ones
        whatever `rows` is
    on_epoch : called with what there is so far
    stop : once set, from any thread, training ends with the epoch that is under way
    arguments : of `prepare`

    Raises
    ------
    ValueError
        If there are fewer samples than `rows`, or the arguments do not suit the data.
    """
    prepared = prepare(_take_rows(dataset, rows, spec.seed), **arguments)
    so_far = Run(
        spec=spec,
        problem=prepared.problem,
        source=prepared.source,
        protocol=prepared.protocol,
        history={},
        train_samples=len(prepared.y_train),
        val_samples=len(prepared.y_val),
    )
    trial = PreparationTrial(name=name, inputs=summarise_inputs(prepared), notes=prepared.notes, run=so_far)

    def report(told: EpochReport) -> None:
        for key, value in told.logs.items():
            so_far.history.setdefault(key, []).append(value)
        if on_epoch is not None:
            history = {key: list(values) for key, values in so_far.history.items()}
            on_epoch(replace(trial, run=replace(so_far, history=history)))

    return replace(trial, run=train(spec, prepared, on_epoch=report, stop=stop, journal=None))


def summarise_inputs(prepared: Prepared) -> tuple[tuple[str, float, float, float], ...]:
    """Return a name and the 5th, 50th and 95th percentile of what the network reads of the training part.

    One row a column of a table, ratios included; of images and reviews one row for all pixels or words, and of
    reviews for those above 0 alone.
    """
    x = prepared.preparation.to_network(prepared.x_train[:MOST_READ])
    columns = dict(zip(prepared.preparation.columns, x.T, strict=True)) if prepared.preparation.columns else {}
    if not columns:
        columns = {"words that occur": x[x > 0]} if prepared.problem.kind == "text" else {"pixels": x}
    return tuple(
        (name, *(np.percentile(values, (5, 50, 95)).tolist() if values.size else (0.0, 0.0, 0.0)))
        for name, values in columns.items()
    )


def _take_rows(dataset: Dataset, rows: int, seed: int) -> Split:
    """Return a random split with `rows` training samples; the validation part does not depend on their number."""
    samples = len(dataset.y_train)
    held_out = min(samples // 4, MOST_VALIDATION)
    most = samples - held_out
    if not 2 <= rows <= most:
        raise ValueError(
            f"There are {samples:,} samples, and validation has {held_out:,} of them. Received: rows={rows}. "
            f"Ask for 2 to {most} training samples."
        )
    order = np.random.default_rng(seed).permutation(samples)
    protocol = f"{rows:,} samples to train on, {held_out:,} for validation"
    return take_split(dataset, order[held_out : held_out + rows], order[:held_out], protocol=protocol)
