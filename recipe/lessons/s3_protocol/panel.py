"""Step 3's panel: a whole evaluation, again and again on few rows, and each report against the truth."""

from __future__ import annotations

import dataclasses
import math
import threading
import typing
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from recipe.core.dataset import Dataset, Split
from recipe.core.measures import name_measure
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, GREEN, INK, finish
from recipe.lessons.few import draw_few
from recipe.steps.s3_protocol import k_fold
from recipe.steps.training import cross_validate
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

PROTOCOLS = ("hold-out", "K-fold", "iterated K-fold")
MODELS_TOGETHER = 60  # in one program: enough to be quick, few enough that results come in while it goes on
SPEC = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=40)


@dataclass(frozen=True, kw_only=True)
class ProtocolSettings(Settings):
    """What the panel's controls say."""

    protocol: str = setting("K-fold", label="protocol", choices=PROTOCOLS, help="How the rows are judged on.")
    folds: int = setting(4, label="K (folds)", low=2, high=10, help="Hold-out keeps one of K parts.")
    repeats: int = setting(3, label="repetitions", low=2, high=10, help="Of iterated K-fold; the others ignore it.")
    rows: int = setting(200, label="rows", low=40, high=800, step=20, help="All that the protocol has.")
    draws: int = setting(20, label="times", low=5, high=60, step=5, help="How often the whole procedure is done.")

    @property
    def models(self) -> int:
        """How many networks one report takes; hold-out looks at the first fold alone."""
        return {"hold-out": 1, "K-fold": self.folds, "iterated K-fold": self.folds * self.repeats}[self.protocol]

    @property
    def name(self) -> str:
        """The protocol with its numbers, such as ``"4-fold, 3 times"``."""
        if self.protocol == "hold-out":
            return f"hold-out, 1/{self.folds}"
        return f"{self.folds}-fold" + (f", {self.repeats} times" if self.protocol == "iterated K-fold" else "")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtocolReports:
    """What a protocol reported, twice or more, and what was true each time.

    Attributes
    ----------
    settings : the protocol, and the rows that it had
    reported : (draws,), the score that the protocol reported, in the measure's unit
    truth : (draws,), the score on the rest of the data of a network trained on all rows
    """

    settings: ProtocolSettings
    reported: np.ndarray
    truth: np.ndarray

    @property
    def miss(self) -> float:
        """How far a report is from the truth: root of the mean squared difference."""
        return float(np.sqrt(np.mean((self.reported - self.truth) ** 2)))


def judge_again(
    dataset: Dataset,
    settings: ProtocolSettings,
    on_progress: OnProgress = lambda partial, message: None,
    stop: threading.Event | None = None,
) -> ProtocolReports | None:
    """Repeat a whole evaluation many times on few rows, and hold each report against the truth.

    Each time rows are drawn from the training data as if they were all there is; the protocol reports its score; a
    final network is trained on all those rows and judged on the other half of the data, 20,000 samples at most. The
    sealed test set is not touched.

    Returns
    -------
    ProtocolReports or None
        Once `stop` is set, the repetitions that are complete; None if there are none.

    Raises
    ------
    ValueError
        If more than half of the training samples are asked for: the rest is the truth.
    """
    programs = math.ceil(settings.draws * settings.models / MODELS_TOGETHER)
    # Of one size, so that one program serves them all, and two at least: a single report has no spread.
    together = max(2, math.ceil(settings.draws / programs))
    reported, truth, reports = [], [], None
    for first in range(0, settings.draws, together):
        draws = range(first, min(first + together, settings.draws))
        finals = [draw_few(dataset, settings.rows, seed=seed) for seed in draws]
        jobs = [fold for final in finals for fold in _cut(dataset, final, settings)]
        done, total = first * settings.models, settings.draws * settings.models
        on_progress(reports, f"Models {done + 1} to {done + len(jobs)} of {total}")
        runs = cross_validate(SPEC.replace(seed=done), jobs, stop=stop, journal=None)
        ends = cross_validate(SPEC.replace(seed=done), finals, stop=stop, journal=None)
        if any(run.stopped for run in (*runs, *ends)):
            break
        scores = np.array([run.score for run in runs]).reshape(len(draws), settings.models)
        reported += scores.mean(axis=1).tolist()
        truth += [run.history[f"val_{run.measure}"][-1] for run in ends]
        reports = ProtocolReports(settings=settings, reported=np.array(reported), truth=np.array(truth))
    return reports


