"""A real browser: open a notebook, use a panel as a person does, and look at what is seen.

Everything stays on 127.0.0.1: a request to another host is cut off, kept, and fails the test at its end, and so does an
error in the browser's console.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Route, expect
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
)
SECONDS = 60  # the longest that one thing may take before a test gives up on it
RUN_ALL_SECONDS = 180

# Errors in the console that are no fault of the kit: a pattern, and why it is let pass.
HARMLESS = {
    r"reading 'schema'.*static/notebook/": "Notebook 7.6 looks for a setting that it lacks, at its start",
}

_OUTPUTS = """() => {
  const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells;
  return cells.filter(cell => cell.cell_type === "code").map(cell => cell.toJSON());
}"""
_RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
}"""
_BYTES = """async (image) => {
  const data = await (await fetch(image.src)).arrayBuffer();
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", data))));
}"""


_WATCH = """image => {
  const seen = {frames: 0, figures: new Set(), heights: new Set()};
  const look = () => {
    seen.frames += 1;
    seen.figures.add(image.src);
    seen.heights.add(Math.round(image.getBoundingClientRect().height));
    if (!seen.done) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  return seen;
}"""
_WATCHED = """seen => {
  seen.done = true;
  return {frames: seen.frames, figures: seen.figures.size, heights: seen.heights.size};
}"""


def find_browser() -> str | None:
    """Return the path of a Chromium that is installed, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Visitor:
    """One visit of a browser to a Jupyter application.

    Attributes
    ----------
    page : Playwright's page, for what has no method here
    errors : what the console and the page complained of, without what is known to be harmless
    outside : addresses on other hosts that something asked for; they were cut off
    """

    def __init__(self, context: BrowserContext, server: Server, screenshots: Path) -> None:
        self.server, self.screenshots = server, screenshots
        self.errors: list[str] = []
        self.outside: list[str] = []
        context.set_default_timeout(1000 * SECONDS)
        context.route(re.compile(""), self._route)
        self.page: Page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._complain(f"{error} {error.stack}"))
        self.page.on("websocket", lambda socket: self._note(socket.url))

    def open_notebook(self, name: str) -> None:
        """Open a notebook of the server's folder and wait until it is there (in Voilà: until it has run)."""
        self.page.goto(self.server.address(name))
        if self.server.kind == "voila":
            self.page.wait_for_selector("#rendered_cells", state="visible")
            return
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.content?.model?.cells?.length > 0")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")

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

    def panel(self, title: str) -> SeenPanel:
        """Return the panel under this title, once it is seen."""
        heading = self.page.locator("b").get_by_text(title, exact=True)
        root = self.page.locator(".recipe-panel").filter(has=heading).first
        root.scroll_into_view_if_needed()
        expect(root).to_be_visible()
        return SeenPanel(root, self)

    def screenshot(self, name: str, part: Locator | None = None) -> Path:
        """Keep what is seen now as NAME.png, in the folder that RECIPE_SCREENSHOTS names, else in a temporary one."""
        path = self.screenshots / f"{name}.png"
        (part or self.page).screenshot(path=path)
        return path

    def check(self) -> None:
        """Fail if the console held an error, or something asked another host."""
        assert self.outside == [], f"other hosts were asked: {self.outside}"
        assert self.errors == [], "the console holds errors:\n" + "\n".join(self.errors)

    def _route(self, route: Route) -> None:
        if self._note(route.request.url):
            route.continue_()
        else:
            route.abort()

    def _note(self, address: str) -> bool:
        """Return whether an address is on this machine, and keep it if it is not."""
        parts = urlsplit(address)
        inside = parts.scheme in ("data", "blob", "about") or parts.hostname == HOST
        if not inside:
            self.outside.append(address)
        return inside

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complain(f"{message.text} ({message.location.get('url', '')})")

    def _complain(self, text: str) -> None:
        if not any(re.search(pattern, text, re.DOTALL) for pattern in HARMLESS):
            self.errors.append(text)


