"""Step 6: predict first. A guess at how a training will come out, and how it is held against what came."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recipe.steps.s6_scale_up import Verdict
from recipe.ui.experiment.outcome import Experiment


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One guess, held against what came."""

    question: str
    guessed: str
    came: str

    @property
    def is_right(self) -> bool:
        """Whether that was it."""
        return self.guessed == self.came

    @property
    def sentence(self) -> str:
        """The answer in words."""
        return f"{self.question} You guessed {self.guessed}, and it is {self.came}: {_mark(self.is_right)}."


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What somebody expects of a training, before it runs.

    Attributes
    ----------
    overfits : whether it will overfit; None is no guess
    better : whether its validation score will be better than the last run's; None is no guess

    Examples
    --------
    >>> Guess(overfits=True, better=False).sentence
    'Guess: it will overfit, and not score better than the last run.'
    """

    overfits: bool | None = None
    better: bool | None = None

    def __bool__(self) -> bool:
        return self.overfits is not None or self.better is not None

    @property
    def sentence(self) -> str:
        """The guess in words."""
        parts = []
        if self.overfits is not None:
            parts.append(f"{'' if self.overfits else 'not '}overfit")
        if self.better is not None:
            parts.append(f"{'' if self.better else 'not '}score better than the last run")
        return f"Guess: it will {', and '.join(parts)}." if parts else "No guess."

    def judge(self, experiment: Experiment, last_score: float | None) -> tuple[Answer, ...]:
        """Hold the guess against what came out, one answer for each part of it that can be judged.

        Parameters
        ----------
        last_score : validation score of the run before, on the same data; None where there is none: then that part is
            not judged
        """
        answers = []
        if self.overfits is not None:
            words = {True: "overfitting", False: "no overfitting"}
            came = experiment.history_diagnosis.verdict is Verdict.OVERFITTING
            answers.append(Answer(question="Overfitting?", guessed=words[self.overfits], came=words[came]))
        if self.better is not None and last_score is not None:
            words = {True: "better", False: "not better"}
            is_first = math.isfinite(experiment.score) and not math.isfinite(last_score)
            came = is_first or experiment.beats(last_score)
            question = f"Better than the last run's {last_score:.3g}?"
            answers.append(Answer(question=question, guessed=words[self.better], came=words[came]))
        return tuple(answers)


def count_right(answers: tuple[Answer, ...] | list[Answer]) -> str:
    """Write the running score.

    Examples
    --------
    >>> count_right([Answer(question="Overfitting?", guessed="overfitting", came="overfitting")])
    '1 of 1 guess right'
    """
    right = sum(answer.is_right for answer in answers)
    return f"{right} of {len(answers)} guess{'' if len(answers) == 1 else 'es'} right"


def _mark(is_right: bool) -> str:
    return "right" if is_right else "wrong"
