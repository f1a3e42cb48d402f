"""What the public doors gave before the package was rebuilt, and give still: the same numbers from the same seeds.

`public_doors.json` was recorded once, on JAX and two cores; again, where the samples of digits and reviews changed,
for these. Other processors round otherwise, so numbers are compared to a part in a hundred; best epochs and specs
exactly.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import recipe

RECORDED = json.loads((Path(__file__).parent / "public_doors.json").read_text(encoding="utf-8"))


def _close(found: dict[str, float], recorded: dict[str, float]) -> bool:
    return {name: found[name] for name in recorded} == pytest.approx(recorded, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("name", RECORDED["trainings"])
def test_train_gives_the_recorded_history(name):
    recorded = RECORDED["trainings"][name]
    dataset = recipe.load(recorded["problem"], source="sample", rows=recorded["rows"])
    prepared = recipe.prepare(recipe.hold_out(dataset), **recorded["prepare"])
    run = recipe.train(recipe.ModelSpec(**recorded["spec"]), prepared, journal=None)
    assert (run.epochs, run.best_epoch, run.stopped) == tuple(
        recorded[key] for key in ("epochs", "best_epoch", "stopped")
    )
    assert _close({key: curve[0] for key, curve in run.history.items()}, recorded["first"])
    assert _close({key: curve[-1] for key, curve in run.history.items()}, recorded["last"])


def test_cross_validate_gives_the_recorded_errors():
    folds = recipe.k_fold(recipe.load("housing", source="sample", rows=300))
    spec = recipe.ModelSpec(hidden_units=(16,), epochs=10, batch_size=16)
    runs = recipe.cross_validate(spec, folds, journal=None)
    assert [run.history["val_mae"][-1] for run in runs] == pytest.approx(RECORDED["folds"], rel=1e-2)


@pytest.mark.parametrize("name", RECORDED["searches"])
def test_tune_tries_the_recorded_specs_and_finds_the_same_best(name):
    recorded = RECORDED["searches"][name]
    space = recipe.SearchSpace(
        base=recipe.ModelSpec(hidden_units=(16,), epochs=4), units=(8, 16, 32), learning_rate=recipe.Range(1e-3, 1e-2)
    )
    dataset = recipe.load(name, source="sample", rows=recorded["rows"])
    found = recipe.tune(dataset, space, 4, journal=None, seed=1, pruning=False)
    assert [run.spec.to_dict() for run in found.new] == recorded["trials"]
    assert found.best.spec.to_dict() == recorded["best"]
    assert found.best.score == pytest.approx(recorded["score"], rel=1e-2)
