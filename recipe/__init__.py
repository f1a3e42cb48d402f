"""Learn the universal workflow of deep learning, one step at a time.

Everything public is here under its own name and is imported on first use: `import recipe` alone loads neither Keras
nor Matplotlib, so that the command line answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

# JAX trains the kit's models two to three times as fast on a CPU as the other backends; a choice that stands is kept.
os.environ.setdefault("KERAS_BACKEND", "jax")

__version__ = "0.1.0"

_HOMES = {
    "problems": ("Problem", "ProblemType", "LastLayer", "LAST_LAYERS", "PROBLEMS", "find_problem"),
    "datasets": ("Dataset", "SealedTest", "load"),
    "data.reviews": ("Reviews",),
    "data.fetch": ("fetch",),
    "measures.suggest": ("Suggestion", "suggest_measure"),
    "measures": ("MEASURES", "Measure"),
    "measures.confusion": ("Confusion", "count_answers"),
    "measures.thresholds": ("PrecisionRecall", "ThresholdReport", "judge_threshold", "precision_recall", "rebalance"),
    "protocols": ("Split", "hold_out", "hold_out_latest", "k_fold", "take_split", "time_folds"),
    "protocols.duplicates": ("Duplicates", "find_duplicates", "group_equal"),
    "protocols.split_checks": ("DistributionCheck", "TimeOrder", "check_time_order", "same_distribution"),
    "protocols.advice": ("ProtocolAdvice", "Sizes", "recommend_protocol", "recommend_sizes", "standard_error"),
    "preparation.features": ("HOUSING_RATIOS", "Ratio"),
    "preparation.vectorize": ("read_texts",),
    "preparation.input_checks": ("Note",),
    "prepare": ("Prepared", "Preparation", "prepare"),
    "baselines": ("Baseline", "compute_baseline"),
    "baselines.power": ("StatisticalPower", "statistical_power"),
    "baselines.power_curve": ("PowerCurve", "judge_few", "power_curve"),
    "problems.describe": ("TargetDescription", "describe_target"),
    "problems.framing": ("Framing", "frame_problem"),
    "problems.worlds": ("clothing_sales", "first_names_and_grades", "shuffle_labels", "split_north_south"),
    "spec": ("ModelSpec",),
    "space": ("Range", "SearchSpace", "default_space"),
    "checks": ("Check",),
    "models": ("build_model",),
    "export": ("attach_preparation", "pad_reviews"),
    "codegen": ("keras_code",),
    "runs": ("EpochReport", "Run"),
    "journal": ("Entry", "Journal", "default_journal", "origin_of"),
    "training": ("train", "train_seeds", "cross_validate"),
    "studies.judging": ("with_words",),
    "studies.protocols": ("ProtocolStudy", "compare_protocols", "study_protocol"),
    "studies.selection": ("SelectionStudy", "study_selection"),
    "studies.contest": ("Contest", "compete", "hold_contest"),
    "studies.preparations": (
        "PreparationScores",
        "PreparationTrial",
        "compare_preparations",
        "summarise_inputs",
        "try_preparation",
    ),
    "studies.detector": ("HeldOutScores", "score_held_out"),
    "diagnosis": ("ErrorDiagnosis", "HistoryDiagnosis", "diagnose_errors", "diagnose_history"),
    "advice": ("Advice", "advise"),
    "checklist.last_layer": ("check_last_activation", "check_loss"),
    "studies.rate_sweep": ("RateSweep", "sweep_rates"),
    "checklist": ("Checklist", "check_optimizer", "check_output_as_input", "run_checklist"),
    "studies.wrong_rows": ("LastLayerTrial", "compare_last_layers"),
    "experiment.outcome": ("Experiment",),
    "experiment": ("run_experiment",),
    "experiment.guesses": ("Guess",),
    "layers": ("Layer", "describe_layers"),
    "mistakes": ("HouseMistakes", "ImageMistakes", "ReviewMistakes", "find_mistakes"),
    "studies.capacity": ("CapacityStudy", "study_capacity"),
    "finale": ("FinalModel", "FinalResult", "train_final", "evaluate_once"),
    "saving": ("load_model", "save_model"),
    "tuning": ("Tuning", "tune"),
    "studies.leak": ("study_leak",),
    "workflow": ("run_recipe",),
    "debugging": ("PipelineReport", "check_pipeline"),
    "debugging.pipelines": ("Pipeline", "train_pipeline"),
    "debugging.faults": ("FAULTS", "Fault", "make_pipeline"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'recipe' has no attribute {name!r}. It has: {', '.join(sorted(_HOME_OF))}.")
    return getattr(importlib.import_module(f"recipe.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """The package, where `recipe.prepare` stays the function: importing the module of that name would replace it."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
