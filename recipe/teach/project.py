"""The capstone: a cooperative of apple growers, whose table has gaps, copies, groups and a column that tells too much.

In each student's world the names of the columns, what they matter, the sort of new rows (of new farms, or of new
teams), and the models to choose from are others. The column that gives the harvest away is always a copy turned round:
the largest correlation is that of an honest column.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.reading import as_number, as_numbers
from recipe.teach.s3_protocol import read_splits

LESSON = "your_project"
ROWS, HIDDEN_ROWS = 420, 2_000
TARGET, TAG = "kg", "tag"
MEASURED = ("m1", "m2", "m3", "m4", "m5")
MODELS = tuple(f"model {number}" for number in range(1, 13))
VAL_ERRORS, TEST_ERRORS, HIDDEN_ERRORS = 60, 300, 20_000
KINDS = ("regression", "binary classification", "multiclass classification")
MEASURES = ("accuracy", "average precision", "F1", "MAE", "MSE", "recall", "RMSE")
QUESTIONS = {
    "linear": "How many kilograms will a tree bear? Each kilogram that the answer is off costs {n}0 cents.",
    "squared": "How many litres does a tree need? A miss that is twice as large does four times the harm.",
    "rare": "Has a tree canker? One in {n}00 has it. A tree that is missed is lost, a visit in vain costs an hour.",
    "grades": "Which of {n} varieties is a young tree? There are as many of each, and every mix-up costs the same.",
}
SHEET = {  # of each question the type, and the measures that suit it
    "linear": ("regression", {"mae"}),
    "squared": ("regression", {"mse", "rmse"}),
    "rare": ("binary classification", {"average precision", "f1", "recall"}),
    "grades": ("multiclass classification", {"accuracy", "f1"}),
}


class Cooperative:
    """Apple trees: what was measured on them, and how many kilograms each bore.

    Attributes
    ----------
    roles : of each of the columns `MEASURED`: ``"leak"``, ``"strong"``, ``"tiny"``, ``"mid"`` or ``"vast"``, which is
        noise on a large scale
    group, other : ``"farm"`` and ``"team"``, the one of which new ones are to be predicted, and the one that stays
    right : of each question, a key of `SHEET`
    true_error : of each of `MODELS`, the mean error in kg on all the trees that there are
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.roles = dict(
            zip(MEASURED, rng.permutation(["leak", "strong", "tiny", "mid", "vast"]).tolist(), strict=True)
        )
        self.leak, self.strong = (
            next(name for name, role in self.roles.items() if role == wanted) for wanted in ("leak", "strong")
        )
        self.group, self.other = rng.permutation(["farm", "team"]).tolist()
        self.order = rng.permutation([*MEASURED, "farm", "team", "variety", TAG, TARGET]).tolist()
        self.weights = {"strong": rng.uniform(13, 16), "tiny": -rng.uniform(8, 10), "mid": rng.uniform(7, 9)}
        varieties = rng.permutation(["Alkmene", "Boskoop", "Cox", "Elstar", "Gala", "Idared"]).tolist()
        effects = rng.permutation([-12.0, -6.0, 0.0, 6.0, 12.0]) + rng.uniform(-1, 1, 5)
        self.varieties = dict(zip(varieties, [*effects, rng.uniform(-3, 3)], strict=True))  # the last one comes later
        self.stays = rng.choice(np.arange(100, 1_000), int(rng.integers(24, 31)), replace=False)
        table = self._trees(rng, ROWS, int(rng.integers(38, 46)), 5)
        first = np.flatnonzero(~table.duplicated())
        self.right = dict(zip("abcd", rng.permutation(list(SHEET)).tolist(), strict=True))
        numbers = rng.integers(3, 9, 4)
        self.given = {
            "table": table,
            "measured": list(MEASURED),
            "use": f"The model is for {self.group}s that are not in the table yet. The {self.other}s stay the same.",
            "questions": {
                letter: QUESTIONS[kind].format(n=n)
                for (letter, kind), n in zip(self.right.items(), numbers, strict=True)
            },
            **self._cut(rng, table, first),
            **self._make_errors(rng),
        }

    def _trees(self, rng: np.random.Generator, rows: int, groups: int, varieties: int) -> pd.DataFrame:
        """Return a table of trees with gaps and copies; `groups` farms (or teams) are in it, and in no other table."""
        new = rng.choice(np.arange(1_000, 10_000), groups, replace=False)
        at = rng.permutation(np.resize(np.arange(groups), rows))
        z = {name: rng.normal(size=rows) for name in ("tiny", "mid", "vast")}
        z["strong"] = rng.gamma(1.5, size=rows) - 1.5  # a few trees bear far more than the others: mean is not median
        variety = rng.choice(list(self.varieties)[:varieties], rows)
        kg = 70 + sum(weight * z[name] for name, weight in self.weights.items())
        kg += np.array([self.varieties[one] for one in variety]) + rng.normal(0, 4, groups)[at]
        kg = np.maximum(kg + rng.normal(0, 5, rows), 1)
        scaled = {
            "strong": 3 + z["strong"],
            "tiny": 0.2 + 0.05 * z["tiny"],
            "mid": 400 + 60 * z["mid"],
            "vast": 20_000 + 5_000 * z["vast"],
            "leak": 900 - 3 * kg + rng.normal(0, 4, rows),
        }
        columns = {
            name: scaled[role] if role == "leak" else _with_gaps(rng, scaled[role]) for name, role in self.roles.items()
        }
        columns["variety"] = np.where(rng.random(rows) < 0.05, None, variety.astype(object))
        columns |= {self.group: new[at], self.other: rng.choice(self.stays, rows)}
        columns |= {TAG: rng.choice(np.arange(100_000, 1_000_000), rows, replace=False), TARGET: kg.round(1)}
        table = pd.DataFrame(columns)[self.order]
        copies = rng.choice(rows, round(rows * rng.uniform(0.06, 0.1)), replace=False)
        return table.iloc[rng.permutation(np.concatenate([np.arange(rows), copies]))].reset_index(drop=True)

    def _cut(self, rng: np.random.Generator, table: pd.DataFrame, first: np.ndarray) -> dict[str, np.ndarray]:
        """Return row numbers of a training and a validation part, without copies, so that the usual guesses differ."""
        kg, group = table[TARGET].to_numpy(), table[self.group].to_numpy()[first]
        while True:
            held_out = np.isin(group, rng.permutation(np.unique(group))[: len(np.unique(group)) // 3])
            train, val = first[~held_out], first[held_out]
            errors = np.sort(list(guess_errors(kg[train], kg[val]).values()))
            if np.diff(errors).min() > 0.004 * errors[0]:
                return {"train_rows": train, "val_rows": val}

    def _make_errors(self, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Return how far off twelve models are on trees of two parts, in kg: another one is ahead on each."""
        dev_winner, test_winner = rng.choice(MODELS, 2, replace=False).tolist()
        level = rng.uniform(6, 9)
        self.true_error = {name: level * rng.uniform(1.05, 1.3) for name in MODELS}
        self.true_error |= {dev_winner: level, test_winner: level * 1.1}
        ahead = dict.fromkeys(MODELS, (0.98, 1.0)) | {dev_winner: (0.75, 1 + rng.uniform(-0.03, 0.03))}
        ahead[test_winner] = (0.98, 0.8)
        parts = {
            name: {model: self._errors(rng, model, rows, ahead[model][at] * rng.uniform(1, 1.01)) for model in MODELS}
            for at, (name, rows) in enumerate([("val_errors", VAL_ERRORS), ("test_errors", TEST_ERRORS)])
        }
        return {name: pd.DataFrame(columns).round(3) for name, columns in parts.items()}

    def _errors(self, rng: np.random.Generator, model: str, rows: int, luck: float) -> np.ndarray:
        errors = rng.gamma(2, size=rows)
        return self.true_error[model] * luck * errors / errors.mean()

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return a `table` of new trees, with a variety that was in none before, and `errors` of each model in kg."""
        errors = {name: rng.gamma(2, self.true_error[name] / 2, HIDDEN_ERRORS) for name in MODELS}
        return {"table": self._trees(rng, HIDDEN_ROWS, 150, 6), "errors": pd.DataFrame(errors)}


def _with_gaps(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    return np.where(rng.random(len(values)) < 0.07, np.nan, values)


def guess_errors(train: np.ndarray, val: np.ndarray) -> dict[str, float]:
    """Return the mean absolute error of the best guess under ``""``, and what is taken for it."""
    return {
        "": float(np.abs(val - np.median(train)).mean()),
        "mean_for_mae": float(np.abs(val - train.mean()).mean()),
        "baseline_from_validation": float(np.abs(val - np.median(val)).mean()),
        "training_error_reported": float(np.abs(train - np.median(train)).mean()),
    }


ASSIGNMENT = Assignment(
    LESSON,
    Cooperative,
    {
        "accuracy_for_rare": Misconception(
            "Where a yes is rare, saying no to every tree is right nearly always: accuracy hardly sees the ill ones.",
            "02_choose_a_measure_of_success#counts-why",
        ),
        "linear_for_squared": Misconception(
            "The mean absolute error counts a miss twice as large as twice as bad. Where it does four times the harm, "
            "squares count.",
            "02_choose_a_measure_of_success#money-why",
        ),
        "classes_as_numbers": Misconception(
            "Varieties are classes: to number them does not make one of them larger than another.",
            "01_define_the_problem#kind",
        ),
        "rows_as_samples": Misconception(
            "Rows of the same group resemble each other. For new groups it is the number of groups that counts.",
            "03_decide_on_an_evaluation_protocol#groups-read",
        ),
        "leak_kept": Misconception(
            "One column is the harvest itself, turned round and with some noise: a correlation of nearly -1 tells as "
            "much as one of nearly 1. It will be empty when the model is used.",
            f"{LESSON}#suspects-why",
        ),
        "strong_is_no_leak": Misconception(
            "A column that goes along with the target is what a model lives on. Suspect is what is nearly its copy.",
            f"{LESSON}#leave-out",
        ),
        "id_as_input": Misconception(
            "The number on a tree's tag is different for each tree and means nothing: a model can only learn it by "
            "heart.",
            f"{LESSON}#leave-out",
        ),
        "judged_on_training": Misconception(
            "A sample that is learned from must not be judged on: what was learned by heart looks like knowledge.",
            "03_decide_on_an_evaluation_protocol#one-why",
        ),
        "groups_split": Misconception(
            "The model is for new groups, and here the same group stands on both sides. Keep each one whole.",
            "03_decide_on_an_evaluation_protocol#groups-read",
        ),
        "mean_for_mae": Misconception(
            "The mean is the best constant for squared errors. For absolute errors it is the median.",
            "05_beat_a_baseline#guess-read",
        ),
        "baseline_from_validation": Misconception(
            "The constant comes from the validation part itself. A baseline, too, is fitted on the training part.",
            "05_beat_a_baseline#guess-why",
        ),
        "training_error_reported": Misconception(
            "That is the error on the training part. Models are compared on samples that none of them was fitted on.",
            "05_beat_a_baseline#guess-read",
        ),
        "leak_in_model": Misconception(
            "The model leans on a column that was written down because of the harvest, and is empty before it.",
            f"{LESSON}#the-leak",
        ),
        "unscaled": Misconception(
            "The columns are of very different sizes, and the largest drowns the others: standardize them first.",
            "04_prepare_your_data#houses-read",
        ),
        "no_better_than_guess": Misconception(
            "On new trees this is no better than saying the median to all of them.", "05_beat_a_baseline#seeds-read"
        ),
        "test_for_tuning": Misconception(
            "Who chooses by the test set has no test set any more: its best score flatters. Choose on the validation "
            "part.",
            "07_regularize_and_tune#look-read",
        ),
        "validation_reported": Misconception(
            "That is the error on the samples that the model was chosen by. What to report comes from the test set.",
            "07_regularize_and_tune#look-read",
        ),
        "spread_for_error": Misconception(
            "The standard deviation tells how single trees scatter. A mean of n of them scatters √n times less.",
            "05_beat_a_baseline#swap-why",
        ),
    },
)


def read_entry(entry: object) -> tuple[str, str] | None:
    """Return type and measure of an answer in small letters; None if it is no such pair."""
    if not isinstance(entry, list) or len(entry) != 2 or not all(isinstance(word, str) for word in entry):
        return None
    kind, measure = (word.strip().lower().replace("_", " ") for word in entry)
    return (kind, measure) if kind in KINDS and measure in {one.lower() for one in MEASURES} else None


@ASSIGNMENT.exercise(points=10, asks=("sheet",))
def sheet(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """Of each question its type and a measure."""
    form = f"sheet holds of each question a pair: one of {', '.join(KINDS)}, and one of {', '.join(MEASURES)}."
    if not isinstance(answer.sheet, dict) or set(answer.sheet) != set(world.right):
        return object_to(form)
    if any(read_entry(entry) is None for entry in answer.sheet.values()):
        return object_to(form)


@ASSIGNMENT.exercise(points=10, asks=("copies", "groups"))
def look(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """Two numbers: of surplus rows, and of groups."""
    if None in (as_number(answer.copies), as_number(answer.groups)):
        return object_to("copies and groups are numbers.")


@ASSIGNMENT.exercise(points=15, asks=("correlations", "leave_out"))
def columns(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """A correlation of each measured column, and a list of columns."""
    told = as_numbers(answer.correlations, MEASURED)
    if told is None or max(map(abs, told.values())) > 1 + 1e-9:
        return object_to(f"correlations has a number from -1 to 1 for each of {', '.join(MEASURED)}, and no other.")
    if read_columns(answer.leave_out, world) is None:
        return object_to(f"leave_out is a list of columns of the table, without {TARGET!r}, which is the target.")


def read_columns(value: object, world: Cooperative) -> set[str] | None:
    """Return the columns that are named, or None where something else is."""
    names = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        return None
    return set(names) if set(names) <= set(world.order) - {TARGET} else None


@ASSIGNMENT.exercise(points=15, asks=("split",), tries=lambda world, data: {"split": [(data["table"],)]})
def protocol(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """Pairs of row numbers."""
    return judge_form(answer, world.given["table"])


def judge_form(answer: SimpleNamespace, table: pd.DataFrame) -> Verdict | None:
    """Check that there are pairs of row numbers, and none is in both parts."""
    outputs = getattr(answer.split, "outputs", ())
    pairs = read_splits(outputs[0] if outputs else None, len(table))
    if isinstance(pairs, str):
        return object_to(pairs)
    if any(np.isin(train, val).any() for train, val in pairs):
        return ASSIGNMENT.wrong("judged_on_training")


@ASSIGNMENT.exercise(points=10, asks=("guess_error",))
def baseline(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """A number of kilograms."""
    got = as_number(answer.guess_error)
    if got is None or got <= 0:
        return object_to("guess_error is a number of kilograms.")


def _try_model(world: Cooperative, data: dict) -> dict[str, list[tuple]]:
    known = data["table"].drop(columns=TARGET)
    return {"model": [(known.assign(**{world.leak: np.nan}),), (known,)]}


@ASSIGNMENT.exercise(points=20, asks=("model",), tries=_try_model)
def model(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """A fitted estimator that takes the raw table and says one number a tree."""
    if getattr(answer.model, "kind", "") != "estimator":
        return object_to("model is a fitted pipeline of scikit-learn.")
    if read_predictions(answer.model, len(world.given["table"])) is None:
        return object_to("model.predict is to return a number for each row of the raw table.")


def read_predictions(model: object, rows: int) -> list[np.ndarray] | None:
    """Return what was predicted for each try, float (rows,); None if it is not one finite number a row."""
    found = []
    for output in model.outputs:
        try:
            predicted = np.asarray(output, dtype=float).reshape(-1)
        except (TypeError, ValueError, OverflowError):
            return None
        if predicted.shape != (rows,) or not np.isfinite(predicted).all():
            return None
        found.append(predicted)
    return found if len(found) == 2 else None


@ASSIGNMENT.exercise(points=10, asks=("chosen", "reported", "interval"))
def final(answer: SimpleNamespace, world: Cooperative) -> Verdict | None:
    """A model, its error in kilograms and an interval around it."""
    if not isinstance(answer.chosen, str) or answer.chosen not in MODELS:
        return object_to(f"chosen is one of the columns of work.val_errors. Received: {str(answer.chosen)[:80]!r}.")
    if as_number(answer.reported) is None:
        return object_to("reported is a number of kilograms.")
    if (ends := read_interval(answer.interval)) is None or not ends[0] < ends[1]:
        return object_to("interval is two numbers, the lower end first.")


def read_interval(value: object) -> tuple[float, float] | None:
    """Return the two ends of an interval, or None if it is no pair of numbers."""
    ends = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(ends, list) or len(ends) != 2 or None in (numbers := [as_number(end) for end in ends]):
        return None
    return numbers[0], numbers[1]
