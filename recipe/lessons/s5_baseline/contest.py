"""Step 5: a small model and the baseline on the same validation samples, kept so that any of them can be judged."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.prepared import Prepared, encoding_for
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.lessons.s5_baseline.power_curve import PowerCurve, judge_few, power_curve
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import Baseline, StatisticalPower, compute_baseline, statistical_power
from recipe.steps.training import train


@dataclass(frozen=True, kw_only=True, eq=False)
class Contest:
    """A trained model's outputs on the validation samples, beside those of the baseline.

    Attributes
    ----------
    y_val : np.ndarray of shape (n,) or (n, outputs)
    outputs : np.ndarray of shape (n, outputs)
    trained_on : how many samples the model learned from
    """

    problem: Problem
    source: str
    spec: ModelSpec
    trained_on: int
    y_val: np.ndarray = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    baseline: Baseline

    @cached_property
    def power(self) -> StatisticalPower:
        """The test on all validation samples."""
        return statistical_power(self.problem, self.y_val, self.outputs, self.baseline)

    @cached_property
    def curve(self) -> PowerCurve:
        """The power of validation sets of all sizes, if what is seen on all samples is the truth."""
        return power_curve(self.problem, self.y_val, self.outputs, self.baseline)

    def judge(self, samples: int, *, seed: int = 0) -> StatisticalPower:
        """Test on so many validation samples, drawn at random; on all of them where there are no more."""
        samples = min(samples, len(self.y_val))
        return judge_few(self.problem, self.y_val, self.outputs, self.baseline, samples, seed=seed)


def compete(run: Run, prepared: Prepared) -> Contest:
    """Put a trained model beside the baseline of its own training part."""
    x = prepared.preparation.to_network(prepared.x_val)
    return Contest(
        problem=prepared.problem,
        source=prepared.source,
        spec=run.spec,
        trained_on=len(prepared.y_train),
        y_val=prepared.y_val,
        outputs=np.asarray(run.model.predict(x, batch_size=1024, verbose=0)),
        baseline=compute_baseline(prepared.problem, prepared.y_train, prepared.y_val),
    )


def hold_contest(
    dataset: Dataset,
    spec: ModelSpec,
    *,
    trained_on: int | None = None,
    test_size: float = 0.5,
    seed: int = 0,
    stop: threading.Event | None = None,
) -> Contest:
    """Hold samples out, train a small model on some of the rest, and put it beside the baseline.

    Parameters
    ----------
    trained_on : samples to learn from; None takes all that are not held out
    test_size : part of the training samples that is held out
    stop : once set, training ends with the epoch that is under way

    Returns
    -------
    Contest

    Raises
    ------
    ValueError
        If there are fewer samples to learn from than asked for.
    """
    split = hold_out(dataset, test_size=test_size, seed=seed)
    there = len(split.y_train)
    wanted = there if trained_on is None else trained_on
    if not 1 <= wanted <= there:
        raise ValueError(
            f"{there} samples are there to learn from. Received: trained_on={trained_on}. Give 1 to {there}."
        )
    split = dataclasses.replace(split, x_train=split.x_train[:wanted], y_train=split.y_train[:wanted])
    prepared = prepare(split, encoding=encoding_for(spec, dataset.problem))
    return compete(train(spec, prepared, stop=stop, journal=None), prepared)
