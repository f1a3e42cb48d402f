"""Which measure of success suits a problem, and why, read from its targets.

The rules are those of F. Chollet, Deep Learning with Python, on choosing a measure of success: accuracy (or the area
under a curve) for balanced classes, precision and recall for unbalanced ones, mean average precision for ranking and
multilabel problems; for quantities the mean absolute error, which has the unit of the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recipe.core.input_checks import check_targets, expect
from recipe.core.problem import Problem, ProblemType

# Balanced is a matter of degree. Where one class is at most twice as frequent as the other, a blind guess has an
# accuracy of two thirds at most, and what a model adds to it can still be seen.
BALANCED = 2 / 3
CUT_OFF = 0.01  # so large a share of equal largest values is no chance: a census, or a sensor, stopped counting there
FAR_OUT = 0.01  # the share of samples that are called the furthest out
HEAVY = 0.2  # they weigh heavily where they have more than this share of all squared deviation (8 % if normal)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A measure of success for a problem, with the reason.

    Attributes
    ----------
    problem : the name of the problem
    measure : the name of the measure, a key of `recipe.MEASURES`
    reason : a sentence or two, with the numbers that were looked at
    also : other measures to keep an eye on
    caution : what the measure hides in this data; empty where nothing was found
    """

    problem: str
    measure: str
    reason: str
    also: tuple[str, ...] = ()
    caution: str = ""

    def __str__(self) -> str:
        also = f" Also look at {', '.join(self.also)}." if self.also else ""
        caution = f" Mind: {self.caution}" if self.caution else ""
        return f"{self.problem}: {self.measure}. {self.reason}{also}{caution}"


def suggest_measure(problem: Problem, y: np.ndarray) -> Suggestion:
    """Say which measure of success suits a problem, and why.

    Parameters
    ----------
    y : np.ndarray of shape (n,), or (n, outputs) for multilabel and vector targets
        The training targets, raw or prepared: only their shares and proportions count.

    Raises
    ------
    ValueError
        If the targets do not fit the problem, or are not finite.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> rare = np.array([0] * 9 + [1])
    >>> print(suggest_measure(find_problem("mnist_five"), rare).measure)
    f1
    """
    expect(problem, Problem, "A measure is suggested for a problem and its targets.")
    rules = {
        ProblemType.BINARY: _for_yes_or_no,
        ProblemType.MULTICLASS: _for_classes,
        ProblemType.MULTILABEL: _for_labels,
    }
    measure, reason, also, caution = rules.get(problem.type, _for_quantities)(problem, check_targets(y, problem))
    return Suggestion(problem=problem.name, measure=measure, reason=reason, also=also, caution=caution)


def _for_yes_or_no(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n,), 0 and 1."""
    (no, _), (yes, share) = problem.shares(y).items()
    most = max(share, 1 - share)
    if most <= BALANCED:
        reason = f"The classes are balanced: {share:.0%} are {yes}. A guess is right about as often as a coin, so that "
        return "accuracy", reason + "accuracy says what a model adds.", (), ""
    reason = (
        f"The classes are unbalanced: {share:.1%} are {yes}. Who always says {yes if share > 0.5 else no!r} has an "
        f"accuracy of {most:.1%} and has learned nothing; F1 asks what is found, and how much of it is right."
    )
    caution = (
        f"the commoner answer is the yes here, and always saying it has an F1 of {2 * share / (1 + share):.2f}. Ask "
        "the opposite question, so that the rare class is the yes."
    )
    return "f1", reason, ("precision", "recall", "average_precision"), caution if share > 0.5 else ""


def _for_classes(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n,), class numbers."""
    shares = problem.shares(y)
    rare, common = min(shares, key=shares.get), max(shares, key=shares.get)
    reason = (
        f"One of {problem.outputs} classes a sample; the most frequent one, {common}, makes up {shares[common]:.1%}, "
        "and that is what a guess gets right."
    )
    caution = f"class {rare} makes up only {shares[rare]:.1%}, and accuracy hardly notices it. Look at each class's "
    return "accuracy", reason, (), "" if shares[common] <= 2 * shares[rare] else caution + "recall too."


def _for_labels(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n, labels), 0 and 1."""
    shares = problem.shares(y)
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    reason = (
        f"Several labels a sample, each with a share of its own ({listed}). Average precision judges how each label "
        "ranks the samples, without a threshold; its mean over the labels judges the model."
    )
    empty = ", ".join(name for name, share in shares.items() if share in (0, 1))
    caution = f"{empty}: all answers are the same here, so that it cannot be judged." if empty else ""
    return "average_precision", reason, ("f1",), caution


def _for_quantities(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n,) or (n, outputs), floats."""
    y = y.astype(np.float64).reshape(len(y), -1)
    spread = np.maximum(y.std(axis=0), np.finfo(float).tiny)  # outputs of different units count alike
    squares = np.sort(np.square((y - y.mean(axis=0)) / spread).sum(axis=1))[::-1]
    furthest = max(1, round(FAR_OUT * len(y)))
    weight = squares[:furthest].sum() / squares.sum()
    reason = (
        "A quantity: the mean absolute error has its unit and can be said in a sentence. "
        f"The {furthest:,} furthest out of {len(y):,} samples hold {weight:.0%} of all squared deviation: "
        + ("squared, they would drown the rest." if weight > HEAVY else "no handful of them decides.")
    )
    capped = (y == y.max(axis=0)).mean(axis=0)
    names = ", ".join(name for name, share in zip(problem.output_names, capped, strict=True) if share > CUT_OFF)
    caution = (
        f"{capped.max():.1%} of the targets ({names}) are exactly the largest one. What lay above was cut off there, "
    )
    return "mae", reason, ("mse",), caution + "and no model can be judged on it." if names else ""
