"""Measure `recipe.advise`: does the first piece of advice improve the validation score, and is "stop here" right?

    python tools/measure_advice.py --minutes 120

The kit's problems are samples; RECIPE_SOURCE=local takes the real ones.

A situation is a set of data and a spec: a well tuned one, or a sensible one with a fault or two. Situations, and the
plain changes that are tried on each beside what is advised, were fixed before the ranking was made. Every spec is
trained from the same seeds; what was trained once is kept in a folder, so that a changed ranking trains only what is
new. What is found is written to docs/advice.md; where the minutes are over first, of the situations until then.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import joblib  # noqa: E402
import numpy as np  # noqa: E402
from scipy import stats  # noqa: E402
from sklearn import datasets  # noqa: E402

import recipe  # noqa: E402
from recipe.core.run import Run, lowest_epoch  # noqa: E402
from recipe.core.spec import DEFAULT_RATES, ModelSpec  # noqa: E402

SEEDS = range(6)
CERTAIN = stats.t.ppf(1 - 0.01 / 2, len(SEEDS) - 1)  # standard errors: two-sided, 1 %, for many changes are tried
MATERIAL = 0.005  # half a point of the error: a smaller gain is none, however certain
LONGEST = 40  # epochs: a shorter training is the beginning of this one
NEXT_TO_NOTHING = {"dropout": 1e-9, "l1": 1e-12, "l2": 1e-12}  # with it, one compiled program does for all strengths
ROWS = {"housing": 500, "mnist": 500, "imdb": 800}  # of reviews half are the sealed test set
WORDS = 1_000  # of the reviews: more rare ones tell so few reviews nothing
SOURCE = os.environ.get("RECIPE_SOURCE", "sample")  # of the kit's own problems
KEPT = ROOT / "build" / "advice"

LOOKED_AT = ("diabetes", "mnist", "breast_cancer")  # on these the ranking was made
KEPT_BACK = ("housing", "digits", "wine", "imdb")

SENSIBLE = {
    "hidden_units": [(8,), (32,), (128,)],
    "dropout": [0.0, 0.25, 0.5],
    "l2": [0.0, 0.0, 0.001, 0.01],
    "learning_rate": [None, 0.003, 0.01],
    "epochs": [20],
    "patience": [None, 5],
}
TRIED, TUNED = 24, 10  # sensible specs of each set of data, and the best of them, which count as well tuned
FAULTS = {
    "too small": {"hidden_units": (2,)},
    "big, no regularization": {"hidden_units": (128,), "dropout": 0.0, "l2": 0.0},
    "no hidden layer": {"architecture": "linear", "hidden_units": (), "dropout": 0.0, "l2": 0.0},
    "L2 far too strong": {"l2": 0.3},
    "L2 too strong": {"l2": 0.05},
    "L1 too strong": {"l1": 0.02},
    "dropout far too strong": {"dropout": 0.9},
    "dropout too strong": {"dropout": 0.7},
    "rate far too low": {"learning_rate": 0.00003},
    "rate too low": {"learning_rate": 0.0003},
    "rate too high": {"learning_rate": 0.1},
    "rate far too high": {"learning_rate": 1.0},
    "too few epochs": {"epochs": 3, "patience": None},
    "few epochs": {"epochs": 8, "patience": None},
    "slow optimizer": {"optimizer": "sgd", "learning_rate": None, "hidden_units": (32,)},
    "sigmoid units": {"activation": "sigmoid", "hidden_units": (32, 32)},
}
PAIRS = 4  # of faults, for each set of data


@dataclass(frozen=True)
class Situation:
    """A spec on a set of data, and what is known to be wrong with it: nothing, if it is well tuned."""

    data: str
    spec: ModelSpec
    fault: str = ""


@cache
def read_data(name: str) -> recipe.Prepared:
    """Return a set of data, prepared: a problem of the kit, or a table of scikit-learn; digits are few, and a table."""
    if name in ROWS:
        dataset = recipe.load(name, source=SOURCE, rows=ROWS[name])
        if dataset.problem.kind == "text":
            dataset = replace(dataset, problem=replace(dataset.problem, num_words=WORDS, input_shape=(WORDS,)))
    else:
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        dataset = recipe.from_arrays(x[:400], y[:400], name=name)
    return recipe.prepare(recipe.hold_out(dataset, test_size=0.3))


def train(name: str, spec: ModelSpec) -> list[Run]:
    """Return a run a seed, trained or found in the folder. Epochs and patience only end a training: they are cut."""
    asked = spec.replace(epochs=max(LONGEST, spec.epochs), patience=None)
    if spec.hidden_units:
        asked = asked.replace(**{field: max(getattr(spec, field), least) for field, least in NEXT_TO_NOTHING.items()})
    prepared = read_data(name)
    file = KEPT / f"{name}-{joblib.hash((asked.to_dict(), prepared.data_key, len(SEEDS)))}.pickle"
    if not file.exists():
        runs = [replace(run, fitted=None) for run in recipe.train_seeds(asked, prepared, SEEDS, journal=None)]
        joblib.dump(runs, file.with_suffix(".new"), compress=3)
        file.with_suffix(".new").replace(file)
    return [_cut(run, spec) for run in joblib.load(file)]


def _cut(run: Run, spec: ModelSpec) -> Run:
    """Return the run as it is after the epochs of a spec, or when its patience is at an end."""
    epochs, losses = spec.epochs, run.history["val_data_loss"]
    if spec.patience:
        waited = (n for n in range(1, epochs) if n - 1 - lowest_epoch(losses[:n]) >= spec.patience)
        epochs = next(waited, epochs)
    history = {name: curve[:epochs] for name, curve in run.history.items()}
    return replace(run, spec=spec.replace(seed=run.spec.seed), history=history)


def find_situations(name: str) -> Iterator[Situation]:
    """Give the situations of a set of data, the well tuned ones last."""
    chance = random.Random(name)
    drawn = {}
    while len(drawn) < TRIED:
        drawn[ModelSpec(batch_size=32, **{field: chance.choice(values) for field, values in SENSIBLE.items()})] = None
    specs = list(drawn)
    chosen = [*([one] for one in FAULTS), *(chance.sample(list(FAULTS), 2) for _ in range(PAIRS))]
    for faults in chosen:
        spec = chance.choice(specs)
        for fault in faults:
            spec = spec.replace(**FAULTS[fault])
        if spec.architecture == "linear":  # the second fault of a pair may have been one of hidden layers
            spec = spec.replace(hidden_units=(), dropout=0.0, l1=0.0, l2=0.0)
        yield Situation(name, spec, " and ".join(faults))
    errors = [np.mean(errors_of(train(name, spec))) for spec in specs]
    for place in np.argsort(np.nan_to_num(errors, nan=np.inf), kind="stable")[:TUNED]:
        yield Situation(name, specs[place])


def errors_of(runs: list[Run]) -> np.ndarray:
    """Return the error of each run, (seeds,): a share of wrong answers, or a part of the baseline's; diverged, that."""
    measure = recipe.MEASURES[runs[0].measure]
    found = [measure.error(run.score, run.baseline) for run in runs]
    return np.where(np.isfinite(found), found, measure.error(runs[0].baseline, runs[0].baseline))


