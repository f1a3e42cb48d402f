"""Assignment 8, a pipeline that does not work: a plant sorts castings by what its scales and gauges say.

In each student's world the data has one fault of three (labels some rows out of step, labels turned round, one gauge in
other units for a part of the rows), the columns stand in another order, and the learning rate that works is another.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to

LESSON = "08_debug_the_pipeline"
ROWS, CLEAN_ROWS, HIDDEN_ROWS = 400, 80, 1_000
COLUMNS = 5
FAULTS = ("out of step", "turned round", "other units")


class Foundry:
    """Castings with five columns, whether they are sound, and recorded trainings.

    Attributes
    ----------
    fault : of the table that the student gets, one of `FAULTS`
    steps : by how many rows the labels are late, where they are out of step
    gauge : the column that is in other units in a third of the rows, where that is the fault
    best_rate : the largest learning rate that still works
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.order = rng.permutation(COLUMNS)
        self.fault = str(rng.choice(FAULTS))
        self.steps = int(rng.integers(1, 4))
        self.gauge = int(np.flatnonzero(self.order == 1)[0])
        self.best_rate = 10.0 ** rng.uniform(-2, -0.5)
        clean, broken = self._cast(rng, CLEAN_ROWS), self.break_(self._cast(rng, ROWS))
        self.given = {
            "x_clean": clean["x"],
            "y_clean": clean["y"],
            "x": broken["x"],
            "y": broken["y"],
            "tables": self._tables(rng, 3),
            "parts": self._parts(rng, 2),
            "outputs": self._outputs(rng, 4),
            "batches": self._batches(rng, 6),
            "sweep": self._sweep(rng),
        }

    def _cast(self, rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        weight, wall = rng.normal(50, 8, rows), rng.normal(12, 2, rows)  # kilograms, millimetres
        others = rng.normal(size=(rows, COLUMNS - 2)) * [3, 20, 0.5] + [20, 300, 7]
        is_sound = wall - 0.1 * (weight - 50) + 0.5 * rng.normal(size=rows) > 12
        x = np.column_stack([weight, wall, others])[:, self.order]
        return {"x": x, "y": is_sound.astype(int)}

    def break_(self, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return a table with the fault of this world."""
        x, y = table["x"].copy(), table["y"].copy()
        if self.fault == "out of step":
            y = np.roll(y, self.steps)  # the label of a row stands some rows below it
        elif self.fault == "turned round":
            y = 1 - y
        else:
            x[::3, self.gauge] /= 25.4  # inches
        return {"x": x, "y": y}

    def _tables(self, rng: np.random.Generator, number: int) -> list[np.ndarray]:
        tables = []
        for _ in range(number):
            table = rng.normal(size=(30, 6)) * rng.uniform(0.5, 5, 6)
            spoiled = rng.permutation(6)
            table[rng.integers(6, 30), spoiled[0]] = np.nan
            table[rng.integers(6, 30), spoiled[1]] = rng.choice([np.inf, -np.inf])
            table[:, spoiled[2]] = rng.normal()
            tables.append(table)
        return tables

    def _parts(self, rng: np.random.Generator, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        parts = []
        for _ in range(number):
            train = rng.integers(0, 4, (60, 5)).astype(float)  # single values recur in every row: only whole rows count
            fresh = rng.integers(0, 4, (40, 5)) + 0.5 * (rng.integers(0, 5, 40)[:, None] == np.arange(5))
            val = rng.permutation(np.vstack([fresh, train[rng.integers(0, 60, rng.integers(5, 15))]]))
            parts.append((train, val))
        return parts

    def _outputs(self, rng: np.random.Generator, number: int) -> list[np.ndarray]:
        outputs = []
        for at in range(number):
            # Arithmetic is exact to some digits: so many that rounding to six of them makes these equal in every world.
            same = rng.dirichlet(np.ones(3)) + 1e-11 * rng.normal(size=(20, 3))
            alive = same + 0.02 * rng.normal(size=(20, 3)) * (rng.random((20, 1)) < 0.5)
            outputs.append(same if at % 2 else alive)
        return outputs

    def _batches(self, rng: np.random.Generator, number: int) -> list[dict[str, object]]:
        batches = []
        for at in range(number):
            steps, first = np.arange(100), rng.uniform(0.6, 2.5)
            floor = 0.0 if at % 2 == 0 else first * rng.uniform(0.35, 0.8)
            losses = floor + (first - floor) * np.exp(-steps / rng.uniform(8, 16))
            losses = losses * (1 + 0.05 * rng.normal(size=100))
            batches.append({"losses": np.maximum(np.abs(losses), 1e-5).round(6).tolist(), "is_sound": at % 2 == 0})
        return batches

    def _sweep(self, rng: np.random.Generator) -> dict[str, list[float]]:
        rates = 10.0 ** np.arange(-6, 1.5, 0.5)
        losses = 0.69 * np.exp(-1.2 * np.sqrt(rates / self.best_rate)) + 0.05
        losses = np.where(rates > 2 * self.best_rate, 0.7 * rates / self.best_rate, losses) * (
            1 + 0.02 * rng.random(15)
        )
        losses[rates > 60 * self.best_rate] = np.nan
        return {"rates": rates.tolist(), "losses": losses.round(4).tolist()}

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return a `sound` table and the same with the fault, `x` and `y`; and more of all that was recorded."""
        sound = self._cast(rng, HIDDEN_ROWS)
        return {
            "sound": sound,
            **self.break_(sound),
            "tables": self._tables(rng, 20),
            "parts": self._parts(rng, 10),
            "outputs": self._outputs(rng, 20),
            "batches": self._batches(rng, 40),
        }


ASSIGNMENT = Assignment(
    LESSON,
    Foundry,
    {
        "only_missing_numbers": Misconception(
            "Not only NaN spoils a column: an infinity does, too, and a column that never changes tells nothing.",
            f"{LESSON}#look-read",
        ),
        "rows_not_columns": Misconception(
            "A table is rows by columns: `axis=0` goes down each column.", f"{LESSON}#look-why"
        ),
        "same_place_only": Misconception(
            "A row that stands in both parts seldom stands in the same place of both.", f"{LESSON}#look-why"
        ),
        "values_not_rows": Misconception(
            "That single values recur means nothing: a sample is shared when its whole row is.", f"{LESSON}#look-why"
        ),
        "exactly_equal": Misconception(
            "Numbers of a computer are exact to some digits: outputs that differ by 0.00000000001 are the same.",
            f"{LESSON}#experiments-why",
        ),
        "one_pair_is_enough": Misconception(
            "That two outputs agree, or two columns, does not say that the model ignores its input: all have to agree.",
            f"{LESSON}#experiments-why",
        ),
        "falling_is_enough": Misconception(
            "On one batch a falling loss is not enough: a sound network learns it by heart, and its loss goes to 0.",
            f"{LESSON}#batch-read",
        ),
        "absolute_zero": Misconception(
            "A loss never becomes exactly 0. It is small *beside where it began*.", f"{LESSON}#batch-read"
        ),
        "fault_not_found": Misconception(
            "The fault is still there. Fit a simple model on the clean rows and let it answer the others: where, and "
            "how, do its answers and the labels part?",
            f"{LESSON}#look-read",
        ),
        "threw_rows_away": Misconception(
            "Samples cost money: a fault that can be mended is no reason to throw them away.", f"{LESSON}#look-read"
        ),
        "too_cautious": Misconception("At that rate next to nothing is learned in this time.", f"{LESSON}#rate-read"),
        "behind_the_cliff": Misconception(
            "Behind the valley the steps are too large: the loss rises, or is no number any more.",
            f"{LESSON}#rate-read",
        ),
    },
)


def _try_tables(world: Foundry, data: dict) -> dict[str, list[tuple]]:
    return {"bad_columns": [(table,) for table in data["tables"]]}


@ASSIGNMENT.exercise(points=10, asks=("bad_columns",), tries=_try_tables)
def columns(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """Columns with NaN, an infinity, or one value."""
    return judge_columns(answer, world.given["tables"])


def judge_columns(answer: SimpleNamespace, tables: list[np.ndarray]) -> Verdict | None:
    """Compare the columns that were found in some tables."""
    for got, table in zip(answer.bad_columns.outputs, tables, strict=True):
        try:
            found = {int(one) for one in np.ravel(got)}
        except (TypeError, ValueError):
            return object_to(f"bad_columns returns a list of column numbers. Received: {got!r}.")
        if np.asarray(got).dtype == bool:
            return object_to("bad_columns returns numbers, not yes or no for each column: np.flatnonzero makes them.")
        missing = {int(at) for at in np.flatnonzero(np.isnan(table).any(axis=0))}
        infinite = {int(at) for at in np.flatnonzero(np.isinf(table).any(axis=0))}
        still = {int(at) for at in np.flatnonzero(np.ptp(table, axis=0) == 0)}
        right = missing | infinite | still
        if found == right:
            continue
        if missing <= found < right:
            return ASSIGNMENT.wrong("only_missing_numbers", share=0.4)
        if max(found, default=0) > 5 or found <= {int(at) for at in np.flatnonzero(~np.isfinite(table).all(axis=1))}:
            return ASSIGNMENT.wrong("rows_not_columns")
        return object_to(f"In one table these columns are spoiled: {sorted(right)}. Found: {sorted(found)}.")


def _try_parts(world: Foundry, data: dict) -> dict[str, list[tuple]]:
    return {"count_shared": [tuple(pair) for pair in data["parts"]]}


@ASSIGNMENT.exercise(points=15, asks=("count_shared",), tries=_try_parts)
def shared(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """Rows of the validation part that stand in the training part, too."""
    return judge_shared(answer, world.given["parts"])


def judge_shared(answer: SimpleNamespace, parts: list[tuple[np.ndarray, np.ndarray]]) -> Verdict | None:
    """Compare the counts of some pairs."""
    for got, (train, val) in zip(answer.count_shared.outputs, parts, strict=True):
        known = {tuple(row) for row in train}
        right = sum(tuple(row) in known for row in val)
        if not isinstance(got, int | float):
            return object_to(f"count_shared returns a number. Received: {got!r}.")
        if got == right:
            continue
        if got == sum(bool((a == b).all()) for a, b in zip(train, val, strict=False)):
            return ASSIGNMENT.wrong("same_place_only", share=0.2)
        if got in (
            np.isin(val, train).sum(),
            np.isin(val, train).all(axis=1).sum(),
            np.isin(val, train).any(axis=1).sum(),
        ):
            return ASSIGNMENT.wrong("values_not_rows", share=0.2)
        return object_to(
            f"In one pair {right} rows of the validation part stand in the training part. Counted: {got:g}."
        )


def _try_outputs(world: Foundry, data: dict) -> dict[str, list[tuple]]:
    return {"ignores_input": [(outputs,) for outputs in data["outputs"]]}


@ASSIGNMENT.exercise(points=10, asks=("ignores_input",), tries=_try_outputs)
def constant(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """Whether all rows are the same, to some digits."""
    return judge_constant(answer, world.given["outputs"])


def judge_constant(answer: SimpleNamespace, outputs: list[np.ndarray]) -> Verdict | None:
    """Compare yes and no for some outputs."""
    said = answer.ignores_input.outputs
    if odd := [got for got in said if not isinstance(got, bool)]:
        return object_to(f"ignores_input returns True or False. Received: {odd[0]!r}.")
    right = [bool(np.ptp(rows, axis=0).max() < 1e-6) for rows in outputs]
    if list(said) == right:
        return None
    if not any(said):
        return ASSIGNMENT.wrong("exactly_equal", share=0.4)
    if all(got or not want for got, want in zip(said, right, strict=True)):
        return ASSIGNMENT.wrong("one_pair_is_enough", share=0.2)
    return object_to("At least one model that looks at its input was accused, or one that does not was let go.")


def _try_batches(world: Foundry, data: dict) -> dict[str, list[tuple]]:
    return {"can_learn": [(batch["losses"],) for batch in data["batches"]]}


@ASSIGNMENT.exercise(points=15, asks=("can_learn",), tries=_try_batches)
def batch(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """Whether the loss of one batch went to zero."""
    return judge_batches(answer, world.given["batches"])


def judge_batches(answer: SimpleNamespace, batches: list[dict]) -> Verdict | None:
    """Compare yes and no for some trainings on one batch."""
    said, right = answer.can_learn.outputs, [one["is_sound"] for one in batches]
    if odd := [got for got in said if not isinstance(got, bool)]:
        return object_to(f"can_learn returns True or False. Received: {odd[0]!r}.")
    if list(said) == right:
        return None
    if not any(said):
        return ASSIGNMENT.wrong("absolute_zero", share=0.3)
    if all(said):
        return ASSIGNMENT.wrong("falling_is_enough", share=0.3)
    return object_to(
        f"Of {len(right)} trainings, {sum(a == b for a, b in zip(said, right, strict=True))} are judged right.", 0.3
    )


def _try_mend(world: Foundry, data: dict) -> dict[str, list[tuple]]:
    return {"mend": [(data["x"], data["y"])]}


@ASSIGNMENT.exercise(points=25, asks=("mend",), tries=_try_mend)
def mended(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """Two arrays, one row each for a casting."""
    pair = answer.mend.outputs[0]
    if not isinstance(pair, list) or len(pair) != 2:
        return object_to("mend returns two arrays: x and y.")
    try:
        x, y = (np.asarray(part, float) for part in pair)
    except (TypeError, ValueError):
        return object_to("mend returns two arrays of numbers: x and y.")
    if x.ndim != 2 or x.shape[1] != COLUMNS or len(x) != len(y.reshape(len(y), -1)):
        return object_to(f"mend returns x with {COLUMNS} columns, and as many labels as rows.")


@ASSIGNMENT.exercise(points=15, asks=("rate",))
def rates(answer: SimpleNamespace, world: Foundry) -> Verdict | None:
    """A learning rate within the valley of the sweep."""
    if not isinstance(answer.rate, int | float) or not answer.rate > 0:
        return object_to("rate is a number above 0.")
    if answer.rate > 2 * world.best_rate:
        return ASSIGNMENT.wrong("behind_the_cliff", share=0.2)
    if answer.rate < world.best_rate / 17:  # a tenth of the lowest point of the sweep, a common rule, may be so small
        return ASSIGNMENT.wrong("too_cautious", share=0.2)
