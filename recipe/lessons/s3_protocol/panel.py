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
from recipe.core.spec import ModelSpec
from recipe.figures import BLUE, GREEN, INK, finish, name_measure
from recipe.steps.s3_protocol import k_fold, take_split
from recipe.steps.training import cross_validate
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

PROTOCOLS = ("hold-out", "K-fold", "iterated K-fold")
MODELS_TOGETHER = 60  # in one program: enough to be quick, few enough that results come in while it goes on
TRUTH_ROWS = 20_000  # at most: the standard error of an accuracy of 0.9 is 0.2 points on so many
SPEC = ModelSpec(hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=40)


@dataclass(frozen=True, kw_only=True)
class ProtocolSettings(Settings):
    """What the panel's controls say."""

    protocol: str = setting("K-fold", label="protocol", choices=PROTOCOLS, help="How the rows are judged on.")
    folds: int = setting(4, label="K (folds)", low=2, high=10, help="Hold-out keeps one of K parts.")
    repeats: int = setting(3, label="repetitions", low=2, high=10, help="Of iterated K-fold; the others ignore it.")
    rows: int = setting(200, label="rows", low=40, high=800, step=20, help="All that the protocol has.")
    draws: int = setting(20, label="times", low=5, high=60, step=5, help="How often the whole procedure is done.")
    redraw: str = setting(
        "rows",
        label="new each time",
        choices={"the rows": "rows", "only the cut": "cut"},
        help="Other rows each time, or the same rows cut and shuffled anew.",
    )

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
    """What a protocol reported, again and again, and what was true each time.

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
    def models(self) -> int:
        """How many networks were trained for it, the final ones included."""
        return len(self.reported) * (self.settings.models + 1)

    @property
    def spread(self) -> float | None:
        """The standard deviation of the reports; None of a single one."""
        return float(np.std(self.reported, ddof=1)) if len(self.reported) > 1 else None

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
    final network is trained on all those rows and judged on the rest. The sealed test set is not touched.

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
    together = math.ceil(settings.draws / programs)  # of one size, so that one program serves them all
    reported, truth, reports = [], [], None
    for first in range(0, settings.draws, together):
        draws = range(first, min(first + together, settings.draws))
        finals, folds = zip(*(_draw(dataset, settings, seed) for seed in draws), strict=True)
        jobs = [split for splits in folds for split in splits]
        done, total = first * settings.models, settings.draws * settings.models
        on_progress(reports, f"Models {done + 1} to {done + len(jobs)} of {total}")
        runs = cross_validate(SPEC.replace(seed=done), jobs, stop=stop, journal=None)
        ends = cross_validate(SPEC.replace(seed=done), finals, stop=stop, journal=None)
        if any(run.stopped for run in (*runs, *ends)):
            break
        groups = [runs[start : start + settings.models] for start in range(0, len(runs), settings.models)]
        reported += [np.mean([run.score for run in group]) for group in groups]
        truth += [run.history[f"val_{run.measure}"][-1] for run in ends]
        reports = ProtocolReports(settings=settings, reported=np.array(reported), truth=np.array(truth))
    return reports


def _draw(dataset: Dataset, settings: ProtocolSettings, seed: int) -> tuple[Split, list[Split]]:
    """Draw rows: all of them against the rest, and the cuts of the protocol."""
    samples, rows = len(dataset.y_train), settings.rows
    if rows > samples // 2:
        raise ValueError(
            f"Of {samples:,} training samples {samples // 2:,} can be drawn, so that the rest is large enough to be "
            f"the truth. Received: rows={rows}. Take fewer."
        )
    order = np.random.default_rng(seed if settings.redraw == "rows" else 0).permutation(samples)
    final = take_split(dataset, order[:rows], order[rows : rows + TRUTH_ROWS], protocol="all rows against the rest")
    few = dataclasses.replace(dataset, x_train=final.x_train, y_train=final.y_train)
    repeats = settings.repeats if settings.protocol == "iterated K-fold" else 1
    return final, list(k_fold(few, folds=settings.folds, repeats=repeats, seed=seed)[: settings.models])


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
        axes.axvline(float(np.mean(result.truth)), color=GREEN, linestyle="--", linewidth=1.5, zorder=0)
        lines = {result.settings.name: (result.reported, "o", BLUE), "the truth": (result.truth, "D", GREEN)}
        for line, (scores, mark, colour) in enumerate(lines.values()):
            heights = line + jitter.uniform(-0.16, 0.16, len(scores))
            axes.plot(scores, heights, mark, color=colour, markersize=5, alpha=0.55, markeredgewidth=0)
            mean, std = float(np.mean(scores)), float(np.std(scores, ddof=1)) if len(scores) > 1 else None
            axes.errorbar(mean, line + 0.3, xerr=std, fmt="|", color=INK, linewidth=2, markersize=10, markeredgewidth=2)
            beside = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
            words = f"{mean:.3f}" if std is None else f"{mean:.3f} ± {std:.3f}"
            axes.annotate(words, (1.01, line), color=INK, **beside)
        axes.set_yticks(range(len(lines)), list(lines))
        axes.set_ylim(len(lines) - 0.4, -0.5)
        axes.margins(x=0.06)
        axes.ticklabel_format(axis="x", useOffset=False)  # of a few reports, which lie close together
        axes.set_xlabel(name_measure(self.dataset.problem))
        axes.grid(axis="x", alpha=0.2)
        fresh = "other rows each time" if result.settings.redraw == "rows" else "the same rows, cut anew each time"
        times = f"{len(result.truth)} time{'s' * (len(result.truth) > 1)}"
        finish(axes, f"{result.settings.rows:,} rows, {times}: {fresh} (data: {self.dataset.source})")

    def describe(self, result: ProtocolReports) -> str:
        """The reports and the truth in words."""
        lines = {f"{result.settings.name} reports": result.reported, "the truth is": result.truth}
        parts = [
            f"{name} {np.mean(scores):.3f} on average, from {np.min(scores):.3f} to {np.max(scores):.3f}"
            for name, scores in lines.items()
        ]
        return f"{name_measure(self.dataset.problem)} in {len(result.truth)} repetitions: {'; '.join(parts)}."

    def tabulate(self, result: ProtocolReports) -> pd.DataFrame:
        """A row for each repetition."""
        numbers = pd.RangeIndex(1, len(result.truth) + 1, name="repetition")
        return pd.DataFrame({"reported": result.reported, "truth": result.truth}, index=numbers).reset_index()

    def summarise(self, result: ProtocolReports) -> str:
        """How many models that took, and by how much a report misses."""
        spread = "" if result.spread is None else f"have a standard deviation of {result.spread:.3f} and "
        return f"{result.models} models. The reports {spread}miss the truth by {result.miss:.3f} on average."
