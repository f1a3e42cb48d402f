"""The report on a class: its statistics against other libraries', and what it does with damaged files and odd names."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from scipy.stats import pointbiserialr
from typer.testing import CliRunner

from recipe.app.cli import app
from recipe.teach.class_page import render_page
from recipe.teach.class_report import read_class
from recipe.teach.executor import show_verdict
from recipe.teach.exercises import NOT_ATTEMPTED, Verdict, find_assignment

NAME = "02_choose_a_measure_of_success"
POINTS = {"measure": 10, "count": 15, "guess_cost": 15}


def _write(folder, part, student, cells, name=NAME):
    path = folder / part / student / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), path)
    return path


def _graded(verdicts):
    cells = []
    for name, verdict in verdicts.items():
        about = {"grade": True, "solution": False, "grade_id": name, "points": POINTS[name]}
        outputs = show_verdict(name, verdict, POINTS[name])
        cells.append(new_code_cell(f'work.check("{name}")', metadata={"nbgrader": about}, outputs=outputs))
    return cells


@pytest.fixture
def course(tmp_path):
    """Twelve students, with shares that are known."""
    rng = np.random.default_rng(3)
    shares = pd.DataFrame(
        {
            "measure": rng.integers(0, 2, 12).astype(float),
            "count": rng.choice([0, 0.3, 1], 12),
            "guess_cost": rng.choice([0, 0.5, 1], 12),
        },
        index=[f"s{at:02}" for at in range(12)],
    )
    for student, row in shares.iterrows():
        verdicts = {name: Verdict(share, "Said.") for name, share in row.items()}
        if row["measure"] == 0:
            verdicts["measure"] = find_assignment(NAME).wrong("accuracy_for_rare")
        _write(tmp_path, "autograded", student, _graded(verdicts))
    return tmp_path, shares


def test_items_agree_with_pandas_and_scipy(course):
    folder, shares = course
    items = read_class(folder).items(NAME)
    points = shares * pd.Series(POINTS)
    pd.testing.assert_series_equal(items["difficulty"], shares.mean(), check_names=False)
    rest = points[["count", "guess_cost"]].sum(axis=1)
    assert items.loc["measure", "discrimination"] == pytest.approx(pointbiserialr(shares["measure"], rest).statistic)
    for name in shares:
        rest = points.drop(columns=name).sum(axis=1)
        r, half = shares[name].corr(rest), 1.959964 / np.sqrt(12 - 3)
        assert items.loc[name, "discrimination"] == pytest.approx(r)
        ends = np.tanh(np.arctanh(r) + np.array([-half, half]))
        np.testing.assert_allclose(items.loc[name, ["low", "high"]].astype(float), ends, rtol=1e-5)


def test_alpha_and_scores_agree_with_pandas(course):
    folder, shares = course
    report, points = read_class(folder), shares * pd.Series(POINTS)
    pairs = points.cov().to_numpy()
    assert report.alpha(NAME) == pytest.approx(1.5 * (1 - np.trace(pairs) / pairs.sum()))
    scores = report.scores(NAME)
    pd.testing.assert_series_equal(scores["points"].sort_index(), points.sum(axis=1), check_names=False)
    assert list(scores["points"]) == sorted(scores["points"], reverse=True)
    first = shares.lt(1).idxmax(axis=1).where(shares.lt(1).any(axis=1), "")
    assert scores["stuck_at"].to_dict() == first.to_dict()


def test_misconceptions_are_counted_and_named(course):
    folder, shares = course
    ideas = read_class(folder).misconceptions(NAME)
    assert ideas.loc["accuracy_for_rare", "students"] == (shares["measure"] == 0).sum()
    known = find_assignment(NAME).misconceptions["accuracy_for_rare"]
    page = render_page(read_class(folder))
    assert known.text in page
    assert known.cell.split("#")[1] in page


def test_few_students_get_no_verdict_on_an_exercise(tmp_path):
    for at, share in enumerate((1.0, 1.0, 0.0, 0.0)):
        verdicts = {"measure": Verdict(share, ""), "count": Verdict(share, "")}
        _write(tmp_path, "autograded", f"s{at}", _graded(verdicts))
    report = read_class(tmp_path)
    assert set(report.items(NAME)["verdict"]) == {""}
    page = render_page(report)
    assert "Fewer than 10 students" in page
    assert "too few students to say" in page


def test_not_attempted_is_told_from_wrong_and_waiting(tmp_path):
    waiting = Verdict(0.0, "The grader could not judge this answer by itself.", by_hand=True)
    verdicts = {"measure": NOT_ATTEMPTED, "count": Verdict(0.0, "Wrong."), "guess_cost": waiting}
    _write(tmp_path, "autograded", "ada", _graded(verdicts))
    report = read_class(tmp_path)
    outcomes = report.pivot(NAME, "outcome").loc["ada"]
    assert list(outcomes) == ["not attempted", "wrong", "to be marked"]
    assert report.scores(NAME).loc["ada", "waits"] == 1
    assert np.isnan(report.items(NAME).loc["guess_cost", "difficulty"])
    assert list(report.flags["kind"]) == ["not judged"]


def test_damaged_and_missing_notebooks_are_named_and_the_rest_counts(course):
    folder, shares = course
    _write(folder, "autograded", "torn", []).write_text('{"cells": [', encoding="utf-8")
    _write(folder, "submitted", "late", [])
    (folder / "gradebook.db").write_text("no database", encoding="utf-8")
    report = read_class(folder)
    assert len(report.scores(NAME)) == len(shares)
    assert report.missing(NAME) == ["late", "torn"]
    page = render_page(report)
    for name in ("autograded/torn", "submitted/late", "gradebook.db"):
        assert any(name in line for line in report.unread)
        assert name in page


def test_names_and_words_of_students_are_escaped(tmp_path):
    odd = "<img src=x onerror=alert(1)>"
    notes = new_markdown_cell(f"**Mended before it was graded**\n\n- The cell {odd} was missing: put back.")
    _write(tmp_path, "autograded", odd, [notes, *_graded({"measure": Verdict(0.5, odd)})])
    page = render_page(read_class(tmp_path))
    assert odd not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "http" not in page


def test_flags_say_what_was_seen(tmp_path):
    said = ["Cell 3 was stopped: it took more than 45 s.", "Cell 4 was stopped: it ended the kernel."]
    said += ["Cell 5 showed text of the hidden checks, or the course's key."]
    notes = new_markdown_cell("**For the instructor**\n\n" + "\n".join(f"- {note}" for note in said))
    opened = new_code_cell('work = open_assignment("02", student="bob")')
    _write(tmp_path, "autograded", "ada", [notes, opened, *_graded({"measure": Verdict(1.0, "")})])
    flags = read_class(tmp_path).flags
    assert list(flags["kind"]) == ["time-out", "kernel ended", "grader's text", "another's world"]
    assert list(flags["text"][:3]) == said


def test_minutes_leave_out_breaks_and_are_unknown_without_times(tmp_path):
    clock = ("09:00", "09:10", "10:30", "10:34")
    times = [{"execution": {"iopub.execute_input": f"2027-03-01T{time}:00.000000Z"}} for time in clock]
    for student, metadata in {
        "ada": times,
        "bob": [{}],
        "eve": [{"execution": {"iopub.execute_input": "soon"}}],
    }.items():
        _write(tmp_path, "autograded", student, _graded({"measure": Verdict(1.0, "")}))
        _write(tmp_path, "submitted", student, [new_code_cell("1", metadata=one) for one in metadata])
    minutes = read_class(tmp_path).scores(NAME)["minutes"]
    assert minutes["ada"] == 14
    assert minutes[["bob", "eve"]].isna().all()


@pytest.mark.filterwarnings("ignore:Object of type")
def test_marks_of_people_come_from_the_gradebook(tmp_path, monkeypatch):
    api = pytest.importorskip("nbgrader.api")
    # nbgrader starts alembic by its name alone.
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    about = {"grade": True, "solution": True, "grade_id": "explain", "points": 10}
    written = new_markdown_cell("Because.", metadata={"nbgrader": about})
    marks = {"ada": (None, 8.0), "bob": (None, None), "eve": (0.0, None)}
    with api.Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.add_assignment(NAME)
        book.add_notebook(NAME, NAME)
        book.add_grade_cell("explain", NAME, NAME, max_score=10, cell_type="markdown")
        for student, (by_judge, by_person) in marks.items():
            book.add_student(student)
            book.add_submission(NAME, student)
            grade = book.find_grade("explain", NAME, NAME, student)
            grade.auto_score, grade.manual_score = by_judge, by_person
            grade.needs_manual_grade = by_judge is None and by_person is None
            _write(tmp_path, "autograded", student, [written])
        book.add_student("idle")
        book.db.commit()
    report = read_class(tmp_path)
    assert report.has_gradebook
    assert report.missing(NAME) == ["idle"]
    outcomes = report.pivot(NAME, "outcome")["explain"]
    assert outcomes.to_dict() == {"ada": "partly", "bob": "to be marked", "eve": "not attempted"}
    assert report.scores(NAME)["points"].to_dict() == {"ada": 8, "bob": 0, "eve": 0}


def test_class_report_writes_a_page_json_and_tables(course, tmp_path):
    folder, shares = course
    (tmp_path / "sent").mkdir()
    sent = {"format": "recipe-progress/1", "student": "s00", "lessons": [{"state": "done"}], "predictions": []}
    sent |= {"brier": None, "looks": [2], "runs": 3, "working_minutes": 61.5}
    (tmp_path / "sent" / "a.json").write_text(json.dumps(sent), encoding="utf-8")
    (tmp_path / "sent" / "b.json").write_text("[]", encoding="utf-8")
    options = ["--progress", str(tmp_path / "sent"), "--csv", str(tmp_path / "tables")]
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["class-report", str(folder), "--output", str(page), *options])
    assert done.exit_code == 0, done.output
    assert "b.json" in done.output
    assert "s11" in page.read_text(encoding="utf-8")
    with (tmp_path / "tables" / "items.csv").open(encoding="utf-8") as file:
        assert {row["exercise"]: float(row["difficulty"]) for row in csv.DictReader(file)} == pytest.approx(
            shares.mean().to_dict()
        )
    done = CliRunner().invoke(app, ["class-report", str(folder), "--json"])
    said = json.loads(done.stdout)
    assert said["assignments"][NAME]["handed_in"] == len(shares)
    assert len(said["answers"]) == shares.size


def test_class_report_of_an_ungraded_course_says_so(tmp_path):
    done = CliRunner().invoke(app, ["class-report", str(tmp_path)])
    assert done.exit_code == 2
    assert "Nothing was graded here" in done.output
