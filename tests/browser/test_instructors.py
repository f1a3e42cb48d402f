"""JupyterLab as instructors see it: with nbgrader's tools, which students lack, and a click grades a submission."""

from __future__ import annotations

import shutil
import urllib.error

import nbformat
import pytest
from playwright.sync_api import expect
from servers import ROOT, serve

pytest.importorskip("nbgrader", reason="the extra [teach] is not installed")
from recipe.teach.course import open_course
from recipe.teach.play import read_answers, submit

NAME = "02_choose_a_measure_of_success"
STUDENT = "ada"
COURSE = ROOT / "assignments"
MENU = "() => [...document.querySelectorAll('.lm-MenuBar-itemLabel')].map(label => label.textContent)"
COMMANDS = "() => window.jupyterapp.commands.listCommands().filter(name => name.startsWith('nbgrader'))"


@pytest.fixture(scope="module")
def teacher_server(tmp_path_factory):
    """A course with one submission, of which the measure is wrong, and all else right but what is marked by hand."""
    folder = tmp_path_factory.mktemp("teacher") / "course"
    shutil.copytree(COURSE / "source" / NAME, folder / "source" / NAME)
    shutil.copytree(COURSE / "hidden", folder / "hidden")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    assert open_course(folder).generate_assignment(NAME, force=True, create=True)["success"]
    answers = {key: found[0].code for key, found in read_answers(COURSE, NAME).items()} | {"measure": 'measure = "mae"'}
    released = nbformat.read(folder / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    path = folder / "submitted" / STUDENT / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(submit(released, answers), path)
    with serve("teacher", folder, folder.parent / "home") as running:
        yield running


@pytest.mark.parametrize("kind", ["lab", "teacher"])
def test_lab_shows_the_tools_of_instructors_to_instructors_alone(kind, browser, request):
    server = request.getfixturevalue(f"{kind}_server")
    page = browser.new_page()
    page.goto(f"{server.url}/lab?reset&token={server.token}")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    menu, commands = page.evaluate(MENU), page.evaluate(COMMANDS)
    page.close()
    try:
        answer = server._ask("GET", "formgrader/api/assignments") and 200
    except urllib.error.HTTPError as error:
        answer = error.code
    is_teacher = kind == "teacher"
    assert "File" in menu
    assert ("Nbgrader" in menu, commands != [], answer != 404) == (is_teacher, is_teacher, is_teacher)


def test_formgrader_grades_a_submission_by_a_click(browser, teacher_server, screenshots):
    page = browser.new_page(extra_http_headers={"Authorization": f"token {teacher_server.token}"})
    page.goto(f"{teacher_server.url}/formgrader/manage_submissions/{NAME}")
    row = page.get_by_role("row").filter(has_text=STUDENT)
    expect(row).to_contain_text("needs autograding", timeout=60_000)
    row.locator(".autograde a").click()
    dialog = page.locator(".modal-body")
    expect(dialog).to_contain_text("Successfully autograded", timeout=300_000)
    page.reload()
    expect(page.get_by_role("row").filter(has_text=STUDENT)).to_contain_text("80 / 100", timeout=60_000)
    page.screenshot(path=screenshots / "formgrader-points.png", full_page=True)
    page.goto(f"{teacher_server.url}/formgrader/gradebook/{NAME}/{NAME}")
    page.get_by_role("link", name="Submission #1").click()
    expect(page.get_by_text("That measures how far a quantity is off")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Mark scheme")).to_be_visible()
    page.screenshot(path=screenshots / "formgrader-submission.png", full_page=True)
    page.close()
