"""Step 6: is the network big enough, or does it learn the training set by heart? From its curves and its errors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from recipe.core.measures import MEASURES
from recipe.core.run import Run, lowest_epoch

if TYPE_CHECKING:
    import keras

EXPLOSION = 10.0  # times the best training loss so far
LEARNED = 0.01  # of the first training loss: a smaller fall is no learning
BEYOND_BASELINE = 0.98  # of the baseline's error: above it a model is no better
SHORT, LONG = 10, 60  # epochs: below the one no smoothing is possible, from the other on drift can be told from noise
MATERIAL_RISE = 0.02  # of the lowest level: a smaller rise is not worth a name, however certain
MATERIAL_FALL = 0.01  # of the last level, over the last fifth of the epochs
NEGLIGIBLE = 0.001  # of the fall since the first epoch: matters where a loss approaches 0
ERRORS_OF_A_RISE, ERRORS_OF_A_FALL = 4.0, 3.0  # standard errors; the lowest of many levels is low by chance too
FAR = 2.5  # times the training loss, in every epoch: validation is of another kind
STEADY, GROWTH = 1.5, 1.25  # the same, where it hardly grows from the first epoch on: of 1,034 sound trainings none
BY_HEART = 0.1  # of the first training loss, or less, and a tenth of the validation loss
SWING = 0.15  # of the level of the training loss: noise of that size is no noise of batches
LEAST_SHARE = 0.005  # half a point of a share is not worth a name
UNSTABLE = "The training loss rises again: training is unstable; try a lower rate."

# Keras 1 to 3 call one measure by several names, with the loss's or the output's name before, and _1 behind.
_KNOWN = re.compile(
    r"(?:.*_)?(?:(?P<share>acc|accuracy|f1|f1_score|precision|recall|auc)"
    r"|(?P<error>mae|mse|mean_absolute_error|mean_squared_error))(?:_\d+)?"
)

TOLERANCE = 0.02  # error below which a part is not worth working on: two points of a hundred
LARGE = 5  # times the tolerance: a part of that size is worth working on, whatever the other part
SHARE = 0.25  # of the error that could be avoided: in between, a part counts if it is this much of the whole
MOST_ERROR = 2.0  # twice as bad as a guess without the input: what is given as more is a percentage
_DIGITS = 9  # of a difference: 0.11 - 0.01 is not quite 0.1 in floating point


class Verdict(StrEnum):
    """What a history can say."""

    IMPROVING = "still improving"
    BEST_HERE = "best here"
    OVERFITTING = "overfitting"
    DIVERGED = "diverged"
    NOT_LEARNING = "did not learn"
    SUSPECT = "suspect"


@dataclass(frozen=True, kw_only=True)
class HistoryDiagnosis:
    """What the curves of one training say.

    Attributes
    ----------
    verdict : Verdict, equal to its text, such as ``"overfitting"``
    sentence : the verdict in words, with its numbers, and what else is to be seen; its epochs count from 1
    monitor : the key of the curve that was judged
    best_epoch : from 0, that of the lowest value, as `Run.best_epoch` is; None where no epoch is finite
    overfitting_epoch : from 0, the first epoch after the best one, so also the number of epochs to train for; 0 where
        no epoch did any good; None unless the verdict is overfitting
    diverged_epoch : from 0, the first epoch whose loss is not finite or explodes; None unless the verdict is diverged
    """

    verdict: Verdict
    sentence: str
    monitor: str
    best_epoch: int | None
    overfitting_epoch: int | None = None
    diverged_epoch: int | None = None


def diagnose_history(
    run: Run | Mapping[str, Sequence[float]] | keras.callbacks.History | pd.DataFrame,
    *,
    baseline: float | None = None,
    measure: str | None = None,
) -> HistoryDiagnosis:
    """Say what training curves show.

    In this order: *diverged*, if a loss is not finite, or the training loss ends above its first value and ten times
    above its best one; *suspect*, if the curves are those of no sound pipeline (see `_find_fault`); *did not learn*, if
    the training loss never falls by 1 % and three times its noise, or the measure stays within 2 % of the baseline's
    error while the loss does not fall any more; *overfitting*, if the validation loss rises after its lowest point by
    more than noise explains (see `_Curve`) while the training loss does not rise with it, or never improves while
    training falls to nearly nothing; *still improving*, if it falls at the end by more than noise; else *best here*.
    Where the measure of success says otherwise than the loss, both are said.

    How often a verdict is wrong, on curves with noise, stands in ``docs/verdicts.md``.

    Parameters
    ----------
    run : Run, or what `model.fit` returned, or a mapping or DataFrame of names to one number an epoch
        ``data_loss`` and ``val_data_loss`` are taken where they are, for ``loss`` and ``val_loss`` hold the penalty of
        L1 and L2 too, which says nothing about fitting. Without validation the training loss is judged alone.
    baseline : the measure of a guess without the input, which decides whether anything was learned, also where that
        took a single epoch; None takes that of the run, if it is one
    measure : which key of the history the measure of success is, such as ``"acc"``; None takes the first that is known
        by its name, or that of the run

    Raises
    ------
    ValueError
        If there is no training loss or no epoch, or the measure is not there; pandas' own if lists differ in length.
    TypeError
        If there is no history, or a value of it is not a number.

    Examples
    --------
    >>> history = {"loss": [0.60, 0.40, 0.30, 0.20, 0.10], "val_loss": [0.60, 0.40, 0.35, 0.41, 0.50]}
    >>> diagnosis = diagnose_history(history)
    >>> diagnosis.verdict == "overfitting", diagnosis.best_epoch, diagnosis.overfitting_epoch
    (True, 2, 3)
    """
    curves = _Curves(run, baseline, measure)
    judged, since, notes = curves.judged, None, []
    diverged = _find_divergence(curves.train.values, judged.values)
    if diverged is not None:
        verdict, since = Verdict.DIVERGED, diverged
    elif fault := _find_fault(curves):
        verdict, notes = Verdict.SUSPECT, [fault]
    else:
        verdict, note = _judge_curves(curves)
        since = judged.best + 1 if judged.rises else 0
        notes = [note, *_look_around(curves, verdict)]
    return HistoryDiagnosis(
        verdict=verdict,
        sentence=" ".join(filter(None, [_say(verdict, curves, since), *notes])),
        monitor=curves.monitor,
        best_epoch=None if diverged == 0 else lowest_epoch(judged.values[:diverged]),
        overfitting_epoch=since if verdict is Verdict.OVERFITTING else None,
        diverged_epoch=diverged,
    )


def _say(verdict: Verdict, curves: _Curves, since: int | None) -> str:
    """Put a verdict into words; epochs count from 1, as people count."""
    losses, epochs, best = curves.judged.values, len(curves.judged.values), curves.judged.best + 1
    judged = "validation loss" if curves.is_validated else "training loss"
    after = f"{judged} {losses[best - 1]:.3g} there, {losses[-1]:.3g} at the end (epoch {epochs})"
    train = f"training loss from {curves.train.values[0]:.3g} to {curves.train.values[-1]:.3g}"
    if verdict is Verdict.OVERFITTING and not since:
        return f"Overfitting since epoch 1, all is learned by heart: {train}."
    return {
        Verdict.DIVERGED: f"Diverged in epoch {(since or 0) + 1} of {epochs}: the loss is not finite or explodes.",
        Verdict.SUSPECT: f"Suspect, look at the data before the network ({train}):",
        Verdict.NOT_LEARNING: f"Did not learn in {epochs} epochs: {train}.",
        Verdict.OVERFITTING: f"Overfitting since epoch {best + 1}: best in epoch {best}, {after}; {train}.",
        Verdict.IMPROVING: f"Still improving after {epochs} epochs: {judged} {losses[-1]:.3g}; {train}.",
        Verdict.BEST_HERE: f"Best here: no more than noise since epoch {best}, {after}; {train}.",
    }[verdict]


class _Curves:
    """The losses and the measure of success of a training, in whatever form its history came."""

    def __init__(self, run: object, baseline: float | None, measure: str | None) -> None:
        is_run, history = isinstance(run, Run), getattr(run, "history", run)
        if not isinstance(history, Mapping | pd.DataFrame):
            raise TypeError(
                f"Curves are diagnosed of one training. Received: a {type(run).__name__}. Give what train returned; of "
                "several runs one, or their mean: recipe.core.run.mean_run(runs)."
            )
        table = pd.DataFrame(history).rename(columns=str).astype(float)
        if is_run:
            baseline, measure = run.baseline if baseline is None else baseline, measure or run.measure
            table = table.filter(regex="^(?!val_)") if run.final else table  # nothing was held out
        has_data_pair = "data_loss" in table and ("val_data_loss" in table or "val_loss" not in table)
        key, keys = "data_loss" if has_data_pair else "loss", ", ".join(table) or "no key"
        if key not in table or table.empty:
            raise ValueError(
                f"The history has no training loss of one epoch at least. Received: history with {keys}. Pass what "
                "Keras returned, such as model.fit(...).history."
            )
        names = dict.fromkeys(name.removeprefix("val_") for name in table)
        name = next((name for name in names if measure in (None, name) and _KNOWN.fullmatch(name)), "")
        if not name and not is_run and (measure or baseline is not None):
            raise ValueError(
                f"The history does not hold the measure of success. Received: measure={measure!r}, history with {keys}."
                " Pass measure= one of its keys that is a share of right answers or an error."
            )
        self.is_validated = f"val_{key}" in table
        self.monitor = f"val_{key}" if self.is_validated else key  # the key of the curve to judge
        self.train, self.judged = (_Curve(table[one].to_numpy()) for one in (key, self.monitor))
        self.measure = name  # its key on the training part; empty where there is none, as is each of its curves
        self.train_measure, self.val_measure = (np.array(table.get(one, ())) for one in (name, f"val_{name}"))
        self.is_share = bool(name) and _KNOWN.fullmatch(name)["share"] is not None  # of right answers
        self.baseline = math.nan if baseline is None else baseline

    def error(self, values: np.ndarray | float) -> np.ndarray | float:
        """Return the measure as an error: what is missing to 1, or itself."""
        return 1 - values if self.is_share else values

    def beats_baseline(self, *, validation: bool = False) -> bool | None:
        """Say whether the measure is better than a guess over the last third of the epochs; None if that is unknown."""
        sides = [self.val_measure] if validation else [self.train_measure, self.val_measure]
        late = [self.error(float(np.median(side[2 * len(side) // 3 :]))) for side in sides if len(side)]
        guess = self.error(self.baseline)
        return min(late) < BEYOND_BASELINE * guess if late and 0 < guess < math.inf else None

    def say_measure(self) -> str:
        """Write the last measure of both parts; empty where they have none."""
        sides = self.val_measure, self.train_measure
        if not all(map(len, sides)):
            return ""
        return f", {self.measure} {sides[0][-1]:.2g} against {sides[1][-1]:.2g} at the end"


def _find_divergence(train: np.ndarray, judged: np.ndarray) -> int | None:
    """Return the first epoch that is not finite, or from which on the training loss stays above its first value.

    The latter only if it explodes at the end. A single spike is forgiven: the last two epochs must lie above the first
    value, where there are three or more.
    """
    bad = np.flatnonzero(~(np.isfinite(train) & np.isfinite(judged)))
    if len(bad):
        return int(bad[0])
    is_above = train > train[0]
    explodes = is_above[1:][-2:].all() and train[-1] > max(train[0], EXPLOSION * train.min())
    return len(train) - int(is_above[::-1].argmin()) if explodes else None


def _find_fault(curves: _Curves) -> str:
    """Say what the curves of no sound pipeline show, and where to look; empty where there is nothing of the kind.

    A loss below 0 that is a cross-entropy (the measure is a share of right answers) or falls ever faster; a validation
    loss that is the same in four epochs or more while the training loss falls; one that is `FAR` above the training
    loss in three or more, the first included, where overfitting begins; right answers in validation that are never
    half as frequent as a guess.
    """
    train, judged = curves.train.values, curves.judged.values
    third, steps = len(train) // 3, -np.diff(train)
    is_endless = third and np.median(steps[-third:]) >= np.median(steps[:third]) > 0
    if train.min() < 0 and (curves.is_share or is_endless):
        return (
            f"the loss falls below 0, to {train.min():.3g}, where no cross-entropy and no error can be. That is no "
            "improvement: look at the labels, which may lie outside of 0 to 1."
        )
    if not curves.is_validated or not third:
        return ""
    is_constant = len(train) > 3 and np.ptp(judged) <= 1e-5 * abs(judged[0])
    if is_constant and train[0] - train.min() > 0.05 * abs(train[0]):
        return (
            f"the validation loss is {judged[0]:.5g}{_name_level(judged[0])} in every epoch: what is learned does not "
            "reach the validation outputs. Look for a layer that works otherwise in inference, for inputs that are all "
            "alike or not scaled, for dead or saturated units."
        )
    is_far = train.min() > 0 and (judged >= FAR * train).all() and np.median(judged[-third:]) >= judged[0] / 2
    # exp(-loss) is how sure the network was of the right answers, in the mean: of a cross-entropy at its start a guess.
    is_right = curves.val_measure.max(initial=0.0) if len(curves.val_measure) and "acc" in curves.measure else 1.0
    if is_far or (is_right < math.exp(-train[0]) / 2 and train[-1] < judged.min()):
        return (
            f"validation is no match for training from the first epoch on, loss {judged[0]:.3g} against {train[0]:.3g} "
            f"there{curves.say_measure()}: the validation part is of another kind. Look for rows that were sorted "
            "before they were cut, then for another preparation; or the network had been trained before."
        )
    return ""


def _name_level(loss: float) -> str:
    """Say of which guess between classes a cross-entropy is, if it is one."""
    classes = max(2, round(math.exp(min(loss, 7.0))))
    is_guess = abs(loss - math.log(classes)) < min(0.002, 0.1 / classes)
    return f" (ln {classes}, equal probabilities for {classes} classes)" if is_guess else ""


def _judge_curves(curves: _Curves) -> tuple[Verdict, str]:
    """Return the verdict on finite curves, and a note."""
    train, judged, beats = curves.train, curves.judged, curves.beats_baseline()
    if beats is False:
        # A measure with a threshold may wait for long while the loss falls: a rare class, say.
        verdict = Verdict.IMPROVING if judged.falls else Verdict.NOT_LEARNING
        return verdict, f"The measure is where a guess without the input is.{f' {UNSTABLE}' if train.rises else ''}"
    if len(train.values) == 1:
        return Verdict.IMPROVING, "One epoch has no direction: train longer."
    fall = train.values[0] - train.lowest
    is_noise = fall <= 3 * train.noise and not train.falls
    if beats is None and (is_noise or fall <= LEARNED * abs(train.values[0])):
        return Verdict.NOT_LEARNING, "(Or a plateau is not left yet, or one epoch was enough: the baseline tells.)"
    if judged.rises:
        # Where both losses rise, training itself is unstable: nothing is being learned by heart.
        level = train.smooth[judged.best]
        if not curves.is_validated or train.last > level + max(0.02 * abs(level), train.noise):
            return Verdict.BEST_HERE, UNSTABLE
        return Verdict.OVERFITTING, ""
    if curves.is_validated and _is_by_heart(curves):
        return Verdict.OVERFITTING, (
            f"The validation loss never improves, {judged.lowest:.3g}{_name_level(judged.lowest)}"
            f"{curves.say_measure()}: nothing carries over. Or the labels do not belong to their inputs."
        )
    return (Verdict.IMPROVING if judged.falls else Verdict.BEST_HERE), ""


def _is_by_heart(curves: _Curves) -> bool:
    """Say whether training falls to nearly nothing while validation stays where training began.

    The measure has a say, for a good model may have learned within an epoch all that carries over: validation is no
    better than the baseline, or, where none is known, a quarter of the answers are wrong and no epoch mends that.
    """
    train, judged, errors = curves.train, curves.judged, curves.error(curves.val_measure)
    first, began = judged.values[0], train.values[0]
    is_learned = len(judged.values) > 3 and train.last <= BY_HEART * min(began, judged.last)
    stays = first - judged.lowest <= max(MATERIAL_RISE * first, 3 * judged.noise)
    if not is_learned or not stays or judged.lowest < 0.8 * began:
        return False
    beats = curves.beats_baseline(validation=True)
    if beats is not None or not curves.is_share or not len(errors):
        return not beats
    return bool(errors.min() >= max(0.25, 0.9 * errors[0]))


def _look_around(curves: _Curves, verdict: Verdict) -> list[str]:
    """Return what else is to be seen, whatever the verdict."""
    train, judged, measure, name = curves.train, curves.judged, curves.val_measure, f"val_{curves.measure}"
    epochs, late = len(train.values), slice(2 * len(train.values) // 3, None)
    if not curves.is_validated:
        return ["Validation was not measured: overfitting cannot be seen."]
    notes = [] if verdict is Verdict.NOT_LEARNING else [_compare_with_measure(curves)]
    if "acc" in name and len(measure) > 3 and not np.ptp(measure) and not curves.beats_baseline():
        notes.append(f"{name} is {measure[0]:.3g} in every epoch, as if one answer were given always.")
    is_rough = epochs > 5 and np.mean(np.diff(train.values) > 0) > 0.25
    if is_rough and train.noise > SWING * np.median(np.abs(train.values)):
        notes.append("The training loss swings from epoch to epoch: try a lower rate.")
    gap = np.median(train.values[late] - judged.values[late])
    if epochs > 2 and gap > max(0.05 * abs(train.values[late].mean()), 2 * judged.noise):
        dropout = "" if "data" in curves.monitor else "dropout and means over an epoch make training look worse, or "
        notes.append(f"Validation is better than training: {dropout}the validation part is the easier one.")
    ratio = judged.values / np.maximum(train.values, 1e-12)
    if epochs > 2 and min(ratio) >= STEADY and np.median(ratio[late]) <= GROWTH * ratio[0] and train.values.min() > 0:
        notes.append(
            f"Validation is worse from the first epoch on, {ratio[0]:.2g} times the loss, hardly any more so later: "
            "no overfitting is like that. Look for another preparation, or another kind of samples."
        )
    after = epochs - 1 - judged.best
    if verdict is Verdict.BEST_HERE and 0 < after < max(3, epochs // 10) and train.falls:
        notes.append(f"The best epoch is only {after} from the end, which is no plateau yet: train longer.")
    return notes


def _compare_with_measure(curves: _Curves) -> str:
    """Say what the measure of success does where the loss does otherwise, and which one to stop by."""
    measure = curves.val_measure
    if len(measure) < 3 or not np.isfinite(measure).all():
        return ""
    found = _Curve(curves.error(measure))
    rises = found.rises and (not curves.is_share or found.last - found.lowest >= LEAST_SHARE)
    if rises == curves.judged.rises:
        return ""
    return (
        f"But by val_{curves.measure} it {'gets worse' if rises else 'is no more than noise'}: "
        f"{measure[found.best]:.3g} at its best in epoch {found.best + 1}, {measure[-1]:.3g} at the end. Stop by it if "
        f"only it counts, by the loss if {'probabilities' if curves.is_share else 'large errors'} count, too."
    )


class _Curve:
    """A noisy curve, one number an epoch: where it is lowest, and whether it rises after that, or falls at the end.

    Levels are those of a running median: of 3 epochs from 10 on, of a tenth of them from 40 on. The curve *rises* if
    the median of as many last epochs lies above the lowest smoothed value by 2 % and by four standard errors of the
    difference of two such medians (1.25 times the noise, over the root of the width: the asymptotic error of a
    median). It *falls* if the medians of the last three fifths go down, the last step by 1 %, and all of it by three
    standard errors. Curves of fewer than 10 epochs are not smoothed: there the last two epochs must lie above the
    lowest one by three standard errors.

    How often that is wrong, with independent noise and with noise that lasts, stands in ``docs/verdicts.md``.
    """

    def __init__(self, values: np.ndarray) -> None:
        self.values = values  # (epochs,)
        self.best = lowest_epoch(values)
        self._width = 1 if len(values) < SHORT else max(3, 2 * (len(values) // 20) + 1)  # odd
        self.smooth = _running_median(values, self._width)
        self.lowest = float(self.smooth.min())  # level
        is_over = len(values) - 1 - self.best >= 2
        self.last = float(np.median(values[-max(2, self._width) :] if is_over else values[-1]))  # level

    @cached_property
    def noise(self) -> float:
        """The standard deviation of the noise, estimated from the curve alone.

        Of independent noise with deviation s the second differences have the deviation s * sqrt(6) and the third ones
        s * sqrt(20), while a smooth trend nearly vanishes from both; their median absolute size is robust against
        spikes. The smaller one counts, raised by 30 % where the curve is short. From 60 epochs on the noise may also
        last into the next epoch: with a correlation r between neighbours it is enlarged by sqrt((1 + r) / (1 - r)). Of
        fewer than 10 epochs it is the largest step against the trend, up before the lowest epoch or down after it, at
        least 1 %.
        """
        values, epochs, late = self.values, len(self.values), slice(len(self.values) // 3, None)
        if epochs < SHORT:
            against = np.concatenate([np.diff(values[: self.best + 1]), -np.diff(values[self.best :])])
            return float(max(against.max(initial=0.0), 0.01 * abs(values[self.best])))
        noise = min(_spread(np.diff(values[late], 2)) / 6**0.5, _spread(np.diff(values[late], 3)) / 20**0.5)
        if epochs < LONG:
            return max(1.3 * noise, 0.005 * abs(float(values[late].min())))
        residuals = (values - _running_median(values, 2 * self._width + 1))[late]
        spread = max(_spread(residuals), noise)
        correlation = 1 - (_spread(np.diff(residuals)) / spread) ** 2 / 2 if spread else 0.0
        correlation = min(max(correlation, 0.0), 0.9)
        return spread * ((1 + correlation) / (1 - correlation)) ** 0.5

    @cached_property
    def rises(self) -> bool:
        rise, after = self.last - self.lowest, len(self.values) - 1 - self.best
        by_chance = ERRORS_OF_A_RISE * self._error(self._width)
        if self._width == 1:  # two epochs against one
            by_chance = ERRORS_OF_A_FALL * self.noise * 1.5**0.5
        needed = max(by_chance, MATERIAL_RISE * abs(self.lowest), NEGLIGIBLE * (self.values[0] - self.lowest))
        return bool(after >= max(2, self._width) and rise > 0 and rise >= needed)

    @cached_property
    def falls(self) -> bool:
        values, epochs = self.values, len(self.values)
        if self.rises or epochs < 3:
            return bool(epochs == 2 and values[0] - values[1] >= MATERIAL_FALL * abs(values[1]))
        size = max(1, epochs // 5)
        third, second, last = np.median(values[epochs - 3 * size :].reshape(3, size), axis=1)
        needed = ERRORS_OF_A_FALL * self._error(size) if epochs >= SHORT else 0.0
        material = max(MATERIAL_FALL * abs(last), NEGLIGIBLE * (values[0] - last))
        return bool(third > second > last and second - last >= material and third - last >= needed)

    def _error(self, width: int) -> float:
        """Return the standard error of the difference of two medians of so many values."""
        return 1.25 * self.noise * (2 / width) ** 0.5


def _running_median(values: np.ndarray, width: int) -> np.ndarray:
    """Return the median of the `width` values around each one, of fewer at the ends."""
    return pd.Series(values).rolling(width, center=True, min_periods=1).median().to_numpy()


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation around 0, from the median absolute value (1.4826 is its ratio for a normal)."""
    return 1.4826 * float(np.median(np.abs(values)))


