"""Step 2: a yes-or-no model, trained once, and its scores on samples that it has not seen.

Thresholds and class balances are tried on these scores, which takes no further training.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from recipe.core.dataset import Dataset
from recipe.core.prepared import encoding_for
from recipe.core.problem import Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train


@dataclass(frozen=True, kw_only=True, eq=False)
class HeldOutScores:
    """What a trained model says of held-out samples, before any threshold.

    Attributes
    ----------
    y_true : np.ndarray uint8 of shape (n,), 1 for yes
    scores : np.ndarray float32 of shape (n,), from 0 (surely no) to 1 (surely yes)
    trained_on : how many samples the model learned from
    """

    problem: Problem
    source: str
    spec: ModelSpec
    trained_on: int
    y_true: np.ndarray = field(repr=False)
    scores: np.ndarray = field(repr=False)


def score_held_out(
    dataset: Dataset,
    spec: ModelSpec,
    *,
    test_size: float = 0.5,
    stop: threading.Event | None = None,
) -> HeldOutScores:
    """Train a yes-or-no model on one part of the training set, and score the other part with it.

    Parameters
    ----------
    test_size : part of the training samples that is held out; large, as rare answers must be counted there
    stop : once set, training ends with the epoch that is under way

    Raises
    ------
    ValueError
        If the problem is no yes-or-no question.
    """
    problem = dataset.problem
    if problem.type is not ProblemType.BINARY:
        raise ValueError(
            f"A threshold needs a yes-or-no question, and {problem.name} is a {problem.type}. "
            f"Received: dataset of {problem.name}. Load mnist_five or imdb."
        )
    prepared = prepare(hold_out(dataset, test_size=test_size), encoding=encoding_for(spec, problem))
    run = train(spec, prepared, stop=stop, journal=None)
    scores = np.asarray(run.model.predict(prepared.inputs("val"), batch_size=1024, verbose=0)).reshape(-1)
    return HeldOutScores(
        problem=problem,
        source=dataset.source,
        spec=spec,
        trained_on=len(prepared.y_train),
        y_true=prepared.y_val,
        scores=scores,
    )
