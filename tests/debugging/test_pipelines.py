"""Pipelines as people write them: no check fails on a sound one, and the cause of a broken one is named."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from recipe.debugging.pipeline import check_pipeline

sys.path.insert(0, str(Path(__file__).parent))
from examples import BROKEN, SOUND

QUICK = {
    "classes_one_hot_with_label_smoothing",
    "logits_of_two_classes",
    "hinge_with_tanh",
    "counts_with_poisson",
    "iris",
    "everything_of_ones_own",
    "subclassed_model_not_built",
    "bidirectional_lstm",
    "autoencoder_of_pixels",
    "two_inputs_by_name_one_of_words",
}


# Of some 3,000 checks of sound pipelines a few fail by chance (docs/checks.md counts how many): in these draws.
BY_CHANCE = {
    ("breast_cancer", 0): ["validation targets"],
    ("forty_rows", 0): ["shuffled labels"],
    ("two_outputs_by_name", 0): ["size: initial loss"],
}


def check(example, seed=0, **options):
    return check_pipeline(example.model, *example.arrays, fit=example.fit, seed=seed, **options)


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=[] if name in QUICK and seed == 0 else [pytest.mark.slow])
        for name in SOUND
        for seed in range(3)
    ],
)
def test_no_check_fails_on_a_sound_pipeline_of_any_kind_but_by_chance(name, seed):
    example = SOUND[name](seed)
    before = [np.array(variable) for variable in example.model.variables] if example.model.built else []
    report = check(example, seed)
    assert [one.name for one in report.failed] == BY_CHANCE.get((name, seed), []), report.failed
    assert sum(one.passed for one in report.checks) > len(report.checks) / 2
    assert not any("cannot read such a model" in one.found for one in report.checks)
    assert all(map(np.array_equal, before, example.model.variables))


@pytest.mark.parametrize("name", BROKEN)
def test_the_cause_of_a_broken_pipeline_is_named_and_its_advice_leads_to_a_check_that_passes(name):
    fault = BROKEN[name]
    example = fault.build(0)
    found = check(example, checks=[fault.check])[fault.check]
    assert found.failed, found
    assert fault.says in found.text
    if fault.fix is None:  # the rows that belong together are gone
        return
    fault.fix(example, found.text)
    mended = check(example, checks=[fault.check])[fault.check]
    assert mended.passed, f"{found.cause} Afterwards: {mended}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", BROKEN)
def test_no_other_check_gives_wrong_advice(name, seed):
    fault = BROKEN[name]
    # Where nothing is wrong to say, it is the right check that must fail; the order of rows alone explains others away.
    report = check(fault.build(seed), seed, checks=None if fault.never else ["order of rows", fault.check])
    assert report[fault.check].failed
    said = " ".join(one.text for one in report.failed).lower()
    assert [words for words in fault.never if words.lower() in said] == []


def test_what_sorted_rows_explain_is_no_finding_of_its_own():
    report = check(BROKEN["sorted_rows_with_validation_split"].build(0))
    assert [one.name for one in report.failed] == ["order of rows"]
    assert report["validation targets"].found.endswith('explained by another check: see "order of rows".')
