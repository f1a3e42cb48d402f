"""Looking words up in place of multiplying by zeros: the same numbers, whatever the reviews and the order."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from recipe.engine.bags import PIECE, suits_bags
from recipe.engine.loop import train_models
from recipe.engine.members import Job


def make_reviews(rows: int = 40) -> np.ndarray:
    """Multi-hot reviews over 900 words: of none to 60 words."""
    draw = np.random.default_rng(0)
    x = np.zeros((rows, 900), np.uint8)
    for row, size in zip(x, draw.integers(0, 60, rows), strict=True):
        row[draw.choice(900, size, replace=False)] = 1
    x[3] = 0
    x[4, :PIECE] = 1  # exactly a piece
    return x


@pytest.fixture(scope="module")
def reviews() -> np.ndarray:
    return make_reviews()


def make_job(x: np.ndarray) -> Job:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(6, activation="relu", kernel_regularizer="l2"), keras.layers.Dropout(0.2)]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(loss="binary_crossentropy", metrics=["accuracy"])
    y = (x[:, :450].sum(axis=1) > x[:, 450:].sum(axis=1)).astype(np.uint8)
    cut = len(x) * 4 // 5
    return Job(model=model, x=x[:cut], y=y[:cut], x_val=x[cut:], y_val=y[cut:], batch_size=7, epochs=3)


def test_training_by_bags_gives_what_multiplying_gives(reviews):
    by_bags, by_product = make_job(reviews), make_job(reviews.astype(np.float32))
    assert [suits_bags(job) for job in (by_bags, by_product)] == [True, False]
    (ours,), (theirs,) = (list(train_models([job])) for job in (by_bags, by_product))
    for name, values in theirs.history.items():
        assert ours.history[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name
    for one, other in zip(by_bags.model.get_weights(), by_product.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_suits_bags_wants_few_ones_and_nothing_but_zeros_and_ones(reviews):
    job = make_job(reviews)
    unfit = [
        dataclasses.replace(job, x=job.x * np.uint8(2)),
        dataclasses.replace(job, x=np.ones_like(job.x)),
        dataclasses.replace(job, x=np.tile(job.x, (1, 80))),  # more words than their numbers have room for
        dataclasses.replace(job, input_scale=0.5),
    ]
    assert [suits_bags(one) for one in (job, *unfit)] == [True, False, False, False, False]
