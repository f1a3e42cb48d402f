"""The whole matrix: every fault is found by its check, on every problem, and no check fires on a sound pipeline."""

from __future__ import annotations

import numpy as np
import pytest
from examples import Example
from fixes import FIXES

import recipe
from recipe.debugging.faults import FAULTS, faults_of, make_pipeline
from recipe.debugging.pipeline import check_pipeline
from recipe.lessons.s8_debug.fault_game import train_copy

PROBLEMS = ("mnist", "imdb", "housing")
SEEDS = (0, pytest.param(1, marks=pytest.mark.slow))


@pytest.fixture(scope="module", params=PROBLEMS)
def dataset(request):
    rows = {"mnist": 1_000, "imdb": 750, "housing": 1_000}[request.param]
    return recipe.load(request.param, source="sample", rows=rows)


def check(pipeline, **options):
    return check_pipeline(pipeline.model, *pipeline.arrays, problem=pipeline.problem, seed=pipeline.seed, **options)


@pytest.mark.parametrize("seed", [*SEEDS, pytest.param(2, marks=pytest.mark.slow)])
def test_no_check_fires_on_a_sound_pipeline(dataset, seed):
    report = check(make_pipeline(dataset, seed=seed))
    assert [one.sentence for one in report.failed] == []
    assert sum(one.passed for one in report.checks) >= 22


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_by_its_check_whose_advice_leads_to_a_check_that_passes(dataset, fault, seed):
    problem = dataset.problem
    if fault not in faults_of(problem):
        with pytest.raises(ValueError, match=rf"No such fault can break .*Received: fault='{fault}'"):
            make_pipeline(dataset, fault)
        return
    pipeline, name = make_pipeline(dataset, fault, seed=seed), FAULTS[fault].check_for(problem)
    found = check(pipeline, checks=[name])[name]
    assert found.failed, found
    x, y, x_val, y_val = pipeline.arrays
    example = Example(model=pipeline.model, x=x, y=y, x_val=x_val, y_val=y_val)
    if fault in FIXES:
        FIXES[fault](example, found.cause)
    else:
        x, y, x_val, y_val = make_pipeline(dataset, seed=seed).arrays
        example = Example(model=pipeline.model, x=x, y=y, x_val=x_val, y_val=y_val)
    mended = recipe.check_pipeline(example.model, *example.arrays, problem=pipeline.problem, seed=seed, checks=[name])
    assert mended[name].passed, f"{found.cause} Afterwards: {mended[name]}"


@pytest.mark.real_data
@pytest.mark.parametrize("base", PROBLEMS)
def test_matrix_holds_on_the_real_data(base, real_data):
    dataset = recipe.load(base, source="local", rows=None if base == "housing" else 2_500)
    assert [one.sentence for one in check(make_pipeline(dataset)).failed] == []
    for fault in faults_of(dataset.problem):
        found = check(make_pipeline(dataset, fault), checks=[FAULTS[fault].check_for(dataset.problem)]).checks[0]
        assert found.failed, f"{fault}: {found.sentence}"


@pytest.mark.parametrize("fault", ["labels_out_of_step", "rate_too_low", "dead_units", "dropout_too_strong"])
def test_fault_costs_what_can_be_learned(dataset, fault):
    broken, sound = (train_copy(make_pipeline(dataset, name)) for name in (fault, None))
    assert min(broken["val_data_loss"]) > 1.1 * min(sound["val_data_loss"])


def test_leak_makes_the_validation_loss_too_good():
    dataset = recipe.load("imdb", source="sample", rows=750)
    honest, leaked = (train_copy(make_pipeline(dataset, name)) for name in (None, "leak"))
    assert leaked["val_data_loss"][-1] < 0.9 * honest["val_data_loss"][-1]


def test_same_seed_makes_the_same_pipeline(dataset):
    one, two, other = (make_pipeline(dataset, "labels_out_of_step", seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one.arrays, two.arrays, strict=True))
    assert not np.array_equal(one.y_train, other.y_train)
    for a, b in zip(one.model.get_weights(), two.model.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_history_is_that_of_the_model_and_leaves_it_alone():
    pipeline = make_pipeline(recipe.load("housing", source="sample", rows=300))
    before = pipeline.model.get_weights()
    history = train_copy(pipeline, epochs=2)
    assert all(np.array_equal(a, b) for a, b in zip(before, pipeline.model.get_weights(), strict=True))
    assert list(history) == ["data_loss", "val_data_loss", "mae", "val_mae"]
    assert len(history["mae"]) == 2


def test_make_pipeline_takes_any_dataset_by_its_kind_and_type():
    fives = recipe.load("mnist_five", source="sample", rows=300)
    for fault in faults_of(fives.problem):
        pipeline = make_pipeline(fives, fault)
        name = FAULTS[fault].check_for(pipeline.problem)
        if name in ("labels", "last activation", "loss", "input scale", "frozen layers", "duplicates"):
            assert check(pipeline, checks=[name]).failed
