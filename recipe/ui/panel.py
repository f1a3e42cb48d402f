"""What every panel is made of: controls left, a figure right, Run and Stop, one line of status, the data's source."""

from __future__ import annotations

import abc
import dataclasses
import logging
import threading
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape

import ipywidgets as widgets
import pandas as pd
from IPython import get_ipython
from matplotlib.figure import Figure
from traitlets import Unicode

from recipe.core.dataset import Dataset
from recipe.core.input_checks import expect_choice
from recipe.core.problem import Problem
from recipe.data.load import load
from recipe.figures import INK, blank_figure, to_png
from recipe.ui.controls import StepSlider, copy_button, keyboard_help, make_controls
from recipe.ui.settings import Settings
from recipe.ui.texts import STYLE, describe_source, error_html, program_html, show_with_twin, source_html, status_html
from recipe.ui.worker import LatestWins, Progress

SHARP = 1.5  # pixels of the picture for each of the page's
NO_RESULT = "No result yet."
NO_PROGRAM = "The program is for the data of the lesson alone."

OnProgress = Callable[[object, str], None]  # a partial result or None, and a message
log = logging.getLogger("recipe.ui")
log.addHandler(logging.NullHandler())  # the status line shows it; a handler of the user's own gets it too


class FigureImage(widgets.Image):
    """A picture as wide as its place; its `tooltip` is the alternative text that screen readers speak.

    The view of `Image` gives its element a title only where the model has a description, and that an empty one.
    """

    description = Unicode("", help="Always empty.").tag(sync=True)

    def __init__(self, width: float) -> None:
        layout = widgets.Layout(width="100%", max_width=f"{100 * width:.0f}px", height="auto")
        layout.margin = "0"  # the usual two pixels on each side would make it wider than its place, which then scrolls
        super().__init__(layout=layout)

    def show(self, figure: Figure | None, words: str = "") -> None:
        """Replace picture and alternative text at one stroke; without a figure nothing is seen."""
        png = b"" if figure is None else to_png(figure, dpi=SHARP * figure.dpi, fast=True)
        with self.hold_sync():
            self.layout.display = "none" if figure is None else "block"
            self.value, self.tooltip = png, words


