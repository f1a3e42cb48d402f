"""Step 4's panel: switch scaling, normalisation and a leak on and off, and see the training curves change."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass
from types import MappingProxyType

import ipywidgets as widgets

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import HOUSING_RATIOS
from recipe.lessons.s4_prepare.study import PreparationTrial, try_preparation
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.texts import describe_source

if typing.TYPE_CHECKING:
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


@dataclass(frozen=True, kw_only=True)
class PrepareSettings(Settings):
    """What the panel's controls say; what does not suit the problem has no effect."""

    problem: str = setting("housing", choices=PROBLEMS)
    scaling: str = setting("raw", choices=SCALINGS, help="Lowest and highest value are those of the training part.")
    normalize: bool = setting(False, label="normalise: mean 0, deviation 1", help="It has the last word over scaling.")
    leak: bool = setting(False, label="leak: statistics from validation, too", help="On purpose, to see what it does.")
    ratios: bool = setting(False, label="ratios as new columns", help="Rooms and people per household, for houses.")
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
        parts += ["ratios"] if self.ratios and self.problem == "housing" else []
        parts += ["leak"] if self.leak else []
        return f"{', '.join(parts)} ({self.rows}, seed {self.seed})"


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
            controls["ratios"].disabled = menu.value != "housing"
            controls["text"].disabled = menu.value != "imdb"

        menu.observe(suit, names="value")
        suit()
        return controls

    def compute(
        self, settings: PrepareSettings, on_progress: OnProgress, stop: threading.Event
    ) -> tuple[PreparationTrial, ...]:
        """Prepare and train once; the result is this trial, then the earlier ones on the same problem."""
        earlier = self._earlier(settings)
        ratios = {"ratios": HOUSING_RATIOS} if settings.ratios and settings.problem == "housing" else {}
        trial = try_preparation(
            self._by_name[settings.problem],
            NETWORKS[settings.problem].replace(seed=settings.seed),
            name=settings.name,
            rows=settings.rows,
            on_epoch=lambda partial: on_progress((partial, *earlier), f"Epoch {partial.run.epochs} ..."),
            stop=stop,
            encoding=settings.encoding,
            fit_on="all" if settings.leak else "train",
            **ratios,
        )
        return trial, *earlier

    def draw(self, figure: Figure, result: tuple[PreparationTrial, ...]) -> None:
        """The ranges of the inputs on the left, the training curves on the right."""
        from recipe.lessons.s4_prepare.figures import draw_preparation

        draw_preparation(figure, result)

    def describe(self, result: tuple[PreparationTrial, ...]) -> str:
        """The range of the inputs, and the scores of this trial and those before it."""
        from recipe.lessons.s4_prepare.figures import describe_preparation

        return describe_preparation(result)

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