def compare(before: list[Run], after: list[Run]) -> int:
    """Say whether a change improves the score beyond noise (1), makes it worse (-1), or neither (0), seed by seed."""
    gains = errors_of(before) - errors_of(after)
    if abs(gains.mean()) < max(MATERIAL, CERTAIN * gains.std(ddof=1) / math.sqrt(len(gains))):
        return 0
    return 1 if gains.mean() > 0 else -1


def plain_changes(spec: ModelSpec) -> Iterator[ModelSpec]:
    """Give the changes that are tried everywhere, whatever is advised."""
    units, rate = spec.hidden_units, spec.learning_rate or DEFAULT_RATES[spec.optimizer]
    yield spec.replace(epochs=2 * spec.epochs)
    for factor in (0.1, 1 / 3, 3, 10):
        yield spec.replace(learning_rate=float(f"{factor * rate:.3g}"))
    if spec.optimizer == "sgd":
        yield spec.replace(optimizer="rmsprop", learning_rate=None)
    if not units:
        yield from (spec.replace(architecture="mlp", hidden_units=units) for units in ((8,), (32,), (128,)))
        return
    yield spec.replace(dropout=0.0, l1=0.0, l2=0.0)
    yield spec.replace(dropout=0.25, l1=0.0)
    yield spec.replace(l1=0.0, l2=0.001)
    if len(units) == 1 and units[0] < 128:
        yield spec.replace(hidden_units=(4 * units[0],))
    if len(units) == 1 and units[0] > 2:
        yield spec.replace(hidden_units=(units[0] // 4,))
    yield spec.replace(hidden_units=(32, 32))
    yield spec.replace(activation="relu")


@dataclass(frozen=True)
class Outcome:
    """What was found out about a situation: 1 for a change that improves the score beyond noise, -1 for worse."""

    situation: Situation
    title: str  # of the first piece
    first: int  # what it does
    can_improve: bool  # whether anything that was tried does


def judge(situation: Situation) -> Outcome:
    """Train a situation, the first piece of advice on it, and the plain changes."""
    before = train(situation.data, situation.spec)
    piece = recipe.advise(before[0])[0]  # on one run, as one who has made it would ask
    asked = [piece.spec] if piece.spec else []
    found = {spec: compare(before, train(situation.data, spec)) for spec in (*asked, *plain_changes(situation.spec))}
    return Outcome(situation, piece.title, found.get(piece.spec, 0), max(found.values()) == 1)


def main() -> None:
    """Judge the situations, set of data by set of data, and write the tables after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--data", nargs="*", default=[*LOOKED_AT, *KEPT_BACK], help="sets of data")
    options = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    outcomes, end = [], time.monotonic() + 60 * options.minutes
    for name in options.data:
        if time.monotonic() < end:
            outcomes += [judge(situation) for situation in find_situations(name) if time.monotonic() < end]
        (ROOT / "docs" / "advice.md").write_text("\n".join([*HEAD, *_tables(outcomes), ""]), encoding="utf-8")


HEAD = (
    "# What the advice after a run is worth",
    "",
    "Written by `make advice` (`tools/measure_advice.py`). A situation is a set of data and a spec: a sensible spec",
    "with a fault or two, or one of the ten best of 24 sensible ones, which counts as well tuned. It is trained from",
    "six seeds, and so is what the first piece of `recipe.advise`, on the run of the first seed, makes of it, and a",
    "dozen plain changes: other rates, more epochs, wider, narrower and more layers, other dropouts and penalties.",
    "",
    "A change *improves* the validation score where the mean of the six differences, paired by seed, is half a point",
    "of the error or more, and beyond what chance does once in a hundred times (t-test); *worse* likewise. Situations",
    "and plain changes were fixed before the ranking was made; four sets of data were looked at only after that.",
    "(When the rule to stop was last changed, the totals of an earlier ranking on housing, digits and wine were",
    "known, and nothing of the reviews but that a strong penalty holds a network back.) The data are small (at most",
    "600 rows), and trainings short (20 epochs or fewer): on much more of both, fewer changes of the rate will gain.",
)


def _tables(outcomes: list[Outcome]) -> list[str]:
    """Return a table a grouping: by whether the ranking was made on the data, by set of data, by fault."""

    def made_on(one: Outcome) -> str:
        return "the ranking was made on" if one.situation.data in LOOKED_AT else "looked at only after that"

    groupings = {
        "data": made_on,
        "set of data": lambda one: one.situation.data,
        "fault": lambda one: one.situation.fault if " and " not in one.situation.fault else "two faults",
    }
    judged, total = {one.situation.data for one in outcomes}, len(LOOKED_AT) + len(KEPT_BACK)
    lines = ["", f"{len(outcomes)} situations were judged, on {len(judged)} of {total} sets of data."]
    for head, key in groupings.items():
        lines += ["", COLUMNS.format(head), "| --- |" + " --- |" * 6]
        groups = {}
        for one in outcomes:
            groups.setdefault(key(one) or "none: well tuned", []).append(one)
        lines += [_line(name, group) for name, group in groups.items()]
    return lines


COLUMNS = (
    "| {} | situations | something improves | of those, the first piece improves | of all, it makes worse "
    "| nothing improves | of those, it says to stop |"
)


def _line(name: str, outcomes: list[Outcome]) -> str:
    """Return the line of a group of situations."""
    can, cannot = ([one for one in outcomes if one.can_improve is wanted] for wanted in (True, False))
    counts = {
        "hit": (sum(one.first == 1 for one in can), len(can)),
        "worse": (sum(one.first == -1 for one in outcomes), len(outcomes)),
        "stop": (sum(one.title == "stop here" for one in cannot), len(cannot)),
    }
    hit, worse, stop = (f"{count} ({count / total:.0%})" if total else "-" for count, total in counts.values())
    return f"| {name} | {len(outcomes)} | {len(can)} | {hit} | {worse} | {len(cannot)} | {stop} |"


if __name__ == "__main__":
    main()
