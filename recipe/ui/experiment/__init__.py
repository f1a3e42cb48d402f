"""Steps 5 to 7: what a press of Train does: look a spec up or train it, and say what came out and what to try next."""

from __future__ import annotations

import dataclasses
import threading
import time
import warnings
from collections.abc import Callable, Iterable

from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.journal import Journal, default_journal
from recipe.steps.s5_baseline import Baseline, compute_baseline
from recipe.steps.training import train, train_seeds
from recipe.ui.experiment.outcome import Experiment, Unfinished

__all__ = ["Experiment", "run_experiment"]

OnProgress = Callable[[Experiment, str], object]


def run_experiment(
    spec: ModelSpec,
    prepared: Prepared,
    *,
    seeds: Iterable[int] | None = None,
    journal: Journal | str | None = "default",
    reuse: bool = True,
    baseline: Baseline | float | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Experiment:
    """Look a spec up in the journal or train it, and say what came out and what to try next.

    Parameters
    ----------
    seeds : of the first weights, the order and the dropout, one training each; None takes the spec's own
    journal : where runs are looked up and recorded; ``"default"`` is `recipe.default_journal()`, None keeps nothing
    reuse : take a complete run of the same spec, data and versions from the journal in place of training it again
    baseline : of the validation part; None computes it
    on_progress : called after each epoch with the `Experiment` so far and a message that tells the remaining time
    stop : once set, from any thread, training ends with the epoch that is under way; whole epochs are kept

    Raises
    ------
    ValueError
        If there is no seed, or the spec does not suit the data.

    Examples
    --------
    >>> from recipe import ModelSpec, hold_out, load, prepare
    >>> prepared = prepare(hold_out(load("mnist", source="sample", rows=200)))
    >>> experiment = run_experiment(ModelSpec(hidden_units=(16,), epochs=2), prepared, journal=None)
    >>> len(experiment.history["val_accuracy"]), experiment.from_journal
    (2, False)
    >>> experiment.with_reachable(0.05).error_diagnosis.reachable_error
    0.05
    """
    seeds = (spec.seed,) if seeds is None else tuple(seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"Each training needs a seed of its own. Received: seeds={seeds}. Give some such as (0, 1, 2)."
        )
    began = time.perf_counter()
    journal = default_journal() if journal == "default" else journal
    found: dict[int, Run] = {}
    if reuse and journal is not None:
        found = _look_up(spec, prepared, seeds, journal)
    blank = Experiment(
        spec=spec.replace(seed=seeds[0]),
        prepared=prepared,
        outcomes=(),
        baseline=compute_baseline(prepared.problem, prepared.y_train, prepared.y_val) if baseline is None else baseline,
    )
    if missing := [seed for seed in seeds if seed not in found]:
        report = _Reporter(blank, list(found.values()), missing, on_progress)
        if len(missing) == 1:
            runs = [train(spec.replace(seed=missing[0]), prepared, on_epoch=report, stop=stop, journal=journal)]
        else:
            runs = train_seeds(spec, prepared, missing, on_epoch=report, stop=stop, journal=journal)
        found |= {run.seed: run for run in runs}
    outcomes = tuple(found[seed] for seed in seeds if seed in found)
    return dataclasses.replace(blank, outcomes=outcomes, seconds=time.perf_counter() - began)


def _look_up(spec: ModelSpec, prepared: Prepared, seeds: tuple[int, ...], journal: Journal) -> dict[int, Run]:
    """Return the complete runs of the journal by seed; a journal that cannot be read costs a warning, never a run."""
    try:
        entries = {seed: journal.find(spec.replace(seed=seed), prepared) for seed in seeds}
    except Exception as error:  # whatever a storage may raise
        text = f"The journal cannot be read, so nothing is taken from it. {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
        return {}
    return {seed: entry for seed, entry in entries.items() if entry is not None}


class _Reporter:
    """Gathers what each epoch says, and passes it on as an experiment that is under way."""

    def __init__(self, blank: Experiment, known: list[Run], seeds: list[int], on_progress: OnProgress | None) -> None:
        self._blank, self._known, self._seeds, self._on_progress = blank, known, seeds, on_progress
        self._histories: list[dict[str, list[float]]] = [{} for _ in seeds]
        self._clock = RemainingTime(blank.spec.epochs * len(seeds))

    def __call__(self, told: EpochReport) -> None:
        history = self._histories[told.member]
        for key, value in told.logs.items():
            history.setdefault(key, []).append(value)
        left = self._clock.tell(is_first_epoch=told.epoch == 0)
        if self._on_progress is None:
            return
        under_way = tuple(
            Unfinished(seed=seed, history={key: list(values) for key, values in one.items()})
            for seed, one in zip(self._seeds, self._histories, strict=True)
            if one
        )
        partial = dataclasses.replace(self._blank, outcomes=(*self._known, *under_way), is_running=True)
        self._on_progress(partial, self._say(told, left))

    def _say(self, told: EpochReport, left: float | None) -> str:
        network = f"Network {told.member + 1} of {len(self._seeds)}, epoch" if len(self._seeds) > 1 else "Epoch"
        if left is None:
            return f"{network} {told.epoch + 1} of {told.epochs}"
        at_most = "at most " if self._blank.spec.patience is not None else ""
        return f"{network} {told.epoch + 1} of {told.epochs}, {at_most}{show_seconds(left)} left"


class RemainingTime:
    """Tells how long the rest will take. First epochs do not count: the programs are compiled in them.

    Parameters
    ----------
    total : epochs of all networks together
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._done = self._counted = 0
        self._last, self._spent = clock(), 0.0

    def tell(self, *, is_first_epoch: bool) -> float | None:
        """Count an epoch that just ended; return the seconds that are left, None while that is not known."""
        now = self._clock()
        if not is_first_epoch:
            self._spent += now - self._last
            self._counted += 1
        self._last = now
        self._done += 1
        return self._spent / self._counted * (self._total - self._done) if self._counted else None


def show_seconds(seconds: float) -> str:
    """Write a duration as people say it: ``"under 1 s"``, ``"12 s"``, ``"2 min 5 s"``."""
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
