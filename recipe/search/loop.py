"""Step 7: one trial after another, here or on the workers of an executor, until there are enough or somebody stops."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field

from recipe.core.run import EpochReport
from recipe.search.entries import Entry
from recipe.search.executors import ATTEMPTS, GRACE_SECONDS, POLL_SECONDS, Team, lost_its_worker
from recipe.search.study import Asked, SearchStudies
from recipe.search.worker import Outcome, train_trial

OnEpoch = Callable[[int, EpochReport], object]


@dataclass(kw_only=True)
class Ending:
    """Knows whether the search is to end before it has all its trials, and why.

    Attributes
    ----------
    look : says ``"asked"``, ``"interrupted"`` or None
    deadline : on the clock of `time.monotonic`; None: there is none
    """

    look: Callable[[], str | None]
    deadline: float | None = None
    noted: str | None = None

    @property
    def why(self) -> str | None:
        """``"interrupted"``, ``"asked"``, ``"time"``, ``"broken"`` or None."""
        if self.noted is None:
            self.noted = self.look() or ("time" if self.is_late else None)
        return self.noted

    @property
    def is_late(self) -> bool:
        """Whether the time is up."""
        return self.deadline is not None and time.monotonic() >= self.deadline


@dataclass(kw_only=True)
class Search:
    """A search under way.

    Attributes
    ----------
    trials : how many are wanted
    on_trial : called with the entry of each trial that ended
    on_epoch : called with the number of a trial, from 0, and the report of its epoch
    entries : of the trials that ended
    """

    studies: SearchStudies
    trials: int
    ending: Ending
    on_trial: Callable[[Entry], object] | None = None
    on_epoch: OnEpoch | None = None
    entries: list[Entry] = field(default_factory=list)
    _asked: int = 0

    def run(self, team: Team | None) -> None:
        """Train the trials; whatever happens, each that was begun has an end."""
        reason = "an error ended the search"
        try:
            if team is None:
                self._run_here()
            else:
                _TeamWork(self, team).run()
        except KeyboardInterrupt:
            reason = "stopped"
            raise
        finally:
            self.entries += self.studies.close(reason)

    def ask(self) -> Asked:
        """Begin the next trial."""
        self._asked += 1
        return self.studies.ask()

    @property
    def wants_more(self) -> bool:
        """Whether another trial is to begin."""
        return self._asked < self.trials and self.ending.why is None

    def settle(self, asked: Asked, outcome: Outcome | BaseException | str) -> None:
        """End a trial with its outcome, its error or the reason why it has none."""
        if isinstance(outcome, Outcome):
            entry = self.studies.tell(asked, outcome)
        else:
            reason = outcome if isinstance(outcome, str) else _one_line(outcome)
            entry = self.studies.fail(asked, reason)
        self.entries.append(entry)
        if self.on_trial is not None:
            self.on_trial(entry)

    def report(self, number: int, told: EpochReport) -> None:
        """Pass an epoch on; a callback's own error is not the trial's."""
        if self.on_epoch is None:
            return
        try:
            self.on_epoch(number, told)
        except Exception as error:
            raise _CallbackError from error

    def _run_here(self) -> None:
        while self.wants_more:
            asked = self.ask()
            try:
                outcome = train_trial(asked.job, lambda told, number=self._asked - 1: self._after_epoch(number, told))
            except _CallbackError as error:
                self.settle(asked, "on_epoch raised an error")
                raise error.__cause__ from None
            except Exception as error:  # whatever a training may raise: the trial has failed, and the search goes on
                self.settle(asked, error)
            else:
                if outcome.run.stopped == "interrupted":
                    self.ending.noted = "interrupted"
                self.settle(asked, outcome)

    def _after_epoch(self, number: int, told: EpochReport) -> None:
        self.report(number, told)
        if self.ending.why:
            self.studies.stop_file.touch()


class _TeamWork:
    """Gives trials to workers and takes what they bring; a trial whose worker was killed is begun again, alone."""

    def __init__(self, search: Search, team: Team) -> None:
        self.search, self.team = search, team
        self.pending: dict[Future, Asked] = {}
        self.again: list[Asked] = []
        self.losses: Counter = Counter()
        self.given_up_at: float | None = None

    def run(self) -> None:
        while True:
            if self.search.ending.why:
                self._call_off()
            else:
                self._fill()
            if not self.pending:
                return
            done, _ = wait(self.pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(future)

    def _fill(self) -> None:
        while self.again or self.search.wants_more:
            is_careful = self.again or any(self.losses[asked.key] for asked in self.pending.values())
            if len(self.pending) >= (1 if is_careful else self.team.size):
                return
            self._submit(self.again.pop(0) if self.again else self.search.ask())

    def _submit(self, asked: Asked) -> None:
        arguments = [asked.job]
        if self.team.shares_memory and self.search.on_epoch is not None:
            number = self.search._asked - 1
            arguments.append(lambda told: self.search.report(number, told))
        try:
            self.pending[self.team.submit(train_trial, *arguments)] = asked
        except (BrokenExecutor, RuntimeError) as error:  # the latter where it was shut down
            self.search.settle(asked, error)
            self.search.ending.noted = "broken"

    def _take(self, future: Future) -> None:
        asked = self.pending.pop(future)
        try:
            outcome = future.result()
        except _CallbackError as error:
            self.search.settle(asked, "on_epoch raised an error")
            raise error.__cause__ from None
        except BaseException as error:  # a cancelled future's error is no Exception to some executors
            self._take_error(asked, error)
        else:
            self.search.settle(asked, outcome)

    def _take_error(self, asked: Asked, error: BaseException) -> None:
        if not lost_its_worker(error):
            self.search.settle(asked, error)
            return
        self.losses[asked.key] += 1
        lost = self.losses[asked.key]
        if self.search.ending.why:
            self.search.settle(asked, "stopped")
        elif lost < ATTEMPTS:
            self.again.append(asked)
        else:
            self.search.settle(asked, f"its worker was killed {lost} times: {_one_line(error)}")

    def _call_off(self) -> None:
        """Tell the workers to end, and wait for them as long as an epoch may take."""
        self.search.studies.stop_file.touch()
        for asked in self.again:
            self.search.settle(asked, "stopped")
        self.again.clear()
        if self.given_up_at is None:
            self.given_up_at = time.monotonic() + GRACE_SECONDS
            for future in [future for future in self.pending if future.cancel()]:
                self.search.settle(self.pending.pop(future), "stopped")
        if time.monotonic() >= self.given_up_at:
            for asked in self.pending.values():
                self.search.settle(asked, f"its worker did not answer for {GRACE_SECONDS:g} s after the stop")
            self.pending.clear()


class _CallbackError(Exception):
    """Carries what a callback raised past what takes a training's errors."""


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
