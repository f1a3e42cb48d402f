"""Step 5's panel: does a small model beat the baseline? It depends on how many validation samples there are to tell."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass
from types import MappingProxyType

import ipywidgets as widgets
import numpy as np

from recipe.core.dataset import Dataset
from recipe.data.load import load
from recipe.data.problems import find_problem
from recipe.lessons.judging import small_spec, with_words
from recipe.lessons.s5_baseline.contest import Contest, hold_contest
from recipe.steps.s5_baseline import StatisticalPower
from recipe.ui.controls import make_controls
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS = MappingProxyType({"mnist": 8_000, "imdb": 6_000, "housing": 6_000})  # half of them to judge on
WORDS = 1_000
SAMPLES = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(Settings):
    """What the panel's controls say."""

    problem: str = setting("imdb", label="problem", choices={"digits": "mnist", "reviews": "imdb", "houses": "housing"})
    trained_on: int = setting(
        100,
        label="trained on",
        choices={f"{number} samples": number for number in (20, 50, 100, 300)},
        help="Each small model is trained once, when it is first asked for.",
    )
    samples: int = setting(50, label="validation samples", choices={f"{number:,}": number for number in SAMPLES})
    draw: int = setting(1, label="which of them", low=1, high=30, help="Another number draws other samples.")


@dataclass(frozen=True, kw_only=True, eq=False)
class BaselineResult:
    """A model beside the baseline, and the test on a few of the samples."""

    contest: Contest
    power: StatisticalPower


class BaselinePanel(Panel):
    """A small model against the baseline on a few validation samples, and how many of such sets would show it.

    Parameters
    ----------
    *datasets : digits, reviews and houses, as far as they are there; none loads all three
    **settings : fields of `BaselineSettings`
    """

    title = "Beat a baseline: beyond chance?"
    settings_type = BaselineSettings
    live = True
    figure_size = (6.6, 3.6)

    def __init__(self, *datasets: Dataset, **settings: object) -> None:
        self._contests: dict[tuple[str, int], Contest] = {}
        datasets = datasets or tuple(_load(name, rows) for name, rows in ROWS.items())
        super().__init__(*datasets, **settings)

    def make_controls(self, settings: BaselineSettings) -> dict[str, widgets.Widget]:
        """The number of samples is a slider over a list, as it goes from five to thousands."""
        controls = make_controls(settings)
        menu = controls["samples"]
        controls["samples"] = widgets.SelectionSlider(
            options=menu.options,
            value=settings.samples,
            description=menu.description,
            tooltip="How many samples the two are judged on.",
            style={"description_width": menu.style.description_width},
            layout=widgets.Layout(width="auto"),
        )
        return controls

    def compute(self, settings: BaselineSettings, on_progress: OnProgress, stop: threading.Event) -> BaselineResult:
        """Train the model if that was not done yet, and test it on the samples."""
        key = settings.problem, settings.trained_on
        contest = self._contests.get(key)
        if contest is None:
            on_progress(None, "Training the small model, once ...")
            dataset = self._dataset(settings)
            contest = hold_contest(dataset, small_spec(dataset.problem), trained_on=key[1], stop=stop)
            if not stop.is_set():  # half-trained outputs are shown, not kept
                self._contests[key] = contest
        return BaselineResult(contest=contest, power=contest.judge(settings.samples, seed=settings.draw))

    def draw(self, figure: Figure, result: BaselineResult) -> None:
        """The two scores on the left, the power of a validation set on the right."""
        from recipe.lessons.s5_baseline.figures import draw_judgement

        draw_judgement(figure, result.contest, result.power)

    def describe(self, result: BaselineResult) -> str:
        """The test and the curve in words."""
        curve, power = result.contest.curve, result.power
        at_size = float(np.interp(power.samples, curve.samples, curve.power))
        shown = f"Of all sets of {power.samples:,} samples {at_size:.0%} would show it."
        return f"{power.sentence} {shown} {curve.sentence}"

    def rows(self, result: BaselineResult) -> list[dict[str, object]]:
        """A row for the samples that were drawn and one for all."""
        named = {"drawn": result.power, "all": result.contest.power}
        return [
            {
                "judged on": name,
                "samples": power.samples,
                "model": round(power.model, 4),
                "baseline": round(power.baseline, 4),
                "confidence": round(power.confidence, 4),
                "beats the baseline": power.beats_baseline,
            }
            for name, power in named.items()
        ]

    def summarise(self, result: BaselineResult) -> str:
        """What was found on these samples, and on all."""
        shown = "shows" if result.power.beats_baseline else "does not show"
        is_better = "is" if result.contest.power.beats_baseline else "is not"
        return (
            f"This set of {result.power.samples:,} {shown} that the model is better. Judged on all "
            f"{result.contest.power.samples:,} it {is_better}."
        )

    def _dataset(self, settings: BaselineSettings) -> Dataset:
        for dataset in self.datasets:
            if dataset.problem.name == settings.problem:
                return dataset
        raise ValueError(
            f"The panel was given no such data. Received: problem={settings.problem!r}. It has: "
            f"{', '.join(dataset.problem.name for dataset in self.datasets)}."
        )


def _load(name: str, rows: int) -> Dataset:
    """Load a problem, reviews with few words: a small model learns them in a moment."""
    dataset = load(name, rows=rows)
    return with_words(dataset, WORDS) if find_problem(name).num_words else dataset
