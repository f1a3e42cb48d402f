"""What a press of Train does: load the data, look the spec up in the journal or train it, and judge a guess."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

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
from recipe.steps.s6_scale_up import Verdict, diagnose_history
from recipe.steps.training import train, train_seeds
from recipe.ui.training_settings import FULL_ROWS

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
    found = _look_up(spec, prepared, seeds, journal) if reuse and journal is not None else {}
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
        self._lock = threading.RLock()

    def take(self, problem: str, rows: int, spec: ModelSpec) -> tuple[Prepared, set[str]]:
        """Return what the spec's architecture reads of the data, and the keys of it, however it was prepared so far."""
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
            return prepared[encoding], {one.data_key for one in prepared.values()}

    def find(self, problem: str, rows: int) -> tuple[Dataset, Split] | None:
        """Return what is there already, or None."""
        kept = self._kept.get((problem, rows))
        return kept and kept[:2]

    def of(self, run: Run) -> tuple[Prepared, Split] | None:
        """Return what a run was trained on, None where it had to make room."""
        with self._lock:
            kept = [(one, split) for _, split, prepared in self._kept.values() for one in prepared.values()]
        return next((pair for pair in kept if pair[0].data_key == run.data), None)


def _load(problem: str, rows: int) -> Dataset:
    """Load so many rows, or all where there are not so many."""
    if rows == FULL_ROWS:
        return load(problem)
    try:
        return load(problem, rows=rows)
    except ValueError:
        whole = load(problem)
        if len(whole.y_train) + len(whole.test) < rows:
            return whole
        raise


def members_of(run: Run) -> tuple[Run, ...]:
    """Return the trainings that a run is made of: its members, or itself alone."""
    return run.members or (run,)


def is_better(run: Run, score: float) -> bool:
    """Say whether a run's validation score is better than another, by more than float32 rounds off."""
    gain = MEASURES[run.measure].gain(run.score, score)
    return math.isfinite(run.score) and (not math.isfinite(score) or gain > ROUNDING * max(1.0, abs(score)))


def describe_score(run: Run) -> str:
    """Say how a run did on both parts, beside the baseline."""
    if not math.isfinite(run.score):
        return "There is no score: the loss is not finite."
    measure = MEASURES[run.measure]
    unit = measure.unit_of(run.problem)
    text = f"Validation {measure.title} {run.score:.3g}{f' {unit}' if unit else ''}"
    if run.members:
        low, high = min(run.scores), max(run.scores)
        text += f" on average over {len(run.members)} seeds ({low:.3g} to {high:.3g})"
    verb = "better" if is_better(run, run.baseline) else "no better"
    return f"{text}, training {run.train_score:.3g}: {verb} than the baseline's {run.baseline:.3g}."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One guess, held against what came."""

    question: str
    guessed: str
    came: str

    @property
    def is_right(self) -> bool:
        """Whether that was it."""
        return self.guessed == self.came

    @property
    def sentence(self) -> str:
        """The answer in words."""
        mark = "right" if self.is_right else "wrong"
        return f"{self.question} You guessed {self.guessed}, and it is {self.came}: {mark}."


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What somebody expects of a training before it runs; None is no guess.

    Attributes
    ----------
    overfits : whether it will overfit
    better : whether its validation score will be better than the last run's

    Examples
    --------
    >>> Guess(overfits=True, better=False).sentence
    'Guess: it will overfit, and not score better than the last run.'
    """

    overfits: bool | None = None
    better: bool | None = None

    def __bool__(self) -> bool:
        return self.overfits is not None or self.better is not None

    @property
    def sentence(self) -> str:
        """The guess in words."""
        told = (("overfit", self.overfits), ("score better than the last run", self.better))
        parts = [f"{'' if guess else 'not '}{words}" for words, guess in told if guess is not None]
        return f"Guess: it will {', and '.join(parts)}." if parts else "No guess."

    def judge(self, run: Run, last_score: float | None) -> tuple[Answer, ...]:
        """Hold the guess against what came out, one answer for each part of it that can be judged.

        Parameters
        ----------
        last_score : validation score of the run before, on the same data; None where there is none
        """
        answers = []
        if self.overfits is not None:
            words = {True: "overfitting", False: "no overfitting"}
            came = words[diagnose_history(run).verdict is Verdict.OVERFITTING]
            answers.append(Answer(question="Overfitting?", guessed=words[self.overfits], came=came))
        if self.better is not None and last_score is not None:
            words = {True: "better", False: "not better"}
            question = f"Better than the last run's {last_score:.3g}?"
            came = words[is_better(run, last_score)]
            answers.append(Answer(question=question, guessed=words[self.better], came=came))
        return tuple(answers)


