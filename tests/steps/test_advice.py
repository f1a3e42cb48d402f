"""Advice: what is proposed after which run, in which order, and that every spec is valid and different."""

import dataclasses
import itertools
import math

import pytest

import recipe
from recipe.core.run import Run
from recipe.core.spec import DEFAULT_RATES, OPTIMIZERS, ModelSpec
from recipe.data.problems import find_problem
from recipe.engine.models import check_fit
from recipe.steps.s7_regularize import advise

MNIST, IMDB, HOUSING = find_problem("mnist"), find_problem("imdb"), find_problem("housing")
# Training and validation error, as shares.
BIASED, VARIABLE, BOTH, NEITHER = (0.15, 0.14), (0.01, 0.11), (0.15, 0.30), (0.005, 0.01)
# Training and validation loss.
OVERFITTING = ([0.6, 0.4, 0.3, 0.2, 0.1], [0.60, 0.40, 0.35, 0.41, 0.50])
IMPROVING = ([0.6, 0.4, 0.3, 0.2], [0.6, 0.5, 0.4, 0.3])
SETTLED = ([0.6, 0.3, 0.25, 0.249], [0.6, 0.4, 0.399, 0.3985])
DIVERGED = ([0.6, math.nan], [0.6, math.nan])
STUCK = ([2.3, 2.3, 2.3], [2.3, 2.3, 2.3])

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


def made(errors, losses, spec=None, problem=IMDB, samples=1000, val_samples=0):
    """A run with these errors, in every epoch, and these losses."""
    train, val = (1 - error if problem.type.is_classification else error for error in errors or (math.nan, math.nan))
    epochs = len(losses[0])
    history = {"data_loss": losses[0], "val_data_loss": losses[1]}
    history |= {problem.measure: [train] * epochs, "val_" + problem.measure: [val] * epochs}
    baseline = math.nan if problem.type.is_classification or errors is None else 1.0
    return Run(
        spec=spec or ModelSpec(),
        problem=problem,
        source="sample",
        protocol="",
        history=history,
        baseline=baseline,
        train_samples=samples,
        val_samples=val_samples,
    )


def changes(*arguments, **options):
    """What each piece changes; the title of those that change nothing."""
    run, found = made(*arguments, **options), []
    for piece in advise(run):
        asked, trained = (vars(spec or run.spec) for spec in (piece.spec, run.spec))
        found.append({name: asked[name] for name in asked if asked[name] != trained[name]} or piece.title)
    return found


def fields(*arguments, **options):
    return [change if isinstance(change, str) else next(iter(change)) for change in changes(*arguments, **options)]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.architecture}-{spec.optimizer}-{spec.epochs}")
def test_advise_gives_valid_and_different_specs(spec):
    losses = (OVERFITTING, IMPROVING, SETTLED, DIVERGED, STUCK)
    for errors, curves, problem in itertools.product((BIASED, VARIABLE, BOTH, None), losses, (MNIST, IMDB, HOUSING)):
        if {"convnet": "image", "embedding": "text"}.get(spec.architecture, problem.kind) != problem.kind:
            continue
        pieces = advise(made(errors, curves, spec, problem))
        changed = [piece.spec for piece in pieces if piece.spec is not None]
        assert pieces
        assert len({spec, *changed}) == 1 + len(changed)  # nothing twice, and not what there is
        for other in changed:
            check_fit(other, problem)
        assert all(any(character.isdigit() for character in piece.reason) for piece in pieces if errors)


def test_advise_is_to_stop_first_where_changes_seldom_gain_any_more():
    for errors, losses in ((NEITHER, SETTLED), (BIASED, SETTLED), (VARIABLE, OVERFITTING), (None, SETTLED)):
        first = advise(made(errors, losses, ModelSpec(dropout=0.25)))[0]
        assert (first.title, first.spec) == ("stop here", None)
        assert first.reason.startswith("This is about as good as it gets with dense 64, dropout 0.25, rmsprop. ")
        assert first.reason.endswith("then look at the test set once.")
    assert "validation error 1 %" in advise(made(NEITHER, SETTLED))[0].reason
    assert fields(NEITHER, OVERFITTING) == ["stop here", "patience", "epochs"]  # to stop earlier is no gain in itself


