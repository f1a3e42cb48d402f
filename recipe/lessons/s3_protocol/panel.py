"""Step 3's panel: a whole evaluation, again and again on few rows, and each report against the truth."""

from __future__ import annotations

import math
import threading
import typing
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recipe.core.measures import name_measure
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, GREEN, INK, finish
from recipe.lessons.few import draw_few, few_code
from recipe.steps.s3_protocol import k_fold
from recipe.steps.training import cross_validate
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

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
    """What a protocol reported, twice or more, and what was true each time: scores (draws,) in the measure's unit."""

    settings: ProtocolSettings
    reported: np.ndarray
    truth: np.ndarray

    @property
    def miss(self) -> float:
        """How far a report is from the truth: root of the mean squared difference."""
        return float(np.sqrt(np.mean((self.reported - self.truth) ** 2)))


class ProtocolPanel(Panel):
    """The distribution of the score that a protocol reports, against the truth.

    Each time rows are drawn from the training data as if they were all there is, and the protocol reports its score.
    The truth is the score of a network that is trained on all those rows, on the other half of the data, 20,000
    samples at most. The sealed test set is not touched.

    Parameters
    ----------
    dataset : None loads all of the housing data
    **settings : fields of `ProtocolSettings`
    """

    title = "Decide on a protocol: what it reports, and what is true"
    settings_type = ProtocolSettings
    loads: typing.ClassVar = {"housing": None}
    figure_size = (7.0, 3.8)

    def compute(self, settings: ProtocolSettings, on_progress: OnProgress, stop: threading.Event) -> object:
        """Train and judge; of a run that is stopped, the repetitions that are complete, if there are any."""
        programs = math.ceil(settings.draws * settings.models / MODELS_TOGETHER)
        # Of one size, so that one program serves them all, and two at least: a single report has no spread.
        together = max(2, math.ceil(settings.draws / programs))
        reported, truth, reports = [], [], None
        for first in range(0, settings.draws, together):
            seeds = range(first, min(first + together, settings.draws))
            finals = [draw_few(self.dataset, settings.rows, seed=seed) for seed in seeds]
            owned = [replace(self.dataset, x_train=one.x_train, y_train=one.y_train) for one in finals]
            cuts = [k_fold(few, folds=settings.folds, repeats=settings.repeats)[: settings.models] for few in owned]
            done = first * settings.models
            on_progress(reports, f"Models from {done + 1} on, of {settings.draws * settings.models}")
            spec = SPEC.replace(seed=done)
            runs = cross_validate(spec, [fold for folds in cuts for fold in folds], stop=stop, journal=None)
            ends = cross_validate(spec, finals, stop=stop, journal=None)
            if any(run.stopped for run in (*runs, *ends)):
                break
            reported += np.reshape([run.score for run in runs], (len(finals), -1)).mean(axis=1).tolist()
            truth += [run.history[f"val_{run.measure}"][-1] for run in ends]
            reports = ProtocolReports(settings=settings, reported=np.array(reported), truth=np.array(truth))
        return reports

    def draw(self, figure: Figure, result: ProtocolReports) -> None:
        """The reports as dots on one line, the truth on the other."""
        axes, jitter, names = figure.add_subplot(), np.random.default_rng(0), []
        axes.axvline(result.truth.mean(), color=GREEN, linestyle="--", linewidth=1.5, zorder=0)
        lines = {result.settings.name: (result.reported, "o", BLUE), "the truth": (result.truth, "D", GREEN)}
        for line, (name, (scores, mark, colour)) in enumerate(lines.items()):
            heights = line + jitter.uniform(-0.16, 0.16, len(scores))
            axes.plot(scores, heights, mark, color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
            mean, std = scores.mean(), scores.std(ddof=1)
            axes.errorbar(mean, line + 0.3, xerr=std, fmt="|", color=INK, linewidth=2, markersize=10, markeredgewidth=2)
            names.append(f"{name}\n{mean:.3f} ± {std:.3f}")
        axes.set_yticks(range(len(lines)), names)
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

    def program(self, settings: ProtocolSettings, result: ProtocolReports) -> tuple[str, str]:
        """The same evaluations in Keras, one network after the other."""
        few, draws = draw_few(self.dataset, settings.rows), len(result.truth)
        repeats = settings.repeats if settings.protocol == "iterated K-fold" else 1
        values = {"settings": settings, "repeats": repeats, "draws": draws, "seed": "seed"}
        return few_code("s3_protocol", SPEC, self.dataset, few, **values)

    def summarise(self, result: ProtocolReports) -> str:
        """By how much a report misses."""
        return f"The reports miss the truth by {result.miss:.3f} on average."
