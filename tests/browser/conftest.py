"""Fixtures for the tests in the browser: one browser and one server of a kind for all tests of a worker."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest

try:
    from harness import FLAGS, SIZE, Visitor, find_browser
    from playwright.sync_api import sync_playwright
except ModuleNotFoundError:  # a machine without Playwright; the tests say so
    sync_playwright = None
from servers import ROOT, serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder, for they run where they are asked for: `-m browser`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    """Chromium, with a profile that nobody has used."""
    if sync_playwright is None:
        pytest.fail("Playwright is not installed: pip install playwright")
    executable = find_browser()
    if executable is None:
        pytest.fail("There is no Chromium on this machine. Install Debian's package chromium, or Google Chrome.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks, without their outputs, beside the panels that only tests use."""
    folder = tmp_path_factory.mktemp("served") / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "tests/panel_examples.py", folder)
    return folder


@pytest.fixture(scope="session")
def page(notebooks):
    """A function that writes a notebook of these cells, which has never run, and returns its name."""

    def write(name: str, *sources: str) -> str:
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), notebooks / f"{name}.ipynb")
        return f"{name}.ipynb"

    return write


def _server(kind: str):
    @pytest.fixture(scope="session", name=f"{kind}_server")
    def server(browser, notebooks, tmp_path_factory):
        with serve(kind, notebooks, tmp_path_factory.mktemp(kind)) as running:
            yield running

    return server


@pytest.fixture(scope="session")
def visits() -> dict[str, Visitor]:
    """The page of JupyterLab that one test leaves to the next, as a person leaves it open."""
    return {}


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """The folder that screenshots go to."""
    folder = Path(SCREENSHOTS) if SCREENSHOTS else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def visit(request, browser, visits, screenshots):
    """A function that begins a visit to an application, on the page that was left last where there is one."""

    def begin(kind: str) -> Visitor:
        server = request.getfixturevalue(f"{kind}_server")
        visitor = visits.pop(kind, None) or Visitor(browser.new_context(viewport=SIZE), server)
        visitor.screenshots = screenshots
        return visitor

    return begin


def _visitor(kind: str):
    @pytest.fixture(name=kind)
    def visitor(request, visit, visits):
        visitor = visit(kind)
        yield visitor
        if getattr(request.node, "failed", False):
            visitor.screenshot(f"failed-{request.node.name}")
        elif kind == "lab":
            visitor.leave()
            visits[kind] = visitor
        if kind not in visits:
            visitor.close()
        visitor.check()

    return visitor


SCREENSHOTS = os.environ.get("RECIPE_SCREENSHOTS")  # before the tests are shielded from it
lab_server, notebook_server, voila_server = map(_server, ("lab", "notebook", "voila"))
lab, notebook, voila = map(_visitor, ("lab", "notebook", "voila"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> pytest.TestReport:
    """Tell the visitor whether the test failed, so that it keeps what was seen then."""
    report = yield
    if report.when == "call":
        item.failed = report.failed
    return report
