"""Step 6: how large a network a training set can bear. Scores over the number of samples, for networks of all sizes."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import EpochReport
from recipe.core.spec import ModelSpec
from recipe.engine.models import build_model
from recipe.lessons.judging import OnProgress, small_spec
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import compute_baseline
from recipe.steps.s6_scale_up import ErrorDiagnosis, diagnose_errors
from recipe.steps.training import cross_validate

UNITS = ((2,), (16,), (64, 64))  # from a network that is too small to one that is too large
SIZES_BY_DEFAULT = 5
SMALLEST, LARGEST = 50, 3_000  # training samples, by default
MOST_HELD_OUT = 2_000


@dataclass(frozen=True, kw_only=True, eq=False)
class CapacityStudy:
    """Scores of networks of several sizes on training sets of several sizes, measured alike on both parts.

    Attributes
    ----------
    sizes : training samples, rising
    units : hidden units a layer of each network
    parameters : numbers that each network learns
    train, validation : the measure after the last epoch, (networks, sizes, draws), in the measure's unit
    best : the measure on validation in the epoch with the lowest validation loss, of the same shape
    baseline : what a guess without the input achieves on the held-out samples
    held_out : validation samples of each draw
    epochs : that each network was trained for, on the largest training set
    """

    problem: Problem
    source: str
    sizes: tuple[int, ...]
    units: tuple[tuple[int, ...], ...]
    parameters: tuple[int, ...]
    train: np.ndarray
    validation: np.ndarray
    best: np.ndarray
    baseline: float
    held_out: int
    epochs: int

    @property
    def names(self) -> tuple[str, ...]:
        """What each network is called."""
        return tuple(
            f"{name_units(units)} ({count:,} weights)" for units, count in zip(self.units, self.parameters, strict=True)
        )

    @property
    def gap(self) -> np.ndarray:
        """By how much training is better than validation after the last epoch, (networks, sizes), mean over draws."""
        measure = MEASURES[self.problem.measure]
        return measure.gain(self.train, self.validation).mean(axis=2)

    def diagnose(self, network: int, size: int, reachable_error: float = 0.0) -> ErrorDiagnosis:
        """Return bias and variance of a network at a size, both as numbers of their places; mean over draws.

        Raises
        ------
        ValueError
            If a network diverged, so that it has no error.
        """
        errors = [
            MEASURES[self.problem.measure].error(float(part[network, size].mean()), self.baseline)
            for part in (self.train, self.validation)
        ]
        return diagnose_errors(*errors, reachable_error)

    @property
    def sentence(self) -> str:
        """What more samples did to the smallest and to the largest network, with the numbers."""
        measure, told = MEASURES[self.problem.measure], []
        unit = f" in {measure.unit_of(self.problem)}" if measure.unit_of(self.problem) else ""
        for network in sorted({0, len(self.units) - 1}) if self.units else ():
            means = [part[network].mean(axis=1) for part in (self.train, self.validation)]
            few, many = (
                f"{means[0][size]:.3g} on training and {means[1][size]:.3g} on validation with {self.sizes[size]:,}"
                for size in (0, -1)
            )
            told.append(f"{name_units(self.units[network])}: {measure.title}{unit} {few} samples, {many}.")
        return " ".join(told) or "Stopped before the first network was done."


def study_capacity(
    dataset: Dataset,
    *,
    sizes: Sequence[int] | None = None,
    units: Sequence[Sequence[int]] = UNITS,
    draws: int = 4,
    spec: ModelSpec | None = None,
    held_out: int | None = None,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> CapacityStudy:
    """Train networks of several sizes on more and more samples, several times over.

    A draw shuffles all training data of the dataset, holds some out, and takes the first rows of the rest: a larger
    training set holds the smaller ones, and all are judged on the same samples. Each is prepared by its own statistics.
    All take the same number of steps: a small training set is gone through more often, as often as the largest one has
    more samples. Small networks train side by side, in one program.

    Parameters
    ----------
    sizes : training samples; None takes five, from 50 to 3,000 or what is left, each as many times larger
    units : hidden units a layer of each network; () has no hidden layer
    draws : how often all is repeated on other samples, 1 or more
    spec : how to train; its units are replaced. None takes one that learns quickly
    held_out : validation samples of a draw; None takes a quarter of all, 2,000 at most
    on_progress : called with (None, a message)
    stop : once set, the study ends with the networks that are complete

    Raises
    ------
    ValueError
        If there are too few samples, no size, no network or no draw.
    """
    samples = len(dataset.y_train)
    held_out = min(MOST_HELD_OUT, samples // 4) if held_out is None else held_out
    sizes = _check_sizes(sizes, samples, held_out)
    if draws < 1 or not len(units):
        raise ValueError(
            f"There is nothing to train. Received: units={units!r}, draws={draws}. Give 1 or more of each."
        )
    spec = (spec or small_spec(dataset.problem)).replace(seed=seed)
    specs = [_with_units(spec, tuple(one)) for one in units]
    parts = _draw_parts(dataset, sizes, draws, held_out, encoding_for(specs[0], dataset.problem), seed)
    done: list[np.ndarray] = []
    for number, one in enumerate(specs):
        report = _reporter(on_progress, f"network {number + 1} of {len(specs)}, {name_units(one.hidden_units)}", parts)
        runs = cross_validate(one, parts, on_epoch=report, stop=stop, journal=None)
        if len(runs) < len(parts) or any(run.stopped in {"asked", "interrupted"} for run in runs):
            break
        done.append(np.array([_scores(run.history, dataset.problem.measure, run.best_epoch) for run in runs]))
    table = np.array(done).reshape(-1, len(sizes), draws, 3)
    kept = specs[: len(done)]
    return CapacityStudy(
        problem=dataset.problem,
        source=dataset.source,
        sizes=sizes,
        units=tuple(one.hidden_units for one in kept),
        parameters=tuple(build_model(one, parts[0].problem).count_params() for one in kept),
        train=table[..., 0],
        validation=table[..., 1],
        best=table[..., 2],
        baseline=float(np.mean([_baseline(part) for part in parts[:draws]])),
        held_out=held_out,
        epochs=spec.epochs,
    )


def name_units(units: Sequence[int]) -> str:
    """Return what a network of these hidden layers is called.

    Examples
    --------
    >>> name_units((64, 64)), name_units((16,)), name_units(())
    ('64-64 units', '16 units', 'no hidden layer')
    """
    return f"{'-'.join(map(str, units))} units" if units else "no hidden layer"


def _with_units(spec: ModelSpec, units: tuple[int, ...]) -> ModelSpec:
    if not units:
        return spec.replace(architecture="linear", hidden_units=())
    architecture = "mlp" if spec.architecture == "linear" else spec.architecture
    return spec.replace(architecture=architecture, hidden_units=units)


def _check_sizes(sizes: Sequence[int] | None, samples: int, held_out: int) -> tuple[int, ...]:
    """Return the sizes in rising order, checked against what is there."""
    most = samples - held_out
    if sizes is None and most > SMALLEST:
        rising = np.geomspace(SMALLEST, min(most, LARGEST), SIZES_BY_DEFAULT)
        sizes = [int(float(f"{size:.2g}")) for size in rising[:-1]] + [int(rising[-1])]
    wanted = tuple(sorted(set(sizes or ())))
    if held_out < 1 or not wanted or wanted[0] < 1 or wanted[-1] > most:
        raise ValueError(
            f"Of {samples:,} training samples {held_out:,} are held out, and 1 to {max(most, 0):,} can be trained on. "
            f"Received: sizes={sizes!r}, held_out={held_out}. Take fewer."
        )
    return wanted


def _draw_parts(
    dataset: Dataset, sizes: Sequence[int], draws: int, held_out: int, encoding: str, seed: int
) -> list[Prepared]:
    """Prepare every draw of every size, each gone through so often that all epochs have the same number of steps."""
    orders = [np.random.default_rng(seed + draw).permutation(len(dataset.y_train)) for draw in range(draws)]
    parts = []
    for size in sizes:
        again = np.resize(np.arange(size), sizes[-1])
        for order in orders:
            train, val = order[held_out : held_out + size], order[:held_out]
            part = prepare(take_split(dataset, train, val, protocol=f"{size:,} training samples"), encoding=encoding)
            parts.append(dataclasses.replace(part, x_train=part.x_train[again], y_train=part.y_train[again]))
    return parts


def _baseline(part: Prepared) -> float:
    return compute_baseline(part.problem, part.y_train, part.y_val).value


def _scores(history: dict[str, list[float]], measure: str, best_epoch: int) -> tuple[float, float, float]:
    validation = history["val_" + measure]
    return history[measure][-1], validation[-1], validation[best_epoch]


def _reporter(
    on_progress: OnProgress | None, name: str, parts: Sequence[Prepared]
) -> Callable[[EpochReport], None] | None:
    """Return what `cross_validate` calls after each epoch of each member."""
    if on_progress is None:
        return None

    def report(told: EpochReport) -> None:
        on_progress(
            None, f"{name}: epoch {told.epoch + 1} of {told.epochs}, training {told.member + 1} of {len(parts)}"
        )

    return report
