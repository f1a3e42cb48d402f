"""A spec refuses nonsense by name, and comes back unchanged from JSON and from text."""

import json
import math
import re

import numpy as np
import pytest

from recipe.core.spec import ACTIVATIONS, ARCHITECTURES, LAST_ACTIVATIONS, LOSSES, OPTIMIZERS, ModelSpec

# field, value, the value as the message shows it, what the message says is allowed
OUT_OF_RANGE = [
    ("dropout", 1.5, "1.5", "from 0 to 0.999"),
    ("dropout", math.nan, "nan", "from 0 to 0.999"),
    ("l1", -0.001, "-0.001", "0 or more"),
    ("l2", math.inf, "inf", "0 or more"),
    ("learning_rate", 0, "0.0", "1e-30 or more"),
    ("batch_size", 0, "0", "1 or more"),
    ("epochs", -1, "-1", "1 or more"),
    ("patience", 0, "0", "1 or more"),
    ("seed", 2**32, "4294967296", "from 0 to 4294967295"),
    ("hidden_units", (64, -3), "-3", "1 or more"),
    ("hidden_units", [], "()", '(64,), or take architecture="linear"'),
]
WRONG_TYPE = [
    *(("hidden_units", units, "must be a whole number") for units in ((2.5,), ("64",), (True,))),
    ("dropout", "0.5", "must be a number"),
    ("learning_rate", "auto", "must be a number"),
    ("batch_size", 2.5, "must be a whole number"),
    ("epochs", None, "must be a whole number"),
]
CHOICES = {
    "architecture": ARCHITECTURES,
    "activation": ACTIVATIONS,
    "optimizer": OPTIMIZERS,
    "last_activation": LAST_ACTIVATIONS,
    "loss": LOSSES,
}


@pytest.mark.parametrize(("field", "value", "shown", "allowed"), OUT_OF_RANGE)
def test_spec_refuses_a_value_out_of_range_naming_field_value_and_allowed(field, value, shown, allowed):
    with pytest.raises(ValueError, match=re.escape(f"Received: {field}={shown}. ") + ".*" + re.escape(allowed)):
        ModelSpec(**{field: value})


@pytest.mark.parametrize(("field", "value", "fact"), WRONG_TYPE)
def test_spec_refuses_a_value_of_the_wrong_type(field, value, fact):
    with pytest.raises(TypeError, match=re.escape(f"{field} {fact}") + ".*" + re.escape(f"Received: {field}=")):
        ModelSpec(**{field: value})


@pytest.mark.parametrize("field", CHOICES)
@pytest.mark.parametrize("value", ["sgdd", None])
def test_spec_refuses_an_unknown_choice_and_lists_the_allowed_ones(field, value):
    message = f"There is no such {field}. Received: {field}={value!r}. Choose from {', '.join(CHOICES[field])}."
    with pytest.raises(ValueError, match=re.escape(message)):
        ModelSpec(**{field: value})


def test_spec_turns_numbers_of_numpy_and_lists_into_plain_ones():
    numbers = {
        "dropout": np.float32(0.5),
        "l1": np.float64(0.25),
        "l2": np.int32(1),
        "learning_rate": np.float16(0.125),
    }
    numbers |= {"batch_size": np.int16(32), "epochs": np.uint32(3), "patience": np.int8(2), "seed": np.uint64(7)}
    odd = ModelSpec(hidden_units=[np.int64(16), np.uint8(8)], **numbers)
    plain = ModelSpec(hidden_units=(16, 8), **{name: value.item() for name, value in numbers.items()})
    assert odd == plain
    assert hash(odd) == hash(plain)
    assert odd.to_dict() == plain.to_dict()
    kinds = {type(value) for value in odd.to_dict().values()} | {type(units) for units in odd.hidden_units}
    assert kinds == {str, int, float, list}
    assert ModelSpec(hidden_units=np.array([32, 16])).hidden_units == (32, 16)
    assert ModelSpec(hidden_units=16).hidden_units == (16,)


def test_replace_checks_the_copy_like_a_new_spec():
    spec = ModelSpec(dropout=0.5)
    assert spec.replace(epochs=3) == ModelSpec(dropout=0.5, epochs=3)
    assert spec == ModelSpec(dropout=0.5)
    with pytest.raises(ValueError, match=r"dropout is out of range. Received: dropout=1.5"):
        spec.replace(dropout=1.5)
    with pytest.raises(TypeError, match="droput"):
        spec.replace(droput=0.5, units=3)


def test_spec_comes_back_unchanged_from_json():
    spec = ModelSpec(patience=7, seed=2**32 - 1, loss="mae", l1=1e-300, learning_rate=0.1 + 0.2, hidden_units=(3, 2))
    assert ModelSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert ModelSpec.from_dict({"hidden_units": [16, 16]}) == ModelSpec(hidden_units=(16, 16))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "dense 64, rmsprop"),
        ({"hidden_units": (32, 64), "dropout": 0.0693, "optimizer": "adam"}, "dense 32-64, dropout 0.0693, adam"),
        ({"architecture": "linear", "optimizer": "sgd", "learning_rate": 0.1}, "linear, sgd at 0.1"),
        (
            {"architecture": "convnet", "hidden_units": (8, 16), "activation": "tanh", "l1": 1e-5, "l2": 0.001},
            "convnet 8-16, tanh units, L1 1e-05, L2 0.001, rmsprop",
        ),
        (
            {"batch_size": 16, "epochs": 1, "patience": 3, "seed": 7, "last_activation": "relu", "loss": "mse"},
            "dense 64, rmsprop, batches of 16, 1 epoch, patience 3, seed 7, last activation relu, loss mse",
        ),
    ],
)
def test_describe_says_in_words_what_is_not_at_its_default(changes, words):
    assert ModelSpec(**changes).describe() == words
