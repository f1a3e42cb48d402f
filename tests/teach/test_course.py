"""The commands of a course: hand out, collect, grade, give back."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from pathlib import Path

import nbformat
import pytest
from courses import COURSE, Course
from tuning_examples import make_run
from typer.testing import CliRunner

from recipe.core.spec import ModelSpec
from recipe.journal import Journal
from recipe.teach.class_page import render_page
from recipe.teach.class_report import read_class
from recipe.teach.course import app, collect, find_submissions, release
from recipe.teach.play import read_answers, submit
from recipe.teach.process import export_process

NAME = "02_choose_a_measure_of_success"
OTHER = "01_define_the_problem"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    code = nbformat.v4.new_code_cell(text)
    nbformat.write(nbformat.v4.new_notebook(cells=[code]), path)
    return path


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_collect_knows_all_forms_of_a_folder(tmp_path: Path) -> None:
    handed_in = tmp_path / "handed in"
    write(handed_in / "ada" / NAME / f"{NAME}.ipynb")
    write(handed_in / f"bob_{NAME}.ipynb")
    write(handed_in / "carl.ipynb", f'work = open_assignment("{OTHER}")')
    write(handed_in / "notes.ipynb", "nothing")
    write(handed_in / ".ipynb_checkpoints" / "carl.ipynb", f'work = open_assignment("{OTHER}")')
    with zipfile.ZipFile(handed_in / "dora.zip", "w") as packed:
        packed.write(write(tmp_path / "x.ipynb"), f"../../{NAME}.ipynb")
    with zipfile.ZipFile(handed_in / "all.zip", "w") as packed:
        packed.write(tmp_path / "x.ipynb", f"eve_{NAME}.ipynb")
    found, left = collect(tmp_path / "course", handed_in)
    expected = {("ada", NAME), ("bob", NAME), ("carl", OTHER), ("dora", NAME), ("eve", NAME)}
    assert {(one.student, one.assignment) for one in found} == expected
    assert [line for line in left if "notes.ipynb" in line] == left
    assert len(left) == 1
    for one in found:
        assert one.path == tmp_path / "course" / "submitted" / one.student / one.assignment / f"{one.assignment}.ipynb"
        assert one.path.is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"handed in", "course", "x.ipynb"}, "nothing fell out of a zip"


def test_find_submissions_takes_the_assignment_that_was_named(tmp_path: Path) -> None:
    write(tmp_path / "ada.ipynb", "nothing")
    found, left = find_submissions(tmp_path, "02")
    assert [(one.student, one.assignment) for one in found] == [("ada", NAME)]
    assert left == []


def export(path: Path, student: str) -> Path:
    """Write a proof of process of two runs, as a student does."""
    journal = Journal(path.with_suffix(".log"))
    for seed in range(2):
        journal.record(make_run(ModelSpec(seed=seed), data="d", time=f"2026-09-0{seed + 1}T00:00:00+00:00"))
    export_process(path, student=student, journal=journal)
    return path


def test_collect_takes_the_proof_of_process_along(tmp_path: Path) -> None:
    handed_in, submitted = tmp_path / "in", tmp_path / "course" / "submitted"
    write(handed_in / "ada" / NAME / f"{NAME}.ipynb")
    proof = export(handed_in / "ada" / NAME / "mine.json", "ada")
    for student in ("bob", "carl"):
        write(handed_in / f"{student}_{NAME}.ipynb")
    shutil.copy(proof, handed_in / f"bob_{NAME}.json")
    shutil.copy(proof, handed_in / "whose.json")
    (handed_in / f"carl_{NAME}.json").write_text('{"notes": []}')
    with zipfile.ZipFile(handed_in / "dora.zip", "w") as packed:
        packed.write(write(tmp_path / "x.ipynb"), f"{NAME}.ipynb")
        packed.write(proof, "journal.json")
    _, left = collect(tmp_path / "course", handed_in)
    assert [line.split(":")[0] for line in left] == [str(handed_in / "whose.json")]
    assert {path.parts[-3] for path in submitted.rglob("process.json")} == {"ada", "bob", "dora"}
    (handed_in / f"bob_{NAME}.json").unlink()
    collect(tmp_path / "course", handed_in)
    assert {path.parts[-3] for path in submitted.rglob("process.json")} == {"ada", "dora"}, "the old one is gone"


def test_grade_says_what_is_missing(tmp_path: Path) -> None:
    assert run("grade", tmp_path / "nowhere", "--folder", tmp_path)[0] == 2
    write(tmp_path / "in" / f"ada_{NAME}.ipynb")
    code, output = run("grade", tmp_path / "in", "--folder", tmp_path)
    assert code == 2
    assert "make release" in output


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course, with what two students handed in, graded by the command; one has written nothing."""
    folder = tmp_path_factory.mktemp("course") / "assignments"
    course = Course(folder, NAME)
    answers = {key: found[3].code for key, found in read_answers(COURSE, NAME).items()}
    handed_in = folder.parent / "in"
    handed_in.mkdir()
    nbformat.write(submit(course.released(NAME), answers), handed_in / "ada.ipynb")
    nbformat.write(course.released(NAME), handed_in / f"bob_{NAME}.ipynb")
    export(handed_in / "ada.json", "ada")
    shutil.copy(handed_in / "ada.json", handed_in / f"bob_{NAME}.json")  # it is hers
    copied = handed_in / f"carl_{NAME}.json"
    export_process(copied, student="carl", journal=handed_in / "ada.log")  # and here a copy of her journal
    nbformat.write(course.released(NAME), copied.with_suffix(".ipynb"))
    code, output = run("grade", handed_in, "--folder", folder, "--processes", 1)
    assert code == 0, output
    code, output = run("feedback", "--folder", folder)
    assert code == 0, output
    return folder


