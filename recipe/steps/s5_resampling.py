"""Validation sets drawn with replacement from the one there is, and how two models compare on each of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recipe.core.measures import THRESHOLD, Measure
from recipe.core.problem import Problem

DRAWN_VALUES = 4_000_000  # at most so many are drawn at a time, which bounds the memory to 100 MB or so


def resampled_gains(
    problem: Problem,
    measure: Measure,
    y_val: np.ndarray,
    both: tuple[np.ndarray, np.ndarray],
    resamples: int,
    seed: int,
) -> np.ndarray:
    """Return how much better a model is than another on each resampled validation set.

    Parameters
    ----------
    y_val : np.ndarray, as `recipe.core.measures.check_outputs` returns it
    both : the outputs of the model and of the other on the same n samples, each of shape (n, outputs)
    resamples : sets to draw, each of n samples
    seed : fixes the draw

    Returns
    -------
    np.ndarray of shape (resamples,), in the measure's unit, above 0 where the model is better
    """
    rng = np.random.default_rng(seed)
    counted = [count_samples(problem, measure, y_val, outputs) for outputs in both]
    if counted[0] is None:
        drawn = (rng.integers(len(y_val), size=len(y_val)) for _ in range(resamples))
        values = [[measure.compute(problem, y_val[rows], outputs[rows]) for outputs in both] for rows in drawn]
        return np.array([measure.gain(ours, theirs) for ours, theirs in values])
    sums = _resample_sums(np.hstack([rows for rows, _ in counted]), resamples, rng)
    width, score = counted[0][0].shape[1], counted[0][1]
    return measure.gain(score(sums[:, :width]), score(sums[:, width:]))


def _resample_sums(rows: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the column sums of resampled rows: (n, k) -> (resamples, k).

    Rows that are equal are drawn together: how often each distinct row turns up follows a multinomial distribution,
    so that right and wrong answers, of which there are few kinds, cost next to nothing.
    """
    kinds, counts = np.unique(rows, axis=0, return_counts=True)
    if len(kinds) <= 256:
        return rng.multinomial(len(rows), counts / len(rows), size=resamples) @ kinds
    step = max(1, DRAWN_VALUES // rows.size)
    parts = (min(step, resamples - start) for start in range(0, resamples, step))
    return np.concatenate([rows[rng.integers(len(rows), size=(part, len(rows)))].sum(axis=1) for part in parts])


def count_samples(
    problem: Problem, measure: Measure, y_val: np.ndarray, outputs: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]] | None:
    """Return what to add up over samples, (n, k), and how the measure follows from the sums; None if it does not."""
    scores = measure.per_sample(problem, y_val, outputs)
    if scores is not None:
        return scores[:, None], lambda sums: sums[:, 0] / len(y_val)
    if measure.name not in {"f1", "precision", "recall"}:
        return None
    yes, true = outputs > THRESHOLD, y_val.astype(bool)
    hits, false_alarms, misses = yes & true, yes & ~true, ~yes & true  # each (n, labels)
    if measure.name == "f1":
        return np.hstack([hits, false_alarms | misses]).astype(np.float64), _f1_from_sums
    others = false_alarms if measure.name == "precision" else misses
    return np.stack([hits.sum(axis=1), others.sum(axis=1)], axis=1).astype(np.float64), _share_from_sums


def _f1_from_sums(sums: np.ndarray) -> np.ndarray:
    """(resamples, 2 * labels), hits then errors of each label, -> the mean F1 over labels, (resamples,)."""
    hits, errors = np.split(sums, 2, axis=1)
    return (2 * hits / np.maximum(2 * hits + errors, 1)).mean(axis=1)


def _share_from_sums(sums: np.ndarray) -> np.ndarray:
    """(resamples, 2), hits and the rest, -> the share of hits; 0 where there is nothing to share."""
    return sums[:, 0] / np.maximum(sums.sum(axis=1), 1)
