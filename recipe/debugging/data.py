"""Step 8: look at the data first. Checks that need no training, and find most of what goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.core.problem import ProblemType
from recipe.debugging.checks import Check, NotApplicable, judge
from recipe.debugging.splits import find_duplicates

if TYPE_CHECKING:  # who only looks at a table loads no Keras
    from recipe.debugging.bench import Bench

LOOKED_AT = 5_000  # rows, drawn evenly, for what needs not all of them
LARGE, SMALL = 10.0, 0.01  # mean or standard deviation of inputs beyond which training suffers
# Standard deviations between the means of two parts: of all inputs, and of the hundredth farthest.
ALIKE_SHIFT, FARTHEST_SHIFT = 0.25, 0.4
DUPLICATES = 0.02  # of the validation part
ONE_CLASS = 0.95
FEW_COLUMNS = 50  # up to which a table's columns mean something each by itself
LEAST_ROWS, COPY_ROWS = 40, 2_000  # from which on a column that tells the target is no chance, and that are looked at
MOST_COLUMNS = 500
ALL_BUT_SURE = 0.995  # balanced accuracy that one column alone reaches on rows that it was not fitted on
ALL_BUT_EQUAL = 0.9999  # rank correlation of one column with a quantity


def check_finite(bench: Bench) -> Check:
    """No NaN, nothing infinite."""
    bad = bench.bad_numbers
    words = ", ".join(f"{name} holds {count:,} numbers that are not finite" for name, count in bad.items())
    if bad.get("x_train") and bench.x_train.ndim == 2:
        missing = (~np.isfinite(bench.x_train)).sum(axis=0)
        worst = np.argsort(-missing, kind="stable")[:5]
        columns = [f"column {place} ({missing[place]:,})" for place in worst if missing[place]]
        words += f": most in {', '.join(columns)}"
    return judge(
        not bad,
        found=f"{words or 'All numbers are finite'}.",
        expected="no NaN and nothing infinite: one is enough to turn all weights into NaN.",
        cause="Missing values, a division by 0 (the deviation of a constant), or the logarithm of 0. Fill or drop them "
        "in step 4.",
    )


def check_inputs_vary(bench: Bench) -> Check:
    """The samples differ from each other, and in a table each column from the others."""
    x = _table(bench.x_train)
    is_constant = np.nanmax(x, axis=0) == np.nanmin(x, axis=0)
    constant, distinct = int(is_constant.sum()), len(np.unique(x, axis=0)) / len(x)
    found = f"{constant:,} of {x.shape[1]:,} inputs are the same in every sample; {distinct:.0%} of the samples differ."
    idle = _idle_columns(x, is_constant) if bench.x_train.ndim == 2 and 1 < x.shape[1] <= FEW_COLUMNS else []
    cause = "The inputs were overwritten, cut to whole numbers or multiplied by 0. Look at a few samples."
    if idle:
        found += f" {'; '.join(idle)}."
        cause = "Such a column adds nothing, and often another one was meant: drop it, or look where it comes from."
    return judge(
        constant < 0.95 * x.shape[1] and distinct > 0.3 and not idle,
        found=found,
        expected="most samples differ. (A corner of an image may always be black.)",
        cause=cause,
    )


def _idle_columns(x: np.ndarray, is_constant: np.ndarray) -> list[str]:
    """Say which columns of a table are constant, and which repeat another one."""
    _, first, same = np.unique(x.T, axis=0, return_index=True, return_inverse=True)
    words = [f"column {column} is constant" for column in np.flatnonzero(is_constant)]
    return words + [
        f"column {column} repeats column {first[key]}"
        for column, key in enumerate(same.ravel())
        if first[key] != column and not is_constant[column]
    ]


def check_target_copies(bench: Bench) -> Check:
    """No column of a table is the target itself, under another name or in other units."""
    x, y = bench.x_train, bench.y_train.reshape(len(bench.y_train), -1)
    if x.ndim != 2 or not x.shape[1] > 1 or bench.unpaired or bench.reads_words:
        raise NotApplicable("only a table of several columns can hold the target among them")
    if len(x) < LEAST_ROWS or x.shape == bench.y_train.shape:
        raise NotApplicable("there are too few rows, or the inputs are what is predicted")
    are_labels = bench.type.is_classification and np.array_equal(y, np.round(y))  # else shares of classes
    copies = find_target_copies(x.astype(float), y, bench.type if are_labels else ProblemType.REGRESSION)
    if are_labels:  # a good predictor may tell a class from many values; a copy has one for each
        copies = [column for column in copies if len(np.unique(x[:, column])) <= len(np.unique(y))]
    return judge(
        not copies,
        found=f"Column {copies[0]} tells the target without fail." if copies else "No column is the target itself.",
        expected="no column that gives the target away.",
        cause="The target stands among the inputs, under another name or in other units, or what is known only "
        "afterwards. Drop that column.",
    )


def find_target_copies(x: np.ndarray, y: np.ndarray, kind: ProblemType) -> tuple[int, ...]:
    """Return the numbers of the columns from which the target can be told almost without fail, each of them alone.

    Labels: a small decision tree of that column alone, fitted on two thirds of the rows and judged on the third, three
    times, has a balanced accuracy of 99.5 % on average. Quantities: the column ranks the rows as the target does.
    So clear a predictor is hardly ever a discovery; mostly it is the target under another name, or became known after
    it.

    Parameters
    ----------
    x : (n, columns), a raw table; NaN where a value is missing, which may be what gives the target away
    y : (n,) or (n, outputs), labels or quantities
    """
    from scipy.stats import spearmanr
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    if len(x) < LEAST_ROWS or x.shape[1] > MOST_COLUMNS:
        return ()
    rows = np.random.default_rng(0).permutation(len(x))[:COPY_ROWS]
    x, targets = x[rows], y[rows].reshape(len(rows), -1)
    found = []
    for column in range(x.shape[1]):
        known = ~np.isnan(x[:, column])
        values = np.where(known, x[:, column], np.nanmin(x[:, column], initial=0.0) - 1)[:, None]  # (n, 1)
        for target in targets.T:
            if not kind.is_classification:
                enough = known.sum() >= LEAST_ROWS and np.ptp(values[known]) > 0 and np.ptp(target[known]) > 0
                sure = enough and abs(spearmanr(values[known, 0], target[known]).statistic) > ALL_BUT_EQUAL
            elif np.unique(target, return_counts=True)[1].min() < 3 or len(np.unique(target)) < 2:
                continue  # too few of a class to be judged on
            else:
                leaves = 3 * len(np.unique(target)) + 3
                tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
                sure = cross_val_score(tree, values, target, cv=3, scoring="balanced_accuracy").mean() > ALL_BUT_SURE
            if sure:
                found.append(column)
                break
    return tuple(found)


def check_balance(bench: Bench) -> Check:
    """More than one class, and none that is nearly everything."""
    if not bench.type.is_classification:
        deviation = float(np.std(bench.y_train[np.isfinite(bench.y_train)]))
        return judge(
            deviation > 0,
            found=f"The targets have a standard deviation of {deviation:.3g}.",
            expected="targets that differ.",
            cause="Every target is the same: the wrong column was taken. Look at the targets.",
        )
    if bench.type is ProblemType.MULTILABEL or bench.has_shares:
        raise NotApplicable("a target of several labels, or of shares, has no single class")
    labels, counts = np.unique(_labels(bench.y_train), return_counts=True)
    share = counts.max() / counts.sum()
    if weights := bench.fit_options.get("class_weight"):
        return _check_class_weights({label: weights.get(label, 1.0) for label in labels}, labels, counts)
    return judge(
        share <= ONE_CLASS,
        found=f"{len(labels)} classes; the most frequent one, {labels[counts.argmax()]:g}, has {share:.1%} of "
        "the samples.",
        expected=f"no class with more than {ONE_CLASS:.0%}.",
        cause="The samples were sorted before they were cut, or a class is rare: always saying the frequent one would "
        "be nearly always right. Shuffle before splitting; for a rare class, choose another measure than accuracy.",
    )


def _check_class_weights(weights: dict, labels: np.ndarray, counts: np.ndarray) -> Check:
    """A rare class weighs more than a frequent one, not less."""
    often, rarely = labels[counts.argmax()], labels[counts.argmin()]
    return judge(
        counts.max() < 1.5 * counts.min() or weights[often] <= weights[rarely],
        found=f"The most frequent class, {often:g}, weighs {weights[often]:g}, the rarest one, {rarely:g}, "
        f"{weights[rarely]:g}.",
        expected="that a rare class weighs more.",
        cause="The class weights are upside down. Give each class n / (classes * its count), as scikit-learn's "
        "compute_class_weight does.",
    )


def check_labels(bench: Bench) -> Check:
    """Classes are numbered from 0 and fit the outputs."""
    if not bench.type.is_classification:
        return _check_target_scale(bench)
    labels = _labels(bench.y_train)
    labels = labels[np.isfinite(labels)]
    found, is_multiclass = np.unique(labels), bench.type is ProblemType.MULTICLASS
    classes = max(bench.target_columns, bench.outputs) if is_multiclass else 2  # that the network can tell apart
    minus_too = "hinge" in bench.loss_name and bench.type is ProblemType.BINARY  # -1 and 1, or 0 and 1
    outside, idle = int((~np.isin(labels, (-1, 0, 1) if minus_too else np.arange(classes))).sum()), 0
    if not outside and bench.given is None and is_multiclass and bench.target_columns == 1:
        idle = classes - len(np.unique(bench.known_targets)) if len(bench.y_train) >= 10 * classes else 0
    cause = f"Give the last layer {bench.outputs - idle} units, or look where the other classes were lost."
    return judge(
        not (outside or idle),
        found=f"{len(found)} labels from {found[0]:g} to {found[-1]:g}; {outside:,} of {len(labels):,} are no class of "
        "the network" + (f", and {idle} of its {classes} outputs have no label." if idle else "."),
        expected="labels -1 and 1, or 0 and 1." if minus_too else f"whole numbers from 0 to {classes - 1}.",
        cause=_how_to_number(bench, found, classes) if outside else cause,
    )


def _how_to_number(bench: Bench, found: np.ndarray, classes: int) -> str:
    """Return the way from these labels to 0, 1, 2 and so on."""
    silent = "Keras does not complain" + (": such a sample counts nothing." if bench.outputs > 1 else ".")
    if len(found) > classes:
        return (
            f"There are {len(found)} classes. Give the last layer {len(found)} units with softmax, and the model "
            'loss="sparse_categorical_crossentropy".'
        )
    if found[0] == 1 and found[-1] == len(found):
        return f"The classes are numbered from 1. Subtract the lowest label. {silent}"
    if len(found) == 2:
        way_out = "(y + 1) / 2, or y > 0," if tuple(found) == (-1, 1) else f"y > {found[0]:g}"
        return f"The labels must be 0 and 1: {way_out} makes them so. Else a cross-entropy falls below 0, for ever."
    return f"Number the values that there are: np.unique(y, return_inverse=True)[1]. {silent}"


def check_order(bench: Bench) -> Check:
    """The rows are not sorted by their targets where their end is cut off for validation."""
    _, y = bench.whole
    is_one_hot = bench.type is ProblemType.MULTICLASS and y.ndim == 2 and bench.target_columns > 1
    if y.size != len(y) and (bench.has_shares or not is_one_hot):
        raise NotApplicable("rows of several labels, shares or quantities have no order by them")
    steps = np.diff(_labels(y).astype(float))
    values = len(np.unique(y)) if y.ndim == 1 else y.shape[-1]
    changes, rows = int((steps != 0).sum()), len(steps) + 1
    by_class = bench.type.is_classification and changes < 2 * values and changes < 0.1 * rows
    is_sorted = by_class or (values > 2 and rows >= LEAST_ROWS and ((steps >= 0).all() or (steps <= 0).all()))
    matters = not bench.validated or bench.cut_off or bench.fit_options.get("shuffle") is False
    return judge(
        not (is_sorted and matters),
        found=f"From row to row the target changes {changes:,} times in {rows:,} rows.",
        expected="rows in no order, where their end is cut off or they are not shuffled while training.",
        cause="The rows are sorted by class, or by their target, and validation_split cuts off the end without "
        "shuffling: validation then holds what training never shows. Shuffle first: order = "
        "np.random.default_rng(0).permutation(len(x)); x, y = x[order], y[order].",
    )


def _check_target_scale(bench: Bench) -> Check:
    level = _level(bench.y_train)
    may_be_small = bench.type is not ProblemType.REGRESSION or bench.has_shares or bench.loss_name == "poisson"
    is_small = level < SMALL and not may_be_small
    return judge(
        level <= 100 and not is_small,
        found=f"The targets have a mean or a standard deviation of {level:,.3g}.",
        expected=f"targets of the order of 1, from {SMALL:g} to 100.",
        cause="Fresh weights put out numbers of the order of 1, and it takes many steps until they are right to a "
        "thousandth of it. Multiply the targets by a round number, such as 1,000, and say so beside the error."
        if is_small
        else "A network begins near 0 and moves by small steps: it needs very many to get there. Divide the targets "
        "by a round number, such as 100,000 dollars, and say so beside the error.",
    )


def check_scale(bench: Bench) -> Check:
    """What reaches the first weights is of the order of 1."""
    level = _level(_table(bench.first_read))
    return judge(
        SMALL <= level <= LARGE,
        found=f"The largest mean or standard deviation of an input is {level:,.3g}.",
        expected=f"between {SMALL:g} and {LARGE:g}, best near 1.",
        cause=("The inputs were not scaled." if level > LARGE else "The inputs were scaled twice.")
        + " Divide pixels by 255, once; subtract a column's mean and divide by its standard deviation, both of the "
        "training part.",
    )


def check_axis(bench: Bench) -> Check:
    """A table was normalised by column, not by row."""
    x = bench.x_train
    if x.ndim != 2 or x.shape[1] < 3 or x.dtype.kind != "f":
        raise NotApplicable("only a table of quantities has columns to be normalised")
    x = _table(x)
    rows = max(float(np.abs(np.nanmean(x, axis=1)).max()), float(np.abs(np.nanstd(x, axis=1) - 1).max()))
    return judge(
        rows > 0.01,
        found=f"The mean or standard deviation over one sample's columns is up to {rows:.3g} away from 0 and 1.",
        expected="that each column has a mean of 0 and a standard deviation of 1, not each sample.",
        cause="Mean and standard deviation were taken along the wrong axis (axis=1 where axis=0 is meant): house "
        "prices and ages are mixed. Take x.mean(axis=0) and x.std(axis=0).",
    )


def check_parts_inputs(bench: Bench) -> Check:
    """Validation inputs look like training inputs."""
    _check_validated(bench)
    if bench.bad_numbers:
        raise NotApplicable("some numbers are not finite")
    x, x_val = _table(bench.x_train, 2_000), _table(bench.x_val, 2_000)
    mean, mean_val = x.mean(axis=0), x_val.mean(axis=0)
    pooled = np.sqrt((x.var(axis=0) + x_val.var(axis=0)) / 2)
    used = pooled > 0
    if not used.any():
        raise NotApplicable("the inputs do not vary")
    shift = np.abs(mean - mean_val)[used] / pooled[used]
    chance = np.sqrt(1 / len(x) + 1 / len(x_val))  # the shift that two samples of one population have
    typical = float(np.sqrt((np.minimum(shift, 10) ** 2).mean()))
    farthest = float(np.sort(shift)[-max(1, len(shift) // 100) :].mean())  # of many inputs, most may say little
    overall = float(x_val.std() / max(x.std(), 1e-12))
    limits = max(ALIKE_SHIFT, 2.5 * chance), max(FARTHEST_SHIFT, 5 * chance)
    ok = typical < limits[0] and farthest < limits[1] and 0.5 < overall < 2
    return judge(
        ok,
        found=f"An input's means in both parts differ by {typical:.2g} standard deviations (chance: {chance:.2g}), "
        f"those of the 1 % that differ most by {farthest:.2g}; all inputs together vary {overall:.3g} times as far "
        "in validation.",
        expected=f"differences below {limits[0]:.2g} and {limits[1]:.2g} standard deviations, and together 0.5 to 2 "
        "times as far.",
        cause="Validation was prepared otherwise than training (not scaled, with statistics of its own, or with its "
        "columns or words in another order), or is another kind of data. Fit the preparation on the training part "
        "and apply that same one to both.",
    )


def check_parts_targets(bench: Bench) -> Check:
    """Validation targets are distributed like training targets."""
    _check_validated(bench)
    y, y_val = bench.y_train.astype(float), bench.y_val.astype(float)
    if bench.type.is_classification and bench.type is not ProblemType.MULTILABEL:
        y, y_val = _labels(y), _labels(y_val)
        classes = np.union1d(y, y_val)
        shares, shares_val = ((part[:, None] == classes).mean(axis=0) for part in (y, y_val))
        distance = float(np.abs(shares - shares_val).sum() / 2)
        # Half the sum of what the shares of two samples of one population differ by.
        variance = shares * (1 - shares) * (1 / len(y) + 1 / len(y_val))
        chance = float(np.sqrt(2 * variance / np.pi).sum() / 2)
        found = f"{distance:.1%} of the samples would have to change their class (chance: {chance:.1%})."
        limit = max(0.1, 3 * chance)
        expected = f"less than {limit:.0%}."
    else:
        pooled = np.sqrt((y.var(axis=0) + y_val.var(axis=0)) / 2)
        distance = float(np.max(np.abs(y.mean(axis=0) - y_val.mean(axis=0)) / np.maximum(pooled, 1e-12)))
        chance = float(np.sqrt(1 / len(y) + 1 / len(y_val)))
        found = f"The means of both parts differ by {distance:.2g} standard deviations (chance: {chance:.2g})."
        limit = max(0.3, 4 * chance)
        expected = f"less than {limit:.2g} standard deviations."
    return judge(
        distance < limit,
        found=found,
        expected=expected,
        cause="The samples were in order when they were cut: one part holds what the other lacks. Shuffle before "
        "splitting (validation_split of fit cuts off the end without shuffling).",
    )


def check_duplicates(bench: Bench) -> Check:
    """No sample stands in both parts."""
    _check_validated(bench)
    found = find_duplicates(bench.x_train, bench.x_val)
    return judge(
        found.in_second <= max(1, DUPLICATES * found.size),  # a single twin is no sign that the parts overlap
        found=f"{found.in_second:,} of {found.size:,} validation samples ({found.share:.1%}) stand in the "
        "training part.",
        expected=f"none, at most {DUPLICATES:.0%} or a single one.",
        cause="The parts overlap, or the data were copied before they were split (oversampling, augmentation): the "
        "validation score is too good. Drop duplicates, then split, then copy.",
    )


def _labels(y: np.ndarray) -> np.ndarray:
    """Return one label a sample where each has one; of one-hot targets the class, of several labels all of them."""
    if y.ndim > 1 and y.shape[-1] > 1:
        return y.argmax(axis=-1).ravel() if np.allclose(y.sum(axis=-1), 1) else y.ravel()
    return y.reshape(len(y))


def _level(values: np.ndarray) -> float:
    """Return the largest mean or standard deviation of a column."""
    return float(np.nanmax(np.abs([np.nanmean(values, axis=0), np.nanstd(values, axis=0)])))


def _table(x: np.ndarray, rows: int = LOOKED_AT) -> np.ndarray:
    """Return at most 5,000 rows, evenly drawn, as float64 (rows, inputs)."""
    chosen = x[:: max(1, -(-len(x) // rows))]
    return chosen.reshape(len(chosen), -1).astype(np.float64)


def _check_validated(bench: Bench) -> None:
    if not bench.validated:
        raise NotApplicable("no validation part was given")
    if bench.x_train.shape[1:] != bench.x_val.shape[1:]:
        raise NotApplicable("the samples of both parts have different shapes")
