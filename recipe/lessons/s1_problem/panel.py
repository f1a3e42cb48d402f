"""Step 1's panel: choose what is predicted from what, and see which type of problem that makes."""

from __future__ import annotations

import textwrap
import threading
import typing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recipe.core.dataset import Dataset, Samples
from recipe.data.problems import HOUSING_FEATURES, PROBLEMS, derive
from recipe.data.targets import TargetDescription, describe_target, format_number
from recipe.engine.codegen import TEMPLATES
from recipe.figures import BLUE, INK, SKY, VERMILION, finish
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

COLUMNS = (*HOUSING_FEATURES, "median_house_value")
QUESTIONS = {
    "mnist": "digits: which digit it is",
    "mnist_five": "digits: whether it is a 5",
    "mnist_multilabel": "digits: even? above four? a closed loop?",
    "imdb": "reviews: whether the writer liked it",
    "length": "reviews: how many words it has",
    "housing": "houses: the median house value",
    "housing_fraction": "houses: the fraction of the highest value",
    "housing_vector": "houses: house value and income",
    **{name: f"houses: the column {name}" for name in HOUSING_FEATURES},
}
DATA = {"digits": "mnist", "reviews": "imdb", "houses": "housing"}  # by the first word of a question
UNITS = {"length": "words", "housing": "dollars", "housing_fraction": "of the cap", "longitude": "degrees"}
UNITS |= {"latitude": "degrees", "housing_median_age": "years", "median_income": "tens of thousands of dollars"}
ROWS = {f"{rows:,}": rows for rows in (50, 100, 300, 1_000, 3_000, 10_000)} | {"all": 0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Framing:
    """A question put to a dataset, and what its target says.

    Attributes
    ----------
    x : images, reviews, or a DataFrame of the columns that are no part of the answer, a row a sample
    description : type, last layer and balance, from `describe_target`
    """

    dataset: Dataset
    target: str
    x: Samples | pd.DataFrame
    description: TargetDescription

    @property
    def input_text(self) -> str:
        """The input in words: what one sample is made of."""
        kind, samples = self.dataset.problem.kind, len(self.x)
        if kind == "text":
            return f"{samples:,} reviews, each a list of words"
        if kind == "image":
            return f"{samples:,} images of {self.x.shape[1]} × {self.x.shape[2]} grey levels"
        return f"{samples:,} districts, {self.x.shape[1]} columns each"

    @property
    def type_text(self) -> str:
        """The target, its type and the end that a network for it gets, in two lines."""
        problem = self.description.problem
        asked = QUESTIONS[self.target].partition(": ")[2]
        return f"{asked}: {problem.type}\n{self.description.layer_code}, loss {problem.last_layer.loss}"

    @property
    def correlations(self) -> pd.Series:
        """Spearman's rank correlation of each column, by itself, with the target (with the first of two)."""
        return self.x.rank().corrwith(pd.DataFrame(self.description.targets)[0].rank())


def frame_problem(dataset: Dataset, target: str, *, rows: int | None = None, seed: int = 0) -> Framing:
    """Put one question to a dataset and describe it. Nothing is trained, and the test set stays sealed.

    Parameters
    ----------
    dataset : the one that the question is put to
    target : a name in ``QUESTIONS``
    rows : how many training samples are drawn, without replacement; None, or more than there are: all
    seed : of the draw. More rows hold those of fewer rows

    Examples
    --------
    >>> from recipe.data.load import load
    >>> framing = frame_problem(load("housing", source="sample"), "latitude", rows=50)
    >>> framing.input_text, framing.description.layer_code
    ('50 districts, 8 columns each', 'Dense(1)')
    """
    order = np.random.default_rng(seed).permutation(len(dataset.y_train))[:rows]
    x, y, names = dataset.x_train[order], dataset.y_train[order], (target,)
    if target in PROBLEMS:
        (x, targets), names = derive(target, x, y), PROBLEMS[target].output_names
        x = pd.DataFrame(x, columns=PROBLEMS[target].feature_names) if dataset.problem.kind == "table" else x
    elif target == "length":
        targets = np.diff(x.offsets)
    else:
        x = pd.DataFrame(np.column_stack([x, y]), columns=COLUMNS)
        targets = x.pop(target).to_numpy()
    description = describe_target(targets, names=names, unit=UNITS.get(target, ""))
    return Framing(dataset=dataset, target=target, x=x, description=description)


@dataclass(frozen=True, kw_only=True)
class ProblemSettings(Settings):
    """What the panel asks; `rows` 0 is all there are."""

    target: str = setting("mnist", choices={words: name for name, words in QUESTIONS.items()})
    rows: int = setting(1_000, low=0, high=100_000, steps=ROWS, help="Training samples, drawn at random.")
    draw: int = setting(1, low=1, high=20, help="Draw other rows: what changes now is chance.")


class ProblemPanel(Panel):
    """Choose the target and the rows: input, type, last layer and balance follow at once.

    Parameters
    ----------
    *datasets : the digits, the reviews and the houses; without any they are loaded
    **settings : fields of `ProblemSettings`
    """

    title = "What is predicted, from what?"
    settings_type = ProblemSettings
    live = True
    loads: typing.ClassVar = {"mnist": None, "imdb": None, "housing": None}
    figure_size = (7.4, 5.4)

    @property
    def dataset(self) -> Dataset:
        """What the chosen target is asked of."""
        name = DATA[QUESTIONS[self.controls["target"].value].partition(":")[0]]
        return next(dataset for dataset in self.datasets if dataset.problem.name == name)

    def compute(self, settings: ProblemSettings, on_progress: OnProgress, stop: threading.Event) -> Framing:
        """Put the question."""
        return frame_problem(self.dataset, settings.target, rows=settings.rows or None, seed=settings.draw)

    def draw(self, figure: Figure, result: Framing) -> None:
        """The input above; the target, and the last layer and loss that it asks for, below."""
        above, below = figure.subplots(2, 1, height_ratios=(1, 1.5))
        draw_input = {"image": _draw_images, "text": _draw_reviews, "table": _draw_correlations}
        draw_input[result.dataset.problem.kind](result, above)
        finish(above, f"Input: {result.input_text}")
        _draw_target(result.description, below)
        finish(below, f"Target: {result.type_text}")

    def describe(self, result: Framing) -> str:
        """The question and its answer in words."""
        # Of a quantity, the reason of its type says from where to where it goes.
        told = ", ".join(f"{name} {share:.1%}" for name, share in result.description.shares.items())
        told = f"{told}." if told else result.description.reason
        type_text = result.type_text.replace("\n", " ")
        return f"{QUESTIONS[result.target].capitalize()}. Input: {result.input_text}. Target: {type_text}. {told}"

    def tabulate(self, result: Framing) -> pd.DataFrame:
        """A row a class or label with its share; a row a column of the target where it is a quantity."""
        description = result.description
        if description.shares:
            return pd.DataFrame(description.shares.items(), columns=["target", "share"])
        names = list(description.problem.output_names)
        columns = pd.DataFrame(description.targets, columns=names).agg(["min", "median", "max"]).T
        return columns.rename_axis("target").reset_index()

    def program(self, settings: ProblemSettings, result: Framing) -> tuple[str, str]:
        """The same rows and the same numbers, in NumPy and pandas."""
        template = TEMPLATES.get_template("lessons/s1_problem/program.py.jinja")
        words = {"question": QUESTIONS[result.target], "columns": HOUSING_FEATURES}
        program = template.render(settings=settings, framing=result, **words)
        return "The same in NumPy and pandas: the same rows, and so the very numbers of the panel.", program

    def summarise(self, result: Framing) -> str:
        """The type, and what in the targets says so."""
        return f"{result.description.problem.type.capitalize()}: {result.description.reason}"


def _draw_images(framing: Framing, axes: Axes) -> None:
    """Draw the first images side by side, dark ink on white, each with its target below."""
    images = framing.x[:10]  # (10, height, width)
    height, width = images.shape[1:]
    axes.imshow(np.hstack(images), cmap="gray_r", vmin=0, vmax=framing.dataset.problem.pixel_max)
    for number in range(len(images)):
        target, place = framing.description.targets[number], (number + 0.5) * width
        axes.text(place, height, str(target), ha="center", va="top", color=INK, fontsize="small")
    axes.set_axis_off()


def _draw_reviews(framing: Framing, axes: Axes) -> None:
    """Write the beginnings of three reviews, each with its target."""
    for number in range(3):
        words = " ".join(framing.dataset.vocabulary[rank] for rank in framing.x[number][:60])
        text = textwrap.fill(f"target {framing.description.targets[number]}:  {words}", 105, max_lines=2)
        axes.text(0, 0.96 - number / 3, text, va="top", color=INK, fontsize="small", transform=axes.transAxes)
    axes.set_axis_off()


def _draw_correlations(framing: Framing, axes: Axes) -> None:
    """Draw a bar a column, from -1 to 1: how closely it follows the target by itself."""
    values = framing.correlations
    axes.barh(values.index, values, color=np.where(values < 0, VERMILION, BLUE))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(-1, 1)
    axes.invert_yaxis()
    axes.tick_params(labelsize="small")
    axes.set_xlabel("rank correlation of each column alone with the target", fontsize="small")


def _draw_target(description: TargetDescription, axes: Axes) -> None:
    """Draw the shares of the classes or labels, or a histogram of the quantity, the first of two."""
    problem = description.problem
    if description.shares:
        names = [textwrap.fill(name, 14) for name in description.shares]
        percents = [100 * share for share in description.shares.values()]
        axes.bar_label(axes.bar(names, percents, color=SKY), fmt="%.3g", fontsize="x-small")
        axes.set_ylabel("samples (%)")
        return
    values = pd.DataFrame(description.targets)[0]
    shown = values[values <= values.quantile(0.995)]  # a pile at the end would look like capped values
    axes.hist(shown, bins=40, color=SKY)
    axes.axvline(values.median(), color=VERMILION, linestyle="--", label=f"median {format_number(values.median())}")
    unit = f" ({problem.target_unit})" if problem.target_unit else ""
    left_out = ", without the highest 0.5 %" if len(shown) < len(values) else ""
    axes.set_xlabel(f"{problem.output_names[0]}{unit}{left_out}")
    axes.set_ylabel("samples")
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: format_number(value))
    axes.legend(frameon=False, fontsize="small", labelcolor=INK)
