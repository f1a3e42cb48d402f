"""A panel as it stands on a page of the browser: what is seen of it, and what a person does with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, expect

SECONDS = 60  # the longest that one thing may take before a test gives up on it
WIDTHS = (1280, 900)
LOOK_MILLISECONDS = 150  # between two looks at a figure: to hash it costs the browser time that the kernel lacks

_BYTES = """async (image) => {
  const data = await (await fetch(image.src)).arrayBuffer();
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest("SHA-256", data))));
}"""

# Until what stands there has kept its place and size for some frames: the page is laid out anew.
_SETTLED = """root => new Promise(done => {
  let last, frames = 0;
  const look = () => {
    const now = JSON.stringify(root.getBoundingClientRect());
    frames = now === last ? frames + 1 : 0;
    last = now;
    frames < 6 ? requestAnimationFrame(look) : done();
  };
  requestAnimationFrame(look);
})"""

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


class SeenPanel:
    """A panel as it stands on the page."""

    def __init__(self, root: Locator, screenshots: Path, *, run: str = "Run") -> None:
        self.root, self._page, self._screenshots = root, root.page, screenshots
        self.image = root.get_by_role("img")
        self.run_button = self.button(run)
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

    def sideways(self) -> list[str]:
        """Return what would have to be scrolled sideways: a figure that is wider than its place, say."""
        return self.root.evaluate("""root => [...root.querySelectorAll(".widget-box, .widget-tab-contents")]
          .filter(node => node.checkVisibility() && getComputedStyle(node).overflowX !== "hidden"
            && node.scrollWidth > node.clientWidth).map(node => node.className)""")

    def check_fit(self, name: str) -> None:
        """Fail if something is cut off on a screen of one of the `WIDTHS`; keep NAME-1280.png and its like."""
        before = self._page.viewport_size
        for width in WIDTHS:
            self._page.set_viewport_size({"width": width, "height": 900})
            self.root.scroll_into_view_if_needed()
            self.root.evaluate(_SETTLED)
            self.root.screenshot(path=self._screenshots / f"{name}-{width}.png")
            assert (cut := self.cut_texts()) == [], f"at {width} pixels: {cut}"
            assert (wide := self.sideways()) == [], f"at {width} pixels: {wide}"
        self._page.set_viewport_size(before)

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
            self._page.wait_for_timeout(LOOK_MILLISECONDS)
            give_up -= LOOK_MILLISECONDS
            assert give_up > 0, f"the figure stayed the same for {seconds} s"
        return now

    def control(self, label: str) -> Locator:
        """Return the control with this label: slider, menu, check box or text field with its label around it."""
        return self.root.locator(".widget-inline-hbox, .widget-hslider").filter(
            has=self._page.locator("label, span").get_by_text(label, exact=True)
        )

    def button(self, words: str) -> Locator:
        """Return the button that says just this; an icon may stand before it."""
        return self.root.get_by_role("button", name=re.compile(rf"(^|\W){re.escape(words)}$"))

    def open_tab(self, name: str) -> None:
        """Click a tab."""
        self.root.get_by_role("tab", name=name).click()

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
            self._page.keyboard.press(key)

    def type(self, label: str, value: str) -> None:
        """Type a value into a slider's readout or a text field, and press Enter."""
        field = self.control(label).locator(".widget-readout, input").last
        field.click()
        self._page.keyboard.press("Control+a")
        self._page.keyboard.type(value)
        self._page.keyboard.press("Enter")

    def drag(self, label: str, to: float, steps: int = 20) -> None:
        """Drag a slider's handle to a part of its track, 0 left and 1 right, in many small moves, and let go there."""
        slider = self.control(label)
        slider.scroll_into_view_if_needed()  # a long notebook moves while its figures arrive
        handle = slider.locator("[role=slider]").first.bounding_box()
        track = slider.locator(".noUi-target").bounding_box()
        mouse = self._page.mouse
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
