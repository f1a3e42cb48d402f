"""The training panel, the heart of the kit from step 5 on: build a network, train it, read what came, try the next."""

from __future__ import annotations

import threading
import typing
from collections.abc import Callable
from contextlib import suppress
from html import escape

import ipywidgets as widgets
from matplotlib.figure import Figure

from recipe.core.dataset import Dataset, Split
from recipe.core.prepared import Prepared
from recipe.core.run import Run
from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS
from recipe.debugging.mistakes import find_mistakes
from recipe.engine.codegen import keras_code
from recipe.engine.models import build_model, check_fit
from recipe.figures import blank_figure
from recipe.figures.mistakes import caption, describe_mistakes, draw_mistakes
from recipe.figures.training import TrainingCurves, collect_curves, describe_curves, draw_curves
from recipe.journal import Journal, choose_journal, origin_of, stamp
from recipe.search.plan import make_plan
from recipe.steps.s5_rival import Rival
from recipe.steps.s6_scale_up import diagnose_errors, diagnose_history, has_errors
from recipe.steps.s7_regularize import Advice, advise
from recipe.ui.controls import button
from recipe.ui.panel import FigureImage, OnProgress, Panel
from recipe.ui.runs import RunsTab, check_number, table_of
from recipe.ui.texts import describe_source, scrolled, source_html, table_html
from recipe.ui.trainer import (
    DataShelf,
    describe_score,
    judge_guess,
    members_of,
    train_or_find,
)
from recipe.ui.training_settings import FULL_ROWS, NO_GUESS, TrainingSettings, arrange, connect, suitable

if typing.TYPE_CHECKING:
    import pandas as pd

FAINT = 5  # earlier runs that stay in the figure
MISTAKES, MOST_ADVICE, FIRST_ADVICE = 12, 14, 3  # of the advice, what is shown without being asked for
TABS = ("Curves", "Mistakes", "Model", "Code", "Runs")
NOTHING_YET = "Press Train first: this is about the network that was trained last."
NO_WEIGHTS = (
    "This result is from the journal, which keeps scores and curves but no weights, so there is no model to make "
    "mistakes. Press Train again to train the same network anew: then its mistakes are shown here."
)


