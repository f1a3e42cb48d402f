"""JupyterLab as students and as instructors see it: nbgrader's menu and pages are there for the latter alone."""

from __future__ import annotations

import urllib.error

import pytest
from servers import serve

MENU = "() => [...document.querySelectorAll('.lm-MenuBar-itemLabel')].map(label => label.textContent)"
COMMANDS = "() => window.jupyterapp.commands.listCommands().filter(name => name.startsWith('nbgrader'))"


@pytest.mark.parametrize("kind", ["lab", "teacher"])
def test_lab_shows_the_tools_of_instructors_to_instructors_alone(kind, browser, tmp_path):
    pytest.importorskip("nbgrader", reason="the extra [teach] is not installed")
    folder = tmp_path / "course"
    folder.mkdir()
    with serve(kind, folder, tmp_path / "home") as server:
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
