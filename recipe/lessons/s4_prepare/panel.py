"""Step 4's panel: switch scaling, normalisation and a leak on and off, and see the training curves change."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass, replace
from types import MappingProxyType

import ipywidgets as widgets
import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import Note
from recipe.core.prepared import ENCODINGS, Prepared
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, INK, finish, name_measure
from recipe.figures.training import collect_curves, draw_curves
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.trainer import train_live

if typing.TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORDS = MappingProxyType(  # what each encoding is called
    {
        "raw": "raw",
        "scale": "to 0 ... 1",
        "scale_signed": "to -1 ... 1",
        "normalize": "mean 0, deviation 1",
        "multi_hot": "which words occur",
        "counts": "how often",
        "tfidf": "TF-IDF",
    }
)
NETWORKS = MappingProxyType(  # by the kind of input
    {
        "table": ModelSpec(hidden_units=(64, 64), batch_size=16, epochs=60),
        "image": ModelSpec(hidden_units=(64,), batch_size=32, epochs=15),
        "text": ModelSpec(hidden_units=(16, 16), batch_size=32, epochs=10),
    }
)
REMEMBERED = 3  # earlier runs that stay in the figure
MOST_READ = 500  # samples that the range of the inputs is taken from
MOST_VALIDATION = 1_000  # samples that a trial holds out: enough for a curve, and quickly measured
WIDE = 20.0  # from which on an axis is logarithmic: one column would squeeze all the others


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(Settings):
    """What the panel's controls say."""

    problem: str = setting("")
    encoding: str = setting(
        "raw",
        label="inputs",
        choices={words: name for name, words in WORDS.items()},
        help="Lowest, highest, mean and deviation are those of the training part.",
    )
    leak: bool = setting(False, label="leak: statistics from validation, too", help="On purpose, to see what it does.")
    rows: int = setting(400, label="training samples", choices=(20, 50, 100, 200, 400, 1_000))
    seed: int = setting(0, low=0, high=9, help="Of the samples, the first weights and their order.")

    @property
    def name(self) -> str:
        """The preparation in a few words, for the legend."""
        return f"{WORDS[self.encoding]}{', leak' * self.leak} ({self.rows}, seed {self.seed})"


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationTrial:
    """One way to prepare a part of the data, and the training that followed.

    Attributes
    ----------
    name : the way, in words
    inputs : the values that the network reads of each column; of images and texts those of all pixels or words at once
    notes : what is odd about the data
    run : the training, with the epochs that were trained so far; None before the first
    """

    name: str
    inputs: dict[str, np.ndarray]
    notes: tuple[Note, ...]
    run: Run | None = None


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
    loads = MappingProxyType({"housing": None, "mnist": 8_000, "imdb": 6_000})
    figure_size = (8.0, 6.2)

    def check(self, settings: PrepareSettings) -> None:
        """Refuse what cannot be done with the inputs of a problem."""
        super().check(settings)
        offered = self._offered(settings.problem)
        if settings.encoding not in offered:
            raise ValueError(
                f"The inputs of {settings.problem} are not prepared so. Received: encoding={settings.encoding!r}. "
                f"Choose from {', '.join(offered)}."
            )

    def make_controls(self, settings: PrepareSettings) -> dict[str, widgets.Widget]:
        """The usual controls; a problem offers what its inputs can be made into."""
        controls = super().make_controls(settings)
        problem, encoding = controls["problem"], controls["encoding"]

        def suit(change: object = None) -> None:
            offered, before = self._offered(problem.value), encoding.value
            encoding.options = [(WORDS[name], name) for name in offered]
            encoding.value = before if before in offered else offered[0]

        problem.observe(suit, names="value")
        suit()
        return controls

    def compute(
        self, settings: PrepareSettings, on_progress: OnProgress, stop: threading.Event
    ) -> tuple[PreparationTrial, ...]:
        """Prepare and train once; the result is this trial, then the earlier ones on the same problem."""
        dataset = self.dataset
        split = take_rows(dataset, settings.rows, settings.seed)
        prepared = prepare(split, encoding=settings.encoding, fit_on="all" if settings.leak else "train")
        trial = PreparationTrial(name=settings.name, inputs=inputs_of(prepared), notes=prepared.notes)
        shown = self.result or ()
        same = shown and shown[0].run.problem.name == settings.problem
        earlier = tuple(one for one in shown if same and one.name != trial.name and one.run.epochs)[:REMEMBERED]
        run = train_live(
            NETWORKS[dataset.problem.kind].replace(seed=settings.seed),
            prepared,
            (settings.seed,),
            journal=None,
            on_progress=lambda run, message: on_progress((replace(trial, run=run), *earlier), message),
            stop=stop,
        )
        return replace(trial, run=run), *earlier

    def draw(self, figure: Figure, result: tuple[PreparationTrial, ...]) -> None:
        """The training curves above, the ranges of the inputs below."""
        trial, *earlier = result
        above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
        runs = {trial.name: trial.run} | {f"before: {one.name}": one.run for one in earlier}
        draw_curves(above, collect_curves(runs))
        _draw_inputs(trial.inputs, below.subplots())

    def describe(self, result: tuple[PreparationTrial, ...]) -> str:
        """The range of the inputs, and the scores of this trial and those before it."""
        trial, *earlier = result
        run, (low, high) = trial.run, _range(trial.inputs)
        before = "".join(f" Before, {other.name}: {other.run.score:.3g}." for other in earlier)
        return (
            f"{run.problem.name}, {trial.name}: the network reads numbers from {low:.4g} to {high:.4g}. In the best "
            f"of {run.epochs} epochs the {name_measure(run.problem)} in validation is {run.score:.3g}.{before}"
        )

    def tabulate(self, result: tuple[PreparationTrial, ...]) -> pd.DataFrame:
        """A row a trial, the last one first."""
        rows = [(one.name, *_range(one.inputs), one.run.train_score, one.run.score, len(one.notes)) for one in result]
        return pd.DataFrame(rows, columns=["preparation", "lowest", "highest", "training", "validation", "notes"])

    def summarise(self, result: tuple[PreparationTrial, ...]) -> str:
        """The score beside the one before it, and what is odd about the data."""
        trial, *earlier = result
        before = f", before {earlier[0].run.score:.3g}" if earlier else ""
        remarks = [note.text for note in trial.notes if note.kind == "leak"]
        if outside := sum(note.kind == "outside_range" for note in trial.notes):
            remarks.append(f"In {outside} columns validation has values outside the training part's range.")
        measure = name_measure(trial.run.problem)
        return " ".join([f"Validation: {measure} {trial.run.score:.3g}{before}.", *remarks])

    def _offered(self, name: str) -> list[str]:
        """Return what the inputs of a problem can be made into, in the order of `WORDS`."""
        kind = next(dataset.problem.kind for dataset in self.datasets if dataset.problem.name == name)
        return [encoding for encoding in WORDS if encoding in ENCODINGS[kind]]


