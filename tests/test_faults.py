"""The whole matrix: every fault is found by its check, on every problem, and no check fires on a sound pipeline."""

from __future__ import annotations

import pytest

import recipe
from recipe.debugging import check_pipeline
from recipe.faults import FAULTS, make_pipeline
from recipe.pipelines import BASES

SEEDS = (0, 1)


@pytest.fixture(scope="module", params=BASES)
def dataset(request):
    rows = {"mnist": 1_000, "imdb": 750, "housing": 1_000}[request.param]
    return recipe.load(request.param, source="sample", rows=rows)


def check(pipeline, **options):
    return check_pipeline(pipeline.model, *pipeline.arrays, problem=pipeline.problem, seed=pipeline.seed, **options)


@pytest.mark.parametrize("seed", [*SEEDS, 2])
def test_no_check_fires_on_a_sound_pipeline(dataset, seed):
    report = check(make_pipeline(dataset, seed=seed))
    assert [one.sentence for one in report.failed] == []
    assert sum(one.passed for one in report.checks) >= 22


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_found_by_its_check(dataset, fault):
    base = dataset.problem.base
    if base not in FAULTS[fault].problems:
        with pytest.raises(ValueError, match=rf"This fault breaks only .*Received: fault='{fault}' for {base}"):
            make_pipeline(dataset, fault)
        return
    name = FAULTS[fault].check_for(base)
    for seed in SEEDS:
        pipeline = make_pipeline(dataset, fault, seed=seed)
        found = check(pipeline, checks=[name]).checks[0]
        assert found.failed, found.sentence
        assert found.cause
        assert pipeline.fault == fault
