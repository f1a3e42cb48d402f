"""What a press of Train does: load the data, look the spec up in the journal or train it, and judge a guess."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.journal import Journal
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.s5_rival import Rival
from recipe.steps.s6_scale_up import Verdict, diagnose_history
from recipe.steps.training import train, train_seeds
from recipe.ui.training_settings import NO_GUESS

ROUNDING = 1e-6  # the measure of a network is computed in float32, that of a baseline in float64
MOST_KEPT = 3  # a quarter of a gigabyte each, for all reviews
OnProgress = Callable[[Run, str], object]


def train_or_find(
    spec: ModelSpec,
    prepared: Prepared,
    seeds: Sequence[int],
    *,
    journal: Journal | None,
    reuse: bool = True,
    on_progress: OnProgress = lambda run, message: None,
    stop: threading.Event | None = None,
) -> Run:
    """Take the runs of these seeds from the journal, train those that it lacks, and return the run or their mean.

    Parameters
    ----------
    reuse : take complete runs of the same spec, data and versions from the journal in place of training them again
    on_progress : called after each epoch with the run so far and a message that tells the remaining time
    stop : once set, from any thread, training ends with the epoch that is under way; whole epochs are kept
    """
    kept = {seed: journal.find(spec.replace(seed=seed), prepared) for seed in seeds} if reuse and journal else {}
    found = {seed: run for seed, run in kept.items() if run is not None}
    missing = [seed for seed in seeds if seed not in found]
    if missing:
        report = _Reporter(spec, prepared, missing, list(found.values()), on_progress)
        if len(missing) == 1:
            runs = [train(spec.replace(seed=missing[0]), prepared, on_epoch=report, stop=stop, journal=journal)]
        else:
            runs = train_seeds(spec, prepared, missing, on_epoch=report, stop=stop, journal=journal)
        found |= {run.seed: replace(run, data=prepared.data_key) for run in runs}
    return _together([found[seed] for seed in seeds if seed in found])


class DataShelf:
    """The data that was loaded, split and prepared so far; safe for several threads.

    A fifth of the training samples is held out for validation, the test set stays sealed.

    Parameters
    ----------
    given : a dataset to work on, whatever the rows; None loads
    """

    def __init__(self, given: Dataset | None) -> None:
        self.given = given
        self._kept: dict[tuple[str, int], tuple[Dataset, Split, dict[str, Prepared]]] = {}  # the last used stand last
        self.rival_of = lru_cache(maxsize=1)(lambda prepared: compute_baseline(prepared).rival)  # fitted once
        self._lock = threading.RLock()

    def take(self, problem: str, rows: int, spec: ModelSpec) -> tuple[Prepared, Split, set[str]]:
        """Return what the spec's architecture reads of the data, the raw data, and its keys, in all ways prepared."""
        key = problem, rows
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is None:
                dataset = self.given or _load(*key)
                kept = dataset, hold_out(dataset), {}
            self._kept[key] = dataset, split, prepared = kept
            for old in list(self._kept)[:-MOST_KEPT]:
                del self._kept[old]
            encoding = encoding_for(spec, dataset.problem)
            if encoding not in prepared:
                prepared[encoding] = prepare(split, encoding=encoding)
            return prepared[encoding], split, {one.data_key for one in prepared.values()}

    def find(self, problem: str, rows: int) -> tuple[Dataset, Split] | None:
        """Return what is there already, or None."""
        kept = self._kept.get((problem, rows))
        return kept and kept[:2]


def _load(problem: str, rows: int) -> Dataset:
    """Load so many rows, or all where there are not so many."""
    with suppress(ValueError):
        return load(problem, rows=rows or None)
    return load(problem)


def members_of(run: Run) -> tuple[Run, ...]:
    """Return the trainings that a run is made of: its members, or itself alone."""
    return run.members or (run,)


def is_better(run: Run, score: float) -> bool:
    """Say whether a run's validation score is better than another, by more than float32 rounds off."""
    gain = MEASURES[run.measure].gain(run.score, score)
    return math.isfinite(run.score) and (not math.isfinite(score) or gain > ROUNDING * max(1.0, abs(score)))


def describe_score(run: Run, rival: Rival | None = None) -> str:
    """Say how a run did on both parts, beside the baseline and the rival."""
    if not math.isfinite(run.score):
        return "There is no score: the loss is not finite."
    measure = MEASURES[run.measure]
    unit = measure.unit_of(run.problem)
    text = f"Validation {measure.title} {run.score:.3g}{f' {unit}' if unit else ''}"
    if run.members:
        low, high = min(run.scores), max(run.scores)
        text += f" on average over {len(run.members)} seeds ({low:.3g} to {high:.3g})"
    verb = "better" if is_better(run, run.baseline) else "no better"
    text += f", training {run.train_score:.3g}: {verb} than the baseline's {run.baseline:.3g}"
    if rival is None:
        return f"{text}."
    verb = "better" if is_better(run, rival.value) else "no better"
    return f"{text}, {verb} than the {rival.value:.3g} of the rival, {rival.name}."


def judge_guess(guess: str, run: Run, last: Run | None) -> str:
    """Say whether a guess about a run came true; `last` is the run before it on the same data, if any."""
    if guess == NO_GUESS:
        return ""
    if "beat" in guess:
        if last is None:
            return "There is no last run on this data that the guess could be held against."
        came = is_better(run, last.score)
    else:
        came = diagnose_history(run).verdict is Verdict.OVERFITTING
    return f"You guessed that {guess}: {'right' if came != ('not' in guess) else 'wrong'}."


def _together(runs: Sequence[Run]) -> Run:
    return runs[0] if len(runs) == 1 else mean_run(runs)


class _Reporter:
    """Gathers what each epoch says, and passes it on as a run that is under way."""

    def __init__(
        self, spec: ModelSpec, prepared: Prepared, seeds: list[int], known: list[Run], on_progress: OnProgress
    ) -> None:
        baseline = compute_baseline(prepared).value
        common = {"problem": prepared.problem, "source": prepared.source, "protocol": prepared.protocol}
        self._runs = [Run(spec=spec.replace(seed=seed), history={}, baseline=baseline, **common) for seed in seeds]
        self._known, self._on_progress = known, on_progress
        self._total = spec.epochs * len(seeds)  # epochs of all networks together
        self._done = self._counted = 0
        self._began, self._at_most = 0.0, "at most " if spec.patience is not None else ""

    def __call__(self, told: EpochReport) -> None:
        history = self._runs[told.member].history
        for key, value in told.logs.items():
            history.setdefault(key, []).append(value)
        copies = [{key: list(curve) for key, curve in run.history.items()} for run in self._runs]
        under_way = [replace(run, history=copy) for run, copy in zip(self._runs, copies, strict=True) if copy]
        self._on_progress(_together([*self._known, *under_way]), self._say(told))

    def _say(self, told: EpochReport) -> str:
        """Say which epoch it is and how long the rest takes; the first does not count: programs are compiled in it."""
        network = f"Network {told.member + 1} of {len(self._runs)}, epoch" if len(self._runs) > 1 else "Epoch"
        words, now = f"{network} {told.epoch + 1} of {told.epochs}", time.monotonic()
        self._done += 1
        if told.epoch == 0:
            self._began, self._counted = now, 0
            return words
        self._counted += 1
        left = (now - self._began) / self._counted * (self._total - self._done)
        return f"{words}, {self._at_most}{show_seconds(left)} left"


def show_seconds(seconds: float) -> str:
    """Write a duration as people say it: ``"under 1 s"``, ``"12 s"``, ``"2 min 5 s"``."""
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
