"""What a noisy training curve does: how large its noise is, where it is lowest, whether it rises or falls at the end.

A curve is a 1-D array, one value an epoch. Nothing here knows what the values mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHORT, LONG = 10, 60  # epochs: below the one no smoothing is possible, from the other on drift can be told from noise
MATERIAL_RISE = 0.02  # of the lowest level: a smaller rise is not worth a name, however certain
MATERIAL_FALL = 0.01  # of the last level, over the last fifth of the epochs
NEGLIGIBLE = 0.001  # of the fall since the first epoch: matters where a loss approaches 0
ERRORS_OF_A_RISE, ERRORS_OF_A_FALL = 4.0, 3.0  # standard errors; the lowest of many levels is low by chance too


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Where a curve is lowest, and where it ends.

    Attributes
    ----------
    epoch : from 0, the epoch of the lowest smoothed value
    lowest, last : levels there, and over the last epochs
    noise : standard deviation of one epoch's value around the smooth curve
    rises : whether the end lies above the lowest level by more than noise explains
    falls : whether the curve is still falling at its end
    """

    epoch: int
    lowest: float
    last: float
    noise: float
    rises: bool
    falls: bool


def find_turn(values: np.ndarray) -> Turn:
    """Find where a curve is lowest, and whether it rises after that.

    The curve is smoothed by a running median (3 epochs wide from 10 epochs on, a tenth of the curve from 40 on). It
    *rises* if the median of as many last epochs lies above the lowest smoothed value by 2 % and by four standard
    errors of the difference of two such medians (1.25 times the noise, over the root of the width: the asymptotic
    error of a median). Noise is estimated by `measure_noise`. Curves of fewer than 10 epochs are not smoothed: the
    last two epochs must lie above the lowest one by three standard errors, and noise is the largest step against the
    trend, at least 1 %. It *falls* if the medians of the last three fifths go down, the last step by 1 %, and all of
    it by three standard errors (known from 10 epochs on).

    Simulated with independent noise of 1 to 10 % on curves that stay flat, a rise is seen by mistake in less than
    5 % of the curves of 10 to 39 epochs and in 1 % of longer ones. Fewer than 10 epochs of noise of 3 % or more look
    like a rise in up to one case of five: so few points cannot tell. Noise that lasts from one epoch to the next
    (correlation 0.5) looks so in up to 15 % of the curves below 60 epochs, and in 5 % above.

    Parameters
    ----------
    values : np.ndarray of shape (epochs,), finite

    Examples
    --------
    >>> turn = find_turn(np.array([0.60, 0.40, 0.35, 0.41, 0.50]))
    >>> turn.epoch, turn.rises, turn.falls
    (2, True, False)
    """
    width = window(len(values))
    smooth = running_median(values, width)
    ties = np.flatnonzero(smooth == smooth.min())  # medians of neighbours are often the same value
    epoch = int(ties[values[ties].argmin()])
    after = len(values) - 1 - epoch
    last = float(np.median(values[-max(2, width) :])) if after >= 2 else float(values[-1])
    lowest, noise = float(smooth[epoch]), measure_noise(values)
    rise = last - lowest
    rises = (
        after >= max(2, width)
        and rise > 0
        and rise
        >= max(
            ERRORS_OF_A_RISE * _error(noise, width, width) if width > 1 else ERRORS_OF_A_FALL * _error(noise, 1, 2),
            MATERIAL_RISE * abs(lowest),
            NEGLIGIBLE * (values[0] - lowest),
        )
    )
    falls = not rises and _falls(values, noise)
    return Turn(epoch=epoch, lowest=lowest, last=last, noise=noise, rises=bool(rises), falls=falls)


def window(epochs: int) -> int:
    """Return the width of the running median, an odd number of epochs."""
    return 1 if epochs < SHORT else max(3, 2 * (epochs // 20) + 1)


def running_median(values: np.ndarray, width: int) -> np.ndarray:
    """Return the median of the `width` values around each one, of fewer at the ends.

    Examples
    --------
    >>> running_median(np.array([5.0, 1.0, 2.0, 9.0]), 3).tolist()
    [3.0, 2.0, 2.0, 5.5]
    """
    padded = np.pad(np.asarray(values, np.float64), width // 2, constant_values=np.nan)
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)  # what is padding comes last
    count = (~np.isnan(windows)).sum(axis=1)
    middle = np.stack([(count - 1) // 2, count // 2], axis=1)
    return np.take_along_axis(windows, middle, axis=1).mean(axis=1)


def measure_noise(values: np.ndarray) -> float:
    """Estimate the standard deviation of a curve's noise from the curve alone.

    Of independent noise with deviation s the second differences have the deviation s * sqrt(6) and the third ones
    s * sqrt(20), while a smooth trend nearly vanishes from both; their median absolute size, over the last two thirds
    of the epochs, is robust against spikes. The smaller one counts, and is raised by 30 % where the curve is short.
    From 60 epochs on, the deviation from a running median tells also how much the noise of one epoch lasts into the
    next: with a correlation r between neighbours it is enlarged by sqrt((1 + r) / (1 - r)).

    Of fewer than 10 epochs: the largest step against the trend, up before the lowest epoch or down after it.
    """
    values, epochs = np.asarray(values, np.float64), len(values)
    if epochs < SHORT:
        lowest = int(values.argmin())
        against = np.concatenate([np.diff(values[: lowest + 1]), -np.diff(values[lowest:])])
        return float(max(against.max(initial=0.0), 0.01 * abs(values[lowest])))
    late = slice(epochs // 3, None)
    noise = min(_spread(np.diff(values[late], 2)) / 6**0.5, _spread(np.diff(values[late], 3)) / 20**0.5)
    if epochs < LONG:
        return max(1.3 * noise, 0.005 * abs(float(values[late].min())))
    residuals = (values - running_median(values, 2 * window(epochs) + 1))[late]
    spread = max(_spread(residuals), noise)
    if not spread:
        return 0.0
    correlation = float(np.clip(1 - (_spread(np.diff(residuals)) / spread) ** 2 / 2, 0.0, 0.9))
    return spread * ((1 + correlation) / (1 - correlation)) ** 0.5


def _falls(values: np.ndarray, noise: float) -> bool:
    """Compare the medians of the last three fifths."""
    epochs = len(values)
    if epochs < 3:
        return epochs == 2 and values[0] - values[1] >= MATERIAL_FALL * abs(values[1])
    size = max(1, epochs // 5)
    third, second, last = (float(np.median(values[epochs - (i + 1) * size : epochs - i * size])) for i in (2, 1, 0))
    needed = ERRORS_OF_A_FALL * _error(noise, size, size) if epochs >= SHORT else 0.0
    material = max(MATERIAL_FALL * abs(last), NEGLIGIBLE * (values[0] - last))
    return third > second > last and second - last >= material and third - last >= needed


def _error(noise: float, width: int, other: int) -> float:
    """Return the standard error of the difference of two medians of so many values."""
    return (1.25 if width > 1 else 1.0) * noise * (1 / width + 1 / other) ** 0.5


def _spread(values: np.ndarray) -> float:
    """Return the standard deviation around 0, from the median absolute value (1.4826 is its ratio for a normal)."""
    return 1.4826 * float(np.median(np.abs(values)))
