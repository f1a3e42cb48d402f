"""Step 6: is the network big enough, or does it learn the training set by heart? From its curves and its errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

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

TOLERANCE = 0.02  # error below which a part is not worth working on: two points of a hundred
LARGE = 5  # times the tolerance: a part of that size is worth working on, whatever the other part
SHARE = 0.25  # of the error that could be avoided: in between, a part counts if it is this much of the whole
MOST_ERROR = 2.0  # twice as bad as a guess without the input: what is given as more is a percentage
_ROUNDING = 1e-9  # 0.11 - 0.01 is not quite 0.1 in floating point


class Verdict(StrEnum):
    """What a history can say."""

    IMPROVING = "still improving"
    BEST_HERE = "best here"
    OVERFITTING = "overfitting"
    DIVERGED = "diverged"
    NOT_LEARNING = "did not learn"


@dataclass(frozen=True, kw_only=True)
class HistoryDiagnosis:
    """What the curves of one training say.

    Attributes
    ----------
    verdict : Verdict, equal to its text, such as ``"overfitting"``
    monitor : the key of the curve that was judged
    epochs : how many there are
    best_epoch : from 0, that of the lowest value, as `Run.best_epoch` is; None where no epoch is finite
    overfitting_epoch : from 0, the first epoch after the best one, so also the number of epochs to train for; None
        unless the verdict is overfitting
    diverged_epoch : from 0, the first epoch whose loss is not finite or explodes; None unless the verdict is diverged
    best_loss, last_loss : smoothed levels of the judged curve
    first_train_loss, last_train_loss : of the training curve
    note : what else a reader should know; may be empty
    """

    verdict: Verdict
    monitor: str
    epochs: int
    best_epoch: int | None
    overfitting_epoch: int | None = None
    diverged_epoch: int | None = None
    best_loss: float = math.nan
    last_loss: float = math.nan
    first_train_loss: float = math.nan
    last_train_loss: float = math.nan
    note: str = ""

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers; epochs count from 1, as people count."""
        best = None if self.best_epoch is None else self.best_epoch + 1
        judged = "validation loss" if self.monitor.startswith("val_") else "training loss"
        rise = f"{judged} {self.best_loss:.3g} there, {self.last_loss:.3g} at the end (epoch {self.epochs})"
        train = f"training loss from {self.first_train_loss:.3g} to {self.last_train_loss:.3g}"
        if self.verdict is Verdict.DIVERGED:
            text = f"Diverged in epoch {self.diverged_epoch + 1} of {self.epochs}: the loss is not finite or explodes."
        elif self.verdict is Verdict.NOT_LEARNING:
            text = f"Did not learn in {self.epochs} epochs: {train}."
        elif self.verdict is Verdict.OVERFITTING:
            text = f"Overfitting since epoch {self.overfitting_epoch + 1}: best in epoch {best}, {rise}; {train}."
        elif self.verdict is Verdict.IMPROVING:
            text = f"Still improving after {self.epochs} epochs: {judged} {self.last_loss:.3g}; {train}."
        else:
            text = f"Best here: no more than noise since epoch {best}, {rise}; {train}."
        return f"{text} {self.note}".rstrip()


