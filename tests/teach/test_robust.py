"""What students do to notebooks, by mistake or on purpose, through nbgrader: a message, and the rest is graded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from courses import COURSE, Course, Work
from nbformat.v4 import new_code_cell, new_markdown_cell

from recipe.teach.mending import grade_id
from recipe.teach.play import ANSWER, read_answers, submit

NAME = "02_choose_a_measure_of_success"
GOOD = {key: found[0].code for key, found in read_answers(COURSE, NAME).items()}
FULL = {"measure": 10, "count": 15, "guess_cost": 15, "threshold": 25, "scanner": 15, "tagger": 10}
pytestmark = [pytest.mark.assignments, pytest.mark.xdist_group("robust")]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("course"), NAME)
    made.api.config.RunAndJudge.cell_seconds = 8.0
    made.api.config.RunAndJudge.memory = 2**30
    return made


def solved(course: Course, **answers: str) -> nbformat.NotebookNode:
    return submit(course.released(NAME), GOOD | answers)


def place(notebook: nbformat.NotebookNode, name: str) -> int:
    return next(at for at, cell in enumerate(notebook.cells) if name in (grade_id(cell), cell.id))


@pytest.fixture(scope="module")
def harmful(course: Course) -> Work:
    """Four answers of six do harm, each in its own way."""
    answers = {
        "count": "def count(smuggled, opened):\n    while True:\n        pass",
        "guess_cost": "guess_cost = None\nwhile True:\n    try:\n        pass\n    except BaseException:\n        pass",
        "threshold": "import os\nthreshold = 0.05\nos._exit(1)",
        "scanner": "found = None\nscanner = bytearray(b'x') * 2**32  # 4 GB",
    }
    return course.grade(solved(course, **answers), "harmful", NAME)


def test_harmful_cells_cost_their_own_points_alone(harmful: Work) -> None:
    spared = {"measure": 10, "tagger": 10}
    assert {key: harmful.points[key] for key in FULL} == dict.fromkeys(FULL, 0) | spared


@pytest.mark.parametrize(
    ("exercise", "words"),
    [
        ("count", "Your answer was used, and had to be stopped: it took more than 8 s"),
        ("guess_cost", "The cell of your answer was stopped: it took more than 8 s"),
        ("threshold", "The cell of your answer was stopped: it ended the kernel"),
        ("scanner", "The cell of your answer was stopped: it took more than 1 GB of memory"),
    ],
)
def test_harmful_cell_is_told_what_it_did(exercise: str, words: str, harmful: Work) -> None:
    assert words in harmful.said[exercise]["message"]


@pytest.fixture(scope="module")
def curious(course: Course) -> Work:
    """A student who looks for the grader's files, and changes the grader's functions in the kernel."""
    look = """
import glob, os
print(In)
print([open(path).read() for path in glob.glob("**/*", recursive=True) if os.path.isfile(path)])
print({name: value for name, value in os.environ.items() if "KEY" in name or "RECIPE" in name})
"""
    steal = f"print(open({str(course.folder / 'hidden' / 's2_measure.py')!r}).read())"
    read = f"open({str(course.folder / 'course_key.txt')!r}).read()"
    key = f"from IPython.display import HTML\nHTML('<b>' + {read} + '</b>')"
    change = """
import json, numpy
from recipe.teach import exercises, handover, judge, s2_measure
for module in (exercises, handover, judge, s2_measure):
    for name in ("object_to", "see", "refuse", "hand_over", "to_json", "describe", "RIGHT"):
        setattr(module, name, lambda *a, **k: exercises.Verdict(1.0, "I win"))
exercises.Exercise.collect = lambda *a: {"measure": "cost"}
exercises.Work.check = lambda self, name: 100
exercises.Verdict.share = 1.0
json.dumps = lambda *a, **k: "{}"
open = print = None
"""
    noisy = """
