"""The commands of courses, which stand among those of `recipe`: what they need is imported when one is called."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

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