def take_rows(dataset: Dataset, rows: int, seed: int) -> Split:
    """Return a random split with `rows` training samples; the validation part does not depend on their number.

    Validation gets a quarter of the samples, 1,000 at most.

    Raises
    ------
    ValueError
        If there are fewer samples.
    """
    samples = len(dataset.y_train)
    held_out = min(samples // 4, MOST_VALIDATION)
    if rows > samples - held_out:
        raise ValueError(
            f"There are {samples:,} samples, and validation has {held_out:,} of them. Received: rows={rows}. "
            f"Ask for at most {samples - held_out}."
        )
    order = np.random.default_rng(seed).permutation(samples)
    protocol = f"{rows:,} samples to train on, {held_out:,} for validation"
    return take_split(dataset, order[held_out : held_out + rows], order[:held_out], protocol=protocol)


def inputs_of(prepared: Prepared) -> dict[str, np.ndarray]:
    """Return the values that the network reads of the training part, by column; of words those above 0 alone."""
    x = prepared.preparation.to_network(prepared.x_train[:MOST_READ])
    if prepared.preparation.columns:
        return dict(zip(prepared.preparation.columns, x.T, strict=True))
    return {"words that occur": x[x > 0]} if prepared.problem.kind == "text" else {"pixels": x.ravel()}


def _range(inputs: dict[str, np.ndarray]) -> tuple[float, float]:
    """Return the lowest 5th and the highest 95th percentile of all columns."""
    ends = np.array([np.percentile(values, (5, 95)) for values in inputs.values()])
    return float(ends[:, 0].min()), float(ends[:, 1].max())


def _draw_inputs(inputs: dict[str, np.ndarray], axes: Axes) -> None:
    """Draw a box a column: half of the values lie in it, nine in ten between the whiskers."""
    box = {"facecolor": BLUE, "alpha": 0.5}
    look = {"whis": (5, 95), "showfliers": False, "patch_artist": True, "boxprops": box, "medianprops": {"color": INK}}
    axes.boxplot(list(inputs.values()), tick_labels=list(inputs), orientation="horizontal", **look)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize="small")
    if max(map(abs, _range(inputs))) > WIDE:
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([-100, -1, 1, 100, 10_000], ["-100", "-1", "1", "100", "10,000"])
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    axes.set_xlabel("what the network reads (box: half of the values, whiskers: nine in ten)", fontsize="small")
    finish(axes, "")
