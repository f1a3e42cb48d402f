"""What the terminal shows: the steps as they are done, how far a training is, and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box, progress
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from recipe.core.measures import MEASURES, name_measure
from recipe.core.run import EpochReport

if TYPE_CHECKING:
    import pandas as pd

    from recipe.app.workflow import RecipeResult, Step

LAST_STEP = 7  # what comes after it, the final model, has no number


class LiveView(progress.Progress):
    """Shows each step as it is finished, and a progress bar while a model trains; plain text where no terminal is."""

    def __init__(self, console: Console) -> None:
        columns = ("  {task.description}", progress.BarColumn(bar_width=24), progress.MofNCompleteColumn(), "epochs")
        left = ("{task.fields[score]}", "remaining", progress.TimeRemainingColumn())
        super().__init__(*columns, *left, console=console, transient=True, disable=not console.is_terminal)

    def take(self, event: Step | EpochReport) -> None:
        """Show an event of `run_recipe`."""
        if isinstance(event, EpochReport):
            found = {one.title: event.logs.get(f"val_{name}") for name, one in MEASURES.items()}
            score = ", ".join(f"{title} {value:.3f}" for title, value in found.items() if value is not None)
            self.update(self.task_ids[0], visible=True, completed=event.epoch + 1, total=event.epochs, score=score)
            return
        for bar in self.task_ids:
            self.remove_task(bar)
        if not event.sentences:
            number = f"Step {event.number} of {LAST_STEP}. " if event.number <= LAST_STEP else ""
            self.console.print(Text(f"\n{number}{event.title}", style="bold"))
            self.add_task(event.title, total=None, visible=False, score="")  # is seen once something is trained
        for sentence in event.sentences:
            self.console.print(Padding(Text(sentence), (0, 0, 0, 2)))

    def show_end(self, result: RecipeResult) -> None:
        """Print the summary: the scores, the source, and the interruption if there was one."""
        scores = result.to_frame()
        if len(scores):
            frame = scores[["score", "part", "epochs", "description"]].reset_index()
            self.console.line()
            better = "Higher" if MEASURES[result.problem.measure].higher_is_better else "Lower"
            title = f"{result.problem.name}: {name_measure(result.problem)}"
            self.console.print(make_table(frame, title, f"{better} is better."))
        self.console.print(Text(f"Data: {result.dataset.source}. {result.dataset.provenance}"))
        if result.stopped_in:
            seal = "The test set was opened." if result.dataset.test.looks else "The test set stayed sealed."
            left = f"What was done until then is above and in what is written. {seal}"
            self.console.print(Text(f"Interrupted in step {min(result.stopped_in, LAST_STEP)}. {left}"))
        self.console.print(Text(f"{result.seconds:.0f} s in all."))


def make_table(frame: pd.DataFrame, title: str, caption: str | None = None) -> Table:
    """Return a table for people: numbers to the right and never broken, missing ones empty, texts as they are."""
    from pandas.api.types import is_float_dtype, is_numeric_dtype

    table = Table(title=Text(title), caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    columns = []
    for name, column in frame.items():
        is_number = is_numeric_dtype(column)
        justify = "right" if is_number else "left"
        table.add_column(str(name), justify=justify, no_wrap=is_number or name == frame.columns[0], overflow="fold")
        form = "{:.4g}" if is_float_dtype(column) else "{:,}" if is_number else "{}"
        columns.append(["" if value != value else form.format(value) for value in column])
    for row in zip(*columns, strict=True):
        table.add_row(*map(Text, row))
    return table
