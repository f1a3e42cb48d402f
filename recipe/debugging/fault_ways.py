"""Step 8: how a fault breaks the arrays of a pipeline. Each happens to people who know better."""

from __future__ import annotations

import numpy as np

from recipe.core.reviews import Reviews
from recipe.debugging.pipelines import Draft

INDEX_SHIFT = 3  # by which Keras's own review files number their words otherwise than their word list does


def raise_labels(draft: Draft) -> None:
    """Number the classes from 1."""
    draft.y_train, draft.y_val = (y.astype(np.int64) + 1 for y in (draft.y_train, draft.y_val))


def leave_unscaled(draft: Draft) -> None:
    """Take pixels, columns and the numbers of words as they are."""
    if isinstance(draft.split.x_train, Reviews):
        draft.x_train, draft.x_val = (
            part.sequences(length=256, num_words=draft.prepared.problem.num_words).astype(np.float32)
            for part in (draft.split.x_train, draft.split.x_val)
        )
    else:
        draft.x_train, draft.x_val = (part.astype(np.float32) for part in (draft.split.x_train, draft.split.x_val))


def mix_axes(draft: Draft) -> None:
    """Normalise a table by row; reshape everything else as if samples stood in columns."""
    if draft.base == "housing":
        for name in ("x_train", "x_val"):
            raw = getattr(draft.split, name).astype(np.float64)
            mixed = (raw - raw.mean(axis=1, keepdims=True)) / raw.std(axis=1, keepdims=True)
            setattr(draft, name, mixed.astype(np.float32))
        return
    for name in ("x_train", "x_val"):
        x = getattr(draft, name)
        flat = x.reshape(len(x), -1)
        setattr(draft, name, np.ascontiguousarray(flat.T).reshape(x.shape))


def shuffle_targets(draft: Draft) -> None:
    """Shuffle the training targets without their inputs."""
    draft.y_train = draft.y_train[draft.rng.permutation(len(draft.y_train))]


def leak(draft: Draft) -> None:
    """Put copies of training samples into half of the validation part."""
    size = len(draft.x_val)
    twins = draft.rng.permutation(len(draft.x_train))[: size // 2]
    draft.x_val = np.concatenate([draft.x_val[: size - len(twins)], draft.x_train[twins]])
    draft.y_val = np.concatenate([draft.y_val[: size - len(twins)], draft.y_train[twins]])


def prepare_otherwise(draft: Draft) -> None:
    """Leave validation unscaled, or number its words otherwise."""
    if draft.base == "imdb":
        draft.x_val = np.roll(draft.x_val, INDEX_SHIFT, axis=1)
    else:
        draft.x_val = draft.split.x_val.astype(np.float32)


def lose_values(draft: Draft) -> None:
    """Put five NaN into the training inputs."""
    draft.x_train = draft.x_train.astype(np.float32)
    flat = draft.x_train.reshape(-1)
    flat[draft.rng.choice(flat.size, size=5, replace=False)] = np.nan


def sort(draft: Draft) -> None:
    """Sort all samples by their target, and cut in order."""
    x = np.concatenate([draft.x_train, draft.x_val])
    y = np.concatenate([draft.y_train, draft.y_val])
    order, cut = np.argsort(y.reshape(len(y)), kind="stable"), len(draft.x_train)
    x, y = x[order], y[order]
    draft.x_train, draft.y_train, draft.x_val, draft.y_val = x[:cut], y[:cut], x[cut:], y[cut:]


def count_in_dollars(draft: Draft) -> None:
    """Take prices in dollars."""
    draft.y_train, draft.y_val = (y * np.float32(100_000) for y in (draft.y_train, draft.y_val))


def as_column(draft: Draft) -> None:
    """Make class labels a column: it is compared with all ten outputs, and nothing complains."""
    if draft.base == "mnist":
        draft.y_train, draft.y_val = draft.y_train[:, None], draft.y_val[:, None]
