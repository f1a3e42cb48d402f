"""Advice: what is proposed for which diagnosis, in which order, and that every change gives a valid, different spec."""

import dataclasses
import itertools

import pytest

from recipe.core.spec import OPTIMIZERS, ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.models import build_model, check_fit
from recipe.steps.s6_histories import diagnose_history
from recipe.steps.s6_scale_up import diagnose_errors
from recipe.steps.s7_regularize import Advice, advise
from recipe.steps.s7_remedies import DEFAULT_RATES

MNIST, IMDB, HOUSING = find_problem("mnist"), find_problem("imdb"), find_problem("housing")

BIASED, VARIABLE = diagnose_errors(0.15, 0.14), diagnose_errors(0.01, 0.11)
BOTH, NEITHER = diagnose_errors(0.15, 0.30), diagnose_errors(0.005, 0.01)

OVERFITTING = diagnose_history({"loss": [0.6, 0.4, 0.3, 0.2, 0.1], "val_loss": [0.60, 0.40, 0.35, 0.41, 0.50]})
IMPROVING = diagnose_history({"loss": [0.6, 0.4, 0.3, 0.2], "val_loss": [0.6, 0.5, 0.4, 0.3]})
SETTLED = diagnose_history({"loss": [0.6, 0.3, 0.25, 0.249], "val_loss": [0.6, 0.4, 0.399, 0.3985]})
DIVERGED = diagnose_history({"loss": [0.6, float("nan")], "val_loss": [0.6, float("nan")]})
STUCK = diagnose_history({"loss": [2.3, 2.3, 2.3], "val_loss": [2.3, 2.3, 2.3]})

SPECS = [
    ModelSpec(),
    ModelSpec(architecture="linear"),
    ModelSpec(hidden_units=(1024, 1024, 1024, 1024), optimizer="adam", epochs=2000),
    ModelSpec(hidden_units=(1,), dropout=0.5, l2=0.01, patience=3, epochs=1),
    ModelSpec(hidden_units=(3000,), dropout=0.3, l1=0.1, l2=0.004, optimizer="sgd", learning_rate=1e-6),
    ModelSpec(architecture="convnet", hidden_units=(16, 32), dropout=0.9, l2=1.0, learning_rate=1.0),
    ModelSpec(architecture="embedding", hidden_units=(16, 16), activation="sigmoid", optimizer="adagrad"),
    ModelSpec(last_activation="softmax", loss="mse", activation="linear", learning_rate=0.5),
    ModelSpec(optimizer="sgd", learning_rate=0.01, epochs=3),
]


def changes(*arguments, **options):
    return [piece.change for piece in advise(*arguments, **options)]


def fields(*arguments, **options):
    return [next(iter(piece.change)) if piece.change else piece.action for piece in advise(*arguments, **options)]


def fits(spec, problem):
    return {"convnet": problem.base == "mnist", "embedding": problem.base == "imdb"}.get(spec.architecture, True)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.describe())
def test_every_advice_gives_a_valid_and_different_spec(spec):
    histories = (None, OVERFITTING, IMPROVING, SETTLED, DIVERGED, STUCK)
    tried = 0
    for errors, history, problem in itertools.product(
        (BIASED, VARIABLE, BOTH, NEITHER, None), histories, (None, *PROBLEMS.values())
    ):
        if (errors is None and history is None) or (problem is not None and not fits(spec, problem)):
            continue
        pieces = advise(spec, errors, history, problem=problem, n_train=1000)
        assert pieces
        changed = [piece.apply(spec) for piece in pieces if piece.change is not None]
        assert all(isinstance(other, ModelSpec) and other != spec for other in changed)
        assert len({other.describe() for other in changed}) == len(changed)  # nothing twice
        assert all(ModelSpec.from_dict(other.to_dict()) == other for other in changed)
        for other in changed:
            if problem is not None:
                check_fit(other, problem)
        for piece in pieces:
            assert any(character.isdigit() for character in piece.reason) or errors is None
            assert bool(piece.do) == (piece.change is None)
        tried += len(pieces)
    assert tried > 100


