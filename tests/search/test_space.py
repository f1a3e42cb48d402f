"""What a space allows: what Optuna draws from it, and how a spec made elsewhere is a trial in it."""

from __future__ import annotations

import optuna
import pytest

from recipe.core.spec import ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.models import check_fit
from recipe.search.space import Range, SearchSpace, default_space

WIDE = SearchSpace(
    architecture=("mlp", "linear"),
    layers=Range(1, 4),
    units=(8, 32, 128),
    activation=("relu", "tanh"),
    dropout=Range(0.0, 0.5),
    l1=(0.0, 1e-4),
    l2=Range(1e-6, 1e-2),
    optimizer=("adam", "sgd"),
    learning_rate=Range(1e-4, 1e-1),
    batch_size=(16, 64),
    epochs=Range(3, 9),
)


def draw(space: SearchSpace, count: int = 40) -> tuple[list[ModelSpec], optuna.Study]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    specs = []
    for number in range(count):
        trial = study.ask(space.distributions)
        specs.append(space.to_spec(trial.params))
        study.tell(trial, number % 7)
    return specs, study


def test_to_spec_keeps_to_the_space_and_uses_all_of_it():
    specs, _ = draw(WIDE, 80)
    mlps = [spec for spec in specs if spec.architecture == "mlp"]
    assert {spec.architecture for spec in specs} == {"mlp", "linear"}
    assert {len(spec.hidden_units) for spec in mlps} == {1, 2, 3, 4}
    assert {units for spec in mlps for units in spec.hidden_units} == {8, 32, 128}
    assert {spec.activation for spec in mlps} == {"relu", "tanh"}
    assert {spec.l1 for spec in mlps} == {0.0, 1e-4}
    assert {spec.optimizer for spec in specs} == {"adam", "sgd"}
    assert {spec.batch_size for spec in specs} == {16, 64}
    assert all(0 <= spec.dropout <= 0.5 and 3 <= spec.epochs <= 9 for spec in specs)
    assert all(1e-6 <= spec.l2 <= 1e-2 for spec in mlps)
    assert {(spec.dropout, spec.l2) for spec in specs if spec.architecture == "linear"} == {(0.0, 0.0)}  # the base's
    assert all(1e-4 <= spec.learning_rate <= 1e-1 for spec in specs)
    assert all(spec.learning_rate == float(f"{spec.learning_rate:.3g}") for spec in specs)


def test_to_spec_leaves_the_base_where_nothing_varies_and_gives_a_new_layer_the_units_of_its_last_one():
    base = ModelSpec(hidden_units=(16, 8), l2=0.001, optimizer="adam", seed=3, patience=4)
    assert draw(SearchSpace(base=base), 3)[0] == [base] * 3
    assert draw(SearchSpace(base=base, layers=(4,)), 1)[0][0].hidden_units == (16, 8, 8, 8)


def test_to_spec_takes_filters_for_a_convnet_alone():
    space = SearchSpace(architecture=("mlp", "convnet"), units=(256, 512), filters=(8, 16))
    specs, _ = draw(space, 30)
    units = {name: {s.hidden_units[0] for s in specs if s.architecture == name} for name in ("mlp", "convnet")}
    assert units == {"mlp": {256, 512}, "convnet": {8, 16}}


def test_to_params_is_what_was_drawn():
    specs, study = draw(WIDE)
    for spec, trial in zip(specs, study.trials, strict=True):
        if spec.architecture == "mlp":
            params, drawn = WIDE.to_params(spec), dict(trial.params)
            for layer in range(len(spec.hidden_units) + 1, WIDE.most_layers + 1):  # which this network does not have
                del drawn[f"units_{layer}"]
            drawn |= {name: pytest.approx(value, rel=1e-2) for name, value in drawn.items() if isinstance(value, float)}
            assert params == drawn


def test_to_params_leaves_out_what_lies_outside_of_the_space():
    params = WIDE.to_params(ModelSpec(hidden_units=(8, 10), dropout=0.9, optimizer="adam", learning_rate=0.01))
    assert (params["units_1"], params["layers"], params["learning_rate"], params["l1"]) == (8, 2, 0.01, 0.0)
    assert not {"units_2", "dropout", "l2", "batch_size"} & set(params)
    assert WIDE.to_params(ModelSpec(loss="mse")) == {}  # nothing can be learned from it


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": Range(0.0, 1.0)}, r"dropout cannot be searched so\. Received: dropout=.* out of range"),
        ({"units": (0, 8)}, r"units=\(0, 8\)\..*hidden_units is out of range"),
        ({"units": (2.5,)}, r"units=\(2.5,\)\..*must be a whole number"),
        ({"layers": Range(0, 2)}, r"layers=Range\(low=0, high=2\)"),
        ({"l2": Range(0.0, 0.1)}, r"l2=Range\(low=0.0, high=0.1\)\..*`low > 0` must hold for `log=True`"),
        ({"activation": "relu"}, r"activation='relu'\. Give Range\(low, high\), or a tuple"),
        ({"activation": Range(0, 1)}, r"no such activation. Received: activation=0"),
        ({"optimizer": ("adam", "lion")}, r"There is no such optimizer. Received: optimizer='lion'"),
        ({"epochs": ()}, r"epochs=\(\)\. .*one or more elements"),
        ({"learning_rate": 0.1}, r"learning_rate=0.1\. Give Range"),
        ({"units": Range(3, 1)}, r"units=Range\(low=3, high=1\)"),
        ({"dropout": Range("a", 1)}, r"dropout=Range\(low='a', high=1\)"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_space_refuses_what_no_spec_can_have(changes, message):
    with pytest.raises(ValueError, match=message):
        SearchSpace(**changes)


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_default_space_suits_its_problem(name):
    problem = find_problem(name)
    space = default_space(problem, 48_000)
    assert "learning_rate" in space.distributions
    assert space.base.patience
    for spec in draw(space, 8)[0]:
        check_fit(spec, problem)
