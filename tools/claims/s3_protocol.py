"""What lesson 3 claims: of reports against a measured truth, of dev sets, of parts that are alike; and of leaks."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import recipe
from claims import Outcome, claim
from recipe.lessons.s3_protocol.panel import ProtocolPanel

HOLD_OUT, K_FOLD, ITERATED, TRUTH = "hold-out", "4-fold", "4-fold, 3 times", "the truth"
ERROR = "neg_mean_absolute_error"


@cache
def _houses(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and targets, in hundred thousand dollars, of all districts to learn from."""
    houses = recipe.load("housing", source=source)
    return houses.x_train, houses.y_train / 100_000


def _nearest(neighbours: int = 5) -> Pipeline:
    return make_pipeline(StandardScaler(), KNeighborsRegressor(neighbours))


def _draw(source: str, rows: int | slice, seed: int) -> np.ndarray:
    order = np.random.default_rng(seed).permutation(len(_houses(source)[1]))
    return order[rows if isinstance(rows, slice) else slice(rows)]


@cache
def _report(source: str, rows_seed: int, cut_seed: int) -> dict[str, float]:
    """Return what three protocols report of 200 districts, and what is true."""
    x, y = _houses(source)
    rows, others, model = _draw(source, 200, rows_seed), _draw(source, slice(200, 4_200), rows_seed), _nearest()
    cuts = RepeatedKFold(n_splits=4, n_repeats=3, random_state=cut_seed)
    scores = -cross_val_score(model, x[rows], y[rows], cv=cuts, scoring=ERROR)
    truth = np.abs(model.fit(x[rows], y[rows]).predict(x[others]) - y[others]).mean()
    return {HOLD_OUT: scores[0], K_FOLD: scores[:4].mean(), ITERATED: scores.mean(), TRUTH: truth}


@cache
def _reports(source: str, seed: int, *, same_rows: bool) -> pd.DataFrame:
    """Return 30 reports of each protocol: of other districts each time, or of the same ones, cut anew."""
    seeds = range(30 * seed, 30 * seed + 30)
    return pd.DataFrame([_report(source, seed if same_rows else one, one) for one in seeds])


def _misses(source: str, seed: int) -> dict[str, float]:
    """Return how far each protocol's reports are from the truth (root mean square)."""
    found = _reports(source, seed, same_rows=False)
    return {name: float((found[name] - found[TRUTH]).pow(2).mean() ** 0.5) for name in (HOLD_OUT, K_FOLD, ITERATED)}


@claim("03", "With 200 districts hold-out misses the truth by more than 4-fold, and by 0.05 hundred thousand or more.")
def hold_out_misses_most(source: str, seed: int) -> Outcome:
    misses = _misses(source, seed)
    return misses, misses[HOLD_OUT] > max(misses[K_FOLD], misses[ITERATED], 0.05)


@claim("03", "With other districts each time, iterating gains less on 4-fold than 4-fold gains on hold-out.")
def iterating_adds_little(source: str, seed: int) -> Outcome:
    misses = _misses(source, seed)
    return misses, misses[K_FOLD] - misses[ITERATED] < misses[HOLD_OUT] - misses[K_FOLD]


@claim(
    "03",
    "On the same districts, cut anew, reports of 4-fold vary less than those of hold-out, and iterated ones least.",
)
def iterating_steadies_the_same_rows(source: str, seed: int) -> Outcome:
    stds = {name: _reports(source, seed, same_rows=True)[name].std() for name in (HOLD_OUT, K_FOLD, ITERATED)}
    return stds, stds[ITERATED] < 0.85 * stds[K_FOLD] and stds[K_FOLD] < 0.6 * stds[HOLD_OUT]


@claim("03", "Reports of iterated 4-fold are too pessimistic on average, by a tenth at most.")
def folds_learn_from_less(source: str, seed: int) -> Outcome:
    found = _reports(source, seed, same_rows=False).mean()
    return {"reports": found[ITERATED], "the truth": found[TRUTH]}, 1 < found[ITERATED] / found[TRUTH] < 1.1


@claim("03", "Of small networks, too, which districts are held out moves a report more than the initialization does.")
def the_cut_moves_more_than_the_seed(source: str, seed: int) -> Outcome:
    houses, rows = recipe.load("housing", source=source), _draw(source, 200, seed)
    few = dataclasses.replace(houses, x_train=houses.x_train[rows], y_train=houses.y_train[rows])
    spec = recipe.ModelSpec(
        hidden_units=(16,), optimizer="adam", learning_rate=0.01, batch_size=32, epochs=40, seed=1_000 * seed
    )
    cuts = [*(recipe.hold_out(few, test_size=0.25, seed=number) for number in range(3)), *recipe.k_fold(few, folds=4)]
    runs = recipe.cross_validate(spec, cuts * 5, journal=None)
    scores = np.reshape([run.history["val_mae"][-1] for run in runs], (5, len(cuts)))
    numbers = {"between cuts": scores.mean(axis=0).std(ddof=1), "between seeds": scores.std(axis=0, ddof=1).mean()}
    return numbers, numbers["between cuts"] > numbers["between seeds"]


