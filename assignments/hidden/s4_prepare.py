"""Hidden checks of assignment 4: on bicycles that no student has seen, some of makes that training never showed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Verdict, object_to
from recipe.teach.reading import as_numbers, is_near
from recipe.teach.s4_prepare import (
    ASSIGNMENT,
    UNITS,
    Workshop,
    judge_pixels,
    judge_scaling,
    read_array,
    read_prices,
)


def pixels(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    return judge_pixels(answer, world, draw)


def scaling(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    return judge_scaling(answer, world, draw)


def cleaning(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    """Gaps are gaps, and every branch has the same units."""
    got, mended = answer.clean.outputs[0], draw["mended"]
    if len(got) != len(mended):
        return ASSIGNMENT.wrong("gaps_thrown_away", share=0.2)
    columns = {name: read_array(got[name]) for name in UNITS}
    if any(column is None or column.ndim != 1 for column in columns.values()):
        return object_to("The columns hold other things than numbers.")
    fine = {name: np.allclose(columns[name].astype(float), mended[name], equal_nan=True) for name in UNITS}
    if all(fine.values()):
        return None
    untouched = [name for name in UNITS if name not in (world.marked, world.mixed)]
    if not all(fine[name] for name in untouched):
        return object_to("A column that had no fault has other values now.", share=0.2)
    if fine[world.marked]:
        return ASSIGNMENT.wrong("mixed_units", "The gaps are marked as gaps.", share=0.5)
    share = 0.5 if fine[world.mixed] else 0.0
    if np.isclose(columns[world.marked].astype(float), world.marker).any():
        return ASSIGNMENT.wrong("marker_as_number", share=share)
    return object_to("Where the marker stood there is to be a gap, NaN, and all other values stay.", share=share)


def pricing(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    """Half of a guess's error: without the makes it is nine tenths, by an honest pipeline three tenths."""
    got, prices = read_prices(answer.model, len(draw["bikes"])), draw["prices"]
    if got is None:
        return object_to("On new bicycles the model gives no price, or NaN.", share=0.1)
    guess = np.median(world.given["prices"])
    times = np.abs(got - prices).mean() / np.abs(prices - guess).mean()
    if times <= 0.5:
        return None
    told = f"On new bicycles it is off by {times:.2f} times as much as a guess."
    parameters = getattr(answer.model, "made_of", {}).get("parameters", {})
    if any(name.endswith("unknown_value") for name in parameters):  # of an OrdinalEncoder
        return ASSIGNMENT.wrong("categories_as_order", told, share=0.3)
    return ASSIGNMENT.wrong("category_left_out", told, share=0.3)


def multi_hot(texts: list[str], vocabulary: list[str]) -> np.ndarray:
    """A row for each text, 1 where the word occurs."""
    return np.array([[float(word in text.split()) for word in vocabulary] for text in texts])


def words(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    """The columns of the training vocabulary, in any order."""
    train, new = (read_array(part) for part in answer.to_rows.outputs[0])
    reports, new_reports = draw["reports"], draw["new_reports"]
    vocabulary = sorted({word for text in reports for word in text.split()})
    every = sorted({word for text in reports + new_reports for word in text.split()})
    if train.ndim != 2 or new.ndim != 2 or len(train) != len(reports) or len(new) != len(new_reports):
        return object_to("There is not one row for each text.")
    if train.shape[1] == len(every) and new.shape[1] == len(every):
        return ASSIGNMENT.wrong("vocabulary_of_all", share=0.3)
    if train.shape[1] != new.shape[1]:
        return ASSIGNMENT.wrong("two_vocabularies", share=0.2)
    if train.shape[1] != len(vocabulary):
        return object_to(f"The training texts have {len(vocabulary)} words, and you have {train.shape[1]} columns.")
    got = _sort_columns(np.concatenate([train, new]))
    if np.array_equal(got, _sort_columns(multi_hot(reports + new_reports, vocabulary))):
        return None
    if np.array_equal(_sort_columns(np.concatenate([train, new]) > 0), got):
        return object_to("Zeros and ones, but not where the words occur.", share=0.2)
    return object_to("Multi-hot says 1 where a word occurs, however often.", share=0.5)


def _sort_columns(rows: np.ndarray) -> np.ndarray:
    return np.array(sorted(rows.T.astype(float).tolist()))


def gaps(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    """Errors to 5 %, whatever the folds, and the way that serves every customer best."""
    got, right = as_numbers(answer.errors, ("drop", "median", "indicator")), errors_of(world.given["survey"])
    if wrong := [name for name in right if not is_near(got[name], right[name], 0.05 * right[name])]:
        return object_to(f"By five folds the mean absolute error of {', '.join(wrong)} is another one.")
    if answer.way == "drop":
        return ASSIGNMENT.wrong("rows_that_vanish", "The errors are right.", share=0.4)
    if answer.way == "median":
        return object_to("The errors are right. Of those that serve every customer, one is lower.", share=0.4)
    return None


def errors_of(survey: pd.DataFrame) -> dict[str, float]:
    """The mean absolute errors of a straight line in five folds, by what becomes of the gaps."""
    rows, folds = survey.sample(frac=1, random_state=0), np.arange(len(survey)) % 5
    is_gap = rows["income"].isna().to_numpy()
    off = {"drop": [], "median": [], "indicator": []}
    for fold in range(5):
        train, val = folds != fold, folds == fold
        filled = rows["income"].fillna(rows["income"][train].median()).to_numpy()
        for name in off:
            columns = [np.ones(len(rows)), filled, is_gap] if name == "indicator" else [np.ones(len(rows)), filled]
            used = ~is_gap if name == "drop" else np.full(len(rows), True)
            x, y = np.column_stack(columns).astype(float), rows["paid"].to_numpy()
            weights = np.linalg.lstsq(x[train & used], y[train & used])[0]
            off[name].append(np.abs(x[val & used] @ weights - y[val & used]).mean())
    return {name: float(np.mean(each)) for name, each in off.items()}


def colleagues(answer: SimpleNamespace, world: Workshop, draw: dict) -> Verdict | None:
    """How far each is from what the training part's statistics give."""
    train, val = world.given["raw_train"], world.given["raw_val"]
    right = (val - train.mean(axis=0)) / train.std(axis=0)
    off = {name: np.abs(one - right).mean() for name, one in world.given["prepared"].items()}
    got = as_numbers(answer.off, ("p", "q", "r"))
    role = world.roles[answer.right]
    if any(not is_near(got[name], off[name], 0.006) for name in off):
        return object_to("By the mean absolute difference from what training statistics give, off is another one.")
    if role == "own":
        return ASSIGNMENT.wrong("zero_means_are_right", "The differences are right.", share=0.3)
    if role == "all":
        return ASSIGNMENT.wrong("statistics_of_all", "The differences are right.", share=0.3)
    return None
