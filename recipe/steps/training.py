"""Train a spec on prepared data by the engine, and record what came out."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from recipe.core.dataset import Split
from recipe.core.prepared import Prepared, check_trainable, encoding_for
from recipe.core.run import EpochReport, Run, collect_versions
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model
from recipe.journal import Journal, choose_journal, keep
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import compute_baseline

if TYPE_CHECKING:
    import keras

    from recipe.engine.members import Progress


def train(
    spec: ModelSpec,
    prepared: Prepared,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    shuffle: bool = True,
    journal: Journal | str | None = "default",
) -> Run:
    """Train one model.

    Parameters
    ----------
    callbacks : Keras callbacks; with them, or on a backend other than JAX, the model is trained by plain `model.fit`,
        else an epoch is one XLA program
    on_epoch : called with an `EpochReport` after every epoch, in this thread
    stop : once set, from any thread, training ends with the epoch that is under way
    shuffle : draw a new order of the training samples each epoch
    journal : where the run is recorded; None nowhere, ``"default"`` in `default_journal()`

    Returns
    -------
    Run. Ctrl-C ends the training as `stop` does and returns what there is; a second one raises KeyboardInterrupt.

    Raises
    ------
    TypeError
        If that is no spec, or the data is not prepared.
    ValueError
        If the spec does not suit the data.
    """
    options = {"callbacks": callbacks, "on_epoch": on_epoch, "stop": stop}
    return _train_all([(spec, prepared)], journal, shuffle=shuffle, **options)[0]


def train_seeds(
    spec: ModelSpec,
    prepared: Prepared,
    seeds: Iterable[int],
    *,
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    journal: Journal | str | None = "default",
) -> list[Run]:
    """Train the same spec once a seed, on the same data: what is left between the runs is luck.

    `on_epoch`, `stop` and `journal` are as for `train`.
    """
    return _train_all([(spec.replace(seed=seed), prepared) for seed in seeds], journal, on_epoch=on_epoch, stop=stop)


def cross_validate(
    spec: ModelSpec,
    splits: Iterable[Split | Prepared],
    *,
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    journal: Journal | str | None = "default",
) -> list[Run]:
    """Train a spec on every split of a protocol, such as `k_fold(dataset)`, each prepared by its own training part.

    Small networks train side by side, in one program; larger ones one after the other. `EpochReport.member` says
    which split a report is of. Each split has a seed of its own, `spec.seed` and the numbers after it. `journal` is as
    for `train`.
    """
    pairs = []
    for number, split in enumerate(splits):
        is_raw = not isinstance(split, Prepared)
        prepared = prepare(split, encoding=encoding_for(spec, split.problem)) if is_raw else split
        pairs.append((spec.replace(seed=spec.seed + number), prepared))
    return _train_all(pairs, journal, on_epoch=on_epoch, stop=stop)


def _train_all(
    pairs: list[tuple[ModelSpec, Prepared]], journal: Journal | str | None, *, shuffle: bool = True, **options
) -> list[Run]:
    """Train every spec on its data, side by side where that is faster, and keep each run as soon as it is there.

    `options` are those of `recipe.engine.loop.train_models`.
    """
    for spec, prepared in pairs:
        check_trainable(spec, prepared)
    from recipe.engine.loop import train_models
    from recipe.engine.members import make_jobs

    journal, runs = choose_journal(journal), []
    jobs = make_jobs(pairs, shuffle=shuffle)
    # Fewer runs than pairs after a wish to stop.
    for (spec, prepared), progress in zip(pairs, train_models(jobs, **options), strict=False):
        run = _make_run(spec, prepared, progress)
        runs.append(run if journal is None else keep(replace(run, data=prepared.data_key), journal))
    return runs


def _make_run(spec: ModelSpec, prepared: Prepared, progress: Progress) -> Run:
    """Put together what came out; the baseline is NaN where there is nothing to guess from."""
    import keras

    from recipe.engine.loop import write_state

    problem, model, state = prepared.problem, progress.job.model, progress.state
    try:
        baseline = compute_baseline(prepared).value
    except ValueError:  # such as a training part without a yes
        baseline = math.nan
    return Run(
        spec=spec,
        problem=problem,
        source=prepared.source,
        protocol=prepared.protocol,
        history=progress.history,
        stopped=progress.stopped,
        seconds=progress.seconds,
        backend=keras.config.backend(),
        versions=collect_versions(),
        # Of several that shared a model each is built, and gets its weights, when it is first asked for.
        fitted=cache(lambda: model if state is None else write_state(build_model(spec, problem), state)),
        baseline=baseline,
        train_samples=len(prepared.y_train),
        val_samples=len(prepared.y_val),
    )
