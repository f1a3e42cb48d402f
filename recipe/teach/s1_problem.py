"""Assignment 1, the problem: a ferry line that wants to say how late its ships will be.

In each student's world other columns are known in time, another one is a copy of the target, another one has moved
since last year, and the teams that report are called otherwise. Whoever goes by the name, by Pearson's correlation, by
means or by the best number on the page is wrong in all of them.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.reading import as_number, as_numbers, is_near, refuse_name

LESSON = "01_define_the_problem"
ROWS = 1_500  # crossings in a table
DAYS = 20_000  # a share of them has a standard error of 0.3 points
HIDDEN_ROWS = 20_000
DEADLINE = 1  # hour before departure at which the prediction is made

MEANINGS = {
    "wind": "speed of the wind (m/s)",
    "waves": "height of the waves (m)",
    "sight": "how far one can see (km)",
    "booked": "passengers with a ticket",
    "trucks": "trucks on the car deck",
    "crew": "members of the crew on duty",
    "tide": "depth of the water at the pier (m)",
    "fuel": "fuel in the tank (t)",
}
QUESTIONS = {  # of each kind of target two ways to ask
    "yes or no": [
        "Will the ship be more than a quarter of an hour late?",
        "Will the crossing be cancelled?",
    ],
    "class": [
        "At which of {n} berths, numbered 1 to {n}, will the harbour let the ship moor?",
        "Which of the {n} captains, numbered 1 to {n} in the staff list, will be on duty?",
    ],
    "labels": [
        "There are {n} devices on board: which of them will need repair? It can be none, one or several.",
        "There are {n} kinds of special cargo: which of them will be on board? It can be none, one or several.",
    ],
    "count": [
        "How many passengers will come aboard, 0 to about 600?",
        "How many meals will be sold, 0 to about 400?",
    ],
    "quantity": [
        "How many tonnes of fuel will be burned?",
        "How many minutes will the crossing take?",
    ],
}


class FerryLine:
    """Crossings of a ferry line, what is written down of them, and what teams say that they can predict.

    Attributes
    ----------
    hours : of each column that is known in time, how many hours before departure
    too_late : the column that is known before departure, but not in time
    leak, honest : the columns of `sensors` that is a copy of the target, and that is a good predictor
    kinds : of each question, a key of `QUESTIONS`; `units` how many classes or labels there are
    useful : the column, ``"a"`` or ``"b"``, that lowers the Bayes error
    moved, shifted : the column whose values have left the range of last year, and the one whose mean is another
    roles : of each team: ``"learned"``, ``"leaky"``, ``"by heart"`` or ``"nothing"``
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._describe_columns(rng)
        self._name_sensors(rng)
        self._ask(rng)
        self.allowed = [str(name) for name in rng.permutation(list(MEANINGS))[:4]]
        self._order = [str(name) for name in rng.permutation([*MEANINGS, "number", "delay"])]
        self.typical = np.exp(rng.uniform(np.log(3), np.log(20)))  # minutes, the median delay
        self._set_chances(rng)
        years = [str(name) for name in rng.permutation(["power", "speed", "load", "draught", "heel"])]
        self.moved, self.shifted, self._calm = years[0], years[1], years[2:]
        self.given = {
            "columns": self.columns,
            "log": self._make_log(rng, turn=0),
            "delays": self._delays(rng, ROWS),
            "days": self._make_days(rng),
            "allowed": self.allowed,
            "sensors": self._make_sensors(rng),
            "questions": self.questions,
            **self._make_years(rng),
            "teams": self._make_teams(rng),
        }

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return new crossings: a `log`, its columns in another order, and `delays` in minutes (rows,)."""
        return {
            "log": self._make_log(rng, turn=int(rng.choice([1, 3, 7, 9]))),
            "delays": self._delays(rng, HIDDEN_ROWS),
        }

    def _delays(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        """Most ships are a little late, a few are very late."""
        return self.typical * np.exp(1.2 * rng.normal(size=rows))

    def _describe_columns(self, rng: np.random.Generator) -> None:
        names = [str(name) for name in rng.permutation(list(MEANINGS))]
        in_time = int(rng.integers(4, 6))
        hours = rng.permutation([2, 3, 4, 5, 6, 8, 9, 12, 15, 18, 20, 24, 30, 36, 48])[:in_time]
        self.hours = dict(zip(names, map(int, hours), strict=False))
        late = names[in_time:]
        self.too_late = late[0]
        moments = {late[0]: f"{rng.choice([20, 30, 40])} minutes before departure"}
        moments |= {name: str(rng.choice(["on the way", "on arrival", "on the day after"])) for name in late[1:]}
        moments |= {name: f"{hours} hours before departure" for name, hours in self.hours.items()}
        told = {name: f"{MEANINGS[name]}, written down {moments[name]}" for name in MEANINGS}
        self.columns = told | {"delay": "minutes late on the other side, written down on arrival"}

    def _name_sensors(self, rng: np.random.Generator) -> None:
        names = [str(name) for name in rng.permutation([f"s{number:02}" for number in range(1, 13)])]
        self.leak, self.honest, self._others = names[0], names[1], names[2:]

    def _make_sensors(self, rng: np.random.Generator) -> pd.DataFrame:
        """Twelve columns and the delay. The copy of the delay is bent, so that no straight line finds it."""
        cause = rng.normal(size=ROWS)
        delay = self.typical * np.exp(0.6 * cause + 0.45 * rng.normal(size=ROWS))
        bent = (self.typical / delay) ** 1.5 * np.exp(rng.uniform(0.1, 0.6) * rng.normal(size=ROWS))
        columns = {self.leak: 100 * bent, self.honest: 20 * np.exp(0.6 * cause)}
        columns |= {
            name: 0.1 * weight * cause + rng.normal(size=ROWS) for weight, name in enumerate(sorted(self._others))
        }
        return pd.DataFrame({name: columns[name] for name in sorted(columns)} | {"delay": delay}).round(6)

    def _ask(self, rng: np.random.Generator) -> None:
        classes, labels = (int(number) for number in rng.permutation(np.arange(3, 10))[:2])
        units = {"yes or no": 1, "class": classes, "labels": labels, "count": 1, "quantity": 1}
        kinds = [str(kind) for kind in rng.permutation(list(QUESTIONS))]
        self.kinds = dict(zip("abcde", kinds, strict=True))
        self.units = {name: units[kind] for name, kind in self.kinds.items()}
        self.questions = {
            name: str(rng.choice(QUESTIONS[kind])).format(n=units[kind]) for name, kind in self.kinds.items()
        }

    def _make_log(self, rng: np.random.Generator, turn: int) -> pd.DataFrame:
        """The log of a year: a running number, the columns, and the delay, which a cancelled crossing has not.

        Ten columns, turned by a number that has no divisor in common with 10: no four places hold the same four.
        """
        rows = 400
        log = pd.DataFrame({name: rng.normal(10, 3, rows).round(2) for name in MEANINGS})
        log = log.mask(rng.random(log.shape) < 0.04)
        log["number"] = np.arange(1, rows + 1)
        log["delay"] = self._delays(rng, rows).round(1)
        log.loc[rng.random(rows) < 0.1, "delay"] = np.nan
        return log[[*self._order[turn:], *self._order[:turn]]]

    def _set_chances(self, rng: np.random.Generator) -> None:
        self.useful = str(rng.choice(["a", "b"]))
        self._storms, self._useful_days = rng.uniform(0.22, 0.28), rng.uniform(0.27, 0.33)
        base = np.array([[0.08, 0.58], [0.88, 0.38]])  # of being late: without and with a storm, and the useful column
        self._late = base + rng.uniform(-0.05, 0.05, (2, 2))

    def _make_days(self, rng: np.random.Generator) -> pd.DataFrame:
        """Days. One of two columns says little alone and much beside the storm; the other one repeats the storm."""
        storm = rng.random(DAYS) < self._storms
        useful = rng.random(DAYS) < self._useful_days
        repeats = storm ^ (rng.random(DAYS) < 0.05)
        late = rng.random(DAYS) < self._late[storm.astype(int), useful.astype(int)]
        ab = {"a": useful, "b": repeats} if self.useful == "a" else {"a": repeats, "b": useful}
        return pd.DataFrame({"storm": storm, **ab, "late": late})

    def _make_years(self, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Two years. One column has another mean, in large numbers; one has the same mean, and other values."""
        last, this = {}, {}
        for unit, name in zip((1, 10, 100), self._calm, strict=True):
            last[name], this[name] = unit * rng.normal(5, 1, (2, ROWS))
        last[self.shifted] = 10_000 * rng.normal(5, 1, ROWS)
        this[self.shifted] = 10_000 * rng.normal(5.3, 1, ROWS)
        far = rng.uniform(3.9, 4.5)
        last[self.moved] = 10 + np.clip(rng.normal(size=ROWS), -3.3, 3.3)
        leaves = rng.random(ROWS) < rng.uniform(0.3, 0.6)
        side = np.where(np.arange(ROWS) % 2, 1, -1)
        this[self.moved] = 10 + np.where(leaves, side * far, rng.normal(size=ROWS))
        order = sorted(last)
        return {"last_year": pd.DataFrame(last)[order].round(3), "this_year": pd.DataFrame(this)[order].round(3)}

    def _make_teams(self, rng: np.random.Generator) -> pd.DataFrame:
        """Four teams, a line each: mean absolute errors in minutes, and that of the guess on the same crossings."""
        roles = {  # the guess, then as multiples of it: training, validation, validation with shuffled labels
            "learned": (rng.uniform(20, 24), 0.45, rng.uniform(0.55, 0.75), rng.uniform(1.02, 1.1)),
            "leaky": (rng.uniform(9, 12), 0.20, rng.uniform(0.25, 0.4), rng.uniform(0.45, 0.6)),
            "by heart": (rng.uniform(6, 8), 0.04, rng.uniform(1.08, 1.3), rng.uniform(1.05, 1.3)),
            "nothing": (rng.uniform(7, 10), 0.98, rng.uniform(0.98, 1.05), rng.uniform(1, 1.06)),
        }
        names = [str(name) for name in rng.permutation(["north", "south", "east", "west"])]
        self.roles = dict(zip(names, roles, strict=True))
        rows = {}
        for name, role in self.roles.items():
            guess, *multiples = roles[role]
            rows[name] = [guess, *(guess * multiple for multiple in multiples)]
        columns = ["guess", "training", "validation", "shuffled_validation"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).sort_index().round(2)


