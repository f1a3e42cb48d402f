"""Step 8: why does it not work? All checks of a pipeline, in the order in which one looks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.debugging import data, training
from recipe.debugging import model as model_checks
from recipe.debugging.bench import Bench, NotApplicable, last_line
from recipe.debugging.checks import Check, PipelineReport, Status

if TYPE_CHECKING:
    import keras

CHECKS = MappingProxyType(
    {
        "can be trained": training.check_can_be_trained,
        "shapes": data.check_shapes,
        "finite numbers": data.check_finite,
        "inputs vary": data.check_inputs_vary,
        "class balance": data.check_balance,
        "labels": data.check_labels,
        "input scale": data.check_scale,
        "axis of scaling": data.check_axis,
        "validation inputs": data.check_parts_inputs,
        "validation targets": data.check_parts_targets,
        "duplicates": data.check_duplicates,
        "last activation": model_checks.check_last_activation,
        "loss": model_checks.check_loss,
        "hidden activations": model_checks.check_hidden_activations,
        "dropout": model_checks.check_dropout,
        "frozen layers": model_checks.check_frozen,
        "dead units": model_checks.check_dead_units,
        "initial loss": model_checks.check_first_loss,
        "gradients": model_checks.check_gradients,
        "learning rate": training.check_rate,
        "overfit one batch": training.check_one_batch,
        "weights move": training.check_weights_move,
        "output as input": training.check_output_as_input,
        "zero input": training.check_zero_input,
        "shuffled labels": training.check_shuffled_labels,
    }
)


def check_pipeline(
    model: keras.Model,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_val: np.ndarray | None = None,
    y_val: np.ndarray | None = None,
    *,
    problem: Problem | ProblemType | None = None,
    checks: Iterable[str] | None = None,
    seed: int = 0,
) -> PipelineReport:
    """Check a compiled model and its data for what commonly goes wrong.

    The model comes out as it went in: all trainings, of 60 steps each, start from newly drawn weights (those of frozen
    layers are kept) on at most 2,000 rows, and are of a copy, or of the model itself where it holds more than Keras's
    own plain layers. Its weights and state are then put back, also after an error or Ctrl-C.

    Parameters
    ----------
    model : any Keras model with one input and one output; not compiled, it fails
    x_train, y_train, x_val, y_val : arrays as they go to `fit`, of shape (n, ...) and (n,) or (n, outputs). Without
        validation a fifth of the training part is kept aside for the checks that need one
    problem : what is predicted; None finds it out from the targets
    checks : names of `recipe.debugging.CHECKS`, to make only these; None makes all
    seed : of the rows, the weights and the order

    Raises
    ------
    TypeError
        If the model is no Keras model, or a part is no array of numbers.
    ValueError
        If the model has several inputs or outputs, only one of x_val and y_val is given, a part is empty, or there is
        no such check.

    Examples
    --------
    >>> import keras
    >>> x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> check_pipeline(model, 1000 * x, x[:, 0], checks=["input scale"]).failed[0].value > 900
    True
    """
    names = list(CHECKS) if checks is None else [checks] if isinstance(checks, str) else list(checks)
    if unknown := [name for name in names if name not in CHECKS]:
        raise ValueError(f"There is no such check. Received: {', '.join(unknown)}. There are: {', '.join(CHECKS)}.")
    bench = Bench(model, x_train, y_train, x_val, y_val, problem=problem, seed=seed)
    try:
        made = tuple(make_check(bench, name) for name in names)
    finally:
        bench.put_back()
    shuffled = ", ".join(sorted(bench.shuffled))
    note = f"No initializer is known for {shuffled}: the numbers there were shuffled for the check." if shuffled else ""
    return PipelineReport(checks=made, note=note)


def make_check(bench: Bench, name: str) -> Check:
    """Make one check; where it cannot be made, its outcome says why."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore", category=RuntimeWarning):
            return replace(CHECKS[name](bench), name=name)
    except NotApplicable as why:
        found = why.sentence
    except Exception as error:
        found = f"This check cannot read such a model or such data: {last_line(error)}"
    return Check(name=name, status=Status.NOT_APPLICABLE, found=found)
