"""Step 6: what the training curves say. From a plain dict of lists, as Keras keeps it, to a verdict with its epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from recipe.core.measures import MEASURES
from recipe.steps.s6_curves import Turn, find_turn, running_median, window

EXPLOSION = 10.0  # times the best training loss so far
LEARNED = 0.01  # of the first training loss: a smaller fall is no learning
BEYOND_BASELINE = 0.98  # of the baseline's error: above it a model is no better


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
    best_epoch : from 0, where the smoothed curve is lowest; None where no epoch is finite
    overfitting_epoch : from 0, the first epoch after the best one, so also the number of epochs to train for; None
        unless the verdict is overfitting
    diverged_epoch : from 0, the first epoch whose loss is not finite or explodes; None unless the verdict is diverged
    best_loss, last_loss : smoothed levels of the judged curve
    first_train_loss, last_train_loss : of the training curve
    noise : standard deviation of one epoch's value of the judged curve
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
    noise: float = math.nan
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


def diagnose_history(
    history: Mapping[str, Sequence[float]], *, baseline: float | None = None, measure: str | None = None
) -> HistoryDiagnosis:
    """Say what training curves show.

    In this order: *diverged*, if a loss is not finite, or the training loss ends above its first value and ten times
    above its best one; *did not learn*, if the training loss never falls by 1 % and three times its noise below its
    first value, or the measure stays within 2 % of the baseline's error on both sides while the loss does not fall
    any more; *overfitting*, if the validation loss rises after its lowest point by more than noise explains while the
    training loss does not rise with it; *still improving*, if it falls at the end by more than noise; else *best
    here*. What noise explains is said in `recipe.steps.s6_curves.find_turn`.

    Parameters
    ----------
    history : mapping of names to one number an epoch
        ``data_loss`` and ``val_data_loss`` are taken where they are, for ``loss`` and ``val_loss`` hold the penalty of
        L1 and L2 too, which says nothing about fitting. Without validation the training loss is judged alone.
    baseline : value of the measure of a guess without the input, if known (a `Baseline` will do)
        Decides whether anything was learned, also where all was learned within the first epoch.
    measure : the baseline's measure, a key of the history; by default the baseline's own, or the first known one

    Raises
    ------
    ValueError
        If there is no training loss, no epoch, lists differ in length, or the baseline's measure is not there.
    TypeError
        If a value is not a number.

    Examples
    --------
    >>> history = {"loss": [0.60, 0.40, 0.30, 0.20, 0.10], "val_loss": [0.60, 0.40, 0.35, 0.41, 0.50]}
    >>> diagnosis = diagnose_history(history)
    >>> diagnosis.verdict == "overfitting", diagnosis.best_epoch, diagnosis.overfitting_epoch
    (True, 2, 3)
    """
    train_key, monitor = _choose_keys(history)
    train, judged = _read(history, train_key), _read(history, monitor)
    common = {"monitor": monitor, "epochs": len(train), "first_train_loss": float(train[0])}
    bad = np.flatnonzero(~(np.isfinite(train) & np.isfinite(judged)))
    diverged = int(bad[0]) if len(bad) else _explosion(train)
    if diverged is not None:
        best = int(judged[:diverged].argmin()) if diverged else None
        best_loss = math.nan if best is None else float(judged[best])
        last = {"last_loss": float(judged[-1]), "last_train_loss": float(train[-1]), "best_loss": best_loss}
        return HistoryDiagnosis(verdict=Verdict.DIVERGED, best_epoch=best, diverged_epoch=diverged, **common, **last)
    turn, train_turn = find_turn(judged), find_turn(train)
    common |= {"best_epoch": turn.epoch, "best_loss": turn.lowest, "last_loss": turn.last, "noise": turn.noise}
    common |= {"last_train_loss": train_turn.last}
    beats = None if baseline is None else _beats_baseline(history, baseline, measure)
    verdict, note = _judge(train, turn, train_turn, beats, is_validated=monitor != train_key)
    since = turn.epoch + 1 if verdict is Verdict.OVERFITTING else None
    return HistoryDiagnosis(verdict=verdict, overfitting_epoch=since, note=note, **common)


def _judge(
    train: np.ndarray, turn: Turn, train_turn: Turn, beats: bool | None, *, is_validated: bool
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
        level = float(running_median(train, window(len(train)))[turn.epoch])
        if train_turn.last > level + max(0.02 * abs(level), train_turn.noise):
            return Verdict.BEST_HERE, "The training loss rises with it: training is unstable; try a lower rate."
        return Verdict.OVERFITTING, ""
    return (Verdict.IMPROVING if turn.falls else Verdict.BEST_HERE), unseen


def _choose_keys(history: Mapping[str, Sequence[float]]) -> tuple[str, str]:
    """Return the key of the training loss and of the curve to judge: the pair without penalties where there is one."""
    has_data_pair = "data_loss" in history and ("val_data_loss" in history or "val_loss" not in history)
    train_key = "data_loss" if has_data_pair else "loss"
    if train_key not in history:
        raise ValueError(
            f"The history has no training loss. Received: history with {', '.join(map(str, history)) or 'no key'}. "
            'Pass what Keras returned, such as model.fit(...).history, with "loss" in it.'
        )
    if not len(history[train_key]):
        raise ValueError(f"The history has no epoch. Received: {train_key}=[]. Train for one epoch at least.")
    return train_key, "val_" + train_key if "val_" + train_key in history else train_key


def _read(history: Mapping[str, Sequence[float]], key: str) -> np.ndarray:
    """Return one list of the history as an array of floats, as long as the training loss."""
    try:
        values = np.array([float(value) for value in history[key]])
    except (TypeError, ValueError):
        raise TypeError(f"A history holds numbers. Received: {key}={list(history[key])!r}.") from None
    epochs = len(history[_choose_keys(history)[0]])
    if len(values) != epochs:
        raise ValueError(
            f"The history has {epochs} epochs of training and {len(values)} of {key}. Received: lists of different "
            "length. Validate after every epoch."
        )
    return values


def _explosion(train: np.ndarray) -> int | None:
    """Return the epoch from which on a finite training loss stays above its first value, if it explodes at the end.

    A single spike is forgiven: the last two epochs must lie above the first value, where there are three or more.
    """
    is_above = train > train[0]
    explodes = is_above[-1] and train[-1] > EXPLOSION * train.min()
    if not explodes or (len(train) > 2 and not is_above[-2]):
        return None
    return len(train) - int(is_above[::-1].argmin())


def _beats_baseline(history: Mapping[str, Sequence[float]], baseline: float, measure: str | None) -> bool:
    """Say whether the measure is better than the baseline over the last third of the epochs, on either side."""
    known = [name for name in MEASURES if name in history or "val_" + name in history]
    name = measure or getattr(baseline, "measure", None) or next(iter(known), None)
    keys = [key for key in (name, f"val_{name}") if key in history]
    if name not in MEASURES or not keys:
        raise ValueError(
            f"The history does not hold the baseline's measure. Received: measure={name!r}, history with "
            f"{', '.join(map(str, history))}. Pass the measure's key, one of {', '.join(MEASURES)}."
        )
    is_share, value = MEASURES[name].higher_is_better, float(baseline)
    limit = 1 - value if is_share else value
    if not 0 < limit < math.inf:
        raise ValueError(f"A baseline without error cannot be beaten. Received: baseline={value}, measure={name!r}.")
    late = [float(np.median(_read(history, key)[2 * len(history[key]) // 3 :])) for key in keys]
    return any((1 - level if is_share else level) < BEYOND_BASELINE * limit for level in late)