class Panel(abc.ABC):
    """The base of all panels. A subclass says what the settings are, what is computed and how it is drawn.

    A subclass gives `title`, `settings_type`, `compute`, `draw`, `describe` and `tabulate`, and where it wants to
    `make_controls`, `make_left`, `make_right`, `summarise`, `figure_size`, `live`, and for a tab Code `program`.
    A setting that is called `problem` is a menu of the problems of the datasets.

    Parameters
    ----------
    *datasets : where the numbers come from, by default what the panel loads; the source of the chosen one stands on it
    **settings : what the controls say at first

    Attributes
    ----------
    settings : what the controls say; assign a `Settings`, a text or a line of it to change them without a run
    result : what the last run returned, or None
    error : the exception that ended the last run, or None
    controls : the control of each setting, by its name
    widget : the whole panel
    run_button, stop_button, image, status, source_label : the widgets beside them
    """

    title: typing.ClassVar[str] = "Panel"
    settings_type: typing.ClassVar[type[Settings]] = Settings
    # Whether a change of a control, or of these alone, runs at once: for what takes under half a second.
    live: typing.ClassVar[bool | tuple[str, ...]] = False
    loads: typing.ClassVar[Mapping[str, int | None]] = {}  # rows by problem, where no data is given
    run_words: typing.ClassVar[str] = "Run"  # on the button that starts a run
    figure_size: typing.ClassVar[tuple[float, float]] = (7.0, 4.4)  # inches; 100 pixels each
    draws_over: typing.ClassVar[bool] = False  # whether `draw` draws over what it drew before, which is faster

    def __init__(self, *datasets: Dataset, **settings: object) -> None:
        self.datasets = datasets or tuple(load(name, rows=rows) for name, rows in self.loads.items())
        self.result: typing.Any = None
        self.error: BaseException | None = None
        self._writer: int | None = None  # the thread in which the panel itself writes the controls
        self._stop_here = threading.Event()  # ends what run() computes
        self._computing, self._drawing = threading.RLock(), threading.RLock()
        self._worker = LatestWins(self._work, self.show_running)
        self._kept: dict[object, typing.Any] = {}
        self._has_twin = False  # in the output of a cell
        self._usual = self.settings_type(**self.defaults())
        first = self._usual.replace(**settings)
        self.check(first)
        self._build(first)

    # What a subclass says.

    def problems(self) -> Mapping[str, Problem]:
        """Return what the menu `problem` offers, the first one at first; none where there is no such setting."""
        has_menu = "problem" in self.settings_type.__dataclass_fields__
        return {dataset.problem.name: dataset.problem for dataset in self.datasets} if has_menu else {}

    def defaults(self) -> dict[str, object]:
        """Return the settings at first where this panel has others than their type: by default its first problem."""
        return {"problem": next(iter(problems))} if (problems := self.problems()) else {}

    def check(self, settings: typing.Any) -> None:
        """Raise ValueError where the settings make no sense on this panel."""
        if names := self.problems():
            expect_choice("problem", settings.problem, names, "The panel has no such problem.")

    def make_controls(self, settings: typing.Any) -> dict[str, widgets.Widget]:
        """Return one widget with a `value` for each setting; by default as `setting` declares them."""
        controls = make_controls(settings)
        if names := self.problems():
            controls["problem"].options = [(name.replace("_", " "), name) for name in names]
            controls["problem"].value = settings.problem
            controls["problem"].observe(lambda change: self._offer_suitable(controls), names="value")
            self._offer_suitable(controls)
        return controls

    def _offer_suitable(self, controls: Mapping[str, widgets.Widget]) -> None:
        """Offer in each menu what suits the chosen problem; what was chosen stays so where it does."""
        problem = self.problems()[controls["problem"].value]
        for field in dataclasses.fields(self.settings_type):
            if suits := field.metadata.get("suits"):
                menu, choices = controls[field.name], field.metadata["choices"].items()
                before = menu.value
                menu.options = [(words, choice) for words, choice in choices if suits(problem, choice)]
                menu.value = before if before in dict(menu.options).values() else menu.options[0][1]

    def make_left(self) -> list[widgets.Widget]:
        """Return what stands on the left: by default the controls one below the other."""
        return list(self.controls.values())

    def make_buttons(self) -> list[widgets.Widget]:
        """Return what stands above the figure, before the status: by default Run and Stop."""
        return [self.run_button, self.stop_button]

    def make_right(self) -> list[widgets.Widget]:
        """Return what stands on the right, below the buttons and the status: by default the figure, and the program."""
        if type(self).program is Panel.program:
            return [self.image]
        return [self.make_tabs({"Figure": [self.image], "Code": self.code_page})]

    def make_tabs(self, pages: Mapping[str, list[widgets.Widget]]) -> widgets.Tab:
        """Return tabs, each with what stands in it; `tabs` is the panel's own from then on."""
        page = widgets.Layout(width="100%", min_width="0", overflow="hidden")
        self.tabs = widgets.Tab([widgets.VBox(children, layout=page) for children in pages.values()])
        for number, title in enumerate(pages):
            self.tabs.set_title(number, title)  # Colab's ipywidgets 7 takes no titles
        return self.tabs

    @abc.abstractmethod
    def compute(self, settings: typing.Any, on_progress: OnProgress, stop: threading.Event) -> object:
        """Call one public function of the kit and return what it returns. It touches no widget.

        Parameters
        ----------
        on_progress : call it with (what there is so far or None, a short message); it redraws once a second at most
        stop : look at it often; once it is set, return what there is so far, or None
        """

    @abc.abstractmethod
    def draw(self, figure: Figure, result: typing.Any) -> None:
        """Draw the result on an empty figure."""

    @abc.abstractmethod
    def describe(self, result: typing.Any) -> str:
        """Return in one to three sentences what the figure shows, numbers in it: the alternative text."""

    @abc.abstractmethod
    def tabulate(self, result: typing.Any) -> pd.DataFrame:
        """Return the numbers of the figure as a table."""

    def summarise(self, result: typing.Any) -> str:
        """Return a few words for the status line; none by default."""
        return ""

    def program(self, settings: typing.Any, result: typing.Any) -> tuple[str, str]:
        """Return what to expect of a plain program that finds this result from these settings, and the program."""
        return "", ""

    @property
    def dataset(self) -> Dataset:
        """The dataset that the controls choose: that of the menu `problem`, or the only one."""
        name = self.controls["problem"].value if "problem" in self.controls else self.datasets[0].problem.name
        return next(dataset for dataset in self.datasets if dataset.problem.name == name)

    def source_text(self) -> str:
        """Return what the data is and whence, as plain text."""
        return describe_source(self.dataset) if self.datasets else ""

    def once(self, key: object, make: Callable[[], typing.Any], stop: threading.Event) -> typing.Any:
        """Return what `make` returns, made once for a key; what a run that is stopped leaves half done is not kept."""
        if key in self._kept:
            return self._kept[key]
        made = make()
        return made if stop.is_set() else self._kept.setdefault(key, made)

    # What Python, tests and notebooks use.

    @property
    def settings(self) -> typing.Any:
        """What the controls say now; raises ValueError where they say what makes no sense together."""
        settings = self.settings_type(**{name: control.value for name, control in self.controls.items()})
        self.check(settings)
        return settings

    @settings.setter
    def settings(self, settings: Settings | str) -> None:
        with self._writing():
            self._set(settings)
        self._write_line()

    def line(self) -> str:
        """Return the line of Python that makes this panel again, with what its controls say now.

        What the notebook gave a name stands in it by that name; lessons' panels load the data that has none.
        """
        shell = get_ipython()
        names = {id(value): name for name, value in shell.user_ns.items() if name[0] != "_"} if shell else {}
        given = [names.get(id(one), "" if self.loads else "data") for one in self.arguments()]
        words = [f"{name}={value!r}" for name, value in self.settings.differences(self._usual).items()]
        return f"{type(self).__name__}({', '.join([*(given if all(given) else ()), *words])})"

    def arguments(self) -> tuple[object, ...]:
        """Return what the panel was made from besides settings: by default its datasets."""
        return self.datasets

    @property
    def running(self) -> bool:
        """Whether a run is under way in the panel's thread, or waits."""
        return self._worker.running

    def run(self, **changes: object) -> typing.Any:
        """Change these settings, compute here and now, show the result and return it.

        A run of the panel's own thread ends first. What goes wrong is raised, and stands in the status line too.
        """
        self._worker.stop()
        self._worker.wait()
        self.settings = self.settings.replace(**changes)
        self._stop_here = threading.Event()
        self.show_running(True)
        self._work(self._stop_here)
        self.show_running(self._worker.running)
        if self.error is not None:
            raise self.error
        return self.result

    def start(self) -> None:
        """Do what the button Run does: compute in a thread. A run that is under way is cut short."""
        self._worker.ask(cut_short=True)

    def stop(self) -> None:
        """Do what the button Stop does: ask the run to end soon; what was computed so far is shown."""
        self._stop_here.set()
        self._worker.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the thread to end, and raise what went wrong in it.

        Raises
        ------
        TimeoutError
            If it takes longer than `timeout` seconds.
        """
        if not self._worker.wait(timeout):
            raise TimeoutError(f"The run is not done. Received: timeout={timeout!r}. Wait longer, or call stop().")
        if self.error is not None:
            raise self.error

    def figure(self) -> Figure:
        """Return the last result as a figure of its own, which a notebook shows."""
        figure = blank_figure(self.figure_size, alt=self.alt_text())
        self.draw(figure, self._last_result())
        return figure

    def table(self) -> pd.DataFrame:
        """Return the numbers of the last result."""
        return self.tabulate(self._last_result())

    def alt_text(self) -> str:
        """Return the last result's figure in words."""
        return self.describe(self._last_result())

    def __repr__(self) -> str:
        return self.line()

    def _ipython_display_(self) -> None:
        # A live panel has its first result before it is shown: Voilà reads the state of the widgets once, when the page
        # is loaded, and what a thread changes meanwhile never arrives there.
        if self.live and self.result is None and not self.running:
            with suppress(Exception):  # it stands in the status line
                self.run()
        show_with_twin(self)
        self._has_twin = True

    # What is shown; safe from any thread, for only `value`, `tooltip` and `disabled` of widgets change.

    def show_result(self, result: typing.Any) -> None:
        """Draw a result, a partial one or None, and say the same in words."""
        with self._drawing:
            if result is None or not (self.draws_over and self._canvas.axes):
                self._canvas.clear()
            if result is None:
                self._canvas.text(0.5, 0.5, NO_RESULT, ha="center", va="center", color=INK)
                self.image.show(self._canvas, NO_RESULT)
                return
            self.draw(self._canvas, result)
            self.image.show(self._canvas, self.describe(result))

    def show_running(self, running: bool) -> None:
        """Enable Stop while a run is under way, and Run otherwise."""
        self.run_button.disabled, self.stop_button.disabled = running, not running

    def show_error(self, error: BaseException) -> None:
        """Keep an exception, write it into the status line and the log."""
        self.error = error
        self.status.value = error_html(error)
        log.error("%s: the run failed", type(self).__name__, exc_info=error)

    def say(self, message: str, *, settings: str = "") -> None:
        """Write the status line."""
        self.status.value = status_html(message, settings=settings)

    def _build(self, settings: Settings) -> None:
        """Make the widgets, with the result that there is."""
        self._canvas = blank_figure(self.figure_size)
        self.controls = self.make_controls(settings)
        for control in self.controls.values():
            control.observe(self._on_change, names="value")
        look = {"style": {"description_width": "8ch"}, "layout": {"flex": "1 1 100%", "min_width": "0"}}
        self.settings_line = widgets.Text(self.line(), description="settings", continuous_update=False, **look)
        self.settings_line.tooltip = "Keep this line, in a cell say; pasted here it sets the controls"
        self.settings_line.observe(self._on_paste, names="value")
        self.run_button = widgets.Button(description=self.run_words, icon="play", button_style="primary")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.reset_button = widgets.Button(description="Reset", icon="undo", tooltip="Back to the settings at first")
        self.reset_button.on_click(lambda button: self._guard(lambda: self._set(settings)))
        for button in (self.run_button, self.stop_button, self.reset_button):
            button.layout.width = "auto"
        self.run_button.on_click(lambda button: self.start())
        self.stop_button.on_click(lambda button: self.stop())
        self.source_label = widgets.HTML(source_html(self.source_text()))
        self.status = widgets.HTML(status_html("Ready." if self.live else f"Ready: press {self.run_words}."))
        self.image = FigureImage(self.figure_size[0])
        self.code_text = widgets.HTML(NO_RESULT)
        self.code_page = [copy_button("Copy", lambda: self.say("The program is copied.")), self.code_text]
        self.widget = self._lay_out(self.make_left(), self.make_right())
        self.show_result(self.result)

    def _lay_out(self, left: list[widgets.Widget], right: list[widgets.Widget]) -> widgets.VBox:
        """Put controls and figure side by side where there is room, else one below the other.

        Run, Stop and the status stand above the figure. More controls than fit on a screen scroll in their own place,
        so that both stay in sight.
        """
        narrow = widgets.Layout(flex="1 1 330px", min_width="0")
        wide = widgets.Layout(flex="3 1 430px", min_width="0")
        self.status.layout = widgets.Layout(flex="1 1 420px", min_width="0")
        stage = widgets.HBox([*self.make_buttons(), self.status])
        stage.layout = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 6px")
        copy = copy_button("Copy line", lambda: self.say("The settings are copied."))
        link = copy_button("Copy link", lambda: self.say("A link to these settings is copied."))
        link.add_class("recipe-link")  # the script makes one of the line
        self.settings_line.add_class("recipe-line")
        travel = widgets.HBox([self.settings_line, self.reset_button, copy, link], layout={"flex_flow": "row wrap"})
        for extra in (self.source_label, travel):
            extra.add_class("recipe-extra")
        scrolling = widgets.VBox(left, layout=widgets.Layout(max_height="64vh", overflow="hidden auto"))
        columns = [widgets.VBox([scrolling, travel], layout=narrow), widgets.VBox([stage, *right], layout=wide)]
        for column, name in zip(columns, ("recipe-controls", "recipe-stage"), strict=True):
            column.add_class(name)  # STYLE says what they are in a low window
        body = widgets.Box(
            columns,
            layout=widgets.Layout(display="flex", flex_flow="row wrap", align_items="flex-start", grid_gap="8px 20px"),
        )
        frame = widgets.Layout(border="1px solid var(--jp-border-color2, #ccc)", padding="8px 12px", overflow="hidden")
        heading = widgets.HTML(f"{STYLE}<b style='font-size:1.1em'>{escape(self.title)}</b>")
        root = widgets.VBox([heading, self.source_label, body, *keyboard_help()], layout=frame)
        root.add_class("recipe-panel")  # by which the script of the keyboard finds it
        return root

    # One run, here or in the thread.

    def _on_change(self, change: typing.Any) -> None:
        """Write the settings anew where a person moved a control; a live panel computes anew."""
        if not self._is_writing():
            self._write_line()
            if self.live is True or change["owner"] in [self.controls[name] for name in self.live or ()]:
                self._worker.ask()

    def _on_paste(self, change: typing.Any) -> None:
        """Set the controls, as a person does, to a line that was pasted."""
        if not self._is_writing():
            self._guard(lambda: self._set(change["new"]))

    def _set(self, settings: Settings | str) -> None:
        wanted = self._usual.read(settings) if isinstance(settings, str) else settings
        if getattr(wanted, "problem", None) == "":  # settings that name none mean the one that is chosen
            wanted = wanted.replace(problem=self.controls["problem"].value)
        self.check(wanted)
        for name, control in self.controls.items():
            if isinstance(control, StepSlider):
                control.offer(getattr(wanted, name))
            control.value = getattr(wanted, name)

    def _write_line(self) -> None:
        with suppress(ValueError), self._writing():  # two controls that do not go together are told of in a run
            self.settings_line.value = self.line()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The panel itself writes its controls meanwhile, and no person: nothing is computed."""
        before, self._writer = self._writer, threading.get_ident()
        try:
            yield
        finally:
            self._writer = before

    def _is_writing(self) -> bool:
        return self._writer == threading.get_ident()

    def _guard(self, act: Callable[[], object]) -> None:
        """Do what a button asks; what goes wrong stands in the status, for nobody else would show it."""
        try:
            act()
        except Exception as error:
            self.show_error(error)

    def _work(self, stop: threading.Event) -> None:
        with self._computing:  # a button may be pressed while a cell computes
            self.error = None
            try:
                self._compute(stop)
            except BaseException as error:  # a thread has nobody to raise it to
                self.show_error(error)

    def _compute(self, stop: threading.Event) -> None:
        settings = self.settings
        self.say("Running ...")
        progress = Progress(self.show_result, self.say)
        result = self.compute(settings, progress, stop)
        self.result = self.result if result is None else result
        self.show_result(self.result)
        if result is not None:
            known = not self.loads or self.dataset.problem.name in self.loads  # and not data of a learner's own
            self.code_text.value = program_html(*(self.program(settings, result) if known else (NO_PROGRAM, "")))
        self.source_label.value = source_html(self.source_text())  # the settings may have chosen another dataset
        outcome = f"{'Stopped after' if stop.is_set() else 'Done in'} {progress.seconds:.1f} s."
        summary = self.summarise(result) if result is not None else ""
        self.say(f"{outcome} {summary}".strip(), settings=settings.to_text())
        if self._has_twin:
            show_with_twin(self, update=True)

    def _last_result(self) -> typing.Any:
        if self.result is None:
            raise RuntimeError(f"This panel has no result yet. Received: {self!r}. Call run() first.")
        return self.result