def diagnose_history(run: Run | Mapping[str, Sequence[float]] | keras.callbacks.History) -> HistoryDiagnosis:
    """Say what training curves show.

    In this order: *diverged*, if a loss is not finite, or the training loss ends above its first value and ten times
    above its best one; *did not learn*, if the training loss never falls by 1 % and three times its noise, or the
    measure stays within 2 % of the baseline's error while the loss does not fall any more; *overfitting*, if the
    validation loss rises after its lowest point by more than noise explains (see `_find_turn`) while the training
    loss does not rise with it; *still improving*, if it falls at the end by more than noise; else *best here*.

    Parameters
    ----------
    run : Run, or what `model.fit` returned, or a mapping of names to one number an epoch
        ``data_loss`` and ``val_data_loss`` are taken where they are, for ``loss`` and ``val_loss`` hold the penalty of
        L1 and L2 too, which says nothing about fitting. Without validation the training loss is judged alone. A run
        knows its baseline, which decides whether anything was learned, also where that took a single epoch.

    Raises
    ------
    ValueError
        If there is no training loss, no epoch, or lists differ in length.
    TypeError
        If there is no history, or a value of it is not a number.

    Examples
    --------
    >>> history = {"loss": [0.60, 0.40, 0.30, 0.20, 0.10], "val_loss": [0.60, 0.40, 0.35, 0.41, 0.50]}
    >>> diagnosis = diagnose_history(history)
    >>> diagnosis.verdict == "overfitting", diagnosis.best_epoch, diagnosis.overfitting_epoch
    (True, 2, 3)
    """
    monitor, train, judged = _read_curves(run)
    is_validated = monitor.startswith("val_")
    common = {"monitor": monitor, "epochs": len(train), "first_train_loss": float(train[0])}
    diverged = _find_divergence(train, judged)
    if diverged is not None:
        best = int(judged[:diverged].argmin()) if diverged else None
        last = {"last_loss": float(judged[-1]), "last_train_loss": float(train[-1])}
        return HistoryDiagnosis(verdict=Verdict.DIVERGED, best_epoch=best, diverged_epoch=diverged, **common, **last)
    turn, train_turn = _find_turn(judged), _find_turn(train)
    verdict, note = _judge_curves(train, turn, train_turn, _beats_baseline(run), is_validated=is_validated)
    return HistoryDiagnosis(
        verdict=verdict,
        best_epoch=turn.epoch,
        overfitting_epoch=turn.epoch + 1 if verdict is Verdict.OVERFITTING else None,
        best_loss=turn.lowest,
        last_loss=turn.last,
        last_train_loss=train_turn.last,
        note=note,
        **common,
    )


def _read_curves(run: object) -> tuple[str, np.ndarray, np.ndarray]:
    """Return the key of the curve to judge, the training loss and the curve to judge, each of shape (epochs,).

    The losses are those without penalties, where both parts have such a one. A final run has no validation.
    """
    history = getattr(run, "history", run)
    if not isinstance(history, Mapping):
        is_several = isinstance(run, Sequence) and run and isinstance(run[0], Run)
        way = "one of the runs, or their mean: recipe.core.run.mean_run(runs)" if is_several else "what train returned"
        raise TypeError(f"Curves are diagnosed of one training. Received: a {type(run).__name__}. Give {way}.")
    has_data_pair = "data_loss" in history and ("val_data_loss" in history or "val_loss" not in history)
    key = "data_loss" if has_data_pair else "loss"
    if not len(history.get(key, ())):
        raise ValueError(
            f"The history has no training loss of one epoch at least. Received: history with "
            f"{', '.join(map(str, history)) or 'no key'}. Pass what Keras returned, such as model.fit(...).history."
        )
    is_validated = f"val_{key}" in history and not getattr(run, "final", False)
    monitor = f"val_{key}" if is_validated else key
    try:  # float by float: NumPy would take None for a loss that is not finite
        train, judged = (np.array([float(value) for value in history[name]]) for name in (key, monitor))
    except (TypeError, ValueError):
        raise TypeError(
            f"A history holds numbers, one an epoch. Received: {key}={list(history[key])[:3]!r}. Pass what Keras "
            "returned, such as model.fit(...).history."
        ) from None
    if len(train) != len(judged):
        raise ValueError(
            f"The history has {len(train)} epochs of training and {len(judged)} of {monitor}. Received: lists of "
            "different length. Validate after every epoch."
        )
    return monitor, train, judged


def _find_divergence(train: np.ndarray, judged: np.ndarray) -> int | None:
    """Return the first epoch that is not finite, or from which on the training loss stays above its first value.

    The latter only if it explodes at the end. A single spike is forgiven: the last two epochs must lie above the first
    value, where there are three or more.
    """
    bad = np.flatnonzero(~(np.isfinite(train) & np.isfinite(judged)))
    if len(bad):
        return int(bad[0])
    is_above = train > train[0]
    explodes = is_above[-1] and train[-1] > EXPLOSION * train.min()
    if not explodes or (len(train) > 2 and not is_above[-2]):
        return None
    return len(train) - int(is_above[::-1].argmin())


