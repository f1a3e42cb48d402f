"""Train a spec on prepared data: the only door to the engine, and the record of what came out."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from recipe.core.dataset import Split
from recipe.core.prepared import Prepared, check_trainable, encoding_for
from recipe.core.run import EpochReport, Run, collect_versions
from recipe.core.spec import ModelSpec
from recipe.engine.interruption import interruptible
from recipe.engine.models import build_model
from recipe.journal import Journal, choose_journal, keep
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import compute_baseline

if TYPE_CHECKING:
    import keras

    from recipe.engine.loop import Loop, Member, Progress

Report = Callable[[int, int, dict[str, float]], None]

ENGINES = ("auto", "compiled", "fit")
# Measured on two cores: side by side wins while a matrix product is too small to keep a core busy, and loses after.
SIDE_BY_SIDE_WEIGHTS = 20_000
SIDE_BY_SIDE_BYTES = 64_000_000


def train(
    spec: ModelSpec,
    prepared: Prepared,
    *,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: Callable[[EpochReport], object] | None = None,
    stop: threading.Event | None = None,
    shuffle: bool = True,
    engine: str = "auto",
    journal: Journal | str | None = "default",
) -> Run:
    """Train one model.

    Parameters
    ----------
    callbacks : Keras callbacks; on the compiled engine those that act between epochs
    on_epoch : called with an `EpochReport` after every epoch, in this thread
    stop : once set, from any thread, training ends with the epoch that is under way
    shuffle : draw a new order of the training samples each epoch
    engine : ``"compiled"`` (an epoch is one XLA program; JAX only), ``"fit"`` (`model.fit`), or ``"auto"``: compiled
        where it can be
    journal : where the run is recorded; None nowhere, ``"default"`` in `default_journal()`

    Returns
    -------
    Run. Ctrl-C ends the training as `stop` does and returns what there is; a second one raises KeyboardInterrupt.

    Raises
    ------
    TypeError
        If that is no spec, or the data is not prepared.
    ValueError
        If the spec does not suit the data, or the engine cannot do what was asked for.
    """
    check_trainable(spec, prepared)
    compiled = _choose_engine(engine, callbacks)
    started, journal = time.perf_counter(), choose_journal(journal)
    if compiled:
        run = _train_together([(spec, prepared)], callbacks, on_epoch, stop, shuffle, started)[0]
    else:
        from recipe.engine.fitting import fit

        member = _member(spec, prepared)
        with interruptible(stop) as stopping:
            progress = fit(member, callbacks, _reporter(spec, started, on_epoch), stopping, shuffle=shuffle)
        run = _make_run(member, progress, started)
    return _record([run], [prepared], journal, by_spec=shuffle and engine == "auto" and not callbacks)[0]


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
    return _train_all([(spec.replace(seed=seed), prepared) for seed in seeds], on_epoch, stop, journal)


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
    jobs = [
        (spec.replace(seed=spec.seed + number), split if isinstance(split, Prepared) else _prepare(split, spec))
        for number, split in enumerate(splits)
    ]
    if not jobs:
        raise ValueError("There is nothing to train on. Received: splits, empty. Give those of k_fold(dataset).")
    return _train_all(jobs, on_epoch, stop, journal)


def _train_all(
    jobs: list[tuple[ModelSpec, Prepared]],
    on_epoch: Callable[[EpochReport], object] | None,
    stop: threading.Event | None,
    journal: Journal | str | None,
) -> list[Run]:
    """Train the jobs side by side where that is faster, else in turn."""
    for spec, prepared in jobs:
        check_trainable(spec, prepared)
    if _choose_engine("auto", ()) and _is_small(*jobs[0], len(jobs)):
        together = _train_together(jobs, (), on_epoch, stop, True, time.perf_counter())
        return _record(together, [prepared for _, prepared in jobs], choose_journal(journal))
    runs: list[Run] = []
    for number, (spec, prepared) in enumerate(jobs):
        report = on_epoch and (lambda told, n=number: on_epoch(replace(told, member=n)))
        runs.append(train(spec, prepared, on_epoch=report, stop=stop, journal=journal))
        if runs[-1].stopped in {"asked", "interrupted"}:
            break
    return runs


def _train_together(
    jobs: list[tuple[ModelSpec, Prepared]],
    callbacks: Sequence[keras.callbacks.Callback],
    on_epoch: Callable[[EpochReport], object] | None,
    stop: threading.Event | None,
    shuffle: bool,
    started: float,
) -> list[Run]:
    """Train on the compiled engine, one program for all jobs."""
    import keras

    from recipe.engine.loop import Loop

    members = [_member(spec, prepared) for spec, prepared in jobs]
    loop = Loop(members, shuffle=shuffle)
    report = _reporter(jobs[0][0], started, on_epoch)
    listeners = keras.callbacks.CallbackList(list(callbacks), model=members[0].model) if callbacks else None
    with interruptible(stop) as stopping:
        _run_epochs(loop, jobs[0][0].epochs, report, stopping, listeners)
    loop.finish()
    if listeners:  # last, so that a callback's best weights stay
        listeners.on_train_end(loop.progress[0].last_logs())
    return [_make_run(member, progress, started) for member, progress in zip(members, loop.progress, strict=True)]


def _run_epochs(
    loop: Loop,
    epochs: int,
    report: Report,
    stopping: Callable[[], str | None],
    listeners: keras.callbacks.CallbackList | None,
) -> None:
    """Go on until the last epoch, the patience of every member, or a wish to stop."""
    if listeners:
        listeners.on_train_begin()
    for epoch in range(epochs):
        if listeners:
            listeners.on_epoch_begin(epoch)
            loop.read_models()
        live = [number for number, progress in enumerate(loop.progress) if progress.stopped is None]
        logs = loop.advance()
        for number in live:
            report(epoch, number, logs[number])
        if listeners:
            loop.write_models()
            listeners.on_epoch_end(epoch, logs[0])
            loop.read_models()
        asked = stopping() or ("callback" if listeners and loop.members[0].model.stop_training else None)
        for progress in loop.progress:
            # An early stop stands, and a wish after the last epoch stopped nothing. But Ctrl-C is told to nobody else:
            # whoever called must learn of it, however the training ended.
            may_say = asked == "interrupted" or (progress.stopped is None and epoch + 1 < epochs)
            progress.stopped = asked if asked and may_say else progress.stopped
        if all(progress.stopped for progress in loop.progress):
            break


def _record(runs: list[Run], prepared: list[Prepared], journal: Journal | None, *, by_spec: bool = True) -> list[Run]:
    """Say what data the runs are of, and keep them in the journal; without one this costs nothing."""
    if journal is None:
        return runs
    runs = [replace(run, data=one.data_key, by_spec=by_spec) for run, one in zip(runs, prepared, strict=True)]
    return keep(runs, journal)


def _member(spec: ModelSpec, prepared: Prepared) -> Member:
    """Build the model that goes with one job."""
    from recipe.engine.members import Member

    return Member(spec=spec, prepared=prepared, model=build_model(spec, prepared.problem))


def _reporter(spec: ModelSpec, started: float, on_epoch: Callable[[EpochReport], object] | None) -> Report:
    """Return what the loops call after each epoch."""

    def report(epoch: int, member: int, logs: dict[str, float]) -> None:
        if on_epoch is not None:
            seconds = time.perf_counter() - started
            on_epoch(EpochReport(epoch=epoch, epochs=spec.epochs, logs=logs, seconds=seconds, member=member))

    return report


def _make_run(member: Member, progress: Progress, started: float) -> Run:
    """Put together what came out."""
    import keras

    return Run(
        spec=member.spec,
        problem=member.prepared.problem,
        source=member.prepared.source,
        protocol=member.prepared.protocol,
        history=progress.history,
        stopped=progress.stopped,
        seconds=time.perf_counter() - started,
        backend=keras.config.backend(),
        versions=collect_versions(),
        model=member.model,
        baseline=_baseline_of(member.prepared),
        train_samples=len(member.prepared.y_train),
        val_samples=len(member.prepared.y_val),
    )


def _baseline_of(prepared: Prepared) -> float:
    """Return what a guess achieves on the validation part; NaN where there is nothing to guess from."""
    try:
        return compute_baseline(prepared.problem, prepared.y_train, prepared.y_val).value
    except ValueError:  # such as a training part without a yes
        return math.nan


def _choose_engine(engine: str, callbacks: Sequence[keras.callbacks.Callback]) -> bool:
    """Say whether the compiled engine is to be used."""
    import keras

    if engine not in ENGINES:
        raise ValueError(f"There is no such engine. Received: engine={engine!r}. Choose from {', '.join(ENGINES)}.")
    backend, between_batches = (
        keras.config.backend(),
        [callback for callback in callbacks if _acts_on_batches(callback)],
    )
    if engine == "compiled" and (backend != "jax" or between_batches):
        fact = (
            f"on {backend}" if backend != "jax" else f"with {type(between_batches[0]).__name__}, which acts on batches"
        )
        raise ValueError(f'The compiled engine does not work {fact}. Received: engine="compiled". Take engine="fit".')
    return engine != "fit" and backend == "jax" and not between_batches


def _acts_on_batches(callback: keras.callbacks.Callback) -> bool:
    """Say whether a callback of the user's own wants to be called between batches."""
    import keras

    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    kind = type(callback)
    own = not kind.__module__.startswith("keras.")
    return own and any(getattr(kind, hook) is not getattr(keras.callbacks.Callback, hook) for hook in hooks)


def _is_small(spec: ModelSpec, prepared: Prepared, jobs: int) -> bool:
    """Say whether training the jobs side by side is faster than in turn."""
    if jobs < 2 or spec.architecture in {"convnet", "embedding"}:
        return False
    problem = prepared.problem
    widths = (math.prod(problem.input_shape), *spec.hidden_units, problem.outputs)
    weights = sum((below + 1) * above for below, above in itertools.pairwise(widths))
    return weights <= SIDE_BY_SIDE_WEIGHTS and jobs * prepared.x_train.nbytes <= SIDE_BY_SIDE_BYTES


def _prepare(split: Split, spec: ModelSpec) -> Prepared:
    return prepare(split, encoding=encoding_for(spec, split.problem))
