"""The command `recipe`: walk the whole workflow on a problem, have its data ready, search for a spec, list all runs."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from recipe import __version__
from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from recipe.core.dataset import Dataset
    from recipe.core.run import Run
    from recipe.journal import Journal

FAILED, WRONG_INPUT = 1, 2
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended
SORTS = ("time", "score")
SHOWN_TRIALS = 10

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Learn the universal workflow of deep learning: seven steps from a question to a model.",
)
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
        typer.echo(f"recipe {__version__}")
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
    report: Annotated[Path | None, typer.Option(help="Write a report to this HTML file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the numbers to this JSON file.")] = None,
) -> None:
    """Walk the seven steps on a problem, from its data to the one look at the test set.

    Ctrl-C ends it after the epoch that is under way; what was done so far is shown and written.
    """
    with _explained():
        _check_targets(report, json)
        dataset = _load(problem, source, rows, seed, target)
    console = _console()
    _say(console, *(f"Data: {note}" for note in dataset.notes))
    with _explained(errors=()):  # what goes wrong from here on is a fault of the kit's own
        from recipe.app.report import render_html, render_json
        from recipe.app.terminal import LiveView
        from recipe.app.workflow import run_recipe
        from recipe.journal import origin_of

        with LiveView(console) as view, origin_of("command line"):
            result = run_recipe(dataset, rows=rows, seed=seed, on_event=view.take)
    view.show_end(result)
    _write({json: lambda: render_json(result), report: lambda: render_html(result)}, console)
    raise typer.Exit(INTERRUPTED if result.stopped else 0)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names of problems; all data if left out.")] = None,
) -> None:
    """Have the data ready in advance: verify what is there, download what is not."""
    from recipe.app.terminal import file_table
    from recipe.data.download import fetch as fetch_files

    with _explained(), warnings.catch_warnings():
        # A damaged file that is fetched again is news for people, in one line.
        warnings.showwarning = lambda message, *_: typer.echo(f"Note: {message}", err=True)
        warnings.simplefilter("always", RuntimeWarning)
        files = fetch_files(names or None)
    _console().print(file_table(files))


@app.command()
def tune(
    problem: NameOrPath,
    target: Target = None,
    trials: Annotated[int, typer.Option(help="How many specs to try.", min=1)] = 20,
    workers: Annotated[int, typer.Option(help="Processes that train at the same time.", min=1)] = 1,
    source: Source = "auto",
    rows: Rows = None,
    folds: Annotated[
        int | None, typer.Option(help="Judge each trial by K-fold with so many folds, not by one hold-out.", min=2)
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is tried and the first weights.", min=0)] = 0,
    seconds: Annotated[float | None, typer.Option(help="End after this time, with the epoch under way.", min=0)] = None,
    pruning: Annotated[bool, typer.Option(help="Give up trials that are worse than the others.")] = True,
) -> None:
    """Search for a better spec; the runs that the journal holds on the same data are known to it.

    Ctrl-C ends it after the epoch that is under way; what was found so far is shown and kept.
    """
    from recipe.app.terminal import SearchBar, trials_table

    console = _console()
    with _explained(), SearchBar(console, trials) as bar:
        from recipe.search import tune as search
        from recipe.steps.s3_protocol import k_fold

        dataset = _load(problem, source, rows, target=target)
        found = search(
            k_fold(dataset, folds=folds) if folds else dataset,
            trials=trials,
            seed=seed,
            pruning=pruning,
            workers=workers,
            on_trial=bar.take,
            seconds=seconds,
        )
    if found.trials:
        console.print(trials_table(found, SHOWN_TRIALS))
    _say(console, *found.sentences)
    raise typer.Exit(INTERRUPTED if found.stopped == "interrupted" else 0)


@app.command()
def runs(
    problem: Annotated[str | None, typer.Option(help="Of this problem alone.")] = None,
    origin: Annotated[
        str | None, typer.Option(help="Asked for by: notebook, script, panel, search or command line.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="On data from: local, download or sample.")] = None,
    since: Annotated[str | None, typer.Option(help="From this day or time on, such as 2026-03-01.")] = None,
    pinned: Annotated[bool, typer.Option("--pinned", help="Those that were pinned alone.")] = False,
    best: Annotated[int | None, typer.Option(help="The N best of each problem.", min=1)] = None,
    sort: Annotated[str, typer.Option(help="By time (newest first) or score (best first).")] = "time",
    limit: Annotated[int, typer.Option(help="Lines to show; files get all.", min=1)] = 20,
    csv: Annotated[Path | None, typer.Option(help="Write them to this CSV file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write them to this JSON file, with their curves.")] = None,
) -> None:
    """List, filter and export the journal: every run, from notebooks, panels, searches and this command."""
    with _explained():
        from recipe.app.terminal import runs_table
        from recipe.data.safe_files import to_safe_csv
        from recipe.journal import default_journal, tabulate

        _check_targets(csv, json)
        journal = default_journal()
        kept = [] if journal is None else journal.runs()
        wanted = {"problem": problem, "origin": origin, "source": source, "pinned": pinned or None}
        table = _select(tabulate(kept), wanted, since, best, sort)
    console = _console()
    if not kept:
        _say(console, _why_empty(journal))
        return
    title = f"{len(table):,} of {len(kept):,} runs in {journal.location}"
    if table.empty:
        _say(console, f"No run is like that: {title}.")
    else:
        console.print(runs_table(table.head(limit), title))
    if len(table) > limit:
        _say(console, f"{len(table) - limit:,} more: --limit {len(table)} shows them.")
    chosen = [kept[place] for place in table.index]
    _write({csv: lambda: to_safe_csv(table, index=False), json: lambda: _list_as_json(chosen)}, console)


def _select(
    table: pd.DataFrame, wanted: dict[str, object], since: str | None, best: int | None, sort: str
) -> pd.DataFrame:
    """Return the rows that are wanted: the newest first, or problem by problem and the best first."""
    from recipe.core.measures import MEASURES

    if sort not in SORTS:
        raise ValueError(f"Runs cannot be put in that order. Received: sort={sort!r}. Choose from {', '.join(SORTS)}.")
    for name, value in wanted.items():
        table = table if value is None else table[table[name] == value]
    if since is not None:
        table = table[table["time"] >= _read_time(since)]
    falls = table["measure"].map(lambda name: MEASURES[name].higher_is_better).astype(bool)
    ranked = table.assign(rank=table["score"].mask(falls, -table["score"])).sort_values(["problem", "rank"])
    ranked = ranked.drop(columns="rank")
    if best is not None:
        return ranked[(ranked["state"] == "complete") & ranked["score"].notna()].groupby("problem").head(best)
    return ranked if sort == "score" else table.sort_values("time", ascending=False, kind="stable")


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise ValueError(
            f"That is no date. Received: since={text!r}. Write it as 2026-03-01 or 2026-03-01T14:30."
        ) from error


def _why_empty(journal: Journal | None) -> str:
    if journal is None:
        return "The journal is off: RECIPE_JOURNAL=off. Unset it, and every run is recorded."
    return (
        f"The journal is empty: {journal.location}. A run is recorded whenever a model is trained: by recipe run, in a "
        "notebook, in a panel."
    )


def _list_as_json(runs: Sequence[Run]) -> str:
    known = [{"number": run.number, "pinned": run.pinned, "state": run.state} | run.to_dict() for run in runs]
    scores = [{"score": run.score if run.state == "complete" and not run.final else None} for run in runs]
    rows = [one | score for one, score in zip(known, scores, strict=True)]
    return dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@contextlib.contextmanager
def _explained(errors: tuple[type[Exception], ...] = (ValueError, ImportError, OSError)) -> Iterator[None]:
    """Turn errors that a user can mend into one line and an exit code, and Ctrl-C into its own."""
    try:
        yield
    except errors as error:
        _fail(error, FAILED if isinstance(error, OSError) else WRONG_INPUT)
    except KeyboardInterrupt:  # outside of any training, which would have kept what it has: there is nothing to keep
        raise typer.Exit(INTERRUPTED) from None


def _fail(error: Exception, code: int) -> NoReturn:
    typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
    raise typer.Exit(code) from None


def _load(name: str, source: str, rows: int | None, seed: int = 0, target: str | None = None) -> Dataset:
    """Return a problem of the kit, or data of one's own where that is no name of a problem and a path."""
    from recipe.data.load import load
    from recipe.data.problems import default_rows

    path = Path(name)
    if name not in PROBLEMS and (target is not None or path.exists() or path.suffix):
        return _read_own(path, target, seed)
    return load(name, source=source, rows=default_rows(name) if rows is None else rows, seed=seed)


