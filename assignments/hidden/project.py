"""Hidden checks of the capstone: on trees that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.project import (
    ASSIGNMENT,
    MEASURED,
    SHEET,
    TAG,
    TARGET,
    Cooperative,
    guess_errors,
    judge_form,
    read_columns,
    read_entry,
    read_interval,
    read_predictions,
)
from recipe.teach.reading import as_number, as_numbers
from recipe.teach.s3_protocol import read_splits

SCALERS = ("__with_std", "__feature_range", "__quantile_range", "__n_quantiles", "__standardize")
BY_DISTANCE = ("KNeighborsRegressor", "SVR", "MLPRegressor", "KernelRidge")


def sheet(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """All four; a single wrong one is half of the points."""
    wrong = {}
    for letter, question in world.right.items():
        kind, measure = read_entry(answer.sheet[letter])
        if kind != SHEET[question][0] or measure not in SHEET[question][1]:
            wrong[question] = (letter, kind, measure)
    if not wrong:
        return None
    share = 0.5 if len(wrong) == 1 else 0.0
    if "rare" in wrong and wrong["rare"][2] == "accuracy":
        return ASSIGNMENT.wrong("accuracy_for_rare", share=share)
    if "grades" in wrong and wrong["grades"][1] == "regression":
        return ASSIGNMENT.wrong("classes_as_numbers", share=share)
    if "squared" in wrong and wrong["squared"][2] == "mae":
        return ASSIGNMENT.wrong("linear_for_squared", share=share)
    letter, kind, measure = next(iter(wrong.values()))
    return object_to(f"Question {letter!r} is not met by {kind} and {measure}.", share)


def look(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """Half of the points for each number."""
    table, copies, groups = world.given["table"], as_number(answer.copies), as_number(answer.groups)
    are_copies = copies == table.duplicated().sum()
    if groups == table[world.group].nunique():
        if are_copies:
            return None
        if copies == table.duplicated(keep=False).sum():
            return object_to("One of each set of equal rows is no copy: it stays.", 0.7)
        return object_to("The number of copies is another one. They are equal in every column.", 0.5)
    if groups in (len(table), len(table.drop_duplicates())):
        return ASSIGNMENT.wrong("rows_as_samples", share=0.5 * are_copies)
    return object_to("The number of groups is another one: read once more what the model is for.", 0.5 * are_copies)


def columns(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """The leak and the tag go, what was measured honestly stays; farm and team may go or stay."""
    told, left_out = as_numbers(answer.correlations, MEASURED), read_columns(answer.leave_out, world)
    table = world.given["table"]
    right = table[[*MEASURED, TARGET]].corr()[TARGET]
    is_told = all(min(abs(told[name] - right[name]), abs(told[name] - abs(right[name]))) < 0.06 for name in MEASURED)
    dropped = left_out & (set(MEASURED) | {"variety"}) - {world.leak}
    if world.leak not in left_out:
        return ASSIGNMENT.wrong("leak_kept", share=0.2 * is_told)
    if dropped:
        return ASSIGNMENT.wrong("strong_is_no_leak", f"{', '.join(sorted(dropped))} could stay.", 0.4 * is_told)
    if TAG not in left_out:
        return ASSIGNMENT.wrong("id_as_input", share=0.6 * is_told)
    if not is_told:
        return object_to(f"The columns are right, their correlations with {TARGET!r} are not.", 0.4)


def protocol(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """Three pairs or more, with no group in both parts."""
    table = draw["table"]
    if verdict := judge_form(answer, table):
        return verdict
    pairs = read_splits(answer.split.outputs[0], len(table))
    group = table[world.group].to_numpy()
    if any(np.isin(group[train], group[val]).any() for train, val in pairs):
        return ASSIGNMENT.wrong("groups_split", share=0.2)
    if any(len(train) < 0.3 * len(table) or len(val) < 0.03 * len(table) for train, val in pairs):
        return object_to("Too few rows are left in one of the parts.", 0.5)
    if len({tuple(np.sort(val)) for _, val in pairs}) < 3:
        return object_to("One cut may be a lucky one: three different ones were asked for.", 0.6)


def baseline(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """The validation error of the training median."""
    got, kg = as_number(answer.guess_error), world.given["table"][TARGET].to_numpy()
    known = guess_errors(kg[world.given["train_rows"]], kg[world.given["val_rows"]])
    nearest = min(known, key=lambda name: abs(got - known[name]))
    if abs(got - known[nearest]) > 1e-3 * known[nearest]:
        return object_to("That is the mean absolute error of none of the usual guesses.")
    return ASSIGNMENT.wrong(nearest, share=0.4) if nearest else None


def model(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """Six tenths of the guess's error (linear models and forests reach 0.35 to 0.5); less is paid in part."""
    kg = draw["table"][TARGET].to_numpy()
    if (predicted := read_predictions(answer.model, len(kg))) is None:
        return object_to("On new trees model.predict does not return a number for each.")
    unknown, recorded = predicted
    off = np.abs(unknown - kg)
    gain = np.abs(np.median(world.given["table"][TARGET]) - kg) - off
    guess = off.mean() + gain.mean()
    said = f"On {len(kg):,} new trees the mean error is {off.mean():.1f} kg, that of the guess {guess:.1f}."
    if off.mean() <= 0.6 * guess:
        return None
    if np.abs(unknown - recorded).mean() > 0.1 * kg.std():
        return ASSIGNMENT.wrong("leak_in_model", said, 0.1)
    made_of = answer.model.made_of
    steps = [made_of.get("class"), *made_of.get("steps", [])]
    is_scaled = any(name.endswith(SCALERS) for name in made_of.get("parameters", {}))
    if not is_scaled and any(step in BY_DISTANCE for step in steps):
        return ASSIGNMENT.wrong("unscaled", said, 0.2)
    if gain.mean() < max(3 * gain.std() / np.sqrt(len(gain)), 0.02 * guess):
        return ASSIGNMENT.wrong("no_better_than_guess", said)
    return object_to(f"{said} Beyond chance, and four tenths less is within reach.", 0.6)


def final(answer: SimpleNamespace, world: Cooperative, draw: dict) -> Verdict | None:
    """Chosen in validation, reported on the test set, with an interval of two standard errors to each side."""
    val, test = (world.given[name][answer.chosen] for name in ("val_errors", "test_errors"))
    reported, (low, high) = as_number(answer.reported), read_interval(answer.interval)
    if answer.chosen != world.given["val_errors"].mean().idxmin():
        if answer.chosen == world.given["test_errors"].mean().idxmin():
            return ASSIGNMENT.wrong("test_for_tuning", share=0.2)
        return object_to("Another model is better in validation.", 0.2)
    if abs(reported - val.mean()) < 0.01:
        return ASSIGNMENT.wrong("validation_reported", share=0.3)
    if abs(reported - test.mean()) > 0.01:
        return object_to("That is not the mean error of the chosen model on the test set.", 0.3)
    error, half = test.std() / np.sqrt(len(test)), (high - low) / 2
    if half > 0.8 * test.std():
        return ASSIGNMENT.wrong("spread_for_error", share=0.5)
    hidden = draw["errors"][answer.chosen].mean()
    if not 1.5 * error <= half <= 2.6 * error or not low - error <= hidden <= high + error:
        return object_to("An interval of 95 % reaches about two standard errors of the mean to each side.", 0.6)