def test_advise_is_to_stop_first_where_the_error_is_as_good_as_the_reachable_one():
    falls = advise(made(NEITHER, IMPROVING))  # though the loss still falls
    assert [piece.title for piece in falls] == ["stop here", "train for 40 epochs", "raise the learning rate to 0.01"]
    few = advise(made((0.04, 0.03), IMPROVING, ModelSpec(l2=0.1), val_samples=100))[0]  # three answers of a hundred
    assert few.title == "stop here"
    assert "100 validation samples cannot tell that from the reachable error (95 % interval)." in few.reason
    assert advise(made((0.04, 0.03), IMPROVING, val_samples=1_000))[0].title == "train for 40 epochs"
    assert advise(made((0.14, 0.14), IMPROVING, val_samples=100), 0.1)[0].title == "stop here"
    assert advise(made(NEITHER, (OVERFITTING[0], [5.0] * 5)))[0].title == "check the data and its preparation"


def test_advise_against_high_bias_makes_the_model_stronger():
    spec = ModelSpec(hidden_units=(32, 32), dropout=0.5)
    assert changes(BIASED, SETTLED, spec, MNIST) == [
        "stop here",
        {"dropout": 0.0},
        {"hidden_units": (128, 128)},
        {"hidden_units": (32, 32, 32)},
        {"architecture": "convnet", "hidden_units": (16, 32)},
    ]
    bigger = advise(made(BIASED, SETTLED, spec, MNIST))[2]
    assert bigger.title == "make the network bigger: 128-128 units"
    assert bigger.reason == "Against the bias: the training error is 15 %."


@pytest.mark.parametrize("losses", [SETTLED, IMPROVING])
@pytest.mark.parametrize("units", [(2,), (8,), (64, 8)])
def test_advise_widens_narrow_layers_first(losses, units):
    first = changes(BIASED, losses, ModelSpec(hidden_units=units))[0]
    assert first == {"hidden_units": tuple(max(64, 4 * width) for width in units)}
    assert changes(VARIABLE, losses, ModelSpec(hidden_units=units))[0] != first
    linear = ModelSpec(architecture="linear")
    assert changes(BIASED, losses, linear, HOUSING)[0] == {"architecture": "mlp", "hidden_units": (64,)}


@pytest.mark.parametrize("losses", [SETTLED, IMPROVING, STUCK, DIVERGED])
def test_advise_lowers_a_rate_far_above_the_usual_one_first(losses):
    errors = None if losses is DIVERGED else BOTH
    assert changes(errors, losses, ModelSpec(learning_rate=0.5, hidden_units=(8,)))[0] == {"learning_rate": 0.01}
    first = advise(made(errors, losses, ModelSpec(optimizer="sgd", learning_rate=1.0)))[0]
    assert (first.spec.learning_rate, first.reason) == (0.1, "A learning rate of 1 is 100 times the usual one of sgd.")


def test_advise_of_a_loss_that_still_falls_is_larger_steps_or_more_epochs():
    def first_two(samples=1000, **spec):
        curves = (SETTLED[0], [0.60, 0.52, 0.45, 0.41])
        return changes(BOTH, curves, ModelSpec(epochs=4, **spec), samples=samples)[:2]

    assert first_two() == [{"learning_rate": 0.01}, {"epochs": 8}]
    assert first_two(samples=60_000) == [{"learning_rate": 0.003}, {"epochs": 8}]
    assert first_two(learning_rate=0.0003) == [{"learning_rate": 0.003}, {"epochs": 8}]
    assert first_two(learning_rate=0.00001) == [{"learning_rate": None}, {"epochs": 8}]
    assert first_two(learning_rate=0.0001, hidden_units=(2,), dropout=0.9)[0] == {"learning_rate": None}
    assert first_two(learning_rate=0.003) == [{"epochs": 8}, {"learning_rate": 0.009}]
    for errors in (BIASED, VARIABLE, BOTH, None):  # it fell by a third in the last epoch: it was cut short
        first = advise(made(errors, IMPROVING, ModelSpec(epochs=4, dropout=0.9)))[0]
        assert (first.spec.epochs, first.spec.learning_rate) == (8, None)
        assert first.reason == "val_data_loss was still falling, to 0.3, after 4 epochs."


