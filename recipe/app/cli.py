"""The command `recipe`: walk the whole workflow on a problem, have its data ready, search for a spec, list all runs.

In a terminal it shows the steps as they are done, how far a training is, and tables; into a pipe goes plain text.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box, progress
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import recipe  # whose names are imported on first use: the help is there at once
from recipe.core.measures import MEASURES, name_measure
from recipe.core.run import EpochReport, Run
from recipe.data.problems import PROBLEMS, default_rows
from recipe.teach.cli import INTERRUPTED, explained
from recipe.teach.cli import app as teach_app

if TYPE_CHECKING:
    import pandas as pd

    from recipe.app.workflow import RecipeResult, Step
    from recipe.core.dataset import Dataset

SHOWN_TRIALS, SHOWN_RUNS = 10, 20
LAST_STEP = 7  # what comes after it, the final model, has no number

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(teach_app)  # without a name of its own: its commands stand among these
NameOrPath = Annotated[
    str,
    typer.Argument(
        help=f"One of {', '.join(PROBLEMS)}; or data of your own: a CSV file (with --target), or a folder that has one "
        "folder a class, with images or texts in it."
    ),
]
Target = Annotated[str | None, typer.Option(help="Of a CSV file of your own, the column to predict.")]
Source = Annotated[str, typer.Option(help="Where the data is from: auto, local, download or sample.")]
Rows = Annotated[int | None, typer.Option(help="Samples in all; the problem's own number if left out.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recipe {recipe.__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Learn the universal workflow of deep learning: seven steps from a question to a model."""
    # A terminal or a file that cannot show a character gets a question mark, never a crash.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@app.command()
def run(
    problem: NameOrPath,
    target: Target = None,
    source: Source = "auto",
    seed: Annotated[int, typer.Option(help="Fixes the split, the first weights and the shuffling.", min=0)] = 0,
    rows: Rows = None,
    report: Annotated[Path | None, typer.Option(help="Write a report to this HTML file.", dir_okay=False)] = None,
    json: Annotated[Path | None, typer.Option(help="Write the numbers to this JSON file.", dir_okay=False)] = None,
) -> None:
    """Walk the seven steps on a problem, from its data to the one look at the test set.

    Ctrl-C ends it after the epoch that is under way; what was done so far is shown and written.
    """
    with explained():
        _make_folders(report, json)
        dataset = _load(problem, source, rows, seed, target)
    for note in dataset.notes:
        typer.echo(f"Data: {note}")
    with explained(errors=()):  # what goes wrong from here on is a fault of the kit's own
        from recipe.app.report import render_html, render_json

        with LiveView(Console()) as view:
            result = recipe.run_recipe(dataset, seed=seed, on_event=view.take)
    view.show_end(result)
    _write(json, lambda: render_json(result))
    _write(report, lambda: render_html(result))
    raise typer.Exit(INTERRUPTED if result.stopped_in else 0)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names of problems; all data if left out.")] = None,
) -> None:
    """Have the data ready in advance: verify what is there, download what is not."""
    import pandas as pd

    with explained(), warnings.catch_warnings():
        # A damaged file that is fetched again is news for people, in one line.
        warnings.showwarning = lambda message, *_: typer.echo(f"Note: {message}", err=True)
        warnings.simplefilter("always", RuntimeWarning)
        files = recipe.fetch(names or None)
    table = pd.DataFrame(files)[["name", "bytes", "source", "verified", "path"]]
    Console().print(make_table(table, "Data that is ready"))


