"""What is handed over of objects that stay in the kernel."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from recipe.teach.handover import collect, from_json, hand_over, to_json
from recipe.teach.judge import Judge


def test_hand_over_of_a_pipeline_with_an_encoder_carries_its_predictions() -> None:
    """An encoder has a class among its parameters, its dtype, which is no array, though it looks like one."""
    rows = np.array([["red"], ["blue"], ["red"]])
    model = make_pipeline(ColumnTransformer([("colour", OneHotEncoder(), [0])]), Ridge()).fit(rows, [1.0, 2.0, 1.0])

    handed = from_json(to_json(hand_over(model, [(rows,)])))

    assert handed.error == ""
    assert handed.made_of["steps"] == ["ColumnTransformer", "Ridge"]
    np.testing.assert_allclose(handed.outputs[0], model.predict(rows))


class Net(keras.Model):
    """A class of a student's own: its `call` alone tells that one dropout is behind both hidden layers."""

    def __init__(self, end: str = "sigmoid") -> None:
        super().__init__()
        penalty = {"kernel_regularizer": lambda weights: 0.5 * keras.ops.sum(weights**2)}
        self.out = keras.layers.Dense(3, activation=end)
        self.dropout = keras.layers.Dropout(0.25)
        self.second = keras.layers.Dense(4)
        self.first = keras.Sequential([keras.layers.BatchNormalization(), keras.layers.Dense(8, **penalty)])

    def call(self, x: object, training: bool = False) -> object:
        for layer in (self.first, self.second):
            x = self.dropout(layer(x), training=True) if training else layer(x)
        return self.out(x)


def test_hand_over_of_a_model_of_ones_own_class_tells_its_layers_as_they_are_called() -> None:
    x, model = np.random.default_rng(0).normal(3, 1, (10, 6)).astype("float32"), Net()

    handed = from_json(to_json(collect({"make": lambda: model}, ["make"], {"make": [()], "make()": [(x,)]})))["make"]

    (told,) = handed.outputs
    assert (told.kind, told.error) == ("model", "")
    np.testing.assert_allclose(told.outputs[0], model.predict(x, verbose=0), rtol=1e-5)
    layers = told.made_of["layers"]
    assert " ".join(layer["class"] for layer in layers) == "BatchNormalization Dense Dropout Dense Dropout Dense"
    assert (layers[1]["l1"], layers[1]["l2"], layers[2]["rate"]) == (0, 0.5, 0.25)
    assert told.made_of["params"] == model.count_params()
    np.testing.assert_array_equal(model.first.layers[0].moving_mean, 0, "a look is no training")


def weighted(y: object, p: object) -> object:
    p = keras.ops.clip(p, 1e-4, 1 - 1e-4)
    return -keras.ops.mean(9 * y * keras.ops.log(p) + (1 - y) * keras.ops.log(1 - p), axis=-1)


def asymmetric(y: object, p: object) -> object:
    shifted = keras.ops.clip(p - 0.05, 1e-8, 1)
    negative = (1 - y) * shifted**4 * keras.ops.log(1 - shifted)
    return -keras.ops.sum(y * keras.ops.log(keras.ops.clip(p, 1e-8, 1)) + negative, axis=-1)


def softplus_of_logits(y: object, z: object) -> object:
    return keras.ops.softplus(z) - y * z


def one_class(y: object, p: object) -> object:
    return -keras.ops.sum(y * keras.ops.log(p + 1e-7), axis=-1)


@pytest.mark.parametrize(
    ("end", "loss", "points"),
    [
        ("sigmoid", weighted, 10),
        ("sigmoid", asymmetric, 10),
        ("sigmoid", keras.losses.BinaryCrossentropy(label_smoothing=0.2), 10),
        ("sigmoid", keras.losses.BinaryFocalCrossentropy(gamma=4, apply_class_balancing=True), 10),
        ("linear", softplus_of_logits, 10),
        ("linear", functools.partial(keras.losses.binary_focal_crossentropy, gamma=3, from_logits=True), 10),
        ("linear", weighted, 2),
        ("sigmoid", softplus_of_logits, 2),
        ("sigmoid", one_class, 4),
        ("sigmoid", lambda y, p: keras.ops.mean((y - p) ** 4), 4),
        ("sigmoid", "poisson", 4),
        ("linear", "hinge", 4),
        ("linear", keras.losses.MeanSquaredError(), 4),
        ("sigmoid", lambda y, p: y[:, :2] - p, 4),
    ],
)
def test_tagger_is_judged_by_what_its_loss_says_whoever_wrote_it(end: str, loss: object, points: float) -> None:
    tagger = Net(end)
    tagger.compile("adam", loss)

    verdict = Judge("02", "ada", None).judge_namespace("tagger", {"tagger": tagger})

    assert verdict.share * 10 == pytest.approx(points), verdict.message
