"""Step 8's panel: a game. Something is broken in secret; look at the symptoms, run checks, name the fault."""

from __future__ import annotations

import threading
import typing
from dataclasses import dataclass
from html import escape

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from recipe.debugging.checks import Check
from recipe.debugging.faults import FAULTS
from recipe.debugging.pipeline import CHECKS
from recipe.figures import INK
from recipe.figures.training import collect_curves, describe_curves, draw_curves
from recipe.lessons.questions import Outcome, Reply
from recipe.lessons.s8_debug.fault_game import CHECK_COSTS, SOUND, WRONG_COSTS, Round, start_round
from recipe.ui.panel import OnProgress, Panel
from recipe.ui.settings import Settings, setting

SHOWN_ROWS, SHOWN_COLUMNS = 6, 120
NONE = "none"
JUDGED = {Outcome.CORRECT: "Right.", Outcome.INCORRECT: "Wrong."}
GUESSES = {"nothing is broken": SOUND} | {fault.title: name for name, fault in FAULTS.items()}
CHOICES = {"(choose a check)": NONE} | {name: name for name in CHECKS}


@dataclass(frozen=True, kw_only=True)
class FaultGameSettings(Settings):
    """What the panel's controls say; another round or problem begins another round."""

    round: int = setting(1, label="round", low=1, high=200, help="The same number is the same round.")
    problem: str = setting("")
    check: str = setting(NONE, label="check", choices=CHOICES, help="Run makes it, for a point.")
    fault: str = setting(SOUND, label="your guess", choices=GUESSES, help="Guess asks whether this is what is broken.")


class FaultGamePanel(Panel):
    """The game of faults: symptoms on the right; on the left what to check, and what to guess.

    Parameters
    ----------
    *datasets : to play with; without any, digits, reviews and houses are loaded
    **settings : fields of `FaultGameSettings`
    """

    title = "What is broken? A game of faults"
    settings_type = FaultGameSettings
    live = ("round", "problem")  # nobody is to guess at a round that was never seen
    loads: typing.ClassVar = {"mnist": 2_500, "imdb": 2_500, "housing": None}  # the first houses lie in one corner
    figure_size = (7.6, 5.0)

    _asked = ""  # what is wanted of the next run besides showing its round: "check" or "guess"

    def run(self, **changes: object) -> Round:
        """Show the round of the settings, make the check that they choose, and return the round as it is now."""
        self._asked = "check"
        return super().run(**changes)

    def guess(self, fault: str) -> Reply:
        """Name the fault, as the button Guess does, and return what is answered."""
        self._asked = "guess"
        return super().run(fault=fault).answers[-1]

    def start(self) -> None:
        """Make the chosen check, as the button Run does."""
        self._press("check")

    def _press(self, asked: str) -> None:
        if not self.running:  # of a double click the second one comes to nothing
            self._asked = asked if self._is_shown(self.settings) else ""  # a round is looked at before it is judged
            super().start()

    def _is_shown(self, settings: FaultGameSettings) -> bool:
        round = self.result
        return bool(round) and (round.number, round.pipeline.problem.name) == (settings.round, settings.problem)

    def make_left(self) -> list[widgets.Widget]:
        """The controls, and Guess below the guess."""
        self.guess_button = widgets.Button(description="Guess", icon="question")
        self.guess_button.on_click(lambda button: self._press("guess"))
        return [*super().make_left(), self.guess_button]

    def make_right(self) -> list[widgets.Widget]:
        """The figure, and the notes below it."""
        self.notes = widgets.HTML()
        return [self.image, self.notes]

    def show_running(self, running: bool) -> None:
        """Nothing can be pressed twice."""
        super().show_running(running)
        self.guess_button.disabled = running

    def compute(self, settings: FaultGameSettings, on_progress: OnProgress, stop: threading.Event) -> Round:
        """Do what was asked for: begin a round, make a check, or answer a guess."""
        asked, self._asked = self._asked, ""
        round = self.result
        if not self._is_shown(settings):
            on_progress(None, "Breaking a pipeline, and training it ...")
            round = start_round(self.dataset, settings.round)
        if asked == "guess":
            round.guess(settings.fault)
        elif asked == "check" and settings.check != NONE:
            round.check(settings.check)
        return round

    def draw(self, figure: Figure, result: Round) -> None:
        """The training curves above, the first training samples below; what the checks found stands there as text."""
        above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
        draw_curves(above, collect_curves(result.history))
        split = result.pipeline.split
        below.suptitle(f"First training samples ({split.problem.name}, {split.source})", fontsize=9, color=INK)
        _draw_samples(below, result.pipeline.x_train[:SHOWN_ROWS], _first_targets(result))

    def describe(self, result: Round) -> str:
        """The same in words."""
        curves = describe_curves(collect_curves(result.history))
        return f"{result.pipeline.problem.name}. {curves} The first targets are {', '.join(_first_targets(result))}."

    def tabulate(self, result: Round) -> pd.DataFrame:
        """A row a check that was made."""
        rows = [(one.name, str(one.status), one.found) for one in result.checks.values()]
        return pd.DataFrame(rows, columns=["check", "outcome", "found"])

    def summarise(self, result: Round) -> str:
        """The points, and what the last guess was answered."""
        verdict = "" if not result.answers else "Right! " if result.won else "Not that. "
        return f"{verdict}Round {result.number}: {result.points} points {'' if result.over else 'left'}".strip() + "."

    def show_result(self, result: Round | None) -> None:
        """The figure, and the notes below it."""
        super().show_result(result)
        self.notes.value = notes_html(result)


