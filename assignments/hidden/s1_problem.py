"""Hidden checks of assignment 1: what is true of the student's world, and crossings that no student has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.reading import as_number, as_numbers, is_near
from recipe.teach.s1_problem import ASSIGNMENT, DEADLINE, FerryLine, judge_split_off, read_layer


def inputs(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """All columns that are known in time, with their hours, and no other."""
    late = [name for name in answer.inputs if name not in world.hours]
    if late:
        share = 0.3 if late == [world.too_late] else 0.0
        said = f"{late[0]!r} is not there {DEADLINE} hour before departure."
        return ASSIGNMENT.wrong("known_too_late", said, share)
    if len(answer.inputs) < len(world.hours):
        return object_to("There are more columns that are known in time.", share=0.2)
    if any(as_number(answer.inputs[name]) != hours for name, hours in world.hours.items()):
        return object_to("The columns are right, not all of the hours.", share=0.2)
    return None


def leak(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """The copy, and its rank correlation with the delay."""
    sensors, alike = world.given["sensors"], abs(as_number(answer.alike))
    if answer.leak == world.honest:
        return ASSIGNMENT.wrong("straight_lines_only", f"{answer.leak} is a good predictor, and no copy.")
    if answer.leak != world.leak:
        return object_to(f"{answer.leak} tells little of the delay.")
    if is_near(alike, abs(sensors[world.leak].corr(sensors["delay"], method="spearman")), 0.0015):
        return None
    if is_near(alike, abs(sensors[world.leak].corr(sensors["delay"])), 0.003):
        return ASSIGNMENT.wrong("straight_lines_only", "This is Pearson's correlation.", share=0.2)
    return object_to("The rank correlation of this column with the delay is another one.", share=0.1)


def last_layers(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """A layer for each question; one wrong layer costs half of the points."""
    layers = {name: read_layer(pair) for name, pair in answer.last_layers.items()}
    wrong = [name for name, layer in layers.items() if not _suits(layer, world.kinds[name], world.units[name])]
    if not wrong:
        return None
    share = 0.5 if len(wrong) == 1 else 0.0
    for name in wrong:
        if misconception := _misconceive(layers[name], world.kinds[name]):
            return ASSIGNMENT.wrong(misconception, f"Question {name}, {world.questions[name]!r}:", share)
    return object_to(f"Question {wrong[0]}: how many units does it take?", share)


def _suits(layer: tuple[int, str], kind: str, units: int) -> bool:
    """A yes or no may be two classes; all else has one right layer."""
    right = {
        "yes or no": [(1, "sigmoid"), (2, "softmax")],
        "class": [(units, "softmax")],
        "labels": [(units, "sigmoid")],
        "count": [(1, "linear")],
        "quantity": [(1, "linear")],
    }
    return layer in right[kind]


def _misconceive(layer: tuple[int, str], kind: str) -> str:
    table = {
        ("labels", "softmax"): "softmax_for_labels",
        ("class", "linear"): "names_as_quantity",
        ("count", "softmax"): "quantity_as_classes",
        ("quantity", "softmax"): "quantity_as_classes",
        ("count", "sigmoid"): "sigmoid_for_quantity",
        ("quantity", "sigmoid"): "sigmoid_for_quantity",
    }
    return table.get((kind, layer[1]), "")


def split_off(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    return judge_split_off(answer, world, draw["log"])


def guess(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """Within 3 % of the lowest error that one number can have; the median of the given crossings is well within."""
    said, delays = as_number(answer.guess), draw["delays"]
    off = np.abs(delays - said).mean()
    excess = off / np.abs(delays - np.median(delays)).mean() - 1
    if excess <= 0.03:
        return None
    told = f"On new crossings this guess is off by {excess:.0%} more than the best one."
    if is_near(said, world.given["delays"].mean(), 0.02 * said):
        return ASSIGNMENT.wrong("mean_for_absolute_error", told, share=0.4)
    if said == 0:
        return ASSIGNMENT.wrong("timetable_as_guess", told, share=0.2)
    return object_to(told, share=0.2)


def floor(days: pd.DataFrame, columns: list[str], weighted: bool = True) -> float:
    """The lowest share of wrong answers that a model can have which sees these columns."""
    late = days.groupby(columns)["late"].agg(["mean", "size"])
    return float(np.average(np.minimum(late["mean"], 1 - late["mean"]), weights=late["size"] if weighted else None))


def floors(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """Both floors to three decimals, and the column whose floor is lower."""
    got, days = as_numbers(answer.floors, ("a", "b")), world.given["days"]
    right = {name: floor(days, ["storm", name]) for name in "ab"}
    if any(not is_near(got[name], right[name], 0.0015) for name in "ab"):
        guess_error = min(days["late"].mean(), 1 - days["late"].mean())
        if all(is_near(got[name], guess_error, 0.003) for name in "ab"):
            return ASSIGNMENT.wrong("guess_as_floor", share=0.1)
        if all(is_near(got[name], floor(days, ["storm", name], weighted=False), 0.003) for name in "ab"):
            return ASSIGNMENT.wrong("cells_weigh_alike", share=0.3)
        return object_to("With the storm and this column, the best answer is wrong on another share of the days.")
    if answer.worth != world.useful:
        return ASSIGNMENT.wrong("alone_is_not_together", "The floors are right.", share=0.4)
    return None


def moved(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """The column whose values have left last year's range, and how many have."""
    if answer.moved == world.shifted:
        return ASSIGNMENT.wrong("means_tell_it_all")
    if answer.moved != world.moved:
        return object_to(f"Nothing has happened to {answer.moved}.")
    last, this = world.given["last_year"][world.moved], world.given["this_year"][world.moved]
    if not is_near(as_number(answer.outside), ((this < last.min()) | (this > last.max())).mean(), 0.004):
        return object_to("Another share of this year's values lies below or above all of last year's.", share=0.2)
    return None


def teams(answer: SimpleNamespace, world: FerryLine, draw: dict) -> Verdict | None:
    """Multiples of the guess, the team that learned, and the one with a leak."""
    table = world.given["teams"]
    got, right = as_numbers(answer.times_guess, tuple(table.index)), table["validation"] / table["guess"]
    if any(not is_near(got[name], right[name], 0.01) for name in table.index):
        return object_to("times_guess is the validation error, divided by the guess's. Some are other numbers.")
    role = world.roles[answer.learned]
    if role == "by heart":
        return ASSIGNMENT.wrong("training_error_tells", "The multiples are right.", share=0.3)
    if role == "leaky":
        return ASSIGNMENT.wrong("best_number_wins", "The multiples are right.", share=0.3)
    if role == "nothing":
        return object_to("The multiples are right. Of this team even the training error is that of a guess.", share=0.3)
    if world.roles[answer.leaky] != "leaky":
        return object_to("Who learned is right. With shuffled labels, who should not beat the guess?", share=0.5)
    return None