def _cut(dataset: Dataset, final: Split, settings: ProtocolSettings) -> tuple[Split, ...]:
    """Cut the rows that a final network is trained on, as the protocol does."""
    few = dataclasses.replace(dataset, x_train=final.x_train, y_train=final.y_train)
    return k_fold(few, folds=settings.folds, repeats=settings.repeats)[: settings.models]


class ProtocolPanel(Panel):
    """The distribution of the score that a protocol reports, against the score on a very large held-out part.

    Parameters
    ----------
    dataset : None loads all of the housing data
    **settings : fields of `ProtocolSettings`
    """

    title = "Decide on a protocol: what it reports, and what is true"
    settings_type = ProtocolSettings
    loads = MappingProxyType({"housing": None})
    figure_size = (7.0, 3.8)

    def compute(self, settings: ProtocolSettings, on_progress: OnProgress, stop: threading.Event) -> object:
        """Train and judge; of a run that is stopped, the repetitions that are complete."""
        return judge_again(self.dataset, settings, on_progress, stop)

    def draw(self, figure: Figure, result: ProtocolReports) -> None:
        """The reports as dots on one line, the truth on the other."""
        axes, jitter = figure.add_subplot(), np.random.default_rng(0)
        axes.axvline(result.truth.mean(), color=GREEN, linestyle="--", linewidth=1.5, zorder=0)
        lines = {result.settings.name: (result.reported, "o", BLUE), "the truth": (result.truth, "D", GREEN)}
        for line, (scores, mark, colour) in enumerate(lines.values()):
            heights = line + jitter.uniform(-0.16, 0.16, len(scores))
            axes.plot(scores, heights, mark, color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
            mean, std = scores.mean(), scores.std(ddof=1)
            axes.errorbar(mean, line + 0.3, xerr=std, fmt="|", color=INK, linewidth=2, markersize=10, markeredgewidth=2)
            beside = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
            axes.annotate(f"{mean:.3f} ± {std:.3f}", (1.01, line), color=INK, **beside)
        axes.set_yticks(range(len(lines)), list(lines))
        axes.set_ylim(len(lines) - 0.4, -0.5)
        axes.margins(x=0.06)
        axes.ticklabel_format(axis="x", useOffset=False)  # of a few reports, which lie close together
        axes.set_xlabel(name_measure(self.dataset.problem))
        axes.grid(axis="x", alpha=0.2)
        title = f"{result.settings.rows:,} rows, drawn anew {len(result.truth)} times"
        finish(axes, f"{title} (data: {self.dataset.source})")

    def describe(self, result: ProtocolReports) -> str:
        """The reports and the truth in words."""
        lines = {f"{result.settings.name} reports": result.reported, "the truth is": result.truth}
        parts = [
            f"{name} {scores.mean():.3f} on average, from {scores.min():.3f} to {scores.max():.3f}"
            for name, scores in lines.items()
        ]
        return f"{name_measure(self.dataset.problem)} in {len(result.truth)} repetitions: {'; '.join(parts)}."

    def tabulate(self, result: ProtocolReports) -> pd.DataFrame:
        """A row for each repetition."""
        numbers = pd.RangeIndex(1, len(result.truth) + 1, name="repetition")
        return pd.DataFrame({"reported": result.reported, "truth": result.truth}, index=numbers).reset_index()

    def summarise(self, result: ProtocolReports) -> str:
        """By how much a report misses."""
        return f"The reports miss the truth by {result.miss:.3f} on average."
