"""The whole workflow in one call: seven steps from the data to the one look at the test set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from recipe.app.late_steps import FinalStep, finish, regularize, scale_up
from recipe.app.steps import (
    TITLES,
    BaselineStep,
    Step,
    beat_baseline,
    choose_measure,
    choose_protocol,
    describe_spec,
    prepare_data,
    state_problem,
)
from recipe.app.trials import Bench, Stopped, Trial, find_best
from recipe.core.dataset import Dataset
from recipe.core.problem import Problem
from recipe.core.run import collect_versions
from recipe.data.problems import find_problem
from recipe.steps.s6_plan import Plan, make_plan

OnEvent = Callable[[object], object]


@dataclass(frozen=True, kw_only=True)
class StepStarted:
    """What `on_event` is told when a step begins; 8 is the final model."""

    number: int

    @property
    def title(self) -> str:
        """What is done in this step."""
        return TITLES[self.number - 1][0]


@dataclass(frozen=True, kw_only=True)
class StepFinished:
    """What `on_event` is told when a step is done."""

    step: Step


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the summary: a score and what it is of.

    Attributes
    ----------
    name, description : such as ``"small model"`` and what it consists of
    part : ``"validation"`` or ``"test"``
    score : the problem's measure
    epochs : how many the score is of; None for a guess
    interval : confidence interval of a test score
    """

    name: str
    description: str
    part: str
    score: float
    epochs: int | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class RecipeResult:
    """All that the workflow found, as far as it came.

    Attributes
    ----------
    problem : with the shapes of the data that was found; as the table has it where no data was loaded
    dataset : None where the work was stopped before the data was there
    seed, rows : as they were asked for
    steps : those that were finished, in order
    trials : every training but the final one, the one that was stopped too
    stopped : None, ``"interrupted"`` (Ctrl-C) or ``"asked"`` (the stop event)
    stopped_in : number of the step that was under way then
    seconds : wall time
    versions : of Python and of the packages that the numbers depend on
    """

    problem: Problem
    dataset: Dataset | None
    seed: int
    rows: int | None
    steps: tuple[Step, ...]
    trials: tuple[Trial, ...] = field(repr=False)
    stopped: str | None
    stopped_in: int | None
    seconds: float
    versions: dict[str, str]

    def find(self, kind: type[Step]) -> Step | None:
        """Return the step of this kind, or None where it was not reached."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The summary: baseline, small, big and tuned model in validation, and the final one on the test set."""
        return tuple(_lines(self))


def run_recipe(
    problem_name: str,
    source: str = "auto",
    rows: int | None = None,
    seed: int = 0,
    on_event: OnEvent | None = None,
    stop: threading.Event | None = None,
    plan: Plan | None = None,
) -> RecipeResult:
    """Walk the seven steps on a problem.

    Parameters
    ----------
    problem_name : a name in `recipe.PROBLEMS`
    source, rows, seed : as for `load`; None for rows takes the problem's own number
    on_event : called in this thread with a `StepStarted`, a `Progress` after each epoch, and a `StepFinished`
    stop : once set, from any thread, the work ends after the epoch that is under way
    plan : the networks to begin with, seeds and all; None takes those of `recipe.steps.s6_plan.make_plan`

    Returns
    -------
    RecipeResult. Ctrl-C and `stop` end the work early: what was done until then is in it, and the test set stays
    sealed unless the final model was ready.

    Raises
    ------
    ValueError, OSError
        If there is no such problem, or its data cannot be had; see `load`.
    """
    began = time.perf_counter()
    walk = _Walk(problem=find_problem(problem_name), on_event=on_event, stop=stop)
    try:
        walk.through_all(source, rows, seed, plan)
    except (Stopped, KeyboardInterrupt) as wish:
        walk.stopped = wish.how if isinstance(wish, Stopped) else "interrupted"
    return RecipeResult(
        problem=walk.problem,
        dataset=walk.dataset,
        seed=seed,
        rows=rows,
        steps=tuple(walk.steps),
        trials=tuple(walk.bench.trials) if walk.bench else (),
        stopped=walk.stopped,
        stopped_in=walk.current if walk.stopped else None,
        seconds=time.perf_counter() - began,
        versions=collect_versions(),
    )


@dataclass(kw_only=True, eq=False)
class _Walk:
    """Where the workflow stands: what is kept here survives an interruption."""

    problem: Problem
    on_event: OnEvent | None
    stop: threading.Event | None
    dataset: Dataset | None = None
    bench: Bench | None = None
    steps: list[Step] = field(default_factory=list)
    current: int = 0
    stopped: str | None = None

    def through_all(self, source: str, rows: int | None, seed: int, plan: Plan | None) -> None:
        """Take the steps in order; each gets what the earlier ones found, and nothing else."""
        self.dataset = dataset = self.take(1, lambda: state_problem(self.problem.name, source, rows, seed)).dataset
        self.problem = dataset.problem
        self.take(2, lambda: choose_measure(dataset))
        splits = self.take(3, lambda: choose_protocol(dataset, seed)).splits
        plan = plan or make_plan(dataset.problem, len(splits[0].y_train), seed)
        self.bench = bench = Bench(splits=splits, on_event=self.on_event, stop=self.stop)
        self.take(4, lambda: prepare_data(bench, plan.small))
        first = self.take(5, lambda: beat_baseline(bench, plan))
        scale = self.take(6, lambda: scale_up(bench, plan))
        tune = self.take(7, lambda: regularize(bench, plan, first, scale, dataset.reachable_error))
        self.take(8, lambda: finish(bench, tune.best, dataset))

    def take(self, number: int, action: Callable[[], Step]) -> Step:
        """Do one step, and tell before and after."""
        self.current = number
        if self.stop is not None and self.stop.is_set():
            raise Stopped("asked")
        self.tell(StepStarted(number=number))
        step = action()
        self.steps.append(step)
        self.tell(StepFinished(step=step))
        return step

    def tell(self, event: object) -> None:
        if self.on_event is not None:
            self.on_event(event)


def _lines(result: RecipeResult) -> Iterator[Line]:
    first, last = result.find(BaselineStep), result.find(FinalStep)
    if first:
        guess = f"{first.baseline.name}: {first.baseline.guess}"
        yield Line(name="baseline", description=guess, part="validation", score=first.baseline.value)
    for number, name in ((5, "small model"), (6, "big model"), (7, "regularized")):
        whole = [trial for trial in result.trials if trial.step == number and not trial.stopped]
        if whole:
            yield _trial_line(name, find_best(whole))
    if last:
        noise = last.result.uncertainty
        yield Line(
            name="final model",
            description=f"{describe_spec(last.final.spec)}; on all {last.final.samples:,} samples",
            part="test",
            score=last.result.score,
            epochs=last.final.epochs,
            interval=(noise.low, noise.high),
        )


def _trial_line(name: str, trial: Trial) -> Line:
    return Line(
        name=name,
        description=describe_spec(trial.spec),
        part="validation",
        score=trial.score,
        epochs=trial.epoch + 1,
    )