@dataclass(frozen=True, kw_only=True)
class ErrorDiagnosis:
    """The parts that a validation error is made of, and which of them is worth working on.

    Attributes
    ----------
    train_error, validation_error, reachable_error : shares, or parts of the baseline's error
    bias, variance : ``"low"`` or ``"high"``
    """

    train_error: float
    validation_error: float
    reachable_error: float
    bias: str
    variance: str

    @property
    def avoidable_bias(self) -> float:
        """Training error above the reachable one; below 0 where the model does better than can be hoped for."""
        return round(self.train_error - self.reachable_error, _DIGITS)

    @property
    def variance_gap(self) -> float:
        """Validation error above the training error; below 0 where validation is the easier part."""
        return round(self.validation_error - self.train_error, _DIGITS)

    @property
    def sentence(self) -> str:
        """The diagnosis in words, with its numbers."""
        high = [f"high {name}" for name in ("bias", "variance") if getattr(self, name) == "high"]
        verdict = " and ".join(high).capitalize() or "Neither bias nor variance is high"
        below = " (training does better than the reachable error: by heart)" if self.avoidable_bias < 0 else ""
        train, validation = show_percent(self.train_error), show_percent(self.validation_error)
        bias, gap = _compare(self.avoidable_bias), _compare(self.variance_gap)
        return (
            f"{verdict}: training error {train}, {bias} the reachable {show_percent(self.reachable_error)}{below}; "
            f"validation error {validation}, {gap} training."
        )