def _look_up(spec: ModelSpec, prepared: Prepared, seeds: Sequence[int], journal: Journal) -> dict[int, Run]:
    """Return the complete runs of the journal by seed; a journal that cannot be read costs a warning, never a run."""
    try:
        runs = {seed: journal.find(spec.replace(seed=seed), prepared) for seed in seeds}
    except Exception as error:  # whatever a storage may raise
        text = f"The journal cannot be read, so nothing is taken from it. {type(error).__name__}: {error}"
        warnings.warn(text, RuntimeWarning, stacklevel=3)
        return {}
    return {seed: run for seed, run in runs.items() if run is not None}


def _together(runs: Sequence[Run]) -> Run:
    return runs[0] if len(runs) == 1 else mean_run(runs)


class _Reporter:
    """Gathers what each epoch says, and passes it on as a run that is under way."""

    def __init__(
        self, spec: ModelSpec, prepared: Prepared, seeds: list[int], known: list[Run], on_progress: OnProgress
    ) -> None:
        baseline = float(compute_baseline(prepared.problem, prepared.y_train, prepared.y_val))
        common = {"problem": prepared.problem, "source": prepared.source, "protocol": prepared.protocol}
        self._runs = [Run(spec=spec.replace(seed=seed), history={}, baseline=baseline, **common) for seed in seeds]
        self._known, self._on_progress = known, on_progress
        self._total = spec.epochs * len(seeds)  # epochs of all networks together
        self._done = self._counted = 0
        self._last, self._spent = time.monotonic(), 0.0

    def __call__(self, told: EpochReport) -> None:
        history = self._runs[told.member].history
        for key, value in told.logs.items():
            history.setdefault(key, []).append(value)
        copies = [{key: list(curve) for key, curve in run.history.items()} for run in self._runs]
        under_way = [replace(run, history=copy) for run, copy in zip(self._runs, copies, strict=True) if copy]
        self._on_progress(_together([*self._known, *under_way]), self._say(told, self._seconds_left(told)))

    def _say(self, told: EpochReport, left: float | None) -> str:
        network = f"Network {told.member + 1} of {len(self._runs)}, epoch" if len(self._runs) > 1 else "Epoch"
        if left is None:
            return f"{network} {told.epoch + 1} of {told.epochs}"
        at_most = "at most " if self._runs[0].spec.patience is not None else ""
        return f"{network} {told.epoch + 1} of {told.epochs}, {at_most}{show_seconds(left)} left"

    def _seconds_left(self, told: EpochReport) -> float | None:
        """Return how long the rest will take; first epochs do not count, for the programs are compiled in them."""
        now, self._done = time.monotonic(), self._done + 1
        if told.epoch > 0:
            self._spent, self._counted = self._spent + now - self._last, self._counted + 1
        self._last = now
        return self._spent / self._counted * (self._total - self._done) if self._counted else None


def show_seconds(seconds: float) -> str:
    """Write a duration as people say it: ``"under 1 s"``, ``"12 s"``, ``"2 min 5 s"``."""
    if seconds < 1:
        return "under 1 s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
