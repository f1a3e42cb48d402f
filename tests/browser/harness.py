"""A real browser: open a notebook, use a panel as a person does, and look at what is seen.

Everything stays on 127.0.0.1: the browser finds no other host, a request to one is kept and fails the test at its end,
and so does an error in the browser's console.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, TimeoutError, expect
from seen_panel import SECONDS, SeenPanel
from servers import HOST, Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",
)
RUN_ALL_SECONDS = 180
SIZE = {"width": 1280, "height": 900}

# Errors in the console that are no fault of the kit: a pattern, and why it is let pass.
HARMLESS = {
    r"reading 'schema'.*static/notebook/": "Notebook 7.6 looks for a setting that it lacks, at its start",
    r"ERR_UNKNOWN_URL_SCHEME \(attachment:": "JupyterLab asks for the picture of a text cell before it has put it in",
    r"403 \(Forbidden\).*/voila/api/shutdown/": "Voilà's page asks to end its kernel when it is left, and has no token",
    r"Canceled future for create_subshell_request": "JupyterLab closes a notebook whose kernel is about to answer it",
}

_OUTPUTS = """() => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  return cells.filter(cell => cell.cell_type === "code").map(cell => cell.toJSON());
}"""
_IS_OPEN = "() => window.jupyterapp?.shell?.currentWidget?.content?.model?.cells?.length > 0"
_RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
}"""

_OPEN = """async (path) => {
  await window.jupyterapp.restored;
  await window.jupyterapp.commands.execute("docmanager:open", {path, factory: "Notebook"});
}"""
_CLOSE = """() => {
  const app = window.jupyterapp;
  for (const document of [...app.shell.widgets("main")]) document.dispose();
  app.shell.expandLeft?.();
}"""


def find_browser() -> str | None:
    """Return the path of a Chromium that is installed, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Visitor:
    """One visit of a browser to a Jupyter application.

    Attributes
    ----------
    page : Playwright's page, for what has no method here
    screenshots : the folder that they go to
    errors : what the console and the page complained of, without what is known to be harmless
    outside : addresses on other hosts that something asked for
    """

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.server = server
        self.screenshots = Path()
        self.errors: list[str] = []
        self.outside: list[str] = []
        context.set_default_timeout(1000 * SECONDS)
        expect.set_options(timeout=1000 * SECONDS)
        context.on("request", lambda request: self._note(request.url))
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._complain(f"{error} {error.stack}"))
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def open_notebook(self, name: str, link: str = "") -> None:
        """Open a notebook of the server's folder, or a link to it; wait until it is there (in Voilà: has run)."""
        if self.server.kind == "lab" and not link and self.page.evaluate("() => Boolean(window.jupyterapp)"):
            self.page.evaluate(_OPEN, name)  # as by a double click in the list of files
        else:
            self.page.goto(link or self.server.address(name), timeout=1000 * RUN_ALL_SECONDS)  # Voilà runs it first
        if self.server.kind == "voila":
            self.page.wait_for_selector("#rendered_cells", state="visible")
            return
        try:
            self.page.wait_for_function(_IS_OPEN)
        except TimeoutError:  # JupyterLab on a busy machine now and then opens no document: a person reloads the page
            self.page.reload()
            self.page.wait_for_function(_IS_OPEN)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell:visible")

    def leave(self) -> None:
        """Close the notebook without saving it, and end its kernel: the next visit begins as if it were the first.

        To load JupyterLab takes the processor six seconds. The page stays, the notebook and its widgets go.
        """
        self.page.evaluate(_CLOSE)
        self.page.set_viewport_size(SIZE)
        self.server.end_kernels()

    def close(self) -> None:
        """Close the page and end its kernel; Voilà ends one by itself when its page is left."""
        self.page.context.close()
        if self.server.kind != "voila":
            self.server.end_kernels()

    def run_all(self) -> list[dict]:
        """Run all cells, wait until they are done and return the code cells; an error in one of them fails the test."""
        self.page.set_default_timeout(1000 * RUN_ALL_SECONDS)
        self.page.evaluate(_RUN_ALL)
        self.page.wait_for_function(f"() => ({_OUTPUTS})().every(cell => cell.execution_count || !cell.source.trim())")
        self.page.set_default_timeout(1000 * SECONDS)
        cells = self.page.evaluate(_OUTPUTS)
        outputs = [output for cell in cells for output in cell["outputs"]]
        wrong = [
            output.get("evalue") or output["text"]
            for output in outputs
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]
        assert wrong == [], f"a cell failed or warned: {wrong}"
        return cells

    def hide_sidebar(self) -> None:
        """Give the notebook the whole width of JupyterLab, as one does on a small screen."""
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft?.()")

    def panel(self, title: str, number: int = 0, *, run: str = "Run") -> SeenPanel:
        """Return the panel under this title, of several the one of this number, once it is seen.

        Parameters
        ----------
        run : what its button says that starts a run
        """
        heading = self.page.locator("b").get_by_text(title, exact=True)
        root = self.page.locator(".recipe-panel").filter(has=heading).nth(number)
        root.scroll_into_view_if_needed()
        expect(root).to_be_visible()
        return SeenPanel(root, self.screenshots, run=run)

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """Keep what is seen now as NAME.png, in the folder that RECIPE_SCREENSHOTS names, else in a temporary one."""
        path = self.screenshots / f"{name}.png"
        (part or self.page).screenshot(path=path)
        return path

    def check(self) -> None:
        """Fail if the console held an error, or something asked another host, since the last look."""
        outside, errors = self.outside[:], self.errors[:]
        self.outside.clear()
        self.errors.clear()
        assert outside == [], f"other hosts were asked: {outside}"
        assert errors == [], "the console holds errors:\n" + "\n".join(errors)

    def _note(self, address: str) -> None:
        """Keep an address that is not on this machine."""
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob", "about", "attachment") and parts.hostname != HOST:
            self.outside.append(address)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"{message.text} ({message.location.get('url', '')})")

    def _complain(self, text: str) -> None:
        if not any(re.search(pattern, text, re.DOTALL) for pattern in HARMLESS):
            self.errors.append(text)