def test_advice_against_high_bias_makes_the_model_stronger():
    pieces = advise(ModelSpec(hidden_units=(16, 16), dropout=0.5), BIASED, SETTLED, problem=MNIST)
    assert [piece.change for piece in pieces] == [
        {"dropout": 0.0},
        {"hidden_units": (32, 32)},
        {"hidden_units": (16, 16, 16)},
        {"architecture": "convnet", "hidden_units": (16, 32)},
        {"epochs": 40},
        {"optimizer": "adam", "learning_rate": None},
        {"learning_rate": 0.0003},
    ]
    assert pieces[1].action == "make the network bigger: 32-32 units"
    assert pieces[1].reason == ("High bias: the training error is 15 points above the reachable one with 16-16 units.")


def test_advice_against_high_variance_makes_the_model_weaker_or_the_data_more():
    pieces = advise(ModelSpec(hidden_units=(16, 16)), VARIABLE, OVERFITTING, problem=IMDB, n_train=15_000)
    assert [piece.change for piece in pieces] == [
        {"epochs": 3},
        None,
        {"dropout": 0.25},
        {"l2": 0.001},
        {"patience": 2},
        {"architecture": "embedding", "hidden_units": (16, 16)},
        {"hidden_units": (8, 8)},
    ]
    assert pieces[0].action == "stop after epoch 3"
    assert pieces[0].reason == "Overfitting since epoch 4: val_loss rose from 0.35 to 0.455."
    assert pieces[1].reason.startswith(
        "High variance: the validation error is 10 points above the training error of 15000"
    )
    assert "Train on 30000 samples" in pieces[1].do


def test_advice_against_both_starts_with_the_larger_and_contradicts_itself_nowhere():
    spec = ModelSpec(hidden_units=(32,), dropout=0.3)
    equal = changes(spec, BOTH)
    assert equal[0] == {"hidden_units": (64,)}
    assert {"hidden_units": (16,)} not in equal
    assert {"dropout": 0.0} not in equal
    assert {"dropout": 0.5} in equal
    more_variance = advise(spec, diagnose_errors(0.1, 0.4))
    assert more_variance[0].action == "get more data"
    more_bias = advise(spec, diagnose_errors(0.4, 0.55))
    assert more_bias[0].action.startswith("make the network bigger")


def test_advice_raises_what_there_is_and_stops_where_there_is_enough():
    some = changes(ModelSpec(dropout=0.25, l2=0.002), VARIABLE)
    assert {"dropout": 0.5} in some
    assert {"l2": 0.006} in some
    assert not {"dropout", "l2", "patience"} & set(fields(ModelSpec(dropout=0.5, l2=0.01, patience=3), VARIABLE))
    # Dropout and the penalty act on hidden layers, which a linear model has not.
    assert fields(ModelSpec(architecture="linear"), VARIABLE) == ["get more data", "patience"]


def test_advice_does_not_stop_a_training_that_stops_itself():
    assert "epochs" not in fields(ModelSpec(patience=3), VARIABLE, OVERFITTING)


def test_advice_for_a_linear_model_is_a_hidden_layer():
    assert changes(ModelSpec(architecture="linear"), BIASED)[0] == {"architecture": "mlp", "hidden_units": (64,)}


def test_advice_knows_which_architecture_suits_the_data():
    assert "architecture" not in fields(ModelSpec(), BIASED)
    assert "architecture" not in fields(ModelSpec(), BIASED, problem=HOUSING)
    assert {"architecture": "convnet", "hidden_units": (16, 32)} in changes(ModelSpec(), BIASED, problem=MNIST)
    convnet = ModelSpec(architecture="convnet", hidden_units=(16, 32))
    assert "architecture" not in fields(convnet, BIASED, problem=MNIST)


