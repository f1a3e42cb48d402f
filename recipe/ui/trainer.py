"""What a press of Train does: train while the panel watches, put the score in words, and judge a guess."""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import keras

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.run import EpochReport, Run, mean_run
from recipe.core.spec import ModelSpec
from recipe.journal import Journal
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import Rival, compute_baseline
from recipe.steps.s6_scale_up import Verdict, diagnose_history
from recipe.steps.training import train_seeds
from recipe.ui.training_settings import NO_GUESS

SOON = 1.0  # seconds: what is done by then is not drawn before
ROUNDING = 1e-6  # the measure of a network is computed in float32, that of a baseline in float64


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a panel trains on: data as it was asked for, by problem and rows, split, and prepared in several ways."""

    asked: tuple[str, int]
    dataset: Dataset
    split: Split
    prepared: dict[str, Prepared] = field(default_factory=dict)  # by encoding

    def prepare_for(self, spec: ModelSpec) -> Prepared:
        """Return what the spec's architecture reads of the data."""
        encoding = encoding_for(spec, self.split.problem)
        if encoding not in self.prepared:
            self.prepared[encoding] = prepare(self.split, encoding=encoding)
        return self.prepared[encoding]

    @property
    def keys(self) -> set[str]:
        """What stands for the data in the journal, in all the ways in which it was prepared."""
        return {one.data_key for one in self.prepared.values()}


@cache
def _freeze_imports() -> None:
    """Let Python's collector pass over all that was imported: at every fourth click or so it would take 0.2 s.

    What is frozen is never freed, if it refers to itself as a model does: so only where there is no model yet.
    """
    if not any(issubclass(type(one), keras.Model) for one in gc.get_objects()):
        gc.freeze()


def train_live(
    spec: ModelSpec,
    prepared: Prepared,
    seeds: Sequence[int],
    *,
    journal: Journal | None,
    on_progress: Callable[[Run | None, str], object],
    stop: threading.Event | None = None,
) -> Run:
    """Train with each of these seeds, and return the run or the mean of several.

    Parameters
    ----------
    on_progress : called after each epoch with the run so far, or None where it is `SOON` done, and a message that
        tells the remaining time
    stop : once set, from any thread, training ends with the epoch that is under way; whole epochs are kept
    """
    _freeze_imports()
    common = {"problem": prepared.problem, "source": prepared.source, "protocol": prepared.protocol}
    common |= {"spec": spec, "baseline": compute_baseline(prepared).value}
    histories: list[dict[str, list[float]]] = [{} for _ in seeds]
    first: dict[int, float] = {}  # seconds of each network's first epoch, in which programs are compiled

    def report(told: EpochReport) -> None:
        for key, value in told.logs.items():
            histories[told.member][key] = [*histories[told.member].get(key, ()), value]
        network = f"Network {told.member + 1} of {len(seeds)}, epoch" if len(seeds) > 1 else "Epoch"
        message = f"{network} {told.epoch + 1} of {told.epochs}"
        since = told.seconds - first.setdefault(told.member, told.seconds)
        left = since / max(1, told.epoch) * (told.epochs - told.epoch - 1)  # of the first epoch nobody knows
        if told.epoch > 0:
            message += f", {'at most ' if spec.patience else ''}{math.ceil(left)} s left"
        so_far = [Run(history=dict(one), **common) for one in histories if one]
        on_progress(_together(so_far) if left >= SOON else None, message)

    runs = train_seeds(spec, prepared, seeds, on_epoch=report, stop=stop, journal=journal)
    return _together([replace(run, data=prepared.data_key) for run in runs])


def _together(runs: Sequence[Run]) -> Run:
    return runs[0] if len(runs) == 1 else mean_run(runs)


def is_better(run: Run, score: float) -> bool:
    """Say whether a run's validation score is better than another, by more than float32 rounds off."""
    return MEASURES[run.measure].gain(run.score, score) > ROUNDING * max(1.0, abs(score))


def describe_score(run: Run, rival: Rival | None = None) -> str:
    """Say how a run did on both parts, beside the baseline and the rival."""
    if not math.isfinite(run.score):
        return "There is no score: the loss is not finite."
    measure = MEASURES[run.measure]
    text = f"Validation {measure.title} {run.score:.3g} {measure.unit_of(run.problem)}".rstrip()
    if run.members:
        text += f" on average over {len(run.members)} seeds ({min(run.scores):.3g} to {max(run.scores):.3g})"
    verb = "better" if is_better(run, run.baseline) else "no better"
    text += f", training {run.train_score:.3g}: {verb} than the baseline's {run.baseline:.3g}"
    if rival is not None:
        verb = "better" if is_better(run, rival.value) else "no better"
        text += f", {verb} than the {rival.value:.3g} of the rival, {rival.name}"
    return f"{text}."


def judge_guess(guess: str, run: Run, last: Run | None) -> str:
    """Say whether a guess about a run came true; `last` is the run before it on the same data, if any."""
    if guess == NO_GUESS:
        return ""
    if "beat" not in guess:
        came = diagnose_history(run).verdict is Verdict.OVERFITTING
    elif last is not None:
        came = is_better(run, last.score)
    else:
        return "There is no last run on this data that the guess could be held against."
    return f"You guessed that {guess}: {'right' if came != ('not' in guess) else 'wrong'}."