def diagnose_errors(
    train_error: Run | float,
    validation_error: float | None = None,
    reachable_error: float = 0.0,
    *,
    tolerance: float = TOLERANCE,
) -> ErrorDiagnosis:
    """Split a validation error into what the model cannot fit (bias) and what it does not carry over (variance).

    ``diagnose_errors(run, reachable_error=0.0)`` takes both errors from a run, at its chosen epoch.

    *Avoidable bias* is the training error above the reachable one; the *variance gap* is the validation error above
    the training error. Either part is

    - low if it is below the tolerance of two points (0.02),
    - high if it is at least five times that (0.10), however large the other is,
    - in between high if it is at least a quarter of both together: whoever has one hour works on the larger part.

    The gap is low, too, where the validation error is within the tolerance of the reachable error: a model that has
    learned the noise of its training set by heart and still does as well as can be done has nothing to gain.

    Parameters
    ----------
    train_error, validation_error : float, 0 or more
        Shares of wrong answers, or errors relative to the baseline's for quantities (`Measure.error` gives both),
        measured alike: after training, without dropout.
    reachable_error : float, 0 or more
        What people reach, or the known noise of the labels, on the same scale.
    tolerance : float above 0
        Smaller for problems where the tenths of a point count.

    Raises
    ------
    ValueError
        If an error is not finite, below 0 or a percentage; or the run has no errors: it diverged, or
        nothing was held out.

    References
    ----------
    A. Ng, Machine Learning Yearning, 2018, chapters 20 to 24: bias, variance and the avoidable part of the bias. The
    chapters compare the parts by eye; the thresholds are chosen here so that the verdicts on its examples follow.

    Examples
    --------
    >>> diagnosis = diagnose_errors(0.15, 0.30)
    >>> diagnosis.bias, diagnosis.variance
    ('high', 'high')
    >>> diagnose_errors(0.15, 0.30, reachable_error=0.15).bias
    'low'
    """
    if is_measured := isinstance(train_error, Run):  # and so no percentage, however large
        run, measure = train_error, MEASURES[train_error.measure]
        reachable_error = reachable_error if validation_error is None else validation_error
        train_error, validation_error = (measure.error(score, run.baseline) for score in (run.train_score, run.score))
    given = {"train_error": train_error, "validation_error": validation_error, "reachable_error": reachable_error}
    for name, value in given.items():
        if not 0 <= value < math.inf or (value > MOST_ERROR and not is_measured):
            raise ValueError(
                "An error is finite and never below 0: a share of wrong answers, or of quantities a part of the "
                f"baseline's error. Received: {name}={value:g}. Divide a percentage by 100, and what has a unit by the "
                "baseline's error. A run that diverged, or held nothing out, has none: see diagnose_history(run)."
            )
    train, validation, reachable = map(float, given.values())
    differences = (train - reachable, validation - train, validation - reachable)
    bias, gap, whole = (round(difference, _DIGITS) for difference in differences)
    avoidable = max(bias, 0.0) + max(gap, 0.0)
    is_high = [part >= LARGE * tolerance or part >= max(tolerance, SHARE * avoidable) for part in (bias, gap)]
    return ErrorDiagnosis(
        train_error=train,
        validation_error=validation,
        reachable_error=reachable,
        bias="high" if is_high[0] else "low",
        variance="high" if is_high[1] and whole >= tolerance else "low",
    )


def has_errors(run: Run) -> bool:
    """Say whether a run has a score on both sides that can be told as an error: it is not final and did not diverge."""
    is_share = MEASURES[run.measure].higher_is_better  # the error of a quantity is a part of the baseline's
    return math.isfinite(run.score + run.train_score) and (is_share or 0 < run.baseline < math.inf)


def show_percent(error: float) -> str:
    """Write an error as a percentage with two digits that count: 0.0015 -> 0.15 %."""
    percent = 100 * error
    return f"{percent:.0f} %" if abs(percent) >= 9.95 else f"{percent:.2g} %" if abs(percent) > 1e-7 else "0 %"


def _compare(difference: float) -> str:
    """Write a difference of two errors in percentage points: 0.10 -> 10 points above."""
    number = show_percent(abs(difference)).removesuffix(" %")
    points = f"{number} point" if number == "1" else f"{number} points"
    return f"{points} {'above' if difference > 0 else 'below'}" if difference else "the same as"
