"""From a spec to the plain Keras program that trains the same model, to read, to run and to take along.

The program itself is the template ``keras_program.py.jinja``, on which those of the lessons build; here are the values
that they are filled with.
"""

from __future__ import annotations

import json

import jinja2

from recipe.core.prepared import encoding_for
from recipe.core.problem import REVIEW_LENGTH, Origin, Problem, ProblemType
from recipe.core.spec import ModelSpec
from recipe.data.folders import SUFFIXES
from recipe.data.problems import loading_code
from recipe.engine.models import check_fit, last_activation, loss_name, metric_of, wants_one_hot

_SPLIT = "from sklearn.model_selection import train_test_split"
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("recipe", ""),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def keras_code(
    spec: ModelSpec,
    problem: Problem,
    *,
    source: str = "auto",
    rows: int | None = None,
    template: str = "engine/keras_program.py.jinja",
    **values: object,
) -> str:
    """Return a Keras program, data loading included, for this spec and problem.

    Parameters
    ----------
    problem : Problem
        As `load` returns it in `dataset.problem`, so that its shape is that of the data.
    source : ``"sample"`` loads the kit's embedded sample; ``"local"`` and ``"download"`` load the data through
        `keras.datasets` (of housing, the small version); ``"auto"`` is the sample where the problem's input has the
        sample's size, else `keras.datasets`. The source of a dataset is its `source`
    rows : as many as `load` took, by which the program then loads them from this source; None: all, as said above
    template, values : of a program that goes on from this one, its path in the package and what it takes besides

    Returns
    -------
    str
        Python source. When it has run, `model` is the fitted model and `history` what `fit` returned. Architecture
        and first weights are those of `build_model`; the order of the batches is Keras's own.

    Raises
    ------
    ValueError
        If the architecture does not suit the problem, or the source does not hold samples of the problem's shape.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> program = keras_code(ModelSpec(hidden_units=(512,)), find_problem("mnist"))
    >>> 'keras.layers.Dense(512, activation="relu"),' in program
    True
    """
    check_fit(spec, problem)
    loading = "" if problem.origin else loading_code(problem, source, rows)
    usual = {"spec": spec, "problem": problem, "loading": loading}
    usual |= _own_values(problem, problem.origin) if problem.origin else {"imports": ((), (_SPLIT,))}
    usual |= _data_values(spec, problem) | _model_values(spec, problem)
    return TEMPLATES.get_template(template).render(usual | values)


def _write(value: object) -> str:
    """Write a value as Python does, texts in double quotes: whatever stands in a name stays a text."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(map(_write, value))}]" if isinstance(value, list | tuple) else repr(value)


TEMPLATES.filters["py"] = _write


def _own_values(problem: Problem, origin: Origin) -> dict[str, object]:
    """Return what the template says about reading one's own data."""
    is_image, is_folder, is_table = problem.kind == "image", origin.form == "folder", origin.form in {"csv", "frame"}
    own = ["import re", "from collections import Counter"] if problem.kind == "text" else []
    own += ["from pathlib import Path"] if is_folder else []
    others = ["import pandas as pd"] if is_table else []
    others += ["from PIL import Image, ImageOps"] if is_folder and is_image else []
    names = problem.column_names
    return {
        "imports": (own, [*others, _SPLIT]),
        "origin": origin,
        "file": origin.file or f"{problem.name}.csv",
        "samples": "texts" if problem.kind == "text" else "x",
        "text_encoding": dict(origin.reading).get("encoding", "utf-8"),
        "suffixes": SUFFIXES.get(problem.kind, ()),
        "mode": "RGB" if len(problem.input_shape) == 3 else "L",
        "size": problem.input_shape[1::-1],  # Pillow's order: width, height
        "numbers": [names[column] for column in problem.number_columns],
        "known": [(names[column], problem.categories[column]) for column in problem.category_columns],
        "gaps": [names[column] for column in problem.gaps],
    }


def _data_values(spec: ModelSpec, problem: Problem) -> dict[str, object]:
    """Return what the template says about loading and preparing the data."""
    scale, shape = [f"{value:.15g}" for value in problem.target_scale], problem.input_shape
    flags = len(problem.gaps) + sum(map(len, problem.categories))
    if flags:  # a raw column of categories is one number, and once prepared as many columns as there are categories
        shape = (len(problem.number_columns) + flags,)
    return {
        "encoding": encoding_for(spec, problem),
        "stratified": problem.type in {ProblemType.BINARY, ProblemType.MULTICLASS},
        "review_length": REVIEW_LENGTH,
        "one_hot": wants_one_hot(spec, problem),
        "flags": flags,
        "shape": shape,
        "target_scale": "" if set(scale) == {"1"} else scale[0] if len(scale) == 1 else f"[{', '.join(scale)}]",
    }


def _model_values(spec: ModelSpec, problem: Problem) -> dict[str, object]:
    """Return what the template says about the network and its training."""
    penalty, loss, activation = _penalty(spec), loss_name(spec, problem), last_activation(spec, problem)
    metric, arguments = metric_of(problem)
    told = ", ".join(f"{name}={_write(value)}" for name, value in arguments.items())
    metrics = [f"keras.metrics.{metric}({told})" if told else f'"{metric}"']
    # `val_loss` counts a penalty in: then the loss is watched as a metric, which does not.
    watch_metric = bool(penalty and spec.patience)
    if watch_metric and f'"{loss}"' not in metrics:
        metrics.append(f'"{loss}"')
    start = ""
    if problem.origin and problem.type is ProblemType.REGRESSION:  # as `prepare` finds it
        mean = "float(y_train.mean())" if problem.outputs == 1 else "y_train.mean(axis=0).tolist()"
        start = f", bias_initializer=keras.initializers.Constant({mean})"
    dense = {"convnet": (), "embedding": spec.hidden_units[1:]}.get(spec.architecture, spec.hidden_units)
    return {
        "penalty": penalty,
        "hidden_arguments": f'activation="{spec.activation}"' + (", kernel_regularizer=penalty" if penalty else ""),
        "dense_units": dense,
        "output_arguments": f"{problem.outputs}" + (f', activation="{activation}"' if activation else start),
        "optimizer": _optimizer(spec),
        "loss": loss,
        "metrics": metrics,
        "monitor": f"val_{loss}" if watch_metric else "val_loss",
        "column": problem.outputs == 1 and (watch_metric or problem.measure == "f1"),
    }


def _penalty(spec: ModelSpec) -> str:
    """Return the regularizer, or nothing where there is no penalty or no layer that takes one."""
    layers = spec.hidden_units[1:] if spec.architecture == "embedding" else spec.hidden_units
    strengths = {name: value for name, value in (("l1", spec.l1), ("l2", spec.l2)) if value and layers}
    if not strengths:
        return ""
    arguments = ", ".join(f"{name}={value}" for name, value in strengths.items())
    return f"keras.regularizers.{''.join(strengths).upper()}({arguments})"


def _optimizer(spec: ModelSpec) -> str:
    """Return a name where the default rate serves, else the optimizer with its rate."""
    import keras

    if spec.learning_rate is None:
        return f'"{spec.optimizer}"'
    kind = type(keras.optimizers.get(spec.optimizer)).__name__
    return f"keras.optimizers.{kind}(learning_rate={spec.learning_rate})"
