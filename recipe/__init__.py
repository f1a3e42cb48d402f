"""Learn the universal workflow of deep learning, one step at a time.

The names that a notebook types are here, each imported on first use: `import recipe` alone loads neither Keras nor
Matplotlib, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

# JAX trains the kit's models two to three times as fast on a CPU as the other backends; a choice that stands is kept.
os.environ.setdefault("KERAS_BACKEND", "jax")

if TYPE_CHECKING:  # for editors, which do not run what is below
    from recipe.app.workflow import run_recipe
    from recipe.core.dataset import Dataset
    from recipe.core.measures import MEASURES
    from recipe.core.parameters import Range
    from recipe.core.prepared import Prepared
    from recipe.core.problem import LAST_LAYERS, Problem
    from recipe.core.run import Run
    from recipe.core.spec import ModelSpec
    from recipe.data.download import fetch
    from recipe.data.load import load
    from recipe.debugging import check_pipeline
    from recipe.debugging.faults import FAULTS, make_pipeline
    from recipe.debugging.mistakes import find_mistakes
    from recipe.engine.codegen import keras_code
    from recipe.engine.models import build_model
    from recipe.figures.training import plot_runs
    from recipe.journal import Journal
    from recipe.search import tune
    from recipe.search.space import SearchSpace
    from recipe.steps.s1_problem import describe_target
    from recipe.steps.s2_measure import suggest_measure
    from recipe.steps.s3_checks import find_duplicates, same_distribution
    from recipe.steps.s3_protocol import hold_out, k_fold, time_folds
    from recipe.steps.s4_prepare import prepare
    from recipe.steps.s5_baseline import compute_baseline, statistical_power
    from recipe.steps.s6_scale_up import diagnose_errors, diagnose_history
    from recipe.steps.s7_final import evaluate_once, train_final
    from recipe.steps.s7_regularize import advise
    from recipe.steps.s7_saving import load_model, save_model
    from recipe.steps.training import cross_validate, train, train_seeds
    from recipe.ui.training import TrainingPanel

__version__ = "0.1.0"

_HOMES = {
    "core.dataset": ("Dataset",),
    "core.measures": ("MEASURES",),
    "core.prepared": ("Prepared",),
    "core.problem": (
        "LAST_LAYERS",
        "Problem",
    ),
    "core.run": ("Run",),
    "core.spec": ("ModelSpec",),
    "data.download": ("fetch",),
    "data.load": ("load",),
    "journal": ("Journal",),
    "engine.codegen": ("keras_code",),
    "engine.models": ("build_model",),
    "steps.s1_problem": ("describe_target",),
    "steps.s2_measure": ("suggest_measure",),
    "steps.s3_checks": ("find_duplicates", "same_distribution"),
    "steps.s3_protocol": (
        "hold_out",
        "k_fold",
        "time_folds",
    ),
    "steps.s4_prepare": ("prepare",),
    "steps.s5_baseline": (
        "compute_baseline",
        "statistical_power",
    ),
    "steps.s6_scale_up": (
        "diagnose_errors",
        "diagnose_history",
    ),
    "steps.s7_final": (
        "evaluate_once",
        "train_final",
    ),
    "steps.s7_regularize": ("advise",),
    "steps.s7_saving": (
        "load_model",
        "save_model",
    ),
    "steps.training": (
        "cross_validate",
        "train",
        "train_seeds",
    ),
    "search": ("tune",),
    "core.parameters": ("Range",),
    "search.space": ("SearchSpace",),
    "debugging": ("check_pipeline",),
    "debugging.faults": (
        "FAULTS",
        "make_pipeline",
    ),
    "debugging.mistakes": ("find_mistakes",),
    "figures.training": ("plot_runs",),
    "ui.training": ("TrainingPanel",),
    "app.workflow": ("run_recipe",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "FAULTS",
    "LAST_LAYERS",
    "MEASURES",
    "Dataset",
    "Journal",
    "ModelSpec",
    "Prepared",
    "Problem",
    "Range",
    "Run",
    "SearchSpace",
    "TrainingPanel",
    "__version__",
    "advise",
    "build_model",
    "check_pipeline",
    "compute_baseline",
    "cross_validate",
    "describe_target",
    "diagnose_errors",
    "diagnose_history",
    "evaluate_once",
    "fetch",
    "find_duplicates",
    "find_mistakes",
    "hold_out",
    "k_fold",
    "keras_code",
    "load",
    "load_model",
    "make_pipeline",
    "plot_runs",
    "prepare",
    "run_recipe",
    "same_distribution",
    "save_model",
    "statistical_power",
    "suggest_measure",
    "time_folds",
    "train",
    "train_final",
    "train_seeds",
    "tune",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'recipe' has no attribute {name!r}. It has: {', '.join(sorted(_HOME_OF))}.")
    return getattr(importlib.import_module(f"recipe.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