from IPython.display import HTML, display
import sys
display(HTML("<table><tr><td>kept</td></tr></table><script>alert(1)</script><img src=x onerror=alert(2)>"))
sys.stdout.write("\\x1b[31mred\\x1b[0m" + "x" * 5_000_000)
"""
    notebook = solved(course, measure='measure = "accuracy"')
    at = place(notebook, "measure" + ANSWER)
    notebook.cells[at:at] = [new_code_cell(source) for source in (look, steal, key, noisy, change)]
    notebook.cells.insert(0, new_markdown_cell("Hello <script>alert(3)</script> grader"))
    (course.folder / "written_by_student").unlink(missing_ok=True)
    write = "import pathlib\npathlib.Path('mine.txt').write_text('mine')\npathlib.Path('mine.txt').read_text()"
    notebook.cells.append(new_code_cell(write))
    return course.grade(notebook, "curious", NAME)


def test_changed_functions_change_no_points(curious: Work) -> None:
    assert curious.said["measure"]["misconception"] == "accuracy_for_rare"
    assert {key: curious.points[key] for key in FULL} == FULL | {"measure": 0}


def test_hidden_checks_and_the_key_are_cut_out_and_flagged(curious: Work) -> None:
    assert "a key that is long enough" not in curious.text
    assert "def threshold" not in json.dumps([cell.get("outputs") for cell in curious.notebook.cells])
    assert curious.text.count("Cut out: this showed the grader's own files") == 2
    assert curious.text.count("showed text of the hidden checks, or the course's key") == 2
    assert "HIDDEN TESTS" not in curious.text


def test_output_is_limited_and_runs_nothing(curious: Work) -> None:
    assert len(curious.text) < 300_000
    assert "There was more output than is kept" in curious.text
    shown = curious.output("display(HTML") + "".join(
        cell.source for cell in curious.notebook.cells if cell.cell_type == "markdown"
    )
    assert "<td>kept</td>" in shown
    assert "Hello" in shown
    assert "<script" not in shown
    assert "onerror" not in shown


def test_files_of_a_notebook_stay_in_its_own_folder(curious: Work, course: Course) -> None:
    assert "mine" in curious.output("mine.txt")
    assert list(course.folder.rglob("mine.txt")) == []


@pytest.fixture(scope="module")
def moved(course: Course) -> Work:
    """Graded cells deleted, copied, split, moved, of another kind, with other ids, points and versions."""
    notebook = solved(course)
    cells = notebook.cells
    answer = cells[place(notebook, "guess_cost" + ANSWER)]
    first, second = answer.source.split("\n", 1) if "\n" in answer.source else (answer.source, "guess_cost += 0")
    split = nbformat.from_dict({**answer, "id": "second-half", "source": second})
    answer.source = first
    cells.insert(cells.index(answer) + 1, split)
    copied = nbformat.from_dict({**cells[place(notebook, "count")], "id": "pasted"})
    cells.insert(2, copied)
    for name in ("threshold", "threshold" + ANSWER):
        cells.append(cells.pop(place(notebook, name)))  # now the check stands above its answer
    cells[place(notebook, "tagger" + ANSWER)].cell_type = "markdown"
    cells[place(notebook, "scanner")].metadata.nbgrader |= {"points": 1000, "schema_version": 99}
    cells[place(notebook, "scanner" + ANSWER)].metadata.nbgrader.grade_id = "mine"
    del cells[place(notebook, "measure")]
    cells[3].id = cells[4].id
    return course.grade(notebook, "moved", NAME)


def test_moved_cells_get_their_points(moved: Work) -> None:
    assert {key: moved.points[key] for key in FULL} == FULL, moved.said


def test_mending_is_told_on_top_of_the_notebook(moved: Work) -> None:
    said = moved.notebook.cells[0].source
    assert said.startswith("**Mended before it was graded**")
    for words in ("The check of measure was missing", "tagger-answer had become", "threshold was above its answer"):
        assert words in said


@pytest.mark.parametrize("version", ["3", "4.0"])
def test_notebook_of_another_version_gets_its_points(version: str, course: Course) -> None:
    notebook = solved(course)
    if version == "3":
        text = nbformat.writes(nbformat.convert(notebook, 3), version=3)
    else:
        kept = ({key: value for key, value in cell.items() if key != "id"} for cell in notebook.cells)
        cells = [cell | {"metadata": {}} for cell in kept]
        text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 0})
    assert {key: course.grade(text, f"version-{version}", NAME).points[key] for key in FULL} == FULL


def test_file_that_is_no_notebook_is_not_attempted(course: Course) -> None:
    work = course.grade("<html>Sign in to see this file</html>", "no-notebook", NAME)
    assert {said["outcome"] for said in work.said.values()} == {"not attempted"}
    assert "This is no notebook" in work.text


def test_first_cell_that_fails_is_told_and_no_more_is_lost(course: Course) -> None:
    notebook = solved(course, measure='measure = "cost"')
    start = notebook.cells[place(notebook, "start")]
    start.source = "import no_such_module\n" + start.source
    work = course.grade(notebook, "failing", NAME)
    assert work.points["measure"] == 10
    assert work.points["scanner"] == 0
    assert "NameError" in work.said["scanner"]["message"]


def test_grading_that_is_killed_leaves_no_kernel(course: Course, tmp_path: Path) -> None:
    """One call that does not end, and holds Python's lock: the kernel cannot look whether its grader is still there."""
    told = tmp_path / "kernel"
    tell = f"import os, pathlib, re\npathlib.Path({str(told)!r}).write_text(str(os.getpid()))"
    answer = f"{tell}\nmeasure = re.match('(a+)+b', 'a' * 99)"
    handed_in = tmp_path / "in" / f"looping_{NAME}.ipynb"
    handed_in.parent.mkdir()
    handed_in.write_text(nbformat.writes(solved(course, measure=answer)), encoding="utf-8")
    command = [sys.executable, "-m", "recipe.teach.course", "grade", handed_in.parent, "--folder", course.folder]
    grader = psutil.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: told.is_file() and told.read_text())
        kernel, started = psutil.Process(int(told.read_text())), grader.children(recursive=True)
    finally:
        grader.kill()
        grader.wait()
    assert psutil.wait_procs([kernel, *started], timeout=20)[1] == []


def wait_until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def test_check_that_fails_waits_for_a_person(course: Course) -> None:
    path = course.folder / "hidden" / "s2_measure.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n\ndef measure(answer, world, draw):\n    return 1 / 0\n", encoding="utf-8")
    _end_judges()
    try:
        work = course.grade(solved(course), "by-hand", NAME)
    finally:
        path.write_text(text, encoding="utf-8")
        _end_judges()
    assert work.points["measure"] == 0
    assert {"measure", "explain"} >= work.to_be_marked >= {"measure"}
    assert "ZeroDivisionError" not in work.text


def _end_judges() -> Iterator[None]:
    from recipe.teach import grading

    for judge in grading._judges.values():
        judge.close()