@app.command()
def tune(
    problem: NameOrPath,
    target: Target = None,
    trials: Annotated[int, typer.Option(help="How many specs to try.", min=1)] = 20,
    source: Source = "auto",
    rows: Rows = None,
    folds: Annotated[
        int | None, typer.Option(help="Judge each trial by K-fold with so many folds, not by one hold-out.", min=2)
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is tried and the first weights.", min=0)] = 0,
) -> None:
    """Search for a better spec; the runs that the journal holds on the same data are known to it.

    Ctrl-C ends it after the epoch that is under way; what was found so far is shown and kept.
    """
    count = itertools.count(1)

    def tell(run: Run) -> None:
        typer.echo(f"Trial {next(count)} of {trials}: {run.score:.4g}, {run.spec.describe()}")

    with explained():
        dataset = _load(problem, source, rows, target=target)
        data = recipe.k_fold(dataset, folds=folds) if folds else dataset
        found = recipe.tune(data, trials=trials, seed=seed, on_trial=tell)
    if found.trials:
        table = found.to_frame().head(SHOWN_TRIALS)[["score", "best_epoch", "seconds", "state", "origin", "spec"]]
        title = f"{dataset.problem.name}: {name_measure(dataset.problem)} (data: {dataset.source})"
        Console().print(make_table(table, title))
    for sentence in found.sentences:
        typer.echo(sentence)
    raise typer.Exit(INTERRUPTED if found.stopped == "interrupted" else 0)


@app.command()
def runs(
    problem: Annotated[str | None, typer.Option(help="Of this problem alone.")] = None,
    best: Annotated[int | None, typer.Option(help="The N best of each problem, the best first.", min=1)] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all of them to this CSV file.", dir_okay=False)] = None,
) -> None:
    """List, filter and export the journal: every run, from notebooks, panels, searches and this command."""
    with explained():
        from recipe.journal import default_journal

        _make_folders(csv)
        journal = default_journal()
        if journal is None:
            raise ValueError("The journal is off. Received: RECIPE_JOURNAL=off. Unset it, and every run is recorded.")
        kept = journal.to_frame()
        chosen = _select(kept if problem is None else kept[kept["problem"] == problem], best)
    title = f"{len(chosen):,} of {len(kept):,} runs in {journal.location}"
    if chosen.empty:
        typer.echo(f"{title}. A run is recorded whenever a model is trained: here, in a notebook, in a panel.")
    else:
        shown = chosen.head(SHOWN_RUNS)
        when = shown["time"].dt.tz_convert(datetime.now().astimezone().tzinfo).dt.strftime("%Y-%m-%d %H:%M")
        table = shown.assign(when=when)[["when", "problem", "source", "spec", "score", "epochs", "state", "origin"]]
        caption = "Scores are of validation data; they compare within one problem and its data alone."
        Console().print(make_table(table, title, caption))
    if len(chosen) > SHOWN_RUNS:
        typer.echo(f"{len(chosen) - SHOWN_RUNS:,} more: --csv writes them all.")
    _write(csv, lambda: chosen.to_csv(index=False))


def _select(table: pd.DataFrame, best: int | None) -> pd.DataFrame:
    """Return all runs, the newest first; or the best ones, problem by problem."""
    if best is None:
        return table[::-1]  # by time, and of two in one millisecond the later one first
    table = table[(table["state"] == "complete") & table["score"].notna()]
    gains = [MEASURES[name].gain(score, 0.0) for name, score in zip(table["measure"], table["score"], strict=True)]
    ranked = table.assign(gain=gains).sort_values(["problem", "gain"], ascending=[True, False])
    return ranked.drop(columns="gain").groupby("problem").head(best)


def _load(name: str, source: str, rows: int | None, seed: int = 0, target: str | None = None) -> Dataset:
    """Return a problem of the kit, or data of one's own where that is no name of a problem and a path."""
    path = Path(name)
    if name in PROBLEMS or not (target is not None or path.exists() or path.suffix):
        return recipe.load(name, source=source, rows=default_rows(name) if rows is None else rows, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they stand among the notes, which are shown
        if path.is_dir():
            return recipe.from_folder(path, seed=seed, name=path.resolve().name)
        return recipe.from_table(path, target or "", seed=seed, name=path.stem)


def _make_folders(*paths: Path | None) -> None:
    """Make the folders of files that are written at the end: what is wrong with them shows before the work."""
    for path in filter(None, paths):
        path.parent.mkdir(parents=True, exist_ok=True)


def _write(path: Path | None, make: Callable[[], str]) -> None:
    """Write a file, if it was asked for, and say where it is."""
    if path is not None:
        with explained(errors=(OSError,)):
            unfinished = path.with_name(f"{path.name}.unfinished")  # a full disk must not cost what stood there before
            unfinished.write_text(make(), encoding="utf-8")
            unfinished.replace(path)
        typer.echo(f"Written: {path}")


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
            if event.epoch == 0:  # another training begins, and with it its time
                self.reset(self.task_ids[0])
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
