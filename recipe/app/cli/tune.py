"""`recipe tune`: search for a better spec, from the command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from recipe.app.cli.exits import FAILED, INTERRUPTED, WRONG_INPUT, fail
from recipe.data.problems import PROBLEMS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from recipe.core.run import Run
    from recipe.search import Tuning

SHOWN = 10  # trials in the table


def tune(
    problem: Annotated[str, typer.Argument(help=f"One of {', '.join(PROBLEMS)}.")],
    trials: Annotated[int, typer.Option(help="How many specs to try.", min=1)] = 20,
    storage: Annotated[
        str | None,
        typer.Option(help="A file or a database's address, in which several commands search together."),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that train at the same time.", min=1)] = 1,
    source: Annotated[
        str, typer.Option(help="Where the data is from: auto, local, download or sample.", show_default=True)
    ] = "auto",
    rows: Annotated[int | None, typer.Option(help="Samples in all; the problem's own number if left out.")] = None,
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
    from rich.console import Console

    console = Console()
    with _Bar(console, trials) as bar:
        try:
            from recipe.data.load import load
            from recipe.data.problems import default_rows
            from recipe.search import tune as search
            from recipe.steps.s3_protocol import k_fold

            dataset = load(problem, source=source, rows=default_rows(problem) if rows is None else rows)
            found = search(
                dataset if folds is None else k_fold(dataset, folds=folds),
                trials=trials,
                executor="processes" if workers > 1 else None,
                workers=workers if workers > 1 else None,
                storage=storage,
                seed=seed,
                pruning=pruning,
                on_trial=bar.take,
                seconds=seconds,
            )
        except (ValueError, ImportError) as error:
            bar.close()
            fail(error, WRONG_INPUT)
        except OSError as error:
            bar.close()
            fail(error, FAILED)
        except KeyboardInterrupt:  # while the packages were imported, or for the second time
            raise typer.Exit(INTERRUPTED) from None
    _show(found, console)
    raise typer.Exit(INTERRUPTED if found.stopped == "interrupted" else 0)


class _Bar:
    """A line that tells how far the search is; nothing where no terminal is."""

    def __init__(self, console: Console, trials: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("trial"),
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[best]}"),
            TextColumn("remaining"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task("search", total=trials, best="")
        self._runs: list[Run] = []

    def __enter__(self) -> _Bar:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the line away."""
        self._bars.stop()

    def take(self, run: Run) -> None:
        """Count a trial, and show the best so far."""
        from recipe.search import best_of

        self._runs.append(run)
        best = best_of(self._runs)
        text = "" if best is None else f"best {best.score:.4g}"
        self._bars.update(self._task, advance=1, best=text)


def _show(found: Tuning, console: Console) -> None:
    """Print the best trials, then what the search says of them."""
    if found.trials:
        console.print(trials_table(found))
    for sentence in found.sentences:
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


def trials_table(found: Tuning) -> Table:
    """Return the best trials as a table, a trial a line."""
    from rich.table import Table
    from rich.text import Text

    from recipe.core.measures import MEASURES

    measure, rows = MEASURES[found.problem.measure], found.to_frame()
    unit = measure.unit_of(found.problem)
    better = "higher is better" if measure.higher_is_better else "lower is better"
    first = f"the first {SHOWN} of {len(rows)} trials, " if len(rows) > SHOWN else ""
    title = f"{found.problem.name}: {first}{measure.title}{f' in {unit}' if unit else ''}, {better}"
    table = Table(title=f"{title} (data: {found.source})")
    for name in ("score", "epoch", "s"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("how it ended", "made by", "spec"):
        table.add_column(name, overflow="fold")
    for row in rows.head(SHOWN).itertuples():
        score = "" if math.isnan(row.score) else f"{row.score:.4g}"
        table.add_row(score, f"{row.best_epoch}", f"{row.seconds:.1f}", row.ending, row.origin, Text(row.spec))
    return table
