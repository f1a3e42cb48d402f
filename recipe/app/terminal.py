"""What the terminal shows: the steps as they are done, how far a training or a search is, and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from recipe.core.measures import MEASURES
from recipe.core.problem import Problem
from recipe.core.run import Run

if TYPE_CHECKING:
    import pandas as pd

    from recipe.app.workflow import Progress, RecipeResult, Step
    from recipe.data.files import FetchedFile
    from recipe.search import Tuning

LAST_STEP = 7  # what comes after it, the final model, has no number


def _make_bars(console: Console, counted: str, told: str) -> Bars:
    """Return progress bars that vanish at their end; nothing where no terminal is."""
    return Bars(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=24),
        TextColumn(counted),
        TextColumn(told),
        TextColumn("remaining"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


class LiveView:
    """Shows each step as it is finished, and a progress bar while a model trains; plain text where no terminal is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars = _make_bars(console, "epoch {task.completed:,} of {task.total:,}", "{task.fields[score]}")
        self._bar: TaskID | None = None

    def __enter__(self) -> LiveView:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def take(self, event: Step | Progress) -> None:
        """Show an event of `run_recipe`."""
        if hasattr(event, "report"):
            self._show_progress(event)
            return
        self._drop_bar()
        if not event.sentences:
            number = f"Step {event.number} of {LAST_STEP}. " if event.number <= LAST_STEP else ""
            self.console.print(Text(f"\n{number}{event.title}", style="bold"))
        for sentence in event.sentences:
            self.console.print(Padding(Text(sentence), (0, 0, 0, 2)))

    def show_end(self, result: RecipeResult) -> None:
        """Print the summary: the scores, the source, and the interruption if there was one."""
        if result.lines:
            self.console.print()
            self.console.print(summary_table(result))
        if result.dataset is not None:
            self.console.print(Text(f"Data: {result.dataset.source}. {result.dataset.provenance}"))
        if result.stopped:
            seal = "The test set was opened." if result.test else "The test set stayed sealed."
            left = f"What was done until then is above and in what is written. {seal}"
            self.console.print(Text(f"Interrupted in step {min(result.stopped_in, LAST_STEP)}. {left}"))
        self.console.print(Text(f"{result.seconds:.0f} s in all."))

    def _show_progress(self, event: Progress) -> None:
        if event.done == 1:
            self._drop_bar()
            name = event.name if event.parts == 1 else f"{event.name}, {event.parts} folds"
            self._bar = self._bars.add_task(name, total=event.total, score="")
        logs = event.report.logs
        scores = [f"{one.title} {logs['val_' + name]:.3f}" for name, one in MEASURES.items() if "val_" + name in logs]
        self._bars.update(self._bar, completed=event.done, score=", ".join(scores))

    def _drop_bar(self) -> None:
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None


class SearchBar:
    """A line that tells how far a search is, and its best score so far; nothing where no terminal is."""

    def __init__(self, console: Console, trials: int) -> None:
        self._bars = _make_bars(console, "{task.completed} of {task.total}", "{task.fields[best]}")
        self._task = self._bars.add_task("trial", total=trials, best="")
        self._runs: list[Run] = []

    def __enter__(self) -> SearchBar:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def take(self, run: Run) -> None:
        """Count a trial, and show the best so far."""
        from recipe.search import best_of

        self._runs.append(run)
        best = best_of(self._runs)
        self._bars.update(self._task, advance=1, best="" if best is None else f"best {best.score:.4g}")


def summary_table(result: RecipeResult) -> Table:
    """Return the scores as a table, from the baseline to the test set."""
    table = Table(title=f"{result.problem.name}: {_name_measure(result.problem)}")
    table.add_column("model", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("measured on")
    table.add_column("epochs", justify="right")
    table.add_column("what it is")
    for line in result.lines:
        epochs = "" if line.epochs is None else f"{line.epochs:,}"
        style = "bold" if line.part == "test" else None
        table.add_row(line.name, f"{line.score:.4g}", line.part, epochs, Text(line.description), style=style)
    return table


def file_table(files: Iterable[FetchedFile]) -> Table:
    """Return what was verified as a table, a file a line."""
    rows = [(one.name, f"{one.bytes / 1e6:.1f} MB", one.source, one.verified, str(one.path.parent)) for one in files]
    table = Table(title="Data that is ready")
    return _fill(table, ("file", "size", "source", "what was verified", "folder"), rows, numbers=("size",))


def runs_table(runs: pd.DataFrame, title: str) -> Table:
    """Return runs of the journal, as `recipe.journal.tabulate` gives them, as a table, a run a line."""
    caption = "*: pinned. Scores are of validation data; they compare within one problem and its data alone."
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    local = runs["time"].map(lambda time: time.to_pydatetime().astimezone().strftime("%Y-%m-%d %H:%M"))
    when = local + runs["pinned"].map({True: "*", False: ""})
    data = runs["problem"] + runs["source"].map(lambda source: "" if source in ("", "local") else f" ({source})")
    ended = runs["state"].mask(runs["state"] == "complete", "").mask(runs["final"].astype(bool), "final")
    scores = [f"{_show(score)} {end}".strip() for score, end in zip(runs["score"], ended, strict=True)]
    rows = zip(when, data, runs["spec"], scores, runs["epochs"].map("{:,}".format), runs["origin"], strict=True)
    names = ("when", "problem", "model", "score", "epochs", "origin")
    return _fill(table, names, rows, numbers=("score", "epochs"), whole=("when", "epochs"))


def trials_table(found: Tuning, most: int) -> Table:
    """Return the best trials of a search as a table, a trial a line."""
    trials = found.to_frame()
    first = f"the first {most} of {len(trials)} trials, " if len(trials) > most else ""
    table = Table(title=f"{found.problem.name}: {first}{_name_measure(found.problem)} (data: {found.source})")
    shown = trials.head(most)
    numbers = shown["score"].map(_show), shown["best_epoch"].astype(str), shown["seconds"].map("{:.1f}".format)
    rows = zip(*numbers, shown["ending"], shown["origin"], shown["spec"], strict=True)
    names = ("score", "epoch", "s", "how it ended", "made by", "spec")
    return _fill(table, names, rows, numbers=names[:3], whole=names[:3])


def _show(score: float) -> str:
    return "" if math.isnan(score) else f"{score:.4g}"


def _fill(
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Table:
    """Add columns, those of numbers to the right and those in `whole` never broken, and the rows, as they are."""
    for name in names:
        justify = "right" if name in numbers else "left"
        table.add_column(name, justify=justify, no_wrap=name in whole, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _name_measure(problem: Problem) -> str:
    measure = MEASURES[problem.measure]
    unit = measure.unit_of(problem)
    better = "higher is better" if measure.higher_is_better else "lower is better"
    return f"{measure.title}{f' in {unit}' if unit else ''}, {better}"
