"""A learner's progress, read from the journal: lessons, predictions, baselines, overfitting, looks at test sets.

Everything is counted on the learner's own machine from what the journal holds, and nothing leaves it: who wants to show
an instructor where they are writes a file (``recipe progress --export FILE``) and sends it. It is no grade. Whoever
reads a solution first answers right at first try, and a journal is a file that anybody can write to.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from recipe.core.measures import MEASURES
from recipe.core.run import Run
from recipe.journal import Journal, choose_journal
from recipe.lessons.questions import Outcome, Prediction, Question
from recipe.steps.s2_measure import is_right_or_wrong
from recipe.steps.s6_scale_up import Verdict, diagnose_history

if TYPE_CHECKING:
    import pandas as pd

LESSONS = MappingProxyType(
    {
        "s0_recipe": "0 The whole recipe",
        "s1_problem": "1 Define the problem",
        "s2_measure": "2 Choose a measure of success",
        "s3_protocol": "3 Decide on an evaluation protocol",
        "s4_prepare": "4 Prepare your data",
        "s5_baseline": "5 Beat a baseline",
        "s6_scale_up": "6 Scale up until it overfits",
        "s7_regularize": "7 Regularize and tune",
        "s8_debug": "8 Debug the pipeline",
    }
)
LEVEL = 0.05  # of a run that beats a baseline beyond chance, shared out among all runs on the same data
PAUSE = timedelta(minutes=15)  # a longer silence of the journal is a break
SPREAD = MappingProxyType({"mae": 1.0, "mse": 2.0})  # standard deviation of a sample's error, in means of it


@dataclass(frozen=True, kw_only=True)
class LessonProgress:
    """How far the questions of one lesson are answered.

    Attributes
    ----------
    asked, answered, right : questions that it has; that were answered, or predicted; that were answered right once
    first_try : questions answered right at the first try, of those that are no predictions
    state : ``"done"`` once every question was answered right and every prediction made; ``"begun"`` once one was; else
        ``"not begun"``
    """

    lesson: str
    asked: int
    answered: int
    right: int
    first_try: int
    state: str


@dataclass(frozen=True, kw_only=True)
class KeptPrediction:
    """The last prediction that was kept of a claim."""

    claim: str
    confidence: float
    is_right: bool


@dataclass(frozen=True, kw_only=True)
class ProblemProgress:
    """What was trained on one problem, from one source.

    Attributes
    ----------
    runs, minutes : trainings, and how long they took together
    score, baseline : of the best run with a score; NaN without one
    beaten : whether a run beat the baseline beyond chance, see `chance`; shared out among the runs on the same data, so
        that of many tries the luckiest one does not count; None where the measure does not let it be told
    overfitted : whether the validation loss of a run turned: whether `diagnose_history` calls one overfitting
    """

    problem: str
    source: str
    measure: str
    runs: int
    minutes: float
    score: float
    baseline: float
    beaten: bool | None
    overfitted: bool


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a journal says of its learner.

    Attributes
    ----------
    looks : how often test sets were opened, a number a test set; more than one each, and the last scores flatter
    runs, training_minutes : trainings of all kinds, and how long they took together
    working_minutes : from the first to the last entry of the journal, without silences of more than 15 minutes; what
        was only read and looked at leaves no entry, so it is at least that
    """

    lessons: tuple[LessonProgress, ...]
    predictions: tuple[KeptPrediction, ...]
    problems: tuple[ProblemProgress, ...]
    looks: tuple[int, ...]
    runs: int
    training_minutes: float
    working_minutes: float

    @property
    def brier(self) -> float:
        """The mean of (confidence - outcome)² over all predictions: 0 is perfect, 0.25 is a guess; NaN without any."""
        losses = [(one.confidence - one.is_right) ** 2 for one in self.predictions]
        return sum(losses) / len(losses) if losses else math.nan

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """Of each confidence that was stated: predictions, how many were right, their share and its exact interval.

        Whoever is calibrated is right in 70 % of the cases of "70 % sure". `low` and `high` are the ends of the 90 %
        interval of Clopper and Pearson: with few predictions it is wide, and says nothing against anybody yet.
        """
        import pandas as pd
        from scipy.stats import binomtest

        counts: dict[float, list[bool]] = defaultdict(list)
        for one in self.predictions:
            counts[one.confidence].append(one.is_right)
        rows = []
        for confidence, outcomes in sorted(counts.items()):
            right, made = sum(outcomes), len(outcomes)
            low, high = binomtest(right, made).proportion_ci(0.9, method="exact")
            rows.append((confidence, made, right, right / made, float(low), float(high)))
        return pd.DataFrame(rows, columns=["confidence", "predictions", "right", "share", "low", "high"])

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it in words."""
        begun, done = (sum(one.state == state for one in self.lessons) for state in ("begun", "done"))
        counted = ("asked", "answered", "first_try")
        asked, answered, first = (sum(getattr(one, name) for one in self.lessons) for name in counted)
        predicted, looked = "none kept yet", "all are sealed"
        if made := len(self.predictions):
            right = sum(one.is_right for one in self.predictions)
            predicted = f"{made} kept, {right} right; Brier score {self.brier:.3f} (0 is perfect, 0.25 is a guess)"
        if self.looks:
            looked = f"{len(self.looks)} opened, {sum(self.looks)} looks in all, the most at one: {max(self.looks)}"
        return (
            f"Lessons: {done} of {len(self.lessons)} done, {begun} begun.",
            f"Questions: {answered} of {asked} answered, {first} right at the first try.",
            f"Predictions: {predicted}.",
            f"Baselines beaten beyond chance: {_name(one for one in self.problems if one.beaten)}.",
            f"Overfitting shown: {_name(one for one in self.problems if one.overfitted)}.",
            f"Test sets: {looked}.",
            f"Runs: {self.runs:,}, {self.training_minutes:.1f} minutes of training.",
            f"Work: {self.working_minutes:.1f} minutes at least, as far as it left traces.",
        )

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def to_dict(self) -> dict[str, object]:
        """Return all numbers, ready for JSON: None where there is none."""
        values = dataclasses.asdict(self)
        for one in values["problems"]:
            one |= {name: None if math.isnan(one[name]) else one[name] for name in ("score", "baseline")}
        return values | {"brier": None if math.isnan(self.brier) else self.brier}


def _name(problems: Iterable[ProblemProgress]) -> str:
    return ", ".join(f"{one.problem} ({one.source})" for one in problems) or "none yet"


def collect_progress(journal: Journal | str | Path | None = "default") -> Progress:
    """Read a journal.

    Parameters
    ----------
    journal : or where its file is; ``"default"`` is the learner's own

    Raises
    ------
    ValueError
        If the journal is off.
    """
    journal = choose_journal(journal)
    if journal is None:
        raise ValueError("The journal is off. Received: RECIPE_JOURNAL=off. Unset it, and what you do is recorded.")
    runs, entries = journal.runs(), journal.entries()
    answers = [entry["answer"] for entry in entries if isinstance(entry.get("answer"), dict)]
    kept = {one["claim"]: one for one in answers if "claim" in one}  # the last one of each claim
    return Progress(
        lessons=tuple(_judge_lesson(lesson, answers) for lesson in LESSONS),
        predictions=tuple(
            KeptPrediction(claim=claim, confidence=one["confidence"], is_right=one["outcome"] == Outcome.CORRECT)
            for claim, one in kept.items()
        ),
        problems=_judge_problems(runs),
        looks=tuple(Counter(entry["look"] for entry in entries if "look" in entry).values()),
        runs=len(runs),
        training_minutes=round(sum(run.seconds for run in runs) / 60, 2),
        working_minutes=round(_count_minutes(runs, answers), 2),
    )


def _judge_lesson(lesson: str, answers: Sequence[dict]) -> LessonProgress:
    questions = vars(importlib.import_module(f"recipe.lessons.{lesson}.questions"))
    asked = {f"{lesson}.{name}": one for name, one in questions.items() if isinstance(one, Question)}
    given: dict[str, list[str]] = {}
    for answer in answers:
        if answer.get("question") in asked:
            given.setdefault(answer["question"], []).append(answer["outcome"])
    predicted = {name for name, one in asked.items() if isinstance(one, Prediction)}
    right = {name for name, outcomes in given.items() if Outcome.CORRECT in outcomes}
    is_done = right | (predicted & given.keys()) == asked.keys()
    return LessonProgress(
        lesson=lesson,
        asked=len(asked),
        answered=len(given),
        right=len(right),
        first_try=sum(given[name][0] == Outcome.CORRECT for name in right - predicted),
        state="done" if is_done else "begun" if given else "not begun",
    )


def _judge_problems(runs: Sequence[Run]) -> tuple[ProblemProgress, ...]:
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.problem.name, run.source), []).append(run)
    tries, found = Counter(run.data for run in runs), []
    for (problem, source), group in groups.items():
        scored = [run for run in group if run.state == "complete" and not run.final]
        measure = group[-1].problem.measure
        alike = [run for run in scored if run.measure == measure]
        odds = [chance(run) * tries[run.data] / LEVEL for run in scored]  # 1 or less: beyond chance
        best = max(alike, key=lambda run: MEASURES[measure].gain(run.score, 0.0), default=None)
        found.append(
            ProblemProgress(
                problem=problem,
                source=source,
                measure=measure,
                runs=len(group),
                minutes=round(sum(run.seconds for run in group) / 60, 2),
                score=best.score if best else math.nan,
                baseline=best.baseline if best else math.nan,
                beaten=None if all(map(math.isnan, odds)) else any(one <= 1 for one in odds),
                overfitted=any(map(_is_overfitted, scored)),
            )
        )
    return tuple(found)


def chance(run: Run) -> float:
    """Return how often a guess without the input would score as well on so many samples: a one-sided p-value.

    The journal keeps scores and no outputs, so the paired test of step 5 cannot be made again. A share of right answers
    has the exact binomial test against the baseline's share. A mean of errors is taken for two independent means whose
    samples spread as much as their mean says (the mean absolute error; twice that for squares), as they would if errors
    were Laplace's: too careful rather than too bold, since model and baseline are judged on the same samples. Of other
    measures, such as rankings, it can't be told from a score alone: NaN.

    Examples
    --------
    >>> from recipe.core.spec import ModelSpec
    >>> from recipe.data.problems import find_problem
    >>> history = {"data_loss": [0.5], "val_data_loss": [0.5], "accuracy": [0.6], "val_accuracy": [0.6]}
    >>> given = {"spec": ModelSpec(), "problem": find_problem("imdb"), "source": "", "protocol": "", "history": history}
    >>> few, many = (Run(baseline=0.5, val_samples=samples, **given) for samples in (20, 200))
    >>> round(chance(few), 3), round(chance(many), 3)
    (0.252, 0.003)
    """
    from scipy.stats import binomtest, norm

    score, guess, samples = run.score, run.baseline, run.val_samples
    if not (math.isfinite(score) and math.isfinite(guess) and samples > 0):
        return math.nan
    if is_right_or_wrong(run.problem):
        return float(binomtest(round(score * samples), samples, guess, alternative="greater").pvalue)
    if run.measure not in SPREAD or not guess > 0:
        return math.nan
    error = SPREAD[run.measure] * math.hypot(score, guess) / math.sqrt(samples)
    return float(norm.sf((guess - score) / error))


def _is_overfitted(run: Run) -> bool:
    try:
        return diagnose_history(run).verdict is Verdict.OVERFITTING
    except (TypeError, ValueError):  # a history of another version, or without an epoch
        return False


def _count_minutes(runs: Sequence[Run], answers: Sequence[dict]) -> float:
    """Return the minutes between entries that are no further apart than a break."""
    spans = [(_read_time(run.time) - timedelta(seconds=run.seconds), _read_time(run.time)) for run in runs]
    spans += [(_read_time(one.get("time")), _read_time(one.get("time"))) for one in answers]
    spans, total, reached = sorted(spans), timedelta(), None
    for began, ended in spans:
        if reached is None or began - reached > PAUSE:
            reached = began
        total += max(ended - reached, timedelta())
        reached = max(ended, reached)
    return total.total_seconds() / 60


def _read_time(text: object) -> datetime:
    """Return a time; the beginning of all times where a line of the journal has none."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
