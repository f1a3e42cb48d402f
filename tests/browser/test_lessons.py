"""The lessons: Voilà lists them without another host, and JupyterLab does not ask to save one that is looked at."""

from __future__ import annotations

import runpy
from urllib.parse import urlsplit

import nbformat
from servers import ROOT

_IS_CHANGED = """async () => {
  const {sessionContext, context} = window.jupyterapp.shell.currentWidget;
  await context.ready;
  await sessionContext.ready;
  await Promise.all([sessionContext.session.kernel.info, sessionContext.session.kernel.spec]);
  await new Promise(done => setTimeout(done, 500)); // what they say is written down by then
  return context.model.dirty;
}"""


def test_lesson_that_is_opened_does_not_ask_to_be_saved(lab, notebooks):
    """Every lesson whose cells hold something that those of the lessons before did not.

    What JupyterLab writes of the kernel, the other reason to save, is the same in all: tests/test_notebooks.py.
    """
    stamp = runpy.run_path(str(ROOT / "tools/kernel_metadata.py"))["stamp"]
    seen, changed = set(), []
    for path in sorted(notebooks.glob("0*.ipynb")):
        stamp(path)  # of this Python's version
        places = {(one.cell_type, *place) for one in nbformat.read(path, as_version=4).cells for place in _places(one)}
        if places <= seen:
            continue
        seen |= places
        lab.open_notebook(path.name)
        if lab.page.evaluate(_IS_CHANGED):
            changed.append(path.name)
        lab.leave()
    assert changed == []


def _places(value, place=()):
    """Where in a cell something stands: all that JupyterLab could write in another way."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, (*place, "a file" if place[-1:] == ("attachments",) else name))
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, place)
    else:
        yield place


def test_voila_lists_the_lessons_and_asks_no_other_host(browser, voila_server):
    context = browser.new_context()
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(urlsplit(request.url)))
    page.goto(f"{voila_server.url}/?token={voila_server.token}")
    page.get_by_text("01_define_the_problem.ipynb", exact=True).wait_for()
    page.goto(f"{voila_server.url}/voila/render/no_such_lesson.ipynb?token={voila_server.token}")
    page.get_by_text("404").wait_for()
    context.close()
    assert {address.hostname for address in asked if address.scheme.startswith("http")} == {"127.0.0.1"}
