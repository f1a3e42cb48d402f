"""The panel of a learner's own progress: lessons, predictions, problems, as the journal has them now."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from types import MappingProxyType

import ipywidgets as widgets
import pandas as pd

from recipe.core.measures import MEASURES
from recipe.figures import BLUE, INK, ORANGE, SKY, finish
from recipe.journal import Journal, choose_journal
from recipe.teach.progress import LESSONS, Progress, collect_progress
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting
from recipe.ui.texts import show_value

if typing.TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PICTURES = MappingProxyType({"lessons": "lessons", "predictions": "predictions", "problems": "problems"})
BEATEN = MappingProxyType({True: "beaten beyond chance", False: "not beaten yet", None: "cannot be told"})


@dataclass(frozen=True, kw_only=True)
class ProgressSettings(Settings):
    """What the panel shows a picture of."""

    show: str = setting("lessons", choices=PICTURES, help="What is drawn; the sentences below are always of all.")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The progress, and what of it is drawn."""

    progress: Progress
    show: str


class ProgressPanel(Panel):
    """How far you are: the questions of each lesson, how well you know what you know, and what you trained.

    It reads the journal of this machine and sends nothing. ``print(collect_progress())`` says the same without widgets,
    and ``recipe progress`` in a terminal.

    Parameters
    ----------
    journal : what is read; ``"default"`` is the learner's own
    **settings : fields of `ProgressSettings`
    """

    title = "How far am I?"
    settings_type = ProgressSettings
    live = True
    run_words = "Read again"
    figure_size = (7.2, 3.9)

    def __init__(self, *, journal: Journal | str | Path | None = "default", **settings: object) -> None:
        self.journal = journal
        super().__init__(**settings)

    def arguments(self) -> tuple[object, ...]:
        """Nothing that the line of settings needs: on another machine it is another journal."""
        return ()

    def make_right(self) -> list[widgets.Widget]:
        """The figure, and all of it in words below."""
        self.notes = widgets.HTML()
        return [self.image, self.notes]

    def source_text(self) -> str:
        """Nothing is loaded: the numbers are the learner's own."""
        return "your own journal, on this machine. Nothing is sent."

    def compute(self, settings: ProgressSettings, on_progress: OnProgress, stop: threading.Event) -> Picture:
        """Read the journal, unless it is as long as it was."""
        journal = choose_journal(self.journal)
        size = journal.location.stat().st_size if journal and journal.location.exists() else 0
        return Picture(progress=self.once(size, lambda: collect_progress(journal), stop), show=settings.show)

    def draw(self, figure: Figure, result: Picture) -> None:
        """Draw what was chosen."""
        draw = {"lessons": draw_lessons, "predictions": draw_calibration, "problems": draw_problems}[result.show]
        draw(figure.subplots(), result.progress)

    def describe(self, result: Picture) -> str:
        """The same in words, number by number."""
        table = self.tabulate(result).map(show_value)
        if table.empty:
            return f"Nothing to be drawn yet: no {result.show}."
        rows = [", ".join(f"{name} {value}" for name, value in row.items()) for row in table.to_dict("records")]
        return f"{result.show.capitalize()}. {'. '.join(rows)}."

    def tabulate(self, result: Picture) -> pd.DataFrame:
        """A row a lesson, a confidence or a problem."""
        progress = result.progress
        if result.show == "predictions":
            return progress.calibration
        rows = [vars(one) for one in (progress.lessons if result.show == "lessons" else progress.problems)]
        return pd.DataFrame(rows)

    def summarise(self, result: Picture) -> str:
        """The first of the sentences."""
        return result.progress.sentences[0]

    def show_result(self, result: Picture | None) -> None:
        """The figure, and the sentences below it."""
        super().show_result(result)
        told = () if result is None else result.progress.sentences
        items = "".join(f"<li>{escape(one)}</li>" for one in told)
        self.notes.value = f"<ul data-role='notes' style='line-height:1.4; margin:4px 0'>{items}</ul>"


