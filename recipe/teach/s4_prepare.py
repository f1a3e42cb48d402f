"""Assignment 4, preparation: a workshop that buys used bicycles, from four branches, with gaps and faults.

In each student's world another column has a marker for gaps, another branch writes another unit, the camera has other
levels, and other makes are never seen in training. What looks tidiest (means of exactly 0, rows without gaps) is wrong
in all of them.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to
from recipe.teach.reading import as_numbers, refuse_name

LESSON = "04_prepare_your_data"
MAKES = ["Amsel", "Dohle", "Elster", "Fink", "Kiebitz", "Lerche", "Meise", "Star", "Taube", "Zeisig"]
UNITS = {"weight": "kg", "distance": "km", "battery": "Wh", "age": "years"}
WORDS = [
    "brake",
    "chain",
    "worn",
    "new",
    "saddle",
    "torn",
    "light",
    "broken",
    "frame",
    "fine",
    "scratch",
    "rust",
    "tyre",
    "flat",
    "good",
    "wheel",
    "bent",
    "bell",
    "missing",
    "gear",
    "slips",
    "clean",
    "lock",
    "key",
    "lost",
    "pump",
    "bag",
    "basket",
    "mirror",
]
HIDDEN_ROWS = 2_000


class Workshop:
    """Bicycles, their photographs, tables and reports.

    Attributes
    ----------
    known, unknown : the makes that training shows, and those that come later
    marked, marker : the column of `stock` in which a number stands for a gap, and the number
    branch, mixed, factor : the branch that writes the column `mixed` this many times as large
    roles : of each of `prepared`: ``"training"``, ``"own"`` or ``"all"``, whose statistics it was scaled by
    """

    def __init__(self, rng: np.random.Generator) -> None:
        makes = [str(make) for make in rng.permutation(MAKES)]
        self.known, self.unknown = sorted(makes[:4]), makes[4:7]
        self._worth = rng.choice([-1, 1]) * np.array([1, -1, -1, 1]) * rng.uniform(230, 300)  # dollars: no order in it
        self.marked, self.mixed = (str(name) for name in rng.permutation(["weight", "battery", "distance"])[:2])
        self.marker = int(rng.choice([-999, -99, -1, 99_999_999]))
        self.branch = str(rng.choice(["north", "east", "south", "west"]))
        self.factor = {"weight": 1_000, "distance": 1_000, "battery": 0.001}[self.mixed]
        self.levels = int(rng.choice([1_023, 4_095, 16_383]))
        given = self.draw(rng, 600, brightest=0.9, makes=self.known)
        del given["mended"]
        self.given = given | {"levels": self.levels, "units": UNITS} | self._make_survey(rng) | self._prepare(rng)

    def draw(
        self,
        rng: np.random.Generator,
        rows: int = HIDDEN_ROWS,
        brightest: float = 0.4,
        makes: list[str] | None = None,
    ) -> dict[str, object]:
        """Return new bicycles.

        `bikes` and `prices` in dollars (rows,); `stock` and, for the checks, `mended`; `images` uint16 (n, 8, 8);
        `train` and `new` float (n, 4); `reports` and `new_reports`, lists of texts.
        """
        images = rng.integers(0, int(brightest * self.levels), (20, 8, 8)).astype("uint16")
        train, new = self._make_columns(rng)
        texts = [" ".join(rng.choice(WORDS[:20], int(rng.integers(4, 9)))) for _ in range(11)]
        texts += [" ".join(words) for words in rng.permutation(WORDS[:20]).reshape(4, 5)]  # so that none is missing
        new_texts = [" ".join(rng.choice(WORDS[10:], int(rng.integers(4, 9)))) for _ in range(10)]
        return {
            **self._make_bikes(rng, rows, makes or self.known + self.unknown),
            **self._make_stock(rng),
            "images": images,
            "train": train,
            "new": new,
            "reports": texts,
            "new_reports": new_texts,
        }

    def _make_bikes(self, rng: np.random.Generator, rows: int, makes: list[str]) -> dict[str, object]:
        """Price falls with age and distance; each make has its worth, an unknown one that of the mean."""
        chances = np.array([1.0 if make in self.known else 0.15 for make in makes])
        make = rng.choice(makes, rows, p=chances / chances.sum())
        age, distance = rng.uniform(0, 10, rows), rng.gamma(2, 1_500, rows)
        worth = dict(zip(self.known, self._worth, strict=True))
        prices = 1_200 - 45 * age - 0.03 * distance + np.array([worth.get(one, 0.0) for one in make])
        numbers = pd.DataFrame({"age": age.round(1), "distance": distance.round(), "weight": rng.normal(17, 3, rows)})
        bikes = numbers.mask(rng.random(numbers.shape) < 0.08).assign(make=make)
        return {"bikes": bikes, "prices": (prices + rng.normal(0, 50, rows)).round(2)}

    def _make_stock(self, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """A table with a marker in one column, and a branch with another unit in another one; and without them."""
        rows = 400
        mended = pd.DataFrame(
            {
                "branch": rng.choice(["north", "east", "south", "west"], rows),
                "weight": rng.uniform(11, 26, rows).round(1),
                "distance": rng.uniform(200, 9_000, rows).round(),
                "battery": rng.uniform(250, 750, rows).round(),
                "age": rng.uniform(0, 12, rows).round(1),
            }
        )
        gap = rng.random(rows) < 0.1
        stock = mended.copy()
        stock.loc[stock["branch"] == self.branch, self.mixed] *= self.factor
        stock.loc[gap, self.marked] = self.marker
        mended.loc[gap, self.marked] = np.nan
        return {"stock": stock, "mended": mended}

    def _make_columns(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Four columns of other sizes, one of which is constant; the new rows have moved a little."""
        sizes, middles = 10 ** rng.uniform(-1, 4, 4), 10 ** rng.uniform(0, 4, 4)
        train = middles + sizes * rng.normal(0, 1, (200, 4))
        new = middles + sizes * rng.normal(0.5, 1.4, (80, 4))
        constant = int(rng.integers(4))
        train[:, constant] = new[:, constant] = np.round(middles[constant])
        return train, new

    def _make_survey(self, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Customers' incomes, which the rich do not tell, and what they paid: theirs is harder to foresee."""
        rows = 800
        income = rng.normal(size=rows)
        silent = (income > 0.6) & (rng.random(rows) < 0.9)
        scale = np.exp(rng.uniform(np.log(30), np.log(400)))
        paid = 10 * scale + 2 * scale * income + scale * rng.normal(size=rows) * np.where(silent, 1.6, 0.8)
        income = (40 + 12 * income).round(2)
        return {"survey": pd.DataFrame({"income": np.where(silent, np.nan, income), "paid": paid.round(2)})}

    def _prepare(self, rng: np.random.Generator) -> dict[str, object]:
        """Rows for training and validation, and three ways in which the latter were scaled."""
        middles, sizes = rng.uniform(10, 1_000, 3), rng.uniform(2, 100, 3)
        raw_train = middles + sizes * rng.normal(size=(300, 3))
        raw_val = middles + sizes * rng.normal(rng.uniform(0.6, 1), 1.3, (200, 3))
        parts = {"training": raw_train, "own": raw_val, "all": np.concatenate([raw_train, raw_val])}
        names = [str(name) for name in rng.permutation(["p", "q", "r"])]
        self.roles = dict(zip(names, parts, strict=True))
        prepared = {}
        for name in sorted(names):
            part = parts[self.roles[name]]
            prepared[name] = (raw_val - part.mean(axis=0)) / part.std(axis=0)
        return {"raw_train": raw_train, "raw_val": raw_val, "prepared": prepared}


ASSIGNMENT = Assignment(
    LESSON,
    Workshop,
    {
        "raw_pixels": Misconception(
            "Raw levels are far too large for a new network: its softmax is saturated, and most samples teach nothing.",
            f"{LESSON}#raw-read",
        ),
        "always_255": Misconception(
            "Not every camera writes 255 levels. Divide by the highest level that this one can write.",
            f"{LESSON}#tensors-why",
        ),
        "scaled_by_own_maximum": Misconception(
            "The brightest pixel of these images is another one in the next: the same grey would become another "
            "number. Divide by what holds for all images.",
            f"{LESSON}#rule-read",
        ),
        "whole_numbers_cut": Misconception(
            "Division of whole numbers, or a whole dtype, leaves only 0 and 1 of all the levels.",
            f"{LESSON}#tensors-why",
        ),
        "own_statistics": Misconception(
            "The new rows were scaled by their own statistics. A row then means something else in each part, and a "
            "single new row could not be scaled at all.",
            f"{LESSON}#rule-read",
        ),
        "statistics_of_all": Misconception(
            "The statistics were taken of all rows, those that are to judge the model, too. Fit on the training part "
            "alone.",
            f"{LESSON}#standard-why",
        ),
        "marker_as_number": Misconception(
            "A number that stands for a gap was left among the values: every mean and every weight would follow it.",
            f"{LESSON}#gaps-why",
        ),
        "mixed_units": Misconception(
            "One branch writes another unit, in one column: its values lie a thousand times off. Look at each column "
            "by branch.",
            f"{LESSON}#columns-why",
        ),
        "gaps_thrown_away": Misconception(
            "Rows with gaps were thrown away. They hold other values, and the bicycles have to be priced all the same.",
            f"{LESSON}#gaps-read",
        ),
        "categories_as_order": Misconception(
            "Numbered from 0 to 3, makes get an order, and a linear model gives each step the same worth. One-hot "
            "gives each make a weight of its own.",
            f"{LESSON}#gaps-why",
        ),
        "category_left_out": Misconception(
            "The model is hardly better than without the make, which tells more than all numbers.",
            f"{LESSON}#gaps-why",
        ),
        "category_unforeseen": Misconception(
            "The encoder gives up at a make that training never showed, and such a make comes. Tell it what to do "
            "then: with handle_unknown it writes zeros, none of the known makes.",
            f"{LESSON}#unknown-solution",
        ),
        "vocabulary_of_all": Misconception(
            "There are columns for words that only the new texts have. The vocabulary is learned from the training "
            "texts alone.",
            f"{LESSON}#compare",
        ),
        "two_vocabularies": Misconception(
            "Each part got a vocabulary of its own, so that one column means one word here, and another one there.",
            f"{LESSON}#compare",
        ),
        "rows_that_vanish": Misconception(
            "Its error is low because the hard rows are gone: it was measured on other customers, and can say nothing "
            "about those who are silent.",
            f"{LESSON}#rich-solution",
        ),
        "zero_means_are_right": Misconception(
            "Means of exactly 0 are no sign of care: here they say that the validation part was scaled by itself.",
            f"{LESSON}#rule-read",
        ),
    },
)


def read_array(value: object) -> np.ndarray | None:
    """Return an array of numbers, of a list or a table, too; None if it is none."""
    try:
        array = np.asarray(value)
        return array if array.dtype.kind in "biuf" else array.astype(float)
    except (TypeError, ValueError, OverflowError):
        return None


def _outputs(answer: object) -> tuple:
    return getattr(answer, "outputs", ())


@ASSIGNMENT.exercise(points=10, asks=("to_input",), tries=lambda world, data: {"to_input": [(data["images"],)]})
def pixels(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """What becomes of the photographs that are there."""
    return judge_pixels(answer, world, world.given)


def judge_pixels(answer: SimpleNamespace, world: Workshop, data: dict) -> Verdict | None:
    """Check that any images become rows of small decimal numbers, all by the same rule."""
    outputs = _outputs(answer.to_input)
    got, images = read_array(outputs[0] if outputs else None), data["images"]
    if got is None or got.size != images.size or len(got) != len(images):
        return object_to(f"{len(images)} images of 8 times 8 pixels become an array with as many numbers.")
    rows, levels = got.reshape(len(images), -1), images.reshape(len(images), -1).astype(float)
    if got.dtype.kind != "f" or set(np.unique(rows)) <= {0.0, 1.0}:
        return ASSIGNMENT.wrong("raw_pixels" if rows.max() > 1 else "whole_numbers_cut")
    if not np.allclose(rows, levels / world.levels, atol=1e-3):
        if np.allclose(rows, levels):
            return ASSIGNMENT.wrong("raw_pixels", share=0.2)
        if np.allclose(rows, levels / 255, rtol=1e-2):
            return ASSIGNMENT.wrong("always_255", share=0.3)
        if np.allclose(rows, (levels - levels.min()) / np.ptp(levels), atol=1e-2):
            return ASSIGNMENT.wrong("scaled_by_own_maximum", share=0.4)
        return object_to("The levels, from 0 to work.levels, are to become numbers from 0 to 1.", share=0.2)
    if got.shape != rows.shape:
        return object_to("The numbers are right. A dense layer reads one row of 64 numbers an image.", share=0.6)
    if got.dtype != np.float32:
        return object_to(f"{got.dtype} is not what Keras computes with.", share=0.7)
    return None


@ASSIGNMENT.exercise(
    points=15, asks=("standardize",), tries=lambda world, data: {"standardize": [(data["train"], data["new"])]}
)
def scaling(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """What becomes of the rows that are there."""
    return judge_scaling(answer, world, world.given)


def judge_scaling(answer: SimpleNamespace, world: Workshop, data: dict) -> Verdict | None:
    """Compare with both parts scaled by the training part; n and n - 1 in the deviation are both right."""
    outputs, train, new = _outputs(answer.standardize), data["train"], data["new"]
    if not outputs or not isinstance(outputs[0], list) or len(outputs[0]) != 2:
        return object_to("standardize returns two arrays: the training rows and the new rows, scaled.")
    got = [read_array(part) for part in outputs[0]]
    if any(one is None or one.shape != part.shape for one, part in zip(got, (train, new), strict=True)):
        return object_to("standardize returns two arrays of the same shapes as it is given.")
    varies = train.std(axis=0) > 1e-9

    def is_scaled_by(part: np.ndarray, rows: np.ndarray, statistics: np.ndarray) -> bool:
        z = (rows - statistics.mean(axis=0))[:, varies] / statistics.std(axis=0)[varies]
        return np.allclose(part[:, varies], z, atol=0.02)

    if is_scaled_by(got[0], train, train) and is_scaled_by(got[1], new, train):
        if np.allclose(np.concatenate(got)[:, ~varies], 0, atol=0.01):
            return None
        return object_to("The column that is constant is to be zeros: its deviation is 0.", share=0.7)
    if is_scaled_by(got[0], train, train) and is_scaled_by(got[1], new, new):
        return ASSIGNMENT.wrong("own_statistics", share=0.2)
    both = np.concatenate([train, new])
    if is_scaled_by(got[0], train, both) and is_scaled_by(got[1], new, both):
        return ASSIGNMENT.wrong("statistics_of_all", share=0.2)
    return object_to("Mean 0 and deviation 1 in the training part, and the same rule for the new rows, were asked for.")


@ASSIGNMENT.exercise(points=15, asks=("clean",), tries=lambda world, data: {"clean": [(data["stock"],)]})
def cleaning(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """A table of the same form. Whether it is mended, the hidden check says."""
    outputs = _outputs(answer.clean)
    if not outputs or not isinstance(outputs[0], pd.DataFrame):
        return object_to("clean returns a table.")
    if missing := [name for name in UNITS if name not in outputs[0]]:
        return object_to(f"The table has no column {missing[0]!r} any more.")
    if len(outputs[0]) < len(world.given["stock"]):
        return ASSIGNMENT.wrong("gaps_thrown_away", share=0.2)
    if any(read_array(outputs[0][name]) is None or outputs[0][name].ndim != 1 for name in UNITS):
        return object_to("The columns hold other things than numbers.")
    return None


@ASSIGNMENT.exercise(
    points=20,
    asks=("model",),
    tries=lambda world, data: {"model": [(data["bikes"],)]},
    errors={"unknown categories": "category_unforeseen"},  # of OneHotEncoder and OrdinalEncoder
)
def pricing(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """A fitted pipeline that prices the bicycles that are there."""
    got = read_prices(answer.model, len(world.given["bikes"]))
    if got is None:
        return object_to("model is fitted, and its predict gives a price in dollars for each row of such a table.")
    return None


def read_prices(model: object, rows: int) -> np.ndarray | None:
    """Return the prices that a model gave, (rows,); None if they are none."""
    outputs = _outputs(model)
    got = read_array(outputs[0]) if outputs else None
    if got is None or got.size != rows or not np.isfinite(got).all():
        return None
    return got.reshape(-1)


@ASSIGNMENT.exercise(
    points=10,
    asks=("to_rows",),
    tries=lambda world, data: {"to_rows": [(data["reports"], data["new_reports"])]},
)
def words(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """Two arrays. Their columns, the hidden check compares."""
    outputs = _outputs(answer.to_rows)
    form = "to_rows returns two arrays of numbers, not sparse ones: a row for each text, a column for each word."
    if not outputs or not isinstance(outputs[0], list) or len(outputs[0]) != 2:
        return object_to(form)
    parts = [read_array(part) for part in outputs[0]]
    if any(part is None or part.ndim != 2 for part in parts):
        return object_to(form)
    if [len(part) for part in parts] != [len(world.given["reports"]), len(world.given["new_reports"])]:
        return object_to("There is not one row for each text.")
    return None


@ASSIGNMENT.exercise(points=10, asks=("errors", "way"))
def gaps(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """Three errors in dollars, and one of three ways."""
    ways = ("drop", "median", "indicator")
    if as_numbers(answer.errors, ways) is None:
        return object_to(f"errors is a dictionary with a number of dollars for each of {', '.join(ways)}.")
    return refuse_name("way", answer.way, ways)


@ASSIGNMENT.exercise(points=10, asks=("off", "right"))
def colleagues(answer: SimpleNamespace, world: Workshop) -> Verdict | None:
    """Three numbers, and one of three names."""
    if as_numbers(answer.off, ("p", "q", "r")) is None:
        return object_to("off is a dictionary with a number for each of 'p', 'q' and 'r'.")
    return refuse_name("right", answer.right, "pqr")
