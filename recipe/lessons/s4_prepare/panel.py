"""Step 4's panel: choose what the network reads, and see the training curves change."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.core.dataset import Split
from recipe.core.prepared import ENCODINGS, Prepared
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, finish
from recipe.figures.training import collect_curves, draw_curves
from recipe.lessons.few import draw_few, few_code
from recipe.steps.s4_prepare import prepare
from recipe.steps.s5_baseline import Rival, fit_rival
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.trainer import describe_score, train_live

WORDS = {  # what each encoding is called
    "raw": "raw",
    "scale": "to 0 ... 1",
    "scale_signed": "to -1 ... 1",
    "normalize": "mean 0, deviation 1",
    "multi_hot": "which words occur",
    "tfidf": "TF-IDF",
}
NETWORKS = {  # by the kind of input: a trial takes a few seconds, though a text has 10,000 inputs
    "table": ModelSpec(hidden_units=(64, 64), batch_size=16, epochs=60),
    "image": ModelSpec(hidden_units=(64,), batch_size=32, epochs=15),
    "text": ModelSpec(hidden_units=(16, 16), batch_size=32, epochs=10),
}
REMEMBERED = 3  # earlier runs that stay in the figure
MOST_READ = 500  # samples that the range of the inputs is taken from
MOST_HELD_OUT = 1_000  # enough for a curve, and quickly measured
WIDE = 20.0  # from which on an axis is logarithmic: one column would squeeze all the others


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(Settings):
    """What the panel's controls say."""

    problem: str = setting("")
    encoding: str = setting(
        "raw",
        label="inputs",
        choices={words: name for name, words in WORDS.items()},
        suits=lambda problem, encoding: encoding in ENCODINGS[problem.kind],
        help="Lowest, highest, mean and deviation are those of the training part.",
    )
    rows: int = setting(400, label="training samples", choices=(20, 50, 100, 200, 400, 1_000))
    seed: int = setting(0, low=0, high=9, help="Of the samples, the first weights and their order.")


class Trial(typing.NamedTuple):
    """One way to prepare a part of the data, the values that the network then reads, its training, and its rival."""

    name: str
    inputs: dict[str, np.ndarray]
    rival: Rival
    run: Run

    @property
    def range(self) -> tuple[float, float]:
        """The lowest 5th and the highest 95th percentile of all columns."""
        ends = np.array([np.percentile(values, (5, 95)) for values in self.inputs.values()])
        return float(ends[:, 0].min()), float(ends[:, 1].max())


class PreparePanel(Panel):
    """What the network reads, and the training curves that come of it.

    Parameters
    ----------
    *datasets : to choose from, each of another problem; without any, houses, digits and reviews are loaded
    **settings : fields of `PrepareSettings`
    """

    title = "Prepare: what the network reads, and how it learns from it"
    settings_type = PrepareSettings
    live = True
    loads: typing.ClassVar = {"housing": None, "mnist": 8_000, "imdb": 6_000}
    figure_size = (8.0, 6.2)

    def compute(self, settings: PrepareSettings, on_progress: OnProgress, stop: threading.Event) -> object:
        """Prepare and train once: this trial, then earlier ones on the same problem; None before the first epoch."""
        problem = self.dataset.problem
        name = f"{WORDS[settings.encoding]} ({settings.rows}, seed {settings.seed})"  # for the legend
        prepared = prepare(self._draw(settings), encoding=settings.encoding)
        inputs = inputs_of(prepared)
        rival = self.once(settings, lambda: fit_rival(prepared), stop)
        others = [one for one in self.result or () if one.run.problem == problem and one.name != name]
        earlier = others[:REMEMBERED]

        def show(run: Run | None, message: str) -> None:
            on_progress(run and (Trial(name, inputs, rival, run), *earlier), message)

        spec, seeds = NETWORKS[problem.kind], (settings.seed,)
        run = train_live(spec, prepared, seeds, journal=None, on_progress=show, stop=stop)
        return (Trial(name, inputs, rival, run), *earlier) if run.epochs else None

    def _draw(self, settings: PrepareSettings) -> Split:
        return draw_few(self.dataset, settings.rows, test_size=0.25, most=MOST_HELD_OUT, seed=settings.seed)

    def draw(self, figure: Figure, result: tuple[Trial, ...]) -> None:
        """The training curves above, the ranges of the inputs below."""
        trial, *earlier = result
        above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
        runs = {trial.name: trial.run} | {f"before: {one.name}": one.run for one in earlier}
        draw_curves(above, collect_curves(runs, rival=trial.rival.value))
        _draw_inputs(trial, below.subplots())

    def describe(self, result: tuple[Trial, ...]) -> str:
        """The range of the inputs, and the scores of this trial and those before it."""
        trial, *earlier = result
        run, (low, high) = trial.run, trial.range
        before = "".join(f" Before, {other.name}: {other.run.score:.3g}." for other in earlier)
        reads = f"{run.problem.name}, {trial.name}: nine in ten of a column are from {low:.4g} to {high:.4g}."
        return f"{reads} {describe_score(run, trial.rival)}{before}"

    def tabulate(self, result: tuple[Trial, ...]) -> pd.DataFrame:
        """A row a trial, the last one first."""
        rows = [(one.name, *one.range, one.run.train_score, one.run.score, one.rival.value) for one in result]
        return pd.DataFrame(rows, columns=["preparation", "5 % below", "5 % above", "training", "validation", "rival"])

    def program(self, settings: PrepareSettings, result: tuple[Trial, ...]) -> tuple[str, str]:
        """The same preparation and network in Keras."""
        values = {"few": self._draw(settings), "draw": settings.seed, "encoding": settings.encoding}
        return few_code("s4_prepare", result[0].run.spec, self.dataset, **values)

    def summarise(self, result: tuple[Trial, ...]) -> str:
        """The scores of the network and of the rival."""
        return describe_score(result[0].run, result[0].rival)


def inputs_of(prepared: Prepared) -> dict[str, np.ndarray]:
    """Return the values that the network reads of the training part, by column; of words those above 0 alone."""
    x = prepared.preparation.to_network(prepared.x_train[:MOST_READ])
    if prepared.preparation.columns:
        return dict(zip(prepared.preparation.columns, x.T, strict=True))
    return {"words that occur": x[x > 0]} if prepared.problem.kind == "text" else {"pixels": x.ravel()}


def _draw_inputs(trial: Trial, axes: Axes) -> None:
    """Draw a box a column: half of the values lie in it, nine in ten between the whiskers."""
    box = {"facecolor": BLUE, "alpha": 0.5}
    look = {"whis": (5, 95), "showfliers": False, "patch_artist": True, "boxprops": box, "medianprops": {"color": INK}}
    axes.boxplot(list(trial.inputs.values()), tick_labels=list(trial.inputs), orientation="horizontal", **look)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize="small")
    if max(map(abs, trial.range)) > WIDE:
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([-100, -1, 1, 100, 10_000], ["-100", "-1", "1", "100", "10,000"])
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    axes.set_xlabel("what the network reads (box: half of the values, whiskers: nine in ten)", fontsize="small")
    finish(axes, "")
