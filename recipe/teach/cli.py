"""The commands of courses, which stand among those of `recipe`: what they need is imported when one is called."""

from __future__ import annotations

import contextlib
import json as json_module
from collections.abc import Iterator
from datetime import datetime
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
def check(
    notebook: Annotated[Path, typer.Argument(help="The notebook of an assignment.")],
    hidden: Annotated[
        Path | None, typer.Option(help="The folder of the hidden checks, where there is one: assignments/hidden.")
    ] = None,
    student: Annotated[
        str | None, typer.Option(help="Whose world it is; without it $RECIPE_STUDENT, else what the notebook says.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check an assignment: run its notebook in a kernel of its own, print points, misconceptions, what is missing.

    The exit code is 0 with all the points, 1 where something is wrong, 2 where something was not attempted, or the
    notebook cannot be read.
    """
    with explained():
        try:
            from recipe.teach.checking import check_notebook
        except ImportError as error:
            raise ImportError(f"Notebooks run with what the extra [lab] installs: {error}") from None
        checked = check_notebook(notebook, hidden=hidden, student=student)
    typer.echo(checked.to_json() if json else str(checked))
    raise typer.Exit(checked.exit_code)


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


@app.command("class-report")
def class_report(
    folder: Annotated[Path, typer.Argument(help="The folder of the course.")] = Path("assignments"),
    assignment: Annotated[str, typer.Option(help="One alone, by its name or number.")] = "",
    output: Annotated[Path, typer.Option(help="The page that is written.", dir_okay=False)] = Path("class_report.html"),
    csv: Annotated[Path | None, typer.Option(help="Write the tables as CSV files to this folder, too.")] = None,
    progress: Annotated[
        Path | None, typer.Option(help="A folder of files that students made by `recipe progress --export`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all numbers as JSON, and write no page.")] = False,
) -> None:
    """For instructors: what became of a graded class, on one page. It names students: keep it to yourself."""
    with explained():
        from recipe.teach.class_report import read_class

        report = read_class(folder, assignment, progress)
        if json:
            typer.echo(json_module.dumps(report.to_dict(), indent=2, ensure_ascii=False))
        else:
            from recipe.teach.class_page import render_page

            output.write_text(render_page(report), encoding="utf-8")
            typer.echo(f"Written: {output}. It names students: keep it to yourself.")
        if csv is not None:
            report.write_csv(csv)
            typer.echo(f"Written: tables in {csv}.", err=True)
        for line in report.unread:
            typer.echo(f"Left out: {line}", err=True)


process = typer.Typer(help="Proof of process: an extract of the journal, chained by hashes.", no_args_is_help=True)
app.add_typer(process, name="process")


@process.command("export")
def export_process(
    path: Annotated[Path, typer.Argument(help="The JSON file that is written.", dir_okay=False)],
    student: Annotated[str, typer.Option(help="Your id, as the course knows you.")],
    assignment: Annotated[str, typer.Option(help="What it is handed in for.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Leave out what is older (local time).")] = None,
    problem: Annotated[str | None, typer.Option(help="Of the runs, those on this problem alone.")] = None,
) -> None:
    """Write an extract of your journal, to be handed in with your work. Look into it first: it is yours to send."""
    with explained():
        from recipe.teach import process

        chosen = {"student": student, "assignment": assignment, "since": since, "problem": problem}
        extract = process.export_process(path, **chosen)
        typer.echo(f"Written: {path}, {len(extract.links):,} entries. Its last hash: {extract.head}")


@process.command("verify")
def verify_process(
    paths: Annotated[list[Path], typer.Argument(help="Files that students handed in.")],
    replay: Annotated[int, typer.Option(help="How many runs of each are run again.", min=0)] = 2,
    student: Annotated[str | None, typer.Option(help="Whose it should be.")] = None,
    earlier: Annotated[Path | None, typer.Option(help="What the same student handed in before.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Check what students handed in, and run some of their runs again. Exit code 1: something does not hold."""
    with explained():
        from recipe.teach import process

        before = process.read_extract(earlier) if earlier else None
        found, faults = {}, []
        for path in paths:
            try:
                extract = process.read_extract(path)
            except (ValueError, OSError) as error:  # one damaged file is no reason to leave the others
                faults.append(str(error))
            else:
                found[path] = process.verify_process(extract, replay=replay, student=student, earlier=before)
        shared = process.find_shared([report.extract for report in found.values()])
    if json:
        reports = {str(path): report.to_dict() for path, report in found.items()}
        typer.echo(json_module.dumps({"reports": reports, "shared": shared, "unreadable": faults}, indent=2))
    else:
        for path, report in found.items():
            typer.echo("\n- ".join([str(path), *report.sentences]))
        for sentence in shared + faults:
            typer.echo(sentence)
        for title, sentences in (("This proves:", process.PROVES), ("And not:", process.DOES_NOT_PROVE)):
            typer.echo("\n- ".join([title, *sentences]))
    is_sound = all(report.is_sound for report in found.values()) and not shared
    raise typer.Exit(WRONG_INPUT if faults else 0 if is_sound else FAILED)