def _can_be_beaten(baseline: float, measure: str) -> bool:
    """Say whether a guess makes an error, so that a model can make a smaller one."""
    return 0 < (1 - baseline if MEASURES[measure].higher_is_better else baseline) < math.inf


def _beats_baseline(run: object) -> bool | None:
    """Say whether a run's measure is better than its baseline over the last third of the epochs, on either side.

    None where that cannot be said: plain curves have no baseline.
    """
    if not isinstance(run, Run) or not _can_be_beaten(run.baseline, run.measure):
        return None
    sides = (run.measure,) if run.final else (run.measure, f"val_{run.measure}")
    late = [float(np.median(curve[2 * len(curve) // 3 :])) for key in sides if (curve := run.history.get(key))]
    is_share = MEASURES[run.measure].higher_is_better
    limit = BEYOND_BASELINE * (1 - run.baseline if is_share else run.baseline)
    return any((1 - level if is_share else level) < limit for level in late) if late else None


def _judge_curves(
    train: np.ndarray, turn: _Turn, train_turn: _Turn, beats: bool | None, *, is_validated: bool
) -> tuple[Verdict, str]:
    """Return the verdict on finite curves, and a note."""
    unseen = "" if is_validated else "Validation was not measured: overfitting cannot be seen."
    if beats is False:
        # A measure with a threshold may wait for long while the loss falls: a rare class, say.
        verdict = Verdict.IMPROVING if turn.falls else Verdict.NOT_LEARNING
        return verdict, f"The measure is where a guess without the input is. {unseen}".rstrip()
    if len(train) == 1:
        return Verdict.IMPROVING, f"One epoch has no direction: train longer. {unseen}".rstrip()
    fall = train[0] - train_turn.lowest
    is_noise = fall <= 3 * train_turn.noise and not train_turn.falls
    if beats is None and (is_noise or fall <= LEARNED * abs(train[0])):
        return Verdict.NOT_LEARNING, "(Or all was learned within the first epoch: the baseline tells.)"
    if turn.rises and is_validated:
        # Where both losses rise, training itself is unstable: nothing is being learned by heart.
        level = float(_running_median(train, _window(len(train)))[turn.epoch])
        if train_turn.last > level + max(0.02 * abs(level), train_turn.noise):
            return Verdict.BEST_HERE, "The training loss rises with it: training is unstable; try a lower rate."
        return Verdict.OVERFITTING, ""
    return (Verdict.IMPROVING if turn.falls else Verdict.BEST_HERE), unseen


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """Where a noisy curve is lowest, at what levels it is there and at its end, and whether it rises or falls then."""

    epoch: int
    lowest: float
    last: float
    noise: float
    rises: bool
    falls: bool


def _find_turn(values: np.ndarray) -> _Turn:
    """Find where a curve is lowest, and whether it rises after that: (epochs,), finite.

    Levels are those of a running median (see `_window`). The curve *rises* if the median of as many last epochs lies
    above the lowest smoothed value by 2 % and by four standard errors of the difference of two such medians (1.25
    times the noise, over the root of the width: the asymptotic error of a median). It *falls* if the medians of the
    last three fifths go down, the last step by 1 %, and all of it by three standard errors. Curves of fewer than 10
    epochs are not smoothed: there the last two epochs must lie above the lowest one by three standard errors.

    Simulated with independent noise of 1 to 10 % on curves that stay flat, a rise is seen by mistake in less than
    5 % of the curves of 10 to 39 epochs and in 1 % of longer ones. Fewer than 10 epochs of noise of 3 % or more look
    like a rise in up to one case of five. Noise that lasts from one epoch to the next (correlation 0.5) looks so in
    up to 15 % of the curves below 60 epochs, and in 5 % above.
    """
    width = _window(len(values))
    smooth = _running_median(values, width)
    epoch = lowest_epoch(values)
    after = len(values) - 1 - epoch
    last = float(np.median(values[-max(2, width) :])) if after >= 2 else float(values[-1])
    lowest, noise = float(smooth.min()), _measure_noise(values)
    by_chance = ERRORS_OF_A_RISE * _error(noise, width, width) if width > 1 else ERRORS_OF_A_FALL * _error(noise, 1, 2)
    needed = max(by_chance, MATERIAL_RISE * abs(lowest), NEGLIGIBLE * (values[0] - lowest))
    rises = bool(after >= max(2, width) and last > lowest and last - lowest >= needed)
    falls = not rises and _falls(values, noise)
    return _Turn(epoch=epoch, lowest=lowest, last=last, noise=noise, rises=rises, falls=falls)


def _window(epochs: int) -> int:
    """Return the width of the running median, an odd number: 3 from 10 epochs on, a tenth of them from 40 on."""
    return 1 if epochs < SHORT else max(3, 2 * (epochs // 20) + 1)


def _running_median(values: np.ndarray, width: int) -> np.ndarray:
    """Return the median of the `width` values around each one, of fewer at the ends."""
    padded = np.pad(values, width // 2, constant_values=np.nan)
    return np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)


def _measure_noise(values: np.ndarray) -> float:
    """Estimate the standard deviation of a curve's noise from the curve alone.

    Of independent noise with deviation s the second differences have the deviation s * sqrt(6) and the third ones
    s * sqrt(20), while a smooth trend nearly vanishes from both; their median absolute size is robust against spikes.
    The smaller one counts, raised by 30 % where the curve is short. From 60 epochs on the noise may also last into the
    next epoch: with a correlation r between neighbours it is enlarged by sqrt((1 + r) / (1 - r)). Of fewer than 10
    epochs it is the largest step against the trend, up before the lowest epoch or down after it, at least 1 %.
    """
    epochs = len(values)
    if epochs < SHORT:
        lowest = int(values.argmin())
        against = np.concatenate([np.diff(values[: lowest + 1]), -np.diff(values[lowest:])])
        return float(max(against.max(initial=0.0), 0.01 * abs(values[lowest])))
    late = slice(epochs // 3, None)
    noise = min(_spread(np.diff(values[late], 2)) / 6**0.5, _spread(np.diff(values[late], 3)) / 20**0.5)
    if epochs < LONG:
        return max(1.3 * noise, 0.005 * abs(float(values[late].min())))
    residuals = (values - _running_median(values, 2 * _window(epochs) + 1))[late]
    spread = max(_spread(residuals), noise)
    if not spread:
        return 0.0
    correlation = float(np.clip(1 - (_spread(np.diff(residuals)) / spread) ** 2 / 2, 0.0, 0.9))
    return spread * ((1 + correlation) / (1 - correlation)) ** 0.5


def _falls(values: np.ndarray, noise: float) -> bool:
    """Compare the medians of the last three fifths."""
    epochs = len(values)
    if epochs < 3:
        return bool(epochs == 2 and values[0] - values[1] >= MATERIAL_FALL * abs(values[1]))
    size = max(1, epochs // 5)
    third, second, last = (float(np.median(values[epochs - (i + 1) * size : epochs - i * size])) for i in (2, 1, 0))
    needed = ERRORS_OF_A_FALL * _error(noise, size, size) if epochs >= SHORT else 0.0
    material = max(MATERIAL_FALL * abs(last), NEGLIGIBLE * (values[0] - last))
    return bool(third > second > last and second - last >= material and third - last >= needed)


def _error(noise: float, width: int, other: int) -> float:
    """Return the standard error of the difference of two medians of so many values."""
    return (1.25 if width > 1 else 1.0) * noise * (1 / width + 1 / other) ** 0.5


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
    note : what else a reader should know; may be empty
    """

    train_error: float
    validation_error: float
    reachable_error: float
    bias: str
    variance: str
    note: str = ""

    @property
    def avoidable_bias(self) -> float:
        """Training error above the reachable one; below 0 where the model does better than can be hoped for."""
        return self.train_error - self.reachable_error

    @property
    def variance_gap(self) -> float:
        """Validation error above the training error; below 0 where validation is the easier part."""
        return self.validation_error - self.train_error

    @property
    def sentence(self) -> str:
        """The diagnosis in words, with its numbers."""
        high = [f"high {name}" for name in ("bias", "variance") if getattr(self, name) == "high"]
        verdict = " and ".join(high).capitalize() or "Neither bias nor variance is high"
        below = " (training does better than the reachable error: by heart)" if self.avoidable_bias < -1e-9 else ""
        train, validation = show_percent(self.train_error), show_percent(self.validation_error)
        bias, gap = _show_side(self.avoidable_bias), _show_side(self.variance_gap)
        return (
            f"{verdict}: training error {train}, {bias} the reachable {show_percent(self.reachable_error)}{below}; "
            f"validation error {validation}, {gap} training. {self.note}"
        ).rstrip()


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
    TypeError, ValueError
        If an error is not a number, not finite, below 0 or a percentage; or the run has no errors: it diverged, or
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
    note = ""
    if isinstance(train_error, Run):
        reachable_error = reachable_error if validation_error is None else validation_error
        train, validation = _errors_of(train_error)
    else:
        train, validation = _check_error("train_error", train_error), _check_error("validation_error", validation_error)
        if validation > 0.5 and train - validation >= TOLERANCE:
            given = f"diagnose_errors({1 - train:.3g}, {1 - validation:.3g})"
            note = f"(If these numbers are accuracies, give what is missing to 1: {given}.)"
    reachable = _check_error("reachable_error", reachable_error)
    bias, gap = train - reachable, validation - train
    avoidable = max(bias, 0.0) + max(gap, 0.0)
    is_within_reach = validation - reachable < tolerance - _ROUNDING
    return ErrorDiagnosis(
        train_error=train,
        validation_error=validation,
        reachable_error=reachable,
        bias=_judge_part(bias, avoidable, tolerance),
        variance="low" if is_within_reach else _judge_part(gap, avoidable, tolerance),
        note=note,
    )


def has_errors(run: Run) -> bool:
    """Say whether a run has a score on both sides that can be told as an error: it is not final and did not diverge."""
    is_share = MEASURES[run.measure].higher_is_better  # the error of a quantity is a part of the baseline's
    return math.isfinite(run.score + run.train_score) and (is_share or _can_be_beaten(run.baseline, run.measure))


def _errors_of(run: Run) -> tuple[float, float]:
    if not has_errors(run):
        raise ValueError(
            "The run has no errors to compare: nothing was held out, its loss is not finite, or no baseline is known. "
            f"Received: run, score={run.score}, baseline={run.baseline}. Look at diagnose_history(run)."
        )
    measure = MEASURES[run.measure]
    return measure.error(run.train_score, run.baseline), measure.error(run.score, run.baseline)


def _judge_part(part: float, avoidable: float, tolerance: float) -> str:
    """Return "low" or "high" for one of the two parts that the avoidable error is made of."""
    part += _ROUNDING
    is_high = part >= LARGE * tolerance or (part >= tolerance and part >= SHARE * avoidable)
    return "high" if is_high else "low"


def _check_error(name: str, value: float) -> float:
    """Return the value as a float, or say what is wrong with it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"An error is a number. Received: {name}={value!r}. Give a share such as 0.05, or a run alone.")
    if not 0 <= value < math.inf:
        raise ValueError(
            f"An error is finite and never below 0. Received: {name}={value}. Give a share of wrong answers such as "
            "0.05, or an error divided by the baseline's; a network that diverged has none."
        )
    if value > MOST_ERROR:
        raise ValueError(
            f"An error is a share of wrong answers, or of quantities a part of the baseline's error. Received: "
            f"{name}={value:g}. If it is a percentage, give {value / 100:g}; if it has a unit, divide it by the "
            "baseline's error."
        )
    return float(value)


def show_percent(error: float) -> str:
    """Write an error as a percentage with two digits that count: 0.0015 -> 0.15 %."""
    percent = 100 * error
    return f"{percent:.0f} %" if abs(percent) >= 9.95 else f"{percent:.2g} %" if abs(percent) > 1e-7 else "0 %"


def show_points(difference: float) -> str:
    """Write a difference of two errors in percentage points: 0.10 -> 10 points."""
    number = show_percent(abs(difference)).removesuffix(" %")
    return f"{number} point" if number == "1" else f"{number} points"


def _show_side(difference: float) -> str:
    if abs(difference) <= _ROUNDING:
        return "the same as"
    return f"{show_points(difference)} {'above' if difference > 0 else 'below'}"
