"""Specs as Optuna's parameters and back, and what a space allows."""

import optuna
import pytest
from optuna.distributions import check_distribution_compatibility
from optuna.trial import create_trial

from recipe.core.parameters import distribution_of
from recipe.core.spec import ARCHITECTURES, OPTIMIZERS, ModelSpec
from recipe.data.problems import PROBLEMS, find_problem
from recipe.engine.models import check_fit
from recipe.search.sampler import DIGITS, make_sampler
from recipe.search.space import Range, SearchSpace, default_space, from_params, to_params

SPECS = [
    ModelSpec(),
    ModelSpec(architecture="linear", learning_rate=0.3, optimizer="sgd"),
    ModelSpec(hidden_units=(3, 4, 5), dropout=0.5, l1=0.1, l2=1e-6, activation="tanh", epochs=700),
    ModelSpec(architecture="convnet", hidden_units=(16, 32), batch_size=1),
    ModelSpec(architecture="embedding", hidden_units=(16, 16), optimizer="adam", learning_rate=0.02),
]
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


def quiet_study(**settings):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(**settings)


def draw(space, count=40, seed=0):
    study = quiet_study(direction="maximize", sampler=make_sampler(space, seed))
    specs = []
    for number in range(count):
        trial = study.ask()
        specs.append(space.suggest(trial))
        study.tell(trial, number % 7)
    return specs, study


@pytest.mark.parametrize("spec", SPECS, ids=ModelSpec.to_text)
def test_params_give_the_spec_back(spec):
    params, distributions = to_params(spec)
    assert from_params(params) == spec
    assert from_params(params, spec.replace(seed=3, patience=2)) == spec.replace(seed=3, patience=2)
    create_trial(params=params, distributions=distributions, value=0.5)  # refuses what a distribution does not hold


def test_params_leave_out_what_has_no_effect():
    assert not {"layers", "units_1", "activation", "dropout", "l1_on"} & set(to_params(SPECS[1])[0])
    assert {"l1_on", "l2_on"} <= set(to_params(SPECS[0])[0])
    assert not {"l1", "l2"} & set(to_params(SPECS[0])[0])


def test_params_name_the_optimizers_usual_rate():
    assert to_params(ModelSpec(optimizer="sgd"))[0]["learning_rate"] == 0.01
    assert from_params(to_params(ModelSpec(learning_rate=0.001))[0]) == ModelSpec()


@pytest.mark.parametrize(
    "changes",
    [{"hidden_units": (8,) * 9}, {"dropout": 0.995}, {"l2": 1e-20}, {"loss": "mse"}, {"last_activation": "softmax"}],
    ids=str,
)
def test_params_are_empty_where_no_study_holds_the_spec(changes):
    assert to_params(ModelSpec(**changes)) == ({}, {})


def test_trials_by_hand_and_by_search_fit_in_one_study():
    specs, study = draw(WIDE, 20)
    searched = [trial.distributions for trial in study.trials]
    for spec in (*SPECS, *specs):
        for name, distribution in to_params(spec)[1].items():
            for other in searched:
                if name in other:
                    check_distribution_compatibility(other[name], distribution)
    for spec in SPECS:
        params, distributions = to_params(spec)
        study.add_trial(create_trial(params=params, distributions=distributions, value=1.0))
    trial = study.ask()
    WIDE.suggest(trial)
    study.tell(trial, 1.0)


def test_suggest_keeps_to_the_space_and_uses_all_of_it():
    specs, _ = draw(WIDE, 60)
    mlps = [spec for spec in specs if spec.architecture == "mlp"]
    assert {spec.architecture for spec in specs} == {"mlp", "linear"}
    assert {len(spec.hidden_units) for spec in mlps} == {1, 2, 3, 4}
    assert {units for spec in mlps for units in spec.hidden_units} == {8, 32, 128}
    assert {spec.activation for spec in mlps} == {"relu", "tanh"}
    assert {spec.l1 for spec in mlps} == {0.0, 1e-4}
    assert {spec.optimizer for spec in specs} == {"adam", "sgd"}
    assert {spec.batch_size for spec in specs} == {16, 64}
    assert all(0 <= spec.dropout <= 0.5 and 3 <= spec.epochs <= 9 for spec in specs)
    assert any(spec.l2 == 0 for spec in mlps)
    assert all(1e-6 <= spec.l2 <= 1e-2 for spec in mlps if spec.l2)
    rates = [spec.learning_rate for spec in specs if spec.learning_rate is not None]
    assert all(1e-4 <= rate <= 1e-1 and rate == float(f"{rate:.{DIGITS}g}") for rate in rates)