ASSIGNMENT = Assignment(
    LESSON,
    FerryLine,
    {
        "target_among_inputs": Misconception(
            "The target is among the inputs. A model that is told the answer has nothing to predict, and nobody can "
            "tell it the answer tomorrow.",
            f"{LESSON}#digits",
        ),
        "known_too_late": Misconception(
            "A column may only be an input if its value is there when the prediction is made. Last year's table "
            "holds it all the same, for it was filled in afterwards.",
            f"{LESSON}#moves",
        ),
        "straight_lines_only": Misconception(
            "Pearson's correlation sees straight lines only. A copy may be bent or turned round, so compare ranks, "
            "and whatever their sign.",
            f"{LESSON}#panel-drive",
        ),
        "softmax_for_labels": Misconception(
            "Softmax makes the outputs add up to one, as if only one of them could be true. Labels that go together "
            "want a sigmoid each.",
            f"{LESSON}#parts",
        ),
        "names_as_quantity": Misconception(
            "Those numbers are names: number 4 is not twice number 2. A class wants a softmax with a unit for each.",
            f"{LESSON}#guess",
        ),
        "quantity_as_classes": Misconception(
            "Here the numbers are counts or quantities: 301 is nearly 300. Classes would know nothing of that, so take "
            "one unit, without activation.",
            f"{LESSON}#parts",
        ),
        "sigmoid_for_quantity": Misconception(
            "A sigmoid ends at 1, and such quantities do not: the last layer must be able to say any number.",
            f"{LESSON}#parts",
        ),
        "target_filled_in": Misconception(
            "A crossing that never took place was not on time, nor was it as late as the others: a made-up target "
            "teaches what is not true. Leave such rows out.",
            f"{LESSON}#labels-read",
        ),
        "rows_lost_for_gaps": Misconception(
            "Rows with a gap in an input were thrown away, too. They have a target, and can be learned from: gaps of "
            "inputs are filled in step 4.",
            "04_prepare_your_data#gaps-read",
        ),
        "columns_by_position": Misconception(
            "These columns were taken by their position. The next log has them in another order: go by the names.",
            f"{LESSON}#houses-table",
        ),
        "mean_for_absolute_error": Misconception(
            "The mean is the best guess for squared errors, and follows the few very late ships. For absolute errors "
            "it is the median.",
            f"{LESSON}#shuffle-read",
        ),
        "timetable_as_guess": Misconception(
            "To say what the timetable says is a guess, but the best guess knows what last year's delays were like.",
            f"{LESSON}#guess",
        ),
        "squares_for_absolute_error": Misconception(
            "That is the root of the mean squared error. What was asked is the mean absolute one.",
            f"{LESSON}#guess-compute",
        ),
        "floor_is_zero": Misconception(
            "On days that look alike a ship is sometimes late and sometimes not, so no model, however large, is right "
            "on all of them.",
            f"{LESSON}#digits-read",
        ),
        "guess_as_floor": Misconception(
            "That is the error of a guess that looks at nothing. The floor is for the best answer to days that look "
            "alike.",
            f"{LESSON}#bayes-solution",
        ),
        "cells_weigh_alike": Misconception(
            "The kinds of days were averaged as if each were as frequent as the others. Weigh each by its days.",
            f"{LESSON}#bayes-solution",
        ),
        "alone_is_not_together": Misconception(
            "That column tells more alone, but it repeats what the storm tells already. What counts is what it adds.",
            f"{LESSON}#bayes-solution",
        ),
        "means_tell_it_all": Misconception(
            "Means differ a little, and in large units by large numbers. Whether a model has seen such values, only "
            "the whole range tells.",
            f"{LESSON}#north-read",
        ),
        "best_number_wins": Misconception(
            "With shuffled labels nothing can be learned. Who beats the guess even then has let the answers slip into "
            "the inputs, and the good number with true labels is worth as little.",
            f"{LESSON}#shuffle-read",
        ),
        "training_error_tells": Misconception(
            "A low error in training shows that something was learned by heart. Only crossings that were not learned "
            "from can tell whether it holds.",
            f"{LESSON}#shuffle-read",
        ),
    },
)


