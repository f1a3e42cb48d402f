"""The questions of the lessons: a choice, a number, or a prediction, each with a check, a hint and a solution.

In a notebook a question shows its text, and below it buttons; in a stored one the text stands alone. Python answers
everywhere: ``question.check("b")``. Answers and predictions are recorded in the journal. What a lesson asks is in its
``recipe.lessons.sN_....questions``, and of those that go further in ``recipe.lessons.deeper``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from recipe.journal import default_journal, warn_of_failure

CONFIDENCES = {"50 %": 0.5, "60 %": 0.6, "70 %": 0.7, "80 %": 0.8, "90 %": 0.9, "99 %": 0.99}
Answer = str | float | None
Option = tuple[str, str]  # what may be chosen, and why it is right or wrong
_kept: dict[str, Mapping[str, object]] = {}  # of each claim the last prediction, for where there is no journal


class Outcome(StrEnum):
    """What became of a question."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NOT_ATTEMPTED = "not attempted"


@dataclass(frozen=True)
class Reply:
    """What a question answers, in words; `outcome` is None where nothing was judged."""

    text: str
    outcome: Outcome | None = None

    def __repr__(self) -> str:
        return f"{self.outcome.capitalize()}. {self.text}" if self.outcome else self.text


@dataclass(frozen=True, kw_only=True)
class Question:
    """What all questions have: `text` asks, in Markdown; `tip` is the hint. A subclass has `judge` and `solution`."""

    text: str
    tip: str

    @property
    def name(self) -> str:
        """Where it stands among the lessons, such as ``s6_scale_up.turn``; of one that stands in none, its text."""
        rooms = [(place.split(".")[2], room) for place, room in [*sys.modules.items()] if "recipe.lessons." in place]
        names = [f"{lesson}.{name}" for lesson, room in rooms for name, one in vars(room).items() if one is self]
        return (*names, self.text)[0]

    def check(self, answer: Answer = None) -> Reply:
        """Judge an answer, and record in the journal what became of it."""
        reply = self.judge(answer)
        if reply.outcome is not Outcome.NOT_ATTEMPTED:
            self._record(answer, reply)
        return reply

    def _record(self, answer: Answer, reply: Reply, **more: object) -> Mapping[str, object]:
        """Return what is noted; a journal that fails costs a warning, never the answer."""
        entry = {"question": self.name, "answer": str(answer), "outcome": reply.outcome, **more}
        if (journal := default_journal()) is not None:
            with warn_of_failure("The answer is not in the journal."):
                journal.note_answer(entry)
        return entry

    def hint(self) -> Reply:
        """Give the hint."""
        return Reply(self.tip)

    def _ipython_display_(self) -> None:
        """Show the text, which a stored notebook keeps, and below it buttons that mouse and keys reach."""
        import ipywidgets as widgets  # who only judges answers loads no widgets
        from IPython.display import display

        from recipe.ui.controls import keyboard_help
        from recipe.ui.texts import status_html

        display({"text/markdown": str(self), "text/plain": str(self)}, raw=True)
        if isinstance(self, Choice):
            answer = widgets.ToggleButtons(options=list(self.options), value=None, description="answer")
            answer.style.button_width = "3em"
        else:
            answer = widgets.Text(description="answer", placeholder="a number")
        sure = widgets.Dropdown(options=list(CONFIDENCES.items()), description="how sure?")
        is_prediction, status = isinstance(self, Prediction), widgets.HTML(status_html(""))

        actions = {"Keep": lambda: self.predict(answer.value, sure.value)} if is_prediction else {}
        actions |= {"Check": lambda: self.check(answer.value or None), "Hint": self.hint, "Solution": self.solution}
        buttons = [widgets.Button(description=words) for words in actions]
        for button in buttons:
            button.on_click(lambda one: setattr(status, "value", status_html(str(actions[one.description]()))))
        inputs = [answer, sure] if is_prediction else [answer]
        root = widgets.VBox([widgets.HBox(inputs), widgets.HBox(buttons), status, *keyboard_help()])
        root.add_class("recipe-panel")  # by which the script of the keyboard finds it
        display(root)


