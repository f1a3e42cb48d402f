"""Step 8: a game. A pipeline is broken in secret; tell how, from its symptoms and as few checks as possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from recipe.core.dataset import Dataset
from recipe.debugging import CHECKS, make_check
from recipe.debugging.bench import BATCH, STEPS, Bench
from recipe.debugging.checks import Check
from recipe.debugging.faults import FAULTS, Fault, Pipeline, faults_of, load_for, make_pipeline

PROBLEMS = ("mnist", "imdb", "housing")
EPOCHS = 8
POINTS, CHECK_COSTS, WRONG_COSTS = 10, 1, 3
SOUND = "nothing"  # a guess, too: one pipeline in ten or so is sound


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a guess was answered.

    Attributes
    ----------
    right : whether it is what is broken
    text : why, and where it is right how to mend it
    """

    right: bool
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Round:
    """One broken pipeline, and what was done about it so far.

    Attributes
    ----------
    number : the seed: the same number is the same round
    pipeline : the broken one
    history : of a training of it, see `train_copy`
    checks : that were made, in their order
    answers : to the guesses
    points : that are left
    truth : what is broken and how it is mended, once the round is over
    """

    number: int
    pipeline: Pipeline
    history: Mapping[str, list[float]] = field(repr=False)
    checks: tuple[Check, ...] = ()
    answers: tuple[Answer, ...] = ()
    points: int = POINTS
    truth: str = ""

    @property
    def facts(self) -> dict[str, str]:
        """What the data look like: shape, range and mean of each part."""
        names = (f"{part} {what}" for part in ("training", "validation") for what in ("inputs", "targets"))
        return dict(zip(names, map(_describe, self.pipeline.arrays), strict=True))

    @property
    def won(self) -> bool:
        """Whether the fault was named."""
        return any(answer.right for answer in self.answers)

    @property
    def over(self) -> bool:
        """Whether the fault was named, or no point is left."""
        return self.won or not self.points


class FaultGame:
    """The game: `start` a round, make a `check` or two, and `guess`.

    Parameters
    ----------
    *datasets : to play with, as `load` returns them; without any, all three are loaded

    Attributes
    ----------
    datasets : what is played with
    round : the present one, None before the first
    scores : the points of each finished round, by its number

    Examples
    --------
    >>> import recipe
    >>> game = FaultGame(recipe.load("housing", source="sample", rows=300))
    >>> round = game.start(3)
    >>> game.check("finite numbers").name, game.round.points
    ('finite numbers', 9)
    """

    def __init__(self, *datasets: Dataset) -> None:
        self.datasets = datasets or tuple(load_for(name, "auto") for name in PROBLEMS)
        self.round: Round | None = None
        self.scores: dict[int, int] = {}
        self._bench: Bench | None = None

    @property
    def score(self) -> int:
        """The points of all finished rounds together."""
        return sum(self.scores.values())

    def fault_of(self, number: int, problem: str = "any") -> Fault | None:
        """Look up what is broken in a round, for who prepares a demonstration; None where nothing is."""
        return FAULTS.get(self._draw(number, problem)[1])

    def start(self, number: int = 1, problem: str = "any") -> Round:
        """Begin a round: break a pipeline in secret, train it for a few epochs and show what is seen.

        Parameters
        ----------
        number : decides what is broken; the same number is the same round
        problem : the name of one that is played with, such as ``"mnist"``, or ``"any"``

        Raises
        ------
        ValueError
            If no such problem is played with.
        """
        name, fault = self._draw(number, problem)
        dataset = next(data for data in self.datasets if data.problem.name == name)
        pipeline = make_pipeline(dataset, fault, seed=number)
        self._bench = Bench(pipeline.model, *pipeline.arrays, problem=pipeline.problem, seed=number)
        self.round = Round(number=number, pipeline=pipeline, history=train_copy(pipeline))
        return self.round

    def check(self, name: str) -> Check:
        """Make a check, for one point; one that was made before is free, and so is all after the end of the round."""
        current = self._current()
        made = {check.name: check for check in current.checks}
        if name not in CHECKS:
            raise ValueError(f"There is no such check. Received: {name!r}. There are: {', '.join(CHECKS)}.")
        if name not in made:
            made[name] = make_check(self._bench, name)
            checks = (*current.checks, made[name])
            self._go_on(replace(current, checks=checks), 0 if current.over else CHECK_COSTS)
        return made[name]

    def guess(self, name: str) -> Answer:
        """Name the fault, as in `recipe.FAULTS`, or ``"nothing"``; a wrong guess costs three points.

        Raises
        ------
        ValueError
            If there is no such fault.
        RuntimeError
            If no round is under way.
        """
        current = self._current()
        if name != SOUND and name not in FAULTS:
            raise ValueError(f"There is no such fault. Received: {name!r}. Choose from {SOUND}, {', '.join(FAULTS)}.")
        if current.over:
            raise RuntimeError(f"This round is over. Received: round {current.number}. Start another.")
        right = name == (current.pipeline.fault or SOUND)
        answer = Answer(right=right, text=self._praise() if right else self._object(name))
        self._go_on(replace(current, answers=(*current.answers, answer)), 0 if right else WRONG_COSTS)
        return answer

    def _current(self) -> Round:
        if self.round is None:
            raise RuntimeError("There is no round yet. Received: a new game. Call start() first.")
        return self.round

    def _draw(self, number: int, problem: str) -> tuple[str, str | None]:
        """Return the problem and the fault of a round: each fault comes once before one comes again."""
        names = [data.problem.name for data in self.datasets]
        if problem not in ("any", *names):
            raise ValueError(
                f"That problem is not played with. Received: problem={problem!r}. Choose from any, {', '.join(names)}."
            )
        problems = [data.problem for data in self.datasets if problem in ("any", data.problem.name)]
        faults = [*dict.fromkeys(name for one in problems for name in faults_of(one)), None]
        bag, place = divmod(number, len(faults))
        fault = faults[np.random.default_rng(bag).permutation(len(faults))[place]]
        rng = np.random.default_rng([number, 1])
        fitting = [one.name for one in problems if fault is None or FAULTS[fault].suits(one)]
        return str(rng.choice(fitting)), fault

    def _go_on(self, current: Round, costs: int) -> None:
        """Keep the round, with so many points fewer; it ends where none is left."""
        self.round = replace(current, points=max(0, current.points - costs))
        if self.round.over:
            self.round = replace(self.round, truth=current.truth or self._praise())
            self.scores.setdefault(current.number, self.round.points)  # to play a round again is no way to points

    def _praise(self) -> str:
        pipeline = self.round.pipeline
        if not pipeline.fault:
            return "Nothing is broken: this pipeline is sound."
        fault = FAULTS[pipeline.fault]
        check = make_check(self._bench, fault.check_for(pipeline.problem))
        return (
            f"It is {fault.title}. {fault.text} The way out: {fault.mend} What tells it is the check {check.sentence}"
        )

    def _object(self, name: str) -> str:
        """Say what speaks against a guess."""
        if name == SOUND:
            return "Something is broken: at least one check fails."
        fault, problem = FAULTS[name], self.round.pipeline.problem
        if not fault.suits(problem):
            return f"It is not {fault.title}: that cannot happen here."
        check = make_check(self._bench, fault.check_for(problem))
        if check.failed:
            return f"It is not {fault.title}, though the check of {check.name} fails, too: {check.found} Look further."
        outcome = "does not fail" if check.passed else "cannot be made"
        return f"It is not {fault.title}: the check of {fault.check_for(problem)} {outcome}. {check.found}"


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
