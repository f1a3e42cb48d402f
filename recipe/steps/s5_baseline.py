"""Step 5: what a guess achieves that never looks at the input."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recipe.core.measures import MEASURES, check_outputs
from recipe.core.problem import Problem, ProblemType

# The best constant guess for each measure. The median has the smallest mean absolute error, the mean the smallest
# squared one. For F1, precision and recall it is a yes to everything: with a share p of positives, saying yes to a
# share q at random has an expected precision of p, a recall of q and so an F1 of about 2pq / (p + q), which grows
# with q. A guess drawn at random from the class shares (q = p) has F1 = p, and never a yes has 0. Ranking needs no
# threshold: the same score for all has an average precision of p.
_GUESSES = {
    "accuracy": ("always the most frequent class", "most_frequent", None),
    "f1": ("always yes", "constant", 1),
    "precision": ("always yes", "constant", 1),
    "recall": ("always yes", "constant", 1),
    "average_precision": ("the same score for all", "constant", 1),
    "mae": ("always the median", "median", None),
    "mse": ("always the mean", "mean", None),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """What a guess without the input achieves on the validation part.

    Attributes
    ----------
    problem : Problem
    measure : the name of the measure of success
    name : what is guessed, such as ``"always the most frequent class"``
    guess : the guess itself: the class, or the value of each output, in words
    value : the measure on the validation part
    outputs : np.ndarray of shape (n_val, outputs), what a network that guesses so would put out
    """

    problem: Problem
    measure: str
    name: str
    guess: str
    value: float
    outputs: np.ndarray = field(repr=False)

    def __float__(self) -> float:
        return self.value

    @property
    def sentence(self) -> str:
        """The baseline in words, with its number."""
        measure = MEASURES[self.measure]
        unit = measure.unit_of(self.problem)
        return f"Without looking at the input ({self.name}: {self.guess}) the {measure.title} is {self.value:.3g}" + (
            f" {unit}." if unit else "."
        )


def compute_baseline(problem: Problem, y_train: np.ndarray, y_val: np.ndarray) -> Baseline:
    """Guess without the input, as well as the problem's measure allows.

    The guess is learned from the training targets and judged on the validation targets, like a model.

    Parameters
    ----------
    y_train, y_val : np.ndarray of shape (n,), or (n, outputs) for multilabel and vector targets
        Labels, or quantities in the unit that the model is trained on.

    Raises
    ------
    ValueError
        If the targets do not fit the problem, or yes is to be guessed and the training part has no yes.

    Examples
    --------
    >>> from recipe.data.problems import find_problem
    >>> compute_baseline(find_problem("imdb"), np.array([0, 0, 1]), np.array([0, 1, 1, 0])).value
    0.5
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor

    name, strategy, constant = _GUESSES[problem.measure]
    y_train, y_val = (check_outputs(problem, y, np.zeros((len(y), problem.outputs)))[0] for y in (y_train, y_val))
    if constant is not None:
        _check_has_yes(problem, y_train)
    columns = y_train[:, None] if y_train.ndim == 1 else y_train
    if problem.type.is_classification:
        # One dummy a label: scikit-learn's own multi-output constant refuses labels that it has seen one value of.
        dummies = [DummyClassifier(strategy=strategy, constant=constant) for _ in columns.T]
    else:
        dummies = [DummyRegressor(strategy=strategy) for _ in columns.T]
    # The dummies ignore their input: any will do.
    fitted = [dummy.fit(column, column) for dummy, column in zip(dummies, columns.T, strict=True)]
    guesses = np.array([dummy.predict([[0]])[0] for dummy in fitted], dtype=np.float64)
    outputs = np.tile(_as_outputs(problem, guesses), (len(y_val), 1))
    return Baseline(
        problem=problem,
        measure=problem.measure,
        name=name,
        guess=_in_words(problem, guesses),
        value=MEASURES[problem.measure].compute(problem, y_val, outputs),
        outputs=outputs,
    )


def _check_has_yes(problem: Problem, y_train: np.ndarray) -> None:
    names = problem.output_names[-y_train.shape[1] :]  # of a binary problem's two names the last is the yes
    without = [name for name, column in zip(names, y_train.T, strict=True) if not column.any()]
    if without:
        raise ValueError(
            f"No training sample is a yes for {', '.join(without)}, so no guess and no model can learn to say it. "
            f"Received: y_train of {len(y_train)} samples. Take more rows, or shuffle before splitting."
        )


def _as_outputs(problem: Problem, guesses: np.ndarray) -> np.ndarray:
    """Return one row of outputs, shape (1, outputs), of a network that is sure of the guess."""
    if problem.type is ProblemType.MULTICLASS:
        return np.eye(problem.outputs)[guesses.astype(int)]
    return guesses[None, :]


def _in_words(problem: Problem, guesses: np.ndarray) -> str:
    if not problem.type.is_classification:
        return ", ".join(f"{guess:.3g}" for guess in guesses)
    if problem.type is ProblemType.MULTILABEL:
        pairs = zip(problem.output_names, guesses, strict=True)
        return ", ".join(name if guess else f"not {name}" for name, guess in pairs)
    return problem.output_names[int(guesses[0])]
