"""Step 8: look at the data first. Checks that need no training, and find most of what goes wrong."""

from __future__ import annotations

import itertools

import numpy as np

from recipe.core.problem import ProblemType
from recipe.debugging.bench import Bench, NotApplicable, judge, refusals
from recipe.debugging.checks import Check
from recipe.debugging.splits import find_duplicates

LOOKED_AT = 5_000  # rows, drawn evenly, for what needs not all of them
LARGE, SMALL = 10.0, 0.01  # mean or standard deviation of inputs beyond which training suffers
# Standard deviations between the means of two parts: of all inputs, and of the hundredth farthest.
ALIKE_SHIFT, FARTHEST_SHIFT = 0.25, 0.4
DUPLICATES = 0.02  # of the validation part
ONE_CLASS = 0.95
SCALING_LAYERS = ("Rescaling", "Normalization", "Reshape", "Flatten")


def check_shapes(bench: Bench) -> Check:
    """One target for each input, both parts of one shape, and the model can read them."""
    wrong = [bench.unpaired] if bench.unpaired else []
    if bench.validated and bench.x_train.shape[1:] != bench.x_val.shape[1:]:
        wrong.append(
            f"A training sample has the shape {bench.x_train.shape[1:]}, one of validation {bench.x_val.shape[1:]}."
        )
    try:
        few = bench.as_read(bench.x_train[:2])
        with refusals("the model cannot read the inputs"):
            bench.copy(few)
    except NotApplicable as why:
        wrong += [] if wrong else [why.sentence]
    columns = bench.target_columns
    if not wrong and columns != bench.outputs and not (columns == 1 and bench.type is ProblemType.MULTICLASS):
        wrong.append(f"A target has {columns} numbers, and the network puts out {bench.outputs}.")
    sound = f"{len(bench.x_train):,} inputs of shape {bench.x_train.shape[1:]} with {len(bench.y_train):,} targets."
    return judge(
        not wrong,
        found=" ".join(wrong) or sound,
        expected="one target for each input, and samples of one shape in both parts.",
        cause="An axis was swapped, or rows were dropped from inputs and not from targets. Print the shapes after "
        "every step of the preparation.",
    )


def check_finite(bench: Bench) -> Check:
    """No NaN, nothing infinite."""
    bad = bench.bad_numbers
    words = ", ".join(f"{name} holds {count:,} numbers that are not finite" for name, count in bad.items())
    return judge(
        not bad,
        found=f"{words or 'All numbers are finite'}.",
        expected="no NaN and nothing infinite: one is enough to turn all weights into NaN.",
        cause="Missing values, a division by 0 (the deviation of a constant), or the logarithm of 0. Fill or drop them "
        "in step 4.",
        value=float(sum(bad.values())),
    )


def check_inputs_vary(bench: Bench) -> Check:
    """The samples differ from each other."""
    x = _table(bench.x_train)
    constant = int((np.nanmax(x, axis=0) == np.nanmin(x, axis=0)).sum())
    distinct = len(np.unique(x, axis=0)) / len(x)
    return judge(
        constant < 0.95 * x.shape[1] and distinct > 0.3,
        found=f"{constant:,} of {x.shape[1]:,} inputs are the same in every sample; {distinct:.0%} of the "
        "samples differ.",
        expected="most samples differ. (A corner of an image may always be black.)",
        cause="The inputs were overwritten, cut to whole numbers or multiplied by 0. Look at a few samples.",
        value=distinct,
    )


def check_balance(bench: Bench) -> Check:
    """More than one class, and none that is nearly everything."""
    if not bench.type.is_classification:
        deviation = float(np.std(bench.y_train[np.isfinite(bench.y_train)]))
        return judge(
            deviation > 0,
            found=f"The targets have a standard deviation of {deviation:.3g}.",
            expected="targets that differ.",
            cause="Every target is the same: the wrong column was taken. Look at the targets.",
            value=deviation,
        )
    if bench.type is ProblemType.MULTILABEL:
        raise NotApplicable("each label of a multilabel problem has a balance of its own")
    labels, counts = np.unique(_labels(bench.y_train), return_counts=True)
    share = counts.max() / counts.sum()
    return judge(
        share <= ONE_CLASS,
        found=f"{len(labels)} classes; the most frequent one, {labels[counts.argmax()]:g}, has {share:.1%} of "
        "the samples.",
        expected=f"no class with more than {ONE_CLASS:.0%}.",
        cause="The samples were sorted before they were cut, or a class is rare: always saying the frequent one would "
        "be nearly always right. Shuffle before splitting; for a rare class, choose another measure than accuracy.",
        value=float(share),
    )


def check_labels(bench: Bench) -> Check:
    """Classes are numbered from 0 and fit the outputs."""
    if not bench.type.is_classification:
        return _check_target_scale(bench)
    labels = _labels(bench.y_train)
    classes = 2 if bench.outputs == 1 or bench.type is ProblemType.MULTILABEL else bench.outputs
    if bench.target_columns > 1 and bench.type is ProblemType.MULTICLASS:
        classes = bench.target_columns
    low, high = float(np.nanmin(labels)), float(np.nanmax(labels))
    outside = int(((labels < 0) | (labels >= classes)).sum())
    return judge(
        not outside,
        found=f"Labels from {low:g} to {high:g}; {outside:,} of {len(labels):,} are no class of the network.",
        expected=f"whole numbers from 0 to {classes - 1}.",
        cause="The classes are numbered from 1, or there are more of them than outputs. Subtract the lowest label, or "
        "give the last layer a unit for each class. Keras does not complain: such a sample counts nothing.",
        value=float(outside),
    )


