"""What happens on the surface of the training panel: advice, guesses, the reachable error, the tabs and the table."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from html import escape
from pathlib import Path

from recipe.core.files import write_whole
from recipe.core.run import Run
from recipe.journal import tabulate
from recipe.ui.experiment.guesses import Answer, Guess, count_right
from recipe.ui.experiment.outcome import Experiment
from recipe.ui.panel import GATHER_SECONDS, Panel
from recipe.ui.texts import error_html, source_html
from recipe.ui.training.data import DataShelf
from recipe.ui.training.past import Past
from recipe.ui.training.tabs import DATA_GONE, NO_WEIGHTS, NOTHING_YET, code_html, model_html, show_mistakes
from recipe.ui.training.view import GUESSES, TABS, TrainingView
from recipe.ui.worker import LatestWins


class TrainingSurface(Panel):
    """All that the training panel does besides training; `TrainingPanel` is what people use."""

    _view: TrainingView | None
    _shelf: DataShelf
    _past: Past

    def _init_surface(self) -> None:
        self._reachable = 0.0
        self._view = None
        self._stale = set(TABS)
        self._filling = threading.RLock()
        self._tab_worker = LatestWins(lambda stop: self._fill_tab(), lambda running: None)
        self._is_invalid = self._is_under_way = False

    # What Python and notebooks use.

    @property
    def answers(self) -> tuple[Answer, ...]:
        """How the guesses came out, oldest first."""
        return tuple(self._past.answers)

    @property
    def reachable_error(self) -> float:
        """What people reach: a share of wrong answers, or of quantities a part of the baseline's error."""
        return self._reachable

    @reachable_error.setter
    def reachable_error(self, error: float) -> None:
        if self.result is not None:
            self.result = self.result.with_reachable(error)
        self._reachable = float(error)
        if self._view is not None:
            self._view.offer_reachable(self._reachable)
        self._show_diagnosis()

    def apply_advice(self, number: int = 0) -> None:
        """Put a piece of advice, counted from 0, into the controls; it trains nothing.

        Raises
        ------
        ValueError
            If there is no such piece, no setting does it, or the controls ask for another problem by now.
        """
        advice = () if self.result is None else self.result.advice
        if not 0 <= number < len(advice):
            there = f"There are pieces 0 to {len(advice) - 1}" if advice else "Train first"
            raise ValueError(f"There is no such piece of advice. Received: number={number}. {there}.")
        if self.settings.problem != self.result.problem.name:
            raise ValueError(
                f"The advice is on {self.result.problem.name}, and the controls ask for {self.settings.problem}. "
                f"Received: number={number}. Choose that problem again, or train on this one first."
            )
        if advice[number].spec is None:
            raise ValueError(
                f"No setting of a model does this. Received: advice to {advice[number].title}. {advice[number].reason}"
            )
        # What the advice changes is put on top of what the controls say by now.
        before, asked, trained = self.spec, vars(advice[number].spec), vars(self.result.spec)
        self.spec = after = before.replace(**{name: asked[name] for name in asked if asked[name] != trained[name]})
        changed = [
            field.name
            for field in dataclasses.fields(after)
            if getattr(after, field.name) != getattr(before, field.name)
        ]
        told = "; ".join(f"{name} {_show(getattr(before, name))} → {_show(getattr(after, name))}" for name in changed)
        self.say(
            f"Put into the controls: {advice[number].title} ({told or 'they said so already'}). Press Train to try it."
        )

    def predict_first(self, overfits: bool | None = None, better: bool | None = None) -> None:
        """Commit to a guess: it is held against the next run. None is no guess."""
        for menu, guess in ((self._view.overfits, overfits), (self._view.better, better)):
            menu.value = GUESSES[guess]
        self.say(f"{self._guess().sentence} Press Train to see.")

    def compare(self, first: int, second: int) -> list[dict[str, object]]:
        """Show and return what differs between two runs of `runs`: settings first, then what came of them."""
        self._show_runs()
        return self._view.table.compare(first, second)

    def pin(self, number: int, pinned: bool = True) -> None:
        """Pin a run to the top of the table, in later sessions too, or take the pin away."""
        self._show_runs()
        entry, journal = self._view.table.entry(number), self._past.journal
        if journal is None or entry.number < 0:
            self._past.replace(dataclasses.replace(entry, pinned=pinned))
        else:
            journal.pin(entry, pinned)
        self._show_runs()
        self.say(f"Run {number} is {'pinned to the top of the table' if pinned else 'no longer pinned'}.")

    def use_run(self, number: int) -> None:
        """Put the settings of a run of the table into the controls; it trains nothing."""
        self._show_runs()
        self.spec = self._view.table.entry(number).spec
        self.say(f"The controls say what run {number} was trained with. Press Train to see it.")

    def export_csv(self, path: str | Path = "runs.csv") -> Path:
        """Write the runs on this data to a file, whole or not at all, and return its path."""
        entries = self._show_runs()
        if not entries:
            raise ValueError(f"There is no run on this data yet. Received: path={str(path)!r}. Train first.")
        written = write_whole(Path(path).expanduser(), tabulate(entries).to_csv(index=False))
        count = "1 run is" if len(entries) == 1 else f"{len(entries)} runs are"
        self.say(f"{count} written to {Path(written).resolve()}.")
        return Path(written)

    def show_tab(self, name: str) -> None:
        """Show one of the tabs, filled: Curves, Mistakes, Model, Code or Runs."""
        if name not in TABS:
            raise ValueError(f"There is no such tab. Received: name={name!r}. Choose from {', '.join(TABS)}.")
        self._view.tabs.selected_index = TABS.index(name)
        self._tab_worker.wait()
        self._fill_tab()

    # Wires.

    def _connect(self, view: TrainingView) -> None:
        table = view.table
        view.reachable.observe(lambda change: self._set_reachable(change["new"]), names="value")
        view.tabs.observe(lambda change: self._tab_worker.ask(), names="selected_index")
        table.compare_button.on_click(lambda button: self._guard(self._compare_chosen))
        table.pin_button.on_click(lambda button: self._guard(self._pin_chosen))
        table.load_button.on_click(lambda button: self._guard(lambda: self.use_run(table.first.value)))
        table.export_button.on_click(lambda button: self._guard(lambda: self.export_csv(table.path.value)))
        view.offer_reachable(self._reachable)
        self._stale = set(TABS)

    def _end_surface(self) -> None:
        self._tab_worker.stop()
        self._tab_worker.wait()

    def _guard(self, act: Callable[[], object]) -> None:
        """Do what a button asks; what goes wrong stands in the status, for nobody else would show it."""
        try:
            act()
        except Exception as error:
            self.show_error(error)

    def _compare_chosen(self) -> None:
        first, second = self._view.table.first.value, self._view.table.second.value
        self.compare(first, second)
        self.say(f"Runs {first} and {second} are compared below the table.")

    def _pin_chosen(self) -> None:
        number = self._view.table.first.value
        self.pin(number, not self._view.table.entry(number).pinned)

    def _set_reachable(self, error: float) -> None:
        if error != self._reachable:
            self._guard(lambda: setattr(self, "reachable_error", error))

    def _on_apply(self, number: int) -> None:
        self._guard(lambda: self.apply_advice(number))

    def _on_change(self, change: object) -> None:
        """Say at once that the controls make no sense together, and that they do again."""
        super()._on_change(change)
        if self._writer == threading.get_ident() or self.running:
            return
        try:
            self.settings  # noqa: B018
        except (TypeError, ValueError) as error:
            self._is_invalid = True
            self.status.value = error_html(error)
        else:
            if self._is_invalid:
                self.say("Ready: press Train.")
            self._is_invalid = False

    def _guess(self) -> Guess:
        meant = {word: guess for guess, word in GUESSES.items()}
        return Guess(overfits=meant[self._view.overfits.value], better=meant[self._view.better.value])

    # What is shown.

    def _follow_data(self) -> None:
        """Show what belongs to the data that the controls ask for now."""
        self.source_label.value = source_html(self.source_text())
        self._stale.add("Runs")
        self._tab_worker.ask(delay=GATHER_SECONDS)

    def show_result(self, result: Experiment | None) -> None:
        super().show_result(result)
        self._is_under_way = result is not None and result.is_running
        if self._view is None or result is None:
            return
        if self._is_under_way:
            self._view.show_under_way()
            return
        if result.stopped is None and not self._past.has_guess:
            self._view.overfits.value = self._view.better.value = GUESSES[None]
        told = [f"{count_right(self.answers)} so far."] if self.answers else []
        told.append(f"The last run scored {result.score:.3g}.")
        self._view.guess_text.value = f"<div style='line-height:1.35'>{escape(' '.join(told))}</div>"
        self._show_diagnosis()
        self._stale = set(TABS)
        self._fill_tab()

    def _show_diagnosis(self) -> None:
        if self._view is not None and self.result is not None and not self._is_under_way:
            self._view.show_diagnosis(self.result.sentences, self.result.advice)

    def _fill_tab(self) -> None:
        """Fill the tab that is shown, if what stands there is older than the last run."""
        with self._filling:
            view = self._view
            if view is None or view.tab not in self._stale:
                return
            self._stale.discard(tab := view.tab)
            try:
                getattr(self, f"_fill_{tab.lower()}")(view)
            except Exception as error:
                view.notes[tab].value = error_html(error)
                self.show_error(error)

    def show_error(self, error: BaseException) -> None:
        if self._is_under_way:  # the curves of a run that failed make place for the last one's
            self.show_result(self.result)
        super().show_error(error)

    def _fill_curves(self, view: TrainingView) -> None:
        """There already."""

    def _fill_mistakes(self, view: TrainingView) -> None:
        if self.result is None or self.result.model is None:
            view.show_mistakes(b"", "", escape(NOTHING_YET if self.result is None else NO_WEIGHTS))
            return
        view.show_mistakes(b"", "", "Looking for them ...")
        data = self._shelf.of(self.result.prepared)
        if data is None:
            view.show_mistakes(b"", "", DATA_GONE)
            return
        view.show_mistakes(*show_mistakes(self.result, data.split), "")

    def _fill_model(self, view: TrainingView) -> None:
        view.model_text.value = NOTHING_YET if self.result is None else model_html(self.result)

    def _fill_code(self, view: TrainingView) -> None:
        view.code_text.value = NOTHING_YET if self.result is None else code_html(self.result)

    def _fill_runs(self, view: TrainingView) -> None:
        view.table.note.value = "Looking into the journal ..."
        self._show_runs()

    def _show_runs(self) -> list[Run]:
        """Show the runs on the data that the controls choose, and return them."""
        entries = self._entries()
        journal, problem = self._past.journal, self.settings.problem
        where = "kept in this panel only" if journal is None else f"kept in the journal {journal.location}"
        count = f"{len(entries)} run{'' if len(entries) == 1 else 's'}" if entries else "No run yet"
        self._view.table.show(entries, f"{count} on this data ({problem}), {where}.")
        return entries

    def _entries(self) -> list[Run]:
        return self._past.entries(self._shelf.take(self.settings)[0])


def _show(value: object) -> str:
    """Write a field of a spec for people."""
    if value is None:
        return "default or off"
    return (
        "-".join(map(str, value))
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
