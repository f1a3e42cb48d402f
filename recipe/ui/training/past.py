"""What the training panel remembers: the runs on the same data, the guesses, and how they came out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from recipe.core.run import Run
from recipe.journal import Journal, choose_journal, stamp
from recipe.ui.experiment.guesses import Answer, Guess
from recipe.ui.experiment.outcome import Experiment
from recipe.ui.training.data import TrainingData

FAINT = 5  # earlier runs that stay in the figure


class Past:
    """The runs of the journal, and those of this panel that are in no journal.

    Attributes
    ----------
    curves : histories of earlier runs on the data of the run that is shown
    answers : how all guesses came out; news : those of the last run
    score_before : validation score of the run before the last one on the same data, None where there is none
    warning : what went wrong with the journal in the last run, or ``""``
    """

    def __init__(self, journal: Journal | str | None) -> None:
        self._chosen = journal
        self._unrecorded: list[Run] = []
        self._guess = Guess()
        self.score_before: float | None = None
        self.curves: tuple[Mapping[str, Sequence[float]], ...] = ()
        self.answers: list[Answer] = []
        self.news: tuple[Answer, ...] = ()
        self.warning = ""

    @property
    def journal(self) -> Journal | None:
        """The journal, None where none is kept."""
        return choose_journal(self._chosen)

    def entries(self, data: TrainingData) -> list[Run]:
        """Return the runs on this data, oldest first, in whatever way it was prepared."""
        kept, keys = self._kept(data.dataset.problem.name), data.keys
        found = [entry for entry in (*kept, *self._unrecorded) if entry.data in keys and not entry.final]
        return sorted(found, key=lambda entry: entry.time)

    def begin(self, data: TrainingData, previous: Experiment | None, guess: Guess) -> None:
        """Take note of what there is before a run, and of the guess."""
        self._guess, self.news, self.warning = guess, (), ""
        earlier = self.entries(data)
        is_same = previous is not None and previous.prepared.data_key in data.keys
        self.score_before = previous.score if is_same else earlier[-1].score if earlier else None
        self.curves = tuple(entry.history for entry in earlier if entry.history)[-FAINT:]

    def end(self, experiment: Experiment) -> None:
        """Keep what no journal keeps, and hold the guess against what came; one of a run that was stopped stays."""
        missing = [run for run in experiment.runs if run.number is None]
        key = experiment.prepared.data_key
        for run in missing:
            run = dataclasses.replace(run, data=key, number=-1 - len(self._unrecorded))
            self._unrecorded.append(stamp(run, origin="panel"))
        if missing and self.journal is not None:
            self.warning = f"The journal could not be written: this run is kept in this panel only ({self.journal})."
        own = [tuple(history["val_data_loss"]) for history in experiment.histories]
        self.curves = tuple(one for one in self.curves if tuple(one.get("val_data_loss", ())) not in own)
        if experiment.stopped is None:
            self.news, self._guess = self._guess.judge(experiment, self.score_before), Guess()
            self.answers += self.news

    @property
    def has_guess(self) -> bool:
        """Whether a guess waits for a run."""
        return bool(self._guess)

    def _kept(self, problem: str) -> list[Run]:
        """Return what the journal has on a problem, whatever the data."""
        if self.journal is None:
            return []
        try:
            return self.journal.runs(problem=problem)
        except Exception as error:  # whatever a storage may raise: a run is worth more than the list of others
            self.warning = f"The journal cannot be read. {type(error).__name__}: {error}"
            return []

    def replace(self, entry: Run) -> None:
        """Put an entry that is in no journal in place of the one of the same number."""
        self._unrecorded = [entry if one.number == entry.number else one for one in self._unrecorded]
