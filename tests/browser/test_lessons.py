"""The lessons in JupyterLab: one that is opened and looked at does not ask to be saved."""

from __future__ import annotations

import runpy

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