def _first_targets(round: Round) -> list[str]:
    return [f"{value:,.6g}" for value in round.pipeline.y_train[:SHOWN_ROWS].reshape(SHOWN_ROWS, -1)[:, 0]]


def _draw_samples(figure: Figure, samples: np.ndarray, targets: list[str]) -> None:
    """Draw images side by side; a table, and words that occur, as a picture of a line a sample."""
    if samples.ndim == 3:
        for axes, image, target in zip(figure.subplots(1, len(samples)), samples, targets, strict=True):
            axes.imshow(image, cmap="Greys")
            axes.set(xlabel=f"target {target}", xticks=[], yticks=[])
        return
    axes, shown = figure.subplots(), samples[:, :SHOWN_COLUMNS]
    look = {"cmap": "Greys", "aspect": "auto", "interpolation": "nearest"}
    figure.colorbar(axes.imshow(np.ma.masked_invalid(shown), **look), ax=axes)
    axes.set_yticks(range(len(samples)), [f"target {target}" for target in targets])
    axes.set_xlabel(f"input (the first {shown.shape[1]} of {samples.shape[1]:,})")


def notes_html(round: Round | None) -> str:
    """Return what is known of a round: numbers of the data, the checks and the guesses with their answers."""
    if round is None:
        return ""
    lines = [f"{escape(name)}: {escape(text)}" for name, text in round.facts.items()]
    lines += [_check_html(check) for check in round.checks.values()]
    lines += [f"<b>{JUDGED[one.outcome]}</b> {escape(one.text)}" for one in round.answers]
    if round.over and not round.won:
        lines.append(f"<b>No point is left.</b> {escape(round.truth)}")
    return (
        "<div aria-live='polite' data-role='notes' style='line-height:1.35; font-size:0.92em'>"
        f"<b>{round.points} points left.</b> A check costs {CHECK_COSTS} point, a wrong guess {WRONG_COSTS}."
        f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul></div>"
    )


def _check_html(check: Check) -> str:
    colour = "#D55E00" if check.failed else "inherit"
    words = f"{check.found} Expected: {check.expected}" if check.failed else check.found
    return f"<b style='color:{colour}'>{escape(check.name)}: {escape(str(check.status))}.</b> {escape(words)}"