@pytest.mark.parametrize(
    ("errors", "losses"), [(BIASED, SETTLED), (BOTH, OVERFITTING), ((0.10, 0.19), SETTLED), ((0.5, 0.5), STUCK)]
)
@pytest.mark.parametrize("spec", [ModelSpec(l2=0.1), ModelSpec(l1=0.1), ModelSpec(dropout=0.8)], ids=ModelSpec.describe)
def test_advise_names_too_strong_a_penalty_or_dropout_first(errors, losses, spec):
    run = made(errors, losses, spec)
    penalty = 0.0 if spec.dropout else run.history["data_loss"][-1] / 2
    run = dataclasses.replace(run, history=run.history | {"penalty": [penalty] * len(losses[0])})
    first, *others = advise(run)
    assert first.spec == spec.replace(dropout=0.0, l1=0.0, l2=0.0)
    assert ("dropout of 0.8" if spec.dropout else "penalty is 50% of the data loss") in first.reason
    assert first.spec not in [piece.spec for piece in others]


def test_advise_does_not_blame_a_mild_penalty_where_both_are_high():
    run = made(BOTH, SETTLED, ModelSpec(l2=0.001, dropout=0.3))
    run = dataclasses.replace(run, history=run.history | {"penalty": [0.01] * 4})
    assert "take the regularization away" not in [piece.title for piece in advise(run)]


def test_advise_against_high_variance_makes_the_model_weaker_or_the_data_more():
    spec = ModelSpec(hidden_units=(16, 16))
    assert changes(VARIABLE, OVERFITTING, spec, samples=15_000) == [
        "stop here",
        "get more data than 15,000 samples",
        {"dropout": 0.25},
        {"l2": 0.001},
        {"architecture": "embedding"},
        {"hidden_units": (8, 8)},
        {"patience": 2},
        {"epochs": 3},
    ]
    _, more, *_, last = advise(made(VARIABLE, OVERFITTING, spec, samples=15_000))
    assert more.reason == "Against the variance: the validation error is 11 %."
    assert (last.title, last.reason[:40]) == ("stop after epoch 3", "Overfitting since epoch 4: best in epoch")


def test_advise_against_both_starts_with_the_larger_and_contradicts_itself_nowhere():
    spec = ModelSpec(hidden_units=(32,), dropout=0.3)
    _, *equal = changes(BOTH, SETTLED, spec, HOUSING)
    assert equal[0] == {"hidden_units": (128,)}
    assert {"hidden_units": (16,)} not in equal
    assert {"dropout": 0.0} not in equal
    assert {"dropout": 0.5} in equal
    assert changes((0.1, 0.4), SETTLED, spec)[1] == "get more data than 1,000 samples"
    assert changes((0.4, 0.55), SETTLED, spec)[1] == {"hidden_units": (128,)}


def test_advise_raises_what_there_is_and_stops_where_there_is_enough():
    some = changes(VARIABLE, SETTLED, ModelSpec(dropout=0.25, l2=0.002), HOUSING)
    assert {"dropout": 0.5} in some
    assert {"l2": 0.006} in some
    enough = fields(VARIABLE, OVERFITTING, ModelSpec(dropout=0.5, l2=0.01, patience=3), HOUSING)
    assert not {"dropout", "l2", "patience", "epochs"} & set(enough)
    # Dropout and the penalty act on hidden layers, which a linear model has not.
    linear = ModelSpec(architecture="linear")
    assert fields(VARIABLE, SETTLED, linear, HOUSING) == ["stop here", "get more data than 1,000 samples"]


