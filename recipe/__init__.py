"""Learn the universal workflow of deep learning, one step at a time.

The names that a notebook types are here, each imported on first use: `import recipe` alone loads neither Keras nor
Matplotlib, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import TYPE_CHECKING

from recipe.core.xla import compile_in_less_time

# JAX trains the kit's models two to three times as fast on a CPU as the other backends; a choice that stands is kept.
os.environ.setdefault("KERAS_BACKEND", "jax")
compile_in_less_time()

if TYPE_CHECKING:  # for editors; Python reads these lines as text, below
    from recipe.app.own_data import from_arrays as from_arrays, from_folder as from_folder, from_table as from_table
    from recipe.app.workflow import run_recipe as run_recipe
    from recipe.core.dataset import Dataset as Dataset
    from recipe.core.measures import MEASURES as MEASURES
    from recipe.core.prepared import Prepared as Prepared
    from recipe.core.problem import LAST_LAYERS as LAST_LAYERS, Problem as Problem
    from recipe.core.run import Run as Run
    from recipe.core.spec import ModelSpec as ModelSpec
    from recipe.data.files import fetch as fetch
    from recipe.data.load import load as load
    from recipe.debugging.pipeline import check_pipeline as check_pipeline
    from recipe.debugging.faults import FAULTS as FAULTS, make_pipeline as make_pipeline
    from recipe.debugging.mistakes import find_mistakes as find_mistakes
    from recipe.engine.codegen import keras_code as keras_code
    from recipe.engine.models import build_model as build_model
    from recipe.engine.saving import load_model as load_model, save_model as save_model
    from recipe.figures.training import plot_runs as plot_runs
    from recipe.journal import Journal as Journal
    from recipe.search.space import Range as Range, SearchSpace as SearchSpace
    from recipe.search.tuning import tune as tune
    from recipe.data.targets import describe_target as describe_target, suggest_measure as suggest_measure
    from recipe.debugging.splits import find_duplicates as find_duplicates, same_distribution as same_distribution
    from recipe.steps.s3_protocol import hold_out as hold_out, k_fold as k_fold, time_folds as time_folds
    from recipe.steps.s4_prepare import prepare as prepare
    from recipe.steps.s5_baseline import compute_baseline as compute_baseline, statistical_power as statistical_power
    from recipe.steps.s6_scale_up import diagnose_errors as diagnose_errors, diagnose_history as diagnose_history
    from recipe.steps.s7_final import evaluate_once as evaluate_once, train_final as train_final
    from recipe.steps.s7_regularize import advise as advise
    from recipe.steps.training import cross_validate as cross_validate, train as train, train_seeds as train_seeds
    from recipe.ui.training import TrainingPanel as TrainingPanel

__version__ = "0.1.0"

if "jax" in sys.modules:  # plain Keras before the first training of the kit: it gets on with less memory, too
    importlib.import_module("recipe.engine.compile_cache").forget_sources()

# One table for both: a name has to stand in one line of the imports above, and nowhere else.
_IMPORTS = re.findall(r"^    from (recipe\.\S+) import (.+)$", __spec__.loader.get_source(__name__), re.MULTILINE)
_HOME_OF = {name: home for home, names in _IMPORTS for name in re.findall(r"(\w+) as", names)}
__all__ = [*_HOME_OF, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'recipe' has no attribute {name!r}. It has: {', '.join(_HOME_OF)}.")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
