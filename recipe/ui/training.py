"""The training panel, the heart of the kit from step 5 on: build a network, train it, read what came, try the next."""

from __future__ import annotations

import threading
import typing
from contextlib import suppress
from functools import lru_cache
from html import escape
from itertools import zip_longest

import ipywidgets as widgets
from matplotlib.figure import Figure

from recipe.core.dataset import Dataset
from recipe.core.measures import MEASURES
from recipe.core.prepared import Prepared
from recipe.core.problem import Problem
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.load import load
from recipe.data.problems import PROBLEMS
from recipe.debugging.mistakes import find_mistakes
from recipe.engine.codegen import keras_code
from recipe.engine.models import check_fit
from recipe.figures import DPI, blank_figure
from recipe.figures.mistakes import describe_mistakes, draw_mistakes
from recipe.figures.training import TrainingCurves, collect_curves, describe_curves, draw_curves
from recipe.journal import Journal, choose_journal, stamp
from recipe.search.plan import make_plan
from recipe.steps.s3_protocol import hold_out
from recipe.steps.s5_baseline import Rival, compute_baseline
from recipe.steps.s6_scale_up import diagnose_errors, diagnose_history, has_errors
from recipe.steps.s7_regularize import Advice, advise
from recipe.ui.panel import FigureImage, OnProgress, Panel
from recipe.ui.runs import RunsTab, table_of
from recipe.ui.texts import describe_source, scrolled, source_html, table_html
from recipe.ui.trainer import TrainingData, describe_score, judge_guess, train_live
from recipe.ui.training_settings import FULL_ROWS, NO_GUESS, TrainingSettings, arrange, connect

if typing.TYPE_CHECKING:
    import keras
    import pandas as pd

PRESENTED = (6.0, 3.2), 170  # inches and dots an inch of the figure in a lecture hall: large type on a wide picture
FAINT = 5  # earlier runs that stay in the figure
MOST_ADVICE = 4  # that is shown; `TrainingPanel.advice` has all
TABS = ("Curves", "Mistakes", "Model", "Code", "Runs")
NOTHING_YET = "Press Train first: this is about the network that was trained last."


