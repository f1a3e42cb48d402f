"""How the command `recipe` ends when it cannot go on."""

from __future__ import annotations

from typing import NoReturn

import typer

INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended
WRONG_INPUT = 2
FAILED = 1


def fail(error: Exception, code: int) -> NoReturn:
    """Print an error as one line, and end."""
    typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
    raise typer.Exit(code) from None
