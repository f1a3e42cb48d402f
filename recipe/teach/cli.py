"""The commands of courses, which stand among those of `recipe`: what they need is imported when one is called."""

from __future__ import annotations

import contextlib
import json as json_module
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

FAILED, WRONG_INPUT = 1, 2
INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended

app = typer.Typer()


@contextlib.contextmanager
def explained(errors: tuple[type[Exception], ...] = (ValueError, ImportError, OSError)) -> Iterator[None]:
    """Turn errors that a user can mend into one line and an exit code, and Ctrl-C into its own."""
    try:
        yield
    except errors as error:
        typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(FAILED if isinstance(error, OSError) else WRONG_INPUT) from None
    except KeyboardInterrupt:  # outside of any training, which would have kept what it has: there is nothing to keep
        raise typer.Exit(INTERRUPTED) from None


@app.command()
def progress(
    json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write them to this JSON file, for an instructor.", dir_okay=False)
    ] = None,
    student: Annotated[str, typer.Option(help="Who you are, as the instructor knows you; goes into the file.")] = "",
) -> None:
    """Say how far you are: lessons, predictions, baselines beaten, looks at test sets. Nothing leaves this machine."""
    with explained():
        from recipe.teach.progress import collect_progress

        found = collect_progress()
        values = {"format": "recipe-progress/1", "student": student, **found.to_dict()}
        text = json_module.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
        typer.echo(text if json else str(found))
        if export is not None:
            export.write_text(text + "\n", encoding="utf-8")
            typer.echo(f"Written: {export}. It is sent to nobody: that is for you to do.", err=True)