@dataclass(frozen=True, kw_only=True)
class Number(Question):
    """A question whose answer is a number, `value`, from which one may be off by `tolerance`.

    `reason` says how it is found.

    Examples
    --------
    >>> weights = Number(text="How many?", value=21, reason="8 x 2 + 2 + 2 + 1.", tip="Biases, too.")
    >>> weights.check(21), weights.check(19).outcome
    (Correct. 8 x 2 + 2 + 2 + 1., <Outcome.INCORRECT: 'incorrect'>)
    """

    value: float
    tolerance: float = 0
    reason: str

    def judge(self, answer: Answer = None) -> Reply:
        """Judge a number."""
        try:
            is_right = abs(float(answer) - self.value) <= self.tolerance
        except (TypeError, ValueError):
            return Reply("Answer with a number.", Outcome.NOT_ATTEMPTED)
        if is_right:
            return Reply(self.reason, Outcome.CORRECT)
        return Reply("Try again, or ask for the hint.", Outcome.INCORRECT)

    def solution(self) -> Reply:
        """Give the number and its reason."""
        return Reply(f"{self.value:g}. {self.reason}")

    def __str__(self) -> str:
        return f"**Question.** {self.text}"


@dataclass(frozen=True, kw_only=True)
class Choice(Question):
    """A question with two to four options, `a` to `d`, of which the one with the letter `right` is right.

    Each option is what it says, and why it is right or wrong.

    Examples
    --------
    >>> options = {"a": ("Training", "It falls to the end."), "b": ("Validation", "It rises again.")}
    >>> turn = Choice(text="Which loss tells?", **options, right="b", tip="Which samples are new?")
    >>> turn.check("a"), turn.check().outcome
    (Incorrect. It falls to the end., <Outcome.NOT_ATTEMPTED: 'not attempted'>)
    >>> turn.solution()
    b) Validation. It rises again.
    """

    right: str
    a: Option
    b: Option
    c: Option | None = None
    d: Option | None = None

    @property
    def options(self) -> dict[str, Option]:
        """The options by their letters."""
        return {letter: option for letter in "abcd" if (option := getattr(self, letter))}

    def judge(self, answer: Answer = None) -> Reply:
        """Judge a letter, and say why it is right or wrong."""
        if answer is None:
            return Reply(f"Answer with one of the letters {', '.join(self.options)}.", Outcome.NOT_ATTEMPTED)
        if answer not in self.options:
            raise ValueError(f"There is no such option. Received: {answer=}. Choose from {', '.join(self.options)}.")
        _, reason = self.options[answer]
        return Reply(reason, Outcome.CORRECT if answer == self.right else Outcome.INCORRECT)

    def solution(self) -> Reply:
        """Give the right option and its reason."""
        option, reason = self.options[self.right]
        return Reply(f"{self.right}) {option.rstrip('.')}. {reason}")

    def __str__(self) -> str:
        word = "Predict" if isinstance(self, Prediction) else "Question"
        listed = [f"- **{letter})** {option}" for letter, (option, _) in self.options.items()]
        return "\n".join([f"**{word}.** {self.text}", "", *listed])


@dataclass(frozen=True, kw_only=True)
class Prediction(Choice):
    """A choice made before an experiment, with a confidence; it is kept in the journal, and scored at the lesson's end.

    `claim` names the claim that the right option rests on, and with it the prediction.
    """

    claim: str

    def predict(self, answer: str | None, confidence: float) -> Reply:
        """Keep a letter, and how probable it seems that it is right, in [0, 1]. The last one counts."""
        if (reply := self.judge(answer)).outcome is Outcome.NOT_ATTEMPTED:
            return reply
        if not 0 <= confidence <= 1:
            raise ValueError(f"A confidence lies between 0 and 1. Received: confidence={confidence!r}.")
        _kept[self.claim] = self._record(answer, reply, claim=self.claim, confidence=confidence)
        return Reply(f"Kept: {answer}, {confidence:.0%} sure. Run the next cells and see.")


def score_predictions(lesson: ModuleType) -> Reply:
    """Say what became of the last prediction of each of a lesson's questions, and the Brier score of them all.

    It is the mean of (confidence - outcome)², the outcome 1 or 0: 0 is perfect, and "50 %" everywhere gets 0.25 (G. W.
    Brier, Monthly Weather Review, 1950).
    """
    journal, kept = default_journal(), dict(_kept)
    for entry in journal.entries() if journal else ():
        if "claim" in (answer := entry.get("answer", {})):
            kept[answer["claim"]] = answer
    asked = [one.claim for one in vars(lesson).values() if isinstance(one, Prediction) and one.claim in kept]
    if not asked:
        return Reply("No prediction of this lesson was kept yet.", Outcome.NOT_ATTEMPTED)
    told = [f"{claim}: {kept[claim]['confidence']:.0%} sure, {kept[claim]['outcome']}" for claim in asked]
    losses = [(kept[claim]["confidence"] - (kept[claim]["outcome"] == Outcome.CORRECT)) ** 2 for claim in asked]
    return Reply("\n".join([*told, f"Brier score: {sum(losses) / len(losses):.3f} (0 is perfect, 0.25 is a guess)"]))
