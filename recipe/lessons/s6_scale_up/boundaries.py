"""Step 6's panel in two dimensions: what a network of this size learns from several draws of the training set."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recipe.engine.loop import train_models
from recipe.engine.members import Job
from recipe.figures import BLUE, INK, ORANGE, VERMILION, finish
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

MOST_UNITS, MOST_ROWS = 32, 300  # smaller sizes are masked, and need no other program
TEST_ROWS = 1_000
DRAWS = 5  # of the training set and the first weights
SIDE = 2.5  # the plane goes from -SIDE to SIDE both ways
GRID = 45  # points a side that the networks are asked at
ENDS = np.linspace(-SIDE, SIDE, GRID)
PLANE = np.stack(np.meshgrid(ENDS, ENDS), axis=-1).reshape(-1, 2).astype("float32")  # row by row upwards
NO_DROPOUT = 1e-6  # the program has a dropout, whose rate must be above 0
Start = list[tuple[keras.Variable, np.ndarray]]  # what each variable of a network and its optimizer begins with
TRUTH = {"color": INK, "linestyle": (0, (4, 2)), "lw": 1.6}


@dataclass(frozen=True, kw_only=True)
class BoundarySettings(Settings):
    """What the panel's controls say."""

    units: int = setting(MOST_UNITS, low=1, high=MOST_UNITS, steps=(1, 2, 4, 8, 16, 32), help="In each of two layers.")
    rows: int = setting(60, low=10, high=MOST_ROWS, steps=(10, 20, 40, 60, 100, 200, 300), help="To train on.")
    noise: float = setting(0.1, low=0, high=0.4, steps=(0, 0.05, 0.1, 0.2, 0.4), help="Share of labels turned over.")
    dropout: float = setting(0.0, low=0, high=0.9, steps=(0, 0.1, 0.25, 0.5, 0.75), help="Share of units left out.")
    l2: float = setting(0.0, low=0, high=1, steps=(0, 0.0001, 0.001, 0.003, 0.01, 0.1), label="L2", help="The penalty.")


@dataclass(frozen=True, kw_only=True, eq=False)
class Boundaries:
    """What the networks learned, one from each draw.

    Attributes
    ----------
    x, y : the first draw's training set, (rows, 2) and (rows,)
    decisions : where each network says yes, bool (draws, GRID, GRID), upwards and to the right
    training, validation : share of wrong answers of each draw
    bias, variance : the share of the validation samples that most networks get wrong, and that a network answers
        otherwise than most do (P. Domingos, A unified bias-variance decomposition, 2000); labels turned over count
    """

    settings: BoundarySettings
    x: np.ndarray
    y: np.ndarray
    decisions: np.ndarray
    training: np.ndarray
    validation: np.ndarray
    bias: float
    variance: float


