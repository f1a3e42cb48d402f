"""The training panel, the heart of the kit from step 5 on: build a network, train it, read what came, try the next."""

from __future__ import annotations

import threading
import typing
from contextlib import suppress

import ipywidgets as widgets

from recipe.core.dataset import Dataset
from recipe.core.spec import ModelSpec
from recipe.journal import Journal, origin_of
from recipe.ui.experiment import run_experiment
from recipe.ui.experiment.outcome import Experiment
from recipe.ui.experiment.run_table import to_rows
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.texts import describe_source
from recipe.ui.training.controls import arrange, make_training_controls, offer
from recipe.ui.training.data import DataShelf
from recipe.ui.training.past import Past
from recipe.ui.training.settings import FULL_ROWS, QUESTIONS, TrainingSettings
from recipe.ui.training.surface import TrainingSurface
from recipe.ui.training.view import TrainingView

if typing.TYPE_CHECKING:
    from matplotlib.figure import Figure

    from recipe.figures.training import TrainingCurves


class TrainingPanel(TrainingSurface):
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
        experiment = panel.run(dropout_on=True, dropout=0.5)  # sets controls, trains here and now
        experiment = panel.run(spec=ModelSpec(hidden_units=(64, 64)), again=True)  # even if the journal has it
        panel.start(); panel.stop(); panel.wait()             # the buttons Train and Stop
        panel.spec                                            # what the controls describe; assign one to set them
        panel.experiment.sentence                             # score, curves and errors in words and numbers
        panel.reachable_error = 0.02                          # diagnoses anew, trains nothing
        panel.experiment.advice; panel.apply_advice(0)        # puts the first piece into the controls
        panel.predict_first(overfits=True, better=False)      # a guess, scored after the next run
        panel.answers                                         # how the guesses came out
        panel.runs                                            # the table's rows, from earlier sessions too
        panel.compare(1, 2); panel.pin(2); panel.use_run(1); panel.export_csv("runs.csv")
        panel.show_tab("Code")                                # Curves, Mistakes, Model, Code or Runs

    A `run` returns the `recipe.Experiment`; `figure`, `table` and `alt_text` are those of its training curves.
    """

    title = "Train a network"
    settings_type = TrainingSettings
    figure_size = (7.8, 4.6)
    run_words = "Train"
    widest_controls = "100%"  # on a narrow screen they stand in two columns above the figure

    def __init__(
        self, dataset: Dataset | None = None, *, journal: Journal | str | None = "default", **settings: object
    ) -> None:
        if dataset is not None:
            settings = {"problem": dataset.problem.name, "rows": FULL_ROWS} | settings
            if (asked := settings["problem"]) != dataset.problem.name:
                raise ValueError(
                    f"The dataset is of the problem {dataset.problem.name}. Received: problem={asked!r}. Leave the "
                    "dataset out, and the panel loads what is asked for."
                )
        self._shelf, self._past = DataShelf(dataset), Past(journal)
        self._again = False
        self._init_surface()
        super().__init__(*(dataset,) if dataset else (), **settings)

    # What Python, tests and notebooks use, besides what every panel has.

    @property
    def settings(self) -> TrainingSettings:
        """What the controls say now; raises ValueError where they say what makes no sense together."""
        return Panel.settings.fget(self)

    @settings.setter
    def settings(self, settings: TrainingSettings | str) -> None:
        wanted = TrainingSettings.from_text(settings) if isinstance(settings, str) else settings
        offer(self.controls, wanted)
        Panel.settings.fset(self, wanted)

    @property
    def spec(self) -> ModelSpec:
        """The network and its training that the controls describe; assign another to set them."""
        return self.settings.spec

    @spec.setter
    def spec(self, spec: ModelSpec) -> None:
        kept = {name: self.controls[name].value for name in ("problem", "rows", "seeds")}
        base = TrainingSettings().replace(**kept)
        with suppress(ValueError):  # what the controls say now may make no sense together
            base = self.settings
        self.settings = base.with_spec(spec)

    @property
    def experiment(self) -> Experiment | None:
        """What the last run came to, or None."""
        return self.result

    def run(self, *, spec: ModelSpec | None = None, again: bool = False, **changes: object) -> Experiment:
        """Change settings, train here and now (or look it up in the journal), show and return the experiment.

        Parameters
        ----------
        spec : all of the network and its training at once
        again : train even if the journal has this run
        changes : fields of `TrainingSettings`
        """
        if spec is not None:
            self.spec = spec
        self._again = again
        return super().run(**changes)

    def start(self, *, again: bool = False) -> None:
        """Do what the button Train does, or with `again` the button Train again."""
        self._again = again
        super().start()

    @property
    def runs(self) -> list[dict[str, object]]:
        """The runs on the data that the controls choose, a row each, oldest first; earlier sessions' too."""
        return to_rows(self._entries())

    def close(self) -> None:
        """End the threads and take the widgets away; to show the panel again makes new ones."""
        self._end_surface()
        super().close()

    # The parts of a panel.

    def make_controls(self, settings: TrainingSettings) -> dict[str, widgets.Widget]:
        """The controls; with a dataset of one's own its problem is the only one, and its rows are all there are."""
        given = self._shelf.given
        controls = make_training_controls(settings, QUESTIONS.values() if given is None else [given.problem.name])
        controls["rows"].disabled = given is not None
        for name in ("problem", "rows"):
            controls[name].observe(lambda change: self._follow_data(), names="value")
        return controls

    def make_left(self) -> list[widgets.Widget]:
        """The controls with their switches beside them."""
        self._view = TrainingView(self._on_apply)
        self._view.again_button.on_click(lambda button: self.start(again=True))
        return self._view.make_left(self, arrange(self.controls))

    def make_right(self) -> list[widgets.Widget]:
        """The tabs."""
        right = self._view.make_right(self)
        self._connect(self._view)
        return right

    def show_running(self, running: bool) -> None:
        """Enable Stop while a run is under way, and what starts one or changes its settings otherwise."""
        super().show_running(running)
        self._view.show_running(running)

    def source_text(self) -> str:
        """What the data of the chosen problem is, and how it is shared out."""
        data = self._shelf.find(self.controls["problem"].value, self.controls["rows"].value)
        if data is None:
            return describe_source(*self.datasets) or "Loaded when Train is pressed."
        return f"{describe_source(data.dataset)} {data.split.protocol[0].upper()}{data.split.protocol[1:]}."

    def compute(self, settings: TrainingSettings, on_progress: OnProgress, stop: threading.Event) -> Experiment | None:
        """Load, prepare, then look the run up or train it."""
        again, self._again = self._again, False
        on_progress(None, "Loading the data; the first epoch takes longest ...")
        data, prepared = self._shelf.take(settings)
        if stop.is_set():
            return None
        self._past.begin(data, self.result, self._guess())
        with origin_of("panel"):
            experiment = run_experiment(
                settings.spec,
                prepared,
                seeds=settings.all_seeds,
                journal=self._past.journal,
                reuse=not again,
                on_progress=on_progress,
                stop=stop,
            )
        self._past.end(experiment)
        return experiment.with_reachable(self.reachable_error)

    def rows(self, result: Experiment) -> list[dict[str, object]]:
        """A row an epoch, the mean over the seeds."""
        keys = ("data_loss", "penalty", result.measure.name)
        shown = [key for name in keys for key in (name, f"val_{name}") if key in result.history]
        epochs = len(result.history["val_data_loss"])
        return [
            {"epoch": epoch + 1} | {key: round(result.history[key][epoch], 6) for key in shown}
            for epoch in range(epochs)
        ]

    def summarise(self, result: Experiment) -> str:
        """The score, where it comes from, and how the guess came out."""
        parts = [result.sentences[0]]
        if result.from_journal:
            ended = max(outcome.time for outcome in result.outcomes).replace("T", " ")[:16]
            took = sum(outcome.seconds for outcome in result.outcomes)
            parts.append(
                f"From the journal, where this was trained in {took:.1f} s ({ended} UTC); Train again trains it anew."
            )
        parts += [answer.sentence for answer in self._past.news]
        parts += [self._past.warning] if self._past.warning else []
        return " ".join(parts)

    def draw(self, figure: Figure, result: Experiment) -> None:
        """Data loss and measure over the epochs, earlier runs faintly behind them."""
        from recipe.figures.training import draw_curves

        draw_curves(figure, self._curves_of(result))

    def describe(self, result: Experiment) -> str:
        """The curves in words."""
        from recipe.figures.training import describe_curves

        return describe_curves(self._curves_of(result))

    def _curves_of(self, result: Experiment) -> TrainingCurves:
        from recipe.figures.training import Curve, TrainingCurves

        members = result.histories if len(result.histories) > 1 else ()
        return TrainingCurves(
            curves=(Curve(history=result.history if result.histories else {}, members=members),),
            measure=result.measure.name,
            title=result.measure.title,
            unit=result.measure.unit_of(result.problem),
            baseline=float(result.baseline),
            overfitting_epoch=None if result.is_running else result.history_diagnosis.overfitting_epoch,
            past=self._past.curves,
            epochs=result.spec.epochs if result.is_running else None,
            source=result.prepared.source,
        )
