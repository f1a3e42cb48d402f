"""Step 8: a game. A pipeline is broken in secret; tell how, from its symptoms and as few checks as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.problem import Problem
from recipe.debugging.bench import BATCH, STEPS, Bench
from recipe.debugging.checks import Check
from recipe.debugging.faults import FAULTS, Pipeline, faults_of, make_pipeline
from recipe.debugging.pipeline import make_check
from recipe.lessons.questions import Outcome, Reply

EPOCHS = 8
POINTS, CHECK_COSTS, WRONG_COSTS = 10, 1, 3
SOUND = "nothing"  # a guess, too: one pipeline in ten or so is sound


@dataclass(kw_only=True, eq=False)
class Round:
    """One broken pipeline, made by `start_round`, and what was done about it so far.

    Attributes
    ----------
    number : the seed: the same number is the same round
    pipeline : the broken one
    history : of a training of it, see `train_copy`
    checks : that were made, by their names
    answers : to the guesses: whether they are right, and why; where they are, how to mend it
    points : that are left
    """

    number: int
    pipeline: Pipeline
    history: Mapping[str, list[float]] = field(repr=False)
    checks: dict[str, Check] = field(default_factory=dict)
    answers: list[Reply] = field(default_factory=list)
    points: int = POINTS

    @cached_property
    def bench(self) -> Bench:
        """Where the checks are made."""
        pipeline = self.pipeline
        return Bench(pipeline.model, *pipeline.arrays, problem=pipeline.problem, seed=self.number)

    @property
    def facts(self) -> dict[str, str]:
        """What the data look like: shape, range and mean of each part."""
        names = (f"{part} {what}" for part in ("training", "validation") for what in ("inputs", "targets"))
        return dict(zip(names, map(_describe, self.pipeline.arrays), strict=True))

    @property
    def won(self) -> bool:
        """Whether the fault was named."""
        return any(answer.outcome is Outcome.CORRECT for answer in self.answers)

    @property
    def over(self) -> bool:
        """Whether the fault was named, or no point is left. After that everything is free."""
        return self.won or not self.points

    def check(self, name: str) -> Check:
        """Make one of `recipe.debugging.pipeline.CHECKS`, for a point; one that was made before is free."""
        if name not in self.checks:
            self.checks[name] = make_check(self.bench, name)
            self._pay(CHECK_COSTS)
        return self.checks[name]

    def guess(self, name: str) -> Reply:
        """Name the fault, as in `recipe.FAULTS`, or ``"nothing"``; a wrong guess costs three points."""
        right = name == (self.pipeline.fault or SOUND)
        self._pay(0 if right else WRONG_COSTS)
        outcome = Outcome.CORRECT if right else Outcome.INCORRECT
        self.answers.append(Reply(self.truth if right else self._object(name), outcome))
        return self.answers[-1]

    @cached_property
    def truth(self) -> str:
        """What is broken, and the check that tells it, with the way out."""
        if not self.pipeline.fault:
            return "Nothing is broken: this pipeline is sound."
        fault = FAULTS[self.pipeline.fault]
        check = make_check(self.bench, fault.check_for(self.pipeline.problem))
        return f"It is {fault.title}. {fault.text} What tells it is the check {check.sentence}"

    def _object(self, name: str) -> str:
        """Say what speaks against a guess."""
        if name == SOUND:
            return "Something is broken: at least one check fails."
        check = make_check(self.bench, FAULTS[name].check_for(self.pipeline.problem))
        though = "fails, too, for another reason" if check.failed else f"says {check.status}"
        return f"It is not {FAULTS[name].title}: the check of {check.name} {though}. {check.found}"

    def _pay(self, costs: int) -> None:
        self.points = self.points if self.over else max(0, self.points - costs)


def start_round(dataset: Dataset, number: int = 1) -> Round:
    """Begin a round: break a pipeline in secret, and train it for a few epochs to show what is seen.

    Parameters
    ----------
    number : decides what is broken; the same number is the same round

    Examples
    --------
    >>> import recipe
    >>> round = start_round(recipe.load("housing", source="sample", rows=300), 3)
    >>> round.check("finite numbers").name, round.points
    ('finite numbers', 9)
    """
    pipeline = make_pipeline(dataset, draw_fault(dataset.problem, number), seed=number)
    return Round(number=number, pipeline=pipeline, history=train_copy(pipeline))


def draw_fault(problem: Problem, number: int) -> str | None:
    """Return what is broken in a round, None where nothing is: each fault comes once before one comes again."""
    faults = [*faults_of(problem), None]
    bag, place = divmod(number, len(faults))
    return faults[np.random.default_rng(bag).permutation(len(faults))[place]]


def train_copy(pipeline: Pipeline, epochs: int = EPOCHS) -> dict[str, list[float]]:
    """Train a copy of a pipeline from the weights that it has, and return the history.

    Both sides are measured in inference mode, on at most 500 samples of each part: ``data_loss``, accuracy or mean
    absolute error, and the same with ``val_`` in front.
    """
    measure = "accuracy" if pipeline.problem.type.is_classification else "mae"
    bench, optimizer = Bench(pipeline.model, *pipeline.arrays, problem=pipeline.problem), pipeline.model.optimizer
    model = bench.loan.as_it_is()
    copied = type(optimizer).from_config(optimizer.get_config())
    model.compile(optimizer=copied, loss=pipeline.model.loss, metrics=[measure])
    steps = STEPS * max(1, round(len(bench.arrays[0]) / (STEPS * BATCH)))
    try:
        history = bench.fit(model, *bench.arrays, steps_per_epoch=steps, epochs=epochs)
    finally:
        bench.loan.put_back()
    return {key: history[key] for name in ("data_loss", measure) for key in (name, f"val_{name}")}


def _describe(values: np.ndarray) -> str:
    """Return shape, range and mean."""
    low, high, mean = float(values.min()), float(values.max()), float(values.mean(dtype=np.float64))
    mean = 0.0 if abs(mean) < 1e-6 * (high - low) else mean
    return f"shape {values.shape}, from {low:.4g} to {high:.4g}, mean {mean:.3g}"