class TrainingPanel(Panel):
    """Build a network, train it live, read the diagnosis, take the advice, compare the runs.

    Parameters
    ----------
    dataset : to work on; None offers all problems and loads them when they are first trained on
    journal : where runs are kept and found again; ``"default"`` is the kit's own, None forgets them with the panel
    **settings : fields of `TrainingSettings`, such as ``problem="imdb", rows=3_000, layer_2=True, epochs=10``

    Notes
    -----
    Everything on the panel can be done from Python::

        panel = TrainingPanel(problem="mnist", rows=3_000)    # its last line in a cell shows it
        run = panel.run(dropout_on=True, dropout=0.5)         # sets controls, trains here and now
        run = panel.run(spec=ModelSpec(hidden_units=(64, 64)), again=True)  # even if the journal has it
        panel.start(); panel.stop(); panel.wait()             # the buttons Train and Stop
        panel.spec                                            # what the controls describe; assign one to set them
        panel.sentences                                       # score, curves and errors in words and numbers
        panel.controls["reachable"].value = 0.02              # diagnoses anew, trains nothing
        panel.advice; panel.apply_advice(0)                   # puts the first piece into the controls
        panel.run(epochs=50, guess="it overfits")             # a guess, judged after the run
        panel.runs                                            # the runs on this data as a DataFrame
        panel.compare(1, 2); panel.use_run(1)
        panel.show_tab("Code")                                # Curves, Mistakes, Model, Code or Runs

    A `run` returns a `recipe.Run`, of several seeds their mean; `figure` and `table` are of its training curves.
    """

    title = "Train a network"
    settings_type = TrainingSettings
    run_words = "Train"
    figure_size = (7.8, 4.6)
    widest_controls = "100%"  # on a narrow screen they stand in two columns above the figure

    def __init__(
        self, dataset: Dataset | None = None, *, journal: Journal | str | None = "default", **settings: object
    ) -> None:
        self._problems = PROBLEMS if dataset is None else {dataset.problem.name: dataset.problem}
        start: dict[str, object] = {"rows": FULL_ROWS} if dataset else {}
        if dataset is not None and dataset.problem.origin:  # what suits so many samples, where nobody knows the data
            small = make_plan(dataset.problem, len(dataset.y_train)).small
            start |= {"optimizer": small.optimizer, "batch_size": small.batch_size}
        self._shelf, self._given_journal = DataShelf(dataset), journal
        self._unrecorded: list[Run] = []  # this panel's runs that are in no journal
        self._past: tuple[typing.Mapping[str, list[float]], ...] = ()  # histories behind the curves
        self._trained_on: tuple[Prepared, Split] | None = None  # what the last run saw
        self._rival: Rival | None = None  # of the data that it saw
        self._news = self._warning = ""
        self._again = self._is_under_way = False
        self._filling = threading.RLock()
        super().__init__(*(dataset,) if dataset else (), **start | settings)

    # What Python, tests and notebooks use, besides what every panel has.

    @property
    def spec(self) -> ModelSpec:
        """The network and its training that the controls describe; assign another to set them."""
        return self.settings.spec

    @spec.setter
    def spec(self, spec: ModelSpec) -> None:
        base = TrainingSettings(**{name: self.controls[name].value for name in ("problem", "rows", "seeds")})
        with suppress(ValueError):  # what the controls say now may make no sense together
            base = self.settings
        self.settings = base.with_spec(spec)

    def run(self, *, spec: ModelSpec | None = None, again: bool = False, **changes: object) -> Run:
        """Change settings, train here and now (or look it up in the journal), show and return the run.

        Parameters
        ----------
        spec : all of the network and its training at once
        again : train even if the journal has this run
        changes : fields of `TrainingSettings`; dense layers come with a problem that the network does not suit
        """
        if "problem" in changes and "architecture" not in changes:
            fitting, before = suitable(self._problems[changes["problem"]]), self.controls["architecture"].value
            changes["architecture"] = before if before in fitting else fitting[0]
        if spec is not None:
            self.spec = spec
        self._again = again
        return super().run(**changes)

    def start(self, *, again: bool = False) -> None:
        """Do what the button Train does, or with `again` the button Train again."""
        self._again = again
        super().start()

    @property
    def runs(self) -> pd.DataFrame:
        """The runs on the data that the controls choose, of earlier sessions too: a DataFrame, oldest first."""
        return table_of(self._runs())

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
            If there is no such piece, no setting does it, or the controls ask for another problem by now.
        """
        piece, asked = self.advice[number], self.controls["problem"].value
        if piece.spec is None:
            raise ValueError(f"No setting does this advice. Received: number={number}, which says: {piece.title}.")
        if asked != self.result.problem.name:
            raise ValueError(
                f"The advice is on {self.result.problem.name}, and the controls ask for {asked}. Received: "
                f"number={number}. Choose that problem again, or train on this one first."
            )
        before, after = self.result.spec.to_dict(), piece.spec.to_dict()
        self.spec = self.spec.replace(**{name: value for name, value in after.items() if value != before[name]})
        self.say(f"Put into the controls: {piece.title}. Press Train to try it.")

    def compare(self, first: int | None = None, second: int | None = None) -> pd.DataFrame:
        """Show and return what differs between two runs of `runs`, or of the menus."""
        self._show_runs()
        tab = self.runs_tab
        pair = tab.compare(first or tab.first.value, second or tab.second.value)
        self.say(f"Runs {pair.columns[0]} and {pair.columns[1]} are compared below the table.")
        return pair

    def use_run(self, number: int | None = None) -> None:
        """Put the settings of a run of `runs`, or of the menu, into the controls; it trains nothing."""
        self._show_runs()
        number = number or self.runs_tab.first.value
        check_number(self.runs_tab.frame, number)
        self.spec = self._runs()[number - 1].spec
        self.say(f"The controls say what run {number} was trained with. Press Train to see it.")

    def show_tab(self, name: str) -> None:
        """Show one of the tabs, filled: Curves, Mistakes, Model, Code or Runs."""
        self.tabs.selected_index = TABS.index(name)
        self._fill_tab()

    # The parts of a panel.

    def problems(self) -> tuple[str, ...]:
        """All problems of the kit, or that of the dataset alone."""
        return tuple(self._problems)

    def check(self, settings: TrainingSettings) -> None:
        """Refuse a network that cannot read the problem's input."""
        super().check(settings)
        check_fit(settings.spec, self._problems[settings.problem])

    def make_controls(self, settings: TrainingSettings) -> dict[str, widgets.Widget]:
        """The controls; with a dataset of one's own its problem is the only one, and its rows are all there are."""
        controls = super().make_controls(settings)
        connect(controls, self._problems)
        controls["rows"].disabled = self._shelf.given is not None
        for name in ("problem", "rows"):
            controls[name].observe(lambda change: self._follow_data(), names="value")
        controls["reachable"].observe(lambda change: self._show_diagnosis(), names="value")
        return controls

    def make_left(self) -> list[widgets.Widget]:
        """Controls and buttons."""
        self.again_button = button("Train again", "Train even if the journal has this run already", "repeat")
        self.again_button.on_click(lambda pressed: self.start(again=True))
        buttons = (self.run_button, self.stop_button, self.again_button)
        for one in buttons:
            one.layout = widgets.Layout(width="auto", flex="1 1 auto")
        return [arrange(self.controls), widgets.HBox(buttons)]

    def make_right(self) -> list[widgets.Widget]:
        """The tabs."""
        self.diagnosis, self.advice_heading = widgets.HTML(), widgets.HTML()
        self.advice_lines = [self._advice_line(number) for number in range(MOST_ADVICE)]
        self.mistakes_image, self.mistakes_text = FigureImage(self.figure_size[0]), widgets.HTML()
        self.mistakes_image.put(b"", "")
        self.model_text, self.code_text = widgets.HTML(), widgets.HTML()
        self.runs_tab = RunsTab()
        lines = [line for line, *_ in self.advice_lines]
        more = widgets.VBox(lines[FIRST_ADVICE:])
        self.more_advice = widgets.Accordion([more], titles=["More to try"], selected_index=None)
        pages = (
            [self.image, self.diagnosis, self.advice_heading, *lines[:FIRST_ADVICE], self.more_advice],
            [self.mistakes_text, self.mistakes_image],
            [self.model_text],
            [self.code_text],
            self.runs_tab.widgets,
        )
        page = widgets.Layout(width="100%", min_width="0", overflow="hidden")
        boxes = [widgets.VBox(children, layout=page) for children in pages]
        self.tabs = widgets.Tab(boxes, titles=TABS, layout=widgets.Layout(width="100%"))
        self._fills = {
            "Mistakes": self._show_mistakes,
            "Model": lambda: self._write(self.model_text, model_html),
            "Code": lambda: self._write(self.code_text, code_html),
            "Runs": self._show_runs,
        }
        self._stale = set(self._fills)  # the tabs whose content is older than the last run
        self.tabs.observe(lambda change: self._fill_tab(), names="selected_index")
        self.runs_tab.compare_button.on_click(lambda pressed: self._guard(self.compare))
        self.runs_tab.load_button.on_click(lambda pressed: self._guard(self.use_run))
        return [self.tabs]

    def _advice_line(self, number: int) -> tuple[widgets.HBox, widgets.Button, widgets.HTML]:
        """Make the line of a piece of advice; all of them are made once, for only values change from a thread."""
        press, text = button("Apply"), widgets.HTML(layout=widgets.Layout(flex="1 1 auto", min_width="0"))
        press.layout = widgets.Layout(width="72px", flex="0 0 72px")
        press.on_click(lambda _: self._guard(lambda: self.apply_advice(number)))
        return widgets.HBox([press, text], layout=widgets.Layout(display="none", width="100%")), press, text

    def source_text(self) -> str:
        """What is predicted, what the data of the chosen problem is, and how it is shared out."""
        problem, rows = self.controls["problem"].value, self.controls["rows"].value
        question, kept = self._problems[problem].question, self._shelf.find(problem, rows)
        if kept is None:
            return f"{question}\n{describe_source(*self.datasets) or 'Loaded when Train is pressed.'}"
        dataset, split = kept
        return f"{question}\n{describe_source(dataset)} {split.protocol[0].upper()}{split.protocol[1:]}."

    def compute(self, settings: TrainingSettings, on_progress: OnProgress, stop: threading.Event) -> Run | None:
        """Load, prepare, then look the run up or train it."""
        again, self._again = self._again, False
        on_progress(None, "Loading the data; the first epoch takes longest ...")
        prepared, split, keys = self._shelf.take(settings.problem, settings.rows, settings.spec)
        if stop.is_set():
            return None
        self._news = self._warning = ""
        earlier, last = self._runs_on(keys), self.result
        last = last if last is not None and last.data in keys else earlier[-1] if earlier else None
        self._past = tuple(run.history for run in earlier if run.epochs)[-FAINT:]
        with origin_of("panel"):
            run = train_or_find(
                settings.spec,
                prepared,
                settings.all_seeds,
                journal=self._journal,
                reuse=not again and not self._warning,  # of a journal that cannot be read
                on_progress=on_progress,
                stop=stop,
            )
        self._trained_on = prepared, split
        if not stop.is_set():
            on_progress(run, "Fitting the rival, a simple model that is no network ...")
            self._rival = self._shelf.rival_of(prepared)
        self._keep(run)
        if run.state == "complete" or run.stopped == "early":  # the guess about a run that was stopped stays
            self._news, self.controls["guess"].value = judge_guess(settings.guess, run, last), NO_GUESS
        return run

    def tabulate(self, result: Run) -> pd.DataFrame:
        """A row an epoch, the mean over the seeds."""
        return result.to_frame()

    def summarise(self, result: Run) -> str:
        """The score, where it comes from, and how the guess came out."""
        parts, members = [describe_score(result, self._rival)], members_of(result)
        if all(one.model is None for one in members):
            ended = max(one.time for one in members).replace("T", " ")[:16]
            took = sum(one.seconds for one in members)
            parts.append(
                f"From the journal, where this was trained in {took:.1f} s ({ended} UTC); Train again trains it anew."
            )
        return " ".join(filter(None, [*parts, self._news, self._warning]))

    def draw(self, figure: Figure, result: Run) -> None:
        """Data loss and measure over the epochs, earlier runs faintly behind them."""
        draw_curves(figure, self._curves(result))

    def describe(self, result: Run) -> str:
        """The curves in words."""
        return describe_curves(self._curves(result))

    def _curves(self, run: Run) -> TrainingCurves:
        rival, is_done = self._rival, run is self.result
        return collect_curves(
            run,
            rival=rival.value if rival and is_done else None,
            past=self._past,
            epochs=None if is_done else run.spec.epochs,
        )

    # What the panel remembers.

    @property
    def _journal(self) -> Journal | None:
        return choose_journal(self._given_journal)

    def _runs(self) -> list[Run]:
        settings = self.settings
        return self._runs_on(self._shelf.take(settings.problem, settings.rows, settings.spec)[-1])

    def _runs_on(self, keys: set[str]) -> list[Run]:
        """Return the runs on this data, oldest first, in whatever way it was prepared."""
        kept: list[Run] = []
        if self._journal is not None:
            try:
                kept = self._journal.runs()
            except Exception as error:  # whatever a storage may raise: a run is worth more than the list of others
                self._warning = f"The journal cannot be read. {type(error).__name__}: {error}"
        found = [run for run in (*kept, *self._unrecorded) if run.data in keys and not run.final]
        return sorted(found, key=lambda run: run.time)

    def _keep(self, run: Run) -> None:
        """Keep what no journal keeps, and draw no run as its own ghost."""
        missing = [one for one in members_of(run) if one.number is None]
        self._unrecorded += [stamp(one, "panel") for one in missing]
        if missing and self._journal is not None:
            self._warning = f"The journal could not be written: this run is kept in this panel only ({self._journal})."
        own = [one.history["val_data_loss"] for one in members_of(run)]
        self._past = tuple(one for one in self._past if one["val_data_loss"] not in own)

    def _guard(self, act: Callable[[], object]) -> None:
        """Do what a button asks; what goes wrong stands in the status, for nobody else would show it."""
        try:
            act()
        except Exception as error:
            self.show_error(error)

    def _follow_data(self) -> None:
        """Show what belongs to the data that the controls ask for now."""
        self.source_label.value = source_html(self.source_text())
        self._stale.add("Runs")
        if not self._is_writing():
            self._fill_tab()

    # What is shown.

    def show_running(self, running: bool) -> None:
        """Enable Stop while a run is under way, and what starts one otherwise."""
        super().show_running(running)
        self.again_button.disabled = running

    def show_result(self, result: Run | None) -> None:
        """The curves; of a run that is done also what they mean, and what to try next."""
        super().show_result(result)
        self._is_under_way = result is not None and result is not self.result
        if result is None:
            return
        if self._is_under_way:  # the curves are another run's than the diagnosis
            self.diagnosis.value = "The diagnosis follows when the run is done."
            self._show_advice(())
            return
        self._show_diagnosis()
        self._stale = set(self._fills)
        self._fill_tab()

    def show_error(self, error: BaseException) -> None:
        """Write an exception into the status; the curves of a run that failed make place for the last one's."""
        if self._is_under_way:
            self.show_result(self.result)
        super().show_error(error)

    def _show_diagnosis(self) -> None:
        if self.result is None or self._is_under_way:
            return
        text = "<br>".join(map(escape, self.sentences))
        self.diagnosis.value = f"<div data-role='diagnosis' style='line-height:1.4'>{text}</div>"
        self._show_advice(self.advice)

    def _show_advice(self, pieces: typing.Sequence[Advice]) -> None:
        """Show the pieces of advice, a line each, with a button where a setting does it."""
        self.advice_heading.value = "<b>What to try next</b>" if pieces else ""
        self.more_advice.layout.display = "block" if len(pieces) > FIRST_ADVICE else "none"
        for number, (line, press, text) in enumerate(self.advice_lines):
            piece = pieces[number] if number < len(pieces) else None
            line.layout.display = "flex" if piece else "none"
            press.disabled = piece is None or piece.spec is None
            press.layout.visibility = "hidden" if press.disabled else "visible"
            if piece:
                words = f"<b>{escape(piece.title[0].upper() + piece.title[1:])}</b>. {escape(piece.reason)}"
                press.tooltip = f"Put it into the controls: {piece.title}"
                text.value = f"<div style='line-height:1.35'>{words}</div>"

    def _fill_tab(self) -> None:
        """Fill the tab that is shown, if what stands there is older than the last run."""
        with self._filling:
            tab = TABS[self.tabs.selected_index or 0]
            if tab not in self._stale:
                return
            self._stale.discard(tab)
            self._guard(self._fills[tab])

    def _write(self, place: widgets.HTML, html: Callable[[Run], str]) -> None:
        place.value = NOTHING_YET if self.result is None else html(self.result)

    def _show_mistakes(self) -> None:
        """Draw what the last run's model, of several the first one's, gets most wrong."""
        self.mistakes_image.put(b"", "")
        trained = [one.model for one in members_of(self.result) if one.model is not None] if self.result else []
        if not trained:
            self.mistakes_text.value = NOTHING_YET if self.result is None else NO_WEIGHTS
            return
        self.mistakes_text.value = "Looking for them ..."
        mistakes = find_mistakes(trained[0], *self._trained_on, count=MISTAKES)
        if mistakes.problem.kind == "table" and mistakes.problem.type.is_classification:  # rows are read, not looked at
            frame = mistakes.to_frame().drop(columns=["truth", "prediction"], errors="ignore").reset_index()
            frame.insert(1, "mistake", [", ".join(caption(mistakes, place)) for place in mistakes.worst])
            table = scrolled(table_html(frame), "Worst mistakes")
            self.mistakes_text.value = f"{escape(mistakes.sentence)}{table}"
            return
        figure = blank_figure((self.figure_size[0], 5.4))
        draw_mistakes(figure, mistakes)
        self.mistakes_image.show(figure, describe_mistakes(mistakes))
        self.mistakes_text.value = ""

    def _show_runs(self) -> None:
        """Show the runs on the data that the controls choose."""
        frame, journal = self.runs, self._journal
        where = "kept in this panel only" if journal is None else f"kept in the journal {journal.location}"
        count = f"{len(frame)} run{'s' * (len(frame) > 1)}" if len(frame) else "No run yet"
        self.runs_tab.show(frame, f"{count} on this data ({self.controls['problem'].value}), {where}.")


