"""What targets say: the type of problem, the numbers of classes, and which measure of success suits them, with reasons.

The rules look at an array, not at its meaning. Where the two can differ, the description says so: a person decides.
Those of the measure are F. Chollet's, Deep Learning with Python, on choosing a measure of success: accuracy (or the
area under a curve) for balanced classes, precision and recall for unbalanced ones, mean average precision for ranking
and multilabel problems; for quantities the mean absolute error, which has the unit of the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recipe.core.input_checks import check_targets, expect
from recipe.core.problem import Problem, ProblemType
from recipe.data.tables import examples

MAX_CLASSES = 100  # whole numbers from 0 without a gap are taken for class numbers up to this many; above, for counts
MOST_FROM_ONE = 20  # as many from 1 on, as people number classes; there marks and amounts are likelier
# Balanced is a matter of degree. Where one class is at most twice as frequent as the other, a blind guess has an
# accuracy of two thirds at most, and what a model adds to it can still be seen.
BALANCED = 2 / 3
CUT_OFF = 0.01  # so large a share of equal largest values is no chance: a census, or a sensor, stopped counting there
FAR_OUT = 0.01  # the share of samples that are called the furthest out
HEAVY = 0.2  # they weigh heavily where they have more than this share of all squared deviation (8 % if normal)


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetDescription:
    """What an array of targets says about the problem.

    Attributes
    ----------
    problem : with the type, the units of the last layer, the names of classes, labels or columns, and the unit
    reason : what in the array says so, with its numbers
    caution : what an array cannot tell and a person should ask; empty where nothing was found
    classes : the raw value of each class, in the order of their numbers; empty for labels and quantities
    targets : np.ndarray of shape (n,) or (n, outputs): numbers of classes from 0, int32, or the numbers as they came
    """

    problem: Problem
    reason: str
    caution: str = ""
    classes: tuple[str | int | float | bool, ...] = ()
    targets: np.ndarray = field(repr=False)

    @property
    def shares(self) -> dict[str, float]:
        """The share of each class, or of the yes of each label, by its name; empty for quantities."""
        return self.problem.shares(self.targets) if self.problem.type.is_classification else {}

    @property
    def layer_code(self) -> str:
        """The last layer as Keras code."""
        units, activation = self.problem.outputs, self.problem.last_layer.activation
        return f"Dense({units})" if activation is None else f'Dense({units}, activation="{activation}")'

    def __str__(self) -> str:
        lines = {
            "type": str(self.problem.type),
            "because": self.reason,
            "last layer": f"{self.layer_code}, loss {self.problem.last_layer.loss}",
            "mind": self.caution,
        }
        return "\n".join(f"{name:>10}: {text}" for name, text in lines.items() if text)


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


def describe_target(
    y: np.ndarray, *, names: Sequence[str] = (), unit: str = "", problem: str | ProblemType | None = None
) -> TargetDescription:
    """Say from the targets alone which type of problem it is, and why.

    The rules, the first that fits: several columns of 0 and 1 are classes (one 1 a row) or labels; other columns are
    quantities. One column of two values is a yes or no. Texts are classes, and so are the whole numbers from 0 on
    without a gap, up to `MAX_CLASSES` of them, or from 1 on up to `MOST_FROM_ONE`. Everything else is a quantity.

    Parameters
    ----------
    y : np.ndarray of shape (n,) or (n, outputs), numbers, booleans or texts
    names : of texts, their order; of others what each class, label or column is called. With names, a class may be
        missing from `y`
    unit : of a quantity, such as ``"dollars"``
    problem : the type where it is known: a `ProblemType`, its text, ``"classification"`` or ``"regression"``

    Raises
    ------
    TypeError
        If the targets are neither numbers nor texts.
    ValueError
        If there are none, not one row of targets a sample, if they are not finite, or all the same; if the names do
        not fit, or the targets cannot be of that type.

    Examples
    --------
    >>> print(describe_target(np.array([0, 1, 2, 2]), names=("cat", "dog", "hen")).layer_code)
    Dense(3, activation="softmax")
    >>> str(describe_target(np.array([0.5, 2.5, 9.0])).problem.type)
    'regression to arbitrary values'
    """
    y, names, classes = _read(y), tuple(map(str, names)), ()
    kind, reason, caution = _judge_columns(y) if y.ndim == 2 else _judge_values(y, len(names))
    if problem is not None and (asked := _take_asked(problem, kind, y)) is not kind:
        kind, reason, caution = asked, "It was asked for.", ""
    if y.ndim == 2:
        found = tuple(f"column {number}" for number in range(y.shape[1]))
        if kind is ProblemType.MULTICLASS:  # the kit keeps class numbers from 0, not one-hot rows
            classes, y = tuple(range(y.shape[1])), y.argmax(axis=1).astype(np.int32)
            found = tuple(map(str, classes))
    elif kind.is_classification:
        found, classes, y = _number_classes(y, names)
        if kind is ProblemType.BINARY and len(names) == 1:  # a name for the yes is enough
            names = (f"not {names[0]}", names[0])
    else:
        found = ("target",)
    if names and (len(names) != len(found) or (classes and isinstance(classes[0], str) and names != found)):
        raise ValueError(
            f"The targets have {len(found)} {'classes' if classes else 'columns'}: {', '.join(found[:10])}. "
            f"Received: names {', '.join(names[:10])}. Give a name for each; of texts these, in your order."
        )
    described = Problem(
        name="target",
        question="",
        type=kind,
        outputs=1 if kind is ProblemType.BINARY else len(found),
        output_names=names or found,
        input_shape=(),
        measure="accuracy" if kind.is_classification else "mae",
        target_unit=unit,
    )
    return TargetDescription(problem=described, reason=reason, caution=caution, classes=classes, targets=y)


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


def format_number(value: float) -> str:
    """Write a number with three digits, or whole where it is large.

    Examples
    --------
    >>> format_number(179_700.4), format_number(0.12345), format_number(28.0)
    ('179,700', '0.123', '28')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _read(y: np.ndarray) -> np.ndarray:
    """Return targets as an array of numbers or of texts, (n,) or (n, columns), or refuse what is none."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.dtype.kind == "S" or (y.dtype.kind == "O" and all(isinstance(value, str) for value in y.flat)):
        y = y.astype(str)  # texts as pandas gives them
    received = f"Received: y of shape {y.shape}, {y.dtype}."
    if y.dtype.kind not in "Ubiuf":
        raise TypeError(f"Targets are numbers or texts. {received} Turn dates and objects into one of them.")
    if y.ndim not in (1, 2) or not y.size or (y.dtype.kind == "U" and y.ndim == 2):
        raise ValueError(
            f"Targets have one row a sample, n above 0; of texts one column. {received} Reshape them to (n,) or, of "
            "numbers, to (n, outputs)."
        )
    if y.dtype.kind == "f" and (bad := int((~np.isfinite(y)).sum())):
        raise ValueError(f"{bad} targets are not finite. {received} Drop them first.")
    if (y == y[0]).all():
        raise ValueError(
            f"All {len(y)} targets are the same, so there is nothing to predict. {received} Take more rows, or another "
            "target."
        )
    return y


def _judge_columns(y: np.ndarray) -> tuple[ProblemType, str, str]:
    """y: (n, columns), numbers."""
    columns = y.shape[1]
    if not np.isin(y, (0, 1)).all():
        bounded = y.min() >= 0 and y.max() <= 1
        kind = ProblemType.BOUNDED_REGRESSION if bounded else ProblemType.REGRESSION
        return kind, f"{columns} columns of numbers: as many quantities at once.", ""
    yes = y.sum(axis=1)
    if (yes == 1).all():
        return ProblemType.MULTICLASS, f"{columns} columns, exactly one 1 in every row: classes, one-hot.", ""
    reason = f"{columns} columns of 0 and 1, {yes.min():.0f} to {yes.max():.0f} times a 1 in a row: labels that do not "
    return ProblemType.MULTILABEL, reason + "exclude each other.", ""


def _judge_values(y: np.ndarray, named: int) -> tuple[ProblemType, str, str]:
    """y: (n,), numbers or texts; named: how many classes have names, or 0."""
    found = np.unique(y)
    if y.dtype.kind == "U":
        kind = ProblemType.BINARY if len(found) == 2 else ProblemType.MULTICLASS
        return kind, f"{len(found)} different texts: names of classes, numbered in the order of the alphabet.", ""
    low, high = format_number(found[0]), format_number(found[-1])
    whole = bool((found == np.floor(found)).all())
    if len(found) == 2 and named <= 2:
        return ProblemType.BINARY, f"Two values only, {low} and {high}: a yes or no.", ""
    if whole and found[0] >= 0 and found[-1] < named:
        return ProblemType.MULTICLASS, f"Whole numbers from {low} to {high}, and {named} classes have names.", ""
    # Those of classes go up from 0 without a gap, or, if they are few, from 1.
    most = {0: MAX_CLASSES, 1: MOST_FROM_ONE}.get(int(found[0]), 0)
    if whole and len(found) <= most and found[-1] - found[0] == len(found) - 1:
        reason = f"Whole numbers, each one from {low} to {high} and no other: {len(found)} class numbers."
        return ProblemType.MULTICLASS, reason, "should they be counts, of which 2 is twice 1, then it is regression."
    if not whole and found[0] >= 0 and found[-1] <= 1:
        return ProblemType.BOUNDED_REGRESSION, f"Every value lies between 0 and 1 ({low} to {high}): a fraction.", ""
    kind = "whole numbers" if whole else "numbers"
    caution = "should the numbers be names, such as postcodes, number the classes from 0."
    reason = f"{len(found):,} different {kind} from {low} to {high}: a quantity."
    return ProblemType.REGRESSION, reason, caution if whole and len(found) <= MAX_CLASSES else ""


def _take_asked(asked: str, found: ProblemType, y: np.ndarray) -> ProblemType:
    """Return the type that was asked for by its name, or by ``"classification"``; ValueError where y cannot be that."""
    values, possible = np.unique(y), [found]
    if y.ndim == 1 and len(values) <= MAX_CLASSES:
        possible.append(ProblemType.BINARY if len(values) == 2 else ProblemType.MULTICLASS)
    if y.ndim == 1 and y.dtype.kind != "U":
        bounded = values[0] >= 0 and values[-1] <= 1
        possible += [ProblemType.REGRESSION, *[ProblemType.BOUNDED_REGRESSION] * bool(bounded)]
    for kind in possible:
        if str(asked).lower() in {kind.value, kind.name.lower(), "classification" * kind.is_classification}:
            return kind
    raise ValueError(
        f"These targets cannot be taken for {asked}. Received: problem={str(asked)!r}, y of {len(values):,} different "
        f"values such as {examples(values)}. Choose from {', '.join(sorted({one.name.lower() for one in possible}))}."
    )


def _number_classes(
    y: np.ndarray, names: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str | int | float | bool, ...], np.ndarray]:
    """Return what the classes are called by their values, these values, and the number of each sample's class, int32.

    Their order is that of the names where these are the same, else that of their values.
    """
    values, numbers = np.unique(y, return_inverse=True)
    if len(values) > MAX_CLASSES:
        raise ValueError(
            f"{len(values):,} different values are too many classes. Received: y of {examples(values)}. Take a "
            "target with fewer, or put rare ones together."
        )
    raw = values.tolist()
    if isinstance(raw[0], str):
        if len({one.strip() for one in raw}) < len(raw) or not raw[0].strip():
            raise ValueError(
                f"Some classes are empty, or differ in blanks alone. Received: y of {examples(values)}. Strip them, "
                "frame[target] = frame[target].str.strip(), and drop what is empty."
            )
    elif set(raw) < set(range(len(names))):  # numbers of classes, some of which are missing
        raw, numbers = list(range(len(names))), y
    found = [f"{value:g}" if isinstance(value, float) else str(value) for value in raw]
    if sorted(names) == sorted(found):
        order = [found.index(name) for name in names]
        raw, found, numbers = [raw[number] for number in order], names, np.argsort(order)[numbers]
    return tuple(found), tuple(raw), numbers.astype(np.int32)


def _for_yes_or_no(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n,), 0 and 1."""
    (no, _), (yes, share) = problem.shares(y).items()
    most = max(share, 1 - share)
    if most <= BALANCED:
        reason = f"The classes are balanced: {share:.0%} are {yes}. A guess is right about as often as a coin, so that "
        return "accuracy", reason + "accuracy says what a model adds.", (), ""
    reason = (
        f"The classes are unbalanced: {share:.1%} are {yes}. Whoever always says {yes if share > 0.5 else no!r} has an "
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
        f"One of {problem.outputs} classes per sample; the most frequent one, {common}, makes up {shares[common]:.1%}, "
        "and that is what a guess gets right."
    )
    caution = f"class {rare} makes up only {shares[rare]:.1%}, and accuracy hardly notices it. Look at each class's "
    return "accuracy", reason, (), "" if shares[common] <= 2 * shares[rare] else caution + "recall too."


def _for_labels(problem: Problem, y: np.ndarray) -> tuple:
    """y: (n, labels), 0 and 1."""
    shares = problem.shares(y)
    listed = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    reason = (
        f"Several labels per sample, each with a share of its own ({listed}). Average precision judges how each label "
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
