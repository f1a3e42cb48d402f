"""All assignments: their form; and the proof, by all their answers through nbgrader itself (`make assignments`)."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import pytest
from courses import COURSE, Course, Work

from recipe.teach.exercises import MODULES, find_assignment, make_rng
from recipe.teach.handover import Handed, from_json, to_json
from recipe.teach.judge import Judge
from recipe.teach.mending import grade_id
from recipe.teach.play import ANSWER, Answer, read_answers, read_source, submit

LESSONS = COURSE.parent / "notebooks"
FIGURES = runpy.run_path(str(COURSE.parent / "tools" / "lesson_figures.py"))
NAMES = [name for name in MODULES if (COURSE / "source" / name).is_dir()]
SUBMISSIONS = {name: max(map(len, read_answers(COURSE, name).values())) for name in NAMES}
PLAYED = [(name, k) for name in NAMES for k in range(-1, SUBMISSIONS[name])]  # -1: nobody wrote into it
FAST = {("02_choose_a_measure_of_success", k) for k in (-1, 3)}
JUNK = [
    None,
    True,
    -1,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "yes",
    "a" * 10_000,
    [],
    [[1, 2], [3]],
    {},
    {"a": {"b": [None]}},
    np.zeros((3, 2)),
    np.array([np.nan]),
    np.array([], int),
    pd.DataFrame({"x": [1.0]}),
    pd.Series(["a", "b"]),
    Handed("object", error="TypeError: odd"),
    Handed("object", made_of={"class": "Odd"}),
    Handed("function", (1, "two")),
    Handed("function", (np.zeros(3), None)),
    Handed("estimator", (), {"class": "Odd", "steps": [], "parameters": {}}),
    Handed("model", (np.zeros((2, 1)),) * 2, {"layers": [], "params": 0, "loss": "mse"}),
]


@pytest.mark.parametrize("name", NAMES)
def test_source_has_100_points_and_a_cell_for_each_exercise(name: str) -> None:
    source, exercises = read_source(COURSE, name), find_assignment(name).exercises
    about = {grade_id(cell): cell for cell in source.cells if grade_id(cell)}
    assert len(about) == sum(bool(grade_id(cell)) for cell in source.cells), "ids are there once"
    points = {key: cell.metadata.nbgrader.points for key, cell in about.items() if cell.metadata.nbgrader.grade}
    assert sum(points.values()) == 100
    assert 5 <= len(exercises) <= 8
    for key, exercise in exercises.items():
        assert points[key] == exercise.points
        assert about[key].source.startswith(f'work.check("{key}")\n### BEGIN HIDDEN TESTS')
        assert "### BEGIN SOLUTION" in about[key + ANSWER].source
    written = [about[key] for key in points if key not in exercises]
    assert written
    for cell in written:
        assert cell.cell_type == "markdown"
        assert "### BEGIN MARK SCHEME" in cell.source
    assert re.search(rf'open_assignment\(\s*"{name}"', "\n".join(cell.source for cell in source.cells))
    assert not any(cell.get("outputs") for cell in source.cells)
    said = int(re.search(r"about (\d+) minutes", source.cells[0].source)[1])
    assert 30 <= said <= 60
    assert abs(said - FIGURES["measure_assignment"](source).minutes) <= 5


@pytest.mark.parametrize("name", NAMES)
def test_misconceptions_link_cells_of_lessons(name: str) -> None:
    for misconception in find_assignment(name).misconceptions.values():
        notebook, cell = misconception.cell.split("#")
        path = LESSONS / f"{notebook}.ipynb"
        assert path.is_file(), misconception.cell
        assert cell in {one["id"] for one in json.loads(path.read_text(encoding="utf-8"))["cells"]}, misconception.cell


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_enough_and_name_what_they_stand_for(name: str) -> None:
    assignment, answers = find_assignment(name), read_answers(COURSE, name)
    assert set(answers) == set(assignment.exercises)
    met = set()
    for key, (_, *others) in answers.items():
        valid = [one for one in others if one.points == assignment.exercises[key].points]
        wrong = [one for one in others if one.points < assignment.exercises[key].points]
        assert len(valid) >= 2, key
        assert len(wrong) >= 4, key
        assert all(one.misconception or one.says for one in wrong), key
        met |= {one.misconception for one in wrong} - {""}
    assert met == set(assignment.misconceptions), "each misconception stands behind an answer, and the other way round"


@pytest.mark.parametrize("name", NAMES)
def test_checks_take_whatever_is_handed_over(name: str) -> None:
    judge, failed = Judge(name, "ada", COURSE / "hidden"), []
    for key, exercise in judge.assignment.exercises.items():
        for tries in judge.tries(key):
            json.loads(to_json(tries))
        for junk in JUNK:
            answer = from_json(to_json(dict.fromkeys(exercise.asks, junk)))
            try:
                assert 0 <= judge.judge(key, answer, answer).share <= 1
            except Exception as error:
                failed.append(f"{key}, {str(junk)[:80]!r}: {type(error).__name__}: {error}")
    assert failed == []


@pytest.mark.parametrize("name", NAMES)
def test_worlds_differ_and_come_back(name: str) -> None:
    world = find_assignment(name).world
    given = [
        to_json({key: value for key, value in world(make_rng(name, student)).given.items() if _is_plain(value)})
        for student in ("ada", "ada", "bob")
    ]
    assert given[0] == given[1]
    assert given[0] != given[2]


def _is_plain(value: object) -> bool:
    try:
        to_json(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_hidden_checks_belong_to_exercises(name: str) -> None:
    module = COURSE / "hidden" / f"{MODULES[name]}.py"
    names = set(re.findall(r"^def ([a-z]\w*)\(answer", module.read_text(encoding="utf-8"), re.MULTILINE))
    assert names
    assert names <= set(find_assignment(name).exercises)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Course]:
    made: dict[str, Course] = {}

    def make(name: str) -> Course:
        if name not in made:
            made[name] = Course(tmp_path_factory.mktemp(name), name)
        return made[name]

    return make


def _mark(name: str, k: int) -> object:
    marks = [pytest.mark.xdist_group(name)] + [pytest.mark.assignments] * ((name, k) not in FAST)
    return pytest.param(name, k, marks=marks, id=f"{name}-{'untouched' if k < 0 else k}")


@pytest.mark.parametrize(("name", "k"), [_mark(*played) for played in PLAYED])
def test_nbgrader_gives_each_answer_its_points(name: str, k: int, course: Callable[[str], Course]) -> None:
    """Answer k of every exercise makes one submission; where an exercise has no more, its last one stands again."""
    handed_out = course(name)
    if k < 0:
        _check_untouched(handed_out.grade(handed_out.released(name), "nobody", name), name)
        return
    answers = {key: found[min(k, len(found) - 1)] for key, found in read_answers(COURSE, name).items()}
    notebook = submit(handed_out.released(name), {key: answer.code for key, answer in answers.items()})
    work = handed_out.grade(notebook, f"student-{k}", name)
    wrong = {key: found for key, answer in answers.items() if (found := _compare(work, key, answer))}
    assert wrong == {}


def _compare(work: Work, key: str, answer: Answer) -> str:
    said = SimpleNamespace(**work.said[key])
    if abs(work.points[key] - answer.points) > 1e-3:
        return f"{work.points[key]:g} points, not {answer.points:g}: {said.message}"
    if answer.misconception != said.misconception and answer.misconception:
        return f"taken for {said.misconception!r}, not {answer.misconception!r}: {said.message}"
    if answer.says not in said.message or "Traceback" in said.message:
        return f"does not say {answer.says!r}: {said.message}"
    if answer.misconception and ".ipynb, cell" not in said.message:
        return f"links no lesson: {said.message}"
    return ""


def _check_untouched(work: Work, name: str) -> None:
    assert {key: said["outcome"] for key, said in work.said.items()} == dict.fromkeys(
        find_assignment(name).exercises, "not attempted"
    )
    assert set(work.points.values()) == {0}
    assert work.to_be_marked == set(), "what nobody wrote nobody has to mark"
    errors = [output for cell in work.notebook.cells for output in cell.get("outputs", []) if "ename" in output]
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
def test_released_version_shows_nothing_of_the_grader(name: str, course: Callable[[str], Course]) -> None:
    handed_out = course(name)
    released, source = handed_out.released(name), read_source(COURSE, name)
    text = nbformat.writes(released)
    assert not re.search("(BEGIN|END) (SOLUTION|HIDDEN|MARK)|work.grade", text)
    solutions = re.findall(r"BEGIN SOLUTION\n(.*?)### END", "\n".join(cell.source for cell in source.cells), re.DOTALL)
    lines = {line.strip() for solution in solutions for line in solution.splitlines() if len(line.strip()) > 25}
    assert not [line for line in lines if json.dumps(line)[1:-1] in text]
    assert {path.name for path in (handed_out.folder / "release" / name).iterdir()} == {f"{name}.ipynb"}