def _check_target_scale(bench: Bench) -> Check:
    level = _level(bench.y_train)
    return judge(
        level <= 100,
        found=f"The targets have a mean or a standard deviation of {level:,.3g}.",
        expected="targets of the order of 1, at most 100.",
        cause="A network begins near 0 and moves by small steps: it needs very many to get there. Divide the targets "
        "by a round number, such as 100,000 dollars, and say so beside the error.",
        value=level,
    )


def check_scale(bench: Bench) -> Check:
    """What reaches the first weights is of the order of 1."""
    level = _level(_table(_reach_first_weights(bench)))
    return judge(
        SMALL <= level <= LARGE,
        found=f"The largest mean or standard deviation of an input is {level:,.3g}.",
        expected=f"between {SMALL:g} and {LARGE:g}, best near 1.",
        cause=("The inputs were not scaled." if level > LARGE else "The inputs were scaled twice.")
        + " Divide pixels by 255, once; subtract a column's mean and divide by its standard deviation, both of the "
        "training part.",
        value=level,
    )


def _reach_first_weights(bench: Bench) -> np.ndarray:
    """Return what the first layer with trained weights reads, behind layers that scale, on at most 2,000 rows."""
    import keras

    layers = [layer for layer in bench.copy.layers if type(layer).__name__ != "InputLayer"]
    if layers and isinstance(layers[0], keras.layers.Embedding):
        raise NotApplicable("the inputs are numbers of words, which an embedding looks up")
    if layers and isinstance(layers[0], keras.layers.BatchNormalization):
        raise NotApplicable("the first layer normalises each batch")
    x = bench.arrays[0]
    for layer in itertools.takewhile(lambda layer: type(layer).__name__ in SCALING_LAYERS, layers):
        x = keras.ops.convert_to_numpy(layer(x))
    return x


def check_axis(bench: Bench) -> Check:
    """A table was normalised by column, not by row."""
    x = bench.x_train
    if x.ndim != 2 or x.shape[1] < 3 or x.dtype.kind != "f":
        raise NotApplicable("only a table of quantities has columns to be normalised")
    x = _table(x)
    rows = max(float(np.abs(np.nanmean(x, axis=1)).max()), float(np.abs(np.nanstd(x, axis=1) - 1).max()))
    return judge(
        rows > 0.01,
        found="Every sample has a mean of 0 and a standard deviation of 1 over its own columns."
        if rows <= 0.01
        else f"The mean or standard deviation over one sample's columns is up to {rows:.3g} away from 0 and 1.",
        expected="that each column has a mean of 0 and a standard deviation of 1, not each sample.",
        cause="Mean and standard deviation were taken along the wrong axis (axis=1 where axis=0 is meant): house "
        "prices and ages are mixed. Take x.mean(axis=0) and x.std(axis=0).",
        value=rows,
    )


def check_parts_inputs(bench: Bench) -> Check:
    """Validation inputs look like training inputs."""
    _check_same_shape(bench)
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
        f"those of the most different hundredth by {farthest:.2g}; all inputs together vary {overall:.3g} times as far "
        "in validation.",
        expected=f"differences below {limits[0]:.2g} and {limits[1]:.2g} standard deviations, and together 0.5 to 2 "
        "times as far.",
        cause="Validation was prepared otherwise than training (not scaled, with statistics of its own, or with its "
        "columns or words in another order), or is another kind of data. Fit the preparation on the training part "
        "and apply that same one to both.",
        value=typical,
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
    else:
        pooled = np.sqrt((y.var(axis=0) + y_val.var(axis=0)) / 2)
        distance = float(np.max(np.abs(y.mean(axis=0) - y_val.mean(axis=0)) / np.maximum(pooled, 1e-12)))
        chance = float(np.sqrt(1 / len(y) + 1 / len(y_val)))
        found = f"The means of both parts differ by {distance:.2g} standard deviations (chance: {chance:.2g})."
        limit = max(0.3, 4 * chance)
    return judge(
        distance < limit,
        found=found,
        expected=f"less than {limit:.0%}."
        if bench.type.is_classification
        else f"less than {limit:.2g} standard deviations.",
        cause="The samples were in order when they were cut: one part holds what the other lacks. Shuffle before "
        "splitting (validation_split of fit cuts off the end without shuffling).",
        value=distance,
    )


def check_duplicates(bench: Bench) -> Check:
    """No sample stands in both parts."""
    _check_same_shape(bench)
    found = find_duplicates(bench.x_train, bench.x_val)
    return judge(
        found.share <= DUPLICATES,
        found=f"{found.in_second:,} of {found.size:,} validation samples ({found.share:.1%}) stand in the "
        "training part.",
        expected=f"none, at most {DUPLICATES:.0%}.",
        cause="The parts overlap, or the data were copied before they were split (oversampling, augmentation): the "
        "validation score is too good. Drop duplicates, then split, then copy.",
        value=found.share,
    )


def _labels(y: np.ndarray) -> np.ndarray:
    """Return one label a sample where each has one; of one-hot targets the class, of several labels all of them."""
    if y.ndim > 1 and y.shape[-1] > 1:
        return y.argmax(axis=-1) if (y.sum(axis=-1) == 1).all() else y.ravel()
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


def _check_same_shape(bench: Bench) -> None:
    _check_validated(bench)
    if bench.x_train.shape[1:] != bench.x_val.shape[1:]:
        raise NotApplicable("the samples of both parts have different shapes")