class TrainingPanel(Panel):
    """Build a network, train it live, read the diagnosis, take the advice, compare the runs.

    Parameters
    ----------
    dataset : to work on; None offers all problems and loads them when they are first trained on
    journal : where runs are kept; ``"default"`` is the kit's own, None forgets them with the panel
    **settings : fields of `TrainingSettings`, such as ``problem="imdb", rows=3_000, layer_2=True, epochs=10``

    Notes
    -----
    Everything on the panel can be done from Python::

        panel = TrainingPanel(problem="mnist", rows=3_000)    # its last line in a cell shows it
        run = panel.run(dropout_on=True, dropout=0.5)         # sets controls, trains here and now
        run = panel.run(spec=ModelSpec(hidden_units=(64, 64)))
        panel.start(); panel.stop(); panel.wait()             # the buttons Train and Stop
        panel.spec                                            # what the controls describe; assign one to set them
        panel.sentences                                       # score, curves and errors in words and numbers
        panel.controls["reachable"].value = 0.02              # diagnoses anew, trains nothing
        panel.advice; panel.apply_advice(0)                   # puts the first piece into the controls
        panel.run(epochs=50, guess="it overfits")             # a guess, judged after the run
        panel.runs                                            # the runs on this data as a DataFrame
        panel.runs.loc[[1, 2]].T; panel.use_run(1)            # two runs side by side; the controls as in the first
        panel.line()                                          # makes the panel again; assign it to settings anywhere
        panel.present_button.value = True                     # for a lecture hall: the last two runs, in large type
        panel.show_tab("Code")                                # Curves, Mistakes, Model, Code or Runs

    A `run` returns a `recipe.Run`, of several seeds their mean; `figure` and `table` are of its training curves.
    """

    title = "Train a network"
    settings_type = TrainingSettings
    run_words = "Train"
    figure_size = (7.8, 3.9)
    draws_over = True

    def __init__(
        self, dataset: Dataset | None = None, *, journal: Journal | str | None = "default", **settings: object
    ) -> None:
        self._journal = choose_journal(journal)
        self._unrecorded: list[Run] = []  # this panel's runs that are in no journal
        self._data: TrainingData | None = None  # of the problem and the rows that were last asked for
        self._baseline_of = lru_cache(maxsize=1)(compute_baseline)  # with its rival, which takes a while to fit
        self._earlier: list[Run] = []  # on this data, before the last run: their curves stand behind those of the last
        self._trained_on: tuple[Prepared, TrainingData] | None = None  # what the last run saw
        self._rival: Rival | None = None  # of the data that it saw
        self._news = ""  # of the guess about it
        self._loading = threading.RLock()
        super().__init__(*(dataset,) if dataset else (), **settings)

    # What Python, tests and notebooks use, besides what every panel has.

    @property
    def spec(self) -> ModelSpec:
        """The network and its training that the controls describe; assign another to set them."""
        return self.settings.spec

    @spec.setter
    def spec(self, spec: ModelSpec) -> None:
        self.settings = self.settings.with_spec(spec)

    def run(self, *, spec: ModelSpec | None = None, **changes: object) -> Run:
        """Change settings, train here and now, show and return the run.

        Parameters
        ----------
        spec : all of the network and its training at once
        changes : fields of `TrainingSettings`
        """
        if spec is not None:
            self.spec = spec
        return super().run(**changes)

    @property
    def runs(self) -> pd.DataFrame:
        """The runs on the data that the controls choose, of earlier sessions too: a DataFrame, oldest first."""
        return table_of(self._runs_on(self._load(self.settings)))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The score, the diagnosis of the curves and that of the errors of the last run, in words and numbers."""
        run = self._last_result()
        errors = (diagnose_errors(run, self.controls["reachable"].value).sentence,) if has_errors(run) else ()
        return (describe_score(run, self._rival), diagnose_history(run).sentence, *errors)

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What to try next after the last run, the most promising first; empty before the first."""
        return () if self.result is None else advise(self.result, self.controls["reachable"].value)

    def apply_advice(self, number: int = 0) -> None:
        """Put a piece of advice, counted from 0, into the controls; it trains nothing.

        Raises
        ------
        IndexError, ValueError
            If there is no such piece, or no setting does it.
        """
        piece = self.advice[number]
        if piece.spec is None:
            raise ValueError(f"No setting does this advice. Received: number={number}, which says: {piece.title}.")
        before, after = self.result.spec.to_dict(), piece.spec.to_dict()
        self.spec = self.spec.replace(**{name: value for name, value in after.items() if value != before[name]})
        self.say(f"Put into the controls: {piece.title}. Press Train to try it.")

    def use_run(self, number: int) -> None:
        """Put the settings of a run of `runs` into the controls; it trains nothing."""
        self.spec = dict(enumerate(self._runs_on(self._load(self.settings)), start=1))[number].spec
        self.say(f"The controls say what run {number} was trained with. Press Train to see it.")

    def show_tab(self, name: str) -> None:
        """Show one of the tabs, filled: Curves, Mistakes, Model, Code or Runs."""
        self.tabs.selected_index = TABS.index(name)
        self._fill_tab()

    # The parts of a panel.

    def problems(self) -> typing.Mapping[str, Problem]:
        """All problems of the kit, or that of the dataset alone."""
        return {dataset.problem.name: dataset.problem for dataset in self.datasets} or PROBLEMS

    def defaults(self) -> dict[str, object]:
        """All rows of a dataset that is given; of one's own, the training that suits so many samples."""
        usual = super().defaults() | ({"rows": FULL_ROWS} if self.datasets else {})
        for dataset in self.datasets:
            if dataset.problem.origin:  # nobody knows the data
                small = make_plan(dataset.problem, len(dataset.y_train)).small
                usual |= {"optimizer": small.optimizer, "batch_size": small.batch_size}
        return usual

    def check(self, settings: TrainingSettings) -> None:
        """Refuse a network that cannot read the problem's input."""
        super().check(settings)
        check_fit(settings.spec, self.problems()[settings.problem])

    def make_controls(self, settings: TrainingSettings) -> dict[str, widgets.Widget]:
        """The controls; with a dataset of one's own its problem is the only one, and its rows are all there are."""
        controls = super().make_controls(settings)
        connect(controls)
        controls["rows"].disabled = bool(self.datasets)
        for name in ("problem", "rows"):
            controls[name].observe(lambda change: self._follow_data(), names="value")
        controls["reachable"].observe(lambda change: self.running or self._show_diagnosis(), names="value")
        return controls

    def make_buttons(self) -> list[widgets.Widget]:
        """Train, Stop, and the switch of the presentation."""
        self.present_button = widgets.ToggleButton(description="Present", icon="television")
        self.present_button.layout.width = "auto"
        self.present_button.tooltip = "For a lecture hall: large type, few controls, the last run beside the one before"
        self.present_button.observe(lambda change: self._follow_present(), names="value")
        return [*super().make_buttons(), self.present_button]

    def make_left(self) -> list[widgets.Widget]:
        """The controls."""
        return [arrange(self.controls)]

    def make_right(self) -> list[widgets.Widget]:
        """The verdict, and the tabs."""
        self.diagnosis, self.advice_heading = widgets.HTML(), widgets.HTML()
        self.advice_lines = [self._advice_line(number) for number in range(MOST_ADVICE)]
        for extra in (self.advice_heading, *(line for line, *_ in self.advice_lines)):
            extra.add_class("recipe-extra")
        self.mistakes_image, self.mistakes_text = FigureImage(self.figure_size[0]), widgets.HTML()
        self.mistakes_image.show(None)
        self.model_text = widgets.HTML()
        self.runs_tab = RunsTab()
        pages = {
            "Curves": [self.image, self.advice_heading, *(line for line, *_ in self.advice_lines)],
            "Mistakes": [self.mistakes_text, self.mistakes_image],
            "Model": [self.model_text],
            "Code": self.code_page,
            "Runs": self.runs_tab.widgets,
        }
        tabs = self.make_tabs(pages)
        self._fills = {"Mistakes": self._show_mistakes, "Model": self._show_model, "Runs": self._show_runs}
        self._stale = set(self._fills)  # the tabs whose content is older than the last run
        tabs.observe(lambda change: self._fill_tab(), names="selected_index")
        self.runs_tab.load_button.on_click(lambda _: self._guard(lambda: self.use_run(self.runs_tab.first.value)))
        return [self.diagnosis, tabs]

    def _advice_line(self, number: int) -> tuple[widgets.HBox, widgets.Button, widgets.HTML]:
        """Make the line of a piece of advice; all of them are made once, for only values change from a thread."""
        press = widgets.Button(description="Apply", layout={"width": "72px", "flex": "0 0 72px"})
        text = widgets.HTML(layout={"flex": "1 1 auto", "min_width": "0"})
        press.on_click(lambda _: self._guard(lambda: self._press_advice(number)))
        return widgets.HBox([press, text], layout=widgets.Layout(display="none", width="100%")), press, text

    def _press_advice(self, number: int) -> None:
        with suppress(IndexError):  # pressed as a run ends, or before the page hides it: there is nothing to apply
            self.apply_advice(number)

    def source_text(self) -> str:
        """What is predicted, what the data of the chosen problem is, and how it is shared out."""
        asked, data = (self.controls["problem"].value, self.controls["rows"].value), self._data
        told = describe_source(self.datasets[0]) if self.datasets else "Loaded when Train is pressed."
        if data is not None and data.asked == asked:
            told = f"{describe_source(data.dataset)} {data.split.protocol[0].upper()}{data.split.protocol[1:]}."
        return f"{self.problems()[asked[0]].question}\n{told}"

    def compute(self, settings: TrainingSettings, on_progress: OnProgress, stop: threading.Event) -> Run | None:
        """Load, prepare and train."""
        on_progress(None, "Loading the data; the first epoch takes longest ...")
        data = self._load(settings)
        prepared = data.prepare_for(settings.spec)
        if stop.is_set():
            return None
        last = self.result if self.result is not None and self.result.data in data.keys else None
        self._earlier, self._rival = [run for run in self._runs_on(data) if run.epochs][-FAINT:], None
        seeds = range(settings.seed, settings.seed + settings.seeds)
        run = train_live(settings.spec, prepared, seeds, journal=self._journal, on_progress=on_progress, stop=stop)
        self._trained_on = prepared, data
        self._unrecorded += [stamp(one) for one in run.members or (run,) if not one.time]
        if not stop.is_set():
            baseline = self._baseline_of(prepared)
            if "rival" not in vars(baseline):
                on_progress(run, "Fitting the rival, a simple model that is no network ...")
            self._rival = baseline.rival
        self._news = ""
        if run.state == "complete" or run.stopped == "early":  # the guess about a run that was stopped stays
            self._news, self.controls["guess"].value = judge_guess(settings.guess, run, last), NO_GUESS
        return run

    def tabulate(self, result: Run) -> pd.DataFrame:
        """A row an epoch, the mean over the seeds."""
        return result.to_frame()

    def summarise(self, result: Run) -> str:
        """The score, and how the guess came out."""
        return f"{describe_score(result, self._rival)} {self._news}".strip()

    def draw(self, figure: Figure, result: Run) -> None:
        """Data loss and measure over the epochs, earlier runs faintly behind them."""
        size, dpi = PRESENTED if self.present_button.value else (self.figure_size, DPI)
        figure.set_size_inches(size)
        figure.set_dpi(dpi)
        draw_curves(figure, self._curves(result))

    def describe(self, result: Run) -> str:
        """The curves in words."""
        return describe_curves(self._curves(result))

    def program(self, settings: TrainingSettings, result: Run) -> tuple[str, str]:
        """The plain Keras program, which loads the same rows and holds the same ones out."""
        note = (
            "The same training in plain Keras, on the same samples. Expect a validation "
            f"{MEASURES[result.measure].title} of about {result.score:.3g} in epoch {result.best_epoch + 1}: here the "
            "batches came in another order."
        )
        loaded = self._trained_on[1].dataset
        rows = len(loaded.y_train) + len(loaded.test)
        return note, keras_code(result.spec, result.problem, source=result.source, rows=rows)

    def _curves(self, run: Run) -> TrainingCurves:
        epochs = None if run is self.result else run.spec.epochs
        if self.present_button.value:
            pair = [*self._earlier[-1:], run]
            named = {f"{letter}: {one.spec.describe()}": one for letter, one in zip("AB", pair, strict=False)}
            return collect_curves(named, epochs=epochs)
        rival = self._rival.value if self._rival else None
        return collect_curves(run, rival=rival, past=[one.history for one in self._earlier], epochs=epochs)

    # What the panel remembers.

    def _load(self, settings: TrainingSettings) -> TrainingData:
        """Return the data that the settings ask for, prepared for their network; the last one is kept."""
        with self._loading:
            data, asked = self._data, (settings.problem, settings.rows)
            if data is None or data.asked != asked:
                dataset = self.datasets[0] if self.datasets else load(settings.problem, rows=settings.rows or None)
                data = self._data = TrainingData(asked, dataset, hold_out(dataset))
            data.prepare_for(settings.spec)
            return data

    def _runs_on(self, data: TrainingData) -> list[Run]:
        """Return the runs on this data, oldest first, in whatever way it was prepared."""
        kept = self._journal.runs() if self._journal is not None else []
        found = [run for run in (*kept, *self._unrecorded) if run.data in data.keys and not run.final]
        return sorted(found, key=lambda run: run.time)

    def _follow_data(self) -> None:
        """Show what belongs to the data that the controls ask for now."""
        self.source_label.value = source_html(self.source_text())
        self._stale.add("Runs")
        if not self._is_writing():
            self._fill_tab()

    # What is shown.

    def show_running(self, running: bool) -> None:
        """Nobody chooses other data during a run, so that menu, source and curves are of the same."""
        super().show_running(running)
        for widget in (self.controls["problem"], self.settings_line, self.reset_button):
            widget.disabled = running
        self.controls["rows"].disabled = running or bool(self.datasets)

    def show_result(self, result: Run | None) -> None:
        """The curves; of a run that is done also what they mean, and what to try next."""
        super().show_result(result)
        if result is not None and result is self.result:
            self._show_diagnosis()
            self._stale = set(self._fills)
            self._fill_tab()
        elif result is not None:  # the curves are another run's than the diagnosis
            self.diagnosis.value = "The diagnosis follows when the run is done."
            self._show_advice(())

    def _follow_present(self) -> None:
        """Begin or end the presentation; a run that is under way draws the next epoch in the new way."""
        (self.widget.add_class if self.present_button.value else self.widget.remove_class)("recipe-present")
        self.tabs.selected_index = 0
        if self.result is not None and not self.running:
            super().show_result(self.result)

    def _show_diagnosis(self) -> None:
        if self.result is not None:
            text = "<br>".join(map(escape, self.sentences[1:]))  # the score stands above them, in the status
            self.diagnosis.value = f"<div data-role='diagnosis' style='line-height:1.4'>{text}</div>"
            self._show_advice(self.advice)

    def _show_advice(self, pieces: typing.Sequence[Advice]) -> None:
        """Show the pieces of advice, a line each, with a button where a setting does it."""
        self.advice_heading.value = "<b>What to try next</b>" if pieces else ""
        for (line, press, text), piece in zip_longest(self.advice_lines, pieces[:MOST_ADVICE]):
            line.layout.display = "flex" if piece else "none"
            press.layout.visibility = "visible" if piece and piece.spec else "hidden"
            if piece:
                words = f"<b>{escape(piece.title[0].upper() + piece.title[1:])}</b>. {escape(piece.reason)}"
                press.tooltip = f"Put it into the controls: {piece.title}"
                text.value = f"<div style='line-height:1.35'>{words}</div>"

    def _fill_tab(self) -> None:
        """Fill the tab that is shown, if what stands there is older than the last run."""
        tab = TABS[self.tabs.selected_index or 0]
        if tab in self._stale:
            self._stale.discard(tab)
            self._guard(self._fills[tab])

    def _show_mistakes(self) -> None:
        """Show what the last run's model, of several the first one's, gets most wrong: a table of rows, or a figure."""
        self.mistakes_image.show(None)
        if self.result is None:
            self.mistakes_text.value = NOTHING_YET
            return
        self.mistakes_text.value, (prepared, data) = "Looking for them ...", self._trained_on
        mistakes = find_mistakes(_model_of(self.result), prepared, data.split)
        if mistakes.problem.kind == "table" and mistakes.problem.type.is_classification:
            table = table_html(mistakes.to_frame().reset_index())
            self.mistakes_text.value = f"{escape(mistakes.sentence)}{scrolled(table, 'Worst mistakes')}"
            return
        figure = blank_figure((self.figure_size[0], 5.4))
        draw_mistakes(figure, mistakes)
        self.mistakes_image.show(figure, describe_mistakes(mistakes))
        self.mistakes_text.value = ""

    def _show_model(self) -> None:
        """Show Keras's own summary of the last run's network, and what there was to learn its weights from."""
        if self.result is None:
            self.model_text.value = NOTHING_YET
            return
        model, lines = _model_of(self.result), []
        model.summary(line_length=76, print_fn=lambda line, **more: lines.append(line))
        weights, samples = model.count_params(), self.result.train_samples
        words = f"{weights:,} parameters, learned from {samples:,} samples: {weights / samples:,.1f} a sample."
        summary = scrolled(f"<pre>{escape(chr(10).join(lines))}</pre>", "Summary of the model")
        self.model_text.value = f"<b>{words}</b>{summary}"

    def _show_runs(self) -> None:
        """Show the runs on the data that the controls choose."""
        frame, journal = self.runs, self._journal
        where = f"kept in the journal {journal.location}" if journal else "kept in this panel only"
        count = f"{len(frame)} run{'s' * (len(frame) > 1)}" if len(frame) else "No run yet"
        self.runs_tab.show(frame, f"{count} on this data ({self.controls['problem'].value}), {where}.")


def _model_of(run: Run) -> keras.Model:
    return (run.members or (run,))[0].model
