"""`recipe check`: points, misconceptions and exit codes, without nbgrader."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.teach.play import read_answers, read_source, submit

ASSIGNMENT = "02_choose_a_measure_of_success"
COURSE = Path(__file__).parents[2] / "assignments"


def check(notebook: nbformat.NotebookNode | str, tmp_path: Path, *options: str) -> tuple[int, str]:
    path = tmp_path / "work.ipynb"
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(path), *options])
    return result.exit_code, result.output


def test_check_gives_all_points_to_the_reference(tmp_path: Path) -> None:
    source = read_source(COURSE, ASSIGNMENT)
    code, output = check(source, tmp_path, "--hidden", str(COURSE / "hidden"), "--student", "ada", "--json")
    said = json.loads(output)
    assert code == 0, output
    assert (said["points"], said["max_points"], said["student"], said["hidden_checks"]) == (90, 90, "ada", True)


def test_check_names_misconceptions_and_what_is_missing(tmp_path: Path) -> None:
    answers = read_answers(COURSE, ASSIGNMENT)
    wrong = {"measure": answers["measure"][3].code, "threshold": "threshold = None", "count": "count = 1 / 0"}
    code, output = check(submit(read_source(COURSE, ASSIGNMENT), wrong), tmp_path)
    assert code == 1
    assert "Misconception: accuracy_for_rare" in output
    assert "threshold: not attempted" in output
    assert "ZeroDivisionError" in output
    assert "by the visible checks" in output


@pytest.mark.parametrize("text", ["no notebook", "{}", "[1, 2]", '{"cells": [], "nbformat": 4, "nbformat_minor": 5}'])
def test_check_says_what_cannot_be_read(text: str, tmp_path: Path) -> None:
    code, output = check(text, tmp_path)
    assert code == 2
    assert "Traceback" not in output
