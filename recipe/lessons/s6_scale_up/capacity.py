"""How large a network a training set can bear: learning curves, score over samples, for networks of all sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model
from recipe.lessons.judging import small_spec
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.s6_scale_up import ErrorDiagnosis, diagnose_errors
from recipe.steps.training import cross_validate

SMALLEST, LARGEST = 50, 3_000  # training samples, by default
MOST_HELD_OUT = 2_000


@dataclass(frozen=True, kw_only=True, eq=False)
class CapacityStudy:
    """Scores of networks of several sizes on training sets of several sizes, measured alike on both parts.

    Attributes
    ----------
    sizes : training samples, rising
    names : what each network is called
    train, validation : the measure at the chosen epoch, (networks, sizes, draws), in the measure's unit
    baseline : what a guess without the input achieves on the held-out samples, mean over the draws
    held_out : validation samples of each draw
    """

    problem: Problem
    source: str
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    train: np.ndarray = field(repr=False)
    validation: np.ndarray = field(repr=False)
    baseline: float
    held_out: int

    @property
    def gap(self) -> np.ndarray:
        """By how much training is better than validation, (networks, sizes), mean over the draws."""
        return MEASURES[self.problem.measure].gain(self.train, self.validation).mean(axis=2)

    def diagnose(self, network: int, size: int, reachable_error: float = 0.0) -> ErrorDiagnosis:
        """Return bias and variance of a network at a size, both as numbers of their places; mean over the draws."""
        errors = [
            MEASURES[self.problem.measure].error(float(part[network, size].mean()), self.baseline)
            for part in (self.train, self.validation)
        ]
        return diagnose_errors(*errors, reachable_error)

    @property
    def sentence(self) -> str:
        """What more samples did to the smallest and to the largest network, with the numbers."""
        measure = MEASURES[self.problem.measure]
        unit = f" in {measure.unit_of(self.problem)}" if measure.unit_of(self.problem) else ""
        told = []
        for network in (0, -1):
            few, many = (
                f"{self.train[network, size].mean():.3g} on training and {self.validation[network, size].mean():.3g} "
                f"on validation with {self.sizes[size]:,}"
                for size in (0, -1)
            )
            told.append(f"{self.names[network]}: {measure.title}{unit} {few} samples, {many}.")
        return " ".join(told)


def study_capacity(
    dataset: Dataset,
    *,
    units: Sequence[Sequence[int]] = ((2,), (16,), (64, 64)),
    sizes: Sequence[int] | None = None,
    draws: int = 4,
    seed: int = 0,
) -> CapacityStudy:
    """Train networks of several sizes on more and more samples, several times over.

    A draw shuffles all training data of the dataset, holds a quarter out (2,000 at most), and takes the first rows of
    the rest: a larger training set holds the smaller ones, and all are judged on the same samples. Each is prepared by
    its own statistics. All take the same number of steps: a small training set is gone through more often, as often as
    the largest one has more samples. Small networks train side by side, in one program.

    Parameters
    ----------
    units : hidden units a layer of each network; () has no hidden layer
    sizes : training samples; None takes five, from 50 to 3,000 or what is left, each as many times larger
    draws : how often all is repeated on other samples

    Raises
    ------
    ValueError
        If there are not so many samples.
    """
    samples = len(dataset.y_train)
    held_out = min(MOST_HELD_OUT, samples // 4)
    most = samples - held_out
    sizes = tuple(
        np.geomspace(SMALLEST, min(most, LARGEST), 5).astype(int).tolist() if sizes is None else sorted(sizes)
    )
    if not 1 <= sizes[0] <= sizes[-1] <= most:
        raise ValueError(
            f"Of {samples:,} training samples {held_out:,} are held out, and 1 to {most:,} can be trained on. "
            f"Received: sizes={sizes!r}. Take fewer."
        )
    spec = small_spec(dataset.problem).replace(seed=seed)
    specs = [_with_units(spec, tuple(one)) for one in units]
    parts = _draw_parts(dataset, sizes, draws, held_out, seed)
    runs = [cross_validate(one, parts, journal=None) for one in specs]
    shape = len(specs), len(sizes), draws
    return CapacityStudy(
        problem=dataset.problem,
        source=dataset.source,
        sizes=sizes,
        names=tuple(_name(one, parts[0].problem) for one in specs),
        train=np.array([run.train_score for row in runs for run in row]).reshape(shape),
        validation=np.array([run.score for row in runs for run in row]).reshape(shape),
        baseline=float(np.mean([run.baseline for run in runs[0]])),
        held_out=held_out,
    )


def _with_units(spec: ModelSpec, units: tuple[int, ...]) -> ModelSpec:
    return spec.replace(hidden_units=units) if units else spec.replace(architecture="linear", hidden_units=())


def _name(spec: ModelSpec, problem: Problem) -> str:
    layers = f"{'-'.join(map(str, spec.hidden_units))} units" if spec.hidden_units else "no hidden layer"
    return f"{layers} ({build_model(spec, problem).count_params():,} weights)"


def _draw_parts(dataset: Dataset, sizes: Sequence[int], draws: int, held_out: int, seed: int) -> list[Prepared]:
    """Prepare every draw of every size, each gone through so often that all epochs have the same number of steps."""
    orders = [np.random.default_rng(seed + draw).permutation(len(dataset.y_train)) for draw in range(draws)]
    parts = []
    for size in sizes:
        again = np.resize(np.arange(size), sizes[-1])
        for order in orders:
            train, val = order[held_out : held_out + size], order[:held_out]
            part = prepare(take_split(dataset, train, val, protocol=f"{size:,} training samples"))
            parts.append(dataclasses.replace(part, x_train=part.x_train[again], y_train=part.y_train[again]))
    return parts