def model_html(run: Run) -> str:
    """Return the layers of a run's network as a table, with shapes and parameters."""
    import pandas as pd

    model = members_of(run)[0].model or build_model(run.spec, run.problem)
    rows = []
    for layer in model.layers:
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        rows.append((type(layer).__name__, activation, _times(layer.output.shape[1:]), layer.count_params()))
    table = table_html(pd.DataFrame(rows, columns=["layer", "activation", "output of one sample", "parameters"]))
    total, samples = model.count_params(), run.train_samples
    return (
        f"<div style='line-height:1.5'>One sample goes in as {_times(model.input_shape[1:])} numbers.{table}"
        f"<b>{total:,} parameters</b>, learned from {samples:,} samples: {total / samples:,.1f} a sample.</div>"
    )


def code_html(run: Run) -> str:
    """Return the plain Keras program of a run, which loads its data by itself."""
    program = keras_code(run.spec, run.problem, source=run.source)
    note = (
        "The same network in plain Keras. The program loads all of the data; the panel trained and validated on "
        f"{run.train_samples + run.val_samples:,} samples."
    )
    return (
        f"<div style='line-height:1.35'>{note}</div><pre tabindex='0' aria-label='Keras program' style='width:0; "
        "min-width:100%; max-height:520px; overflow:auto; line-height:1.35; white-space:pre'>"
        f"{escape(program)}</pre>"
    )


def _times(shape: typing.Sequence[int]) -> str:
    return " × ".join(map(str, shape))
