"""The command `recipe` on data of one's own: a CSV file with its target, or a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.core.spec import ModelSpec
from recipe.data.examples import CHURN, SHAPES
from recipe.search.plan import Plan


def call(*arguments):
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*map(str, arguments)])


@pytest.fixture
def quick(monkeypatch, no_journal):
    """Networks that train in a moment."""
    small = ModelSpec(hidden_units=(8,), epochs=3)
    plan = Plan(small=small, ladder=(small,), trials=0)
    monkeypatch.setattr("recipe.app.workflow.make_plan", lambda *_: plan)


def test_run_walks_the_steps_on_a_csv_file_and_says_what_it_took(quick, tmp_path):
    report = tmp_path / "made" / "with" / "it.html"
    done = call("run", CHURN, "--target", "left", "--json", tmp_path / "run.json", "--report", report)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Data: customer_id looks like an identifier" in done.stdout
    assert "Data: last_bill alone tells the target almost without fail." in done.stdout
    assert "rival" in done.stdout
    facts = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert facts["problem"] == "churn"
    assert facts["rival"]["validation"] > facts["baseline"]
    page = report.read_text(encoding="utf-8")
    assert str(Path(CHURN).parent) not in page + done.stdout


def test_run_walks_the_steps_on_a_folder(quick):
    done = call("run", SHAPES)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "What is in an image: circle, square or triangle?" in done.stdout


def test_tune_searches_on_a_csv_file(quick):
    done = call("tune", CHURN, "--target", "contract", "--trials", 1)
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((CHURN,), 2, "no column of that name. Received: target=''. Choose from: customer_id, age"),
        ((CHURN, "--target", "lef"), 2, "Did you mean: left?"),
        (("nothing.csv", "--target", "left"), 1, "There is no such file. Received: nothing.csv"),
        ((SHAPES.parent / "nowhere", "--target", "x"), 1, "There is no such file."),
        ((SHAPES / "circle",), 2, "Classes are folders, two or more"),
        (("mnits",), 2, "There is no problem of that name"),
    ],
)
def test_run_refuses_in_one_line(arguments, code, message):
    done = call("run", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert message in done.stderr