def test_advise_knows_which_architecture_suits_the_data():
    convnet = ModelSpec(architecture="convnet", hidden_units=(8, 8, 8))
    assert {"architecture": "convnet", "hidden_units": (16, 32)} in changes(BIASED, SETTLED, problem=MNIST)
    assert "architecture" not in fields(BIASED, SETTLED, problem=HOUSING) + fields(BIASED, SETTLED, convnet, MNIST)
    assert {"hidden_units": (8, 8, 8, 8)} in changes(BIASED, SETTLED, convnet, MNIST)
    small = dataclasses.replace(MNIST, input_shape=(8, 8))  # too small for one more layer
    assert {"hidden_units": (8, 8, 8, 8)} not in changes(BIASED, SETTLED, convnet, small)


def test_advise_after_a_divergence_starts_with_a_lower_rate():
    spec = ModelSpec(optimizer="sgd", loss="mse")
    assert changes(None, DIVERGED, spec) == [
        {"learning_rate": 0.001},
        {"loss": "auto"},
        {"optimizer": "rmsprop"},
        "check that inputs and targets are scaled",
    ]
    assert (
        advise(made(None, DIVERGED, spec))[0].reason
        == "The loss left all bounds in epoch 2 at a learning rate of 0.01."
    )


def test_advise_after_no_learning_is_the_checklist_in_order():
    spec = ModelSpec(
        last_activation="relu", loss="mse", optimizer="sgd", learning_rate=0.5, activation="sigmoid", l2=1.0
    )
    assert changes(BIASED, STUCK, spec) == [
        {"last_activation": "auto"},
        {"loss": "auto"},
        {"learning_rate": None},
        {"optimizer": "rmsprop", "learning_rate": None},
        {"learning_rate": 0.05},
        {"activation": "relu"},
        {"l2": 0.0},
        "check the data",
    ]
    assert "give the target as an input" in advise(made(BIASED, STUCK, spec))[-1].reason


def test_default_rates_are_those_of_keras():
    import keras

    assert set(DEFAULT_RATES) == set(OPTIMIZERS)
    for name, rate in DEFAULT_RATES.items():
        assert float(keras.optimizers.get(name).learning_rate.value) == pytest.approx(rate)


STRONG = ModelSpec(hidden_units=(64, 64), l2=0.3)
STRONGER = ModelSpec(hidden_units=(64, 64), l1=0.1, dropout=0.9)
IMPROVABLE = [
    ("housing", ModelSpec(hidden_units=(2,), batch_size=32), {"hidden_units": (64,)}),
    ("housing", ModelSpec(batch_size=32, learning_rate=0.00003), {"learning_rate": None}),
    ("mnist", ModelSpec(batch_size=32, l2=0.3), {"l2": 0.0}),
    ("mnist", ModelSpec(batch_size=32, learning_rate=0.003, epochs=2), {"epochs": 4}),
    ("imdb", STRONG, {"l2": 0.0}),
    ("imdb", STRONGER, {"l1": 0.0, "dropout": 0.0}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "spec", "change"), IMPROVABLE, ids=lambda value: value.describe() if isinstance(value, ModelSpec) else None
)
def test_the_first_piece_of_advice_improves_the_score_of_every_seed(name, spec, change):
    rows = {"imdb": 800, "mnist": 350, "housing": 400}[name]  # at 400 digits L2 of 0.3 ends just below a strong penalty
    prepared = recipe.prepare(recipe.hold_out(recipe.load(name, source="sample", rows=rows)))
    before = recipe.train_seeds(spec, prepared, range(3), journal=None)
    first = advise(before[0])[0]
    assert first.spec == spec.replace(**change)
    after = recipe.train_seeds(first.spec, prepared, range(3), journal=None)
    sign = 1 if recipe.MEASURES[prepared.problem.measure].higher_is_better else -1
    assert all(sign * (new.score - old.score) > 0 for old, new in zip(before, after, strict=True)), first.title