@claim("03", "Networks judged by hold-out on 800 districts miss the truth by less than on 200.")
def more_rows_miss_less(source: str, seed: int) -> Outcome:
    houses, order = recipe.load("housing", source=source), _draw(source, slice(None), seed)
    shuffled = dataclasses.replace(houses, x_train=houses.x_train[order], y_train=houses.y_train[order])
    panel = ProtocolPanel(shuffled, protocol="hold-out", draws=20)
    misses = {f"{rows} districts": panel.run(rows=rows).miss for rows in (200, 800)}
    return misses, misses["800 districts"] < misses["200 districts"]


@claim(
    "03",
    "Of 50 useless models the best on a dev set of 100 samples is right on six tenths of it.",
    sources=("made up",),
)
def the_best_of_fifty_coins_shines(source: str, seed: int) -> Outcome:
    dev, test = np.random.default_rng(seed).binomial(100, 0.5, (2, 1_000, 50)) / 100
    best = dev.argmax(axis=1)[:, None]
    on_dev, on_test = (np.take_along_axis(part, best, axis=1).mean() for part in (dev, test))
    return {"dev": on_dev, "test": on_test}, on_dev >= 0.6 and abs(on_test - 0.5) < 0.01


def _tell_apart(first: np.ndarray, second: np.ndarray, seed: int) -> float:
    """Return the AUC of a classifier that tells 500 samples of each part apart."""
    x = np.concatenate([first[:500], second[:500]])
    is_second = np.repeat([0, 1], [len(first[:500]), len(second[:500])])
    x_train, x_val, y_train, y_val = train_test_split(
        x, is_second, test_size=0.5, stratify=is_second, random_state=seed
    )
    forest = ExtraTreesClassifier(100, min_samples_leaf=5, random_state=seed).fit(x_train, y_train)
    return float(roc_auc_score(y_val, forest.predict_proba(x_val)[:, 1]))


@cache
def _aucs(source: str, seed: int) -> dict[str, float]:
    """Return the AUC for parts that were cut at random, and for parts that were not."""
    digits, reviews, houses = (recipe.load(name, source=source) for name in ("mnist", "imdb", "housing"))
    lengths, rng = np.diff(reviews.x_train.offsets), np.random.default_rng(seed)
    is_north = houses.x_train[:, 1] > np.median(houses.x_train[:, 1])
    cases = {
        "houses": (np.delete(houses.x_train, 1, axis=1), is_north),
        "reviews": (reviews.x_train.multi_hot(1_000), lengths > np.median(lengths)),
        "digits": (digits.x_train.reshape(len(digits.y_train), -1), digits.y_train > 4),
    }
    found = {}
    for name, (x, is_second) in cases.items():
        order = rng.permutation(len(x))
        x, is_second = x[order], is_second[order]
        half = len(x) // 2
        found[f"{name}, at random"] = _tell_apart(x[:half], x[half:], seed)
        found[name] = _tell_apart(x[~is_second], x[is_second], seed)
    return found


@claim(
    "03", "Halves of digits, reviews and houses that were cut at random cannot be told apart: the AUC is 0.4 to 0.6."
)
def random_halves_are_alike(source: str, seed: int) -> Outcome:
    aucs = {name: auc for name, auc in _aucs(source, seed).items() if "random" in name}
    return aucs, all(0.4 < auc < 0.6 for auc in aucs.values())


@claim(
    "03",
    "North and south (latitude left out), long and short reviews, large and small digits can: AUC of 0.65 or more.",
)
def other_parts_are_told_apart(source: str, seed: int) -> Outcome:
    aucs = {name: auc for name, auc in _aucs(source, seed).items() if "random" not in name}
    return aucs, min(aucs.values()) >= 0.65


@claim(
    "03",
    "The first 600 rows of the real file are told apart from 600 at random without their place.",
    sources=("real",),
)
def first_rows_are_one_place(source: str, seed: int) -> Outcome:
    first = recipe.load("housing", source=source, rows=600).x_train[:, 2:]
    at_random = _houses(source)[0][_draw(source, 600, seed), 2:]
    auc = _tell_apart(first, at_random, seed)
    return {"AUC": auc}, auc >= 0.65


@claim("03", "With a copy of each district in the file, folds at random report less than half of the honest error.")
def copies_flatter(source: str, seed: int) -> Outcome:
    x, y = _houses(source)
    errors = []
    for draw in range(10 * seed, 10 * seed + 10):
        twice = np.repeat(_draw(source, 200, draw), 2)
        how = {"X": x[twice], "y": y[twice], "scoring": ERROR}
        mixed = cross_val_score(_nearest(1), cv=KFold(4, shuffle=True, random_state=draw), **how)
        kept = cross_val_score(_nearest(1), cv=GroupKFold(4), groups=twice, **how)
        errors.append((-mixed.mean(), -kept.mean()))
    mixed, kept = np.mean(errors, axis=0)
    return {"on both sides": mixed, "kept together": kept}, mixed < 0.5 * kept