class BoundaryPanel(Panel):
    """Decision boundaries of one network, trained on several draws from a made-up world whose truth is known.

    Parameters
    ----------
    **settings : fields of `BoundarySettings`
    """

    title = "Bias and variance in two dimensions"
    settings_type = BoundarySettings
    live = True
    figure_size = (8.0, 4.2)

    def compute(self, settings: BoundarySettings, on_progress: OnProgress, stop: threading.Event) -> Boundaries:
        """Train one network a draw, side by side, and ask each all over the plane."""
        sources = [draw_samples(settings, seed) for seed in range(DRAWS)]
        x_val, y_val = draw_samples(settings, DRAWS, rows=TEST_ROWS)
        started, jobs = self.once("models", _build_models, stop), []
        for number, ((model, start), (x, y)) in enumerate(zip(started, sources, strict=True)):
            _begin_anew(model, start, settings)
            many = np.arange(MOST_ROWS) % len(x)  # the same rows again and again: as many whatever their number
            parts = {"x": x[many], "y": y[many], "x_val": x_val, "y_val": y_val}
            jobs.append(Job(model=model, batch_size=30, steps_per_epoch=100, epochs=4, seed=number, **parts))
        list(train_models(jobs, stop=stop))
        # All at once, and always as many: for arrays of another size each layer would be compiled anew.
        asked = [np.concatenate([PLANE, x_val, job.x]) for job in jobs]
        outputs = [keras.ops.convert_to_numpy(job.model(x)) for job, x in zip(jobs, asked, strict=True)]
        answers = np.stack(outputs)[..., 0] > 0.5
        on_plane, of_val, of_train = np.split(answers, np.cumsum([GRID * GRID, TEST_ROWS]), axis=1)
        most = of_val.mean(axis=0) > 0.5
        return Boundaries(
            settings=settings,
            x=sources[0][0],
            y=sources[0][1],
            decisions=on_plane.reshape(DRAWS, GRID, GRID),
            training=(of_train[:, : settings.rows] != [y for _, y in sources]).mean(axis=1),
            validation=(of_val != y_val).mean(axis=1),
            bias=float((most != y_val).mean()),
            variance=float((of_val != most).mean()),
        )

    def draw(self, figure: Figure, result: Boundaries) -> None:
        """Left the boundaries with the samples of the first draw, right both errors of each draw."""
        left, right = figure.subplots(1, 2, width_ratios=(1.6, 1))
        look = {"extent": (-SIDE, SIDE, -SIDE, SIDE), "origin": "lower", "aspect": "auto"}
        left.imshow(result.decisions.mean(axis=0), cmap="RdBu_r", vmin=-0.6, vmax=1.6, alpha=0.5, **look)
        for decision in result.decisions:
            if decision.any() and not decision.all():
                left.contour(ENDS, ENDS, decision, levels=[0.5], colors=INK, linewidths=0.9)
        for label, mark, colour in ((0, "o", BLUE), (1, "^", VERMILION)):
            left.plot(*result.x[result.y == label].T, mark, color=colour, ms=4, mec="white", mew=0.5, zorder=3)
        left.plot(ENDS, _truth(ENDS), label="truth", **TRUTH)
        left.legend(loc="lower right", fontsize="small")
        left.set(xlim=(-SIDE, SIDE), ylim=(-SIDE, SIDE), xlabel="first column", ylabel="second column")
        finish(left, f"{DRAWS} networks, one from each draw")

        for place, (errors, colour) in enumerate(((result.training, BLUE), (result.validation, ORANGE))):
            right.bar(place, errors.mean(), color=colour, width=0.6)
            right.plot(np.full(DRAWS, place), errors, "o", color=INK, ms=4)
        right.axhline(result.settings.noise, label="labels turned over", **TRUTH)
        right.set(xticks=(0, 1), xticklabels=("training", "validation"), ylim=(0, 0.6), ylabel="share of wrong answers")
        right.legend(loc="upper left", fontsize="small", frameon=False)
        finish(right, "errors, a point a draw")

    def describe(self, result: Boundaries) -> str:
        """Both errors, bias and variance in numbers."""
        both = (result.training, result.validation)
        training, validation = (f"{one.mean():.1%} (from {one.min():.1%} to {one.max():.1%})" for one in both)
        units = result.settings.units
        return (
            f"{DRAWS} networks of {units}-{units} units: training error {training} and validation error {validation}. "
            f"Most of them are wrong on {result.bias:.1%} of the validation samples (bias and noise); a single one "
            f"answers otherwise than most on {result.variance:.1%} (variance)."
        )

    def summarise(self, result: Boundaries) -> str:
        """Bias and variance."""
        return f"Bias and noise {result.bias:.1%}, variance {result.variance:.1%}."

    def tabulate(self, result: Boundaries) -> pd.DataFrame:
        """Both errors of each draw."""
        errors = {"training_error": result.training, "validation_error": result.validation}
        return pd.DataFrame({"draw": range(1, DRAWS + 1), **errors})


def draw_samples(settings: BoundarySettings, seed: int, *, rows: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return one draw: x of float32 (rows, 2), and y (rows,), 1 above a wave but for the labels turned over."""
    rng = np.random.default_rng([seed, 2])
    x = rng.uniform(-SIDE, SIDE, (rows or settings.rows, 2))
    turned = rng.random(len(x)) < settings.noise
    return x.astype("float32"), ((x[:, 1] > _truth(x[:, 0])) != turned).astype("float32")


def _truth(x: np.ndarray) -> np.ndarray:
    return 1.2 * np.sin(1.8 * x)


def _build_models() -> list[tuple[keras.Model, Start]]:
    """Build one network a draw, each with first weights of its own; return it with all that it begins with."""
    models = []
    for seed in range(DRAWS):
        *starts, last = (keras.initializers.GlorotUniform(seed=DRAWS * number + seed) for number in range(3))
        layers = [keras.Input((2,))]
        for start in starts:
            layers.append(keras.layers.Dense(MOST_UNITS, "tanh", kernel_initializer=start, kernel_regularizer="l2"))
            layers.append(keras.layers.Dropout(0.5, seed=seed))
        model = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid", kernel_initializer=last)])
        model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
        model.optimizer.build(model.trainable_variables)
        variables = (*model.variables, *model.optimizer.variables)
        models.append((model, [(variable, np.array(variable)) for variable in variables]))
    return models


def _begin_anew(model: keras.Model, start: Start, settings: BoundarySettings) -> None:
    """Give a network its first weights, and size and strengths as they are set.

    Units that begin without any weights, in and out, get no gradient either: a smaller network in the same program.
    """
    for variable, value in start:
        variable.assign(value)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = max(settings.dropout, NO_DROPOUT)
            continue
        inputs, outputs = (np.arange(n) < (settings.units if n == MOST_UNITS else n) for n in layer.kernel.shape)
        layer.kernel.assign(layer.kernel * np.outer(inputs, outputs))
        if layer.kernel.regularizer is not None:
            layer.kernel.regularizer = keras.regularizers.L2(settings.l2)