def _read_own(path: Path, target: str | None, seed: int) -> Dataset:
    from recipe.app.own_data import from_folder, from_table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # they stand among the notes, which are shown
        if path.is_dir():
            return from_folder(path, seed=seed, name=path.resolve().name)
        if target is None and path.is_file():
            from recipe.data.tables import read_csv

            columns = ", ".join(map(str, read_csv(path)[0].columns))
            raise ValueError(f"Which column is predicted? Received: no --target. Choose from {columns}.")
        return from_table(path, target or "", seed=seed, name=path.stem)


def _check_targets(*paths: Path | None) -> None:
    """Find out before the work, not after it, that a file cannot be written."""
    from recipe.data.safe_files import check_target

    given = [path for path in paths if path is not None]
    try:
        for path in given:
            check_target(path)
    except OSError as error:
        raise ValueError(str(error)) from error
    if len({path.absolute() for path in given}) < len(given):
        raise ValueError(f"One file cannot hold both. Received: two options with {given[0]}. Give two names.")


def _write(texts: dict[Path | None, Callable[[], str]], console: Console) -> None:
    """Write the files that were asked for, and say where they are."""
    from recipe.data.safe_files import write_whole

    with _explained(errors=(OSError,)):
        for path, text in texts.items():
            if path is not None:
                write_whole(path, text())
                _say(console, f"Written: {path}")


def _console() -> Console:
    from rich.console import Console

    return Console()


def _say(console: Console, *sentences: str) -> None:
    for sentence in sentences:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
