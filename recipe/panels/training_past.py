"""What the training panel remembers: the runs on the same data, the guesses, and how they came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recipe.guesses import Answer, Guess
from recipe.journal import Entry, Journal
from recipe.journal import choose as choose_journal
from recipe.outcome import Experiment
from recipe.prepare import Prepared
from recipe.run_table import unrecorded_entry

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
        self._unrecorded: list[Entry] = []
        self._keys: dict[str, set[str]] = {}  # the same data has one key for each way it is prepared
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

    def entries(self, prepared: Prepared) -> list[Entry]:
        """Return the runs on this data, oldest first, in whatever way it was prepared."""
        name = prepared.problem.name
        keys = self._keys.setdefault(name, set())
        keys.add(prepared.data_key)
        journal = self.journal
        kept = []
        if journal is not None:
            try:
                kept = journal.entries(problem=name)
            except Exception as error:  # whatever a storage may raise: a run is worth more than the list of others
                self.warning = f"The journal cannot be read. {type(error).__name__}: {error}"
        ours = [entry for entry in self._unrecorded if entry.problem == name]
        found = [entry for entry in (*kept, *ours) if entry.data in keys and not entry.final]
        return sorted(found, key=lambda entry: entry.time)

    def begin(self, prepared: Prepared, previous: Experiment | None, guess: Guess) -> None:
        """Take note of what there is before a run, and of the guess."""
        self._guess, self.news, self.warning = guess, (), ""
        earlier = self.entries(prepared)
        is_same = previous is not None and previous.prepared.data_key == prepared.data_key
        self.score_before = previous.score if is_same else earlier[-1].score if earlier else None
        self.curves = tuple(entry.history for entry in earlier if entry.history)[-FAINT:]

    def end(self, experiment: Experiment) -> None:
        """Keep what no journal keeps, and hold the guess against what came; one of a run that was stopped stays."""
        recorded = {(entry.spec, entry.seconds) for entry in self.entries(experiment.prepared)}
        missing = [run for run in experiment.runs if (run.spec, round(run.seconds, 3)) not in recorded]
        key = experiment.prepared.data_key
        self._unrecorded += [unrecorded_entry(run, key, origin="panel") for run in missing]
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

    def replace(self, entry: Entry) -> None:
        """Put an entry that is in no journal in place of the one of the same time and spec."""
        self._unrecorded = [
            entry if (one.time, one.spec) == (entry.time, entry.spec) else one for one in self._unrecorded
        ]
