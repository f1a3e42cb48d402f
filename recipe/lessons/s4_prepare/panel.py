"""Step 4's panel: switch scaling, normalisation and a leak on and off, and see the training curves change."""

from __future__ import annotations

import math
import threading
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import ipywidgets as widgets
import numpy as np

from recipe.core.dataset import Dataset, Split
from recipe.core.input_checks import Note
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.run import EpochReport, Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.figures import BLUE, GREEN, INK, ORANGE, PURPLE, SKY, finish
from recipe.steps.s3_protocol import take_split
from recipe.steps.s4_prepare import prepare
from recipe.steps.training import train
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.texts import describe_source

if typing.TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROBLEMS = {"houses (California)": "housing", "digits (MNIST)": "mnist", "film reviews (IMDB)": "imdb"}
SCALINGS = {"none": "raw", "to 0 ... 1": "scale", "to -1 ... 1": "scale_signed"}
TEXTS = {"which words occur": "multi_hot", "how often": "counts", "TF-IDF": "tfidf"}
ROWS = {"20": 20, "50": 50, "100": 100, "200": 200, "400": 400, "1,000": 1_000}
LOADED_ROWS = MappingProxyType({"housing": None, "mnist": 8_000, "imdb": 6_000})
NETWORKS = MappingProxyType(
    {
        "housing": ModelSpec(hidden_units=(64, 64), batch_size=16, epochs=60),
        "mnist": ModelSpec(hidden_units=(64,), batch_size=32, epochs=15),
        "imdb": ModelSpec(hidden_units=(16, 16), batch_size=32, epochs=10),
    }
)
REMEMBERED = 3  # earlier runs that stay in the figure
MOST_READ = 500  # samples that the range of the inputs is taken from
MOST_VALIDATION = 1_000  # samples that a trial holds out: enough for a curve, and quickly measured
WIDE = 20.0  # largest over smallest, from which on an axis is logarithmic: one column would squeeze all the others
_EARLIER = ((SKY, "-."), (PURPLE, ":"), (GREEN, (0, (5, 1, 1, 1))))  # colour and line style, the latest first


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(Settings):
    """What the panel's controls say; what does not suit the problem has no effect."""

    problem: str = setting("housing", choices=PROBLEMS)
    scaling: str = setting("raw", choices=SCALINGS, help="Lowest and highest value are those of the training part.")
    normalize: bool = setting(False, label="normalise: mean 0, deviation 1", help="It has the last word over scaling.")
    leak: bool = setting(False, label="leak: statistics from validation, too", help="On purpose, to see what it does.")
    text: str = setting("multi_hot", label="words", choices=TEXTS, help="What the network reads of a review.")
    rows: int = setting(400, label="training samples", choices=ROWS)
    seed: int = setting(0, low=0, high=9, help="Of the samples, the first weights and their order.")

    @property
    def encoding(self) -> str:
        """What `recipe.prepare` is asked for."""
        if self.problem == "imdb":
            return self.text
        return "normalize" if self.normalize else self.scaling

    @property
    def name(self) -> str:
        """The preparation in a few words, for the legend."""
        words = {"raw": "raw", "scale": "0 ... 1", "scale_signed": "-1 ... 1", "normalize": "normalised"}
        words |= {"multi_hot": "multi-hot", "counts": "counts", "tfidf": "TF-IDF"}
        parts = [words[self.encoding]]
        parts += ["leak"] if self.leak else []
        return f"{', '.join(parts)} ({self.rows}, seed {self.seed})"


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparationTrial:
    """One way to prepare a part of the data, and the training that followed.

    Attributes
    ----------
    name : the way, in words
    inputs : (name, 5th, 50th and 95th percentile) of each column that the network reads
    notes : what is odd about the data
    run : the training, with the epochs that were trained so far
    """

    name: str
    inputs: tuple[tuple[str, float, float, float], ...]
    notes: tuple[Note, ...]
    run: Run


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
    figure_size = (8.0, 5.2)

    def __init__(self, *datasets: Dataset, **settings: object) -> None:
        loaded = datasets or tuple(load(name, rows=rows) for name, rows in LOADED_ROWS.items())
        self._by_name = {dataset.problem.name: dataset for dataset in loaded}
        super().__init__(*loaded, **{"problem": loaded[0].problem.name} | settings)

    def source_text(self) -> str:
        """What the data of the chosen problem is."""
        return describe_source(self._by_name[self.settings.problem])

    def make_controls(self, settings: PrepareSettings) -> dict[str, widgets.Widget]:
        """The usual controls; those that have no effect on a problem are switched off."""
        controls = super().make_controls(settings)
        menu = controls["problem"]
        menu.options = [(shown, name) for shown, name in PROBLEMS.items() if name in self._by_name]
        menu.value = settings.problem

        def suit(change: object = None) -> None:
            controls["scaling"].disabled = controls["normalize"].disabled = menu.value == "imdb"
            controls["text"].disabled = menu.value != "imdb"

        menu.observe(suit, names="value")
        suit()
        return controls

    def compute(
        self, settings: PrepareSettings, on_progress: OnProgress, stop: threading.Event
    ) -> tuple[PreparationTrial, ...]:
        """Prepare and train once; the result is this trial, then the earlier ones on the same problem."""
        earlier = self._earlier(settings)
        trial = try_preparation(
            self._by_name[settings.problem],
            NETWORKS[settings.problem].replace(seed=settings.seed),
            name=settings.name,
            rows=settings.rows,
            on_epoch=lambda partial: on_progress((partial, *earlier), f"Epoch {partial.run.epochs} ..."),
            stop=stop,
            encoding=settings.encoding,
            fit_on="all" if settings.leak else "train",
        )
        return trial, *earlier

    def draw(self, figure: Figure, result: tuple[PreparationTrial, ...]) -> None:
        """The ranges of the inputs on the left, the training curves on the right."""
        trial, *earlier = result
        from matplotlib.ticker import NullFormatter

        left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
        _draw_input_ranges(trial.inputs, left)
        source = "a sample" if trial.run.source == "sample" else "real data"
        left.set_title(
            f"{trial.run.train_samples:,} training samples, {source}", loc="left", fontsize="medium", color=INK
        )
        measure, history = MEASURES[trial.run.measure], trial.run.history
        curves = [
            (history.get(measure.name, ()), BLUE, "--", 2.0, f"training: {trial.name}"),
            (history.get("val_" + measure.name, ()), ORANGE, "-", 2.0, f"validation: {trial.name}"),
        ]
        for other, (colour, style) in zip(earlier, _EARLIER, strict=False):
            curves.append(
                (other.run.history.get("val_" + measure.name, ()), colour, style, 1.6, f"before: {other.name}")
            )
        for values, colour, style, width, label in curves:
            right.plot(range(1, len(values) + 1), values, color=colour, linestyle=style, lw=width, label=label)
        positive = [value for values, *_ in curves for value in values if math.isfinite(value) and value > 0]
        if positive and not measure.higher_is_better and max(positive) > WIDE * min(positive):
            right.set_yscale("log")
            right.yaxis.set_major_formatter("{x:,g}")  # Matplotlib's own would be mathematics, and "$" is text here
            right.yaxis.set_minor_formatter(NullFormatter())
        unit = measure.unit_of(trial.run.problem)
        right.set_xlabel("epoch")
        right.set_ylabel(f"{measure.title} ({unit})" if unit else measure.title)
        right.xaxis.get_major_locator().set_params(integer=True)
        finish(right, "")
        right.legend(frameon=False, fontsize="small", labelcolor=INK, loc="lower left", bbox_to_anchor=(0, 1.0))

    def describe(self, result: tuple[PreparationTrial, ...]) -> str:
        """The range of the inputs, and the scores of this trial and those before it."""
        trial, *earlier = result
        run, measure = trial.run, MEASURES[trial.run.measure]
        unit = f" {measure.unit_of(run.problem)}" if measure.unit_of(run.problem) else ""
        low = min(low for _, low, _, _ in trial.inputs)
        high = max(high for *_, high in trial.inputs)
        before = "".join(f" Before, {other.name}: {other.run.score:.3g}." for other in earlier[: len(_EARLIER)])
        return (
            f"{run.problem.name}, {trial.name}: the network reads numbers from {low:.4g} to {high:.4g}. In the best "
            f"of {run.epochs} epochs on {run.train_samples:,} samples the {measure.title} on {run.val_samples:,} "
            f"validation samples is {run.score:.3g}{unit}.{before}"
        )

    def rows(self, result: tuple[PreparationTrial, ...]) -> list[dict[str, object]]:
        """A row a trial, the last one first."""
        return [
            {
                "preparation": trial.name,
                "lowest input": round(min(low for _, low, _, _ in trial.inputs), 4),
                "highest input": round(max(high for *_, high in trial.inputs), 4),
                f"training {trial.run.measure}": round(trial.run.train_score, 4),
                f"validation {trial.run.measure}": round(trial.run.score, 4),
                "notes": len(trial.notes),
            }
            for trial in result
        ]

    def summarise(self, result: tuple[PreparationTrial, ...]) -> str:
        """The score beside the one before it, and what is odd about the data."""
        trial, *earlier = result
        text = f"Validation {MEASURES[trial.run.measure].title}: {trial.run.score:.3g}"
        if earlier:
            text += f", before {earlier[0].run.score:.3g}"
        remarks = [note.text for note in trial.notes if note.kind == "leak"]
        if outside := sum(note.kind == "outside_range" for note in trial.notes):
            remarks.append(f"In {outside} columns validation has values outside the training part's range.")
        return f"{text}. {' '.join(remarks)}".strip()

    def _earlier(self, settings: PrepareSettings) -> tuple[PreparationTrial, ...]:
        """Return the trials of this problem that are shown now, the latest first, without one of the same name."""
        shown = self.result or ()
        if not shown or shown[0].run.problem.name != settings.problem:
            return ()
        return tuple(trial for trial in shown if trial.name != settings.name and trial.run.epochs)[:REMEMBERED]