@pytest.mark.assignments
@pytest.mark.xdist_group("robust")
def test_grades_stand_in_a_table(graded: Path) -> None:
    with (graded / "grades.csv").open(encoding="utf-8") as file:
        rows = {(row["student"], row["exercise"]): row for row in csv.DictReader(file)}
    assert rows["ada", "measure"]["misconception"] == "accuracy_for_rare"
    assert float(rows["ada", "count"]["points"]) == 4.5
    assert rows["ada", "count"]["max_points"] == "15.0"
    assert rows["bob", "count"]["outcome"] == "not attempted"
    assert rows["ada", "explain"]["to_be_marked"] == rows["bob", "explain"]["to_be_marked"] == "0"
    assert len(rows) == 21
    assert {(student, row["process"]) for (student, _), row in rows.items()} == {
        ("carl", "sound (0 replayed)"),
        ("ada", "sound (0 replayed)"),  # its data is none that the kit knows
        ("bob", "not sound (0 replayed)"),
    }


@pytest.mark.assignments
@pytest.mark.xdist_group("robust")
def test_class_report_says_what_a_proof_of_process_is_worth(graded: Path) -> None:
    report = read_class(graded)
    found = report.scores(NAME)["process"].to_dict()
    assert found == dict.fromkeys(("ada", "carl"), "sound (0 replayed)") | {"bob": "not sound (0 replayed)"}
    assert report.shared == ["ada and carl share 2 entries."]
    flags = report.flags[report.flags["kind"] == "proof of process"]
    assert flags["student"].to_list() == ["bob"]
    assert "It is of student ada, not of bob." in flags["text"].item()
    assert "<td>not sound (0 replayed)</td>" in render_page(report)


@pytest.mark.assignments
@pytest.mark.xdist_group("robust")
def test_feedback_is_one_file_that_asks_no_other_host(graded: Path) -> None:
    files = list((graded / "feedback" / "ada" / NAME).rglob("*.*"))
    assert [path.name for path in files] == [f"{NAME}.html"]
    page = files[0].read_text(encoding="utf-8")
    assert "false positive is an innocent parcel" in re.sub(r"\s+", " ", page)
    assert "4.5 of 15 points" in page
    assert not re.search(r"<script|<link|<iframe|src=[\"']?https?:|url\(['\"]?https?:|@import", page)
    assert not re.search("HIDDEN TESTS|work.grade|Mark scheme|MARK SCHEME", page)
    index = re.findall(r'<li><a href="#(\w+)">(.*?)</a> \(Score: (.*?) /', page)
    assert index[:2] == [("measure", "1. What counts", "0.0"), ("count", "2. Count", "4.5")]
    assert index[-1][:2] == ("explain", "7. In words")


@pytest.mark.assignments
@pytest.mark.xdist_group("robust")
def test_release_makes_a_key_and_runs_what_it_hands_out(tmp_path: Path) -> None:
    shutil.copytree(COURSE / "source" / NAME, tmp_path / "source" / NAME)
    shutil.copy(COURSE / "nbgrader_config.py", tmp_path)
    assert [path.name for path in release(tmp_path, "02")] == [f"{NAME}.ipynb"]
    key = tmp_path / "course_key.txt"
    assert len(key.read_text().strip()) == 64
    before = key.read_text()
    path = tmp_path / "source" / NAME / f"{NAME}.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("import keras", "import no_such_module"), encoding="utf-8")
    with pytest.raises(ValueError, match="does not run: ModuleNotFoundError"):
        release(tmp_path, "02")
    assert key.read_text() == before