class SeenPanel:
    """A panel as it stands on the page."""

    def __init__(self, root: Locator, visitor: Visitor) -> None:
        self.root, self._visitor = root, visitor
        self.image = root.get_by_role("img")
        self.run_button = root.get_by_role("button", name="Run")
        self.stop_button = root.get_by_role("button", name="Stop")

    # What is seen.

    def status(self) -> str:
        """Return the status line, or the message of an error."""
        return _text(self.root.locator("[role=status], [role=alert]").last)

    def source(self) -> str:
        """Return the line that says where the data is from."""
        return _text(self.root.locator("[data-role=source]"))

    def alt_text(self) -> str:
        """Return what the figure says to those who do not see it."""
        return self.image.get_attribute("alt") or self.image.get_attribute("title") or ""

    def figure(self) -> str:
        """Return the hash of the figure that is shown: it differs when the figure does."""
        return self.image.evaluate(_BYTES)

    def watch(self) -> Callable[[], dict[str, int]]:
        """Look at the figure in every frame that the browser draws, until the function that this returns is called.

        It says how many frames, figures and heights there were: a figure that vanishes for a frame has no height then.
        """
        seen = self.image.evaluate_handle(_WATCH)
        return lambda: seen.evaluate(_WATCHED)

    def is_running(self) -> bool:
        """Return whether Stop can be pressed, and Run not."""
        assert self.run_button.is_disabled() != self.stop_button.is_disabled()
        return self.stop_button.is_enabled()

    def cut_texts(self) -> list[str]:
        """Return the labels and readouts that do not fit into their place, and what sticks out of the panel."""
        return self.root.evaluate("""root => {
          const right = root.getBoundingClientRect().right + 1;
          const leaves = [...root.querySelectorAll(".widget-label, .widget-readout, button, [role=status], img")];
          return leaves.filter(node => node.checkVisibility()
            && (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && node.tagName !== "IMG"
                || node.getBoundingClientRect().right > right)).map(node => node.textContent || node.title);
        }""")

    # What is done.

    def run(self) -> None:
        """Press Run."""
        self.run_button.click()

    def stop(self) -> None:
        """Press Stop."""
        self.stop_button.click()

    def wait_until_done(self, seconds: float = SECONDS) -> None:
        """Wait until Run can be pressed again."""
        expect(self.run_button).to_be_enabled(timeout=1000 * seconds)

    def wait_for_status(self, text: str | re.Pattern, seconds: float = SECONDS) -> None:
        """Wait until the status line, or the message of an error, holds this text."""
        place = self.root.locator("[role=status], [role=alert]").last
        expect(place).to_contain_text(text, timeout=1000 * seconds)

    def wait_for_change(self, before: str, seconds: float = SECONDS) -> str:
        """Wait until the figure is another than before, and return the new one."""
        give_up = seconds * 1000
        while (now := self.figure()) == before:
            self._visitor.page.wait_for_timeout(50)
            give_up -= 50
            assert give_up > 0, f"the figure stayed the same for {seconds} s"
        return now

    def control(self, label: str) -> Locator:
        """Return the control with this label: slider, menu, check box or text field with its label around it."""
        return self.root.locator(".widget-inline-hbox, .widget-hslider").filter(
            has=self._visitor.page.locator("label, span").get_by_text(label, exact=True)
        )

    def readout(self, label: str) -> str:
        """Return the value that stands beside a slider."""
        return _text(self.control(label).locator(".widget-readout"))

    def press(self, label: str, key: str, times: int = 1) -> None:
        """Put the focus on a slider's handle and press a key: PageUp for five steps; Home; ArrowRight for one.

        Notebook 7 takes the arrow keys for its own shortcuts even while a slider has the focus.
        """
        handle = self.control(label).locator("[role=slider]").first
        handle.focus()
        for _ in range(times):
            self._visitor.page.keyboard.press(key)

    def type(self, label: str, value: str) -> None:
        """Type a value into a slider's readout or a text field, and press Enter."""
        field = self.control(label).locator(".widget-readout, input").last
        field.click()
        self._visitor.page.keyboard.press("Control+a")
        self._visitor.page.keyboard.type(value)
        self._visitor.page.keyboard.press("Enter")

    def drag(self, label: str, to: float, steps: int = 20) -> None:
        """Drag a slider's handle to a part of its track, 0 left and 1 right, in many small moves, and let go there."""
        slider = self.control(label)
        slider.scroll_into_view_if_needed()  # a long notebook moves while its figures arrive
        handle = slider.locator("[role=slider]").first.bounding_box()
        track = slider.locator(".noUi-target").bounding_box()
        mouse = self._visitor.page.mouse
        mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
        mouse.down()
        mouse.move(track["x"] + to * track["width"], track["y"] + track["height"] / 2, steps=steps)
        mouse.up()

    def choose(self, label: str, option: str) -> None:
        """Choose an option of a menu by what it says."""
        self.control(label).locator("select").select_option(label=option)

    def toggle(self, label: str) -> None:
        """Click a check box."""
        self.control(label).locator("input[type=checkbox]").click()


def _text(part: Locator) -> str:
    """Return what stands there, also where it is scrolled out of sight: a cell far away shows no inner text."""
    return (part.text_content() or "").strip()