def try_preparation(
    dataset: Dataset,
    spec: ModelSpec,
    *,
    name: str,
    rows: int,
    on_epoch: Callable[[PreparationTrial], object] | None = None,
    stop: threading.Event | None = None,
    **arguments: object,
) -> PreparationTrial:
    """Prepare a part of the data in one way, and train on it.

    Parameters
    ----------
    name : the way, in words
    rows : training samples to take. Validation gets a quarter of the samples, 1,000 at most, and the same ones
        whatever `rows` is
    on_epoch : called with what there is so far
    stop : once set, from any thread, training ends with the epoch that is under way
    arguments : of `prepare`

    Raises
    ------
    ValueError
        If there are fewer samples than `rows`, or the arguments do not suit the data.
    """
    prepared = prepare(_take_rows(dataset, rows, spec.seed), **arguments)
    so_far = Run(
        spec=spec,
        problem=prepared.problem,
        source=prepared.source,
        protocol=prepared.protocol,
        history={},
        train_samples=len(prepared.y_train),
        val_samples=len(prepared.y_val),
    )
    trial = PreparationTrial(name=name, inputs=_summarise_inputs(prepared), notes=prepared.notes, run=so_far)

    def report(told: EpochReport) -> None:
        for key, value in told.logs.items():
            so_far.history.setdefault(key, []).append(value)
        if on_epoch is not None:
            history = {key: list(values) for key, values in so_far.history.items()}
            on_epoch(replace(trial, run=replace(so_far, history=history)))

    return replace(trial, run=train(spec, prepared, on_epoch=report, stop=stop, journal=None))