def test_suggest_leaves_the_base_where_nothing_varies():
    base = ModelSpec(hidden_units=(16, 8), l2=0.001, optimizer="adam", seed=3, patience=4)
    specs, study = draw(SearchSpace(base=base), 3)
    assert specs == [base] * 3
    assert study.trials[0].params == to_params(base)[0]


def test_suggest_gives_a_new_layer_the_units_of_the_bases_last_one():
    specs, _ = draw(SearchSpace(base=ModelSpec(hidden_units=(32, 16)), layers=(4,)), 1)
    assert specs[0].hidden_units == (32, 16, 16, 16)


def test_suggest_takes_filters_for_a_convnet_alone():
    space = SearchSpace(architecture=("mlp", "convnet"), units=(256, 512), filters=(8, 16))
    specs, _ = draw(space, 30)
    units = {name: {s.hidden_units[0] for s in specs if s.architecture == name} for name in ("mlp", "convnet")}
    assert units == {"mlp": {256, 512}, "convnet": {8, 16}}


def test_suggest_refuses_what_another_sampler_draws_outside_the_space():
    space = SearchSpace(units=(8, 1024))
    trial = quiet_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    with pytest.raises(
        ValueError, match=r"does not hold. Received: units_1=\d+, allowed: 8, 1024. Make the study with"
    ):
        space.suggest(trial)


def test_sampler_draws_the_same_after_the_same_trials():
    assert draw(WIDE, 9)[0] == draw(WIDE, 9)[0] != draw(WIDE, 9, seed=1)[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": Range(0.0, 1.0)}, r"dropout cannot be searched so. .*Allowed: numbers from 0 to 0.99, as Range"),
        ({"units": (0, 8)}, r"units=\(0, 8\). Allowed: whole numbers from 1 to 65536"),
        ({"units": (2.5,)}, r"units=\(2.5,\). Allowed: whole numbers"),
        ({"layers": Range(1, 9)}, r"layers=Range\(low=1, high=9\). Allowed: whole numbers from 1 to 8"),
        ({"layers": Range(3, 1)}, r"layers=Range\(low=3, high=1\)"),
        ({"l2": Range(0.0, 0.1)}, r"l2=Range\(low=0.0, high=0.1\). Allowed: numbers from 1e-12 to 100"),
        ({"activation": "relu"}, r"activation='relu'. Allowed: relu, tanh"),
        ({"optimizer": ("adam", "lion")}, r"optimizer=\('adam', 'lion'\). Allowed: rmsprop, adam"),
        ({"epochs": ()}, r"epochs=\(\)"),
        ({"learning_rate": 0.1}, r"learning_rate=0.1. Allowed: numbers"),
        ({"learning_rate": (float("nan"),)}, r"learning_rate=\(nan,\)"),
        ({"units": ("8",)}, r"units=\('8',\)"),
        ({"base": ModelSpec(loss="mse")}, r"No study holds the base: .*Received: base='loss=mse'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_space_refuses_what_no_study_holds(changes, message):
    with pytest.raises(ValueError, match=message):
        SearchSpace(**changes)


def test_space_takes_lists_and_says_what_varies():
    space = SearchSpace(units=[8, 16], optimizer=["adam"], l2=Range(1e-4, 1e-2))
    assert space.varied == ("units", "l2")
    assert hash(space) == hash(SearchSpace(units=(8, 16), optimizer=("adam",), l2=Range(1e-4, 1e-2)))


@pytest.mark.parametrize("name", sorted(PROBLEMS))
@pytest.mark.parametrize("samples", [200, 5_000, 48_000])
def test_default_space_suits_its_problem(name, samples):
    problem = find_problem(name)
    space = default_space(problem, samples)
    assert "learning_rate" in space.varied
    assert space.base.patience
    specs, _ = draw(space, 8)
    for spec in specs:
        check_fit(spec, problem)
        assert to_params(spec)[0]


def test_distributions_hold_every_name_of_a_spec():
    assert distribution_of("architecture").choices == ARCHITECTURES
    assert distribution_of("optimizer").choices == OPTIMIZERS
