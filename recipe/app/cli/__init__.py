"""The command `recipe`: walk the whole workflow on a problem, have its data ready, search for a spec, list all runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recipe import __version__
from recipe.app.cli.exits import FAILED, INTERRUPTED, WRONG_INPUT
from recipe.app.cli.exits import fail as _fail
from recipe.app.cli.tune import tune as _tune
from recipe.data.problems import PROBLEMS, find_problem

if TYPE_CHECKING:
    from rich.console import Console

    from recipe.app.workflow import RecipeResult
    from recipe.core.run import Run
    from recipe.journal import Journal

SORTS = ("time", "score")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Learn the universal workflow of deep learning: seven steps from a question to a model.",
)


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
    problem: Annotated[str, typer.Argument(help=f"One of {', '.join(PROBLEMS)}.")],
    source: Annotated[
        str, typer.Option(help="Where the data is from: auto, local, download or sample.", show_default=True)
    ] = "auto",
    seed: Annotated[int, typer.Option(help="Fixes the split, the first weights and the shuffling.", min=0)] = 0,
    rows: Annotated[int | None, typer.Option(help="Samples in all; the problem's own number if left out.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a report to this HTML file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the numbers to this JSON file.")] = None,
) -> None:
    """Walk the seven steps on a problem, from its data to the one look at the test set.

    Ctrl-C ends it after the epoch that is under way; what was done so far is shown and written.
    """
    from recipe.app.cli.live import LiveView

    try:
        find_problem(problem)
        _check_source(source)
        _check_targets([path for path in (report, json) if path is not None])
    except (ValueError, OSError) as error:
        _fail(error, WRONG_INPUT)
    console = _console()
    with LiveView(console) as view:
        result = _walk(problem, source, rows, seed, view)
    view.show_end(result)
    _write(result, report, json, console)
    raise typer.Exit(INTERRUPTED if result.stopped else 0)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Names of problems; all data if left out.")] = None,
) -> None:
    """Have the data ready in advance: verify what is there, download what is not."""
    import warnings

    from recipe.app.cli.live import file_table
    from recipe.data.download import fetch as fetch_files

    console = _console()
    with warnings.catch_warnings():
        # A damaged file that is fetched again is news for people, in one line.
        warnings.showwarning = lambda message, *_: typer.echo(f"Note: {message}", err=True)
        warnings.simplefilter("always", RuntimeWarning)
        try:
            files = fetch_files(names or None)
        except ValueError as error:
            _fail(error, WRONG_INPUT)
        except OSError as error:
            _fail(error, FAILED)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
    console.print(file_table(files))


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
    from recipe.journal import default_journal

    console = _console()
    try:
        _check_targets([path for path in (csv, json) if path is not None])
        if problem is not None:
            find_problem(problem)
        journal = default_journal()
        kept = [] if journal is None else journal.runs()
        wanted = {"problem": problem, "origin": origin, "source": source, "pinned": pinned or None}
        chosen = _choose(kept, wanted, since, best, sort)
    except ValueError as error:
        _fail(error, WRONG_INPUT)
    except OSError as error:
        _fail(error, FAILED)
    if not kept:
        console.print(_empty(journal), highlight=False, markup=False, soft_wrap=True)
        return
    _show_runs(chosen, limit, f"{len(chosen):,} of {len(kept):,} runs in {journal.location}", console)
    _write_runs(chosen, csv, json, console)


def _choose(
    runs: Sequence[Run], wanted: dict[str, object], since: str | None, best: int | None, sort: str
) -> list[Run]:
    """Return the runs that are wanted: the newest first, or problem by problem and the best first."""
    from recipe.core.measures import MEASURES
    from recipe.journal import tabulate

    if sort not in SORTS:
        raise ValueError(f"Runs cannot be put in that order. Received: sort={sort!r}. Choose from {', '.join(SORTS)}.")
    table = tabulate(runs)
    for name, value in wanted.items():
        table = table if value is None else table[table[name] == value]
    if since is not None:
        table = table[table["time"] >= _read_time(since)]
    falls = table["measure"].map(lambda name: MEASURES[name].higher_is_better).astype(bool)
    ranked = table.assign(rank=table["score"].mask(falls, -table["score"])).sort_values(["problem", "rank"])
    if best is not None:
        table = ranked[(ranked["state"] == "complete") & ranked["score"].notna()].groupby("problem").head(best)
    else:
        table = ranked if sort == "score" else table.sort_values("time", ascending=False, kind="stable")
    return [runs[place] for place in table.index]


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise ValueError(
            f"That is no date. Received: since={text!r}. Write it as 2026-03-01 or 2026-03-01T14:30."
        ) from error


def _empty(journal: Journal | None) -> str:
    if journal is None:
        return "The journal is off: RECIPE_JOURNAL=off. Unset it, and every run is recorded."
    return (
        f"The journal is empty: {journal.location}. A run is recorded whenever a model is trained: by recipe run, in a "
        "notebook, in a panel."
    )


def _show_runs(entries: Sequence[Run], limit: int, title: str, console: Console) -> None:
    """Print the first entries as a table, and how many there are more."""
    from recipe.app.cli.live import runs_table

    if not entries:
        console.print(f"No run is like that: {title}.", highlight=False, markup=False, soft_wrap=True)
        return
    console.print(runs_table(entries[:limit], title))
    if len(entries) > limit:
        console.print(f"{len(entries) - limit:,} more: --limit {len(entries)} shows them.", highlight=False)


def _write_runs(runs: Sequence[Run], csv: Path | None, json: Path | None, console: Console) -> None:
    from recipe.core.files import write_whole
    from recipe.journal import tabulate

    texts = {
        csv: lambda: tabulate(runs).to_csv(index=False),
        json: lambda: dumps([_to_object(run) for run in runs], indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }
    try:
        for path, text in texts.items():
            if path is not None:
                write_whole(path, text())
                console.print(f"Written: {path}", highlight=False, markup=False, soft_wrap=True)
    except OSError as error:
        _fail(error, FAILED)


def _to_object(run: Run) -> dict[str, object]:
    score = run.score if math.isfinite(run.score) else None
    return {"number": run.number, "pinned": run.pinned, "state": run.state, "score": score} | run.to_dict()


app.command()(_tune)


def _walk(problem: str, source: str, rows: int | None, seed: int, view: object) -> RecipeResult:
    """Run the workflow; data that cannot be had is a message, anything later is a fault of the kit's own."""
    try:
        from recipe.app.workflow import run_recipe
        from recipe.journal import origin_of

        with origin_of("command line"):
            return run_recipe(problem, source=source, rows=rows, seed=seed, on_event=view.take)
    except (ValueError, OSError) as error:
        if view.finished_steps:
            raise
        view.close()
        _fail(error, WRONG_INPUT if isinstance(error, ValueError) else FAILED)
    except KeyboardInterrupt:  # while the packages were imported: there is nothing to keep yet
        view.close()
        raise typer.Exit(INTERRUPTED) from None


def _write(result: RecipeResult, report: Path | None, json: Path | None, console: Console) -> None:
    """Write the files that were asked for, and say where they are."""
    from recipe.app.report import write_html, write_json

    try:
        for path, write in ((json, write_json), (report, write_html)):
            if path is not None:
                write(result, path)
                console.print(f"Written: {path}", highlight=False, markup=False, soft_wrap=True)
    except OSError as error:
        _fail(error, FAILED)


def _check_source(source: str) -> None:
    from recipe.data.problems import SOURCES

    if source not in SOURCES:
        raise ValueError(
            f"There is no source of that name. Received: source={source!r}. Choose from {', '.join(SOURCES)}."
        )


def _check_targets(paths: Sequence[Path]) -> None:
    """Find out before the training, not after it, that a file cannot be written."""
    from recipe.core.files import check_target

    for path in paths:
        check_target(path)
    if len({path.absolute() for path in paths}) < len(paths):
        raise ValueError(f"One file cannot hold both. Received: two options with {paths[0]}. Give two names.")


def _console() -> Console:
    from rich.console import Console

    return Console()
