"""What deeper/ranking_measures claims: of rare classes, of queries, and of several labels."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn import metrics
from sklearn.model_selection import train_test_split

import recipe
from claims import Outcome, claim


@cache
def _halves(source: str, seed: int) -> tuple[np.ndarray, ...]:
    digits = recipe.load("mnist", source=source, rows=6_000, seed=seed)
    x = (digits.x_train.reshape(len(digits.x_train), -1) / digits.x_train.max()).astype("float32")
    return tuple(train_test_split(x, digits.y_train, test_size=0.5, stratify=digits.y_train, random_state=seed))


def _outputs(source: str, seed: int, y: np.ndarray, activation: str, loss: str, rows: int, epochs: int) -> np.ndarray:
    """Return what a network with 32 units says of the held-out half; y: class numbers, or (n, labels)."""
    import keras

    x_train, x_val, _, _ = _halves(source, seed)
    keras.utils.set_random_seed(seed)
    last = keras.layers.Dense(y.shape[1] if y.ndim == 2 else 10, activation=activation)
    model = keras.Sequential([keras.Input((x_train.shape[1],)), keras.layers.Dense(32, activation="relu"), last])
    model.compile(optimizer="adam", loss=loss)
    model.fit(x_train[:rows], y[:rows], batch_size=32, epochs=epochs, verbose=0)
    return model.predict(x_val, verbose=0)


@cache
def _classes(source: str, seed: int) -> np.ndarray:
    y_train = _halves(source, seed)[2]
    return _outputs(source, seed, y_train, "softmax", "sparse_categorical_crossentropy", 300, 20)


@claim("ranking_measures", "With 1 % eights instead of 10 % average precision falls by 15 points or more; AUC stays.")
def rare_yes_lowers_ap_alone(source: str, seed: int) -> Outcome:
    y, scores, numbers = _halves(source, seed)[3] == 8, _classes(source, seed)[:, 8], {}
    for share in (0.1, 0.01):
        weight = np.where(y, share / y.mean(), (1 - share) / (1 - y.mean()))
        numbers[f"AP, {share:.0%}"] = metrics.average_precision_score(y, scores, sample_weight=weight)
        numbers[f"AUC, {share:.0%}"] = metrics.roc_auc_score(y, scores, sample_weight=weight)
    stays = np.isclose(numbers["AUC, 10%"], numbers["AUC, 1%"])
    return numbers, bool(stays and numbers["AP, 10%"] - numbers["AP, 1%"] >= 0.15)


@claim("ranking_measures", "The worst of ten queries lies three points or more below their mean average precision.")
def worst_query_is_below_the_mean(source: str, seed: int) -> Outcome:
    y, outputs = _halves(source, seed)[3], _classes(source, seed)
    each = [metrics.average_precision_score(y == digit, outputs[:, digit]) for digit in range(10)]
    return {"mean": float(np.mean(each)), "worst": float(min(each))}, min(each) <= np.mean(each) - 0.03


@claim("ranking_measures", "Each of three labels has an average precision of 30 points or more above a guess.")
def labels_rank_far_above_a_guess(source: str, seed: int) -> Outcome:
    y_train, y_val = (
        np.stack([y % 2 == 0, y > 4, np.isin(y, [0, 6, 8, 9])], axis=1).astype("float32")
        for y in _halves(source, seed)[2:]
    )
    outputs = _outputs(source, seed, y_train, "sigmoid", "binary_crossentropy", len(y_train), 8)
    gains = metrics.average_precision_score(y_val, outputs, average=None) - y_val.mean(axis=0)
    return dict(zip(("even", "above four", "closed loop"), gains.tolist(), strict=True)), min(gains) >= 0.3
