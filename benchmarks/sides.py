"""One side of one comparison, in a process of its own: `python sides.py WORK SIDE FOLDER` prints one line of JSON.

Seconds count from after the imports and the loading of the arrays to the end of the training: building the model and
compiling are inside. Every side gets the same arrays and validates after each epoch. Nothing here imports the kit but
the kit's own side, so that the others run in an environment that does not have it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

WORK = {
    "housing": {"units": (64, 64), "optimizer": "adam", "batch_size": 16, "epochs": 200, "quality": ("mae", 0.34)},
    "imdb": {
        "units": (16, 16),
        "optimizer": "rmsprop",
        "batch_size": 512,
        "epochs": 20,
        "quality": ("accuracy", 0.875),
    },
    "mnist": {"units": (512,), "optimizer": "rmsprop", "batch_size": 128, "epochs": 5, "quality": ("accuracy", 0.972)},
    "convnet": {
        "units": (16, 32),
        "optimizer": "rmsprop",
        "batch_size": 128,
        "epochs": 5,
        "quality": ("accuracy", 0.93),
    },
}


def read_parts(folder: Path, work: str) -> list[dict[str, np.ndarray]]:
    """Return the arrays of each fold (one for all but the housing), as the script that runs the sides wrote them."""
    return [dict(np.load(path)) for path in sorted(folder.glob(f"{work}_*.npz"))]


def run_keras(work: str, parts: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Train by plain Keras, whatever its backend; return the seconds and the best mean of the measure."""
    import keras

    keras.utils.set_random_seed(0)
    keras.ops.zeros(1)  # the backend starts here, as part of its import
    started, histories = time.perf_counter(), []
    for part in parts:
        model = keras.Sequential(keras_layers(work))
        is_class = work in {"mnist", "convnet"}
        loss = "mse" if work == "housing" else "sparse_categorical_crossentropy" if is_class else "binary_crossentropy"
        measure = WORK[work]["quality"][0]
        model.compile(optimizer=WORK[work]["optimizer"], loss=loss, metrics=[measure])
        x_train, x_val = (as_float(part[name], work) for name in ("x_train", "x_val"))
        settings = {name: WORK[work][name] for name in ("batch_size", "epochs")}
        data = (x_val, part["y_val"])
        fitted = model.fit(x_train, part["y_train"], validation_data=data, verbose=0, **settings)
        histories.append(fitted.history["val_" + measure])
    return time.perf_counter() - started, best_of(work, histories)


def keras_layers(work: str) -> list:
    """Return the layers of a comparison, as a textbook writes them."""
    import keras
    from keras import layers

    if work == "convnet":
        hidden = [layers.Reshape((28, 28, 1))]
        for filters in WORK[work]["units"]:
            hidden += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
        return [keras.Input((28, 28)), *hidden, layers.Flatten(), layers.Dense(10, activation="softmax")]
    hidden = [layers.Dense(units, activation="relu") for units in WORK[work]["units"]]
    if work == "mnist":
        return [keras.Input((28, 28)), layers.Flatten(), *hidden, layers.Dense(10, activation="softmax")]
    if work == "imdb":
        return [keras.Input((10_000,)), *hidden, layers.Dense(1, activation="sigmoid")]
    return [keras.Input((8,)), *hidden, layers.Dense(1)]


def as_float(x: np.ndarray, work: str) -> np.ndarray:
    """Return the inputs as float32, pixels in [0, 1]."""
    return x.astype("float32") / 255 if work in {"mnist", "convnet"} else x.astype("float32")