@claim(
    "03",
    "On the real data the error is higher by 3 % or more where whole squares of the map are held out.",
    sources=("real",),
)
def new_places_are_harder(source: str, seed: int) -> Outcome:
    x, y = _houses(source)
    rows = _draw(source, 1_000, seed)
    square = np.unique(np.floor(2 * x[rows, :2]), axis=0, return_inverse=True)[1].ravel()
    how = {"X": x[rows], "y": y[rows], "scoring": ERROR}
    at_random = -cross_val_score(_nearest(), cv=KFold(4, shuffle=True, random_state=seed), **how).mean()
    new = -cross_val_score(_nearest(), cv=GroupKFold(4), groups=square, **how).mean()
    return {"at random": at_random, "new squares": new}, new > 1.03 * at_random


@claim(
    "03",
    "Of wandering sales folds at random report less than a third of the error of the days to come; folds in order half "
    "of it to twice as much.",
    sources=("made up",),
)
def random_folds_know_tomorrow(source: str, seed: int) -> Outcome:
    rng, days = np.random.default_rng(seed), np.arange(500)
    known = days[:400]
    cuts = {
        "at random": list(KFold(4, shuffle=True, random_state=0).split(known)),
        "in order": list(TimeSeriesSplit(3, test_size=100).split(known)),
        "to come": [(known, days[400:])],
    }
    errors: dict[str, list[float]] = {name: [] for name in cuts}
    for _ in range(20):
        sales = 20 + rng.normal(0, 1, 500).cumsum()
        for name, pairs in cuts.items():
            for train, val in pairs:
                model = KNeighborsRegressor(5).fit(train[:, None], sales[train])
                errors[name].append(np.abs(model.predict(val[:, None]) - sales[val]).mean())
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    return means, means["at random"] < means["to come"] / 3 and 0.5 < means["in order"] / means["to come"] < 2


def _statistics_leak(source: str, rows: int, seed: int) -> tuple[float, float]:
    """Return the honest error of the nearest districts, and by how much it looks better where all rows were scaled."""
    x, y = _houses(source)
    pairs = []
    for draw in range(20 * seed, 20 * seed + 20):
        few = _draw(source, rows, draw)
        cuts = RepeatedKFold(n_splits=4, n_repeats=2, random_state=draw)
        scaled = StandardScaler().fit_transform(x[few])
        before = -cross_val_score(KNeighborsRegressor(3), scaled, y[few], cv=cuts, scoring=ERROR).mean()
        inside = -cross_val_score(_nearest(3), x[few], y[few], cv=cuts, scoring=ERROR).mean()
        pairs.append((inside, inside - before))
    return tuple(np.mean(pairs, axis=0).tolist())


@claim("leaks", "Scaling 200 districts, or 16, before the split changes the reported error by less than 3 %.")
def statistics_leak_little(source: str, seed: int) -> Outcome:
    numbers, holds = {}, True
    for rows in (200, 16):
        honest, gain = _statistics_leak(source, rows, seed)
        numbers |= {f"{rows}: error": honest, f"{rows}: gain": gain}
        holds = holds and abs(gain) < 0.03 * honest
    return numbers, holds


def _select(source: str, name: str, seed: int, most: int | None = None) -> tuple[float, float]:
    """Return the accuracy on tossed coins with 20 columns picked before the split, and inside of each fold."""
    data = recipe.load(name, source=source)
    x = data.x_train[:100]
    table = x.multi_hot(1_000) if name == "imdb" else x.reshape(100, -1)
    table = table[:, (table != np.median(table, axis=0)).sum(axis=0) >= 12].astype("float32") / table.max()
    model, pairs = LogisticRegression(C=0.1, solver="liblinear"), []
    for draw in range(10 * seed, 10 * seed + 10):
        rng = np.random.default_rng(draw)
        coins = rng.permutation(np.repeat([0, 1], 50))
        columns = table[:, rng.permutation(table.shape[1])[:most]]
        picked = SelectKBest(k=20).fit_transform(columns, coins)
        before = cross_val_score(model, picked, coins, cv=4).mean()
        inside = cross_val_score(make_pipeline(SelectKBest(k=20), model), columns, coins, cv=4).mean()
        pairs.append((before, inside))
    return tuple(np.mean(pairs, axis=0).tolist())


@claim(
    "leaks",
    "Coins: 20 columns picked inside each fold are right on 42 to 58 %, picked before the split on 2 points more.",
)
def selection_invents_signal(source: str, seed: int) -> Outcome:
    numbers, holds = {}, True
    for name in ("imdb", "mnist"):
        before, inside = _select(source, name, seed)
        numbers |= {f"{name}, before": before, f"{name}, inside": inside}
        holds = holds and before >= inside + 0.02 and abs(inside - 0.5) <= 0.08
    return numbers, holds


@claim("leaks", "The more words there are to pick 20 from, the more signal is invented: from 20, 40 and 80 words.")
def more_columns_invent_more(source: str, seed: int) -> Outcome:
    before = {str(most): _select(source, "imdb", seed, most)[0] for most in (20, 40, 80)}
    return before, before["20"] < before["40"] < before["80"]