def test_advice_leaves_out_a_layer_that_the_image_is_too_small_for():
    small = dataclasses.replace(MNIST, input_shape=(8, 8))
    spec = ModelSpec(architecture="convnet", hidden_units=(8, 8, 8))
    assert {"hidden_units": (8, 8, 8, 8)} in changes(spec, BIASED)
    assert {"hidden_units": (8, 8, 8, 8)} not in changes(spec, BIASED, problem=small)


def test_advice_after_a_divergence_starts_with_a_lower_rate():
    pieces = advise(ModelSpec(optimizer="sgd", loss="mse"), None, DIVERGED)
    assert [piece.change for piece in pieces] == [
        {"learning_rate": 0.001},
        {"loss": "auto"},
        {"optimizer": "rmsprop", "learning_rate": None},
        None,
    ]
    assert pieces[0].reason == "The loss left all bounds in epoch 2 at 0.01."
    assert advise(ModelSpec(), BIASED, DIVERGED)[0].change == {"learning_rate": 0.0001}


def test_advice_after_no_learning_is_the_checklist_in_order():
    spec = ModelSpec(
        last_activation="relu", loss="mse", optimizer="sgd", learning_rate=0.5, activation="sigmoid", l2=1.0
    )
    assert changes(spec, BIASED, STUCK) == [
        {"last_activation": "auto"},
        {"loss": "auto"},
        {"learning_rate": None},
        {"optimizer": "rmsprop", "learning_rate": None},
        {"learning_rate": 0.05},
        {"activation": "relu"},
        {"l2": 0.0},
        None,
    ]
    last = advise(spec, None, STUCK)[-1]
    assert "give the target as an input" in last.do


def test_advice_of_a_loss_that_still_falls_is_more_epochs_first():
    for errors in (BIASED, VARIABLE, BOTH, NEITHER, None):
        first = advise(ModelSpec(epochs=4), errors, IMPROVING)[0]
        assert first.change == {"epochs": 8}
        assert first.reason == "val_loss was still falling, to 0.3, after 4 epochs."


def test_advice_where_nothing_is_high_is_the_final_model():
    only = advise(ModelSpec(), NEITHER)
    assert [piece.action for piece in only] == ["go on to the final model"]
    assert only[0].reason == "Neither bias nor variance is high: the validation error is 1 %."
    assert fields(ModelSpec(), NEITHER, OVERFITTING) == ["epochs", "go on to the final model"]
    assert fields(ModelSpec(), None, SETTLED) == ["go on to the final model"]


def test_apply_refuses_advice_that_no_setting_follows():
    with pytest.raises(ValueError, match=r"No setting .* does this\. Received: advice to get more data\. Train on"):
        advise(ModelSpec(), VARIABLE)[0].apply(ModelSpec())
    with pytest.raises(TypeError, match="no such field"):
        Advice(action="nonsense", reason="none", change={"layers": 3}).apply(ModelSpec())


def test_advise_refuses_to_advise_on_nothing():
    with pytest.raises(ValueError, match=r"no diagnosis to advise on\. Received: error_diagnosis=None"):
        advise(ModelSpec(), None)


def test_advise_refuses_a_spec_that_cannot_have_been_trained():
    spec = ModelSpec(architecture="convnet", hidden_units=(16,))
    with pytest.raises(ValueError, match="A convnet needs images"):
        advise(spec, BOTH, problem=HOUSING)


def test_default_rates_are_those_of_keras():
    import keras

    assert set(DEFAULT_RATES) == set(OPTIMIZERS)
    for name, rate in DEFAULT_RATES.items():
        assert float(keras.optimizers.get(name).learning_rate.value) == pytest.approx(rate)


@pytest.mark.parametrize("problem", [MNIST, HOUSING], ids=lambda problem: problem.name)
def test_advice_can_be_built(problem):
    for piece in advise(ModelSpec(hidden_units=(8,)), BOTH, SETTLED, problem=problem):
        if piece.change is not None:
            model = build_model(piece.apply(ModelSpec(hidden_units=(8,))), problem)
            assert model.output_shape == (None, problem.outputs)