def run_recipe(work: str, parts: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Train by the kit."""
    import jax.numpy as jnp

    from recipe.core.spec import ModelSpec
    from recipe.engine import loop  # noqa: F401  its imports belong before the clock
    from recipe.steps.training import cross_validate

    jnp.zeros(1).block_until_ready()
    jobs = [make_prepared(work, part) for part in parts]
    values = {name: WORK[work][name] for name in ("optimizer", "batch_size", "epochs")}
    architecture = "convnet" if work == "convnet" else "mlp"
    spec = ModelSpec(architecture=architecture, hidden_units=WORK[work]["units"], **values)
    started = time.perf_counter()
    runs = cross_validate(spec, jobs, journal=None)
    seconds = time.perf_counter() - started
    return seconds, best_of(work, [run.history["val_" + run.measure] for run in runs])


def make_prepared(work: str, part: dict[str, np.ndarray]):
    """Put the arrays into the kit's own form."""
    from recipe.core.prepared import Preparation, Prepared
    from recipe.data.problems import find_problem

    problem = find_problem({"convnet": "mnist"}.get(work, work))
    encoding = {"housing": "normalize", "imdb": "multi_hot"}.get(work, "scale")
    preparation = Preparation(problem=problem, encoding=encoding)
    return Prepared(problem=problem, source="local", preparation=preparation, **part)


def run_pure_jax(work: str, parts: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Train MNIST by a loop written by hand for this one network: the limit of what the engine could reach.

    Seconds are those of the last four of five epochs, as `run_recipe_warm` measures them.
    """
    import jax
    import jax.numpy as jnp

    part, settings = {name: jnp.asarray(value) for name, value in parts[0].items()}, WORK[work]
    draw = np.random.default_rng(0)
    shapes = [(784, 512), (512, 10)]
    limits = [np.sqrt(6 / sum(shape)) for shape in shapes]
    weights = [draw.uniform(-a, a, shape).astype("float32") for a, shape in zip(limits, shapes, strict=True)]
    params = [jnp.asarray(weights[0]), jnp.zeros(512), jnp.asarray(weights[1]), jnp.zeros(10)]

    def outputs(params, x):
        flat = x.reshape(len(x), 784).astype(jnp.float32) / 255
        return jax.nn.relu(flat @ params[0] + params[1]) @ params[2] + params[3]

    def cross_entropy(params, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(outputs(params, x)), y[:, None].astype(int), axis=1).mean()

    def step(state, rows):
        params, squares = state
        slopes = jax.grad(cross_entropy)(params, part["x_train"][rows], part["y_train"][rows])
        squares = [0.9 * s + 0.1 * g * g for s, g in zip(squares, slopes, strict=True)]
        new = [p - 0.001 * g / jnp.sqrt(s + 1e-7) for p, g, s in zip(params, slopes, squares, strict=True)]
        return (new, squares), None

    def measure(params, x, y):
        slices = x.reshape(-1, 500, 28, 28), y.reshape(-1, 500)
        hits = jax.lax.map(lambda s: (outputs(params, s[0]).argmax(1) == s[1]).mean(), slices)
        losses = jax.lax.map(lambda s: cross_entropy(params, *s), slices)
        return hits.mean(), losses.mean()

    @jax.jit
    def epoch(state, order):
        state, _ = jax.lax.scan(step, state, order)
        rows = len(part["x_val"])
        train_side = measure(state[0], part["x_train"][:rows], part["y_train"][:rows])
        return state, measure(state[0], part["x_val"], part["y_val"]), train_side

    state, samples = (params, [jnp.zeros_like(p) for p in params]), len(part["y_train"])
    scores, marks = [], []
    for _ in range(settings["epochs"]):
        steps = samples // settings["batch_size"]  # the ragged last batch is left out: less work than the engine does
        order = draw.permutation(samples)[: steps * settings["batch_size"]].reshape(steps, -1)
        state, (accuracy, _), _ = epoch(state, order)
        scores.append(float(accuracy))
        marks.append(time.perf_counter())
    return marks[-1] - marks[0], max(scores)


def run_recipe_warm(work: str, parts: list[dict[str, np.ndarray]]) -> tuple[float, float]:
    """Train by the kit; seconds are those of the last four of five epochs, the program compiled before."""
    from recipe.core.spec import ModelSpec
    from recipe.steps.training import train

    marks = []
    settings = {name: WORK[work][name] for name in ("optimizer", "batch_size", "epochs")}
    spec = ModelSpec(hidden_units=WORK[work]["units"], **settings)
    run = train(
        spec, make_prepared(work, parts[0]), on_epoch=lambda told: marks.append(time.perf_counter()), journal=None
    )
    return marks[-1] - marks[0], max(run.history["val_accuracy"])


def best_of(work: str, histories: list[list[float]]) -> float:
    """Return the best epoch's mean over the folds: the figure that books quote."""
    means = np.mean(histories, axis=0)
    return float(means.min() if work == "housing" else means.max())


SIDES = {"keras": run_keras, "recipe": run_recipe, "pure-jax": run_pure_jax, "recipe-warm": run_recipe_warm}

if __name__ == "__main__":
    work, side, folder = sys.argv[1:]
    arrays = read_parts(Path(folder), work)
    seconds, quality = SIDES[side](work, arrays)
    backend = os.environ.get("KERAS_BACKEND", "jax")
    print(json.dumps({"work": work, "side": side, "backend": backend, "seconds": seconds, "quality": quality}))
