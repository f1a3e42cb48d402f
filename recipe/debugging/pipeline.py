"""Step 8: why does it not work? All checks of a pipeline, in the order in which one looks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import keras
import numpy as np

from recipe.core.problem import Problem, ProblemType
from recipe.debugging import data, training
from recipe.debugging import model as model_checks
from recipe.debugging.bench import Bench
from recipe.debugging.checks import Check, NotApplicable, PipelineReport, Status, last_line

FIRST = "can be trained"
CHECKS = {
    FIRST: model_checks.check_can_be_trained,
    "finite numbers": data.check_finite,
    "inputs vary": data.check_inputs_vary,
    "class balance": data.check_balance,
    "labels": data.check_labels,
    "order of rows": data.check_order,
    "target among inputs": data.check_target_copies,
    "input scale": data.check_scale,
    "axis of scaling": data.check_axis,
    "validation inputs": data.check_parts_inputs,
    "validation targets": data.check_parts_targets,
    "duplicates": data.check_duplicates,
    "last activation": model_checks.check_last_activation,
    "loss": model_checks.check_loss,
    "metrics": model_checks.check_metrics,
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
ORDER = "order of rows"
BY_ORDER = ("validation inputs", "validation targets")  # what these fail by is its effect: their cause would mislead


def check_pipeline(
    model: keras.Model,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_val: np.ndarray | None = None,
    y_val: np.ndarray | None = None,
    *,
    problem: Problem | ProblemType | None = None,
    fit: Mapping[str, object] | None = None,
    checks: Iterable[str] | None = None,
    on_check: Callable[[Check], object] | None = None,
    seed: int = 0,
) -> PipelineReport:
    """Check a compiled model and its data for what commonly goes wrong.

    The model comes out as it went in: all trainings, of 60 to 180 steps each, start from newly drawn weights (those of
    frozen layers are kept) on at most 2,000 rows. Its own weights and state are put back after each check, also after
    an error or Ctrl-C; one that was not built yet is built. Of several outputs each is checked by itself.

    Parameters
    ----------
    model : any Keras model; one that is not compiled fails
    x_train, y_train, x_val, y_val : as they go to `fit`, of shape (n, ...) and (n,) or (n, outputs); several inputs or
        outputs in a list or a dict. Without validation a fifth of the training part is kept aside for the checks that
        need one
    problem : what is predicted; None finds it out from targets, last layer and loss
    fit : what else `fit` is told, such as ``{"validation_split": 0.2, "class_weight": {0: 1, 1: 5}}``. What is looked
        at: ``validation_split``, ``validation_data``, ``class_weight`` and ``shuffle``
    checks : names of `recipe.debugging.pipeline.CHECKS`, to make only these; None makes all
    on_check : told of each check as soon as it is made; ``on_check=print`` shows how far it is
    seed : of the rows, the weights and the order

    Raises
    ------
    TypeError
        If the model is no Keras model, or a part is no array of numbers.
    ValueError
        If only one of x_val and y_val is given, a part is empty, there is no such check, or a subclassed model has
        several outputs.

    Examples
    --------
    >>> import keras
    >>> x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> check_pipeline(model, 1000 * x, x[:, 0], checks=["input scale"]).failed[0].cause[:27]
    'The inputs were not scaled.'
    """
    names = list(CHECKS) if checks is None else [checks] if isinstance(checks, str) else list(checks)
    if unknown := [name for name in names if name not in CHECKS]:
        raise ValueError(f"There is no such check. Received: {', '.join(unknown)}. There are: {', '.join(CHECKS)}.")
    if len(getattr(model, "outputs", None) or ()) > 1:
        options = {"fit": fit, "checks": checks and names, "on_check": on_check, "seed": seed}
        return _check_each_output(model, x_train, y_train, x_val, y_val, **options)
    parts = tuple(y_train.values() if isinstance(y_train, dict) else y_train if isinstance(y_train, list) else ())
    if 1 < len(parts) < np.size(parts[0]):  # fewer parts than rows: no list of the rows
        raise ValueError(
            "A model of a class of one's own with several outputs cannot be checked output by output. Received: "
            f"y_train with {len(parts)} parts. Build it as keras.Model(inputs, outputs), or check one output."
        )
    bench, made = Bench(model, x_train, y_train, x_val, y_val, problem=problem, fit=fit, seed=seed), {}
    for name in names if FIRST in names else (*names, FIRST):
        check = make_check(bench, name)
        if check.failed and name in BY_ORDER and ORDER in made and made[ORDER].failed:
            found = f'{check.found} That is explained by another check: see "{ORDER}".'
            check = Check(name=name, status=Status.NOT_APPLICABLE, found=found)
        if name in names or check.failed:  # where Keras cannot train, nothing else that passed counts
            made[name] = check
            (on_check or (lambda check: None))(check)
    shuffled = ", ".join(sorted(bench.loan.shuffled))
    note = f"No initializer is known for {shuffled}: the numbers there were shuffled for the check." if shuffled else ""
    return PipelineReport(checks=tuple(made.values()), note=note)


def make_check(bench: Bench, name: str) -> Check:
    """Make one check, and put the model back; where it cannot be made, its outcome says why."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            return replace(CHECKS[name](bench), name=name)
    except NotApplicable as why:
        found = f"{str(why)[0].upper()}{str(why)[1:].rstrip('.')}."
    except Exception as error:
        found = f"This check cannot read such a model or such data: {last_line(error)}"
    finally:
        bench.loan.put_back()
    return Check(name=name, status=Status.NOT_APPLICABLE, found=found)


def _check_each_output(model: keras.Model, x_train, y_train, x_val, y_val, **options) -> PipelineReport:
    """Check each output of a model by itself, as one that shares its layers with the others."""
    reports = {}
    for number, (name, output) in enumerate(zip(model.output_names, model.outputs, strict=True)):
        one = keras.Model(model.input, output)
        optimizer, loss = model.optimizer, model.loss
        loss = loss[name] if isinstance(loss, dict) else loss[number] if isinstance(loss, list | tuple) else loss
        one.compile(optimizer=type(optimizer).from_config(optimizer.get_config()), loss=loss)
        y, y_of_val = (
            part if part is None else part[name if isinstance(part, dict) else number] for part in (y_train, y_val)
        )
        reports[name] = check_pipeline(one, x_train, y, x_val, y_of_val, **options)
    checks = (replace(check, name=f"{name}: {check.name}") for name, each in reports.items() for check in each.checks)
    return PipelineReport(checks=tuple(checks), note=" ".join({each.note: "" for each in reports.values()}).strip())
