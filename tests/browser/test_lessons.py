"""The lessons: Voilà lists them without another host, and JupyterLab does not ask to save one that is looked at."""

from __future__ import annotations

import runpy
from urllib.parse import urlsplit

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
    stamp = runpy.run_path(str(ROOT / "tools/kernel_metadata.py"))["stamp"]
    changed = []
    for path in sorted(notebooks.rglob("0*.ipynb")):
        stamp(path)  # of this Python's version
        lab.open_notebook(path.name)
        if lab.page.evaluate(_IS_CHANGED):
            changed.append(path.name)
        lab.leave()
    assert changed == []


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
