"""What the terminal shows while the workflow runs, and at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from recipe.app import trials
from recipe.app.steps import Step
from recipe.app.workflow import RecipeResult, StepFinished, StepStarted
from recipe.core.measures import MEASURES
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.files import FetchedFile

LAST_STEP = 7  # what comes after it, the final model, has no number


class LiveView:
    """Shows each step as it is finished, and a progress bar while a model trains; plain text where no terminal is."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.finished_steps = 0
        self._bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=24),
            TextColumn("epoch {task.completed:,} of {task.total:,}"),
            TextColumn("{task.fields[score]}"),
            TextColumn("remaining"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar: TaskID | None = None
        self._name = ""

    def __enter__(self) -> LiveView:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the progress bar away."""
        self._bars.stop()

    def take(self, event: object) -> None:
        """Show an event of `run_recipe`."""
        if isinstance(event, StepStarted):
            self._say(_heading(event))
        elif isinstance(event, trials.Progress):
            self._show_progress(event)
        elif isinstance(event, StepFinished):
            self._drop_bar()
            self.finished_steps += 1
            self._show_step(event.step)

    def show_end(self, result: RecipeResult) -> None:
        """Print the summary: the scores, the source, and the verdict of the test set or the interruption."""
        self.close()
        if result.lines:
            self._say(Text())
            self._say(summary_table(result))
        if result.dataset is not None:
            self._say(Text(f"Data: {result.dataset.source}. {result.dataset.provenance}"))
        if result.stopped:
            self._say(Text(f"Interrupted in step {min(result.stopped_in, LAST_STEP)}. {_what_is_left(result)}"))
        self._say(Text(f"{result.seconds:.0f} s in all."))

    def _say(self, what: object) -> None:
        self.console.print(what)

    def _show_step(self, step: Step) -> None:
        for sentence in step.sentences:
            self._say(Padding(Text(sentence), (0, 0, 0, 2)))

    def _show_progress(self, event: trials.Progress) -> None:
        name = event.name if event.parts == 1 else f"{event.name}, {event.parts} folds"
        if self._bar is None or name != self._name or event.done == 1:
            self._drop_bar()
            self._bar, self._name = self._bars.add_task(name, total=event.total, score=""), name
        shown = [key for key in event.logs if key.removeprefix("val_") in MEASURES and key.startswith("val_")]
        score = ", ".join(f"{MEASURES[key[4:]].title} {event.logs[key]:.3f}" for key in shown)
        self._bars.update(self._bar, completed=event.done, score=score)

    def _drop_bar(self) -> None:
        if self._bar is not None:
            self._bars.remove_task(self._bar)
            self._bar = None


def summary_table(result: RecipeResult) -> Table:
    """Return the scores as a table, from the baseline to the test set."""
    measure = MEASURES[result.problem.measure]
    unit = measure.unit_of(result.problem)
    title = f"{result.problem.name}: {measure.title}{f' in {unit}' if unit else ''}, "
    table = Table(title=title + ("higher is better" if measure.higher_is_better else "lower is better"))
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
    table = Table(title="Data that is ready")
    for name in ("file", "size", "source", "what was verified", "folder"):
        table.add_column(name, justify="right" if name == "size" else "left", overflow="fold")
    for file in files:
        size = f"{file.bytes / 1e6:.1f} MB"
        table.add_row(file.name, size, file.source, Text(file.verified), Text(str(file.path.parent)))
    return table


def runs_table(entries: Sequence[Run], title: str) -> Table:
    """Return entries of the journal as a table, a run a line."""
    caption = "*: pinned. Scores are of validation data; they compare within one problem and its data alone."
    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("when", "problem", "model", "score", "epochs", "origin"):
        is_number = name in ("score", "epochs")
        table.add_column(name, justify="right" if is_number else "left", no_wrap=name in ("when", "epochs"))
    for entry in entries:
        when = datetime.fromisoformat(entry.time).astimezone().strftime("%Y-%m-%d %H:%M") if entry.time else ""
        data = f"{entry.problem.name} ({entry.source})" if entry.source not in ("", "local") else entry.problem.name
        cells = when + "*" * entry.pinned, data, _show_model(entry.spec), _show_result(entry)
        table.add_row(*map(Text, cells), f"{entry.epochs:,}", Text(entry.origin))
    return table


_NUMBERS = ("dropout", "l1", "l2", "learning_rate")


def _show_model(spec: ModelSpec) -> str:
    """Say in a few words what is special about a spec."""
    usual = ModelSpec()
    special = {name: value for name, value in vars(spec).items() if value != getattr(usual, name)}
    parts = [" ".join(filter(None, (spec.architecture, "-".join(map(str, spec.hidden_units)))))]
    parts += [f"{name.replace('_', ' ')} {special[name]:.3g}" for name in _NUMBERS if name in special]
    parts += [special[name] for name in ("activation", "optimizer") if name in special]
    return ", ".join([*parts, f"seed {spec.seed}"])


def _show_result(entry: Run) -> str:
    """Say how a run did, and what it was where it was not a usual one."""
    ended = "final" if entry.final else "" if entry.state == "complete" else entry.state
    return " ".join(filter(None, ("" if math.isnan(entry.score) else f"{entry.score:.4g}", ended)))


def _heading(event: StepStarted) -> Text:
    number = f"Step {event.number} of {LAST_STEP}. " if event.number <= LAST_STEP else ""
    return Text(f"\n{number}{event.title}", style="bold")


def _what_is_left(result: RecipeResult) -> str:
    looks = result.dataset.test.looks if result.dataset is not None else 0
    seal = "The test set stayed sealed." if not looks else "The test set was opened."
    return f"What was done until then is above and in what is written. {seal}"