def _summarise_inputs(prepared: Prepared) -> tuple[tuple[str, float, float, float], ...]:
    """Return a name and the 5th, 50th and 95th percentile of what the network reads of the training part.

    One row a column of a table; of images and reviews one row for all pixels or words, and of
    reviews for those above 0 alone.
    """
    x = prepared.preparation.to_network(prepared.x_train[:MOST_READ])
    columns = dict(zip(prepared.preparation.columns, x.T, strict=True)) if prepared.preparation.columns else {}
    if not columns:
        columns = {"words that occur": x[x > 0]} if prepared.problem.kind == "text" else {"pixels": x}
    return tuple(
        (name, *(np.percentile(values, (5, 50, 95)).tolist() if values.size else (0.0, 0.0, 0.0)))
        for name, values in columns.items()
    )


def _take_rows(dataset: Dataset, rows: int, seed: int) -> Split:
    """Return a random split with `rows` training samples; the validation part does not depend on their number."""
    samples = len(dataset.y_train)
    held_out = min(samples // 4, MOST_VALIDATION)
    most = samples - held_out
    if not 2 <= rows <= most:
        raise ValueError(
            f"There are {samples:,} samples, and validation has {held_out:,} of them. Received: rows={rows}. "
            f"Ask for 2 to {most} training samples."
        )
    order = np.random.default_rng(seed).permutation(samples)
    protocol = f"{rows:,} samples to train on, {held_out:,} for validation"
    return take_split(dataset, order[held_out : held_out + rows], order[:held_out], protocol=protocol)


def _draw_input_ranges(inputs: Sequence[tuple[str, float, float, float]], axes: Axes) -> None:
    """Draw for each column a line from its 5th to its 95th percentile, and a dot at its median."""
    for line, (_, low, middle, high) in enumerate(inputs):
        axes.plot((low, high), (line, line), color=BLUE, linewidth=3, alpha=0.7, solid_capstyle="butt")
        axes.plot(middle, line, "o", color=BLUE, markersize=5)
    axes.set_yticks(range(len(inputs)), [name for name, *_ in inputs])
    axes.set_ylim(len(inputs) - 0.5, -0.5)
    if max(abs(value) for _, *values in inputs for value in values) > WIDE:
        axes.set_xscale("symlog", linthresh=1.0)
        axes.set_xticks([-100, -1, 1, 100, 10_000], ["-100", "-1", "1", "100", "10,000"])
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    axes.grid(axis="x", alpha=0.25)
    axes.set_xlabel("what the network reads (5 % to 95 %)")
    finish(axes, "")