def draw_lessons(axes: Axes, progress: Progress) -> Axes:
    """Draw a bar a lesson: questions right at the first try, answered otherwise, and open; its state stands behind."""
    lessons = progress.lessons
    parts = {
        "right at the first try": ([one.first_try for one in lessons], {"color": BLUE}),
        "answered otherwise, or predicted": ([one.answered - one.first_try for one in lessons], {"color": SKY}),
        "open": ([one.asked - one.answered for one in lessons], {"color": "white", "edgecolor": INK, "hatch": "///"}),
    }
    left, names = [0] * len(lessons), [LESSONS[one.lesson] for one in lessons]
    for label, (counts, look) in parts.items():
        axes.barh(names, counts, left=left, label=label, height=0.6, linewidth=0.6, **look)
        left = [total + count for total, count in zip(left, counts, strict=True)]
    for row, one in enumerate(lessons):
        axes.annotate(one.state, (one.asked, row), xytext=(5, 0), textcoords="offset points", va="center", color=INK)
    axes.set(xlabel="questions", xlim=(0, max(one.asked for one in lessons) + 2))
    axes.invert_yaxis()
    finish(axes, "Questions of the lessons")
    axes.figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize="small")
    return axes


def draw_calibration(axes: Axes, progress: Progress) -> Axes:
    """Draw how often predictions were right against how sure they were; on the line, nobody is too sure or too timid.

    The bars are the exact 90 % intervals, the number at each point says how many predictions it stands for.
    """
    table = progress.calibration
    axes.plot([0, 1], [0, 1], ":", color=INK, linewidth=1)
    axes.annotate("as sure as right", (0.47, 0.5), color=INK, ha="right", fontsize="small")
    if table.empty:
        axes.text(0.75, 0.5, "No prediction was kept yet.", ha="center", color=INK)
    else:
        spread = [table["share"] - table["low"], table["high"] - table["share"]]
        axes.errorbar(table["confidence"], table["share"], yerr=spread, fmt="o", color=BLUE, capsize=3)
        for row in table.itertuples():
            where = (row.confidence, row.share)
            axes.annotate(row.predictions, where, xytext=(7, 5), textcoords="offset points", color=INK)
    axes.set(xlabel="how sure (confidence)", ylabel="share that was right", xlim=(0.2, 1.04), ylim=(-0.04, 1.04))
    score = "" if table.empty else f", Brier score {progress.brier:.3f}"
    finish(axes, f"{len(progress.predictions)} predictions{score}")
    return axes


def draw_problems(axes: Axes, progress: Progress) -> Axes:
    """Draw what is left of the baseline's error, a bar a problem; the line is the baseline itself."""
    shown = [(one, left) for one in progress.problems if (left := _left_over(one)) == left]
    for row, (one, left) in enumerate(shown):
        axes.barh(row, left, height=0.6, color=BLUE if one.beaten else "white", edgecolor=BLUE, linewidth=1)
        words = BEATEN[one.beaten] + ", overfitted" * one.overfitted
        where = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(words, (left, row), color=INK, bbox={"color": "white", "pad": 1}, **where)
    if not shown:
        axes.text(0.5, 0.5, "No run with a score yet.", ha="center", color=INK, transform=axes.transAxes)
    axes.set_yticks(range(len(shown)), [f"{one.problem}\n({one.source}, {one.runs:,} runs)" for one, _ in shown])
    axes.axvline(1, color=ORANGE, linestyle="--")
    axes.set(
        xlabel="error of the best run, in errors of the baseline",
        xlim=(0, 1.6 * max(1, *(left for _, left in shown), 1)),
    )
    axes.invert_yaxis()
    finish(axes, "Baselines (dashed)")
    return axes


def _left_over(one: typing.Any) -> float:
    """Return the error of the best run as a part of the baseline's; NaN where there is none."""
    measure = MEASURES[one.measure]
    if measure.higher_is_better:
        return (1 - one.score) / (1 - one.baseline) if one.baseline < 1 else float("nan")
    return one.score / one.baseline if one.baseline > 0 else float("nan")