@ASSIGNMENT.exercise(points=10, asks=("inputs",))
def inputs(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """A dictionary from columns to hours. Whether they are the right ones, the hidden check says."""
    if not isinstance(answer.inputs, dict) or not answer.inputs:
        return object_to("inputs is a dictionary: of each column that may be used, how many hours before departure.")
    if unknown := [name for name in answer.inputs if name not in world.columns]:
        return object_to(f"There is no column {unknown[0]!r}.")
    if any(as_number(hours) is None for hours in answer.inputs.values()):
        return object_to("Of each column the dictionary says a number of hours.")
    if "delay" in answer.inputs:
        return ASSIGNMENT.wrong("target_among_inputs")


@ASSIGNMENT.exercise(points=10, asks=("leak", "alike"))
def leak(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """The name of a sensor, and a correlation."""
    if verdict := refuse_name("leak", answer.leak, [name for name in world.given["sensors"] if name != "delay"]):
        return verdict
    alike = as_number(answer.alike)
    if alike is None or abs(alike) > 1:
        return object_to("alike is a rank correlation, a number from -1 to 1.")


@ASSIGNMENT.exercise(points=15, asks=("last_layers",))
def last_layers(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """Of each question units and an activation."""
    form = "last_layers holds of each question, 'a' to 'e', a pair: the units, and 'softmax', 'sigmoid' or None."
    if not isinstance(answer.last_layers, dict) or set(answer.last_layers) != set(world.questions):
        return object_to(form)
    if any(read_layer(pair) is None for pair in answer.last_layers.values()):
        return object_to(form)


def read_layer(pair: object) -> tuple[int, str] | None:
    """Return units and activation, ``"linear"`` for none; None if it is no such pair."""
    if not isinstance(pair, list) or len(pair) != 2:
        return None
    units, activation = as_number(pair[0]), str(pair[1]).lower()
    activation = "linear" if activation in ("none", "linear", "") else activation
    if units is None or activation not in ("softmax", "sigmoid", "linear"):
        return None
    return round(units), activation


@ASSIGNMENT.exercise(points=15, asks=("split_off",), tries=lambda world, data: {"split_off": [(data["log"],)]})
def split_off(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """Inputs and target of the log that is there."""
    return judge_split_off(answer, world, world.given["log"])


def judge_split_off(answer: SimpleNamespace, world: FerryLine, log: pd.DataFrame) -> Verdict | None:
    """Compare inputs and target with those of any log."""
    pair = getattr(answer.split_off, "outputs", None)
    if not pair or not isinstance(pair[0], list) or len(pair[0]) != 2:
        return object_to("split_off is a function that returns two things: inputs and target.")
    columns, target = _read_table(pair[0][0], world.allowed), _read_column(pair[0][1])
    if columns is None or target is None:
        return object_to("The inputs are a table, or an array with as many columns; the target is a column of numbers.")
    if set(columns) - set(world.allowed) and columns.shape[1] == len(world.allowed) and log is not world.given["log"]:
        return ASSIGNMENT.wrong("columns_by_position", share=0.2)  # they were right on the log that was there
    if "delay" in columns:
        return ASSIGNMENT.wrong("target_among_inputs", share=0.2)
    if set(columns) - set(world.allowed):
        return ASSIGNMENT.wrong("known_too_late", "There are columns that are not in work.allowed.", share=0.3)
    if missing := [name for name in world.allowed if name not in columns]:
        return object_to(f"The inputs lack {', '.join(missing)}.", share=0.3)
    return _judge_rows(columns, target, world, log)


def _judge_rows(columns: pd.DataFrame, target: np.ndarray, world: FerryLine, log: pd.DataFrame) -> Verdict | None:
    kept = log["delay"].notna()
    complete = kept & log[world.allowed].notna().all(axis=1)
    if len(columns) != len(target):
        return object_to(f"There are {len(columns)} rows of inputs and {len(target)} targets.", share=0.2)
    if len(target) == len(log):
        if np.isnan(target).any():
            return object_to("Crossings without a delay are still among the rows.", share=0.4)
        return ASSIGNMENT.wrong("target_filled_in", share=0.4)
    if len(target) in (complete.sum(), len(log.dropna())):
        return ASSIGNMENT.wrong("rows_lost_for_gaps", share=0.5)
    right = log.loc[kept]
    if len(target) != len(right) or not np.allclose(target, right["delay"]):
        return object_to("The target is not the delay of the crossings that took place, in their order.", share=0.2)
    if not np.allclose(columns[world.allowed], right[world.allowed], equal_nan=True):
        return object_to("The inputs are not those of the log: leave values and gaps as they are.", share=0.5)
    return None


def _read_table(value: object, names: list[str]) -> pd.DataFrame | None:
    """Return numbers in named columns; an array has them in the order of the names."""
    if isinstance(value, list):
        try:
            value = np.asarray(value, dtype=float)
        except (TypeError, ValueError):
            return None
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] == len(names):
        value = pd.DataFrame(value, columns=names)
    if not isinstance(value, pd.DataFrame) or not value.columns.is_unique:
        return None
    try:
        return value.astype(float)
    except (TypeError, ValueError):
        return None


def _read_column(value: object) -> np.ndarray | None:
    try:
        column = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return None
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    return column if column.ndim == 1 else None


@ASSIGNMENT.exercise(points=10, asks=("guess", "guess_error"))
def guess(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """A number of minutes, and how far off it is on the given crossings."""
    said, error = as_number(answer.guess), as_number(answer.guess_error)
    if said is None or error is None or not 0 <= said < 10_000:
        return object_to("guess and guess_error are numbers of minutes.")
    off = np.abs(world.given["delays"] - said)
    if is_near(error, off.mean(), 0.01 * off.mean()):
        return None
    if is_near(error, np.sqrt(np.mean(off**2)), 0.01 * off.mean()):
        return ASSIGNMENT.wrong("squares_for_absolute_error", share=0.3)
    return object_to("On average over work.delays, this guess is off by something else than guess_error.", share=0.2)


@ASSIGNMENT.exercise(points=10, asks=("floors", "worth"))
def floors(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """Two shares of days, and the column to pay for."""
    got = as_numbers(answer.floors, ("a", "b"))
    if got is None or not all(0 <= share <= 1 for share in got.values()):
        return object_to("floors is a dictionary: a share of the days, 0 to 1, for 'a' and one for 'b'.")
    if verdict := refuse_name("worth", answer.worth, "ab"):
        return verdict
    if min(got.values()) == 0:
        return ASSIGNMENT.wrong("floor_is_zero")


@ASSIGNMENT.exercise(points=10, asks=("moved", "outside"))
def moved(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """The name of a column, and a share of the rows."""
    if verdict := refuse_name("moved", answer.moved, world.given["last_year"]):
        return verdict
    outside = as_number(answer.outside)
    if outside is None or not 0 <= outside <= 1:
        return object_to("outside is a share of this year's crossings, from 0 to 1.")


@ASSIGNMENT.exercise(points=10, asks=("times_guess", "learned", "leaky"))
def teams(answer: SimpleNamespace, world: FerryLine) -> Verdict | None:
    """Of each team a number, and two names."""
    names = tuple(world.given["teams"].index)
    if as_numbers(answer.times_guess, names) is None:
        return object_to(f"times_guess is a dictionary with a number for each of {', '.join(names)}.")
    return refuse_name("learned", answer.learned, names) or refuse_name("leaky", answer.leaky, names)
