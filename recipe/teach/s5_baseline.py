"""Assignment 5, a baseline and a network that beats it: a waterworks asks how much water each house will use.

In each student's world the price of garden and people in litres, the noise, the order of the columns and the classes of
the four questions are others. The table has columns of very different sizes, and a target of some hundred litres.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from recipe.teach.exercises import Assignment, Misconception, Verdict, object_to

LESSON = "05_beat_a_baseline"
ROWS, VAL_ROWS, HIDDEN_ROWS = 600, 300, 4_000
JUDGED = 80  # houses that the two models of the fourth exercise are compared on


class Waterworks:
    """Houses with six columns each, and the litres that they use a day.

    Attributes
    ----------
    order : of the six columns, int (6,)
    classes : of the question with one class of several; `tags` of the one with several labels
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.order = rng.permutation(6)
        self.per_person, self.per_garden = rng.uniform(90, 130), rng.uniform(0.25, 0.4)
        self.classes, self.tags = int(rng.integers(4, 9)), int(rng.integers(3, 7))
        train, val = self._houses(rng, ROWS), self._houses(rng, VAL_ROWS)
        self.shares = np.round(rng.dirichlet([20, 12, 6, 3]), 3)
        self.shares[0] += 1 - self.shares.sum()
        self.given = {
            "x_train": train["x"],
            "y_train": train["y"],
            "x_val": val["x"],
            "y_val": val["y"],
            "classes": self.classes,
            "tags": self.tags,
            "shares": self.shares,
            "histories": self._histories(rng, 6),
            **self._two_models(rng),
        }

    def _houses(self, rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        people = rng.integers(1, 7, rows)
        garden = rng.gamma(1.2, 250, rows)  # square metres
        income = rng.lognormal(10.6, 0.5, rows)
        built = rng.integers(1900, 2020, rows)
        columns = [people, garden, income, built, rng.normal(15, 5, rows), rng.integers(10_000, 99_999, rows)]
        litres = self.per_person * people**0.8 + self.per_garden * garden + 25 * np.log(income / 40_000)
        litres = litres * rng.lognormal(0, 0.15, rows) + 15 * (built < 1960)
        x = np.column_stack(columns).astype("float32")[:, self.order]
        return {"x": x, "y": np.maximum(litres, 10).astype("float32")}

    def _two_models(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        # Both are wrong on the same houses, so that only their differences, house by house, tell them apart.
        shared = rng.gamma(2, 30, JUDGED)
        gain = rng.normal(size=JUDGED)
        gain = 6 + 14 * (gain - gain.mean()) / gain.std()  # a paired gain of 3.8 standard errors in every world
        return {"errors_guess": shared + 30, "errors_model": np.maximum(shared + 30 - gain, 0)}

    def _histories(self, rng: np.random.Generator, number: int) -> list[dict[str, object]]:
        """Return losses of a training a epoch, the loss of the best guess, and which of the three cases it is."""
        histories = []
        for case in np.resize(("learns", "no better than the guess", "rate too high"), number):
            guess = rng.uniform(0.5, 3)
            epochs = np.arange(20)
            if case == "learns":
                losses = guess * (rng.uniform(0.3, 0.6) + 0.6 * np.exp(-epochs / rng.uniform(2, 5)))
                losses = losses + 0.01 * guess * rng.normal(size=20)
            elif case == "rate too high":
                losses = guess * rng.lognormal(rng.uniform(0.8, 1.5), 0.6, 20)
                losses[rng.integers(12, 19) :] = np.nan if rng.random() < 0.4 else losses.max() * 3
            else:
                losses = guess * (1 + 0.25 * np.exp(-epochs / 2) + 0.01 * rng.normal(size=20))
            histories.append({"losses": losses.tolist(), "guess": float(guess), "case": str(case)})
        return histories

    def draw(self, rng: np.random.Generator) -> dict[str, object]:
        """Return `x` float32 (rows, 6), `y` litres a day float32 (rows,), and 60 `histories`."""
        return {**self._houses(rng, HIDDEN_ROWS), "histories": self._histories(rng, 60)}


ASSIGNMENT = Assignment(
    LESSON,
    Waterworks,
    {
        "mean_for_mae": Misconception(
            "The mean is the best constant for squared errors. For absolute errors it is the median.",
            f"{LESSON}#guess-read",
        ),
        "baseline_from_validation": Misconception(
            "The constant comes from the validation part itself. A baseline, too, is fitted on the training part.",
            f"{LESSON}#guess-why",
        ),
        "training_error_reported": Misconception(
            "That is the error on the training part. Models are compared on samples that none of them was fitted on.",
            f"{LESSON}#guess-read",
        ),
        "softmax_for_labels": Misconception(
            "Softmax makes the outputs add up to one: it answers *which one*. Labels that go together want a sigmoid "
            "each, which answers *whether*.",
            f"{LESSON}#table-read",
        ),
        "bounded_output": Misconception(
            "That activation cannot say every number that the target has.", f"{LESSON}#faults-read"
        ),
        "one_hot_mixed_up": Misconception(
            "`sparse_categorical_crossentropy` takes class numbers, `categorical_crossentropy` one-hot rows.",
            f"{LESSON}#one-hot-read",
        ),
        "regression_loss_for_classes": Misconception(
            "Squared errors of probabilities train slowly: cross-entropy is the loss of classes and labels.",
            f"{LESSON}#table-read",
        ),
        "unscaled": Misconception(
            "Columns of very different sizes, or a target of some hundreds, hold a network up: bring both to a size of "
            "about 1, and multiply the outputs in the end.",
            f"{LESSON}#faults-read",
        ),
        "no_better_than_guess": Misconception(
            "On new houses this is no better than saying the median to all of them.", f"{LESSON}#seeds-read"
        ),
        "unpaired": Misconception(
            "Both models judge the same houses: take the differences house by house. As if they were different houses, "
            "what is hard for both hides the gain.",
            f"{LESSON}#pairs-why",
        ),
        "spread_for_error": Misconception(
            "The standard deviation tells how single houses scatter. A mean of n of them scatters √n times less.",
            f"{LESSON}#swap-why",
        ),
        "guess_is_one_half": Misconception(
            "A fresh network says about the same probability to each class: its loss is the logarithm of their number.",
            f"{LESSON}#table-read",
        ),
    },
)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@ASSIGNMENT.exercise(points=10, asks=("guess", "guess_error"))
def guess_error(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """The training median, and its validation MAE. In some worlds another guess has the same error."""
    y_train, y_val = world.given["y_train"], world.given["y_val"]
    guess, error = _number(answer.guess), _number(answer.guess_error)
    if guess is None or error is None:
        return object_to("guess and guess_error are numbers, in litres.")
    middle = np.median(y_train)
    guesses = {"": middle, "mean_for_mae": y_train.mean(), "baseline_from_validation": np.median(y_val)}
    named = _find_nearest(guess, guesses)
    if named is None:
        return object_to("That is none of the usual guesses. Is it in litres?")
    if named:
        return ASSIGNMENT.wrong(named, share=0.4)
    errors = {"": np.abs(y_val - middle).mean(), "training_error_reported": np.abs(y_train - middle).mean()}
    named = _find_nearest(error, errors)
    if named is None:
        return object_to(
            "The guess is right. Its mean absolute error on the validation part is another one.", share=0.4
        )
    return ASSIGNMENT.wrong(named, "The guess is right.", share=0.4) if named else None


def _find_nearest(got: float, known: dict[str, float]) -> str | None:
    """Return the name of the number that was meant, "" of the right one, rounded or not; None if it is none of them."""
    if any(np.isclose(got, round(float(known[""]), digits)) for digits in (1, 2)):
        return ""
    nearest = min(known, key=lambda name: abs(got - known[name]))
    return nearest if abs(got - known[nearest]) <= 1e-3 * known[nearest] else None


_SAME = {"mean_squared_error": "mse", "mean_absolute_error": "mae", "linear": "none", "": "none"}
_LOSSES = (
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "log_cosh",
    "mean_absolute_error",
    "mean_squared_error",
    "sparse_categorical_crossentropy",
)
_CLASSES = {loss.replace("_", ""): loss for loss in _LOSSES}  # a loss may be named as its class: "LogCosh"


def _read_end(end: object) -> tuple[int, str, str] | None:
    """Return units, activation and loss of an answer, in one way of writing each."""
    if not isinstance(end, list | tuple) or len(end) != 3 or _number(end[0]) is None:
        return None
    activation, loss = (str(word or "none").lower().replace("-", "_").replace(" ", "_") for word in end[1:])
    loss = _CLASSES.get(loss, loss)
    return int(end[0]), _SAME.get(activation, activation), _SAME.get(loss, loss)


@ASSIGNMENT.exercise(points=20, asks=("ends",))
def ends(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """Units, activation and loss of four questions; each is a quarter of the points."""
    regression, yes = {"mse", "mae", "huber", "log_cosh"}, {"binary_crossentropy", "binary_focal_crossentropy"}
    right = {
        "litres": ({1}, {"none"}, regression),
        "leak": ({1}, {"sigmoid"}, yes),
        "kind": ({world.classes}, {"softmax"}, {"sparse_categorical_crossentropy"}),
        "devices": ({world.tags}, {"sigmoid"}, yes),
    }
    if not isinstance(answer.ends, dict) or set(answer.ends) != set(right):
        return object_to(f"ends is a dictionary with the keys {', '.join(right)}.")
    two_classes = (2, "softmax", "sparse_categorical_crossentropy")  # as good for yes or no
    wrong = {}
    for name, sets in right.items():
        if (end := _read_end(answer.ends[name])) is None:
            return object_to(f"Each entry is (units, activation, loss). Received: {name}={answer.ends[name]!r}.")
        if (name, end) != ("leak", two_classes) and any(
            part not in allowed for part, allowed in zip(end, sets, strict=True)
        ):
            wrong[name] = end
    if not wrong:
        return None
    name, (units, activation, loss) = next(iter(wrong.items()))
    share, said = 1 - len(wrong) / 4, f"The first that does not suit is {name!r}."
    if name == "devices" and activation == "softmax":
        return ASSIGNMENT.wrong("softmax_for_labels", said, share)
    if name == "litres" and activation != "none":
        return ASSIGNMENT.wrong("bounded_output", said, share)
    if name == "kind" and loss == "categorical_crossentropy":
        return ASSIGNMENT.wrong("one_hot_mixed_up", said, share)
    if name != "litres" and loss in regression:
        return ASSIGNMENT.wrong("regression_loss_for_classes", said, share)
    return object_to(f"{said} Received: {units} units, {activation}, {loss}.", share)


def _try_predict(world: Waterworks, data: dict) -> dict[str, list[tuple]]:
    return {"predict": [(data["x"] if "x" in data else data["x_val"],)]}


@ASSIGNMENT.exercise(points=25, asks=("predict",), tries=_try_predict)
def predict(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """One number in litres a house."""
    got = answer.predict.outputs[0]
    if not isinstance(got, np.ndarray) or got.size != VAL_ROWS:
        return object_to(f"predict returns a number a house: an array of {VAL_ROWS} for the validation part.")
    if not np.isfinite(got).all():
        return ASSIGNMENT.wrong("unscaled", "Some of the predictions are no numbers (NaN).")


@ASSIGNMENT.exercise(points=15, asks=("interval", "is_beyond_chance"))
def interval(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """An interval of 95 % for the mean gain, paired, and what follows from it."""
    guess, model = world.given["errors_guess"], world.given["errors_model"]
    gain = guess - model
    try:
        low, high = (float(end) for end in answer.interval)
    except (TypeError, ValueError):
        return object_to("interval is two numbers, the lower end first.")
    if not low < high:
        return object_to("The lower end comes first.")
    if not low < gain.mean() < high:
        return object_to("The interval holds the mean gain: by how much the model's error is smaller than the guess's.")
    half, error = (high - low) / 2, gain.std(ddof=1) / np.sqrt(JUDGED)
    if 1.6 * error <= half <= 2.4 * error:
        if answer.is_beyond_chance is not True:
            return object_to("0 lies outside of this interval: what does that say? True or False.", share=0.5)
        return None
    apart = np.sqrt((guess.var(ddof=1) + model.var(ddof=1)) / JUDGED)
    if 1.6 * apart <= half <= 2.4 * apart:
        return ASSIGNMENT.wrong("unpaired", share=0.3)
    if half > 6 * error:
        return ASSIGNMENT.wrong("spread_for_error", share=0.2)
    return object_to(
        "The interval of 95 % is another one: about two standard errors of the mean to each side.", share=0.2
    )


def _try_name(world: Waterworks, data: dict) -> dict[str, list[tuple]]:
    return {"name_case": [(history["losses"], history["guess"]) for history in data["histories"]]}


CASES = ("learns", "no better than the guess", "rate too high")


@ASSIGNMENT.exercise(points=10, asks=("name_case",), tries=_try_name)
def name_case(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """One of the three cases for each of the six given histories."""
    for got, history in zip(answer.name_case.outputs, world.given["histories"], strict=True):
        if got not in CASES:
            return object_to(f"name_case returns one of {', '.join(CASES)}. Received: {got!r}.")
        if got != history["case"]:
            return object_to(f"Of the six histories, {history['case']!r} was called {got!r}.")


@ASSIGNMENT.exercise(points=10, asks=("fresh_loss", "guess_loss"))
def fresh_loss(answer: SimpleNamespace, world: Waterworks) -> Verdict | None:
    """The logarithm of the number of classes, and the entropy of their shares."""
    fresh, guess = _number(answer.fresh_loss), _number(answer.guess_loss)
    if fresh is None or guess is None:
        return object_to("fresh_loss and guess_loss are numbers.")
    classes = len(world.shares)
    entropy = float(-(world.shares * np.log(world.shares)).sum())
    is_fresh, is_guess = abs(fresh - np.log(classes)) < 0.01, abs(guess - entropy) < 0.01
    if is_fresh and is_guess:
        return None
    if not is_fresh and abs(fresh - np.log(2)) < 0.01:
        return ASSIGNMENT.wrong("guess_is_one_half", share=0.5 * is_guess)
    if not is_fresh:
        in_tens = " The logarithm is the natural one." if abs(fresh - np.log10(classes)) < 0.01 else ""
        return object_to(f"A fresh network of {classes} classes starts at another loss.{in_tens}", 0.5 * is_guess)
    return object_to("The best guess says the shares themselves: what is its mean cross-entropy?", 0.5)
